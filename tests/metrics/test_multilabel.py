"""Several labels a clip are scored by F1, as scikit-learn has it, with intervals over speakers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.multioutput import MultiOutputClassifier

from sklearn_ser import MultilabelReport, evaluate

RNG = np.random.default_rng(0)
SPEAKER = np.repeat(list("abcdef"), 20)
SEX = np.where(SPEAKER < "d", "female", "male")
X = RNG.normal(size=(120, 3))
Y = pd.DataFrame((X + RNG.normal(size=(120, 3)) / 2 > 0.3).astype(int), columns=["anger", "fear", "joy"])


@pytest.mark.parametrize("form", [pd.DataFrame, np.asarray])
def test_evaluate_scores_what_cross_val_predict_predicts(form):
    classifier = MultiOutputClassifier(LogisticRegression())
    expected = cross_val_predict(classifier, X, Y.to_numpy(), groups=SPEAKER, cv=LeaveOneGroupOut())
    report = evaluate(classifier, X, form(Y), speaker=SPEAKER, sex=SEX, leakage=True)
    assert isinstance(report, MultilabelReport)
    assert report.labels == (list(Y) if form is pd.DataFrame else ["0", "1", "2"])
    frame = report.to_frame()
    assert report.macro_f1 == pytest.approx(f1_score(Y, expected, average="macro"))
    assert frame.loc[("micro-F1", "all"), "value"] == pytest.approx(f1_score(Y, expected, average="micro"))
    np.testing.assert_allclose(frame.loc["F1", "value"], f1_score(Y, expected, average=None))
    rows = SEX == "male"
    assert frame.loc[("macro-F1 by sex", "male"), "value"] == pytest.approx(
        f1_score(Y[rows], expected[rows], average="macro")
    )
    row = frame.loc[("macro-F1", "all")]
    assert row["low"] < row["value"] < row["high"] and row["n_speakers"] == 6
    assert {"leakage gap", "macro-F1, random split", "macro-F1 by speaker"} <= set(frame.index.get_level_values(0))
    assert "F1 of each label" in str(report) and "F1 of each label" in report._repr_html_()


def test_conditions_show_what_is_lost():
    report = MultilabelReport(Y, Y, speaker=SPEAKER, y_pred_conditions={"noise": 0 * Y})
    frame = report.to_frame()["value"]
    assert frame["macro-F1 by condition", "noise"] == 0 and frame["loss by condition", "noise"] == 1


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(y_pred=Y * 2), "y_pred must hold 0 and 1"),
        (dict(y_pred=Y.iloc[:-1]), r"in the shape \(120, 3\). Got the shape \(119, 3\)"),
        (dict(labels=["anger"]), r"y_true must hold 0 and 1, in the shape \(120, 1\)"),
        (dict(speaker=[None] * 120), "speaker lacks a value in row 0"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        MultilabelReport(**{"y_true": Y, "y_pred": Y, "speaker": SPEAKER, **change})
