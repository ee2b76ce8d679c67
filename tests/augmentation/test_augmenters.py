"""Augmenters of the world against closed forms: levels, slopes, bands, decays, steps, delays."""

import pickle

import numpy as np
import pandas as pd
import pytest
import soundfile
from helpers import Recorder
from scipy.signal import welch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AddBackground,
    AddNoise,
    AudioError,
    Clipping,
    Codec,
    Compose,
    Equalizer,
    HandcraftedFeatures,
    Level,
    Room,
    Telephone,
    TimeStretch,
    WaveformLoader,
    real_world_augmenters,
)
from sklearn_ser.audio._load import clip_digest
from sklearn_ser.augmentation import AugmentedClassifier, augment_clips
from sklearn_ser.augmentation._channel import companded
from sklearn_ser.augmentation._room import decaying_response

SR = 16000
RATES = [8000, 11025, 16000, 24414, 44100, 48000]
VOICES = [np.random.default_rng(seed).normal(0, 0.01 * (1 + seed), 5000 + 4000 * seed) for seed in range(5)]
WORLD = [
    AddNoise(snr=(0, 20), color=("white", "pink", "brown")),
    AddNoise(amplitude=0.01, color="pink"),
    AddBackground(VOICES, snr=(0, 10), n_sources=(1, 4)),
    AddBackground(n_sources=5),
    Telephone(),
    Telephone(companding=None),
    Room(),
    Room(impulse_responses=[np.array([0.0, 0.1, 1.0, 0.5, 0.2])]),
    Codec(("mp3", "opus")),
    Codec("vorbis"),
    Equalizer(low_pass=(3000, 8000), high_pass=200),
    Clipping(),
    Clipping(limit=(0.1, 0.5)),
    Level(),
    Compose([Room(p=0.5), AddNoise(snr=(0, 20)), Telephone()]),
]


def speech(duration=1.0, sr=SR, seed=0):
    """Noise with the long-term spectrum and the pauses of speech, more or less."""
    rng, time = np.random.default_rng(seed), np.arange(round(duration * sr)) / sr
    harmonics = sum(np.sin(2 * np.pi * k * 150 * time + k**2) / k for k in range(1, 20) if k * 150 < sr / 2)
    return (0.1 * harmonics * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)) + rng.normal(0, 1e-3, time.size)).astype(
        np.float32
    )


def decibels(ratio):
    return 10 * np.log10(ratio)


def power(waveform):
    return np.var(waveform, dtype=np.float64)


def name(augmenter):
    return type(augmenter).__name__


# ---------------------------------------------------------------------------------------------------- what all must do


@pytest.mark.parametrize("augmenter", WORLD, ids=name)
@pytest.mark.parametrize("sr", RATES)
def test_any_rate_will_do_and_the_length_stays(augmenter, sr):
    clip = speech(0.5, sr)
    altered = augmenter(clip, sr, random_state=0)
    assert altered.shape == clip.shape and altered.dtype == np.float32 and np.isfinite(altered).all()
    assert altered.shape == (augmenter.n_times(clip.size, random_state=0),)
    assert not np.array_equal(altered, clip)


@pytest.mark.parametrize("augmenter", WORLD, ids=name)
@pytest.mark.parametrize("n_times", [1, 2, 3, 100, 1105])
def test_short_and_silent_clips_pass(augmenter, n_times):
    for clip in (speech()[:n_times], np.full(n_times, 0.3), np.full(n_times, 1e-30)):
        altered = augmenter(clip, SR, random_state=1)
        assert altered.shape == (n_times,) and np.isfinite(altered).all()
    if augmenter is not WORLD[1]:
        assert not augmenter(np.zeros(n_times), SR, random_state=1).any()


