"""Files by the names that users give them: paths, with a home folder or as a file's URL; no addresses of the web."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ...utils._clip_errors import AudioError
from ...utils._messages import short

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # of two letters or more, because Windows' drives have one


def find_file(path: str | os.PathLike, where: str) -> str | os.PathLike:
    """The path itself; or, where there is no such file, what "~" or "file://" at its beginning stands for.

    Raises
    ------
    AudioError
        If it is an address of the web or of a store (https, s3 ...).
    """
    name = os.fspath(path)
    if not isinstance(name, str):
        return path
    scheme = _SCHEME.match(name)
    if not (scheme or name.startswith("~")) or os.path.lexists(name):
        return path
    if scheme is None:
        return os.path.expanduser(name)
    if scheme[1].lower() == "file":
        url = urlsplit(name)
        if url.netloc in ("", "localhost"):
            return url2pathname(url.path)
    raise AudioError(
        f"{where}: an address ({short(scheme[1])}) is no file of this machine. Download it first and pass its path, or "
        "pass its bytes."
    )


def signature(file: str | os.PathLike | bytes):
    """Return a key for this state of a file, which changes with it; None if there is no such file."""
    if isinstance(file, bytes):
        return id(file)
    try:
        state = os.stat(file)
    except (OSError, ValueError):
        return None
    return os.fspath(file), state.st_ino, state.st_size, state.st_mtime_ns
