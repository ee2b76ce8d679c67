"""Anybody's network is a classifier like the others: parameters, masks, files, training as Keras users know it."""

import copy
import functools
import os
import pathlib
import pickle
import subprocess
import sys
import textwrap

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CNNLSTMClassifier, FrameWise, LSTMClassifier, NetworkClassifier
from sklearn_ser.neural import networks

TRAINING = dict(learning_rate=0.02, epochs=3, batch_size=16, random_state=0)


def small(**params):
    sizes = dict(filters=[4], pool_size=2, lstm_units=4, statistics_units=0)
    return CNNLSTMClassifier(**{**sizes, "learning_rate_schedule": None, **TRAINING, **params})


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


@pytest.mark.parametrize("n_heads", [1, 3])
def test_attention_pooling_is_a_mean_and_a_deviation_for_each_head(n_heads):
    import keras

    steps, mask = keras.Input((7, 5)), keras.Input((7,), dtype="bool")
    pooled = networks.attention_pooling(steps, mask, units=4, n_heads=n_heads, std=True)
    model = keras.Model([steps, mask], pooled)
    weights = keras.Model([steps, mask], model.get_layer("attention").output)
    X = np.random.default_rng(0).normal(size=(3, 7, 5)).astype(np.float32)
    real = np.arange(7) < np.array([7, 4, 1])[:, None]
    given = keras.ops.convert_to_numpy(weights([X, real])).reshape(3, n_heads, 7)
    np.testing.assert_allclose(given.sum(axis=2), 1, rtol=1e-5)
    assert not given[np.broadcast_to(~real[:, None], given.shape)].any()
    assert n_heads == 1 or np.ptp(given[0], axis=0).min() > 1e-4  # each looks elsewhere
    mean = np.einsum("nht,ntf->nhf", given, X)
    variance = np.einsum("nht,nhtf->nhf", given, (X[:, None] - mean[:, :, None]) ** 2)
    expected = np.concatenate([mean.reshape(3, -1), np.sqrt(np.maximum(variance, 1e-6)).reshape(3, -1)], axis=1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model([X, real])), expected, atol=1e-5)
    scores = model.get_layer("attention_scores").get_weights()[0]
    assert scores.shape == (4, n_heads)


def _statistics(x, n_correlated, n_scales, n_parts):
    """What `statistics_pooling` says of one clip, written for one clip; NaN where it is too short for a window."""

    def log_std(variance):
        return 0.5 * np.log(variance + 1e-4)

    told = [x.mean(axis=0), log_std(x.var(axis=0))]
    for size in 2 ** np.arange(n_scales):
        hop = max(size // 2, 1)
        starts = np.arange(0, len(x) - 2 * size + 1, hop)
        changes = [x[at + size : at + 2 * size].mean(axis=0) - x[at : at + size].mean(axis=0) for at in starts]
        told.append(log_std(np.mean(np.square(changes), axis=0)) if changes else np.full(x.shape[1], np.nan))
    told.append(np.corrcoef(x[:, :n_correlated].T)[np.triu_indices(n_correlated, 1)])
    part = (np.arange(len(x)) + 0.5) / len(x) * n_parts // 1
    told += [x[part == index].mean(axis=0) - x.mean(axis=0) for index in range(n_parts)]
    return np.concatenate(told)


def test_statistics_pooling_is_what_it_says_of_each_clip_alone():
    import keras

    steps, mask = keras.Input((None, 5)), keras.Input((None,), dtype="bool")
    pooled = networks.statistics_pooling(steps, mask, n_correlated=4, n_scales=5, n_parts=3)
    model = keras.Model([steps, mask], pooled)
    lengths = [90, 64, 41, 7]
    X = np.random.default_rng(0).normal(size=(4, 90, 5)).cumsum(axis=1).astype(np.float32) / 5
    real = np.arange(90) < np.array(lengths)[:, None]
    given = keras.ops.convert_to_numpy(model([X * real[:, :, None], real]))
    for clip, length, row in zip(X, lengths, given, strict=True):
        expected = _statistics(clip[:length].astype(float), 4, 5, 3)
        known = np.isfinite(expected)
        assert known.all() or length == 7
        np.testing.assert_allclose(row[known], expected[known], atol=2e-3)
    one = keras.ops.convert_to_numpy(model([X[:, :1], real[:, :1]]))
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one[:, :5], X[:, 0], atol=1e-6)
    assert not one[:, 5:-15].any()  # a single step neither spreads nor moves


