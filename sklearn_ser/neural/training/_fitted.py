"""The trained network that a classifier holds."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable

from ...utils._random import seeded


class FittedModel:
    """Holds a Keras model; pickled as architecture and weights, and rebuilt on first use.

    So a saved classifier is little larger than its weights, and loading one does not import Keras. However many threads
    ask for the model at once, one of them builds it, and the others wait.

    Parameters
    ----------
    model : keras.Model
    rebuild : callable or None, default=None
        Makes the network anew, should Keras be unable to read its own description of it, as of layers that it does not
        know.
    """

    def __init__(self, model, rebuild: Callable | None = None):
        self._model, self._rebuild, self._packed, self._lock = model, rebuild, None, threading.Lock()
        self.compiled_as = None  # from which parameters, and with which layers frozen

    @property
    def model(self):
        from .._keras import check_process

        check_process()
        with self._lock:
            if self._model is None:
                self._model, self._packed = self._unpack(), None  # or the weights would be held twice
            self._model.make_predict_function()  # each thread would make, and compile, one of its own
            return self._model

    def _unpack(self):
        from .._keras import all_layers, keras

        config, weights, trainable = self._packed
        with seeded(0):  # initial weights, overwritten at once, would draw from the global generator
            try:
                model = keras.models.model_from_json(zlib.decompress(config).decode())
            except (TypeError, ValueError):
                if self._rebuild is None:
                    raise
                model = self._rebuild()
                for layer, value in zip(all_layers(model), trainable, strict=True):
                    layer.trainable = value
        model.set_weights(weights)
        return model

    def _pack(self) -> tuple:
        from .._keras import all_layers

        try:
            config = self._model.to_json()
        except (NotImplementedError, TypeError, ValueError):  # of own layers without get_config
            if self._rebuild is None:
                raise
            config = "null"
        description = zlib.compress(config.encode())  # which of a network of many operations outgrows the weights
        return description, self._model.get_weights(), [layer.trainable for layer in all_layers(self._model)]

    def __getstate__(self):
        packed = self._packed  # first: a thread that finds none here finds the model there
        return packed if self._model is None else self._pack(), self._rebuild

    def __setstate__(self, state):
        self._packed, self._rebuild = state
        self._model, self._lock, self.compiled_as = None, threading.Lock(), None
