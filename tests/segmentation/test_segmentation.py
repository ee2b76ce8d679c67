"""Clips are cut inside fit, their segments pooled, and recordings of any length followed in bounded memory."""

import tracemalloc

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
from helpers import LABELS, PassOn, inverted
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
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
    SegmentClassifier,
    TimelineDisplay,
    WaveformLoader,
)
from sklearn_ser.audio._derived import Segment
from sklearn_ser.audio._input import as_clips
from sklearn_ser.audio._load import clip_length, load_part, load_waveform
from sklearn_ser.augmentation import augment_clips
from sklearn_ser.segmentation import _segments as _classifier

SR = 16000
FEATURES = HandcraftedFeatures(feature_set="bledea170")
# Tones of 0.1 to 0.6 s are cut into this many segments of 0.2 s, one every 0.1 s.
N_SEGMENTS = np.array([1, 1, 2, 3, 4, 5])
ROWS = np.repeat(np.arange(6), N_SEGMENTS)
SHORT = dict(segment_duration=0.2, hop_duration=0.1)


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is given; its probability of the last class is the mean square of the clip."""

    def __init__(self, early_stopping=False, sr=SR, normalize=None):
        self.early_stopping = early_stopping
        self.sr = sr
        self.normalize = normalize

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.sample_weight_, self.groups_ = X, y, sample_weight, groups
        self.waveforms_ = self._load(X)
        return self

    def predict_proba(self, X, hint=None):
        self.seen_, self.hint_ = X, hint
        power = np.array([np.mean(waveform**2) for waveform in self._load(X)])
        rest = np.repeat((1 - power[:, np.newaxis]) / (len(self.classes_) - 1), len(self.classes_) - 1, axis=1)
        return np.column_stack([rest, power])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _load(self, X):
        return [load_waveform(clip, self.sr, normalize=self.normalize, row=row) for row, clip in enumerate(as_clips(X))]


class Voter(ClassifierMixin, BaseEstimator):
    """Knows no probabilities: loud segments are of the last class."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[[-int(np.abs(load_waveform(clip)).max() > 0.5) for clip in X]]


