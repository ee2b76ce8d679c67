"""The classifier's own rule decides on pooled values, whatever the order of its classes and the shape of its values."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, NuSVC

from sklearn_ser import (
    AddNoise,
    AudioTransformer,
    AugmentedClassifier,
    HandcraftedFeatures,
    SegmentClassifier,
    SelectiveClassifier,
    WaveformFeatures,
    make_emotional_speech,
)

RNG = np.random.default_rng(0)


def moments(waveform, sr):
    return [np.std(waveform), np.mean(np.abs(np.diff(waveform))), np.mean(waveform[1:] * waveform[:-1] > 0)]


FEATURES = WaveformFeatures(moments, normalize=None)


@pytest.fixture(scope="module")
def noises():
    """40 clips of 0.1 s of four classes: noise of four bandwidths."""
    y = np.tile(["anger", "calm", "fear", "joy"], 10)
    clips = []
    for label in y:
        waveform = RNG.normal(size=1700)
        for _ in range(["anger", "calm", "fear", "joy"].index(label)):
            waveform = waveform[1:] + waveform[:-1]
        clips.append((0.2 * waveform / np.std(waveform) * RNG.uniform(0.5, 1))[:1600])
    return clips, y


def wrapped(pipeline):
    yield SegmentClassifier(pipeline, 0.05)
    yield AugmentedClassifier(pipeline, test_time_augmenters=[AddNoise(snr=40)], random_state=0)
    yield SegmentClassifier(AugmentedClassifier(pipeline, [AddNoise(snr=40)], random_state=0), 0.05)


# -------------------- pairs of classes


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("svm", [SVC, NuSVC])
def test_values_of_pairs_decide_as_values_of_classes(noises, n_classes, svm):
    clips, y = noises
    rows = np.flatnonzero(np.isin(y, np.unique(y)[:n_classes]))
    clips, y = [clips[row] for row in rows], y[rows]
    for search in (lambda last: last, lambda last: GridSearchCV(last, {"gamma": ["scale"]}, cv=2)):
        answers = []
        for shape in ("ovr", "ovo"):
            pipeline = make_pipeline(FEATURES, StandardScaler(), search(svm(decision_function_shape=shape)))
            answers.append([meta.fit(clips, y).predict(clips).tolist() for meta in list(wrapped(pipeline))[:2]])
        assert answers[0] == answers[1]
        assert np.mean(np.array(answers[0][0]) == y) > 0.8


@pytest.mark.parametrize("n_classes", [3, 4])
def test_confidence_in_values_of_pairs_is_that_of_classes(n_classes):
    y = RNG.integers(0, n_classes, 200)
    X = RNG.normal(size=(200, n_classes))
    X[np.arange(200), y] += 2
    found = []
    for shape in ("ovr", "ovo"):
        svm = SVC(decision_function_shape=shape).fit(X[:100], y[:100])
        chosen = SelectiveClassifier(FrozenEstimator(svm), coverage=0.5).fit(
            X[100:], y[100:], groups=np.arange(100) % 5
        )
        found.append(chosen.confidence(X))
    np.testing.assert_allclose(*found)


class Odd(ClassifierMixin, BaseEstimator):
    """Its decision values have five columns, whatever the classes."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.zeros((len(X), 5))

    def predict(self, X):
        return self.classes_[[0] * len(X)]


def test_values_of_no_known_form_are_refused(noises):
    clips, y = noises
    for meta in list(wrapped(make_pipeline(FEATURES, Odd())))[:2]:
        with pytest.raises(ValueError, match="a column for each class. Got 5 columns and 4 classes"):
            meta.fit(clips, y).predict(clips)


# -------------------- rules of decision


