"""The neural classifiers among scikit-learn's tools: searches, votes, scorers; and what importing must not do."""

import inspect
import os
import warnings

import joblib
import numpy as np
import pytest
from helpers import SMALL, run_python, small
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, check_cv, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_ser import CNNLSTMClassifier, FlattenFrames, FrameWise, MelSpectrogramTransformer

# ------------------------------------------------------------------------------------------------- among scikit-learn's


def test_it_is_a_classifier_and_integer_cv_is_stratified(frames):
    pipeline = make_pipeline(FrameWise(), small())
    assert is_classifier(pipeline)
    assert isinstance(check_cv(3, frames[1], classifier=is_classifier(pipeline)), StratifiedKFold)


def test_probability_scorers(frames):
    X, y = frames
    pipeline = make_pipeline(FrameWise(), small(epochs=4))
    least = {"roc_auc_ovr": 0.9, "neg_log_loss": -0.9, "balanced_accuracy": 0.7}
    scores = cross_validate(pipeline, X, y, cv=2, scoring=list(least), error_score="raise")
    for scoring, bound in least.items():
        assert scores[f"test_{scoring}"].mean() > bound


def test_voting_stacking_and_calibration(frames):
    X, y = frames
    deep = make_pipeline(FrameWise(), small(epochs=4))
    flat = make_pipeline(FlattenFrames(), LogisticRegression())
    for ensemble in (
        VotingClassifier([("deep", deep), ("flat", flat)], voting="soft"),
        StackingClassifier([("deep", deep), ("flat", flat)], cv=2),
        CalibratedClassifierCV(deep, cv=2),
    ):
        assert ensemble.fit(X, y).score(X, y) > 0.8
        assert ensemble.predict_proba(X).shape == (60, 3)


@pytest.mark.filterwarnings("ignore:Row . is cropped")  # the tones of a fold are longer than those of the other
def test_grid_search_through_the_whole_pipeline(tones):
    """Steps, their inner transformers and the network, from audio on, in two processes."""
    y = list("ababab")
    pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(), small(epochs=1))
    n_mels, lstm_units = "melspectrogramtransformer__n_mels", "cnnlstmclassifier__lstm_units"
    grid = [{n_mels: [8], lstm_units: [8]}, {n_mels: [16], lstm_units: [4]}]  # a step's and the network's, together
    search = GridSearchCV(pipeline, grid, cv=KFold(2), n_jobs=2, error_score="raise").fit(tones, y)
    assert len(search.cv_results_["params"]) == 2
    assert search.predict(tones).shape == (6,)
    best = search.best_estimator_[-1].model_
    assert best.input_shape[-1] == search.best_params_[n_mels]
    assert best.get_layer("lstm_0").units == search.best_params_[lstm_units]


def test_optimizers_are_named_configured_or_given(frames):
    import keras

    X, y = frames
    given = keras.optimizers.SGD(momentum=0.9, nesterov=True)
    configured = keras.optimizers.serialize(given)
    probabilities = []
    for optimizer in (given, configured):
        classifier = clone(small(epochs=2, optimizer=optimizer)).fit(X, y)
        assert classifier.model_.optimizer.momentum == 0.9 and classifier.model_.optimizer.nesterov
        assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(0.02)
        probabilities.append(classifier.predict_proba(X))
    np.testing.assert_array_equal(*probabilities)
    assert not given.built
    kept = small(epochs=1, optimizer="rmsprop", learning_rate=None).fit(X, y)
    assert float(kept.model_.optimizer.learning_rate) == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="optimizer must be the name of a Keras optimizer.*Got 'addam'"):
        small(optimizer="addam").fit(X, y)