@pytest.mark.parametrize("augmenter", WORLD, ids=name)
def test_chance_comes_from_the_generator_alone_and_the_clip_is_left(augmenter):
    clip = speech(0.3)
    before, state = clip.copy(), np.random.get_state()[1].copy()
    altered = augmenter(clip, SR, random_state=3)
    augmenter(clip, SR)
    np.testing.assert_array_equal(augmenter(clip, SR, random_state=np.random.default_rng(3)), altered)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(augmenter))(clip, SR, random_state=3), altered)
    np.testing.assert_array_equal(clone(augmenter)(clip, SR, random_state=3), altered)
    np.testing.assert_array_equal(clip, before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("augmenter", WORLD, ids=name)
def test_parameters_can_be_got_set_and_shown(augmenter):
    assert clone(augmenter).set_params(p=0.25).p == 0.25
    assert repr(augmenter).startswith(f"{name(augmenter)}(")
    clip = speech(0.1)
    np.testing.assert_array_equal(clone(augmenter).set_params(p=0.0)(clip, SR), clip)


@pytest.mark.parametrize("augmenter", WORLD, ids=name)
def test_copies_are_known_by_clip_seed_and_parameters(augmenter):
    clips = [speech(0.1), speech(0.1, seed=1)]
    digests = [clip_digest(clip) for seed in (0, 1) for clip in augment_clips(clips, augmenter, random_state=seed)]
    assert len(set(digests)) == 4 and None not in digests
    again = augment_clips(clips, pickle.loads(pickle.dumps(augmenter)), random_state=0)
    assert [clip_digest(clip) for clip in again] == digests[:2]


@pytest.mark.parametrize("augmenter", WORLD, ids=name)
def test_workers_make_the_same(augmenter):
    altered = augment_clips([speech(0.1, seed=seed) for seed in range(4)], augmenter, random_state=0)
    one, two = (WaveformLoader(n_jobs=n_jobs).fit_transform(altered) for n_jobs in (1, 2))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


class Halved(AddNoise):
    """A user's own, whose code may change under the same name."""


def test_what_the_user_wrote_is_not_kept():
    for augmenter in (Halved(snr=10), Compose([AddNoise(snr=10), lambda waveform, sr: waveform / 2])):
        assert clip_digest(augment_clips([speech(0.1)], augmenter)[0]) is None


@pytest.mark.parametrize(
    "augmenter, message",
    [
        (AddNoise(snr=10, color="green"), "'color' parameter"),
        (
            AddNoise(snr=10, color=("white", "green")),
            r"each call draws one. Got color=\('white'",
        ),
        (AddNoise(snr=10, color=()), r"Got color=\(\)"),
        (AddBackground("/no/such/folder"), "recordings must be a folder or file that exists.*'/no/such/folder'"),
        (AddBackground(VOICES, snr=(5, 0)), r"Got snr=\(5, 0\)"),
        (AddBackground(VOICES, n_sources=0), "'n_sources' parameter"),
        (AddBackground(VOICES, n_sources=(1, 2.5)), r"Got n_sources=\(1, 2.5\)"),
        (Telephone((3400, 300)), r"band must be \(low, high\) in Hz.* Got band=\(3400, 300\)"),
        (Telephone(companding="law"), "'companding' parameter"),
        (Room(0), "'rt60' parameter"),
        (Room(impulse_responses="nowhere"), "impulse_responses must be a folder or file that exists"),
        (Codec("aac"), "'format' parameter"),
        (Codec(bitrate=0), "'bitrate' parameter"),
        (Equalizer(low_pass=0), "'low_pass' parameter"),
        (Clipping(1.0), "'fraction' parameter"),
        (Clipping(limit=(0, 1)), r"Got limit=\(0, 1\)"),
        (Level(bits=1), "'bits' parameter"),
        (Compose([AddNoise(snr=10), AddNoise()]), "AddNoise takes either amplitude"),
        (Compose([AddNoise]), r"must be a callable \(waveform, sr\)"),
    ],
)
def test_wrong_parameters_are_named_when_planned(augmenter, message):
    with pytest.raises((ValueError, TypeError), match=message):
        augmenter(speech(0.1), SR)
    with pytest.raises((ValueError, TypeError), match=message):
        augment_clips([speech(0.1)], augmenter)


# --------------------------------------------------------------------------------------------------------------- noise


@pytest.mark.parametrize("value", [20, 0, 1.0, (10, 20), np.int64(5), [0.5, 5.0]])
def test_a_number_that_looks_like_decibels_is_no_amplitude(value):
    with pytest.raises(TypeError, match=r"looks like dB. Write AddNoise\(snr=...\) or"):
        AddNoise(value)


def test_a_small_number_is_an_amplitude_still():
    assert AddNoise(0.008).amplitude == 0.008 and AddNoise((0.001, 0.01)).amplitude == (0.001, 0.01)
    assert list(AddNoise(snr=3).get_params()) == ["amplitude", "color", "p", "snr"]


@pytest.mark.parametrize("color, slope", [("white", 0), ("pink", -3), ("brown", -6)])
@pytest.mark.parametrize("sr", [8000, 16000, 44100])
def test_colours_fall_by_so_many_decibels_an_octave(color, slope, sr):
    noise = AddNoise(amplitude=1.0, color=color)(np.zeros(sr * 20), sr, random_state=0)
    frequency, density = welch(noise, sr, nperseg=sr // 4)
    band = (frequency > 50) & (frequency < sr / 2 - 100)
    measured = np.polyfit(np.log2(frequency[band]), decibels(density[band]), 1, w=frequency[band] ** -0.5)[0]
    assert measured == pytest.approx(slope * np.log10(2) / 0.3, abs=0.15)
    assert noise.std() == pytest.approx(1, rel=0.02)
    assert color == "white" or density[frequency < 10].max() < density[frequency > 25].max() / 100


@pytest.mark.parametrize(
    "augmenter", [AddBackground(VOICES, 7), *(AddNoise(snr=7, color=color) for color in ("white", "pink", "brown"))]
)
@pytest.mark.parametrize("sr", RATES)
def test_the_ratio_is_met_whatever_the_colour_rate_and_offset(augmenter, sr):
    for offset, level in [(0, 1), (0.5, 1), (0, 1e-4)]:
        clip = level * speech(1, sr) + offset
        noise = augmenter(clip, sr, random_state=0).astype(float) - clip.astype(np.float32)
        assert decibels(power(clip) / power(noise)) == pytest.approx(7, abs=0.3 if offset else 0.05)


def test_each_call_draws_a_colour():
    def color(seed):
        noise = AddNoise(amplitude=0.1, color=["white", "brown"])(np.zeros(SR), SR, random_state=seed)
        return "white" if power(np.diff(noise)) > power(noise) else "brown"

    assert {color(seed) for seed in range(10)} == {"white", "brown"}


# ---------------------------------------------------------------------------------------------------------- background


@pytest.fixture
def folder(tmp_path):
    """Tones of 100, 200 and 400 Hz, of which one is at another rate and two are in a subfolder; and a text."""
    (tmp_path / "more").mkdir()
    for frequency, rate, path, format in [
        (100, 16000, "a.wav", "WAV"),
        (200, 44100, "more/b.flac", "FLAC"),
        (400, 16000, "more/c.WAV", "WAV"),
    ]:
        tone = 0.3 * np.sin(2 * np.pi * frequency * np.arange(3 * rate) / rate) + 0.1
        soundfile.write(tmp_path / path, tone, rate, format=format)
    (tmp_path / "README.txt").write_text("no sound")
    return tmp_path


def frequencies(waveform, count=1, sr=SR):
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(waveform.size)))
    peaks = np.flatnonzero(spectrum > spectrum.max() / 10)
    return sorted({round(peak * sr / waveform.size / 100) * 100 for peak in peaks})


