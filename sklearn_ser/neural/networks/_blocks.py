"""Blocks that networks are built of: convolutions, LSTMs, pooling and dense layers, over real frames only."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

from ...utils._messages import short
from ._masking import LOWEST, masked_mean

LONGEST_FRAME = (
    1500  # a frame of more values is taken for a chunk of waveform: spectra are shorter, chunks of 0.1 s longer
)


class Default(NamedTuple):
    """Size of the first block, and of the others."""

    first: int
    others: int


# Axes of kernel_size, strides and pool_size.
DEFAULTS = {
    "frames": (Default(5, 5), Default(1, 1), Default(4, 2)),
    "chunks": (Default(64, 9), Default(8, 1), Default(8, 4)),
}


def conv_block(x, mask, index: int, *, filters: int, kernel_size: int, strides: int, pool_size: int, dropout: float):
    """Conv1D -> MaxPool -> BatchNorm -> ELU along the last axis but one, over real steps only; the result and its mask.

    Normalization and ELU rise with their input, so taking the maximum before or after them picks the same step; before,
    they work on a fraction of the steps, and training on waveforms takes a fifth of the time.

    With four axes, the second counts chunks, and the convolution stays inside each: a Conv2D one chunk high. Padding is
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


def kind_of_frames(input_type: str, n_features: int) -> str:
    """Return whether the rows of a clip are "frames" or "chunks" of waveform; "auto" goes by their number of values."""
    if input_type != "auto":
        return input_type
    return "chunks" if n_features > LONGEST_FRAME else "frames"


def convolutions(x, mask, *, input_type: str, filters, kernel_size, strides, pool_size, dropout: float):
    """Blocks over the frames, or inside each chunk, then its mean; real steps (n_clips, n_steps, n) and their mask."""
    from .._keras import keras

    ops = keras.ops

    kind, n_blocks = kind_of_frames(input_type, x.shape[2]), len(filters)
    sizes = [
        filters,
        *(DEFAULTS[kind][i] if given is None else given for i, given in enumerate((kernel_size, strides, pool_size))),
    ]
    names = ("filters", "kernel_size", "strides", "pool_size")
    sizes = [_per_block(name, value, n_blocks, filters) for name, value in zip(names, sizes, strict=True)]
    real = mask
    if kind == "chunks":
        mask = ops.repeat(mask[:, :, None], x.shape[2], axis=2)
        x = x[:, :, :, None]
    for index, (n, kernel, stride, pool) in enumerate(zip(*sizes, strict=True)):
        x, mask = conv_block(
            x, mask, index, filters=n, kernel_size=kernel, strides=stride, pool_size=pool, dropout=dropout
        )
    return (ops.mean(x, axis=2), real) if kind == "chunks" else (x, mask)


def _per_block(name: str, value, n_blocks: int, filters) -> list[int]:
    """A size for each block: of one value or of a sequence, or of (first block, others)."""
    if isinstance(value, Default):
        return [value.first, *[value.others] * (n_blocks - 1)]
    values = [value] * n_blocks if isinstance(value, Integral) else list(value)
    if n_blocks == 0 or len(values) != n_blocks or not all(isinstance(v, Integral) and int(v) > 0 for v in values):
        raise ValueError(
            f"{name} must hold one positive int for each of the blocks, as many as filters. "
            f"Got {name}={short(value)} and filters={short(filters)}."
        )
    return [int(v) for v in values]


def check_sizes(name: str, value: Any, at_least: int = 0) -> list[int]:
    """Read a parameter that holds the sizes of layers as a list; an int is one layer."""
    sizes = [value] if isinstance(value, Integral) else list(value)
    if len(sizes) < at_least or not all(isinstance(size, Integral) and int(size) > 0 for size in sizes):
        raise ValueError(
            f"{name} must hold a positive int for each layer, at least {at_least} of them. Got {name}={short(value)}."
        )
    return [int(size) for size in sizes]


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


def head(x, *, dense_units=(), dropout: float = 0.0, batch_norm: bool = False, beside=None):
    """Dense ReLU layers and dropout before the last layer; on request with batch normalization between dense layers.

    `beside` is appended to x. In training, x is then dropped as a whole for half of the clips (ModDrop, cited in
    `cnn_lstm`): otherwise the network would rely on x only, which overfits faster.
    """
    from .._keras import keras

    layers = keras.layers

    for index, n in enumerate(check_sizes("dense_units", dense_units)):
        if index and batch_norm:
            x = layers.BatchNormalization(name=f"dense_batch_norm_{index - 1}")(x)
        x = layers.Dense(n, activation="relu", name=f"dense_{index}")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    if beside is not None:
        x = layers.Dropout(0.5, noise_shape=(None, 1), name="dropout_of_all")(x)
        x = keras.ops.concatenate([x, beside], axis=-1)
    return x
