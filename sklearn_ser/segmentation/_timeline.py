"""Timeline: probabilities along a recording, smoothed, averaged over longer steps, and merged into intervals."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import check_scalar

from ..utils._messages import short
from ._intervals import Intervals
from ._table import SegmentTable, integral


class Timeline(SegmentTable):
    """Probabilities of classes along a recording, segment by segment: a DataFrame that can be merged into intervals.

    Made by `SegmentClassifier.predict_timeline`; ``Timeline(rows)`` makes one of the rows of `stream_timeline`. All of
    pandas is there: ``timeline[timeline["anger"] > 0.8]`` are the angry segments.

    Segments overlap. Where one interval ends and the next begins, each segment counts up to half-way between its middle
    and its neighbors'.

    Read more in the guide: :doc:`long recordings </guide/long_recordings>`.

    Examples
    --------
    >>> from sklearn_ser.segmentation import Timeline
    >>> timeline = Timeline(
    ...     {
    ...         "start": [0.0, 1.0, 2.0, 3.0],
    ...         "end": [2.0, 3.0, 4.0, 5.0],
    ...         "calm": [0.9, 0.8, 0.4, 0.1],
    ...         "fear": [0.1, 0.2, 0.6, 0.9],
    ...         "predicted": ["calm", "calm", "fear", "fear"],
    ...     }
    ... )
    >>> timeline.to_intervals()
       start  end label  probability
    0    0.0  2.5  calm         0.86
    1    2.5  5.0  fear         0.78

    Parameters
    ----------
    data : DataFrame, list of dict, or anything else that a DataFrame is made of
        Columns `start` and `end`, seconds; a column of probabilities for each class; and `predicted`, the class.
    **params
        Other arguments of `pandas.DataFrame`.

    See Also
    --------
    TimelineDisplay : Draws it.
    """

    @property
    def classes(self) -> list:
        """Names of the columns of probabilities."""
        return list(self.columns[2:-1])

    def to_intervals(self, *, smooth=None, min_duration=0.0):
        """Merge neighboring segments of one class.

        Parameters
        ----------
        smooth : float or None, default=None
            Seconds over which probabilities are averaged before; see `smoothed`. None takes the classes in
            `predicted` as they are.
        min_duration : float, default=0.0
            Seconds. Shorter intervals go to one of their neighbors, the shortest first: to the one whose class is the
            more probable there.

        Returns
        -------
        intervals : Intervals
            One row each: `start` and `end`, seconds, `label`, and `probability`, the mean of that class over the
            interval, before any smoothing. It writes itself as labels for Audacity, as RTTM and as CSV.

        Raises
        ------
        TypeError, ValueError
            If a duration is negative or no number, or columns are missing.

        Examples
        --------
        ``timeline.to_intervals(smooth=5, min_duration=2).to_audacity("interview.txt")``
        """
        check_scalar(min_duration, "min_duration", Real, min_val=0)
        left, right = self._segment_extents()
        labels = (self if smooth is None else self.smoothed(smooth))["predicted"].to_numpy()
        _, _, probabilities, _ = self._timeline_columns()
        summed = integral(probabilities, right - left)[1::2]  # to the end of each segment
        summed = np.vstack([np.zeros(probabilities.shape[1]), summed])
        apart = np.append(True, left[1:] > right[:-1] + 1e-9)  # audio that no segment is of
        first = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]) | apart)
        stop = np.append(first[1:], len(labels))
        runs = _Runs(left, right, summed, {name: k for k, name in enumerate(self.classes)})
        rows = runs.absorb(first, stop, labels[first], apart[first], min_duration)
        found = [
            dict(start=left[a], end=right[b - 1], label=label, probability=runs.mean(a, b, label))
            for a, b, label in rows
        ]
        return Intervals(pd.DataFrame(found, columns=["start", "end", "label", "probability"]))

    def _timeline_columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Starts, ends, probabilities and classes, in order of time."""
        columns = list(self.columns)
        if columns[:2] != ["start", "end"] or columns[-1] != "predicted" or len(columns) < 4 or not len(self):
            raise ValueError(
                "A timeline must have rows, and the columns 'start', 'end', a probability for each class, and "
                f"'predicted', as predict_timeline returns them. Got {len(self)} rows of the columns {short(columns)}."
            )
        return *self._check_times(), self.iloc[:, 2:-1].to_numpy(float), self["predicted"].to_numpy()

    def _timeline_of(self, start, end, probabilities) -> Timeline:
        classes = self.classes
        self._refuse_rule()
        columns = dict(zip(classes, probabilities.T, strict=True))
        predicted = pd.Series(classes, dtype=self["predicted"].dtype).to_numpy()[probabilities.argmax(axis=1)]
        return Timeline({"start": start, "end": end, **columns, "predicted": predicted})

    def _refuse_rule(self) -> None:
        """Refuse to average where `predicted` is not the most probable class: the rule behind it is not known here."""
        _, _, probabilities, predicted = self._timeline_columns()
        column = {name: k for k, name in enumerate(self.classes)}
        given = np.array([column.get(label, -1) for label in predicted.tolist()])
        of_given = np.where(given < 0, -np.inf, probabilities[np.arange(len(given)), given])
        contradicts = ~(of_given >= probabilities.max(axis=1))
        if contradicts.any():
            row = int(contradicts.argmax())
            raise ValueError(
                "Probabilities cannot be averaged where something else decides, such as a threshold or a rejection: "
                f"row {row} is {short(predicted[row])}, which is not its most probable class. Use to_intervals without "
                "smooth, or a classifier that decides by the highest probability."
            )


