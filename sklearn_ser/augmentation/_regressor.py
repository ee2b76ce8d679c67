"""AugmentedRegressor: a regressor that also trains on augmented copies of its clips."""

from __future__ import annotations

from ..audio._row_expansion import RowExpandingRegressor
from ._copies import AugmentedEstimator


class AugmentedRegressor(RowExpandingRegressor, AugmentedEstimator):
    """Train a regressor of clips on augmented copies of them; predict clips as they are, or by copies of them, too.

    In `fit`, each augmenter adds a copy of each clip, with the clip's values, such as arousal and valence. Wrap the
    whole pipeline, from the audio on: in a cross-validation around it, no copy of a test clip is ever seen in training.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import AddNoise, AugmentedRegressor, BoundedScaler, HandcraftedFeatures
    >>> time = np.arange(4000) / 16000
    >>> clips = [np.sin(2 * np.pi * f0 * time) for f0 in (200, 220, 800, 880)]
    >>> pipeline = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), BoundedScaler(), Ridge())
    >>> regressor = AugmentedRegressor(pipeline, [AddNoise(snr=20)], random_state=0)
    >>> regressor.fit(clips, [0.2, 0.2, 0.8, 0.8]).predict(clips).round(1)
    array([0.2, 0.2, 0.8, 0.8], dtype=float32)

    Parameters
    ----------
    estimator : estimator
        A regressor that takes audio input, such as a `Pipeline` that begins with one of this library's audio
        transformers: they read the copies. It is cloned before it is fitted.
    <copies>

    Attributes
    ----------
    estimator_ : estimator
        The fitted regressor.
    target_names_ : list of str
        Names of the values: the columns of `y` where it is a DataFrame, else "value" or "value_0", "value_1" and so on.
    n_features_in_ : int
        Samples of a clip, if X was an array (n_clips, n_times).

    See Also
    --------
    AugmentedClassifier : Does the same for classes; see the notes there.
    real_world_augmenters : Augmenters for recordings from outside the studio.
    """

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the regressor to the clips and their copies.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`, whose other columns
            are repeated for the copies. The estimator is given a DataFrame, too; for all else, a list.
        y : array-like of shape (n_clips,) or (n_clips, n_values)
            Values, such as arousal and valence.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip; a copy weighs what its clip weighs. Given to the regressor at the pipeline's end.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance. Given to the regressor at the pipeline's end.
        **params : dict
            More arguments of the estimator's `fit`, as `step__parameter`; arrays of n_clips are repeated for the
            copies. With metadata routing, all of this goes where it is requested, instead.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If X is no audio input, a value of y or `groups` is missing, the estimator is no regressor, an augmenter's
            parameters are wrong, there are fewer augmenters than `n_copies`, no clip is left to train on, or something
            inside splits rows and cannot be told which of them belong together.
        """
        self._fit_copies(X, y, sample_weight, groups, params)
        return self

    def predict(self, X, **params):
        """Values of each clip; with `test_time_augmenters`, the means over the clip and its copies.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            More arguments of the estimator's `predict`, one value a clip; with metadata routing, what its steps
            request.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_values)
        """
        return self._mean_of_copies("predict", X, params)
