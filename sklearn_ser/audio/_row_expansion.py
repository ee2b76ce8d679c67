"""Bases of the estimators that expand rows inside `fit`: copies or segments of a clip, with the clip's metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_consistent_length, check_is_fitted, has_fit_parameter

from ..utils._columns import refuse_missing
from ..utils._decisions import check_own_rule, telling_method
from ..utils._siblings import ROWS, calibrates, keep_together, stops_early
from ..utils._sklearn_compat import HasMethods, _check_method_params
from ..utils._tables import CLIPS, part_columns, table_column, table_of
from ..utils._versions import VersionedMixin
from ._input import as_clips


class RowExpandingEstimator(VersionedMixin, BaseEstimator):
    """Base of the meta-estimators of audio input that fit `estimator` to more rows than there are clips.

    A subclass says in `_parts` what its rows are of a clip, and calls `_check_fit` and `_fit_rows` in its `fit`.
    """

    n_features_in_: int

    # The wrapped classifier takes them; this one takes nothing for itself.
    __metadata_request__fit = {"sample_weight": UNUSED, "groups": UNUSED}

    _parameter_constraints: dict = {"estimator": [HasMethods(["fit", "predict"])]}
    _parts: str
    _fitted: str  # the attribute that tells that it is
    _expands_rows = True

    def get_metadata_routing(self):
        """Say which metadata the estimator's methods take.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping()
        for method, callee in self._callees().items():
            mapping.add(caller=method, callee=callee)
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def _callees(self) -> dict[str, str]:
        """Map each method to the method of the estimator that it calls."""
        return {"fit": "fit", "predict": "predict"}

    def _check_fit(self, X, y, sample_weight, groups) -> tuple[Sequence, Any]:
        """Check parameters and arguments of `fit`, and clone the estimator; the clips, and y."""
        self._validate_params()
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        self._check_kind()
        _check_reads_audio(self)
        clips = as_clips(X, type(self).__name__)
        refuse_missing(y, "y")
        refuse_missing(groups, "groups")
        y = self._check_targets(y)
        check_consistent_length(clips, y, groups, sample_weight if hasattr(sample_weight, "__len__") else None)
        self.estimator_ = clone(self.estimator)
        return clips, y

    def _check_kind(self) -> None:
        """Refuse an estimator that predicts something else, before anything is computed."""
        own, kind = self.__sklearn_tags__().estimator_type, get_tags(self.estimator).estimator_type
        last, _ = _final_step(self.estimator)
        if isinstance(last, RowExpandingEstimator):
            last._check_kind()
        if kind not in (None, own):
            name, inner = type(self).__name__, type(last).__name__
            other = name.replace(own.title(), kind.title())
            use = f"use {other}" if kind in ("classifier", "regressor") else f"end the pipeline in a {own}"
            raise ValueError(f"{name} takes a {own}, and {inner} is a {kind.replace('_', ' ')}: {use}.")

    def _check_targets(self, y):
        return y

    def _fit_rows(self, X, y, clips: Sequence, multiplied: list, rows: np.ndarray, given: dict) -> None:
        """Fit the estimator to clips made from those in `rows` of X, with the labels and metadata of those rows."""
        given = {name: value for name, value in given.items() if value is not None}
        params, routing = self._fit_params(given, clips, rows)
        repeated = _check_method_params(clips, {**params, "y": y}, indices=rows)
        with config_context(enable_metadata_routing=routing):
            self.estimator_.fit(in_form_of(X, multiplied, rows), **repeated)
        self._learn_outputs()
        if isinstance(clips, np.ndarray):
            self.n_features_in_ = clips.shape[1]
        elif "n_features_in_" in vars(self):
            del self.n_features_in_

    def _fit_params(self, given: dict, clips: Sequence, rows: np.ndarray) -> tuple[dict, bool]:
        """Return the arguments of `fit` besides X and y, one value a clip, and whether by metadata routing."""
        final, prefix = _final_step(self.estimator_)
        routing = get_config()["enable_metadata_routing"]
        outer = given.pop(ROWS, None)  # this estimator's clips are copies or segments themselves
        if routing:
            params = dict(process_routing(self, "fit", **given).estimator.fit) if given else {}
        else:
            own = ("sample_weight", "groups")
            params = {prefix + name if name in own else name: value for name, value in given.items()}
        if outer is None and len(np.unique(rows)) == len(rows):
            return params, routing
        last = final
        while isinstance(last, RowExpandingEstimator):
            last, _ = _final_step(last.estimator)
        groups = None if routing else given.get("groups")
        repeated = _check_method_params(clips, {"groups": groups}, indices=rows)["groups"]
        hidden, is_wrapped = keep_together(self.estimator_, rows, repeated, self._parts, last)
        belong = np.arange(len(clips)) if outer is None else outer
        is_told = calibrates(last) or stops_early(last)
        if hidden and not routing:
            params = self._routed_instead(params, prefix)
            belong, routing = belong if groups is None else groups, True
        if hidden or (is_told and outer is not None and last is not self.estimator_):
            for consumer in hidden + ([last] if is_told else []):
                if calibrates(consumer) or consumer is last:
                    _request_rows(consumer, params)
            return {ROWS: belong, **params}, True
        if not is_told:
            if is_wrapped and not routing and not has_fit_parameter(final, "groups"):
                params.pop(f"{prefix}groups", None)  # the splitters have them
            return params, routing
        if not routing or last is self.estimator_:
            return {f"{prefix}groups": belong, **params}, routing
        return {_request_rows(last, params): belong, **params}, routing

    def _routed_instead(self, params: dict, prefix: str) -> dict:
        """The parameters of `fit`, where the rows that belong together can be told by metadata routing only."""
        others = sorted(params.keys() - {f"{prefix}groups"})
        if others:
            raise ValueError(
                f"{', '.join(others)} cannot be given to this estimator without metadata routing, because something "
                f"inside it must be told which {self._parts} belong to one clip. Switch routing on, "
                "sklearn.set_config(enable_metadata_routing=True), and request them by set_fit_request."
            )
        return {}

    def _learn_outputs(self) -> None:
        """Take over what the fitted estimator tells of its outputs."""
        raise NotImplementedError

    def _delegate(self, method: str, X, params: dict):
        check_is_fitted(self, self._fitted)
        callee = self._callees()[method]
        if params and get_config()["enable_metadata_routing"]:
            params = process_routing(self, method, **params).estimator[callee]
        return getattr(self.estimator_, callee)(X, **params)

    def _of_parts(self, method: str, X, params: dict, part: Callable) -> tuple[np.ndarray, np.ndarray]:
        """Return the estimator's output for the parts of each clip, and the row of the clip that each part is from.

        ``part(clips)`` returns these rows and the parts, one clip after the other.
        """
        check_is_fitted(self, self._fitted)
        clips = as_clips(X)
        rows, parts = part(clips)
        repeated = _check_method_params(clips, params, indices=rows)
        return self._delegate(method, in_form_of(X, parts, rows), repeated), rows

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.classifier_tags = inner.classifier_tags or tags.classifier_tags
        tags.regressor_tags = inner.regressor_tags or tags.regressor_tags
        tags.target_tags = inner.target_tags
        tags.input_tags.string = True
        return tags


