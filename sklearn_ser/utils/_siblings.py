"""Keep rows that were made of one clip on the same side of every split below a meta-estimator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GroupKFold,
    StratifiedGroupKFold,
    StratifiedShuffleSplit,
    check_cv,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import SVC, NuSVC
from sklearn.utils.metadata_routing import MetadataRequest, MetadataRouter
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import has_fit_parameter

from ._sklearn_compat import _num_samples, _safe_indexing

ROWS = "rows_of_clips"  # the name under which routing carries the clip of each row

# Meta-estimators that fit what they hold to all rows, in their order.
_WHOLE = (
    *(Pipeline, FeatureUnion, ColumnTransformer, VotingClassifier, VotingRegressor, SelectFromModel),
    *(FixedThresholdClassifier, TransformedTargetRegressor, OneVsRestClassifier),
    *(MultiOutputClassifier, MultiOutputRegressor),
)
_CHAINS = (ClassifierChain, RegressorChain)  # which split rows only where cv is given
_GRIDS = ("param_grid", "param_distributions", "search_spaces")
_SWITCHES = ("cv", "early_stopping", "n_iter_no_change", "probability")


class ClipFolds:
    """A splitter of clips, applied to rows that are copies or segments of them.

    The splitter sees one row of each clip; all rows of a clip go where the clip goes.

    Parameters
    ----------
    cv : int, float, splitter, iterable of splits, or None
        The parameter `cv` of a meta-estimator of scikit-learn.
    rows : ndarray of shape (n_rows,) or None
        Clip of each row. None takes them from metadata routing.
    groups : array-like of shape (n_rows,) or None
        Such as speakers. They are given to splitters that take groups, and kept on one side where `cv` is an int.
    classifier : bool
        True if an int stands for stratified folds.
    """

    def __init__(self, cv, rows, groups, classifier):
        self.cv = list(cv) if isinstance(cv, Iterator) else cv
        self.rows = rows
        self.groups = groups
        self.classifier = classifier

    def __repr__(self):
        return f"ClipFolds({self.cv!r})"

    def split(self, X, y=None, groups=None, rows_of_clips=None):
        """Yield rows of training and test of each fold."""
        rows = self.rows if self.rows is not None or rows_of_clips is None else np.asarray(rows_of_clips)
        if rows is None or len(rows) != _num_samples(X):
            raise ValueError(
                "Copies or segments of a clip would stand on both sides of a split, because nothing tells here which "
                f"rows belong together: {_num_samples(X)} rows to be split by {self.cv!r}. Put the meta-estimator that "
                "splits around the one that makes copies or segments, instead of inside it."
            )
        _, first, clip = np.unique(rows, return_index=True, return_inverse=True)
        groups = self.groups if groups is None else groups
        groups = None if groups is None else np.asarray(_safe_indexing(groups, first))
        y = None if y is None else _safe_indexing(y, first)
        splitter = self._splitter(y, groups)
        given = groups if takes_groups(splitter) or isinstance(splitter, ClipFolds) else None
        for train, test in splitter.split(_safe_indexing(X, first), y, given):
            yield np.flatnonzero(np.isin(clip, train)), np.flatnonzero(np.isin(clip, test))

    def get_n_splits(self, X=None, y=None, groups=None, rows_of_clips=None):
        """Number of folds."""
        cv = self._splitter(y, None)
        if not takes_groups(cv) or X is None:
            return cv.get_n_splits(X, y, groups) if not isinstance(self.cv, Integral | None) else cv.get_n_splits()
        return len(list(self.split(X, y, groups, rows_of_clips)))

    def get_metadata_routing(self):
        """Ask for the clip of each row, and for groups where the splitter takes them."""
        requests = MetadataRequest(owner=self)
        requests.split.add_request(param=ROWS, alias=True)
        if takes_groups(self.cv):
            requests.split.add_request(param="groups", alias=self.cv.get_metadata_routing().split.requests["groups"])
        return requests

    def _splitter(self, y, groups):
        if isinstance(self.cv, Real) and not isinstance(self.cv, Integral):
            return StratifiedShuffleSplit(1, test_size=self.cv, random_state=0)
        n_groups = 0 if groups is None else len(np.unique(groups))
        if n_groups > 1 and (self.cv is None or isinstance(self.cv, Integral)):
            n_folds = min(5 if self.cv is None else self.cv, n_groups)
            classes = self.classifier and type_of_target(y) in ("binary", "multiclass")
            return StratifiedGroupKFold(n_folds) if classes else GroupKFold(n_folds)
        return check_cv(self.cv, y, classifier=self.classifier)


def takes_groups(splitter) -> bool:
    """Return whether a splitter of scikit-learn's kind splits by groups."""
    if not hasattr(splitter, "get_metadata_routing"):
        return False
    requests = getattr(splitter.get_metadata_routing(), "split", None)
    return requests is not None and requests.requests.get("groups") not in (None, False)


