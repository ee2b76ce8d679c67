"""Each training corpus is scaled by its own clips; a new world is known from some clips without labels."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AddNoise,
    AugmentedClassifier,
    BoundedScaler,
    CalibratedDiscriminant,
    FlattenFrames,
    FrameWise,
    SegmentClassifier,
    SelectiveClassifier,
    SpeakerNormalizer,
    WaveformFeatures,
    WorldNormalizer,
    adapt,
)


class Columns(TransformerMixin, BaseEstimator):
    """The column `path` of two numbers a clip, or such numbers themselves, as features."""

    def fit(self, X, y=None):
        self.n_features_in_ = 2
        return self

    def transform(self, X):
        return np.stack(X["path"] if hasattr(X, "columns") else X)

    def get_feature_names_out(self, input_features=None):
        return np.array(["a", "b"], dtype=object)


def world(n, shift, seed, corpus, scale=1.0):
    """Clips of two emotions, two apart, from a world that lies `shift` off."""
    rng = np.random.default_rng(seed)
    y = np.tile(["anger", "calm"], n // 2)
    values = rng.normal(scale=0.5, size=(n, 2)) + np.where(y == "anger", 1.0, -1.0)[:, np.newaxis]
    values = scale * values + shift
    clips = pd.DataFrame({"path": list(values), "corpus": corpus, "speaker": np.arange(n) // 2 % 4})
    return clips, y, values


@pytest.fixture
def corpora():
    (a, y, _), (b, z, _) = world(40, 10, 0, "studio"), world(60, -20, 1, "street", scale=3.0)
    return pd.concat([a, b], ignore_index=True), np.concatenate([y, z])


def test_each_corpus_has_mean_zero_and_deviation_one(corpora):
    X, _ = corpora
    normalizer = WorldNormalizer(Columns(), prior_strength=1e-9)
    normalized = normalizer.fit_transform(X)
    for corpus in ("studio", "street"):
        rows = normalized[X["corpus"] == corpus]
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(rows.std(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(normalizer.transform(X), normalized)
    assert normalizer.worlds_.tolist() == ["studio", "street"]
    renamed = WorldNormalizer(Columns(), world="room", prior_strength=1e-9).fit_transform(
        X.rename(columns={"corpus": "room"})
    )
    np.testing.assert_array_equal(renamed, normalized)


def test_one_world_is_scaled_as_by_the_standard_scaler(corpora):
    X, _ = corpora
    values = np.stack(X["path"])
    expected = StandardScaler().fit_transform(values)
    np.testing.assert_allclose(WorldNormalizer(Columns()).fit_transform(X[["path"]]), expected)
    np.testing.assert_allclose(WorldNormalizer(Columns(), world=None).fit_transform(X), expected)
    np.testing.assert_allclose(WorldNormalizer(StandardScaler()).fit_transform(values), expected)
    unnamed = X.assign(corpus=[None, np.nan] * 50)
    np.testing.assert_allclose(WorldNormalizer(Columns()).fit_transform(unnamed), expected)


def test_an_unknown_world_is_scaled_by_the_average_training_world(corpora):
    X, _ = corpora
    normalizer = WorldNormalizer(Columns()).fit(X)
    means = np.array([np.stack(X["path"][X["corpus"] == name]).mean(axis=0) for name in ("studio", "street")])
    np.testing.assert_allclose(normalizer.mean_, means.mean(axis=0))
    np.testing.assert_allclose(normalizer.transform([normalizer.mean_]), 0, atol=1e-9)
    elsewhere = pd.DataFrame({"path": [normalizer.mean_ + normalizer.scale_], "corpus": "elsewhere"})
    np.testing.assert_allclose(normalizer.transform(elsewhere), 1)


def test_a_new_world_is_shrunk_towards_the_average_one(corpora):
    X, _ = corpora
    normalizer = WorldNormalizer(Columns(), prior_strength=5.0).fit(X)
    new, _, values = world(20, 100, 2, "elsewhere")
    adapted = normalizer.adapted(new)
    mean = (20 * values.mean(axis=0) + 5 * normalizer.mean_) / 25
    variance = (20 * values.var(axis=0) + 5 * normalizer.scale_**2) / 25
    np.testing.assert_allclose(adapted.transform(new), (values - mean) / np.sqrt(variance))
    np.testing.assert_array_equal(adapted.transform(X), normalizer.transform(X))  # known worlds stay
    in_two_steps = normalizer.adapted(new[:7]).adapted(new[7:])
    np.testing.assert_allclose(in_two_steps.transform(new), adapted.transform(new))
    assert (normalizer.n_adaptation_clips_, in_two_steps.n_adaptation_clips_) == (0, 20)


def test_frames_keep_their_padding_and_clips_weigh_the_same():
    frames = np.full((2, 4, 1), np.nan, dtype=np.float32)
    frames[0, :, 0], frames[1, :1, 0] = 1.0, 3.0
    normalizer = WorldNormalizer(FrameWise(StandardScaler(with_mean=False, with_std=False)))
    normalized = normalizer.fit_transform(frames)
    assert normalizer.mean_ == [2.0] and normalizer.scale_ == [1.0]
    np.testing.assert_array_equal(np.isnan(normalized), np.isnan(frames))
    np.testing.assert_allclose(normalized[1, 0], 1)


def classifiers():
    lda = LinearDiscriminantAnalysis
    scaled = make_pipeline(Columns(), BoundedScaler(), lda())
    frames = make_pipeline(Columns(), Frames(), FrameWise(StandardScaler()), FlattenFrames(), lda())
    return {
        "worlds": make_pipeline(WorldNormalizer(Columns()), BoundedScaler(), lda()),
        "standard": make_pipeline(Columns(), "passthrough", StandardScaler(), LogisticRegression()),
        "bounded": scaled,
        "frames": frames,
        "vote": VotingClassifier(
            [("a", scaled), ("b", make_pipeline(Columns(), StandardScaler(), lda()))], voting="soft"
        ),
        "vote of features": make_pipeline(Columns(), VotingClassifier([("a", make_pipeline(StandardScaler(), lda()))])),
        "search": GridSearchCV(scaled, {"boundedscaler__limit": [2.0, 3.0]}, cv=2),
        "calibrated": CalibratedClassifierCV(scaled, cv=2),
        "selective": SelectiveClassifier(scaled, coverage=1.0, speaker=None, cv=2),
        "speakers": make_pipeline(SpeakerNormalizer(Columns(), speaker=None), lda()),
        "speakers within worlds": make_pipeline(SpeakerNormalizer(WorldNormalizer(Columns()), speaker=None), lda()),
    }


class Frames(TransformerMixin, BaseEstimator):
    """Features as clips of one frame."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X[:, np.newaxis].astype(np.float32)


