"""Clips in every accepted form become the same waveforms; what is no clip is refused by row, path and reason."""

import io
import os
import pathlib
import tracemalloc

import joblib
import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy.io import wavfile
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    AudioError,
    FlattenFrames,
    FrameWise,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    WaveformChunker,
    WaveformLoader,
)
from sklearn_ser.audio import load_waveform
from sklearn_ser.audio._input import as_clips
from sklearn_ser.audio._load import clip_length

RNG = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path):
    """Write a waveform to a file in the temporary folder; returns its path."""

    def write(name, waveform, sr=16000, **params):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, waveform, sr, **params)
        return str(path)

    return write


# --------------------------------------------------------------------------------------------------- forms of the input


def test_all_forms_of_the_same_clips_give_the_same_waveforms(files, tones):
    forms = {
        "list of str": files,
        "list of Path": [pathlib.Path(f) for f in files],
        "array of str": np.array(files),
        "array of objects": np.array(files, dtype=object),
        "Series": pd.Series(files, index=range(10, 16)),
        "DataFrame": pd.DataFrame({"speaker": list("aabbcc"), "path": files}, index=list("uvwxyz")),
        "list of arrays": tones,
        "tuple of arrays": tuple(tones),
        "Series of arrays": pd.Series(tones),
        "mixed": [files[0], *tones[1:]],
        "float64": [tone.astype(np.float64) for tone in tones],
    }
    for form, X in forms.items():
        for waveform, tone in zip(WaveformLoader().fit_transform(X), tones, strict=True):
            assert waveform.dtype == np.float32, form
            np.testing.assert_array_equal(waveform, tone, err_msg=form)


def test_matrix_of_equal_lengths_stays_one():
    X = RNG.uniform(-1, 1, (3, 400))
    for form in (X, X.astype(np.float32), X.tolist(), pd.DataFrame(X)):
        loaded = WaveformLoader().fit_transform(form)
        assert loaded.shape == (3, 400) and loaded.dtype == np.float32
        np.testing.assert_allclose(loaded, X, rtol=1e-6)


def test_loaded_waveforms_are_audio_input_again(files, tones):
    loaded = WaveformLoader().fit_transform(files)
    np.testing.assert_array_equal(HandcraftedFeatures().transform(loaded), HandcraftedFeatures().transform(tones))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_pcm_integers_are_scaled_as_soundfile_scales_them(tmp_path, dtype):
    middle, most = (128, 127) if dtype == np.uint8 else (0, np.iinfo(dtype).max)
    pcm = (middle + RNG.uniform(-0.9, 0.9, 500) * most).astype(dtype)
    wavfile.write(tmp_path / "pcm.wav", 16000, pcm)
    from_array, from_file = WaveformLoader().fit_transform([pcm, tmp_path / "pcm.wav"])
    np.testing.assert_allclose(from_array, from_file, atol=1e-7)
    swapped = pcm.astype(pcm.dtype.newbyteorder())
    np.testing.assert_array_equal(load_waveform(swapped), from_array)