@pytest.mark.processes
def test_a_threshold_is_applied_to_pooled_values(noises):
    clips, y = noises
    two = np.where(y == "anger", "anger", "other")
    for rule in (
        TunedThresholdClassifierCV(LogisticRegression(), scoring="f1_macro", cv=2),
        FixedThresholdClassifier(SVC(), threshold=3.0, pos_label="other"),
        FixedThresholdClassifier(
            LogisticRegression(), threshold=9.0, pos_label="other", response_method="decision_function"
        ),
        GridSearchCV(FixedThresholdClassifier(LogisticRegression()), {"threshold": [0.98]}, cv=2),
    ):
        for meta in wrapped(make_pipeline(FEATURES, StandardScaler(), rule)):
            meta.fit(clips, two)
            fitted = meta.estimator_
            while not hasattr(fitted, "steps"):
                fitted = fitted.estimator_
            last = getattr(fitted[-1], "best_estimator_", fitted[-1])
            threshold, positive = getattr(last, "best_threshold_", getattr(last, "threshold", None)), 1
            values = last.response_method != "decision_function" and hasattr(meta, "predict_proba")
            values = meta.predict_proba(clips)[:, positive] if values else meta.decision_function(clips)
            expected = np.where(values >= threshold, "other", "anger")
            assert meta.predict(clips).tolist() == expected.tolist()


def test_a_rule_around_a_whole_pipeline_is_applied_too(noises):
    clips, y = noises
    two = np.where(y == "anger", "anger", "other")
    pipeline = make_pipeline(FEATURES, StandardScaler(), LogisticRegression())
    rule = FixedThresholdClassifier(pipeline, threshold=0.995, pos_label="other")
    plain, ruled = (SegmentClassifier(inner, 0.05).fit(clips, two) for inner in (pipeline, rule))
    assert np.mean(ruled.predict(clips) == "anger") > np.mean(plain.predict(clips) == "anger")
    timeline = ruled.predict_timeline(np.concatenate(clips[:8]))
    expected = np.where(timeline["other"] >= 0.995, "other", "anger")
    assert timeline["predicted"].tolist() == expected.tolist()
    assert (timeline["anger"][timeline["predicted"] == "anger"] < 0.5).any()
    with pytest.raises(ValueError, match="cannot be averaged where something else decides, such as a threshold"):
        timeline.smoothed(1)
    assert set(timeline.to_intervals()["label"]) == {"anger", "other"}


