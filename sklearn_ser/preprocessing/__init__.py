"""Scaling: within bounds, by speaker, or by the clips of a reference emotion."""

from ._bounded import BoundedScaler
from ._reference import ReferenceScaler
from ._speaker import SpeakerNormalizer

__all__ = ["BoundedScaler", "ReferenceScaler", "SpeakerNormalizer"]
