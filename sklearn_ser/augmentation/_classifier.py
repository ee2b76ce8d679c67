"""AugmentedClassifier: a classifier that also trains on augmented copies of its clips."""

from __future__ import annotations

from sklearn.utils.metaestimators import available_if

from ..audio._row_expansion import RowExpandingClassifier
from ..utils._decisions import decide, refuse_novelty
from ..utils._sklearn_compat import estimator_has
from ._copies import AugmentedEstimator


class AugmentedClassifier(RowExpandingClassifier, AugmentedEstimator):
    """Train a classifier of clips on augmented copies of them; predict clips as they are, or by copies of them, too.

    In `fit`, each augmenter adds a copy of each clip, with the clip's label. Wrap the whole pipeline, from the audio
    on: in a cross-validation around it, no copy of a test clip is ever seen in training. With `test_time_augmenters`,
    the probabilities of a clip are means over it and its copies (test-time augmentation [1]_).

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import AddNoise, AugmentedClassifier, HandcraftedFeatures
    >>> time = np.arange(4000) / 16000
    >>> clips = [np.sin(2 * np.pi * f0 * time) for f0 in (200, 220, 800, 880)]
    >>> pipeline = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), SVC())
    >>> classifier = AugmentedClassifier(pipeline, [AddNoise(snr=20)], random_state=0)
    >>> classifier.fit(clips, ["low", "low", "high", "high"]).predict(clips).tolist()
    ['low', 'low', 'high', 'high']
    >>> classifier.estimator_[-1].shape_fit_  # clips and noisy copies
    (8, 170)

    Parameters
    ----------
    estimator : estimator
        A classifier that takes audio input, such as a `Pipeline` that begins with one of this library's audio
        transformers: they read the copies. It is cloned before it is fitted.
    <copies>

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Samples of a clip, if X was an array (n_clips, n_times).

    See Also
    --------
    real_world_augmenters : Augmenters for recordings from outside the studio.
    augment_clips : Altered clips to test on.

    Notes
    -----
    - A copy takes no memory: it is decoded and altered by the transformer that reads it, in its `n_jobs` workers.
      Levels are normalized afterwards.
    - A clip and its copies stand on the same side of every split inside. Steps that tune, select or calibrate by `cv`
      split clips. A classifier at the pipeline's end that stops early or calibrates is given `groups`: those of the
      user, or else the clips' rows. That needs no metadata routing and no request. Estimators that cannot be
      told which rows belong together are refused, such as early stopping inside another one, ``SVC(probability=True)``.
    - With `test_time_augmenters`, a rule of the classifier's own, such as a tuned threshold or the "unknown" of a
      `SelectiveClassifier`, is applied to the means.
    - A search for hyperparameters belongs around this classifier: inside it, the test folds hold copies, too.

    References
    ----------
    .. [1] Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", NeurIPS
       2012, which averages over crops and reflections of an image.
    """

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the classifier to the clips and their copies.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`, whose other columns
            are repeated for the copies. The estimator is given a DataFrame, too; for all else, a list.
        y : array-like of shape (n_clips,)
            Class labels.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip; a copy weighs what its clip weighs. Given to the classifier at the pipeline's end.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance. Given to the classifier at the pipeline's end.
        **params : dict
            More arguments of the estimator's `fit`, as `step__parameter`; arrays of n_clips are repeated for the
            copies. With metadata routing, all of this goes where it is requested, instead.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If X is no audio input, a value of y or `groups` is missing, the estimator is no classifier, an augmenter's
            parameters are wrong, there are fewer augmenters than `n_copies`, no clip is left to train on, or something
            inside splits rows and cannot be told which of them belong together.
        """
        if self.test_time_augmenters:
            refuse_novelty(self, self.estimator)
        self._fit_copies(X, y, sample_weight, groups, params)
        if self.test_time_augmenters:
            self._check_own_rule(X, params)
        return self

    def predict(self, X, **params):
        """Class of each clip.

        With `test_time_augmenters`, the one with the highest mean probability over the clip and its copies; without
        probabilities, the highest mean decision value decides, and without either, most of them do.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            More arguments of the estimator's method that decides, one value a clip; with metadata routing,
            what its steps request.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        if not self.test_time_augmenters:
            return self._delegate("predict", X, params)
        values, rows = self._of_parts("predict", X, params, self._copies)
        return decide(self.estimator_, self._callees()["predict"], values, rows, self.classes_)

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Probability of each class for each clip, the mean over it and its copies.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            As for `predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        return self._mean_of_copies("predict_proba", X, params)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Decision values for each clip, means over it and its copies.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            As for `predict`.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        return self._mean_of_copies("decision_function", X, params)

    def _callees(self):
        """`predict` of clips and their copies goes by probabilities, if there are any, or else by decision values."""
        methods = super()._callees()
        return {**methods, "predict": self._most_telling()} if self.test_time_augmenters else methods
