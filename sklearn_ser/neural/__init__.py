"""Neural classifiers and regressors of frames; they know nothing of audio, and import Keras when they are fitted."""

from ._convolutional import CNNClassifier, CNNLSTMClassifier, CNNLSTMRegressor
from ._dense import DenseClassifier
from ._export import export_onnx
from ._own_network import NetworkClassifier, NetworkRegressor
from ._recurrent import AttentionBLSTMClassifier, AttentionBLSTMRegressor, LSTMClassifier, StackedLSTMClassifier

__all__ = [
    "AttentionBLSTMClassifier",
    "AttentionBLSTMRegressor",
    "CNNClassifier",
    "CNNLSTMClassifier",
    "CNNLSTMRegressor",
    "DenseClassifier",
    "LSTMClassifier",
    "NetworkClassifier",
    "NetworkRegressor",
    "StackedLSTMClassifier",
    "export_onnx",
]
