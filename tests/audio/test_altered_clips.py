"""Altered clips are lazy, the same each time and everywhere, and decoded as their originals are."""

import pickle

import joblib
import librosa
import numpy as np
import pandas as pd
import pytest
from helpers import OURS, SR, GlobalGain, ids, power, softened
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AudioError,
    AugmentedClassifier,
    HandcraftedFeatures,
    PitchShift,
    TimeStretch,
    WaveformChunker,
    WaveformLoader,
)
from sklearn_ser.audio._load import clip_length, load_waveform
from sklearn_ser.augmentation import augment_clips

# ---------------------------------------------------------------------------------------------------------- lazy copies


def last_half(waveform, sr):
    return waveform[waveform.size // 2 :]


def destructive(waveform, sr):
    waveform[:] = 0
    return waveform


@pytest.mark.parametrize("augmenter", [*OURS, TimeStretch(), GlobalGain(), softened, last_half], ids=ids)
@pytest.mark.processes
def test_altered_clips_are_the_same_each_time_and_everywhere(augmenter, files, tones, global_state):
    altered = augment_clips(files, augmenter, random_state=0)
    expected = WaveformLoader().fit_transform(altered)
    assert not np.array_equal(expected[3], tones[3])
    for n_jobs, backend in ((1, "threading"), (2, "threading"), (2, "loky")):
        with joblib.parallel_config(backend=backend):
            loader = WaveformLoader(n_jobs=n_jobs).fit(altered)
            for again in (loader.transform(altered), loader.transform(pickle.loads(pickle.dumps(altered)))):
                for one, other in zip(again, expected, strict=True):
                    np.testing.assert_array_equal(one, other)
    for X in (tones, np.array(files), pd.Series(files)):
        for one, other in zip(
            WaveformLoader().fit_transform(augment_clips(X, augmenter, random_state=0)), expected, strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_altered_clips_can_stand_among_others(files, tones):
    altered = augment_clips(files, AddNoise(snr=10), random_state=0)
    for form in (list, np.array, pd.Series):
        mixed = form([files[0], altered[1], *altered[2:]], **({} if form is list else {"dtype": object}))
        loaded = WaveformLoader().fit_transform(mixed)
        np.testing.assert_array_equal(loaded[0], tones[0])
        np.testing.assert_array_equal(loaded[1], load_waveform(altered[1]))


def test_a_data_frame_keeps_its_other_columns(files):
    X = pd.DataFrame({"speaker": list("aabbcc"), "path": files}, index=list("uvwxyz"))
    noisy = augment_clips(X, AddNoise(snr=10))
    assert list(noisy.columns) == ["speaker", "path"] and list(noisy["speaker"]) == list("aabbcc")
    assert list(noisy.index) == list(range(6)) and list(X["path"]) == files
    assert len(WaveformLoader().fit_transform(noisy)) == 6


def test_a_matrix_of_waveforms_becomes_a_list():
    X = np.random.default_rng(0).normal(size=(3, 400))
    noisy = WaveformLoader().fit_transform(augment_clips(X, AddNoise(snr=10), random_state=0))
    assert [waveform.shape for waveform in noisy] == [(400,)] * 3


def test_a_clip_for_which_the_augmenter_does_not_fire_stays_as_it_is(tones):
    mixed = augment_clips(tones * 20, AddNoise(snr=10, p=0.5), random_state=0)
    as_before = sum(clip is tone for clip, tone in zip(mixed, tones * 20, strict=True))
    assert 40 < as_before < 80


@pytest.mark.parametrize("augmenter", [*OURS, TimeStretch(), TimeStretch(2.0, p=0.5), last_half], ids=ids)
@pytest.mark.parametrize("span", [{}, dict(sr=8000), dict(sr=8000, offset=0.02, duration=0.05)])
def test_fit_knows_the_length_that_decoding_gives(augmenter, span, files):
    for clip in augment_clips(files, augmenter, random_state=0):
        assert clip_length(clip, **{"sr": SR, **span}) == load_waveform(clip, **span).size


def test_parts_are_cut_before_levels_are_normalised_after(files, tones):
    (altered,) = augment_clips([files[3]], AddNoise(snr=10), random_state=0)
    part = load_waveform(altered, offset=0.1, duration=0.2, normalize="peak")
    clip = tones[3][1600:4800]
    noise = part - clip * (part @ clip) / (clip @ clip)
    assert np.abs(part).max() == 1
    assert 10 * np.log10(power(part - noise) / power(noise)) == pytest.approx(10, abs=0.2)


def test_only_what_alters_the_length_without_saying_so_is_decoded_in_fit(files):
    calls = []

    def counted(waveform, sr):
        calls.append(sr)
        return waveform

    WaveformChunker().fit(augment_clips(files, counted))
    assert len(calls) == 6
    assert WaveformChunker(0.1).fit(augment_clips(files, TimeStretch(0.5))).n_chunks_ == 12


def test_chance_of_a_foreign_callable_is_seeded_apart_for_each_clip(tones, global_state):
    clips = [tones[0]] * 4
    loaded = WaveformLoader().fit_transform(augment_clips(clips, GlobalGain(), random_state=0))
    assert len({waveform.max() for waveform in loaded}) == 4
    other = WaveformLoader().fit_transform(augment_clips(clips, GlobalGain(), random_state=1))
    assert loaded[0].max() != other[0].max()


def test_a_callable_that_works_in_place_cannot_reach_the_user_s_array(tones):
    before = tones[0].copy()
    assert not load_waveform(augment_clips(tones, destructive)[0]).any()
    np.testing.assert_array_equal(tones[0], before)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda n: np.full(n, np.nan), "contains NaN or infinite"),
        (lambda n: np.zeros(0), r"the clip is empty \(0 samples\)"),
        (lambda n: np.zeros((2, n)), r"got an array of shape \(2, 3200\)"),
    ],
)
def test_an_augmenter_that_makes_no_waveform_is_named(files, make, message):
    def broken(waveform, sr):
        return make(waveform.size)

    altered = [files[0], augment_clips(files, broken)[1]]
    for function in (WaveformLoader().fit, WaveformLoader().transform):
        with pytest.raises(AudioError, match=rf"Row 1 \('.*clip 1.wav'\), altered by broken: .*{message}"):
            function(altered)


