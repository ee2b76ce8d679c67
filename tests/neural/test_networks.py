"""Each neural classifier's network is what its docstring says: padding, steps, attention, layers."""

import copy
import functools
import pickle

import numpy as np
import pytest
import scipy.special
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AttentionBLSTMClassifier,
    CNNClassifier,
    CNNLSTMClassifier,
    DenseClassifier,
    HandcraftedFeatures,
    LSTMClassifier,
    StackedLSTMClassifier,
)
from sklearn_ser.neural import networks

SMALL = dict(epochs=6, batch_size=16, learning_rate=0.02, random_state=0)
CLASSIFIERS = [
    AttentionBLSTMClassifier([6], dense_units=[8], pool_size=1, dropout=0.1, **SMALL),
    AttentionBLSTMClassifier([6], dense_units=[], pool_size=3, **SMALL),
    AttentionBLSTMClassifier(
        [4, 4], dense_units=[], pool_size=1, attention=False, dropout=0.0, initial_scale=0.1, **SMALL
    ),
    CNNClassifier(filters=[8, 8], pool_size=2, **SMALL),
    CNNLSTMClassifier(filters=[8], pool_size=2, lstm_units=[8, 4], dense_units=[8, 6], statistics_units=0, **SMALL),
    CNNLSTMClassifier(filters=[4], pool_size=2, lstm_units=4, statistics_units=8, **SMALL),
    DenseClassifier([16, 8], input_noise=0.1, **SMALL),
    LSTMClassifier(8, **SMALL),
    LSTMClassifier(8, pooling="mean", **SMALL),
    StackedLSTMClassifier([8, 8], dense_units=[8], **SMALL),
]
NAMES = [f"{type(c).__name__}-{i}" for i, c in enumerate(CLASSIFIERS)]


@pytest.fixture(scope="module")
def trained(frames):
    """A classifier as trained on the frames, each only once: who changes it changes a copy."""
    return functools.cache(lambda classifier: clone(classifier).fit(*frames))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
def test_it_learns_ignores_padding_and_is_saved(classifier, trained, frames):
    X, y = frames
    fitted = trained(classifier)
    expected = fitted.predict_proba(X)
    assert fitted.score(X, y) > 0.7

    more_padding = np.pad(X, ((0, 0), (0, 5), (0, 0)), constant_values=np.nan)
    np.testing.assert_allclose(fitted.predict_proba(more_padding), expected, atol=1e-6)
    alone = X[7:8, : (~np.isnan(X[7, :, 0])).sum()]
    np.testing.assert_allclose(fitted.predict_proba(alone)[0], expected[7], atol=1e-6)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), expected)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
def test_padding_does_not_change_training(classifier, frames):
    X, y = frames
    # The longest clips take up all batches' frames; what follows them is a clip's own padding, of two lengths.
    ends = np.where(np.arange(60) % 3, 12, 6)
    X = np.where(np.arange(12)[:, None] < ends[:, None, None], np.nan_to_num(X), np.nan).astype(np.float32)
    filled = np.pad(X, ((0, 0), (0, 6), (0, 0)), constant_values=np.nan)
    filled[0] = np.nan_to_num(filled[0])  # one clip as long as it gets, so that its batch is not cropped
    np.testing.assert_allclose(
        clone(classifier).set_params(epochs=1, batch_size=60).fit(filled, y).predict_proba(X[1:]),
        clone(classifier)
        .set_params(epochs=1, batch_size=60)
        .fit(np.pad(filled, ((0, 0), (0, 4), (0, 0)), constant_values=np.nan), y)
        .predict_proba(X[1:]),
        atol=1e-5,
    )


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
def test_features_are_clips_of_one_frame(classifier, frames):
    X, y = frames[0][:, 0], frames[1]
    fitted = clone(classifier).set_params(epochs=1).fit(X, y)
    assert fitted.n_features_in_ == 3
    np.testing.assert_allclose(fitted.predict_proba(X), fitted.predict_proba(X[:, np.newaxis]), atol=1e-6)


# ------------------------------------------------------------------------------------------------- convolutional blocks


