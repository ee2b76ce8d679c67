"""Training: where it begins (a new network, the existing one, a checkpoint), and Keras' loop over epochs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from numbers import Integral

import joblib
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...utils._code_key import code_key
from ...utils._messages import short
from ...utils._random import seeded
from ._compile import compile_model, loss_targets, make_callbacks, number
from ._fitted import FittedModel
from ._frame_augmentation import FrameAugmentation


@dataclass
class Start:
    """Start of a training: a network, and the epochs that it has been trained for."""

    fitted: FittedModel
    history: dict = field(default_factory=dict)
    resumed: bool = False

    @property
    def epoch(self) -> int:
        return len(self.history.get("loss", []))


def train(estimator, clips, validation, *, seed: int, resume: bool, checkpoint=None, context=None) -> None:
    """Train the estimator's network for its `epochs`, and leave it in `_fitted` and its losses in `history_`.

    Parameters
    ----------
    estimator : NeuralEstimator
    clips, validation : Examples, or None for the latter
        Their y is encoded by the estimator's targets.
    seed : int
    resume : bool
        If True, continue with the existing network.
    checkpoint : (fingerprint, note) or None
        From `open_checkpoint`.
    context : sklearn.callback.CallbackContext or None
        Context of scikit-learn's callbacks.
    """
    from .. import _keras
    from . import _callbacks

    _keras.check_process()
    start = existing(estimator) if resume else fresh(estimator, clips.X.shape[2], seed)
    compile_model(estimator, start.fitted)
    if checkpoint is not None:
        start, checkpoint = resumed(estimator, start, checkpoint, seed, "loss" if validation is None else "val_loss")
    last = max(estimator.epochs, start.epoch) if start.resumed else start.epoch + estimator.epochs
    first = 0 if start.resumed else start.epoch
    callbacks = make_callbacks(estimator, first_epoch=first, epochs=estimator.epochs)
    if context is not None:
        callbacks.append(_callbacks.ScikitCallbacks(estimator, context, start.fitted, clips))
    if checkpoint is not None:
        callbacks.append(checkpoint)
    if estimator.early_stopping and validation is not None:
        losses = start.history["val_loss"] if start.resumed else []
        callbacks.append(_callbacks.EarlyStopping(estimator.n_iter_no_change, estimator.tol, losses))
        last = start.epoch if callbacks[-1].is_over() else last
    if estimator.verbose:
        callbacks.append(_callbacks.Progress(type(estimator).__name__, start.epoch, last))
    run(estimator, start, clips, validation, last=last, seed=seed, callbacks=callbacks)


def train_one_epoch(estimator, clips, validation, *, seed: int, resume: bool) -> None:
    """Train the estimator's network for one epoch: neither early stopping nor checkpoints nor named schedules act."""
    from .. import _keras

    _keras.check_process()
    start = existing(estimator) if resume else fresh(estimator, clips.X.shape[2], seed)
    compile_model(estimator, start.fitted)
    schedule = estimator.learning_rate_schedule
    callbacks = make_callbacks(estimator, first_epoch=start.epoch, epochs=1) if not isinstance(schedule, str) else []
    run(estimator, start, clips, validation, last=start.epoch + 1, seed=seed, callbacks=callbacks)


def fresh(estimator, n_features: int, seed: int) -> Start:
    """A new network with weights from the seed."""
    with seeded(seed):
        model = estimator._build((None, n_features))
    return Start(FittedModel(model, estimator._rebuild()))


def existing(estimator) -> Start:
    """The network that the estimator holds, and its history."""
    return Start(estimator._fitted, estimator.history_)


def resumed(estimator, start: Start, checkpoint: tuple[str, dict | None], seed: int, monitor: str):
    """The start with the weights, optimizer and history of the checkpoint, if it holds any; and its callback."""
    from ._callbacks import Checkpoint

    fingerprint, note = checkpoint
    callback = Checkpoint(estimator.model_checkpoint, fingerprint, seed, monitor, note["history"] if note else {})
    if note:
        model = start.fitted.model
        model.optimizer.build(model.trainable_variables)
        model.load_weights(callback.path)  # of the optimizer, too
        start = Start(start.fitted, note["history"], resumed=True)
    return start, callback


