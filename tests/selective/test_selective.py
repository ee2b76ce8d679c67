"""Who is not sure says so, on speakers that nobody has heard; and what that buys."""

import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut, cross_validate
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    HandcraftedFeatures,
    RiskCoverageDisplay,
    SelectiveClassifier,
    SpeakerNormalizer,
    risk_coverage_curve,
)
from sklearn_ser.selective._risk_control import risk_bound


class Told(ClassifierMixin, BaseEstimator):
    """Predicts "b" with the confidence that stands in the first column."""

    def fit(self, X, y, sample_weight=None):
        self.classes_, self.rows_, self.weight_ = np.array(["a", "b"]), X[:, -1], sample_weight
        return self

    def predict(self, X):
        return np.full(len(X), "b")

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def told(confidence):
    """Clips for `Told`: confidence, and the row's number."""
    return np.column_stack([confidence, np.arange(len(confidence))])


@pytest.fixture
def blobs():
    """Three emotions that overlap, of twelve speakers with twenty clips each."""
    rng = np.random.default_rng(0)
    speakers, y = np.repeat(np.arange(12), 20), np.tile(["anger", "calm", "fear", "anger"], 60)
    centre = {"anger": (0, 0), "calm": (2, 0), "fear": (0, 2)}
    return np.array([centre[label] for label in y]) + rng.normal(size=(240, 2)) * 0.9, y, speakers


# ------------------------------------------------------------------------------------------------------------ the curve


def test_the_curve_counts_errors_among_the_surest():
    rng = np.random.default_rng(0)
    right, confidence = rng.random(50) < 0.7, rng.integers(0, 20, 50) / 20  # with ties
    coverage, risk, thresholds = risk_coverage_curve(np.ones(50, bool), right, confidence)
    np.testing.assert_array_equal(thresholds, np.unique(confidence)[::-1])
    for fraction, error, threshold in zip(coverage, risk, thresholds, strict=True):
        answered = confidence >= threshold
        assert fraction == pytest.approx(answered.mean()) and error == pytest.approx(1 - right[answered].mean())
    assert coverage[-1] == 1 and risk[-1] == pytest.approx(1 - right.mean())


def test_the_curve_is_of_ranks_alone():
    rng = np.random.default_rng(1)
    y, labels, confidence = rng.choice(["a", "b"], 30), rng.choice(["a", "b"], 30), rng.normal(size=30)
    order = rng.permutation(30)
    one, other = (
        risk_coverage_curve(y, labels, confidence),
        risk_coverage_curve(y[order], labels[order], np.exp(3 * confidence[order]) + 7),
    )
    np.testing.assert_allclose(one[:2], other[:2])


def test_the_curve_refuses_what_it_cannot_rank():
    with pytest.raises(ValueError, match="confidence must hold a number for each clip"):
        risk_coverage_curve(["a", "b"], ["a", "b"], [0.5, np.nan])
    with pytest.raises(ValueError, match="confidence must hold a number for each clip"):
        risk_coverage_curve([], [], [])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        risk_coverage_curve(["a", "b"], ["a"], [0.5, 0.1])


# ------------------------------------------------------------------------------------------------------------- coverage


@pytest.mark.parametrize("coverage, n_rejected", [(1.0, 0), (0.9, 2), (0.75, 5), (0.5, 10), (0.05, 19)])
def test_the_threshold_is_the_split_conformal_quantile(coverage, n_rejected):
    confidence = np.random.default_rng(0).permutation(20) / 20
    classifier = SelectiveClassifier(Told(), coverage=coverage, speaker=None).fit(told(confidence), ["a", "b"] * 10)
    assert n_rejected == int(21 * (1 - coverage) + 1e-9)
    expected = -np.inf if n_rejected == 0 else (n_rejected - 1) / 20
    assert classifier.threshold_ == expected
    assert classifier.coverage_ == pytest.approx((20 - max(0, n_rejected - 1)) / 20)
    assert np.isnan(classifier.risk_bound_)


