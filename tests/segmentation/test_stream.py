"""Timelines of audio that arrives block by block."""

import itertools

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import AudioError, Functionals, HandcraftedFeatures, MelSpectrogramTransformer, SegmentClassifier
from sklearn_ser.audio import _stream
from sklearn_ser.segmentation import Timeline

PIPELINE = make_pipeline(
    MelSpectrogramTransformer(n_mels=16), Functionals(["mean", "std"]), StandardScaler(), LogisticRegression()
)


def voice(duration, sr=16000, seed=0):
    """Something that changes all the time."""
    rng, time = np.random.default_rng(seed), np.arange(round(duration * sr)) / sr
    glide = np.sin(2 * np.pi * (200 + 150 * np.sin(0.7 * time)) * time)
    return (0.3 * glide * (1 + np.sin(5 * time)) + 0.02 * rng.normal(size=time.size)).astype(np.float32)


@pytest.fixture(scope="module")
def classifier():
    clips = [voice(2, seed=seed) * np.sin(np.arange(32000) * (0.01 + 0.05 * (seed % 2))) for seed in range(8)]
    return SegmentClassifier(PIPELINE, segment_duration=0.6, hop_duration=0.25).fit(clips, ["anger", "fear"] * 4)


def in_blocks(samples, sizes, rng=None):
    rng, start = rng or np.random.default_rng(0), 0
    while start < len(samples):
        size = rng.choice(sizes)
        yield samples[start : start + size]
        start += size


def as_frame(rows):
    return Timeline(list(rows))


@pytest.mark.parametrize("sizes", [[160], [1, 7, 4001, 0], [10**6]], ids=str)
@pytest.mark.parametrize("duration", [0.1, 0.6, 0.85, 0.9, 7.3])
def test_rows_are_those_of_the_whole_recording(classifier, sizes, duration):
    samples = voice(duration)
    rows = as_frame(classifier.stream_timeline(in_blocks(samples, sizes)))
    pd.testing.assert_frame_equal(rows, classifier.predict_timeline(samples), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 24414])
def test_rows_of_other_rates_are_those_of_the_file(classifier, rate, tmp_path):
    samples = voice(6.789, rate)
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    rows = as_frame(classifier.stream_timeline(in_blocks(samples, [480, 1, 3000]), sr=rate))
    pd.testing.assert_frame_equal(rows, classifier.predict_timeline(str(tmp_path / "a.wav")), atol=1e-6, rtol=1e-5)


def test_handcrafted_features_of_a_stream_are_those_of_the_file(tmp_path):
    """Decisions such as voiced or not do not forgive differences in the last bit."""
    clips = [voice(1, seed=seed) for seed in range(4)]
    pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), LogisticRegression(C=1e-3))
    classifier = SegmentClassifier(pipeline, 1.0).fit(clips, [0, 1, 0, 1])
    samples = voice(4.2, 44100)
    soundfile.write(tmp_path / "a.wav", samples, 44100, subtype="FLOAT")
    rows = as_frame(classifier.stream_timeline(in_blocks(samples, [441]), sr=44100))
    pd.testing.assert_frame_equal(rows, classifier.predict_timeline(str(tmp_path / "a.wav")), atol=1e-6, rtol=1e-5)


def test_parts_of_a_long_recording_are_resampled_as_those_of_a_file(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_ser.segmentation._segments._BATCH_DURATION", 2.0)
    monkeypatch.setattr("sklearn_ser.segmentation._segments._BATCH_SEGMENTS", 5)
    samples = voice(12.34, 22050)
    soundfile.write(tmp_path / "a.wav", samples, 22050, subtype="FLOAT")
    rows = as_frame(classifier.stream_timeline(in_blocks(samples, [512]), sr=22050))
    # The last samples of a part are resampled with what follows, where a file is read no further than a filter reaches.
    pd.testing.assert_frame_equal(rows, classifier.predict_timeline(str(tmp_path / "a.wav")), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_row_comes_with_the_block_that_completes_its_segment(classifier, rate):
    arrived = 0.0

    def microphone():
        nonlocal arrived
        for block in in_blocks(voice(5, rate), [rate // 100]):
            arrived += len(block) / rate
            yield block

    ahead = 0 if rate == 16000 else 0.12  # of the filter
    rows = list(classifier.stream_timeline(microphone(), sr=rate))
    arrived = 0.0
    for row in classifier.stream_timeline(microphone(), sr=rate):
        assert row["end"] <= arrived + 1e-9
        if row["end"] < 5 - 0.25:
            assert arrived <= row["end"] + 0.01 + ahead + 1e-9
    assert len(rows) == 19


def test_memory_holds_a_segment_and_not_the_stream(classifier):
    stream = _stream._Resampled(44100, 16000)
    block, held = voice(0.1, 44100), []
    for number in range(600):
        stream.append(block)
        start = number * 1600 - 16000
        if start > 0:
            stream.read(start, start + 3200)
            held.append(sum(part.nbytes for tape in (stream._native, stream._resampled) for part in tape._parts))
    assert max(held) < 300_000  # bytes; the stream has 10 million


def test_an_endless_stream_has_rows(classifier):
    endless = itertools.cycle(in_blocks(voice(1), [1600]))
    assert len(list(itertools.islice(classifier.stream_timeline(endless), 30))) == 30


@pytest.mark.parametrize("form", ["int16", "column", "stereo", "list"])
def test_blocks_come_in_the_forms_of_sound_cards(classifier, form):
    samples = np.round(voice(3) * 32767).astype(np.int16)
    expected = as_frame(classifier.stream_timeline([samples / np.float32(32768)]))
    change = {
        "int16": lambda block: block,
        "column": lambda block: block[:, np.newaxis],
        "stereo": lambda block: np.column_stack([block, block]) / np.float32(32768),
        "list": lambda block: (block / np.float32(32768)).tolist(),
    }[form]
    rows = as_frame(classifier.stream_timeline(change(block) for block in in_blocks(samples, [1000])))
    pd.testing.assert_frame_equal(rows, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([np.zeros(100), b"\x00" * 100_000], r"Block 1: a block must be an array.*np.frombuffer\(block, 'int16'\)"),
        ([np.zeros(100), np.full(100, np.nan)], "Block 1: the waveform contains NaN"),
        ([np.zeros((100, 2)), np.zeros(100)], "Block 1: all blocks must have as many channels as the first, 2. Got 1"),
        ([np.zeros((2, 2, 2))], "Block 0: a block must be an array"),
        ([["a"]], "Block 0"),
        ([], "ended without a sample"),
        ([np.zeros(0)], "ended without a sample"),
    ],
)
def test_blocks_that_are_no_audio_are_named(classifier, blocks, message):
    with pytest.raises(AudioError, match=message) as caught:
        list(classifier.stream_timeline(blocks))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("sr", [0, -1, 16000.5, "fast", True])
def test_rate_of_a_stream_is_checked_at_once(classifier, sr):
    with pytest.raises(ValueError, match="sr must be the rate of the blocks in Hz"):
        classifier.stream_timeline([], sr=sr)


def test_streams_need_probabilities():
    clips = [voice(1, seed=seed) for seed in range(4)]
    classifier = SegmentClassifier(make_pipeline(MelSpectrogramTransformer(), Functionals(), SVC())).fit(
        clips, [0, 1] * 2
    )
    with pytest.raises(AttributeError, match="has no predict_proba"):
        classifier.stream_timeline([])
