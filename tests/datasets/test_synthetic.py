"""make_emotional_speech: speech-like, seeded, balanced, learnable but not trivially."""

import librosa
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import aggregate_ratings, rater_agreement
from sklearn_ser.datasets import make_emotional_speech
from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.datasets._source_filter import SYNTHESIS_RATE, Manner, Voice, speak

VOICE = Voice(f0=120.0, tract=1.0, tilt=0.0, breath=0.0, rate=1.0)


def mean_features(clip, sr):
    """The 170 mean features of a clip of RMS 1."""
    clip = clip / np.sqrt(np.mean(clip**2))
    spectrum = np.abs(librosa.stft(clip, n_fft=1024, hop_length=512))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=sr, n_fft=1024, n_mels=128, fmax=sr / 2)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=40)
    zcr = librosa.feature.zero_crossing_rate(clip, frame_length=1024)
    rms = librosa.feature.rms(S=spectrum, frame_length=1024)
    return np.concatenate([rows.mean(axis=1) for rows in (mel, mfcc, zcr, rms)])


@pytest.mark.parametrize("random_state", [0, 1])
@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")
@pytest.mark.processes
def test_an_svm_tells_emotions_of_an_unheard_speaker_often_but_not_always(random_state):
    corpus = make_emotional_speech(144, random_state=random_state)
    features = np.array([mean_features(clip, corpus.sr) for clip in corpus.data])
    model = make_pipeline(StandardScaler(), SVC(C=10))
    found = cross_val_predict(model, features, corpus.target, groups=corpus.speaker, cv=LeaveOneGroupOut())
    assert 0.75 <= balanced_accuracy_score(corpus.target, found) <= 0.98


def test_clips_are_float32_waveforms_of_different_lengths_within_full_scale():
    corpus = make_emotional_speech(18, emotions=None, n_speakers=2, random_state=0)
    assert {clip.dtype for clip in corpus.data} == {np.dtype("float32")}
    assert len({len(clip) for clip in corpus.data}) > 9
    for clip in corpus.data:
        assert clip.ndim == 1 and np.isfinite(clip).all()
        assert 0.7 * corpus.sr < len(clip) < 5 * corpus.sr
        assert 0.01 < np.abs(clip).max() <= 1.0


@pytest.mark.processes
def test_emotions_and_speakers_are_balanced():
    corpus = make_emotional_speech(24, n_speakers=3, random_state=0)
    pairs, counts = np.unique(np.stack([corpus.target, corpus.speaker]), axis=1, return_counts=True)
    assert pairs.shape[1] == 12 and set(counts) == {2}
    assert corpus.target_names == ["anger", "happiness", "neutral", "sadness"]


@pytest.mark.processes
def test_all_nine_emotions_can_be_made():
    corpus = make_emotional_speech(9, emotions=None, n_speakers=1, random_state=0)
    assert corpus.target_names == list(EMOTIONS)


def test_the_same_seed_gives_the_same_clips_and_another_seed_others():
    first, again, other = (make_emotional_speech(2, random_state=seed).data for seed in (3, 3, 4))
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert len(first[0]) != len(other[0]) or not np.allclose(first[0], other[0])


