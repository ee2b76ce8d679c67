"""Training: where it begins (a new network, the existing one, a checkpoint), and Keras' loop over epochs."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..utils._messages import short
from ..utils._random import seeded
from ._fitted import FittedModel


@dataclass
class Start:
    """Where a training begins: a network, and the epochs it has been trained for."""

    model: Any
    history: dict = field(default_factory=dict)
    resumed: bool = False

    @property
    def epoch(self) -> int:
        return len(self.history.get("loss", []))


def train(classifier, X, y, weight, validation, *, seed: int, epochs: int, resume: bool, checkpoint=None) -> None:
    """Train the classifier's network, and leave it in `_fitted` and its losses in `history_`.

    Parameters
    ----------
    classifier : NeuralClassifier
    X, y, weight : ndarray, or None for the weight
        Frames, the numbers of their classes, and their weights.
    validation : the same three, or None
        The validation set of early stopping.
    seed : int
    epochs : int
    resume : bool
        Whether to continue with the existing network.
    checkpoint : (fingerprint, note) or None
        From `open_checkpoint`.
    """
    from ._keras import check_process

    check_process()
    callbacks = []
    start = warm(classifier) if resume else fresh(classifier, X.shape[2], seed)
    if checkpoint is not None:
        start, callback = resumed(classifier, start, checkpoint, seed, "loss" if validation is None else "val_loss")
        callbacks.append(callback)
    last_epoch = max(epochs, start.epoch) if start.resumed else start.epoch + epochs
    if validation is not None:
        from ._callbacks import EarlyStopping

        losses = start.history["val_loss"] if start.resumed else []
        callbacks.append(EarlyStopping(classifier.n_iter_no_change, classifier.tol, losses))
        last_epoch = start.epoch if callbacks[-1].is_over() else last_epoch
    if classifier.verbose:
        from ._callbacks import Progress

        callbacks.append(Progress(type(classifier).__name__, start.epoch, last_epoch))
    history = run(classifier, start, X, y, weight, validation, last_epoch=last_epoch, seed=seed, callbacks=callbacks)
    classifier._fitted, classifier.history_ = FittedModel(start.model), history
    if not np.isfinite(history["loss"][-1]):
        warnings.warn(
            f"The loss became {history['loss'][-1]}: the network has learned nothing. Lower learning_rate="
            f"{classifier.learning_rate}, or scale the frames with FrameWise(StandardScaler()).",
            ConvergenceWarning,
            stacklevel=4,
        )


def fresh(classifier, n_features: int, seed: int) -> Start:
    """A new network with weights from the seed."""
    with seeded(seed):
        # A softmax of one class cannot be trained; with one class, the second output is never asked for.
        return Start(classifier._build((None, n_features), max(2, len(classifier.classes_))))


def warm(classifier) -> Start:
    """The existing network, with its optimizer's state where it has one."""
    model = classifier._fitted.model
    if model.compiled and classifier.learning_rate is not None:
        model.optimizer.learning_rate = classifier.learning_rate
    return Start(model, classifier.history_)


def resumed(classifier, start: Start, checkpoint: tuple[str, dict | None], seed: int, monitor: str):
    """The checkpoint's network and epochs, if it holds any, else the start; and the callback that writes it."""
    from ._callbacks import Checkpoint
    from ._keras import keras

    fingerprint, note = checkpoint
    callback = Checkpoint(classifier.model_checkpoint, fingerprint, seed, monitor, note["history"] if note else {})
    if note:
        start = Start(keras.saving.load_model(callback.path), note["history"], resumed=True)
        classifier._adapt_optimizer(start.model.optimizer)
    return start, callback


def run(classifier, start: Start, X, y, weight, validation, *, last_epoch: int, seed: int, callbacks: list) -> dict:
    """Train up to the last epoch; the history of all epochs."""
    from ._keras import Wrapper

    wrapper = Wrapper(
        model=start.model,
        optimizer=make_optimizer(classifier),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        batch_size=classifier.batch_size,
        shuffle=False,  # the batches come shuffled
        warm_start=True,  # or scikeras would build the network a second time
        verbose=0,
    ).initialize(X, y)
    if last_epoch <= start.epoch:
        return start.history
    wrapper.fit(
        X,
        y,
        sample_weight=weight,
        initial_epoch=start.epoch,
        epochs=last_epoch - start.epoch,
        seed=seed,
        validation=validation,
        callbacks=callbacks,
    )
    return {name: [*start.history.get(name, []), *values] for name, values in wrapper.history_.items()}


def make_optimizer(classifier):
    """The optimizer that the parameters name, a new one."""
    from ._keras import keras

    given = classifier.optimizer
    try:
        if isinstance(given, (str, dict)):
            optimizer = keras.optimizers.get(copy.deepcopy(given))  # Keras writes into the dict
        else:  # a copy, because an optimizer belongs to the one network that it trains
            optimizer = type(given).from_config(given.get_config())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            "optimizer must be the name of a Keras optimizer, such as 'adam', 'sgd' or 'rmsprop', its serialised "
            f"form, or an instance. Got {short(given)}."
        ) from error
    if classifier.learning_rate is not None:
        optimizer.learning_rate = classifier.learning_rate
    classifier._adapt_optimizer(optimizer)
    return optimizer


def open_checkpoint(classifier, *arrays, resume: bool) -> tuple[str, dict | None] | None:
    """Which training this is, and what its checkpoint says if it can be resumed; None without `model_checkpoint`."""
    if classifier.model_checkpoint is None:
        return None
    from ._callbacks import Checkpoint

    fingerprint = _fingerprint(classifier, *arrays, classifier.history_ if resume else None)
    note = None if resume else Checkpoint.read(classifier.model_checkpoint)
    if note is not None and note["fingerprint"] != fingerprint:
        warnings.warn(
            f"model_checkpoint={short(classifier.model_checkpoint)} holds a training on other clips or with other "
            "parameters, and is overwritten. Give each training a file of its own; in a cross-validation, give none.",
            UserWarning,
            stacklevel=3,
        )
        note = None
    return fingerprint, note


def _fingerprint(classifier, *arrays) -> str:
    """Identifies a training, whatever its length: clips, labels, weights, groups, first weights and parameters."""
    params = classifier.get_params(deep=False)
    for name in ("epochs", "model_checkpoint", "verbose", "warm_start"):
        del params[name]
    if not isinstance(classifier.random_state, Integral):
        del params["random_state"]  # drawn at the first start, and kept in the checkpoint
    if not isinstance(classifier.optimizer, (str, dict)):
        params["optimizer"] = (type(classifier.optimizer).__name__, classifier.optimizer.get_config())
    return joblib.hash((type(classifier).__name__, sorted(params.items()), classifier.classes_, arrays))
