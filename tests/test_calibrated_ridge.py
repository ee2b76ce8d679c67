"""CalibratedRidge: closed forms, scale, groups, and make_recognizer(task="values")."""

import subprocess
import sys

import joblib
import numpy as np
import pytest

from sklearn_ser import AugmentedRegressor, CalibratedRidge, ccc_score, make_emotional_speech, make_recognizer


def noisy(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    return X, X @ [1.0, 2.0, 0.0, 0.0, -1.0] + 3 * rng.normal(size=n) + 4


def test_a_linear_relation_is_recovered_for_several_values():
    X = noisy()[0]
    y = X @ np.array([[1.0, 2, 3, 4, 5], [0, -1, 0, 1, 0]]).T + [3, -2]
    ridge = CalibratedRidge([1e-9]).fit(X, y)
    np.testing.assert_allclose(ridge.predict(X), y, atol=1e-5)
    np.testing.assert_allclose(ridge.fit(X, y[:, 0]).predict(X), y[:, 0], atol=1e-5)


def test_predictions_for_unseen_clips_vary_as_much_as_the_values():
    (X, y), (unseen, true) = noisy(), noisy(seed=1)
    calibrated, plain = CalibratedRidge([10.0]).fit(X, y), CalibratedRidge([10.0], n_folds=0).fit(X, y)
    assert plain.predict(unseen).std() < 0.2 * true.std()
    assert calibrated.predict(unseen).std() == pytest.approx(true.std(), rel=0.15)
    assert ccc_score(true, calibrated.predict(unseen)) > ccc_score(true, plain.predict(unseen)) + 0.3


def test_strength_and_scale_are_chosen_on_groups_that_are_not_trained_on():
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(10), 20)
    clear = rng.normal(size=200)
    X = np.column_stack([np.eye(10)[speaker], clear])  # tells the speaker, too
    y = clear + rng.normal(scale=2, size=10)[speaker]
    leaking = CalibratedRidge([0.001]).fit(X, y)
    apart = CalibratedRidge([0.001], n_folds=10).fit(X, y, groups=speaker)
    assert leaking.scale_[0] == pytest.approx(1, abs=0.05)
    assert apart.scale_[0] > 1.3


def test_predictions_are_clipped_on_request_only():
    X, y = np.arange(20.0).reshape(-1, 1), np.arange(20.0)
    assert CalibratedRidge().fit(X, y).predict([[50.0]])[0] > 40
    assert CalibratedRidge(clip=True).fit(X, y).predict([[50.0], [-9.0]]).tolist() == [19, 0]


def test_wrong_strengths_weights_and_tasks_are_refused():
    X, y = noisy(20)
    with pytest.raises(ValueError, match="alphas must be"):
        CalibratedRidge([0.0]).fit(X, y)
    with pytest.raises(ValueError, match="sample_weight must not be negative"):
        CalibratedRidge().fit(X, y, -np.ones(20))
    with pytest.raises(ValueError, match="task must be 'emotions' or 'values'"):
        make_recognizer("handcrafted", task="ages")


@pytest.mark.processes
def test_the_recommended_regressor_has_copies_and_survives_a_fresh_process(tmp_path):
    assert isinstance(make_recognizer("handcrafted", task="values"), AugmentedRegressor)
    corpus = make_emotional_speech(24, n_speakers=4, random_state=0)
    y = np.column_stack([corpus.target == "anger", corpus.target == "sadness"]).astype(float)
    pipeline = make_recognizer("handcrafted", task="values", robust=False)
    expected = pipeline.fit(corpus.data, y, calibratedridge__groups=corpus.speaker).predict(corpus.data[:3])
    joblib.dump((pipeline, corpus.data[:3], expected), tmp_path / "saved")
    code = "import joblib, sys, numpy as np; p, X, y = joblib.load(sys.argv[1]); assert np.array_equal(p.predict(X), y)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "saved")], check=True)
    assert expected.shape == (3, 2)
