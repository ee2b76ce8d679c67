"""Dense layers, the classical neural network."""

from __future__ import annotations

from ._blocks import check_sizes
from ._masking import masked_mean


def dense(frames, mask, n_outputs, *, hidden_units=(256, 128), activation="relu", dropout=0.3, input_noise=0.0):
    """Dense layers on each frame, and the mean of their output over the frames.

    Parameters
    ----------
    frames, mask, n_outputs
        As for `cnn`.
    hidden_units : int or sequence of int, default=(256, 128)
        Size of each layer.
    activation : str, default="relu"
        Name of a Keras activation.
    dropout : float, default=0.3
        Fraction of each layer's output dropped in training.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer.
    """
    from .._keras import keras

    layers, x = keras.layers, frames
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, n in enumerate(check_sizes("hidden_units", hidden_units)):
        x = layers.Dense(n, activation=activation, name=f"dense_{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{index}")(x)
    return masked_mean(x, mask)
