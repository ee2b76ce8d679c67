"""Tools of networks: frames without their padding, and means over the real frames of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np

LOWEST = -1e9  # what padding counts for in a maximum or a softmax


@contextmanager
def channels_last():
    """Build layers for frames, whose values stand on the last axis, whatever Keras' settings say of images."""
    from .._keras import keras

    found = keras.config.image_data_format()
    if found == "channels_last":
        yield
        return
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(found)


def mask_padding(frames):
    """Frames with zeros in place of padding, and the mask of the real frames.

    Parameters
    ----------
    frames : tensor of shape (n_clips, n_frames, n_features)
        Frames past a clip's end are NaN.

    Returns
    -------
    frames : tensor of shape (n_clips, n_frames, n_features)
    mask : tensor of shape (n_clips, n_frames), bool
        True for real frames.
    """
    from .._keras import keras

    ops = keras.ops
    mask = ops.logical_not(ops.isnan(frames[:, :, 0]))
    return ops.where(mask[:, :, None], frames, 0.0), mask


def masked_mean(x, mask):
    """Mean over the real steps of each clip.

    Parameters
    ----------
    x : tensor of shape (n_clips, n_steps, n)
    mask : tensor of shape (n_clips, n_steps), bool

    Returns
    -------
    mean : tensor of shape (n_clips, n)
        Zero where no step is real.
    """
    from .._keras import keras

    ops = keras.ops
    weights = ops.cast(mask, x.dtype)[:, :, None]
    return ops.sum(x * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)


def masked_std(x, mask):
    """Standard deviation over the real steps of each clip.

    Parameters
    ----------
    x : tensor of shape (n_clips, n_steps, n)
    mask : tensor of shape (n_clips, n_steps), bool

    Returns
    -------
    std : tensor of shape (n_clips, n)
        At least 0.001, so that its gradient is finite.
    """
    from .._keras import keras

    ops = keras.ops
    centered = x - masked_mean(x, mask)[:, None, :]
    return ops.sqrt(ops.maximum(masked_mean(ops.square(centered), mask), 1e-6))


def masked_quantiles(x, mask, quantiles: Sequence[float]):
    """Quantiles over the real steps of each clip, linear between two steps.

    Parameters
    ----------
    x : tensor of shape (n_clips, n_steps, n)
    mask : tensor of shape (n_clips, n_steps), bool
    quantiles : sequence of float
        From 0, the smallest, to 1, the largest.

    Returns
    -------
    values : tensor of shape (n_clips, n_quantiles, n)
        Zero where no step is real.
    """
    from .._keras import keras

    ops = keras.ops
    ordered = ops.sort(ops.where(mask[:, :, None], x, -LOWEST), axis=1)
    last = ops.sum(ops.cast(mask, x.dtype), axis=1)[:, None] - 1
    place = ops.maximum(last, 0.0) * np.asarray(quantiles, "float32")[None]
    below = ops.floor(place)

    def at(step):
        return ops.take_along_axis(ordered, ops.repeat(ops.cast(step, "int32")[:, :, None], x.shape[2], axis=2), axis=1)

    low, high = at(below), at(ops.minimum(below + 1, ops.maximum(last, 0.0)))
    return ops.where(last[:, :, None] >= 0, low + (place - below)[:, :, None] * (high - low), 0.0)


def attention_weights(scores, mask):
    """Softmax of the scores over the real steps of each clip; padding has weight zero.

    Parameters
    ----------
    scores : tensor of shape (n_clips, n_steps) or (n_clips, n_heads, n_steps)
    mask : tensor of shape (n_clips, n_steps) or (n_clips, 1, n_steps), bool

    Returns
    -------
    weights : tensor of the shape of `scores`
        They sum to one over each clip.
    """
    from .._keras import keras

    ops = keras.ops
    scores = ops.where(mask, scores, LOWEST)
    exponentials = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return exponentials / ops.sum(exponentials, axis=-1, keepdims=True)


def attention_pooling(x, mask, units: int = 64, *, n_heads: int = 1, std: bool = False, name: str = "attention"):
    """Mean over the real steps of each clip, weighted by attention [1]_; on request with the standard deviation [2]_.

    The weight of a step is the softmax over the clip of v' tanh(W x + b). Several heads, each with a v of its own,
    look at different parts of a clip [3]_.

    Parameters
    ----------
    x : tensor of shape (n_clips, n_steps, n)
    mask : tensor of shape (n_clips, n_steps), bool
    units : int, default=64
        Rows of W; 0 takes v' x instead.
    n_heads : int, default=1
        Weighted means, one behind the other.
    std : bool, default=False
        Append the weighted standard deviations.
    name : str, default="attention"
        Name of the layer that returns the weights, (n_clips, n_steps), or (n_clips, n_heads, n_steps) of several heads.

    Returns
    -------
    pooled : tensor of shape (n_clips, n_heads * n) or, with `std`, (n_clips, 2 * n_heads * n)

    References
    ----------
    .. [1] Mirsamadi, Barsoum and Zhang, "Automatic speech emotion recognition using recurrent neural networks with
       local attention", ICASSP 2017.
    .. [2] Okabe, Koshinaka and Shinoda, "Attentive statistics pooling for deep speaker embedding", Interspeech 2018.
    .. [3] Lin, Feng, dos Santos, Yu, Xiang, Zhou and Bengio, "A structured self-attentive sentence embedding", ICLR
       2017.
    """
    from .._keras import keras

    ops, layers = keras.ops, keras.layers
    hidden = layers.Dense(units, activation="tanh", name=f"{name}_hidden")(x) if units else x
    scores = layers.Dense(n_heads, use_bias=False, name=f"{name}_scores")(hidden)
    if n_heads == 1:  # an axis of one, transposed, is lost on the way to ONNX
        weights = attention_weights(scores[:, :, 0], mask)
    else:
        weights = attention_weights(ops.transpose(scores, (0, 2, 1)), mask[:, None, :])
    weights = layers.Identity(name=name)(weights)
    by_head = weights[:, None, :] if n_heads == 1 else weights
    pooled = layers.Flatten(name=f"{name}_mean")(ops.matmul(by_head, x))
    if not std:
        return pooled
    centered = x - masked_mean(x, mask)[:, None, :]  # or the difference of large squares would lose digits
    mean, square = ops.matmul(by_head, centered), ops.matmul(by_head, ops.square(centered))
    std = ops.sqrt(ops.maximum(square - ops.square(mean), 1e-6))
    return ops.concatenate([pooled, layers.Flatten(name=f"{name}_std")(std)], axis=-1)
