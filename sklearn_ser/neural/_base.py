"""The base of the neural classifiers: scikit-learn's rules outside, scikeras and Keras inside."""

from __future__ import annotations

import copy
import inspect
import threading
import warnings
from numbers import Integral, Real

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..utils._frames import validate_frames
from ..utils._random import draw_seed, seeded
from ..utils._sklearn_compat import HasMethods, Interval, StrOptions, _check_sample_weight, _check_y
from ..utils._versions import VersionedMixin

_PREDICT_BATCH = 64  # clips a call; bounds the memory that the networks' inner layers take


def check_sizes(name: str, value, at_least: int = 0) -> list[int]:
    """A parameter that holds the sizes of layers, as a list; an int is one layer."""
    sizes = [value] if isinstance(value, Integral) else list(value)
    if len(sizes) < at_least or not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(
            f"{name} must hold a positive int for each layer, at least {at_least} of them. Got {name}={value!r}."
        )
    return [int(size) for size in sizes]


class _FittedModel:
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


# What the docstring of every neural classifier says of training, in the place of "<training>"; defaults are its own.
_TRAINING_PARAMETERS = """optimizer : str, dict or keras.optimizers.Optimizer, default={optimizer!r}
        Name of a Keras optimizer, its serialised form (``{{"class_name": "SGD", "config": {{"momentum": 0.9}}}}``), or
        an instance, of which a copy is used.
    learning_rate : float or None, default={learning_rate}
        Learning rate; None leaves the optimizer's own.
    epochs : int, default={epochs}
        Passes over the clips; at most, with `early_stopping`.
    batch_size : int, default={batch_size}
        Clips in a step of training.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss; "balanced" gives all classes the same total.
    early_stopping : bool, default=False
        Hold out a stratified part of the clips, stop when the loss on it no longer falls, and keep the best epoch. With
        ``fit(..., groups=...)``, no group (speaker) stands on both sides.
    validation_fraction : float, default=0.1
        Fraction of the clips held out by `early_stopping`.
    n_iter_no_change : int, default=10
        Epochs without improvement that `early_stopping` waits.
    tol : float, default=1e-4
        Least fall of the loss that counts as improvement.
    warm_start : bool, default=False
        Whether `fit` continues to train the existing network.
    model_checkpoint : str, PathLike or None, default=None
        A `.keras` file that is to hold the best epoch so far (by the loss on held-out clips with `early_stopping`, else
        by the training loss) while training goes on. If training is cut off, the same `fit` resumes from it, and ends
        as if it had never been interrupted. `keras.saving.load_model` reads the file.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the order of the clips, dropout and the split; the same int gives the same
        probabilities on the same machine. No global generator is touched.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs."""
