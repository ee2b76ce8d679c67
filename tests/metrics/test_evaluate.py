"""The protocol of evaluate: speakers stay apart, predictions are pooled, conditions and corpora are told apart."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import Memory
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import Bunch

from sklearn_ser import HandcraftedFeatures
from sklearn_ser.metrics import evaluate
from sklearn_ser.metrics._evaluate import _random_splits, _splits
from sklearn_ser.metrics._evaluated import title_of

EMOTIONS = np.array(["anger", "fear", "neutral"])


def make_clips(n_speakers=6, n_clips=60, noise=1.0, seed=0):
    """Features in which emotions and speakers both show, as a Bunch."""
    rng = np.random.default_rng(seed)
    code, speaker = np.arange(n_clips) % 3, np.arange(n_clips) // 3 % n_speakers
    X = np.eye(3)[code] + noise * rng.normal(size=(n_clips, 3)) + rng.normal(size=(n_speakers, 3))[speaker]
    names = np.array([f"s{s}" for s in speaker])
    data = pd.DataFrame(X, columns=list("xyz"))
    return Bunch(data=data, target=EMOTIONS[code], speaker=names, sex=np.where(speaker % 2, "male", "female"))


# --------------------------------------------------------------------------------------------------------- the protocol


def test_evaluate_pools_what_cross_val_predict_predicts():
    corpus, model = make_clips(), make_pipeline(StandardScaler(), LogisticRegression())
    report = evaluate(model, corpus)
    expected = cross_val_predict(model, corpus.data, corpus.target, groups=corpus.speaker, cv=LeaveOneGroupOut())
    np.testing.assert_array_equal(report.y_pred, expected)
    np.testing.assert_array_equal(report.y_true, corpus.target)
    assert report.title == "StandardScaler() > LogisticRegression()"
    assert report.protocol == "6 folds: each speaker is recognized by a model that was trained on others"
    assert not hasattr(model[0], "mean_")


def test_corpus_clips_and_columns_are_the_same_to_evaluate():
    corpus, model = make_clips(), LogisticRegression()
    reports = [
        evaluate(model, corpus),
        evaluate(model, corpus.data, corpus.target, speaker=corpus.speaker),
        evaluate(model, corpus.data.to_numpy(), list(corpus.target), speaker=pd.Series(corpus.speaker)),
        evaluate(make_pipeline(Numbers(), model), corpus.data.assign(speaker=corpus.speaker), corpus.target),
    ]
    for report in reports[1:]:
        np.testing.assert_array_equal(report.y_pred, reports[0].y_pred)


class Numbers(BaseEstimator):
    """The numeric columns of a DataFrame."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[list("xyz")].to_numpy()


def test_sex_and_listeners_ride_along_as_columns():
    corpus = make_clips()
    data = corpus.data.assign(sex=corpus.sex, recognised=0.9)
    frame = evaluate(
        make_pipeline(Numbers(), LogisticRegression()), data, corpus.target, speaker=corpus.speaker
    ).to_frame()
    assert list(frame.loc["UAR by sex"].index) == ["female", "male"]
    assert frame.loc[("UAR", "all"), "listeners"] == pytest.approx(0.9)
    given = evaluate(LogisticRegression(), corpus, sex=corpus.sex).to_frame()
    pd.testing.assert_frame_equal(
        given.loc[["UAR by sex"]].drop(columns="listeners"), frame.loc[["UAR by sex"]].drop(columns="listeners")
    )


def test_lists_of_waveforms_are_evaluated(tones):
    model = make_pipeline(Lengths(), DummyClassifier())
    report = evaluate(model, tones, ["a", "b"] * 3, speaker=list("xxyyzz"))
    assert len(report.y_pred) == 6


class Lengths(Numbers):
    def transform(self, X):
        return np.array([[len(x)] for x in X])


@pytest.mark.parametrize("n_speakers, n_folds, most", [(12, 12, 1), (13, 10, 2)])
def test_many_speakers_are_left_out_some_at_a_time(n_speakers, n_folds, most):
    corpus = make_clips(n_speakers, n_clips=6 * n_speakers)
    splits = _splits(None, corpus.data, corpus.target, corpus.speaker)
    assert len(splits) == n_folds
    assert max(len(set(corpus.speaker[test])) for _, test in splits) == most
    for train, test in splits:
        assert not set(corpus.speaker[train]) & set(corpus.speaker[test])


