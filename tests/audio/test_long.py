"""Clips of hours: analysed piece by piece, to the bit as in one go, in little memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_ser import HandcraftedFeatures, LowLevelDescriptors, MelSpectrogramTransformer
from sklearn_ser._signal import long, spectrum
from sklearn_ser._signal.long import LongWaveform

TRANSFORMERS = [
    HandcraftedFeatures(),
    HandcraftedFeatures(normalize="peak"),
    HandcraftedFeatures(feature_set="default-v1"),
    HandcraftedFeatures(feature_set="bledea170"),
    MelSpectrogramTransformer(),
    MelSpectrogramTransformer(ref="max", pad_mode="reflect", normalize=None),
    MelSpectrogramTransformer(pad_mode="edge"),
    MelSpectrogramTransformer(center=False),
    LowLevelDescriptors(),
]


@pytest.fixture(scope="module")
def recording():
    rng, time = np.random.default_rng(0), np.arange(16000 * 9 + 123) / 16000
    voice = sum(np.sin(2 * np.pi * k * (150 * time + 8 * np.sin(2 * time))) / k for k in range(1, 9))
    return (0.1 * voice * np.maximum(np.sin(5 * time), 0) + 0.003 * rng.normal(size=time.size)).astype(np.float32)


@pytest.fixture
def all_is_long(monkeypatch):
    """As if a second were long."""
    for module in ("_signal.long", "_signal.pitch", "_signal.spectrum", "_signal.waveform"):
        monkeypatch.setattr(f"sklearn_ser.{module}.LONG", 1 << 14)


@pytest.mark.parametrize("source", ["array", "file"])
@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: repr(t)[:70])
def test_in_pieces_results_are_the_same_to_the_bit(transformer, source, recording, tmp_path, request):
    soundfile.write(tmp_path / "a.wav", recording, 16000, subtype="FLOAT")
    clips = [recording.copy() if source == "array" else str(tmp_path / "a.wav")]
    expected = transformer.fit_transform(clips)
    request.getfixturevalue("all_is_long")
    np.testing.assert_array_equal(transformer.fit_transform(clips), expected)
    if source == "array":
        np.testing.assert_array_equal(clips[0], recording)


@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "edge"])
def test_a_long_waveform_is_read_as_its_copy(pad_mode):
    samples = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    copy = np.pad(np.pad(samples / np.float32(3), 40, mode=pad_mode), (0, 17))
    lazy = LongWaveform(samples, np.float32(3)).padded(40, 1097, pad_mode)
    assert len(lazy) == lazy.size == 1097
    np.testing.assert_array_equal(np.asarray(lazy), copy)
    for start, stop in [(0, 10), (0, 40), (30, 60), (500, 700), (1000, 1097), (1039, 1041), (1080, 1097), (5, 5)]:
        np.testing.assert_array_equal(lazy[start:stop], copy[start:stop])
    np.testing.assert_array_equal(np.asarray(lazy.drop(7)), copy[7:])


@pytest.mark.parametrize(("shape", "n_groups"), [((100, 7), 1), ((long.LONG, 3), 3), ((long.LONG // 4, 5), 3)])
def test_columns_are_shared_out_once(shape, n_groups):
    groups = list(long.columns(*shape))
    assert np.concatenate([np.arange(shape[1])[group] for group in groups]).tolist() == list(range(shape[1]))
    assert len(groups) == n_groups


def test_decibels_leave_the_power_as_it_is():
    power = np.random.default_rng(0).random((20, 4)).astype(np.float32)
    before = power.copy()
    spectrum.power_to_db(power, np.array([20]))
    np.testing.assert_array_equal(power, before)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is counted by Linux' /proc")
@pytest.mark.parametrize(("kind", "most"), [("HandcraftedFeatures", 150), ("MelSpectrogramTransformer", 110)])
@pytest.mark.processes
def test_memory_above_a_waveform_of_ten_minutes(kind, most):
    """For two hours 600 and 250 MiB, measured by examples/benchmarks/serving.py."""
    script = Path(__file__).parents[2] / "examples" / "benchmarks" / "serving.py"
    command = [sys.executable, str(script), "--long", kind, "--minutes", "10"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)["above the waveform, MiB"] < most