def test_masked_quantiles_are_numpys_of_the_real_steps():
    import keras

    lengths, quantiles = [11, 8, 2, 1, 0], [0.05, 0.5, 0.97, 1.0]
    X = np.random.default_rng(0).normal(size=(5, 11, 3)).astype(np.float32)
    real = np.arange(11) < np.array(lengths)[:, None]
    given = keras.ops.convert_to_numpy(
        networks.masked_quantiles(*map(keras.ops.convert_to_tensor, (X, real)), quantiles)
    )
    for clip, length, values in zip(X, lengths, given, strict=True):
        expected = np.quantile(clip[:length], quantiles, axis=0) if length else np.zeros((4, 3))
        np.testing.assert_allclose(values, expected, atol=1e-6)


def test_levels_and_rhythm_of_the_statistics_network_are_what_it_says_of_each_clip_alone():
    import keras

    frames, mask = keras.Input((None, 9)), keras.Input((None,), dtype="bool")
    model = keras.Model([frames, mask], networks.statistics_network(frames, mask, 2, n_levels=4, trim=False))
    statistics = keras.Model(model.input, model.get_layer("standardise").input)
    lengths = [300, 64, 5, 1]
    X = np.random.default_rng(0).normal(size=(4, 300, 9)).cumsum(axis=1).astype(np.float32) / 5
    real = np.arange(300) < np.array(lengths)[:, None]
    given = keras.ops.convert_to_numpy(statistics([X * real[:, :, None], real]))
    for clip, length, row in zip(X.astype(float), lengths, given, strict=True):
        levels = clip[:length, :8].reshape(length, 4, 2).mean(axis=2)  # the ninth feature is left over
        changes = levels[3:] - levels[:-3] if length > 3 else np.zeros((1, 4))
        level = clip[:length].mean(axis=1)
        above = np.maximum(level - np.median(level), 0)
        power = np.abs(np.fft.fft(above - above.mean(), 512)) ** 2 / length**2
        expected = [
            np.quantile(levels, [0.5, 0.7, 0.8, 0.9, 0.97], axis=0).ravel(),
            np.quantile(changes, [0.05, 0.2, 0.8, 0.95], axis=0).ravel(),
            np.log(power[2:66].reshape(16, 4).mean(axis=1) + 1e-8) / 2 if length > 1 else np.zeros(16),
        ]
        np.testing.assert_allclose(row[-52:], np.concatenate(expected), atol=2e-3)
    without = networks.statistics_network(frames, mask, 2, n_levels=0, rhythm=False)
    assert keras.Model([frames, mask], without).get_layer("standardise").input.shape[1] == given.shape[1] - 52


def test_silence_around_the_speech_is_trimmed():
    import keras

    frames, mask = keras.Input((None, 6)), keras.Input((None,), dtype="bool")
    model = keras.Model([frames, mask], networks.statistics_network(frames, mask, 3, trim=True))
    speech = np.random.default_rng(0).normal(size=(2, 50, 6)).astype(np.float32) + [[[0.0]], [[5.0]]]
    speech[:, [0, -1]] += 3  # begins and ends loud
    silent = np.pad(speech, [(0, 0), (20, 35), (0, 0)], constant_values=-4)
    silent[:, 90:] = 0  # of the padding
    real = np.tile(np.arange(105) < 90, (2, 1))
    expected = keras.ops.convert_to_numpy(model([speech, real[:, :50]]))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model([silent, real])), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3  # which tell clips apart
    nothing = keras.ops.convert_to_numpy(model([0 * speech, np.zeros((2, 50), bool)]))
    assert np.isfinite(nothing).all()


