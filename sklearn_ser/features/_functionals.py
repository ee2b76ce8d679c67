"""Functionals: statistics over the frames of a clip."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._signal.long import columns
from ..utils._frames import validate_frames
from ..utils._sklearn_compat import _check_feature_names_in
from ..utils._versions import VersionedMixin
from ._descriptors import check_choice

_LOCAL = 25  # frames; a quarter of a second at the usual rate


def _mean(values: np.ndarray) -> np.ndarray:
    """Over frames; as `np.mean`, whose overhead would take longer than the sum."""
    return np.add.reduce(values, axis=0) / values.dtype.type(len(values))


def _std(values: np.ndarray) -> np.ndarray:
    centred = values - _mean(values)
    return np.sqrt(_mean(centred * centred))


class Contour:
    """A clip's values, (n_frames, n_values), and what several functionals share of them."""

    def __init__(self, values: np.ndarray):
        self.values = values

    @cached_property
    def ordered(self) -> np.ndarray:
        """Each value's in ascending order, (n_values, n_frames); along rows, because sorting along columns is slow."""
        return np.sort(np.ascontiguousarray(self.values.T), axis=1)

    @cached_property
    def _centred(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means, differences from them, and their root mean square; exactly 0 where all frames are the same.

        In float64: sums of float32 over a long clip would lose digits. By way of the differences from the first frame,
        which leave no rounding of a constant.
        """
        shifted = self.values - self.values[0]
        means = np.einsum("ij->j", shifted, dtype=np.float64) / len(shifted)
        centred = shifted - means
        return self.values[0] + means, centred, np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(centred))

    @cached_property
    def deviations(self) -> np.ndarray:
        """From the mean, in standard deviations; 0 where all frames are the same."""
        _, centred, scale = self._centred
        return (centred / np.where(scale > 0, scale, 1)).astype(self.values.dtype, copy=False)

    @cached_property
    def squares(self) -> np.ndarray:
        """Squares of the deviations; by products, because powers are slow."""
        return self.deviations * self.deviations

    @cached_property
    def deltas(self) -> np.ndarray:
        """Differences of successive frames; one of zero where there is but one frame."""
        return self.values[1:] - self.values[:-1] if len(self.values) > 1 else np.zeros_like(self.values)

    @cached_property
    def steps(self) -> np.ndarray:
        """Magnitudes of the differences."""
        return np.abs(self.deltas)

    def change(self, n_frames: int) -> np.ndarray:
        """Mean magnitude of the change over so many frames."""
        if len(self.values) <= n_frames:
            return np.zeros_like(self.values[0])
        return _mean(np.abs(self.values[n_frames:] - self.values[:-n_frames]))

    @cached_property
    def local(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations in all windows of `_LOCAL` frames; of all frames, if there are fewer."""
        length = min(_LOCAL, len(self.values))
        _, centred, _ = self._centred  # so that sums of squares lose no digits
        running = np.zeros((2, len(centred) + 1, centred.shape[1]))
        np.cumsum((centred, centred * centred), axis=1, out=running[:, 1:])
        means, squares = (running[:, length:] - running[:, :-length]) / length
        return means, np.sqrt(np.maximum(squares - means**2, 0))

    def step(self, sign: int) -> np.ndarray:
        """Mean of the differences of successive frames that go up, or down; 0 where none does."""
        steps = np.maximum(sign * self.deltas, 0)
        return sign * steps.sum(axis=0) / np.maximum((steps > 0).sum(axis=0), 1)

    def curvature(self) -> np.ndarray:
        """Curvature of the regression parabola over time from -1 to 1: its part that is orthogonal to the line."""
        times = np.linspace(-1, 1, len(self.values), dtype=self.values.dtype) ** 2
        times -= times.mean()
        return np.einsum("i,ij->j", times, self.values) / ((times @ times) or 1)

    def mean(self) -> np.ndarray:
        return self._centred[0].astype(self.values.dtype)

    def std(self) -> np.ndarray:
        """Standard deviation; exactly 0 of a constant."""
        return self._centred[2].astype(self.values.dtype)

    def quantile(self, q: float) -> np.ndarray:
        """As `np.quantile`, from one sort for all."""
        position = q * (len(self.values) - 1)
        below = int(position)
        low, high = self.ordered[:, below], self.ordered[:, min(below + 1, len(self.values) - 1)]
        return low + (high - low) * self.values.dtype.type(position - below)

    def skewness(self) -> np.ndarray:
        return np.einsum("ij,ij->j", self.squares, self.deviations) / len(self.values)

    def kurtosis(self) -> np.ndarray:
        """Excess over the normal distribution's; 0 of a constant."""
        fourth = np.einsum("ij,ij->j", self.squares, self.squares) / len(self.values)
        return np.where(self._centred[2] > 0, fourth - 3, 0)

    def slope(self) -> np.ndarray:
        """Slope of the regression line, per frame."""
        times = np.arange(len(self.values)) - (len(self.values) - 1) / 2
        return np.einsum("i,ij->j", times, self._centred[1]) / ((times @ times) or 1)


class Functional(NamedTuple):
    """A statistic over the frames of a clip."""

    unit: str
    text: str  # what it is, for the documentation
    function: Callable[[Contour], np.ndarray]  # -> (n_values,)


_SAME = "the descriptor's"

FUNCTIONALS = {
    "mean": Functional(_SAME, "Mean", Contour.mean),
    "std": Functional(_SAME, "Standard deviation", Contour.std),
    "min": Functional(_SAME, "Least value", lambda contour: np.min(contour.values, axis=0)),
    "max": Functional(_SAME, "Largest value", lambda contour: np.max(contour.values, axis=0)),
    "range": Functional(_SAME, "Largest less least value", lambda contour: np.ptp(contour.values, axis=0)),
    "median": Functional(_SAME, "Median", lambda contour: contour.quantile(0.5)),
    "p5": Functional(_SAME, "5th percentile", lambda contour: contour.quantile(0.05)),
    "p20": Functional(_SAME, "20th percentile", lambda contour: contour.quantile(0.2)),
    "p80": Functional(_SAME, "80th percentile", lambda contour: contour.quantile(0.8)),
    "p95": Functional(_SAME, "95th percentile", lambda contour: contour.quantile(0.95)),
    "skewness": Functional(
        "1",
        "Third moment of the deviations from the mean over the standard deviation; 0 of a constant",
        Contour.skewness,
    ),
    "kurtosis": Functional(
        "1",
        "Fourth moment of the deviations from the mean over the standard deviation, less the normal distribution's 3; "
        "0 of a constant",
        Contour.kurtosis,
    ),
    "slope": Functional("the descriptor's per frame", "Slope of the regression line over time", Contour.slope),
    "delta_abs_mean": Functional(
        _SAME,
        "Mean magnitude of the differences of successive frames",
        lambda contour: _mean(contour.steps),
    ),
    "delta_std": Functional(
        _SAME,
        "Standard deviation of the differences of successive frames",
        lambda contour: _std(contour.deltas),
    ),
    **{
        f"delta_{n}_abs_mean": Functional(
            _SAME, f"Mean magnitude of the change over {n} frames", partial(Contour.change, n_frames=n)
        )
        for n in (2, 4, 5, 8, 16, 32)
    },
    "rise": Functional(
        _SAME, "Mean of the differences of successive frames that go up", lambda contour: contour.step(1)
    ),
    "fall": Functional(
        _SAME, "Mean of the differences of successive frames that go down", lambda contour: contour.step(-1)
    ),
    "curvature": Functional(
        _SAME, "Coefficient of the square in the regression parabola over the clip, from -1 to 1", Contour.curvature
    ),
    "local_mean_std": Functional(
        _SAME,
        f"Standard deviation of the means in windows of {_LOCAL} frames",
        lambda contour: _std(contour.local[0]),
    ),
    "local_mean_range": Functional(
        _SAME,
        f"Largest less least of the means in windows of {_LOCAL} frames",
        lambda contour: np.ptp(contour.local[0], axis=0),
    ),
    "local_std_mean": Functional(
        _SAME,
        f"Mean of the standard deviations in windows of {_LOCAL} frames",
        lambda contour: _mean(contour.local[1]),
    ),
    "local_std_std": Functional(
        _SAME,
        f"Standard deviation of the standard deviations in windows of {_LOCAL} frames",
        lambda contour: _std(contour.local[1]),
    ),
}


def functionals_of(values: np.ndarray, functionals) -> np.ndarray:
    """Functionals of a clip's values, (n_frames, n_values) -> (n_functionals * n_values,), functional by functional."""
    groups = [Contour(values[:, some]) for some in columns(*values.shape)]  # of a long clip, few at a time
    results = []
    while groups:
        contour = groups.pop(0)  # and with it what its functionals share
        results.append([FUNCTIONALS[name].function(contour) for name in functionals])
    if len(results) == 1:
        return np.concatenate(results[0])
    return np.concatenate([np.concatenate(parts) for parts in zip(*results, strict=True)])


class Functionals(TransformerMixin, VersionedMixin, BaseEstimator):
    """Statistics over the frames of each clip: frames (n_clips, n_frames, n_values) become features.

    Padding is skipped. The features are finite: those that a constant or a single frame does not have are 0.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import Functionals
    >>> frames = np.array([[[1.0], [3.0], [8.0]], [[5.0], [np.nan], [np.nan]]])
    >>> Functionals(["mean", "max", "median"]).fit_transform(frames)
    array([[4., 8., 3.],
           [5., 5., 5.]])

    Parameters
    ----------
    functionals : sequence of str
        Which, in the order of their columns: `mean`, `std`, `min`, `max`, `range`, `median`, the percentiles `p5`,
        `p20`, `p80` and `p95`, `skewness`, `kurtosis` (excess), `slope` (of the regression line, per frame),
        `delta_abs_mean` and `delta_std` (of the differences of successive frames). By default all but `range`, `p5` and
        `p95`, which the others come close to.

    Attributes
    ----------
    n_features_in_ : int
        Values of a frame.

    See Also
    --------
    LowLevelDescriptors : Makes the frames.

    Notes
    -----
    Features, (n_clips, n_values), are clips of one frame. `std` and `kurtosis` are of the population (no correction for
    the number of frames).
    """

    _parameter_constraints: dict = {"functionals": ["array-like"]}

    def __init__(
        self,
        functionals=(
            "mean",
            "std",
            "min",
            "max",
            "median",
            "p20",
            "p80",
            "skewness",
            "kurtosis",
            "slope",
            "delta_abs_mean",
            "delta_std",
        ),
    ):
        self.functionals = functionals

    def fit(self, X, y=None):
        """Check the frames; there is nothing to learn but their number of values.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_values) or (n_clips, n_values)
            Frames past a clip's end are all NaN.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a functional is unknown, NaN stands anywhere but in whole frames past a clip's end, or a value is
            infinite.
        """
        self._validate_params()
        check_choice("functionals", self.functionals, FUNCTIONALS)
        validate_frames(self, X, reset=True)
        return self

    def transform(self, X):
        """Compute the functionals of every clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_values) or (n_clips, n_values)

        Returns
        -------
        features : ndarray of shape (n_clips, n_functionals * n_values), float32 or float64 as X
            The first functional of all values, then the second ...
        """
        check_is_fitted(self)
        X, lengths = validate_frames(self, X, reset=False)
        if lengths is None:
            X, lengths = X[:, np.newaxis], np.ones(len(X), dtype=int)
        features = np.empty((len(X), len(self.functionals) * X.shape[2]), dtype=X.dtype)
        # Clip by clip, because one clip's values stay within the processor's cache through all functionals.
        for row, (clip, length) in enumerate(zip(X, lengths, strict=True)):
            features[row] = functionals_of(clip[:length], self.functionals)
        return features

    def get_feature_names_out(self, input_features=None):
        """Names of the columns, `descriptor_functional`: `f0_mean`, `mfcc_3_std` ...

        Parameters
        ----------
        input_features : array-like of str or None
            Names of a frame's values.

        Returns
        -------
        names : ndarray of shape (n_functionals * n_values,), object
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        return np.asarray([f"{name}_{functional}" for functional in self.functionals for name in names], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
