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
    assert CalibratedDiscriminant().fit(X[:21], y).temperature_ > 1.0  # by the two classes of several clips
    groups = np.repeat([0, 1, 2, 3], [5, 5, 10, 1])
    assert np.isfinite(CalibratedDiscriminant().fit(X[:21], y, groups=groups).predict_proba(X)).all()
    with pytest.warns(UserWarning, match="not calibrated.*two of their classes remain in other groups"):
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


def test_a_weight_of_two_is_a_clip_twice():
    weight = RNG.integers(1, 4, 200)
    weighted = CalibratedDiscriminant(0.4, cv=0).fit(X[:200], Y[:200], sample_weight=weight)
    repeated = CalibratedDiscriminant(0.4, cv=0).fit(np.repeat(X[:200], weight, axis=0), np.repeat(Y[:200], weight))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-9)
    same = CalibratedDiscriminant(0.4).fit(X[:200], Y[:200], sample_weight=np.full(200, 3.0))
    plain = CalibratedDiscriminant(0.4).fit(X[:200], Y[:200])
    np.testing.assert_allclose(same.predict_proba(X), plain.predict_proba(X), atol=1e-6)


def test_priors_and_class_weights_move_the_answers():
    rare = np.flatnonzero((Y != 0) | (np.arange(400) % 10 == 0))
    plain = CalibratedDiscriminant().fit(X[rare], Y[rare])
    assert plain.priors_[0] < 0.05
    for moved in (
        CalibratedDiscriminant(priors=[1, 1, 1, 1]).fit(X[rare], Y[rare]),
        CalibratedDiscriminant(class_weight="balanced").fit(X[rare], Y[rare]),
        CalibratedDiscriminant(class_weight={0: 30.0, 1: 1.0, 2: 1.0, 3: 1.0}).fit(X[rare], Y[rare]),
    ):
        assert (moved.predict(X) == 0).sum() > (plain.predict(X) == 0).sum()
        np.testing.assert_allclose(moved.priors_.sum(), 1)
    balanced = CalibratedDiscriminant(class_weight="balanced").fit(X[rare], Y[rare])
    np.testing.assert_allclose(balanced.priors_, 0.25)
    even, skewed = (CalibratedDiscriminant(cv=0, priors=priors).fit(X, Y) for priors in ([1, 1, 1, 1], [1, 2, 3, 4]))
    np.testing.assert_allclose(skewed.intercept_ - even.intercept_, np.log([0.4, 0.8, 1.2, 1.6]))
    np.testing.assert_array_equal(skewed.coef_, even.coef_)
    with pytest.raises(
        ValueError, match=r"priors must hold one positive number for each of the 4 classes.*Got \[1, 2\]"
    ):
        CalibratedDiscriminant(priors=[1, 2]).fit(X, Y)
    with pytest.raises(ValueError, match=r"Every class needs a clip of positive weight. \[2\] has none"):
        CalibratedDiscriminant().fit(X, Y, sample_weight=(Y != 2).astype(float))


def test_a_class_of_a_single_clip_leaves_the_rest_calibrated():
    calibrated = CalibratedDiscriminant().fit(X, Y)
    with_one = CalibratedDiscriminant().fit(np.vstack([X, X[:1] + 5]), np.append(Y, 4))
    assert with_one.temperature_ == pytest.approx(calibrated.temperature_, rel=0.3) and calibrated.temperature_ > 1.3
    with pytest.warns(UserWarning, match="not calibrated.*no clips can be held out"):
        assert CalibratedDiscriminant().fit(X[:2], [0, 1]).temperature_ == 1
    with pytest.warns(UserWarning, match="not calibrated.*remain in other groups"):
        CalibratedDiscriminant().fit(X, Y, groups=np.zeros(400))


def test_more_features_than_clips_are_solved_by_rows():
    wide, y = RNG.normal(size=(60, 1500)), np.arange(60) % 3
    wide[np.arange(60), y] += 6
    weight = RNG.uniform(0.5, 2, 60)
    for given in (None, weight):
        by_rows = CalibratedDiscriminant(0.4, cv=0).fit(wide, y, sample_weight=given)
        padded = np.vstack([wide, np.zeros((1500, 1500))])  # of weight 0, so that there are more clips than features
        all_weights = np.append(np.ones(60) if given is None else given, np.zeros(1500))
        by_columns = CalibratedDiscriminant(0.4, cv=0).fit(
            padded, np.append(y, np.arange(1500) % 3), sample_weight=all_weights
        )
        np.testing.assert_allclose(by_rows.decision_function(wide), by_columns.decision_function(wide), atol=1e-6)