@pytest.mark.parametrize(
    "X, error, message",
    [
        ("clip.wav", ValueError, r"single path 'clip.wav': pass a list"),
        (pathlib.Path("clip.wav"), ValueError, "pass a list"),
        (np.zeros(100), ValueError, r"pass \[waveform\]. Reshape your data"),
        ([0.0, 0.1, 0.2], ValueError, r"flat list of 3 numbers.*pass \[waveform\]"),
        (np.zeros((2, 100, 2)), ValueError, "average the channels first"),
        (pd.DataFrame({"name": ["a.wav"]}), ValueError, r"needs a column 'path'. Got the columns \['name'\]"),
        ([], ValueError, "Found 0 clip"),
        (np.empty((0, 100)), ValueError, "0 sample"),
        (pd.DataFrame({"path": []}), ValueError, "Found 0 clip"),
        ([np.zeros(100), None], TypeError, "Row 1: expected a path or a 1-D array of numbers, got None"),
        (
            pd.Series([np.zeros(100), float("nan")]),
            TypeError,
            "Row 1: expected a path or a 1-D array of numbers, got nan",
        ),
        (
            [np.zeros(100), np.zeros((2, 100))],
            AudioError,
            r"Row 1: expected a 1-D waveform.*\(2, 100\). Average the channels",
        ),
        ([np.zeros(100), np.zeros(0)], AudioError, r"Row 1: the clip is empty \(0 samples\)"),
        ([np.zeros(9), np.array([0, np.nan])], AudioError, r"Row 1: the waveform contains NaN or infinite"),
        (np.array([[0.0, 1.0], [0.0, np.inf]]), AudioError, r"Row 1: the waveform contains NaN or infinite"),
        ([np.array([1j, 0])], TypeError, "Row 0: expected a path or a 1-D array of numbers"),
        ([[0.0, [1.0]], [0.0]], AudioError, "Row 0: expected a 1-D waveform, got a ragged nest"),
        ([(np.zeros(9), 16000, "calm")], AudioError, "Row 0: expected a 1-D waveform, got a ragged nest"),
        ([["clip.wav"]], TypeError, "Row 0: expected a path or a 1-D array of numbers"),
        (np.array([["a.wav", "x"], ["b.wav", "y"]]), ValueError, r"Got an array of shape \(2, 2\): pass one column"),
        (iter([np.zeros(9)]), TypeError, "Got an object of type list_iterator; an iterator can be made a list"),
        (None, TypeError, "Got an object of type NoneType"),
        ({"path": ["clip.wav"]}, TypeError, "Got an object of type dict"),
        (["nul\0.wav"], AudioError, "Row 0 .*cannot be read"),
        ([b"clip.wav"], AudioError, r"Row 0 \(8 bytes\): not readable.* Got b'clip.wav': a path must be a str"),
    ],
)
def test_what_is_no_audio_input_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        MelSpectrogramTransformer().fit(X)
    with pytest.raises(error, match=message):
        HandcraftedFeatures().fit_transform(X)


# ------------------------------------------------------------------------------------------------------------- decoding


def test_a_format_in_which_nothing_can_be_sought_is_read_from_the_beginning(tmp_path):
    soundfile.write(tmp_path / "gsm.wav", 0.5 * np.sin(np.arange(16000) / 5), 16000, format="WAV", subtype="GSM610")
    whole = load_waveform(tmp_path / "gsm.wav")
    assert whole.size >= 16000 and 0.3 < np.abs(whole).max() < 0.7
    np.testing.assert_array_equal(load_waveform(tmp_path / "gsm.wav", offset=0.5, duration=0.25), whole[8000:12000])


@pytest.mark.parametrize(
    "name, format", [("aiff.wav", "AIFF"), ("flac.wav", "FLAC"), ("wav.raw", "WAV"), ("wav.mp3", "WAV")]
)
def test_content_decides_the_format(tmp_path, name, format, tones):
    buffer = io.BytesIO()
    soundfile.write(buffer, tones[0], 16000, format=format)
    (tmp_path / name).write_bytes(buffer.getvalue())
    np.testing.assert_allclose(load_waveform(tmp_path / name), tones[0], atol=1e-4)


@pytest.mark.parametrize("format", ["OGG", "MP3"])
def test_lossy_formats_are_read(tmp_path, format, tones):
    soundfile.write(tmp_path / "clip", tones[4], 16000, format=format)
    waveform = load_waveform(tmp_path / "clip")
    assert abs(waveform.size - tones[4].size) <= 1200  # codecs pad
    assert np.abs(waveform).max() == pytest.approx(1, abs=0.15)