@pytest.fixture(scope="module")
def voices():
    """24 clips of 0.5 to 1 s of two speakers: low tones and high ones, in noise."""
    rng = np.random.default_rng(0)
    y = np.tile(["calm", "fear"], 12)
    lengths = rng.integers(SR // 2, SR, 24)
    f0 = rng.uniform(150, 200, 24) * (1 + (y == "fear"))
    clips = [
        np.sin(2 * np.pi * f * np.arange(n) / SR) + rng.normal(0, 0.3, n) for f, n in zip(f0, lengths, strict=True)
    ]
    return clips, y, np.repeat([0, 1], 12)


def spans(n_times, **params):
    classifier = SegmentClassifier(Recorder(), **params)
    classifier.sr_ = 10
    return classifier._spans(np.zeros(n_times), 0).tolist()


# -------------------------------------------------------------------------------------------------------------- cutting


@pytest.mark.parametrize(
    "n_times, expected",
    [
        (1, [[0, 1]]),
        (19, [[0, 19]]),
        (20, [[0, 20]]),
        (21, [[0, 20], [1, 21]]),
        (30, [[0, 20], [10, 30]]),
        (50, [[0, 20], [10, 30], [20, 40], [30, 50]]),
        (54, [[0, 20], [10, 30], [20, 40], [30, 50], [34, 54]]),
    ],
)
def test_segments_begin_every_hop_and_the_last_ends_with_the_clip(n_times, expected):
    assert spans(n_times, segment_duration=2.0, hop_duration=1.0) == expected
    assert spans(n_times) == expected  # two seconds, every one


@pytest.mark.parametrize("segment_duration, hop_duration", [(2.0, 2.0), (1.0, 0.31), (0.7, None), (0.01, 0.001)])
def test_all_audio_is_in_segments_of_one_length(segment_duration, hop_duration):
    for n_times in range(1, 200):
        cut = np.array(spans(n_times, segment_duration=segment_duration, hop_duration=hop_duration))
        assert cut[0, 0] == 0 and cut[-1, 1] == n_times
        assert (np.diff(cut, axis=1) == min(n_times, max(1, round(10 * segment_duration)))).all()
        assert (cut[1:, 0] <= cut[:-1, 1]).all() and (np.diff(cut[:, 0]) > 0).all()


def test_hops_that_are_no_whole_number_of_samples_do_not_drift():
    starts = np.array(spans(10000, segment_duration=1.0, hop_duration=0.33))[:-1, 0]
    np.testing.assert_allclose(starts, 3.3 * np.arange(starts.size), atol=0.5)


@pytest.mark.parametrize("form", ["paths", "series", "frame", "waveforms", "altered"])
def test_segments_are_parts_of_their_clips_with_all_that_belongs_to_those(form, files, tones):
    X = {
        "paths": files,
        "series": pd.Series(files, index=list("uvwxyz")),
        "frame": pd.DataFrame({"speaker": list("uuvvww"), "path": files}, index=list("uvwxyz")),
        "waveforms": tones,
        "altered": augment_clips(files, inverted),
    }[form]
    weight = np.arange(1, 7)
    inner = SegmentClassifier(Recorder(), **SHORT).fit(X, LABELS, sample_weight=weight, groups=weight).estimator_
    starts = np.concatenate([np.arange(n) * 1600 for n in N_SEGMENTS])
    for waveform, row, start in zip(inner.waveforms_, ROWS, starts, strict=True):
        expected = tones[row][start : start + 3200] * (-1 if form == "altered" else 1)
        np.testing.assert_array_equal(waveform, expected)
    assert list(inner.y_) == list(LABELS[ROWS]) and list(inner.groups_) == list(weight[ROWS])
    np.testing.assert_allclose(np.bincount(ROWS, inner.sample_weight_), weight)
    assert len(set(inner.sample_weight_[ROWS == 5])) == 1
    if form == "frame":
        assert list(inner.X_["speaker"]) == list(np.array(list("uuvvww"))[ROWS])


def test_a_matrix_is_cut_too():
    X = np.random.default_rng(0).normal(size=(3, 4000)).astype(np.float32)
    classifier = SegmentClassifier(Recorder(), **SHORT).fit(X, list("abb"))
    assert classifier.n_features_in_ == 4000
    np.testing.assert_array_equal(classifier.estimator_.waveforms_[5], X[2, 800:])


def test_levels_are_those_of_segments():
    clip = np.r_[np.full(3200, 0.5), np.full(3200, 0.01)]
    classifier = SegmentClassifier(Recorder(normalize="rms"), segment_duration=0.2, hop_duration=0.2)
    for waveform in classifier.fit([clip, clip], ["a", "b"]).estimator_.waveforms_:
        np.testing.assert_allclose(waveform, 1)


def test_no_waveform_of_a_segment_is_kept(files):
    classifier = SegmentClassifier(Recorder(), **SHORT)
    classifier.sr_ = SR
    _, segments = classifier._segments(files)
    assert all(isinstance(segment, Segment) for segment in segments)
    assert len(joblib.hash(segments)) and sum(segment.source in files for segment in segments) == len(ROWS)
    with joblib.parallel_config(backend="loky"):
        loaded = WaveformLoader(n_jobs=2).fit_transform(segments)
    for waveform, segment in zip(loaded, segments, strict=True):
        np.testing.assert_array_equal(waveform, load_waveform(segment))


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 44101])
@pytest.mark.parametrize("sr", [SR, 22050])
def test_part_of_a_file_is_that_part_of_the_whole_resampled(rate, sr, tmp_path):
    path = str(tmp_path / "noise.flac")
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.2, (4 * rate + 7, 2)), rate)
    whole = load_waveform(path, sr)
    for start, stop in [(0, sr), (1, 500), (sr + 17, 3 * sr + 1), (whole.size - sr, whole.size), (0, whole.size)]:
        np.testing.assert_allclose(load_part(path, sr, start, stop), whole[start:stop], atol=5e-6)
    segment = Segment(path, 100, 150, 100)  # counted at another rate
    part = load_waveform(segment, sr, offset=0.1, duration=0.2)
    np.testing.assert_allclose(part, whole[sr:][round(0.1 * sr) : round(0.1 * sr) + round(0.2 * sr)], atol=5e-6)
    assert clip_length(segment, sr=sr, offset=0.1, duration=0.2) == part.size
    longest = Segment(path, 0, clip_length(path, sr=100), 100)  # ends after the file, rounded
    assert clip_length(longest, sr=sr) == load_waveform(longest, sr).size >= whole.size


# -------------------------------------------------------------------------------------------------------------- pooling


