"""Augmenters do to a waveform what they say; the classifier trains on copies and predicts clips as they are."""

import pickle
import random

import joblib
import librosa
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.ensemble import GradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AudioError,
    AugmentedClassifier,
    CNNLSTMClassifier,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    PitchShift,
    TimeStretch,
    WaveformChunker,
    WaveformLoader,
)
from sklearn_ser.audio._input import as_clips
from sklearn_ser.audio._io import clip_length, load_waveform
from sklearn_ser.augmentation import augment_clips

SR = 16000
OURS = [AddNoise(amplitude=0.01), AddNoise(snr=10), PitchShift(), TimeStretch(1.2)]


def harmonic(f0, duration=1.0, sr=SR):
    """A tone of eight harmonics."""
    time = np.arange(round(duration * sr)) / sr
    return (0.2 * sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 9))).astype(np.float32)


def sine(f0, duration=1.0, sr=SR):
    return (0.5 * np.sin(2 * np.pi * f0 * np.arange(round(duration * sr)) / sr)).astype(np.float32)


def f0_of(waveform, sr=SR):
    inner = waveform[waveform.size // 8 : -waveform.size // 8]
    return np.median(librosa.yin(inner, fmin=50, fmax=2000, sr=sr, frame_length=2048))


def power(waveform):
    return np.mean(np.square(waveform, dtype=np.float64))


def ids(augmenter):
    """Names without addresses in memory."""
    return str(augmenter) if isinstance(augmenter, BaseEstimator) else getattr(augmenter, "__name__", "object")


@pytest.fixture
def global_state():
    """The global generators must be left as found."""
    before = random.getstate(), np.random.get_state()
    yield
    np.testing.assert_equal((random.getstate(), np.random.get_state()), before)


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


# ---------------------------------------------------------------------------------------------------------- lazy copies


class GlobalGain:
    """A transform in the manner of audiomentations: other names, global generators, state of its own."""

    def __init__(self, p=1.0):
        self.p = p
        self.parameters = {}

    def __call__(self, samples, sample_rate):
        self.parameters["gain"] = random.uniform(0.1, 0.9) + np.random.uniform(1, 2)
        return samples * np.float32(self.parameters["gain"])


def inverted(waveform, sr):
    return -waveform


def quieter(waveform, sr):
    return waveform / 2


def last_half(waveform, sr):
    return waveform[waveform.size // 2 :]


def softened(waveform, sr, random_state):
    return waveform * random_state.uniform(0.1, 0.9)


def destructive(waveform, sr):
    waveform[:] = 0
    return waveform


@pytest.mark.parametrize("augmenter", [*OURS, TimeStretch(), GlobalGain(), softened, last_half], ids=ids)
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


# ----------------------------------------------------------------------------------------------------------- classifier


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is given."""

    def __init__(self, early_stopping=False):
        self.early_stopping = early_stopping

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.sample_weight_, self.groups_ = X, y, sample_weight, groups
        self.waveforms_ = [load_waveform(clip) for clip in as_clips(X)]
        return self

    def predict(self, X):
        self.predicted_ = [load_waveform(clip) for clip in as_clips(X)]
        return np.repeat(self.classes_[:1], len(X))


class Counted(BaseEstimator):
    """An augmenter that counts its calls."""

    calls = 0

    def __call__(self, waveform, sr, random_state):
        type(self).calls += 1
        return -waveform


LABELS = np.array(list("aabbcc"))
SVM = make_pipeline(HandcraftedFeatures(), SVC())


def test_each_augmenter_adds_a_copy_of_each_clip_with_its_label(files, tones):
    weight = np.arange(6.0)
    classifier = AugmentedClassifier(Recorder(), [inverted, AddNoise(snr=10)], random_state=0)
    inner = classifier.fit(files, list(LABELS), sample_weight=weight, groups=list("uuvvww")).estimator_
    assert len(inner.waveforms_) == 18
    for row in range(6):
        np.testing.assert_array_equal(inner.waveforms_[row], tones[row])
        np.testing.assert_array_equal(inner.waveforms_[6 + row], -tones[row])
        assert power(inner.waveforms_[12 + row] - tones[row]) == pytest.approx(power(tones[row]) / 10, rel=1e-3)
    assert list(inner.y_) == list(LABELS) * 3
    assert list(inner.sample_weight_) == list(weight) * 3
    assert list(inner.groups_) == list("uuvvww") * 3
    assert list(classifier.classes_) == list("abc")


def test_an_augmenter_that_does_not_fire_adds_no_copy():
    """The augmentation of the RAVDESS system: two noisy copies of each clip, and of nine in ten a higher one."""
    clips, y = [np.ones(10) * (1 + row) for row in range(300)], np.arange(300)
    augmenters = [AddNoise(amplitude=0.008), AddNoise(amplitude=0.008), PitchShift(4, p=0.9)]
    inner = AugmentedClassifier(Recorder(), augmenters, random_state=0).fit(clips, y).estimator_
    shifted = inner.y_[900:]
    assert 255 < len(shifted) < 285 and len(np.unique(shifted)) == len(shifted)
    np.testing.assert_array_equal(inner.y_[:900], np.tile(y, 3))
    assert not np.array_equal(inner.waveforms_[300], inner.waveforms_[600])


def test_of_many_augmenters_each_clip_may_draw_some():
    clips, y = [np.ones(10) * (1 + row) for row in range(400)], np.arange(400)
    augmenters = [lambda waveform, sr, gain=gain: gain * waveform for gain in (2, 3, 5, 7)]
    for n_copies in (1, 3, 4):
        classifier = AugmentedClassifier(Recorder(), augmenters, n_copies=n_copies, random_state=0)
        inner = classifier.fit(clips, y).estimator_
        np.testing.assert_array_equal(np.bincount(inner.y_), 1 + n_copies)
        gains = np.array([waveform[0] / (1 + row) for waveform, row in zip(inner.waveforms_, inner.y_, strict=True)])
        assert len(set(zip(inner.y_, gains.round(3), strict=True))) == len(gains)  # no copy is there twice
        counts = np.unique(gains.round(3), return_counts=True)[1][1:]
        np.testing.assert_allclose(counts, 100 * n_copies, atol=40)
        again = clone(classifier).fit(clips, y).estimator_
        np.testing.assert_array_equal(again.y_, inner.y_)
    with pytest.raises(ValueError, match="n_copies must not exceed .* Got n_copies=5 and 4 augmenters"):
        AugmentedClassifier(Recorder(), augmenters, n_copies=5).fit(clips, y)


def test_all_folds_make_the_same_copies_of_a_clip(tones, files):
    augmenters = [AddNoise(snr=(0, 20)), GlobalGain(), TimeStretch()]

    def copies(X, y):
        classifier = AugmentedClassifier(Recorder(), augmenters, n_copies=2, keep_original=False, random_state=0)
        return list(zip(classifier.fit(X, y).estimator_.y_, classifier.estimator_.waveforms_, strict=True))

    y = np.arange(6)
    for X in (np.array(files), np.array([*tones, None], dtype=object)[:6]):
        together, apart = copies(list(X), y), copies(list(X[[5, 2, 4]]), y[[5, 2, 4]])
        assert len(apart) == 6
        for label, waveform in apart:
            assert any(label == other and np.array_equal(waveform, copy) for other, copy in together)
    alike = copies([tones[0]] * 3, y[:3])
    assert len({waveform.tobytes() for _, waveform in alike}) == 6


def test_originals_can_be_left_out(tones):
    inner = AugmentedClassifier(Recorder(), [inverted], keep_original=False).fit(tones, LABELS).estimator_
    for waveform, tone in zip(inner.waveforms_, tones, strict=True):
        np.testing.assert_array_equal(waveform, -tone)
    with pytest.raises(
        ValueError, match=r"nothing to train on: keep_original=False, and no augmenter .*Got augmenters=\[\]"
    ):
        AugmentedClassifier(Recorder(), [], keep_original=False).fit(tones, LABELS)


def test_without_augmenters_it_is_the_wrapped_classifier(tones):
    inner = AugmentedClassifier(Recorder(early_stopping=True)).fit(tones, LABELS).estimator_
    assert len(inner.waveforms_) == 6 and inner.groups_ is None


def test_nothing_but_training_clips_is_ever_augmented(files, tones):
    Counted.calls = 0
    classifier = AugmentedClassifier(SVM, [Counted()]).fit(files, LABELS)
    calls = Counted.calls
    assert calls >= 6
    plain = clone(SVM).fit([*tones, *(-tone for tone in tones)], np.tile(LABELS, 2))
    np.testing.assert_array_equal(classifier.predict(files), plain.predict(files))
    np.testing.assert_allclose(classifier.decision_function(files), plain.decision_function(files))
    assert classifier.score(files, LABELS) == plain.score(files, LABELS)
    assert Counted.calls == calls
    recorder = AugmentedClassifier(Recorder(), [inverted]).fit(tones, LABELS)
    recorder.predict(tones)
    for waveform, tone in zip(recorder.estimator_.predicted_, tones, strict=True):
        np.testing.assert_array_equal(waveform, tone)


def test_a_data_frame_reaches_the_estimator_with_its_columns(files):
    X = pd.DataFrame({"speaker": list("uuvvww"), "path": files}, index=list("abcdef"))
    seen = AugmentedClassifier(Recorder(), [inverted]).fit(X, pd.Series(LABELS)).estimator_.X_
    assert list(seen["speaker"]) == list("uuvvww") * 2 and list(seen.index) == list(range(12))
    assert list(X.columns) == list(seen.columns) and len(X) == 6


def test_copies_do_not_depend_on_n_jobs_and_random_state_decides(files, global_state):
    def probabilities(random_state, n_jobs=1, backend="threading"):
        pipeline = make_pipeline(HandcraftedFeatures(n_jobs=n_jobs), StandardScaler(), LogisticRegression())
        classifier = AugmentedClassifier(pipeline, [AddNoise(snr=0), GlobalGain()], random_state=random_state)
        with joblib.parallel_config(backend=backend):
            return classifier.fit(files, LABELS).predict_proba(files)

    expected = probabilities(0)
    np.testing.assert_array_equal(probabilities(0), expected)
    np.testing.assert_array_equal(probabilities(np.random.RandomState(5)), probabilities(np.random.RandomState(5)))
    np.testing.assert_array_equal(probabilities(0, n_jobs=2), expected)
    np.testing.assert_array_equal(probabilities(0, n_jobs=2, backend="loky"), expected)
    assert not np.array_equal(probabilities(1), expected)


def test_no_waveform_of_a_copy_is_kept(files):
    classifier = AugmentedClassifier(SVM, [AddNoise(snr=10)])
    rows, augmented = classifier._augment(files)
    assert len(pickle.dumps(augmented)) < 200 * len(rows)


def test_errors_name_the_row_that_the_user_knows(files, tmp_path):
    (tmp_path / "bad.wav").write_text("no sound")
    X = [*files[:5], str(tmp_path / "bad.wav")]
    for keep_original in (True, False):
        classifier = AugmentedClassifier(SVM, [Counted(), inverted], keep_original=keep_original)
        with pytest.raises(AudioError, match=r"Row 5 \('.*bad.wav'\): not readable"):
            classifier.fit(X, LABELS)


@pytest.mark.parametrize(
    "fit, error, message",
    [
        (dict(y=None), ValueError, "requires y to be passed"),
        (dict(y=LABELS[:4]), ValueError, "inconsistent numbers of samples"),
        (dict(y=LABELS, sample_weight=np.ones(4)), ValueError, "inconsistent numbers of samples"),
        (dict(y=LABELS, groups=np.ones(4)), ValueError, "inconsistent numbers of samples"),
        (dict(y=LABELS, groups=LABELS), TypeError, "unexpected keyword argument 'groups'"),
    ],
)
def test_wrong_arguments_of_fit_are_named(tones, fit, error, message):
    with pytest.raises(error, match=message):
        AugmentedClassifier(SVM, [inverted]).fit(tones, **fit)


@pytest.mark.parametrize(
    "params", [dict(augmenters=AddNoise(snr=10)), dict(keep_original=2), dict(n_copies=0), dict(estimator=3)]
)
def test_wrong_parameters_are_named(tones, params):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        AugmentedClassifier(**{"estimator": SVC(), **params}).fit(tones, LABELS)


def test_probabilities_are_there_where_the_estimator_has_them(tones):
    assert hasattr(AugmentedClassifier(LogisticRegression()), "predict_proba")
    assert not hasattr(AugmentedClassifier(Recorder()), "decision_function")
    with pytest.raises(AttributeError, match="predict_proba"):
        AugmentedClassifier(Recorder()).fit(tones, LABELS).predict_proba(tones)


# ---------------------------------------------------------------------------- metadata, and the split of early stopping


class PassOn(TransformerMixin, BaseEstimator):
    """A step that could take groups, too, such as one that normalises by speaker."""

    def fit(self, X, y=None, groups=None):
        self.groups_ = groups
        return self

    def transform(self, X):
        return X


def test_rows_are_the_groups_of_early_stopping_where_the_user_gives_none(tones, routing):
    for recorder in (Recorder(early_stopping=True), Recorder(early_stopping=np.True_)):
        for estimator in (
            recorder,
            make_pipeline(PassOn(), recorder),
            make_pipeline(make_pipeline(PassOn(), recorder)),
        ):
            fitted = AugmentedClassifier(estimator, [inverted, quieter]).fit(tones, LABELS).estimator_
            while isinstance(fitted, Pipeline):
                fitted = fitted[-1]
            assert list(fitted.groups_) == [0, 1, 2, 3, 4, 5] * 3


def test_the_user_s_groups_go_before(tones, routing):
    final, step = Recorder(early_stopping=True), PassOn()
    if routing:
        final.set_fit_request(groups=True, sample_weight=True)
        step.set_fit_request(groups=False)
    classifier = AugmentedClassifier(make_pipeline(step, final), [inverted])
    weight = np.arange(6.0)
    fitted = classifier.fit(tones, LABELS, sample_weight=weight, groups=list("uuvvww")).estimator_
    assert list(fitted[-1].groups_) == list("uuvvww") * 2 and list(fitted[-1].sample_weight_) == list(weight) * 2
    assert fitted[0].groups_ is None


def test_parameters_of_steps_are_repeated_as_a_pipeline_names_them(tones):
    classifier = AugmentedClassifier(make_pipeline(PassOn(), Recorder(early_stopping=True)), [inverted])
    params = {"passon__groups": list("xxyyzz"), "recorder__groups": pd.Series(list("uuvvww"))}
    fitted = classifier.fit(tones, LABELS, **params).estimator_
    assert list(fitted[0].groups_) == list("xxyyzz") * 2
    assert list(fitted[-1].groups_) == list("uuvvww") * 2


def test_requests_under_other_names_are_met(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        step, final = PassOn().set_fit_request(groups=True), Recorder(early_stopping=True)
        classifier = AugmentedClassifier(make_pipeline(step, final.set_fit_request(groups="speaker")), [inverted])
        fitted = classifier.fit(tones, LABELS, speaker=list("uuvvww"), groups=list("xxyyzz")).estimator_
        assert list(fitted[0].groups_) == list("xxyyzz") * 2
        assert list(fitted[-1].groups_) == list("uuvvww") * 2
        # Groups that another step asks for are the user's, not the rows.
        fitted = classifier.fit(tones, LABELS, groups=list("xxyyzz")).estimator_
        assert list(fitted[0].groups_) == list("xxyyzz") * 2
        assert list(fitted[-1].groups_) == [0, 1, 2, 3, 4, 5] * 2
        assert (
            final.get_metadata_routing().fit.requests["groups"] == "speaker"
        )  # the user's own estimator is left alone


def test_groups_reach_split_and_classifier_in_a_cross_validation(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        final = Recorder(early_stopping=True).set_fit_request(groups=True)
        classifier = AugmentedClassifier(make_pipeline(final), [inverted])
        folds = cross_validate(
            classifier, tones, LABELS, params={"groups": [0, 1, 2, 0, 1, 2]}, cv=GroupKFold(3), return_estimator=True
        )
    seen = [list(fitted.estimator_[-1].groups_) for fitted in folds["estimator"]]
    assert sorted(seen) == [[0, 1, 0, 1] * 2, [0, 2, 0, 2] * 2, [1, 2, 1, 2] * 2]


def test_metadata_that_nobody_requested_is_refused_with_routing(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = AugmentedClassifier(make_pipeline(Recorder()), [inverted])
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="groups"):
            classifier.fit(tones, LABELS, groups=LABELS)


def test_a_split_that_would_part_copies_is_refused(tones):
    for final in (MLPClassifier(early_stopping=True), GradientBoostingClassifier(n_iter_no_change=3)):
        classifier = AugmentedClassifier(make_pipeline(HandcraftedFeatures(), final), [inverted])
        with pytest.raises(
            ValueError, match=f"{type(final).__name__} stops early .*copies of a clip would stand on both"
        ):
            classifier.fit(tones, LABELS)
    AugmentedClassifier(make_pipeline(HandcraftedFeatures(), GradientBoostingClassifier()), [inverted]).fit(
        tones, LABELS
    )


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(8), 4)])
@pytest.mark.neural
def test_copies_stay_on_one_side_of_the_neural_classifier_s_split(groups, routing, monkeypatch):
    rng, splits = np.random.default_rng(0), []
    clips, y = [rng.normal(size=n) for n in rng.integers(800, 1200, 32)], np.tile(["calm", "fear"], 16)
    split = CNNLSTMClassifier._split

    def recorded(self, y, groups, seed):
        splits.append(split(self, y, groups, seed))
        return splits[-1]

    monkeypatch.setattr(CNNLSTMClassifier, "_split", recorded)
    network = CNNLSTMClassifier(filters=[2], epochs=1, early_stopping=True, random_state=0)
    if routing:
        network.set_fit_request(groups=True)
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=4, n_fft=256, hop_length=128), network)
    classifier = AugmentedClassifier(pipeline, [AddNoise(snr=10), AddNoise(snr=20)], random_state=0)
    classifier.fit(clips, y, groups=groups)
    (train, held_out), row = splits[0], np.tile(np.arange(32), 3)
    assert train.size + held_out.size == 96 and held_out.size > 0
    assert not np.intersect1d(row[train], row[held_out]).size
    if groups is not None:
        assert not np.intersect1d(groups[row[train]], groups[row[held_out]]).size


# ------------------------------------------------------------------------------------------- among scikit-learn's tools


@pytest.fixture(scope="module")
def voices():
    """24 noisy tones of two speakers, low and high ones."""
    rng = np.random.default_rng(0)
    y = np.tile(["calm", "fear"], 12)
    clips = [harmonic(rng.uniform(150, 200) * (1 + (label == "fear")), 0.2) for label in y]
    return clips, y, np.repeat([0, 1], 12)


def test_cross_validation_goes_around_it(voices):
    clips, y, speaker = voices
    classifier = AugmentedClassifier(SVM, [AddNoise(snr=20)], random_state=0)
    assert cross_val_score(classifier, clips, y, cv=3).mean() > 0.9
    assert (
        cross_val_score(classifier, clips, y, groups=speaker, cv=GroupKFold(2), scoring="balanced_accuracy").min() > 0.9
    )
    params = {"sample_weight": np.ones(24)}
    assert cross_validate(classifier, clips, y, params=params, cv=2)["test_score"].min() > 0.9


def test_parameters_inside_and_augmenters_are_searched_over(voices, files, tmp_path):
    clips, y, _ = voices
    grid = {"estimator__svc__C": [1.0, 10.0], "augmenters": [[], [AddNoise(snr=20)], [PitchShift(1), GlobalGain()]]}
    classifier = AugmentedClassifier(SVM, random_state=0)
    search = GridSearchCV(classifier, grid, cv=2, error_score="raise").fit(clips, y)
    assert search.best_score_ > 0.9 and len(search.cv_results_["params"]) == 6
    assert search.best_estimator_.set_params(estimator__svc__C=3.0).estimator[-1].C == 3.0


def test_it_is_cloned_saved_and_shown(voices, tmp_path):
    clips, y, _ = voices
    classifier = AugmentedClassifier(SVM, [AddNoise(snr=20), softened], random_state=0)
    copy = clone(classifier)
    assert copy.augmenters[0] is not classifier.augmenters[0] and copy.augmenters[1] is softened
    assert "AugmentedClassifier" in repr(classifier) and "HandcraftedFeatures" in classifier._repr_html_()
    joblib.dump(classifier.fit(clips, y), tmp_path / "fitted.joblib")
    loaded = joblib.load(tmp_path / "fitted.joblib")
    np.testing.assert_array_equal(loaded.decision_function(clips), classifier.decision_function(clips))


def test_altered_clips_can_be_augmented_again(tones):
    noisy = augment_clips(tones, inverted)
    inner = AugmentedClassifier(Recorder(), [inverted]).fit(noisy, LABELS).estimator_
    for row in range(6):
        np.testing.assert_array_equal(inner.waveforms_[6 + row], tones[row])


@pytest.mark.processes
def test_noise_in_training_helps_on_noisy_recordings(emodb):
    two = np.isin(emodb.target, ["anger", "sadness"])
    X, y = emodb.data[two], np.asarray(emodb.target)[two]
    test = X["speaker"].isin(["03", "08", "09"])
    pipeline = make_pipeline(HandcraftedFeatures(feature_set="default-v1", n_jobs=2), StandardScaler(), SVC())
    noisy = augment_clips(X[test], AddNoise(snr=10), random_state=0)
    augmented = AugmentedClassifier(pipeline, [AddNoise(snr=(5, 20))], random_state=0).fit(X[~test], y[~test])
    plain = clone(pipeline).fit(X[~test], y[~test])
    assert augmented.score(noisy, y[test]) > max(0.85, plain.score(noisy, y[test]))


def test_noise_to_test_on_is_not_the_noise_trained_on(tones):
    noise = AddNoise(amplitude=0.1)
    inner = AugmentedClassifier(Recorder(), [noise], random_state=0).fit(tones, LABELS).estimator_
    tested = WaveformLoader().fit_transform(augment_clips(tones, noise, random_state=0))
    for row, clip in enumerate(tones):
        correlation = np.corrcoef(inner.waveforms_[6 + row] - clip, tested[row] - clip)[0, 1]
        assert abs(correlation) < 0.2


def test_groups_reach_early_stopping_through_another_of_its_kind(tones, routing):
    inner = make_pipeline(AugmentedClassifier(make_pipeline(Recorder(early_stopping=True)), [quieter]))
    fitted = AugmentedClassifier(inner, [inverted]).fit(tones, LABELS).estimator_[-1].estimator_[-1]
    assert list(fitted.groups_) == [0, 1, 2, 3, 4, 5] * 4


def test_early_stopping_where_groups_do_not_reach_is_refused(tones):
    hiding = VotingClassifier([("stopping", Recorder(early_stopping=True))])
    classifier = AugmentedClassifier(hiding, [AddNoise(snr=10)])
    with pytest.raises(ValueError, match="Recorder stops early inside .*copies of a clip would stand on both sides"):
        classifier.fit(tones, LABELS)


def test_an_augmenter_that_was_not_made_is_refused(tones):
    with pytest.raises(TypeError, match=r"such as AddNoise\(snr=20\). Got <class"):
        AugmentedClassifier(Recorder(), [AddNoise]).fit(tones, LABELS)
