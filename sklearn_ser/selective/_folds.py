"""Folds of speakers in which a classifier learns how sure is sure enough."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.pipeline import Pipeline

from ..utils._columns import refuse_missing
from ..utils._confidence import predict_with_confidence
from ..utils._messages import short
from ..utils._siblings import takes_groups
from ..utils._sklearn_compat import BaseSearchCV, _check_method_params, _safe_indexing
from ._novelty import Distance, features_of


def fit_predict(estimator, X, y, train, test, params, method, novelty) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predict the test clips: labels, how sure the estimator is and, with `novelty`, distances from the others."""
    known, unknown = _safe_indexing(X, train), _safe_indexing(X, test)
    if not isinstance(estimator, FrozenEstimator):
        estimator.fit(known, y[train], **_check_method_params(X, params, indices=train))
    distances = np.zeros(len(test))
    if novelty:
        distances = Distance(features_of(estimator, known))(features_of(estimator, unknown))
    return *predict_with_confidence(estimator, unknown, method), distances


def check_reject_label(label, y: np.ndarray):
    """Return a label for rejections: of the kind of the labels y, but none of them."""
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


def speakers_of(X, groups, column: str | None) -> np.ndarray | None:
    """Speaker of each clip, from `groups` or else from a column of X; None if clips are independent."""
    if groups is not None or column is None:
        refuse_missing(groups, "groups")
        return groups
    if column in getattr(X, "columns", ()):
        refuse_missing(X[column], f"Column {short(column)} of X")
        return np.asarray(X[column])
    raise ValueError(
        f"Nothing tells who speaks: pass groups to fit, or a DataFrame with a column {short(column)}. "
        "speaker=None takes clips to be independent."
    )


def groups_of_search(estimator, groups) -> dict:
    """The speakers, as an argument of `fit` of a search at the estimator's end whose splitter takes groups."""
    prefix, last = "", estimator
    while isinstance(last, Pipeline):
        name, last = last.steps[-1]
        prefix += f"{name}__"
    wants = isinstance(last, BaseSearchCV) and takes_groups(last.cv)
    return {f"{prefix}groups": groups} if wants and groups is not None else {}
