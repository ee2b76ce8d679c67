"""Convolutional networks as estimators, on frames or on chunks of waveform."""

from __future__ import annotations

from numbers import Integral, Real

from ..utils._sklearn_compat import Interval, StrOptions
from . import networks
from ._classifier import NeuralClassifier
from ._regressor import NeuralRegressor
from .networks._blocks import kind_of_frames

_SIZE, _FRACTION = Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="left")


class _Convolutional:
    """Parameters of the networks that begin with convolutional blocks."""

    _parameter_constraints: dict = {
        "input_type": [StrOptions({"auto", "frames", "chunks"})],
        "filters": ["array-like"],
        "kernel_size": [_SIZE, "array-like", None],
        "strides": [_SIZE, "array-like", None],
        "pool_size": [_SIZE, "array-like", None],
        "dropout": [_FRACTION],
        "spatial_dropout": [_FRACTION],
    }

    def _build(self, input_shape):
        self.input_type_ = kind_of_frames(self.input_type, input_shape[1])
        return super()._build(input_shape)


class CNNClassifier(_Convolutional, NeuralClassifier):
    """Convolutional blocks and the mean of their output, on frames or on chunks of waveform.

    The `CNNLSTMClassifier` without its LSTM, the baseline of [1]_. It is order-invariant: which sounds occur counts,
    not when.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import CNNClassifier, FrameWise, MelSpectrogramTransformer
    >>> pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(), CNNClassifier())

    Parameters
    ----------
    input_type : {"auto", "frames", "chunks"}, default="auto"
        Kind of the rows of a clip. "auto" takes rows of more than 1500 values for chunks of waveform.
    filters : sequence of int, default=(32, 64, 64)
        Feature maps of each block; its length is the number of blocks.
    kernel_size, strides, pool_size : int, sequence of int, or None, default=None
        Width and step of each block's convolution, and of its pooling; an int serves all blocks. None takes widths of 5
        and pools by 4, 2, 2 on frames; on chunks it begins with a width of 64 samples in steps of 8, goes on with
        widths of 9, and pools by 8, 4, 4. Pooling rounds up, so that any clip keeps a step.
    dropout : float, default=0.3
        Fraction of the mean dropped in training.
    spatial_dropout : float, default=0.1
        Fraction of each block's feature maps dropped in training.
    <training>

    Attributes
    ----------
    <trained>
    input_type_ : {"frames", "chunks"}
        Kind that the rows of a clip were taken for.

    Notes
    -----
    <pickled>

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    """

    _parameter_constraints: dict = {**NeuralClassifier._parameter_constraints, **_Convolutional._parameter_constraints}
    _network = staticmethod(networks.cnn)

    def __init__(
        self,
        input_type="auto",
        filters=(32, 64, 64),
        *,
        kernel_size=None,
        strides=None,
        pool_size=None,
        dropout=0.3,
        spatial_dropout=0.1,
        **training,
    ):
        super().__init__(**training)
        self.input_type = input_type
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.pool_size = pool_size
        self.dropout = dropout
        self.spatial_dropout = spatial_dropout