def test_pooling_first_finds_the_maxima_of_the_published_order(frames):
    """Conv -> BatchNorm -> ELU -> MaxPool with the trained weights, written out, gives what the network gives."""
    X = np.random.default_rng(0).normal(size=(40, 12, 3)).astype(np.float32)
    X[:20] += 0.5
    classifier = CNNClassifier(filters=[5], kernel_size=3, pool_size=4, dropout=0.0, **SMALL).fit(X, np.arange(40) < 20)
    layer = classifier.model_.get_layer
    kernel, bias = layer("conv_0").get_weights()
    gamma, beta, mean, variance = layer("batch_norm_0").get_weights()
    assert (gamma > 0).all()
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(X, ((0, 0), (1, 1), (0, 0))), 3, axis=1)
    x = np.einsum("ntfk,kfo->nto", windows, kernel) + bias
    x = (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    x = np.where(x > 0, x, np.expm1(x))
    x = x.reshape(40, 3, 4, 5).max(axis=2).mean(axis=1)
    weights, offset = layer("probabilities").get_weights()
    scores = np.exp(x @ weights + offset)
    np.testing.assert_allclose(
        classifier.predict_proba(X), scores / scores.sum(axis=1, keepdims=True), atol=1e-5, rtol=1e-4
    )


def test_cnn_lstm_has_the_layers_asked_for(frames):
    classifier = CNNLSTMClassifier(
        filters=[4], lstm_units=(6, 5), dense_units=(7, 3), epochs=1, spatial_dropout=0.0, statistics_units=0
    ).fit(*frames)
    shapes = {layer.name: layer.output.shape[-1] for layer in classifier.model_.layers if hasattr(layer, "output")}
    order = ["conv_0", "lstm_0", "lstm_1", "dense_0", "dense_batch_norm_0", "dense_1", "dropout", "probabilities"]
    assert [shapes[name] for name in order] == [4, 6, 5, 7, 7, 3, 3, 3]
    assert [name for name in shapes if name in order] == order


def test_cnn_lstm_decides_by_statistics_beside_the_lstm_in_training_for_half_of_the_clips_by_them_alone(frames):
    import keras

    X = frames[0]
    sizes = dict(filters=[4], kernel_size=[3], strides=[1], pool_size=[2], lstm_units=[5], statistics_units=6)
    sizes |= dict(dropout=0.0, spatial_dropout=0.0)
    model = networks.build(networks.cnn_lstm, (12, 3), 3, params=sizes)
    parts = keras.Model(model.input, [model.get_layer("lstm_0").output, model.get_layer("statistics_dense_0").output])
    state, statistics = (keras.ops.convert_to_numpy(part) for part in parts(X))
    weights, bias = model.get_layer("probabilities").get_weights()

    def said(state):
        return scipy.special.softmax(np.hstack([state, statistics]) @ weights + bias, axis=1)

    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(X)), said(state), atol=1e-5)
    for layer in model.layers:  # which then behave in training as they do in predicting
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    given = keras.ops.convert_to_numpy(model(X, training=True))
    alone, together = (np.abs(given - said(times * state)).max(axis=1) < 1e-5 for times in (0, 2))
    np.testing.assert_array_equal(alone, ~together)
    assert 15 < alone.sum() < 45


def test_statistics_are_of_frames_and_not_of_chunks(frames):
    small = CNNLSTMClassifier(filters=[4], lstm_units=4, epochs=1, random_state=0)
    has_statistics = {
        kind: any(
            "statistics" in layer.name for layer in clone(small).set_params(input_type=kind).fit(*frames).model_.layers
        )
        for kind in ("frames", "chunks")
    }
    assert has_statistics == {"frames": True, "chunks": False}


# ------------------------------------------------------------------------------------------------------------ attention


@pytest.mark.parametrize("classifier", CLASSIFIERS[:2], ids=["frames", "pooled"])
def test_attention_is_a_distribution_over_the_real_frames(classifier, trained, frames):
    X = frames[0]
    fitted = trained(classifier)
    more_padding = np.pad(X, ((0, 0), (0, 5), (0, 0)), constant_values=np.nan)
    weights = fitted.attention_weights(more_padding)
    assert weights.shape == (60, 17)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    padding = np.isnan(more_padding[:, :, 0])
    assert (weights[padding] == 0).all() and (weights[~padding] > 0).all()
    assert weights[~padding].std() > 0
    np.testing.assert_array_equal(fitted.attention_weights(X[:, 0]), np.ones((60, 1)))


