"""Pooling and statistics of frames are what they say of each clip alone, whatever stands beside it."""

import numpy as np
import pytest
from helpers import TRAINING

from sklearn_ser import NetworkClassifier
from sklearn_ser.neural import networks


@pytest.mark.parametrize("n_heads", [1, 3])
def test_attention_pooling_is_a_mean_and_a_deviation_for_each_head(n_heads):
    import keras

    steps, mask = keras.Input((7, 5)), keras.Input((7,), dtype="bool")
    pooled = networks.attention_pooling(steps, mask, units=4, n_heads=n_heads, std=True)
    model = keras.Model([steps, mask], pooled)
    weights = keras.Model([steps, mask], model.get_layer("attention").output)
    X = np.random.default_rng(0).normal(size=(3, 7, 5)).astype(np.float32)
    real = np.arange(7) < np.array([7, 4, 1])[:, None]
    given = keras.ops.convert_to_numpy(weights([X, real])).reshape(3, n_heads, 7)
    np.testing.assert_allclose(given.sum(axis=2), 1, rtol=1e-5)
    assert not given[np.broadcast_to(~real[:, None], given.shape)].any()
    assert n_heads == 1 or np.ptp(given[0], axis=0).min() > 1e-4  # each looks elsewhere
    mean = np.einsum("nht,ntf->nhf", given, X)
    variance = np.einsum("nht,nhtf->nhf", given, (X[:, None] - mean[:, :, None]) ** 2)
    expected = np.concatenate([mean.reshape(3, -1), np.sqrt(np.maximum(variance, 1e-6)).reshape(3, -1)], axis=1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model([X, real])), expected, atol=1e-5)
    scores = model.get_layer("attention_scores").get_weights()[0]
    assert scores.shape == (4, n_heads)


