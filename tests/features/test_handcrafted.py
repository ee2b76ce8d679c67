"""Handcrafted features: the columns of each set, voices of known melody and regularity, invariances, and librosa."""

import hashlib
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.signal
import soundfile
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import Functionals, HandcraftedFeatures, LowLevelDescriptors
from sklearn_ser.features._feature_sets import FEATURE_SETS

RNG = np.random.default_rng(0)
NOISE = RNG.normal(scale=0.1, size=16000).astype(np.float32)


def librosa_170(waveform):
    return np.concatenate(
        [
            librosa.feature.melspectrogram(y=waveform, sr=16000).mean(axis=1),
            librosa.feature.mfcc(y=waveform, sr=16000, n_mfcc=40).mean(axis=1),
            librosa.feature.zero_crossing_rate(waveform).mean(axis=1),
            librosa.feature.rms(y=waveform).mean(axis=1),
        ]
    )


def test_the_170_features_are_librosas():
    features = HandcraftedFeatures(feature_set="bledea170", normalize=None).fit_transform([NOISE])
    assert features.shape == (1, 170)
    np.testing.assert_allclose(features[0], librosa_170(NOISE), rtol=1e-4, atol=1e-5)


def test_the_170_features_are_librosas_on_real_recordings(emodb):
    paths = list(emodb.data["path"][::50])
    for path, row in zip(
        paths, HandcraftedFeatures(feature_set="bledea170", normalize=None).fit_transform(paths), strict=True
    ):
        np.testing.assert_allclose(row, librosa_170(soundfile.read(path, dtype="float32")[0]), rtol=1e-3, atol=1e-4)


FEATURES = HandcraftedFeatures(feature_set="default-v1").set_output(transform="pandas")


def voice(f0, seconds=1.0, sr=16000, jitter=0.0, shimmer=0.0, seed=0):
    """Pulses of a gliding rate, periods and heights changed at random by a fraction, through a resonance at 700 Hz."""
    times, rng = [0.0], np.random.default_rng(seed)
    while times[-1] < seconds:
        period = 1 / np.interp(times[-1], np.linspace(0, seconds, np.size(f0)), np.atleast_1d(f0))
        times.append(times[-1] + period * (1 + jitter / 2 * rng.choice([-1, 1])))
    heights = 1 + shimmer / 2 * rng.choice([-1, 1], len(times))
    source = np.zeros(round((seconds + 0.1) * 4 * sr))
    source[np.round(np.array(times) * 4 * sr).astype(int)] = heights
    pole = np.exp((-np.pi * 200 + 2j * np.pi * 700) / (4 * sr))
    wave = scipy.signal.lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], source)
    wave = scipy.signal.resample_poly(wave, 1, 4)[: round(seconds * sr)]
    return (wave / np.abs(wave).max() + 1e-5 * rng.normal(size=wave.size)).astype(np.float32)


def test_a_sets_columns_never_change():
    """A released set never changes; what is better gets a name of its own."""
    digests = {
        name: (len(names), hashlib.sha256("\n".join(names).encode()).hexdigest()[:16])
        for name in FEATURE_SETS
        for names in [HandcraftedFeatures(feature_set=name).get_feature_names_out()]
    }
    assert digests == {
        "default-v1": (1634, "99dfdc5c8811131d"),
        "default-v2": (477, "4c41831b74d4b459"),
        "default-v3": (274, "087eefb9430f98a3"),
        "bledea170": (170, "07635fa965974144"),
    }


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_a_sets_values_never_change(name):
    """On two fixed signals. A new set's values are added to the file once, when it is released."""
    stored = np.load(Path(__file__).parent / "values_of_feature_sets.npz")[name]
    columns = [column for _, column in FEATURE_SETS[name].columns(16000)]
    values = FEATURE_SETS[name].fingerprint()
    changed = ~np.isclose(values, stored, rtol=1e-3, atol=1e-4)
    assert not changed.any(), [(columns[i % len(columns)], values[i], stored[i]) for i in np.flatnonzero(changed)[:10]]


def test_columns_have_names_of_their_own_and_belong_to_one_family():
    extract = HandcraftedFeatures(feature_set="default-v1")
    names, families = extract.get_feature_names_out(), extract.feature_families()
    assert len(set(names)) == len(names)
    assert list(families) == ["spectrum", "voice", "prosody", "modulation", "covariation"]
    assert sorted(name for columns in families.values() for name in columns) == sorted(names)
    assert "f0_semitone_mean" in families["prosody"] and "jitter_mean" in families["voice"]
    assert "mfcc_3_voiced_std" in families["spectrum"] and "pause_rate" in families["prosody"]


@pytest.mark.parametrize("family", ["spectrum", "voice", "prosody", "modulation", "covariation"])
def test_a_family_alone_is_that_part_of_the_whole(family, tones):
    whole = FEATURES.fit_transform(tones)
    part = clone(FEATURES).set_params(families=[family]).fit_transform(tones)
    assert list(part) == FEATURES.feature_families()[family]
    np.testing.assert_allclose(part, whole[part.columns], rtol=1e-5, atol=1e-6)


