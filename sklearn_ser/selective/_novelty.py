"""Distance of clips from those that a pipeline was trained on, in the features that its classifier reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import StackingClassifier, VotingClassifier
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
        variance = np.trace(covariance) / len(covariance) or 1.0
        covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * variance * np.eye(len(covariance))
        self._root = np.linalg.inv(np.linalg.cholesky(covariance))
        self._unit = 1.0
        self._unit = self(features).mean() or 1.0

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Measure each clip, (n_clips,)."""
        deviations = (self._scores(np.asarray(features, dtype=np.float64)) - self._centre) @ self._root.T
        return np.einsum("ij,ij->i", deviations, deviations) / self._unit

    def _scores(self, features: np.ndarray) -> np.ndarray:
        return _LIMIT * np.tanh((features - self._mean) / (_LIMIT * self._scale))


def features_of(estimator, X) -> np.ndarray:
    """Return the input of a fitted estimator's last step, (n_clips, n_features); X itself where it has but one step.

    Members of searches, votes, stacks, calibration and thresholds are entered: several members give the features of all
    of them, side by side. Frames become their mean and standard deviation over time.
    """
    found = _read(estimator, X)
    found = [_two_dimensional(features) for features in ([X] if found is None else found)]
    features = found[0] if len(found) == 1 else np.concatenate(found, axis=1)
    if features.ndim != 2 or features.dtype.kind not in "fiub":
        raise _no_features()
    return features


def _read(estimator, X) -> list | None:
    """Tables of features that the pipelines in an estimator make of X; None if there is no pipeline."""
    if isinstance(estimator, Pipeline):
        features = estimator[:-1].transform(X) if len(estimator) > 1 else X
        inner = _read(estimator[-1], features) if isinstance(estimator[-1], Pipeline) else None
        return [features] if inner is None else inner
    for inner in _held(estimator):
        found = [features for member in inner for features in _read(member, X) or []]
        if found:
            return found
    return None


def _held(estimator) -> Iterator[list]:
    """Fitted estimators that an estimator predicts by: a single one, or several members."""
    if isinstance(estimator, FrozenEstimator):
        yield [estimator.estimator]
    fitted = vars(estimator) if hasattr(estimator, "__dict__") else {}
    calibrated = fitted.get("calibrated_classifiers_")
    if calibrated:  # each is fitted to some of the clips; any of them tells
        yield [calibrated[0].estimator]
    members = fitted.get("estimators_")
    if isinstance(members, list) and members:
        is_committee = isinstance(estimator, (VotingClassifier, StackingClassifier))
        yield members if is_committee else members[:1]
    # After the members, because `estimator_` of bagging is an unfitted template.
    yield from ([fitted[name]] for name in ("best_estimator_", "estimator_", "regressor_") if name in fitted)


def _two_dimensional(features) -> np.ndarray:
    features = features.to_numpy() if hasattr(features, "to_numpy") else features
    features = features if isinstance(features, np.ndarray) and features.dtype != object else _table(features)
    if features.ndim == 3:
        features = np.concatenate([np.nanmean(features, axis=1), np.nanstd(features, axis=1)], axis=1)
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
