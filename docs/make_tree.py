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
        ["Do you have hours of labelled", "speech, and a network in mind?"],
        [("NetworkClassifier(network)", "any Keras network; a GPU helps")],
    ),
]
OTHERWISE = ("make_recognizer()", "recordings from anywhere")

WIDTH, QUESTION, LEAF, BOX, GAP, PAD, LINE = 768, 236, 464, 50, 26, 12, 19
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


def leaf(x, y, width, pipeline, what):
    box = f'<rect class="leaf" x="{x}" y="{y}" width="{width}" height="{BOX}" rx="6"/>'
    return box + text(x + PAD, y + 21, pipeline, "code") + text(x + PAD, y + 21 + LINE, what, "what")


def draw() -> str:
    """The tree: questions below each other, and pipelines beside them."""
    parts, x, y, right = [], 8, 8, WIDTH - LEAF - 8
    for question, leaves in TREE:
        all_leaves = len(leaves) * (BOX + 8) - 8
        height = max(len(question) * LINE + 2 * PAD - 4, all_leaves)
        middle = y + height / 2
        parts.append(f'<rect x="{x}" y="{y}" width="{QUESTION}" height="{height}" rx="6"/>')
        first = middle - (len(question) - 1) * LINE / 2 + 5
        parts += [text(x + PAD, first + LINE * index, line) for index, line in enumerate(question)]
        top = middle - all_leaves / 2
        parts += [leaf(right, top + index * (BOX + 8), LEAF, *each) for index, each in enumerate(leaves)]
        parts += [arrow(x + QUESTION, middle, right, middle), text(x + QUESTION + 14, middle - 6, "yes", "edge")]
        y += height
        parts += [
            arrow(x + QUESTION / 2, y, x + QUESTION / 2, y + GAP),
            text(x + QUESTION / 2 + 8, y + 17, "no", "edge"),
        ]
        y += GAP
    parts.append(leaf(x, y, QUESTION, *OTHERWISE))
    title = "; ".join(f"{' '.join(question)} {' or '.join(name for name, _ in leaves)}" for question, leaves in TREE)
    return (
        f'<div class="tree"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + BOX + 8}" '
        f'width="{WIDTH}" role="img"><title>{escape(title)}; otherwise {OTHERWISE[0]}</title>'
        f"<style>{STYLE}</style>{''.join(parts)}</svg></div>\n"
    )


def write(path: Path) -> None:
    """Write the picture, to be included in the page as it is."""
    replace(path, draw())
