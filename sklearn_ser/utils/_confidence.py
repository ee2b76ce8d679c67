"""Confidence of a classifier in its predictions."""

from __future__ import annotations

import numpy as np

from ._decisions import METHODS, scores_of_classes

DEFAULT_COVERAGE = 0.8  # of a classifier that may reject, where neither coverage nor risk is asked for


def predict_with_confidence(estimator, X, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Label of each clip, and how sure the estimator is of it."""
    methods = METHODS if method == "auto" else (method,)
    has = [name for name in methods if hasattr(estimator, name)]
    if not has:
        raise ValueError(
            f"{type(estimator).__name__} has none of {', '.join(methods)}, which would tell how sure it is."
        )
    labels, values = np.asarray(estimator.predict(X)), np.array(getattr(estimator, has[0])(X))
    classes = np.asarray(estimator.classes_)
    if values.ndim == 1:  # two classes
        values = np.column_stack([-values, values]) / 2
    elif has[0] == "decision_function":
        values = scores_of_classes(estimator, values, len(classes)).astype(float)
    matches = labels[:, np.newaxis] == classes  # which need not be sorted
    rows, columns = np.arange(len(values)), matches.argmax(axis=1)
    predicted = np.where(matches.any(axis=1), values[rows, columns], -np.inf)  # what is no class is a rejection
    if has[0] == "decision_function":
        values[rows, columns] = -np.inf
        predicted = predicted - values.max(axis=1)
    return labels, predicted
