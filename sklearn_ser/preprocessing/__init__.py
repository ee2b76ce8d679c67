"""Scaling by speaker, or by the clips of a reference emotion."""

from ._reference import ReferenceScaler
from ._speaker import SpeakerNormalizer

__all__ = ["ReferenceScaler", "SpeakerNormalizer"]
