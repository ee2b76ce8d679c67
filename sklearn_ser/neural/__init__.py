"""Neural classifiers of frames; they know nothing of audio, and import Keras when they are fitted."""

from ._cnn_lstm import CNNLSTMClassifier

__all__ = ["CNNLSTMClassifier"]
