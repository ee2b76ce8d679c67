"""The trained network that a classifier holds."""

from __future__ import annotations

import threading

from ..utils._random import seeded


class FittedModel:
    """Holds a Keras model; pickled as architecture and weights, and rebuilt on first use.

    So a saved classifier is little larger than its weights, and loading one does not import Keras. However many threads
    ask for the model at once, one of them builds it, and the others wait.
    """

    def __init__(self, model):
        self._model, self._packed, self._lock = model, None, threading.Lock()

    @property
    def model(self):
        from ._keras import check_process, keras

        check_process()
        with self._lock:
            if self._model is None:
                config, weights = self._packed
                with seeded(0):  # initial weights, overwritten at once, would draw from the global generator
                    model = keras.models.model_from_json(config)
                model.set_weights(weights)
                self._model, self._packed = model, None  # or the weights would be held twice
            self._model.make_predict_function()  # each thread would make, and compile, one of its own
            return self._model

    def __getstate__(self):
        packed = self._packed  # first: a thread that finds none here finds the model there
        return packed if self._model is None else (self._model.to_json(), self._model.get_weights())

    def __setstate__(self, packed):
        self._model, self._packed, self._lock = None, packed, threading.Lock()
