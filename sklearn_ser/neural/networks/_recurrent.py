"""Networks that read a clip step by step: LSTMs, one way or both ways."""

from __future__ import annotations

from ._blocks import check_sizes, head, lstms, mean_pool
from ._masking import attention_weights


def stacked_lstm(frames, mask, n_outputs, *, lstm_units=(128, 128), pooling="last", dense_units=(), dropout=0.3):
    """Stacked LSTMs, and dense layers on the last state or the mean of the states.

    Parameters
    ----------
    frames, mask, n_outputs
        As for `cnn`.
    lstm_units : int or sequence of int, default=(128, 128)
        Size of each LSTM.
    pooling : {"last", "mean"}, default="last"
        Output of the last LSTM that is read: its last state, or the mean of its states.
    dense_units : int or sequence of int, default=()
        Size of each ReLU layer behind them.
    dropout : float, default=0.3
        Fraction of the input of the last layer dropped in training.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer.
    """
    x = lstms(frames, mask, check_sizes("lstm_units", lstm_units, at_least=1), pooling)
    return head(x, dense_units=dense_units, dropout=dropout)


def attention_blstm(
    frames,
    mask,
    n_outputs,
    *,
    lstm_units=64,
    dense_units=64,
    pool_size=4,
    attention=True,
    dropout=0.5,
    input_noise=0.1,
    initial_scale=None,
):
    """Dense layers on each frame, bidirectional LSTMs, and the mean of their output weighted by attention.

    Parameters
    ----------
    frames, mask, n_outputs
        As for `cnn`.
    lstm_units : int or sequence of int, default=64
        Size of each bidirectional LSTM, in either direction.
    dense_units : int or sequence of int, default=64
        Size of each ReLU layer before them.
    pool_size : int, default=4
        Frames whose mean is one step of the LSTMs.
    attention : bool, default=True
        Weigh frame t by softmax over time of theta' h_t; False weighs all frames the same.
    dropout : float, default=0.5
        Fraction of each layer's output dropped in training.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the input in training.
    initial_scale : float or None, default=None
        The weights of LSTMs and attention begin uniform between minus and plus this; None takes Keras' own.

    Returns
    -------
    x : tensor of shape (n_clips, n)
        The input of the last layer. The layer "attention" returns the weights of the steps, (n_clips, n_steps).
    """
    from .._keras import keras

    layers, ops = keras.layers, keras.ops

    def initial(default: str):
        if initial_scale is None:
            return default
        return keras.initializers.RandomUniform(-initial_scale, initial_scale)

    x = frames
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for index, n in enumerate(check_sizes("dense_units", dense_units)):
        x = layers.Dense(n, activation="relu", name=f"dense_{index}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dense_dropout_{index}")(x)
    if pool_size > 1:
        x, mask = mean_pool(x, mask, pool_size)
    for index, n in enumerate(check_sizes("lstm_units", lstm_units, at_least=1)):
        lstm = layers.LSTM(
            n,
            return_sequences=True,
            kernel_initializer=initial("glorot_uniform"),
            recurrent_initializer=initial("orthogonal"),
        )
        x = layers.Bidirectional(lstm, name=f"blstm_{index}")(x, mask=mask)
        if dropout:
            x = layers.Dropout(dropout, name=f"blstm_dropout_{index}")(x)
    if attention:
        scores = layers.Dense(1, use_bias=False, kernel_initializer=initial("glorot_uniform"), name="theta")(x)[:, :, 0]
    else:
        scores = ops.zeros_like(x[:, :, 0])
    weights = layers.Identity(name="attention")(attention_weights(scores, mask))
    return ops.sum(x * weights[:, :, None], axis=1)