def test_a_new_clip_is_answered_at_least_as_often_as_promised():
    rng, answered = np.random.default_rng(0), []
    for _ in range(300):
        classifier = SelectiveClassifier(FrozenEstimator(Told().fit(told([1]), None)), coverage=0.7, speaker=None)
        classifier.fit(told(rng.normal(size=9)), ["b"] * 9)
        answered.append(1 - classifier.reject(told(rng.normal(size=100))).mean())
    assert 0.69 < np.mean(answered) < 0.72  # exactly 0.7: 3 of 10 ranks are below the threshold


def test_without_a_wish_four_of_five_are_answered(blobs):
    X, y, speakers = blobs
    default, explicit = (
        SelectiveClassifier(LogisticRegression(), coverage=c).fit(X, y, groups=speakers) for c in (None, 0.8)
    )
    assert default.threshold_ == explicit.threshold_ and default.coverage_ == pytest.approx(0.8, abs=0.01)


def test_rejection_takes_the_unsure_and_leaves_fewer_errors(blobs):
    X, y, speakers = blobs
    train = speakers < 8
    for estimator in (LogisticRegression(), SVC(), RidgeClassifier()):
        classifier = SelectiveClassifier(estimator, coverage=0.6).fit(X[train], y[train], groups=speakers[train])
        labels, rejected = classifier.predict(X[~train]), classifier.reject(X[~train])
        plain = classifier.estimator_.predict(X[~train])
        np.testing.assert_array_equal(labels == "unknown", rejected)
        np.testing.assert_array_equal(labels[~rejected], plain[~rejected])
        assert 0.4 < 1 - rejected.mean() < 0.8
        assert accuracy_score(y[~train][~rejected], labels[~rejected]) > accuracy_score(y[~train], plain) + 0.03
        confidence = classifier.confidence(X[~train])
        assert confidence[~rejected].min() >= classifier.threshold_ > confidence[rejected].max()
        assert classifier.score(X[~train], y[~train]) == np.mean(labels == y[~train])  # a rejection is no right answer


def test_confidence_is_that_of_the_predicted_class(blobs):
    X, y, speakers = blobs
    proba = SelectiveClassifier(LogisticRegression()).fit(X, y, groups=speakers)
    np.testing.assert_allclose(proba.confidence(X), proba.predict_proba(X).max(axis=1))
    margin = clone(proba).set_params(response_method="decision_function").fit(X, y, groups=speakers)
    values = np.sort(margin.decision_function(X), axis=1)
    np.testing.assert_allclose(margin.confidence(X), values[:, 2] - values[:, 1])
    two = y != "fear"
    binary = clone(margin).fit(X[two], y[two], groups=speakers[two])
    np.testing.assert_allclose(binary.confidence(X), np.abs(binary.decision_function(X)))
    contradicted = Told().fit(told([0.5]), None)
    assert SelectiveClassifier(FrozenEstimator(contradicted), speaker=None).fit(
        told([0.2, 0.9]), ["b", "b"]
    ).confidence(told([0.2])) == pytest.approx(0.2)


# -------------------------------------------------------------------------------------------------- speakers stay apart


def test_no_speaker_is_predicted_by_who_heard_that_speaker(monkeypatch):
    X, speakers = told(np.linspace(0, 1, 24)), np.repeat(list("wxyz"), 6)
    seen, predict = [], Told.predict_proba

    def recorded(self, X):
        seen.append((self.rows_.astype(int), X[:, -1].astype(int)))
        return predict(self, X)

    monkeypatch.setattr(Told, "predict_proba", recorded)
    for fit in (
        lambda: SelectiveClassifier(Told()).fit(X, ["a", "b"] * 12, groups=speakers),
        lambda: SelectiveClassifier(Told(), cv=GroupKFold(2)).fit(X, ["a", "b"] * 12, groups=speakers),
        lambda: SelectiveClassifier(Told(), cv=LeaveOneGroupOut()).fit(X, ["a", "b"] * 12, groups=speakers),
    ):
        seen.clear()
        fit()
        assert all(not set(speakers[trained]) & set(speakers[tested]) for trained, tested in seen)
        assert sorted(np.concatenate([tested for _, tested in seen])) == list(range(24))


