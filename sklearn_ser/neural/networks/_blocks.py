"""Blocks that networks are built of: convolutions, LSTMs, pooling and classification over real frames only."""

from __future__ import annotations

from collections.abc import Sequence

from ._masking import LOWEST, masked_mean


def conv_block(x, mask, index: int, *, filters: int, kernel_size: int, strides: int, pool_size: int, dropout: float):
    """Conv1D -> MaxPool -> BatchNorm -> ELU along the last axis but one, over real steps only; the result and its mask.

    Normalisation and ELU rise with their input, so taking the maximum before or after them picks the same step; before,
    they work on a fraction of the steps, and training on waveforms takes a fifth of the time.

    Of four axes, the second counts chunks, and the convolution stays inside each: a Conv2D one chunk high. Padding is
    zero wherever a convolution can see it, stays out of the batch statistics and loses every maximum. Pooling rounds
    up, so that no clip is left without a step.
    """
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

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
            x = pad(ops.where(mask[..., None], x, LOWEST), 0, pool_size - 1, LOWEST)
            x = MaxPooling(pool_size, name=f"max_pool_{index}")(x)
        mask = mask[..., ::pool_size]  # real steps come first, so a window is real if its first step is
    x = layers.BatchNormalization(name=f"batch_norm_{index}")(x, mask=mask)
    x = layers.Activation("elu", name=f"elu_{index}")(x)
    x = ops.where(mask[..., None], x, 0.0)
    if dropout:
        Dropout = layers.SpatialDropout2D if inside else layers.SpatialDropout1D
        x = Dropout(dropout, name=f"dropout_{index}")(x)
    return x, mask


def convolutions(x, mask, *, chunks: bool, filters, kernel_size, strides, pool_size, dropout: float):
    """Blocks over the frames, or inside each chunk, then its mean; real steps (n_clips, n_steps, n) and their mask."""
    from .._keras import keras

    ops = keras.ops

    real = mask
    if chunks:
        mask = ops.repeat(mask[:, :, None], x.shape[2], axis=2)
        x = x[:, :, :, None]
    for index, (n, kernel, stride, pool) in enumerate(zip(filters, kernel_size, strides, pool_size, strict=True)):
        x, mask = conv_block(
            x, mask, index, filters=n, kernel_size=kernel, strides=stride, pool_size=pool, dropout=dropout
        )
    return (ops.mean(x, axis=2), real) if chunks else (x, mask)


def mean_pool(x, mask, size: int):
    """Means over windows of `size` steps, of real ones only; the last window of a clip may hold fewer."""
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    def pool(x):
        return layers.AveragePooling1D(size)(ops.pad(x, [[0, 0], [0, size - 1], [0, 0]]))

    real = ops.cast(mask, x.dtype)[:, :, None]
    n_real = pool(real)
    return pool(x * real) / ops.maximum(n_real, 0.5 / size), mask[:, ::size]


def lstms(x, mask, units: Sequence[int], pooling: str = "last"):
    """LSTMs, one upon the other; the last state of the last, or the mean of its states."""
    from .._keras import keras

    layers = keras.layers

    for index, n in enumerate(units):
        sequences = pooling == "mean" or index < len(units) - 1
        x = layers.LSTM(n, return_sequences=sequences, name=f"lstm_{index}")(x, mask=mask)
    return masked_mean(x, mask) if pooling == "mean" else x


def classify(
    x,
    n_classes: int,
    *,
    dense_units: Sequence[int] = (),
    dropout: float = 0.0,
    batch_norm: bool = False,
    beside=None,
):
    """Dense ReLU layers, dropout, and a softmax; on request with batch normalisation between the dense layers.

    The softmax reads what is `beside` x, too. In training, it then goes without x for half of the clips (ModDrop, cited
    in `cnn_lstm`): x fits the training clips sooner, and would decide alone.
    """
    from .._keras import keras

    layers = keras.layers

    for index, n in enumerate(dense_units):
        if index and batch_norm:
            x = layers.BatchNormalization(name=f"dense_batch_norm_{index - 1}")(x)
        x = layers.Dense(n, activation="relu", name=f"dense_{index}")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    if beside is not None:
        x = layers.Dropout(0.5, noise_shape=(None, 1), name="dropout_of_all")(x)
        x = keras.ops.concatenate([x, beside], axis=-1)
    return layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
