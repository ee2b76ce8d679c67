"""SelectiveClassifier: a classifier that rejects clips of which it is not sure."""

from __future__ import annotations

import warnings
from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import column_or_1d, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..utils._columns import refuse_missing
from ..utils._confidence import DEFAULT_COVERAGE, predict_with_confidence
from ..utils._decisions import METHODS
from ..utils._sklearn_compat import HasMethods, Interval, StrOptions, _check_y, estimator_has
from ..utils._versions import VersionedMixin
from ._folds import check_reject_label, fit_predict, groups_of_search, speakers_of, splits_by_speaker
from ._novelty import Distance, features_of
from ._risk_control import control_risk, keep_coverage


class SelectiveClassifier(ClassifierMixin, VersionedMixin, BaseEstimator):
    """A classifier that answers "unknown" where it is not sure enough, for a given coverage or risk.

    How sure it has to be is learned in `fit` on clips of speakers that were not trained on: the estimator is fitted to
    parts of the data, speakers apart, and predicts the rest of them; then it is fitted to all.

    Read more in the guide: :doc:`saying "I don't know" </guide/rejection>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser import SelectiveClassifier
    >>> X = np.arange(40.0)[:, np.newaxis] - 19.5
    >>> y = np.where(X[:, 0] < 0, "calm", "fear")
    >>> classifier = SelectiveClassifier(LogisticRegression(), coverage=0.5)
    >>> classifier.fit(X, y, groups=np.arange(40) % 8).predict([[-15.0], [1.0], [15.0]]).tolist()
    ['calm', 'unknown', 'fear']

    Parameters
    ----------
    estimator : classifier
        With `predict_proba` or `decision_function`; a whole pipeline from the audio on, for instance. It is cloned
        before it is fitted. A `sklearn.frozen.FrozenEstimator` is not fitted again: then `fit` only calibrates, on data
        that should be of other speakers than those that were trained on.
    coverage : float or None, default=None
        Fraction of clips to answer, over 0 and up to 1. None is 0.8, if `risk` is None, too.
    risk : float or None, default=None
        Fraction of errors among the answers that is allowed, between 0 and 1: as many clips as possible are answered.
        If the data do not show that any coverage keeps it, all clips are rejected, with a warning.
    confidence_level : float, default=0.9
        Probability, over the data of `fit`, with which `risk` shall be kept. Not used with `coverage`.
    novelty : bool or float, default=False
        If True, reject clips that are unlike those of `fit`, too, however sure the estimator is: music, silence,
        tones, strong noise. A float is the fraction of clips of unseen speakers that may be called novel; True means
        0.01. They count as rejected for `coverage` and `risk`.
    reject_label : str, int or None, default=None
        Answer of `predict` for a rejected clip; none of the labels, and not in `classes_`. None is "unknown" where
        labels are strings, else -1, or one less than the least label if that is negative.
    speaker : str or None, default="speaker"
        Column of X that keeps speakers apart, where `fit` is given no `groups`. None, without `groups`, takes clips to
        be independent.
    cv : int, splitter or iterable, default=5
        How the clips are parted: into so many folds at most, or by any splitter of scikit-learn.
    response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
        Method whose output measures confidence; "auto" takes the first of them that it has.
    n_jobs : int or None, default=None
        Folds at a time, by joblib.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to all data.
    classes_ : ndarray of shape (n_classes,)
        Class labels, without `reject_label`.
    threshold_ : float
        Clips less sure than this are rejected; see `confidence`.
    coverage_, risk_ : float
        Fraction of the clips that were answered at this threshold, and of errors among the answers (NaN if none), while
        the clips' speakers were unseen. The risk is an optimistic estimate, because the threshold was chosen on the
        same clips.
    risk_bound_ : float
        Upper bound of the risk at this threshold, at `confidence_level`; NaN with `coverage`.
    reject_label_ : str or int
        Answer of `predict` for a rejected clip.
    novelty_threshold_ : float
        Clips of a greater `novelty` are rejected; only with `novelty`.

    See Also
    --------
    RiskCoverageDisplay : Draws risk against coverage.

    Notes
    -----
    *What is guaranteed.* With `coverage`, the threshold is the split-conformal quantile: the expected fraction of
    answers is at least `coverage`, if later clips are exchangeable with those predicted here. That is not so for each
    speaker: unusual speakers are rejected more often.

    With `risk`, coverages are tested in a fixed order [1]_: from 80, 60, 40 and 20 % upwards in steps of 5 %, until the
    upper bound of the risk [2]_ is above `risk`; the error probability 1 - `confidence_level` is split over the four
    starting points. For independent clips
    and a `FrozenEstimator`, the guarantee holds for any number of clips. But a speaker's clips are not independent, and
    speakers are few. So where they are known, the number of clips is reduced to the effective one and corrected for the
    number of speakers, as [3]_ do for clustered surveys. That is an approximation, which held on simulated
    corpora of ten speakers; it costs answers, and with few speakers many. An estimator that is fitted again to all data
    is not quite the one that was calibrated: it has seen more.

    *Scores.* A rejection is no right answer: `score`, and all of scikit-learn's scorers on `predict`, count it as an
    error (`balanced_accuracy_score` warns that "unknown" is no true class). `risk_coverage_curve` does it justice.

    *Novelty* is the squared Mahalanobis distance from all clips of `fit` in what the last step of the pipeline reads,
    as standard scores bounded by tanh, with a covariance shrunk by 0.3; the mean over the clips of `fit` is 1. Copies
    of an `AugmentedClassifier` do not count, so that noisy clips are called unlike them although they may be
    recognized well.

    *Confidence* is the probability of the predicted class; of decision values, the predicted class' less the largest
    other one. `predict_proba` and `decision_function` are the estimator's and reject nothing.

    References
    ----------
    .. [1] Angelopoulos, Bates, Candes, Jordan and Lei, "Learn then test: calibrating predictive algorithms to achieve
       risk control", Annals of Applied Statistics 19(2), 2025.
    .. [2] Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
       Biometrika 26(4), 1934.
    .. [3] Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
       estimated from survey data", Survey Methodology 24(2), 1998.
    """

    _may_reject = True  # so that whoever pools probabilities lets it decide

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "coverage": [Interval(Real, 0, 1, closed="right"), None],
        "risk": [Interval(Real, 0, 1, closed="neither"), None],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "novelty": ["boolean", Interval(Real, 0, 1, closed="neither")],
        "reject_label": [str, Integral, None],
        "speaker": [str, None],
        "cv": ["cv_object"],
        "response_method": [StrOptions({"auto", *METHODS})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator,
        *,
        coverage=None,
        risk=None,
        confidence_level=0.9,
        novelty=False,
        reject_label=None,
        speaker="speaker",
        cv=5,
        response_method="auto",
        n_jobs=None,
    ):
        self.estimator = estimator
        self.coverage = coverage
        self.risk = risk
        self.confidence_level = confidence_level
        self.novelty = novelty
        self.reject_label = reject_label
        self.speaker = speaker
        self.cv = cv
        self.response_method = response_method
        self.n_jobs = n_jobs

    def fit(self, X, y, groups=None, **params):
        """Learn how sure is sure enough, and fit the estimator to all clips.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips
            Input of the estimator.
        y : array-like of shape (n_clips,)
            Class labels.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers. None takes the column `speaker` of X. With metadata routing, ask for them by
            ``set_fit_request(groups=True)``.
        **params : dict
            More arguments of the estimator's `fit`, one value a clip; with metadata routing, what it requests.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a value of y or of the speakers is missing, both `coverage` and `risk` are given, nothing tells who
            speaks, there is only one speaker, or `reject_label` is one of the labels or of another kind than they are.

        Warns
        -----
        UserWarning
            If no coverage was shown to keep `risk`.
        """
        self._validate_params()
        if self.coverage is not None and self.risk is not None:
            both = f"coverage={self.coverage} and risk={self.risk}"
            raise ValueError(f"Give coverage or risk, not both: one follows from the other. Got {both}.")
        if y is None:
            raise ValueError("SelectiveClassifier requires y to be passed, but the target y is None.")
        refuse_missing(y, "y")
        y = _check_y(column_or_1d(y, warn=True), estimator=self)
        check_classification_targets(y)
        X, y, groups = indexable(X, y, groups)
        self.reject_label_ = check_reject_label(self.reject_label, y)
        if get_config()["enable_metadata_routing"]:
            given = {**params, **({} if groups is None else {"groups": groups})}
            params = process_routing(self, "fit", **given).estimator.fit if given else {}
        speakers = speakers_of(X, groups, self.speaker)
        if not get_config()["enable_metadata_routing"]:
            params = {**params, **groups_of_search(self.estimator, speakers)}
        confidence, correct, distances, speakers = self._out_of_fold(X, y, speakers, params)
        self.estimator_ = clone(self.estimator).fit(X, y, **params)
        self.classes_ = self.estimator_.classes_
        if self.novelty:
            self._distance = Distance(features_of(self.estimator_, X))
            fraction = 0.01 if self.novelty is True else self.novelty
            self.novelty_threshold_ = np.quantile(distances, 1 - fraction, method="higher")
            confidence = np.where(distances > self.novelty_threshold_, -np.inf, confidence)
        self._calibrate(confidence, correct, speakers)
        return self

    def predict(self, X):
        """Class of each clip, or `reject_label_`.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        check_is_fitted(self)
        labels, confidence = predict_with_confidence(self.estimator_, X, self.response_method)
        if labels.dtype.kind in "US":
            labels = labels.astype(object)  # lest a longer reject_label be cut off
        labels = np.where(self._is_rejected(X, confidence), self.reject_label_, labels)
        return labels.astype(str) if self.classes_.dtype.kind == "U" else labels

    def reject(self, X):
        """Tell which clips are rejected.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips

        Returns
        -------
        rejected : ndarray of bool, shape (n_clips,)
        """
        return self._is_rejected(X, self.confidence(X))

    @available_if(lambda self: self.novelty)
    def novelty_score(self, X):
        """Measure how far each clip lies from those of `fit`.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips

        Returns
        -------
        distances : ndarray of shape (n_clips,)
            From 0; about 1 for clips like those of `fit`.
        """
        check_is_fitted(self)
        return self._distance(features_of(self.estimator_, X))

    def confidence(self, X):
        """Return the estimator's confidence in its prediction for each clip.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips

        Returns
        -------
        confidence : ndarray of shape (n_clips,)
            From probabilities, 0 to 1; from decision values, any number, below 0 where they contradict the prediction.
        """
        check_is_fitted(self)
        return predict_with_confidence(self.estimator_, X, self.response_method)[1]

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Probability of each class; nothing is rejected here.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X):
        """Decision values; nothing is rejected here.

        Parameters
        ----------
        X : sequence or DataFrame of n_clips

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def get_metadata_routing(self):
        """Say which metadata `fit` takes, for itself and for the estimator.

        Returns
        -------
        routing : MetadataRouter
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))

    @property
    def n_features_in_(self):
        """As of the fitted estimator."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """As of the fitted estimator."""
        return self.estimator_.feature_names_in_

    def _is_rejected(self, X, confidence: np.ndarray) -> np.ndarray:
        unsure = ~(confidence >= self.threshold_) | np.isneginf(confidence)
        return unsure | (self.novelty_score(X) > self.novelty_threshold_) if self.novelty else unsure

    def _out_of_fold(self, X, y, groups, params) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Predict each clip out of fold: how sure, whether correctly, how far from the others, and whose it is."""
        frozen = isinstance(self.estimator, FrozenEstimator)
        if frozen and not self.novelty:
            labels, confidence = predict_with_confidence(self.estimator, X, self.response_method)
            return confidence, labels == y, np.zeros(len(y)), groups
        splits = splits_by_speaker(self.cv, X, y, groups)
        run = Parallel(n_jobs=self.n_jobs)
        labels, confidence, distances = zip(
            *run(
                delayed(fit_predict)(
                    self.estimator if frozen else clone(self.estimator),
                    *(X, y, *split, params, self.response_method, self.novelty),
                )
                for split in splits
            ),
            strict=True,
        )
        rows = np.concatenate([test for _, test in splits])
        speakers = None if groups is None else np.asarray(groups)[rows]
        correct = np.concatenate(labels) == y[rows]
        return np.concatenate(confidence), correct, np.concatenate(distances), speakers

    def _calibrate(self, confidence: np.ndarray, correct: np.ndarray, speakers: np.ndarray | None) -> None:
        self.risk_bound_ = np.nan
        if self.risk is None:
            self.threshold_ = keep_coverage(confidence, DEFAULT_COVERAGE if self.coverage is None else self.coverage)
        else:
            found = control_risk(confidence, correct, speakers, risk=self.risk, confidence_level=self.confidence_level)
            self.threshold_, self.risk_bound_ = found
            if self.threshold_ == np.inf:
                warnings.warn(
                    f"All clips will be rejected: no coverage was shown to keep a risk of {self.risk}. The lowest "
                    f"bound is {self.risk_bound_:.3f}; allow more, or lower confidence_level, or calibrate on more "
                    "clips and speakers.",
                    stacklevel=3,
                )
        answered = (confidence >= self.threshold_) & ~np.isneginf(confidence)
        self.coverage_ = answered.mean()
        self.risk_ = 1 - correct[answered].mean() if answered.any() else np.nan

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.classifier_tags, tags.input_tags = inner.classifier_tags, inner.input_tags
        return tags