class Table(Told):
    """`Told`, of a DataFrame."""

    def fit(self, X, y):
        return super().fit(X[["confidence"]].to_numpy(), y)

    def predict_proba(self, X):
        return super().predict_proba(X[["confidence"]].to_numpy())


def test_speakers_are_found_in_the_table(blobs):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"confidence": rng.random(240), "speaker": list("wxyz") * 60})
    y = ["a"] * 20 + ["b"] * 220
    by_column = SelectiveClassifier(Table(), risk=0.6).fit(X, y)
    by_groups = SelectiveClassifier(Table(), risk=0.6).fit(X.drop(columns="speaker"), y, groups=X["speaker"])
    assert by_column.risk_bound_ == by_groups.risk_bound_
    independent = SelectiveClassifier(Table(), risk=0.6, speaker=None).fit(X, y)
    assert independent.risk_bound_ != by_column.risk_bound_


def test_a_frozen_estimator_is_calibrated_only(blobs):
    X, y, speakers = blobs
    train, rest = speakers < 6, speakers >= 6
    fitted = LogisticRegression().fit(X[train], y[train])
    classifier = SelectiveClassifier(FrozenEstimator(fitted), coverage=0.5).fit(X[rest], y[rest], groups=speakers[rest])
    np.testing.assert_array_equal(classifier.predict_proba(X), fitted.predict_proba(X))
    assert classifier.coverage_ == pytest.approx(1 - classifier.reject(X[rest]).mean())
    one = SelectiveClassifier(FrozenEstimator(fitted), coverage=0.5).fit(X[:20], y[:20], groups=speakers[:20])
    assert one.coverage_ == pytest.approx(0.55)


# ----------------------------------------------------------------------------------------------------------------- risk


@pytest.mark.parametrize("n, errors", [(30, 0), (100, 7), (400, 40)])
def test_the_bound_of_independent_clips_is_exact(n, errors):
    from scipy.stats import binom

    bound = risk_bound(np.arange(n) < errors, None, 0.95)
    assert binom.cdf(errors, n, bound) == pytest.approx(0.05)
    assert risk_bound(np.ones(n, bool), None, 0.95) == 1.0 and risk_bound(np.ones(0, bool), None, 0.95) == 1.0


def test_the_bound_knows_that_clips_of_a_speaker_are_alike():
    errors = np.arange(200) % 10 == 0
    independent = risk_bound(errors, None, 0.9)
    spread = risk_bound(errors, np.repeat(np.arange(20), 10), 0.9)  # one error a speaker: no more than chance
    single = risk_bound(errors, np.where(errors, 0, 1 + np.arange(200) % 19), 0.9)  # all errors are one speaker's
    assert independent < spread < 0.9 * single
    # As many speakers as clips are independent clips.
    assert risk_bound(errors, np.arange(200), 0.9) == pytest.approx(independent, rel=1e-3)
    assert risk_bound(errors, np.zeros(200, int), 0.9) == 1.0


def test_the_largest_coverage_that_keeps_the_risk_is_taken():
    n = 2000
    confidence = np.random.default_rng(0).permutation(n) / n
    y = np.where(np.random.default_rng(1).random(n) < confidence, "b", "a")  # an error with probability 1 - confidence
    classifier = SelectiveClassifier(Told(), risk=0.3, speaker=None).fit(told(confidence), y)
    assert classifier.coverage_ == pytest.approx(0.5)  # where the true risk, half the coverage, is 0.25
    assert classifier.risk_ < classifier.risk_bound_ <= 0.3
    looser = clone(classifier).set_params(confidence_level=0.5, risk=0.35).fit(told(confidence), y)
    assert looser.coverage_ == pytest.approx(0.65)
    np.testing.assert_array_equal(classifier.reject(told(confidence)), confidence < classifier.threshold_)


