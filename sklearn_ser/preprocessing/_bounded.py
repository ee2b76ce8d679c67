"""BoundedScaler: standard scores that no recording can drive far from the training data."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..utils._sklearn_compat import Interval
from ..utils._versions import VersionedMixin


class BoundedScaler(OneToOneFeatureMixin, TransformerMixin, VersionedMixin, BaseEstimator):
    """Standard scores, squashed into a range: z becomes limit * tanh(z / limit).

    A recording from another microphone, a noisy one or a narrow one lies many standard deviations from the training
    clips in some features. A linear classifier follows these few wherever they lead, and the kernel of an SVM is 0
    everywhere, so that one class is the answer to everything. Bounded, each feature has a vote, and no more.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import BoundedScaler
    >>> scaler = BoundedScaler(limit=2.0).fit([[1.0], [3.0]])
    >>> scaler.transform([[2.0], [3.0], [1000.0]])[:, 0].round(2).tolist()
    [0.0, 0.92, 2.0]

    Parameters
    ----------
    limit : float, default=2.0
        Bound of the scores, standard deviations: half of it comes out as 0.46 of it, twice of it as 0.96.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and standard deviation of the training clips; 1 for a feature that does not vary.
    n_features_in_ : int

    See Also
    --------
    make_recognizer : Puts it before a `CalibratedDiscriminant`.
    """

    _parameter_constraints: dict = {"limit": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, limit=2.0):
        self.limit = limit

    def fit(self, X, y=None):
        """Learn mean and standard deviation.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
        y : ignored

        Returns
        -------
        self
        """
        self._validate_params()
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        scale = X.std(axis=0, dtype=np.float64)
        # Rounding leaves equal numbers a deviation that is no deviation.
        negligible = scale <= 10 * np.finfo(X.dtype).eps * np.abs(self.mean_)
        self.scale_ = np.where(negligible | (scale == 0), 1.0, scale)
        return self

    def transform(self, X):
        """Scale and bound.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)

        Returns
        -------
        scores : ndarray of shape (n_clips, n_features), float32 or float64 as X
            Between -limit and limit.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return (self.limit * np.tanh((X - self.mean_) / (self.scale_ * self.limit))).astype(X.dtype, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
