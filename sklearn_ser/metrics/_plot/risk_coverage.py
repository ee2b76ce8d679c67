"""Risk against coverage, as a curve."""

from __future__ import annotations

import numpy as np
from sklearn.utils import column_or_1d

from ...utils._colors import BLUE, GREY, ORANGE
from ...utils._confidence import DEFAULT_COVERAGE, predict_with_confidence
from ...utils._sklearn_compat import check_matplotlib_support
from .._risk import risk_coverage_curve

_GRID = np.linspace(0, 1, 101)


class RiskCoverageDisplay:
    """Fraction of errors among the answers, against the fraction of clips that are answered, the surest first.

    Read more in the guide: :doc:`saying "I don't know" </guide/rejection>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn_ser import RiskCoverageDisplay
    >>> display = RiskCoverageDisplay.from_predictions(["a", "b", "b", "b"], ["a", "a", "b", "b"], [0.9, 0.5, 0.8, 0.7])
    >>> display.line_.get_ydata().tolist()
    [0.0, 0.0, 0.0, 25.0]

    Parameters
    ----------
    coverage, risk : ndarray of shape (n_thresholds,)
        As `risk_coverage_curve` returns them.
    band : ndarray of shape (2, 101) or None, default=None
        Lower and upper risk at the coverages 0, 0.01 ... 1.
    operating_point : tuple of two floats or None, default=None
        Coverage and risk to mark.
    requested : dict of float or None, default=None
        Request to mark: `coverage` or `risk`, as fractions.
    name : str or None, default=None
        Name of the curve, for the legend.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
    line_ : matplotlib.lines.Line2D
        The curve.

    See Also
    --------
    SelectiveClassifier : Rejects clips, for a coverage or a risk.
    """

    def __init__(self, coverage, risk, *, band=None, operating_point=None, requested=None, name=None):
        self.coverage = coverage
        self.risk = risk
        self.band = band
        self.operating_point = operating_point
        self.requested = requested
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, groups=None, name=None, ax=None, color=BLUE):
        """Draw the curve of a fitted classifier on clips that it has not seen.

        A `SelectiveClassifier` also gets marks at its requested coverage or risk, and at its operating point.

        Parameters
        ----------
        estimator : classifier
            Fitted: a `SelectiveClassifier`, or any with `predict_proba`, whose largest probability is how sure it is.
        X : sequence or DataFrame of n_clips
        y : array-like of shape (n_clips,)
            True labels.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for the band; see `from_predictions`.
        name : str or None, default=None
            For the legend; None takes the name of the classifier, that is wrapped or at the end of a Pipeline.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        color : str, default="#0072B2"
            Blue.

        Returns
        -------
        display : RiskCoverageDisplay

        Raises
        ------
        TypeError
            If the estimator is neither.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        point = requested = None
        if hasattr(estimator, "confidence") and hasattr(estimator, "threshold_"):
            classifier = estimator.estimator_
            confidence, labels = estimator.confidence(X), classifier.predict(X)
            if getattr(estimator, "novelty", False):  # what is unlike the training clips is rejected, however sure
                confidence = np.where(estimator.novelty_score(X) > estimator.novelty_threshold_, -np.inf, confidence)
            answered = (confidence >= estimator.threshold_) & ~np.isneginf(confidence)
            wrong = np.asarray(labels) != np.asarray(y)
            point = (answered.mean(), wrong[answered].mean()) if answered.any() else None
            requested = {name: getattr(estimator, name, None) for name in ("coverage", "risk")}
            if not any(value is not None for value in requested.values()):
                requested = {"coverage": DEFAULT_COVERAGE}
        elif hasattr(estimator, "predict_proba"):
            classifier = estimator
            labels, confidence = predict_with_confidence(estimator, X, "predict_proba")
        else:
            raise TypeError(
                "estimator must be a fitted SelectiveClassifier, or have predict_proba, which tells how sure it is; "
                f"for all others there is from_predictions. Got an object of type {type(estimator).__name__}."
            )
        if name is None:
            name = type(getattr(classifier, "_final_estimator", classifier)).__name__
        marks = dict(operating_point=point, requested=requested)
        return cls.from_predictions(y, labels, confidence, groups=groups, name=name, ax=ax, color=color, **marks)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        confidence,
        *,
        groups=None,
        n_boot=500,
        random_state=0,
        operating_point=None,
        requested=None,
        name=None,
        ax=None,
        color=BLUE,
    ):
        """Draw the curve of predictions, those of all folds of a cross-validation, for instance.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_clips,)
            True and predicted labels, without rejections.
        confidence : array-like of shape (n_clips,)
            The higher, the surer.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers. If given, a band shows between which risks the curves of 95 % of such sets of speakers lie: those
            of `n_boot` draws of as many speakers with replacement.
        n_boot : int, default=500
            Draws for the band.
        random_state : int, Generator or None, default=0
            Seeds the draws, as `numpy.random.default_rng` takes it.
        operating_point : tuple of two floats or None, default=None
            Coverage and risk to mark.
        requested : dict of float or None, default=None
            Request to mark: `coverage` or `risk`, as fractions.
        name : str or None, default=None
            For the legend.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        color : str, default="#0072B2"
            Blue.

        Returns
        -------
        display : RiskCoverageDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        coverage, risk, _ = risk_coverage_curve(y_true, y_pred, confidence)
        band = None
        if groups is not None:
            right = column_or_1d(y_true) == column_or_1d(y_pred)
            band = _band(right, column_or_1d(confidence), column_or_1d(groups), n_boot, random_state)
        display = cls(coverage, risk, band=band, operating_point=operating_point, requested=requested, name=name)
        return display.plot(ax=ax, color=color)

    def plot(self, *, ax=None, color=BLUE):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        color : str, default="#0072B2"
            Blue.

        Returns
        -------
        display : RiskCoverageDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
        step = dict(drawstyle="steps-post") if len(self.risk) < 30 else {}
        (self.line_,) = ax.plot(100 * self.coverage, 100 * self.risk, color=color, label=self.name, **step)
        if self.band is not None:
            label = "95 % of draws of speakers"
            label = None if label in ax.get_legend_handles_labels()[1] else label  # one word for all curves' bands
            ax.fill_between(100 * _GRID, *(100 * self.band), color=color, alpha=0.15, linewidth=0, label=label)
        for quantity, line in (("coverage", ax.axvline), ("risk", ax.axhline)):
            value = (self.requested or {}).get(quantity)
            if value is not None:
                line(100 * value, color=GREY, linestyle="--", linewidth=1, label=f"{quantity} asked for: {value:.0%}")
        if self.operating_point is not None:
            coverage, risk = (100 * fraction for fraction in self.operating_point)
            label = f"answers {coverage:.0f} %, of them {risk:.1f} % wrong"
            ax.plot(coverage, risk, "o", color=ORANGE, markeredgecolor="white", markersize=9, label=label)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, loc="best")
        ax.set(xlim=(0, 101), xlabel="clips answered, the surest first (%)", ylabel="errors among the answers (%)")
        ax.autoscale(axis="y")  # to the curves that were there before, too
        ax.set_ylim(bottom=0)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _band(right, confidence, speakers, n_boot, random_state) -> np.ndarray:
    """2.5th and 97.5th percentile of the risk at each coverage, over draws of speakers."""
    rng, risks = np.random.default_rng(random_state), []
    rows = [np.flatnonzero(speakers == speaker) for speaker in np.unique(speakers)]
    for _ in range(n_boot):
        drawn = np.concatenate([rows[k] for k in rng.integers(len(rows), size=len(rows))])
        coverage, risk, _ = risk_coverage_curve(np.ones(len(drawn), bool), right[drawn], confidence[drawn])
        risks.append(np.interp(_GRID, coverage, risk))
    return np.percentile(risks, [2.5, 97.5], axis=0)