def test_a_folder_is_searched_with_its_subfolders_and_each_call_draws(folder):
    clip = 1e-3 * speech(1)
    heard = [tuple(frequencies(AddBackground(folder, snr=-40)(clip, SR, random_state=seed))) for seed in range(20)]
    assert set(heard) == {(100,), (200,), (400,)}
    mixed = AddBackground(str(folder), snr=-40, n_sources=3)(clip, SR, random_state=0)
    assert frequencies(mixed) == [100, 200, 400]
    assert frequencies(AddBackground(folder / "a.wav", snr=-40)(clip, SR, random_state=0)) == [100]


def test_recordings_come_in_any_form(folder):
    paths = [folder / "a.wav", folder / "more" / "b.flac"]
    clip = speech(0.5)
    expected = AddBackground(paths, 5, n_sources=2)(clip, SR, random_state=0)
    names = list(map(str, paths))
    for form in (tuple(names), np.array(names), pd.DataFrame({"path": paths}), pd.Series(paths)):
        np.testing.assert_array_equal(AddBackground(form, 5, n_sources=2)(clip, SR, random_state=0), expected)


def test_sources_are_equally_loud():
    tones = [gain * np.sin(2 * np.pi * f0 * np.arange(SR) / SR) for gain, f0 in [(1.0, 1000), (1e-3, 2000)]]
    noise = AddBackground(tones, snr=0, n_sources=2)(speech(1), SR, random_state=0) - speech(1)
    spectrum = np.abs(np.fft.rfft(noise))
    assert spectrum[1000] == pytest.approx(spectrum[2000], rel=0.01)


