"""Quotation of passed values in error messages."""

from __future__ import annotations

import os
import reprlib

_MOST = 80  # characters

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 4 * _MOST
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxdict = _repr.maxdeque = _repr.maxarray = 12


def short(value) -> str:
    """Shorten a value's `repr` to one line of at most 80 characters.

    A long text or path keeps its beginning and end; other long values, the beginning. Megabytes are cut before
    they are written out.

    Examples
    --------
    >>> short("a.wav"), short(range(3))
    ("'a.wav'", 'range(0, 3)')
    >>> short(b"RIFF" * 1_000_000)[-20:]
    'FFRIFFRIFFRIFFRIF...'
    """
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        text = repr(value if len(value) <= 4 * _MOST else value[: 2 * _MOST] + value[-2 * _MOST :])
        return text if len(text) <= _MOST else f"{text[:30]}...{text[33 - _MOST :]}"
    if isinstance(value, (bytes, bytearray)):
        text = repr(value[: 2 * _MOST])
    else:
        text = " ".join(line.strip() for line in _repr.repr(value).splitlines())
    return text if len(text) <= _MOST else text[: _MOST - 3] + "..."