def run(estimator, start: Start, clips, validation, *, last: int, seed: int, callbacks: list) -> None:
    """Keras' loop, up to the last epoch."""
    from .._keras import Wrapper
    from . import _batches

    model, history = start.fitted.model, start.history
    if last > start.epoch:
        size = estimator.batch_size
        clips = clips.with_targets(loss_targets(estimator, clips.y, training=True))
        batches = _batches.Batches(clips, size, seed, FrameAugmentation.of(estimator))
        watched, params = None, {}
        if validation is not None:
            validation = validation.with_targets(loss_targets(estimator, validation.y, training=False))
            watched = _batches.Batches(validation, size)
            params["validation_data"] = watched.dataset()
        # The batches come shuffled; without warm_start, scikeras would build the network a second time.
        wrapper = Wrapper(model=model, batch_size=size, shuffle=False, warm_start=True, verbose=0)
        params |= dict(initial_epoch=start.epoch, epochs=last - start.epoch, batches=batches, callbacks=callbacks)
        build_state(model, clips)
        try:
            wrapper.initialize(clips.X, clips.y).fit(clips.X, clips.y, **params)
        finally:
            batches.release()
            if watched is not None:
                watched.release()
        new = model.history.history
        history = {name: [*history.get(name, []), *map(number, values)] for name, values in new.items()}
    estimator._fitted, estimator.history_ = start.fitted, history
    if not np.isfinite(history["loss"][-1]):
        warnings.warn(
            f"The loss became {history['loss'][-1]}: the network has learned nothing. Lower learning_rate="
            f"{estimator.learning_rate}, or scale the frames with FrameWise(StandardScaler()).",
            ConvergenceWarning,
            stacklevel=5,
        )


def build_state(model, clips) -> None:
    """Make the variables of the optimizer and of the metrics: TensorFlow traces a step that makes some twice."""
    from .._keras import keras

    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    row, n_outputs = clips.rows[:1], model.output_shape[-1]
    X, y = (keras.ops.convert_to_tensor(part[row]) for part in (clips.X, clips.y))
    model.compute_metrics(X, y, keras.ops.full((1, n_outputs), 1 / n_outputs))
    model.reset_metrics()


def open_checkpoint(estimator, *arrays, resume: bool) -> tuple[str, dict | None] | None:
    """Return the training's fingerprint, and its checkpoint's note if resumable; None without `model_checkpoint`."""
    if estimator.model_checkpoint is None:
        return None
    from ._callbacks import Checkpoint

    fingerprint = _fingerprint(estimator, *arrays, estimator.history_ if resume else None)
    note = None if resume else Checkpoint.read(estimator.model_checkpoint)
    if note is not None and note["fingerprint"] != fingerprint:
        warnings.warn(
            f"model_checkpoint={short(estimator.model_checkpoint)} holds a training on other clips or with other "
            "parameters, and is overwritten. Give each training a file of its own; in a cross-validation, give none.",
            UserWarning,
            stacklevel=3,
        )
        note = None
    return fingerprint, note


def _fingerprint(estimator, *arrays) -> str:
    """Identifies a training, whatever its length: clips, labels, weights, groups, first weights and parameters."""
    params = estimator.get_params(deep=False)
    for name in ("epochs", "model_checkpoint", "verbose", "warm_start", "callbacks"):
        if name != "epochs" or not isinstance(estimator.learning_rate_schedule, str):  # which depends on them
            del params[name]
    if not isinstance(estimator.random_state, Integral):
        del params["random_state"]  # drawn at the first start, and kept in the checkpoint
    described = [(name, _describe(value)) for name, value in sorted(params.items())]
    return joblib.hash((type(estimator).__name__, described, vars(estimator._targets), arrays))


def _describe(value):
    """Describe a parameter, as far as training depends on it."""
    if isinstance(value, (list, tuple)):
        return [_describe(item) for item in value]
    if hasattr(value, "get_config"):  # of Keras
        return type(value).__name__, _describe(sorted(value.get_config().items()))
    return code_key(value) if callable(value) else value