def test_a_clip_does_not_depend_on_how_many_follow():
    few, many = make_emotional_speech(2, random_state=0), make_emotional_speech(5, random_state=0)
    for left, right in zip(few.data, many.data, strict=False):
        np.testing.assert_array_equal(left, right)


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    make_emotional_speech(1, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("sr", [8000, 22050])
def test_another_rate_gives_the_same_speech_resampled(sr):
    clip = make_emotional_speech(1, random_state=0).data[0]
    other = make_emotional_speech(1, sr=sr, random_state=0)
    assert other.sr == sr
    assert len(other.data[0]) / sr == pytest.approx(len(clip) / 16000, abs=1e-3)
    assert np.sqrt(np.mean(other.data[0] ** 2)) == pytest.approx(np.sqrt(np.mean(clip**2)), rel=0.15)


@pytest.mark.processes
def test_anger_is_louder_and_brighter_than_sadness():
    corpus = make_emotional_speech(24, emotions=["anger", "sadness"], n_speakers=2, random_state=0)
    level, centroid = {}, {}
    for emotion in corpus.target_names:
        clips = [clip for clip, name in zip(corpus.data, corpus.target, strict=True) if name == emotion]
        level[emotion] = np.mean([np.sqrt(np.mean(clip**2)) for clip in clips])
        power = np.mean([np.mean(np.abs(librosa.stft(clip)) ** 2, axis=1) for clip in clips], axis=0)
        centroid[emotion] = np.sum(power * np.arange(len(power))) / np.sum(power)
    assert level["anger"] > 2 * level["sadness"]
    assert centroid["anger"] > 1.3 * centroid["sadness"]


@pytest.mark.parametrize("semitones", [0.0, 6.0])
def test_the_spoken_pitch_is_the_voice_s_raised_by_the_manner_s(semitones):
    manner = Manner(f0=semitones, f0_range=0.0, jitter=0.0, pause=0.0)
    clip = speak(VOICE, manner, np.random.RandomState(0))
    f0, voiced, _ = librosa.pyin(clip.astype(np.float32), sr=SYNTHESIS_RATE, fmin=60, fmax=400)
    assert np.median(f0[voiced]) == pytest.approx(120.0 * 2 ** (semitones / 12), rel=0.02)


def test_pulses_are_not_aliased():
    from sklearn_ser.datasets._source_filter import _pulse_train

    pulses, _ = _pulse_train(np.full(16000, 1010.0), 0.0, np.random.RandomState(0))
    power = np.abs(np.fft.rfft(pulses)) ** 2
    harmonics = power[1010::1010].sum()
    assert harmonics == pytest.approx(power.sum(), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_clips": 0}, ValueError, "n_clips must be at least 1. Got n_clips=0"),
        ({"n_clips": 2.0}, TypeError, "n_clips must be an integer. Got n_clips=2.0"),
        ({"n_speakers": 0}, ValueError, "n_speakers must be at least 1"),
        ({"sr": 100}, ValueError, "sr must be at least 4000. Got sr=100"),
        ({"emotions": ["joy"]}, ValueError, "one or more of anger, boredom, .*Unknown: 'joy'"),
        ({"emotions": []}, ValueError, "Got an empty list"),
        ({"emotions": "anger"}, TypeError, "must be a list of emotion names, not a single string. Got 'anger'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        make_emotional_speech(**{"n_clips": 2, **arguments})


# --- Values, and raters who disagree ---


def test_values_are_those_of_the_emotions_and_leave_the_clips_as_they_are():
    plain = make_emotional_speech(8, random_state=0)
    rated = make_emotional_speech(8, values=True, random_state=0)
    assert all(np.array_equal(a, b) for a, b in zip(plain.data, rated.data, strict=True)) and "ratings" not in plain
    assert rated.values.shape == (8, 2) and rated.values.abs().max(axis=None) <= 1
    means = rated.values.groupby(rated.target).mean()
    assert means.loc["anger", "arousal"] > 0.3 > means.loc["sadness", "arousal"]
    assert means.loc["happiness", "valence"] > 0.3 > means.loc["anger", "valence"]
    np.testing.assert_allclose(rated.distribution.sum(axis=1), 1)


@pytest.mark.processes
def test_raters_have_the_noise_that_is_told():
    corpus = make_emotional_speech(60, values=True, n_raters=4, random_state=1)
    assert len(corpus.ratings) == 3 * 4 * 60 and corpus.raters["noise"].is_monotonic_increasing
    arousal = corpus.ratings[corpus.ratings["dimension"] == "arousal"]
    wide = arousal.pivot(index="clip", columns="rater", values="value").astype(float)
    errors = wide.sub(corpus.values["arousal"], axis=0).std()
    np.testing.assert_allclose(errors, corpus.raters["noise"], rtol=0.35)
    weights = rater_agreement(arousal).raters["correlation"]
    assert weights.iloc[0] > weights.iloc[-1]
    shares = aggregate_ratings(corpus.ratings[corpus.ratings["dimension"] == "emotion"], "distribution")
    assert abs(shares.mean() - corpus.distribution[shares.columns].mean()).max() < 0.08
    again = make_emotional_speech(60, values=True, n_raters=4, random_state=1)
    assert again.ratings.equals(corpus.ratings)
