"""CalibratedRidge: ridge regression whose strength and scale are chosen on groups held out."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, validate_data

from .utils._columns import complete
from .utils._processes import one_blas_thread
from .utils._sklearn_compat import Interval
from .utils._versions import VersionedMixin

__all__ = ["CalibratedRidge"]

_ALPHAS = np.logspace(-3, 2, 11)


class CalibratedRidge(MultiOutputMixin, RegressorMixin, VersionedMixin, BaseEstimator):
    """Ridge regression whose strength and scale are chosen on groups of clips held out, speakers for instance.

    A ridge shrinks its predictions towards the mean, which the concordance correlation punishes. Here predictions are
    spread until those of held-out groups vary as much as the true values, where the concordance is the greatest.

    Read more in the guide: :doc:`values </guide/values>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import CalibratedRidge
    >>> X = np.arange(12.0).reshape(-1, 1)
    >>> CalibratedRidge().fit(X, 2 * X[:, 0] + 1).predict([[3.0]]).round(1)
    array([7.])

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,) or None, default=None
        Strengths that are tried, as multiples of the mean sum of squares of a feature. None tries eleven from 0.001 to
        100.
    n_folds : int, default=5
        Folds of groups, at most; 0 takes the middle one of the strengths and leaves the scale as it is.
    clip : bool, default=False
        True if predictions are clipped to the range of the training values.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_values, n_features)
    intercept_ : float or ndarray of shape (n_values,)
    alpha_ : ndarray of shape (n_values,)
        Chosen strength for each value.
    scale_ : ndarray of shape (n_values,)
        Factors by which deviations from the mean were multiplied.
    range_ : ndarray of shape (2, n_values)
        Least and greatest training value.
    n_features_in_ : int

    See Also
    --------
    CalibratedDiscriminant : Does the same for classes.

    Notes
    -----
    The strength is the one with the greatest correlation of held-out predictions with the true values. Where `fit` is
    given `groups`, such as speakers, no group is on both sides; without, equal rows are kept together. The scale
    stays 1 where no strength predicts held-out groups better than chance.
    """

    _splits_clips = True  # so that whoever multiplies clips tells which rows belong together

    _parameter_constraints: dict = {
        "alphas": ["array-like", None],
        "n_folds": [Interval(Integral, 0, None, closed="left")],
        "clip": ["boolean"],
    }

    def __init__(self, alphas=None, *, n_folds=5, clip=False):
        self.alphas = alphas
        self.n_folds = n_folds
        self.clip = clip

    def fit(self, X, y, sample_weight=None, groups=None):
        """Choose strength and scale on held-out groups, and fit all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
        y : array-like of shape (n_clips,) or (n_clips, n_values)
        sample_weight : array-like of shape (n_clips,) or None, default=None
            A clip of weight two counts as two equal clips.
        groups : array-like of shape (n_clips,) or None, default=None
            Clips of one group are held out together, such as those of one speaker.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y is not finite, a strength is not over 0, or no weight is.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        y = y.astype(np.float64)
        alphas = _ALPHAS if self.alphas is None else np.asarray(self.alphas, dtype=np.float64)
        if alphas.ndim != 1 or not alphas.size or not (alphas > 0).all():
            raise ValueError("alphas must be one or several numbers over 0.")
        groups = None if groups is None else complete(groups, "groups")
        check_consistent_length(X, groups)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if (weight < 0).any() or not weight.any():
            raise ValueError("sample_weight must not be negative, and must be over 0 for one clip at least.")
        seen = weight > 0
        X, values, weight = X[seen], y[seen].reshape(int(seen.sum()), -1), weight[seen]
        fold = self._folds(X if groups is None else groups[seen], groups is None)
        with one_blas_thread():  # several wait for each other longer than these products take
            if fold is None:
                best = np.full(values.shape[1], len(alphas) // 2)
                self.scale_ = np.ones(values.shape[1])
            else:
                best, self.scale_ = _choose(X, values, weight, fold, alphas)
            coef, center, mean = _ridge(X, values, weight, alphas)
        each = np.arange(values.shape[1])
        chosen = coef[best, :, each] * self.scale_[:, np.newaxis]
        intercept = mean - chosen @ center
        self.alpha_, self.range_ = alphas[best], np.stack([values.min(axis=0), values.max(axis=0)])
        self.coef_, self.intercept_ = (chosen[0], float(intercept[0])) if y.ndim == 1 else (chosen, intercept)
        return self

    def predict(self, X):
        """Values of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_values)
        """
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_.T + self.intercept_
        if not self.clip:
            return values
        low, high = self.range_ if values.ndim == 2 else self.range_[:, 0]
        return np.clip(values, low, high)

    def _folds(self, groups: np.ndarray, is_rows: bool) -> np.ndarray | None:
        """Fold of each clip; equal groups, or equal rows, are in the same one. None where there are not two."""
        names, codes = np.unique(groups, axis=0 if is_rows else None, return_inverse=True)
        n_folds = min(self.n_folds, len(names))
        return codes.ravel() % n_folds if n_folds > 1 else None


def _ridge(X: np.ndarray, y: np.ndarray, weight: np.ndarray, alphas: np.ndarray):
    """Weights (n_alphas, n_features, n_values), by one eigendecomposition, and the means of X and y."""
    center, mean = np.average(X, axis=0, weights=weight), np.average(y, axis=0, weights=weight)
    root = np.sqrt(weight)[:, np.newaxis]
    X, y = (X - center) * root, (y - mean) * root
    level = np.square(X).sum() / X.shape[1] or 1.0  # of constant features, any
    if X.shape[1] <= X.shape[0]:
        values, vectors = np.linalg.eigh(X.T @ X)
        left, right = vectors, vectors.T @ (X.T @ y)
    else:
        values, vectors = np.linalg.eigh(X @ X.T)
        left, right = X.T @ vectors, vectors.T @ y
    values = np.maximum(values, 0)
    return np.stack([left @ (right / (values + a * level)[:, np.newaxis]) for a in alphas]), center, mean


def _choose(X, y, weight, fold, alphas) -> tuple[np.ndarray, np.ndarray]:
    """Index of the best strength for each value, and the scale with it."""
    held_out = np.empty((len(alphas), *y.shape))
    for number in np.unique(fold):
        test = fold == number
        coef, center, mean = _ridge(X[~test], y[~test], weight[~test], alphas)
        held_out[:, test] = (X[test] - center) @ coef + mean
    true = y - np.average(y, axis=0, weights=weight)
    held_out -= np.average(held_out, axis=1, weights=weight)[:, np.newaxis]
    spread = np.sqrt(np.average(true**2, axis=0, weights=weight))
    found = np.sqrt(np.average(held_out**2, axis=1, weights=weight))
    covariance = np.average(held_out * true, axis=1, weights=weight)
    product = spread * found
    correlation = np.divide(covariance, product, out=np.zeros_like(product), where=product > 1e-12 * spread**2)
    best, each = np.argmax(correlation, axis=0), np.arange(y.shape[1])
    usable = correlation[best, each] > 0
    scale = np.divide(spread, found[best, each], out=np.ones(y.shape[1]), where=usable)
    return best, scale
