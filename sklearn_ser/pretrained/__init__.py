"""Pretrained encoders of speech, on Keras alone."""

from ._features import EncoderFeatures, WhisperFeatures
from ._fine_tuned import EncoderClassifier, WhisperClassifier

__all__ = ["EncoderClassifier", "EncoderFeatures", "WhisperClassifier", "WhisperFeatures"]