@pytest.mark.parametrize(
    "pooling, expected",
    [
        ("mean", [0.6, 0.4]),
        ("max", [0.9 / 1.6, 0.7 / 1.6]),
        ("log_mean", np.array([27, 7]) ** 0.5 / (27**0.5 + 7**0.5)),
    ],
)
def test_pooling_has_a_closed_form(pooling, expected):
    """Two segments with a probability of 0.1 and 0.7 of the second class."""
    clip = np.r_[np.full(3200, 0.1), np.full(3200, 0.7)] ** 0.5
    classifier = SegmentClassifier(Recorder(), segment_duration=0.2, hop_duration=0.2, pooling=pooling)
    probabilities = classifier.fit([clip, clip], ["a", "b"]).predict_proba([clip, clip[:3200]])
    np.testing.assert_allclose(probabilities, [expected, [0.9, 0.1]], rtol=1e-5)
    assert list(classifier.predict([clip, clip[3200:]])) == ["a", "b"]


def test_a_class_that_every_segment_rules_out_stays_out_and_all_can_be(voices):
    clip = np.r_[np.zeros(3200), np.ones(3200)]
    classifier = SegmentClassifier(Recorder(), segment_duration=0.2, hop_duration=0.2, pooling="log_mean")
    np.testing.assert_allclose(classifier.fit([clip, clip], ["a", "b"]).predict_proba([clip]), [[0.5, 0.5]])
    np.testing.assert_allclose(classifier.predict_proba([clip[3200:]]), [[0, 1]], atol=1e-30)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_decision_values_are_averaged_where_there_are_no_probabilities(voices, n_classes):
    clips, y, _ = voices
    y = y if n_classes == 2 else np.tile(["calm", "fear", "joy"], 8)
    classifier = SegmentClassifier(make_pipeline(FEATURES, SVC()), 0.25).fit(clips, y)
    assert not hasattr(classifier, "predict_proba")
    values = classifier.decision_function(clips)
    rows, segments = classifier._segments(clips)
    of_segments = classifier.estimator_.decision_function(segments)
    np.testing.assert_allclose(values, [of_segments[rows == row].mean(axis=0) for row in range(24)])
    best = (values > 0).astype(int) if n_classes == 2 else values.argmax(axis=1)
    np.testing.assert_array_equal(classifier.predict(clips), classifier.classes_[best])


def test_most_segments_decide_where_there_are_classes_alone():
    loud, quiet = np.ones(3200), np.zeros(3200)
    classifier = SegmentClassifier(Voter(), segment_duration=0.2, hop_duration=0.2).fit([loud, quiet], ["b", "a"])
    clips = [np.concatenate(parts) for parts in ([loud, loud, quiet], [loud, quiet], [quiet, quiet, loud])]
    assert list(classifier.predict(clips)) == ["b", "a", "a"]
    assert not hasattr(classifier, "predict_proba") and not hasattr(classifier, "decision_function")


# ------------------------------------------------------------------------------------------------------------- timeline


@pytest.fixture
def recording(tmp_path):
    """Noise of 3.3 s that swells, as an array and a file of another rate."""
    rng, path = np.random.default_rng(0), str(tmp_path / "recording.flac")
    soundfile.write(path, (rng.normal(size=145530) * np.linspace(0, 0.2, 145530))[:, np.newaxis], 44100)
    return load_waveform(path), path


@pytest.mark.parametrize("batch_segments, batch_duration", [(256, 120.0), (3, 120.0), (256, 0.5), (256, 0.01)])
def test_a_timeline_has_the_segments_of_a_clip_however_it_is_read(
    recording, batch_segments, batch_duration, monkeypatch
):
    monkeypatch.setattr(_classifier, "_BATCH_SEGMENTS", batch_segments)
    monkeypatch.setattr(_classifier, "_BATCH_DURATION", batch_duration)
    waveform, path = recording
    classifier = SegmentClassifier(Recorder(), **SHORT).fit([waveform, path], ["calm", "fear"])
    timeline = classifier.predict_timeline(path)
    assert list(timeline.columns) == ["start", "end", "calm", "fear", "predicted"]
    np.testing.assert_allclose(timeline["start"], np.arange(32) / 10)
    np.testing.assert_allclose(timeline["end"] - timeline["start"], 0.2)
    power = [np.mean(waveform[start : start + 3200] ** 2) for start in 1600 * np.arange(32)]
    np.testing.assert_allclose(timeline["fear"], power, rtol=1e-4)
    np.testing.assert_allclose(
        timeline[["calm", "fear"]].to_numpy().mean(axis=0), classifier.predict_proba([path])[0], rtol=1e-5
    )
    pd.testing.assert_frame_equal(classifier.predict_timeline(waveform), timeline, atol=1e-6)


