"""The recommended recogniser, `make_recognizer`, and published systems: functions that return unfitted estimators.

A published system is a Pipeline of public estimators. Hyperparameters are as published. Each docstring says what its
paper leaves open, and where the system does otherwise, and why. `list_systems` returns them all, with the figures that
their papers report.

Early stopping uses a validation set of clips drawn at random, as the papers do. To keep speakers apart there, too, pass
`groups`: ``pipeline.fit(X, y, classifier__groups=speaker)``, or ``fit(X, y, groups=speaker)`` where the system trains
on augmented copies (an `AugmentedClassifier`).
"""

from ._bledea import bledea_stacked_lstm
from ._he import he_attention_blstm, he_autoencoder_blstm, he_blstm, he_svm
from ._mou2021 import mou2021_cnn, mou2021_cnn_lstm, mou2021_lstm, mou2021_nn
from ._recommended import make_recognizer
from ._registry import PublishedSystem, list_systems
from ._saleem import saleem_cnn_lstm

__all__ = [
    "PublishedSystem",
    "bledea_stacked_lstm",
    "he_attention_blstm",
    "he_autoencoder_blstm",
    "he_blstm",
    "he_svm",
    "list_systems",
    "make_recognizer",
    "mou2021_cnn",
    "mou2021_cnn_lstm",
    "mou2021_lstm",
    "mou2021_nn",
    "saleem_cnn_lstm",
]
