"""Pretrained encoders of speech, on Keras alone; and published recognizers."""

from ._features import EncoderFeatures, WhisperFeatures
from ._fine_tuned import EncoderClassifier, EncoderRegressor, WhisperClassifier
from ._recognizers import PretrainedClassifier, PretrainedRegressor

__all__ = [
    "EncoderClassifier",
    "EncoderFeatures",
    "EncoderRegressor",
    "PretrainedClassifier",
    "PretrainedRegressor",
    "WhisperClassifier",
    "WhisperFeatures",
]
