"""Low-level descriptors and functionals: voices of known pitch and resonances, closed forms, librosa and scipy."""

import pickle
import runpy
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import Functionals, LowLevelDescriptors, load_waveform
from sklearn_ser._signal.formants import levinson
from sklearn_ser.features._descriptors import DESCRIPTORS
from sklearn_ser.features._functionals import FUNCTIONALS

RNG = np.random.default_rng(0)
NOISE = RNG.normal(scale=0.1, size=16000).astype(np.float32)
VOWELS = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "@": (500, 1500, 2500),
}


def vowel(f0, formants, seconds=0.4, sr=16000):
    """A pulse train, or noise if f0 is None, through a glottis (-12 dB an octave), five resonators and the lips (+6).

    Synthesised at four times the rate, so that periods need not be whole samples.
    """
    rate = 4 * sr
    n_times = round(seconds * rate)
    if f0 is None:
        source = np.random.default_rng(1).normal(size=n_times)
    else:
        source = np.diff(np.floor(np.cumsum(np.broadcast_to(f0, n_times)) / rate), prepend=-1)
    for _ in range(2):
        source = scipy.signal.lfilter([1], [1, -np.exp(-2 * np.pi * 100 / rate)], source)
    source = np.diff(source, prepend=0)
    for frequency, bandwidth in zip((*formants, 3500, 4500), (80, 100, 120, 150, 200), strict=True):
        pole = np.exp((-np.pi * bandwidth + 2j * np.pi * frequency) / rate)
        source = scipy.signal.lfilter([1], [1, -2 * pole.real, abs(pole) ** 2], source)
    return scipy.signal.resample_poly(source, 1, 4).astype(np.float32)


def with_noise(waveform, snr, seed=0):
    noise = np.random.default_rng(seed).normal(size=waveform.size)
    return waveform + noise * np.sqrt(np.mean(waveform**2)) * 10 ** (-snr / 20)


def measure(clips, *descriptors, **params):
    return LowLevelDescriptors(descriptors=descriptors, **params).fit_transform(clips)


# ---------------------------------------------------------------------------------------------------------------- pitch


@pytest.mark.parametrize("f0", [80, 97.3, 123, 150, 200, 251, 300, 400, 500])
def test_f0_of_vowels_is_within_one_percent(f0):
    tracks = measure([vowel(f0, formants) for formants in VOWELS.values()], "f0")[:, 4:-4, 0]
    np.testing.assert_allclose(tracks, f0, rtol=0.01)


@pytest.mark.parametrize("snr, fraction", [(10, 0.98), (5, 0.9)])
def test_f0_is_found_in_noise(snr, fraction):
    for f0 in (80, 123, 200, 300, 400):
        clips = [with_noise(vowel(f0, formants), snr, seed) for seed, formants in enumerate(VOWELS.values())]
        tracks = measure(clips, "f0")[:, 4:-4, 0]
        assert np.mean(np.abs(tracks / f0 - 1) < 0.02) >= fraction


@pytest.mark.parametrize("frequency", [70, 100, 220.5, 440, 540])
def test_f0_of_a_sine_is_its_frequency(frequency):
    sine = np.sin(2 * np.pi * frequency * np.arange(8000) / 16000)
    np.testing.assert_allclose(measure([sine], "f0")[0, 4:-4, 0], frequency, rtol=0.002)


def test_f0_follows_a_glide_at_the_centre_of_the_frames():
    glide = np.geomspace(120, 240, 64000)  # an octave a second
    track = measure([vowel(glide, VOWELS["a"], seconds=1.0)], "f0")[0, 5:-5, 0]
    np.testing.assert_allclose(track, glide[::640][5 : 5 + len(track)], rtol=0.01)


@pytest.mark.parametrize(
    "params",
    [
        dict(sr=8000, n_fft=256, hop_length=80, win_length=160),
        dict(sr=22050, hop_length=220, win_length=441),
        dict(sr=44100, n_fft=1024, hop_length=441, win_length=882),
        dict(hop_length=163),
    ],
    ids=str,
)
def test_pitch_and_formants_hold_at_any_rate_and_hop(params):
    clip = vowel(123, VOWELS["e"], sr=params.get("sr", 16000))
    frames = measure([clip], "f0", "formants", **params)[0, 4:-4]
    np.testing.assert_allclose(frames[:, 0], 123, rtol=0.01)
    np.testing.assert_allclose(np.median(frames[:, 1:], axis=0), VOWELS["e"], rtol=0.05)


