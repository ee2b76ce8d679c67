"""How sure a classifier is of its predictions."""

from __future__ import annotations

import numpy as np
from sklearn.frozen import FrozenEstimator

from ._novelty import Distance, features_of
from ._sklearn_compat import _check_method_params, _safe_indexing

METHODS = ("predict_proba", "decision_function")


def fit_predict(estimator, X, y, train, test, params, method, novelty) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the test clips: label, how sure the estimator is of it and, with `novelty`, distance from the others."""
    known, unknown = _safe_indexing(X, train), _safe_indexing(X, test)
    if not isinstance(estimator, FrozenEstimator):
        estimator.fit(known, y[train], **_check_method_params(X, params, indices=train))
    distances = np.zeros(len(test))
    if novelty:
        distances = Distance(features_of(estimator, known))(features_of(estimator, unknown))
    return *predict_with_confidence(estimator, unknown, method), distances


def predict_with_confidence(estimator, X, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Label of each clip, and how sure the estimator is of it."""
    methods = METHODS if method == "auto" else (method,)
    has = [name for name in methods if hasattr(estimator, name)]
    if not has:
        raise ValueError(
            f"{type(estimator).__name__} has none of {', '.join(methods)}, which would tell how sure it is."
        )
    labels, values = np.asarray(estimator.predict(X)), np.array(getattr(estimator, has[0])(X))
    if values.ndim == 1:  # two classes
        values = np.column_stack([-values, values]) / 2
    columns = np.searchsorted(estimator.classes_, labels)
    rows = np.arange(len(values))
    predicted = values[rows, columns]
    if has[0] == "decision_function":
        values[rows, columns] = -np.inf
        predicted = predicted - values.max(axis=1)
    return labels, predicted
