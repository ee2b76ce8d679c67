"""The recommended classifier and the scaler before it: closed forms, odd data, calibration."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from sklearn_ser import AddNoise, AugmentedClassifier, BoundedScaler, CalibratedDiscriminant, HandcraftedFeatures

RNG = np.random.default_rng(0)
X, Y = make_classification(
    400, 60, n_informative=10, n_redundant=20, n_classes=4, class_sep=1.0, flip_y=0.1, random_state=0
)


@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 1.0])
def test_uncalibrated_it_is_scikit_learns_discriminant(shrinkage):
    ours = CalibratedDiscriminant(shrinkage, cv=0).fit(X[:200], Y[:200])
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X[:200], Y[:200])
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)


def test_the_temperature_changes_no_prediction_and_makes_probabilities_true():
    few = slice(0, 120)  # clips, for 60 features
    sure = CalibratedDiscriminant(0.05, cv=0).fit(X[few], Y[few])
    calibrated = CalibratedDiscriminant(0.05).fit(X[few], Y[few])
    np.testing.assert_array_equal(calibrated.predict(X), sure.predict(X))
    rest = slice(120, None)
    accuracy = calibrated.score(X[rest], Y[rest])
    assert calibrated.temperature_ > 1.5
    assert calibrated.predict_proba(X[rest]).max(axis=1).mean() == pytest.approx(accuracy, abs=0.08)
    assert sure.predict_proba(X[rest]).max(axis=1).mean() > accuracy + 0.12


def test_groups_are_held_out_together():
    """Copies of a clip in training make a classifier sure of it."""
    copies, labels, clip = np.tile(X[:150], (4, 1)), np.tile(Y[:150], 4), np.tile(np.arange(150), 4)
    order = RNG.permutation(len(clip))
    copies, labels, clip = copies[order] + 0.01 * RNG.normal(size=copies.shape), labels[order], clip[order]
    together = CalibratedDiscriminant().fit(copies, labels, groups=clip)
    apart = CalibratedDiscriminant().fit(copies, labels)
    assert together.temperature_ > 1.2 * apart.temperature_


def test_copies_are_kept_together_by_the_augmented_classifier(tones):
    class Spy(CalibratedDiscriminant):
        def fit(self, X, y, groups=None):
            self.groups_ = groups
            return super().fit(X, y, groups)

    pipeline = make_pipeline(HandcraftedFeatures(families=["spectrum"]), BoundedScaler(), Spy())
    fitted = AugmentedClassifier(pipeline, [AddNoise(snr=20)], random_state=0).fit(tones, [0, 1] * 3).estimator_
    assert fitted[-1].groups_.tolist() == [0, 1, 2, 3, 4, 5] * 2


def test_a_class_of_one_speaker_and_classes_of_one_clip_are_no_error():
    y = np.repeat([0, 1, 2], [10, 10, 1])
    assert CalibratedDiscriminant().fit(X[:21], y).temperature_ == 1.0
    groups = np.repeat([0, 1, 2, 3], [5, 5, 10, 1])
    assert np.isfinite(CalibratedDiscriminant().fit(X[:21], y, groups=groups).predict_proba(X)).all()
    assert CalibratedDiscriminant().fit(X[:20], y[:20], groups=np.repeat([0, 1], 10)).temperature_ == 1.0


def test_constant_and_far_values_are_bounded():
    train = RNG.normal(size=(50, 3)).astype(np.float32)
    train[:, 1] = 0.1
    scaler = BoundedScaler().fit(train)
    assert scaler.scale_[1] == 1
    far = np.array([[1e30, 0.1, -1e30], [0, 5, 0]], dtype=np.float32)
    scores = scaler.transform(far)
    assert scores.dtype == np.float32 and np.abs(scores).max() <= 2
    np.testing.assert_allclose(scores[0], [2, 0, -2], atol=1e-6)


def test_near_the_mean_the_scores_are_standard_scores():
    scaler = BoundedScaler(limit=3.0).fit(X)
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(scaler.transform(X), 3 * np.tanh(z / 3))


def test_far_from_its_training_data_it_does_not_give_one_answer():
    """Where an RBF-SVM would: half of the features are lost to something far away."""
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    lost = X.copy()
    lost[:, ::2] += 30
    bounded = make_pipeline(BoundedScaler(), CalibratedDiscriminant()).fit(X, Y).predict(lost)
    svm = make_pipeline(StandardScaler(), SVC(C=10)).fit(X, Y).predict(lost)
    assert np.bincount(svm).max() == len(X)
    assert np.bincount(bounded).max() < len(X)
    assert (bounded == Y).mean() > 0.3


@pytest.mark.parametrize("params, message", [(dict(shrinkage=0), "shrinkage"), (dict(cv=-1), "cv")])
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=f"The '{message}' parameter"):
        CalibratedDiscriminant(**params).fit(X, Y)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"y must hold two classes at least. Got one class: \[3\]"):
        CalibratedDiscriminant().fit(X, np.full(len(X), 3))


def test_groups_must_be_of_the_clips():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CalibratedDiscriminant().fit(X, Y, groups=[1, 2])
