"""Augmenters do to a waveform what they say."""

import librosa
import numpy as np
import pytest
from helpers import OURS, SR, harmonic, ids, power
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AudioError,
    AugmentedClassifier,
    HandcraftedFeatures,
    PitchShift,
    TimeStretch,
)
from sklearn_ser.augmentation import augment_clips


def sine(f0, duration=1.0, sr=SR):
    return (0.5 * np.sin(2 * np.pi * f0 * np.arange(round(duration * sr)) / sr)).astype(np.float32)


def f0_of(waveform, sr=SR):
    inner = waveform[waveform.size // 8 : -waveform.size // 8]
    return np.median(librosa.yin(inner, fmin=50, fmax=2000, sr=sr, frame_length=2048))


# ----------------------------------------------------------------------------------------------------------- augmenters


@pytest.mark.parametrize("snr", [-5, 0, 10, 30])
@pytest.mark.parametrize("level", [1e-4, 1, 100])
def test_noise_is_at_the_requested_snr(snr, level):
    clip = level * harmonic(150)
    noise = AddNoise(snr=snr)(clip, SR, random_state=0).astype(np.float64) - clip
    assert 10 * np.log10(power(clip) / power(noise)) == pytest.approx(snr, abs=1e-3)


def test_amplitude_is_the_noise_s_standard_deviation_whatever_the_clip():
    for clip in (np.zeros(50000), sine(200, 3), 0.01 * sine(200, 3)):
        noise = AddNoise(amplitude=0.008)(clip, SR, random_state=0) - clip
        assert noise.std() == pytest.approx(0.008, rel=0.01)
        assert noise.mean() == pytest.approx(0, abs=0.008 * 4 / np.sqrt(noise.size))


def test_noise_is_white_and_gaussian():
    noise = AddNoise(amplitude=1.0)(np.zeros(100000), SR, random_state=0)
    thirds = np.array_split(np.abs(np.fft.rfft(noise)) ** 2, 3)
    np.testing.assert_allclose([part.mean() for part in thirds], noise.size, rtol=0.03)
    assert np.mean(noise**4) == pytest.approx(3, rel=0.03)


@pytest.mark.parametrize("tone", [sine, harmonic])
@pytest.mark.parametrize("n_steps", [-7, -0.5, 0, 4, 12])
def test_pitch_shift_moves_f0_by_the_ratio_and_keeps_the_length(tone, n_steps):
    for f0 in (110, 220, 333):
        shifted = PitchShift(n_steps)(tone(f0), SR)
        assert shifted.size == SR and shifted.dtype == np.float32
        assert f0_of(shifted) == pytest.approx(f0 * 2 ** (n_steps / 12), rel=0.01)


@pytest.mark.parametrize("tone", [sine, harmonic])
@pytest.mark.parametrize("rate", [0.5, 0.8, 1, 1.25, 2])
def test_time_stretch_changes_the_length_by_the_rate_and_keeps_f0(tone, rate):
    stretched = TimeStretch(rate)(tone(220), SR)
    assert stretched.size == round(SR / rate)
    assert f0_of(stretched) == pytest.approx(220, rel=0.01)


@pytest.mark.parametrize("sr", [8000, 22050, 44100, 48000])
def test_every_rate_will_do(sr):
    assert f0_of(PitchShift(4)(harmonic(200, sr=sr), sr), sr) == pytest.approx(200 * 2 ** (4 / 12), rel=0.01)
    assert f0_of(TimeStretch(0.8)(harmonic(200, sr=sr), sr), sr) == pytest.approx(200, rel=0.01)


def test_events_stay_where_they_are_when_pitch_is_shifted():
    """A burst in the middle of a second of silence."""
    clip = np.zeros(SR)
    clip[SR // 2 : SR // 2 + 1600] = harmonic(200, 0.1)
    envelope = PitchShift(4)(clip, SR) ** 2
    assert np.average(np.arange(SR), weights=envelope) == pytest.approx(SR // 2 + 800, abs=0.02 * SR)


@pytest.mark.parametrize("augmenter", OURS, ids=ids)
@pytest.mark.parametrize("n_times", [1, 2, 100, 1023, 1024, 1025])
def test_any_length_will_do_and_the_result_s_is_known_beforehand(augmenter, n_times):
    clip = harmonic(200)[:n_times]
    for result in (augmenter(clip, SR, random_state=0), augmenter(np.zeros(n_times), SR, random_state=0)):
        assert result.shape == (augmenter.n_times(n_times, random_state=0),)
        assert result.dtype == np.float32 and np.isfinite(result).all()


@pytest.mark.parametrize("augmenter", [AddNoise(snr=10), PitchShift(), TimeStretch()], ids=ids)
def test_silence_stays_silence(augmenter):
    assert not augmenter(np.zeros(5000), SR).any()


@pytest.mark.parametrize("augmenter", OURS, ids=ids)
def test_a_call_depends_on_its_generator_alone(augmenter, global_state):
    clip = harmonic(200, 0.2)
    before = clip.copy()
    result = augmenter(clip, SR, random_state=3)
    augmenter(clip, SR)
    np.testing.assert_array_equal(augmenter(clip, SR, random_state=np.random.default_rng(3)), result)
    np.testing.assert_array_equal(augmenter(clip.tolist(), SR, random_state=3), result)
    legacy = [augmenter(clip, SR, random_state=np.random.RandomState(3)) for _ in range(2)]
    np.testing.assert_array_equal(*legacy)
    np.testing.assert_array_equal(clip, before)


def test_a_range_is_drawn_from_at_each_call():
    clip, rng = harmonic(200), np.random.default_rng(0)
    lengths = [TimeStretch((0.5, 2.0))(clip, SR, rng).size for _ in range(50)]
    assert 8000 <= min(lengths) < 9000 and 20000 < max(lengths) <= 32000
    noisy = [AddNoise(snr=(0, 20))(clip, SR, rng) for _ in range(50)]
    snrs = [10 * np.log10(power(clip) / power(waveform - clip)) for waveform in noisy]
    assert -0.01 < min(snrs) < 3 and 17 < max(snrs) < 20.01
    ratios = [f0_of(PitchShift([-2, 2])(clip, SR, rng)) / 200 for _ in range(10)]
    assert 2 ** (-2 / 12) * 0.99 < min(ratios) < 1 < max(ratios) < 2 ** (2 / 12) * 1.01


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_an_augmenter_fires_with_its_probability(p):
    clip = np.arange(4, dtype=np.float32)
    fired = [not np.array_equal(AddNoise(snr=10, p=p)(clip, SR, random_state=seed), clip) for seed in range(1000)]
    assert np.mean(fired) == pytest.approx(p, abs=0.05)
    lengths = {TimeStretch(2.0, p=p).n_times(100, random_state=seed) for seed in range(50)}
    assert lengths == {0.0: {100}, 0.3: {50, 100}, 1.0: {50}}[p]


@pytest.mark.parametrize(
    "augmenter, message",
    [
        (AddNoise(), "takes either amplitude, of full scale, or snr, in dB. Got amplitude=None and snr=None"),
        (AddNoise(0.1, snr=10), "Got amplitude=0.1 and snr=10"),
        (AddNoise(-0.1), "'amplitude' parameter"),
        (AddNoise(snr=np.inf), "'snr' parameter"),
        (AddNoise(snr=(20, 10)), r"snr must be .*, or a range \(low, high\) of such. Got snr=\(20, 10\)"),
        (AddNoise(snr=10, p=1.5), "'p' parameter"),
        (PitchShift("high"), "'n_steps' parameter"),
        (PitchShift((1, 2, 3)), r"Got n_steps=\(1, 2, 3\)"),
        (TimeStretch(0), "'rate' parameter"),
        (TimeStretch((0, 1)), r"rate must be .*range \(0.0, inf\).* Got rate=\(0, 1\)"),
        (TimeStretch(("a", "b")), "Got rate="),
    ],
)
def test_wrong_parameters_are_named_when_called_and_when_planned(augmenter, message):
    with pytest.raises(ValueError, match=message):
        augmenter(np.ones(10), SR)
    with pytest.raises(ValueError, match=message):
        augment_clips([np.ones(10)], augmenter)
    with pytest.raises(ValueError, match=message):
        AugmentedClassifier(make_pipeline(HandcraftedFeatures(), SVC()), [augmenter]).fit([np.ones(10)], [1])


@pytest.mark.parametrize("augmenter", OURS, ids=ids)
def test_parameters_can_be_got_set_and_cloned(augmenter):
    copy = clone(augmenter)
    assert copy is not augmenter and copy.get_params() == augmenter.get_params()
    assert copy.set_params(p=0.25).p == 0.25
    assert type(augmenter).__name__ in repr(augmenter)


@pytest.mark.parametrize("waveform", [np.zeros(0), np.zeros((2, 10)), np.array([0, np.nan])])
def test_bad_audio_is_refused(waveform):
    with pytest.raises(AudioError, match="Clip: "):
        AddNoise(snr=10)(waveform, SR)
