"""Statistics of the frames: how they lie, spread, move together and change, and a network that reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._masking import masked_mean, masked_quantiles

FLOOR = 1e-4  # added to variances, of frames of about unit variance, so that their logarithms are finite
QUIET = 0.6  # below the mean of a clip, in standard deviations of all frames
LEVELS = (0.5, 0.7, 0.8, 0.9, 0.97)  # quantiles of levels, of which noise leaves the upper ones,
CHANGES = (0.05, 0.2, 0.8, 0.95)  # and of their changes, falls and rises,
LAG = 3  # over so many frames
SLOWEST, PACES, RHYTHMS = 256, 64, 16  # frames that a cycle of the slowest pace takes; paces, and bands of them


def statistics_pooling(x, mask, *, n_correlated: int = 12, n_scales: int = 6, n_parts: int = 3):
    """Statistics of a clip's real steps, as one vector.

    Means and log deviations [1]_; log deviations of the change from one window to the next, for windows of 1, 2, 4, ...
    steps, which say how fast x moves; correlations between its first features; and how far the mean of the clip's
    beginning, middle and end lies from that of the clip.

    Parameters
    ----------
    x : tensor of shape (n_clips, n_steps, n)
        Values of about unit variance.
    mask : tensor of shape (n_clips, n_steps), bool
    n_correlated : int, default=12
        Features, from the first, whose correlations are taken; at most n.
    n_scales : int, default=6
        Lengths of windows, each twice the one before.
    n_parts : int, default=3
        Parts of equal length whose means are taken; 1 takes none.

    Returns
    -------
    statistics : tensor of shape (n_clips, n_statistics)

    References
    ----------
    .. [1] Snyder, Garcia-Romero, Sell, Povey and Khudanpur, "X-vectors: robust DNN embeddings for speaker recognition",
       ICASSP 2018.
    """
    from .._keras import keras

    mean, centered = _center(x, mask)
    n_correlated = min(n_correlated, x.shape[2])
    statistics = [mean, _log_rms(centered, mask, at_least=2)]
    statistics += [_log_rms(change, real) for change, real in _changes(x, mask, n_scales)]
    if n_correlated > 1:
        statistics.append(_correlations(centered, mask, n_correlated))
    if n_parts > 1:
        statistics += [masked_mean(x, part) - mean for part in _parts(mask, n_parts)]
    return keras.ops.concatenate(statistics, axis=-1)


def statistics_network(
    frames,
    mask,
    n_outputs,
    *,
    n_coefficients=20,
    n_correlated=12,
    n_scales=6,
    n_levels=10,
    rhythm=True,
    hidden_units=(128,),
    dropout=0.5,
    input_dropout=0.3,
    trainable_projection=False,
    trim=True,
):
    """Statistics of the frames' cosine transform, their levels and rhythm, and dense layers.

    The cosine transform of log-mel bands is the cepstrum [1]_; its statistics are taken of the clip, and of its loud
    and its quiet half. It is no more than how the projection of the frames begins where `trainable_projection` is set.
    Noise fills the pauses first: the upper quantiles of levels, and the rhythm of what is loud, are what it leaves.

    Parameters
    ----------
    frames : tensor of shape (n_clips, n_frames, n_features)
        Standardized log-mel bands, with zeros for padding.
    mask, n_outputs
        As for `cnn`.
    n_coefficients : int, default=20
        Number of coefficients of the cosine transform that are kept; at most n_features.
    n_correlated, n_scales : int, default=12 and 6
        As for `statistics_pooling`.
    n_levels : int, default=10
        Groups of neighboring features whose means' quantiles are taken; at most n_features, and 0 takes none.
    rhythm : bool, default=True
        If True, take the spectrum of how far the clip is louder than its median, over time [2]_. It also tells how
        long the clip is, silence around the speech included, unless that is trimmed.
    hidden_units : sequence of int, default=(128,)
        Size of each dense layer.
    dropout, input_dropout : float, default=0.5 and 0.3
        Fraction of each dense layer's output, and of the statistics, dropped in training.
    trainable_projection : bool, default=False
        True if the projection that begins as a cosine transform is trained.
    trim : bool, default=True
        Leave out what lies before the first and behind the last frame that is hardly quieter than the clip's mean: the
        silence around the speech.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer.

    References
    ----------
    .. [1] Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
       continuously spoken sentences", IEEE TASSP 1980.
    .. [2] Greenberg and Kingsbury, "The modulation spectrogram: in pursuit of an invariant representation of speech",
       ICASSP 1997.
    """
    x = frame_statistics(
        frames,
        mask,
        n_coefficients=n_coefficients,
        n_correlated=n_correlated,
        n_scales=n_scales,
        n_levels=n_levels,
        rhythm=rhythm,
        trainable_projection=trainable_projection,
        trim=trim,
    )
    return read_statistics(x, hidden_units, dropout=dropout, input_dropout=input_dropout)


def frame_statistics(
    frames,
    mask,
    *,
    n_coefficients=20,
    n_correlated=12,
    n_scales=6,
    n_levels=10,
    rhythm=True,
    trainable_projection=False,
    trim=True,
):
    """Compute the statistics that `statistics_network` reads, with the same parameters, (n_clips, n_statistics)."""
    from .._keras import keras

    ops = keras.ops

    if trim:
        frames, mask = _trimmed(frames, mask)
    x = _project(frames, min(n_coefficients, frames.shape[2]), trainable_projection)
    level = ops.mean(frames, axis=2, keepdims=True)
    loud = level[:, :, 0] >= masked_mean(level, mask)
    statistics = [statistics_pooling(x, mask, n_correlated=n_correlated, n_scales=n_scales)]
    for half in (ops.logical_and(mask, loud), ops.logical_and(mask, ops.logical_not(loud))):
        mean, centered = _center(x, half)
        statistics += [mean, _log_rms(centered, half, at_least=2)]
    if n_levels:
        statistics += _levels(frames, mask, min(n_levels, frames.shape[2]))
    if rhythm:
        statistics.append(_rhythm(level, mask))
    return ops.concatenate(statistics, axis=-1)


def read_statistics(x, hidden_units: Sequence[int], *, dropout: float, input_dropout: float):
    """Dense ReLU layers on statistics, which are standardized and limited before."""
    from .._keras import keras

    layers = keras.layers

    x = layers.BatchNormalization(center=False, scale=False, momentum=0.9, name="standardise")(x)
    x = layers.Activation("tanh", name="limit")(x)  # a clip unlike all others moves no statistic out of all bounds
    x = layers.Dropout(input_dropout, name="statistics_dropout")(x)
    for index, n in enumerate(hidden_units):
        x = layers.Dense(n, activation="relu", name=f"statistics_dense_{index}")(x)
        x = layers.Dropout(dropout, name=f"statistics_dense_dropout_{index}")(x)
    return x


def _project(frames, n: int, trainable: bool):
    """The first n coefficients of the frames' cosine transform."""
    from scipy.fft import dct

    from .._keras import keras

    projection = keras.layers.Dense(n, use_bias=False, trainable=trainable, name="projection")
    x = projection(frames)  # which makes its weights
    projection.kernel.assign(dct(np.eye(frames.shape[2]), axis=1, norm="ortho")[:, :n])
    return x


