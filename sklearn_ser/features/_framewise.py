"""Scikit-learn's transformers on frames, and the way from frames to features."""

from __future__ import annotations

from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from ..utils._frames import FramesMixin, validate_frames
from ..utils._sklearn_compat import HasMethods, _check_feature_names_in, _raise_for_params
from ..utils._versions import VersionedMixin


def _real(lengths: np.ndarray, n_frames: int) -> np.ndarray:
    """Mask of the frames that are not padding, (n_clips, n_frames)."""
    return np.arange(n_frames) < lengths[:, np.newaxis]


class FrameWise(FramesMixin, TransformerMixin, VersionedMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Apply a scikit-learn transformer to single frames, skipping padding.

    The transformer sees the real frames of all clips as its samples, (n_frames_of_all_clips, n_features): a
    `StandardScaler` learns mean and deviation of each mel band, a `PCA` its directions. Features, (n_clips,
    n_features), are handed to it as they are.

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ser import FrameWise
    >>> frames = np.array([[[1.0], [3.0]], [[5.0], [np.nan]]])
    >>> FrameWise(StandardScaler()).fit_transform(frames).round(1)
    array([[[-1.2], [ 0. ]],
           [[ 1.2], [ nan]]], dtype=float32)

    Parameters
    ----------
    transformer : transformer or None, default=None
        Any scikit-learn transformer; None takes a `StandardScaler`. It is cloned before it is fitted.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer.
    n_features_in_ : int
        Values of a frame.
    """

    _parameter_constraints: dict = {"transformer": [HasMethods(["fit", "transform"]), None]}

    def __init__(self, transformer=None):
        self.transformer = transformer

    def fit(self, X, y=None, **params):
        """Fit the transformer to the real frames of all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Frames past a clip's end are all NaN.
        y : array-like of shape (n_clips,) or None
            Passed on with each clip's label repeated for all its frames.
        **params : dict
            Metadata routed to the transformer's `fit`; arrays of length n_clips are repeated like `y`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If NaN stands anywhere but in whole frames past a clip's end, or a value is infinite.
        """
        self._validate_params()
        _raise_for_params(params, self, "fit")
        routed = process_routing(self, "fit", **params).transformer.fit if params else {}
        X, lengths = validate_frames(self, X, reset=True)
        transformer = StandardScaler() if self.transformer is None else clone(self.transformer)
        if lengths is not None:
            n_clips = len(X)
            X = X[_real(lengths, X.shape[1])]
            if y is not None:
                y = np.repeat(np.asarray(y), lengths, axis=0)
            routed = {
                name: np.repeat(np.asarray(value), lengths, axis=0) if np.shape(value)[:1] == (n_clips,) else value
                for name, value in routed.items()
            }
        self.transformer_ = transformer.fit(X, y, **routed)
        return self

    def transform(self, X):
        """Transform the real frames; padding stays NaN.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

        Returns
        -------
        frames : ndarray of shape (n_clips, n_frames, n_features_out), float32; or features, as the transformer returns
        """
        check_is_fitted(self)
        X, lengths = validate_frames(self, X, reset=False)
        if lengths is None:
            return self._transform(X)
        real = _real(lengths, X.shape[1])
        values = self._transform(X[real])
        frames = np.full((*X.shape[:2], values.shape[1]), np.nan, dtype=np.float32)
        frames[real] = values
        return frames

    def _transform(self, X) -> np.ndarray:
        values = self.transformer_.transform(X)
        values = values.toarray() if issparse(values) else np.asarray(values)
        if values.ndim != 2 or len(values) != len(X):
            raise ValueError(
                f"FrameWise needs a transformer that makes one row of each frame. {type(self.transformer_).__name__} "
                f"made an array of shape {values.shape} of {len(X)} frames."
            )
        return values

    def get_feature_names_out(self, input_features=None):
        """Names of a frame's values, as the transformer gives them.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of the incoming values.

        Returns
        -------
        names : ndarray of shape (n_features_out,), object
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(_check_feature_names_in(self, input_features))

    def get_metadata_routing(self):
        """Say which metadata the transformer's `fit` takes.

        Returns
        -------
        routing : MetadataRouter
        """
        transformer = self.transformer
        if transformer is None:  # nobody can set a request on it, so it takes nothing
            transformer = StandardScaler()
            if get_config()["enable_metadata_routing"]:
                transformer.set_fit_request(sample_weight=False)
        return MetadataRouter(owner=self).add(
            transformer=transformer,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        if self.transformer is not None:
            inner = get_tags(self.transformer)
            tags.target_tags = inner.target_tags
            tags.input_tags.positive_only = inner.input_tags.positive_only
        tags.transformer_tags.preserves_dtype = []  # frames are float32
        return tags


class FlattenFrames(TransformerMixin, VersionedMixin, BaseEstimator):
    """Lay the frames of each clip side by side: (n_clips, n_frames, n_features) -> (n_clips, n_frames * n_features).

    The bridge from frames to estimators that take features and refuse NaN.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import FlattenFrames
    >>> frames = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [np.nan, np.nan]]])
    >>> FlattenFrames().fit_transform(frames).tolist()
    [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 0.0, 0.0]]

    Parameters
    ----------
    fill_value : float, default=0.0
        Value in place of padding; 0 is the mean of standardized frames.

    Attributes
    ----------
    n_frames_ : int or None
        Frames of every clip: later, longer clips are cropped and shorter ones filled up. None if fitted on features,
        which pass as they are.
    n_features_in_ : int
        Values of a frame.
    """

    _parameter_constraints: dict = {"fill_value": [Real]}

    def __init__(self, fill_value=0.0):
        self.fill_value = fill_value

    def fit(self, X, y=None):
        """Learn the number of frames.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
        y : ignored

        Returns
        -------
        self
        """
        self._validate_params()
        X, lengths = validate_frames(self, X, reset=True)
        self.n_frames_ = None if lengths is None else X.shape[1]
        return self

    def transform(self, X):
        """Flatten every clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

        Returns
        -------
        features : ndarray of shape (n_clips, n_frames * n_features)
            The values of the first frame, then those of the second ...
        """
        check_is_fitted(self)
        X, lengths = validate_frames(self, X, reset=False)
        if (lengths is None) != (self.n_frames_ is None):
            fitted, got = ("features", "frames") if self.n_frames_ is None else ("frames", "features")
            raise ValueError(f"FlattenFrames was fitted on {fitted}. Got {got} of shape {X.shape}.")
        if lengths is None:
            return X
        flat = np.full((len(X), self.n_frames_, X.shape[2]), self.fill_value, dtype=X.dtype)
        n_frames = min(self.n_frames_, X.shape[1])
        real = _real(lengths, n_frames)
        flat[:, :n_frames][real] = X[:, :n_frames][real]
        return flat.reshape(len(X), -1)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: `mel_3_frame_0` is what `mel_3` was in the first frame.

        Parameters
        ----------
        input_features : array-like of str or None
            Names of a frame's values.

        Returns
        -------
        names : ndarray of shape (n_features,), object
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        if self.n_frames_ is None:
            return names
        return np.asarray([f"{name}_frame_{t}" for t in range(self.n_frames_) for name in names], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
