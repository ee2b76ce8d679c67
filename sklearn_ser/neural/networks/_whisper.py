"""The encoder of OpenAI's Whisper, as networks of Keras operations."""

from __future__ import annotations

from collections.abc import Sequence

from ._blocks import classify
from ._masking import mask_padding

_HIDDEN = -1e9  # what is added to the score of a frame that attention must not see


def whisper_encoder(
    input_shape: tuple[int | None, int],
    *,
    layers: Sequence[int],
    width: int,
    n_heads: int,
    hidden_units: int,
    n_positions: int = 1500,
):
    """Layers of Whisper's encoder: two convolutions, positions, and as many transformer blocks as are needed [1]_.

    All weights are zero, so that nothing is drawn for what is set anyway. The layer norm behind the last block is left
    out.

    Parameters
    ----------
    input_shape : tuple (n_frames or None, n_mels)
        Of log-mel frames, 100 a second, at most ``2 * n_positions`` of them.
    layers : sequence of int
        Layers whose outputs are returned side by side, each counted in transformer blocks: 0 is what the convolutions
        leave, with the positions added. The last of them is the last that is built.
    width, n_heads, hidden_units : int
        Values of a frame, attention heads, and units of the dense layer inside a block.
    n_positions : int, default=1500
        Frames that there are positions for.

    Returns
    -------
    keras.Model
        From frames to (n_clips, ceil(n_frames / 2), len(layers) * width), 50 frames a second; what stands at padding is
        of no use. The layers with weights are named `conv_1`, `conv_2`, `positions`, `block_1_attention_norm`,
        `block_1_query`, and so on.

    References
    ----------
    .. [1] Radford, Kim, Xu, Brockman, McLeavey and Sutskever, "Robust speech recognition via large-scale weak
       supervision", ICML 2023.
    """
    from .._keras import keras

    ops = keras.ops

    frames = keras.Input(input_shape, name="frames")
    sizes = dict(width=width, n_heads=n_heads, hidden_units=hidden_units, n_positions=n_positions)
    found, _ = _encode(frames, max(layers), **sizes)
    x = ops.concatenate([found[layer] for layer in layers], axis=-1) if len(layers) > 1 else found[layers[0]]
    return keras.Model(frames, x, name="whisper_encoder")


def whisper_attention(
    input_shape: tuple[int | None, int],
    n_classes: int,
    *,
    n_layers: int,
    width: int,
    n_heads: int,
    hidden_units: int,
    n_positions: int = 1500,
    dropout: float = 0.0,
):
    """Whisper's encoder, the mean of its frames weighted by attention, and a softmax.

    The encoder's values are standardised first, because some of Whisper's are hundreds of times as large as others: by
    the mean and variance that are the weights of the layer `standardize`, which does not learn them in training.

    Parameters
    ----------
    input_shape
        As for `whisper_encoder`.
    n_classes : int
    n_layers : int
        Transformer blocks.
    width, n_heads, hidden_units, n_positions
        As for `whisper_encoder`.
    dropout : float, default=0.0
        Fraction of the mean dropped in training.

    Returns
    -------
    keras.Model
    """
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    frames = keras.Input(input_shape, name="frames")
    sizes = dict(width=width, n_heads=n_heads, hidden_units=hidden_units, n_positions=n_positions)
    found, mask = _encode(frames, n_layers, **sizes)
    x = layers.BatchNormalization(center=False, scale=False, epsilon=1e-6, trainable=False, name="standardize")(
        found[-1]
    )
    scores = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="scores")(x)
    weights = ops.softmax(ops.where(mask[:, :, None], scores, _HIDDEN), axis=1)
    x = ops.sum(weights * ops.where(mask[:, :, None], x, 0.0), axis=1)
    return keras.Model(frames, classify(x, n_classes, dropout=dropout), name="whisper_attention")


def _encode(frames, n_layers: int, *, width: int, n_heads: int, hidden_units: int, n_positions: int):
    """Frames of each layer, and the mask of those that are real."""
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    x, mask = mask_padding(frames)
    x = _gelu(layers.Conv1D(width, 3, padding="same", kernel_initializer="zeros", name="conv_1")(x))
    x = ops.where(mask[:, :, None], x, 0.0)  # the next convolution sees zeros past a clip's end, as if it were alone
    x = ops.pad(x, [[0, 0], [1, 1], [0, 0]])
    x = _gelu(layers.Conv1D(width, 3, strides=2, kernel_initializer="zeros", name="conv_2")(x))
    mask = mask[:, ::2]
    place = ops.cumsum(ops.ones_like(x[:1, :, 0], dtype="int32"), axis=1) - 1
    x = x + layers.Embedding(n_positions, width, embeddings_initializer="zeros", name="positions")(place)
    hidden = ops.where(mask, 0.0, _HIDDEN)[:, None, None, :]
    found = [x]
    for index in range(1, n_layers + 1):
        found.append(_block(found[-1], hidden, f"block_{index}", n_heads, hidden_units))
    return found, mask


def _block(x, hidden, name: str, n_heads: int, hidden_units: int):
    """Self-attention and two dense layers, each normalised before and added to what came in."""
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    width = x.shape[-1]

    def dense(units, part, **params):
        return layers.Dense(units, kernel_initializer="zeros", name=f"{name}_{part}", **params)

    def norm(x, part):
        return layers.LayerNormalization(epsilon=1e-5, name=f"{name}_{part}")(x)

    def heads(x):
        return ops.transpose(layers.Reshape((-1, n_heads, width // n_heads))(x), (0, 2, 1, 3))

    normed = norm(x, "attention_norm")
    query = heads(dense(width, "query")(normed)) * (width // n_heads) ** -0.5
    key = heads(dense(width, "key", use_bias=False)(normed))
    value = heads(dense(width, "value")(normed))
    attention = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) + hidden)
    attended = layers.Reshape((-1, width))(ops.transpose(ops.matmul(attention, value), (0, 2, 1, 3)))
    x = x + dense(width, "attended")(attended)
    inner = _gelu(dense(hidden_units, "expand")(norm(x, "dense_norm")))
    return x + dense(width, "contract")(inner)


def _gelu(x):
    """The exact one, not the usual approximation by a hyperbolic tangent."""
    from .._keras import keras

    ops = keras.ops

    return ops.gelu(x, approximate=False)
