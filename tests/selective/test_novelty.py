"""Clips that are unlike those trained on, and what SelectiveClassifier says of them."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import FlattenFrames, SelectiveClassifier
from sklearn_ser.selective._novelty import Distance, features_of


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    y, speakers = np.tile(["anger", "calm"], 150), np.repeat(np.arange(6), 50)
    X = rng.normal(size=(300, 8)) + np.where(y == "calm", 2, 0)[:, np.newaxis] * (np.arange(8) < 2)
    return X @ rng.normal(size=(8, 8)), y, speakers


def pipeline():
    return make_pipeline(StandardScaler(), LogisticRegression())


def test_the_distance_is_1_on_average_and_grows_with_deviation():
    X = np.random.default_rng(1).normal(size=(500, 5))
    distance = Distance(X)
    assert distance(X).mean() == pytest.approx(1)
    steps = distance(np.outer([0, 1, 3, 100], np.ones(5)))
    assert (np.diff(steps) > 0).all() and np.isfinite(distance(np.full((1, 5), 1e300))).all()


def test_constant_features_and_few_clips_have_distances():
    X = np.ones((3, 10))
    X[:, 0] = [1, 2, 3]
    assert np.isfinite(Distance(X)(np.array([[2.0] * 10]))).all()
    assert np.isfinite(Distance(np.ones((2, 3)))(np.zeros((1, 3)))).all()


@pytest.mark.parametrize("fraction, expected", [(True, 0.01), (0.2, 0.2)])
def test_so_many_clips_like_those_known_are_called_novel(clips, fraction, expected):
    X, y, speakers = clips
    fitted = SelectiveClassifier(pipeline(), coverage=1.0, novelty=fraction).fit(X, y, groups=speakers)
    assert np.mean(fitted.predict(X) == "unknown") == pytest.approx(expected, abs=0.03)
    assert fitted.coverage_ == pytest.approx(1 - expected, abs=0.01)


def test_far_clips_are_unknown_however_sure_the_estimator_is(clips):
    X, y, speakers = clips
    fitted = SelectiveClassifier(pipeline(), coverage=1.0, novelty=True).fit(X, y, groups=speakers)
    far = 50 * X[:5]
    assert (fitted.confidence(far) > 0.99).any()
    assert (fitted.predict(far) == "unknown").all() and fitted.reject(far).all()
    assert (fitted.novelty_score(far) > fitted.novelty_threshold_).all()


def test_the_coverage_asked_for_includes_what_is_novel(clips):
    X, y, speakers = clips
    fitted = SelectiveClassifier(pipeline(), coverage=0.7, novelty=0.1).fit(X, y, groups=speakers)
    assert fitted.coverage_ == pytest.approx(0.7, abs=0.01)


def test_a_frozen_estimator_is_not_fitted_again(clips):
    X, y, speakers = clips
    frozen = FrozenEstimator(pipeline().fit(X[:100], y[:100]))
    fitted = SelectiveClassifier(frozen, novelty=True).fit(X[100:], y[100:], groups=speakers[100:])
    assert fitted.reject(1e3 * X[:3]).all()


def test_without_novelty_there_is_no_score(clips):
    X, y, speakers = clips
    assert not hasattr(SelectiveClassifier(pipeline()).fit(X, y, groups=speakers), "novelty_score")


def test_features_are_what_the_last_step_reads(clips):
    X, y, _ = clips
    fitted = pipeline().fit(X, y)
    np.testing.assert_allclose(features_of(fitted, X), fitted[0].transform(X))
    np.testing.assert_allclose(features_of(make_pipeline(fitted), X), fitted[0].transform(X))
    np.testing.assert_allclose(features_of(LogisticRegression().fit(X, y), X), X)


def test_features_are_found_behind_searches_votes_calibration_and_thresholds(clips):
    X, y, speakers = clips
    two = (y == y[0]).astype(int)
    for estimator in (
        GridSearchCV(pipeline(), {"logisticregression__C": [1.0]}, cv=2),
        CalibratedClassifierCV(pipeline(), cv=2),
        CalibratedClassifierCV(pipeline(), ensemble=False, cv=2),
        FixedThresholdClassifier(pipeline()),
        BaggingClassifier(pipeline(), 2, random_state=0),
        OneVsRestClassifier(pipeline()),
        make_pipeline(VotingClassifier([("a", pipeline())], voting="soft")),
    ):
        fitted = estimator.fit(X, two)
        assert features_of(fitted, X).shape == X.shape
    members = [("a", pipeline()), ("b", GridSearchCV(pipeline(), {"logisticregression__C": [1.0]}, cv=2))]
    for committee in (VotingClassifier(members, voting="soft"), StackingClassifier(members, cv=2)):
        assert features_of(committee.fit(X, two), X).shape == (len(X), 2 * X.shape[1])
    selective = SelectiveClassifier(VotingClassifier(members, voting="soft"), novelty=True)
    assert selective.fit(X, y, groups=speakers).reject(1e3 * X[:3]).all()


def test_frames_are_pooled():
    frames = np.ones((2, 4, 3), np.float32)
    frames[1, 2:] = np.nan
    assert features_of(LogisticRegression(), frames).tolist() == [[1, 1, 1, 0, 0, 0]] * 2
    flat = make_pipeline(FlattenFrames(), LogisticRegression()).fit(frames, [0, 1])
    assert features_of(flat, frames).shape == (2, 12)


def test_an_estimator_that_shows_no_features_is_refused(clips):
    X, y, speakers = clips
    paths = [f"{row}.wav" for row in range(len(y))]
    with pytest.raises(ValueError, match="novelty is measured in features: the estimator must be a Pipeline"):
        features_of(LogisticRegression(), paths)


@pytest.mark.parametrize("novelty", [0.0, 1.0, -0.1, "yes"])
def test_novelty_must_be_a_fraction(novelty, clips):
    with pytest.raises(ValueError, match="The 'novelty' parameter"):
        SelectiveClassifier(pipeline(), novelty=novelty).fit(*clips)
