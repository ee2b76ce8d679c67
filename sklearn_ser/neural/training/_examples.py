"""The clips of a training: frames, targets and weights, and the rows of them that are used."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Examples:
    """Arrays of all clips, and the rows that are used: parts are taken without copying.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_frames, n_features), float32
    y : ndarray of shape (n_clips,), int, or (n_clips, n_classes), float32
        Numbers of the classes, or targets.
    weight : ndarray of shape (n_clips,), float32, or None
    rows : ndarray of int
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    rows: np.ndarray

    @classmethod
    def all(cls, X, y, weight) -> Examples:
        """All clips but those of weight zero, which are not there."""
        return cls(X, y, weight, np.arange(len(X)) if weight is None else np.flatnonzero(weight))

    def take(self, rows) -> Examples:
        """Keep only the given rows (of the arrays) among those that are used."""
        return replace(self, rows=np.intersect1d(rows, self.rows))

    def with_targets(self, y) -> Examples:
        return replace(self, y=y)

    @property
    def parts(self) -> list[np.ndarray]:
        return [self.X, self.y] if self.weight is None else [self.X, self.y, self.weight]
