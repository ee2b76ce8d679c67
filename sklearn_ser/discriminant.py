"""CalibratedDiscriminant: linear discriminant analysis with fixed shrinkage and calibrated probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from numbers import Integral, Real

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold, StratifiedKFold, check_cv
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from .utils._columns import complete, refuse_missing
from .utils._messages import short
from .utils._processes import one_blas_thread
from .utils._sklearn_compat import Interval, StrOptions, _check_sample_weight
from .utils._versions import VersionedMixin

__all__ = ["CalibratedDiscriminant"]

_TEMPERATURES = (0.1, 100.0)  # between which the best one is searched
_MANY = 1024  # features, above which a system as large as there are clips is solved where that is smaller


class CalibratedDiscriminant(ClassifierMixin, VersionedMixin, BaseEstimator):
    """Linear discriminant analysis with shrinkage, whose probabilities are calibrated on clips held out.

    Differences of speakers and microphones within a class are discounted, by the inverse of the classes' covariance,
    which is shrunk towards a multiple of the identity, so that there may be more features than clips [1]_. Behind
    `BoundedScaler` it was the most robust of the classifiers that were tried, at no loss on clean speech.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import CalibratedDiscriminant
    >>> X = np.array([[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]])
    >>> classifier = CalibratedDiscriminant(cv=3).fit(X, ["calm"] * 3 + ["fear"] * 3)
    >>> classifier.predict([[3.0], [6.0]]).tolist()
    ['calm', 'fear']

    Parameters
    ----------
    shrinkage : float, default=0.3
        Weight of the identity in the covariance, over 0 and up to 1, where only the class means count.
    cv : int, cross-validation splitter or iterable of (train, test), default=5
        Folds in which the temperature is estimated, as an int at most so many; 0 leaves the probabilities as the
        discriminant has them, which are overconfident.
    priors : array-like of shape (n_classes,) or None, default=None
        Probability of each class, in the order of `classes_`, in the recordings to come; they are divided by their sum.
        None takes the proportions, by weight, of the training clips.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the covariance and, without `priors`, in the proportions; "balanced" gives all classes
        the same. Multiplies `sample_weight`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    coef_ : ndarray of shape (n_classes, n_features)
        Weights of the features in each class's score, over the temperature.
    intercept_ : ndarray of shape (n_classes,)
    priors_ : ndarray of shape (n_classes,)
        Probability of each class before a clip is heard.
    temperature_ : float
        Divisor of the scores, found on held-out clips; 1 where none could be held out.
    n_features_in_ : int

    See Also
    --------
    BoundedScaler : Goes before it.

    Notes
    -----
    The temperature is the one under which held-out clips have the greatest likelihood [2]_. It changes no prediction.
    Where `fit` is given `groups`, such as speakers, no group is on both sides; in a pipeline, that is
    ``pipeline.fit(X, y, calibrateddiscriminant__groups=speaker)``. Without, other clips of the same speakers are
    trained on, and the probabilities remain a little too sure for unseen ones. `AugmentedClassifier` keeps a clip
    and its copies together by itself.

    References
    ----------
    .. [1] J. H. Friedman (1989), "Regularized discriminant analysis", Journal of the American Statistical
       Association 84(405).
    .. [2] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), "On calibration of modern neural networks", Proc.
       ICML.
    """

    _splits_clips = True  # so that whoever multiplies clips tells which rows belong together

    _parameter_constraints: dict = {
        "shrinkage": [Interval(Real, 0, 1, closed="right")],
        "cv": [Interval(Integral, 0, None, closed="left"), "cv_object"],
        "priors": ["array-like", None],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(self, shrinkage=0.3, *, cv=5, priors=None, class_weight=None):
        self.shrinkage = shrinkage
        self.cv = cv
        self.priors = priors
        self.class_weight = class_weight

    def fit(self, X, y, groups=None, sample_weight=None):
        """Learn the classes' means and their common covariance, and the temperature.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
        y : array-like of shape (n_clips,)
            Class labels.
        groups : array-like of shape (n_clips,) or None, default=None
            Clips of one group are held out together, such as those of one speaker.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip, not negative: one of weight two counts as two clips. None weighs all the same.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is but one class, X is not finite, or weights or priors are not as described.

        Warns
        -----
        UserWarning
            If no clips can be held out to calibrate by: each class has a single clip, or is of a single group.
        """
        self._validate_params()
        refuse_missing(y, "y")
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        groups = None if groups is None else complete(groups, "groups")
        check_consistent_length(X, groups)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y must hold two classes at least. Got one class: {self.classes_.tolist()}.")
        weight = self._weights(X, y, codes, sample_weight)
        self.priors_ = self._priors(codes, weight)
        with one_blas_thread():  # several wait for each other longer than these products take
            coef, intercept = _discriminant(X, codes, self.priors_, self.shrinkage, weight)
            self.temperature_ = self._temperature(X, codes, groups, weight)
        self.coef_, self.intercept_ = coef / self.temperature_, intercept / self.temperature_
        return self

    def decision_function(self, X):
        """Logarithms of the probabilities, up to a constant.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)

        Returns
        -------
        scores : ndarray of shape (n_clips, n_classes), or (n_clips,) for two classes: the second's over the first's
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        return softmax(self._scores(X), axis=1)

    def predict(self, X):
        """Most probable class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]

    def _scores(self, X) -> np.ndarray:
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_.T + self.intercept_

    def _weights(self, X, y, codes: np.ndarray, sample_weight) -> np.ndarray | None:
        """Weight of each clip, of mean 1; None where all weigh the same."""
        if sample_weight is None and self.class_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if self.class_weight is not None:
            totals = np.bincount(codes, weight) / weight.sum()
            if self.class_weight == "balanced":
                factors = 1 / (len(totals) * np.where(totals > 0, totals, 1.0))
            else:
                factors = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            weight = weight * factors[codes]
        empty = np.bincount(codes, weight) == 0
        if empty.any():
            raise ValueError(f"Every class needs a clip of positive weight. {self.classes_[empty].tolist()} has none.")
        return weight / weight.mean()

    def _priors(self, codes: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        if self.priors is None:
            return np.bincount(codes, weight) / len(codes)
        priors = np.asarray(self.priors, dtype=np.float64)
        if priors.shape != self.classes_.shape or not (np.isfinite(priors).all() and (priors > 0).all()):
            raise ValueError(
                f"priors must hold one positive number for each of the {len(self.classes_)} classes, "
                f"{short(self.classes_.tolist())}. Got {short(self.priors)}."
            )
        return priors / priors.sum()

    def _temperature(self, X: np.ndarray, codes: np.ndarray, groups, weight: np.ndarray | None) -> float:
        """Divide scores by this, and held-out clips have the greatest likelihood; 1 where none can be held out."""
        if isinstance(self.cv, Integral) and self.cv < 2:
            return 1.0
        scores, truths, weights = [], [], []
        for train, test in self._folds(codes, groups):
            present, inner = np.unique(codes[train], return_inverse=True)
            known = test[np.isin(codes[test], present)]
            if len(present) < 2 or not known.size:
                continue
            part = None if weight is None else weight[train]
            if part is not None and (np.bincount(inner, part) == 0).any():
                continue
            given = self.priors is not None
            priors = (
                self.priors_[present]
                if given
                else np.bincount(inner, part) / (len(train) if part is None else part.sum())
            )
            coef, intercept = _discriminant(X[train], inner, priors / priors.sum(), self.shrinkage, part)
            score = np.full((len(known), len(self.classes_)), -np.inf)
            score[:, present] = X[known] @ coef.T + intercept
            scores.append(score)
            truths.append(codes[known])
            weights.append(np.ones(len(known)) if weight is None else weight[known])
        if not scores or np.concatenate(weights).sum() == 0:
            warnings.warn(
                "The probabilities are not calibrated, and so overconfident: no clips can be held out such that two of "
                f"their classes remain{'' if groups is None else ' in other groups'}. Pass more clips, or cv=0 to do "
                "without.",
                stacklevel=3,
            )
            return 1.0
        scores, truths, weights = map(np.concatenate, (scores, truths, weights))

        def loss(log_temperature: float) -> float:
            losses = -log_softmax(scores / np.exp(log_temperature), axis=1)[np.arange(len(truths)), truths]
            return losses.mean() if weight is None else np.average(losses, weights=weights)

        return float(np.exp(minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded").x))

    def _folds(self, codes: np.ndarray, groups) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Clips to train on and to hold out; those of a class with a single clip are trained on always."""
        if not isinstance(self.cv, Integral):
            return check_cv(self.cv, codes, classifier=True).split(codes, codes, groups)
        if groups is not None:
            n_folds = min(int(self.cv), len(np.unique(groups)))
            return GroupKFold(n_folds).split(codes, codes, groups) if n_folds > 1 else iter(())
        counts = np.bincount(codes)
        several = np.flatnonzero(counts[codes] > 1)
        if not several.size:
            return iter(())
        single = np.flatnonzero(counts[codes] == 1)
        n_folds = min(self.cv, counts[counts > 1].min())
        splits = StratifiedKFold(n_folds).split(several, codes[several])
        return ((np.sort(np.append(several[train], single)), several[test]) for train, test in splits)


