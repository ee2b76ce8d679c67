"""Encoders of the wav2vec 2.0 family: what `transformers` makes of the same weights, and what a clip becomes."""

from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import CONFIGS, waveforms, write_encoder

from sklearn_ser import EncoderFeatures

ROWS = [0, 48, 500, 998]  # that are stored, as far as a clip has them


@pytest.fixture(scope="module")
def references():
    return np.load(Path(__file__).with_name("references.npz"))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of the tiny models, written on first use."""
    root, written = tmp_path_factory.mktemp("models"), {}

    def folder(name):
        if name not in written:
            written[name] = write_encoder(root / name, CONFIGS[name])
        return written[name]

    return folder


@pytest.mark.parametrize("name", CONFIGS)
def test_all_hidden_states_are_those_of_transformers(name, models, references):
    layers = list(range(CONFIGS[name]["num_hidden_layers"] + 1))
    frames = EncoderFeatures(models(name), layers, pooling=None).fit_transform(waveforms())
    for index, (clip, n_times) in enumerate(zip(frames, (400, 719, 16000, 320000), strict=True)):
        n_frames = (n_times - 400) // 320 + 1
        assert np.isfinite(clip[:n_frames]).all() and np.isnan(clip[n_frames:]).all()
        expected = references[f"{name}/{index}"]
        found = np.stack(np.split(clip[[row for row in ROWS if row < n_frames]], len(layers), axis=1))
        assert np.abs(expected).max() > 0.5
        np.testing.assert_allclose(found, expected, atol=1e-4)
