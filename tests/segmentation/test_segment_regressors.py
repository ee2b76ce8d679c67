"""Regressors of copies and of segments; timelines of values."""

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sklearn_ser import (
    AddNoise,
    AugmentedRegressor,
    SegmentRegressor,
    TimelineDisplay,
    WaveformFeatures,
)
from sklearn_ser.segmentation import ValueTimeline

SR = 16000


def moments(waveform, sr):
    return [np.std(waveform), np.mean(np.abs(np.diff(waveform))), np.mean(waveform[1:] * waveform[:-1] > 0)]


FEATURES = WaveformFeatures(moments, normalize=None)


def scaled(regressor):
    return make_pipeline(FEATURES, StandardScaler(), regressor)


@pytest.fixture(scope="module")
def tones():
    """30 tones of 0.15 to 0.3 s, of which loudness is arousal and frequency is valence."""
    rng = np.random.default_rng(0)
    y = pd.DataFrame({"arousal": rng.uniform(0.1, 0.9, 30), "valence": rng.uniform(0, 1, 30)})
    lengths = rng.integers(2400, 4800, 30)
    clips = [
        a * np.sin(2 * np.pi * (300 + 900 * v) * np.arange(n) / SR)
        for a, v, n in zip(y["arousal"], y["valence"], lengths, strict=True)
    ]
    return clips, y


def metas(pipeline):
    yield AugmentedRegressor(pipeline, [AddNoise(snr=30)], random_state=0)
    yield AugmentedRegressor(pipeline, test_time_augmenters=[AddNoise(snr=40)], random_state=0)
    yield SegmentRegressor(pipeline, 0.1)
    yield SegmentRegressor(pipeline, 0.1, pooling="median")
    yield SegmentRegressor(AugmentedRegressor(pipeline, [AddNoise(snr=30)], random_state=0), 0.1)


