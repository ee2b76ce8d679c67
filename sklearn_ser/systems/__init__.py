"""The recommended recognizer, `make_recognizer`, and published systems: functions that return unfitted estimators.

A published system is a Pipeline of public estimators. Hyperparameters are as published. Each docstring says what its
paper leaves open, and where the system does otherwise, and why. `list_systems` returns them all, with the figures that
their papers report.

Early stopping uses a validation set of clips drawn at random, as the papers do. To keep speakers apart there, too, pass
`groups`: ``pipeline.fit(X, y, classifier__groups=speaker)``, or ``fit(X, y, groups=speaker)`` where the system trains
on augmented copies (an `AugmentedClassifier`).

References
----------
S1: Mou et al. (2021), "Speech Emotion Recognition Based on CNN+LSTM Model", Proc. ROCLING 2021.

S2: M. A. Bledea, "Speech Emotion Recognition With Recurrent Neural Networks", report, undated.

S3: M. Saleem, "Speech Emotion Recognition (SER) using CNN and LSTMs", article in Towards AI, with code.

S4: X. He, L. Ren and Y. He (2019), "Speech Emotion Recognition using Convolutional Neural Networks and Recurrent Neural
Networks with Attention Model", Proc. 9th International Workshop on Computer Science and Engineering (WCSE), 295-301,
doi:10.18178/wcse.2019.06.044.
"""

from ._bledea import bledea_stacked_lstm
from ._he import he_attention_blstm, he_autoencoder_blstm, he_blstm, he_svm
from ._mou2021 import mou2021_cnn, mou2021_cnn_lstm, mou2021_lstm, mou2021_nn
from ._ready import load_recognizer
from ._recommended import make_recognizer
from ._registry import PublishedSystem, list_systems
from ._saleem import saleem_cnn_lstm
from ._whisper import whisper_discriminants

__all__ = [
    "PublishedSystem",
    "bledea_stacked_lstm",
    "he_attention_blstm",
    "he_autoencoder_blstm",
    "he_blstm",
    "he_svm",
    "list_systems",
    "load_recognizer",
    "make_recognizer",
    "mou2021_cnn",
    "mou2021_cnn_lstm",
    "mou2021_lstm",
    "mou2021_nn",
    "saleem_cnn_lstm",
    "whisper_discriminants",
]
