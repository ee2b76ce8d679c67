"""The classifier trains on copies, and predicts clips as they are, or by copies, too."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import LABELS, GlobalGain, Recorder, harmonic, inverted, power, quieter, softened
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AudioError,
    AugmentedClassifier,
    HandcraftedFeatures,
    PitchShift,
    TimeStretch,
    WaveformLoader,
)
from sklearn_ser.audio._input import as_clips
from sklearn_ser.audio._load import load_waveform
from sklearn_ser.augmentation import augment_clips

SVM = make_pipeline(HandcraftedFeatures(feature_set="default-v2"), SVC())
SVM_WITH_VALUES = make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC(decision_function_shape="ovr"))


# ----------------------------------------------------------------------------------------------------------- classifier


class Counted(BaseEstimator):
    """An augmenter that counts its calls."""

    calls = 0

    def __call__(self, waveform, sr, random_state):
        type(self).calls += 1
        return -waveform


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


@pytest.mark.processes
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


@pytest.mark.processes
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
    augmented = AugmentedClassifier(Recorder(), [AddNoise(snr=10)]).fit(files, LABELS).estimator_.X_
    assert len(augmented) == 12 and len(pickle.dumps(augmented)) < 200 * 12


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


# ------------------------------------------------------------------------------------------- among scikit-learn's tools


@pytest.fixture(scope="module")
def voices():
    """24 noisy tones of two speakers, low and high ones."""
    rng = np.random.default_rng(0)
    y = np.tile(["calm", "fear"], 12)
    clips = [harmonic(rng.uniform(150, 200) * (1 + (label == "fear")), 0.2) for label in y]
    return clips, y, np.repeat([0, 1], 12)


@pytest.mark.processes
def test_cross_validation_goes_around_it(voices):
    clips, y, speaker = voices
    classifier = AugmentedClassifier(SVM, [AddNoise(snr=20)], random_state=0)
    assert cross_val_score(classifier, clips, y, cv=3).mean() > 0.9
    assert (
        cross_val_score(classifier, clips, y, groups=speaker, cv=GroupKFold(2), scoring="balanced_accuracy").min() > 0.9
    )
    params = {"sample_weight": np.ones(24)}
    assert cross_validate(classifier, clips, y, params=params, cv=2)["test_score"].min() > 0.9


@pytest.mark.processes
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


# ----------------------------------------------------------------------------------------------- test-time augmentation


class Level(ClassifierMixin, BaseEstimator):
    """Says how loud clips are: by probabilities, decision values or classes alone."""

    def __init__(self, says=("predict_proba",)):
        self.says = says

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def __getattr__(self, name):
        if name in ("predict_proba", "decision_function") and name in vars(self).get("says", ()):
            return getattr(self, f"_{name}")
        raise AttributeError(name)

    def _predict_proba(self, X, bonus=None):
        loud = np.array([np.abs(load_waveform(clip)).max() for clip in as_clips(X)])
        loud = loud + (0 if bonus is None else np.asarray(bonus))
        return np.column_stack([1 - loud, loud])

    def _decision_function(self, X):
        return self._predict_proba(X)[:, 1] - 0.5

    def predict(self, X):
        return self.classes_[self._predict_proba(X).argmax(axis=1)]


def test_probabilities_are_means_over_a_clip_and_its_copies(files):
    clips = [np.full(n, level, np.float32) for n, level in zip((9, 5, 7), (0.8, 0.4, 0.9), strict=True)]
    y = ["calm", "calm", "fear"]
    for says, decided in (
        (("predict_proba", "decision_function"), ["fear", "calm", "fear"]),  # 0.5333, 0.2667 and 0.6
        (("decision_function",), ["fear", "calm", "fear"]),
        ((), ["calm", "calm", "calm"]),  # two of three are below a half
    ):
        classifier = AugmentedClassifier(Level(says), test_time_augmenters=[quieter, quieter])
        classifier.fit(clips, y)
        assert classifier.predict(clips).tolist() == decided
        assert [hasattr(classifier, name) for name in ("predict_proba", "decision_function")] == [
            name in says for name in ("predict_proba", "decision_function")
        ]
        expected = np.array([0.8, 0.4, 0.9]) * 2 / 3
        if "predict_proba" in says:
            np.testing.assert_allclose(classifier.predict_proba(clips)[:, 1], expected, rtol=1e-6)
            np.testing.assert_allclose(classifier.predict_proba(clips, bonus=[0.1, 0.0, 0.0])[0, 1], expected[0] + 0.1)
        if "decision_function" in says:
            np.testing.assert_allclose(classifier.decision_function(clips), expected - 0.5, rtol=1e-6)


def test_copies_to_predict_by_are_the_same_each_time_and_beside_any_clips(files, tmp_path):
    noise = AddNoise(snr=(0, 10), p=0.7)  # so that some clips have fewer copies
    copies = [noise, GlobalGain()]
    classifier = AugmentedClassifier(SVM_WITH_VALUES, [noise], test_time_augmenters=copies, random_state=0)
    X = pd.DataFrame({"path": files, "speaker": range(6)})
    values = classifier.fit(X, LABELS).decision_function(X)
    plain = clone(classifier).set_params(test_time_augmenters=()).fit(X, LABELS)
    assert np.abs(values - plain.decision_function(X)).max() > 1e-3
    assert classifier.estimator_[-1].shape_fit_ == plain.estimator_[-1].shape_fit_  # training made none of them
    joblib.dump(classifier, tmp_path / "fitted.joblib")
    for fitted in (classifier, joblib.load(tmp_path / "fitted.joblib")):
        np.testing.assert_array_equal(fitted.decision_function(X), values)
        np.testing.assert_allclose(fitted.decision_function(X.iloc[[4, 4, 1]]), values[[4, 4, 1]], rtol=1e-6)


def test_a_memory_knows_the_copies_of_training(files, tmp_path):
    shift = PitchShift(1)
    pipeline = make_pipeline(HandcraftedFeatures(feature_set="bledea170", memory=tmp_path), SVC())
    classifier = AugmentedClassifier(pipeline, [shift], test_time_augmenters=[shift], random_state=0)

    def kept():
        return sum(1 for _ in tmp_path.rglob("output*"))

    classifier.fit(files, LABELS)
    classifier.estimator_[0].set_params(memory=tmp_path)
    assert kept() == 12
    classifier.predict(files)
    assert kept() == 12
    classifier.set_params(test_time_augmenters=[PitchShift(2)]).predict(files)
    assert kept() == 18


@pytest.mark.parametrize("augmenters", [[AddNoise], [AddNoise(snr=20), "noise"]])
def test_test_time_augmenters_are_checked_before_training(tones, augmenters):
    with pytest.raises(TypeError, match="An augmenter must be a callable"):
        AugmentedClassifier(Recorder(), test_time_augmenters=augmenters).fit(tones, LABELS)
