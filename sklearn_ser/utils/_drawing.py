"""Tools of displays: scores written beside the axes, a plain frame around them, black or white on any color."""

from __future__ import annotations

import numpy as np

from ._colors import GREY

_COLUMN = 36  # points: the width of a score with three decimals, and some room


def dress_scores(ax) -> None:
    """Rows of scores: lines to read them off, and no frame but the axis below."""
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)


def write_beside(ax, y: float, text: str, *, column: int = 0, color=None) -> None:
    """Write to the right of the axes, at a height in data coordinates; None is the text color of the style."""
    ax.annotate(
        text,
        (1, y),
        (6 + _COLUMN * column, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        size="small",
        color=color,
        annotation_clip=False,
    )


def ink_on(background) -> str:
    """Black or white, whichever stands out more from a color [WCAG 2, relative luminance]."""
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(background))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "white" if linear @ [0.2126, 0.7152, 0.0722] < 0.179 else "black"


def shorten(title: str, longest: int) -> str:
    """A title of at most so many characters."""
    return title if len(title) <= longest else f"{title[: longest - 4]} ..."
