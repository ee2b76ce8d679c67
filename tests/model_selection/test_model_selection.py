"""Splits keep apart what they say."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)

from sklearn_ser import (
    LeaveOneCorpusOut,
    SpeakerTextKFold,
    StratifiedSpeakerKFold,
    evaluate,
)
from sklearn_ser.model_selection._split import _share_out

SR = 16000


def table(n_speakers=4, n_texts=3, n_takes=2):
    """Every speaker says every sentence in two emotions; women and men in turn."""
    rows = [
        (f"s{speaker}", "fm"[speaker % 2], f"t{text}", emotion)
        for speaker in range(n_speakers)
        for text in range(n_texts)
        for emotion in ("anger", "calm") * (n_takes // 2)
    ]
    X = pd.DataFrame(rows, columns=["speaker", "sex", "text", "emotion"])
    return X.assign(path=[f"{row}.wav" for row in range(len(X))]), X.pop("emotion").to_numpy()


def folds(cv, X, y=None, groups=None):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(X, y, groups)]


SPLITTERS = [StratifiedSpeakerKFold(2), SpeakerTextKFold(2, 3), LeaveOneCorpusOut("speaker")]


# -------------------------------------------------------------------------------------------------------- all splitters


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_every_clip_is_tested_once_and_never_trained_on_then(cv):
    X, y = table()
    splits = folds(cv, X, y)
    assert sorted(row for _, test in splits for row in test) == list(range(len(X)))
    assert not any(set(train) & set(test) for train, test in splits)
    assert cv.get_n_splits(X, y) == len(splits)
    predicted = cross_val_predict(DummyClassifier(), X, y, cv=cv)
    assert predicted.shape == y.shape


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_columns_come_from_x_or_from_groups(cv):
    X, y = table()
    expected = folds(cv, X, y)
    names = {"LeaveOneCorpusOut": ["speaker"], "StratifiedSpeakerKFold": ["speaker", "sex"]}
    columns = X[names.get(type(cv).__name__, ["speaker", "text"])]
    assert folds(cv, X["path"], y, columns) == expected
    if isinstance(cv, LeaveOneCorpusOut):
        return  # to which groups without names say nothing
    assert folds(cv, np.zeros((len(X), 5)), y, columns.to_numpy()) == expected
    assert folds(cv, X[["path", "sex", "text"]], y, X["speaker"]) == expected  # what groups do not hold


def test_groups_go_before_columns():
    X, y = table()
    assert folds(StratifiedSpeakerKFold(3), X, y, X["text"]) == folds(StratifiedSpeakerKFold(3, speaker="text"), X, y)


def test_speakers_as_groups_are_not_taken_for_corpora():
    """`evaluate` and metadata routing pass speakers to whatever splitter there is."""
    X, y = table(4, 4)
    X["corpus"] = X["speaker"].map({"s0": "A", "s1": "A", "s2": "B", "s3": "B"})
    assert folds(LeaveOneCorpusOut(), X, y, X["speaker"].to_numpy()) == folds(LeaveOneCorpusOut(), X, y)
    report = evaluate(DummyClassifier(), X, y, cv=LeaveOneCorpusOut())
    assert report.protocol.startswith("2 folds of up to 2 speakers")


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_splitters_nest_in_searches_and_are_copied_with_them(cv):
    X, y = table(n_takes=4)
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=cv)
    scores = cross_val_score(clone(search), X, y, cv=StratifiedSpeakerKFold(2), error_score="raise")
    assert scores.shape == (2,) and np.isfinite(scores).all()
    assert folds(pickle.loads(pickle.dumps(cv)), X, y) == folds(cv, X, y)
    assert type(cv).__name__ in repr(cv) and repr(cv) != object.__repr__(cv)


def test_metadata_routing_passes_groups():
    X, y = table()
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(DummyClassifier(), {"strategy": ["prior"]}, cv=SpeakerTextKFold(2, 3))
        search.fit(X["path"].to_frame(), y, groups=X[["speaker", "text"]])
        assert search.n_splits_ == 6
        result = cross_validate(
            DummyClassifier(), X["path"], y, cv=StratifiedSpeakerKFold(2), params={"groups": X["speaker"]}
        )
        assert len(result["test_score"]) == 2


@pytest.mark.parametrize(
    ("cv", "X", "groups", "message"),
    [
        (SpeakerTextKFold(2), table()[0].drop(columns="text"), None, "text='text' names no column. X is a DataFrame"),
        (
            StratifiedSpeakerKFold(2),
            ["a.wav"] * 4,
            None,
            "speaker='speaker' names no column. X is of type list, groups is None:",
        ),
        (
            LeaveOneCorpusOut(),
            pd.DataFrame({"path": ["a.wav"] * 4, "corpus": "EMO-DB"}),
            None,
            r"at least two corpora to leave one out. Got \['EMO-DB'\]",
        ),
        (
            LeaveOneCorpusOut(),
            ["a.wav"] * 4,
            ["EMO-DB", "TESS"] * 2,
            "corpus='corpus' names no column. X is of type list: .* or the corpora as groups of LeaveOneGroupOut",
        ),
        (
            SpeakerTextKFold(2),
            ["a.wav"] * 4,
            np.zeros((4, 3)),
            r"groups must hold speaker and text: .*Got an array of shape \(4, 3\)",
        ),
        (
            StratifiedSpeakerKFold(2),
            ["a.wav"] * 4,
            ["x"] * 4,
            r"'speaker' must have at least two different values. Got \['x'\] only",
        ),
        (StratifiedSpeakerKFold(5), table()[0], None, "5 folds of the column 'speaker', which has 4 different"),
        (SpeakerTextKFold(2, 4), table()[0], None, "4 folds of the column 'text', which has 3 different"),
        (
            StratifiedSpeakerKFold(2),
            ["a.wav"] * 3,
            ["x", None, "y"],
            "Every clip needs a speaker. That of row 1 is missing",
        ),
        (StratifiedSpeakerKFold(2), ["a.wav"] * 3, ["x", "y"], "inconsistent numbers of samples"),
    ],
)
def test_what_cannot_be_split_is_refused(cv, X, groups, message):
    with pytest.raises(ValueError, match=message):
        list(cv.split(X, None, groups))


@pytest.mark.parametrize("make", [StratifiedSpeakerKFold, SpeakerTextKFold])
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="splits == 1, must be >= 2"):
        make(1)
    with pytest.raises(ValueError, match="random_state has no effect without shuffle=True. Got random_state=0"):
        make(2, random_state=0)


# -------------------------------------------------------------------------------------------------------- each splitter


def test_speakers_and_sentences_of_the_test_clips_are_unknown_from_training(emodb):
    cv = SpeakerTextKFold(5, 2)
    speakers, texts = emodb.data["speaker"].to_numpy(), emodb.data["text"].to_numpy()
    splits = list(cv.split(emodb.data, emodb.target))
    assert len(splits) == cv.get_n_splits() == 10
    for train, test in splits:
        assert not set(speakers[train]) & set(speakers[test]) and not set(texts[train]) & set(texts[test])
        assert len(set(emodb.target[train])) == 7
        kept = ~np.isin(speakers, speakers[test]) & ~np.isin(texts, texts[test])
        assert len(train) == kept.sum()  # and nothing else is left out


def test_folds_without_test_clips_are_none():
    X = pd.DataFrame({"speaker": list("aabbccdd"), "text": list("ssttssuu")})
    cv = SpeakerTextKFold(4, 3)
    splits = folds(cv, X)
    assert len(splits) == cv.get_n_splits(X) == 4 < cv.get_n_splits()
    assert all(train and test for train, test in splits)


def test_a_fold_without_training_clips_is_an_error():
    X = pd.DataFrame({"speaker": list("abb"), "text": list("sst")})
    with pytest.raises(
        ValueError, match=r"No clip is left to train on: .*speakers than \['b'\] say .*sentences \['s'\]"
    ):
        folds(SpeakerTextKFold(2, 2), X)


@pytest.mark.parametrize("n_splits", [2, 3, 4, 5])
def test_folds_of_few_speakers_are_more_alike_than_scikit_learn_s(emodb, n_splits):
    def spread(cv):
        fractions = [
            pd.Series(emodb.target[test]).value_counts() / pd.Series(emodb.target).value_counts()
            for _, test in cv.split(emodb.data, emodb.target, emodb.speaker)
        ]
        return np.mean(np.std([fraction.fillna(0) for fraction in fractions], axis=0))

    ours = StratifiedSpeakerKFold(n_splits)
    assert spread(ours) < min(spread(StratifiedGroupKFold(n_splits)), spread(GroupKFold(n_splits)))
    for train, test in ours.split(emodb.data, emodb.target):
        people = emodb.data.iloc[test].drop_duplicates("speaker")["sex"].value_counts()
        assert abs(people["female"] - people["male"]) <= 1
        assert not set(emodb.speaker[train]) & set(emodb.speaker[test])


@pytest.mark.parametrize("n_speakers", [2, 3, 10])
def test_as_many_folds_as_speakers_leave_none_empty(n_speakers):
    X, y = table(n_speakers)
    tested = [X["speaker"][test].unique().tolist() for _, test in folds(StratifiedSpeakerKFold(n_speakers), X, y)]
    assert sorted(tested) == [[f"s{speaker}"] for speaker in range(n_speakers)]


def test_sexes_need_not_be_known_nor_labels_given():
    X, y = table()
    for columns in (X.drop(columns="sex"), X.assign(sex=None), X.assign(sex=X["sex"].where(X["speaker"] != "s0"))):
        for labels in (y, None):
            assert [len(test) for _, test in folds(StratifiedSpeakerKFold(2), columns, labels)] == [12, 12]
    women = [set(X["sex"][test]) for _, test in folds(StratifiedSpeakerKFold(2), X)]
    assert women == [{"f", "m"}] * 2


def test_speakers_are_shared_out_as_well_as_trying_everything(emodb):
    """Ten speakers in two folds: 511 ways."""
    units = pd.crosstab(emodb.speaker, emodb.target, normalize="columns").to_numpy()

    def cost(fold):
        return sum(np.sum(units[fold == number].sum(axis=0) ** 2) for number in range(2))

    best = min(cost(np.array([0, *(way >> bit & 1 for bit in range(9))])) for way in range(1, 512))
    found = [cost(_share_out(units, 2, seed)) for seed in (None, *range(10))]
    assert min(found) == pytest.approx(best, rel=1e-9)
    assert max(found) < best * 1.01


def test_chance_leads_to_other_folds_and_the_same_chance_to_the_same():
    speakers = np.random.default_rng(0).integers(0, 24, 500)

    def parts(seed):
        cv = StratifiedSpeakerKFold(6, shuffle=True, random_state=seed)
        return {frozenset(test) for _, test in folds(cv, np.zeros(500), None, speakers)}

    assert parts(0) == parts(0)
    assert len({frozenset(parts(seed)) for seed in range(5)}) > 1


def test_thousands_of_sentences_are_dealt_in_no_time():
    X = pd.DataFrame({"speaker": np.repeat(list("abcd"), 1500), "text": [f"t{row}" for row in range(6000)]})
    sizes = [len(test) for _, test in folds(SpeakerTextKFold(2, 2), X)]
    assert max(sizes) - min(sizes) <= 2 and sum(sizes) == 6000
