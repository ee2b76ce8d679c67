"""Scores of predicted probabilities against what raters said: distributions, or each rater's own label."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import rel_entr, xlogy
from sklearn.utils import check_array, check_consistent_length

from ..utils._columns import complete


def soft_cross_entropy(y_true, y_proba, *, sample_weight=None) -> float:
    """Mean cross-entropy of predicted probabilities against the raters' distributions: lower is better.

    Parameters
    ----------
    y_true : array-like of shape (n_clips, n_classes)
        Fraction of raters who chose each class; rows sum to one.
    y_proba : array-like of shape (n_clips, n_classes)
        Predicted probabilities, columns in the same order.
    sample_weight : array-like of shape (n_clips,) or None, default=None
        Weights of the clips.

    Returns
    -------
    cross_entropy : float
        Nats. It is least, and then the entropy of the raters, where probabilities equal the distributions. Infinite
        where a class that somebody chose has the probability 0.

    Examples
    --------
    >>> from sklearn_ser import soft_cross_entropy
    >>> round(soft_cross_entropy([[0.5, 0.5]], [[0.5, 0.5]]), 3)
    0.693
    """
    y_true, y_proba = _distributions(y_true, y_proba)
    return float(np.average(-xlogy(y_true, y_proba).sum(axis=1), weights=sample_weight))


def jensen_shannon(y_true, y_proba, *, sample_weight=None) -> float:
    """Mean Jensen-Shannon divergence of predicted probabilities from the raters' distributions: 0 where they are equal.

    Parameters
    ----------
    y_true, y_proba, sample_weight
        As for `soft_cross_entropy`.

    Returns
    -------
    divergence : float
        Bits, from 0 to 1: the divergence itself, not its root, the distance [1]_.

    References
    ----------
    .. [1] J. Lin (1991), "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory
       37(1), 145-151.

    Examples
    --------
    >>> from sklearn_ser import jensen_shannon
    >>> jensen_shannon([[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]])
    0.5
    """
    y_true, y_proba = _distributions(y_true, y_proba)
    middle = (y_true + y_proba) / 2
    divergence = (rel_entr(y_true, middle) + rel_entr(y_proba, middle)).sum(axis=1) / 2 / np.log(2)
    return float(np.average(divergence, weights=sample_weight))


def rater_accuracy(ratings, y_pred, *, clip="clip", rater="rater", label="label"):
    """Fraction of each rater's labels that equal the predictions for the clips that they rated.

    Parameters
    ----------
    ratings : DataFrame of n_ratings
        A row for each rating.
    y_pred : array-like of shape (n_clips,) or Series
        Predicted labels: of the clips 0, 1 ..., or by the index of a Series.
    clip, rater, label : str
        Columns of `ratings`.

    Returns
    -------
    accuracy : DataFrame
        Indexed by rater, with the columns `accuracy`, 0 to 1, and `n_ratings`. The mean of `accuracy` weighted by
        `n_ratings` is how often a rater who is drawn at random agrees.

    Raises
    ------
    ValueError
        If a clip that was rated has no prediction, or a value is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser import rater_accuracy
    >>> ratings = pd.DataFrame({"clip": [0, 1, 0], "rater": ["a", "a", "b"], "label": ["fear", "calm", "calm"]})
    >>> rater_accuracy(ratings, ["fear", "calm"])["accuracy"].to_dict()
    {'a': 1.0, 'b': 0.0}
    """
    clips, raters, labels = (complete(ratings[name], f"Column {name!r} of ratings") for name in (clip, rater, label))
    predicted = y_pred if isinstance(y_pred, pd.Series) else pd.Series(complete(y_pred, "y_pred"))
    unknown = ~np.isin(clips, predicted.index)
    if unknown.any():
        raise ValueError(
            f"y_pred must hold a label of each clip that was rated. Got none of {clips[unknown][0]!r:.80}."
        )
    right = predicted.reindex(clips).to_numpy() == labels
    return (
        pd.DataFrame({"rater": raters, "right": right}).groupby("rater")["right"].agg(accuracy="mean", n_ratings="size")
    )


def _distributions(y_true, y_proba) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for values, name in ((y_true, "y_true"), (y_proba, "y_proba")):
        values = check_array(values, dtype=np.float64, input_name=name)
        sums = values.sum(axis=1)
        wrong = (values < 0).any(axis=1) | (np.abs(sums - 1) > 1e-3)
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"Rows of {name} must be probabilities that sum to one. Row {row} sums to {sums[row]:.4g}."
            )
        found.append(values)
    check_consistent_length(*found)
    if found[0].shape != found[1].shape:
        raise ValueError(f"y_proba must have the shape of y_true, {found[0].shape}. Got {found[1].shape}.")
    return found[0], found[1]
