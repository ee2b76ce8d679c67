"""Anybody's network is a classifier like the others: parameters, masks, files."""

import copy
import functools
import pickle

import joblib
import numpy as np
import pytest
from helpers import TRAINING, run_python
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import FrameWise, NetworkClassifier
from sklearn_ser.neural import networks


def timeseries(input_layer, mask, num_classes, filters=8):
    """The network of Keras' example "Timeseries classification from scratch", with a block less."""
    import keras

    conv1 = keras.layers.Conv1D(filters=filters, kernel_size=3, padding="same")(input_layer)
    conv1 = keras.layers.BatchNormalization()(conv1)
    conv1 = keras.layers.ReLU()(conv1)

    conv2 = keras.layers.Conv1D(filters=filters, kernel_size=3, padding="same")(conv1)
    conv2 = keras.layers.BatchNormalization()(conv2)
    conv2 = keras.layers.ReLU()(conv2)

    gap = keras.layers.GlobalAveragePooling1D()(conv2)
    output_layer = keras.layers.Dense(num_classes, activation="softmax")(gap)
    return keras.models.Model(inputs=input_layer, outputs=output_layer)


def gru(frames, mask, n_classes, *, units=6):
    import keras

    return keras.layers.Dense(n_classes, activation="softmax")(keras.layers.GRU(units)(frames))


def logits(frames, mask, n_classes):
    import keras

    return keras.layers.Dense(n_classes)(networks.masked_mean(keras.layers.Dense(8)(frames), mask))


def softmax(n, frames, mask):
    import keras

    return keras.layers.Dense(n, activation="softmax")(networks.masked_mean(frames, mask))


def sequential(frames, mask, n_classes):
    import keras

    return keras.Sequential([keras.layers.LSTM(6), keras.layers.Dense(n_classes, activation="softmax")])


def model_with_a_gru(frames, mask, n_classes):
    import keras

    x = keras.layers.GRU(6)(frames)
    return keras.Model(frames, keras.layers.Dense(n_classes, activation="softmax")(x))


def model_of_two_inputs(frames, mask, n_classes):
    import keras

    x = keras.layers.GRU(6)(frames, mask=mask)
    return keras.Model([frames, mask], keras.layers.Dense(n_classes, activation="softmax")(x))


def of_own_layers(frames, mask, n_classes):
    import keras

    class Scale(keras.layers.Layer):  # which Keras cannot find by its name
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.scale

    x = networks.attention_pooling(Scale()(frames), mask, units=4, std=True)
    return keras.layers.Dense(n_classes, activation="softmax")(x)


# ------------------------------------------------------------------------------------------------ networks of all kinds


@pytest.mark.parametrize(
    "network",
    [
        networks.attention_cnn,
        networks.statistics_network,
        gru,
        logits,
        sequential,
        of_own_layers,
        timeseries,
        model_with_a_gru,
        model_of_two_inputs,
    ],
)
def test_it_learns_and_is_saved_and_padding_is_masked(network, frames):
    X, y = frames
    params = {**TRAINING, "epochs": 8, "from_logits": network is logits}
    classifier = clone(NetworkClassifier(network, **params)).fit(X, y)
    expected = classifier.predict_proba(X)
    assert classifier.score(X, y) > 0.6
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict_proba(X), expected)
    if network not in (timeseries, model_with_a_gru):  # which begin without a mask
        alone = X[7:8, : (~np.isnan(X[7, :, 0])).sum()]
        np.testing.assert_allclose(classifier.predict_proba(alone)[0], expected[7], atol=1e-6)


def test_frames_are_zero_where_the_mask_is_false(frames):
    import keras

    X = frames[0]
    padded = keras.Input((None, 3))
    masked, mask = keras.Model(padded, networks.mask_padding(padded)).predict_on_batch(X)
    np.testing.assert_array_equal(mask, ~np.isnan(X[:, :, 0]))
    np.testing.assert_array_equal(masked, np.nan_to_num(X))


@pytest.mark.parametrize(
    "network, message",
    [
        (
            lambda frames, mask, n: frames,
            r"must return the probabilities of 3 classes.*Got a tensor of shape \(None, None",
        ),
        (lambda frames, mask, n: softmax(2, frames, mask), r"Got a tensor of shape \(None, 2\)"),
    ],
    ids=["frames", "two"],
)
def test_what_is_no_probability_is_refused(network, message, frames):
    with pytest.raises(ValueError, match=message):
        NetworkClassifier(network).fit(*frames)


def test_a_network_must_return_a_tensor(frames):
    with pytest.raises(TypeError, match="network <lambda> must return a Keras tensor of probabilities.*Got None"):
        NetworkClassifier(lambda frames, mask, n: None).fit(*frames)


# ----------------------------------------------------------------------------------------------------------- parameters


def test_parameters_of_the_network_are_searched(frames):
    X, y = frames
    pipeline = make_pipeline(FrameWise(StandardScaler()), NetworkClassifier(timeseries, **{**TRAINING, "epochs": 1}))
    search = GridSearchCV(pipeline, {"networkclassifier__network__filters": [4, 6]}, cv=2, error_score="raise").fit(
        X, y
    )
    chosen = search.best_params_["networkclassifier__network__filters"]
    model = search.best_estimator_[-1].model_
    assert {layer.filters for layer in _inner(model) if hasattr(layer, "filters")} == {chosen}


def _inner(model):
    from sklearn_ser.neural._keras import all_layers

    return all_layers(model)


