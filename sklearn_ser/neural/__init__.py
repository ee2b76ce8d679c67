"""Neural classifiers of frames; they know nothing of audio, and import Keras when they are fitted."""

from ._attention import AttentionBLSTMClassifier
from ._cnn import CNNClassifier, CNNLSTMClassifier
from ._dense import DenseClassifier
from ._lstm import LSTMClassifier, StackedLSTMClassifier

__all__ = [
    "AttentionBLSTMClassifier",
    "CNNClassifier",
    "CNNLSTMClassifier",
    "DenseClassifier",
    "LSTMClassifier",
    "StackedLSTMClassifier",
]