def test_stereo_is_averaged(write, tones):
    left, right = tones[3], RNG.uniform(-0.5, 0.5, tones[3].size)
    path = write("stereo.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    np.testing.assert_allclose(load_waveform(path), (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 22050, 24414, 44100, 48000, 96000])
def test_other_rates_are_resampled(write, rate):
    """A tone keeps its frequency and level, and the length is librosa's."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    waveform = load_waveform(write("tone.wav", tone, rate, subtype="FLOAT"))
    assert waveform.size == 16000
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(waveform[800:-800], expected[800:-800], atol=2e-3)
    reference = librosa.resample(tone[:12345], orig_sr=rate, target_sr=16000, res_type="soxr_hq")
    part = load_waveform(write("part.wav", tone[:12345], rate, subtype="FLOAT"))
    assert part.size == reference.size
    np.testing.assert_allclose(part, reference, atol=1e-4)


def test_offset_and_duration_are_seconds_of_the_file(write):
    ramp = np.arange(48000) / 48000
    path = write("ramp.wav", ramp, 48000, subtype="FLOAT")
    part = load_waveform(path, sr=48000, offset=0.25, duration=0.5)
    np.testing.assert_allclose(part, ramp[12000:36000], atol=1e-7)
    np.testing.assert_array_equal(load_waveform(ramp, sr=48000, offset=0.25, duration=0.5), part)
    assert load_waveform(path, offset=0.5, duration=3).size == 8000  # a clip that ends earlier ends there
    assert load_waveform(path, offset=0.25, duration=0.5).size == clip_length(path, sr=16000, offset=0.25, duration=0.5)


def test_offset_behind_the_end_is_an_error(write, tones):
    path = write("short.wav", tones[0])
    for function in (load_waveform, clip_length):
        with pytest.raises(
            AudioError, match=r"Row 7 \('.*short.wav'\): offset=2.0 s is past the clip's end at 0.100 s"
        ):
            function(path, sr=16000, offset=2.0, row=7)


@pytest.mark.parametrize("length", [1, 2, 100, 1023, 1024, 1025, 16000])
def test_header_tells_the_length_that_decoding_gives(write, length):
    for rate in (8000, 16000, 22050, 48000):
        path = write("noise.wav", RNG.uniform(-1, 1, length), rate)
        assert clip_length(path, sr=16000) == load_waveform(path).size


def test_broken_files_are_named_by_row_path_and_reason(tmp_path, files):
    (tmp_path / "text.wav").write_text("this is no sound")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "no samples.wav", np.zeros(0), 16000)
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 16000, subtype="FLOAT")
    reasons = {
        "missing.wav": "no such file",
        "text.wav": "not readable as audio",
        "empty.wav": r"the file is empty \(0 bytes\)",
        "no samples.wav": r"the clip is empty \(0 samples\)",
        "nan.wav": "contains NaN or infinite",
        ".": "Is a directory",
    }
    for name, reason in reasons.items():
        X = [files[0], str(tmp_path / name)]
        with pytest.raises(AudioError, match=rf"Row 1 \('.*'\): .*{reason}"):
            HandcraftedFeatures(n_jobs=2).fit_transform(X)
    with pytest.raises(FileNotFoundError, match="missing.wav"):
        WaveformChunker().fit([str(tmp_path / "missing.wav")])


def test_file_that_breaks_off_while_decoding_is_named(tmp_path, files):
    soundfile.write(tmp_path / "whole.flac", RNG.uniform(-1, 1, 50000), 16000)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "torn.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match=r"Row 1 \('.*torn.flac'\): the file is damaged"):
        HandcraftedFeatures().fit_transform([files[0], str(tmp_path / "torn.flac")])


# ------------------------------------------------------------------------------------------------------------ normalize


@pytest.mark.parametrize("gain", [1e-20, 1e-3, 1, 1e3])
def test_normalised_level_is_one_whatever_the_gain(gain):
    noise = RNG.normal(size=5000) * gain
    assert np.sqrt(np.mean(load_waveform(noise, normalize="rms") ** 2)) == pytest.approx(1, rel=1e-5)
    assert np.abs(load_waveform(noise, normalize="peak")).max() == 1
    np.testing.assert_allclose(load_waveform(noise), noise, rtol=1e-6)


def test_level_is_that_of_the_part_that_is_read():
    clip = np.concatenate([np.full(16000, 0.5), np.full(16000, 0.1)])
    assert load_waveform(clip, offset=1.0, normalize="peak").max() == 1


@pytest.mark.parametrize("normalize", [None, "rms", "peak"])
def test_silence_stays_silence(normalize):
    assert not load_waveform(np.zeros(100), normalize=normalize).any()


# -------------------------------------------------------------------------------------------------------------- chunker


def test_chunks_laid_end_to_end_are_the_clip(tones):
    chunks = WaveformChunker(chunk_duration=0.1, normalize=None).fit_transform(tones)
    assert chunks.shape == (6, 6, 1600) and chunks.dtype == np.float32
    for clip, tone in zip(chunks, tones, strict=True):
        real = clip[~np.isnan(clip[:, 0])]
        np.testing.assert_array_equal(real.ravel(), tone)


def test_last_chunk_is_filled_with_zeros_and_missing_chunks_are_nan():
    chunks = WaveformChunker(chunk_duration=1.0, sr=4, normalize=None).fit_transform([np.ones(5), np.ones(12)])
    np.testing.assert_array_equal(chunks[0], [[1, 1, 1, 1], [1, 0, 0, 0], [np.nan] * 4])
    np.testing.assert_array_equal(chunks[1], np.ones((3, 4)))


@pytest.mark.parametrize("n_times, expected", [(1, 1), (7, 1), (8, 1), (9, 2), (12, 2), (13, 3), (16, 3)])
def test_overlapping_chunks_cover_the_clip_and_no_more(n_times, expected):
    clip = np.arange(1.0, n_times + 1)
    chunks = WaveformChunker(chunk_duration=1.0, sr=8, overlap=0.5, normalize=None).fit_transform([clip])[0]
    assert len(chunks) == expected
    for i, chunk in enumerate(chunks):
        part = clip[4 * i : 4 * i + 8]
        np.testing.assert_array_equal(chunk, np.pad(part, (0, 8 - part.size)))


def test_chunks_are_normalised_by_the_clip_not_one_by_one():
    clip = np.concatenate([np.full(8, 3.0), np.full(8, 1.0)])
    chunks = WaveformChunker(chunk_duration=1.0, sr=8).fit_transform([clip])
    assert np.sqrt(np.mean(chunks**2)) == pytest.approx(1)
    assert chunks[0, 0, 0] == pytest.approx(3 * chunks[0, 1, 0])


def test_later_clips_are_cropped_and_padded_to_the_fitted_number_of_chunks():
    chunker = WaveformChunker(chunk_duration=1.0, sr=8).fit([np.ones(16)])
    assert chunker.n_chunks_ == 2
    with pytest.warns(UserWarning, match="first 2 of 10 chunks .and so are 1 more.*Set n_chunks"):
        chunker.transform([np.ones(80), np.ones(80), np.ones(3)])
    with pytest.warns(UserWarning, match="Row 0 is cropped"):
        chunks = chunker.transform([np.ones(80), np.ones(3)])
    assert chunks.shape == (2, 2, 8)
    assert not np.isnan(chunks[0]).any() and np.isnan(chunks[1, 1]).all()
    assert WaveformChunker(chunk_duration=1.0, sr=8, n_chunks=5).fit_transform([np.ones(16)]).shape == (1, 5, 8)


@pytest.mark.parametrize(
    "params, message",
    [
        (dict(chunk_duration=0), "'chunk_duration' parameter"),
        (dict(chunk_duration=1e-6), "chunk_duration must hold at least one sample. Got 1e-06 s at sr=16000 Hz"),
        (dict(overlap=1.0), "'overlap' parameter"),
        (dict(n_chunks=0), "'n_chunks' parameter"),
        (dict(sr=0), "'sr' parameter"),
        (dict(offset=-1), "'offset' parameter"),
        (dict(duration=0), "'duration' parameter"),
        (dict(normalize="loud"), "'normalize' parameter"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        WaveformChunker(**params).fit([np.ones(10)])


# ------------------------------------------------------------------------------------------------- many clips at a time


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
@pytest.mark.processes
def test_every_backend_gives_the_same_result(files, backend):
    expected = MelSpectrogramTransformer().fit_transform(files)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        np.testing.assert_array_equal(MelSpectrogramTransformer().fit_transform(files), expected)


def test_verbose_shows_progress_and_silence_is_the_default(files, capsys):
    HandcraftedFeatures(verbose=1).fit_transform(files)
    shown = capsys.readouterr().err
    assert "HandcraftedFeatures" in shown and "6/6" in shown
    HandcraftedFeatures().fit_transform(files)
    assert capsys.readouterr().err == ""


@pytest.mark.processes
def test_waveforms_of_a_corpus_are_never_held_together(write):
    """Memory above the result is that of the clips a thread is at, however many there are."""
    path = write("long.wav", RNG.uniform(-1, 1, 160000))  # 0.64 MB as a waveform
    HandcraftedFeatures().fit_transform([path])

    def peak(n_clips, n_jobs):
        tracemalloc.start()
        HandcraftedFeatures(n_jobs=n_jobs).fit_transform([path] * n_clips)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few = peak(80, n_jobs=1)
    assert peak(240, n_jobs=1) < few + 4_000_000  # 160 more clips hold 102 MB
    assert peak(240, n_jobs=2) < 2 * few + 4_000_000


def test_relative_paths_follow_the_working_directory(files, monkeypatch):
    monkeypatch.chdir(os.path.dirname(files[0]))
    assert load_waveform("clip 0.wav").size == 1600
    with pytest.raises(FileNotFoundError, match="from the folder"):
        load_waveform("clip 9.wav")


def test_clips_are_not_copied_when_they_need_not_be(tones):
    assert as_clips(tones) is tones
    assert np.shares_memory(load_waveform(tones[0]), tones[0])


def test_input_is_left_as_it_was(tones):
    before = [tone.copy() for tone in tones]
    for normalize in ("rms", "peak"):
        MelSpectrogramTransformer(normalize=normalize).fit_transform(tones)
    for tone, copy in zip(tones, before, strict=True):
        np.testing.assert_array_equal(tone, copy)


@pytest.mark.parametrize("clips, elsewhere", [(200, True), (199, False)])
def test_small_operations_on_many_clips_are_done_by_processes(clips, elsewhere):
    class Process(HandcraftedFeatures):
        def _function(self):
            return lambda waveforms: [os.getpid()] * len(waveforms)

    tones = [np.ones(16)] * clips
    done_by = {result for _, result in Process(n_jobs=2).fit(tones)._apply(tones)[1]}
    assert (os.getpid() not in done_by) == elsewhere
    with joblib.parallel_config(backend="threading"):
        assert {result for _, result in Process(n_jobs=2).fit(tones)._apply(tones)[1]} == {os.getpid()}


def test_names_pass_through_a_pipeline(tones):
    loaded = make_pipeline(WaveformLoader(), HandcraftedFeatures()).fit(tones)
    assert loaded.get_feature_names_out()[0] == "clear_energy_mean"
    chunks = make_pipeline(WaveformChunker(chunk_duration=0.001), FrameWise(), FlattenFrames()).fit(tones)
    assert list(chunks.get_feature_names_out()[[0, 15, 16]]) == [
        "sample_0_frame_0",
        "sample_15_frame_0",
        "sample_0_frame_1",
    ]
