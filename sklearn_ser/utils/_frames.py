"""The contract on frames: (n_clips, n_frames, n_features), frames past a clip's end all NaN."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ._sklearn_compat import _check_n_features


def check_frames(X: np.ndarray) -> np.ndarray:
    """Number of real frames of each clip.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_frames, n_features)

    Returns
    -------
    lengths : ndarray of shape (n_clips,), int

    Raises
    ------
    ValueError
        If a clip has no frame at all, if NaN stands elsewhere than in whole frames past the clip's end, or if a value
        is infinite. The message names the row.
    """
    real = ~np.isnan(X[:, :, 0])
    lengths = real.sum(axis=1)
    if not lengths.all():
        raise ValueError(f"Row {np.argmin(lengths)} has no frames: all its values are NaN, which marks padding.")
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = np.isfinite(X.sum(axis=2)) != real  # a sum tells without a mask as large as X
    suspicious[:, :-1] |= real[:, 1:] & ~real[:, :-1]
    padded_rows, padded_frames = np.nonzero(~real)
    partly = ~np.isnan(X[padded_rows, padded_frames]).all(axis=1)
    suspicious[padded_rows[partly], padded_frames[partly]] = True
    for row, time in np.argwhere(suspicious):
        values = X[row, time]
        if np.isinf(values).any():
            raise ValueError(f"Row {row}, frame {time} contains infinite (inf) values.")
        if np.isnan(values).any():
            raise ValueError(
                f"Row {row}, frame {time} contains NaN, but NaN marks padding: all values of all frames past a clip's "
                "end, and nothing else."
            )
    return lengths


def validate_frames(estimator, X, *, reset: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Validate frames or features for an estimator, as `sklearn.utils.validation.validate_data` does for features.

    Parameters
    ----------
    estimator : estimator
        Its `n_features_in_` (the last axis) is set if `reset`, else compared.
    X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

    Returns
    -------
    X : ndarray, float32 or float64
    lengths : ndarray of shape (n_clips,), or None
        Real frames of each clip; None for features.
    """
    try:
        array = check_array(
            X,
            allow_nd=True,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            estimator=estimator,
            input_name="X",
        )
    except ValueError as error:
        if "could not convert string" not in str(error) and "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"{type(estimator).__name__} takes frames (n_clips, n_frames, n_features) or features (n_clips, "
            "n_features). Got what looks like paths or waveforms of different lengths: put MelSpectrogramTransformer, "
            "WaveformChunker or HandcraftedFeatures before it."
        ) from None
    if array.ndim == 2:
        return validate_data(estimator, X, reset=reset, dtype=[np.float64, np.float32]), None
    if array.ndim != 3:
        raise ValueError(
            "X must be frames (n_clips, n_frames, n_features) or features (n_clips, n_features). "
            f"Got an array of shape {array.shape}."
        )
    if 0 in array.shape:
        raise ValueError(
            f"Frames need at least one clip, one frame and one value. Got an array of shape {array.shape}."
        )
    _check_n_features(estimator, array[:, 0], reset=reset)
    return array, check_frames(array)


class FramesMixin:
    """For transformers whose output has three axes, or is no table at all: it stays an array, whatever is asked for."""

    def set_output(self, *, transform=None):
        """Accept scikit-learn's output setting without effect: frames have no form as a DataFrame.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None
            Ignored, so that a Pipeline's `set_output` reaches the steps that can follow it.

        Returns
        -------
        self
        """
        return self
