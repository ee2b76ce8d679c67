"""Colors and shapes of classes, speakers and corpora."""

from __future__ import annotations

from itertools import cycle

# Okabe and Ito's palette, which the color-blind can tell apart; an emotion has the same color in every picture.
EMOTIONS = {
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
# Tol's "muted" colors, for classes that are none of these emotions.
OTHERS = ("#332288", "#999933", "#882255", "#88CCEE", "#44AA99", "#AA4499", "#DDCC77", "#117733")
# Twelve shapes, each filled, and then hollow.
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h", "d")


def colours_of(classes) -> dict:
    """A color for each class: an emotion's own, or one of those that are left."""
    free = [*OTHERS, *(colour for name, colour in EMOTIONS.items() if name not in classes)]
    others = cycle(free)
    return {name: EMOTIONS.get(name) or next(others) for name in classes}


def shapes_of(values) -> dict:
    """A marker and whether it is filled, for each of at most 24 values."""
    return {value: (SHAPES[k % len(SHAPES)], k < len(SHAPES)) for k, value in enumerate(values)}


MOST_SHAPES = 2 * len(SHAPES)
