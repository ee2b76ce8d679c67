"""Values along a recording, drawn as lines."""

from __future__ import annotations

import numpy as np


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


def value_range(timeline) -> tuple[float, float]:
    """Lowest and highest of all values, with room beside them where they are one."""
    values = timeline[timeline.targets].to_numpy(float)
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room
