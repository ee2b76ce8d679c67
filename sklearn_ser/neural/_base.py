"""The base of the neural classifiers: scikit-learn's rules outside, scikeras and Keras inside."""

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
from ..utils._sklearn_compat import _check_sample_weight, _check_y
from ..utils._versions import VersionedMixin
from ._parameters import TrainingParameters
from ._training import open_checkpoint, train
from ._validation_set import hold_out

_PREDICT_BATCH = 64  # clips a call; bounds the memory that the networks' inner layers take


def check_sizes(name: str, value: Any, at_least: int = 0) -> list[int]:
    """A parameter that holds the sizes of layers, as a list; an int is one layer."""
    sizes = [value] if isinstance(value, Integral) else list(value)
    if len(sizes) < at_least or not all(isinstance(size, Integral) and int(size) > 0 for size in sizes):
        raise ValueError(
            f"{name} must hold a positive int for each layer, at least {at_least} of them. Got {name}={short(value)}."
        )
    return [int(size) for size in sizes]


class NeuralClassifier(ClassifierMixin, TrainingParameters, VersionedMixin, BaseEstimator):
    """Base of the classifiers of frames. A subclass returns its network from `_build(input_shape, n_classes)`."""

    def _build(self, input_shape: tuple[None, int], n_classes: int):
        """The network for frames of this shape, an uncompiled Keras model."""
        raise NotImplementedError

    def _adapt_optimizer(self, optimizer) -> None:
        """What a subclass changes of its optimizer, be it new or read from a checkpoint."""

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
                f"warm_start=True continues with the classes {short(list(self.classes_))}. Got "
                f"{short(list(classes))} in y; "
                "set warm_start=False to begin anew."
            )
        self.classes_ = classes
        weight = self._weights(sample_weight, X, y)
        seed, checkpoint = self._draw_seed(), open_checkpoint(self, X, y, weight, groups, resume=resume)
        if checkpoint and checkpoint[1]:
            seed = checkpoint[1]["seed"]
        y, validation = self._encode(y), None
        if self.early_stopping:
            kept, held_out = self._split(y, groups, seed)
            validation = [None if part is None else part[held_out] for part in (X, y, weight)]
            X, y, weight = (None if part is None else part[kept] for part in (X, y, weight))
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
            raise ValueError(
                f"classes={short(list(classes))} differs from the first call's, {short(list(self.classes_))}."
            )
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ValueError(
                f"y holds the classes {short(list(unknown))}, which are not among {short(list(self.classes_))}."
            )
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
        return hold_out(y, groups, fraction=self.validation_fraction, seed=seed, classes=self.classes_)

    def _train(self, X, y, weight, validation, **how) -> None:
        train(self, X, y, weight, validation, **how)

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
