"""Ratings by several people: joined to one label or value a clip, and how far the people agree."""

from ._aggregate import aggregate_ratings
from ._agreement import rater_agreement

__all__ = ["aggregate_ratings", "rater_agreement"]
