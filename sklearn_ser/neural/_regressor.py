"""NeuralRegressor: networks that are trained on values, such as arousal and valence."""

from __future__ import annotations

from sklearn.base import RegressorMixin

from ._base import NeuralEstimator
from .training._targets import Values


class NeuralRegressor(RegressorMixin, NeuralEstimator):
    """Base of the regressors of frames."""

    def __init__(self, *, loss="mean_squared_error", metrics=(), **training):
        super().__init__(loss=loss, metrics=metrics, **training)

    def _read_targets(self, y, **how):
        return Values.read(y)

    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on these clips, continuing from the network's current weights.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
        y : array-like of shape (n_clips,) or (n_clips, n_dimensions)
            Values. Mean and spread of those of the first call are the unit in which the network is trained.
        sample_weight : array-like of shape (n_clips,) or None, default=None

        Returns
        -------
        self

        Notes
        -----
        Neither `early_stopping`, `model_checkpoint` nor a `learning_rate_schedule` that is named acts here.
        """
        self._validate_params()
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """Values of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Any number of frames; padding does not change the result.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_dimensions), float64
            Predictions, in the shape that y had in `fit`.
        """
        return self._predict_outputs(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True  # scikit-learn's checks train for some epochs only
        return tags
