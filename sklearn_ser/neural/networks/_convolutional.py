"""Convolutional networks, on frames or on chunks of waveform."""

from __future__ import annotations

from ._blocks import check_sizes, conv_block, convolutions, head, kind_of_frames, lstms
from ._masking import attention_pooling, masked_mean
from ._statistics import frame_statistics, read_statistics


def cnn(
    frames,
    mask,
    n_outputs,
    *,
    input_type="auto",
    filters=(32, 64, 64),
    kernel_size=None,
    strides=None,
    pool_size=None,
    dropout=0.3,
    spatial_dropout=0.1,
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, and the mean of their output over time.

    Parameters
    ----------
    frames : tensor of shape (n_clips, n_frames, n_features)
        With zeros for padding.
    mask : tensor of shape (n_clips, n_frames), bool
        True for real frames.
    n_outputs : int
        Not used: the last layer is added behind the network.
    input_type : {"auto", "frames", "chunks"}, default="auto"
        Kind of the rows of a clip. On frames, the blocks run over time; a chunk is a piece of waveform, and the blocks
        run inside each chunk. "auto" takes rows of more than 1500 values for chunks.
    filters : sequence of int, default=(32, 64, 64)
        Feature maps of each block.
    kernel_size, strides, pool_size : int, sequence of int or None, default=None
        Width and step of each block's convolution, and of its pooling. None takes widths of 5 and pools by 4, 2, 2 on
        frames; on chunks, the first block has a width of 64 and a step of 8, the others a width of 9, and they pool by
        8, 4, 4.
    dropout : float, default=0.3
        Fraction of the mean dropped in training.
    spatial_dropout : float, default=0.1
        Fraction of each block's feature maps dropped in training.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer.
    """
    sizes = dict(filters=filters, kernel_size=kernel_size, strides=strides, pool_size=pool_size)
    x, mask = convolutions(frames, mask, input_type=input_type, **sizes, dropout=spatial_dropout)
    return head(masked_mean(x, mask), dropout=dropout)


def cnn_lstm(
    frames,
    mask,
    n_outputs,
    *,
    input_type="auto",
    filters=(32, 64, 64),
    kernel_size=None,
    strides=None,
    pool_size=None,
    lstm_units=64,
    dense_units=(),
    dropout=0.3,
    spatial_dropout=0.1,
    statistics_units=128,
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, LSTMs and dense layers; beside them, statistics of the frames.

    In training, the last layer goes without the output of the LSTMs for half of the clips [1]_, so that it learns to
    decide by either.

    Parameters
    ----------
    frames, mask, n_outputs, input_type, filters, kernel_size, strides, pool_size
        As for `cnn`. On chunks, the LSTMs run across the chunks' averages.
    lstm_units : int or sequence of int, default=64
        Size of each LSTM.
    dense_units : int or sequence of int, default=()
        Size of each ReLU layer behind the LSTMs, with batch normalization between them.
    dropout : float, default=0.3
        Fraction of the input of the last layer, and of the statistics, dropped in training.
    spatial_dropout : float, default=0.1
        Fraction of each block's feature maps dropped in training.
    statistics_units : int, default=128
        Size of the ReLU layer that reads the statistics of `statistics_network`; 0 leaves them out. Chunks have none.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer.

    References
    ----------
    .. [1] Neverova, Wolf, Taylor and Nebout, "ModDrop: adaptive multi-modal gesture recognition", IEEE TPAMI 38(8),
       2016.
    """
    sizes = dict(filters=filters, kernel_size=kernel_size, strides=strides, pool_size=pool_size)
    x, steps = convolutions(frames, mask, input_type=input_type, **sizes, dropout=spatial_dropout)
    x, statistics = lstms(x, steps, check_sizes("lstm_units", lstm_units, at_least=1)), None
    if statistics_units and kind_of_frames(input_type, frames.shape[2]) == "frames":
        statistics = frame_statistics(frames, mask)
        statistics = read_statistics(statistics, [statistics_units], dropout=dropout, input_dropout=dropout)
    return head(x, dense_units=dense_units, dropout=dropout, batch_norm=True, beside=statistics)


def attention_cnn(
    frames, mask, n_outputs, *, filters=(32, 64, 64), pool_size=(4, 2, 2), n_heads=1, dropout=0.3, spatial_dropout=0.1
):
    """Blocks of Conv1D -> MaxPool -> BatchNorm -> ELU, and the attentive mean and deviation of their output.

    Parameters
    ----------
    frames, mask, n_outputs
        As for `cnn`.
    filters, pool_size : sequence of int, default=(32, 64, 64) and (4, 2, 2)
        Feature maps of each block, and steps whose maximum it keeps.
    n_heads : int, default=1
        Heads of the attention.
    dropout : float, default=0.3
        Fraction of the input of the last layer dropped in training.
    spatial_dropout : float, default=0.1
        Fraction of each block's feature maps dropped in training.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer.
    """
    from .._keras import keras

    x = frames
    for index, (n, pool) in enumerate(zip(filters, pool_size, strict=True)):
        sizes = dict(filters=n, kernel_size=5, strides=1, pool_size=pool)
        x, mask = conv_block(x, mask, index, **sizes, dropout=spatial_dropout)
    x = attention_pooling(x, mask, n_heads=n_heads, std=True)
    return keras.layers.Dropout(dropout, name="dropout")(x)
