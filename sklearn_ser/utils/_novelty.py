"""How far clips lie from those that a pipeline was trained on, in the features that its classifier reads."""

from __future__ import annotations

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

_LIMIT = 2.0  # standard scores are bounded by this, so that no single feature decides
_SHRINKAGE = 0.3  # of their covariance, towards a multiple of the identity


class Distance:
    """Mahalanobis distance from the training clips, squared, of bounded standard scores; their mean is about 1."""

    def __init__(self, features: np.ndarray):
        features = np.asarray(features, dtype=np.float64)
        self._mean, scale = features.mean(axis=0), features.std(axis=0)
        self._scale = np.where(scale > 1e-9 * np.maximum(np.abs(self._mean), 1e-9), scale, 1.0)
        scores = self._scores(features)
        self._centre = scores.mean(axis=0)
        covariance = (scores - self._centre).T @ (scores - self._centre) / len(scores)
        level = np.trace(covariance) / len(covariance) or 1.0
        covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * level * np.eye(len(covariance))
        self._root = np.linalg.inv(np.linalg.cholesky(covariance))
        self._unit = 1.0
        self._unit = self(features).mean() or 1.0

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Of each clip, (n_clips,)."""
        deviations = (self._scores(np.asarray(features, dtype=np.float64)) - self._centre) @ self._root.T
        return np.einsum("ij,ij->i", deviations, deviations) / self._unit

    def _scores(self, features: np.ndarray) -> np.ndarray:
        return _LIMIT * np.tanh((features - self._mean) / (_LIMIT * self._scale))


def features_of(estimator, X) -> np.ndarray:
    """What a fitted estimator's last step is given, (n_clips, n_features); X itself where it has but one step.

    Of frames, their mean and standard deviation over time.
    """
    while not isinstance(estimator, Pipeline):
        inner = estimator.estimator if isinstance(estimator, FrozenEstimator) else vars(estimator).get("estimator_")
        if inner is None:
            break
        estimator = inner
    features = X
    while isinstance(estimator, Pipeline):
        features = estimator[:-1].transform(features) if len(estimator) > 1 else features
        estimator = estimator[-1]
    features = features.to_numpy() if hasattr(features, "to_numpy") else features
    features = features if isinstance(features, np.ndarray) and features.dtype != object else _table(features)
    if features.ndim == 3:
        features = np.concatenate([np.nanmean(features, axis=1), np.nanstd(features, axis=1)], axis=1)
    if features.ndim != 2 or features.dtype.kind not in "fiub":
        raise _no_features()
    return features


def _table(features) -> np.ndarray:
    try:
        return np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError):
        raise _no_features() from None


def _no_features() -> ValueError:
    return ValueError(
        "novelty is measured in features: the estimator must be a Pipeline (or an AugmentedClassifier of one) whose "
        "steps before the classifier make numbers of the clips, or be given a table of numbers."
    )
