"""All uses of scikit-learn's private helpers, in one module.

Known are scikit-learn 1.6.1 to 1.9.1, of which the first and the last are tested. Moves and renames of later versions
are mended here, and nowhere else.
"""

from collections.abc import Callable, Iterator

from sklearn.base import _clone_parametrized
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import _ovr_decision_function
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_method_params,
    _check_n_features,
    _check_sample_weight,
    _check_y,
    _num_samples,
)

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """There are no callbacks to support."""

        def _init_callback_context(self, **how):
            return None

    def with_callbacks(method):
        return method


__all__ = [
    "BaseSearchCV",
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_check_feature_names_in",
    "_check_method_params",
    "_check_n_features",
    "_check_sample_weight",
    "_check_y",
    "_clone_parametrized",
    "_num_samples",
    "_ovr_decision_function",
    "_raise_for_params",
    "_safe_indexing",
    "check_matplotlib_support",
    "estimator_has",
    "fitted_layers",
    "keep_output",
    "with_callbacks",
]


def estimator_has(method: str) -> Callable:
    """Return a check for `available_if`: whether a meta-estimator's `estimator`, fitted or not, has the method."""

    def check(meta) -> bool:
        getattr(getattr(meta, "estimator_", meta.estimator), method)  # its own AttributeError says most
        return True

    return check


def fitted_layers(estimator) -> Iterator:
    """An estimator, and what is in it, level by level: what a meta-estimator has fitted, a Pipeline's last step."""
    while estimator is not None:
        yield estimator
        if isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        else:
            estimator = getattr(estimator, "best_estimator_", getattr(estimator, "estimator_", None))


def keep_output(estimator, keep: bool) -> None:
    """Return whether to leave the transformer's output as it is, whatever `set_output` asks for."""
    if keep:
        estimator._sklearn_auto_wrap_output_keys = set()
    else:
        vars(estimator).pop("_sklearn_auto_wrap_output_keys", None)
