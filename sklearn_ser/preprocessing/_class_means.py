"""Clips of a new world that are mostly of one class: what of their mean is the class's, and what the world's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils.multiclass import type_of_target

from ._world_statistics import WorldStatistics

_GATE = 20.0  # chi-square of the classes' proportions, above which clips are taken for unbalanced
_STEPS = 10


@dataclass(frozen=True)
class ClassMeans:
    """Classes, their proportions in training, and their means in the average training world's standard scores."""

    classes: np.ndarray
    proportions: np.ndarray
    means: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, y, worlds: np.ndarray) -> ClassMeans | None:
        """Learn them of normalized features; None of frames, or without classes. Each world weighs the same."""
        y = None if y is None else np.asarray(y)
        if y is None or y.ndim != 1 or values.ndim != 2 or type_of_target(y) not in ("binary", "multiclass"):
            return None
        classes, codes = np.unique(y, return_inverse=True)
        found, present = [], []
        for world in np.unique(worlds):
            rows = worlds == world
            member = np.equal.outer(np.arange(len(classes)), codes[rows]).astype(np.float64)
            counts = member.sum(axis=1, keepdims=True)
            found.append(member @ values[rows] / np.maximum(counts, 1))
            present.append(counts > 0)
        means = np.sum(found, axis=0) / np.sum(present, axis=0)
        return cls(classes, np.bincount(codes) / len(codes), means.astype(np.float32))

    def fits(self, classifier) -> bool:
        """Tell whether a classifier gives probabilities of these classes."""
        known = getattr(classifier, "classes_", None)
        return hasattr(classifier, "predict_proba") and np.array_equal(known, self.classes)

    def balanced(self, found: WorldStatistics, values, scale, scaling: Callable, classifier) -> WorldStatistics:
        """Statistics whose mean is what balanced clips would have, where the clips are far from balanced.

        The classes' proportions and the world's mean are found in turn, each given the other.

        Parameters
        ----------
        found : WorldStatistics
            Those of the clips.
        values : ndarray of shape (n_clips, n_features)
            Features before they are scaled.
        scale : ndarray of shape (n_features,)
            Standard deviation of the average training world.
        scaling : callable
            From statistics of the new world to the mean and deviation by which its clips are scaled.
        classifier : classifier
            Fitted to scaled features.
        """
        shifted = found
        for _ in range(_STEPS):
            mean, deviation = scaling(shifted)
            scores = (values - mean) / deviation
            excess = classifier.predict_proba(scores.astype(values.dtype)).mean(axis=0) - self.proportions
            shifted = replace(found, mean=found.mean - excess @ self.means * scale)
        if found.n_clips * (excess**2 / self.proportions).sum() <= _GATE:
            return found
        return shifted