@pytest.mark.parametrize(
    "params, message",
    [
        (
            dict(kernel_size=[3]),
            r"kernel_size must hold one positive int for each of the blocks.*Got kernel_size=\[3\]",
        ),
        (dict(kernel_size=[2.5, 3]), r"kernel_size must hold one positive int.*Got kernel_size=\[2.5, 3\]"),
        (dict(optimizer={"a": 1}), "optimizer must be the name of a Keras optimizer"),
        (dict(filters=[]), "one positive int for each of the blocks"),
        (dict(filters=[8, 0]), r"filters must hold one positive int.*Got filters=\[8, 0\]"),
        (dict(lstm_units=0), "'lstm_units' parameter"),
        (dict(dropout=1.0), "'dropout' parameter"),
        (dict(epochs=0), "'epochs' parameter"),
        (dict(input_type="video"), "'input_type' parameter"),
    ],
)
def test_wrong_parameters_are_named(frames, params, message):
    with pytest.raises(ValueError, match=message):
        small(**params).fit(*frames)


def test_divergence_is_said(frames):
    X, y = frames
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate"):
        small(optimizer="sgd", learning_rate=1e30, epochs=3).fit(X, y)


def test_verbose_shows_progress_and_silence_is_the_default(frames, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(epochs=2).fit(*frames).predict(frames[0])
    assert capfd.readouterr() == ("", "")
    small(epochs=2, verbose=1).fit(*frames)
    shown = capfd.readouterr().err
    assert "CNNLSTMClassifier" in shown and "2/2" in shown and "loss=" in shown


# ------------------------------------------------------------------------------------------- what importing must not do


def test_features_and_an_svm_never_import_keras():
    code = """
        import sys
        import sklearn_ser
        heavy = {"tensorflow", "keras", "scikeras"}
        assert not (heavy | {"sklearn", "librosa", "pandas", "numpy"}) & set(sys.modules)
        import numpy as np
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import SVC
        make_pipeline(sklearn_ser.HandcraftedFeatures(), SVC()).fit(np.random.rand(4, 4000), [0, 1, 0, 1])
        sklearn_ser.CNNLSTMClassifier()
        assert not heavy & set(sys.modules)
    """
    run_python(code)


def test_parallel_workers_share_the_cores(frames):
    """In a worker of joblib, TensorFlow takes the threads that joblib gives it."""

    def threads():
        import tensorflow as tf

        import sklearn_ser.neural._keras  # noqa: F401

        return tf.config.threading.get_intra_op_parallelism_threads(), os.environ.get("TF_NUM_INTRAOP_THREADS")

    with joblib.parallel_config(backend="loky", n_jobs=2, inner_max_num_threads=1):
        (_, variable), _ = joblib.Parallel()(joblib.delayed(threads)() for _ in range(2))
    assert variable == "1"


def test_networks_run_on_another_backend(frames, tmp_path):
    """With KERAS_BACKEND=jax; the extra test installs JAX, so that under CI it must be there."""
    if not os.environ.get("CI"):
        pytest.importorskip("jax")
    np.savez(tmp_path / "data.npz", X=frames[0], y=frames[1])
    params = SMALL | dict(batch_size=20)  # each shape of a batch is compiled anew: here there are few
    code = f"""
        import sys, pickle, numpy as np
        from sklearn_ser import CNNLSTMClassifier
        data = np.load(sys.argv[1] + "/data.npz")
        classifier = CNNLSTMClassifier(**{params!r}).fit(data["X"], data["y"])
        import keras
        assert keras.backend.backend() == "jax"
        assert classifier.score(data["X"], data["y"]) > 0.9
        pickle.loads(pickle.dumps(classifier)).predict(data["X"])
    """
    run_python(code, tmp_path, KERAS_BACKEND="jax")


def test_every_hyperparameter_is_documented_and_constrained():
    names = set(inspect.signature(CNNLSTMClassifier).parameters)
    assert names == set(CNNLSTMClassifier._parameter_constraints)
    for name in names:
        assert (
            f"{name} :" in CNNLSTMClassifier.__doc__
            or f"{name}," in CNNLSTMClassifier.__doc__
            or f", {name}" in (CNNLSTMClassifier.__doc__)
        )