def test_a_step_is_the_mean_of_its_frames(trained, frames):
    """Frames averaged beforehand give what the network makes of them by itself, and share their step's weight."""
    X, y = frames
    pooled = trained(CLASSIFIERS[1])
    steps = np.full((60, 4, 3), np.nan, np.float32)
    for row in range(60):
        for step in range(4):
            window = X[row, 3 * step : 3 * step + 3]
            if not np.isnan(window[0, 0]):
                steps[row, step] = np.nanmean(window, axis=0)
    plain = clone(CLASSIFIERS[1]).set_params(epochs=1, pool_size=1).fit(steps, y)
    plain.model_.set_weights(pooled.model_.get_weights())
    np.testing.assert_allclose(plain.predict_proba(steps), pooled.predict_proba(X), rtol=1e-4)
    of_steps = np.add.reduceat(pooled.attention_weights(X), [0, 3, 6, 9], axis=1)
    np.testing.assert_allclose(plain.attention_weights(steps), of_steps, rtol=1e-3)


def test_without_attention_frames_count_the_same(trained, frames):
    X = frames[0]
    weights = trained(CLASSIFIERS[2]).attention_weights(X)
    real = ~np.isnan(X[:, :, 0])
    np.testing.assert_allclose(weights, real / real.sum(axis=1, keepdims=True), rtol=1e-5)


