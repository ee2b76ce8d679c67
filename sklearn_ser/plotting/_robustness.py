"""RobustnessDisplay: UAR under each condition."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..metrics import EvaluationReport, evaluate
from ..metrics._evaluated import CLEAN
from ..utils._colors import BLUE, GREY, ORANGE
from ..utils._drawing import dress_scores, shorten, write_beside
from ..utils._messages import short
from ..utils._sklearn_compat import check_matplotlib_support

_MEASURE = "UAR by condition"
_STYLES = ((BLUE, "o"), (ORANGE, "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"), ("#56B4E9", "P"))
_MOST_NUMBERS = 3  # models whose scores are written out, too


class RobustnessDisplay:
    """UAR of unseen speakers under each condition, such as noise or a telephone, for one model or several.

    Dots are UAR, lines are confidence intervals over speakers. A dashed line marks what each model reaches on the clips
    as they are, a dotted one chance.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn_ser import RobustnessDisplay
    >>> y, speaker = ["anger", "fear"] * 3, ["a", "a", "b", "b", "c", "c"]
    >>> display = RobustnessDisplay.from_predictions(y, y, {"telephone": ["anger"] * 6}, speaker=speaker)
    >>> display.scores_.iloc[:, 0].to_dict()
    {'as they are': 1.0, 'telephone': 0.5}

    Parameters
    ----------
    reports : EvaluationReport, sequence of EvaluationReport, or dict of str to EvaluationReport
        Made with ``evaluate(..., conditions=...)``; a dict names the models.

    Attributes
    ----------
    scores_ : DataFrame of shape (n_conditions, n_models)
        UAR that is drawn, NaN where a model was not tested under a condition.
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    See Also
    --------
    evaluate : Tests under conditions, too.
    compare : Tests whether two models differ.

    Notes
    -----
    All models hear the same speakers, so that intervals that overlap say nothing of a difference between models.
    """

    def __init__(self, reports):
        self.reports = reports

    @classmethod
    def from_estimator(cls, estimator, corpus, *, conditions="real-world", sort=False, ax=None, **params):
        """Evaluate an estimator on speakers that it is not trained on, under conditions, and draw the scores.

        Parameters
        ----------
        estimator : classifier
            From audio input to emotions; it is cloned, not fitted.
        corpus : Bunch or audio input of n_clips
        conditions : "real-world" or dict of str to augmenter, default="real-world"
            As for `evaluate`.
        sort : bool, default=False
            As for `plot`.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        **params
            As for `evaluate`.

        Returns
        -------
        display : RobustnessDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls(evaluate(estimator, corpus, conditions=conditions, **params)).plot(sort=sort, ax=ax)

    @classmethod
    def from_predictions(cls, y_true, y_pred, y_pred_conditions, *, speaker, sort=False, ax=None, **params):
        """Draw the scores of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Emotions.
        y_pred : array-like of shape (n_clips,)
            Emotions recognized in the clips as they are, each by a model that was not trained on the clip's speaker.
        y_pred_conditions : dict of str to array-like of shape (n_clips,)
            Emotions recognized in the same clips under other conditions, by the condition's name.
        speaker : array-like of shape (n_clips,)
        sort : bool, default=False
            As for `plot`.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        **params
            As for `EvaluationReport`.

        Returns
        -------
        display : RobustnessDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        report = EvaluationReport(y_true, y_pred, speaker=speaker, y_pred_conditions=y_pred_conditions, **params)
        return cls(report).plot(sort=sort, ax=ax)

    @classmethod
    def from_reports(cls, reports, *, sort=False, ax=None):
        """Draw the scores of one report or several.

        Parameters
        ----------
        reports : EvaluationReport, sequence of EvaluationReport, or dict of str to EvaluationReport
            Made with ``evaluate(..., conditions=...)``; a dict names the models.
        sort : bool, default=False
            As for `plot`.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : RobustnessDisplay

        Raises
        ------
        ValueError
            If a report was made without conditions, or there is none.
        """
        check_matplotlib_support(f"{cls.__name__}.from_reports")
        return cls(reports).plot(sort=sort, ax=ax)

    def plot(self, *, sort=False, ax=None):
        """Draw the scores.

        Parameters
        ----------
        sort : bool, default=False
            If True, sort the conditions by UAR, the mean over the models; else they stand as in the reports. The
            clips as they are come first in any case.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : RobustnessDisplay

        Raises
        ------
        ValueError
            If a report was made without conditions, or there is none.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        reports = _named(self.reports)
        figures = {name: _figures_of(report) for name, report in reports.items()}
        self.scores_ = pd.DataFrame({name: frame["value"] for name, frame in figures.items()})
        rows = list(dict.fromkeys(condition for frame in figures.values() for condition in frame.index))
        if sort:
            rows = [CLEAN, *self.scores_.drop(index=CLEAN).mean(axis=1).sort_values(ascending=False).index]
        self.scores_ = self.scores_.loc[rows]
        n_models = len(reports)
        if ax is None:
            height = 1.4 + len(rows) * (0.22 + 0.09 * n_models)
            _, ax = plt.subplots(figsize=(7.2, height), layout="constrained")
        chance = min(frame["chance"].iloc[0] for frame in figures.values())
        ax.axvline(chance, color=GREY, linestyle=":", linewidth=1.2, label="chance")
        apart = min(0.22, 0.66 / n_models)
        for k, (name, frame) in enumerate(figures.items()):
            color, marker = _STYLES[k % len(_STYLES)]
            places = np.array([rows.index(condition) for condition in frame.index]) + apart * (k - (n_models - 1) / 2)
            ax.axvline(frame.loc[CLEAN, "value"], color=color, linestyle="--", linewidth=0.9, alpha=0.6, zorder=1)
            ax.hlines(places, frame["low"], frame["high"], color=color, linewidth=2)
            ax.plot(frame["value"], places, marker, color=color, label=name if n_models > 1 else "UAR")
            if n_models <= _MOST_NUMBERS:
                _write_numbers(ax, frame["value"], places, k, color if n_models > 1 else plt.rcParams["text.color"])
        self._dress(ax, rows, next(iter(reports.values())))
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _dress(self, ax, rows, report) -> None:
        level = f"{100 * report.confidence_level:.4g} %"
        ax.set_yticks(range(len(rows)), rows)
        ax.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.4, -0.6))
        ax.set_xlabel(f"UAR of unseen speakers, with {level} intervals; dashed: clips as they are")
        ax.axhline(0.5, color=GREY, alpha=0.35, linewidth=0.8)
        dress_scores(ax)
        handles, names = ax.get_legend_handles_labels()
        order = [*range(1, len(names)), 0]  # chance last
        ax.legend(
            [handles[i] for i in order],
            [names[i] for i in order],
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=1 if max(map(len, names)) > 28 else 4,
            frameon=False,
            fontsize="small",
        )


