"""Scaling by a reference class."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import Functionals, LowLevelDescriptors, ReferenceScaler

Y = np.array(["neutral", "anger", "neutral", "fear", "anger"])


@pytest.fixture
def frames():
    X = np.random.default_rng(0).normal(size=(5, 7, 3)) * [1, 5, 0.1] + [0, 3, -200]
    for row, length in enumerate([7, 3, 5, 1, 7]):
        X[row, length:] = np.nan
    return X.astype(np.float32)


def test_the_reference_rows_are_standard_afterwards(frames):
    scaled = ReferenceScaler().fit(frames, Y).transform(frames)
    assert scaled.shape == frames.shape and scaled.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(frames))
    neutral = scaled[Y == "neutral"]
    neutral = neutral[~np.isnan(neutral[:, :, 0])]
    np.testing.assert_allclose(neutral.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(neutral.std(axis=0), 1, atol=1e-3)
    assert np.abs(np.nanmean(scaled[Y != "neutral"], axis=(0, 1))).max() > 0.05


def test_each_frame_weighs_the_same(frames):
    scaler = ReferenceScaler().fit(frames, Y)
    values = np.concatenate([frames[0], frames[2, :5]]).astype(float)
    np.testing.assert_allclose(scaler.mean_, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scaler.scale_, values.std(axis=0), rtol=1e-4)


def test_features_are_scaled_by_the_reference_rows(frames):
    X = frames[:, 0].astype(float)
    expected = StandardScaler().fit(X[Y == "neutral"]).transform(X)
    np.testing.assert_allclose(ReferenceScaler().fit(X, Y).transform(X), expected)


def test_no_reference_takes_all_rows(frames):
    X = frames[:, 0]
    scaled = ReferenceScaler(reference=None).fit_transform(X)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(X.astype(float)), rtol=1e-4, atol=1e-5)


def test_other_rows_do_not_matter(frames):
    other = np.where((Y == "neutral")[:, np.newaxis, np.newaxis], frames, 2 * frames + 1)
    ours, theirs = (ReferenceScaler().fit(X, Y) for X in (frames, other))
    np.testing.assert_array_equal(ours.mean_, theirs.mean_)
    np.testing.assert_array_equal(ours.scale_, theirs.scale_)


def test_neither_padding_nor_order_matter(frames):
    reference = ReferenceScaler().fit(frames, Y)
    padded = ReferenceScaler().fit(np.concatenate([frames, np.full((5, 4, 3), np.nan)], axis=1), Y)
    np.testing.assert_allclose(padded.mean_, reference.mean_, rtol=1e-6)
    turned = ReferenceScaler().fit(frames[::-1], Y[::-1])
    np.testing.assert_allclose(turned.transform(frames), reference.transform(frames), rtol=1e-4, atol=1e-4)


def test_a_constant_is_only_centred(frames):
    frames[:, :, 1] = np.where(np.isnan(frames[:, :, 1]), np.nan, 0.1)
    scaler = ReferenceScaler().fit(frames, Y)
    assert scaler.scale_[1] == 1
    np.testing.assert_allclose(scaler.transform(frames)[0, :, 1], 0, atol=1e-6)


@pytest.mark.parametrize(
    "labels, reference",
    [([0, 1, 0, 2, 1], 0), (list(Y), "anger"), (Y.astype(object), "fear"), ([True, False] * 2 + [True], True)],
    ids=["integers", "list", "objects", "booleans"],
)
def test_labels_may_be_anything(labels, reference, frames):
    rows = [label == reference for label in labels]
    values = frames[rows][~np.isnan(frames[rows][:, :, 0])]
    scaler = ReferenceScaler(reference).fit(frames, labels)
    np.testing.assert_allclose(scaler.mean_, values.astype(float).mean(axis=0), rtol=1e-6)


def test_a_missing_reference_is_named_with_the_labels_there_are(frames):
    with pytest.raises(ValueError, match=r"No row has the label 'neutral'.*labels are \['anger', 'fear'\]"):
        ReferenceScaler().fit(frames[1:2].repeat(2, axis=0), ["anger", "fear"])
    with pytest.raises(ValueError, match=r"No row has the label 'neutral'.*labels are \[0, 1\]"):
        ReferenceScaler().fit(frames[:2], [0, 1])
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None.*reference=None"):
        ReferenceScaler().fit(frames)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ReferenceScaler().fit(frames, Y[:4])
    with pytest.raises(ValueError, match="X has 2 features, but ReferenceScaler is expecting 3"):
        ReferenceScaler().fit(frames, Y).transform(frames[:, :, :2])


@pytest.mark.filterwarnings("ignore:Row . is cropped")  # the tones of a fold are longer than those of the other
def test_scaling_is_searched_through(tones):
    y = ["neutral", "anger"] * 3
    pipeline = make_pipeline(
        LowLevelDescriptors(descriptors=["f0", "zcr"]), ReferenceScaler(), Functionals(["mean"]), SVC()
    )
    search = GridSearchCV(pipeline, {"referencescaler__reference": ["neutral", "anger", None]}, cv=3).fit(tones, y)
    assert pickle.loads(pickle.dumps(search)).predict(tones).shape == (6,)
    best = clone(search.best_estimator_).fit(tones, y)
    assert list(best[:-1].get_feature_names_out()) == ["f0_mean", "zcr_mean"]
