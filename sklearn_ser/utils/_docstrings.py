"""Text that several docstrings share."""

from __future__ import annotations

import inspect
import re
import textwrap


def put(text: str, place: str, doc: str) -> str:
    """Put text in a docstring where a line of it is ``<place>``, indented as that line is.

    How far that is depends on Python: from 3.13 on, docstrings lose the indentation that their lines share.

    Examples
    --------
    >>> print(put("x : int\\n    Of all.\\n", "shared", "Parameters\\n----------\\n<shared>\\n"))
    Parameters
    ----------
    x : int
        Of all.
    <BLANKLINE>
    """
    lines = inspect.cleandoc(text)
    return re.sub(rf"^( *)<{place}>$", lambda line: textwrap.indent(lines, line[1]), doc, flags=re.MULTILINE)
