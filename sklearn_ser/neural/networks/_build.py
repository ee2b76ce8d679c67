"""The only way from a network, which is a function, to a Keras model."""

from __future__ import annotations

import warnings

import numpy as np

from ...utils._messages import short
from ...utils._random import seeded
from ._masking import channels_last, mask_padding


def build(
    network,
    input_shape: tuple[int | None, int],
    n_outputs: int,
    *,
    params: dict | None = None,
    activation: str = "softmax",
    from_logits: bool = False,
    units: tuple | None = None,
):
    """Build the Keras model of a network, from frames in which padding is NaN to outputs.

    Parameters
    ----------
    network : callable
        ``network(frames, mask, n_outputs, **params)``, as `NetworkClassifier` takes it. It returns the input of the
        last layer, which is then added, or the outputs, (n_clips, n_outputs), whose width follows `n_outputs`.
    input_shape : tuple (n_frames or None, n_features)
    n_outputs : int
    params : dict or None, default=None
        Parameters of the network.
    activation : {"softmax", "sigmoid", "linear"}, default="softmax"
        Activation of the last layer: probabilities of exclusive classes, of independent ones, or values.
    from_logits : bool, default=False
        True if outputs that the network returns still lack the activation.
    units : tuple (scale, offset) of ndarrays of shape (n_outputs,), or None, default=None
        An added last layer returns ``scale * x + offset``, so that x is about as large as what networks begin with.

    Returns
    -------
    keras.Model

    Raises
    ------
    TypeError, ValueError
        If the network returns anything else.

    Examples
    --------
    >>> from sklearn_ser.neural import networks
    >>> model = networks.build(networks.cnn, (None, 40), 7, params={"filters": (16, 32)})  # doctest: +SKIP
    """
    from .._keras import keras

    with channels_last(), warnings.catch_warnings():
        # The network has the mask, and knows where it needs it.
        warnings.filterwarnings(
            "ignore", message=".*was passed an input with a mask attached to it", category=UserWarning
        )
        padded = keras.Input(input_shape, name="frames")
        output = _output(network, padded, n_outputs, params or {})
        name = "values" if activation == "linear" else "probabilities"
        last, width = _last_activation(output), output.shape[1]
        if width == n_outputs and _follows(network, input_shape, n_outputs, params or {}):
            if from_logits:
                output = keras.layers.Activation(activation, name="probabilities_of_logits")(output)
            elif last in ("softmax", "sigmoid") and last != activation and (last, activation) != ("sigmoid", "linear"):
                raise ValueError(
                    f"The network {name_of(network)} ends in a {last}, but these targets need outputs that are "
                    f"{activation}. Return the input of the last layer: the right one is then added."
                )
        elif last == "softmax":
            raise _wrong_shape(network, output, n_outputs)
        else:
            output = keras.layers.Dense(n_outputs, activation=activation, name=name)(output)
            if units is not None:
                scale, offset = (np.asarray(part, dtype=np.float32) for part in units)
                output = output * scale + offset
        return keras.Model(padded, output, name="network")


def _output(network, padded, n_outputs: int, params: dict):
    """Call the network, and check that it returns one vector a clip."""
    from .._keras import keras

    frames, mask = mask_padding(padded)
    output = _call(network, frames, mask, n_outputs, params)
    if isinstance(output, keras.Model):
        output = _apply(output, frames, mask)
    if not isinstance(output, keras.KerasTensor):
        raise TypeError(
            f"The network {name_of(network)} must return a Keras tensor of probabilities, or of the input of the last "
            f"layer, or a keras.Model. Got {short(output)}."
        )
    if len(output.shape) != 2 or output.shape[1] is None:
        raise _wrong_shape(network, output, n_outputs)
    return output


def _wrong_shape(network, output, n_outputs: int) -> ValueError:
    return ValueError(
        f"The network {name_of(network)} must return the probabilities of {n_outputs} classes (or as many values), "
        f"(n_clips, {n_outputs}), or the input of the last layer, (n_clips, n). Got a tensor of shape "
        f"{tuple(output.shape)}: pool over the frames, and end in a layer of n_outputs units or before it."
    )


def _follows(network, input_shape, n_outputs: int, params: dict) -> bool:
    """Return whether the network's output has the width that was asked for, and not by chance."""
    from .._keras import keras

    with seeded(0):  # leaves the generators as found: the weights drawn here are not used
        try:
            return _output(network, keras.Input(input_shape), n_outputs + 1, params).shape[1] == n_outputs + 1
        except Exception:  # whatever a network says to a number of outputs that nobody asked for
            return True


def _last_activation(output) -> str | None:
    """Name of the activation that a tensor comes from, if its layer says so."""
    layer = output._keras_history.operation
    while getattr(layer, "layers", None):
        layer = layer.layers[-1]
    if type(layer).__name__ == "Softmax":
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _call(network, frames, mask, n_outputs: int, params: dict):
    """Call the network with frames whose mask Keras' layers know."""
    frames._keras_mask = mask
    try:
        return network(frames, mask, n_outputs, **params)
    except ValueError as error:
        if "not connected to" not in str(error):
            raise
    frames._keras_mask = None  # it makes a model that begins at the frames, where the mask does not begin
    return network(frames, mask, n_outputs, **params)


def _apply(model, frames, mask):
    """Apply a model to the frames; to both, if it has two inputs."""
    from .._keras import keras

    if isinstance(model, keras.Sequential):  # layer by layer, so that the mask goes along
        for layer in model.layers:
            frames = layer(frames)
        return frames
    frames._keras_mask = None  # or the model would warn at each call that it loses it
    return model([frames, mask] if len(getattr(model, "_inputs", None) or []) == 2 else frames)


def name_of(network) -> str:
    """Name of a network, for messages."""
    return getattr(network, "__name__", None) or short(network)