def test_what_cannot_be_called_is_no_augmenter(tones):
    for augmenters in ([None], [AddNoise(snr=10), "noise"]):
        with pytest.raises(TypeError, match=r"must be a callable \(waveform, sr\) -> waveform.* Got (None|'noise')"):
            AugmentedClassifier(make_pipeline(HandcraftedFeatures(), SVC()), augmenters).fit(tones, list("aabbcc"))


def test_noisy_recordings_are_10_db_noisy(emodb):
    X = emodb.data.iloc[::100]
    clean = WaveformLoader().fit_transform(X)
    noisy = WaveformLoader(n_jobs=2).fit_transform(augment_clips(X, AddNoise(snr=10), random_state=0))
    for one, other in zip(clean, noisy, strict=True):
        assert 10 * np.log10(power(one) / power(other - one)) == pytest.approx(10, abs=0.01)


@pytest.mark.processes
def test_recordings_are_shifted_and_stretched(emodb):
    for path in emodb.data["path"].iloc[::120]:
        clip = load_waveform(path)
        assert TimeStretch(1.25)(clip, SR).size == round(clip.size / 1.25)
        (before, voiced, _), (after, still_voiced, _) = [
            librosa.pyin(waveform, fmin=60, fmax=750, sr=SR) for waveform in (clip, PitchShift(4)(clip, SR))
        ]
        both = voiced & still_voiced
        assert np.median(12 * np.log2(after[both] / before[both])) == pytest.approx(4, abs=0.15)
