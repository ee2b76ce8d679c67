"""ReferenceScaler: scaling by the clips of one emotion."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from ..utils._frames import FramesMixin, validate_frames
from ..utils._messages import short
from ..utils._sklearn_compat import _check_feature_names_in
from ..utils._versions import VersionedMixin


class ReferenceScaler(FramesMixin, TransformerMixin, VersionedMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Values less the mean of a reference class, over its standard deviation: neutral speech becomes the origin.

    The remainder tells how a clip differs from speech without emotion [1]_. The labels are needed in `fit` alone; later
    clips are scaled by the same mean and deviation.

    Read more in the guide: :doc:`speakers </guide/speakers>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import ReferenceScaler
    >>> frames = np.array([[[1.0], [3.0]], [[4.0], [np.nan]], [[6.0], [8.0]]])
    >>> scaler = ReferenceScaler().fit(frames, ["neutral", "anger", "anger"])
    >>> scaler.transform(frames)[:, :, 0]
    array([[-1.,  1.],
           [ 2., nan],
           [ 4.,  6.]], dtype=float32)

    Parameters
    ----------
    reference : label or None, default="neutral"
        Mean and deviation are those of the rows with this label in `y`. None takes all rows, and needs no `y`.

    Attributes
    ----------
    mean_ : ndarray of shape (n_values,)
        Mean of the reference rows; of frames, each weighs the same.
    scale_ : ndarray of shape (n_values,)
        Their standard deviation, 1 where it is 0.
    n_features_in_ : int
        Values of a frame.

    See Also
    --------
    FrameWise : Scale frames by all clips, with any scaler.
    SpeakerNormalizer : Scale each speaker's clips by themselves.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    """

    _parameter_constraints: dict = {"reference": "no_validation"}  # a label may be anything

    def __init__(self, reference="neutral"):
        self.reference = reference

    def fit(self, X, y=None):
        """Learn mean and deviation of the reference rows.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_values) or (n_clips, n_values)
            Frames past a clip's end are all NaN.
        y : array-like of shape (n_clips,)
            Labels; ignored if `reference` is None.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If no row has the reference label.
        """
        self._validate_params()
        X, lengths = validate_frames(self, X, reset=True)
        rows = self._reference_rows(X, y)
        values = X[rows]
        if lengths is not None:
            values = values[np.arange(X.shape[1]) < lengths[rows, np.newaxis]]
        scaler = StandardScaler().fit(values)
        self.mean_, self.scale_ = scaler.mean_, scaler.scale_
        return self

    def transform(self, X):
        """Scale the values; padding stays NaN.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_values) or (n_clips, n_values)

        Returns
        -------
        scaled : ndarray of the shape of X
            Frames are float32; features keep their type.
        """
        check_is_fitted(self)
        X, lengths = validate_frames(self, X, reset=False)
        if lengths is None:
            return ((X - self.mean_) / self.scale_).astype(X.dtype, copy=False)
        scaled = np.empty(X.shape, np.float32)
        for row, frames in enumerate(X):  # in float64, in which a corpus takes up twice as much
            scaled[row] = (frames - self.mean_) / self.scale_
        return scaled

    def get_feature_names_out(self, input_features=None):
        """Names of the values: those that come in.

        Parameters
        ----------
        input_features : array-like of str or None

        Returns
        -------
        names : ndarray of shape (n_values,), object
        """
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features)

    def _reference_rows(self, X, y) -> np.ndarray:
        if self.reference is None:
            return np.arange(len(X))
        if y is None:
            raise ValueError(
                "ReferenceScaler requires y to be passed, but the target y is None. "
                "It finds the reference rows by their labels; reference=None takes all rows."
            )
        labels = column_or_1d(y, warn=True)
        check_consistent_length(X, labels)
        rows = np.flatnonzero(labels.astype(object) == self.reference)
        if not rows.size:
            raise ValueError(
                f"No row has the label {short(self.reference)}, which reference names. The labels are "
                f"{short(list(dict.fromkeys(labels.tolist())))}."
            )
        return rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = self.reference is not None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
