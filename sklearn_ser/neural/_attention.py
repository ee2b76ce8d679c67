"""AttentionBLSTMClassifier: bidirectional LSTMs with attention-weighted pooling."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..utils._sklearn_compat import Interval
from . import networks
from ._base import NeuralClassifier, check_sizes


class AttentionBLSTMClassifier(NeuralClassifier):
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
    <training>

    Attributes
    ----------
    <trained>
    pool_size_ : int
        Frames of a step of the trained network.

    Notes
    -----
    A pickled classifier holds architecture and weights, not the optimizer's state: training that resumes from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    .. [2] Mirsamadi, Barsoum and Zhang, "Automatic speech emotion recognition using recurrent neural networks with
       local attention", ICASSP 2017.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "lstm_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "dense_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "pool_size": [Interval(Integral, 1, None, closed="left")],
        "attention": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_noise": [Interval(Real, 0, None, closed="left")],
        "initial_scale": [Interval(Real, 0, None, closed="neither"), None],
    }

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
        """How much each frame counts.

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

    def _build(self, input_shape, n_classes):
        self.pool_size_ = self.pool_size
        return networks.attention_blstm(
            input_shape,
            n_classes,
            lstm_units=check_sizes("lstm_units", self.lstm_units, at_least=1),
            dense_units=check_sizes("dense_units", self.dense_units),
            pool_size=self.pool_size_,
            attention=self.attention,
            dropout=self.dropout,
            input_noise=self.input_noise,
            initial_scale=self.initial_scale,
        )