def _statistics(x, n_correlated, n_scales, n_parts):
    """What `statistics_pooling` says of one clip, written for one clip; NaN where it is too short for a window."""

    def log_std(variance):
        return 0.5 * np.log(variance + 1e-4)

    told = [x.mean(axis=0), log_std(x.var(axis=0))]
    for size in 2 ** np.arange(n_scales):
        hop = max(size // 2, 1)
        starts = np.arange(0, len(x) - 2 * size + 1, hop)
        changes = [x[at + size : at + 2 * size].mean(axis=0) - x[at : at + size].mean(axis=0) for at in starts]
        told.append(log_std(np.mean(np.square(changes), axis=0)) if changes else np.full(x.shape[1], np.nan))
    told.append(np.corrcoef(x[:, :n_correlated].T)[np.triu_indices(n_correlated, 1)])
    part = (np.arange(len(x)) + 0.5) / len(x) * n_parts // 1
    told += [x[part == index].mean(axis=0) - x.mean(axis=0) for index in range(n_parts)]
    return np.concatenate(told)


def test_statistics_pooling_is_what_it_says_of_each_clip_alone():
    import keras

    steps, mask = keras.Input((None, 5)), keras.Input((None,), dtype="bool")
    pooled = networks.statistics_pooling(steps, mask, n_correlated=4, n_scales=5, n_parts=3)
    model = keras.Model([steps, mask], pooled)
    lengths = [90, 64, 41, 7]
    X = np.random.default_rng(0).normal(size=(4, 90, 5)).cumsum(axis=1).astype(np.float32) / 5
    real = np.arange(90) < np.array(lengths)[:, None]
    given = keras.ops.convert_to_numpy(model([X * real[:, :, None], real]))
    for clip, length, row in zip(X, lengths, given, strict=True):
        expected = _statistics(clip[:length].astype(float), 4, 5, 3)
        known = np.isfinite(expected)
        assert known.all() or length == 7
        np.testing.assert_allclose(row[known], expected[known], atol=2e-3)
    one = keras.ops.convert_to_numpy(model([X[:, :1], real[:, :1]]))
    assert np.isfinite(one).all()
    np.testing.assert_allclose(one[:, :5], X[:, 0], atol=1e-6)
    assert not one[:, 5:-15].any()  # a single step neither spreads nor moves


def test_masked_quantiles_are_numpys_of_the_real_steps():
    import keras

    lengths, quantiles = [11, 8, 2, 1, 0], [0.05, 0.5, 0.97, 1.0]
    X = np.random.default_rng(0).normal(size=(5, 11, 3)).astype(np.float32)
    real = np.arange(11) < np.array(lengths)[:, None]
    given = keras.ops.convert_to_numpy(
        networks.masked_quantiles(*map(keras.ops.convert_to_tensor, (X, real)), quantiles)
    )
    for clip, length, values in zip(X, lengths, given, strict=True):
        expected = np.quantile(clip[:length], quantiles, axis=0) if length else np.zeros((4, 3))
        np.testing.assert_allclose(values, expected, atol=1e-6)


def test_levels_and_rhythm_of_the_statistics_network_are_what_it_says_of_each_clip_alone():
    import keras

    frames, mask = keras.Input((None, 9)), keras.Input((None,), dtype="bool")
    model = keras.Model([frames, mask], networks.statistics_network(frames, mask, 2, n_levels=4, trim=False))
    statistics = keras.Model(model.input, model.get_layer("standardise").input)
    lengths = [300, 64, 5, 1]
    X = np.random.default_rng(0).normal(size=(4, 300, 9)).cumsum(axis=1).astype(np.float32) / 5
    real = np.arange(300) < np.array(lengths)[:, None]
    given = keras.ops.convert_to_numpy(statistics([X * real[:, :, None], real]))
    for clip, length, row in zip(X.astype(float), lengths, given, strict=True):
        levels = clip[:length, :8].reshape(length, 4, 2).mean(axis=2)  # the ninth feature is left over
        changes = levels[3:] - levels[:-3] if length > 3 else np.zeros((1, 4))
        level = clip[:length].mean(axis=1)
        above = np.maximum(level - np.median(level), 0)
        power = np.abs(np.fft.fft(above - above.mean(), 512)) ** 2 / length**2
        expected = [
            np.quantile(levels, [0.5, 0.7, 0.8, 0.9, 0.97], axis=0).ravel(),
            np.quantile(changes, [0.05, 0.2, 0.8, 0.95], axis=0).ravel(),
            np.log(power[2:66].reshape(16, 4).mean(axis=1) + 1e-8) / 2 if length > 1 else np.zeros(16),
        ]
        np.testing.assert_allclose(row[-52:], np.concatenate(expected), atol=2e-3)
    without = networks.statistics_network(frames, mask, 2, n_levels=0, rhythm=False)
    assert keras.Model([frames, mask], without).get_layer("standardise").input.shape[1] == given.shape[1] - 52


def test_silence_around_the_speech_is_trimmed():
    import keras

    frames, mask = keras.Input((None, 6)), keras.Input((None,), dtype="bool")
    model = keras.Model([frames, mask], networks.statistics_network(frames, mask, 3, trim=True))
    speech = np.random.default_rng(0).normal(size=(2, 50, 6)).astype(np.float32) + [[[0.0]], [[5.0]]]
    speech[:, [0, -1]] += 3  # begins and ends loud
    silent = np.pad(speech, [(0, 0), (20, 35), (0, 0)], constant_values=-4)
    silent[:, 90:] = 0  # of the padding
    real = np.tile(np.arange(105) < 90, (2, 1))
    expected = keras.ops.convert_to_numpy(model([speech, real[:, :50]]))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model([silent, real])), expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3  # which tell clips apart
    nothing = keras.ops.convert_to_numpy(model([0 * speech, np.zeros((2, 50), bool)]))
    assert np.isfinite(nothing).all()


def test_the_projection_of_the_statistics_network_begins_as_a_cosine_transform(frames):
    from scipy.fft import dct

    X, y = frames
    for trainable in (False, True):
        params = dict(n_coefficients=2, trainable_projection=trainable)
        classifier = NetworkClassifier(networks.statistics_network, network_params=params, **TRAINING).fit(X, y)
        weights = classifier.model_.get_layer("projection").get_weights()[0]
        difference = np.abs(weights - dct(np.eye(3), norm="ortho", axis=1)[:, :2]).max()
        assert difference > 1e-3 if trainable else difference < 1e-6
