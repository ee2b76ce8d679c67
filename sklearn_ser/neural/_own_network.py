"""Anybody's network as a scikit-learn classifier."""

from __future__ import annotations

import difflib
import inspect
import warnings

from ..utils._messages import short
from . import networks
from ._base import NeuralClassifier
from .networks._masking import mask_padding
from .training._functions import Portable

_PREFIX = "network__"


class NetworkClassifier(NeuralClassifier):
    """Any Keras network as a classifier of frames.

    Masking, batches, early stopping, checkpoints and everything else that a classifier needs are those of the library's
    own networks; the network is a function.

    <groups>

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> import keras  # doctest: +SKIP
    >>> def gru(frames, mask, n_classes, units=32):
    ...     x = keras.layers.GRU(units)(frames, mask=mask)
    ...     return keras.layers.Dense(n_classes, activation="softmax")(x)
    >>> from sklearn_ser import NetworkClassifier
    >>> classifier = NetworkClassifier(gru, epochs=20, network__units=64)
    >>> classifier.get_params()["network__units"]
    64

    Parameters
    ----------
    network : callable, default=attention_cnn
        ``network(frames, mask, n_classes, **params)`` gets the Keras tensors frames, (n_clips, n_frames, n_features),
        in which padding is zero, and mask, (n_clips, n_frames), which is True for real frames. It returns
        probabilities, a tensor of shape (n_clips, n_classes), or a `keras.Model` from frames (or frames and mask) to
        them. On the way to a tensor or in a `keras.Sequential`, layers of Keras that support masks, such as LSTM or
        GlobalAveragePooling1D, get the mask by themselves, as long as no layer between, such as a convolution, loses
        it; `networks.masked_mean` and `networks.attention_pooling` take it. Where a network averages over padding, its
        probabilities depend on how long the other clips of a call are.
    network_params : dict or None, default=None
        Parameters of the network. Each is also there as ``network__NAME``, in the call that makes the classifier, in
        `get_params`, `set_params`, and the grid of a search.
    from_logits : bool, default=False
        Whether the network returns logits, to which a softmax is then added.
    <training>

    Attributes
    ----------
    <trained>

    Notes
    -----
    A fitted classifier is pickled with the description and the weights of its network, and the function by its name. If
    it cannot be imported by that, as a lambda or a function of another program's `__main__`, the loaded classifier
    predicts and can be trained further, but cannot build a new network before `network` is set again. Layers that Keras
    does not know need an importable function, or `keras.saving.register_keras_serializable`.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "network": [callable],
        "network_params": [dict, None],
        "from_logits": ["boolean"],
    }

    def __init__(self, network=networks.attention_cnn, *, network_params=None, from_logits=False, **training):
        own = {name: training.pop(name) for name in list(training) if name.startswith(_PREFIX)}
        super().__init__(**training)
        self.network = network
        self.network_params = _with(network_params, own) if own else network_params
        self.from_logits = from_logits

    def get_params(self, deep=True):
        """Parameters of the classifier, and those of the network as ``network__NAME``.

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
        """Set parameters of the classifier, and of the network by ``network__NAME``.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the classifier or the network has no such parameter.
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
                f"The network {_name(self.network)} takes no parameter {short(name)}"
                + (f"; did you mean {close[0]!r}?" if close else ".")
                + f" It takes {short(sorted(known))}."
            )

    def _build(self, input_shape, n_classes):
        params = dict(self.network_params or {})
        self._check_network_params(params)
        self._built = (input_shape, n_classes, params, self.from_logits)
        return build(self.network, *self._built)

    def _rebuild(self):
        return _Rebuild(self.network, *self._built)


class _Rebuild:
    """Builds a network again from an importable function."""

    def __init__(self, network, *arguments):
        self.network, self.arguments = network, arguments

    def __call__(self):
        return build(self.network, *self.arguments)

    def __getstate__(self):
        return Portable(self.network), self.arguments

    def __setstate__(self, state):
        self.network, self.arguments = state[0].value, state[1]


def build(network, input_shape: tuple[int | None, int], n_classes: int, params: dict, from_logits: bool):
    """The Keras model, from frames in which padding is NaN to probabilities, around what the network makes.

    Parameters
    ----------
    network : callable
    input_shape : tuple (n_frames or None, n_features)
    n_classes : int
    params : dict
    from_logits : bool

    Returns
    -------
    keras.Model

    Raises
    ------
    TypeError, ValueError
        If the network returns anything else than probabilities of so many classes.
    """
    from ._keras import keras

    padded = keras.Input(input_shape, name="frames")
    frames, mask = mask_padding(padded)
    with warnings.catch_warnings():
        # The network has the mask, and knows where it needs it.
        warnings.filterwarnings(
            "ignore", message=".*was passed an input with a mask attached to it", category=UserWarning
        )
        output = _call(network, frames, mask, n_classes, params)
        if isinstance(output, keras.Model):
            output = _apply(output, frames, mask)
    if not isinstance(output, keras.KerasTensor):
        raise TypeError(
            f"The network {_name(network)} must return a Keras tensor of probabilities, or a keras.Model. "
            f"Got {short(output)}."
        )
    if tuple(output.shape) != (None, n_classes):
        raise ValueError(
            f"The network {_name(network)} must return the probabilities of {n_classes} classes, (n_clips, "
            f"{n_classes}). Got a tensor of shape {tuple(output.shape)}: pool over the frames, and end in a layer of "
            "n_classes units."
        )
    if from_logits:
        output = keras.layers.Activation("softmax", name="probabilities_of_logits")(output)
    return keras.Model(padded, output, name="network")


def _call(network, frames, mask, n_classes: int, params: dict):
    """What the network makes of frames whose mask Keras' layers know."""
    frames._keras_mask = mask
    try:
        return network(frames, mask, n_classes, **params)
    except ValueError as error:
        if "not connected to" not in str(error):
            raise
    frames._keras_mask = None  # it makes a model that begins at the frames, where the mask does not begin
    return network(frames, mask, n_classes, **params)


def _apply(model, frames, mask):
    """What a model makes of the frames; of both, if it has two inputs."""
    from ._keras import keras

    if isinstance(model, keras.Sequential):  # layer by layer, so that the mask goes along
        for layer in model.layers:
            frames = layer(frames)
        return frames
    frames._keras_mask = None  # or the model would warn at each call that it loses it
    return model([frames, mask] if len(getattr(model, "_inputs", None) or []) == 2 else frames)


def _with(params: dict | None, prefixed: dict) -> dict:
    """A network's parameters and those named with the prefix, in one new dict."""
    return {**(params or {}), **{name[len(_PREFIX) :]: value for name, value in prefixed.items()}}


def _name(network) -> str:
    return getattr(network, "__name__", None) or short(network)


def _parameters(network) -> tuple[dict, bool]:
    """The network's parameters behind the first three, with their defaults; and whether it takes any others."""
    try:
        parameters = list(inspect.signature(network).parameters.values())
    except (TypeError, ValueError):
        return {}, True
    any_other = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return {p.name: p.default for p in parameters[3:] if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}, any_other
