"""Networks: functions from an input shape to an uncompiled Keras model; they know nothing of training.

All take frames, float32 (n_clips, n_frames, n_features), in which frames past a clip's end are NaN, and return the
probabilities of the classes, (n_clips, n_classes). What a network says of a clip does not depend on how much padding
follows it. Keras is imported when a network is built.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._whisper import whisper_attention, whisper_encoder

__all__ = ["attention_blstm", "cnn", "cnn_lstm", "dense", "stacked_lstm", "whisper_attention", "whisper_encoder"]

_LOWEST = -1e9  # what padding counts for in a maximum


def _conv_block(x, mask, index: int, *, filters: int, kernel_size: int, strides: int, pool_size: int, dropout: float):
    """Conv1D -> MaxPool -> BatchNorm -> ELU along the last axis but one, over real steps only; the result and its mask.

    Normalisation and ELU rise with their input, so taking the maximum before or after them picks the same step; before,
    they work on a fraction of the steps, and training on waveforms takes a fifth of the time.

    Of four axes, the second counts chunks, and the convolution stays inside each: a Conv2D one chunk high. Padding is
    zero wherever a convolution can see it, stays out of the batch statistics and loses every maximum. Pooling rounds
    up, so that no clip is left without a step.
    """
    from keras import layers, ops

    inside = len(x.shape) == 4
    Conv, MaxPooling = (layers.Conv2D, layers.MaxPooling2D) if inside else (layers.Conv1D, layers.MaxPooling1D)

    def along(n):
        return (1, n) if inside else n

    def pad(x, before, after, value):
        return ops.pad(x, [[0, 0]] * (len(x.shape) - 2) + [[before, after], [0, 0]], constant_values=value)

    if strides > 1:
        # What "same" puts before the first step then depends on the length, and a clip's steps on its padding.
        x = pad(x, (kernel_size - 1) // 2, kernel_size // 2, 0.0)
        mask = mask[..., ::strides]
    x = Conv(
        filters,
        along(kernel_size),
        strides=along(strides),
        padding="valid" if strides > 1 else "same",
        name=f"conv_{index}",
    )(x)
    if pool_size > 1:
        if inside:  # a chunk is real or padding as a whole
            x = MaxPooling(along(pool_size), padding="same", name=f"max_pool_{index}")(x)
        else:
            x = pad(ops.where(mask[..., None], x, _LOWEST), 0, pool_size - 1, _LOWEST)
            x = MaxPooling(pool_size, name=f"max_pool_{index}")(x)
        mask = mask[..., ::pool_size]  # real steps come first, so a window is real if its first step is
    x = layers.BatchNormalization(name=f"batch_norm_{index}")(x, mask=mask)
    x = layers.Activation("elu", name=f"elu_{index}")(x)
    x = ops.where(mask[..., None], x, 0.0)
    if dropout:
        Dropout = layers.SpatialDropout2D if inside else layers.SpatialDropout1D
        x = Dropout(dropout, name=f"dropout_{index}")(x)
    return x, mask


def _convolutions(frames, *, chunks: bool, filters, kernel_size, strides, pool_size, dropout: float):
    """Blocks over the frames, or inside each chunk, then its mean; real steps (n_clips, n_steps, n) and their mask."""
    from keras import ops

    x, mask = _real(frames)
    real = mask
    if chunks:
        x = x[:, :, :, None]
        mask = ops.repeat(mask[:, :, None], frames.shape[2], axis=2)
    for index, (n, kernel, stride, pool) in enumerate(zip(filters, kernel_size, strides, pool_size, strict=True)):
        x, mask = _conv_block(
            x, mask, index, filters=n, kernel_size=kernel, strides=stride, pool_size=pool, dropout=dropout
        )
    return (ops.mean(x, axis=2), real) if chunks else (x, mask)


def _real(frames):
    """Frames with zeros for padding, and the mask of those that are none."""
    from keras import ops

    mask = ops.logical_not(ops.isnan(frames[:, :, 0]))
    return ops.where(mask[:, :, None], frames, 0.0), mask


def _mean(x, mask):
    """Mean over the real steps."""
    from keras import ops

    weights = ops.cast(mask, x.dtype)[:, :, None]
    return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)


def _mean_pool(x, mask, size: int):
    """Means over windows of `size` steps, of real ones only; the last window of a clip may hold fewer."""
    from keras import layers, ops

    def pool(x):
        return layers.AveragePooling1D(size)(ops.pad(x, [[0, 0], [0, size - 1], [0, 0]]))

    real = ops.cast(mask, x.dtype)[:, :, None]
    fraction = pool(real)
    return pool(x * real) / ops.maximum(fraction, 0.5 / size), mask[:, ::size]


def _lstms(x, mask, units: Sequence[int], pooling: str = "last"):
    """LSTMs, one upon the other; the last state of the last, or the mean of its states."""
    from keras import layers

    for index, n in enumerate(units):
        sequences = pooling == "mean" or index < len(units) - 1
        x = layers.LSTM(n, return_sequences=sequences, name=f"lstm_{index}")(x, mask=mask)
    return _mean(x, mask) if pooling == "mean" else x


def _classify(x, n_classes: int, *, dense_units: Sequence[int] = (), dropout: float = 0.0, batch_norm: bool = False):
    """Dense ReLU layers, dropout, and a softmax; on request with batch normalisation between the dense layers."""
    from keras import layers

    for index, n in enumerate(dense_units):
        if index and batch_norm:
            x = layers.BatchNormalization(name=f"dense_batch_norm_{index - 1}")(x)
        x = layers.Dense(n, activation="relu", name=f"dense_{index}")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return layers.Dense(n_classes, activation="softmax", name="probabilities")(x)


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
    import keras
    from keras import layers

    frames = keras.Input(input_shape, name="frames")
    x, mask = _real(frames)
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, n in enumerate(hidden_units):
        x = layers.Dense(n, activation=activation, name=f"dense_{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{index}")(x)
    return keras.Model(frames, _classify(_mean(x, mask), n_classes), name="dense")


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
    input_shape, n_classes, chunks, filters, kernel_size, strides, pool_size, spatial_dropout
        As for `cnn_lstm`.
    dropout : float, default=0.0
        Fraction of the mean dropped in training.

    Returns
    -------
    keras.Model
    """
    import keras

    frames = keras.Input(input_shape, name="frames")
    x, mask = _convolutions(
        frames,
        chunks=chunks,
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        pool_size=pool_size,
        dropout=spatial_dropout,
    )
    return keras.Model(frames, _classify(_mean(x, mask), n_classes, dropout=dropout), name="cnn")


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
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, LSTMs, dense layers, and a softmax.

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

    Returns
    -------
    keras.Model
    """
    import keras

    frames = keras.Input(input_shape, name="frames")
    x, mask = _convolutions(
        frames,
        chunks=chunks,
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        pool_size=pool_size,
        dropout=spatial_dropout,
    )
    x = _lstms(x, mask, lstm_units)
    return keras.Model(
        frames, _classify(x, n_classes, dense_units=dense_units, dropout=dropout, batch_norm=True), name="cnn_lstm"
    )


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
    import keras

    frames = keras.Input(input_shape, name="frames")
    x, mask = _real(frames)
    x = _lstms(x, mask, lstm_units, pooling)
    return keras.Model(frames, _classify(x, n_classes, dense_units=dense_units, dropout=dropout), name="stacked_lstm")


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
    import keras
    from keras import layers, ops

    def initial(default: str):
        if initial_scale is None:
            return default
        return keras.initializers.RandomUniform(-initial_scale, initial_scale)

    frames = keras.Input(input_shape, name="frames")
    x, mask = _real(frames)
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, n in enumerate(dense_units):
        x = layers.Dense(n, activation="relu", name=f"dense_{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dense_dropout_{index}")(x)
    if pool_size > 1:
        x, mask = _mean_pool(x, mask, pool_size)
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
    scores = ops.where(mask, scores, _LOWEST)
    exponentials = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
    weights = exponentials / ops.sum(exponentials, axis=1, keepdims=True)
    weights = layers.Identity(name="attention")(weights)
    x = ops.sum(x * weights[:, :, None], axis=1)
    return keras.Model(frames, _classify(x, n_classes), name="attention_blstm")
