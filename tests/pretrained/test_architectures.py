"""A second architecture, tiny and random: whatever surrounds an encoder needs no change for it."""

import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from sklearn_ser import EncoderClassifier, EncoderFeatures, EncoderRegressor, load_waveform
from sklearn_ser.pretrained import _architectures as architectures
from sklearn_ser.pretrained._architectures import _reading
from sklearn_ser.pretrained._architectures._base import Architecture, plain
from sklearn_ser.pretrained._encoder import load_encoder

HOP = 100


def blocks_of_samples(frames, mask, n_layers, *, width):
    """Dense layers, one behind the other, on blocks of samples; each block is one frame."""
    from sklearn_ser.neural.networks._named import dense

    found = [dense(frames, width, "first")]
    for index in range(1, n_layers + 1):
        found.append(dense(found[-1], width, f"block_{index}_dense"))
    return found, mask


@dataclass(frozen=True)
class Blocks(Architecture):
    """Blocks of samples through dense layers."""

    kind, sources, values, step, prefixes = "blocks", "block", "samples of a block", 8, ("blocks.", "")

    @classmethod
    def read(cls, config, preprocessor):
        return cls(n_layers=config.integer("n_layers"), width=config.integer("width"))

    def parts(self, layer):
        yield plain("first", "first", weight=(self.width, HOP), bias=(self.width,))
        for index in range(1, layer + 1):
            shapes = dict(weight=(self.width, self.width), bias=(self.width,))
            yield plain(f"block_{index}_dense", f"layers.{index}", **shapes)

    def network(self):
        return blocks_of_samples, dict(width=self.width)

    def prepare(self, waveform):
        waveform = np.pad(waveform, (0, max(0, HOP - len(waveform))))
        return waveform[: len(waveform) // HOP * HOP].reshape(-1, HOP).astype(np.float32)

    def n_inputs(self, n_times):
        return max(1, n_times // HOP)

    n_frames = n_inputs

    def windows(self, n_times):
        starts = range(0, n_times, self.longest)
        return (slice(start, min(start + self.longest, n_times)) for start in starts)

    def from_rows(self, X):
        return np.pad(X, ((0, 0), (0, max(0, HOP - X.shape[1]))))[:, np.newaxis, :HOP]

    def real_frames(self, mask):
        return mask

    @property
    def n_values(self):
        return HOP


@pytest.fixture
def folder(tmp_path, monkeypatch):
    from safetensors.numpy import save_file

    monkeypatch.setitem(architectures.KINDS, "blocks", Blocks)
    folder, rng = tmp_path / "blocks", np.random.default_rng(3)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "blocks", "n_layers": 2, "width": 5}))
    tensors = {
        f"blocks.{name}": rng.normal(size=shape).astype(np.float16)
        for part in Blocks(2, 5).parts(2)
        for name, shape in part.tensors.items()
    }
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    return [rng.uniform(-0.5, 0.5, n).astype(np.float32) for n in (60, 100, 999, 4000)]


def by_hand(folder, waveform, layer):
    from safetensors.numpy import load_file

    tensors = {name: tensor.astype(np.float64) for name, tensor in load_file(folder / "model.safetensors").items()}
    x = Blocks(2, 5).prepare(waveform)
    for name in ("first", "layers.1", "layers.2")[: layer + 1]:
        x = x @ tensors[f"blocks.{name}.weight"].T + tensors[f"blocks.{name}.bias"]
    return x


def test_layers_pools_and_names(folder, clips):
    frames = EncoderFeatures(folder, [2, 0], pooling=None).fit_transform(clips)
    means = EncoderFeatures(folder, "mean").fit(clips)
    for clip, waveform, mean in zip(frames, clips, means.transform(clips), strict=True):
        layers = [by_hand(folder, waveform, layer) for layer in range(3)]
        np.testing.assert_allclose(clip[: len(layers[0])], np.hstack([layers[2], layers[0]]), atol=1e-3)
        assert np.isnan(clip[len(layers[0]) :]).all()
        np.testing.assert_allclose(mean, np.mean(layers, axis=0).mean(axis=0), atol=1e-3)
    assert means.get_feature_names_out()[-1] == "blocks_layers_4_mean"
    spread = EncoderFeatures(folder, 1, pooling="mean_std").fit(clips)
    assert spread.get_feature_names_out()[[0, -1]].tolist() == ["blocks_l1_0_mean", "blocks_l1_4_std"]
    assert EncoderFeatures(folder, None, pooling=None).fit_transform(clips).shape == (4, 40, HOP)


