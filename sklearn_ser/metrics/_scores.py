"""Unweighted average recall (UAR) and weighted accuracy (WA)."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import accuracy_score, recall_score


def uar_score(y_true, y_pred, *, sample_weight=None) -> float:
    """Unweighted average recall (UAR): the mean over the emotions of the fraction of their clips that is recognized.

    The same as `sklearn.metrics.balanced_accuracy_score`, whose name in `scoring="balanced_accuracy"` is the one to
    use in searches. Guessing reaches ``1 / n_emotions``, however frequent the emotions are.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Emotions of the clips. Only those that occur here count.
    y_pred : array-like of shape (n_clips,)
        Recognized emotions.
    sample_weight : array-like of shape (n_clips,) or None, default=None
        Weights of the clips.

    Returns
    -------
    uar : float
        From 0 to 1.

    Notes
    -----
    The mean of the UAR of several folds is not the UAR: a fold that lacks an emotion is a mean over fewer of them.
    Pool the predictions first, as `evaluate` does.

    Examples
    --------
    >>> from sklearn_ser.metrics import uar_score
    >>> uar_score(["anger", "anger", "anger", "fear"], ["anger", "anger", "anger", "anger"])
    0.5
    """
    recalls = recall_score(
        y_true, y_pred, labels=np.unique(y_true), average="macro", sample_weight=sample_weight, zero_division=0
    )
    return float(recalls)


def wa_score(y_true, y_pred, *, sample_weight=None) -> float:
    """Weighted accuracy (WA): the fraction of clips whose emotion is recognized; `sklearn.metrics.accuracy_score`.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Emotions of the clips.
    y_pred : array-like of shape (n_clips,)
        Recognized emotions.
    sample_weight : array-like of shape (n_clips,) or None, default=None
        Weights of the clips.

    Returns
    -------
    wa : float
        From 0 to 1.

    Examples
    --------
    >>> from sklearn_ser.metrics import wa_score
    >>> wa_score(["anger", "anger", "anger", "fear"], ["anger", "anger", "anger", "anger"])
    0.75
    """
    return float(accuracy_score(y_true, y_pred, sample_weight=sample_weight))