def test_what_cannot_be_promised_is_not():
    with pytest.warns(UserWarning, match=r"All clips will be rejected: no coverage was shown to keep a risk of 0\.01"):
        classifier = SelectiveClassifier(Told(), risk=0.01, speaker=None).fit(
            told(np.linspace(0, 1, 40)), ["a", "b"] * 20
        )
    assert set(classifier.predict(told([0.1, 1.0]))) == {"unknown"}
    assert classifier.coverage_ == 0 and np.isnan(classifier.risk_) and classifier.risk_bound_ > 0.01


@pytest.mark.parametrize("n_speakers, n_clips, spread", [(300, 1, 0.0), (12, 40, 1.0)], ids=["independent", "speakers"])
def test_the_promise_is_kept_on_simulated_corpora(n_speakers, n_clips, spread):
    def draw(rng, n_speakers):
        confidence = rng.random((n_speakers, n_clips))
        log_odds = 5 * confidence - 0.5 + spread * rng.normal(size=(n_speakers, 1))
        return confidence.ravel(), (rng.random(confidence.shape) < 1 / (1 + np.exp(-log_odds))).ravel()

    population, right = draw(np.random.default_rng(0), 20_000)
    broken, answered = 0, 0.0
    for seed in range(100):
        confidence, correct = draw(np.random.default_rng(seed + 1), n_speakers)
        classifier = SelectiveClassifier(FrozenEstimator(Told().fit(told([1]), None)), risk=0.2)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All clips will be rejected")
            y, speakers = np.where(correct, "b", "a"), np.repeat(np.arange(n_speakers), n_clips)
            classifier.fit(told(confidence), y, groups=speakers)
        sure = population >= classifier.threshold_
        answered += sure.mean() / 100
        broken += sure.any() and 1 - right[sure].mean() > 0.2
    assert broken <= 15 and answered > 0.6  # 10 are allowed on average; a standard error is 3


# ---------------------------------------------------------------------------------------------------- labels and errors


@pytest.mark.parametrize(
    "labels, given, expected",
    [
        (["a", "b"], None, "unknown"),
        ([0, 1], None, -1),
        ([-1, 1], None, -2),
        (["a", "b"], "no idea", "no idea"),
        ([1, 2], 0, 0),
    ],
)
def test_what_a_rejection_is_called(labels, given, expected):
    X = np.linspace(-1, 1, 40)[:, np.newaxis]
    y = np.asarray(labels)[(X[:, 0] > 0).astype(int)]
    classifier = SelectiveClassifier(LogisticRegression(), coverage=0.5, reject_label=given, speaker=None).fit(X, y)
    predicted = classifier.predict(X)
    assert set(predicted.tolist()) == {*labels, expected} and classifier.reject_label_ == expected
    assert predicted.dtype.kind == y.dtype.kind and list(classifier.classes_) == labels


def test_what_is_wrong_is_said(blobs):
    X, y, speakers = blobs
    with pytest.raises(ValueError, match=r"coverage or risk, not both.*coverage=0\.5 and risk=0\.1"):
        SelectiveClassifier(SVC(), coverage=0.5, risk=0.1).fit(X, y, groups=speakers)
    with pytest.raises(ValueError, match="Nothing tells who speaks: pass groups to fit.*speaker=None takes clips"):
        SelectiveClassifier(SVC()).fit(X, y)
    with pytest.raises(ValueError, match="There must be two speakers at least"):
        SelectiveClassifier(SVC()).fit(X, y, groups=np.zeros(240))
    for label in ("fear", 0):
        with pytest.raises(ValueError, match="reject_label must be a string where labels are.*Got"):
            SelectiveClassifier(SVC(), reject_label=label).fit(X, y, groups=speakers)
    with pytest.raises(ValueError, match="RidgeClassifier has none of predict_proba"):
        SelectiveClassifier(RidgeClassifier(), response_method="predict_proba").fit(X, y, groups=speakers)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SelectiveClassifier(SVC()).fit(X, y, groups=speakers[:-1])
    with pytest.raises(AttributeError, match="predict_proba"):
        SelectiveClassifier(RidgeClassifier()).fit(X, y, groups=speakers).predict_proba(X)


