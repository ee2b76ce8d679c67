"""NeuralClassifier: networks that are trained on classes."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import unique_labels

from ..utils._messages import short
from ..utils._sklearn_compat import Interval, StrOptions, _check_sample_weight
from ._base import NeuralEstimator
from .training._targets import read_classes


class NeuralClassifier(ClassifierMixin, NeuralEstimator):
    """Base of the classifiers of frames."""

    _parameter_constraints: dict = {
        **NeuralEstimator._parameter_constraints,
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _learns_indicators = False

    def __init__(
        self,
        *,
        loss="sparse_categorical_crossentropy",
        metrics="accuracy",
        label_smoothing=0.0,
        class_weight=None,
        **training,
    ):
        super().__init__(loss=loss, metrics=metrics, **training)
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def _read_targets(self, y, classes=None, **how):
        return read_classes(y, classes=classes, multi_label=self._learns_indicators)

    def _set_targets(self, targets):
        super()._set_targets(targets)
        self.classes_ = targets.classes

    def _weights(self, sample_weight, X, y):
        if self.class_weight is None:
            return super()._weights(sample_weight, X, y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float32, copy=True, ensure_non_negative=True)
        return super()._weights(weight * self._targets.class_weight(self.class_weight, y), X, y)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these clips, continuing from the network's current weights.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            As for `fit`.
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
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all clips at once, so partial_fit cannot use it. Compute the weights "
                "with sklearn.utils.compute_class_weight and pass them as a dict."
            )
        if hasattr(self, "_fitted"):
            if classes is not None and set(unique_labels(classes).tolist()) != set(self.classes_.tolist()):
                raise ValueError(
                    f"classes={short(list(classes))} differs from the first call's, {short(list(self.classes_))}."
                )
            return self._partial_fit(X, y, sample_weight)
        return self._partial_fit(X, y, sample_weight, classes=classes)

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
        return self._predict_outputs(X)

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
