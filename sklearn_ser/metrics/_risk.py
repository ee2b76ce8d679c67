"""Risk against coverage: the fraction of errors among the most confident predictions."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from ..utils._columns import check_same_kind
from ..utils._messages import short


def risk_coverage_curve(y_true, y_pred, confidence):
    """Fraction of errors among the most confident predictions, for every number of them.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_clips,)
        True and predicted labels; the predictions without rejections, since which are rejected is what the curve
        varies.
    confidence : array-like of shape (n_clips,)
        The higher, the surer; on any scale.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,)
        Fraction of clips with a confidence of at least the threshold, ascending, up to 1.
    risk : ndarray of shape (n_thresholds,)
        Fraction of errors among them, 0 to 1.
    thresholds : ndarray of shape (n_thresholds,)
        The confidences there are, descending.

    Raises
    ------
    ValueError
        If lengths differ, there are no clips, a confidence is NaN, or only one of both holds text.

    Examples
    --------
    >>> from sklearn_ser import risk_coverage_curve
    >>> y_true, y_pred, confidence = ["a", "a", "b", "b"], ["a", "b", "b", "b"], [0.9, 0.5, 0.8, 0.7]
    >>> coverage, risk, thresholds = risk_coverage_curve(y_true, y_pred, confidence)
    >>> coverage.tolist(), risk.tolist()
    ([0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.0, 0.25])
    """
    y_true, y_pred, confidence = column_or_1d(y_true), column_or_1d(y_pred), column_or_1d(confidence)
    check_consistent_length(y_true, y_pred, confidence)
    if len(confidence):
        check_same_kind(y_true, y_pred)
    if not len(confidence) or np.isnan(confidence).any():
        raise ValueError(f"confidence must hold a number for each clip, at least one. Got {short(confidence)}.")
    order = np.argsort(-confidence, kind="stable")
    thresholds = confidence[order]
    # Clips that are as sure as each other are told apart by no threshold.
    last = np.flatnonzero(np.append(thresholds[1:] != thresholds[:-1], True))
    errors = np.cumsum((y_true != y_pred)[order])
    return (last + 1) / len(order), errors[last] / (last + 1), thresholds[last]
