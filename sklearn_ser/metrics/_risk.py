"""Errors among the answers: how many there are at each coverage, and how many there can be."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, t
from sklearn.utils import check_consistent_length, column_or_1d


def risk_coverage_curve(y_true, y_pred, confidence):
    """Share of errors among the most confident predictions, for every number of them.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_clips,)
        True and predicted labels; the predictions without rejections, since which are rejected is what the curve varies.
    confidence : array-like of shape (n_clips,)
        The higher, the surer; on any scale.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,)
        Share of clips with a confidence of at least the threshold, ascending, up to 1.
    risk : ndarray of shape (n_thresholds,)
        Share of errors among them, 0 to 1.
    thresholds : ndarray of shape (n_thresholds,)
        The confidences there are, descending.

    Raises
    ------
    ValueError
        If lengths differ, there are no clips, or a confidence is NaN.

    Examples
    --------
    >>> from sklearn_ser import risk_coverage_curve
    >>> coverage, risk, thresholds = risk_coverage_curve(["a", "a", "b", "b"], ["a", "b", "b", "b"], [0.9, 0.5, 0.8, 0.7])
    >>> coverage.tolist(), risk.tolist()
    ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.0, 0.25])
    """
    y_true, y_pred, confidence = column_or_1d(y_true), column_or_1d(y_pred), column_or_1d(confidence)
    check_consistent_length(y_true, y_pred, confidence)
    if not len(confidence) or np.isnan(confidence).any():
        raise ValueError(f"confidence must hold a number for each clip, at least one. Got {confidence!r}.")
    order = np.argsort(-confidence, kind="stable")
    thresholds = confidence[order]
    # Clips that are as sure as each other are told apart by no threshold.
    last = np.flatnonzero(np.append(thresholds[1:] != thresholds[:-1], True))
    errors = np.cumsum((y_true != y_pred)[order])
    return (last + 1) / len(order), errors[last] / (last + 1), thresholds[last]


def risk_bound(errors: np.ndarray, speakers: np.ndarray | None, level: float) -> float:
    """Upper confidence bound of the share of errors: Clopper and Pearson's, with the effective number of clips.

    Parameters
    ----------
    errors : ndarray of bool, shape (n_answers,)
    speakers : ndarray of shape (n_answers,) or None
        None takes the answers to be independent.
    level : float
        Of the one-sided bound.

    Returns
    -------
    bound : float
    """
    if not len(errors):
        return 1.0
    n, share = len(errors), errors.mean()
    if speakers is not None:
        _, code = np.unique(speakers, return_inverse=True)
        freedom = code.max()
        if freedom == 0:
            return 1.0  # one speaker tells nothing of others
        if 0 < share < 1:
            # Linearised variance of a ratio of totals over speakers, against that of independent answers.
            deviations = np.bincount(code, errors - share)
            variance = (freedom + 1) / freedom * (deviations**2).sum() / n**2
            n = min(n, share * (1 - share) / max(variance, np.finfo(float).tiny))
        n *= min(1.0, (t.ppf(level, len(errors) - 1) / t.ppf(level, freedom)) ** 2)
    n_errors = share * n
    return 1.0 if n_errors >= n else float(beta.ppf(level, n_errors + 1, n - n_errors))
