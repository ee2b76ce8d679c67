"""Your own network as a scikit-learn estimator."""

from __future__ import annotations

import difflib
import inspect
from numbers import Real

import numpy as np

from ..utils._messages import short
from ..utils._sklearn_compat import Interval, StrOptions
from . import networks
from ._classifier import NeuralClassifier
from ._regressor import NeuralRegressor
from .networks._build import build, name_of
from .training._portable import Portable
from .training._targets import Indicators

_PREFIX = "network__"


class _OwnNetwork:
    """Parameters of any network: the function, and what it takes."""

    _parameter_constraints: dict = {"network": [callable], "network_params": [dict, None]}
    _network_parameters = """
    network : callable, default=attention_cnn
        ``network(frames, mask, n_outputs, **params)`` gets the Keras tensors frames, (n_clips, n_frames, n_features),
        in which padding is zero, and mask, (n_clips, n_frames), which is True for real frames. It returns a tensor, or
        a `keras.Model` from frames (or frames and mask) to it: the input of the last layer, (n_clips, n), which is then
        added, or the outputs themselves, (n_clips, n_outputs), whose width follows `n_outputs`. The functions of
        `sklearn_ser.neural.networks` are such networks. Layers of Keras that support masks, such as LSTM or
        GlobalAveragePooling1D, get the mask by themselves, as long as no layer between, such as a convolution, loses
        it; `networks.masked_mean` and `networks.attention_pooling` take it. Where a network averages over padding, its
        outputs depend on how long the other clips of a call are.
    network_params : dict or None, default=None
        Parameters of the network. Each is also there as ``network__NAME``, in the call that makes the estimator, in
        `get_params`, `set_params`, and the grid of a search.
    """

    def __init__(self, network=networks.attention_cnn, *, network_params=None, **training):
        own = {name: training.pop(name) for name in list(training) if name.startswith(_PREFIX)}
        super().__init__(**training)
        self.network = network
        self.network_params = _with(network_params, own) if own else network_params

    def get_params(self, deep=True):
        """Parameters of the estimator, and those of the network as ``network__NAME``.

        Parameters
        ----------
        deep : bool, default=True
            With those of the network, its defaults among them.

        Returns
        -------
        params : dict
        """
        params = super().get_params(deep=deep)
        if deep:
            known, _ = _parameters(self.network)
            known = {name: value for name, value in known.items() if value is not inspect.Parameter.empty}
            own = self.network_params if isinstance(self.network_params, dict) else {}
            params |= {_PREFIX + name: value for name, value in {**known, **own}.items()}
        return params

    def set_params(self, **params):
        """Set parameters of the estimator, and of the network by ``network__NAME``.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the estimator or the network has no such parameter.
        """
        own = {name: value for name, value in params.items() if name.startswith(_PREFIX)}
        super().set_params(**{name: value for name, value in params.items() if name not in own})
        if own:
            self._check_network_params(_with(None, own))
            self.network_params = _with(self.network_params, own)
        return self

    def _check_network_params(self, names) -> None:
        known, any_other = _parameters(self.network)
        for name in names:
            if name in known or any_other:
                continue
            close = difflib.get_close_matches(name, known, 1)
            raise ValueError(
                f"The network {name_of(self.network)} takes no parameter {short(name)}"
                + (f"; did you mean {close[0]!r}?" if close else ".")
                + f" It takes {short(sorted(known))}."
            )

    def _build(self, input_shape):
        params = dict(self.network_params or {})
        self._check_network_params(params)
        how = dict(from_logits=getattr(self, "from_logits", False), **self._outputs())
        self._rebuilder = _Rebuild(self.network, input_shape, params=params, **how)
        return self._rebuilder()

    def _rebuild(self):
        return self._rebuilder


