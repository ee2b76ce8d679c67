"""Estimators of segments, timelines of long recordings, and the intervals in them."""

from ._classifier import SegmentClassifier
from ._intervals import Intervals
from ._regressor import SegmentRegressor
from ._timeline import Timeline
from ._value_timeline import ValueTimeline

__all__ = ["Intervals", "SegmentClassifier", "SegmentRegressor", "Timeline", "ValueTimeline"]