def test_parameters_are_cloned_shown_and_corrected():
    classifier = NetworkClassifier(gru, network__units=5)
    assert classifier.get_params()["network__units"] == 5 == clone(classifier).network_params["units"]
    assert NetworkClassifier(gru).get_params()["network__units"] == 6
    assert "network__units" not in NetworkClassifier(gru).get_params(deep=False)
    assert "network_params={'units': 5}" in repr(classifier)
    assert classifier.set_params(network__units=7, epochs=2).get_params()["network__units"] == 7
    with pytest.raises(ValueError, match=r"network gru takes no parameter 'unit'; did you mean 'units'\?"):
        classifier.set_params(network__unit=3)
    with pytest.raises(ValueError, match="network timeseries takes no parameter 'units'"):
        NetworkClassifier(timeseries, network__units=3).fit(np.ones((4, 5, 2)), [0, 1, 0, 1])
    assert NetworkClassifier().set_params(network=timeseries, network__filters=3).network_params == {"filters": 3}
    with pytest.raises(TypeError, match="unexpected keyword argument 'unit'"):
        NetworkClassifier(gru, unit=3)
    with pytest.raises(ValueError, match="Invalid parameter 'unit'"):
        classifier.set_params(unit=3)


def test_a_partial_function_and_a_callable_object_are_networks(frames):
    X, y = frames
    classifier = NetworkClassifier(functools.partial(gru, units=3), **TRAINING).fit(X, y)
    assert pickle.loads(pickle.dumps(classifier)).predict(X).shape == (60,)


# ---------------------------------------------------------------------------------------------------------------- files


def test_a_function_that_cannot_be_imported_is_replaced_by_the_model_it_made(frames):
    X, y = frames
    units = 4
    local = lambda frames, mask, n_classes: gru(frames, mask, n_classes, units=units)  # noqa: E731
    classifier = NetworkClassifier(local, callbacks=[lambda: _terminate()], **TRAINING).fit(X, y)
    loaded = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert copy.deepcopy(classifier).network is local
    loaded.set_params(callbacks=None).partial_fit(X, y)
    again = pickle.loads(pickle.dumps(loaded))
    with pytest.raises(ValueError, match="<lambda>' is a parameter of this estimator that could not be saved"):
        again.fit(X, y)
    assert again.set_params(network=gru).fit(X, y).score(X, y) > 0.3


def _terminate():
    import keras

    return keras.callbacks.TerminateOnNaN()


def test_pipeline_of_a_program_is_loaded_by_another(frames, tmp_path):
    """The network is a function of the program's `__main__`, and one of its layers unknown to Keras' files."""
    np.savez(tmp_path / "data.npz", X=frames[0], y=frames[1])
    write = """
        import sys, joblib, numpy as np
        from sklearn.pipeline import make_pipeline
        from sklearn_ser import FrameWise, NetworkClassifier
        def network(frames, mask, n_classes):
            import keras
            return keras.layers.Dense(n_classes, activation="softmax")(keras.layers.LSTM(4)(frames))
        data = np.load(sys.argv[1] + "/data.npz")
        pipeline = make_pipeline(FrameWise(), NetworkClassifier(network, epochs=1, random_state=0))
        pipeline.fit(data["X"], data["y"])
        np.save(sys.argv[1] + "/p.npy", pipeline.predict_proba(data["X"]))
        joblib.dump(pipeline, sys.argv[1] + "/pipeline.joblib")
    """
    read = """
        import sys, joblib, numpy as np
        pipeline = joblib.load(sys.argv[1] + "/pipeline.joblib")
        assert not {"keras", "tensorflow"} & set(sys.modules)
        data = np.load(sys.argv[1] + "/data.npz")
        np.testing.assert_array_equal(pipeline.predict_proba(data["X"]), np.load(sys.argv[1] + "/p.npy"))
    """
    run_python(write, tmp_path)
    run_python(read, tmp_path)


def test_attention_weights_of_a_loaded_classifier_write_nothing_to_stderr(frames, tmp_path):
    from sklearn_ser import AttentionBLSTMClassifier

    X, y = frames
    joblib.dump(AttentionBLSTMClassifier([3], epochs=1).fit(X, y), tmp_path / "model.joblib")
    np.save(tmp_path / "X.npy", X)
    code = """
        import sys, joblib, numpy as np
        joblib.load(sys.argv[1] + "/model.joblib").attention_weights(np.load(sys.argv[1] + "/X.npy"))
    """
    assert run_python(code, tmp_path).stderr == ""
    assert (
        run_python("from sklearn_ser.neural import networks; networks.build(networks.dense, (None, 3), 2)").stderr == ""
    )


def test_networks_of_own_layers_resume_from_a_checkpoint(frames, tmp_path):
    X, y = frames
    path = tmp_path / "best.keras"
    NetworkClassifier(of_own_layers, model_checkpoint=path, **{**TRAINING, "epochs": 2}).fit(X, y)
    resumed = NetworkClassifier(of_own_layers, model_checkpoint=path, **{**TRAINING, "epochs": 5}).fit(X, y)
    straight = NetworkClassifier(of_own_layers, **{**TRAINING, "epochs": 5}).fit(X, y)
    np.testing.assert_allclose(resumed.history_["loss"], straight.history_["loss"], rtol=1e-5)
    np.testing.assert_allclose(resumed.predict_proba(X), straight.predict_proba(X), atol=1e-5)
