"""Decide on classes from pooled probabilities or decision values, by the classifier's own rule."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from ._code_key import is_own_method
from ._messages import short
from ._pooling import first_rows, means, pool
from ._siblings import estimators_in
from ._sklearn_compat import _ovr_decision_function, fitted_layers

METHODS = ("predict_proba", "decision_function")
_THRESHOLDS = (FixedThresholdClassifier, TunedThresholdClassifierCV)


class _Echo(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose probabilities or decision values are what it is given."""

    def __init__(self, classes=(), method="predict_proba"):
        self.classes = classes
        self.method = method

    @property
    def classes_(self):
        return np.asarray(self.classes)

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @available_if(lambda self: self.method == "predict_proba")
    def predict_proba(self, X):
        return X

    @available_if(lambda self: self.method == "decision_function")
    def decision_function(self, X):
        return X

    def predict(self, X):
        return most_likely(X, self.classes_)


class _OwnEcho(_Echo):
    """The same, decided by the `predict` of a classifier of the user's."""

    def __init__(self, layer, method):
        super().__init__(layer.classes_, method)
        self.layer = layer

    def predict(self, X):
        return np.asarray(_answering(self.layer, self.method, X, []).predict(X))


def telling_method(estimator) -> str:
    """The method by which parts of a clip decide: what the estimator's own rule reads, else the most telling one."""
    rule = next(_rules(estimator), None)
    is_own = rule is not None and _is_own(rule)
    asked = _asked_by_own(rule) if is_own else getattr(rule, "response_method", "auto")
    methods = METHODS if asked == "auto" else (asked,)
    return next((method for method in methods if hasattr(estimator, method)), "predict")


def refuse_novelty(meta, estimator) -> None:
    """Refuse, before `fit`, to pool where clips are also rejected by their features, which no pooled value tells."""
    for inner in estimators_in(estimator):
        if getattr(inner, "_may_reject", False) and inner.novelty:
            raise ValueError(
                f"{type(inner).__name__}(novelty={inner.novelty}) judges features, of which there are none for pooled "
                f"values. Put it around {type(meta).__name__}, instead of inside it, or set novelty=False."
            )


def decide(estimator, method: str, values: np.ndarray, rows: np.ndarray, classes, pooling: str = "mean") -> np.ndarray:
    """Class of each clip.

    Parameters
    ----------
    estimator : classifier
        Fitted. Its own rule is applied to the pooled values: a threshold, or a rejection.
    method : {"predict_proba", "decision_function", "predict"}
        Kind of `values`.
    values : ndarray of shape (n_parts, ...)
        Values of the parts of all clips, one clip after the other.
    rows : ndarray of shape (n_parts,)
        Clip of each part.
    classes : ndarray of shape (n_classes,)
    pooling : str, default="mean"
        Pooling of probabilities.

    Returns
    -------
    labels : ndarray of shape (n_clips,)
    """
    if method == "predict":
        answers = np.unique(values)  # a rejection is among them
        known = np.concatenate([classes, answers[~np.isin(answers, classes)]])
        votes = values[:, np.newaxis] == known
        return known[np.add.reduceat(votes, first_rows(rows), axis=0, dtype=int).argmax(axis=1)]
    if method == "decision_function":
        values = scores_of_classes(estimator, values, len(classes))
    pooled = pool(values, rows, pooling) if method == "predict_proba" else means(values, rows)
    return apply_rule(estimator, method, pooled, classes)