def test_a_recording_can_be_any_audio_input_of_one_clip(recording):
    waveform, path = recording
    classifier = SegmentClassifier(Recorder(), **SHORT).fit([waveform, path], [False, True])
    expected = classifier.predict_timeline(path)
    assert expected["predicted"].dtype == bool and list(expected.columns[2:4]) == [False, True]
    frame = pd.DataFrame({"speaker": ["s"], "path": [path]})
    for form in ([path], np.array([path]), pd.Series([path]), frame, [waveform], waveform[np.newaxis], waveform):
        pd.testing.assert_frame_equal(classifier.predict_timeline(form), expected, atol=1e-6)
    classifier.predict_timeline(frame)
    assert list(classifier.estimator_.seen_["speaker"]) == ["s"] * 32
    for form in (pd.Series(waveform), waveform.astype(np.float64), augment_clips([path], inverted)[0]):
        pd.testing.assert_frame_equal(classifier.predict_timeline(form), expected, atol=1e-6)
    assert classifier.predict_timeline(waveform[:7])["end"].tolist() == [7 / SR]
    with pytest.raises(ValueError, match="one recording at a time. Got audio input of 2 clips"):
        classifier.predict_timeline([path, path])


def test_a_recording_is_never_held_as_a_whole(tmp_path):
    path = str(tmp_path / "long.wav")
    with soundfile.SoundFile(path, "w", SR, 1) as file:
        for seed in range(15):
            file.write(np.random.default_rng(seed).normal(0, 0.1, 60 * SR))
    classifier = SegmentClassifier(Recorder()).fit([np.ones(9), np.zeros(9)], ["a", "b"])
    classifier.predict_timeline(np.zeros(SR))
    classifier.estimator_.seen_ = None
    tracemalloc.start()
    timeline = classifier.predict_timeline(path)
    assert len(timeline) == 899
    assert tracemalloc.get_traced_memory()[1] < 25e6  # the recording has 58 MB; two minutes and their segments' squares
    tracemalloc.stop()


def test_a_timeline_needs_probabilities(voices):
    clips, y, _ = voices
    classifier = SegmentClassifier(make_pipeline(FEATURES, SVC()), 0.5).fit(clips, y)
    with pytest.raises(
        AttributeError, match=r"has no predict_proba.*CalibratedClassifierCV\(SVC\(\), ensemble=False\)"
    ):
        classifier.predict_timeline(clips[0])
    svm = make_pipeline(FEATURES, CalibratedClassifierCV(SVC(), ensemble=False))
    timeline = SegmentClassifier(svm, 0.5).fit(clips, y).predict_timeline(np.concatenate([clips[0], clips[1]]))
    assert timeline["predicted"].iloc[0] == "calm" and timeline["predicted"].iloc[-1] == "fear"


def test_a_file_that_ends_too_early_is_named(tmp_path, monkeypatch):
    path = str(tmp_path / "noise.wav")
    soundfile.write(path, np.zeros(3 * SR), SR)
    frames = soundfile.SoundFile.frames
    monkeypatch.setattr(soundfile.SoundFile, "frames", property(lambda self: frames.fget(self) + SR))
    classifier = SegmentClassifier(Recorder()).fit([np.ones(9), np.zeros(9)], ["a", "b"])
    with pytest.raises(AudioError, match=r"noise.wav'\): .* declares 4.000 s of sound, of which 3.000 s decode"):
        classifier.predict_timeline(path)


@pytest.mark.processes
def test_the_timeline_of_joined_recordings_says_what_the_clips_say(emodb):
    """Clips of three whole seconds, one after the other, so that no segment lies across two of them."""
    long = np.flatnonzero([clip_length(path, sr=SR) >= 3 * SR for path in emodb.data["path"]])
    train, test = long[::2], long[1::8]
    svm = make_pipeline(HandcraftedFeatures(), StandardScaler(), LogisticRegression(max_iter=1000))
    classifier = SegmentClassifier(svm, 1.0, hop_duration=1.0)
    classifier.fit(emodb.data.iloc[train], np.asarray(emodb.target)[train])
    clips = [load_waveform(path, duration=3.0) for path in emodb.data["path"].iloc[test]]
    alone = classifier.predict_proba(clips)
    along = classifier.predict_timeline(np.concatenate(clips))[list(classifier.classes_)].to_numpy()
    np.testing.assert_allclose(along.reshape(len(clips), 3, -1).mean(axis=1), alone, atol=1e-5)
    assert np.mean(classifier.classes_[alone.argmax(axis=1)] == np.asarray(emodb.target)[test]) > 0.5