def test_families_are_searched_through(tones):
    pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC())
    choices = [["prosody"], ["prosody", "voice"], None]
    search = GridSearchCV(pipeline, {"handcraftedfeatures__families": choices}, cv=2).fit(tones * 2, [0, 1] * 6)
    assert search.cv_results_["params"][1]["handcraftedfeatures__families"] == ["prosody", "voice"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_features_are_functionals_of_low_level_descriptors():
    """Of a clip without silence at its edges, through two other estimators."""
    params = dict(n_fft=512, win_length=400, hop_length=160, n_mels=40, fmin=50.0, n_mfcc=13)
    functionals = ["mean", "std", "p5", "p95", "skewness", "slope", "delta_abs_mean"]
    table = FEATURES.fit_transform([NOISE])
    for descriptors in (["log_mel_broad"], ["mfcc"], ["spectral_centroid"], ["energy"], ["hnr"]):
        pipeline = make_pipeline(LowLevelDescriptors(descriptors=descriptors, **params), Functionals(functionals))
        values = pipeline.fit_transform([NOISE])[0]
        np.testing.assert_allclose(table[pipeline.get_feature_names_out()].iloc[0], values, rtol=1e-4, atol=1e-4)


def test_melody_is_in_semitones_and_relative_to_the_voice():
    """An octave up moves the mean by 12 semitones, and nothing that is relative to the clip's own median."""
    low, high = FEATURES.fit_transform([voice([100, 150, 120]), voice([200, 300, 240])]).to_dict("records")
    assert high["f0_semitone_mean"] - low["f0_semitone_mean"] == pytest.approx(12, abs=0.1)
    for name in ("f0_semitone_p95_from_median", "f0_semitone_p5_from_median", "f0_semitone_std"):
        assert high[name] == pytest.approx(low[name], abs=0.2)
    rising = FEATURES.fit_transform([voice([100, 200])])
    assert rising["f0_semitone_slope"].item() == pytest.approx(12 / 100, rel=0.15)  # an octave in 100 frames
    assert rising["f0_semitone_first_quarter_from_median"].item() < -2


def test_irregular_voices_have_jitter_and_shimmer():
    """Every other difference of neighbours is one of sizes, the others are none: the mean is half of it."""
    regular, uneven, loud_and_soft = FEATURES.fit_transform(
        [voice(125, 4.0), voice(125, 4.0, jitter=0.04), voice(125, 4.0, shimmer=0.2)]
    ).to_dict("records")
    assert regular["jitter_mean"] < 0.002 and regular["shimmer_mean"] < 0.1
    assert uneven["jitter_mean"] == pytest.approx(0.02, rel=0.2)
    assert loud_and_soft["shimmer_mean"] == pytest.approx(10 * np.log10(1.1 / 0.9), rel=0.2)
    assert loud_and_soft["jitter_mean"] < 0.004


def test_noise_lowers_the_ratio_of_harmonics_and_the_prominence_of_the_cepstral_peak():
    clean, noisy, worse = FEATURES.fit_transform([voice(150) + a * NOISE for a in (0, 0.1, 0.4)]).to_dict("records")
    for name in ("hnr_voiced_mean", "cpp_voiced_mean"):
        assert clean[name] > noisy[name] > worse[name]


def test_rhythm_counts_pauses_and_shares():
    beat = np.concatenate([voice(150, 0.3), np.zeros(3200, np.float32)] * 5)[
        :-3200
    ]  # 5 voices of 0.3 s, 4 pauses of 0.2 s
    features = FEATURES.fit_transform([beat]).iloc[0]
    assert features["log_duration"] == pytest.approx(np.log(2.3), abs=0.03)
    assert features["pause_rate"] == pytest.approx(4 / 2.3, rel=0.03)
    assert features["pause_length_mean"] == pytest.approx(0.2, abs=0.04)
    assert features["voiced_length_mean"] == pytest.approx(0.3, abs=0.04)
    assert features["voiced_share"] == pytest.approx(1.5 / 2.3, abs=0.08)
    assert features["loudness_peak_rate"] == pytest.approx(5 / 2.3, rel=0.05)


@pytest.mark.parametrize("rate, band", [(2.5, "2_3"), (5, "4_6"), (10, "8_12")])
def test_modulation_peaks_at_its_rate(rate, band):
    times = np.arange(48000) / 16000
    noise = np.random.default_rng(2).normal(size=48000) * (1 + 0.8 * np.sin(2 * np.pi * rate * times))
    features = FEATURES.fit_transform([noise]).iloc[0]
    bands = features[[name for name in features.index if name.startswith("band_4_modulation")]]
    assert bands.idxmax() == f"band_4_modulation_{band}"


def test_silence_at_the_edges_does_not_matter():
    clip = voice([120, 180, 140], 1.5) * np.hanning(24000).astype(np.float32)
    silence = 1e-4 * np.random.default_rng(3).normal(size=16000).astype(np.float32)
    padded = np.concatenate([silence, clip, silence])
    plain, padded = FEATURES.fit_transform([clip, padded]).to_dict("records")
    for name in ("f0_semitone_mean", "voiced_share", "log_duration", "energy_mean", "mfcc_1_mean", "loudness_mean"):
        assert padded[name] == pytest.approx(plain[name], rel=0.06, abs=0.1), name


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_gain_moves_no_feature(gain):
    clip = (voice([100, 160]) + 0.05 * NOISE).astype(np.float32)
    plain, scaled = HandcraftedFeatures().fit_transform([clip, gain * clip])
    np.testing.assert_allclose(scaled, plain, rtol=1e-3, atol=1e-3 * np.abs(plain).mean())


@pytest.mark.parametrize("feature_set", list(FEATURE_SETS))
@pytest.mark.parametrize("normalize", ["rms", "peak", None])
@pytest.mark.parametrize(
    "clip",
    [
        np.zeros(16000),
        np.eye(1, 8000, 4000)[0],
        NOISE[:800],
        np.ones(16000),
        np.sign(NOISE),
        NOISE[:1],
        np.full(9000, 1e-30),
        np.sin(2 * np.pi * 440 * np.arange(16000) / 16000),
        np.sin(2 * np.pi * 7900 * np.arange(16000) / 16000),
        0.5 + NOISE,
        np.clip(20 * NOISE, -1, 1),
        np.concatenate([np.zeros(16000), NOISE[:1600], np.zeros(16000)]),
    ],
    ids=[
        "silence",
        "click",
        "50 ms",
        "constant",
        "square",
        "sample",
        "quiet",
        "A4",
        "7900 Hz",
        "DC",
        "clipped",
        "short",
    ],
)
def test_odd_clips_have_finite_features_and_no_warning(clip, normalize, feature_set):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract = HandcraftedFeatures(feature_set=feature_set, normalize=normalize)
        features = extract.fit_transform([clip, NOISE])
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features[1], extract.transform([NOISE])[0])


