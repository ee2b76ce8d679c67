"""Sparse auto-encoder features: the loss, what is learned, the convolution; and how the kernels are drawn."""

import pickle
import random
import sys

import librosa
import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    FlattenFrames,
    FrameWise,
    KernelDisplay,
    MelSpectrogramTransformer,
    SparseAutoencoderFeatures,
)
from sklearn_ser.features._autoencoder import _loss

SMALL = dict(n_kernels=4, max_iter=20, random_state=0)


@pytest.fixture
def frames():
    """Six clips of 1 to 31 frames of 5 values."""
    frames = np.random.default_rng(0).normal(size=(6, 31, 5)).astype(np.float32)
    for row, length in enumerate([31, 17, 1, 2, 9, 12]):
        frames[row, length:] = np.nan
    return frames


def standard_patches(n_patches=60, n_inputs=7):
    patches = np.random.default_rng(0).normal(size=(n_patches, n_inputs))
    patches -= patches.mean(axis=0)
    return patches / np.sqrt(np.mean(patches**2))


# ------------------------------------------------------------------------------------------------------------- the loss


@pytest.mark.parametrize("sparsity, sparsity_weight, weight_decay", [(0.1, 0.3, 0.01), (0.5, 0, 1e-4), (0.02, 10, 1)])
@pytest.mark.parametrize("scale", [0.01, 1])
def test_gradient_is_the_losses(sparsity, sparsity_weight, weight_decay, scale):
    args = standard_patches(), 4, sparsity, sparsity_weight, weight_decay
    encoder = np.random.default_rng(1).normal(scale=scale, size=4 * 7 + 4)
    assert check_grad(lambda e: _loss(e, *args)[0], lambda e: _loss(e, *args)[1], encoder) < 1e-5


def test_loss_is_error_divergence_and_decay_at_the_best_decoder():
    """Written out, with the decoder from scikit-learn's ridge regression."""
    from sklearn.linear_model import Ridge

    patches, encoder = standard_patches(), np.random.default_rng(1).normal(size=4 * 7 + 4)
    kernels, biases = encoder[:28].reshape(4, 7), encoder[28:]
    hidden = expit(patches @ kernels.T + biases)
    decoder = Ridge(alpha=0.01 * len(patches)).fit(hidden, patches)
    mean = hidden.mean(axis=0)
    divergence = 0.1 * np.log(0.1 / mean) + 0.9 * np.log(0.9 / (1 - mean))
    expected = (
        np.mean((patches - decoder.predict(hidden)) ** 2)
        + 0.3 * divergence.mean()
        + 0.01 * (np.sum(kernels**2) + np.sum(decoder.coef_**2)) / 7
    )
    assert _loss(encoder, patches, 4, 0.1, 0.3, 0.01)[0] == pytest.approx(expected)


# ------------------------------------------------------------------------------------------------------ what is learned


@pytest.mark.parametrize("sparsity", [0.02, 0.1, 0.3])
def test_mean_activation_approaches_sparsity(sparsity, frames):
    """The nearer, the larger the weight; and near, if it is large."""

    def deviation(weight):
        features = SparseAutoencoderFeatures((1, 3), 4, sparsity=sparsity, sparsity_weight=weight, random_state=0)
        return np.abs(np.array(features.fit(frames).mean_activations_) / sparsity - 1).max()

    deviations = [deviation(weight) for weight in (0.1, 1.0, 10.0, 100.0, 1000.0)]
    assert deviations == sorted(deviations, reverse=True)
    assert deviations[-1] < 0.03


def test_mean_activations_are_those_of_the_transformed_clips(frames):
    """If all places of all clips are trained on; the ends, where frames are repeated, included."""
    features = SparseAutoencoderFeatures(pool_size=1, train_fraction=1.0, **SMALL)
    mean = np.nanmean(features.fit_transform(frames), axis=(0, 1))
    np.testing.assert_allclose(mean, np.concatenate(features.mean_activations_), rtol=1e-4)