def test_excerpts_come_from_anywhere_and_short_ones_go_round():
    ramp = np.arange(10000.0)
    noises = [AddBackground([ramp], snr=0)(speech(0.1), SR, random_state=seed) - speech(0.1) for seed in range(20)]
    for noise in noises:
        assert np.all(np.diff(noise) > 0)  # a piece without a seam
    times = np.arange(160)  # ten periods of 1 kHz
    noise = AddBackground([np.sin(2 * np.pi * times / 16)], snr=0)(speech(1), SR, random_state=0) - speech(1)
    assert frequencies(noise) == [1000]


def test_without_recordings_voices_are_made_of_the_clip():
    clip = speech(2)
    heard = AddBackground(snr=3, n_sources=6)(clip, SR, random_state=0)
    noise = heard - clip
    assert decibels(power(clip) / power(noise)) == pytest.approx(3, abs=0.01)
    assert abs(np.corrcoef(noise, clip)[0, 1]) < 0.2
    levels = []
    for waveform in (clip, noise):
        frequency, density = welch(waveform, SR, nperseg=1024)
        levels.append(
            [decibels(density[(frequency > low) & (frequency < 2 * low)].mean()) for low in (200, 400, 800, 1600)]
        )
    np.testing.assert_allclose(*map(np.diff, levels), atol=4)  # the spectrum of a voice


def test_silent_recordings_add_nothing_and_bad_ones_are_named(folder):
    clip = speech(0.1)
    np.testing.assert_array_equal(AddBackground([np.zeros(9)])(clip, SR, random_state=0), clip)
    with pytest.raises(AudioError, match=r"recording for the background cannot be used. .*README.txt'\).*not readable"):
        AddBackground([folder / "README.txt"])(clip, SR)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="recordings must be a folder with audio files in it. Got .*which has none"):
        AddBackground(folder / "empty")(clip, SR)


def test_a_copy_is_known_by_the_contents_of_its_background(folder):
    def digest(seed=0):
        return clip_digest(augment_clips([speech(0.1)], AddBackground(folder / "a.wav"), random_state=seed)[0])

    before = digest()
    assert digest() == before
    soundfile.write(folder / "a.wav", np.random.default_rng(0).normal(0, 0.1, 999), SR)
    assert digest() != before
    (folder / "a.wav").unlink()
    (folder / "a.wav").mkdir()
    arrays = [clip_digest(augment_clips([speech(0.1)], AddBackground([v]), random_state=0)[0]) for v in VOICES[:2]]
    assert arrays[0] != arrays[1]


# ----------------------------------------------------------------------------------------------- telephone and channel