def test_pickles_sharing_and_memory(folder, clips, tmp_path):
    first = EncoderFeatures(folder, 1, memory=tmp_path / "memory").fit(clips)
    features = first.transform(clips)
    second = pickle.loads(pickle.dumps(first))
    assert second.encoder_ is first.encoder_ is load_encoder(folder, 1)
    np.testing.assert_array_equal(second.transform(clips), features)
    assert len(list((tmp_path / "memory").rglob("output.pkl"))) == len(clips)
    tensors = first.encoder_.tensors  # which come back from the network
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float16)}
    encoder = type(first.encoder_)(Blocks(2, 5), 1, tensors, "other")
    frames = encoder.compiled((1,))(Blocks(2, 5).prepare(clips[3]))
    np.testing.assert_allclose(frames.mean(axis=0, dtype=np.float64), features[3], rtol=1e-6)


def test_long_recordings_and_silence_around_speech(folder, tmp_path, monkeypatch):
    path, rng = str(tmp_path / "long.wav"), np.random.default_rng(0)
    soundfile.write(path, rng.uniform(-0.5, 0.5, 70 * 16000 + 7), 16000)
    transformer = EncoderFeatures(folder, 1).fit([path])
    whole = transformer.transform([load_waveform(path)])
    monkeypatch.setattr(_reading, "_LONG_BYTES", 0)
    np.testing.assert_allclose(transformer.transform([path]), whole, atol=1e-5)
    tone = 0.5 * np.sin(2 * np.pi * 150 * np.arange(16000) / 16000)
    padded = np.concatenate([np.zeros(16000), tone, np.zeros(16000)])
    trimmed = EncoderFeatures(folder, 1, pooling="mean_std", trim=True).fit_transform([tone, padded])
    whole = EncoderFeatures(folder, 1, pooling="mean_std").fit_transform([padded])
    assert np.abs(trimmed[1] - trimmed[0]).max() < 0.2 * np.abs(whole[0] - trimmed[0]).max()


def test_it_is_fine_tuned(folder):
    rng = np.random.default_rng(0)
    clips = [rng.normal(scale=scale, size=600).astype(np.float32) for scale in (0.05, 0.5) * 8]
    frames = EncoderFeatures(folder, None, pooling=None).fit_transform(clips)
    params = dict(epochs=1, batch_size=8, random_state=0)
    for layer in (1, "weighted"):
        model = EncoderClassifier(folder, layer, **params).fit(frames, ["quiet", "loud"] * 8)
        before = load_encoder(folder, 2 if layer == "weighted" else layer).network((layer if layer == 1 else 2,))
        moved = {
            name: np.abs(before.get_layer(name).get_weights()[0] - model.model_.get_layer(name).get_weights()[0]).max()
            for name in ("first", f"block_{1 if layer == 1 else 2}_dense")
        }
        assert moved["first"] == 0 and min(value for name, value in moved.items() if name != "first") > 0
    assert len(model.model_.get_layer("layer_weights").get_weights()[0][0]) == 3


def test_values_are_learned_behind_an_encoder(folder):
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.05, 1, 24)
    clips = [level * np.tile(rng.choice([-1.0, 1.0], HOP), 4).astype(np.float32) for level in levels]
    frames = EncoderFeatures(folder, None, pooling=None).fit_transform(np.abs(clips))
    y = np.column_stack([levels, -levels])
    params = dict(trainable_layers=None, learning_rate=0.02, dropout=0.0, epochs=60, batch_size=8, random_state=0)
    model = EncoderRegressor(folder, 0, **params).fit(frames, y)
    assert model.predict(frames).shape == (24, 2) and model.score(frames, y) > 0.8