def test_noise_and_silence_have_no_f0():
    noise, silence = measure([NOISE, np.zeros(16000)], "f0", "periodicity")
    assert np.mean(noise[:, 0] > 0) < 0.02
    assert not silence.any()
    pause = np.concatenate([vowel(150, VOWELS["a"]), 1e-3 * NOISE[:6400], vowel(150, VOWELS["a"])])
    assert not measure([pause], "f0")[0, 43:77].any()


def test_periodicity_is_the_share_of_the_periodic_part():
    """At a signal-to-noise ratio of s, the normalised autocorrelation at the period is s / (1 + s)."""
    sine = np.sin(2 * np.pi * 200 * np.arange(32000) / 16000)
    band = scipy.signal.butter(8, 1000, fs=16000, output="sos")  # below what decimation cuts off
    noise = scipy.signal.sosfilt(band, np.random.default_rng(0).normal(size=sine.size))
    for snr in (3.0, 10.0):
        mixed = sine + noise * np.sqrt(np.mean(sine**2) / np.mean(noise**2) / snr)
        assert np.median(measure([mixed], "periodicity")) == pytest.approx(snr / (1 + snr), abs=0.04)


def test_pitch_and_formants_do_not_depend_on_the_level_nor_on_an_offset():
    clip = with_noise(vowel(140, VOWELS["@"]), 30)
    clip /= np.abs(clip).max()
    reference = measure([clip], "f0", "formants", normalize=None)
    np.testing.assert_allclose(measure([1e-3 * clip], "f0", "formants", normalize=None), reference, rtol=1e-3)
    np.testing.assert_allclose(measure([clip + 0.1], "f0", normalize=None)[0, 4:-4], reference[0, 4:-4, :1], rtol=1e-3)


def test_f0_agrees_with_pyin_on_real_recordings(emodb):
    """pYIN's windows are longer, and its track is smoothed over time; what must not differ is the octave."""
    clips = [load_waveform(path, sr=16000, duration=1.5) for path in emodb.data["path"][[10, 300]]]
    for clip, track in zip(clips, measure(clips, "f0")[:, :, 0], strict=True):
        theirs, voiced, _ = librosa.pyin(
            clip, fmin=60, fmax=550, sr=16000, frame_length=1024, hop_length=320, resolution=0.25
        )
        both = voiced & (track[::2][: len(theirs)] > 0)
        ratio = track[::2][: len(theirs)][both] / theirs[both]
        assert both.sum() > 10
        assert np.mean(np.abs(ratio - 1) < 0.05) >= 0.8
        assert np.mean(np.abs(ratio - 1) > 0.2) < 0.03


# ------------------------------------------------------------------------------------------------------------- formants


@pytest.mark.parametrize("f0", [80, 90, 120, 135])
def test_formants_of_vowels_are_within_five_percent(f0):
    frames = measure([vowel(f0, formants) for formants in VOWELS.values()], "formants")[:, 4:-4]
    np.testing.assert_allclose(np.median(frames, axis=1), list(VOWELS.values()), rtol=0.05)


def test_formants_of_whispered_vowels_are_within_five_percent():
    frames = measure([vowel(None, formants, seconds=1.0) for formants in VOWELS.values()], "formants")[:, 4:-4]
    np.testing.assert_allclose(np.median(frames, axis=1), list(VOWELS.values()), rtol=0.05)


def test_levinson_solves_the_normal_equations():
    autocorrelation = np.stack([np.correlate(x, x, "full")[99:112] for x in RNG.normal(size=(5, 100))], axis=1)
    for filter_, r in zip(levinson(autocorrelation).T, autocorrelation.T, strict=True):
        np.testing.assert_allclose(filter_[1:], scipy.linalg.solve_toeplitz(r[:-1], -r[1:]), rtol=1e-9)


def test_formants_are_roots_of_the_predictor():
    """As they are taught: resample to 11 kHz, pre-emphasise, window, solve, take the roots."""
    clip = vowel(120, VOWELS["e"])
    ours = measure([clip], "formants")[0, 20]
    low = scipy.signal.resample_poly(clip[3200 - 160 : 3200 + 160].astype(float), 11, 16)
    low = scipy.signal.lfilter([1, -0.97], 1, low) * np.hanning(low.size)
    r = np.correlate(low, low, "full")[low.size - 1 :][:13]
    roots = np.roots(np.concatenate([[1], scipy.linalg.solve_toeplitz(r[:-1], -r[1:])]))
    roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.9)]
    np.testing.assert_allclose(ours, np.sort(np.angle(roots) * 11000 / (2 * np.pi))[:3], rtol=0.05)


