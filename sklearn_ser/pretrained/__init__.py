"""Pretrained encoders of speech, on Keras alone."""

from ._classifier import WhisperClassifier
from ._features import WhisperFeatures

__all__ = ["WhisperClassifier", "WhisperFeatures"]
