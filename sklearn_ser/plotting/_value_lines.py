"""Values along a recording, drawn as lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..utils._messages import short


def draw_lines(ax, timeline, shown) -> None:
    """Draw each value as a line through the middles of the segments, with the clip's mean and range in the legend.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    timeline : ValueTimeline
        All segments; the range is theirs.
    shown : ValueTimeline
        The segments that are drawn, smoothed or averaged over steps.
    """
    middle = (shown["start"].to_numpy(float) + shown["end"].to_numpy(float)) / 2
    left, right = timeline._segment_extents()
    for name in timeline.targets:
        values = timeline[name].to_numpy(float)
        mean = np.average(values, weights=right - left)
        label = f"{name}: {mean:.2f} ({values.min():.2f} to {values.max():.2f})"
        (line,) = ax.plot(middle, shown[name].to_numpy(float), label=label)
        ax.axhspan(values.min(), values.max(), color=line.get_color(), alpha=0.08, linewidth=0)


def draw_annotation(ax, timeline, annotation) -> None:
    """Draw annotated values as dashed steps, in the colors of the lines."""
    starts, ends = annotation["start"].to_numpy(float), annotation["end"].to_numpy(float)
    for line, name in zip(ax.get_lines()[-len(timeline.targets) :], timeline.targets, strict=True):
        if name in annotation:
            color = line.get_color()
            values = annotation[name].to_numpy(float)
            ax.hlines(values, starts, ends, color=color, linestyle="--", label=f"{name}, annotated")


def check_annotation(annotation, timeline) -> None:
    """Raise an error unless an annotation has times and values of a timeline."""
    columns = list(getattr(annotation, "columns", []))
    if not {"start", "end"} <= set(columns) or not set(timeline.targets) & set(columns):
        raise ValueError(
            f"annotation must be a DataFrame with the columns start, end and one of {timeline.targets} at least. Got "
            f"{short(columns) if isinstance(annotation, pd.DataFrame) else type(annotation).__name__}."
        )


def value_range(timeline, annotation=None) -> tuple[float, float]:
    """Lowest and highest of all values, with room beside them where they are one."""
    values = timeline[timeline.targets].to_numpy(float).ravel()
    if annotation is not None:
        shown = [name for name in timeline.targets if name in annotation]
        values = np.append(values, annotation[shown].to_numpy(float).ravel())
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room
