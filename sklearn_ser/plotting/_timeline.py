"""TimelineDisplay: emotions along a recording."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from ..audio._input import one_recording
from ..audio._io import clip_length, load_part
from ..utils._messages import short
from ..utils._sklearn_compat import check_matplotlib_support

# Okabe and Ito's palette, which the colour-blind can tell apart; an emotion has the same colour in every picture.
_COLOURS = {
    "anger": "#D55E00",
    "boredom": "#56B4E9",
    "calm": "#DDDDDD",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happiness": "#F0E442",
    "neutral": "#555555",
    "sadness": "#0072B2",
    "surprise": "#E69F00",
}
_TICKS = (30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds from a tick to the next, on a long axis
_N_BINS = 600  # of the waveform's outline
_WAVEFORM, _STRIP = (1.06, 1.36), (-0.16, -0.04)  # where they lie on the axis of probabilities


def _outline(recording, sr: int) -> np.ndarray:
    """Lowest and highest value in each of many short parts of a recording, read part by part."""
    _, clip = one_recording(recording)
    edges = np.unique(np.linspace(0, clip_length(clip, sr=sr), _N_BINS + 1).round().astype(int))
    outline = np.empty((edges.size - 1, 2))
    for first in range(0, edges.size - 1, 50):
        inner = edges[first : first + 51]
        part, starts = load_part(clip, sr, inner[0], inner[-1]), inner[:-1] - inner[0]
        outline[first : first + starts.size, 0] = np.minimum.reduceat(part, starts)
        outline[first : first + starts.size, 1] = np.maximum.reduceat(part, starts)
    return outline


class TimelineDisplay:
    """Probabilities of emotions along a recording, stacked, over a strip that shows the most probable one.

    Parameters
    ----------
    timeline : DataFrame
        As `SegmentClassifier.predict_timeline` returns it: `start`, `end`, a column of probabilities for each class,
        and `predicted`.
    outline : ndarray of shape (n_bins, 2) or None, default=None
        Lowest and highest value of the waveform in equal parts of the recording, drawn above; None draws none.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    See Also
    --------
    SegmentClassifier : Predicts the timeline.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> from sklearn_ser import TimelineDisplay
    >>> timeline = pd.DataFrame(
    ...     {"start": [0, 1], "end": [2, 3], "calm": [0.8, 0.3], "fear": [0.2, 0.7], "predicted": ["calm", "fear"]}
    ... )
    >>> display = TimelineDisplay.from_predictions(timeline)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['fear', 'calm']
    """

    def __init__(self, timeline, *, outline=None):
        self.timeline = timeline
        self.outline = outline

    @classmethod
    def from_estimator(cls, estimator, recording, *, waveform=True, ax=None, **params):
        """Predict the timeline of a recording and draw it.

        Parameters
        ----------
        estimator : SegmentClassifier
            Fitted.
        recording : str, PathLike, array-like of shape (n_times,), or audio input of one clip
            Any length; a file is read part by part.
        waveform : bool, default=True
            Whether to draw the waveform above.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        **params : dict
            What else `predict_timeline` is to be given.

        Returns
        -------
        display : TimelineDisplay

        Raises
        ------
        TypeError
            If the estimator has no `predict_timeline`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if not hasattr(estimator, "predict_timeline"):
            raise TypeError(
                "estimator must be a SegmentClassifier, which has predict_timeline: wrap the pipeline into one. "
                f"Got {type(estimator).__name__}."
            )
        timeline = estimator.predict_timeline(recording, **params)
        return cls.from_predictions(timeline, recording=recording if waveform else None, sr=estimator.sr_, ax=ax)

    @classmethod
    def from_predictions(cls, timeline, *, recording=None, sr=16000, ax=None):
        """Draw a timeline.

        Parameters
        ----------
        timeline : DataFrame
            As `SegmentClassifier.predict_timeline` returns it.
        recording : str, PathLike, array-like of shape (n_times,), audio input of one clip, or None, default=None
            What to draw the waveform of, above the probabilities; None draws none.
        sr : int, default=16000
            Sampling rate of a waveform in memory, Hz.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : TimelineDisplay

        Raises
        ------
        ValueError
            If `timeline` has other columns, or no rows.
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        columns = list(timeline.columns)
        if columns[:2] != ["start", "end"] or columns[-1] != "predicted" or len(columns) < 4 or not len(timeline):
            raise ValueError(
                "timeline must have rows, and the columns 'start', 'end', a probability for each class, and "
                f"'predicted', as predict_timeline returns them. Got {len(timeline)} rows of the columns "
                f"{short(columns)}."
            )
        return cls(timeline, outline=None if recording is None else _outline(recording, sr)).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the timeline.

        Each segment is drawn around its middle, up to half-way to its neighbours'.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : TimelineDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4), layout="constrained")
        start, end = self.timeline["start"].to_numpy(), self.timeline["end"].to_numpy()
        middle = (start + end) / 2
        edges = np.concatenate([start[:1], (middle[1:] + middle[:-1]) / 2, end[-1:]])
        colours = self._colours()
        self._draw_probabilities(ax, edges, colours)
        self._draw_predictions(ax, edges, colours)
        ticks, top = {"predicted": np.mean(_STRIP), "0": 0, "0.5": 0.5, "1": 1}, 1.0
        if self.outline is not None:
            self._draw_outline(ax, edges)
            ticks["waveform"], top = np.mean(_WAVEFORM), _WAVEFORM[1]
        ax.set(xlim=edges[[0, -1]], ylim=(_STRIP[0] - 0.02, top + 0.02), ylabel="probability")
        ax.set_yticks(list(ticks.values()), list(ticks))
        _label_time(ax, edges[-1])
        ax.spines[["top", "right"]].set_visible(False)
        handles, names = ax.get_legend_handles_labels()
        ax.legend(handles[::-1], names[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _colours(self) -> dict:
        """A colour for each class: an emotion's own, or one of those that are left."""
        classes = list(self.timeline.columns[2:-1])
        others = cycle([colour for name, colour in _COLOURS.items() if name not in classes] or _COLOURS.values())
        return {name: _COLOURS.get(name) or next(others) for name in classes}

    def _draw_probabilities(self, ax, edges, colours) -> None:
        """One upon the other."""
        below = np.zeros(len(self.timeline))
        for name, colour in colours.items():
            above = below + self.timeline[name].to_numpy()
            ax.stairs(above, edges, baseline=below, fill=True, color=colour, label=str(name), linewidth=0)
            below = above

    def _draw_predictions(self, ax, edges, colours) -> None:
        """In a strip, in which neighbours of one class are one bar."""
        predicted = self.timeline["predicted"].to_numpy()
        first = np.flatnonzero(np.r_[True, predicted[1:] != predicted[:-1]])
        spans = np.column_stack([edges[first], np.diff(np.r_[edges[first], edges[-1]])])
        colors = [colours[name] for name in predicted[first]]
        ax.broken_barh(spans, (_STRIP[0], _STRIP[1] - _STRIP[0]), facecolors=colors)

    def _draw_outline(self, ax, edges) -> None:
        """The waveform, as the lowest and the highest sample at each time."""
        height = (_WAVEFORM[1] - _WAVEFORM[0]) / 2
        scaled = np.mean(_WAVEFORM) + height * self.outline / (np.abs(self.outline).max() or 1)
        time = np.linspace(edges[0], edges[-1], len(scaled) + 1)
        ax.stairs(scaled[:, 1], time, baseline=scaled[:, 0], fill=True, color="0.4", linewidth=0)


def _label_time(ax, end: float) -> None:
    """In seconds; in minutes and seconds from three minutes on."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    ax.set_xlabel("time (s)" if end < 180 else "time (min:s)")
    if end >= 180:
        step = next((step for step in _TICKS if end / step <= 8), _TICKS[-1])
        ax.xaxis.set_major_locator(MultipleLocator(step))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{time // 60:.0f}:{time % 60:02.0f}"))
