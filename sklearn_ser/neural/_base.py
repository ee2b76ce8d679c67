"""Base of the neural classifiers: scikit-learn classifiers around scikeras and Keras."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..utils._frames import validate_frames
from ..utils._messages import short
from ..utils._random import draw_seed
from ..utils._sklearn_compat import CallbackSupportMixin, _check_sample_weight, _check_y, with_callbacks
from ..utils._versions import VersionedMixin
from .training._examples import Examples
from .training._functions import Portable
from .training._loop import open_checkpoint, train, train_one_epoch
from .training._parameters import TrainingParameters
from .training._targets import hold_out

_PREDICT_BATCH = 64  # clips a call; bounds the memory that the networks' inner layers take
_MAY_BE_FUNCTIONS = ("network", "loss", "metrics", "callbacks", "learning_rate_schedule")


def check_sizes(name: str, value: Any, at_least: int = 0) -> list[int]:
    """A parameter that holds the sizes of layers, as a list; an int is one layer."""
    sizes = [value] if isinstance(value, Integral) else list(value)
    if len(sizes) < at_least or not all(isinstance(size, Integral) and int(size) > 0 for size in sizes):
        raise ValueError(
            f"{name} must hold a positive int for each layer, at least {at_least} of them. Got {name}={short(value)}."
        )
    return [int(size) for size in sizes]


class NeuralClassifier(ClassifierMixin, TrainingParameters, CallbackSupportMixin, VersionedMixin, BaseEstimator):
    """Base of the classifiers of frames. A subclass returns its network from `_build(input_shape, n_classes)`."""

    def _build(self, input_shape: tuple[None, int], n_classes: int):
        """The network for frames of this shape, an uncompiled Keras model."""
        raise NotImplementedError

    def _adapt_optimizer(self, optimizer, like) -> None:
        """Change the optimizer as the parameters say now; `like` is a new one, with the rate that it begins with."""

    def _compiled_with(self, optimizer):
        """What a network is compiled with besides its own parameters; once it changes, it is compiled again."""
        return None

    # -------------------------------------------------------------------------------------------------------- training

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None, validation_data=None):
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
        validation_data : tuple (X, y) or (X, y, sample_weight), or None, default=None
            Examples whose loss and metrics are told after each epoch, frames as the network gets them. `early_stopping`
            and `model_checkpoint` go by them, and hold out none of their own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X breaks the rules on padding (the message names the row), if `early_stopping` cannot split the clips, or
            if `warm_start` meets a new class or other features than before. A class that is missing is no error.
        """
        self._validate_params()
        resume = self.warm_start and hasattr(self, "_fitted")
        X, y = self._validate(X, y, reset=not resume)
        if resume:
            self._check_classes(y, "y")
        else:
            self.classes_ = np.unique(y)
        clips = Examples.all(X, self._encode(y), self._weights(sample_weight, X, y))
        validation = None if validation_data is None else self._validation(validation_data)
        arrays = [clips.X, y, clips.weight, groups, *([] if validation is None else validation.parts)]
        seed, checkpoint = self._draw_seed(), open_checkpoint(self, *arrays, resume=resume)
        if checkpoint and checkpoint[1]:
            seed = checkpoint[1]["seed"]
        self.held_out_ = None if validation is None else "validation_data"
        if self.early_stopping and validation is None:
            kept, held_out = self._split(clips.y, groups, seed)
            clips, validation = clips.take(kept), clips.take(held_out)
            self.held_out_ = "clips" if groups is None else "groups"
        context = self._init_callback_context(max_subtasks=self.epochs)
        task = dict(estimator=self, X=X, y=y)
        if context is not None:
            context.call_on_fit_task_begin(**task)
        self._train(clips, validation, seed=seed, resume=resume, checkpoint=checkpoint, context=context)
        if context is not None:
            context.call_on_fit_task_end(**task, reconstruction_attributes={})
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
        Neither `early_stopping`, `model_checkpoint` nor a `learning_rate_schedule` that is named acts here.
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
            raise ValueError(
                f"classes={short(list(classes))} differs from the first call's, {short(list(self.classes_))}."
            )
        self._check_classes(y, "y")
        clips = Examples.all(X, self._encode(y), self._weights(sample_weight, X, y))
        self._train(clips, None, training=train_one_epoch, seed=self._draw_seed(), resume=resume)
        return self

    def _check_classes(self, y, name: str) -> None:
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(
                f"{name} holds the classes {short(unknown.tolist())}, which are not among "
                f"{short(self.classes_.tolist())}, those that the network tells apart. To begin anew, set "
                "warm_start=False, and fit on clips of all classes."
            )

    def _validation(self, data) -> Examples:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ValueError(
                f"validation_data must be a tuple (X, y) or (X, y, sample_weight). Got {short(data)}: in a Pipeline, "
                "X are the frames that reach the network, pipeline[:-1].transform(clips)."
            )
        X, y = self._validate(data[0], data[1], reset=False)
        self._check_classes(y, "y of validation_data")
        return Examples.all(X, self._encode(y), self._weights(data[2] if len(data) == 3 else None, X, y))

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
            present = np.unique(y)
            if isinstance(self.class_weight, str):
                per_class = compute_class_weight(self.class_weight, classes=present, y=y)
            else:
                per_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
                per_class = per_class[self._encode(present)]
            weight *= per_class[np.searchsorted(present, y)].astype(np.float32)
        if not weight.any():
            raise ValueError("All clips have a sample_weight of zero: there is nothing to learn from.")
        return weight

    def _split(self, y, groups, seed: int) -> tuple[np.ndarray, np.ndarray]:
        return hold_out(y, groups, fraction=self.validation_fraction, seed=seed, classes=self.classes_)

    def _train(self, clips, validation, *, training=train, **how) -> None:
        training(self, clips, validation, **how)

    def _rebuild(self):
        """Makes the network anew; None where its description is enough."""
        return None

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

    def __getstate__(self):
        state = super().__getstate__()
        if "_fitted" in state:  # then it can be loaded without the functions that it was made with
            state = {k: Portable(v) if k in _MAY_BE_FUNCTIONS and v is not None else v for k, v in state.items()}
        return state

    def __setstate__(self, state):
        super().__setstate__({k: v.value if isinstance(v, Portable) else v for k, v in state.items()})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
