"""Encoders computed by NumPy: the same as their Keras networks, and without Keras."""

from pathlib import Path

import numpy as np
import pytest
from helpers import run_python
from scipy.stats import norm
from tiny_encoder import CONFIGS, write_encoder
from tiny_whisper import write_whisper

from sklearn_ser import WhisperFeatures
from sklearn_ser.pretrained._architectures._arrays import gelu
from sklearn_ser.pretrained._encoder import load_encoder


def test_gelu_is_the_exact_one():
    x = np.concatenate([np.linspace(-12, 12, 70001), [-1e4, 1e4]]).astype(np.float32)
    expected = x.astype(np.float64) * norm.cdf(x.astype(np.float64))
    np.testing.assert_allclose(gelu(x.copy()), expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ["whisper", *CONFIGS])
@pytest.mark.parametrize("n_times", [300, 9001])
def test_numpy_computes_what_the_network_does(name, n_times, tmp_path):
    folder = (
        write_whisper(tmp_path / "model") if name == "whisper" else write_encoder(tmp_path / "model", CONFIGS[name])
    )
    architecture = load_encoder(Path(folder), 0).architecture
    last = architecture.n_layers if name == "whisper" else architecture.last  # tiny Whispers have no norm at the end
    encoder = load_encoder(Path(folder), last, for_head=True)
    layers = tuple(range(last + 1))
    inputs = encoder.architecture.prepare(np.random.default_rng(0).normal(size=n_times).astype(np.float32))
    found = encoder.compiled(layers)(inputs)
    expected = np.asarray(encoder.network(layers)(inputs[np.newaxis]))[0]
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-4)
    weights = tuple(np.linspace(0.1, 0.9, len(layers)))
    combined = np.tensordot(weights, np.split(found, len(layers), axis=1), axes=1)
    np.testing.assert_allclose(encoder.compiled(layers, weights)(inputs), combined, atol=1e-4)


def test_an_encoder_is_used_saved_and_loaded_without_keras(tmp_path):
    code = """
        import pickle, sys
        import numpy as np
        from sklearn_ser import EncoderFeatures
        waveforms = [np.sin(np.arange(4000 + 800 * i) / 9).astype(np.float32) for i in range(3)]
        fitted = EncoderFeatures(sys.argv[1], [1, 2], pooling="mean_std").fit(waveforms)
        loaded = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(loaded.transform(waveforms), fitted.transform(waveforms))
        assert not {"keras", "tensorflow", "jax"} & set(sys.modules)
    """
    run_python(code, write_encoder(tmp_path / "model", CONFIGS["wavlm-large"]))


def test_results_do_not_depend_on_the_threads_of_blas(tmp_path):
    from threadpoolctl import ThreadpoolController, threadpool_limits

    sizes = dict(width=384, hidden_units=1536, n_heads=6, n_positions=300)
    model = write_whisper(tmp_path / "model", scale=0.03, **sizes)
    waveforms = [np.random.default_rng(i).normal(size=40000 + 999 * i).astype(np.float32) for i in range(3)]
    with threadpool_limits(1):
        one = WhisperFeatures(model, 1).fit_transform(waveforms)
    with threadpool_limits(2):
        np.testing.assert_array_equal(WhisperFeatures(model, 1).fit_transform(waveforms), one)
        np.testing.assert_array_equal(WhisperFeatures(model, 1, n_jobs=2).fit_transform(waveforms), one)
        assert all(library["num_threads"] <= 2 for library in ThreadpoolController().info())