def test_an_int_is_a_number_of_folds_with_different_speakers():
    corpus = make_clips()
    splits = _splits(3, corpus.data, corpus.target, corpus.speaker)
    assert len(splits) == 3 and all(not set(corpus.speaker[a]) & set(corpus.speaker[b]) for a, b in splits)
    with pytest.raises(ValueError, match="cv must be at least 2 and at most the number of groups .*6. Got cv=7"):
        evaluate(LogisticRegression(), corpus, cv=7)


def test_groups_can_be_larger_than_speakers():
    corpus = make_clips()
    session = np.array([name[-1] in "012" for name in corpus.speaker])
    report = evaluate(LogisticRegression(), corpus, groups=session)
    assert "2 folds of up to 3 speakers" in " ".join(str(report).split())
    assert report.to_frame().loc[("UAR", "all"), "n_speakers"] == 6


def test_random_split_has_the_same_sizes_and_the_emotions_shares():
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(6), [10, 15, 20, 25, 30, 50])
    y = rng.choice(EMOTIONS, size=150, p=[0.5, 0.3, 0.2])
    splits = _splits(None, y, y, speaker)
    random = _random_splits(splits, y, rng)
    assert sorted(np.concatenate([test for _, test in random])) == list(range(150))
    fractions = pd.Series(y).value_counts(normalize=True)
    for (train, test), (random_train, random_test) in zip(splits, random, strict=True):
        assert (len(train), len(test)) == (len(random_train), len(random_test))
        assert not set(random_train) & set(random_test)
        counted = pd.Series(y[random_test]).value_counts().reindex(fractions.index, fill_value=0)
        assert np.abs(counted - fractions * len(test)).max() <= 1.5
        assert len(set(speaker[random_test])) > 3


def test_random_split_of_smaller_trainings_has_their_size():
    y, speaker = np.tile(EMOTIONS, 20), np.repeat(np.arange(6), 10)
    splits = [(train[::2], test[:8]) for train, test in _splits(None, y, y, speaker)]
    for random_train, random_test in _random_splits(splits, y, np.random.default_rng(0)):
        assert (len(random_train), len(random_test)) == (25, 8) and len(np.unique(random_train)) == 25
        assert not set(random_train) & set(random_test)
        assert pd.Series(y[random_train]).value_counts().min() >= 7


def test_leakage_is_found_where_speakers_tell_the_emotion():
    """Each speaker has other features for the same emotion: unknown ones are guessed, known ones recognised."""
    rng = np.random.default_rng(0)
    speaker, code = np.repeat(np.arange(8), 12), np.tile(np.arange(3), 32)
    X = rng.normal(scale=3, size=(8, 3, 5))[speaker, code] + 0.1 * rng.normal(size=(96, 5))
    from sklearn.neighbors import KNeighborsClassifier

    report = evaluate(KNeighborsClassifier(1), X, EMOTIONS[code], speaker=speaker, leakage=True)
    frame = report.to_frame()
    assert frame.loc[("UAR, random split", "all"), "value"] > 0.95
    assert frame.loc[("leakage gap", "all"), "low"] > 0.1
    assert "leakage gap" not in evaluate(KNeighborsClassifier(1), X, EMOTIONS[code], speaker=speaker).to_frame().index


def test_speakers_on_both_sides_are_reported():
    corpus = make_clips()
    with pytest.warns(UserWarning, match="In 5 of 5 folds speakers are tested that were trained on"):
        report = evaluate(LogisticRegression(), corpus, cv=StratifiedKFold(5))
    assert "5 folds, 5 of which have speakers on both sides" in str(report)
    with pytest.raises(ValueError, match="leakage=True compares.*in 5 of 5 folds"):
        evaluate(LogisticRegression(), corpus, cv=StratifiedKFold(5), leakage=True)


