"""Neural classifiers of frames; they know nothing of audio, and import Keras when they are fitted."""

from ._attention import AttentionBLSTMClassifier
from ._cnn import CNNClassifier, CNNLSTMClassifier
from ._dense import DenseClassifier
from ._export import export_onnx
from ._lstm import LSTMClassifier, StackedLSTMClassifier
from ._network import NetworkClassifier

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