# --------------------------------------------------------------------------------------------------- parameters, errors


def test_the_rate_is_that_of_the_estimator_s_transformers():
    clips = [np.sin(np.arange(n)) for n in (4000, 8000, 6000, 2000)]
    classifier = SegmentClassifier(make_pipeline(PassOn(), Recorder(sr=8000)), 0.25, hop_duration=0.25)
    assert classifier.fit(clips, list("abab")).sr_ == 8000
    assert [waveform.size for waveform in classifier.estimator_[-1].waveforms_] == [2000] * 10
    assert SegmentClassifier(Voter()).fit(clips, list("abab")).sr_ == SR
    assert SegmentClassifier(Voter(), sr=8000).fit(clips, list("abab")).sr_ == 8000
    for estimator, sr in ((Recorder(sr=8000), 16000), (make_pipeline(WaveformLoader(8000), Recorder()), None)):
        with pytest.raises(
            ValueError, match=f"sr must be the rate at which .* Got sr={sr}, and transformers with sr=8000"
        ):
            SegmentClassifier(estimator, sr=sr).fit(clips, list("abab"))


@pytest.mark.parametrize(
    "params, message",
    [
        (dict(segment_duration=1.0, hop_duration=1.5), "hop_duration must not exceed .* Got hop_duration=1.5"),
        (dict(segment_duration=0), "'segment_duration' parameter"),
        (dict(hop_duration=0.0), "'hop_duration' parameter"),
        (dict(pooling="median"), "'pooling' parameter"),
        (dict(sr=0), "'sr' parameter"),
        (dict(estimator=3), "'estimator' parameter"),
    ],
)
def test_wrong_parameters_are_named(tones, params, message):
    with pytest.raises(ValueError, match=message):
        SegmentClassifier(**{"estimator": Recorder(), **params}).fit(tones, LABELS)


def test_a_fit_that_failed_is_no_fit(tones):
    classifier = SegmentClassifier(Recorder(), 1.0, hop_duration=1.5)
    with pytest.raises(ValueError, match="hop_duration"):
        classifier.fit(tones, LABELS)
    for method in (classifier.predict, classifier.predict_proba, classifier.predict_timeline):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            method(tones[:1])


def test_errors_name_the_row_that_the_user_knows(files, tones, tmp_path):
    (tmp_path / "bad.wav").write_text("no sound")
    classifier = SegmentClassifier(make_pipeline(FEATURES, LogisticRegression()), **SHORT)
    for outer in (classifier, AugmentedClassifier(classifier, [inverted], keep_original=False)):
        with pytest.raises(AudioError, match=r"Row 5 \('.*bad.wav'\).*: not readable"):
            outer.fit([*files[:5], str(tmp_path / "bad.wav")], LABELS)
    soundfile.write(files[4], np.r_[np.zeros(4800), np.full(1600, np.nan), np.zeros(1600)], SR, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"Row 4 \('.*clip 4.wav'\): .*NaN"):
        classifier.fit(files, LABELS)
    with pytest.raises(AudioError, match="Row 1: .*NaN"):
        classifier.fit([tones[0], np.full(9, np.nan)], ["a", "b"])
    inner = AugmentedClassifier(classifier.estimator, [inverted], keep_original=False)
    with pytest.raises(AudioError, match=r"Row 4 \('.*clip 4.wav'\)"):
        SegmentClassifier(inner, **SHORT).fit(files, LABELS)
    with pytest.raises(AudioError, match="offset=0.5 s is past the clip's end at 0.100 s"):
        clone(classifier).set_params(estimator__handcraftedfeatures__offset=0.5).fit(tones, LABELS)


# -------------------------------------------------------------------------- metadata, early stopping, and both nestings


def test_rows_of_clips_are_the_groups_of_early_stopping_where_the_user_gives_none(tones, routing):
    for estimator in (Recorder(early_stopping=True), make_pipeline(PassOn(), Recorder(early_stopping=True))):
        fitted = SegmentClassifier(estimator, **SHORT).fit(tones, LABELS).estimator_
        final = fitted[-1] if isinstance(fitted, Pipeline) else fitted
        assert list(final.groups_) == list(ROWS)