@pytest.mark.parametrize(
    "regressor",
    [
        Ridge(0.1),
        MultiOutputRegressor(SVR(C=10)),
        TransformedTargetRegressor(Ridge(0.1), transformer=StandardScaler()),
        GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=3),
        RidgeCV([0.1, 1]),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
@pytest.mark.processes
def test_values_of_several_dimensions_are_learned(tones, regressor):
    clips, y = tones
    for meta in metas(scaled(regressor)):
        predicted = meta.fit(clips, y).predict(clips)
        assert predicted.shape == (30, 2) and meta.score(clips, y) > 0.7
        assert meta.target_names_ == ["arousal", "valence"]
        one = meta.fit(clips, y["arousal"]) if not isinstance(regressor, MultiOutputRegressor) else None
        if one is not None:
            assert one.predict(clips).shape == (30,) and one.target_names_ == ["arousal"]


def test_values_are_pooled_over_segments_and_copies(tones):
    clips, y = tones
    for pooling, pool in (("mean", np.mean), ("median", np.median)):
        meta = SegmentRegressor(scaled(Ridge()), 0.1, pooling=pooling).fit(clips, y)
        rows, segments = meta._segments(clips)
        values = meta.estimator_.predict(segments)
        expected = [pool(values[rows == row], axis=0) for row in range(30)]
        np.testing.assert_allclose(meta.predict(clips), expected, rtol=1e-6)
    plain = AugmentedRegressor(scaled(Ridge()), random_state=0).fit(clips, y)
    np.testing.assert_allclose(plain.predict(clips), scaled(Ridge()).fit(clips, y).predict(clips))


def test_weights_of_a_clip_are_shared_out_among_its_segments(tones):
    clips, y = tones
    weight = np.random.default_rng(0).uniform(0.1, 1, 30)
    meta = SegmentRegressor(scaled(Ridge()), 0.1)
    rows, segments = meta.fit(clips, y)._segments(clips)
    given = (weight / np.bincount(rows))[rows]
    expected = scaled(Ridge()).fit(segments, y.iloc[rows], ridge__sample_weight=given)
    got = meta.fit(clips, y, sample_weight=weight)
    np.testing.assert_allclose(got.estimator_[-1].coef_, expected[-1].coef_, rtol=1e-5)


def test_names_of_values_are_those_of_y(tones):
    clips, y = tones
    meta = SegmentRegressor(scaled(Ridge()), 0.1)
    assert meta.fit(clips, y.to_numpy()).target_names_ == ["value_0", "value_1"]
    assert meta.fit(clips, y["valence"].to_numpy()).target_names_ == ["value"]
    with pytest.raises(ValueError, match=r"no value may be called so. Got \['start'\]"):
        meta.fit(clips, y["valence"].rename("start")).predict_timeline(clips[0])


def test_a_timeline_of_values_follows_a_recording_and_a_stream(tones, tmp_path):
    clips, y = tones
    meta = SegmentRegressor(scaled(Ridge(0.01)), 0.1).fit(clips, y)
    quiet, loud = (0.2 * np.sin(np.arange(8000) / 4), 0.8 * np.sin(np.arange(8000) / 4))
    recording = np.concatenate([quiet, loud])
    timeline = meta.predict_timeline(recording)
    assert isinstance(timeline, ValueTimeline) and list(timeline) == ["start", "end", "arousal", "valence"]
    assert timeline["end"].iloc[-1] == 1.0
    assert timeline["arousal"].iloc[0] < 0.4 < 0.6 < timeline["arousal"].iloc[-1]
    soundfile.write(tmp_path / "a.wav", recording, SR, subtype="FLOAT")
    pd.testing.assert_frame_equal(meta.predict_timeline(tmp_path / "a.wav"), timeline, atol=1e-5, rtol=1e-4)
    rows = ValueTimeline(meta.stream_timeline(np.array_split(recording, 11)))
    np.testing.assert_allclose(rows.to_numpy(), timeline.to_numpy(), atol=1e-5)
    assert isinstance(timeline.smoothed(0.3), ValueTimeline) and len(timeline.smoothed(0.3)) == len(timeline)
    means = timeline.resampled(0.5)
    assert means["start"].tolist() == [0.0, 0.5] and means["arousal"].is_monotonic_increasing
    with pytest.raises(ValueError, match="A timeline of values must have rows"):
        ValueTimeline({"start": [0.0], "arousal": [1.0]}).smoothed(1)


def test_a_timeline_of_values_is_drawn_as_lines_with_their_range(tones, plt):
    clips, y = tones
    meta = SegmentRegressor(scaled(Ridge(0.01)), 0.1).fit(clips, y)
    recording = np.concatenate(clips[:8])
    display = TimelineDisplay.from_estimator(meta, recording)
    timeline = meta.predict_timeline(recording)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    low, mean, high = timeline["arousal"].min(), timeline["arousal"].mean(), timeline["arousal"].max()
    assert texts[0] == f"arousal: {mean:.2f} ({low:.2f} to {high:.2f})"
    lines = display.ax_.get_lines()
    np.testing.assert_allclose(lines[0].get_ydata(), timeline["arousal"])
    smooth = TimelineDisplay.from_predictions(timeline, smooth=1.0)
    assert np.ptp(smooth.ax_.get_lines()[0].get_ydata()) < np.ptp(timeline["arousal"])
    assert "smoothed over 1 s" in smooth.ax_.get_title(loc="left")


def test_annotated_values_are_drawn_beside_those_predicted():
    timeline = ValueTimeline({"start": [0.0, 1.0], "end": [1.0, 2.0], "arousal": [0.1, 0.2], "valence": [0.0, 0.3]})
    annotation = pd.DataFrame({"start": [0.0, 0.5], "end": [0.5, 2.0], "arousal": [-1.0, 0.9]})
    display = TimelineDisplay.from_predictions(timeline, annotation=annotation)
    (drawn,) = [c for c in display.ax_.collections if c.get_label() == "arousal, annotated"]
    np.testing.assert_allclose(drawn.get_segments(), [[[0, -1], [0.5, -1]], [[0.5, 0.9], [2, 0.9]]])
    low, high = display.ax_.get_ylim()
    assert low < -1 and high > 0.9
    with pytest.raises(ValueError, match=r"annotation must be a DataFrame with the columns start, end and one of"):
        TimelineDisplay.from_predictions(timeline, annotation=annotation[["start", "arousal"]])
    classes = pd.DataFrame({"start": [0.0], "end": [1.0], "calm": [0.6], "fear": [0.4], "predicted": ["calm"]})
    with pytest.raises(ValueError, match="Got a timeline of classes"):
        TimelineDisplay.from_predictions(classes, annotation=annotation)


def test_it_is_cross_validated_and_saved(tones, tmp_path):
    clips, y = tones
    group = np.arange(30) % 5
    for meta in list(metas(scaled(Ridge(0.1))))[:3]:
        predicted = cross_val_predict(meta, clips, y.to_numpy(), groups=group, cv=GroupKFold(3))
        assert np.corrcoef(predicted[:, 0], y["arousal"])[0, 1] > 0.8
        joblib.dump(meta.fit(clips, y), tmp_path / "a.joblib")
        loaded = joblib.load(tmp_path / "a.joblib")
        np.testing.assert_array_equal(loaded.predict(clips), meta.predict(clips))


def test_strength_is_chosen_by_clips_and_early_stopping_is_refused(tones):
    clips, y = tones
    meta = AugmentedRegressor(scaled(RidgeCV([0.1, 10])), [AddNoise(snr=30)], random_state=0).fit(clips, y)
    clip = np.tile(np.arange(30), 2)
    for train, test in meta.estimator_[-1].cv.split(np.zeros((60, 1)), np.zeros(60)):
        assert not set(clip[train]) & set(clip[test])
    speaker = np.arange(30) // 6
    with config_context(enable_metadata_routing=False):
        meta.fit(clips, y, groups=speaker)
    for train, test in meta.estimator_[-1].cv.split(np.zeros((60, 1)), np.zeros(60)):
        assert not set(speaker[clip[train]]) & set(speaker[clip[test]])
    with pytest.raises(ValueError, match="MLPRegressor stops early .*copies of a clip"):
        AugmentedRegressor(scaled(MLPRegressor(early_stopping=True)), [AddNoise(snr=30)]).fit(clips, y["arousal"])


def test_a_classifier_is_refused_before_anything_is_computed():
    for meta in metas(scaled(LogisticRegression())):
        with pytest.raises(ValueError, match="takes a regressor, and Logistic.* is a classifier: use .*Classifier"):
            meta.fit(["there is no such file"], [0.5])
