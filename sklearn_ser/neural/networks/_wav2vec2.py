"""The encoders of wav2vec 2.0 and its kin, as networks of Keras operations."""

from __future__ import annotations

from collections.abc import Sequence

from ._named import HIDDEN, conv, dense, gelu, join_heads, norm, silence, split_heads, table

_EPSILON = 1e-5  # of the norms between convolutions, whatever the config says


def wav2vec2(
    frames,
    mask,
    n_layers: int,
    *,
    convolutions: Sequence[tuple[int, int, int]],
    conv_norm: str,
    conv_bias: bool,
    width: int,
    n_heads: int,
    hidden_units: int,
    positions: Sequence[tuple[int, int]],
    stacked_positions: bool = False,
    projection_norm: bool = True,
    pre_norm: bool = False,
    last: int | None = None,
    max_distance: int | None = None,
    epsilon: float = 1e-5,
):
    """Layers of a wav2vec 2.0 encoder [1]_, or of HuBERT's [2]_, WavLM's [3]_ or data2vec's [4]_.

    All weights are zero, so that nothing is drawn for what is set anyway.

    Parameters
    ----------
    frames : tensor of shape (n_clips, n_times, 1)
        Waveforms at 16 kHz; zero where there is padding.
    mask : tensor of shape (n_clips, n_times), bool
        True for real samples.
    n_layers : int
        Transformer blocks that are built.
    convolutions : sequence of (width, kernel, stride)
        The convolutions that read the waveform.
    conv_norm : {"group", "layer"}
        A norm over time of each channel behind the first convolution, or one over channels behind each of them.
    conv_bias : bool
        True if the convolutions have a bias.
    width, n_heads, hidden_units : int
        Values of a frame, attention heads, and units of the dense layer inside a block.
    positions : sequence of (kernel, n_groups)
        The convolutions that tell where a frame is.
    stacked_positions : bool, default=False
        True if each is followed by a norm without weights, as in data2vec.
    projection_norm : bool, default=True
        True if the convolutions' values are normalized before they are projected to `width`.
    pre_norm : bool, default=False
        True if a block normalizes what it reads ("stable layer norm") rather than what it returns.
    last : int or None, default=None
        The model's last block. With `pre_norm`, `n_layers` may be one more, and counts the norm behind it then.
    max_distance : int or None, default=None
        Frames up to which WavLM's attention tells distances apart; None has no such positions.
    epsilon : float, default=1e-5
        Epsilon of the norms in the transformer.

    Returns
    -------
    found : list of tensors of shape (n_clips, n_frames, width)
        Output of each layer, from 0 (what enters the first block) to `n_layers`; 50 frames a second.
    mask : tensor of shape (n_clips, n_frames), bool
        True for frames that lie in the clip with all samples that they are made of.

    References
    ----------
    .. [1] Baevski, Zhou, Mohamed and Auli, "wav2vec 2.0: A framework for self-supervised learning of speech
       representations", NeurIPS 2020.
    .. [2] Hsu, Bolte, Tsai, Lakhotia, Salakhutdinov and Mohamed, "HuBERT: Self-supervised speech representation
       learning by masked prediction of hidden units", IEEE/ACM Trans. Audio, Speech and Language Processing 29, 2021.
    .. [3] Chen et al., "WavLM: Large-scale self-supervised pre-training for full stack speech processing", IEEE J.
       Selected Topics in Signal Processing 16(6), 2022.
    .. [4] Baevski, Hsu, Xu, Babu, Gu and Auli, "data2vec: A general framework for self-supervised learning in speech,
       vision and language", ICML 2022.
    """
    x, mask = _convolve(frames, mask, convolutions, conv_norm, conv_bias)
    if projection_norm:
        x = norm(x, "projection_norm", epsilon)
    x = silence(dense(x, width, "projection"), mask)
    x = x + _locate(x, mask, positions, stacked_positions)
    if not pre_norm:
        x = norm(x, "encoder_norm", epsilon)
    hidden = _hide(mask)
    distances = _distances(x, max_distance, n_heads) if max_distance is not None and n_layers else None
    found = [x]
    for index in range(1, n_layers + 1):
        if last is not None and index > last:
            x = norm(x, "encoder_norm", epsilon)
        else:
            x = _block(x, hidden, distances, f"block_{index}", n_heads, hidden_units, pre_norm, epsilon)
        found.append(x)
    return found, mask


def _convolve(x, mask, convolutions, normed: str, bias: bool):
    """The convolutions that read the waveform, without padding; masks of what they leave."""
    for index, (width, kernel, stride) in enumerate(convolutions, 1):
        name = f"conv_{index}"
        x = conv(x, width, kernel, name, strides=stride, use_bias=bias)
        mask = mask[:, kernel - 1 :: stride]  # a frame is real where the last sample is that it is made of
        if normed == "layer":
            x = norm(x, f"{name}_norm", _EPSILON)
        elif index == 1:
            x = _norm_over_time(x, mask, f"{name}_norm")
        x = gelu(x)
    return x, mask


