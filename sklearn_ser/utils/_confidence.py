"""How sure a classifier is of its predictions."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, check_cv

from ._messages import short
from ._novelty import Distance, features_of
from ._sklearn_compat import _check_method_params, _safe_indexing

METHODS = ("predict_proba", "decision_function")
DEFAULT_COVERAGE = 0.8  # of a classifier that may reject, where neither coverage nor risk is asked for


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


def check_reject_label(label, y: np.ndarray):
    """What stands for a rejection beside the labels y: a label of their kind, but none of them."""
    labels = np.unique(y).tolist()
    strings = all(isinstance(there, str) for there in labels)
    if label is None:
        label = "unknown" if strings else min(-1, int(labels[0]) - 1)
    if isinstance(label, str) != strings or label in labels:
        raise ValueError(
            "reject_label must be a string where labels are, else an integer, and not be one of them. "
            f"Got {short(label)} beside the labels {short(labels)}."
        )
    return label


def splits_by_speaker(cv, X, y: np.ndarray, groups) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of training and test of each fold; an int or None keeps groups, if there are any, on one side."""
    if groups is not None:
        n_speakers = len(np.unique(groups))
        if n_speakers == 1:
            raise ValueError("There must be two speakers at least, or none could be left out. Got one.")
        if cv is None or isinstance(cv, Integral):
            cv = GroupKFold(min(5 if cv is None else cv, n_speakers))
    return list(check_cv(cv, y, classifier=True).split(X, y, groups))