def test_the_user_s_groups_go_before(tones, routing):
    final, step = Recorder(early_stopping=True), PassOn()
    if routing:
        final.set_fit_request(groups=True, sample_weight=True)
        step.set_fit_request(groups=False)
    groups, weight = np.array(list("uuvvww")), np.arange(6.0)
    classifier = SegmentClassifier(make_pipeline(step, final), **SHORT)
    fitted = classifier.fit(tones, LABELS, sample_weight=weight, groups=groups).estimator_
    assert list(fitted[-1].groups_) == list(groups[ROWS]) and fitted[0].groups_ is None
    np.testing.assert_allclose(np.bincount(ROWS, fitted[-1].sample_weight_), weight)


def test_weights_under_a_step_s_name_are_shared_out_too(tones):
    classifier = SegmentClassifier(make_pipeline(PassOn(), Recorder()), **SHORT)
    fitted = classifier.fit(tones, LABELS, recorder__sample_weight=list(range(6)), passon__groups=list("uuvvww"))
    np.testing.assert_allclose(np.bincount(ROWS, fitted.estimator_[-1].sample_weight_), range(6))
    assert list(fitted.estimator_[0].groups_) == list(np.array(list("uuvvww"))[ROWS])


@pytest.mark.parametrize(
    "estimator, message",
    [
        (
            make_pipeline(FEATURES, MLPClassifier(early_stopping=True)),
            "MLPClassifier stops early on .*segments of a clip",
        ),
        (
            VotingClassifier([("r", Recorder(early_stopping=True))]),
            "Recorder stops early inside Voting.*segments of a clip",
        ),
        (
            AugmentedClassifier(make_pipeline(FEATURES, MLPClassifier(early_stopping=True)), [inverted]),
            "MLPClassifier stops early on .*segments of a clip",
        ),
    ],
    ids=["itself", "hidden", "nested"],
)
def test_a_split_that_would_part_segments_is_refused(tones, estimator, message):
    with pytest.raises(ValueError, match=f"{message} would stand on both sides"):
        SegmentClassifier(estimator, **SHORT).fit(tones, LABELS)


@pytest.mark.parametrize("groups", [None, np.array([7, 7, 7, 8, 8, 8])], ids=["without groups", "with groups"])
@pytest.mark.parametrize("pipeline", [False, True], ids=["alone", "in pipelines"])
def test_both_nestings_keep_all_of_a_clip_on_one_side(tones, routing, groups, pipeline):
    final = Recorder(early_stopping=True)
    if routing and groups is not None:
        final.set_fit_request(groups=True)

    def piped(estimator):
        step = PassOn().set_fit_request(groups=False) if routing else PassOn()
        return make_pipeline(step, estimator) if pipeline else estimator

    def innermost(estimator):
        while not isinstance(estimator, Recorder):
            estimator = estimator[-1] if isinstance(estimator, Pipeline) else estimator.estimator_
        return estimator

    expected = np.arange(6) if groups is None else groups
    inside = SegmentClassifier(piped(AugmentedClassifier(piped(final), [inverted])), **SHORT)
    outside = AugmentedClassifier(piped(SegmentClassifier(piped(final), **SHORT)), [inverted])
    params = {} if groups is None else {"groups": groups}
    seen = innermost(inside.fit(tones, LABELS, **params))
    assert list(seen.groups_) == list(expected[ROWS]) * 2
    for copy, waveform in zip(seen.waveforms_[len(ROWS) :], seen.waveforms_, strict=False):
        np.testing.assert_array_equal(copy, -waveform)
    seen = innermost(outside.fit(tones, LABELS, **params))
    assert list(seen.groups_) == list(expected[ROWS]) * 2
    np.testing.assert_array_equal(seen.waveforms_[-1], -seen.waveforms_[len(ROWS) - 1])


@pytest.mark.parametrize("nesting", ["copies outside", "copies inside"])
@pytest.mark.neural
def test_all_of_a_clip_stays_on_one_side_of_the_neural_classifier_s_split(nesting, monkeypatch):
    rng, splits = np.random.default_rng(0), []
    clips, y = [rng.normal(size=n) for n in rng.integers(1600, 4800, 32)], np.tile(["calm", "fear"], 16)
    split = CNNLSTMClassifier._split

    def recorded(self, y, groups, seed):
        splits.append((*split(self, y, groups, seed), groups))
        return splits[-1][:2]

    monkeypatch.setattr(CNNLSTMClassifier, "_split", recorded)
    network = CNNLSTMClassifier(filters=[2], epochs=1, early_stopping=True, random_state=0)
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=4, n_fft=256, hop_length=128), network)
    if nesting == "copies inside":
        classifier = SegmentClassifier(AugmentedClassifier(pipeline, [AddNoise(snr=10)], random_state=0), **SHORT)
    else:
        classifier = AugmentedClassifier(SegmentClassifier(pipeline, **SHORT), [AddNoise(snr=10)], random_state=0)
    classifier.fit(clips, y)
    train, held_out, groups = splits[0]
    assert held_out.size and not np.intersect1d(groups[train], groups[held_out]).size
    assert set(groups) == set(range(32)) and len(groups) > 40
    assert classifier.predict_proba(clips).shape == (32, 2)