# ------------------------------------------------------------------------------------------- among scikit-learn's tools


def test_groups_and_weights_are_routed(blobs):
    X, y, speakers = blobs
    with sklearn.config_context(enable_metadata_routing=True):
        final = Told().set_fit_request(sample_weight=True)
        classifier = SelectiveClassifier(make_pipeline(final)).set_fit_request(groups=True)
        classifier.set_score_request(sample_weight=False)
        y2 = np.where(y == "calm", "a", "b")
        found = cross_validate(
            classifier,
            told(X[:, 0] / 10 + 0.5),
            y2,
            params={"groups": speakers, "sample_weight": np.arange(240.0)},
            cv=GroupKFold(3),
            return_estimator=True,
            return_indices=True,
        )
        for fitted, train in zip(found["estimator"], found["indices"]["train"], strict=True):
            np.testing.assert_array_equal(fitted.estimator_[0].weight_, train)
    fitted = SelectiveClassifier(Told()).fit(told(X[:, 0]), y2, groups=speakers, sample_weight=np.arange(240.0))
    np.testing.assert_array_equal(fitted.estimator_.weight_, np.arange(240.0))


@pytest.mark.processes
def test_it_is_searched_cloned_and_saved(emodb, tmp_path):
    rows = np.flatnonzero(
        np.isin(emodb.target, ["anger", "sadness"]) & np.isin(emodb.speaker, ["03", "08", "10", "13"])
    )[::2]
    X, y = emodb.data.iloc[rows], np.asarray(emodb.target)[rows]
    pipeline = make_pipeline(SpeakerNormalizer(HandcraftedFeatures(feature_set="bledea170")), StandardScaler(), SVC())
    classifier = SelectiveClassifier(pipeline, coverage=0.7, cv=2)
    grid = {"estimator__speakernormalizer__transformer__normalize": ["rms", None], "coverage": [0.7, 1.0]}
    search = GridSearchCV(classifier, grid, cv=GroupKFold(2), error_score="raise").fit(X, y, groups=X["speaker"])
    assert search.best_params_["coverage"] == 1.0 and search.best_score_ > 0.8
    fitted = clone(classifier).fit(X, y)
    assert "SpeakerNormalizer" in fitted._repr_html_()
    joblib.dump((fitted, X), tmp_path / "fitted.joblib")
    script = "import joblib, sys; classifier, X = joblib.load(sys.argv[1]); print(*classifier.predict(X))"
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "fitted.joblib")], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == fitted.predict(X).tolist()


# -------------------------------------------------------------------------------------------------------------- display


def test_the_display_draws_the_curve_and_where_the_classifier_works(blobs, plt):
    X, y, speakers = blobs
    train = speakers < 8
    classifier = SelectiveClassifier(make_pipeline(StandardScaler(), SVC()), coverage=0.6)
    classifier.fit(X[train], y[train], groups=speakers[train])
    display = RiskCoverageDisplay.from_estimator(classifier, X[~train], y[~train], groups=speakers[~train])
    labels = classifier.estimator_.predict(X[~train])
    coverage, risk, _ = risk_coverage_curve(y[~train], labels, classifier.confidence(X[~train]))
    np.testing.assert_allclose(display.line_.get_xydata() / 100, np.column_stack([coverage, risk]))
    answered = ~classifier.reject(X[~train])
    expected = answered.mean(), np.mean(labels[answered] != y[~train][answered])
    np.testing.assert_allclose(display.operating_point, expected)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[0] == "SVC" and "draws of speakers" in texts[1] and texts[2] == "coverage asked for: 60%"
    assert f"answers {100 * expected[0]:.0f} %" in texts[3]
    (asked,) = [line for line in display.ax_.lines if line.get_label() == texts[2]]
    np.testing.assert_allclose(asked.get_xdata(), 60)
    low, high = display.band
    inner = np.interp(np.linspace(0, 1, 101), coverage, risk)[50:]
    assert (low <= high).all() and np.mean((low[50:] <= inner) & (inner <= high[50:])) > 0.9


