"""Recurrent classifiers that read a clip from its first frame to its last."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from ..utils._sklearn_compat import Interval, StrOptions
from . import networks
from ._base import NeuralClassifier, check_sizes


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
        What the softmax reads: the LSTM's last state, or the mean of its states, in which a long clip's beginning
        counts for as much as its end.
    dropout : float, default=0.3
        Fraction of what the softmax reads dropped in training.
    <training>

    Attributes
    ----------
    <trained>

    Notes
    -----
    A pickled classifier holds architecture and weights, not the optimizer's state: training that resumes from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`. There it is a baseline.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "lstm_units": [Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"last", "mean"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        lstm_units=64,
        *,
        pooling="last",
        dropout=0.3,
        **training,
    ):
        super().__init__(**training)
        self.lstm_units = lstm_units
        self.pooling = pooling
        self.dropout = dropout

    def _build(self, input_shape, n_classes):
        return networks.stacked_lstm(
            input_shape, n_classes, lstm_units=[self.lstm_units], pooling=self.pooling, dropout=self.dropout
        )


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
        For features, (n_clips, n_features): how many neighbouring values make one step of the sequence; the last step
        is filled up with zeros. None makes one step of them all. Frames are steps already.
    <training>

    Attributes
    ----------
    <trained>

    Notes
    -----
    A pickled classifier holds architecture and weights, not the optimizer's state: training that resumes from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.

    References
    ----------
    .. [1] Bledea, cited in full in `sklearn_ser.systems`.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "lstm_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "dense_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "step_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        lstm_units=(128, 128),
        *,
        dense_units=(32,),
        dropout=0.2,
        step_size=None,
        **training,
    ):
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

    def _build(self, input_shape, n_classes):
        return networks.stacked_lstm(
            input_shape,
            n_classes,
            lstm_units=check_sizes("lstm_units", self.lstm_units, at_least=1),
            dense_units=check_sizes("dense_units", self.dense_units),
            dropout=self.dropout,
        )
