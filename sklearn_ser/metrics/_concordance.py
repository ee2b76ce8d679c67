"""Concordance correlation (CCC), the main score of predicted values."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from ..utils._columns import complete
from ..utils._messages import short


def ccc_score(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average", groups=None, average="pooled"):
    """Concordance correlation coefficient (CCC) of values and their predictions.

    It is Pearson's correlation, lowered by whatever the predictions lie too high or too low, or spread too much or too
    little: 1 for predictions that equal the values, 0 for a constant prediction, -1 for values that are mirrored.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,) or (n_clips, n_dimensions)
        Values, such as arousal and valence.
    y_pred : array-like of the shape of `y_true`
        Predicted values.
    sample_weight : array-like of shape (n_clips,) or None, default=None
        Weights of the clips.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_dimensions,), default="uniform_average"
        The mean over the dimensions, each dimension's CCC, or a mean weighted by these weights.
    groups : array-like of shape (n_clips,) or None, default=None
        Speakers or recordings, for ``average="group"``.
    average : {"pooled", "group"}, default="pooled"
        "pooled": one CCC of all clips. "group": the mean of the CCC within each group, which forgives predictions that
        are right up to a constant for each group; the two must not be compared.

    Returns
    -------
    ccc : float or ndarray of shape (n_dimensions,)
        From -1 to 1. NaN where values and predictions are the same constant, which includes a single clip.

    Raises
    ------
    ValueError
        If shapes differ, a value is not finite, or ``average="group"`` has no `groups`.

    See Also
    --------
    ccc_scorer : For searches.

    Notes
    -----
    The definition of Lin [1]_, with the variances and the covariance of the population (divided by n, not n - 1)::

        2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p)) ** 2)

    Predictions that are shifted by d have a CCC of ``1 / (1 + d**2 / (2 var(y)))``; predictions that are scaled by k
    about the mean have ``2 k / (1 + k**2)``.

    References
    ----------
    .. [1] L. I. Lin (1989), "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45(1),
       255-268.

    Examples
    --------
    >>> from sklearn_ser import ccc_score
    >>> ccc_score([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), ccc_score([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    (1.0, 0.0)
    >>> ccc_score([[1, 1], [2, 2], [3, 3]], [[1, 3], [2, 2], [3, 1]], multioutput="raw_values").tolist()
    [1.0, -1.0]
    """
    y_true, y_pred = as_values(y_true, "y_true"), as_values(y_pred, "y_pred")
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "y_pred must hold as many values and dimensions as y_true. "
            f"Got the shapes {y_pred.shape} and {y_true.shape}."
        )
    weights = np.ones(len(y_true)) if sample_weight is None else column_or_1d(sample_weight).astype(float)
    check_consistent_length(y_true, weights)
    if average not in ("pooled", "group"):
        raise ValueError(f"average must be 'pooled' or 'group'. Got {short(average)}.")
    if average == "pooled":
        ccc = _ccc(y_true, y_pred, weights)
    else:
        if groups is None:
            raise ValueError("average='group' needs groups: the speaker or the recording of each clip. Got None.")
        groups = complete(groups, "groups")
        check_consistent_length(y_true, groups)
        rows = [groups == group for group in np.unique(groups)]
        each = np.array([_ccc(y_true[row], y_pred[row], weights[row]) for row in rows])
        known = ~np.isnan(each)
        ccc = np.where(known, each, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    if isinstance(multioutput, str):
        if multioutput not in ("uniform_average", "raw_values"):
            raise ValueError(
                f"multioutput must be 'uniform_average', 'raw_values' or hold weights. Got {short(multioutput)}."
            )
        return ccc if multioutput == "raw_values" else float(ccc.mean())
    return float(np.average(ccc, weights=multioutput))


def ccc_scorer(estimator, X, y, sample_weight=None) -> float:
    """Mean CCC of a fitted regressor's predictions: ``GridSearchCV(..., scoring=ccc_scorer)``.

    Parameters
    ----------
    estimator : regressor
        Fitted.
    X : audio input or features of n_clips
    y : array-like of shape (n_clips,) or (n_clips, n_dimensions)
        Values.
    sample_weight : array-like of shape (n_clips,) or None, default=None
        Weights of the clips.

    Returns
    -------
    ccc : float
        As `ccc_score` returns it: the mean over the dimensions, of all clips that are given, pooled.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_ser import ccc_scorer
    >>> search = GridSearchCV(Ridge(), {"alpha": [0.1, 100.0]}, scoring=ccc_scorer, cv=2)
    >>> search.fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]).best_params_
    {'alpha': 0.1}
    """
    return ccc_score(y, estimator.predict(X), sample_weight=sample_weight)


def as_values(values, name: str) -> np.ndarray:
    """Finite values of shape (n_clips, n_dimensions), float64."""
    values = check_array(values, ensure_2d=False, dtype=np.float64, input_name=name)
    return values.reshape(len(values), -1)


def _ccc(y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """CCC of each dimension, (n_dimensions,)."""
    weights = weights / weights.sum()
    centered = [values - weights @ values for values in (y_true, y_pred)]
    covariance = weights @ (centered[0] * centered[1])
    apart = weights @ (centered[0] ** 2 + centered[1] ** 2) + (weights @ (y_true - y_pred)) ** 2
    return np.divide(2 * covariance, apart, out=np.full(len(apart), np.nan), where=apart > 0)