def _write_numbers(ax, values, places, column: int, color) -> None:
    """Beside the axes, a column for each model; nearer to the text's color than the dots, so that they can be read."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import to_rgb

    ink = 0.75 * np.array(to_rgb(color)) + 0.25 * np.array(to_rgb(plt.rcParams["text.color"]))
    # Numbers of one condition stand on one line, whichever dots they belong to.
    for value, place in zip(values, np.round(places), strict=True):
        write_beside(ax, place, f"{value:.3f}", column=column, color=ink)


def _named(reports) -> dict:
    """Reports by the names of their models."""
    if isinstance(reports, EvaluationReport):
        reports = [reports]
    names = list(reports) if isinstance(reports, Mapping) else None
    reports = list(reports.values() if isinstance(reports, Mapping) else reports)
    if not reports:
        raise ValueError("reports must hold at least one EvaluationReport. Got none.")
    for report in reports:
        if not isinstance(report, EvaluationReport):
            raise TypeError(
                "reports must be an EvaluationReport, a sequence or a dict of them, as evaluate returns them. "
                f"Got {short(report)} among them."
            )
    if names is None:
        names = [shorten(report.name, 60) for report in reports]
        if "" in names or len(set(names)) < len(names):
            names = [f"{name or 'model'} ({k})" for k, name in enumerate(names, start=1)]
    return dict(zip(map(str, names), reports, strict=True))


def _figures_of(report) -> pd.DataFrame:
    """Return the figures of each condition."""
    frame = report.to_frame()
    if _MEASURE not in frame.index.get_level_values("measure"):
        raise ValueError(
            "The report must have been made under conditions: evaluate(..., conditions='real-world'), or a dict of "
            f"augmenters. Got a report without conditions: {short(report.title or 'without a title')}."
        )
    return frame.loc[_MEASURE]