def test_groups_reach_split_and_classifier_in_a_cross_validation(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        final = Recorder(early_stopping=True).set_fit_request(groups=True)
        folds = cross_validate(
            SegmentClassifier(make_pipeline(final), **SHORT),
            tones,
            LABELS,
            params={"groups": [0, 1, 2, 0, 1, 2]},
            cv=GroupKFold(3),
            return_estimator=True,
        )
    seen = [tuple(fitted.estimator_[-1].groups_) for fitted in folds["estimator"]]
    assert {frozenset(groups) for groups in seen} == {frozenset(pair) for pair in ((0, 1), (0, 2), (1, 2))}
    assert sum(map(len, seen)) == 2 * len(ROWS)


def test_what_predict_is_given_is_repeated_for_the_segments(tones, routing):
    final = Recorder().set_predict_proba_request(hint=True) if routing else Recorder()
    classifier = SegmentClassifier(final, **SHORT).fit(tones, LABELS)
    for method in (classifier.predict, classifier.predict_proba):
        method(tones, hint=np.arange(6))
        assert list(classifier.estimator_.hint_) == list(ROWS)
    classifier.predict_timeline(tones[5], hint=[3])
    assert list(classifier.estimator_.hint_) == [3] * 5
    if routing:
        with pytest.raises(TypeError, match="unexpected argument.*hand"):
            classifier.predict(tones, hand=np.arange(6))


# ------------------------------------------------------------------------------------------- among scikit-learn's tools


@pytest.mark.processes
def test_parameters_three_levels_deep_are_searched_over(voices):
    clips, y, speaker = voices
    pipeline = make_pipeline(FEATURES, StandardScaler(), LogisticRegression())
    classifier = SegmentClassifier(AugmentedClassifier(pipeline, [AddNoise(snr=20)], random_state=0), 0.4)
    grid = {
        "segment_duration": [0.3, 0.6],
        "pooling": ["mean", "log_mean"],
        "estimator__augmenters": [[], [AddNoise(snr=10)]],
        "estimator__estimator__logisticregression__C": [0.1, 1.0],
    }
    search = GridSearchCV(classifier, grid, cv=GroupKFold(2), error_score="raise").fit(clips, y, groups=speaker)
    assert search.best_score_ > 0.9 and len(search.cv_results_["params"]) == 16
    assert cross_val_score(classifier, clips, y, cv=2, scoring="roc_auc").min() > 0.9
    outer = GridSearchCV(
        AugmentedClassifier(SegmentClassifier(pipeline, 0.4), [AddNoise(snr=20)]),
        {"estimator__estimator__handcraftedfeatures__descriptors": [["mel"], ["mfcc"]]},
        cv=2,
        error_score="raise",
    )
    assert outer.fit(clips, y).best_score_ > 0.9


def test_nothing_but_training_clips_is_ever_cut_into_training(voices):
    clips, y, _ = voices
    pipeline = make_pipeline(FEATURES, StandardScaler(), LogisticRegression())
    classifier = SegmentClassifier(pipeline, segment_duration=0.25, hop_duration=0.25).fit(clips[:12], y[:12])
    parts = [
        clip[start : start + 4000]
        for clip in clips[:12]
        for start in [*range(0, clip.size - 4000, 4000), clip.size - 4000]
    ]
    n_parts = [len(range(0, clip.size - 4000, 4000)) + 1 for clip in clips[:12]]
    by_hand = clone(pipeline).fit(parts, np.repeat(y[:12], n_parts))
    np.testing.assert_allclose(by_hand[-1].coef_, classifier.estimator_[-1].coef_, rtol=1e-6)


def test_it_is_cloned_saved_and_shown(voices, tmp_path):
    clips, y, _ = voices
    classifier = SegmentClassifier(make_pipeline(FEATURES, LogisticRegression()), 0.3, pooling="max")
    assert clone(classifier).get_params()["estimator__logisticregression__C"] == 1.0
    assert "SegmentClassifier" in repr(classifier) and "HandcraftedFeatures" in classifier._repr_html_()
    joblib.dump(classifier.fit(clips, y), tmp_path / "fitted.joblib")
    loaded = joblib.load(tmp_path / "fitted.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(clips), classifier.predict_proba(clips))
    pd.testing.assert_frame_equal(loaded.predict_timeline(clips[0]), classifier.predict_timeline(clips[0]))


def test_it_can_be_calibrated_by_clips(voices):
    clips, y, _ = voices
    classifier = SegmentClassifier(make_pipeline(FEATURES, SVC()), 0.3)
    calibrated = CalibratedClassifierCV(classifier, cv=2, ensemble=False).fit(clips, y)
    assert calibrated.score(clips, y) > 0.9


# -------------------------------------------------------------------------------------------------------------- display


@pytest.fixture
def timeline():
    values = {"anger": [0.1, 0.2, 0.7], "calm": [0.6, 0.5, 0.2], "unheard": [0.3, 0.3, 0.1]}
    return pd.DataFrame(
        {"start": [0.0, 1, 2.5], "end": [2.0, 3, 4.5], **values, "predicted": ["calm", "calm", "anger"]}
    )


def test_probabilities_are_stacked_over_the_predicted_emotion(plt, timeline):
    display = TimelineDisplay.from_predictions(timeline)
    stairs = display.ax_.patches
    assert display.figure_ is display.ax_.figure and len(stairs) == 3
    np.testing.assert_allclose(stairs[0].get_data().edges, [0, 1.5, 2.75, 4.5])
    np.testing.assert_allclose(stairs[1].get_data().values, [0.7, 0.7, 0.9])
    np.testing.assert_allclose(stairs[2].get_data().values, 1)
    (strip,) = display.ax_.collections
    left, right = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in strip.get_paths()]
    np.testing.assert_allclose([left, right], [(0, 2.75), (2.75, 4.5)])
    np.testing.assert_allclose(strip.get_facecolor()[1], stairs[0].get_facecolor())
    assert len({stair.get_facecolor() for stair in stairs}) == 3


def test_an_emotion_has_one_colour_in_all_pictures(plt, timeline):
    fewer = timeline.drop(columns="anger").assign(predicted="calm")
    one, other = TimelineDisplay.from_predictions(timeline), TimelineDisplay.from_predictions(fewer)
    assert one.ax_.patches[1].get_facecolor() == other.ax_.patches[0].get_facecolor()


def test_the_waveform_s_outline_is_drawn_above_where_the_user_wants_it(plt, recording):
    waveform, path = recording
    classifier = SegmentClassifier(Recorder(), **SHORT).fit([waveform, path], ["calm", "fear"])
    _, axes = plt.subplots(1, 2)
    display = TimelineDisplay.from_estimator(classifier, path, ax=axes[1])
    assert display.ax_ is axes[1] and not axes[0].patches
    edges = np.linspace(0, waveform.size, 601).round().astype(int)
    expected = [(part.min(), part.max()) for part in np.split(waveform, edges[1:-1])]
    np.testing.assert_allclose(display.outline, expected, atol=1e-5)
    assert display.ax_.patches[-1].get_data().edges[-1] == pytest.approx(waveform.size / SR)
    assert "waveform" in [label.get_text() for label in display.ax_.get_yticklabels()]
    assert TimelineDisplay.from_estimator(classifier, path, waveform=False).outline is None
    assert TimelineDisplay.from_estimator(classifier, np.zeros(100)).outline.shape == (100, 2)


def test_long_timelines_count_minutes(plt):
    start = np.arange(0.0, 3600, 10)
    long = pd.DataFrame({"start": start, "end": start + 10, "a": 1.0, "b": 0.0, "predicted": "a"})
    display = TimelineDisplay.from_predictions(long)
    display.figure_.canvas.draw()
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert "10:00" in labels and "60:00" in labels and "min" in display.ax_.get_xlabel()


@pytest.mark.parametrize("change", [lambda t: t.iloc[:0], lambda t: t[["start", "end"]], lambda t: t.iloc[:, 2:]])
def test_what_is_no_timeline_is_refused(plt, timeline, change):
    with pytest.raises(ValueError, match="timeline (of values )?must have rows, and the columns 'start', 'end'"):
        TimelineDisplay.from_predictions(change(timeline))


def test_a_timeline_wants_what_predicts_one():
    with pytest.raises(TypeError, match="must be a SegmentClassifier.*Got SVC"):
        TimelineDisplay.from_estimator(SVC(), np.zeros(100))