@pytest.mark.parametrize("sr", RATES)
def test_a_telephone_lets_its_band_through(sr):
    noise = np.random.default_rng(0).normal(0, 0.1, 8 * sr)
    heard = Telephone(companding=None)(noise, sr)
    frequency, before = welch(noise, sr, nperseg=sr // 4)
    _, after = welch(heard, sr, nperseg=sr // 4)
    gain = decibels(after / before)
    gain -= np.median(gain[(frequency > 600) & (frequency < 2400)])
    assert gain[(frequency > 20) & (frequency < 150)].max() < -35 and gain[frequency > 4100].max(initial=-99) < -50
    assert np.abs(gain[(frequency > 500) & (frequency < 2800)]).max() < 2
    edges = np.interp([300, 3400], frequency, gain)
    np.testing.assert_allclose(edges, -6, atol=1)
    assert power(heard) == pytest.approx(power(noise), rel=1e-3)


@pytest.mark.parametrize("law", ["mu-law", "a-law"])
def test_companding_leaves_255_values_that_lie_closer_around_zero(law):
    ramp = np.linspace(-1, 1, 200001)
    coded = companded(ramp, law)
    values = np.unique(coded)
    assert values.size == 255 and values[0] == pytest.approx(-1) and values[-1] == pytest.approx(1) and 0 in values
    steps = np.diff(values[values >= 0])
    assert np.all(np.diff(steps) > -1e-9) and steps[-1] > 15 * steps[0]
    np.testing.assert_allclose(coded, -coded[::-1], atol=1e-12)
    np.testing.assert_allclose(companded(values, law), values, atol=1e-12)
    magnitude = np.abs(ramp) > 0.02
    assert np.abs(coded[magnitude] / ramp[magnitude] - 1).max() < 0.05
    assert companded(np.array([3.0]), law) == pytest.approx(1)


def test_a_telephone_is_as_noisy_for_soft_as_for_loud_recordings_and_not_late():
    clip = speech(1, 8000)
    for law, expected in [("mu-law", 38), ("a-law", 38)]:
        line = Telephone(None, companding=law)
        for gain in (1, 1e-3):
            error = line(gain * clip, 8000) - gain * clip
            assert decibels(power(gain * clip) / power(error)) == pytest.approx(expected, abs=4)
        assert len(np.unique(line(clip, 8000))) <= 255
    burst = np.zeros(SR)
    burst[8000:8400] = speech(1)[:400]
    energy = Telephone(companding=None)(burst, SR) ** 2
    assert np.average(np.arange(SR), weights=energy) == pytest.approx(8200, abs=80)


@pytest.mark.parametrize("tilt", [-6, -1.5, 3])
@pytest.mark.parametrize("sr", RATES)
def test_a_tilt_is_so_many_decibels_an_octave(tilt, sr):
    time = np.arange(sr) / sr
    clip = sum(np.sin(2 * np.pi * f0 * time) for f0 in (125, 250, 500, 1000, 2000))
    levels = [2 * decibels(np.abs(np.fft.rfft(Equalizer(tilt)(clip, sr)))[f0]) for f0 in (125, 250, 500, 1000, 2000)]
    np.testing.assert_allclose(np.diff(levels), tilt, atol=0.05)
    assert power(Equalizer(tilt)(clip, sr)) == pytest.approx(power(clip), rel=1e-4)


def test_an_equalizer_cuts_where_it_says():
    time = np.arange(SR) / SR
    clip = sum(np.sin(2 * np.pi * f0 * time) for f0 in (100, 200, 1000, 2000, 4000))
    spectrum = np.abs(np.fft.rfft(Equalizer(0, low_pass=2000, high_pass=200)(clip, SR)))
    level = [2 * decibels(spectrum[f0] / spectrum[1000]) for f0 in (100, 200, 2000, 4000)]
    np.testing.assert_allclose(level, [-48, -6, -6, -48], atol=0.3)
    np.testing.assert_allclose(Equalizer(0, low_pass=9000)(clip, 10000), Equalizer(0)(clip, 10000), atol=0.1)


def test_cutoffs_are_drawn_evenly_in_octaves():
    rng = np.random.default_rng(0)
    drawn = [Equalizer(low_pass=(1000, 4000))._cutoff("low_pass", rng) for _ in range(400)]
    assert 1000 <= min(drawn) < 1050 and 3800 < max(drawn) <= 4000 and np.median(drawn) == pytest.approx(2000, rel=0.1)


def test_clipping_cuts_the_largest_samples():
    clip = speech(1)
    for fraction in (0.01, 0.2):
        clipped = Clipping(fraction)(clip, SR)
        changed = clipped != clip
        assert changed.mean() == pytest.approx(fraction, abs=1e-3)
        assert np.abs(clipped).max() == pytest.approx(np.abs(clip[~changed]).max(), rel=1e-3)
    half = Clipping(limit=0.5)(clip, SR)
    np.testing.assert_allclose(half, np.clip(clip, -np.abs(clip).max() / 2, np.abs(clip).max() / 2))
    mostly_silent = np.where(np.arange(1000) < 5, 1.0, 0.0)
    np.testing.assert_array_equal(Clipping(0.1)(mostly_silent, SR), mostly_silent)


def test_levels_are_rounded_to_the_recorder_s_steps():
    clip = speech(1)
    np.testing.assert_allclose(Level(-20, bits=None)(clip, SR), clip / 10, rtol=1e-6)
    soft = Level(-60, bits=8)(clip * 300, SR)
    np.testing.assert_array_equal(soft * 128, np.round(soft * 128))
    error = Level(-6, bits=12)(clip, SR) - clip * 10 ** (-6 / 20)
    assert error.std() == pytest.approx(2**-11 / np.sqrt(12), rel=0.05)
    loud = Level(60)(clip, SR)
    assert loud.min() == -1 and loud.max() == pytest.approx(1, abs=1e-4)


# ------------------------------------------------------------------------------------------------------ room and codec


def schroeder(response, sr):
    """Reverberation time by backward integration of the squared response (Schroeder 1965), from -5 to -25 dB."""
    decay = decibels(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))
    part = (decay < -5) & (decay > -25)
    return -60 / np.polyfit(np.flatnonzero(part) / sr, decay[part], 1)[0]


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("rt60", [0.15, 0.5, 1.5])
def test_reverberation_decays_by_60_db_in_rt60(rt60, sr):
    rng = np.random.default_rng(0)
    responses = [decaying_response(rt60, 3, sr, rng) for _ in range(5)]
    assert np.mean([schroeder(response[1:], sr) for response in responses]) == pytest.approx(rt60, rel=0.06)
    for response in responses:
        assert decibels(response[0] ** 2 / np.sum(response[1:] ** 2)) == pytest.approx(3)
    click = np.zeros(round(2 * sr))
    click[0] = 1
    heard = Room(rt60, drr=3)(click, sr, random_state=0)
    assert schroeder(heard[1:], sr) == pytest.approx(rt60, rel=0.15)


def test_a_room_is_as_loud_and_not_late():
    clip = speech(1)
    heard = Room(0.4, drr=5)(clip, SR, random_state=0)
    assert power(heard) == pytest.approx(power(clip), rel=1e-3)
    match = np.correlate(heard, clip, "full")
    assert match.argmax() - (clip.size - 1) == 0
    np.testing.assert_allclose(Room(0.4, drr=80)(clip, SR, random_state=0), clip, atol=1e-3)


def test_a_user_s_response_is_taken_from_its_direct_sound_on(tmp_path):
    response = np.r_[np.zeros(50), 1, np.zeros(99), 0.5]
    clip = np.zeros(1000)
    clip[100] = 1
    heard = Room(impulse_responses=[response])(clip, SR)
    assert heard[100] > 0 and heard[200] == pytest.approx(heard[100] / 2)
    assert np.abs(np.delete(heard, [100, 200])).max() < 1e-6
    soundfile.write(tmp_path / "hall.wav", response, SR, subtype="FLOAT")
    np.testing.assert_allclose(Room(impulse_responses=tmp_path)(clip, SR), heard, atol=1e-6)
    with pytest.raises(AudioError, match="must not be silent"):
        Room(impulse_responses=[np.zeros(4)])(clip, SR)


@pytest.mark.parametrize("format", ["mp3", "vorbis", "opus"])
@pytest.mark.parametrize("bitrate", [8, 24, 64])
@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100])
def test_codecs_are_not_late_and_leave_more_at_higher_rates(format, bitrate, sr):
    clip = speech(1.5, sr)
    heard = Codec(format, bitrate=bitrate)(clip, sr)
    assert heard.shape == clip.shape
    n_fft = 2 * clip.size
    match = np.fft.irfft(np.fft.rfft(heard, n_fft) * np.fft.rfft(clip, n_fft).conj())
    lag = int(match.argmax())
    assert min(lag, n_fft - lag) <= 2
    if bitrate == 64:
        assert decibels(power(clip) / power(heard - clip)) > 10