class RowExpandingClassifier(ClassifierMixin, RowExpandingEstimator):
    """Base of those around classifiers."""

    _fitted = "classes_"

    def _check_targets(self, y):
        shape = np.asarray(y).shape
        return column_or_1d(y, warn=True) if len(shape) == 2 and shape[1] == 1 else y

    def _learn_outputs(self) -> None:
        self.classes_ = self.estimator_.classes_

    def _callees(self) -> dict[str, str]:
        return {**super()._callees(), "predict_proba": "predict_proba", "decision_function": "decision_function"}

    def _most_telling(self) -> str:
        """The estimator's method by which parts of a clip decide: by probabilities, if there are any."""
        return telling_method(getattr(self, "estimator_", self.estimator))

    def _check_own_rule(self, X, params: dict) -> None:
        """Refuse a classifier of the user's that pooled values cannot be decided by: seen on 20 clips of `fit`."""

        def some_clips():
            clips = as_clips(X)
            rows = np.unique(np.linspace(0, len(clips) - 1, 20).astype(int))
            return in_form_of(X, [clips[row] for row in rows.tolist()], rows)

        if not params:
            check_own_rule(self.estimator_, self._callees()["predict"], some_clips)


class RowExpandingRegressor(RegressorMixin, RowExpandingEstimator):
    """Base of those around regressors: y is (n_clips,) or (n_clips, n_values)."""

    _fitted = "target_names_"

    def _check_targets(self, y):
        shape = np.asarray(y).shape
        n_values = shape[1] if len(shape) == 2 else 1
        names = getattr(y, "columns", None)
        names = [getattr(y, "name", None)] if names is None and len(shape) == 1 else names
        if names is None or any(name is None for name in names):
            names = ["value"] if n_values == 1 else [f"value_{k}" for k in range(n_values)]
        self._names = [str(name) for name in names]
        return y

    def _learn_outputs(self) -> None:
        self.target_names_ = self._names