def test_the_projection_of_the_statistics_network_begins_as_a_cosine_transform(frames):
    from scipy.fft import dct

    X, y = frames
    for trainable in (False, True):
        params = dict(n_coefficients=2, trainable_projection=trainable)
        classifier = NetworkClassifier(networks.statistics_network, network_params=params, **TRAINING).fit(X, y)
        weights = classifier.model_.get_layer("projection").get_weights()[0]
        difference = np.abs(weights - dct(np.eye(3), norm="ortho", axis=1)[:, :2]).max()
        assert difference > 1e-3 if trainable else difference < 1e-6


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
        (lambda frames, mask, n: networks.masked_mean(frames, mask)[:, :2], r"Got a tensor of shape \(None, 2\)"),
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
    with pytest.raises(ValueError, match="<lambda>' is a parameter of this classifier that could not be saved"):
        again.fit(X, y)
    assert again.set_params(network=gru).fit(X, y).score(X, y) > 0.3


def _terminate():
    import keras

    return keras.callbacks.TerminateOnNaN()


def run_python(code, *args):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(pathlib.Path(__file__).parents[1]), *sys.path])},
    )
    assert done.returncode == 0, done.stderr
    return done


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
        run_python("from sklearn_ser.neural import networks; networks.dense((None, 3), 2, hidden_units=[2])").stderr
        == ""
    )


def test_networks_of_own_layers_resume_from_a_checkpoint(frames, tmp_path):
    X, y = frames
    path = tmp_path / "best.keras"
    NetworkClassifier(of_own_layers, model_checkpoint=path, **{**TRAINING, "epochs": 2}).fit(X, y)
    resumed = NetworkClassifier(of_own_layers, model_checkpoint=path, **{**TRAINING, "epochs": 5}).fit(X, y)
    straight = NetworkClassifier(of_own_layers, **{**TRAINING, "epochs": 5}).fit(X, y)
    np.testing.assert_allclose(resumed.history_["loss"], straight.history_["loss"], rtol=1e-5)
    np.testing.assert_allclose(resumed.predict_proba(X), straight.predict_proba(X), atol=1e-5)


# ------------------------------------------------------------------------------------------- training as Keras knows it


def test_callbacks_are_copied_or_made_for_each_fit(frames):
    import keras

    class Count(keras.callbacks.Callback):
        made = []

        def on_train_begin(self, logs=None):
            Count.made.append(self)
            self.epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    given = Count()
    classifier = clone(small(callbacks=[given, Count]))
    classifier.fit(*frames).fit(*frames)
    assert len({id(callback) for callback in Count.made}) == 4 and given not in Count.made
    assert [callback.epochs for callback in Count.made] == [3] * 4
    assert given.model is None
    with pytest.raises(TypeError, match="callbacks must hold keras.callbacks.Callback objects.*Got 3"):
        small(callbacks=[3]).fit(*frames)


def test_a_keras_callback_stops_training(frames):
    import keras

    stop = keras.callbacks.EarlyStopping("loss", min_delta=10, patience=1)
    assert len(small(callbacks=stop, epochs=9).fit(*frames).history_["loss"]) == 2


def test_loss_and_metrics_get_the_targets_that_they_read(frames):
    import keras

    X, y = frames
    expected = small().fit(X, y)
    one_hot = small(loss="categorical_crossentropy").fit(X, y)
    np.testing.assert_allclose(one_hot.predict_proba(X), expected.predict_proba(X), atol=1e-5)
    shapes = []

    def squared(y_true, y_pred):
        shapes.append((y_true.shape[-1], y_pred.shape[-1]))
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    metric = keras.metrics.F1Score(average="macro")
    history = clone(small(loss=squared, metrics=["accuracy", metric])).fit(X, y).history_
    assert set(shapes) == {(3, 3)}
    assert set(history) == {"loss", "accuracy", "f1_score"} and 0 < history["f1_score"][-1] <= 1
    focal = small(loss=keras.losses.CategoricalFocalCrossentropy(gamma=0.0, alpha=1.0), metrics="accuracy").fit(X, y)
    np.testing.assert_allclose(focal.predict_proba(X), expected.predict_proba(X), atol=1e-4)
    with pytest.raises(ValueError, match="loss must be the name of a Keras loss.*Got 'crossentropie'"):
        small(loss="crossentropie").fit(X, y)
    with pytest.raises(ValueError, match="metrics must hold names of Keras metrics.*Got 'uar'"):
        small(metrics=["uar"]).fit(X, y)


