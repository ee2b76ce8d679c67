"""Dense layers, the classical neural network."""

from __future__ import annotations

from numbers import Integral, Real

from ..utils._sklearn_compat import Interval
from . import networks
from ._classifier import NeuralClassifier


class DenseClassifier(NeuralClassifier):
    """Dense layers, on features or on frames.

    Features, or frames laid side by side by `FlattenFrames`, go through the layers as in any multi-layer perceptron. Of
    frames, each goes through the same layers, and the mean over a clip's frames is classified.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ser import DenseClassifier, HandcraftedFeatures
    >>> pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), DenseClassifier())

    Parameters
    ----------
    hidden_units : int or sequence of int, default=(256, 128)
        Size of each hidden layer.
    activation : str, default="relu"
        Name of a Keras activation.
    dropout : float, default=0.3
        Fraction of each layer's output dropped in training.
    input_noise : float, default=0.0
        Standard deviation of the Gaussian noise added to the input in training; 0.1 is little on standardized features.
    <training>

    Attributes
    ----------
    <trained>

    Notes
    -----
    <pickled>
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "hidden_units": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "activation": [str],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_noise": [Interval(Real, 0, None, closed="left")],
    }
    _network = staticmethod(networks.dense)

    def __init__(
        self,
        hidden_units=(256, 128),
        *,
        activation="relu",
        dropout=0.3,
        input_noise=0.0,
        **training,
    ):
        super().__init__(**training)
        self.hidden_units = hidden_units
        self.activation = activation
        self.dropout = dropout
        self.input_noise = input_noise
