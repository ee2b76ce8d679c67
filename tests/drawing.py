"""Check figures: words that overlap or leave the figure, and how bright a color is."""

import numpy as np


def words(figure):
    """Boxes of all words that are drawn, in pixels."""
    from matplotlib.text import Text

    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    unseen = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }  # matplotlib keeps ticks beyond the axes, and does not draw them
    shown = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible() and t not in unseen]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown]


def assert_words_are_apart_and_inside(figure):
    found, (width, height) = words(figure), figure.canvas.get_width_height()
    assert len(found) > 3
    for k, (text, box) in enumerate(found):
        assert box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1, text
        for other, its_box in found[:k]:
            # Boxes of slanted words overlap where words do not.
            if max(box.height, its_box.height) < 30:
                assert not box.shrunk(0.9, 0.9).overlaps(its_box.shrunk(0.9, 0.9)), (text, other)


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return np.dot([0.2126, 0.7152, 0.0722], linear)