def apply_rule(estimator, method: str, values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Class for each row of probabilities or decision values: the largest, or what the estimator's own rule says."""
    rule = next(_rules(estimator), None)
    if rule is None:
        return most_likely(values, classes)
    if (read := telling_method(estimator)) != method:
        raise ValueError(
            f"{type(rule).__name__} decides by {read}, and here are values of {method} only, as in timelines: let it "
            f"decide by {method}."
        )
    return _with_echo(estimator, _Echo(classes, method)).predict(values)


def most_likely(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Class of the largest value; with one value a row, the second class where it is positive."""
    return classes[(values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)]


def scores_of_classes(estimator, values: np.ndarray, n_classes: int) -> np.ndarray:
    """Decision values, one column a class: those of pairs (``decision_function_shape="ovo"``) become votes."""
    if values.ndim == 2 and _is_one_against_one(estimator) and values.shape[1] == n_classes * (n_classes - 1) // 2:
        return _ovr_decision_function(values < 0, -values, n_classes)
    if values.ndim == 2 and values.shape[1] != n_classes:
        raise ValueError(
            f"decision_function must have a column for each class. Got {values.shape[1]} columns and {n_classes} "
            "classes; use a classifier with predict_proba, or one against the rest."
        )
    return values


def _is_one_against_one(estimator) -> bool:
    *_, last = fitted_layers(estimator)
    while isinstance(last, BaggingClassifier):
        *_, last = fitted_layers(last.estimators_[0])
    return getattr(last, "decision_function_shape", None) == "ovo"


def check_own_rule(estimator, method: str, X: Callable) -> None:
    """Refuse a classifier of the user's whose `predict` decides otherwise than its values, and does not read them.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    method : {"predict_proba", "decision_function", "predict"}
        The method whose values are pooled.
    X : callable
        Returns some of the clips that were trained on; called only where a class of the user's decides.
    """
    own = next((layer for layer in fitted_layers(estimator) if _is_own(layer)), None)
    if own is None or method == "predict" or next(_rules(estimator), None) is not None:
        return
    clips, classes = X(), np.asarray(estimator.classes_)
    values = scores_of_classes(estimator, np.asarray(getattr(estimator, method)(clips)), len(classes))
    expected, found = most_likely(values, classes), np.asarray(estimator.predict(clips))
    if (found != expected).any():
        row = int((found != expected).argmax())
        raise ValueError(
            f"{type(own).__name__}.predict decides otherwise than by the largest value of {method}, and does not call "
            f"it, so that it cannot decide on pooled values (it says {short(found.tolist()[row])} where the largest is "
            f"that of {short(expected.tolist()[row])}). Let predict call self.{method}(X), or take a "
            "FixedThresholdClassifier."
        )


def _is_rule(layer) -> bool:
    is_known = isinstance(layer, _THRESHOLDS) or getattr(layer, "_may_reject", False)
    return is_known or (_is_own(layer) and _asked_by_own(layer) is not None)


def _is_own(layer) -> bool:
    return is_own_method(type(layer), "predict") and hasattr(layer, "classes_")


def _asked_by_own(layer) -> str | None:
    """The method whose values a `predict` of the user's reads, seen by calling it with nothing but such values."""
    n_classes = len(layer.classes_)
    values = np.full((1, n_classes), 1 / n_classes)
    for method in METHODS:
        asked: list = []
        if hasattr(layer, method):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    _answering(layer, method, values, asked).predict(values)
                except Exception:  # whatever it makes of rows that hold no features
                    continue
            if asked:
                return method
    return None


def _answering(layer, method: str, values: np.ndarray, asked: list):
    """A copy of a classifier of the user's, whose probabilities or decision values are given."""

    def answer(X, *args, **params):
        asked.append(method)
        return values

    layer = copy.copy(layer)
    vars(layer)[method] = answer
    return layer


def _rules(estimator):
    """The layers that decide by a rule of their own, the outermost first."""
    return (layer for layer in fitted_layers(estimator) if _is_rule(layer))


def _with_echo(estimator, echo: _Echo):
    """The layers that decide, around something that repeats the pooled values."""
    for layer in fitted_layers(estimator):
        if _is_own(layer) and _is_rule(layer):
            return _OwnEcho(layer, echo.method)
        if _is_rule(layer):
            layer, inner = copy.copy(layer), layer.estimator_
            layer.estimator_ = _with_echo(inner, echo)
            if isinstance(inner, Pipeline):
                layer.__dict__.pop("feature_names_in_", None)
            return layer
    return echo