def test_clips_that_were_never_tested_are_left_out_and_counted():
    corpus = make_clips()
    splits = list(LeaveOneGroupOut().split(corpus.data, corpus.target, corpus.speaker))[:2]
    report = evaluate(LogisticRegression(), corpus, cv=splits)
    assert len(report.y_true) < 60 and sorted(report.speakers) == ["s0", "s1"]
    assert f"{60 - len(report.y_true)} of 60 clips were never tested" in " ".join(str(report).split())


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what `fit` was given."""

    seen: list = []

    def fit(self, X, y, groups=None, note=None):
        self.classes_ = np.unique(y)
        Recorder.seen.append((len(X), groups, note))
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_fit_is_given_its_rows_of_params():
    corpus, Recorder.seen = make_clips(), []
    evaluate(make_pipeline(StandardScaler(), Recorder()), corpus, params={"recorder__groups": corpus.speaker})
    assert len(Recorder.seen) == 6
    for n_clips, groups, _ in Recorder.seen:
        assert len(groups) == n_clips and len(set(groups)) == 5


def test_with_metadata_routing_requested_groups_are_the_speakers():
    corpus, Recorder.seen = make_clips(), []
    with sklearn.config_context(enable_metadata_routing=True):
        recorder = Recorder().set_fit_request(groups=True, note=True)
        evaluate(make_pipeline(StandardScaler(), recorder), corpus, params={"note": np.arange(60)})
        evaluate(make_pipeline(StandardScaler(), Recorder()), corpus)
    assert all(len(set(groups)) == 5 and len(note) == n for n, groups, note in Recorder.seen[:6])
    assert all(groups is None for _, groups, _ in Recorder.seen[6:])


def test_jobs_change_nothing_and_progress_is_shown_if_wanted(capsys):
    corpus = make_clips()
    one = evaluate(LogisticRegression(), corpus, leakage=True, verbose=1)
    assert "12/12" in capsys.readouterr().err
    import joblib

    with joblib.parallel_config("threading"):
        two = evaluate(LogisticRegression(), corpus, leakage=True, n_jobs=2)
    assert not capsys.readouterr().err
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(y=None), "corpus must be a Bunch with data and target.*Got DataFrame without y"),
        (dict(speaker=None), "speaker must say who speaks.*Got speaker=None"),
        (dict(speaker=["a"] * 60), "at least two of them. Got 1"),
        (dict(speaker=["a"] * 59), "inconsistent numbers of samples"),
        (dict(cv=[(np.arange(30), np.arange(30, 60))] * 2), "at most once.*test clip 30 twice or more"),
        (dict(cv=[(np.arange(60), np.arange(30, 60))]), "must not test a clip that it trains on"),
    ],
)
def test_wrong_arguments_of_evaluate_are_named(change, message):
    corpus = make_clips()
    params = {"y": corpus.target, "speaker": corpus.speaker, **change}
    with pytest.raises(ValueError, match=message):
        evaluate(LogisticRegression(), corpus.data, **params)


@pytest.mark.processes
def test_svm_on_emodb_is_reported(emodb):
    """Few clips of few speakers: that the corpus' columns arrive where they should."""
    from sklearn.svm import SVC

    from sklearn_ser import HandcraftedFeatures

    rows = np.flatnonzero(np.isin(emodb.speaker, ["08", "10", "12"]))
    X, y = emodb.data.iloc[rows], emodb.target[rows]
    report = evaluate(make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC(C=10)), X, y)
    frame = report.to_frame()
    assert report.uar > 0.25
    assert 0.9 < frame.loc[("UAR", "all"), "listeners"] < 0.95
    assert list(frame.loc["UAR by sex"].index) == ["female", "male"]
    assert "08 lacks disgust" in str(report)


def test_name_tells_the_steps_without_their_parameters():
    corpus = make_clips()
    model = make_pipeline(StandardScaler(), GridSearchCV(LogisticRegression(C=3), {"C": [1, 2]}))
    report = evaluate(model, corpus, cv=2)
    assert report.name == "StandardScaler > GridSearchCV(LogisticRegression)"
    assert "LogisticRegression(C=3)" in report.title


@pytest.mark.parametrize(
    "params, title",
    [
        (dict(memory="/home/me/cache"), "HandcraftedFeatures() > SVC(C=3)"),
        (dict(memory="/a", n_jobs=-1, verbose=1, sr=8000), "HandcraftedFeatures(sr=8000) > SVC(C=3)"),
        (dict(feature_set="bledea170", n_jobs=2), "HandcraftedFeatures(feature_set='bledea170') > SVC(C=3)"),
        (dict(memory=Memory("/a/b")), "HandcraftedFeatures() > SVC(C=3)"),
    ],
)
def test_title_leaves_out_what_no_prediction_depends_on(params, title):
    assert title_of(make_pipeline(HandcraftedFeatures(**params), SVC(C=3))) == title


def test_html_has_the_name_and_its_parameters_folded_away():
    html = evaluate(make_pipeline(StandardScaler(), LogisticRegression(C=3)), make_clips(), cv=2)._repr_html_()
    assert "<b>StandardScaler &gt; LogisticRegression</b>" in html
    assert "<summary>Parameters</summary><p>StandardScaler() &gt; LogisticRegression(C=3)</p>" in html