def _discriminant(
    X: np.ndarray, codes: np.ndarray, priors: np.ndarray, shrinkage: float, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and intercepts of the classes' scores."""
    means = np.zeros((len(priors), X.shape[1]))
    np.add.at(means, codes, X if weight is None else weight[:, np.newaxis] * X)
    means /= np.bincount(codes, weight)[:, np.newaxis]
    centred, total = X - means[codes], len(X)
    if weight is not None:
        centred, total = np.sqrt(weight)[:, np.newaxis] * centred, weight.sum()
    if X.shape[1] > max(len(X), _MANY):
        coef = _solve_in_rows(centred, means, shrinkage, total)
    else:
        covariance = centred.T @ centred / total
        level = np.trace(covariance) / len(covariance) or 1.0  # of constant features, any
        covariance *= 1 - shrinkage
        covariance[np.diag_indices_from(covariance)] += shrinkage * level
        coef = cho_solve(cho_factor(covariance, lower=True), means.T).T
    return coef, np.log(priors) - np.einsum("ij,ij->i", means, coef) / 2


def _solve_in_rows(centred: np.ndarray, means: np.ndarray, shrinkage: float, total: float) -> np.ndarray:
    """Weights by a system as large as there are clips, by the identity of Sherman, Morrison and Woodbury."""
    part = (1 - shrinkage) / total
    level = shrinkage * (np.einsum("ij,ij->", centred, centred) / (total * centred.shape[1]) or 1.0)
    inner = part / level * (centred @ centred.T) + np.eye(len(centred))
    projected = cho_solve(cho_factor(inner, lower=True), centred @ means.T) * part / level
    return (means - (centred.T @ projected).T) / level