def test_smoothed_labels_flatten_probabilities(frames):
    X, y = frames
    sharp, flat = (
        small(label_smoothing=smoothing, epochs=30).fit(X, y).predict_proba(X).max(axis=1).mean()
        for smoothing in (0, 0.6)
    )
    assert flat < 0.75 < sharp
    with pytest.raises(ValueError, match="label_smoothing and mixup need a loss that reads one-hot targets"):
        import keras

        small(label_smoothing=0.1, loss=keras.losses.SparseCategoricalCrossentropy()).fit(X, y)


@pytest.mark.parametrize("schedule", ["cosine", "linear", lambda epoch, rate: rate / 2])
def test_learning_rate_follows_its_schedule(schedule, frames):
    rates = small(learning_rate_schedule=schedule, learning_rate=0.04, epochs=4).fit(*frames).history_["learning_rate"]
    wanted = {
        "cosine": 0.04 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2,
        "linear": 0.04 * (1 - np.arange(4) / 4),
    }.get(schedule, 0.04 / 2 ** np.arange(1, 5))
    np.testing.assert_allclose(rates, wanted, rtol=1e-5)


def test_a_schedule_object_counts_steps_and_a_warm_start_begins_a_named_one_anew(frames):
    import keras

    schedule = keras.optimizers.schedules.ExponentialDecay(0.04, decay_steps=4, decay_rate=0.5)
    classifier = small(learning_rate_schedule=schedule, learning_rate=None).fit(*frames)  # four batches an epoch
    assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(0.04 / 8)
    classifier = small(learning_rate_schedule="linear", warm_start=True, epochs=2).fit(*frames).fit(*frames)
    np.testing.assert_allclose(classifier.history_["learning_rate"], [0.02, 0.01] * 2, rtol=1e-5)


def test_validation_data_is_watched(frames):
    X, y = frames
    held = X[::3], y[::3]
    rest = np.arange(60) % 3 > 0
    classifier = small(epochs=2).fit(X[rest], y[rest], validation_data=held)
    p = classifier.predict_proba(held[0])[np.arange(20), np.searchsorted(classifier.classes_, held[1])]
    assert classifier.history_["val_loss"][-1] == pytest.approx(-np.log(p).mean(), rel=1e-4)
    stopped = small(early_stopping=True, n_iter_no_change=1, tol=10.0, epochs=9)
    assert len(stopped.fit(X[rest], y[rest], validation_data=held).history_["val_loss"]) == 2
    with pytest.raises(ValueError, match="validation_data must be a tuple"):
        small().fit(X, y, validation_data=X)
    with pytest.raises(ValueError, match=r"y of validation_data holds the classes \['joy'\]"):
        small().fit(X, y, validation_data=(X[:1], ["joy"]))


def test_scikit_learns_callbacks_see_the_epochs(frames):
    pytest.importorskip("sklearn.callback")

    class Count:
        epochs, scores = 0, []

        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            if context.task_name == "epoch":
                self.epochs += 1
                self.scores.append(fitted_estimator.score(X, y))
                return self.epochs == 2

    count = Count()
    classifier = small(epochs=5).set_callbacks(count).fit(*frames)
    assert count.epochs == 2 == len(classifier.history_["loss"])
    assert count.scores[-1] == classifier.score(*frames)


# ---------------------------------------------------------------------------------------------------------- fine-tuning


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("continue_", ["warm_start", "partial_fit"])
def test_frozen_layers_stay_as_they_are(loaded, continue_, frames):
    X, y = frames
    classifier = small(warm_start=True, epochs=1).fit(X, y)
    classifier.model_.get_layer("conv_0").trainable = False
    if loaded:
        classifier = pickle.loads(pickle.dumps(classifier))
    model = classifier.model_
    before = [layer.get_weights() for layer in model.layers]
    getattr(classifier, "fit" if continue_ == "warm_start" else "partial_fit")(X, y)
    for layer, old in zip(model.layers, before, strict=True):
        changed = any((a != b).any() for a, b in zip(old, layer.get_weights(), strict=True))
        assert changed == (bool(old) and layer.name != "conv_0"), layer.name
    model.get_layer("conv_0").trainable = True
    classifier.partial_fit(X, y)
    assert (
        model.get_layer("conv_0").get_weights()[0] != before[model.layers.index(model.get_layer("conv_0"))][0]
    ).any()