# --------------------------------------------------------------------------------------------------- spectrum and level


def test_spectrum_and_cepstrum_are_librosas():
    frames = measure([NOISE], "fft", "mfcc", "mel", normalize=None)[0]
    stft = dict(n_fft=512, hop_length=160, win_length=320)
    power = np.abs(librosa.stft(NOISE, **stft)) ** 2
    np.testing.assert_allclose(frames[:, :256], librosa.power_to_db(power).T[:, :256], atol=2e-3)
    mfcc = librosa.feature.mfcc(y=NOISE, sr=16000, n_mfcc=13, n_mels=40, **stft)
    np.testing.assert_allclose(frames[:, 256:269], mfcc.T, atol=2e-3)
    mel = librosa.feature.melspectrogram(y=NOISE, sr=16000, n_mels=40, **stft)
    np.testing.assert_allclose(frames[:, 269:], mel.T, rtol=1e-3)


def test_level_and_crossings_of_a_sine():
    sine = 0.3 * np.sin(2 * np.pi * 500 * np.arange(16000) / 16000 + 0.1)
    energy, rms, zcr = np.median(measure([sine], "energy", "rms", "zcr", normalize=None)[0], axis=0)
    assert energy == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=1e-3)
    assert rms == pytest.approx(0.3 / np.sqrt(2), rel=1e-4)
    assert zcr == pytest.approx(2 * 500 / 16000, abs=1 / 300)  # one crossing more or less in the window


def test_level_is_measured_in_the_window_alone():
    """20 ms around the frame's centre, not the whole of the FFT."""
    step = np.repeat([0.0, 1.0], 1600)
    rms = measure([step], "rms", normalize=None)[0, :, 0]
    np.testing.assert_allclose(rms[[8, 9, 10, 11]], [0, 0, np.sqrt(0.5), 1], atol=1e-6)


# ----------------------------------------------------------------------------------------------------------- the frames


@pytest.fixture
def clips(tones):
    return [*tones, NOISE[:7000], vowel(150, VOWELS["o"]), NOISE[:1], vowel(90, VOWELS["i"], seconds=0.2)]


def test_a_frame_holds_275_values_by_default(tones):
    extract = LowLevelDescriptors()
    frames = extract.fit_transform(tones)
    assert frames.shape == (6, 61, 275) and frames.dtype == np.float32
    names = extract.get_feature_names_out()
    assert len(names) == 275
    assert list(names[[0, 255, 256, 257, 259, 260, 261, 262, 274]]) == (
        "fft_0 fft_255 f0 formant_1 formant_3 energy zcr mfcc_0 mfcc_12".split()
    )


def test_clips_worked_on_together_come_out_as_if_alone(clips):
    extract = LowLevelDescriptors(descriptors=list(DESCRIPTORS)).fit(clips)
    together = extract.transform(clips)
    for clip, frames in zip(clips, together, strict=True):
        n_frames = 1 + clip.size // 160
        assert np.isnan(frames[n_frames:]).all() and np.isfinite(frames[:n_frames]).all()
        np.testing.assert_allclose(extract.transform([clip])[0], frames, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(extract.transform(clips[::-1]), together[::-1])
    np.testing.assert_array_equal(clone(extract).set_params(n_jobs=2).fit_transform(clips), together)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(extract)).transform(clips), together)