def test_curves_share_an_axis_that_holds_them_all(plt):
    _, ax = plt.subplots()
    y, sure = ["a"] * 40, np.arange(40)
    good = RiskCoverageDisplay.from_predictions(y, ["a"] * 39 + ["b"], -sure, name="good", ax=ax)
    RiskCoverageDisplay.from_predictions(y, ["b"] * 20 + ["a"] * 20, -sure, name="bad", color="0.5", ax=ax)
    assert good.figure_ is ax.figure and len(ax.lines) == 2 and ax.get_ylim()[0] == 0 and ax.get_ylim()[1] >= 100
    assert ax.get_xlabel() == "clips answered, the surest first (%)"


def test_the_risk_that_was_asked_for_is_marked(plt, blobs):
    X, y, speakers = blobs
    classifier = SelectiveClassifier(LogisticRegression(), risk=0.4).fit(X, y, groups=speakers)
    display = RiskCoverageDisplay.from_estimator(classifier, X, y)
    assert display.requested == {"coverage": None, "risk": 0.4}
    (asked,) = [line for line in display.ax_.lines if line.get_label() == "risk asked for: 40%"]
    np.testing.assert_allclose(asked.get_ydata(), 40)
    default = SelectiveClassifier(LogisticRegression()).fit(X, y, groups=speakers)
    assert RiskCoverageDisplay.from_estimator(default, X, y).requested == {"coverage": 0.8}


def test_any_classifier_with_probabilities_has_a_curve(plt, blobs):
    X, y, _ = blobs
    classifier = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    display = RiskCoverageDisplay.from_estimator(classifier, X, y)
    probabilities = classifier.predict_proba(X)
    coverage, risk, _ = risk_coverage_curve(y, classifier.predict(X), probabilities.max(axis=1))
    np.testing.assert_allclose(display.line_.get_xydata() / 100, np.column_stack([coverage, risk]))
    assert display.operating_point is None and len(display.ax_.lines) == 1
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["LogisticRegression"]


def test_what_does_not_know_how_sure_it_is_has_no_curve(plt, blobs):
    X, y, _ = blobs
    with pytest.raises(
        TypeError, match="must be a fitted SelectiveClassifier, or have predict_proba.*Got an object of type SVC"
    ):
        RiskCoverageDisplay.from_estimator(SVC().fit(X, y), X, y)


@pytest.mark.processes
def test_unsure_answers_to_unknown_speakers_of_emodb_are_the_wrong_ones(emodb):
    features, y = HandcraftedFeatures(feature_set="bledea170").fit_transform(emodb.data), np.asarray(emodb.target)
    answered, right = np.zeros(len(y), bool), np.zeros(len(y), bool)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    for train, test in GroupKFold(5).split(features, y, emodb.speaker):
        classifier = SelectiveClassifier(pipeline, coverage=0.5).fit(
            features[train], y[train], groups=emodb.speaker[train]
        )
        answered[test] = ~classifier.reject(features[test])
        right[test] = classifier.estimator_.predict(features[test]) == y[test]
    assert 0.4 < answered.mean() < 0.6
    assert right[answered].mean() > right.mean() + 0.1


def test_one_that_cannot_tell_is_refused(blobs):
    X, y, speakers = blobs

    class Mute(NearestCentroid):
        predict_proba = decision_function = property()

    with pytest.raises(ValueError, match="Mute has none of predict_proba, decision_function"):
        SelectiveClassifier(Mute()).fit(X, y, groups=speakers)