def test_kernels_are_the_patterns_that_frames_are_made_of():
    rng = np.random.default_rng(0)
    patterns = np.linalg.qr(rng.normal(size=(12, 12)))[0][:4]
    active = rng.uniform(size=(20, 100, 4)) < 0.1
    frames = active @ patterns + 0.02 * rng.normal(size=(20, 100, 12))
    features = SparseAutoencoderFeatures((1,), 4, sparsity=0.1, train_fraction=1.0, random_state=0).fit(frames)
    kernels = features.kernels_[0][:, 0]
    likeness = kernels / np.linalg.norm(kernels, axis=1, keepdims=True) @ patterns.T
    np.testing.assert_array_equal(np.sort(likeness.argmax(axis=1)), np.arange(4))
    assert likeness.max(axis=1).min() > 0.95


def test_offset_and_scale_of_the_input_do_not_matter(frames):
    features = SparseAutoencoderFeatures(**SMALL)
    reference = features.fit_transform(frames)
    np.testing.assert_allclose(features.fit_transform(30 * frames.astype(np.float64) - 50), reference, atol=2e-2)


def test_patches_come_from_a_share_of_the_clips(frames):
    """Of one clip, drawn at random, here: the others may be anything."""
    features = SparseAutoencoderFeatures(train_fraction=0.1, **SMALL)
    kernels = features.fit(frames).kernels_
    same = []
    for row in range(6):
        changed = frames.copy()
        changed[row] *= 2
        changed[row, :, 0] += np.arange(31)
        same.append(all(map(np.array_equal, features.fit(changed).kernels_, kernels)))
    assert sum(same) == 5