@pytest.mark.parametrize("name", classifiers())
def test_whatever_scales_is_adapted_and_saved(name, tmp_path):
    X, y, _ = world(80, 0, 0, "studio")
    new, z, _ = world(60, 5, 1, "elsewhere")
    fitted = classifiers()[name].fit(X, y)
    before = fitted.predict(X)
    assert (fitted.predict(new) == z).mean() < 0.7
    adapted = adapt(fitted, new)
    assert adapted.n_adaptation_clips_ == 60
    assert (adapted.predict(new) == z).mean() > 0.9
    np.testing.assert_array_equal(fitted.predict(X), before)  # the original stays as it was
    joblib.dump(adapted, tmp_path / "adapted.joblib")
    loaded = joblib.load(tmp_path / "adapted.joblib")
    assert loaded.n_adaptation_clips_ == 60
    np.testing.assert_array_equal(loaded.predict(new), adapted.predict(new))
    twice = adapt(adapt(fitted, new[:20]), new[20:])
    assert twice.n_adaptation_clips_ == 60
    np.testing.assert_array_equal(twice.predict(new), adapted.predict(new))


def level(waveform, sr):
    """Logarithm of the level, and how much of it lies in the differences of neighbors."""
    return [np.log(waveform.std() + 1e-9), np.log(np.diff(waveform).std() + 1e-9)]


