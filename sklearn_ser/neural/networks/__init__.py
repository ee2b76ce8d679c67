"""Networks: functions from an input shape to an uncompiled Keras model; they know nothing of training.

All take frames, float32 (n_clips, n_frames, n_features), in which frames past a clip's end are NaN, and return the
probabilities of the classes, (n_clips, n_classes). What a network says of a clip does not depend on how much padding
follows it. Keras is imported when a network is built.

For networks of your own, which `NetworkClassifier` takes, there are `mask_padding`, `masked_mean`, `masked_std`,
`masked_quantiles`, `attention_weights`, `attention_pooling` and `statistics_pooling`; `attention_cnn` and
`statistics_network` are written as such networks.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._blocks import classify, convolutions, lstms, mean_pool
from ._convolutional import attention_cnn
from ._encoders import combine_layers, encoder_attention, encoder_layers
from ._masking import attention_pooling, attention_weights, mask_padding, masked_mean, masked_quantiles, masked_std
from ._statistics import frame_statistics, read_statistics, statistics_network, statistics_pooling
from ._wav2vec2 import wav2vec2
from ._whisper import whisper, whisper_attention, whisper_encoder

__all__ = [
    "attention_blstm",
    "attention_cnn",
    "attention_pooling",
    "attention_weights",
    "cnn",
    "cnn_lstm",
    "combine_layers",
    "dense",
    "encoder_attention",
    "encoder_layers",
    "mask_padding",
    "masked_mean",
    "masked_quantiles",
    "masked_std",
    "stacked_lstm",
    "statistics_network",
    "statistics_pooling",
    "wav2vec2",
    "whisper",
    "whisper_attention",
    "whisper_encoder",
]


def dense(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    hidden_units: Sequence[int],
    activation: str = "relu",
    dropout: float = 0.0,
    input_noise: float = 0.0,
):
    """Dense layers on each frame, their mean over the frames, and a softmax.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_features)
    n_classes : int
    hidden_units : sequence of int
        Size of each layer.
    activation : str, default="relu"
        A Keras activation.
    dropout : float, default=0.0
        Fraction of each layer's output dropped in training.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.

    Returns
    -------
    keras.Model
    """
    from .._keras import keras

    layers = keras.layers

    frames = keras.Input(input_shape, name="frames")
    x, mask = mask_padding(frames)
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, n in enumerate(hidden_units):
        x = layers.Dense(n, activation=activation, name=f"dense_{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{index}")(x)
    return keras.Model(frames, classify(masked_mean(x, mask), n_classes), name="dense")


def cnn(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    chunks: bool = False,
    filters: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    pool_size: Sequence[int],
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, their mean over time, and a softmax.

    Parameters
    ----------
    input_shape, n_classes, chunks, filters, kernel_size, strides, pool_size
        As for `cnn_lstm`.
    dropout : float, default=0.0
        Fraction of the mean dropped in training.
    spatial_dropout : float, default=0.0
        As for `cnn_lstm`.

    Returns
    -------
    keras.Model
    """
    from .._keras import keras

    frames = keras.Input(input_shape, name="frames")
    x, mask = mask_padding(frames)
    x, mask = convolutions(
        x,
        mask,
        chunks=chunks,
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        pool_size=pool_size,
        dropout=spatial_dropout,
    )
    return keras.Model(frames, classify(masked_mean(x, mask), n_classes, dropout=dropout), name="cnn")