class _CNNLSTM(_Convolutional):
    """Parameters of the CNN-LSTM."""

    _parameter_constraints: dict = {
        **_Convolutional._parameter_constraints,
        "lstm_units": [_SIZE, "array-like"],
        "dense_units": [_SIZE, "array-like"],
        "statistics_units": [Interval(Integral, 0, None, closed="left")],
    }
    _network = staticmethod(networks.cnn_lstm)
    _network_parameters = """
    input_type : {"auto", "frames", "chunks"}, default="auto"
        Kind of the rows of a clip. "auto" takes rows of more than 1500 values for chunks of waveform.
    filters : sequence of int, default=(32, 64, 64)
        Feature maps of each block; its length is the number of blocks.
    kernel_size, strides, pool_size : int, sequence of int, or None, default=None
        Width and step of each block's convolution, and of its pooling; an int serves all blocks. None takes widths of 5
        and pools by 4, 2, 2 on frames; on chunks it begins with a width of 64 samples in steps of 8, goes on with
        widths of 9, and pools by 8, 4, 4. Pooling rounds up, so that any clip keeps a step.
    lstm_units : int or sequence of int, default=64
        Size of the LSTM's state; of a sequence, one LSTM reads what the one before leaves at each step.
    dense_units : int or sequence of int, default=()
        Size of each ReLU layer between LSTM and softmax, with batch normalisation between them.
    dropout : float, default=0.3
        Fraction of what the softmax reads, and of the statistics, dropped in training.
    spatial_dropout : float, default=0.1
        Fraction of each block's feature maps dropped in training.
    statistics_units : int, default=128
        Size of the ReLU layer that reads the statistics of the frames, which should be standardised; 0 leaves them
        out. Chunks of waveform have none.
    """

    def __init__(
        self,
        input_type="auto",
        filters=(32, 64, 64),
        *,
        kernel_size=None,
        strides=None,
        pool_size=None,
        lstm_units=64,
        dense_units=(),
        dropout=0.3,
        spatial_dropout=0.1,
        statistics_units=128,
        epochs=30,
        learning_rate=3e-3,
        learning_rate_schedule="cosine",
        **training,
    ):
        super().__init__(
            epochs=epochs, learning_rate=learning_rate, learning_rate_schedule=learning_rate_schedule, **training
        )
        self.input_type = input_type
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.pool_size = pool_size
        self.lstm_units = lstm_units
        self.dense_units = dense_units
        self.dropout = dropout
        self.spatial_dropout = spatial_dropout
        self.statistics_units = statistics_units


class CNNLSTMClassifier(_CNNLSTM, NeuralClassifier):
    """Convolutional blocks and LSTMs, on frames or on chunks of waveform; on frames, statistics of them, too.

    Each block is Conv1D -> MaxPool -> BatchNorm -> ELU; an LSTM reads what the blocks leave, and a dense softmax
    decides ([1]_, after [2]_). On frames, such as a log-mel spectrogram, the blocks run over time. On chunks of
    waveform, as `WaveformChunker` makes them, they run inside each chunk, and the LSTM across the chunks. Padding is
    masked throughout, so a clip's probabilities do not depend on the length of the others.

    On frames, the softmax also reads statistics of the clip's frames, those of `networks.statistics_network`, because a
    few hundred clips are not enough to learn them. In training, it goes without the LSTM's state for half of the clips
    ([3]_). ``statistics_units=0`` leaves the published network.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ser import CNNLSTMClassifier, FrameWise, MelSpectrogramTransformer, WaveformChunker
    >>> on_frames = make_pipeline(MelSpectrogramTransformer(), FrameWise(StandardScaler()), CNNLSTMClassifier())
    >>> on_waveforms = make_pipeline(WaveformChunker(), CNNLSTMClassifier())

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>
    input_type_ : {"frames", "chunks"}
        Kind that the rows of a clip were taken for.

    Notes
    -----
    Reference [1]_ pools at the end of a block. The maximum, the normalization and ELU all keep the order of values, so
    pooling first finds the same maxima, and leaves the others less to do: on waveforms, training takes a fifth of the
    time.

    <pickled>

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    .. [2] Zhao, Mao and Chen, "Speech emotion recognition using deep 1D & 2D CNN LSTM networks", Biomedical Signal
       Processing and Control 47, 2019.
    .. [3] Neverova, Wolf, Taylor and Nebout, "ModDrop: adaptive multi-modal gesture recognition", IEEE TPAMI 38(8),
       2016.
    """

    _parameter_constraints: dict = {**NeuralClassifier._parameter_constraints, **_CNNLSTM._parameter_constraints}


class CNNLSTMRegressor(_CNNLSTM, NeuralRegressor):
    """The network of `CNNLSTMClassifier`, trained on values such as arousal and valence.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ser import CNNLSTMRegressor, FrameWise, MelSpectrogramTransformer
    >>> network = CNNLSTMRegressor(loss="ccc", early_stopping=True)
    >>> pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(StandardScaler()), network)

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>
    input_type_ : {"frames", "chunks"}
        Kind that the rows of a clip were taken for.

    See Also
    --------
    CNNLSTMClassifier : The same network for classes, with its sources.

    Notes
    -----
    <pickled>
    """

    _parameter_constraints: dict = {**NeuralRegressor._parameter_constraints, **_CNNLSTM._parameter_constraints}
