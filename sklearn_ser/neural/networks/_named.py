"""Layers of pretrained networks: known by their names, under which their weights are set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HIDDEN = -1e9  # what is added to the score of a frame that attention must not see

_WEIGHTS: ContextVar[Callable | None] = ContextVar("weights", default=None)


@contextmanager
def weights_from(take: Callable) -> Iterator[None]:
    """Let layers that are made meanwhile begin with the arrays that `take(layer_name, index)` returns.

    So no layer is filled with zeros first, and an array can be released as soon as its layer is made.
    """
    token = _WEIGHTS.set(take)
    try:
        yield
    finally:
        _WEIGHTS.reset(token)


def _initial(name: str, index: int, otherwise: str = "zeros"):
    take = _WEIGHTS.get()
    return otherwise if take is None else lambda shape, dtype=None: take(name, index)


def conv(x, width: int, kernel: int, name: str, *, use_bias: bool = True, **params):
    """A convolution over the frames."""
    from .._keras import keras

    return keras.layers.Conv1D(
        width,
        kernel,
        use_bias=use_bias,
        kernel_initializer=_initial(name, 0),
        bias_initializer=_initial(name, 1),
        data_format="channels_last",
        name=name,
        **params,
    )(x)


def dense(x, units: int, name: str, *, use_bias: bool = True):
    """A dense layer on each frame."""
    from .._keras import keras

    initial = dict(kernel_initializer=_initial(name, 0), bias_initializer=_initial(name, 1))
    return keras.layers.Dense(units, use_bias=use_bias, name=name, **initial)(x)


def norm(x, name: str, epsilon: float = 1e-5):
    """A norm over the values of each frame."""
    from .._keras import keras

    initial = dict(gamma_initializer=_initial(name, 0, "ones"), beta_initializer=_initial(name, 1))
    return keras.layers.LayerNormalization(epsilon=epsilon, name=name, **initial)(x)


def table(index, n_rows: int, width: int, name: str):
    """The rows of a learned table that an index of integers names."""
    from .._keras import keras

    return keras.layers.Embedding(n_rows, width, embeddings_initializer=_initial(name, 0), name=name)(index)


def silence(x, mask):
    """Zeros past a clip's end, as a convolution sees them that has the clip alone."""
    from .._keras import keras

    return keras.ops.where(mask[:, :, None], x, 0.0)


def split_heads(x, n_heads: int):
    """The values of each frame, as (n_clips, n_heads, n_frames, n)."""
    from .._keras import keras

    return keras.ops.transpose(keras.layers.Reshape((-1, n_heads, x.shape[-1] // n_heads))(x), (0, 2, 1, 3))


def join_heads(x, width: int):
    """Undo `split_heads`."""
    from .._keras import keras

    return keras.layers.Reshape((-1, width))(keras.ops.transpose(x, (0, 2, 1, 3)))


def gelu(x):
    """The exact one, not the usual approximation by a hyperbolic tangent."""
    from .._keras import keras

    return keras.ops.gelu(x, approximate=False)