def cnn_lstm(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    chunks: bool = False,
    filters: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    pool_size: Sequence[int],
    lstm_units: Sequence[int],
    dense_units: Sequence[int] = (),
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
    statistics_units: int = 0,
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, LSTMs, dense layers, and a softmax.

    On request, the softmax also reads statistics of the frames. For half of the clips in training, it then goes without
    what the LSTMs say [1]_, so that it learns to decide by either.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_features)
    n_classes : int
    chunks : bool, default=False
        False: the blocks run over the frames, and the LSTMs over what pooling leaves of them. True: a frame is a chunk
        of waveform; the blocks run inside each chunk, and the LSTMs across the chunks' averages.
    filters, kernel_size, strides, pool_size : sequences of int, one entry for each block
    lstm_units : sequence of int
        Size of each LSTM.
    dense_units : sequence of int, default=()
        Size of each ReLU layer behind the LSTMs, with batch normalisation between them.
    dropout : float, default=0.0
        Fraction of what the softmax reads dropped in training.
    spatial_dropout : float, default=0.0
        Fraction of each block's feature maps dropped in training.
    statistics_units : int, default=0
        Size of the ReLU layer that reads the statistics of `statistics_network`; 0 leaves them out. Not for chunks.

    Returns
    -------
    keras.Model

    References
    ----------
    .. [1] Neverova, Wolf, Taylor and Nebout, "ModDrop: adaptive multi-modal gesture recognition", IEEE TPAMI 38(8),
       2016.
    """
    from .._keras import keras

    frames = keras.Input(input_shape, name="frames")
    real_frames, real = mask_padding(frames)
    x, mask = convolutions(
        real_frames,
        real,
        chunks=chunks,
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        pool_size=pool_size,
        dropout=spatial_dropout,
    )
    x, statistics = lstms(x, mask, lstm_units), None
    if statistics_units:
        statistics = frame_statistics(real_frames, real)
        statistics = read_statistics(statistics, [statistics_units], dropout=dropout, input_dropout=dropout)
    probabilities = classify(x, n_classes, dense_units=dense_units, dropout=dropout, batch_norm=True, beside=statistics)
    return keras.Model(frames, probabilities, name="cnn_lstm")


def stacked_lstm(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    lstm_units: Sequence[int],
    pooling: str = "last",
    dense_units: Sequence[int] = (),
    dropout: float = 0.0,
):
    """LSTMs, one upon the other, dense layers on the last state or the mean of the states, and a softmax.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_features)
    n_classes : int
    lstm_units : sequence of int
        Size of each LSTM.
    pooling : {"last", "mean"}, default="last"
        What is read of the last LSTM: its last state, or the mean of its states.
    dense_units : sequence of int, default=()
        Size of each ReLU layer behind them.
    dropout : float, default=0.0
        Fraction of what the softmax reads dropped in training.

    Returns
    -------
    keras.Model
    """
    from .._keras import keras

    frames = keras.Input(input_shape, name="frames")
    x, mask = mask_padding(frames)
    x = lstms(x, mask, lstm_units, pooling)
    return keras.Model(frames, classify(x, n_classes, dense_units=dense_units, dropout=dropout), name="stacked_lstm")


def attention_blstm(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    lstm_units: Sequence[int],
    dense_units: Sequence[int] = (),
    pool_size: int = 1,
    attention: bool = True,
    dropout: float = 0.0,
    input_noise: float = 0.0,
    initial_scale: float | None = None,
):
    """Dense layers on each frame, bidirectional LSTMs, their mean over time weighted by attention, and a softmax.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_features)
    n_classes : int
    lstm_units : sequence of int
        Size of each bidirectional LSTM, in either direction.
    dense_units : sequence of int, default=()
        Size of each ReLU layer before them.
    pool_size : int, default=1
        Frames whose mean is one step of the LSTMs.
    attention : bool, default=True
        Weigh frame t by softmax over time of theta' h_t; False weighs all frames the same.
    dropout : float, default=0.0
        Fraction of each layer's output dropped in training.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.
    initial_scale : float or None, default=None
        The weights of LSTMs and attention begin uniform between minus and plus this; None takes Keras' own.

    Returns
    -------
    keras.Model
        Its layer "attention" returns the weights of the steps, (n_clips, n_steps).
    """
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    def initial(default: str):
        if initial_scale is None:
            return default
        return keras.initializers.RandomUniform(-initial_scale, initial_scale)

    frames = keras.Input(input_shape, name="frames")
    x, mask = mask_padding(frames)
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, n in enumerate(dense_units):
        x = layers.Dense(n, activation="relu", name=f"dense_{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dense_dropout_{index}")(x)
    if pool_size > 1:
        x, mask = mean_pool(x, mask, pool_size)
    for index, n in enumerate(lstm_units):
        lstm = layers.LSTM(
            n,
            return_sequences=True,
            kernel_initializer=initial("glorot_uniform"),
            recurrent_initializer=initial("orthogonal"),
        )
        x = layers.Bidirectional(lstm, name=f"blstm_{index}")(x, mask=mask)
        if dropout:
            x = layers.Dropout(dropout, name=f"blstm_dropout_{index}")(x)
    if attention:
        scores = layers.Dense(1, use_bias=False, kernel_initializer=initial("glorot_uniform"), name="theta")(x)[:, :, 0]
    else:
        scores = ops.zeros_like(x[:, :, 0])
    weights = layers.Identity(name="attention")(attention_weights(scores, mask))
    x = ops.sum(x * weights[:, :, None], axis=1)
    return keras.Model(frames, classify(x, n_classes), name="attention_blstm")
