"""A lock file that one process or thread holds at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Hold:
    """A lock that is held, and what its holder records when it is released."""

    is_new: bool  # whether the file was not there before
    finished: bool = False  # whether it is to go


@contextmanager
def alone(path: Path) -> Iterator[Hold]:
    """Hold a file, which is created; whoever else wants it waits until it is given back, be it by a kill.

    Parameters
    ----------
    path : Path
        Its folder is there.

    Yields
    ------
    hold : Hold
        With `finished` set, the file is removed at the end; else it stays, for those who resume.
    """
    while True:
        is_new, file = _open(path)
        _lock(file)
        try:
            if os.path.samestat(os.fstat(file), os.stat(path)):
                break
        except FileNotFoundError:
            pass
        os.close(file)  # the one who held it has removed it
    hold = Hold(is_new)
    try:
        yield hold
    finally:
        if hold.finished and os.name != "nt":  # before anybody else can lock it
            path.unlink(missing_ok=True)
        os.close(file)
        if hold.finished and os.name == "nt":  # which removes no open file
            path.unlink(missing_ok=True)


def _open(path: Path) -> tuple[bool, int]:
    try:
        return True, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False, os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def _lock(file: int) -> None:
    """Wait for an open file; without effect where the file system knows no locks."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        while True:  # it gives up after ten seconds
            try:
                return msvcrt.locking(file, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
            except OSError:
                pass
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        pass
