"""Labels and speakers that are missing, of mixed types or in columns: named, refused or read, never silently wrong."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_ser import (
    CalibratedDiscriminant,
    EvaluationReport,
    RiskCoverageDisplay,
    SelectiveClassifier,
    SpeakerTextKFold,
    StratifiedSpeakerKFold,
    compare,
    evaluate,
    risk_coverage_curve,
)

BASE = np.tile([0, 1, 2], 20)
X = np.random.default_rng(0).normal(size=(60, 3)) + 2 * BASE[:, np.newaxis]
Y, SPEAKER = np.array(["anger", "calm", "fear"])[BASE], np.repeat(list("abcdef"), 10)


def without(values, missing, row=4):
    values = values.astype(object)
    values[row] = missing
    return values


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA], ids=str)
@pytest.mark.parametrize("form", [np.asarray, list, pd.Series, lambda values: pd.DataFrame({"y": values})])
def test_a_missing_label_is_named_by_its_row(missing, form):
    with pytest.raises(ValueError, match="y lacks a value in row 4"):
        evaluate(LogisticRegression(), X, form(without(Y, missing)), speaker=SPEAKER)
    for classifier in (CalibratedDiscriminant(), SelectiveClassifier(LogisticRegression(), speaker=None)):
        with pytest.raises(ValueError, match="y lacks a value in row 4"):
            classifier.fit(X, form(without(Y, missing)))


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA], ids=str)
@pytest.mark.parametrize(
    "call",
    [
        lambda speaker: evaluate(LogisticRegression(), X, Y, speaker=speaker),
        lambda speaker: evaluate(LogisticRegression(), X, Y, speaker=SPEAKER, groups=speaker),
        lambda speaker: EvaluationReport(Y, Y, speaker=speaker),
        lambda speaker: EvaluationReport(Y, speaker, speaker=SPEAKER),
        lambda speaker: SelectiveClassifier(LogisticRegression()).fit(X, Y, groups=speaker),
        lambda speaker: SelectiveClassifier(LogisticRegression()).fit(pd.DataFrame({"speaker": speaker}), Y),
        lambda speaker: CalibratedDiscriminant().fit(X, Y, groups=speaker),
    ],
)
def test_a_missing_speaker_is_named_by_its_row(missing, call):
    with pytest.raises(ValueError, match="(groups|speaker|y_pred|Column 'speaker' of X) lacks a value in row 4"):
        call(without(SPEAKER, missing))


@pytest.mark.parametrize(
    ("true", "predicted"),
    [(BASE, BASE.astype(str)), (BASE > 0, (BASE > 0).astype(str)), (BASE.astype(str), BASE), (Y, BASE)],
    ids=["int, str", "bool, str", "str, int", "names, int"],
)
def test_labels_of_other_types_are_refused(true, predicted):
    with pytest.raises(ValueError, match="y_pred must hold labels of the same type as y_true"):
        EvaluationReport(true, predicted, speaker=SPEAKER)
    with pytest.raises(ValueError, match="y_pred_random must hold labels of the same type"):
        EvaluationReport(true, true, speaker=SPEAKER, y_pred_random=predicted)
    with pytest.raises(ValueError, match="noise must hold labels of the same type"):
        EvaluationReport(true, true, speaker=SPEAKER, y_pred_conditions={"noise": predicted})
    with pytest.raises(ValueError, match="y_pred must hold labels of the same type"):
        risk_coverage_curve(true, predicted, np.ones(60))


def test_bool_and_int_are_both_numbers():
    assert EvaluationReport(BASE > 0, (BASE > 0).astype(int), speaker=SPEAKER).uar == 1


@pytest.mark.parametrize("form", [lambda y: y[:, np.newaxis], lambda y: pd.DataFrame({"emotion": y})])
def test_labels_in_a_column_are_labels(form):
    table = pd.DataFrame({"speaker": SPEAKER, "text": np.tile(["s", "t"], 30)})
    for splitter in (StratifiedSpeakerKFold(3), SpeakerTextKFold(2, 2)):
        expected = [test.tolist() for _, test in splitter.split(table, Y)]
        assert [test.tolist() for _, test in splitter.split(table, form(Y))] == expected
    expected = evaluate(LogisticRegression(), X, Y, speaker=SPEAKER)
    report = evaluate(LogisticRegression(), X, form(Y), speaker=form(SPEAKER))
    np.testing.assert_array_equal(report.y_pred, expected.y_pred)


class Backwards(ClassifierMixin, BaseEstimator):
    """A classifier whose classes are not sorted, as a pretrained network's are."""

    def fit(self, X, y):
        self.inner_ = LogisticRegression().fit(X, y)
        self.classes_ = self.inner_.classes_[::-1]
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)[:, ::-1]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_confidence_is_of_the_predicted_class_whatever_the_order_of_classes():
    sorted_, backwards = (
        SelectiveClassifier(inner).fit(X, Y, groups=SPEAKER) for inner in (LogisticRegression(), Backwards())
    )
    np.testing.assert_allclose(backwards.confidence(X), sorted_.confidence(X))
    assert backwards.threshold_ == pytest.approx(sorted_.threshold_)


