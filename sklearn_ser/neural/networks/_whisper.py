"""The encoder of OpenAI's Whisper, as networks of Keras operations."""

from __future__ import annotations

from collections.abc import Sequence

from ._encoders import combine_layers, encoder_attention, encoder_layers
from ._named import HIDDEN, conv, dense, gelu, join_heads, norm, silence, split_heads, table


def whisper(
    frames,
    mask,
    n_layers: int,
    *,
    width: int,
    n_heads: int,
    hidden_units: int,
    n_positions: int = 1500,
    last: int | None = None,
):
    """Layers of Whisper's encoder: two convolutions, positions, and as many transformer blocks as are needed [1]_.

    All weights are zero, so that nothing is drawn for what is set anyway.

    Parameters
    ----------
    frames : tensor of shape (n_clips, n_frames, n_mels)
        Log-mel frames, 100 a second, at most ``2 * n_positions`` of them; zero where there is padding.
    mask : tensor of shape (n_clips, n_frames), bool
        True for real frames.
    n_layers : int
        Transformer blocks.
    width, n_heads, hidden_units : int
        Values of a frame, attention heads, and units of the dense layer inside a block.
    n_positions : int, default=1500
        Frames that there are positions for.
    last : int or None, default=None
        The model's last block. `n_layers` may be one more, and counts the norm behind it then.

    Returns
    -------
    found : list of tensors of shape (n_clips, ceil(n_frames / 2), width)
        Output of each layer, from 0, what the convolutions leave, with the positions added; 50 frames a second. What
        stands at padding is of no use.
    mask : tensor of shape (n_clips, ceil(n_frames / 2)), bool

    References
    ----------
    .. [1] Radford, Kim, Xu, Brockman, McLeavey and Sutskever, "Robust speech recognition via large-scale weak
       supervision", ICML 2023.
    """
    from .._keras import keras

    ops = keras.ops

    x = gelu(conv(frames, width, 3, "conv_1", padding="same"))
    x = silence(x, mask)
    x = ops.pad(x, [[0, 0], [1, 1], [0, 0]])
    x = gelu(conv(x, width, 3, "conv_2", strides=2))
    mask = mask[:, ::2]
    place = ops.cumsum(ops.ones_like(x[:1, :, 0], dtype="int32"), axis=1) - 1
    x = x + table(place, n_positions, width, "positions")
    hidden = ops.where(mask, 0.0, HIDDEN)[:, None, None, :]
    found = [x]
    for index in range(1, n_layers + 1):
        past = last is not None and index > last
        found.append(norm(x, "encoder_norm") if past else _block(x, hidden, f"block_{index}", n_heads, hidden_units))
        x = found[-1]
    return found, mask


def whisper_encoder(input_shape: tuple[int | None, int], *, layers: Sequence[int], **sizes):
    """Layers of Whisper's encoder side by side.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_mels)
        Shape of log-mel frames.
    layers : sequence of int
        Layers whose outputs are returned side by side, each counted in transformer blocks: 0 is what the convolutions
        leave, with the positions added. The last of them is the last that is built.
    **sizes
        As for `whisper`.

    Returns
    -------
    keras.Model
        From frames to (n_clips, ceil(n_frames / 2), len(layers) * width). The layers with weights are named `conv_1`,
        `conv_2`, `positions`, `block_1_attention_norm`, `block_1_query`, and so on.
    """
    return combine_layers(encoder_layers(whisper, input_shape, max(layers), **sizes), layers)


def whisper_attention(frames, mask, n_outputs, *, n_layers: int, dropout: float = 0.0, **sizes):
    """Whisper's encoder, and the mean of its frames weighted by attention: `encoder_attention` of `whisper`.

    Parameters
    ----------
    frames, mask, n_outputs
        As for `cnn`.
    n_layers : int
        Transformer blocks.
    dropout : float, default=0.0
        Fraction of the mean dropped in training.
    **sizes
        As for `whisper`.

    Returns
    -------
    x : tensor of shape (n_clips, width)
        The input of the last layer.
    """
    return encoder_attention(frames, mask, n_outputs, encode=whisper, n_layers=n_layers, dropout=dropout, **sizes)


def _block(x, hidden, name: str, n_heads: int, hidden_units: int):
    """Self-attention and two dense layers, each normalized before and added to what came in."""
    from .._keras import keras

    ops = keras.ops

    width = x.shape[-1]
    normed = norm(x, f"{name}_attention_norm")
    query = split_heads(dense(normed, width, f"{name}_query"), n_heads) * (width // n_heads) ** -0.5
    key = split_heads(dense(normed, width, f"{name}_key", use_bias=False), n_heads)
    value = split_heads(dense(normed, width, f"{name}_value"), n_heads)
    attention = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) + hidden)
    x = x + dense(join_heads(ops.matmul(attention, value), width), width, f"{name}_attended")
    inner = gelu(dense(norm(x, f"{name}_dense_norm"), hidden_units, f"{name}_expand"))
    return x + dense(inner, width, f"{name}_contract")
