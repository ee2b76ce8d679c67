"""HistoryDisplay: loss and accuracy over the epochs of a training."""

from __future__ import annotations

import numpy as np

from ..utils._colors import BLUE, GREY, ORANGE
from ..utils._messages import short
from ..utils._sklearn_compat import check_matplotlib_support, fitted_layers

_HELD_OUT = {
    "clips": "held-out clips, drawn at random",
    "groups": "held-out groups (speakers)",
    "validation_data": "validation data",
}


class HistoryDisplay:
    """Loss and accuracy of a neural classifier over the epochs of its training.

    Where clips were held out, they have a line of their own, which says what they are: clips drawn at random, whose
    speakers may be in training, too; groups, such as speakers; or the validation data that `fit` was given. The epoch
    whose weights were kept is marked.

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn_ser import HistoryDisplay
    >>> display = HistoryDisplay({"loss": [2.0, 1.0, 0.6], "val_loss": [2.1, 1.5, 1.6]}).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['trained on', 'held out', 'epoch kept']

    Parameters
    ----------
    history : dict of list
        Values of each epoch: `loss` and `accuracy`, and, where clips were held out, `val_loss` and `val_accuracy`.
    held_out : {"clips", "groups", "validation_data"} or None, default=None
        Kind of the held-out data; None does not say.
    early_stopping : bool, default=True
        If True, the epoch with the lowest held-out loss was kept; else the last.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
        The first panel.
    axes_ : list of matplotlib.axes.Axes
        All panels.
    """

    def __init__(self, history, *, held_out=None, early_stopping=True):
        self.history = history
        self.held_out = held_out
        self.early_stopping = early_stopping

    @classmethod
    def from_estimator(cls, estimator, *, measure=None, ax=None):
        """Draw the training of a fitted neural classifier.

        Parameters
        ----------
        estimator : neural classifier
            Fitted; or a Pipeline that ends with one, a search or another meta-estimator around it.
        measure, ax
            As for `plot`.

        Returns
        -------
        display : HistoryDisplay

        Raises
        ------
        ValueError
            If there is no `history_`, because the estimator is not fitted or no neural classifier; or if it lacks
            `measure`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        trained = _find_trained(estimator)
        stopped = getattr(trained, "early_stopping", True)
        display = cls(trained.history_, held_out=getattr(trained, "held_out_", None), early_stopping=stopped)
        return display.plot(measure=measure, ax=ax)

    def plot(self, *, measure=None, ax=None):
        """Draw the history.

        Parameters
        ----------
        measure : str or None, default=None
            Measure to draw: "loss", "accuracy" or another one of the history. None draws loss and accuracy, one above
            the other; or the loss alone, if `ax` is given.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : HistoryDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        there = [name for name in self.history if not name.startswith("val_")]
        if measure is not None and measure not in there:
            raise ValueError(f"measure must be one of {there}, which the history has. Got measure={short(measure)}.")
        measures = [measure] if measure else [name for name in ("loss", "accuracy") if name in there] or there[:1]
        if ax is None:
            size = (6.4, 1.4 + 2.4 * len(measures))
            _, axes = plt.subplots(len(measures), figsize=size, sharex=True, squeeze=False, layout="constrained")
            self.axes_ = axes[:, 0].tolist()
        else:
            self.axes_ = [ax]
        for panel, name in zip(self.axes_, measures, strict=False):
            self._draw(panel, name)
        self.ax_, self.figure_ = self.axes_[0], self.axes_[0].figure
        self.axes_[-1].set_xlabel("epoch")
        handles, labels = self.ax_.get_legend_handles_labels()
        if len(handles) > 1:
            above = dict(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize="small")
            self.ax_.legend(handles, labels, frameon=False, **(above if ax is None else {}))
        return self

    def _draw(self, ax, measure) -> None:
        values, held_out = self.history[measure], self.history.get(f"val_{measure}")
        epochs, marker = np.arange(1, len(values) + 1), "o" if len(values) < 3 else None
        ax.plot(epochs, values, color=BLUE, marker=marker, label="trained on")
        if held_out is not None:
            label = _HELD_OUT.get(self.held_out, "held out")
            ax.plot(epochs, held_out, color=ORANGE, linestyle="--", marker=marker, label=label)
        if "val_loss" in self.history:
            best = int(np.argmin(self.history["val_loss"])) + 1
            label = "epoch kept" if self.early_stopping else "lowest loss held out"
            ax.axvline(best, color=GREY, linewidth=1, linestyle=":", label=label)
        ax.set(ylabel=measure, ylim=(0, 1 if measure == "accuracy" else None))
        ax.xaxis.get_major_locator().set_params(integer=True)


def _find_trained(estimator):
    """The neural classifier inside."""
    for inner in fitted_layers(estimator):
        if hasattr(inner, "history_"):
            return inner
    raise ValueError(
        "estimator must be a fitted neural classifier, or a Pipeline or meta-estimator with one inside: only they have "
        f"a history_. Got {short(estimator)}."
    )
