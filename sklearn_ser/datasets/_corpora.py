"""The table of corpora, `corpora.json`: one row (`Row`) for each, and no code where file names or a table tell all."""

from __future__ import annotations

import json
from importlib.resources import files as resources

from ._row import Row


def read_row(fields: dict) -> Row:
    """Return a row of the table from its JSON object, in which "lower" stands for a code in lower case."""
    words = {name: str.lower if codes == "lower" else codes for name, codes in fields.get("words", {}).items()}
    return Row(**{**fields, "patterns": tuple(fields.get("patterns", ())), "words": words})


_ROWS = json.loads(resources(__package__).joinpath("corpora.json").read_text(encoding="utf-8"))
CORPORA = {row.key: row for row in map(read_row, _ROWS)}
