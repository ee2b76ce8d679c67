"""ValueTimeline: values along a recording, such as arousal and valence."""

from __future__ import annotations

import numpy as np

from ..utils._messages import short
from ._table import SegmentTable


class ValueTimeline(SegmentTable):
    """Values along a recording, segment by segment, such as arousal and valence: a DataFrame that can be averaged.

    Made by `SegmentRegressor.predict_timeline`; ``ValueTimeline(rows)`` makes one of the rows of `stream_timeline`. All
    of pandas is there: ``timeline[timeline["arousal"] > 0.8]`` are the excited segments.

    Read more in the guide: :doc:`long recordings </guide/long_recordings>`.

    Examples
    --------
    >>> from sklearn_ser.segmentation import ValueTimeline
    >>> timeline = ValueTimeline({"start": [0.0, 1.0, 2.0], "end": [2.0, 3.0, 4.0], "arousal": [0.2, 0.4, 0.9]})
    >>> timeline.smoothed(3).round(2)
       start  end  arousal
    0    0.0  2.0     0.30
    1    1.0  3.0     0.50
    2    2.0  4.0     0.65

    Parameters
    ----------
    data : DataFrame, list of dict, or anything else that a DataFrame is made of
        Columns `start` and `end`, seconds, and a column for each value.
    **params
        Other arguments of `pandas.DataFrame`.

    See Also
    --------
    TimelineDisplay : Draws it.
    """

    @property
    def targets(self) -> list:
        """Names of the columns of values."""
        return list(self.columns[2:])

    def _timeline_columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        columns = list(self.columns)
        if columns[:2] != ["start", "end"] or len(columns) < 3 or not len(self):
            raise ValueError(
                "A timeline of values must have rows, and the columns 'start', 'end' and one for each value, as "
                f"predict_timeline returns them. Got {len(self)} rows of the columns {short(columns)}."
            )
        return *self._check_times(), self.iloc[:, 2:].to_numpy(float)

    def _timeline_of(self, start, end, values) -> ValueTimeline:
        return ValueTimeline({"start": start, "end": end, **dict(zip(self.targets, values.T, strict=True))})