def test_same_random_state_same_kernels_and_the_global_one_untouched(frames):
    before = random.getstate(), np.random.get_state()[1].copy()
    one, two, other = (
        SparseAutoencoderFeatures(n_kernels=3, max_iter=5, random_state=seed).fit(frames).kernels_ for seed in (0, 0, 1)
    )
    for a, b, c in zip(one, two, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_clips_without_any_variance_are_learned_without_warning(value):
    assert np.isfinite(SparseAutoencoderFeatures(**SMALL).fit_transform(np.full((3, 20, 2), value))).all()


# ------------------------------------------------------------------------------------------------------ the convolution


@pytest.mark.parametrize("pool_size", [1, 4, 40])
def test_values_are_means_over_windows_of_the_sigmoid_of_the_convolution(pool_size, frames):
    """Against sums written out, frame by frame, on clips shorter and longer than kernels and windows."""
    features = SparseAutoencoderFeatures((1, 3, 6), 2, pool_size=pool_size, max_iter=20, random_state=0).fit(frames)
    expected = np.full((6, -(-31 // pool_size), 6), np.nan)
    for row, clip in enumerate(frames):
        clip = clip[~np.isnan(clip[:, 0])].astype(np.float64)
        maps = np.zeros((len(clip), 6))
        for size, (kernels, biases) in enumerate(zip(features.kernels_, features.biases_, strict=True)):
            before = (kernels.shape[1] - 1) // 2
            for t in range(len(clip)):
                for number in range(2):
                    z = biases[number]
                    for i, weights in enumerate(kernels[number]):
                        z += clip[min(max(t + i - before, 0), len(clip) - 1)] @ weights
                    maps[t, 2 * size + number] = 1 / (1 + np.exp(-z))
        for step, start in enumerate(range(0, len(clip), pool_size)):
            expected[row, step] = maps[start : start + pool_size].mean(axis=0)
    np.testing.assert_allclose(features.transform(frames), expected, atol=1e-5)


def test_result_does_not_depend_on_padding(frames):
    padded = np.concatenate([frames, np.full((6, 14, 5), np.nan, np.float32)], axis=1)
    features = SparseAutoencoderFeatures(pool_size=4, **SMALL).fit(frames)
    reference = features.transform(frames)
    later = features.transform(padded)
    np.testing.assert_array_equal(later[:, :8], reference)
    assert later.shape == (6, 12, 12) and np.isnan(later[:, 8:]).all()
    for kernels, again in zip(features.kernels_, clone(features).fit(padded).kernels_, strict=True):
        np.testing.assert_array_equal(kernels, again)


def test_each_clip_comes_out_as_if_alone(frames):
    features = SparseAutoencoderFeatures(**SMALL).fit(frames)
    reference = features.transform(frames)
    np.testing.assert_array_equal(features.transform(frames[::-1]), reference[::-1])
    for row in range(6):
        np.testing.assert_array_equal(features.transform(frames[row : row + 1])[0], reference[row])


def test_clips_shorter_than_every_kernel_are_learned_from(frames):
    """The first frames only; one frame repeated is the same as that frame for features."""
    short = frames[:, :2]
    assert np.isfinite(SparseAutoencoderFeatures(**SMALL).fit_transform(short)).all()
    single = SparseAutoencoderFeatures(**SMALL).fit(frames[:, :1])
    np.testing.assert_array_equal(single.transform(frames[:, 0]), single.transform(frames[:, :1])[:, 0])


def test_names_are_kernel_length_and_number(frames):
    features = SparseAutoencoderFeatures((3, 10), 2, max_iter=1).fit(frames)
    assert list(features.get_feature_names_out()) == ["kernel_3_0", "kernel_3_1", "kernel_10_0", "kernel_10_1"]


def test_it_pickles_and_is_searched_through_in_a_pipeline(frames):
    features = SparseAutoencoderFeatures(**SMALL)
    pipeline = make_pipeline(FrameWise(PCA(3)), features, FrameWise(), FlattenFrames(), LogisticRegression())
    grid = {
        "sparseautoencoderfeatures__kernel_lengths": [(2,), (1, 3)],
        "framewise-1__transformer__n_components": [2, 3],
    }
    y = [0, 1, 0, 1, 0, 1]
    best = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(frames, y).best_estimator_
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(best)).predict_proba(frames), best.predict_proba(frames))


@pytest.mark.parametrize("kernel_lengths", [(), (3, 3), (0, 3), (2.5,), ("3",)])
def test_kernel_lengths_are_different_positive_integers(kernel_lengths, frames):
    with pytest.raises(ValueError, match="kernel_lengths must be different positive integers.*Got kernel_lengths="):
        SparseAutoencoderFeatures(kernel_lengths).fit(frames)


@pytest.mark.parametrize(
    "params",
    [dict(sparsity=1.0), dict(weight_decay=0), dict(train_fraction=0), dict(pool_size=0), dict(n_kernels=2.5)],
    ids=str,
)
def test_wrong_parameters_are_named(params, frames):
    with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
        SparseAutoencoderFeatures(**params).fit(frames)


def test_other_frames_are_refused(frames):
    features = SparseAutoencoderFeatures(**SMALL).fit(frames)
    with pytest.raises(ValueError, match="X has 4 features, but SparseAutoencoderFeatures is expecting 5"):
        features.transform(frames[:, :, :4])
    with pytest.raises(ValueError, match="Row 1 has no frames"):
        features.transform(np.where(np.arange(6)[:, None, None] == 1, np.nan, frames))


def test_progress_is_shown_if_wanted(frames, capsys):
    SparseAutoencoderFeatures(**SMALL, verbose=1).fit(frames)
    assert "60/60" in capsys.readouterr().err
    SparseAutoencoderFeatures(**SMALL).fit(frames)
    assert not capsys.readouterr().err


def test_no_kernel_of_real_speech_is_idle(emodb):
    from sklearn_ser import MelSpectrogramTransformer

    paths = list(emodb.data["path"][::20])
    mel = MelSpectrogramTransformer(n_mels=40, n_fft=512, win_length=320, hop_length=160).fit_transform(paths)
    frames = FrameWise(PCA(20, random_state=0)).fit_transform(FrameWise().fit_transform(mel))
    features = SparseAutoencoderFeatures(n_kernels=20, max_iter=30, n_patches=2000, random_state=0)
    maps = features.fit_transform(frames)
    assert maps.shape == (len(paths), -(-frames.shape[1] // 10), 60)
    assert np.nanstd(maps, axis=(0, 1)).min() > 0.02


# ---------------------------------------------------------------------------------------------------------- the display


def test_each_kernel_is_an_image_with_time_to_the_right(frames, plt):
    features = SparseAutoencoderFeatures((2, 3), 4, max_iter=5).fit(frames)
    display = KernelDisplay.from_estimator(features, max_kernels=3)
    assert display.figure_ is display.ax_.figure
    assert len(display.ax_.images) == 6
    first = features.kernels_[0][0]
    np.testing.assert_allclose(display.ax_.images[0].get_array(), first.T / np.abs(first).max(), rtol=1e-6)
    assert display.ax_.images[0].get_clim() == (-1, 1)  # centred on zero
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["0", "2 frames", "4", "0", "3 frames", "4"]


def test_kernels_are_found_in_a_pipeline(frames, plt):
    pipeline = make_pipeline(SparseAutoencoderFeatures(**SMALL), FlattenFrames()).fit(frames)
    display = KernelDisplay.from_estimator(pipeline)
    assert len(display.kernels) == len(pipeline[0].kernels_)
    np.testing.assert_array_equal(display.kernels[0], pipeline[0].kernels_[0][:20])
    with pytest.raises(ValueError, match=r"SparseAutoencoderFeatures.*Got a Pipeline of the steps \['flattenframes'\]"):
        KernelDisplay.from_estimator(make_pipeline(FlattenFrames()).fit(frames))


def test_display_draws_into_given_axes(frames, plt):
    _, axes = plt.subplots(2)
    display = KernelDisplay.from_estimator(SparseAutoencoderFeatures(**SMALL).fit(frames), ax=axes[1])
    assert display.ax_ is axes[1] and not axes[0].images


@pytest.mark.parametrize("whiten", [False, True])
def test_kernels_on_components_are_drawn_over_the_spectrum(whiten, frames, plt):
    pca = FrameWise(PCA(2, whiten=whiten)).fit(frames)
    features = SparseAutoencoderFeatures(**SMALL).fit(pca.transform(frames))
    names = [f"mel_{i}" for i in range(5)]
    display = KernelDisplay.from_estimator(features, components=pca.transformer_, feature_names=names)
    scale = np.sqrt(pca.transformer_.explained_variance_) if whiten else np.ones(2)
    spectra = features.kernels_[1] * scale @ pca.transformer_.components_
    np.testing.assert_allclose(display.kernels[1], spectra, atol=1e-5)
    by_array = KernelDisplay.from_estimator(features, components=scale[:, None] * pca.transformer_.components_)
    np.testing.assert_allclose(by_array.kernels[1], spectra, atol=1e-5)
    assert display.ax_.get_yticklabels()[2].get_text() == "mel_4"


def test_kernels_over_mel_bands_have_an_axis_in_hertz(tones, plt):
    mel = MelSpectrogramTransformer(n_mels=5, fmin=100, fmax=4000)
    pipeline = make_pipeline(mel, SparseAutoencoderFeatures(**SMALL)).fit(tones)
    display = KernelDisplay.from_estimator(pipeline)
    centres = librosa.mel_frequencies(7, fmin=100, fmax=4000)[1:-1]
    np.testing.assert_allclose(display.frequencies, centres)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[0] == f"{centres[0]:.0f} Hz" and labels[2] == f"{centres[-1]:.0f} Hz"
    named = KernelDisplay.from_estimator(pipeline, feature_names=list("abcde"))
    assert named.ax_.get_yticklabels()[0].get_text() == "a"
    components = make_pipeline(mel, FrameWise(PCA(2)), SparseAutoencoderFeatures(**SMALL)).fit(tones)
    assert KernelDisplay.from_estimator(components).frequencies is None  # they are no bands
    spectra = KernelDisplay.from_estimator(components, components=components[1].transformer_)
    np.testing.assert_allclose(spectra.frequencies, centres)


def test_wrong_components_and_names_are_refused(frames, plt):
    features = SparseAutoencoderFeatures(**SMALL).fit(frames)
    with pytest.raises(ValueError, match=r"components must be.*the kernels' 5 values. Got an array of shape \(3, 8\)"):
        KernelDisplay.from_estimator(features, components=np.ones((3, 8)))
    with pytest.raises(ValueError, match="feature_names must name the 5 values that are drawn. Got 2 names"):
        KernelDisplay.from_estimator(features, feature_names=["a", "b"])


def test_without_matplotlib_the_display_says_what_to_install(frames, monkeypatch):
    features = SparseAutoencoderFeatures(**SMALL).fit(frames)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="KernelDisplay.from_estimator requires matplotlib"):
        KernelDisplay.from_estimator(features)
