"""Networks around a pretrained encoder, whichever it is: its layers as they are, or trained further."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._blocks import head
from ._masking import channels_last, mask_padding
from ._named import HIDDEN


def encoder_layers(encode: Callable, input_shape: tuple[int | None, int], n_layers: int, **sizes):
    """All layers of an encoder, as the outputs of a Keras model.

    Parameters
    ----------
    encode : callable
        ``encode(frames, mask, n_layers, **sizes)`` returns the frames of each layer, from 0 to `n_layers`, and the mask
        of those that are real: `whisper` or `wav2vec2`.
    input_shape : tuple (n_frames or None, n_values)
        Shape of the encoder's input.
    n_layers : int
        Transformer blocks that are built.
    **sizes
        Sizes of the encoder.

    Returns
    -------
    keras.Model
    """
    from .._keras import keras

    frames = keras.Input(input_shape, name="frames")
    with channels_last():
        found, _ = encode(*mask_padding(frames), n_layers, **sizes)
    return keras.Model(frames, found, name="encoder")


def combine_layers(model, layers: Sequence[int], weights: Sequence[float] | None = None):
    """Return a model of some layers of `encoder_layers`' model side by side, or of their weighted sum.

    Parameters
    ----------
    model : keras.Model
        Its outputs are the layers; the new model shares its weights.
    layers : sequence of int
    weights : sequence of float or None, default=None
        Weight of each of these layers; None puts them side by side.

    Returns
    -------
    keras.Model
    """
    from .._keras import keras

    ops = keras.ops

    found = [model.outputs[layer] for layer in layers]
    if weights is not None:
        x = found[0] * weights[0]
        for weight, other in zip(weights[1:], found[1:], strict=True):
            x = x + other * weight
    else:
        x = ops.concatenate(found, axis=-1) if len(found) > 1 else found[0]
    return keras.Model(model.inputs[0], x, name="encoder")


def encoder_attention(
    frames,
    mask,
    n_outputs,
    *,
    encode: Callable,
    n_layers: int,
    weighted: bool = False,
    dropout: float = 0.0,
    **sizes,
):
    """An encoder, and the mean of its frames weighted by attention.

    The encoder's values are standardized first, because some are hundreds of times as large as others: by the mean and
    variance that are the weights of the layer `standardize`, which does not learn them in training.

    Parameters
    ----------
    frames, mask, n_outputs
        As for `cnn`.
    encode : callable
        As for `encoder_layers`.
    n_layers : int
        Transformer blocks.
    weighted : bool, default=False
        If True, take a sum of all layers with learned weights, which are positive and sum to one, as in SUPERB
        (Yang et al., Interspeech 2021); else the last of them.
    dropout : float, default=0.0
        Fraction of the mean dropped in training.
    **sizes
        Sizes of the encoder.

    Returns
    -------
    x : tensor of shape (n_clips, width)
        The input of the last layer.
    """
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    found, mask = encode(frames, mask, n_layers, **sizes)
    x = _weighted_sum(found) if weighted else found[-1]
    x = layers.BatchNormalization(center=False, scale=False, epsilon=1e-6, trainable=False, name="standardize")(x)
    scores = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="scores")(x)
    weights = ops.softmax(ops.where(mask[:, :, None], scores, HIDDEN), axis=1)
    return head(ops.sum(weights * ops.where(mask[:, :, None], x, 0.0), axis=1), dropout=dropout)


def _weighted_sum(found):
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    zero = ops.zeros_like(found[0][:1, 0, :1], dtype="int32")
    scores = layers.Embedding(1, len(found), embeddings_initializer="zeros", name="layer_weights")(zero)
    weights = ops.softmax(scores, axis=-1)[0, 0]
    return sum(x * weights[index] for index, x in enumerate(found))