def _norm_over_time(x, mask, name: str):
    """Zero mean and unit variance of each channel over a clip's own frames, and a scale and an offset for each."""
    from .._keras import keras

    ops = keras.ops

    real = ops.cast(mask, x.dtype)[:, :, None]
    count = ops.maximum(ops.sum(real, axis=1, keepdims=True), 1.0)
    mean = ops.sum(x * real, axis=1, keepdims=True) / count
    variance = ops.sum(ops.square((x - mean) * real), axis=1, keepdims=True) / count
    zero = _zero(x)
    rows = table(ops.concatenate([zero, zero + 1], axis=1), 2, x.shape[-1], name)
    scale = rows[:, :1] * ops.rsqrt(variance + _EPSILON)
    return x * scale + (rows[:, 1:] - mean * scale)


def _locate(x, mask, positions, stacked: bool):
    """Add to each frame a convolution over seconds, which tells its position."""
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    width = x.shape[-1]
    for index, (kernel, n_groups) in enumerate(positions, 1):
        x = ops.pad(x, [[0, 0], [kernel // 2, (kernel - 1) // 2], [0, 0]])  # an even kernel drops the last frame
        groups = ops.split(x, n_groups, axis=-1) if n_groups > 1 else [x]
        parts = [
            conv(part, width // n_groups, kernel, f"positions_{index}_{group}") for group, part in enumerate(groups, 1)
        ]
        x = ops.concatenate(parts, axis=-1) if n_groups > 1 else parts[0]
        if stacked:
            x = layers.LayerNormalization(epsilon=_EPSILON, center=False, scale=False, name=f"positions_{index}")(x)
        x = silence(gelu(x), mask)
    return x


def _distances(x, longest: int, n_heads: int):
    """A value for each pair of frames and each head, (1, n_heads, n_frames, n_frames), by how far they are apart."""
    from .._keras import keras

    ops = keras.ops

    place = ops.cumsum(ops.ones_like(x[:1, :, 0], dtype="int32"), axis=1)
    apart = ops.clip(place[:, None, :] - place[:, :, None], -longest, longest) + longest
    return ops.transpose(table(apart, 2 * longest + 1, n_heads, "distances"), (0, 3, 1, 2))


def _block(x, hidden, distances, name: str, n_heads: int, hidden_units: int, pre_norm: bool, epsilon: float):
    """Self-attention and two dense layers, each added to what came in."""
    read = norm(x, f"{name}_attention_norm", epsilon) if pre_norm else x
    x = x + _attend(read, hidden, distances, name, n_heads)
    x = x if pre_norm else norm(x, f"{name}_attention_norm", epsilon)
    read = norm(x, f"{name}_dense_norm", epsilon) if pre_norm else x
    x = x + dense(gelu(dense(read, hidden_units, f"{name}_expand")), x.shape[-1], f"{name}_contract")
    return x if pre_norm else norm(x, f"{name}_dense_norm", epsilon)


def _attend(x, hidden, distances, name: str, n_heads: int):
    from .._keras import keras

    ops = keras.ops

    width = x.shape[-1]
    query = split_heads(dense(x, width, f"{name}_query"), n_heads) * (width // n_heads) ** -0.5
    key = split_heads(dense(x, width, f"{name}_key"), n_heads)
    value = split_heads(dense(x, width, f"{name}_value"), n_heads)
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
    if distances is not None:
        scores = scores + _gate(split_heads(x, n_heads), name) * distances
    attention = ops.softmax(scores + hidden)
    return dense(join_heads(ops.matmul(attention, value), width), width, f"{name}_attended")


def _gate(x, name: str):
    """Weight distances by the block's input, for each head and frame, (n_clips, n_heads, n_frames, 1)."""
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    n_heads = x.shape[1]
    gates = ops.sum(layers.Reshape((n_heads, -1, 2, 4))(dense(x, 8, f"{name}_gates")), axis=-1)
    gates = ops.sigmoid(gates)
    constant = ops.transpose(table(_zero(x[:, 0]), 1, n_heads, f"{name}_gate"), (0, 2, 1))[..., None]
    return gates[..., :1] * (gates[..., 1:] * constant - 1.0) + 2.0


def _zero(x):
    """The integer 0, (1, 1), as a tensor of the network: what is no part of it cannot be saved with it."""
    from .._keras import keras

    return keras.ops.zeros_like(x[:1, 0, :1], dtype="int32")


def _hide(mask):
    from .._keras import keras

    return keras.ops.where(mask, 0.0, HIDDEN)[:, None, None, :]
