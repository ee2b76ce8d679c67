"""Displays of a confusion matrix and of an evaluation report."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.utils.multiclass import unique_labels

from ...utils._colors import BLUE, GREY, ORANGE
from ...utils._drawing import dress_scores, ink_on, shorten, write_beside
from ...utils._sklearn_compat import check_matplotlib_support
from .._evaluate import evaluate
from .._report import EvaluationReport


class ConfusionDisplay:
    """Confusion matrix: fraction of each emotion's clips (row) recognized as each (column), over the count.

    The rows are normalized, so that the diagonal holds the recalls, whose mean is UAR. scikit-learn's own display
    shows fractions or counts. The title has the UAR and the number of clips, unless the axes have a title of their own.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn_ser import ConfusionDisplay
    >>> display = ConfusionDisplay.from_predictions(["anger", "anger", "fear"], ["anger", "fear", "fear"])
    >>> display.im_.get_array().tolist()
    [[0.5, 0.5], [0.0, 1.0]]

    Parameters
    ----------
    confusion : array-like of shape (n_emotions, n_labels)
        Counts: rows are the clips' emotions, columns what they were recognized as. Labels that no clip has may follow
        as further columns.
    labels : sequence of n_labels labels

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
    im_ : matplotlib.image.AxesImage
    text_ : ndarray of shape (n_emotions, n_labels)
        Text in the cells.
    """

    def __init__(self, confusion, labels):
        self.confusion = confusion
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator, X, y, *, labels=None, ax=None, cmap="Blues"):
        """Draw what a fitted classifier recognizes.

        Parameters
        ----------
        estimator : classifier
            Fitted, on other speakers.
        X : audio input of n_clips
        y : array-like of shape (n_clips,)
            Emotions.
        labels, ax, cmap
            As for `from_predictions`.

        Returns
        -------
        display : ConfusionDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls.from_predictions(y, estimator.predict(X), labels=labels, ax=ax, cmap=cmap)

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, labels=None, ax=None, cmap="Blues"):
        """Draw what was recognized.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Emotions.
        y_pred : array-like of shape (n_clips,)
            Recognized emotions.
        labels : sequence or None, default=None
            Emotions to show, in this order; None shows all, in the order of the alphabet. Other answers
            for their clips have further columns.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        cmap : str or matplotlib.colors.Colormap, default="Blues"
            From light to dark.

        Returns
        -------
        display : ConfusionDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        emotions = unique_labels(y_true) if labels is None else labels
        shown = np.isin(np.asarray(y_true), np.asarray(emotions))
        others = np.setdiff1d(np.asarray(y_pred)[shown], emotions)  # or the rows would lack clips
        columns = [*emotions, *others]
        counts = confusion_matrix(y_true, y_pred, labels=columns)[: len(emotions)]
        return cls(counts, columns).plot(ax=ax, cmap=cmap)

    def plot(self, *, ax=None, cmap="Blues"):
        """Draw the matrix.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        cmap : str or matplotlib.colors.Colormap, default="Blues"

        Returns
        -------
        display : ConfusionDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        counts, labels = np.asarray(self.confusion), [str(label) for label in self.labels]
        if counts.ndim != 2 or counts.shape[1] != len(labels) or counts.shape[0] > len(labels):
            raise ValueError(
                "confusion must have a column for each label, and a row for each or for the first of them. "
                f"Got the shape {counts.shape} and {len(labels)} labels."
            )
        n_rows, n_columns = counts.shape
        if ax is None:
            size = _width(labels), max(3.0, 1.5 + 0.55 * n_rows)
            _, ax = plt.subplots(figsize=size, layout="constrained")
        fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        self.im_ = ax.imshow(fractions, cmap=cmap, vmin=0, vmax=1, aspect="auto")
        self.text_ = np.empty(counts.shape, dtype=object)
        for (row, column), count in np.ndenumerate(counts):
            fraction = fractions[row, column]
            self.text_[row, column] = ax.text(
                column,
                row,
                f"{fraction:.0%}\n({count})" if count else "0",
                ha="center",
                va="center",
                size="small" if count else "x-small",
                color=ink_on(self.im_.cmap(fraction)),
                visible=bool(counts[row].any()),
            )
        if not ax.get_title():
            there = counts.any(axis=1)
            recalls = np.array([fractions[row, row] for row in np.flatnonzero(there)])
            uar = f"UAR {recalls.mean():.3f}, " if len(recalls) else ""
            n_clips = int(counts.sum())
            ax.set_title(f"{uar}{n_clips} clip{'s' * (n_clips != 1)}", size="medium")
        ax.set(xlabel="recognized as", ylabel="emotion of the clip")
        ax.set_xticks(range(n_columns), labels, rotation=40, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(n_rows), labels[:n_rows])
        ax.tick_params(length=0)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class ReportDisplay:
    """Scores of an evaluation with their confidence intervals, and the confusion matrix beside them.

    Dots are scores: UAR and WA, the recall of each emotion, UAR of each sex, corpus, condition and speaker, as far as
    the report has them; lines are confidence intervals over speakers, which are written beside them; diamonds what
    human listeners reach; crosses what chance brings.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn_ser import ReportDisplay
    >>> y, speaker = ["anger", "fear"] * 3, ["a", "a", "b", "b", "c", "c"]
    >>> display = ReportDisplay.from_predictions(y, ["anger", "fear", "anger"] * 2, speaker=speaker)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['UAR', 'WA', 'anger', 'fear', 'each speaker']

    Parameters
    ----------
    report : EvaluationReport

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
        With the scores.
    confusion_ : ConfusionDisplay or None
        The display beside them, where the figure is the display's own.
    """

    def __init__(self, report):
        self.report = report

    @classmethod
    def from_estimator(cls, estimator, corpus, *, ax=None, **params):
        """Evaluate an estimator on speakers that it is not trained on, and draw the report.

        Parameters
        ----------
        estimator : classifier
        corpus : Bunch or audio input of n_clips
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw the scores, alone; None makes a figure.
        **params
            As for `evaluate`.

        Returns
        -------
        display : ReportDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        return cls(evaluate(estimator, corpus, **params)).plot(ax=ax)

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, speaker, ax=None, **params):
        """Draw the report of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Emotions.
        y_pred : array-like of shape (n_clips,)
            Recognized emotions, each by a model that was not trained on the clip's speaker.
        speaker : array-like of shape (n_clips,)
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw the scores, alone; None makes a figure.
        **params
            As for `EvaluationReport`.

        Returns
        -------
        display : ReportDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        return cls(EvaluationReport(y_true, y_pred, speaker=speaker, **params)).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the report.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw the scores, alone; None makes a figure of scores and confusion matrix.

        Returns
        -------
        display : ReportDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        groups = self._rows()
        self.confusion_ = None
        if ax is None:
            confusion = self.report.confusion
            rows, width = sum(map(len, groups)) + 0.6 * len(groups), _width(confusion.columns)
            figure, (ax, beside) = plt.subplots(
                1,
                2,
                figsize=(7.2 + width, max(3.4, 1.3 + 0.29 * rows)),
                width_ratios=[7.2, width],
                layout="constrained",
            )
            self.confusion_ = ConfusionDisplay(confusion.to_numpy(), list(confusion.columns)).plot(ax=beside)
            if self.report.name:
                figure.suptitle(shorten(self.report.name, int(9 * figure.get_figwidth())), size="medium")
        self._draw(ax, groups)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _rows(self) -> list:
        """Groups of (label, figures); speakers are one row."""
        frame = self.report.to_frame()
        overall = [("UAR", "UAR"), ("UAR, random split", "UAR, known speakers"), ("WA", "WA")]
        groups = [[(name, frame.loc[measure, "all"]) for measure, name in overall if (measure, "all") in frame.index]]
        kinds = [("recall", "{}"), ("UAR by sex", "UAR, {}"), ("UAR by corpus", "UAR, {}"), ("UAR by condition", "{}")]
        for measure, name in kinds:
            if measure in frame.index.get_level_values("measure"):
                groups.append([(name.format(of), figures) for of, figures in frame.loc[measure].iterrows()])
        return [*groups, [("each speaker", frame.loc["UAR by speaker"])]]

    def _draw(self, ax, groups):
        level = f"{100 * self.report.confidence_level:.4g} % interval over speakers"
        explained = set()  # each kind of mark enters the legend once
        recalls = groups[1]

        def mark(kind, x, y, *, label, **style):
            ax.plot(x, y, kind, label=None if label in explained else label, **style)
            explained.add(label)

        y, ticks, labels = 0.0, [], []
        for group in groups:
            for label, figures in group:
                ticks.append(y)
                labels.append(label)
                if label == "each speaker":
                    self._draw_speakers(ax, figures["value"], y)
                else:
                    if np.isfinite(figures["low"]):
                        mark("-", [figures["low"], figures["high"]], [y, y], label=level, color=BLUE, linewidth=2)
                    mark("o", figures["value"], y, label="score", color=BLUE)
                    if np.isfinite(figures["listeners"]):
                        mark("D", figures["listeners"], y, label="listeners", color=ORANGE, markerfacecolor="none")
                    if np.isfinite(figures["chance"]) and not label.startswith("UAR, "):
                        mark("x", figures["chance"], y, label="chance", color=GREY)
                    write_beside(ax, y, _in_figures(figures, digits=2 if group is recalls else 3))
                y += 1
            y += 0.6
            ax.axhline(y - 0.8, color=GREY, alpha=0.4, linewidth=0.8, visible=group is not groups[-1])
        ax.set(xlim=(-0.02, 1.02), ylim=(y - 0.8, -0.7), xlabel="score, from 0 to 1")
        ax.set_yticks(ticks, labels)
        dress_scores(ax)
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False, fontsize="small", columnspacing=1.2
        )

    def _draw_speakers(self, ax, scores, y):
        """All on one line; the worst and the best are named, above it."""
        ax.plot(scores, np.full(len(scores), y), "o", color=BLUE, alpha=0.45, markeredgewidth=0)
        apart = scores.max() - scores.min()
        if apart > 0:
            write_beside(ax, y, f"{scores.min():.3f} to {scores.max():.3f}")
        ends = [(scores.idxmin(), "right"), (scores.idxmax(), "left")] if apart > 0 else []
        for speaker, alignment in ends:
            ax.annotate(
                str(speaker),
                (scores[speaker], y),
                (0, 4),
                textcoords="offset points",
                ha="center" if apart > 0.1 else alignment,
                va="bottom",
                size="small",
            )


def _width(labels) -> float:
    """Return the width of a confusion matrix, inches."""
    return 1.8 + 0.66 * len(labels) + 0.07 * max(0, max(len(str(label)) for label in labels) - 10)


def _in_figures(figures, digits: int) -> str:
    """A score and its interval."""
    value = f"{figures['value']:.{digits}f}"
    if not np.isfinite(figures["low"]):
        return value
    return f"{value}  [{figures['low']:.{digits}f}, {figures['high']:.{digits}f}]"
