"""S1, Mou et al. (2021): CNN+LSTM on chunks of waveform, and its baselines."""

from __future__ import annotations

from sklearn.pipeline import Pipeline

from ..audio import WaveformChunker
from ..neural import CNNClassifier, CNNLSTMClassifier, DenseClassifier, LSTMClassifier
from ._docs import _system

_MOU_BLOCKS = dict(
    filters=(32, 64, 64, 64), kernel_size=(64, 9, 9, 9), strides=(8, 1, 1, 1), pool_size=(8, 4, 4, 2), dropout=0.3
)


def _mou_training(epochs, random_state, verbose) -> dict:
    """A fifth of what is left after a fifth to test on: 64, 16 and 20 % for training, validation and test."""
    return dict(
        epochs=epochs,
        batch_size=16,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=25,
        random_state=random_state,
        verbose=verbose,
    )


@_system
def mou2021_cnn_lstm(*, random_state=None, epochs=120, verbose=0) -> Pipeline:
    """CNN+LSTM on chunks of waveform, system S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `CNNLSTMClassifier`.

    Notes
    -----
    As published: 16 kHz, RMS normalization, chunks of 16000 samples; four blocks of Conv1D, batch normalization, ELU
    and max pooling, one LSTM, softmax; early stopping on 16 % of the clips, and the best epoch kept.

    Left open by [1]_: 32, 64, 64 and 64 filters, the first 64 samples wide and in steps of 8, because narrow filters at
    the full rate take ten times as long; an LSTM of 64 units; learning rate and batch size.

    Otherwise than [1]_: Adam in place of SGD with Nesterov momentum, which on four emotions of EMO-DB stayed 5 points
    behind with these filters, and took twice the time to come close with twice as many; pooling comes first in a block
    (see `CNNLSTMClassifier`); a fraction of feature maps and of the LSTM's output is dropped in training; and chunks
    that a shorter clip does not have are masked.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.

    Examples
    --------
    >>> from sklearn_ser.systems import mou2021_cnn_lstm
    >>> pipeline = mou2021_cnn_lstm(random_state=0)
    >>> list(pipeline.named_steps)
    ['chunks', 'classifier']
    """
    network = CNNLSTMClassifier(
        **_MOU_BLOCKS,
        lstm_units=64,
        statistics_units=0,
        learning_rate=1e-3,
        learning_rate_schedule=None,
        **_mou_training(epochs, random_state, verbose),
    )
    return Pipeline([("chunks", WaveformChunker(verbose=verbose)), ("classifier", network)])


@_system
def mou2021_cnn(*, random_state=None, epochs=120, verbose=0) -> Pipeline:
    """The CNN alone, a baseline of S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `CNNClassifier`.

    Notes
    -----
    The blocks of `mou2021_cnn_lstm`, and the mean over a clip in place of the LSTM.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    """
    network = CNNClassifier(**_MOU_BLOCKS, **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(verbose=verbose)), ("classifier", network)])


@_system
def mou2021_nn(*, random_state=None, epochs=100, verbose=0) -> Pipeline:
    """The plain neural network, a baseline of S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `DenseClassifier`.

    Notes
    -----
    Otherwise than [1]_, which feeds the network whole clips, flattened: here it reads 10 ms at a time, with the same
    weights, and the mean over the clip is classified. On flattened waveforms, sample by sample, a dense network learns
    its training clips by heart and recognizes no others (18 % of seven emotions of EMO-DB, where guessing the most
    frequent one gives 24).

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    """
    network = DenseClassifier((256, 64), dropout=0.5, **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(0.01, verbose=verbose)), ("classifier", network)])


@_system
def mou2021_lstm(*, random_state=None, epochs=80, verbose=0) -> Pipeline:
    """The LSTM alone, a baseline of S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `LSTMClassifier`.

    Notes
    -----
    Otherwise than [1]_, the LSTM reads the waveform 10 ms at a time, not a second: of whole seconds as steps it
    recognizes 18 % of seven emotions of EMO-DB. Its states are averaged over the clip: of its last state alone, after
    some hundreds of such steps, it recognizes 48 %.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    """
    network = LSTMClassifier(64, pooling="mean", **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(0.01, verbose=verbose)), ("classifier", network)])