@pytest.mark.processes
def test_ten_minutes_have_features():
    assert np.isfinite(HandcraftedFeatures().fit_transform([np.tile(NOISE, 600)])).all()


def test_a_whisper_has_features_of_all_its_frames():
    features = FEATURES.fit_transform([NOISE]).iloc[0]
    assert features["voiced_share"] < 0.05
    if features["voiced_share"] == 0:
        assert features["f0_semitone_mean"] == 0 and features["jitter_mean"] == 0
    assert features["mfcc_1_voiced_mean"] != 0


@pytest.mark.processes
def test_an_svm_on_the_default_set_knows_new_speakers_of_emodb(emodb):
    """A fraction of the corpus: two speakers unheard, four emotions."""
    wanted = np.isin(emodb.target, ["anger", "sadness", "neutral", "happiness"])
    X, y, speaker = emodb.data[wanted], emodb.target[wanted], emodb.speaker[wanted]
    test = np.isin(speaker, np.unique(speaker)[:2])
    pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC(C=10)).fit(X[~test], y[~test])
    assert balanced_accuracy_score(y[test], pipeline.predict(X[test])) > 0.75


def test_order_of_clips_is_order_of_rows(tones):
    features = HandcraftedFeatures().fit_transform(tones)
    np.testing.assert_array_equal(HandcraftedFeatures().fit_transform(tones[::-1]), features[::-1])


@pytest.mark.parametrize(
    "params, message",
    [
        (
            dict(feature_set="default-v0"),
            "The 'feature_set' parameter .* must be a str among .*'default-v1'.*Got 'default-v0'",
        ),
        (dict(families=["pitch"]), r"families must be one or more of \['prosody', .*Got \['pitch'\]"),
        (dict(descriptors=["mel"]), r"descriptors must be one or more of \['clear_energy', .*Got \['mel'\]"),
        (dict(descriptors=["clear_mfcc", "clear_mfcc"]), "each once"),
        (dict(descriptors=[["mfcc"]]), r"Got \[\['mfcc'\]\]"),
        (dict(families=[]), r"families must be one or more of .*Got \[\]"),
        (
            dict(families=["voice"], descriptors=["clear_mfcc"]),
            r"none of descriptors=\['clear_mfcc'\] belongs to families=\['voice'\]",
        ),
        (dict(sr=8000), "frequencies up to 8000 Hz, so that sr must be at least 16000 Hz.* Got sr=8000"),
    ],
)
def test_wrong_parameters_of_features_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        HandcraftedFeatures(**params).fit_transform([NOISE])


def test_features_come_as_a_named_table_if_asked(tones):
    table = HandcraftedFeatures(feature_set="bledea170").set_output(transform="pandas").fit_transform(tones)
    assert list(table.columns[[0, 128, 168, 169]]) == ["mel_0_mean", "mfcc_0_mean", "zcr_mean", "rms_mean"]
