"""Values of segments or copies, pooled into values of the clips that they are parts or copies of."""

from __future__ import annotations

import numpy as np


def first_rows(rows: np.ndarray) -> np.ndarray:
    """Return the first segment of each clip; `rows` holds the clip of each segment, in ascending order."""
    return np.flatnonzero(np.diff(rows, prepend=-1))


def means(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Means over the segments of each clip."""
    n_segments = np.bincount(rows)
    return np.add.reduceat(values, first_rows(rows)) / n_segments.reshape(-1, *[1] * (values.ndim - 1))


def pool(probabilities: np.ndarray, rows: np.ndarray, pooling: str) -> np.ndarray:
    """Probabilities of each clip: by "mean", "log_mean" or "max" over its segments, then scaled to a sum of one."""
    if pooling == "mean":
        return means(probabilities, rows)
    if pooling == "max":
        pooled = np.maximum.reduceat(probabilities, first_rows(rows))
    else:
        # A zero counts as next to nothing, because every class can have one.
        pooled = means(np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny)), rows)
        pooled = np.exp(pooled - pooled.max(axis=1, keepdims=True))
    return pooled / pooled.sum(axis=1, keepdims=True)