_TRAINING_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        Class labels.
    model_ : keras.Model
        The trained network.
    history_ : dict of list
        Loss and accuracy of each epoch; with `early_stopping` also `val_loss` and `val_accuracy`.
    n_features_in_ : int
        Values of a frame."""


class NeuralClassifier(ClassifierMixin, VersionedMixin, BaseEstimator):
    """Base of the classifiers of frames. A subclass returns its network from `_build(input_shape, n_classes)`."""

    _parameter_constraints: dict = {
        "optimizer": [str, dict, HasMethods(["get_config"])],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "model_checkpoint": [str, HasMethods(["__fspath__"]), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and "<training>" in cls.__doc__:
            defaults = {name: p.default for name, p in inspect.signature(cls.__init__).parameters.items()}
            cls.__doc__ = cls.__doc__.replace("<training>", _TRAINING_PARAMETERS.format_map(defaults)).replace(
                "<trained>", _TRAINING_ATTRIBUTES
            )

    def __init__(
        self,
        *,
        optimizer,
        learning_rate,
        epochs,
        batch_size,
        class_weight,
        early_stopping,
        validation_fraction,
        n_iter_no_change,
        tol,
        warm_start,
        model_checkpoint,
        random_state,
        verbose,
    ):
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.model_checkpoint = model_checkpoint
        self.random_state = random_state
        self.verbose = verbose

    def _build(self, input_shape: tuple[None, int], n_classes: int):
        """The network for frames of this shape, an uncompiled Keras model."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------------- training

    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Frames, those past a clip's end all NaN; or features, taken as clips of one frame.
        y : array-like of shape (n_clips,)
            Class labels.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip in the loss; clips of weight 0 are left out.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance: with `early_stopping`, none stands on both sides of the split. In a Pipeline it
            comes here by metadata routing (``set_fit_request(groups=True)``).

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X breaks the rules on padding (the message names the row), if `early_stopping` cannot split the clips, or
            if `warm_start` meets other classes or features than before.
        """
        self._validate_params()
        resume = self.warm_start and hasattr(self, "_fitted")
        X, y = self._validate(X, y, reset=not resume)
        classes = np.unique(y)
        if resume and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start=True continues with the classes {list(self.classes_)}. Got {list(classes)} in y; "
                "set warm_start=False to begin anew."
            )
        self.classes_ = classes
        weight = self._weights(sample_weight, X, y)
        seed, checkpoint = self._draw_seed(), None
        if self.model_checkpoint is not None:
            fingerprint = self._fingerprint(X, y, weight, groups, self.history_ if resume else None)
            note = None if resume else self._resumable(fingerprint)
            checkpoint = (fingerprint, note)
            seed = note["seed"] if note else seed
        y, validation = self._encode(y), None
        if self.early_stopping:
            train, held_out = self._split(y, groups, seed)
            validation = [None if part is None else part[held_out] for part in (X, y, weight)]
            X, y, weight = (None if part is None else part[train] for part in (X, y, weight))
        self._train(X, y, weight, validation, seed=seed, epochs=self.epochs, resume=resume, checkpoint=checkpoint)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these clips, continuing from the network's current weights.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
        y : array-like of shape (n_clips,)
        classes : array-like of shape (n_classes,) or None, default=None
            All classes that will ever come; the first call needs them, unless its y holds them all.
        sample_weight : array-like of shape (n_clips,) or None, default=None

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y holds a class that the first call did not name, or with ``class_weight="balanced"``, which cannot be
            known from a part of the clips.

        Notes
        -----
        Neither `early_stopping` nor `model_checkpoint` acts here.
        """
        self._validate_params()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all clips at once, so partial_fit cannot use it. Compute the weights "
                "with sklearn.utils.compute_class_weight and pass them as a dict."
            )
        resume = hasattr(self, "_fitted")
        X, y = self._validate(X, y, reset=not resume)
        if not resume:
            self.classes_ = unique_labels(y if classes is None else classes)
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(f"classes={list(classes)} differs from the first call's, {list(self.classes_)}.")
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(f"y holds the classes {list(unknown)}, which are not among {list(self.classes_)}.")
        weight = self._weights(sample_weight, X, y)
        self._train(X, self._encode(y), weight, None, seed=self._draw_seed(), epochs=1, resume=resume)
        return self

    def _validate(self, X, y, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = self._frames(X, reset=reset)
        y = _check_y(y, estimator=self)
        check_classification_targets(y)
        check_consistent_length(X, y)
        return X, y

    def _frames(self, X, *, reset: bool) -> np.ndarray:
        """X as float32 (n_clips, n_frames, n_features), without frames that are padding in every clip."""
        X, lengths = validate_frames(self, X, reset=reset)
        X = X.astype(np.float32, copy=False)
        return self._sequence(X) if lengths is None else X[:, : lengths.max()]

    def _sequence(self, X) -> np.ndarray:
        """Features as frames: one for each clip."""
        return X[:, np.newaxis]

    def _draw_seed(self) -> int:
        return draw_seed(self.random_state)

    def _encode(self, y) -> np.ndarray:
        return np.searchsorted(self.classes_, y).astype(np.int32)

    def _weights(self, sample_weight, X, y) -> np.ndarray | None:
        if sample_weight is None and self.class_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float32, copy=True, ensure_non_negative=True)
        if self.class_weight is not None:
            per_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            weight *= per_class[self._encode(y)].astype(np.float32)
        if not weight.any():
            raise ValueError("All clips have a sample_weight of zero: there is nothing to learn from.")
        return weight

    def _split(self, y, groups, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the training and of the validation set, stratified; no group on both sides."""
        if groups is None:
            _, counts = np.unique(y, return_counts=True)
            n_held_out = int(np.ceil(self.validation_fraction * len(y)))
            if counts.min() < 2 or n_held_out < len(counts) or len(y) - n_held_out < len(counts):
                raise ValueError(
                    f"early_stopping holds out validation_fraction={self.validation_fraction} of the clips with every "
                    f"class on both sides. {len(y)} clips, of which {counts.min()} in the rarest of {len(counts)} "
                    "classes, are too few for that: give more clips, raise validation_fraction, or set "
                    "early_stopping=False."
                )
            rows = np.arange(len(y))
            return train_test_split(rows, test_size=self.validation_fraction, stratify=y, random_state=seed)
        groups = column_or_1d(groups)
        check_consistent_length(y, groups)
        n_groups = len(np.unique(groups))
        if n_groups < 2:
            raise ValueError(
                "early_stopping with groups needs at least two of them, one to train on and one to validate on. Got 1."
            )
        most = np.unique(y, return_counts=True)[1].max()  # more folds than that cannot be stratified
        n_splits = max(2, min(n_groups, most, round(1 / self.validation_fraction)))
        folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            # Few speakers cannot have all classes in equal fractions, and need not.
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            train, held_out = next(folds.split(y, y, groups))
        missing = np.setdiff1d(y, y[train])
        if missing.size:
            raise ValueError(
                "early_stopping cannot keep the groups apart: without those held out, no clip of "
                f"{self.classes_[missing]} is left to train on. Give more groups, or set early_stopping=False."
            )
        return train, held_out

    def _train(
        self, X, y, weight, validation, *, seed: int, epochs: int, resume: bool, checkpoint: tuple | None = None
    ) -> None:
        from . import _callbacks, _keras

        _keras.check_process()
        callbacks, history, before = [], {}, {}
        if resume:
            model, history = self._fitted.model, self.history_
            if model.compiled and self.learning_rate is not None:
                model.optimizer.learning_rate = self.learning_rate
        else:
            with seeded(seed):
                # A softmax of one class cannot be trained; with one class, the second output is never asked for.
                model = self._build((None, X.shape[2]), max(2, len(self.classes_)))
        if checkpoint is not None:
            fingerprint, note = checkpoint
            before = note["history"] if note else {}
            watched = "loss" if validation is None else "val_loss"
            callbacks.append(_callbacks.Checkpoint(self.model_checkpoint, fingerprint, seed, watched, before))
            if note:
                model, history = _keras.keras.saving.load_model(callbacks[0].path), before
        initial_epoch = len(history.get("loss", []))
        last_epoch = max(epochs, initial_epoch) if before else initial_epoch + epochs
        if validation is not None:
            stopping = _callbacks.EarlyStopping(self.n_iter_no_change, self.tol, before.get("val_loss", []))
            callbacks.append(stopping)
            last_epoch = initial_epoch if stopping.is_over() else last_epoch
        if self.verbose:
            callbacks.append(_callbacks.Progress(type(self).__name__, initial_epoch, last_epoch))
        wrapper = _keras.Wrapper(
            model=model,
            optimizer=self._make_optimizer(),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            batch_size=self.batch_size,
            shuffle=False,  # the batches come shuffled
            warm_start=True,  # or scikeras would build the network a second time
            verbose=0,
        ).initialize(X, y)
        if last_epoch > initial_epoch:
            wrapper.fit(
                X,
                y,
                sample_weight=weight,
                initial_epoch=initial_epoch,
                epochs=last_epoch - initial_epoch,
                seed=seed,
                validation=validation,
                callbacks=callbacks,
            )
            history = {name: [*history.get(name, []), *values] for name, values in wrapper.history_.items()}
        self._fitted, self.history_ = _FittedModel(model), history
        if not np.isfinite(history["loss"][-1]):
            warnings.warn(
                f"The loss became {history['loss'][-1]}: the network has learned nothing. Lower learning_rate="
                f"{self.learning_rate}, or scale the frames with FrameWise(StandardScaler()).",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _make_optimizer(self):
        from ._keras import keras

        try:
            if isinstance(self.optimizer, (str, dict)):
                optimizer = keras.optimizers.get(copy.deepcopy(self.optimizer))  # Keras writes into the dict
            else:  # a copy, because an optimizer belongs to the one network that it trains
                optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                "optimizer must be the name of a Keras optimizer, such as 'adam', 'sgd' or 'rmsprop', its serialised "
                f"form, or an instance. Got {self.optimizer!r}."
            ) from error
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        return optimizer

    def _fingerprint(self, *arrays) -> str:
        """Identifies a training, whatever its length: clips, labels, weights, groups, first weights and parameters."""
        params = self.get_params(deep=False)
        for name in ("epochs", "model_checkpoint", "verbose", "warm_start"):
            del params[name]
        if not isinstance(self.random_state, Integral):
            del params["random_state"]  # drawn at the first start, and kept in the checkpoint
        if not isinstance(self.optimizer, (str, dict)):
            params["optimizer"] = (type(self.optimizer).__name__, self.optimizer.get_config())
        return joblib.hash((type(self).__name__, sorted(params.items()), self.classes_, arrays))

    def _resumable(self, fingerprint: str) -> dict | None:
        from ._callbacks import Checkpoint

        note = Checkpoint.read(self.model_checkpoint)
        if note is not None and note["fingerprint"] != fingerprint:
            warnings.warn(
                f"model_checkpoint={str(self.model_checkpoint)!r} holds a training on other clips or with other "
                "parameters, and is overwritten. Give each training a file of its own; in a cross-validation, give "
                "none.",
                UserWarning,
                stacklevel=4,
            )
            return None
        return note

    # ------------------------------------------------------------------------------------------------------ prediction

    @property
    def model_(self):
        """keras.Model : the trained network, from frames to probabilities."""
        if "_fitted" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has no model_ before it is fitted.")
        return self._fitted.model

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Any number of frames; padding does not change the result.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes), float64
            Columns in the order of `classes_`; rows sum to one.
        """
        check_is_fitted(self)
        X = self._frames(X, reset=False)
        probabilities = np.concatenate(self._batches(self.model_, X))[:, : len(self.classes_)].astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    @staticmethod
    def _batches(model, X) -> list[np.ndarray]:
        # predict_on_batch runs a compiled function; Keras' predict sets up a data pipeline first, at each call.
        return [model.predict_on_batch(X[i : i + _PREDICT_BATCH]) for i in range(0, len(X), _PREDICT_BATCH)]

    def predict(self, X):
        """Most probable class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
