"""Networks trained on values: units of y, the loss "ccc", early stopping, saving, ONNX; the networks of classes."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import TRAINING, run_python
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_ser import AttentionBLSTMRegressor, CNNLSTMRegressor, FrameWise, NetworkRegressor, export_onnx
from sklearn_ser.neural import networks

SMALL_CNN = dict(network__filters=[6], network__pool_size=[2], network__dropout=0.0, network__spatial_dropout=0.0)


def small(**params):
    return NetworkRegressor(**{**SMALL_CNN, **TRAINING, "epochs": 12, **params})


@pytest.fixture(scope="module")
def valued():
    """60 clips of 5 to 12 frames, whose first two features rise with two values, in ranges of their own."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 2))
    X = rng.normal(scale=0.5, size=(60, 12, 3)).astype(np.float32)
    X[:, :, :2] += z[:, None]
    for row, length in enumerate(rng.integers(5, 13, 60)):
        X[row, length:] = np.nan
    return X, z * [1.0, 2.0] + [3.0, -500.0]


@pytest.fixture(scope="module", params=["mean_squared_error", "ccc"])
def fitted(request, valued):
    return small(loss=request.param).fit(*valued)


def ccc(y, prediction):
    """Concordance of each column, with population variances."""
    covariance = ((y - y.mean(0)) * (prediction - prediction.mean(0))).mean(0)
    return 2 * covariance / (y.var(0) + prediction.var(0) + (y.mean(0) - prediction.mean(0)) ** 2)


def test_it_learns_two_values_in_their_own_units(fitted, valued):
    X, y = valued
    prediction = fitted.predict(X)
    assert prediction.shape == (60, 2) and prediction.dtype == np.float64
    assert (ccc(y, prediction) > 0.75).all()
    assert is_regressor(fitted) and fitted.score(X, y) > 0.4
    assert set(fitted.history_) == {"loss"} and not hasattr(fitted, "classes_")


def test_padding_does_not_change_a_prediction_nor_does_saving(fitted, valued):
    X, _ = valued
    expected = fitted.predict(X)
    alone = X[7:8, : (~np.isnan(X[7, :, 0])).sum()]
    np.testing.assert_allclose(fitted.predict(alone)[0], expected[7], rtol=1e-4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), expected)


def test_saved_pipeline_predicts_in_a_fresh_process(fitted, valued, tmp_path):
    joblib.dump(fitted, tmp_path / "model.joblib")
    np.save(tmp_path / "X.npy", valued[0])
    code = """
        import sys, joblib, numpy as np
        regressor = joblib.load(sys.argv[1] + "/model.joblib")
        assert not {"keras", "tensorflow"} & set(sys.modules)
        np.save(sys.argv[1] + "/p.npy", regressor.predict(np.load(sys.argv[1] + "/X.npy")))
    """
    if fitted.loss == "ccc":
        run_python(code, tmp_path)
        np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), fitted.predict(valued[0]))


