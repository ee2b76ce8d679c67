"""Each speaker by that speaker's clips."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AugmentedClassifier,
    FrameWise,
    Functionals,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    SegmentClassifier,
    SpeakerNormalizer,
    WaveformLoader,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*in fit there were several clips of a speaker")  # asserted below


class Columns(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Features, or frames, that stand in the column `path` already."""

    def fit(self, X, y=None, sample_weight=None):
        self.sample_weight_ = sample_weight
        return self

    def transform(self, X):
        return np.stack(list(X["path"]))

    def get_feature_names_out(self, input_features=None):
        return np.array(["f0", "level"], dtype=object)


def table(values, speakers, **columns):
    return pd.DataFrame({"path": list(np.asarray(values)), "speaker": list(speakers), **columns})


@pytest.fixture
def voices():
    """Features of four speakers, 5, 8, 2 and 9 clips, each with a voice of their own."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(["w", "x", "y", "z"], [5, 8, 2, 9])
    offset = {speaker: rng.normal(scale=[3, 10]) for speaker in "wxyz"}
    return table([offset[s] + rng.normal(scale=[1, 4]) for s in speakers], speakers)


@pytest.fixture
def frames():
    """Frames of three speakers with three clips each, of 2 to 6 frames."""
    rng = np.random.default_rng(1)
    values = (
        rng.normal(size=(9, 6, 2)).astype(np.float32) * [1, 20]
        + np.repeat([[0, 5], [3, 80], [-4, 0]], 3, axis=0)[:, None]
    )
    for row, length in enumerate([6, 2, 3, 6, 5, 4, 2, 6, 6]):
        values[row, length:] = np.nan
    return table(values.astype(np.float32), "aaabbbccc")


def values_of(X):
    return np.stack(list(X["path"]))


# --------------------------------------------------------------------------------------------------------- closed forms


def test_without_a_prior_each_clip_is_standardised_by_its_speaker_s_others(voices):
    normalized = SpeakerNormalizer(Columns(), prior_strength=1e-9).fit(voices).transform(voices)
    for speaker in "wxz":
        rows, values = normalized[voices["speaker"] == speaker], values_of(voices)[voices["speaker"] == speaker]
        for row, clip in enumerate(values):
            others = np.delete(values, row, axis=0)
            deviation = others.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(others))  # of a clip, from the mean of others
            np.testing.assert_allclose(rows[row], (clip - others.mean(axis=0)) / deviation, rtol=1e-6)


@pytest.mark.parametrize("strength", [0.5, 5.0, 40.0])
def test_a_clip_is_standardised_by_what_a_normal_model_expects(voices, strength):
    normalizer = SpeakerNormalizer(Columns(), prior_strength=strength).fit(voices)
    normalized, values = normalizer.transform(voices), values_of(voices)
    within, between = normalizer.clip_var_, normalizer.clip_var_ / strength
    for row, (speaker, clip) in enumerate(zip(voices["speaker"], values, strict=True)):
        others = values[(voices["speaker"] == speaker) & (np.arange(24) != row)]
        n = len(others)
        own = (((others - others.mean(axis=0)) ** 2).sum(axis=0) + strength * within) / (n - 1 + strength)
        for column in range(2):
            # Clips x = m + b + e: the distribution of another x given those is normal, by their covariance.
            covariance = between[column] * np.ones((n, n)) + within[column] * np.eye(n)
            weights = np.linalg.solve(covariance, between[column] * np.ones(n))
            mean = normalizer.mean_[column] + weights @ (others[:, column] - normalizer.mean_[column])
            variance = between[column] + within[column] - weights @ (between[column] * np.ones(n))
            expected = (clip[column] - mean) / np.sqrt(variance * own[column] / within[column])
            np.testing.assert_allclose(normalized[row, column], expected)


def test_what_is_learned_of_the_training_speakers(voices):
    normalizer, values = SpeakerNormalizer(Columns(), prior_strength=3.0).fit(voices), values_of(voices)
    parts = [values[voices["speaker"] == speaker] for speaker in "wxyz"]
    np.testing.assert_allclose(normalizer.clip_var_, sum(p.var(axis=0) * len(p) for p in parts) / (24 - 4))
    weights = [len(p) / (len(p) + 3.0) for p in parts]
    np.testing.assert_allclose(normalizer.mean_, np.average([p.mean(axis=0) for p in parts], axis=0, weights=weights))
    np.testing.assert_array_equal(normalizer.frame_var_, 0)


def test_frames_are_normalised_by_clips_of_equal_weight(frames):
    normalized = SpeakerNormalizer(Columns(), prior_strength=1e-9).fit(frames).transform(frames)
    assert normalized.shape == (9, 6, 2) and normalized.dtype == np.float32
    values = values_of(frames)
    np.testing.assert_array_equal(np.isnan(normalized), np.isnan(values))
    means, variances = np.nanmean(values, axis=1, dtype=float), np.nanvar(values, axis=1, dtype=float)
    for row in range(9):
        others = [other for other in range(9) if other // 3 == row // 3 and other != row]
        variance = means[others].var(axis=0, ddof=1) * 1.5 + variances[others].mean(axis=0)
        expected = (values[row] - means[others].mean(axis=0)) / np.sqrt(variance)
        np.testing.assert_allclose(normalized[row], expected, rtol=1e-4)


def test_features_are_frames_of_one_frame(voices):
    single = voices.assign(path=[values[np.newaxis] for values in voices["path"]])
    as_features, as_frames = (SpeakerNormalizer(Columns()).fit_transform(X) for X in (voices, single))
    np.testing.assert_allclose(as_frames[:, 0], as_features)


# --------------------------------------------------------------------------------------------------- one clip, and many


def test_a_single_clip_is_scaled_as_the_training_speakers_are(voices):
    normalizer = SpeakerNormalizer(Columns(), prior_strength=5.0).fit(voices)
    clip = table([[7.0, -3.0]], ["nobody"])
    expected = (np.array([7.0, -3.0]) - normalizer.mean_) / np.sqrt(normalizer.clip_var_ * (1 + 1 / 5))
    np.testing.assert_allclose(normalizer.transform(clip)[0], expected)
    for X in (clip.assign(speaker=[None]), clip.assign(speaker=np.nan)):
        np.testing.assert_allclose(normalizer.transform(X)[0], expected)
    two = pd.concat([clip, clip]).assign(speaker=None)  # nobody knows whether they are of one speaker
    np.testing.assert_allclose(normalizer.transform(two), [expected, expected])


def test_what_comes_out_varies_as_much_for_few_clips_as_for_many():
    rng, counts = np.random.default_rng(0), np.repeat([1, 2, 5, 40], [2000, 1000, 400, 50])
    speakers = np.repeat(np.arange(len(counts)), counts)
    voice = rng.normal(scale=[2.0, 0.7], size=(len(counts), 2))
    X = table(voice[speakers] + rng.normal(size=(len(speakers), 2)), speakers)
    normalized = SpeakerNormalizer(Columns()).fit(X).transform(X)
    for count in (1, 2, 5, 40):
        np.testing.assert_allclose(normalized[counts[speakers] == count].std(axis=0), 1, atol=0.07)


def test_the_prior_s_strength_is_learned():
    rng, speakers = np.random.default_rng(0), np.repeat(np.arange(2000), 6)
    voice = rng.normal(scale=[2.0, 0.5, 0.0], size=(2000, 3))
    X = table(voice[speakers] + rng.normal(size=(12000, 3)), speakers)
    strength = SpeakerNormalizer(Columns()).fit(X).prior_strength_
    np.testing.assert_allclose(strength, [0.25, 4.0, 20.0], rtol=0.2)
    unequal = X[rng.random(len(X)) < 0.7]
    np.testing.assert_allclose(SpeakerNormalizer(Columns()).fit(unequal).prior_strength_, [0.25, 4.0, 20.0], rtol=0.2)
    for unknown in (X.iloc[:6], X.iloc[::6]):  # one speaker, or one clip each
        np.testing.assert_array_equal(SpeakerNormalizer(Columns()).fit(unknown).prior_strength_, 5.0)


def test_the_more_clips_the_less_is_left_of_a_voice():
    rng = np.random.default_rng(0)
    train = table(rng.normal(size=(200, 2)), np.repeat(np.arange(10), 20))
    normalizer = SpeakerNormalizer(Columns(), prior_strength=5).fit(train)
    left = [abs(normalizer.transform(table(rng.normal(size=(n, 2)) + 8, ["new"] * n)).mean()) for n in (1, 5, 50, 500)]
    assert left[0] > 4 and np.all(np.diff(left) < 0) and left[-1] < 0.2


def test_a_voice_cancels(voices):
    rng = np.random.default_rng(2)
    clips, others = rng.normal(size=(60, 2)), voices
    normalizer = SpeakerNormalizer(Columns(), prior_strength=0.01).fit(others)
    low, high = (normalizer.transform(table(scale * clips + shift, ["new"] * 60)) for scale, shift in [(1, 0), (3, 50)])
    assert np.abs(low - high).max() < 0.02 and np.abs(clips - (3 * clips + 50)).max() > 50


def test_neither_order_nor_other_speakers_matter(voices):
    normalizer = SpeakerNormalizer(Columns()).fit(voices)
    normalized, order = normalizer.transform(voices), np.random.default_rng(0).permutation(24)
    np.testing.assert_allclose(normalizer.transform(voices.iloc[order]), normalized[order])
    only = (voices["speaker"] == "x").to_numpy()
    np.testing.assert_allclose(normalizer.transform(voices[only]), normalized[only])
    renamed = voices.assign(speaker=voices["speaker"].map(dict(zip("wxyz", [3, 1, 0, 2], strict=True))))
    np.testing.assert_allclose(normalizer.transform(renamed), normalized)


def test_a_share_of_the_training_clips_is_normalised_alone(voices):
    normalizer = SpeakerNormalizer(Columns())
    trained_on, transformed = normalizer.fit_transform(voices), normalizer.transform(voices)
    alone = ~np.isclose(trained_on, transformed).all(axis=1)
    single = np.concatenate([normalizer.transform(voices.iloc[[row]]) for row in range(24)])
    np.testing.assert_allclose(trained_on[alone], single[alone])
    assert [int(alone[voices["speaker"] == s].sum()) for s in "wxyz"] == [3, 5, 1, 6]
    np.testing.assert_array_equal(trained_on, SpeakerNormalizer(Columns()).fit_transform(voices))
    others = SpeakerNormalizer(Columns(), random_state=1).fit_transform(voices)
    assert not np.array_equal(others, trained_on)
    np.testing.assert_array_equal(SpeakerNormalizer(Columns(), singleton_fraction=0).fit_transform(voices), transformed)
    np.testing.assert_allclose(SpeakerNormalizer(Columns(), singleton_fraction=1).fit_transform(voices), single)


def test_constants_and_speakers_of_one_clip_are_finite(voices):
    constant = voices.assign(path=[np.array([values[0], 0.1]) for values in voices["path"]])
    normalizer = SpeakerNormalizer(Columns()).fit(constant)
    np.testing.assert_allclose(normalizer.transform(constant)[:, 1], 0, atol=1e-9)
    each = voices.assign(speaker=range(24))
    assert np.isfinite(SpeakerNormalizer(Columns()).fit_transform(each)).all()
    one = SpeakerNormalizer(Columns()).fit(voices.iloc[:1])
    np.testing.assert_allclose(one.transform(voices.iloc[:1]), 0, atol=1e-12)


def test_without_speakers_all_clips_are_scaled_alike(voices):
    values = values_of(voices)
    normalized = SpeakerNormalizer(StandardScaler(), speaker=None).fit_transform(values)
    np.testing.assert_allclose(normalized, StandardScaler().fit_transform(values))
    normalizer = SpeakerNormalizer(WaveformLoader(), speaker=None)
    with pytest.raises(ValueError, match="1D array|sequence|inhomogeneous|array element"):
        normalizer.fit([np.ones(3), np.ones(5)])


# ------------------------------------------------------------------------------------------------------------ enrolment


def test_only_enrolled_clips_are_the_reference(voices):
    marked = voices.assign(enrolment=[row % 3 == 0 for row in range(24)])
    normalizer = SpeakerNormalizer(Columns(), prior_strength=2.0).fit(marked)
    alone = SpeakerNormalizer(Columns(), prior_strength=2.0).fit(voices[marked["enrolment"]])
    np.testing.assert_allclose(normalizer.mean_, alone.mean_)
    for row in np.flatnonzero(voices["speaker"] == "z"):  # enrolled or not, by the others that are
        reference = values_of(voices)[(voices["speaker"] == "z") & marked["enrolment"] & (np.arange(24) != row)]
        n, k = len(reference), 2.0
        mean = (reference.sum(axis=0) + k * normalizer.mean_) / (n + k)
        squares = ((reference - reference.mean(axis=0)) ** 2).sum(axis=0) + k * normalizer.clip_var_
        expected = (values_of(voices)[row] - mean) / np.sqrt(squares / (n - 1 + k) * (1 + 1 / (n + k)))
        np.testing.assert_allclose(normalizer.transform(marked)[row], expected)
    np.testing.assert_array_equal(normalizer.fit_transform(marked), normalizer.transform(marked))  # none stands alone
    np.testing.assert_allclose(normalizer.transform(marked.astype({"enrolment": int})), normalizer.transform(marked))


def test_a_speaker_who_is_not_enrolled_is_the_average_speaker(voices):
    marked = voices.assign(enrolment=voices["speaker"] != "z")
    normalizer = SpeakerNormalizer(Columns()).fit(marked)
    rows = marked["speaker"] == "z"
    variance = normalizer.clip_var_ * (1 + 1 / normalizer.prior_strength_)
    expected = (values_of(voices[rows]) - normalizer.mean_) / np.sqrt(variance)
    np.testing.assert_allclose(normalizer.transform(marked[rows]), expected)


def test_clips_can_be_enrolled_later(voices):
    normalizer = SpeakerNormalizer(Columns()).fit(voices)
    marked = voices.assign(enrolment=[row % 2 == 0 for row in range(24)])
    by_half = normalizer.transform(marked)
    assert not np.allclose(by_half, normalizer.transform(voices))
    half = voices[marked["enrolment"]]
    np.testing.assert_allclose(by_half[marked["enrolment"]], normalizer.transform(half))
    normalizer.set_params(enrolment=None)
    np.testing.assert_allclose(normalizer.transform(marked), normalizer.transform(voices))


# --------------------------------------------------------------------------------------------------------------- errors


def test_what_is_wrong_is_said(voices):
    normalizer = SpeakerNormalizer(Columns()).fit(voices)
    with pytest.raises(ValueError, match=r"DataFrame with a column 'speaker'.*type list\. speaker=None takes"):
        SpeakerNormalizer(Columns()).fit(list(voices["path"]))
    for method in (normalizer.fit, normalizer.fit_transform, normalizer.transform):
        with pytest.raises(ValueError, match=r"needs a column 'speaker'.*columns \['path', 'who'\]"):
            method(voices.rename(columns={"speaker": "who"}))
    with pytest.raises(ValueError, match="'enrolment' must hold True and False only. Got 'yes'"):
        normalizer.transform(voices.assign(enrolment="yes"))
    with pytest.raises(ValueError, match="'enrolment' marks no clip"):
        normalizer.fit(voices.assign(enrolment=False))
    enrolled = SpeakerNormalizer(Columns()).fit(voices.assign(enrolment=True))
    with pytest.raises(ValueError, match="no column 'enrolment', but had it in fit"):
        enrolled.transform(voices)
    with pytest.raises(ValueError, match="What Columns makes contains NaN"):
        normalizer.fit(voices.assign(path=[np.array([np.nan, 1.0])] * 24))
    with pytest.raises(ValueError, match="prior_strength.*must be a float in the range"):
        SpeakerNormalizer(Columns(), prior_strength=0).fit(voices)
    with pytest.raises(sklearn.exceptions.NotFittedError, match="SpeakerNormalizer instance is not fitted"):
        SpeakerNormalizer(Columns()).transform(voices)


# ------------------------------------------------------------------------------------------- among scikit-learn's tools


@pytest.fixture(scope="module")
def corpus():
    """Four speakers with twelve short tones each, loud or soft on top of a level of their own."""
    rng, time, rows = np.random.default_rng(0), np.arange(1600) / 16000, []
    for speaker, f0 in zip("abcd", (100, 190, 280, 400), strict=True):
        for k in range(12):
            calm = k % 2 == 0
            tone = np.sin(2 * np.pi * f0 * (1 if calm else 1.3) * rng.uniform(0.98, 1.02) * time)
            rows.append({"path": tone.astype(np.float32), "speaker": speaker, "emotion": "calm" if calm else "fear"})
    data = pd.DataFrame(rows)
    return data[["path", "speaker"]], data["emotion"].to_numpy()


def svm(**params):
    features = HandcraftedFeatures(feature_set="bledea170", descriptors=["zcr"])
    return make_pipeline(SpeakerNormalizer(features, **params), StandardScaler(), SVC())


def test_named_scorers_cross_validate_it(corpus):
    X, y = corpus
    cv = dict(groups=X["speaker"], cv=LeaveOneGroupOut(), scoring="balanced_accuracy")
    normalized, plain = cross_val_score(svm(), X, y, **cv), cross_val_score(svm(speaker=None), X, y, **cv)
    assert normalized.mean() > 0.9 > plain.mean() + 0.1


def test_it_is_searched_three_levels_deep(corpus):
    X, y = corpus
    pipeline = Pipeline([("svm", svm())])
    inner = make_pipeline(MelSpectrogramTransformer(n_mels=8, n_fft=512, hop_length=256), FrameWise(StandardScaler()))
    pipeline.set_params(svm__speakernormalizer__transformer=make_pipeline(inner, Functionals(["mean", "std"])))
    grid = {
        "svm__speakernormalizer__transformer__functionals__functionals": [["mean"], ["mean", "std"]],
        "svm__speakernormalizer__transformer__pipeline__melspectrogramtransformer__n_mels": [8],
        "svm__speakernormalizer__speaker": [None, "speaker"],
    }
    search = GridSearchCV(pipeline, grid, cv=LeaveOneGroupOut(), scoring="balanced_accuracy", error_score="raise")
    search.fit(X, y, groups=X["speaker"])
    scores = search.cv_results_["mean_test_score"]
    assert search.best_params_["svm__speakernormalizer__speaker"] == "speaker" and scores.max() > scores.min() + 0.2


def test_augmented_copies_are_their_speaker_s(corpus):
    X, y = corpus
    classifier = AugmentedClassifier(svm(), [AddNoise(snr=30)], random_state=0)
    assert cross_val_score(classifier, X, y, groups=X["speaker"], cv=LeaveOneGroupOut()).mean() > 0.9


def test_segments_are_their_speaker_s_where_a_speaker_is_given(corpus):
    X, y = corpus
    known = (X["speaker"] != "a").to_numpy()
    pipeline = make_pipeline(svm()[0], StandardScaler(), LogisticRegression(C=10))
    classifier = SegmentClassifier(pipeline, segment_duration=0.05, hop_duration=0.05).fit(X[known], y[known])
    assert list(classifier.predict(X[~known])) == list(y[~known])
    recording = np.concatenate(list(X["path"][~known]))
    timeline = classifier.predict_timeline(pd.DataFrame({"path": [recording], "speaker": ["a"]}))
    assert list(timeline["predicted"]) == list(np.repeat(y[~known], 2))
    # Without a speaker, each segment is normalised alone: the lowest voice there is remains the lowest.
    assert set(classifier.predict_timeline(recording)["predicted"]) == {"calm"}


def test_a_memory_inside_analyses_each_clip_once(corpus, tmp_path):
    X, y = corpus
    cv = {"groups": X["speaker"], "cv": LeaveOneGroupOut(), "n_jobs": 2}
    caching = svm().set_params(speakernormalizer__transformer__memory=tmp_path)
    np.testing.assert_array_equal(cross_val_score(caching, X, y, **cv), cross_val_score(svm(), X, y, **cv))
    assert len(list(tmp_path.rglob("output.pkl"))) == len(X)


@pytest.mark.processes
def test_a_saved_pipeline_predicts_the_same_in_a_fresh_process(corpus, tmp_path):
    X, y = corpus
    pipeline = svm().fit(X, y)
    joblib.dump((pipeline, X), tmp_path / "fitted.joblib")
    script = (
        "import joblib, sys; pipeline, X = joblib.load(sys.argv[1]);"
        "print(*pipeline.predict(X)); print(pipeline.predict(list(X['path'])[:1])[0])"
    )
    run = [sys.executable, "-c", script, str(tmp_path / "fitted.joblib")]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert said[:-1] == list(pipeline.predict(X))
    assert said[-1] == pipeline.predict(X.iloc[:1])[0]  # of a list, each clip is its speaker's only one


def test_names_containers_and_shows(voices, frames, corpus):
    normalizer = SpeakerNormalizer(Columns()).set_output(transform="pandas")
    normalized = normalizer.fit_transform(voices)
    assert list(normalized.columns) == ["f0", "level"] and list(normalized.index) == list(voices.index)
    assert list(normalizer.get_feature_names_out()) == ["f0", "level"]
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(SpeakerNormalizer(Columns()).fit_transform(frames), np.ndarray)
        names = list(svm()[:-1].fit(*corpus).transform(corpus[0]).columns)
        assert names == list(svm()[0].transformer.fit(*corpus).get_feature_names_out())
    fitted = SpeakerNormalizer(Columns()).fit(frames)
    assert isinstance(fitted.set_output(transform="pandas").transform(frames), np.ndarray)
    assert isinstance(clone(fitted).set_output(transform="pandas").fit_transform(voices), pd.DataFrame)
    assert isinstance(fitted.fit(voices).set_output(transform="pandas").transform(voices), pd.DataFrame)
    assert "HandcraftedFeatures" in svm()._repr_html_() and "speaker" in repr(
        SpeakerNormalizer(Columns(), speaker=None)
    )


def test_metadata_is_routed_to_the_transformer(voices):
    weight = np.arange(24.0)
    with sklearn.config_context(enable_metadata_routing=True):
        normalizer = SpeakerNormalizer(Columns().set_fit_request(sample_weight=True))
        pipeline = make_pipeline(normalizer, StandardScaler().set_fit_request(sample_weight=False)).fit(
            voices, sample_weight=weight
        )
        np.testing.assert_array_equal(pipeline[0].transformer_.sample_weight_, weight)
        np.testing.assert_array_equal(normalizer.fit(voices, sample_weight=weight).transformer_.sample_weight_, weight)
    with pytest.raises(ValueError, match=r"\[sample_weight\] are passed but.*not enabled|sample_weight"):
        SpeakerNormalizer(Columns()).fit(voices, sample_weight=weight)


@pytest.mark.processes
def test_unknown_speakers_of_emodb_are_recognised_better_and_single_clips_no_worse(emodb):
    features = HandcraftedFeatures(feature_set="default-v2", n_jobs=2).fit_transform(emodb.data)
    X, y = emodb.data.assign(path=list(features)), np.asarray(emodb.target)
    cv = dict(groups=emodb.speaker, cv=LeaveOneGroupOut())
    normalized = make_pipeline(SpeakerNormalizer(Columns()), StandardScaler(), SVC(C=10))
    plain = make_pipeline(StandardScaler(), SVC(C=10))
    uar = {
        "plain": balanced_accuracy_score(y, cross_val_predict(plain, features, y, **cv)),
        "normalized": balanced_accuracy_score(y, cross_val_predict(normalized, X, y, **cv)),
    }
    single = []
    for draw in range(3):
        normalized.set_params(speakernormalizer__random_state=draw)
        labels = np.empty_like(y)
        for train, test in LeaveOneGroupOut().split(X, y, emodb.speaker):
            labels[test] = clone(normalized).fit(X.iloc[train], y[train]).predict(X.iloc[test].assign(speaker=None))
        single.append(balanced_accuracy_score(y, labels))
    assert uar["normalized"] > uar["plain"] + 0.05
    # As well as without, within chance: which training clips are taken for their speaker's only ones moves it by 0.005.
    assert np.mean(single) > uar["plain"] - 0.01


def clips_of(speakers, emotions):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"path": list(rng.normal(size=(len(speakers), 2))), "speaker": speakers}), emotions


@pytest.mark.parametrize("n_emotions", [1, 2])
def test_speakers_of_one_or_two_emotions_are_warned_of(n_emotions):
    speakers = np.repeat(np.arange(8), 8)
    emotions = np.array(["anger", "fear", "neutral", "sadness", "boredom"])[(speakers + np.tile([0, 1], 32)) % 5]
    X, y = clips_of(speakers, emotions if n_emotions == 2 else emotions[::2].repeat(2))
    with pytest.warns(UserWarning, match=f"Speakers have {n_emotions}.0 of 5 classes on average"):
        make_pipeline(SpeakerNormalizer(Columns()), LogisticRegression()).fit(X, y)


def test_speakers_of_all_emotions_or_of_few_clips_are_not_warned_of(corpus):
    for seed in range(20):
        for n_clips in (2, 4, 12):
            emotions = np.random.default_rng(seed).choice(["anger", "fear", "neutral"], 6 * n_clips, p=[0.1, 0.1, 0.8])
            X, y = clips_of(np.repeat(np.arange(6), n_clips), emotions)
            SpeakerNormalizer(Columns()).fit(X, y)
    X, values = clips_of(np.repeat([0, 1], 20), np.repeat([0.25, 0.75], 20))
    SpeakerNormalizer(Columns()).fit(X, values)  # no classes
    SpeakerNormalizer(Columns()).fit(X.assign(enrolment=[True, False] * 20), np.repeat(["anger", "fear"], 20))
    SpeakerNormalizer(svm()[0].transformer).fit(*corpus)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X["path"].tolist(), "X tells no speakers: it is no DataFrame with a column 'speaker', but in fit"),
        (lambda X: X.assign(speaker=None), "X tells no speakers: its column 'speaker' is empty, but in fit"),
        (lambda X: X.iloc[::10], "X has one clip of each speaker, but in fit"),
    ],
)
def test_clips_without_others_of_their_speaker_are_warned_of(change, message, recwarn):
    X, y = clips_of(np.repeat(np.arange(3), 10), np.tile(["anger", "fear"], 15))
    X["path"] = [row.astype(np.float64) for row in X["path"]]
    pipeline = make_pipeline(SpeakerNormalizer(Rows()), LogisticRegression()).fit(X, y)
    pipeline.predict(X)
    pipeline.predict(X.iloc[:2])
    assert not recwarn
    with pytest.warns(UserWarning, match=message):
        pipeline.predict(change(X))
    alone = SpeakerNormalizer(Rows(), speaker=None).fit(X["path"].tolist(), y)
    alone.transform(X["path"].tolist()[:1])
    assert not recwarn


class Rows(Columns):
    def transform(self, X):
        return np.stack(list(X["path"] if hasattr(X, "columns") else X))
