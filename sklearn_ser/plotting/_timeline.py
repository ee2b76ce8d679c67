"""TimelineDisplay: emotions along a recording."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from ..audio._input import one_recording
from ..audio._load import clip_length, load_part
from ..segmentation import Timeline, ValueTimeline
from ..utils._colors import GREY
from ..utils._drawing import ink_on
from ..utils._sklearn_compat import check_matplotlib_support
from ._palette import EMOTIONS, colours_of
from ._value_lines import check_annotation, draw_annotation, draw_lines, value_range

_MOST_PLAIN = 9  # classes that colors alone tell apart; of more, those without a color of their own are hatched
_HATCHES = ("////", "....", "xxxx", "||||")
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60)  # seconds
_STEP_WIDTH = 4.0  # points: of what is narrower, nothing can be seen but stripes
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
    """Emotions along a recording: probabilities, stacked over a strip that shows the most probable one, or values.

    A timeline of values, such as arousal, is drawn as lines; the legend gives each value's mean and range.

    Read more in the guide: :doc:`long recordings </guide/long_recordings>`.

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

    Parameters
    ----------
    timeline : Timeline, ValueTimeline or DataFrame
        As `SegmentClassifier.predict_timeline` returns it: `start`, `end`, a column of probabilities for each class,
        and `predicted`; or as `SegmentRegressor` does, without `predicted`. Classes have the same colors as in other
        pictures; of more than nine, those that are not among the emotions of this library are hatched.
    outline : ndarray of shape (n_bins, 2) or None, default=None
        Lowest and highest value of the waveform in equal parts of the recording, drawn above; None draws none.
    annotation : DataFrame or None, default=None
        Annotated values, drawn dashed beside a timeline of values: `start` and `end` in seconds, and a column for one
        value of the timeline at least.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
    step_ : float or None
        Seconds that each step drawn is the mean of; None where the segments themselves are drawn.
    intervals_ : Intervals
        The predictions in the strip; not there for values.

    See Also
    --------
    SegmentClassifier : Predicts the timeline.
    Timeline.to_intervals : The predictions as intervals, to write for other programs.
    """

    def __init__(self, timeline, *, outline=None, annotation=None):
        self.timeline = timeline
        self.outline = outline
        self.annotation = annotation

    @classmethod
    def from_estimator(
        cls,
        estimator,
        recording,
        *,
        waveform=True,
        smooth=None,
        min_duration=None,
        annotation=None,
        ax=None,
        **params,
    ):
        """Predict the timeline of a recording and draw it.

        Parameters
        ----------
        estimator : SegmentClassifier or SegmentRegressor
            Fitted.
        recording : str, PathLike, array-like of shape (n_times,), or audio input of one clip
            Any length; a file is read part by part.
        waveform : bool, default=True
            If True, draw the waveform above.
        smooth, min_duration : float or None, default=None
            As for `plot`.
        annotation : DataFrame or None, default=None
            Annotated values, drawn dashed beside a timeline of values: `start`, `end` and the values' columns.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        **params : dict
            Other arguments of `predict_timeline`.

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
                "estimator must be a SegmentClassifier or SegmentRegressor, which have predict_timeline: wrap the "
                f"pipeline into one. "
                f"Got {type(estimator).__name__}."
            )
        timeline = estimator.predict_timeline(recording, **params)
        recording = recording if waveform else None
        shown = dict(smooth=smooth, min_duration=min_duration, annotation=annotation)
        return cls.from_predictions(timeline, recording=recording, sr=estimator.sr_, ax=ax, **shown)

    @classmethod
    def from_predictions(
        cls, timeline, *, recording=None, sr=16000, smooth=None, min_duration=None, annotation=None, ax=None
    ):
        """Draw a timeline.

        Parameters
        ----------
        timeline : DataFrame
            As `SegmentClassifier.predict_timeline` returns it.
        recording : str, PathLike, array-like of shape (n_times,), audio input of one clip, or None, default=None
            Recording whose waveform is drawn above the probabilities; None draws none.
        sr : int, default=16000
            Sampling rate of a waveform in memory, Hz.
        smooth, min_duration : float or None, default=None
            As for `plot`.
        annotation : DataFrame or None, default=None
            Annotated values, drawn dashed beside a timeline of values: `start`, `end` and the values' columns.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : TimelineDisplay

        Raises
        ------
        ValueError
            If `timeline` has other columns, or no rows; or `annotation` other columns, or the timeline classes.
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        _as_timeline(timeline)._timeline_columns()
        outline = None if recording is None else _outline(recording, sr)
        display = cls(timeline, outline=outline, annotation=annotation)
        return display.plot(ax=ax, smooth=smooth, min_duration=min_duration)

    def plot(self, *, ax=None, smooth=None, min_duration=None):
        """Draw the timeline.

        Each segment is drawn around its middle, up to half-way to its neighbors'. Where there are more segments than
        can be told apart, means over longer steps are drawn, and the picture says so.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        smooth : float or None, default=None
            Seconds over which probabilities are averaged before; None does not smooth them.
        min_duration : float or None, default=None
            Seconds that a prediction in the strip lasts at least, as for `Timeline.to_intervals`. None draws them all;
            where steps are drawn, those of two steps or more.

        Returns
        -------
        display : TimelineDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4), layout="constrained")
        timeline = _as_timeline(self.timeline)
        is_of_values = isinstance(timeline, ValueTimeline)
        if self.annotation is not None:
            if not is_of_values:
                raise ValueError("annotation is drawn beside a timeline of values. Got a timeline of classes.")
            check_annotation(self.annotation, timeline)
        left, right = timeline._segment_extents()
        start, end = left[0], right[-1]
        shown = timeline if smooth is None else timeline.smoothed(smooth)
        step = _step((end - start) / (ax.get_window_extent().width / ax.figure.dpi * 72) * _STEP_WIDTH)
        aggregated = step is not None and np.median(right - left) < step
        if aggregated:
            shown = shown.resampled(step)
            min_duration = 2 * step if min_duration is None else min_duration
        self.step_ = step if aggregated else None
        if is_of_values:
            draw_lines(ax, timeline, shown)
            if self.annotation is not None:
                draw_annotation(ax, timeline, self.annotation)
            ax.set(xlim=(start, end), ylim=value_range(timeline, self.annotation), ylabel="value")
            if self.outline is not None:
                self._draw_outline_above(ax, start, end)
        else:
            self._draw_classes(ax, shown, start, end, min_duration)
        _label_time(ax, end)
        ax.set_title(self._explain(smooth, min_duration), loc="left", size="small")
        ax.spines[["top", "right"]].set_visible(False)
        handles, names = ax.get_legend_handles_labels()
        order = slice(None) if is_of_values else slice(None, None, -1)  # as they are stacked
        ax.legend(handles[order], names[order], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_classes(self, ax, shown, start, end, min_duration) -> None:
        """Draw probabilities over the strip of predictions."""
        self.intervals_ = shown.to_intervals(min_duration=min_duration or 0.0)
        styles = self._styles()
        self._draw_probabilities(ax, shown, styles)
        self._draw_predictions(ax, styles)
        ticks, top = {"predicted": np.mean(_STRIP), "0": 0, "0.5": 0.5, "1": 1}, 1.0
        if self.outline is not None:
            self._draw_outline(ax, start, end)
            ticks["waveform"], top = np.mean(_WAVEFORM), _WAVEFORM[1]
        ax.set(xlim=(start, end), ylim=(_STRIP[0] - 0.02, top + 0.02), ylabel="probability")
        ax.set_yticks(list(ticks.values()), list(ticks))

    def _draw_outline_above(self, ax, start, end) -> None:
        """Draw the waveform on an axis of its own, above the values."""
        above = ax.inset_axes((0, 1.0, 1, 0.25))
        time = np.linspace(start, end, len(self.outline) + 1)
        above.stairs(self.outline[:, 1], time, baseline=self.outline[:, 0], fill=True, color=GREY, linewidth=0)
        above.set(xlim=(start, end), xticks=[], yticks=[], ylabel="waveform")
        above.spines[:].set_visible(False)

    def _explain(self, smooth, min_duration) -> str:
        """Return the values to draw, where they are not those of the segments themselves."""
        parts, is_of_values = [], isinstance(_as_timeline(self.timeline), ValueTimeline)
        if smooth is not None:
            parts.append(f"{'values' if is_of_values else 'probabilities'} smoothed over {smooth:g} s")
        if self.step_ is not None:
            parts.append(f"means of {self.step_:g} s")
        if min_duration and not is_of_values:
            parts.append(f"predictions of at least {min_duration:g} s")
        return ", ".join(parts)

    def _styles(self) -> dict:
        """Color and hatch of each class."""
        classes = Timeline(self.timeline).classes
        others = [name for name in classes if name not in EMOTIONS] if len(classes) > _MOST_PLAIN else []
        hatches = dict(zip(others, cycle(_HATCHES), strict=False))
        return {name: (colour, hatches.get(name)) for name, colour in colours_of(classes).items()}

    def _draw_probabilities(self, ax, shown, styles) -> None:
        """One upon the other; nothing where there are no segments."""
        left, right = shown._segment_extents()
        edges = np.unique(np.append(left, right))
        place = np.searchsorted(edges, left)
        below = np.zeros(len(edges) - 1)
        for name, (colour, hatch) in styles.items():
            value = np.full(len(edges) - 1, np.nan)
            value[place] = shown[name].to_numpy()
            above = below + value
            style = dict(facecolor=colour, edgecolor=ink_on(colour), hatch=hatch, linewidth=0)
            ax.stairs(above, edges, baseline=below, fill=True, label=str(name), **style)
            below = above

    def _draw_predictions(self, ax, styles) -> None:
        """In a strip, in which neighbors of one class are one bar; what is no class of the timeline stays blank."""
        known = self.intervals_[self.intervals_["label"].isin(list(styles))]
        spans = np.column_stack([known["start"], known["end"] - known["start"]])
        drawn = [styles[name] for name in known["label"]]
        for hatch in dict.fromkeys(hatch for _, hatch in drawn):
            rows = [k for k, (_, its) in enumerate(drawn) if its == hatch]
            colours = [drawn[k][0] for k in rows]
            style = dict(
                facecolors=colours, edgecolors=[ink_on(colour) for colour in colours], hatch=hatch, linewidth=0
            )
            ax.broken_barh(spans[rows], (_STRIP[0], _STRIP[1] - _STRIP[0]), **style)

    def _draw_outline(self, ax, start, end) -> None:
        """The waveform, as the lowest and the highest sample at each time."""
        height = (_WAVEFORM[1] - _WAVEFORM[0]) / 2
        scaled = np.mean(_WAVEFORM) + height * self.outline / (np.abs(self.outline).max() or 1)
        time = np.linspace(start, end, len(scaled) + 1)
        ax.stairs(scaled[:, 1], time, baseline=scaled[:, 0], fill=True, color=GREY, linewidth=0)


def _as_timeline(table) -> Timeline | ValueTimeline:
    """A table as a timeline of classes, or of values where nothing is predicted."""
    is_of_values = isinstance(table, ValueTimeline) or "predicted" not in table
    return ValueTimeline(table) if is_of_values and not isinstance(table, Timeline) else Timeline(table)


def _step(shortest: float) -> float:
    """The next round number of seconds."""
    rounded = next((step for step in _STEPS if step >= shortest), None)
    return rounded or 60 * float(np.ceil(shortest / 60))


def _label_time(ax, end: float) -> None:
    """In seconds; in minutes and seconds from three minutes on."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    ax.set_xlabel("time (s)" if end < 180 else "time (min:s)")
    if end >= 180:
        step = next((step for step in _TICKS if end / step <= 8), _TICKS[-1])
        ax.xaxis.set_major_locator(MultipleLocator(step))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{time // 60:.0f}:{time % 60:02.0f}"))
