"""Mean and variance of a world's clips, and how far a few of its clips move what training has learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._speaker_equations import clip_statistics

STRENGTH = 5.0  # clips that the training worlds count for in the mean and variance of a new one


@dataclass(frozen=True)
class WorldStatistics:
    """Mean and variance of the values of some clips.

    Parameters
    ----------
    n_clips : int
    mean, variance : ndarray of shape (n_values,)
        In frames, each clip weighs the same.
    """

    n_clips: int
    mean: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, n_clips: int | None = None) -> WorldStatistics:
        """Describe features or frames; `n_clips` differs from their number where rows are segments or copies."""
        means, variances = clip_statistics(values)
        count = len(means) if n_clips is None else n_clips
        return cls(count, means.mean(axis=0), means.var(axis=0) + variances.mean(axis=0))

    def merged(self, other: WorldStatistics | None) -> WorldStatistics:
        """Pool with the statistics of other clips."""
        if other is None:
            return self
        n_clips = self.n_clips + other.n_clips
        part = other.n_clips / n_clips
        step = other.mean - self.mean
        variance = (1 - part) * self.variance + part * other.variance + part * (1 - part) * step**2
        return WorldStatistics(n_clips, self.mean + part * step, variance)

    def distance(self, mean: np.ndarray, scale: np.ndarray) -> float:
        """Mean square of the standard scores of the world's mean, less what it would be by chance."""
        chance = self.variance / max(self.n_clips - 1, 1)
        return float(np.mean(((self.mean - mean) ** 2 - chance) / scale**2))

    def shrunk(self, mean: np.ndarray, variance: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance, averaged with those that count for `strength` clips."""
        weight = self.n_clips / (self.n_clips + strength)
        return mean + weight * (self.mean - mean), variance + weight * (self.variance - variance)


def scale_of(variance: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Standard deviation, and 1 for what does not vary."""
    rounding = (1e-6 * mean) ** 2  # float32 leaves a constant that much
    return np.sqrt(np.where(variance > rounding, variance, 1.0))
