"""Where Keras is imported: scikeras' wrapper, fed and watched the way this library promises.

Nothing imports this module before a network is built, loaded or trained.
"""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import os
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if multiprocessing.parent_process() is not None and "OMP_NUM_THREADS" in os.environ:
    # A worker of joblib: TensorFlow would take all cores in each of them, joblib says how many are this one's.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", os.environ["OMP_NUM_THREADS"])
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


@contextmanager
def _quiet_loading():
    """Hold back what TensorFlow's libraries write to stderr while they load; show it if loading fails."""
    try:
        shown = os.dup(2)
    except OSError:  # a program without a stderr
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


with _quiet_loading():
    import keras


def _import_scikeras():
    """Import scikeras without the changes that it makes to Keras' classes for the whole process."""
    if "scikeras" not in sys.modules:
        owners = [keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer]
        kept = [(owner, name, vars(owner).get(name)) for owner in owners for name in ("__reduce__", "__deepcopy__")]
        import scikeras.wrappers

        for owner, name, method in kept:
            if method is not None:
                setattr(owner, name, method)
            elif name in vars(owner):
                delattr(owner, name)
    import scikeras.wrappers

    return scikeras.wrappers.KerasClassifier


with _quiet_loading():
    KerasClassifier = _import_scikeras()
# Every training compiles functions of its own, which TensorFlow takes for an oversight after the fifth.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())


class Batches(keras.callbacks.Callback):
    """Batches of clips, in a new order in every epoch, each cropped to about its longest clip.

    A callback, too: at the start of an epoch it sets the order of the clips and what dropout will drop, both from the seed
    and the epoch's number alone, so that a training that is resumed goes on as it would have gone on.
    """

    def __init__(self, X, y, sample_weight, batch_size: int, seed: int | None):
        import tensorflow as tf

        super().__init__()
        self.seed, self.batch_size = seed, batch_size
        self.lengths = (~np.isnan(X[:, :, 0])).sum(axis=1)
        with tf.device("CPU"):
            self.order = tf.Variable(np.arange(len(X)), trainable=False)
            parts = (X, y) if sample_weight is None else (X, y, sample_weight)
            self.parts = [tf.convert_to_tensor(part) for part in parts]

    def on_epoch_begin(self, epoch, logs=None):
        self.order.assign(np.random.default_rng((self.seed, epoch)).permutation(len(self.lengths)))
        for index, layer in enumerate(self.model.layers):
            if getattr(layer, "seed_generator", None) is not None:
                seed = np.random.default_rng((self.seed, epoch, index)).integers(2**31)
                layer.seed_generator.state.assign(np.asarray([seed, 0], dtype="uint32"))

    def dataset(self):
        """The batches of the current epoch, whenever it is iterated, as a tf.data.Dataset, which all backends read."""
        import tensorflow as tf

        n_frames = int(self.parts[0].shape[1])
        grid = math.ceil(n_frames / 16)  # few different lengths: a compiling backend compiles each of them
        lengths = tf.constant(np.minimum(-(-self.lengths // grid) * grid, n_frames))
        cropped = self.lengths.min() < n_frames

        def batch(index):
            rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
            X, *others = (tf.gather(part, rows) for part in self.parts)
            return X[:, : tf.reduce_max(tf.gather(lengths, rows))] if cropped else X, *others

        return tf.data.Dataset.range(math.ceil(len(self.lengths) / self.batch_size)).map(batch).prefetch(1)


class Progress(keras.callbacks.Callback):
    """A tqdm bar over the epochs."""

    def __init__(self, name: str, initial_epoch: int, epochs: int):
        super().__init__()
        self.name, self.initial_epoch, self.epochs = name, initial_epoch, epochs

    def on_train_begin(self, logs=None):
        from tqdm.auto import tqdm

        self.bar = tqdm(desc=self.name, initial=self.initial_epoch, total=self.epochs, unit="epoch")

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()}, refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        self.bar.close()


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
        """Whether the loss has not fallen by `tol` for as long as one waits."""
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
        """What the checkpoint at a path says of itself; None if there is none, and one can be written.

        Raises
        ------
        ValueError
            If no checkpoint can be written there, or if the file is somebody's model, and not to be overwritten.
        """
        name = f"model_checkpoint={os.fspath(path)!r}"
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
            raise ValueError(f"{name} cannot be written: {error.strerror}: {error.filename!r}.") from None

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
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


class Wrapper(KerasClassifier):
    """scikeras' classifier for input that is validated already: NaN marks padding, labels are 0 .. n_classes - 1."""

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
        return X, y

    @property
    def target_encoder(self):
        from sklearn.preprocessing import FunctionTransformer

        return FunctionTransformer().set_output(transform="default")  # whatever is set for all transformers

    feature_encoder = target_encoder

    def _fit_keras_model(self, X, y, sample_weight, *, seed, validation, callbacks, **params):
        train = Batches(X, y, sample_weight, self.batch_size, seed)
        if validation is not None:
            params["validation_data"] = Batches(*validation, self.batch_size, None).dataset()
        self._fit_callbacks = [train, *callbacks]
        super()._fit_keras_model(train.dataset(), None, sample_weight=None, **params)