def tones(n, gain, seed=0):
    rng, time = np.random.default_rng(seed), np.arange(4000) / 16000
    f0 = np.tile([200.0, 2000.0], n // 2) * rng.uniform(0.9, 1.1, n)
    return [(gain * np.sin(2 * np.pi * each * time)).astype(np.float32) for each in f0], np.tile(
        ["low", "high"], n // 2
    )


@pytest.mark.parametrize("form", ["copies", "segments"])
def test_copies_and_segments_are_made_as_in_training(form):
    pipeline = make_pipeline(WorldNormalizer(WaveformFeatures(level)), BoundedScaler(), LinearDiscriminantAnalysis())
    meta = {
        "copies": AugmentedClassifier(pipeline, [AddNoise(snr=30)], random_state=0),
        "segments": SegmentClassifier(pipeline, segment_duration=0.1),
    }[form]
    clips, y = tones(20, 0.5)
    quiet, z = tones(20, 0.01, seed=1)
    fitted = meta.fit(clips, y)
    adapted = adapt(fitted, quiet)
    assert (adapted.predict(quiet) == z).mean() > max(0.9, (fitted.predict(quiet) == z).mean())
    normalizer = adapted.estimator_[0]
    assert normalizer.n_adaptation_clips_ == adapted.n_adaptation_clips_ == 20  # clips, not copies or segments
    again = adapt(fitted, clips).estimator_[0]  # the training clips change nothing
    np.testing.assert_allclose(again._new.mean, normalizer.mean_, rtol=1e-6)


def test_clips_that_tell_little_are_warned_of():
    pipeline = make_pipeline(WorldNormalizer(WaveformFeatures(level)), LinearDiscriminantAnalysis())
    clips, y = tones(20, 0.5)
    fitted = pipeline.fit(clips, y)
    with pytest.warns(UserWarning, match=r"3 clip\(s\) tell little of a new world"):
        adapt(fitted, clips[:3])
    table = pd.DataFrame({"path": pd.Series(clips, dtype=object), "speaker": "Eve", "who": np.tile([1, 2], 10)})
    with pytest.warns(UserWarning, match="All 20 clips are of one speaker, 'Eve'"):
        adapt(fitted, table)
    adapt(fitted, table, speaker="who")
    adapt(fitted, table, speaker=None)
    silent = [*clips[:10], np.zeros(4000, np.float32), np.full(4000, 0.3, np.float32)]
    with pytest.warns(UserWarning, match=r"2 silent clip\(s\) are left out, the first in row 10"):
        adapted = adapt(fitted, silent)
    assert adapted.n_adaptation_clips_ == 10
    np.testing.assert_array_equal(adapted.predict_proba(clips), adapt(fitted, clips[:10]).predict_proba(clips))
    with pytest.raises(ValueError, match="All 2 clips are silent"):
        adapt(fitted, silent[10:])


def test_what_cannot_be_adapted_is_refused(corpora):
    X, y = corpora
    with pytest.raises(NotFittedError):
        adapt(make_pipeline(Columns(), StandardScaler(), LogisticRegression()), X)
    fitted = make_pipeline(Columns(), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="No step of Pipeline scales features or frames, so there is nothing to adapt"):
        adapt(fitted, X)


@pytest.mark.processes
def test_an_adapted_pipeline_serves_in_a_fresh_process(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 3))
    y = np.where(values[:, 0] > 0, "high", "low")
    adapted = adapt(
        make_pipeline(WorldNormalizer(StandardScaler()), BoundedScaler(), LogisticRegression()).fit(values, y),
        values + 9,
    )
    joblib.dump((adapted, values + 9, adapted.predict_proba(values + 9)), tmp_path / "it.joblib")
    code = (
        "import sys, joblib, numpy as np; p, X, expected = joblib.load(sys.argv[1]); "
        "np.testing.assert_array_equal(p.predict_proba(X), expected); assert p.n_adaptation_clips_ == 40"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "it.joblib")], check=True)


def encoded(n, shift, seed):
    """Clips of 600 values each, as of an encoder: some of them vary from speaker to speaker."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 600)) + shift * rng.choice([-1, 1], size=600)


def test_a_batch_from_another_world_is_told_to_adapt():
    normalizer = WorldNormalizer(StandardScaler()).fit(encoded(100, 0.0, 0))
    far = encoded(12, 1.0, 1)
    with pytest.warns(
        UserWarning, match=r"sound unlike training.*sklearn_ser.adapt\(recognizer, recordings\)"
    ) as found:
        normalizer.transform(far)
    assert len(found) == 1
    normalizer.adapted(far).transform(far)  # it knows them now
    normalizer.transform(far[:9])  # too few to tell


def test_a_batch_near_one_of_the_training_worlds_is_not():
    clips = pd.DataFrame({"path": [*encoded(60, 3.0, 0), *encoded(60, 3.0, 1)], "corpus": np.repeat(["a", "b"], 60)})
    normalizer = WorldNormalizer(Columns()).fit(clips)
    normalizer.transform(clips)
    normalizer.transform(clips["path"].tolist()[:20])  # without a name, as elsewhere
    normalizer.transform(list(encoded(20, 0.4, 3) + np.mean(clips["path"].tolist()[:60], axis=0)))  # other speakers
    with pytest.warns(UserWarning, match="sound unlike training"):
        normalizer.transform(list(encoded(20, 3.0, 2)))


def test_clips_of_mostly_one_emotion_do_not_pass_it_off_as_the_world():
    X, y, _ = world(200, 0, 0, "studio")
    pipeline = make_pipeline(WorldNormalizer(Columns()), CalibratedDiscriminant()).fit(X, y)
    new, emotions, _ = world(400, 0.5, 3, "elsewhere")
    angry = np.concatenate([np.flatnonzero(emotions == "anger")[:90], np.flatnonzero(emotions == "calm")[:10]])
    unaware, aware = pipeline[0].adapted(new.iloc[angry]), adapt(pipeline, new.iloc[angry], speaker=None)
    shift = [unaware._new.mean, aware[0]._new.mean]  # of balanced clips: 0.5
    assert (shift[0] > 1.1).all() and (np.abs(shift[1] - 0.5) < 0.3).all()
    scores = [(pipeline[1].predict(each.transform(new)) == emotions).mean() for each in (unaware, aware[0])]
    assert scores[1] > scores[0]
    balanced = new.iloc[:60]
    np.testing.assert_array_equal(adapt(pipeline, balanced)[0]._new.mean, pipeline[0].adapted(balanced)._new.mean)