class Place(NamedTuple):
    """Place of an estimator below a meta-estimator."""

    estimator: Any
    above: tuple  # the estimators that hold it, the outermost first
    is_whole: bool  # it is fitted to all rows, in their order
    sampler: Any  # which makes other rows before it, if any


def keep_together(estimator, rows: np.ndarray, groups, parts: str, last) -> tuple[list, bool]:
    """Let whatever splits rows below `estimator` split clips instead.

    Splitters are wrapped, in place. Estimators that must be told the clip of each row are returned; those that cannot
    be told are refused.

    Parameters
    ----------
    estimator : estimator
        A clone that nobody else holds.
    rows : ndarray of shape (n_rows,)
        Clip of each row.
    groups : array-like of shape (n_rows,) or None
    parts : str
        "copies" or "segments", for errors.
    last : estimator
        The last step, which can be told by its own argument `groups`.

    Returns
    -------
    hidden : list of estimators
        They must be told the clip of each row by metadata routing.
    is_wrapped : bool
        True if any splitter was wrapped.

    Raises
    ------
    ValueError
        If an estimator splits rows and cannot be told which of them belong together.
    """
    hidden, is_wrapped = [], False
    for place in list(_places(estimator)):
        node = place.estimator
        _refuse_what_cannot_be_told(place, parts, last)
        if calibrates(node) and node is not last:
            hidden.append(node)
        if has_splitter(node):
            if isinstance(node.cv, ClipFolds) and node.cv.rows is None:  # an outer meta-estimator tells it
                hidden.append(node)
                continue
            positions = (rows, groups) if place.is_whole else (None, None)
            node.set_params(cv=ClipFolds(node.cv, *positions, _stratifies(node)))
            is_wrapped = True
            if not place.is_whole:
                hidden.append(node)
    return hidden, is_wrapped


def calibrates(estimator) -> bool:
    """Return whether it holds out clips of its own, and its `fit` takes the groups that belong together."""
    return bool(getattr(estimator, "_splits_clips", False)) and getattr(estimator, "cv", None) != 0


def stops_early(estimator) -> bool:
    """Return whether it may hold out a part of its training clips, by scikit-learn's two ways to say so."""
    by_count = getattr(estimator, "n_iter_no_change", None) is not None
    value = getattr(estimator, "early_stopping", by_count)
    return value == "auto" if isinstance(value, str) else value in (True,)


def has_splitter(estimator) -> bool:
    """Return whether it splits its rows by a parameter `cv`."""
    params = _params(estimator)
    if "cv" not in params or getattr(estimator, "_splits_clips", False) or isinstance(params["cv"], str):
        return False
    if isinstance(estimator, _CHAINS):
        return params["cv"] is not None
    return getattr(estimator, "speaker", None) is None  # by speakers, clips stay together


def _places(estimator, above=(), is_whole=True, sampler=None) -> Iterator[Place]:
    """The estimator, and all estimators that it holds, at any depth."""
    yield Place(estimator, above, is_whole, sampler)
    if isinstance(estimator, FrozenEstimator):
        return
    is_whole = is_whole and (
        isinstance(estimator, _WHOLE)
        or getattr(estimator, "_expands_rows", False)
        or (isinstance(estimator, _CHAINS) and not has_splitter(estimator))
    )
    for name, value in _params(estimator).items():
        if name not in _GRIDS:
            for inner in _estimators(value):
                yield from _places(inner, (*above, estimator), is_whole, sampler)
                if isinstance(estimator, Pipeline) and hasattr(inner, "fit_resample"):
                    sampler = inner


