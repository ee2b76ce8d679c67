"""Steps of a pipeline as operations on frames that an ONNX file can hold."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from sklearn import decomposition, preprocessing
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline
from sklearn.random_projection import GaussianRandomProjection

# Steps that map each frame linearly, whatever its values are; a subclass may do anything.
_LINEAR = (
    *(preprocessing.StandardScaler, preprocessing.RobustScaler, preprocessing.MinMaxScaler, preprocessing.MaxAbsScaler),
    *(decomposition.PCA, decomposition.IncrementalPCA, decomposition.TruncatedSVD, decomposition.FastICA),
    *(decomposition.FactorAnalysis, LinearDiscriminantAnalysis, GaussianRandomProjection),
)


class Affine(NamedTuple):
    """Multiply by a matrix, or by a number a feature, and add."""

    matrix: np.ndarray
    offset: np.ndarray

    def __call__(self, x, ops):
        matrix, offset = self.matrix.astype(np.float32), self.offset.astype(np.float32)
        diagonal = matrix.shape[0] == matrix.shape[1] and not (matrix - np.diag(np.diag(matrix))).any()
        return (x * np.diag(matrix) if diagonal else ops.matmul(x, matrix)) + offset


class Bounded(NamedTuple):
    """Bound each value smoothly."""

    limit: float

    def __call__(self, x, ops):
        return self.limit * ops.tanh(x / self.limit)


class Clipped(NamedTuple):
    """Cut values off at two bounds, which may differ by feature."""

    low: np.ndarray
    high: np.ndarray

    def __call__(self, x, ops):
        low, high = np.asarray(self.low, np.float32), np.asarray(self.high, np.float32)
        return ops.minimum(ops.maximum(x, low), high)


def operations_of(step, n_outputs: int) -> tuple[list, int] | None:
    """The operations of a fitted step, and how many features it reads.

    Parameters
    ----------
    step : transformer, "passthrough" or None
    n_outputs : int
        Features that the next operation reads.

    Returns
    -------
    operations, n_features : list and int, or None
        None if the step reads audio, or is not known to do the same to each frame, whatever it holds.
    """
    if step is None or step == "passthrough":
        return [], n_outputs
    if isinstance(step, Pipeline):
        found: list = []
        for _, inner in reversed(step.steps):
            operations = operations_of(inner, n_outputs)
            if operations is None:
                return None
            found, n_outputs = operations[0] + found, operations[1]
        return found, n_outputs
    name = f"{type(step).__module__.split('.')[0]}.{type(step).__name__}"
    if name == "sklearn_ser.FrameWise":
        return operations_of(step.transformer_, n_outputs)
    if name == "sklearn_ser.BoundedScaler":
        if len(step.mean_) != n_outputs:
            return None
        return [Affine(np.diag(1 / step.scale_), -step.mean_ / step.scale_), Bounded(step.limit)], n_outputs
    if not (type(step) in _LINEAR or (isinstance(step, SelectorMixin) and name.startswith("sklearn."))):
        return None
    return _linear(step, n_outputs)


def _linear(step, n_outputs: int) -> tuple[list, int] | None:
    clips = getattr(step, "clip", False)
    after = []
    if clips:
        low, high = getattr(step, "feature_range", (-1.0, 1.0))
        after, probed = [Clipped(np.asarray(low), np.asarray(high))], {**vars(step), "clip": False}
        step = type(step)()
        vars(step).update(probed)
    n = step.n_features_in_
    rows = np.concatenate([np.zeros((1, n)), np.eye(n)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about features without names
        out = np.asarray(step.transform(rows), dtype=np.float64)
    if out.shape[1] != n_outputs:
        return None
    return [Affine(out[1:] - out[0], out[0]), *after], n