class _Runs:
    """Runs of segments with one class."""

    def __init__(self, left, right, summed, column):
        self.left, self.right, self.summed, self.column = left, right, summed, column

    def mean(self, first, stop, label) -> float:
        """Mean probability of a class over some segments; NaN of a label that has no column."""
        if label not in self.column:
            return np.nan
        k, durations = self.column[label], self.right[first:stop] - self.left[first:stop]
        return float((self.summed[stop, k] - self.summed[first, k]) / durations.sum())

    def absorb(self, first, stop, labels, apart, min_duration) -> list[tuple]:
        """Runs of at least some duration, as (first, stop, label)."""
        n = len(first)
        first, stop, labels = first.tolist(), stop.tolist(), labels.tolist()
        before = [k - 1 if k and not apart[k] else None for k in range(n)]
        after = [k + 1 if k + 1 < n and not apart[k + 1] else None for k in range(n)]
        gone = [False] * n

        def duration(k):
            return self.right[stop[k] - 1] - self.left[first[k]]

        heap = [(duration(k), k) for k in range(n)]
        heapify(heap)
        while heap and heap[0][0] < min_duration - 1e-9:
            length, k = heappop(heap)
            if gone[k] or length != duration(k):  # it has grown since
                continue
            neighbours = [j for j in (before[k], after[k]) if j is not None]
            if not neighbours:
                continue
            best = max(neighbours, key=lambda j: np.nan_to_num(self.mean(first[k], stop[k], labels[j]), nan=-1.0))
            labels[k] = labels[best]
            for j in neighbours:
                if labels[j] == labels[k]:  # one run with it
                    first[k], stop[k] = min(first[k], first[j]), max(stop[k], stop[j])
                    gone[j] = True
            before[k] = next((before[j] for j in neighbours if gone[j] and j < k), before[k])
            after[k] = next((after[j] for j in neighbours if gone[j] and j > k), after[k])
            for j, links in ((before[k], after), (after[k], before)):
                if j is not None:
                    links[j] = k
            heappush(heap, (duration(k), k))
        return [(first[k], stop[k], labels[k]) for k in range(n) if not gone[k]]