def test_many_clips_in_one_task_come_out_as_if_alone(clips):
    """More clips than a task takes, so that they are laid end to end."""
    many = clips * 10
    extract = LowLevelDescriptors(descriptors=list(DESCRIPTORS)).fit(many)
    alone = np.concatenate([extract.transform([clip]) for clip in clips])
    np.testing.assert_allclose(extract.transform(many)[:10], alone, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_each_descriptor_can_be_taken_alone(name, clips):
    together = LowLevelDescriptors(descriptors=list(DESCRIPTORS)).fit(clips)
    alone = LowLevelDescriptors(descriptors=[name]).fit(clips)
    columns = np.isin(together.get_feature_names_out(), alone.get_feature_names_out())
    np.testing.assert_array_equal(alone.transform(clips), together.transform(clips)[:, :, columns])


@pytest.mark.filterwarnings("ignore:Row . is cropped")
def test_later_clips_are_cropped_and_padded_to_the_fitted_number_of_frames():
    extract = LowLevelDescriptors().fit([NOISE[:8000]])
    short, long = extract.transform([NOISE[:4000], NOISE])
    assert len(long) == extract.n_frames_ == 51
    assert np.isnan(short[26:]).all() and np.isfinite(short[:26]).all()
    assert LowLevelDescriptors(n_frames=7).fit_transform([NOISE]).shape == (1, 7, 275)


@pytest.mark.parametrize("normalize", ["rms", None])
@pytest.mark.parametrize(
    "clip",
    [
        np.zeros(16000),
        np.eye(1, 8000, 4000)[0],
        NOISE[:800],
        np.ones(16000),
        np.sign(NOISE),
        np.sign(np.sin(0.05 * np.arange(16000))),
        np.sin(0.3 * np.arange(16000)),
        NOISE[:1],
        np.full(9000, 1e-30),
        1e-25 * NOISE,
        NOISE + 100.0,
    ],
    ids="silence click 50-ms constant clipped square sine one-sample very-quiet quieter offset".split(),
)
def test_odd_clips_have_finite_descriptors_and_no_warning(clip, normalize):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = measure([clip], *DESCRIPTORS, normalize=normalize)
        assert np.isfinite(frames).all()
        assert np.isfinite(Functionals(list(FUNCTIONALS)).fit_transform(frames)).all()


@pytest.mark.processes
def test_ten_minutes_are_analysed():
    clip = np.tile(with_noise(vowel(120, VOWELS["a"], seconds=1.0), 20), 600)
    track = measure([clip], "f0", "formants")[0]
    assert len(track) == 60001
    assert np.mean(np.abs(track[:, 0] / 120 - 1) < 0.01) > 0.97


@pytest.mark.parametrize(
    "params, message",
    [
        (dict(descriptors=["pitch"]), r"descriptors must be one or more of \['mel', 'mfcc', .*Got \['pitch'\]"),
        (dict(descriptors="f0"), "'descriptors' parameter .* must be an array-like. Got 'f0'"),
        (dict(descriptors=["f0", "f0"]), "each once"),
        (dict(n_fft=513), "n_fft must be even. Got n_fft=513"),
        (dict(n_fft=256), "win_length must not exceed n_fft. Got win_length=320 and n_fft=256"),
        (dict(n_mfcc=41), "n_mfcc must not exceed n_mels. Got n_mfcc=41 and n_mels=40"),
        (dict(f0_min=300, f0_max=200), "f0_max must be at least 1.2 times f0_min.*Got f0_min=300 Hz, f0_max=200 Hz"),
        (dict(f0_max=5000), "must not exceed a quarter of the sampling rate.*f0_max=5000 Hz and sr=16000 Hz"),
        (dict(f0_min=0), "'f0_min' parameter"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        LowLevelDescriptors(**params).fit([NOISE])


# ---------------------------------------------------------------------------------------------------------- functionals


@pytest.fixture
def frames():
    X = RNG.gamma(2.0, size=(5, 40, 3)) * [1, 5, 0.1] + [0, 3, -2]
    for row, length in enumerate([40, 17, 2, 1, 40]):
        X[row, length:] = np.nan
    X[1, :17, 2] = 0.1  # constant, and no binary fraction
    return X.astype(np.float32)


def test_functionals_are_numpys_and_scipys(frames):
    def windows(x):
        return np.lib.stride_tricks.sliding_window_view(x, min(25, len(x)), axis=0)

    expected = {
        "mean": lambda x: x.mean(axis=0),
        "std": lambda x: x.std(axis=0),
        "min": lambda x: x.min(axis=0),
        "max": lambda x: x.max(axis=0),
        "range": lambda x: np.ptp(x, axis=0),
        "median": lambda x: np.median(x, axis=0),
        **{f"p{q}": lambda x, q=q: np.percentile(x, q, axis=0) for q in (5, 20, 80, 95)},
        "skewness": lambda x: scipy.stats.skew(x, axis=0),
        "kurtosis": lambda x: scipy.stats.kurtosis(x, axis=0),
        "slope": lambda x: np.polyfit(np.arange(len(x)), x, 1)[0],
        "delta_abs_mean": lambda x: np.abs(np.diff(x, axis=0)).mean(axis=0),
        "delta_std": lambda x: np.diff(x, axis=0).std(axis=0),
        **{
            f"delta_{n}_abs_mean": lambda x, n=n: np.abs(x[n:] - x[:-n]).mean(axis=0) if len(x) > n else 0 * x[0]
            for n in (2, 4, 5, 8, 16, 32)
        },
        "rise": lambda x: [d[d > 0].mean() if (d > 0).any() else 0 for d in np.diff(x, axis=0).T],
        "fall": lambda x: [d[d < 0].mean() if (d < 0).any() else 0 for d in np.diff(x, axis=0).T],
        "curvature": lambda x: np.polyfit(np.linspace(-1, 1, len(x)), x, 2)[0] if len(x) > 2 else 0 * x[0],
        "local_mean_std": lambda x: windows(x).mean(axis=-1).std(axis=0),
        "local_mean_range": lambda x: np.ptp(windows(x).mean(axis=-1), axis=0),
        "local_std_mean": lambda x: windows(x).std(axis=-1).mean(axis=0),
        "local_std_std": lambda x: windows(x).std(axis=-1).std(axis=0),
    }
    assert set(expected) == set(FUNCTIONALS)
    features = Functionals(list(expected)).fit_transform(frames).reshape(5, -1, 3)
    assert features.dtype == np.float32
    for row, length in [(0, 40), (4, 40), (2, 2)]:
        clip = frames[row, :length].astype(float)
        for values, function in zip(features[row], expected.values(), strict=True):
            np.testing.assert_allclose(values, function(clip), rtol=2e-4, atol=1e-6)


def test_a_constant_has_no_shape_and_no_movement(frames):
    names = ["std", "skewness", "kurtosis", "delta_abs_mean", "delta_std", "range"]
    features = Functionals(names).fit_transform(frames).reshape(5, -1, 3)
    np.testing.assert_allclose(features[1, :, 2], 0, atol=1e-7)
    assert (features[1, 1:3, 2] == 0).all()
    one_frame = Functionals([*names, "slope"]).fit_transform(frames[3:4])
    assert not one_frame.any()


def test_functionals_do_not_depend_on_padding_nor_on_other_clips(frames):
    reference = Functionals().fit_transform(frames)
    padded = np.concatenate([frames, np.full((5, 4, 3), np.nan, np.float32)], axis=1)
    np.testing.assert_array_equal(Functionals().fit_transform(padded), reference)
    np.testing.assert_array_equal(Functionals().fit_transform(frames[::-1]), reference[::-1])
    np.testing.assert_array_equal(Functionals().fit_transform(frames[1:2]), reference[1:2])


def test_features_are_clips_of_one_frame(frames):
    X = frames[:, 0]
    np.testing.assert_array_equal(Functionals(["max", "std"]).fit_transform(X), np.hstack([X, np.zeros_like(X)]))


def test_names_read_descriptor_functional(clips):
    pipeline = make_pipeline(LowLevelDescriptors(descriptors=["f0", "mfcc"]), Functionals(["mean", "std"])).fit(clips)
    names = pipeline.get_feature_names_out()
    assert list(names[[0, 1, 14, 18]]) == ["f0_mean", "mfcc_0_mean", "f0_std", "mfcc_3_std"]


def test_unknown_functionals_and_broken_frames_are_named(frames):
    with pytest.raises(ValueError, match=r"functionals must be one or more of \['mean', .*Got \['mode'\]"):
        Functionals(["mode"]).fit(frames)
    frames[1, 3] = np.nan
    with pytest.raises(ValueError, match="Row 1, frame 3 contains NaN"):
        Functionals().fit(frames)


@pytest.mark.filterwarnings("ignore:Row . is cropped")  # the tones of a fold are longer than those of the other
def test_descriptors_are_searched_through(tones):
    pipeline = make_pipeline(LowLevelDescriptors(descriptors=["zcr"]), Functionals(), StandardScaler(), SVC())
    grid = {
        "lowleveldescriptors__descriptors": [["zcr"], ["f0", "energy"]],
        "functionals__functionals": [["mean"], ["mean", "std"]],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(tones, [0, 1] * 3)
    assert search.best_params_.keys() == grid.keys()
    assert pickle.loads(pickle.dumps(search)).predict(tones).shape == (6,)


def test_the_page_of_descriptors_is_up_to_date():
    """Else run docs/make_descriptors.py."""
    script = Path(__file__).parents[2] / "docs" / "make_descriptors.py"
    assert (script.parent / "descriptors.md").read_text(encoding="utf-8") == runpy.run_path(str(script))["page"]()


def test_a_constant_does_not_vary_however_long_it_is():
    X = np.full((2, 3001, 1), 0.1, np.float32)
    X[1, 100:] = np.nan
    features = Functionals(["mean", "std"]).fit_transform(X)
    np.testing.assert_allclose(features[:, 0], 0.1, rtol=1e-7)
    np.testing.assert_array_equal(features[:, 1], 0)
