"""The equations of SpeakerNormalizer: what to expect of a speaker's clips, given the speaker's other clips."""

from __future__ import annotations

import numpy as np


def rows_by_speaker(speakers: np.ndarray) -> list[np.ndarray]:
    """Rows of each speaker's clips."""
    order = np.argsort(speakers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(speakers[order])) + 1)


def clip_statistics(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each clip's frames, (n_clips, n_values) both; features are clips of one frame."""
    if values.ndim == 2:
        return values.astype(np.float64), np.zeros(values.shape)
    clips = [frames[~np.isnan(frames[:, 0])] for frames in values]
    means = np.array([frames.mean(axis=0, dtype=np.float64) for frames in clips])
    return means, np.array([frames.var(axis=0, dtype=np.float64) for frames in clips])


def expect(
    means: np.ndarray,
    variances: np.ndarray,
    reference: np.ndarray,
    singletons: np.ndarray,
    *,
    mean: np.ndarray,
    clip_var: np.ndarray,
    frame_var: np.ndarray,
    k: np.ndarray,
    k_variance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected mean and standard deviation of each of a speaker's clips, given the others, if there are any.

    Parameters
    ----------
    means, variances : ndarray of shape (n_clips, n_values)
        Means and variances of each clip's frames.
    reference, singletons : ndarray of bool, shape (n_clips,)
        Which clips are known of the speaker, and which are taken for the speaker's only ones.
    mean, clip_var, frame_var : ndarray of shape (n_values,)
        The average training speaker's.
    k, k_variance : ndarray of shape (n_values,) and float
        How many clips these count for in the speaker's mean, and in the variances.

    Returns
    -------
    expected, scale : ndarray of shape (n_clips, n_values)
    """
    own, others = reference[:, np.newaxis], ~singletons[:, np.newaxis]
    # n, and the sum of the n other clips: all that are known, less the clip itself.
    n = others * (reference.sum() - own)
    total = means[reference].sum(axis=0)
    sum_of_others = others * (total - own * means)
    # (n x_bar + k mean_) / (n + k)
    expected = (sum_of_others + k * mean) / (n + k)
    # Squared deviations of the others from their own mean, which is not the mean of all: leaving out a clip of
    # deviation d takes d^2 (1 + 1 / n) away.
    deviations = (means - total / max(reference.sum(), 1)) ** 2
    squares = deviations[reference].sum(axis=0) - own * deviations * (1 + 1 / np.maximum(n, 1))
    # sigma^2 = (squares + k clip_var_) / (n - 1 + k), and around the expected mean sigma^2 (1 + 1 / (n + k))
    between_clips = others * np.maximum(squares, 0) + k_variance * clip_var
    variance = between_clips / (np.maximum(n - 1, 0) + k_variance) * (1 + 1 / (n + k))
    # The frames' variance within clips: the mean of the others' and of `frame_var_`, which counts for k clips.
    between_frames = others * (variances[reference].sum(axis=0) - own * variances) + k_variance * frame_var
    variance += between_frames / (n + k_variance)
    rounding = (1e-12 * expected) ** 2  # that is all a constant's variance is
    return expected, np.sqrt(np.where(variance > rounding, variance, 1))