def _trimmed(frames, mask):
    """The frames from the first to the last that is not much quieter than the clip's mean, and their mask."""
    from .._keras import keras

    ops = keras.ops
    level = ops.mean(frames, axis=2, keepdims=True)
    speech = ops.logical_and(mask, level[:, :, 0] >= masked_mean(level, mask) - QUIET)
    step = ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=1) - 1
    last = ops.max(ops.where(speech, step, -1), axis=1, keepdims=True)
    first = ops.min(ops.where(speech, step, ops.max(step)), axis=1, keepdims=True)
    source = ops.repeat(ops.minimum(step + first, ops.max(step))[:, :, None], frames.shape[2], axis=2)
    mask = step <= last - first
    return ops.where(mask[:, :, None], ops.take_along_axis(frames, source, axis=1), 0.0), mask


def _center(x, mask):
    """The mean over the real steps, and x less it."""
    mean = masked_mean(x, mask)
    return mean, x - mean[:, None, :]


def _log_rms(x, mask, at_least: int = 1):
    """Logarithm of the root of the mean square over the real steps; zero where there are too few."""
    from .._keras import keras

    ops = keras.ops
    enough = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True) >= at_least
    return ops.where(enough, 0.5 * ops.log(masked_mean(ops.square(x), mask) + FLOOR), 0.0)


