"""Keras callbacks of all networks: a progress bar, early stopping, and a checkpoint that a training resumes from."""

from __future__ import annotations

import json
import math
import os
import tempfile
import zipfile
from pathlib import Path

from ...utils._messages import short
from .._keras import keras
from ._compile import number


class Progress(keras.callbacks.Callback):
    """A tqdm bar over the epochs."""

    def __init__(self, name: str, initial_epoch: int, epochs: int):
        super().__init__()
        self.name, self.initial_epoch, self.epochs = name, initial_epoch, epochs

    def on_train_begin(self, logs=None):
        from tqdm.auto import tqdm

        self.bar = tqdm(desc=self.name, initial=self.initial_epoch, total=self.epochs, unit="epoch")

    def on_epoch_end(self, epoch, logs=None):
        shown = {name: number(value) for name, value in (logs or {}).items()}
        self.bar.set_postfix({n: f"{v:.3f}" for n, v in shown.items() if isinstance(v, float)}, refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        self.bar.close()


class ScikitCallbacks(keras.callbacks.Callback):
    """Tells scikit-learn's callbacks of the epochs, and stops if one of them asks for it."""

    def __init__(self, estimator, context, fitted, clips):
        super().__init__()
        self.estimator, self.context, self.fitted, self.clips = estimator, context, fitted, clips

    def on_epoch_begin(self, epoch, logs=None):
        self.task = self.context.subcontext(task_name="epoch").call_on_fit_task_begin(**self._arguments())

    def on_epoch_end(self, epoch, logs=None):
        if self.task.call_on_fit_task_end(**self._arguments()):
            self.model.stop_training = True

    def _arguments(self) -> dict:
        estimator, clips = self.estimator, self.clips
        return dict(
            estimator=estimator,
            X=lambda: clips.X[clips.rows],
            y=lambda: estimator._targets.decode(clips.y[clips.rows]),
            reconstruction_attributes=lambda: {"_fitted": self.fitted},
        )


class EarlyStopping(keras.callbacks.Callback):
    """Stop when the held-out loss no longer falls by `tol`, and keep the epoch at which it was lowest.

    Not Keras' own, for which a fall below `tol` is no fall at all, so that the epoch it keeps may not be the best. What
    has happened before a resumed training, `losses`, counts as if it had happened in this one.
    """

    def __init__(self, patience: int, tol: float, losses: list[float]):
        super().__init__()
        self.patience, self.tol, self.losses, self.best_weights = patience, tol, list(losses), None

    def on_train_begin(self, logs=None):
        if self.losses:  # a training resumes from its best epoch
            self.best_weights = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < min(self.losses, default=math.inf):
            self.best_weights = self.model.get_weights()
        self.losses.append(logs["val_loss"])
        self.model.stop_training = self.is_over()

    def is_over(self) -> bool:
        """Return whether the loss has not fallen by `tol` for the epochs of patience."""
        best, waited = math.inf, 0
        for loss in self.losses:
            waited = 0 if loss < best - self.tol else waited + 1
            best = min(best, loss)
        return waited >= self.patience

    def on_train_end(self, logs=None):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class Checkpoint(keras.callbacks.Callback):
    """Writes the best epoch so far to one `.keras` file, whole or not at all, and reads it back.

    The file is Keras' own format (`keras.saving.load_model` reads it), with one more entry that says which training it
    belongs to, which epoch it holds and what went before.
    """

    ENTRY = "sklearn_ser.json"

    def __init__(self, path, fingerprint: str, seed: int, monitor: str, history: dict):
        super().__init__()
        self.path = Path(path).expanduser()
        self.fingerprint, self.seed, self.monitor = fingerprint, seed, monitor
        self.history = {name: list(values) for name, values in history.items()}
        self.best = min(self.history.get(monitor, [math.inf]))

    @classmethod
    def read(cls, path) -> dict | None:
        """Read the note of the checkpoint at a path; None if there is none, and one can be written.

        Raises
        ------
        ValueError
            If no checkpoint can be written there, or if the file is somebody's model, and not to be overwritten.
        """
        name = f"model_checkpoint={short(path)}"
        path = Path(path).expanduser()
        if path.suffix != ".keras":
            raise ValueError(f"{name} must end in '.keras', the format that it is written in.")
        if path.exists():
            try:
                with zipfile.ZipFile(path) as archive:
                    return json.loads(archive.read(cls.ENTRY))
            except (KeyError, zipfile.BadZipFile, OSError) as error:
                raise ValueError(f"{name} exists and is no checkpoint of this library. Name another file.") from error
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                return None
        except OSError as error:
            raise ValueError(f"{name} cannot be written: {error.strerror}: {short(error.filename)}.") from None

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(number(value))
        loss = self.history[self.monitor][-1]
        if not loss < self.best:
            return
        self.best = loss
        unfinished = self.path.with_name(f".{self.path.stem}.{os.getpid()}.keras")
        self.model.save(unfinished)
        note = dict(fingerprint=self.fingerprint, seed=self.seed, epoch=epoch, history=self.history)
        with zipfile.ZipFile(unfinished, "a") as archive:
            archive.writestr(self.ENTRY, json.dumps(note))
        os.replace(unfinished, self.path)
