"""What the parameters of training mean: callbacks, losses, schedules, frozen layers, augmentation of frames."""

import pickle

import helpers
import numpy as np
import pytest
from helpers import TRAINING
from sklearn.base import clone

from sklearn_ser import LSTMClassifier


def small(**params):
    """A smaller one."""
    return helpers.small(**{"filters": [4], "lstm_units": 4, **TRAINING, **params})


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
    from sklearn_ser.neural.training._frame_augmentation import FrameAugmentation

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
