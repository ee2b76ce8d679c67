"""Reports on predicted values agree with their closed forms, and evaluate makes them of regressors."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVR
from sklearn.utils import Bunch

from sklearn_ser import (
    AddNoise,
    EvaluationReport,
    HandcraftedFeatures,
    LeaveOneCorpusOut,
    ValueReport,
    ccc_score,
    compare,
    evaluate,
)

RNG = np.random.default_rng(0)
SPEAKER = np.repeat(list("abcdef"), 20)
SEX = np.where(SPEAKER < "d", "female", "male")
Y = pd.DataFrame(RNG.normal(size=(120, 2)), columns=["arousal", "valence"])
X = np.column_stack([Y.to_numpy() + RNG.normal(size=(120, 2)) / 2, RNG.normal(size=(120, 3))])


WITHOUT = Y.copy()
WITHOUT.iloc[3, 1] = np.nan


@pytest.fixture(scope="module")
def report():
    return evaluate(Ridge(), X, Y, speaker=SPEAKER, sex=SEX, leakage=True)


def test_evaluate_pools_what_cross_val_predict_predicts(report):
    expected = cross_val_predict(Ridge(), X, Y, groups=SPEAKER, cv=LeaveOneGroupOut())
    np.testing.assert_allclose(report.y_pred, expected)
    assert isinstance(report, ValueReport) and report.dimensions == ["arousal", "valence"]
    np.testing.assert_allclose(report.ccc, ccc_score(Y, expected, multioutput="raw_values"))
    assert report.ccc.index.tolist() == ["arousal", "valence"]


@pytest.mark.parametrize("dimension", [0, 1])
def test_figures_are_those_of_scipy_and_scikit_learn(report, dimension):
    y, y_pred = report.y_true[:, dimension], report.y_pred[:, dimension]
    expected = {
        "CCC": ccc_score(y, y_pred),
        "Pearson": pearsonr(y, y_pred).statistic,
        "Spearman": spearmanr(y, y_pred).statistic,
        "RMSE": root_mean_squared_error(y, y_pred),
        "MAE": mean_absolute_error(y, y_pred),
        "mean error": np.mean(y_pred - y),
    }
    frame = report.to_frame()
    for name, value in expected.items():
        row = frame.loc[name, "all", report.dimensions[dimension]]
        assert row["value"] == pytest.approx(value)
        assert row["low"] < row["value"] < row["high"] and row["n_clips"] == 120 and row["n_speakers"] == 6
    for parts, values in (("speaker", SPEAKER), ("sex", SEX)):
        for of in np.unique(values):
            rows = values == of
            found = frame.loc[f"CCC by {parts}", of, report.dimensions[dimension]]
            assert found["value"] == pytest.approx(ccc_score(y[rows], y_pred[rows]))
            found = frame.loc[f"mean error by {parts}", of, report.dimensions[dimension]]
            assert found["value"] == pytest.approx(np.mean(y_pred[rows] - y[rows]))


def test_a_sex_that_is_heard_as_higher_shows(report):
    y = Y["arousal"]
    noise = RNG.normal(size=120) / 10
    frame = ValueReport(y, y + noise + (SEX == "female"), speaker=SPEAKER, sex=SEX).to_frame()
    gap = frame.loc["mean error gap by sex", "female - male", "arousal"]
    assert gap["value"] == pytest.approx(1, abs=0.1) and gap["low"] > 0.5


@pytest.mark.processes
def test_intervals_cover_in_simulated_corpora():
    rng, covered = np.random.default_rng(1), 0
    for _ in range(120):
        speaker, bias = np.repeat(np.arange(10), 20), np.repeat(rng.normal(size=10) / 2, 20)
        y = rng.normal(size=200)
        row = ValueReport(y, y + bias + rng.normal(size=200) / 2, speaker=speaker, n_boot=300).to_frame()
        row = row.loc["CCC", "all", "value"]
        covered += row["low"] < 2 / (1 + 1.5) < row["high"]  # of many speakers: 2 var / (var + var + 1/4 + 1/4)
    assert 0.88 <= covered / 120 <= 1


def test_conditions_corpora_and_languages_are_scored():
    corpus, language = np.repeat(["one", "two"], 60), np.repeat(["de", "pl"], 60)
    good, bad = Y + 0.1, Y * 0
    parts = dict(corpus=corpus, language=language)
    report = ValueReport(Y, good, speaker=SPEAKER, y_pred_conditions={"noise": bad}, **parts)
    frame = report.to_frame()
    assert frame.loc["CCC by condition", "noise", "valence"]["value"] == pytest.approx(0)
    loss = frame.loc["loss by condition", "noise", "valence"]
    assert loss["value"] == pytest.approx(report.ccc["valence"])
    assert set(frame.loc["CCC by language"].index.get_level_values("of")) == {"de", "pl"}
    assert set(frame.loc["RMSE by corpus"].index.get_level_values("of")) == {"one", "two"}
    text = str(report)
    assert "Each language" in text and "CCC under each condition" in text
    assert "noise, valence" in report.summary_text(width=None)


def test_classes_are_scored_by_language_too():
    language = np.repeat(["de", "pl"], 60)
    y = np.tile(["anger", "fear"], 60)
    y_pred = np.where(language == "de", y, "anger")
    table = pd.DataFrame({"speaker": SPEAKER, "language": language, "corpus": np.repeat(["one", "two"], 60)})
    report = EvaluationReport(y, y_pred, speaker=SPEAKER, language=language)
    assert report.to_frame().loc["UAR by language", "value"].to_dict() == {"de": 1.0, "pl": 0.5}
    assert "UAR of each language" in str(report) and "By language, it is" in report.summary_text(width=None)

    from sklearn.dummy import DummyClassifier

    found = evaluate(DummyClassifier(), table, y, cv=LeaveOneCorpusOut()).to_frame()
    assert found.loc["UAR by language"].index.tolist() == ["de", "pl"]
    assert found.loc["UAR by corpus"].index.tolist() == ["one", "two"]


def test_regressors_of_audio_are_evaluated_under_conditions():
    rng = np.random.default_rng(0)
    level = rng.uniform(0.01, 0.5, 24)
    clips = [a * rng.normal(size=3000).clip(-1.9, 1.9) / 2 for a in level]
    corpus = Bunch(data=clips, values=pd.DataFrame({"arousal": level}), speaker=np.repeat(list("abcd"), 6))
    features = HandcraftedFeatures(feature_set="bledea170", normalize=None)
    for regressor in (Ridge(), MultiOutputRegressor(SVR())):
        report = evaluate(make_pipeline(features, regressor), corpus, conditions={"noise": AddNoise(snr=20)}, cv=2)
        assert report.dimensions == ["arousal"] and set(report.y_pred_conditions) == {"noise"}


def test_two_regressors_are_compared_with_speakers_as_units(report):
    other = evaluate(Ridge(1e3), X, Y, speaker=SPEAKER)
    comparison = compare(report, other)
    frame = comparison.to_frame()
    assert frame.index.tolist() == ["CCC, arousal", "CCC, valence"]
    assert (frame["p_value"] == 2 / 2**6).all() and (frame["low"] > 0).all()
    assert "A is better" in str(comparison) and "negative RMSE of each speaker" in comparison._repr_html_()
    assert compare(report, report).to_frame()["p_value"].tolist() == [1, 1]
    with pytest.raises(ValueError, match="Both reports must be of the same values"):
        compare(report, evaluate(Ridge(), X, Y + 1, speaker=SPEAKER))
    with pytest.raises(TypeError, match="report_b must be an EvaluationReport|report_a must be an EvaluationReport"):
        compare(report, EvaluationReport(["a"], ["a"], speaker=["s"]))


def test_constant_predictions_have_a_ccc_of_zero_and_no_correlation():
    report = ValueReport(Y["arousal"], np.zeros(120), speaker=SPEAKER)
    frame = report.to_frame()["value"]
    assert frame["CCC", "all", "arousal"] == pytest.approx(0) and np.isnan(frame["Pearson", "all", "arousal"])
    assert "arousal" in str(report)


def test_a_fitted_regressor_is_reported_on():
    fitted = Ridge().fit(X[:60], Y[:60])
    report = ValueReport.from_estimator(fitted, X[60:], Y[60:], speaker=SPEAKER[60:], sex=SEX[60:])
    np.testing.assert_array_equal(report.y_pred, fitted.predict(X[60:]))
    assert report.dimensions == ["arousal", "valence"] and "fitted before" in str(report)


def test_text_html_and_pickle(report):
    text = str(report)
    assert text.splitlines()[0] == "Ridge" and "Heard as higher" in text and "Leakage" in text
    assert "Each speaker, worst first" in report._repr_html_()
    summary = report.summary_text(corpus="Twelve clips", width=None)
    assert "Results. arousal: CCC 0." in summary and summary.startswith("Data. Twelve clips: 120 clips by 6 speakers")
    assert str(pickle.loads(pickle.dumps(report))) == text


def test_values_are_drawn_with_the_line_of_identity(report, plt):
    displays = report.plot()
    assert [display.ax_.get_title()[:7] for display in displays] == ["arousal", "valence"]
    assert len(displays[0].ax_.collections[0].get_offsets()) == 120
    x, y = displays[0].line_.get_data()
    np.testing.assert_allclose(x, y)


def test_one_dimension_and_one_speaker():
    y = Y["arousal"]
    report = ValueReport(y, y + 1, speaker=["a"] * 120)
    assert report.dimensions == ["arousal"] and "no intervals" in str(report)
    assert np.isnan(report.to_frame().loc["CCC", "all", "arousal"]["low"])
    assert ValueReport(y.to_numpy(), y, speaker=SPEAKER).dimensions == ["value"]
    assert ValueReport(Y.to_numpy(), Y, speaker=SPEAKER).dimensions == ["value 1", "value 2"]


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(y_pred=Y["arousal"]), r"y_pred must have the shape of y_true, \(120, 2\). Got the shape \(120, 1\)"),
        (dict(dimensions=["arousal"]), "dimensions must name each of the 2 columns"),
        (dict(speaker=[None] * 120), "speaker lacks a value in row 0"),
        (dict(y_true=WITHOUT), "y_true contains NaN"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ValueReport(**{"y_true": Y, "y_pred": Y, "speaker": SPEAKER, **change})


def test_a_missing_value_and_a_corpus_without_values_are_named():
    with pytest.raises(ValueError, match="y lacks a value in row 3"):
        evaluate(Ridge(), X, WITHOUT, speaker=SPEAKER)
    with pytest.raises(ValueError, match="a Bunch with data and values"):
        evaluate(Ridge(), Bunch(data=X, target=SPEAKER, speaker=SPEAKER))