def test_a_lower_rate_loses_more():
    clip = speech(2)
    for format in ("mp3", "opus"):
        errors = [power(Codec(format, bitrate=bitrate)(clip, SR) - clip) for bitrate in (8, 24, 96)]
        assert errors[0] > errors[1] > errors[2]


def test_a_codec_does_the_same_to_soft_clips_and_each_time():
    clip = speech(1)
    for format in ("mp3", "vorbis", "opus"):
        heard = Codec(format, bitrate=16)(clip, SR)
        np.testing.assert_array_equal(Codec(format, bitrate=16)(clip, SR), heard)
        np.testing.assert_allclose(1024 * Codec(format, bitrate=16)(clip / 1024, SR), heard, atol=1e-6)


def test_a_codec_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": "", "OGG": ""})
    with pytest.raises(ValueError, match=r"format='mp3' needs a libsndfile .*Got libsndfile \d.*upgrade soundfile"):
        Codec()(speech(0.1), SR)


# ------------------------------------------------------------------------------------------------------------- compose


def test_augmenters_follow_one_another():
    clip = speech(0.5)
    both = Compose([Level(-6, bits=None), lambda waveform, sr: -waveform])
    np.testing.assert_allclose(both(clip, SR), -clip * 10 ** (-6 / 20), rtol=1e-5)
    noisy = Compose([AddNoise(snr=0), AddNoise(snr=0)])(clip, SR, random_state=0)
    assert decibels(power(noisy - clip) / power(clip)) == pytest.approx(decibels(3), abs=0.2)
    assert Compose([])(clip, SR).tolist() == clip.tolist()


