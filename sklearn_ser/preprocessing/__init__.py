"""Scaling: within bounds, by world, by speaker, or by the clips of a reference emotion."""

from ._bounded import BoundedScaler
from ._reference import ReferenceScaler
from ._speaker import SpeakerNormalizer
from ._world import WorldNormalizer

__all__ = ["BoundedScaler", "ReferenceScaler", "SpeakerNormalizer", "WorldNormalizer"]
