"""Tables and notes in notebooks: one style for all reports, which is readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import NamedTuple

BLUE, ORANGE = "0, 114, 178", "213, 94, 0"  # as in pictures; laid over the page's own color

# Colors of words are the surroundings' own.
_STYLE = """<style>
.sklearn-ser table {border-collapse: collapse; margin: 0.6em 0 1em; font-variant-numeric: tabular-nums}
.sklearn-ser caption {text-align: left; font-weight: bold; padding: 0.2em 0.6em 0.2em 0; caption-side: top}
.sklearn-ser caption, .sklearn-ser td, .sklearn-ser th {color: inherit}
.sklearn-ser td, .sklearn-ser th {text-align: right; padding: 0.15em 0.7em; border: none; font-weight: normal}
.sklearn-ser td, .sklearn-ser th {vertical-align: top; background: none}
.sklearn-ser tr > :first-child, .sklearn-ser .words {text-align: left}
.sklearn-ser .words {max-width: 46em}
.sklearn-ser thead th {border-bottom: 1px solid; opacity: 0.75}
.sklearn-ser .tables {display: flex; flex-wrap: wrap; gap: 0 3em; align-items: flex-start}
.sklearn-ser p {max-width: 60em; margin: 0.4em 0}
</style>"""


class Tinted(NamedTuple):
    """A cell over a color, which is the stronger the closer `strength` is to 1."""

    text: str
    strength: float
    color: str = BLUE
    hint: str = ""


def page(*parts: str) -> str:
    """Return the HTML that a notebook shows."""
    return f'{_STYLE}<div class="sklearn-ser">{"".join(parts)}</div>'


def paragraph(text: str, *, strong: str = "") -> str:
    """With its first words in bold."""
    return f"<p>{f'<b>{escape(strong)}</b>' if strong else ''}{escape(text)}</p>"


def side_by_side(*tables: str) -> str:
    """As far as the page is wide enough."""
    return f'<div class="tables">{"".join(tables)}</div>'


def explained(paragraphs: Iterable[str], *, summary: str = "How to read this", is_open: bool = True) -> str:
    """Notes that can be folded away."""
    text = "".join(paragraph(note) for note in paragraphs)
    return folded(text, summary=summary, is_open=is_open)


def folded(part: str, *, summary: str, is_open: bool = False) -> str:
    """Fold a part below a summary; a click opens it."""
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>{part}</details>"


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[str | Tinted]], *, words: Collection[str] = ()
) -> str:
    """A table; the first column, and those named in `words`, begin on the left.

    Parameters
    ----------
    caption : str
    columns : sequence of str
        Headings of all columns.
    rows : iterable of sequences
        Text, which is escaped.
    words : collection of str
        Headings of columns of words.
    """
    head = "".join(_cell("th", name, name in words) for name in columns)
    body = "".join(
        f"<tr>{''.join(_cell('td', cell, name in words) for name, cell in zip(columns, row, strict=True))}</tr>"
        for row in rows
    )
    caption = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, cell: str | Tinted, is_words: bool) -> str:
    attributes = " class=words" if is_words else ""
    if isinstance(cell, Tinted):
        attributes += f' title="{escape(cell.hint)}"' if cell.hint else ""
        if cell.strength > 0:
            attributes += f' style="background: rgba({cell.color}, {0.55 * cell.strength:.2f})"'
        cell = cell.text
    return f"<{tag}{attributes}>{escape(cell)}</{tag}>"
