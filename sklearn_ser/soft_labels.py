"""SoftLabelClassifier: any classifier that takes sample weights, trained on distributions over classes."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, has_fit_parameter

from .utils._columns import refuse_missing
from .utils._messages import short
from .utils._sklearn_compat import (
    HasMethods,
    Interval,
    _check_sample_weight,
    _check_y,
    _num_samples,
    _safe_indexing,
    estimator_has,
)
from .utils._versions import VersionedMixin

__all__ = ["SoftLabelClassifier"]

_OFF = 1e-3  # by which probabilities of a clip may miss a sum of one, because they are rounded


class SoftLabelClassifier(ClassifierMixin, VersionedMixin, BaseEstimator):
    """Train any classifier that takes sample weights on soft labels: the fraction of raters who chose each class.

    In `fit`, each clip is repeated once for each class that anybody chose, weighted by that fraction. The classifier's
    weighted loss is then the cross-entropy against the raters' distribution, as [1]_ train networks. Labels, one a
    clip, are trained on as they are.

    Read more in the guide: :doc:`values and raters </guide/values>`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser import SoftLabelClassifier
    >>> votes = pd.DataFrame({"calm": [1.0, 0.8, 0.3, 0.0], "fear": [0.0, 0.2, 0.7, 1.0]})
    >>> classifier = SoftLabelClassifier(LogisticRegression(C=10)).fit([[0.0], [1.0], [2.0], [3.0]], votes)
    >>> classifier.predict([[0.5], [2.5]]).tolist()
    ['calm', 'fear']
    >>> classifier.predict_proba([[1.5]]).round(1).tolist()
    [[0.5, 0.5]]

    Parameters
    ----------
    estimator : classifier
        It takes features, or audio if it is a `Pipeline` from the audio on, whose last step takes `sample_weight`. It
        is cloned before it is fitted. Put extractors before this classifier, because in `estimator` they would analyze
        each repeated clip again.
    classes : array-like of shape (n_classes,) or None, default=None
        Labels of the columns of y. None takes the names of the columns if y is a DataFrame, else 0, 1, 2 and so on.
    min_weight : float, default=0.0
        Classes that a smaller fraction of raters chose are left out of a clip, from 0 up to 0.5. It saves time where
        distributions are smoothed, and no fraction is zero.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted; those that nobody chose are left out.
    n_features_in_ : int
        Features of the fitted estimator.

    See Also
    --------
    NetworkClassifier : A network that takes soft labels as they are.

    Notes
    -----
    - Splitters of scikit-learn stratify by labels, which distributions are not: pass ``cv=GroupKFold()`` with speakers
      as groups, for instance. `cross_val_predict` of probabilities takes the columns of y for several outputs; a loop
      over ``cv.split`` does not.
    - All rows of a clip belong together. A classifier that holds rows out (early stopping, calibration) is given the
      clips as `groups` where its `fit` takes them; others had better not hold rows out.

    References
    ----------
    .. [1] H. M. Fayek, M. Lech and L. Cavedon (2016), "Modeling subjectiveness in emotion recognition with deep neural
       networks: ensembles vs soft labels", Proc. IJCNN, doi:10.1109/IJCNN.2016.7727250.
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "classes": ["array-like", None],
        "min_weight": [Interval(Real, 0, 0.5, closed="left")],
    }

    def __init__(self, estimator, *, classes=None, min_weight=0.0):
        self.estimator = estimator
        self.classes = classes
        self.min_weight = min_weight

    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit the classifier to the clips, each repeated for the classes that were chosen for it.

        Parameters
        ----------
        X : array-like, DataFrame or audio input of n_clips
            Input of the estimator.
        y : array-like of shape (n_clips, n_classes) or (n_clips,)
            Distributions, which sum to one; or labels.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip, shared out among its rows.
        groups : array-like of shape (n_clips,) or None, default=None
            Such as speakers; handed to the estimator if its `fit` takes groups.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a distribution is negative or does not sum to one, a value is missing, the estimator takes no
            `sample_weight`, or `classes` are not one for each column.
        """
        self._validate_params()
        if y is None:
            raise ValueError("SoftLabelClassifier requires y to be passed, but the target y is None.")
        refuse_missing(y, "y")
        prefix, last = "", self.estimator
        while isinstance(last, Pipeline):
            name, last = last.steps[-1]
            prefix += f"{name}__"
        if not has_fit_parameter(last, "sample_weight"):
            raise ValueError(
                f"{type(last).__name__} takes no sample_weight in fit, and cannot be trained on soft labels."
            )
        check_consistent_length(X, y)
        rows, labels, weight = self._rows(y)
        n_clips = _num_samples(y)
        params = {}
        if weight is not None or sample_weight is not None:
            given = _check_sample_weight(sample_weight, np.zeros((n_clips, 1)))[rows]
            params[f"{prefix}sample_weight"] = given if weight is None else given * weight
        if has_fit_parameter(last, "groups") and (groups is not None or len(rows) > n_clips):
            params[f"{prefix}groups"] = rows if groups is None else np.asarray(_safe_indexing(groups, rows))
        repeated = X if weight is None else _safe_indexing(X, rows)
        self.estimator_ = clone(self.estimator).fit(repeated, labels, **params)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X):
        """Most probable class of each clip.

        Parameters
        ----------
        X : array-like, DataFrame or audio input of n_clips

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Probability of each class: an estimate of the fraction of raters who would choose it.

        Parameters
        ----------
        X : array-like, DataFrame or audio input of n_clips

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X):
        """Decision values of the fitted classifier.

        Parameters
        ----------
        X : array-like, DataFrame or audio input of n_clips

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @property
    def n_features_in_(self):
        """Features that the fitted estimator reads."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features that the fitted estimator reads."""
        return self.estimator_.feature_names_in_

    def _rows(self, y) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Clip, label and weight of each row to train on; the weight is None of labels, one a clip."""
        shape = np.asarray(y).shape
        if len(shape) < 2 or shape[1] == 1:
            labels = _check_y(column_or_1d(y, warn=True), estimator=self)
            check_classification_targets(labels)
            return np.arange(len(labels)), labels, None
        try:
            table = np.asarray(y, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"y must hold distributions over classes, numbers that sum to one. Got {short(y)}."
            ) from None
        names = getattr(y, "columns", range(table.shape[1])) if self.classes is None else self.classes
        names = np.asarray(list(names))
        if table.ndim != 2 or len(names) != table.shape[1]:
            raise ValueError(
                f"classes must have one label for each column of y. Got {len(names)} and y of shape {table.shape}."
            )
        wrong = ~((table >= 0).all(axis=1) & (np.abs(table.sum(axis=1) - 1) <= _OFF))
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                "Soft labels must not be negative, and must sum to one for each clip: divide votes by their number. "
                f"Row {row} of y is {short(table[row].tolist())}."
            )
        table = np.where(table >= self.min_weight, table, 0.0)
        rows, columns = np.nonzero(table)
        return rows, names[columns], (table / table.sum(axis=1, keepdims=True))[rows, columns]

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.classifier_tags, tags.input_tags = inner.classifier_tags, inner.input_tags
        return tags
