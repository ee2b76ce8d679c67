"""Confidence bounds."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, t


def risk_bound(errors: np.ndarray, speakers: np.ndarray | None, level: float) -> float:
    """Upper confidence bound of the fraction of errors: Clopper and Pearson's, with the effective number of clips.

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
