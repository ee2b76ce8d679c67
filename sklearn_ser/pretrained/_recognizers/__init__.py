"""Published recognizers, which need no training."""

from ._classifier import PretrainedClassifier
from ._regressor import PretrainedRegressor

__all__ = ["PretrainedClassifier", "PretrainedRegressor"]