def test_the_clip_is_the_weighted_mean_of_what_the_lstm_says(trained, frames):
    import keras

    X = frames[0]
    fitted = trained(CLASSIFIERS[0])
    states = keras.Model(fitted.model_.input, fitted.model_.get_layer("blstm_0").output).predict_on_batch(X)
    clips = np.einsum("nt,nth->nh", fitted.attention_weights(X), states)
    kernel, bias = fitted.model_.get_layer("probabilities").get_weights()
    scores = np.exp(clips @ kernel + bias)
    np.testing.assert_allclose(fitted.predict_proba(X), scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_the_clip_is_the_last_or_the_mean_state_of_the_lstm(pooling, frames):
    X, y = frames
    fitted = LSTMClassifier(4, pooling=pooling, epochs=1, random_state=0).fit(X, y)
    lstm = fitted.model_.get_layer("lstm_0")
    kernel, recurrent, bias = lstm.get_weights()
    clips = []
    for clip in X:
        h, c, states = np.zeros(4), np.zeros(4), []
        for frame in clip[~np.isnan(clip[:, 0])]:
            i, f, candidate, o = np.split(frame @ kernel + h @ recurrent + bias, 4)
            i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
            c = f * c + i * np.tanh(candidate)
            h = o * np.tanh(c)
            states.append(h)
        clips.append(states[-1] if pooling == "last" else np.mean(states, axis=0))
    kernel, bias = fitted.model_.get_layer("probabilities").get_weights()
    scores = np.exp(np.array(clips) @ kernel + bias)
    np.testing.assert_allclose(fitted.predict_proba(X), scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)


def test_attention_finds_the_frame_that_tells():
    """One frame of twelve, marked, holds the class; the others are noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=0.3, size=(160, 12, 3)).astype(np.float32)
    y, place = np.arange(160) % 2, rng.integers(0, 12, 160)
    X[np.arange(160), place, 0] = 2.0
    X[np.arange(160), place, 1] = 2.0 * y - 1.0
    fitted = AttentionBLSTMClassifier(
        [4], dense_units=[8], pool_size=1, dropout=0.0, epochs=25, learning_rate=0.02, random_state=0
    ).fit(X, y)
    weights = fitted.attention_weights(X)
    assert fitted.score(X, y) > 0.9
    assert weights[np.arange(160), place].mean() > 2 / 12


def test_padding_has_no_weight_however_sharp_attention_is(trained, frames):
    """Scores far below that of padding, zero, must not vanish."""
    X = frames[0]
    fitted = copy.deepcopy(trained(CLASSIFIERS[0]))
    theta = fitted.model_.get_layer("theta")
    theta.set_weights([-1e4 * np.sign(fitted.model_.get_layer("theta").get_weights()[0] + 1e-9)])
    np.testing.assert_allclose(fitted.attention_weights(X).sum(axis=1), 1, rtol=1e-5)
    theta.set_weights([-theta.get_weights()[0]])
    np.testing.assert_allclose(fitted.attention_weights(X).sum(axis=1), 1, rtol=1e-5)


def test_attention_weights_are_of_the_network_as_trained(trained, frames):
    X = frames[0]
    fitted = copy.deepcopy(trained(CLASSIFIERS[1]))
    expected = fitted.attention_weights(X)
    np.testing.assert_array_equal(fitted.set_params(pool_size=5).attention_weights(X), expected)


def test_attention_weights_need_a_fitted_network(frames):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        AttentionBLSTMClassifier().attention_weights(frames[0])


# --------------------------------------------------------------------------------------------------------- steps, dense


@pytest.mark.parametrize(
    "step_size, steps",
    [(None, [[1, 2, 3, 4, 5]]), (1, [[1], [2], [3], [4], [5]]), (2, [[1, 2], [3, 4], [5, 0]])],
    ids=str,
)
def test_features_are_read_in_steps(step_size, steps, monkeypatch):
    from sklearn_ser.neural import _keras

    seen = []
    fit = _keras.Wrapper.fit
    monkeypatch.setattr(_keras.Wrapper, "fit", lambda self, X, *a, **k: seen.append(X) or fit(self, X, *a, **k))
    X = np.tile([1.0, 2, 3, 4, 5], (8, 1))
    classifier = StackedLSTMClassifier([2], step_size=step_size, epochs=1).fit(X, np.arange(8) % 2)
    np.testing.assert_array_equal(seen[0], np.tile(steps, (8, 1, 1)))
    assert classifier.predict_proba(X[:3]).shape == (3, 2)
    with pytest.raises(ValueError, match="6 features, but StackedLSTMClassifier is expecting 5"):
        classifier.predict(np.ones((1, 6)))


def test_dense_layers_are_a_perceptron_whose_output_is_averaged(frames):
    X, y = frames
    fitted = DenseClassifier([6], activation="tanh", **SMALL).fit(X, y)
    (hidden, hidden_bias), (kernel, bias) = (
        fitted.model_.get_layer(name).get_weights() for name in ("dense_0", "probabilities")
    )
    scores = np.exp(np.nanmean(np.tanh(X @ hidden + hidden_bias), axis=1) @ kernel + bias)
    np.testing.assert_allclose(fitted.predict_proba(X), scores / scores.sum(axis=1, keepdims=True), rtol=1e-4)


# ----------------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    "classifier, message",
    [
        (
            AttentionBLSTMClassifier([]),
            r"lstm_units must hold a positive int for each layer, at least 1 of them. Got .*\[\]",
        ),
        (StackedLSTMClassifier([0]), "lstm_units must hold a positive int"),
        (CNNLSTMClassifier(dense_units=[2.5]), "dense_units must hold a positive int"),
        (DenseClassifier(["a"]), "hidden_units must hold a positive int"),
        (LSTMClassifier([3]), "'lstm_units' parameter of LSTMClassifier must be an int"),
        (StackedLSTMClassifier(step_size=0), "'step_size' parameter of StackedLSTMClassifier"),
        (AttentionBLSTMClassifier(attention="mean"), "'attention' parameter of AttentionBLSTMClassifier"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_wrong_parameters_are_named(classifier, message, frames):
    with pytest.raises(ValueError, match=message):
        classifier.fit(*frames)


def test_one_layer_can_be_given_as_its_size(frames):
    for classifier in (
        DenseClassifier(4),
        StackedLSTMClassifier(3, dense_units=2),
        AttentionBLSTMClassifier(3, dense_units=2),
    ):
        classifier.set_params(epochs=1).fit(*frames)


def test_pandas_output_elsewhere_changes_nothing(frames):
    with config_context(transform_output="pandas"):
        assert DenseClassifier([4], epochs=1).fit(*frames).predict(frames[0]).shape == (60,)


def test_an_optimizer_given_as_a_dict_is_left_as_it_is(frames):
    optimizer = {"class_name": "SGD", "config": {"momentum": 0.9, "nesterov": True}}
    classifier = DenseClassifier(optimizer=optimizer, epochs=1).fit(*frames)
    assert classifier.optimizer == {"class_name": "SGD", "config": {"momentum": 0.9, "nesterov": True}}


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
def test_every_hyperparameter_is_documented_with_its_default(classifier):
    text = type(classifier).__doc__
    assert "<train" not in text
    for name, value in type(classifier)().get_params().items():
        described = [line for line in text.splitlines() if " : " in line]
        line = next(line for line in described if name in line.split(" : ")[0].replace(",", "").split())
        assert str(value) in line or (name, value) == ("tol", 1e-4), line


def test_grid_search_over_a_network(tones):
    pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), DenseClassifier([8], epochs=2, random_state=0))
    search = GridSearchCV(pipeline, {"denseclassifier__hidden_units": [[4], [4, 4]]}, cv=2).fit(
        tones, [0, 1, 0, 1, 0, 1]
    )
    assert len(search.cv_results_["mean_test_score"]) == 2