@pytest.mark.processes
def test_unknown_stays_an_answer(noises):
    clips, y = noises
    X = pd.DataFrame({"path": pd.Series(clips, dtype=object), "speaker": np.arange(40) // 4 % 5})
    inside = SelectiveClassifier(make_pipeline(FEATURES, StandardScaler(), LogisticRegression()), coverage=0.3)
    for meta in wrapped(inside):
        labels = meta.fit(X, y).predict(X)
        assert 0.3 < np.mean(labels == "unknown") < 0.95
        assert set(labels) <= {*y, "unknown"}
    timeline = meta.predict_timeline(np.concatenate(clips[:4]))
    assert "unknown" in set(timeline["predicted"]) | set(labels)


def test_novelty_inside_is_refused_because_pooled_values_have_no_features(noises):
    clips, y = noises
    inside = SelectiveClassifier(make_pipeline(FEATURES, LogisticRegression()), novelty=True, speaker=None)
    for meta in wrapped(inside):
        with pytest.raises(ValueError, match=r"SelectiveClassifier\(novelty=True\) judges features.* Put it around"):
            meta.fit(clips, y)
    assert AugmentedClassifier(inside).fit(clips, y).predict(clips).shape == (40,)


class Backwards(ClassifierMixin, BaseEstimator):
    """A classifier whose classes are in the order of a network's outputs."""

    def fit(self, X, y):
        self.inner_ = LogisticRegression(C=100).fit(X, y)
        self.classes_ = self.inner_.classes_[::-1]
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)[:, ::-1]

    def predict(self, X):
        return self.inner_.predict(X)


def test_classes_need_not_be_sorted(noises):
    clips, y = noises
    for meta in wrapped(make_pipeline(FEATURES, StandardScaler(), Backwards())):
        assert meta.fit(clips, y).score(clips, y) > 0.8
    X = np.column_stack([RNG.normal(size=80), np.zeros(80)])
    labels = np.where(X[:, 0] > 0, "calm", "anger")
    found = [
        SelectiveClassifier(inner, coverage=0.5, speaker=None).fit(X, labels).confidence(X)
        for inner in (Backwards(), LogisticRegression(C=100))
    ]
    np.testing.assert_allclose(*found)


# -------------------- rates


class Crossings(AudioTransformer):
    """A transformer with a rate of its own."""

    def __init__(self, memory=None):
        self.sr, self.offset, self.duration, self.normalize = 8000, 0.0, None, None
        self.memory, self.n_jobs, self.verbose = memory, None, 0

    def _learn(self, n_times):
        self.n_values_ = 1

    def _function(self):
        return crossings

    def transform(self, X):
        return np.array([values for _, values in sorted(self._apply(X)[1], key=lambda found: found[0])])


def crossings(waveforms):
    return [[float(np.mean(np.diff(np.sign(waveform)) != 0))] for waveform in waveforms]


def test_a_transformer_s_fixed_rate_is_that_of_the_segments():
    time = np.arange(8000) / 8000
    low, high = np.sin(2 * np.pi * 200 * time), np.sin(2 * np.pi * 1000 * time)
    segments = SegmentClassifier(make_pipeline(Crossings(), LogisticRegression(C=1e4)), 0.5).fit(
        [low, high], ["low", "high"]
    )
    timeline = segments.predict_timeline(np.concatenate([low, high]))
    assert segments.sr_ == 8000 and timeline["end"].iloc[-1] == 2.0
    assert timeline["predicted"].iloc[[0, -1]].tolist() == ["low", "high"]


@pytest.mark.parametrize("second", [16000, 22050, 8000])
def test_extractors_of_two_rates_each_read_at_their_own(tmp_path, second):
    rng, paths = np.random.default_rng(0), []
    for k in range(4):
        paths.append(tmp_path / f"{k}.wav")
        tone = np.sin(2 * np.pi * (200 + 300 * (k % 2)) * np.arange(20000) / 16000)
        soundfile.write(paths[-1], 0.3 * tone + 0.01 * rng.normal(size=20000), 16000)
    union = make_union(HandcraftedFeatures(feature_set="bledea170"), WaveformFeatures(moments, sr=second))
    pipeline = make_pipeline(union, StandardScaler(), LogisticRegression())
    meta = SegmentClassifier(pipeline, 0.5, hop_duration=0.5, sr=16000).fit(paths, list("abab"))
    for recording in (paths[1], soundfile.read(paths[1])[0]):
        timeline = meta.predict_timeline(recording)
        _, segments = meta._segments([recording])
        expected = meta.estimator_.predict_proba(segments)
        np.testing.assert_allclose(timeline[["a", "b"]].to_numpy(), expected, atol=1e-3)
    rows = list(meta.stream_timeline(np.array_split(soundfile.read(paths[1])[0], 7)))
    np.testing.assert_allclose([[row["a"], row["b"]] for row in rows], expected, atol=0.02)


# -------------------- what is refused early


@pytest.mark.parametrize("name", ["start", "end", "predicted"])
def test_classes_that_are_called_as_columns_of_a_timeline_are_refused(name):
    time = np.arange(8000) / 16000
    a, b = np.sin(2 * np.pi * 200 * time), np.sin(2 * np.pi * 800 * time)
    meta = SegmentClassifier(make_pipeline(FEATURES, LogisticRegression()), 0.25).fit([a, b], [name, "other"])
    assert meta.predict([a, b]).shape == (2,)
    for call in (meta.predict_timeline, lambda recording: meta.stream_timeline([recording])):
        with pytest.raises(ValueError, match=f"no class may be called so. Got \\['{name}'\\]: rename it"):
            call(a)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_label_or_speaker_is_named_with_its_row(noises, missing):
    clips, y = noises
    lacking = y.astype(object)
    lacking[4] = missing
    for meta in wrapped(make_pipeline(FEATURES, LogisticRegression())):
        for labels in (lacking, list(lacking), pd.Series(lacking), pd.DataFrame({"emotion": lacking})):
            with pytest.raises(ValueError, match="y lacks a value in row 4"):
                meta.fit(clips, labels)
        with pytest.raises(ValueError, match="groups lacks a value in row 4"):
            meta.fit(clips, y, groups=lacking)
    X = pd.DataFrame({"a": np.arange(40.0), "speaker": lacking})
    selective = SelectiveClassifier(LogisticRegression())
    with pytest.raises(ValueError, match="y lacks a value in row 4"):
        selective.fit(X[["a"]], lacking, groups=y)
    with pytest.raises(ValueError, match="groups lacks a value in row 4"):
        selective.fit(X[["a"]], y, groups=lacking)
    with pytest.raises(ValueError, match="Column 'speaker' of X lacks a value in row 4"):
        selective.fit(X, y)


@pytest.mark.filterwarnings("ignore:A column-vector y")
@pytest.mark.processes
def test_labels_in_a_column_are_labels(noises):
    clips, y = noises
    for meta in wrapped(make_pipeline(FEATURES, StandardScaler(), LogisticRegression())):
        expected = meta.fit(clips, y).predict(clips)
        for column in (y[:, np.newaxis], pd.DataFrame({"emotion": y}), y[:, np.newaxis].tolist()):
            assert meta.fit(clips, column).predict(clips).tolist() == expected.tolist()
            assert meta.classes_.tolist() == sorted(set(y))


def test_a_regressor_is_refused_before_anything_is_computed():
    for meta in wrapped(make_pipeline(FEATURES, Ridge())):
        with pytest.raises(ValueError, match="takes a classifier, and Ridge is a regressor: use .*Regressor"):
            meta.fit(["there is no such file"], [0.5])


@pytest.mark.processes
def test_speech_of_a_search_is_grouped_by_speaker():
    from sklearn.model_selection import GroupKFold

    speech = make_emotional_speech(24, n_speakers=4, random_state=0)
    X = FEATURES.fit_transform(speech.data)
    search = GridSearchCV(LogisticRegression(), {"C": [1, 10]}, cv=GroupKFold(3))
    for estimator in (search, make_pipeline(StandardScaler(), search)):
        chosen = SelectiveClassifier(estimator, coverage=0.8).fit(X, speech.target, groups=speech.speaker)
        assert 0.5 < chosen.coverage_ <= 1


# -------------------- a predict of the user's own


class Wary(LogisticRegression):
    """Says "anger" wherever its probability is above 0.02."""

    def predict(self, X):
        return np.where(self.predict_proba(X)[:, 0] > 0.02, *self.classes_)


class Distant(LogisticRegression):
    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 8).astype(int)]


