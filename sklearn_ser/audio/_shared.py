"""Results of clips that last as long as a call, so that the call analyzes no clip twice."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

_MOST_BYTES = 2**28  # results kept in memory; the others go to a temporary folder
_DIGITS = 10  # of a checksum
_NUMBERS = itertools.count()  # so that no two threads write the same temporary file


class SharedResults:
    """Results of clips by key: in memory as long as they are few, then in a temporary folder.

    It has the two methods of a joblib store that the cache calls. A pickle, such as for another process, holds the
    folder, in which all processes then keep everything. The code that makes it calls `close`; if the interpreter ends
    before, the folder is removed then.

    Parameters
    ----------
    most_bytes : int, default=2**28
        Bytes of results that are kept in memory.
    progress : object or None, default=None
        In the process that made it, told by `expect(kind, n_clips)` what a transformer is asked for, and by
        `found(keys)` the results that it has, whether analyzed now, shared or from a memory.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES, progress: Any = None):
        self.progress = progress
        self._most_bytes, self._n_bytes = most_bytes, 0
        self._held: dict[Any, Any] = {}
        self._folder: str | None = None
        self._lock, self._closed = threading.Lock(), False
        self._remove: weakref.finalize | None = None
        self.facts: dict[tuple, Any] = {}  # of files, by path: they are taken not to change while a call lasts

    def load_item(self, key: list[str], verbose: int = 0) -> Any:
        """The result of a key; KeyError or OSError if there is none."""
        name = "-".join(key[1:])
        if name in self._held:
            return self._held[name]
        if self._folder is None:
            raise KeyError(name)
        content = Path(self._folder, name).read_bytes()
        return int(content[:_DIGITS]), content[_DIGITS:]

    def dump_item(self, key: list[str], item: tuple[int, bytes], verbose: int = 0) -> None:
        """Keep a checksum and the bytes that it is of. Where nothing can be kept, nothing is."""
        name = "-".join(key[1:])
        with self._lock:
            if self._closed:
                return
            if self._most_bytes and self._n_bytes + len(item[1]) <= self._most_bytes:
                self._held[name], self._n_bytes = item, self._n_bytes + len(item[1])
                return
        self._write(name, item)

    def _write(self, name: str, item: tuple[int, bytes]) -> None:
        """Write beside the place and rename, so that no other process ever reads half a result."""
        try:
            path = os.path.join(self._where(), name)
            unfinished = f"{path}.{os.getpid()}.{next(_NUMBERS)}"
            Path(unfinished).write_bytes(str(item[0]).zfill(_DIGITS).encode() + item[1])
            os.replace(unfinished, path)
        except OSError:  # no room, or removed by the process that made it: the clip can be analyzed again
            pass

    def _where(self) -> str:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="sklearn_ser_")
                self._remove = weakref.finalize(self, _remove, self._folder, os.getpid())
            return self._folder

    def close(self) -> None:
        """Forget everything and remove the folder."""
        with self._lock:
            self._closed, self._held, self._n_bytes, self.facts = True, {}, 0, {}
        if self._remove is not None:
            self._remove()

    def __getstate__(self):
        folder = self._where()
        with self._lock:
            held, self._held, self._most_bytes = self._held, {}, 0
        for name, item in held.items():
            self._write(name, item)
        return {"folder": folder}

    def __setstate__(self, state):
        self.__init__(most_bytes=0)
        self._folder = state["folder"]

    def __deepcopy__(self, memo):
        return self


def _remove(folder: str, process: int) -> None:
    """Remove the folder, in the process that made it; again if another process was just writing there."""
    for _ in range(5):
        if os.getpid() == process and os.path.isdir(folder):
            shutil.rmtree(folder, ignore_errors=True)


_CURRENT: ContextVar[SharedResults | None] = ContextVar("shared_results", default=None)


@contextmanager
def sharing(results: SharedResults | None) -> Iterator[None]:
    """Have audio transformers without a memory look for results here first, and keep theirs here."""
    token = _CURRENT.set(results)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def remembered(key: tuple | None, find: Callable[[], Any]) -> Any:
    """Return `find()`; where results are shared, it is called once for each key."""
    results = _CURRENT.get()
    if results is None or key is None:
        return find()
    if key not in results.facts:
        results.facts[key] = find()
    return results.facts[key]


def shared_results() -> SharedResults | None:
    """The results that the current call shares."""
    return _CURRENT.get()
