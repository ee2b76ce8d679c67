"""Neural classifiers of frames; they know nothing of audio, and import Keras when they are fitted."""

from ._attention import AttentionBLSTMClassifier
from ._convolutional import CNNClassifier, CNNLSTMClassifier
from ._dense import DenseClassifier
from ._export import export_onnx
from ._own_network import NetworkClassifier
from ._recurrent import LSTMClassifier, StackedLSTMClassifier

__all__ = [
    "AttentionBLSTMClassifier",
    "CNNClassifier",
    "CNNLSTMClassifier",
    "DenseClassifier",
    "LSTMClassifier",
    "NetworkClassifier",
    "StackedLSTMClassifier",
    "export_onnx",
]
