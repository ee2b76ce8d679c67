"""Evaluation under conditions, on several corpora, and of models that were fitted before."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

from sklearn_ser import AddNoise, Level, ReportDisplay, Telephone, WaveformLoader, evaluate
from sklearn_ser.augmentation import real_world_conditions
from sklearn_ser.metrics import EvaluationReport, compare, uar_score

SR = 16000
EMOTIONS = np.array(["anger", "fear", "neutral"])


def loudness_and_brightness(waveforms):
    return np.array([[np.log(w.std() + 1e-9), np.log(np.diff(w).std() + 1e-9)] for w in waveforms])


def make_pipe(**params):
    return make_pipeline(
        WaveformLoader(**params), FunctionTransformer(loudness_and_brightness), LogisticRegression(C=100)
    )


@pytest.fixture(scope="module")
def corpus():
    """Six speakers; each emotion is a tone of its own frequency and loudness."""
    rng, rows, clips = np.random.default_rng(0), [], []
    for speaker in range(6):
        for code, emotion in enumerate(EMOTIONS):
            for _ in range(4):
                time = np.arange(rng.integers(1000, 2000)) / SR
                clips.append(0.02 * 3**code * np.sin(2 * np.pi * (300 + 600 * code + 20 * speaker) * time))
                rows.append((f"s{speaker}", emotion, "north" if speaker < 4 else "south"))
    data = pd.DataFrame(rows, columns=["speaker", "emotion", "corpus"])
    data.insert(0, "path", pd.Series(clips, dtype=object))
    return Bunch(data=data, target=data.pop("emotion").to_numpy(), speaker=data["speaker"].to_numpy())


CONDITIONS = {"softer": Level(-20, bits=None), "noise": AddNoise(snr=0)}


@pytest.fixture(scope="module")
def report(corpus):
    return evaluate(make_pipe(), corpus, conditions=CONDITIONS)


class FitsCounted(ClassifierMixin, BaseEstimator):
    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        self.classes_ = np.unique(y)
        self.pipe_ = make_pipe().fit(X, y)
        return self

    def predict(self, X):
        return self.pipe_.predict(X)


@pytest.mark.processes
def test_models_are_fitted_once_to_clips_as_they_are_and_tested_on_altered_ones(corpus, report):
    FitsCounted.fits = 0
    counted = evaluate(FitsCounted(), corpus, conditions=CONDITIONS)
    assert FitsCounted.fits == 6
    by_hand = np.empty(len(corpus.target), object)
    X = corpus.data.assign(path=pd.Series([0.1 * clip for clip in corpus.data["path"]], dtype=object))
    for speaker in np.unique(corpus.speaker):
        test = corpus.speaker == speaker
        by_hand[test] = make_pipe().fit(corpus.data[~test], corpus.target[~test]).predict(X[test])
    np.testing.assert_array_equal(report.y_pred_conditions["softer"], by_hand)
    np.testing.assert_array_equal(counted.y_pred_conditions["softer"], by_hand)
    np.testing.assert_array_equal(report.y_pred, evaluate(make_pipe(), corpus).y_pred)


def test_the_frame_has_score_loss_and_commonest_answer_of_each_condition(report):
    frame = report.to_frame()
    assert list(frame.loc["UAR by condition"].index) == ["as they are", "softer", "noise"]
    for name, y_pred in {"as they are": report.y_pred, **report.y_pred_conditions}.items():
        score = frame.loc[("UAR by condition", name)]
        assert score["value"] == pytest.approx(uar_score(report.y_true, y_pred))
        assert score["low"] <= score["value"] <= score["high"] and score["chance"] == pytest.approx(1 / 3)
        share = frame.loc[("commonest answer by condition", name), "value"]
        assert share == pytest.approx(np.unique(y_pred, return_counts=True)[1].max() / len(y_pred))
    np.testing.assert_allclose(
        frame.loc["loss by condition", "value"], report.uar - frame.loc["UAR by condition", "value"].iloc[1:]
    )
    assert frame.loc[("UAR by condition", "as they are"), "value"] > 0.9
    assert frame.loc[("commonest answer by condition", "softer"), "value"] > 0.6


def test_an_interval_of_a_loss_is_paired(report):
    same = EvaluationReport(
        report.y_true, report.y_pred, speaker=report.speaker, y_pred_conditions={"no change": report.y_pred}
    )
    assert same.to_frame().loc[("loss by condition", "no change"), ["value", "low", "high"]].tolist() == [0, 0, 0]


@pytest.mark.processes
def test_a_condition_is_the_same_whatever_others_there_are_and_seeded(corpus):
    level = Level((-20, 0), bits=None)

    def softer(**params):
        return evaluate(make_pipe(), corpus, **params).y_pred_conditions["softer"]

    one = softer(conditions={"softer": level})
    np.testing.assert_array_equal(softer(conditions={"x": Telephone(), "softer": level}, n_jobs=2), one)
    assert not np.array_equal(softer(conditions={"louder": level, "softer": level}, random_state=1), one)
    both = evaluate(make_pipe(), corpus, conditions={"a": level, "b": level}).y_pred_conditions
    assert not np.array_equal(both["a"], both["b"])


def test_text_says_what_is_lost_and_where_the_model_is_of_no_use(report):
    text = " ".join(str(report).split())
    assert "UAR under each condition score 95 % interval loss commonest answer" in text
    assert re.search(r"softer 0\.\d{3} 0\.\d{3} to 0\.\d{3} \+0\.\d{3} \w+ \(\d+%\)", text)
    y, stuck = report.y_true, np.full(len(report.y_true), "fear")
    collapsed = EvaluationReport(y, y, speaker=report.speaker, y_pred_conditions={"noise": stuck, "quiet": y})
    text = " ".join(str(collapsed).split())
    assert "Of no use under 1 of 2 conditions" in text and "whatever it hears: noise. Training" in text
    assert "fear (100%)" in text and "Of no use" in collapsed._repr_html_()
    assert "condition" not in str(EvaluationReport(y, y, speaker=report.speaker))


def test_conditions_are_drawn(report):
    display = report.plot()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[-4:] == ["as they are", "softer", "noise", "each speaker"]
    assert {"UAR, north", "UAR, south"} < set(labels)
    assert isinstance(display, ReportDisplay)


@pytest.mark.processes
def test_the_real_world_is_a_dict_of_augmenters(corpus):
    named = real_world_conditions(corpus.data)
    assert list(named)[:2] == ["white noise, 20 dB", "white noise, 10 dB"] and len(named) == 11
    assert set(named) - set(real_world_conditions()) == {"babble, 10 dB"}
    report = evaluate(make_pipe(), corpus, conditions="real-world", cv=2)
    assert list(report.y_pred_conditions) == list(named)
    one = evaluate(make_pipe(), corpus, conditions={"telephone": named["telephone"]}, cv=2)
    np.testing.assert_array_equal(one.y_pred_conditions["telephone"], report.y_pred_conditions["telephone"])


@pytest.mark.processes
def test_leakage_and_conditions_do_not_mix(corpus):
    report = evaluate(make_pipe(), corpus, conditions=CONDITIONS, leakage=True)
    plain = evaluate(make_pipe(), corpus, leakage=True)
    np.testing.assert_array_equal(report.y_pred_random, plain.y_pred_random)
    assert set(report.y_pred_conditions) == set(CONDITIONS)


@pytest.mark.parametrize(
    "conditions, error, message",
    [
        (
            "realworld",
            ValueError,
            "conditions must be 'real-world', or a dict of names to augmenters.* Got 'realworld'",
        ),
        ([AddNoise(snr=3)], ValueError, r"conditions must be 'real-world', or a dict .* Got \[AddNoise\(snr=3\)\]"),
        ({"noise": 10}, TypeError, "An augmenter must be a callable"),
        ({"noise": AddNoise()}, ValueError, "either amplitude, of full scale, or snr"),
        ({"as they are": AddNoise(snr=3)}, ValueError, "Every condition needs a name of its own, other than 'as they"),
        ({1: AddNoise(snr=3), "1": AddNoise(snr=3)}, ValueError, "Every condition needs a name of its own"),
    ],
)
def test_wrong_conditions_are_named(corpus, conditions, error, message):
    with pytest.raises(error, match=message):
        evaluate(make_pipe(), corpus, conditions=conditions)


def test_conditions_need_predictions_of_all_clips(report):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EvaluationReport(report.y_true, report.y_pred, speaker=report.speaker, y_pred_conditions={"noise": ["fear"]})


def test_reports_with_conditions_pickle_and_compare(corpus, report):
    again = pickle.loads(pickle.dumps(report))
    pd.testing.assert_frame_equal(again.to_frame(), report.to_frame())
    assert compare(report, again).frame.loc["UAR", "difference"] == 0


# ---------------------------------------------------------------------------------------------------- several corpora


def test_each_corpus_is_scored_by_itself(corpus, report):
    frame = report.to_frame()
    assert list(frame.loc["UAR by corpus"].index) == ["north", "south"]
    for name in ("north", "south"):
        clips = (corpus.data["corpus"] == name).to_numpy()
        row = frame.loc[("UAR by corpus", name)]
        assert row["value"] == pytest.approx(uar_score(report.y_true[clips], report.y_pred[clips]))
        assert row["n_clips"] == clips.sum() and row["n_speakers"] == (4 if name == "north" else 2)
    assert "UAR of each corpus" in str(report) and "UAR of each corpus" in report._repr_html_()


def test_a_good_corpus_does_not_hide_a_bad_one_that_lacks_an_emotion():
    y = ["anger", "fear", "neutral"] * 4 + ["anger", "fear"] * 4
    y_pred = ["anger", "fear", "neutral"] * 4 + ["anger"] * 8
    corpus = ["good"] * 12 + ["bad"] * 8
    speaker = ["1"] * 6 + ["2"] * 6 + ["1"] * 4 + ["2"] * 4  # called alike in both
    frame = EvaluationReport(y, y_pred, speaker=speaker, corpus=corpus).to_frame()
    assert frame.loc["UAR by corpus", "value"].to_dict() == {"good": 1, "bad": 0.5}
    assert frame.loc["UAR by corpus", "n_speakers"].tolist() == [2, 2]


def test_a_single_corpus_is_not_repeated():
    report = EvaluationReport(["anger", "fear"] * 2, ["anger"] * 4, speaker=list("aabb"), corpus=["one"] * 4)
    assert "UAR by corpus" not in report.to_frame().index.get_level_values("measure")


# ------------------------------------------------------------------------------------------------------- fitted models


def test_a_fitted_model_is_reported_on_another_corpus(corpus):
    north = (corpus.data["corpus"] == "north").to_numpy()
    model = make_pipe().fit(corpus.data[north], corpus.target[north])
    before = pickle.dumps(model)
    other = Bunch(data=corpus.data[~north], target=corpus.target[~north], speaker=corpus.speaker[~north])
    report = EvaluationReport.from_estimator(model, other, conditions=CONDITIONS, n_boot=50)
    np.testing.assert_array_equal(report.y_pred, model.predict(other.data))
    assert set(report.speakers) == {"s4", "s5"} and report.n_boot == 50
    assert pickle.dumps(model) == before
    assert "recognized by a model that was fitted before." in " ".join(str(report).split())
    assert list(report.y_pred_conditions) == ["softer", "noise"]
    arrays = EvaluationReport.from_estimator(model, list(other.data["path"]), other.target, speaker=other.speaker)
    np.testing.assert_array_equal(arrays.y_pred, report.y_pred)


def test_emotions_that_the_model_does_not_know_are_named(corpus):
    known = corpus.target != "neutral"
    model = make_pipe().fit(corpus.data[known], corpus.target[known])
    report = EvaluationReport.from_estimator(model, corpus)
    assert "does not know neutral" in " ".join(str(report).split())
    assert report.to_frame().loc[("recall", "neutral"), "value"] == 0


def test_a_model_is_not_reported_without_emotions_or_speakers(corpus):
    model = make_pipe().fit(corpus.data, corpus.target)
    with pytest.raises(ValueError, match="corpus must be a Bunch .*Got DataFrame without y"):
        EvaluationReport.from_estimator(model, corpus.data)
    with pytest.raises(ValueError, match="speaker must say who speaks"):
        EvaluationReport.from_estimator(model, list(corpus.data["path"]), corpus.target)
