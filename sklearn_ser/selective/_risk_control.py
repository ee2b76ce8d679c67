"""Confidence bounds of risks, and the thresholds that keep them."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
from scipy.stats import beta, t

_STARTS = (80, 60, 40, 20)  # coverages in %, from each of which risk control goes up


def risk_bound(errors: np.ndarray, speakers: np.ndarray | None, level: float) -> float:
    """Upper confidence bound of the fraction of errors: Clopper and Pearson's, with the effective number of clips.

    Parameters
    ----------
    errors : ndarray of bool, shape (n_answers,)
    speakers : ndarray of shape (n_answers,) or None
        None takes the answers to be independent.
    level : float
        Confidence level of the one-sided bound.

    Returns
    -------
    bound : float
    """
    if not len(errors):
        return 1.0
    n, fraction = len(errors), errors.mean()
    if speakers is not None:
        _, code = np.unique(speakers, return_inverse=True)
        freedom = code.max()
        if freedom == 0:
            return 1.0  # one speaker tells nothing of others
        if 0 < fraction < 1:
            # Linearised variance of a ratio of totals over speakers, against that of independent answers.
            deviations = np.bincount(code, errors - fraction)
            variance = (freedom + 1) / freedom * (deviations**2).sum() / n**2
            n = min(n, fraction * (1 - fraction) / max(variance, np.finfo(float).tiny))
        n *= min(1.0, (t.ppf(level, len(errors) - 1) / t.ppf(level, freedom)) ** 2)
    n_errors = fraction * n
    return 1.0 if n_errors >= n else float(beta.ppf(level, n_errors + 1, n - n_errors))


def keep_coverage(confidence: np.ndarray, coverage: float) -> float:
    """The split-conformal threshold: the expected fraction of new clips at or above it is at least `coverage`."""
    n_below = int((len(confidence) + 1) * (1 - coverage) + 1e-9)
    return np.sort(confidence)[n_below - 1] if n_below else -np.inf


def control_risk(
    confidence: np.ndarray, correct: np.ndarray, speakers: np.ndarray | None, *, risk: float, confidence_level: float
) -> tuple[float, float]:
    """The lowest threshold of confidence whose risk is shown to be small enough, and the bound of that risk.

    Parameters
    ----------
    confidence, correct : ndarray of shape (n_clips,)
    speakers : ndarray of shape (n_clips,) or None
        None takes the clips to be independent.
    risk : float
        Fraction of errors among the answers that is allowed.
    confidence_level : float
        Confidence level of the guarantee, over all thresholds that are tried.

    Returns
    -------
    threshold, bound : float
        The threshold is infinite, and the bound the lowest that was found, if no coverage keeps the risk.
    """
    ordered, level, lowest = np.sort(confidence), 1 - (1 - confidence_level) / len(_STARTS), 1.0

    def bound_at(percent: int) -> tuple[float, float]:
        # Given the most sure of the rejected clips, whether those above it are errors is left to chance.
        n_below = len(ordered) - percent * len(ordered) // 100
        threshold = np.nextafter(ordered[n_below - 1], np.inf) if n_below else -np.inf
        answered = confidence >= threshold
        return threshold, risk_bound(~correct[answered], None if speakers is None else speakers[answered], level)

    for start in _STARTS:
        kept = list(takewhile(lambda found: found[1] <= risk, map(bound_at, range(start, 101, 5))))
        if kept:
            return kept[-1]
        lowest = min(lowest, bound_at(start)[1])
    return np.inf, lowest
