"""The decision tree of the page "Which pipeline?", as an SVG whose colours are those of the page, light or dark."""

from __future__ import annotations

from html import escape
from pathlib import Path

from make_api import replace

# A question, and where a "yes" leads: a pipeline, what it is, and the same for a second case, if there is one.
TREE = [
    (
        ["Do you want a system", "from a paper, as published?"],
        [("sklearn_ser.systems", "17 variants of four systems")],
    ),
    (
        ["Must it do without a download,", "or must features have names", "and units?"],
        [
            ('make_recognizer("handcrafted")', "noise, telephones, rooms"),
            ('make_recognizer("handcrafted", robust=False)', "clean recordings only; fastest"),
        ],
    ),
    (
        ["Is the machine small:", "a phone, a Raspberry Pi?"],
        [('whisper_discriminants("openai/whisper-tiny.en", [1, 2, 3])', "half the time of the larger encoder")],
    ),
    (
        ["Are all recordings as clean", "as those that it is trained on?"],
        [
            ("whisper_discriminants()", "the most accurate on clean speech"),
            ("whisper_discriminants(speaker_normalized=True)", "several clips of each speaker at a time"),
        ],
    ),
    (
        ["Do you have hours of labeled", "speech, and a network in mind?"],
        [("NetworkClassifier(network)", "any Keras network; a GPU helps")],
    ),
]
OTHERWISE = ("make_recognizer()", "recordings from anywhere")

WIDTH, QUESTION, LEAF, BOX, GAP, PAD, LINE = 824, 260, 496, 50, 26, 12, 19
NARROW, LETTERS = 360, 40  # the width for a telephone, and the letters of a pipeline that fit on a line of it
STYLE = """
.tree text { font: 14px sans-serif; fill: var(--pst-color-text-base, #222832); }
.tree .code { font: 12px monospace; fill: var(--pst-color-text-base, #222832); }
.tree .what, .tree .edge { font-size: 13px; fill: var(--pst-color-text-muted, #48566b); }
.tree rect { fill: var(--pst-color-surface, #f3f4f5); stroke: var(--pst-color-border, #c9d0d8); }
.tree .leaf { fill: var(--pst-color-background, #ffffff); stroke: var(--pst-color-primary, #0a7d91); }
.tree path { fill: none; stroke: var(--pst-color-text-muted, #48566b); stroke-width: 1.3; }
.tree .head { fill: var(--pst-color-text-muted, #48566b); stroke: none; }
"""


def text(x, y, content, kind=""):
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(content, quote=False)}</text>'


def arrow(x, y, to_x, to_y):
    head = f"M{to_x},{to_y} l-7,-4 v8 z" if y == to_y else f"M{to_x},{to_y} l-4,-7 h8 z"
    return f'<path d="M{x},{y} L{to_x},{to_y}"/><path class="head" d="{head}"/>'


def box(x, y, width, height, kind=""):
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'


def leaf(x, y, width, pipeline, what):
    """The drawing of a pipeline, and its height; a long one breaks after the parenthesis where there is no room."""
    lines = [pipeline]
    if width < LEAF and len(pipeline) > LETTERS:
        start = pipeline.index("(") + 1
        lines = [pipeline[:start], "\u00a0\u00a0" + pipeline[start:]]
    texts = [text(x + PAD, y + 21 + LINE * row, line, "code") for row, line in enumerate(lines)]
    texts.append(text(x + PAD, y + 21 + LINE * len(lines), what, "what"))
    height = BOX + LINE * (len(lines) - 1)
    return box(x, y, width, height, "leaf") + "".join(texts), height


def column(x, y, width, leaves):
    """Pipelines below each other: their drawings and the height of all."""
    parts, top = [], y
    for each in leaves:
        part, height = leaf(x, top, width, *each)
        parts.append(part)
        top += height + 8
    return "".join(parts), top - 8 - y


def question(x, y, width, height, lines):
    first = y + height / 2 - (len(lines) - 1) * LINE / 2 + 5
    texts = [text(x + PAD, first + LINE * row, line) for row, line in enumerate(lines)]
    return box(x, y, width, height) + "".join(texts)


def draw_wide():
    """Questions below each other and pipelines beside them: the drawing and its height."""
    parts, x, y, right = [], 8, 8, WIDTH - LEAF - 8
    for lines, leaves in TREE:
        all_leaves = column(right, 0, LEAF, leaves)[1]
        height = max(len(lines) * LINE + 2 * PAD - 4, all_leaves)
        middle = y + height / 2
        parts += [question(x, y, QUESTION, height, lines), column(right, middle - all_leaves / 2, LEAF, leaves)[0]]
        parts += [arrow(x + QUESTION, middle, right, middle), text(x + QUESTION + 14, middle - 6, "yes", "edge")]
        y += height
        parts += [
            arrow(x + QUESTION / 2, y, x + QUESTION / 2, y + GAP),
            text(x + QUESTION / 2 + 8, y + 17, "no", "edge"),
        ]
        y += GAP
    last, height = leaf(x, y, QUESTION, *OTHERWISE)
    return "".join([*parts, last]), y + height + 8


def draw_narrow():
    """Pipelines below their question, for a telephone: the drawing and its height."""
    parts, x, y, indent = [], 8, 8, 36
    for lines, leaves in TREE:
        height = len(lines) * LINE + 2 * PAD - 4
        parts.append(question(x, y, NARROW - 16, height, lines))
        y += height
        parts += [arrow(x + indent + 20, y, x + indent + 20, y + GAP), text(x + indent + 28, y + 17, "yes", "edge")]
        all_leaves, height = column(x + indent, y + GAP, NARROW - 16 - indent, leaves)
        down = y + GAP + height + 14
        parts += [all_leaves, arrow(x + 16, y, x + 16, down), text(x + 22, y + 17, "no", "edge")]
        y = down
    last, height = leaf(x, y, NARROW - 16, *OTHERWISE)
    return "".join([*parts, last]), y + height + 8


def draw() -> str:
    """The tree twice, for a wide screen and for a narrow one: the page's style sheet hides one of them."""
    title = "; ".join(f"{' '.join(lines)} {' or '.join(name for name, _ in leaves)}" for lines, leaves in TREE)
    pictures = []
    for kind, width, (parts, height) in [("wide", WIDTH, draw_wide()), ("narrow", NARROW, draw_narrow())]:
        pictures.append(
            f'<div class="tree {kind}"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" role="img"><title>{escape(title)}; otherwise {OTHERWISE[0]}</title>'
            f"<style>{STYLE}</style>{parts}</svg></div>\n"
        )
    return "".join(pictures)


def write(path: Path) -> None:
    """Write the picture, to be included in the page as it is."""
    replace(path, draw())
