"""Confidence intervals of recalls by a bootstrap over speakers.

All functions take what was counted for each speaker (rows) and each class (columns). The mean recall of the classes
of pooled clips is then UAR; with one column of all clips it is WA, with one class it is that class's recall.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

MAX_ENUMERATED = 14  # speakers of whom all sign flips are tried; 2**14 take milliseconds


class Uncertain(NamedTuple):
    """A measurement, its variance over speakers, and the degrees of freedom that the variance was estimated with."""

    value: float
    variance: float
    df: float


def tally(speaker, emotion, weights) -> np.ndarray:
    """Sum of clips' weights for each speaker and each emotion.

    Parameters
    ----------
    speaker, emotion : ndarray of shape (n_clips,)
        Numbers from 0, each of which there is a clip of.
    weights : array-like of shape (n_clips,)

    Returns
    -------
    sums : ndarray of shape (n_speakers, n_emotions)
    """
    sums = np.zeros((speaker.max(initial=-1) + 1, emotion.max(initial=-1) + 1))
    np.add.at(sums, (speaker, emotion), weights)
    return sums


def pooled_recall(correct, count):
    """Mean over the classes of the recall of pooled clips; classes without clips do not count.

    Parameters
    ----------
    correct, count : ndarray of shape (..., n_classes)
        Clips that were recognized, and clips there are.

    Returns
    -------
    recall : ndarray of shape (...)
    """
    recall = np.divide(correct, count, out=np.zeros(np.shape(count)), where=count > 0)
    return recall.sum(axis=-1) / np.maximum((count > 0).sum(axis=-1), 1)


def measure(correct, count, *, n_boot, rng) -> Uncertain:
    """Pooled recall and its bootstrap variance: speakers are drawn with replacement, each with all of its clips.

    The variance of a mean of n resampled values is (n - 1) / n of what it should be, and is corrected for that. It is
    never taken to be smaller than if all clips were independent.

    Parameters
    ----------
    correct, count : ndarray of shape (n_speakers, n_classes)
    n_boot : int
        Resamples.
    rng : Generator

    Returns
    -------
    measured : Uncertain
        The variance of less than two speakers is NaN.
    """
    there = count.sum(axis=1) > 0
    correct, count = correct[there], count[there]
    n = len(count)
    total = count.sum(axis=0)
    value = float(pooled_recall(correct.sum(axis=0), total))
    if n < 2:
        return Uncertain(value if n else np.nan, np.nan, 0)
    times = rng.multinomial(n, np.full(n, 1 / n), size=n_boot)
    variance = pooled_recall(times @ correct, times @ count).var() * n / (n - 1)
    recall, total = correct.sum(axis=0)[total > 0] / total[total > 0], total[total > 0]
    independent = np.sum(recall * (1 - recall) / total) / len(total) ** 2
    return Uncertain(value, float(max(variance, independent)), n - 1)


def subtract(a: Uncertain, b: Uncertain) -> Uncertain:
    """Difference of what was measured on different speakers; degrees of freedom after Welch and Satterthwaite."""
    variance = a.variance + b.variance
    if not variance > 0:
        return Uncertain(a.value - b.value, np.nan, 0)
    parts = sum(m.variance**2 / m.df for m in (a, b) if m.variance > 0)
    return Uncertain(a.value - b.value, variance, variance**2 / parts)


def contributions(correct_a, correct_b, count):
    """Split the difference of two pooled recalls of the same clips into contributions of speakers, which sum to it.

    Parameters
    ----------
    correct_a, correct_b, count : ndarray of shape (n_speakers, n_classes)

    Returns
    -------
    contributions : ndarray of shape (n_speakers,)
    """
    total = count.sum(axis=0)
    there = total > 0
    return ((correct_a - correct_b)[:, there] / total[there]).mean(axis=1)


def measure_difference(correct_a, correct_b, count, *, n_boot, rng) -> Uncertain:
    """Difference of two pooled recalls of the same clips, and its bootstrap variance: speakers are drawn for both.

    The variance is never taken to be smaller than if all clips were independent, and only those of which the models
    must differ did. Where all speakers differ alike, so that resampling shows no spread, it is such that Student's t
    test has the p-value of the paired test, 2 / 2**n.
    """
    of_speakers = contributions(correct_a, correct_b, count)
    value, n = float(of_speakers.sum()), len(count)
    if n < 2:
        return Uncertain(value, np.nan, 0)
    times = rng.multinomial(n, np.full(n, 1 / n), size=n_boot)
    total = times @ count
    difference = pooled_recall(times @ correct_a, total) - pooled_recall(times @ correct_b, total)
    there = count.sum(axis=0) > 0
    of_classes = (correct_a - correct_b).sum(axis=0)[there] / count.sum(axis=0)[there]
    independent = np.sum((np.abs(of_classes) - of_classes**2) / count.sum(axis=0)[there]) / there.sum() ** 2
    variance = max(difference.var() * n / (n - 1), independent)
    if variance < 1e-12:
        variance = (value / student.ppf(1 - 0.5**n, n - 1)) ** 2
    return Uncertain(value, float(variance), n - 1)


def recall_interval(measured: Uncertain, level: float) -> tuple[float, float]:
    """Confidence interval of a recall: Student's t on the logit scale, so that it stays within 0 and 1.

    If everything was recognized (or nothing), resampling cannot show any spread. Then the interval ends where n
    speakers without an error (or a hit) would be a surprise: if speakers have the mean recall m, all clips of n of
    them are right with a probability of at most m ** n.
    """
    value, variance, df = measured
    if not df:
        return np.nan, np.nan
    bound = ((1 - level) / 2) ** (1 / (df + 1))
    if value <= 0:
        return 0.0, 1 - bound
    if value >= 1:
        return bound, 1.0
    half = student.ppf((1 + level) / 2, df) * np.sqrt(variance) / (value * (1 - value))
    return tuple(expit(logit(value) + np.array([-half, half])).tolist())


def measure_statistic(statistic, *sums, n_boot, rng) -> Uncertain:
    """A statistic of pooled clips, or the difference of two, and its bootstrap variance over speakers.

    Parameters
    ----------
    statistic : callable
        From sums over speakers, (..., *shape), to values, (...).
    *sums : ndarray of shape (n_speakers, *shape)
        Sums of what was counted for each speaker, once or twice. Speakers are drawn for both.
    n_boot : int
        Resamples.
    rng : Generator

    Returns
    -------
    measured : Uncertain
        The variance of less than two speakers is NaN. Resamples of which there is no statistic are left out.
    """
    n = len(sums[0])

    def of(times):
        found = [statistic(np.tensordot(times, each, axes=1)) for each in sums]
        return found[0] if len(found) == 1 else found[0] - found[1]

    value = float(of(np.ones(n)))
    if n < 2:
        return Uncertain(value, np.nan, 0)
    drawn = of(rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(float))
    drawn = drawn[np.isfinite(drawn)]  # a correlation of constants is none
    return Uncertain(value, float(drawn.var()) * n / (n - 1) if drawn.size else np.nan, n - 1)


def student_interval(measured: Uncertain, level: float) -> tuple[float, float]:
    """Student's t interval, without bounds."""
    value, variance, df = measured
    if not df or not np.isfinite(variance):
        return np.nan, np.nan
    half = float(student.ppf((1 + level) / 2, df) * np.sqrt(variance))
    return value - half, value + half


def difference_interval(measured: Uncertain, level: float) -> tuple[float, float]:
    """Confidence interval of a difference of recalls: Student's t, within -1 and 1."""
    low, high = student_interval(measured, level)
    return max(low, -1.0), min(high, 1.0)


def sign_flip_p_value(contributions, *, n_permutations, rng) -> float:
    """Two-sided p-value of a sum of zero-mean contributions, by turning round the signs of some of them [paired test].

    Exact up to `MAX_ENUMERATED` speakers; beyond, of random sign flips, among which the observed signs count once, so
    that the level of the test is kept.
    """
    contributions = contributions[contributions != 0]
    n = len(contributions)
    if not n:
        return 1.0
    if n <= MAX_ENUMERATED:
        signs = 1 - 2 * (np.arange(2**n)[:, np.newaxis] >> np.arange(n) & 1)
    else:
        signs = np.vstack([np.ones((1, n), int), rng.choice([-1, 1], size=(n_permutations, n))])
    observed = abs(contributions.sum())
    return float(np.mean(np.abs(signs @ contributions) >= observed * (1 - 1e-9)))