def test_lengths_of_what_follows_one_another_are_known():
    clip = speech(0.2)
    chain = Compose([AddNoise(snr=(0, 20)), TimeStretch(), Room(p=0.5), TimeStretch(p=0.5)])
    for seed in range(8):
        assert chain(clip, SR, random_state=seed).size == chain.n_times(clip.size, random_state=seed)
    halved = augment_clips([clip], Compose([lambda waveform, sr: waveform[::2]]))
    assert WaveformLoader().fit_transform(halved)[0].size == clip.size // 2


@pytest.mark.processes
def test_a_pipeline_reads_them(tmp_path):
    clips = [speech(0.3, seed=seed) for seed in range(4)]
    svm = make_pipeline(HandcraftedFeatures(memory=tmp_path), SVC()).fit(clips, [0, 0, 1, 1])
    for augmenter in WORLD:
        assert svm.predict(augment_clips(clips, augmenter, random_state=0)).shape == (4,)


def test_nothing_is_copied_where_none_of_them_is_applied():
    halves = Compose([AddNoise(snr=10, p=0.5), Room(p=0.5)])
    altered = augment_clips([clip := speech(0.1)] * 400, halves, random_state=0)
    assert np.mean([copy is clip for copy in altered]) == pytest.approx(0.25, abs=0.08)
    waveforms = WaveformLoader().fit_transform(altered)
    assert all(
        (copy is clip) == np.array_equal(waveform, clip) for copy, waveform in zip(altered, waveforms, strict=True)
    )


@pytest.mark.processes
def test_real_world_augmenters_are_new_each_time_and_make_one_and_a_half_copies():
    augmenters = real_world_augmenters()
    augmenters.append(None)
    assert len(real_world_augmenters()) == 2
    clips = [speech(0.05, seed=seed) for seed in range(200)]
    classifier = AugmentedClassifier(Recorder(), real_world_augmenters(), random_state=0)
    augmented = classifier.fit(clips, ["calm", "fear"] * 100).estimator_.X_
    assert len(augmented) == pytest.approx(2.5 * 200, abs=30)
    loaded = WaveformLoader().fit_transform(augmented)
    assert all(waveform.size == 800 for waveform in loaded)
    assert len({waveform.tobytes() for waveform in loaded}) == len(augmented)  # each is altered by something
    assert all(clip_digest(clip) for clip in augmented)


@pytest.mark.processes
def test_with_copies_an_svm_recognises_what_comes_over_a_telephone(emodb):
    X, y = emodb.data, np.isin(emodb.target, ["anger", "happiness", "fear"])  # excited, or not
    train = np.isin(emodb.speaker, ["03", "09", "10", "16"])
    test = np.isin(emodb.speaker, ["11", "14"])
    svm = make_pipeline(HandcraftedFeatures(feature_set="default-v1"), StandardScaler(), SVC(C=10))
    call = augment_clips(X[test], Telephone(), random_state=0)
    alone = clone(svm).fit(X[train], y[train]).predict(call)
    copies = AugmentedClassifier(svm, real_world_augmenters(), random_state=0).fit(X[train], y[train]).predict(call)
    assert np.mean(copies == y[test]) > 0.75 > np.mean(alone == y[test]) + 0.1
