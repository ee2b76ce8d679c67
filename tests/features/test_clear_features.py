"""Features of the speech above its recording's noise: what noise, lines and silence leave as it was."""

import numpy as np
import pytest
import scipy.signal

from sklearn_ser import HandcraftedFeatures, LowLevelDescriptors
from sklearn_ser._signal.clear_speech import DEPTH, ClearSpeech, clear_levels, noise_floor, speech_span
from sklearn_ser.features._clip_features import CLIP_FEATURES, DescribedClip

RNG = np.random.default_rng(0)
FEATURES = HandcraftedFeatures(feature_set="default-v2").set_output(transform="pandas")


def syllables(seconds=3.0, f0=150, rate=4, sr=16000):
    """Pulses of falling spectrum that come and go, `rate` times a second."""
    times = np.arange(round(seconds * sr)) / sr
    pulses = scipy.signal.lfilter([1], [1, -0.9], (np.arange(times.size) % round(sr / f0) == 0).astype(float))
    return pulses * np.maximum(np.sin(2 * np.pi * rate * times), 0) ** 2


def with_noise(clip, snr, rng=RNG):
    noise = rng.normal(size=clip.size)
    return clip + noise * np.sqrt(np.mean(clip**2) / np.mean(noise**2)) * 10 ** (-snr / 20)


def moved(clip, altered, feature_set):
    """Median over the features of how far the alteration moves them, against how far another voice lies."""
    features = HandcraftedFeatures(feature_set=feature_set)
    plain, other, far = features.fit_transform([clip, syllables(f0=220, rate=3), altered]).astype(float)
    scale = np.abs(other - plain)
    return np.median(np.abs(far - plain)[scale > 1e-3] / scale[scale > 1e-3])


def test_the_noise_floor_is_above_the_noise_and_below_the_speech():
    noise = RNG.exponential(size=(400, 3)).astype(np.float32)  # power of a noise in three bands
    speech = np.zeros((400, 3), np.float32)
    speech[100:300] = 100
    floor = noise_floor(noise + speech)
    assert (floor > 1).all() and (floor < 5).all()
    assert (noise_floor(10 * noise + speech) > floor).all()


def test_levels_begin_at_the_depth_and_loud_speech_is_0():
    power = np.full((200, 40), 1e-9, np.float32)
    power[50:150, 10] = 1.0
    levels = clear_levels(power)
    assert levels[100, 10] == pytest.approx(0, abs=0.1) and levels[0, 10] == -DEPTH
    assert (clear_levels(np.zeros((5, 40), np.float32)) == -DEPTH).all()


def test_a_steady_sound_is_not_taken_for_noise_where_there_is_nothing_else():
    time = np.arange(16000) / 16000
    low, high = FEATURES.fit_transform([np.sin(2 * np.pi * f * time) for f in (300, 1200)])["clear_alpha_ratio_mean"]
    assert low > high + 3


def test_a_band_that_carries_nothing_follows_its_neighbour():
    power = np.full((200, 40), 1e-9, np.float32)
    power[50:150, :30] = 1.0
    levels = clear_levels(power)
    assert levels[100, 29] == pytest.approx(0, abs=0.1)
    assert levels[100, 30:34] == pytest.approx([-0.5, -1.0, -1.5, -2.0], abs=0.1)


def test_a_clips_values_do_not_depend_on_its_neighbours():
    power = RNG.exponential(size=(300, 40)).astype(np.float32)
    together, alone = ClearSpeech(power, [100, 200], 16000), ClearSpeech(power[100:], [200], 16000)
    for name in ("energy", "loudness", "flux", "mel", "treble", "shape"):
        np.testing.assert_array_equal(getattr(together, name)()[100:], getattr(alone, name)())


@pytest.mark.parametrize("snr, most", [(20, 0.4), (10, 1.0)])
def test_noise_moves_less_than_it_moves_the_first_set(snr, most):
    clip = syllables()
    noisy = with_noise(clip, snr)
    assert moved(clip, noisy, "default-v2") < most
    assert moved(clip, noisy, "default-v2") < 0.6 * moved(clip, noisy, "default-v1")


