"""Fine-tuning a pretrained encoder: what learns, how fast, and what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from tiny_whisper import write_whisper

from sklearn_ser import SegmentClassifier, WhisperClassifier, WhisperFeatures
from sklearn_ser.neural.training._compile import make_optimizer
from sklearn_ser.pretrained._encoder import load_encoder
from sklearn_ser.systems import whisper_discriminants


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_whisper(tmp_path_factory.mktemp("models") / "tiny", scale=0.1)


@pytest.fixture(scope="module")
def noises():
    """Clips of low noise and of high noise, of different lengths."""
    rng = np.random.default_rng(0)
    white = [rng.normal(scale=0.1, size=3000 + 300 * i) for i in range(16)]
    clips = [np.cumsum(w) / 30 if i % 2 else np.diff(w) for i, w in enumerate(white)]
    return [clip.astype(np.float32) for clip in clips], np.array(["high", "low"] * 8)


@pytest.fixture(scope="module")
def frames(folder, noises):
    return WhisperFeatures(folder, None, pooling=None).fit_transform(noises[0])


@pytest.fixture(scope="module")
def classifier(folder, frames, noises):
    model = WhisperClassifier(folder, 2, epochs=8, learning_rate=0.02, encoder_learning_rate=1e-3, random_state=0)
    return model.fit(frames, noises[1])


def changes(classifier, folder):
    """How far each of the encoder's layers has moved."""
    pretrained = load_encoder(Path(folder), classifier.layer).network((classifier.layer,))
    return {
        layer.name: max(
            np.abs(before - after).max()
            for before, after in zip(
                layer.get_weights(), classifier.model_.get_layer(layer.name).get_weights(), strict=True
            )
        )
        for layer in pretrained.layers
        if layer.weights
    }


def test_it_learns_and_is_pickled(classifier, frames, noises):
    assert classifier.score(frames, noises[1]) == 1
    copy = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(copy.predict_proba(frames), classifier.predict_proba(frames))


def test_only_the_last_blocks_learn(classifier, folder):
    for name, change in changes(classifier, folder).items():
        assert (change > 0) == name.startswith("block_2_"), name


def test_encoder_and_head_have_rates_of_their_own(folder, frames, noises):
    """Adam's first step is as long as the learning rate, or shorter where gradients are next to nothing."""
    model = WhisperClassifier(
        folder,
        2,
        trainable_layers=None,
        epochs=1,
        learning_rate=1e-2,
        encoder_learning_rate=1e-4,
        dropout=0.0,
        random_state=0,
    ).fit(frames, noises[1])
    moved = changes(model, folder)
    assert moved.pop("positions") == 0
    steps = np.array(list(moved.values()))
    np.testing.assert_allclose(np.median(steps), 1e-4, rtol=0.02)
    assert 2e-5 < steps.min() and steps.max() < 1.02e-4
    bias = model.model_.get_layer("probabilities").get_weights()[1]
    np.testing.assert_allclose(np.abs(bias), 1e-2, rtol=0.05)


def test_a_resumed_training_keeps_the_rates(folder, frames, noises, tmp_path):
    params = dict(epochs=2, learning_rate=1e-2, encoder_learning_rate=1e-4, random_state=0)
    whole = WhisperClassifier(folder, 1, **params).fit(frames, noises[1])
    checkpoint = tmp_path / "training.keras"
    first = WhisperClassifier(folder, 1, **{**params, "epochs": 1}, model_checkpoint=checkpoint).fit(frames, noises[1])
    resumed = clone(first).set_params(epochs=2).fit(frames, noises[1])
    np.testing.assert_allclose(resumed.predict_proba(frames), whole.predict_proba(frames), atol=1e-4)
    assert 0 < max(changes(resumed, folder).values()) < 4e-4


