"""Pretrained encoders of speech, on Keras alone."""

from ._features import WhisperFeatures

__all__ = ["WhisperFeatures"]
