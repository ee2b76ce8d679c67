"""Convolutional classifiers, on frames or on chunks of waveform."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from ..utils._messages import short
from ..utils._sklearn_compat import Interval, StrOptions
from . import networks
from ._base import NeuralClassifier, check_sizes

# A frame of more values than this is taken for a chunk of waveform: spectra are shorter, chunks of 0.1 s longer.
_LONGEST_FRAME = 1500

# What `kernel_size`, `strides` and `pool_size` are by default: (for the first block, for the others).
_DEFAULTS = {
    "frames": dict(kernel_size=(5, 5), strides=(1, 1), pool_size=(4, 2)),
    "chunks": dict(kernel_size=(64, 9), strides=(8, 1), pool_size=(8, 4)),
}


class _Convolutional(NeuralClassifier):
    """Base of the classifiers whose network begins with convolutional blocks."""

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "input_type": [StrOptions({"auto", "frames", "chunks"})],
        "filters": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "strides": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "pool_size": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "spatial_dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def _blocks(self, input_shape) -> dict:
        """The convolutional part of the network's parameters."""
        self.input_type_ = self.input_type
        if self.input_type == "auto":
            self.input_type_ = "chunks" if input_shape[1] > _LONGEST_FRAME else "frames"
        return dict(
            chunks=self.input_type_ == "chunks",
            filters=self._per_block("filters"),
            kernel_size=self._per_block("kernel_size"),
            strides=self._per_block("strides"),
            pool_size=self._per_block("pool_size"),
            spatial_dropout=self.spatial_dropout,
            dropout=self.dropout,
        )

    def _per_block(self, name: str) -> list[int]:
        """A parameter's value for each block."""
        n_blocks: int = len(self.filters)
        value: Any = getattr(self, name)
        if value is None:
            first, others = _DEFAULTS[self.input_type_][name]
            return [first, *[others] * (n_blocks - 1)]
        values = [value] * n_blocks if isinstance(value, Integral) else list(value)
        if n_blocks == 0 or len(values) != n_blocks or not all(isinstance(v, Integral) and int(v) > 0 for v in values):
            raise ValueError(
                f"{name} must hold one positive int for each of the blocks, as many as filters. "
                f"Got {name}={short(value)} and filters={short(self.filters)}."
            )
        return [int(v) for v in values]


class CNNClassifier(_Convolutional):
    """Convolutional blocks and the mean of what they leave, on frames or on chunks of waveform.

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
        What the rows of a clip are. "auto" takes rows of more than 1500 values for chunks of waveform.
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
        What the rows of a clip were taken for.

    Notes
    -----
    A pickled classifier holds architecture and weights, not the optimizer's state: training that resumes from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    """

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

    def _build(self, input_shape, n_classes):
        return networks.cnn(input_shape, n_classes, **self._blocks(input_shape))


class CNNLSTMClassifier(_Convolutional):
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
    input_type : {"auto", "frames", "chunks"}, default="auto"
        What the rows of a clip are. "auto" takes rows of more than 1500 values for chunks of waveform.
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
    <training>

    Attributes
    ----------
    <trained>
    input_type_ : {"frames", "chunks"}
        What the rows of a clip were taken for.

    Notes
    -----
    Reference [1]_ pools at the end of a block. The maximum, the normalisation and ELU all keep the order of values, so
    pooling first finds the same maxima, and leaves the others less to do: on waveforms, training takes a fifth of the
    time.

    A pickled classifier holds architecture and weights, not the optimizer's state: training that resumes from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
    .. [2] Zhao, Mao and Chen, "Speech emotion recognition using deep 1D & 2D CNN LSTM networks", Biomedical Signal
       Processing and Control 47, 2019.
    .. [3] Neverova, Wolf, Taylor and Nebout, "ModDrop: adaptive multi-modal gesture recognition", IEEE TPAMI 38(8),
       2016.
    """

    _parameter_constraints: dict = {
        **_Convolutional._parameter_constraints,
        "lstm_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "dense_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "statistics_units": [Interval(Integral, 0, None, closed="left")],
    }

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

    def _build(self, input_shape, n_classes):
        blocks = self._blocks(input_shape)
        return networks.cnn_lstm(
            input_shape,
            n_classes,
            **blocks,
            lstm_units=check_sizes("lstm_units", self.lstm_units, at_least=1),
            dense_units=check_sizes("dense_units", self.dense_units),
            statistics_units=0 if blocks["chunks"] else self.statistics_units,
        )