def _check_reads_audio(meta) -> None:
    """Refuse an estimator that is known to read features, and would be given clips."""
    first = meta.estimator
    while isinstance(first, Pipeline):
        steps = [step for _, step in first.steps if step not in (None, "passthrough")]
        if not steps:
            return
        first = steps[0]
    tags, wraps = get_tags(first), any(hasattr(inner, "fit") for inner in first.get_params().values())
    is_known = type(first).__module__.split(".")[0] in ("sklearn", "sklearn_ser")
    if is_known and not (wraps or tags.input_tags.string or tags.no_validation):
        own, reader = type(meta).__name__, type(first).__name__
        raise ValueError(
            f"{own} hands audio to its estimator, and {reader} reads features. Put what reads audio inside, not "
            f"before: {own}(make_pipeline(HandcraftedFeatures(), {reader}()))."
        )


def in_form_of(X, clips: list, rows: np.ndarray):
    """The clips, as audio input of the form that X has: a DataFrame's other columns are those of `rows`.

    The clips stand in a column `path`. Columns that say which part of a recording a clip is are left out, because the
    clips know that themselves.
    """
    X = table_of(X)
    if not hasattr(X, "columns") or not any(table_column(X, name) is not None for name in CLIPS):
        return clips
    parts = [column.name for column in part_columns(X).values()]
    used = [name for name in (*CLIPS, *parts) if name in X.columns and name != "path"]
    if not hasattr(X, "iloc"):  # polars
        import polars

        return X[rows.tolist()].drop(used).with_columns(polars.Series("path", clips, dtype=polars.Object))
    return X.iloc[rows].reset_index(drop=True).drop(columns=used).assign(path=pd.Series(clips, dtype=object))


def _final_step(estimator) -> tuple[BaseEstimator, str]:
    """The classifier at a pipeline's end, and what the names of its `fit` parameters begin with."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return estimator, prefix


def _request_rows(consumer, params: dict) -> str:
    """Let a classifier's `fit` request the clip of each row as `groups`, if the user's groups are not there; the name.

    Others hand on what is requested of them, under the name in the request.
    """
    with config_context(enable_metadata_routing=True):
        request = consumer.get_metadata_routing().fit.requests.get("groups")
        name = request if isinstance(request, str) else "groups" if request else None
        if name not in params:  # under a name of its own, which no other step can have requested
            name = ROWS
            consumer.set_fit_request(groups=name)
    return name