def test_a_warm_start_has_the_rates_that_are_set_now(folder, frames, noises):
    params = dict(trainable_layers=None, epochs=1, dropout=0.0, random_state=0, batch_size=16, optimizer="sgd")
    model = WhisperClassifier(folder, 1, warm_start=True, encoder_learning_rate=1e-9, learning_rate=1e-3, **params)
    model.fit(frames, noises[1])
    before = model.model_.get_layer("block_1_expand").get_weights()[0]
    model.set_params(encoder_learning_rate=1e-2).fit(frames, noises[1])
    faster = np.abs(model.model_.get_layer("block_1_expand").get_weights()[0] - before).max()
    before = model.model_.get_layer("block_1_expand").get_weights()[0]
    model.set_params(encoder_learning_rate=1e-9, learning_rate=1e-2).fit(frames, noises[1])
    assert np.abs(model.model_.get_layer("block_1_expand").get_weights()[0] - before).max() < 1e-4 * faster
    from keras.optimizers.schedules import ExponentialDecay

    model = WhisperClassifier(folder, 1, learning_rate_schedule=ExponentialDecay(1e-1, 1000, 0.9), **params)
    assert model._encoder_rate(make_optimizer(model)) == pytest.approx(3e-5 / 1e-1)


def test_predictions_do_not_depend_on_padding_or_on_the_clips_beside(classifier, frames):
    expected = classifier.predict_proba(frames)
    padded = np.pad(frames, ((0, 0), (0, 99), (0, 0)), constant_values=np.nan)
    np.testing.assert_array_equal(classifier.predict_proba(padded)[::-1], expected[::-1])
    np.testing.assert_array_equal(classifier.predict_proba(frames[3:5]), expected[3:5])


def test_in_a_pipeline_with_early_stopping_by_speaker(folder, noises):
    clips, y = noises
    pipeline = make_pipeline(
        WhisperFeatures(folder, None, pooling=None),
        WhisperClassifier(folder, 1, epochs=3, early_stopping=True, validation_fraction=0.3),
    )
    speaker = np.repeat(list("abcd"), 4)
    pipeline.fit(clips, y, whisperclassifier__groups=speaker)
    assert "val_loss" in pipeline[-1].history_ and pipeline.predict_proba(clips[:3]).shape == (3, 2)


def test_frames_of_another_kind_and_clips_too_long_are_refused(folder, frames, noises):
    with pytest.raises(
        ValueError, match=r"must have the 80 mel bands of model=.*: put WhisperFeatures\(model, layer=None"
    ):
        WhisperClassifier(folder, 1).fit(frames[:, :, :40], noises[1])
    long = np.zeros((2, 201, 80), dtype=np.float32)
    with pytest.raises(ValueError, match=r"at most 200 frames, 2 s. Got 201: set duration=2 in WhisperFeatures"):
        WhisperClassifier(folder, 1).fit(long, ["a", "b"])
    with pytest.raises(ValueError, match=r"layer must be between 0 .* and 2, .* Got layer=3"):
        WhisperClassifier(folder, 3).fit(frames, noises[1])


def test_discriminants_vote(folder, noises):
    clips, y = noises
    model = whisper_discriminants(folder, [0, 1, 2]).fit(clips, y)
    parts = [whisper_discriminants(folder, [layer]).fit(clips, y).predict_proba(clips) for layer in (0, 1, 2)]
    np.testing.assert_allclose(model.predict_proba(clips), np.mean(parts, axis=0), atol=1e-3)
    assert model.score(clips, y) == 1
    assert clone(model).set_params(votingclassifier__layer_0="drop").fit(clips, y).score(clips, y) == 1
    segments = SegmentClassifier(whisper_discriminants(folder, [0, 1]), segment_duration=0.2).fit(clips, y)
    assert segments.score(clips, y) == 1


def test_discriminants_of_normalised_speakers(folder, noises):
    import pandas as pd

    clips, y = noises
    X = pd.DataFrame({"path": clips, "speaker": np.repeat(list("ab"), 8)})
    assert whisper_discriminants(folder, [0, 1], speaker_normalized=True).fit(X, y).score(X, y) == 1