def test_new_speakers_need_not_have_all_classes(frames):
    X, y = frames
    two = y != "sadness"
    for class_weight in (None, "balanced", {"anger": 2.0}):
        classifier = small(warm_start=True, class_weight=class_weight, epochs=1).fit(X, y).fit(X[two], y[two])
        assert list(classifier.classes_) == ["anger", "neutral", "sadness"]
        assert classifier.predict_proba(X).shape == (60, 3)


def test_another_optimizer_is_taken_when_training_continues(frames):
    classifier = (
        small(warm_start=True, epochs=1).fit(*frames).set_params(optimizer="sgd", loss="categorical_crossentropy")
    )
    assert type(classifier.fit(*frames).model_.optimizer).__name__ == "SGD"


def test_training_that_continues_is_not_compiled_again(frames):
    classifier = small(epochs=1).partial_fit(*frames)
    compiled = classifier.model_.train_function
    assert classifier.partial_fit(*frames).model_.train_function is compiled


# --------------------------------------------------------------------------------------------------------- augmentation


def augment(**params):
    from sklearn_ser.neural._frame_augmentation import FrameAugmentation

    return FrameAugmentation(**params)


def test_masks_are_stretches_of_zeros():
    rng = np.random.default_rng(0)
    clip = np.ones((100, 40), np.float32)
    altered = augment(time_mask=0.2, feature_mask=0.25).alter(clip, rng)
    times, features = (altered == 0).all(axis=1), (altered == 0).all(axis=0)
    assert 0 < times.sum() < 40 and 0 < features.sum() < 20
    np.testing.assert_array_equal(altered == 0, times[:, None] | features)
    assert (clip == 1).all()


def test_speed_and_shift_keep_the_shape_of_what_they_move():
    rng = np.random.default_rng(0)
    clip = np.tile(np.linspace(0, 1, 200, dtype=np.float32)[:, None], (1, 8))
    lengths = {len(augment(speed=0.2).alter(clip, rng)) for _ in range(50)}
    assert 200 * np.exp(-0.2) - 1 <= min(lengths) < 190 and 210 < max(lengths) <= 200 * np.exp(0.2) + 1
    faster = augment(speed=0.2).alter(clip, rng)
    np.testing.assert_allclose(faster[:, 3], np.linspace(0, 1, len(faster)), atol=1e-5)
    tone = np.zeros((5, 21), np.float32)
    tone[:, 10] = 1
    centres = [augment(feature_shift=3).alter(tone, rng)[0] @ np.arange(21) for _ in range(100)]
    assert 7 <= min(centres) < 8 and 12 < max(centres) <= 13


def test_a_crop_is_a_part_of_the_clip():
    rng = np.random.default_rng(0)
    clip = np.arange(50, dtype=np.float32)[:, None]
    for _ in range(50):
        part = augment(crop=0.4).alter(clip, rng)[:, 0]
        assert 20 <= len(part) <= 50 and (np.diff(part) == 1).all()


def test_mixtures_keep_padding_and_mix_targets_alike():
    rng = np.random.default_rng(0)
    X = np.ones((6, 4, 1), np.float32) * np.arange(6, dtype=np.float32)[:, None, None]
    X[::2, 2:] = np.nan
    mixed, y, weight = augment(mixup=0.5)(X, np.array([2, 4] * 3), np.eye(6, dtype=np.float32), None, rng)
    np.testing.assert_array_equal(np.isnan(mixed[:, :4]), np.isnan(X))
    np.testing.assert_allclose(y @ np.arange(6), mixed[:, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    assert (y.argmax(axis=1) == np.arange(6)).all() and weight is None


def test_augmented_training_learns_and_is_reproducible(frames):
    X, y = frames
    params = dict(time_mask=0.2, feature_mask=0.4, feature_shift=0.2, speed=0.2, crop=0.7, mixup=0.2, epochs=8)
    first, second = (small(**params).fit(X, y) for _ in range(2))
    assert first.score(X, y) > 0.8
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    features = LSTMClassifier(4, **{**TRAINING, **params, "epochs": 1}).fit(X[:, 0], y)
    assert features.predict(X[:, 0]).shape == (60,)