class NetworkClassifier(_OwnNetwork, NeuralClassifier):
    """Any Keras network as a classifier of frames.

    Masking, batches, early stopping, checkpoints and everything else that a classifier needs are those of the library's
    own networks; the network is a function.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> import keras  # doctest: +SKIP
    >>> def gru(frames, mask, n_outputs, units=32):
    ...     return keras.layers.GRU(units)(frames, mask=mask)
    >>> from sklearn_ser import NetworkClassifier
    >>> classifier = NetworkClassifier(gru, epochs=20, network__units=64)
    >>> classifier.get_params()["network__units"]
    64

    Parameters
    ----------
    <network>
    from_logits : bool, default=False
        True if outputs that the network returns are logits, to which a softmax (or sigmoid) is then added.
    threshold : "auto" or float, default="auto"
        Least probability of a class that is predicted, where y is an indicator matrix. "auto" holds out clips, as
        `early_stopping` does, and takes for each class the threshold of the best F1 on them.
    <training>

    Attributes
    ----------
    <trained>
    thresholds_ : ndarray of shape (n_classes,)
        Threshold of each class; only where y was an indicator matrix.

    Notes
    -----
    Several classes at a time: y is an indicator matrix of 0 and 1, (n_clips, n_classes), ints or bools, or the columns
    of a DataFrame. The last layer then has a sigmoid for each class, the default loss is "binary_crossentropy", and
    `predict` returns an indicator matrix.

    A fitted classifier is pickled with the description and the weights of its network, and the function by its name. If
    it cannot be imported by that, as a lambda or a function of another program's `__main__`, the loaded classifier
    predicts and can be trained further, but cannot build a new network before `network` is set again. Layers that Keras
    does not know need an importable function, or `keras.saving.register_keras_serializable`.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        **_OwnNetwork._parameter_constraints,
        "from_logits": ["boolean"],
        "threshold": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="neither")],
    }
    _learns_indicators = True

    def __init__(
        self, network=networks.attention_cnn, *, network_params=None, from_logits=False, threshold="auto", **training
    ):
        super().__init__(network, network_params=network_params, **training)
        self.from_logits = from_logits
        self.threshold = threshold

    def _set_targets(self, targets):
        super()._set_targets(targets)
        vars(self).pop("thresholds_", None)
        if isinstance(targets, Indicators):
            fixed = 0.5 if isinstance(self.threshold, str) else self.threshold
            self.thresholds_ = np.full(targets.n_outputs, fixed)

    def _holds_out(self):
        return super()._holds_out() or isinstance(self._targets, Indicators) and self.threshold == "auto"

    def _learn_from(self, validation):
        if isinstance(self._targets, Indicators) and self.threshold == "auto":
            rows = validation.rows
            self.thresholds_ = _best_thresholds(validation.y[rows], self.predict_proba(validation.X[rows]))

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Any number of frames; padding does not change the result.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes), float64
            Columns in the order of `classes_`; rows sum to one, unless y was an indicator matrix.
        """
        return super().predict_proba(X)

    def predict(self, X):
        """Most probable class; of a classifier of several classes at a time, all that are probable enough.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

        Returns
        -------
        labels : ndarray of shape (n_clips,), or an indicator matrix of shape (n_clips, n_classes)
        """
        if not isinstance(getattr(self, "_targets", None), Indicators):
            return super().predict(X)
        return (self.predict_proba(X) >= self.thresholds_).astype(np.int64)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetworkRegressor(_OwnNetwork, NeuralRegressor):
    """Any Keras network as a regressor of frames, for values such as arousal and valence.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> import keras  # doctest: +SKIP
    >>> def gru(frames, mask, n_outputs, units=32):
    ...     return keras.layers.GRU(units)(frames, mask=mask)
    >>> from sklearn_ser import NetworkRegressor
    >>> regressor = NetworkRegressor(gru, loss="ccc", network__units=64)

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>

    See Also
    --------
    NetworkClassifier : The same for classes; its notes on saving hold here, too.

    Notes
    -----
    The last layer, if it is added, returns values in the units of y: their mean and standard deviation in `fit` are its
    fixed scale. Outputs that the network returns itself are taken as they are.
    """

    _parameter_constraints: dict = {**NeuralRegressor._parameter_constraints, **_OwnNetwork._parameter_constraints}


class _Rebuild:
    """Builds a network again from an importable function."""

    def __init__(self, network, input_shape, **how):
        self.network, self.input_shape, self.how = network, input_shape, how

    def __call__(self):
        return build(self.network, self.input_shape, **self.how)

    def __getstate__(self):
        return Portable(self.network), self.input_shape, self.how

    def __setstate__(self, state):
        network, self.input_shape, self.how = state
        self.network = network.value


def _best_thresholds(y, probabilities) -> np.ndarray:
    """Threshold of the best F1 for each class, between two probabilities; 0.5 for a class that no clip has."""
    thresholds = np.full(y.shape[1], 0.5)
    for column in np.flatnonzero(y.any(axis=0)):
        values = np.unique(probabilities[:, column])
        candidates = np.unique([0.5, *(values[1:] + values[:-1]) / 2])
        predicted = probabilities[:, column] >= candidates[:, None]
        hits = (predicted & (y[:, column] > 0)).sum(axis=1)
        f1 = 2 * hits / (predicted.sum(axis=1) + y[:, column].sum())
        best = candidates[f1 >= f1.max() - 1e-12]
        thresholds[column] = best[np.abs(best - 0.5).argmin()]
    return thresholds


def _with(params: dict | None, prefixed: dict) -> dict:
    """A network's parameters and those named with the prefix, in one new dict."""
    return {**(params or {}), **{name[len(_PREFIX) :]: value for name, value in prefixed.items()}}


def _parameters(network) -> tuple[dict, bool]:
    """The network's parameters behind the first three, with their defaults; and whether it takes any others."""
    try:
        parameters = list(inspect.signature(network).parameters.values())
    except (TypeError, ValueError):
        return {}, True
    any_other = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return {p.name: p.default for p in parameters[3:] if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}, any_other