def test_energy_correlation_is_the_correlation_over_frames():
    rng = np.random.default_rng(0)
    energy = rng.normal(size=(60, 1))
    widths = {"clear_mel": 15}
    values = {
        name: rng.normal(size=(60, widths.get(name, 1))) for name in CLIP_FEATURES["energy_correlation"].descriptors
    }
    values |= {"clear_energy": energy, "clear_hnr": 3 - 2 * energy, "cpp": np.ones((60, 1))}
    feature = CLIP_FEATURES["energy_correlation"]
    row = dict(zip(feature.columns, feature.function([DescribedClip(values, 100.0)])[0], strict=True))
    assert row["clear_hnr_energy_correlation"] == pytest.approx(-1)
    assert row["cpp_energy_correlation"] == 0  # of a constant
    expected = np.corrcoef(energy[:, 0], values["clear_mel"][:, 3])[0, 1]
    assert row["clear_mel_3_energy_correlation"] == pytest.approx(expected, abs=1e-6)


def test_no_column_of_the_default_set_is_constant_on_real_speech(emodb):
    table = HandcraftedFeatures().set_output(transform="pandas").fit_transform(emodb.data["path"][::8])
    commonest = {name: (table[name] == table[name].mode()[0]).mean() for name in table}
    assert {name: share for name, share in commonest.items() if share > 0.5} == {}


def test_silence_and_faint_noise_around_a_clip_change_little():
    clip = with_noise(syllables(2.0), 30)
    around = np.concatenate([np.zeros(16000), clip, np.zeros(16000)])
    plain, padded = FEATURES.fit_transform([clip, around]).to_dict("records")
    for name in ("clear_log_duration", "clear_mel_3_mean", "f0_semitone_mean", "clear_loudness_std"):
        assert padded[name] == pytest.approx(plain[name], rel=0.1, abs=0.2), name


def test_without_treble_nothing_above_4_khz_counts():
    clip = with_noise(syllables(), 25)
    narrow = scipy.signal.resample_poly(scipy.signal.resample_poly(clip, 1, 2), 2, 1)
    features = HandcraftedFeatures(families=["spectrum", "voice", "prosody"])
    wide, telephone = features.fit_transform([clip, narrow])
    assert np.median(np.abs(wide - telephone)) < 0.05


def test_clear_descriptors_are_there_frame_by_frame_at_any_rate():
    for sr in (8000, 16000, 44100):
        frames = LowLevelDescriptors(sr, ["clear_mel", "clear_energy", "clear_hnr"], n_fft=2048).fit_transform(
            [syllables(1.0)]
        )
        assert np.isfinite(frames).all() and frames.shape[2] == 17
        assert frames[..., 15].max() <= 12 and frames[..., 15].min() >= -25
        assert np.abs(frames[..., 16]).max() <= 10


def test_the_families_are_spectrum_treble_voice_and_prosody():
    families = HandcraftedFeatures(feature_set="default-v2").feature_families()
    assert list(families) == ["spectrum", "treble", "voice", "prosody"]
    assert all(
        name.startswith(("clear_mel_15", "clear_mel_16", "clear_mel_17", "clear_mel_18", "clear_mel_19"))
        for name in families["treble"]
    )
    assert not any("covariation" in name for names in families.values() for name in names)


def test_the_span_of_speech_is_found_in_silence_and_in_noise():
    clip = np.concatenate([np.zeros(16000), syllables(2.0), np.zeros(8000)])
    for heard in (clip, with_noise(clip, 15)):
        span = speech_span(heard.astype(np.float32), 16000)
        assert abs(span.start - 16000) < 3200 and abs(span.stop - 48000) < 3200
    assert speech_span(np.zeros(4000, np.float32), 16000).stop >= 4000
    assert speech_span(np.ones(1, np.float32), 16000).start == 0