def test_the_file_for_other_programs_gives_the_same_values(fitted, valued, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    X, _ = valued
    assert export_onnx(fitted, tmp_path / "values.onnx") is None
    session = onnxruntime.InferenceSession(tmp_path / "values.onnx")
    np.testing.assert_allclose(session.run(["values"], {"frames": X})[0], fitted.predict(X), rtol=1e-3, atol=1e-3)
    assert session.get_modelmeta().custom_metadata_map == {}


def test_the_loss_is_one_minus_the_mean_concordance_of_the_batch():
    import keras

    from sklearn_ser.neural.training._ccc import ConcordanceLoss

    rng = np.random.default_rng(0)
    y, prediction = rng.normal(size=(2, 30, 2)).astype(np.float32)
    prediction += y
    assert float(ConcordanceLoss()(y, prediction)) == pytest.approx(1 - ccc(y, prediction).mean(), abs=1e-5)
    assert float(ConcordanceLoss()(y, y)) == pytest.approx(0, abs=1e-5)
    assert float(ConcordanceLoss()(y, np.ones_like(y))) == pytest.approx(1, abs=1e-5)
    weight = np.r_[np.ones(20), np.zeros(10)].astype(np.float32)
    kept = 1 - ccc(y[:20], prediction[:20]).mean()
    assert float(ConcordanceLoss()(y, prediction, weight)) == pytest.approx(kept, abs=1e-5)
    loss = keras.losses.deserialize(keras.losses.serialize(ConcordanceLoss()))
    assert float(loss(y, prediction)) == pytest.approx(1 - ccc(y, prediction).mean(), abs=1e-5)


@pytest.mark.parametrize("groups", [None, np.arange(60) // 10], ids=["clips", "groups"])
def test_early_stopping_holds_out_clips_or_groups_and_keeps_the_best_epoch(valued, groups, monkeypatch):
    seen, train = {}, NetworkRegressor._train
    monkeypatch.setattr(
        NetworkRegressor,
        "_train",
        lambda self, clips, held, **how: (seen.update(clips=clips, held=held), train(self, clips, held, **how)),
    )
    regressor = small(early_stopping=True, n_iter_no_change=2, validation_fraction=0.2, epochs=8)
    regressor.fit(*valued, groups=groups)
    held, kept = seen["held"].rows, seen["clips"].rows
    assert regressor.held_out_ == ("clips" if groups is None else "groups")
    assert not set(held) & set(kept) and len(held) + len(kept) == 60
    if groups is not None:
        assert not set(groups[held]) & set(groups[kept])
    error = np.mean((regressor.predict(valued[0][held]) - valued[1][held]) ** 2)
    assert error == pytest.approx(min(regressor.history_["val_loss"]), rel=1e-3)


def test_training_goes_on_by_parts_and_resumes_from_a_checkpoint(valued, tmp_path):
    X, y = valued
    regressor = small()
    for _ in range(2):
        regressor.partial_fit(X, y[:, 0])
    assert len(regressor.history_["loss"]) == 2 and regressor.predict(X).shape == (60,)
    with pytest.raises(ValueError, match="y must have 1 values a clip, as in the first fit. Got 2"):
        regressor.partial_fit(X, y)
    path = tmp_path / "best.keras"
    small(loss="ccc", epochs=2, model_checkpoint=path).fit(X, y)
    resumed = small(loss="ccc", epochs=4, model_checkpoint=path).fit(X, y)
    straight = small(loss="ccc", epochs=4).fit(X, y)
    np.testing.assert_allclose(resumed.history_["loss"], straight.history_["loss"], rtol=1e-4)
    np.testing.assert_allclose(resumed.predict(X), straight.predict(X), rtol=1e-3)


def test_clips_of_weight_zero_are_not_there(valued):
    X, y = valued
    weight = np.where(np.arange(60) % 3, 1.0, 0.0)
    weighted = small(epochs=1).fit(X, y, sample_weight=weight)
    assert np.isfinite(weighted.predict(X)).all()
    with pytest.raises(ValueError, match="All clips have a sample_weight of zero|at least one non-zero number"):
        small().fit(X, y, sample_weight=np.zeros(60))


@pytest.mark.parametrize(
    "regressor",
    [
        CNNLSTMRegressor(filters=[4], lstm_units=4, statistics_units=8, loss="ccc"),
        AttentionBLSTMRegressor([4], dense_units=[6], pool_size=2, loss="ccc"),
        NetworkRegressor(networks.dense, network__hidden_units=[8]),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_networks_of_the_library_learn_one_value(regressor, valued):
    X, y = valued
    regressor = clone(regressor).set_params(**{**TRAINING, "epochs": 15}).fit(X, y[:, 1])
    assert regressor.predict(X).shape == (60,)
    assert ccc(y[:, 1], regressor.predict(X)) > 0.5
    if isinstance(regressor, AttentionBLSTMRegressor):
        np.testing.assert_allclose(regressor.attention_weights(X).sum(axis=1), 1, rtol=1e-5)


def test_a_network_may_return_the_values_themselves(valued):
    X, y = valued

    def outputs(frames, mask, n_outputs):
        import keras

        return keras.layers.Dense(n_outputs, name="mine")(networks.masked_mean(frames, mask))

    regressor = NetworkRegressor(outputs, **{**TRAINING, "epochs": 1}).fit(X, y)
    assert regressor.model_.layers[-1].name == "mine"
    with pytest.raises(ValueError, match="ends in a softmax, but these targets need outputs that are linear"):
        NetworkRegressor(softmax).fit(X, y)


def softmax(frames, mask, n_outputs):
    import keras

    return keras.layers.Dense(n_outputs, activation="softmax")(networks.masked_mean(frames, mask))


def test_scikit_learns_tools_take_it(valued):
    X, y = valued
    pipeline = make_pipeline(FrameWise(), small(epochs=1))
    grid = {"networkregressor__network__filters": [[3], [4]]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.predict(X).shape == (60, 2)
    logarithmic = TransformedTargetRegressor(small(epochs=1), func=np.log1p, inverse_func=np.expm1)
    assert logarithmic.fit(X, np.exp(y[:, 0])).predict(X).shape == (60,)


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_missing_values_are_named_by_their_row(valued, missing):
    y = valued[1][:, 0].astype(object)
    y[4] = missing
    with pytest.raises(ValueError, match="y lacks a value in row 4: got"):
        small().fit(valued[0], y)


def test_losses_of_classes_are_refused(valued):
    with pytest.raises(ValueError, match="A regressor needs a loss of values, such as .*Got loss='sparse_cat"):
        small(loss="sparse_categorical_crossentropy").fit(*valued)
    from sklearn_ser import DenseClassifier

    with pytest.raises(ValueError, match="loss='ccc' compares values, and this network has classes"):
        DenseClassifier(loss="ccc").fit(valued[0], np.arange(60) % 2)
