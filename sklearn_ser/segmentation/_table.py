"""Base of timelines: values along a recording, segment by segment, and their averages."""

from __future__ import annotations

from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import check_scalar


class SegmentTable(pd.DataFrame):
    """A DataFrame of segments that overlap, in order of time, with `start` and `end` in seconds."""

    def __init__(self, data=None, **params):
        super().__init__(data, **params)

    @property
    def _constructor(self):
        return type(self)

    def smoothed(self, duration):
        """Average over time.

        Parameters
        ----------
        duration : float
            Seconds. Each row becomes the mean of all rows whose middles lie within half of it, before or after.

        Returns
        -------
        timeline : Timeline
            With the same segments. Where there are classes, `predicted` is the most probable one on average.

        Raises
        ------
        TypeError, ValueError
            If `duration` is no positive number, or columns are missing.
        """
        check_scalar(duration, "duration", Real, min_val=0, include_boundaries="neither")
        start, end, values = self._timeline_columns()[:3]
        middle, half = (start + end) / 2, duration / 2 + 1e-9
        first = np.searchsorted(middle, middle - half)
        last = np.searchsorted(middle, middle + half)
        total = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
        mean = (total[last] - total[first]) / (last - first)[:, np.newaxis]
        return self._timeline_of(start, end, mean)

    def resampled(self, step):
        """Average over steps of equal length, which do not overlap.

        Parameters
        ----------
        step : float
            Seconds from one row to the next; the last one may be shorter.

        Returns
        -------
        timeline : Timeline
            Each row is the mean over its time; where there was no segment, there is no row.

        Raises
        ------
        TypeError, ValueError
            If `step` is no positive number, or columns are missing.
        """
        check_scalar(step, "step", Real, min_val=0, include_boundaries="neither")
        values = self._timeline_columns()[2]
        left, right = self._segment_extents()
        n_steps = max(1, int(np.ceil((right[-1] - left[0]) / step - 1e-6)))
        edges = np.append(left[0] + step * np.arange(n_steps), right[-1])
        # The integral over time, between segments constant; what each step adds to it.
        knots = np.column_stack([left, right]).ravel()
        covered = integral(np.ones((len(left), 1)), right - left)
        summed = integral(values, right - left)
        duration = np.diff(np.interp(edges, knots, covered[:, 0]))
        sums = np.column_stack([np.diff(np.interp(edges, knots, column)) for column in summed.T])
        there = duration > 1e-9
        mean = sums[there] / duration[there, np.newaxis]
        return self._timeline_of(edges[:-1][there], edges[1:][there], mean)

    def _timeline_columns(self) -> tuple:
        """Starts, ends, values and whatever a subclass adds, in order of time."""
        raise NotImplementedError

    def _timeline_of(self, start, end, values):
        """A timeline of other segments and values."""
        raise NotImplementedError

    def _check_times(self) -> tuple[np.ndarray, np.ndarray]:
        start, end = self["start"].to_numpy(float), self["end"].to_numpy(float)
        if np.any(np.diff(start) < 0) or not np.all(end > start):
            raise ValueError("Rows of a timeline must be in order of time, and end after they start.")
        return start, end

    def _segment_extents(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the extent of each segment: up to half-way between its middle and its neighbors', without gaps."""
        start, end = self._timeline_columns()[:2]
        middle = (start + end) / 2
        half = (middle[1:] + middle[:-1]) / 2
        left, right = np.append(start[0], half), np.append(half, end[-1])
        gap = start[1:] > end[:-1] + 1e-9  # rows were left out
        left[1:][gap], right[:-1][gap] = start[1:][gap], end[:-1][gap]
        return left, right


def integral(values, durations) -> np.ndarray:
    """Integrate values that are constant within segments, up to each start and end, (2 * n_segments, n_values)."""
    ends = np.cumsum(values * durations[:, np.newaxis], axis=0)
    begins = np.vstack([np.zeros(values.shape[1]), ends[:-1]])
    return np.stack([begins, ends], axis=1).reshape(-1, values.shape[1])
