"""Convolutions over the frames, and attention over what they leave."""

from __future__ import annotations

from ._blocks import conv_block
from ._masking import attention_pooling


def attention_cnn(
    frames, mask, n_classes, *, filters=(32, 64, 64), pool_size=(4, 2, 2), n_heads=1, dropout=0.3, spatial_dropout=0.1
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, attentive mean and deviation, and a softmax.

    Parameters
    ----------
    frames : tensor of shape (n_clips, n_frames, n_features)
        With zeros for padding.
    mask : tensor of shape (n_clips, n_frames), bool
        True for real frames.
    n_classes : int
    filters, pool_size : sequence of int, default=(32, 64, 64) and (4, 2, 2)
        Feature maps of each block, and steps whose maximum it keeps.
    n_heads : int, default=1
        Heads of the attention.
    dropout : float, default=0.3
        Fraction of what the softmax reads dropped in training.
    spatial_dropout : float, default=0.1
        Fraction of each block's feature maps dropped in training.

    Returns
    -------
    probabilities : tensor of shape (n_clips, n_classes)
    """
    from .._keras import keras

    x = frames
    for index, (n, pool) in enumerate(zip(filters, pool_size, strict=True)):
        sizes = dict(filters=n, kernel_size=5, strides=1, pool_size=pool)
        x, mask = conv_block(x, mask, index, **sizes, dropout=spatial_dropout)
    x = attention_pooling(x, mask, n_heads=n_heads, std=True)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
