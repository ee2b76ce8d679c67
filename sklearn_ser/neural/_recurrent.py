"""LSTM networks as estimators: one way, stacked, or both ways with attention."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..utils._sklearn_compat import Interval, StrOptions
from . import networks
from ._classifier import NeuralClassifier
from ._regressor import NeuralRegressor

_SIZE, _FRACTION = Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="left")


class LSTMClassifier(NeuralClassifier):
    """One LSTM over the frames, and a softmax on its last state or on the mean of its states.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import FrameWise, LSTMClassifier, MelSpectrogramTransformer
    >>> pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(), LSTMClassifier())

    Parameters
    ----------
    lstm_units : int, default=64
        Size of the LSTM's state.
    pooling : {"last", "mean"}, default="last"
        Input of the softmax: the LSTM's last state, or the mean of its states, in which a long clip's beginning
        counts for as much as its end.
    dropout : float, default=0.3
        Fraction of what the softmax reads dropped in training.
    <training>

    Attributes
    ----------
    <trained>

    Notes
    -----
    <pickled>

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`. There it is a baseline.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "lstm_units": [_SIZE],
        "pooling": [StrOptions({"last", "mean"})],
        "dropout": [_FRACTION],
    }
    _network = staticmethod(networks.stacked_lstm)

    def __init__(self, lstm_units=64, *, pooling="last", dropout=0.3, **training):
        super().__init__(**training)
        self.lstm_units = lstm_units
        self.pooling = pooling
        self.dropout = dropout


class StackedLSTMClassifier(NeuralClassifier):
    """LSTMs, one upon the other, dense layers on the last state, and a softmax.

    The network of [1]_, which reads pooled features; in how many steps, it does not say.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ser import HandcraftedFeatures, StackedLSTMClassifier
    >>> pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), StackedLSTMClassifier(step_size=1))

    Parameters
    ----------
    lstm_units : int or sequence of int, default=(128, 128)
        Size of each LSTM.
    dense_units : int or sequence of int, default=(32,)
        Size of each ReLU layer behind them.
    dropout : float, default=0.2
        Fraction of what the softmax reads dropped in training.
    step_size : int or None, default=None
        For features, (n_clips, n_features): how many neighboring values make one step of the sequence; the last step
        is filled up with zeros. None makes one step of them all. Frames are steps already.
    <training>

    Attributes
    ----------
    <trained>

    Notes
    -----
    <pickled>

    References
    ----------
    .. [1] Bledea, cited in full in `sklearn_ser.systems`.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "lstm_units": [_SIZE, "array-like"],
        "dense_units": [_SIZE, "array-like"],
        "dropout": [_FRACTION],
        "step_size": [_SIZE, None],
    }
    _network = staticmethod(networks.stacked_lstm)

    def __init__(self, lstm_units=(128, 128), *, dense_units=(32,), dropout=0.2, step_size=None, **training):
        super().__init__(**training)
        self.lstm_units = lstm_units
        self.dense_units = dense_units
        self.dropout = dropout
        self.step_size = step_size

    def _sequence(self, X):
        if self.step_size is None:
            return super()._sequence(X)
        n_steps = -(-X.shape[1] // self.step_size)
        X = np.pad(X, ((0, 0), (0, n_steps * self.step_size - X.shape[1])))
        return X.reshape(len(X), n_steps, self.step_size)


class _AttentionBLSTM:
    """Parameters of the bidirectional LSTMs with attention, and what attention looks at."""

    _parameter_constraints: dict = {
        "lstm_units": [_SIZE, "array-like"],
        "dense_units": [_SIZE, "array-like"],
        "pool_size": [_SIZE],
        "attention": ["boolean"],
        "dropout": [_FRACTION],
        "input_noise": [Interval(Real, 0, None, closed="left")],
        "initial_scale": [Interval(Real, 0, None, closed="neither"), None],
    }
    _network = staticmethod(networks.attention_blstm)
    _network_parameters = """
    lstm_units : int or sequence of int, default=64
        Size of each bidirectional LSTM, in either direction.
    dense_units : int or sequence of int, default=64
        Size of each ReLU layer that a frame passes before the LSTMs; () lets them read the frames themselves.
    pool_size : int, default=4
        Frames whose mean makes one step of the LSTMs, which take as long as they have steps: of frames every 10 ms, 10
        are not too many.
    attention : bool, default=True
        False weighs all frames of a clip the same: mean pooling.
    dropout : float, default=0.5
        Fraction of each layer's output dropped in training.
    input_noise : float, default=0.1
        Standard deviation of the Gaussian noise added to the input in training; the input should be standardised.
    initial_scale : float or None, default=None
        The weights of LSTMs and attention begin uniform between minus and plus this (0.1 in [1]_); None takes Keras'
        own initial weights.
    """

    def __init__(
        self,
        lstm_units=64,
        *,
        dense_units=64,
        pool_size=4,
        attention=True,
        dropout=0.5,
        input_noise=0.1,
        initial_scale=None,
        learning_rate_schedule="cosine",
        **training,
    ):
        super().__init__(learning_rate_schedule=learning_rate_schedule, **training)
        self.lstm_units = lstm_units
        self.dense_units = dense_units
        self.pool_size = pool_size
        self.attention = attention
        self.dropout = dropout
        self.input_noise = input_noise
        self.initial_scale = initial_scale

    def attention_weights(self, X):
        """Return the weight of each frame.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

        Returns
        -------
        weights : ndarray of shape (n_clips, n_frames), float32
            They sum to one over a clip's frames, and are zero on padding. Frames of one step (`pool_size`) share its
            weight.
        """
        check_is_fitted(self)
        from ._keras import keras

        frames, shape = self._frames(X, reset=False), np.asarray(X).shape
        network = keras.Model(self.model_.input, self.model_.get_layer("attention").output)
        steps = np.concatenate(self._batches(network, frames))
        real, step = ~np.isnan(frames[:, :, 0]), np.arange(frames.shape[1]) // self.pool_size_
        frames_of_step = np.add.reduceat(real, np.arange(0, frames.shape[1], self.pool_size_), axis=1, dtype=np.float32)
        weights = steps[:, step] * real / np.maximum(frames_of_step[:, step], 1)
        if len(shape) == 3:  # with the frames that are padding in every clip
            weights = np.pad(weights, ((0, 0), (0, shape[1] - weights.shape[1])))
        return weights

    def _build(self, input_shape):
        self.pool_size_ = self.pool_size
        return super()._build(input_shape)


class AttentionBLSTMClassifier(_AttentionBLSTM, NeuralClassifier):
    """Bidirectional LSTMs over the frames, and a softmax on their mean, weighted by attention.

    The weight of frame t is the softmax over a clip's frames of theta' h_t, where h_t is what the last LSTM says of it
    and theta is learned ([1]_, after [2]_); padding has no weight.

    The network of [1]_ has two LSTMs of 30 units, and neither dense layers nor means of frames:
    ``lstm_units=(30, 30), dense_units=(), pool_size=1``.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import AttentionBLSTMClassifier, FrameWise, MelSpectrogramTransformer
    >>> pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(), AttentionBLSTMClassifier())

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>
    pool_size_ : int
        Frames of a step of the trained network.

    Notes
    -----
    <pickled>

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    .. [2] Mirsamadi, Barsoum and Zhang, "Automatic speech emotion recognition using recurrent neural networks with
       local attention", ICASSP 2017.
    """

    _parameter_constraints: dict = {**NeuralClassifier._parameter_constraints, **_AttentionBLSTM._parameter_constraints}


class AttentionBLSTMRegressor(_AttentionBLSTM, NeuralRegressor):
    """The network of `AttentionBLSTMClassifier`, trained on values such as arousal and valence.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import AttentionBLSTMRegressor, FrameWise, MelSpectrogramTransformer
    >>> pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(), AttentionBLSTMRegressor(loss="ccc"))

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>
    pool_size_ : int
        Frames of a step of the trained network.

    See Also
    --------
    AttentionBLSTMClassifier : The same network for classes, with its sources.

    Notes
    -----
    <pickled>

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    """

    _parameter_constraints: dict = {**NeuralRegressor._parameter_constraints, **_AttentionBLSTM._parameter_constraints}