def _changes(x, mask, n_scales: int):
    """The change from each window to the next, and where it is real, for windows of 1, 2, 4, ... steps.

    Windows of s steps begin every s / 2 steps. Windows that reach into padding are not real.
    """
    from .._keras import keras

    ops = keras.ops
    x, mask = ops.pad(x, [[0, 0], [0, 4], [0, 0]]), ops.pad(mask, [[0, 0], [0, 4]])  # never fewer than four
    for scale in range(n_scales):
        if scale == 0:
            yield x[:, 1:] - x[:, :-1], mask[:, 1:]
            continue
        windows = (x[:, 1:] + x[:, :-1]) / 2
        yield windows[:, 2:] - windows[:, :-2], mask[:, 3:]
        x = keras.layers.AveragePooling1D(2)(ops.pad(x, [[0, 0], [0, 4], [0, 0]]))
        mask = ops.pad(mask, [[0, 0], [0, 4]])[:, 1::2]


def _correlations(centered, mask, n: int):
    """Correlate each pair of the first n features, whose means are zero."""
    from .._keras import keras

    ops = keras.ops
    centered = (centered * ops.cast(mask, centered.dtype)[:, :, None])[:, :, :n]
    products = ops.matmul(ops.transpose(centered, (0, 2, 1)), centered)
    norms = ops.sqrt(ops.sum(ops.square(centered), axis=1) + FLOOR)
    correlations = ops.reshape(products / (norms[:, :, None] * norms[:, None, :]), (-1, n * n))
    first, second = np.triu_indices(n, 1)
    return ops.take(correlations, (first * n + second).tolist(), axis=1)


def _parts(mask, n: int):
    """Masks of n parts of each clip, of equal length."""
    from .._keras import keras

    ops = keras.ops
    real = ops.cast(mask, "float32")
    place = (ops.cumsum(real, axis=1) - 0.5) / ops.sum(real, axis=1, keepdims=True)
    for part in range(n):
        yield ops.logical_and(mask, ops.logical_and(place >= part / n, place < (part + 1) / n))


def _levels(frames, mask, n: int):
    """Quantiles of the means of n groups of neighboring features, and of how they change."""
    from .._keras import keras

    ops = keras.ops
    group = np.arange(frames.shape[2]) // (frames.shape[2] // n)  # what is left over is in none
    levels = ops.matmul(frames, (group[:, None] == np.arange(n)) / np.float32(np.sum(group == 0)))
    levels = ops.pad(levels, [[0, 0], [0, LAG], [0, 0]])  # never fewer than a change takes
    mask = ops.pad(mask, [[0, 0], [0, LAG]])
    changes = levels[:, LAG:] - levels[:, :-LAG]
    quantiles = masked_quantiles(levels, mask, LEVELS), masked_quantiles(changes, mask[:, LAG:], CHANGES)
    return [keras.layers.Flatten()(values) for values in quantiles]


def _rhythm(level, mask):
    """Logarithms of how much of the level above its median moves at each pace."""
    from .._keras import keras

    ops = keras.ops
    above = ops.maximum(level - masked_quantiles(level, mask, (0.5,)), 0.0)
    real = ops.cast(mask, above.dtype)
    above = (above[:, :, 0] - masked_mean(above, mask)) * real
    pace = 2 * np.pi / SLOWEST * (1 + np.arange(PACES, dtype="float32") / 2)  # in radians a frame
    angle = ops.max(ops.cumsum(ops.ones_like(level), axis=1), axis=0) * pace  # (n_frames, n_paces), of all clips alike
    power = ops.square(ops.matmul(above, ops.cos(angle))) + ops.square(ops.matmul(above, ops.sin(angle)))
    power = ops.mean(ops.reshape(power, (-1, RHYTHMS, PACES // RHYTHMS)), axis=2)
    n_frames = ops.sum(real, axis=1, keepdims=True)
    rhythm = 0.5 * ops.log(power / ops.square(ops.maximum(n_frames, 1.0)) + FLOOR**2)
    return ops.where(n_frames >= 2, rhythm, 0.0)  # of one frame, there is none
