"""Networks: functions from an input shape to an uncompiled Keras model; they know nothing of training.

All take frames, float32 (n_clips, n_frames, n_features), in which frames past a clip's end are NaN, and return the
probabilities of the classes, (n_clips, n_classes). What a network says of a clip does not depend on how much padding
follows it. Keras is imported when a network is built.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["cnn_lstm"]

_LOWEST = -1e9  # what padding counts for in a maximum


def _conv_block(x, mask, index: int, *, filters: int, kernel_size: int, strides: int, pool_size: int, dropout: float):
    """Conv1D -> BatchNorm -> ELU -> MaxPool along the last axis but one, over real steps only; the result and its mask.

    Of four axes, the second counts chunks, and the convolution stays inside each: a Conv2D one chunk high. Padding is zero
    wherever a convolution can see it, stays out of the batch statistics and loses every maximum. Pooling rounds up, so that
    no clip is left without a step.
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
    x = layers.BatchNormalization(name=f"batch_norm_{index}")(x, mask=mask)
    x = layers.Activation("elu", name=f"elu_{index}")(x)
    if pool_size > 1:
        x = pad(ops.where(mask[..., None], x, _LOWEST), 0, pool_size - 1, _LOWEST)
        x = MaxPooling(along(pool_size), name=f"max_pool_{index}")(x)
        mask = mask[..., ::pool_size]  # real steps come first, so a window is real if its first step is
    x = ops.where(mask[..., None], x, 0.0)
    if dropout:
        Dropout = layers.SpatialDropout2D if inside else layers.SpatialDropout1D
        x = Dropout(dropout, name=f"dropout_{index}")(x)
    return x, mask


def cnn_lstm(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    chunks: bool = False,
    filters: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    pool_size: Sequence[int],
    lstm_units: int,
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
):
    """Blocks of Conv1D -> BatchNorm -> ELU -> MaxPool, an LSTM, and a dense softmax.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_features)
    n_classes : int
    chunks : bool, default=False
        False: the blocks run over the frames, and the LSTM over what pooling leaves of them. True: a frame is a chunk of
        waveform; the blocks run inside each chunk, and the LSTM across the chunks' averages.
    filters, kernel_size, strides, pool_size : sequences of int, one entry for each block
    lstm_units : int
    dropout : float, default=0.0
        Share of the LSTM's output dropped in training.
    spatial_dropout : float, default=0.0
        Share of each block's feature maps dropped in training.

    Returns
    -------
    keras.Model
    """
    import keras
    from keras import layers, ops

    frames = keras.Input(input_shape, name="frames")
    mask = real = ops.logical_not(ops.isnan(frames[:, :, 0]))
    x = ops.where(mask[:, :, None], frames, 0.0)
    if chunks:
        x = x[:, :, :, None]
        mask = ops.repeat(mask[:, :, None], input_shape[1], axis=2)
    for index, (n, kernel, stride, pool) in enumerate(zip(filters, kernel_size, strides, pool_size)):
        x, mask = _conv_block(
            x, mask, index, filters=n, kernel_size=kernel, strides=stride, pool_size=pool, dropout=spatial_dropout
        )
    if chunks:
        x, mask = ops.mean(x, axis=2), real
    x = layers.LSTM(lstm_units, name="lstm")(x, mask=mask)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(frames, layers.Dense(n_classes, activation="softmax", name="probabilities")(x), name="cnn_lstm")
