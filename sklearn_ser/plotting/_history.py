"""HistoryDisplay: loss and accuracy over the epochs of a training."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline

from ..utils._colors import BLUE, GREY, ORANGE
from ..utils._messages import short
from ..utils._sklearn_compat import check_matplotlib_support


class HistoryDisplay:
    """Loss or accuracy of a neural classifier over the epochs of its training.

    With early stopping the clips held out have a line of their own, and the epoch that was kept is marked.

    Parameters
    ----------
    history : dict of list
        Values of each epoch: `loss` and `accuracy`, and, where clips were held out, `val_loss` and `val_accuracy`.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn_ser import HistoryDisplay
    >>> display = HistoryDisplay({"loss": [2.0, 1.0, 0.6], "val_loss": [2.1, 1.5, 1.6]}).plot()
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['trained on', 'held out', 'epoch kept']
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, measure="loss", ax=None):
        """Draw the training of a fitted neural classifier.

        Parameters
        ----------
        estimator : neural classifier
            Fitted; or a Pipeline that ends with one, a search or another meta-estimator around it.
        measure : {"loss", "accuracy"}, default="loss"
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

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
        return cls(_find_history(estimator)).plot(measure=measure, ax=ax)

    def plot(self, *, measure="loss", ax=None):
        """Draw the history.

        Parameters
        ----------
        measure : {"loss", "accuracy"}, default="loss"
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : HistoryDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if measure not in self.history or measure.startswith("val_"):
            there = [name for name in self.history if not name.startswith("val_")]
            raise ValueError(f"measure must be one of {there}, which the history has. Got measure={short(measure)}.")
        if ax is None:
            _, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
        held_out, marker = self.history.get(f"val_{measure}"), "o" if len(self.history[measure]) < 3 else None
        epochs = np.arange(1, len(self.history[measure]) + 1)
        ax.plot(epochs, self.history[measure], color=BLUE, marker=marker, label="trained on")
        if held_out is not None:
            ax.plot(epochs, held_out, color=ORANGE, linestyle="--", marker=marker, label="held out")
        if "val_loss" in self.history:
            best = int(np.argmin(self.history["val_loss"])) + 1
            ax.axvline(best, color=GREY, linewidth=1, linestyle=":", label="epoch kept")
        if ax.get_legend_handles_labels()[0][1:]:
            ax.legend(frameon=False)
        ax.set(xlabel="epoch", ylabel=measure, ylim=(0, 1 if measure == "accuracy" else None))
        ax.xaxis.get_major_locator().set_params(integer=True)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _find_history(estimator) -> dict:
    inner = estimator
    while not hasattr(inner, "history_"):
        fitted = [getattr(inner, name) for name in ("best_estimator_", "estimator_") if hasattr(inner, name)]
        if not fitted and not isinstance(inner, Pipeline):
            raise ValueError(
                "estimator must be a fitted neural classifier, or a Pipeline or meta-estimator with one inside: only "
                f"they have a history_. Got {short(estimator)}."
            )
        inner = fitted[0] if fitted else inner[-1]
    return inner.history_