def _routes(estimator) -> bool:
    if isinstance(estimator, (StackingClassifier, StackingRegressor)):
        return False  # which route twice, and lose a request under another name
    try:
        return isinstance(estimator.get_metadata_routing(), MetadataRouter)
    except (AttributeError, NotImplementedError, RecursionError):  # the last is RidgeClassifierCV's
        return False


def estimators_in(estimator) -> Iterator:
    """The estimator, and all estimators that it holds, at any depth."""
    return (place.estimator for place in _places(estimator))


def _estimators(value) -> Iterator:
    if hasattr(value, "fit") and not isinstance(value, type):
        yield value
    elif isinstance(value, (list, tuple)):
        for element in value:
            yield from _estimators(element)
    elif isinstance(value, Mapping):
        for element in value.values():
            yield from _estimators(element)


def _params(estimator) -> dict:
    return estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}


def _stratifies(estimator) -> bool:
    inner = getattr(estimator, "estimator", None)
    return is_classifier(estimator) or (inner is not None and is_classifier(inner))


def _calibrates_itself(estimator) -> bool:
    return isinstance(estimator, (SVC, NuSVC)) and estimator.probability is True


def _refuse_what_cannot_be_told(place: Place, parts: str, last) -> None:
    node, sampler = place.estimator, place.sampler
    name, sides = type(node).__name__, f"so that {parts} of a clip would stand on both sides"
    holder = type(place.above[-1]).__name__ if place.above else ""
    if stops_early(node) and not (node is last and has_fit_parameter(node, "groups")):
        if not place.above or node is last:
            raise ValueError(
                f"{name} stops early on a part of the clips that it splits off without regard to groups, {sides}. "
                "Turn its early stopping off, or use one whose fit takes groups, such as CNNLSTMClassifier."
            )
        raise ValueError(
            f"{name} stops early inside {holder}, where groups cannot reach it, {sides} of its split. "
            "Turn its early stopping off, or make it the last step itself."
        )
    if _calibrates_itself(node):
        raise ValueError(
            f"{name}(probability=True) calibrates its probabilities by folds of its own, {sides}. Use "
            f"CalibratedClassifierCV({name}(), ensemble=False), whose folds keep clips together."
        )
    for grid in (value for key, value in _params(node).items() if key in _GRIDS):
        _refuse_grid(node, grid, sides)
    splits = calibrates(node) or has_splitter(node)
    if splits and sampler is not None:
        raise ValueError(
            f"{type(sampler).__name__} changes the rows before {name} splits them, {sides}. Leave the sampler out and "
            "pass sample_weight, or end the pipeline in a classifier that holds no clips out."
        )
    needs_routing = not place.is_whole or (calibrates(node) and node is not last)
    if splits and needs_routing and not all(map(_routes, place.above)):
        raise ValueError(
            f"{name} holds clips out inside {holder}, where groups cannot reach it, {sides}. Make it "
            "the last step itself, or put what tunes around the meta-estimator."
        )


def _refuse_grid(search, grid, sides: str) -> None:
    for one in [grid] if isinstance(grid, Mapping) else grid:
        for key, values in one.items():
            values = values if isinstance(values, (list, tuple, np.ndarray)) else [values]
            inner = [place.estimator for found in _estimators(list(values)) for place in _places(found)]
            splitting = [
                e for e in inner if has_splitter(e) or calibrates(e) or stops_early(e) or _calibrates_itself(e)
            ]
            switched = key.split("__")[-1] in _SWITCHES and any(v is not None and v is not False for v in values)
            if switched or splitting:
                what = type(splitting[0]).__name__ if splitting else f"{key}={list(values)!r}"
                raise ValueError(
                    f"{type(search).__name__} tries {what}, which holds rows out where they cannot be told apart, "
                    f"{sides}. Put the search around the meta-estimator, instead of inside it."
                )