class Around(ClassifierMixin, BaseEstimator):
    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = self.estimator.fit(X, y)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, X):
        return self.estimator_.predict_proba(X)

    def predict(self, X):
        return np.where(self.predict_proba(X)[:, 0] > 0.02, *self.classes_)


class HandedOn(Around):
    def predict(self, X):
        return self.estimator_.predict(X)


class Hidden(Around):
    def predict(self, X):
        return np.where(self.estimator_.predict_proba(X)[:, 0] > 1e-9, *self.classes_)


def own(noises):
    clips, y = noises
    return clips, np.where(y == "anger", "anger", "other")


@pytest.mark.parametrize("last", [Wary(), Distant(), Around(LogisticRegression()), HandedOn(LogisticRegression())])
def test_a_rule_of_the_users_own_decides_on_pooled_values(noises, last):
    clips, y = own(noises)
    pipeline = make_pipeline(FEATURES, StandardScaler(), last)
    expected = pipeline.fit(clips, y).predict(clips)
    if not isinstance(last, HandedOn):
        assert np.sum(expected == "anger") > np.sum(y == "anger")  # else the rule would change nothing
    whole = SegmentClassifier(pipeline, 0.1).fit(clips, y)
    assert whole.predict(clips).tolist() == expected.tolist()
    if isinstance(last, Distant):
        with pytest.raises(ValueError, match="Distant decides by decision_function, .* values of predict_proba only"):
            whole.predict_timeline(clips[1])
    else:
        assert whole.predict_timeline(clips[1])["predicted"].tolist() == [expected[1]]
    quiet = AugmentedClassifier(pipeline, test_time_augmenters=[AddNoise(snr=90)], random_state=0).fit(clips, y)
    assert quiet.predict(clips).tolist() == expected.tolist()


def test_a_rule_of_the_users_own_that_reads_no_pooled_values_is_refused(noises):
    clips, y = own(noises)
    hidden = make_pipeline(FEATURES, StandardScaler(), Hidden(LogisticRegression()))
    for meta in wrapped(hidden):
        with pytest.raises(ValueError, match="Hidden.predict decides otherwise .*'anger' where .* 'other'"):
            meta.fit(clips, y)
    AugmentedClassifier(hidden, [AddNoise(snr=40)], random_state=0).fit(clips, y)  # predicts clips as they are
