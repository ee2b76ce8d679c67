"""Classifiers of segments, timelines of long recordings, and the intervals in them."""

from ._classifier import SegmentClassifier
from ._intervals import Intervals
from ._timeline import Timeline

__all__ = ["Intervals", "SegmentClassifier", "Timeline"]
