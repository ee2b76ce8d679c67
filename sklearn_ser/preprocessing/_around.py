"""Base of the transformers that scale what another transformer makes of clips."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_array, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from ..utils._frames import check_frames
from ..utils._sklearn_compat import _raise_for_params, keep_output
from ..utils._versions import VersionedMixin


class AroundTransformer(TransformerMixin, VersionedMixin, BaseEstimator):
    """Fit `transformer` to X as it is, and scale what comes out: features or frames.

    A subclass calls `_fit_transformer` in its `fit`.
    """

    def _fit_transformer(self, X, y, params: dict) -> np.ndarray:
        """Fit a clone of the transformer, and return what it makes of X."""
        _raise_for_params(params, self, "fit")
        routed = process_routing(self, "fit", **params).transformer.fit_transform if params else {}
        self.transformer_ = clone(self.transformer)
        values = self._check_values(self.transformer_.fit_transform(X, y, **routed))
        self._makes_frames = values.ndim == 3
        keep_output(self, self._makes_frames)
        return values

    def _check_values(self, values) -> np.ndarray:
        if getattr(values, "ndim", 2) == 3:
            check_frames(values)
            return values
        return check_array(
            values, dtype=[np.float64, np.float32], input_name=f"What {type(self.transformer).__name__} makes"
        )

    def get_feature_names_out(self, input_features=None):
        """Names of the values: those of the transformer.

        Parameters
        ----------
        input_features : array-like of str or None

        Returns
        -------
        names : ndarray of shape (n_values,), object
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    def set_output(self, *, transform=None):
        """Set the container of features; frames have no form as a DataFrame and stay arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None

        Returns
        -------
        self
        """
        return self if getattr(self, "_makes_frames", False) else super().set_output(transform=transform)

    def get_metadata_routing(self):
        """Say which metadata the transformer's `fit` takes.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit_transform")
        mapping.add(caller="fit_transform", callee="fit_transform")
        return MetadataRouter(owner=self).add(transformer=self.transformer, method_mapping=mapping)

    @property
    def n_features_in_(self):
        """Number of input features, as the fitted transformer has it."""
        return self.transformer_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the input features, as the fitted transformer has them."""
        return self.transformer_.feature_names_in_

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.transformer)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.transformer_tags = inner.transformer_tags
        tags.input_tags.allow_nan = False  # one that passes NaN on makes neither features nor frames of it
        return tags