def test_the_curve_and_its_point_count_what_novelty_rejects(plt):
    selective = SelectiveClassifier(
        make_pipeline(FunctionTransformer(), LogisticRegression()), coverage=0.9, novelty=True
    ).fit(X, Y, groups=SPEAKER)
    strange = np.vstack([X, X[:20] + 40])  # the classifier is sure of these, and mostly wrong
    y = np.concatenate([Y, Y[:20]])
    display = RiskCoverageDisplay.from_estimator(selective, strange, y)
    answered = ~selective.reject(strange)
    coverage, risk = display.operating_point
    assert coverage == pytest.approx(answered.mean()) and coverage < 0.8
    assert risk == pytest.approx(np.mean(selective.predict(strange)[answered] != y[answered]))
    assert np.any(np.isclose(display.coverage, coverage) & np.isclose(display.risk, risk))


@pytest.mark.parametrize("n_speakers", [2, 3, 6, 8])
def test_an_interval_of_a_difference_has_a_width_where_all_speakers_differ_alike(n_speakers):
    y = np.tile(["anger", "fear"], n_speakers)
    speaker = np.repeat(np.arange(n_speakers), 2)
    row = compare(*(EvaluationReport(y, y_pred, speaker=speaker) for y_pred in (y, ["anger"] * len(y))))
    row = row.to_frame().loc["UAR"]
    assert row["low"] < row["difference"] < row["high"]
    assert (row["low"] > 0) == (row["p_value"] < 0.05)


def test_an_interval_of_a_difference_counts_clips_where_speakers_agree_by_chance():
    y, y_pred = ["anger", "fear"] * 6, ["anger", "fear", "anger", "anger"] * 3
    speaker = np.repeat(list("abc"), 4)
    row = compare(*(EvaluationReport(y, predicted, speaker=speaker) for predicted in (y, y_pred))).to_frame().loc["UAR"]
    assert row["low"] < row["difference"] < row["high"]


def helper(X):
    return X


def test_reports_begin_with_a_short_name_and_titles_hold_no_addresses():
    pipeline = make_pipeline(FunctionTransformer(helper), LogisticRegression(C=3))
    report = evaluate(pipeline, X, Y, speaker=SPEAKER)
    assert str(report).splitlines()[0] == "FunctionTransformer > LogisticRegression"
    assert report.title == "FunctionTransformer(func=helper) > LogisticRegression(C=3)"
    other = evaluate(LogisticRegression(C=0.1), X, Y, speaker=SPEAKER)
    same = evaluate(LogisticRegression(C=9), X, Y, speaker=SPEAKER)
    assert compare(report, other).titles == (report.name, other.name)
    assert compare(other, same).titles == (other.title, same.title)
