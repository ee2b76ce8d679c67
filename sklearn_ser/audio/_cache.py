"""Results of single clips, kept on disk, so that no clip is analyzed twice."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np

from ..utils._messages import short
from ._load import clip_digest
from ._shared import SharedResults

Task = Any  # a functools.partial, from clips and their rows to their results


# Raise it by one wherever a change alters what any transformer makes of a clip. Results of other versions are not
# found any more. tests/audio/test_cache_version.py holds values of this version, and fails where they have changed.
VERSION = 1


@lru_cache(maxsize=1)
def _libraries() -> list[str]:
    """Versions of those that decode and compute."""
    return [f"{name} {version(name)}" for name in ("librosa", "numpy", "scipy", "soundfile", "soxr")]


def cached(task: Task, memory: Any, name: str, key=(), progress: Any = None) -> Task:
    """The same task, that looks into the memory first, and puts there what it had to compute.

    Parameters
    ----------
    task : callable
        Picklable; what it makes of a clip depends on the task and the clip's content only, not on the other clips or
        the row.
    memory : str, PathLike, joblib.Memory, SharedResults or None
        Without a location, or where there can be no folder, the task is returned as it is.
    name : str
        Folder of the results, for those who look into the memory.
    key : object
        Key of all that results depend on besides the clip and the parameters by which it is loaded; None if that cannot
        be known.
    progress : object or None, default=None
        Told by `found(keys)` which results there are. It stays in this process.

    Warns
    -----
    UserWarning
        If nothing can be written there. Results that are there are still found.
    """
    if memory is None or key is None:
        return task
    if isinstance(memory, SharedResults):
        return _CachedTask(task, memory, name, joblib.hash((key, task.keywords)), progress=progress)
    location, writable = memory, True
    try:
        if not isinstance(memory, joblib.Memory):
            location = os.path.abspath(memory)  # workers may be in another folder
            memory = joblib.Memory(location, verbose=0)
        if memory.store_backend is None:
            return task
        location = memory.store_backend.location
        if os.path.isdir(location):  # else it is no folder of this machine
            with tempfile.TemporaryFile(dir=location):
                pass
    except OSError as error:
        warnings.warn(
            f"memory={short(location)} cannot be written ({error.strerror or error}), so nothing is cached. Name a "
            "folder that can be written, or set memory=None.",
            UserWarning,
            stacklevel=4,
        )
        if not isinstance(memory, joblib.Memory):
            return task
        writable = False
    keyed = joblib.hash((key, task.keywords, VERSION, _libraries()))
    return _CachedTask(task, memory.store_backend, name, keyed, writable, progress)


@dataclass(frozen=True)
class _CachedTask:
    """A task with a cache. Unlike `joblib.Memory.cache`, it looks up clips, not calls, and is several times as fast."""

    task: Task
    store: Any  # joblib's store backend; it writes beside an entry, then renames, so that none is ever incomplete
    name: str
    parameters: str  # what the results depend on, besides the clip
    writable: bool = True
    progress: Any = None

    def __getstate__(self):
        return {**vars(self), "progress": None}

    def __call__(self, clips: list, rows: Sequence[int]) -> list[np.ndarray]:
        keys = [self._key(clip, row) for clip, row in zip(clips, rows, strict=True)]
        results = [None if key is None else self._load(key) for key in keys]
        missing = [i for i, result in enumerate(results) if result is None]
        if missing:
            computed = self.task(clips=[clips[i] for i in missing], rows=[rows[i] for i in missing])
            for i, result in zip(missing, computed, strict=True):
                results[i] = result
                if not self.writable or keys[i] is None:
                    continue
                if self._key(clips[i], rows[i]) == keys[i]:  # else it changed while it was read
                    self._save(keys[i], result)
        if self.progress is not None:
            self.progress.found(tuple(key) for key in keys if key is not None)
        return results

    def _key(self, clip, row: int) -> list[str] | None:
        """Return the path of the clip's result, if there is one; None if it cannot be kept."""
        digest = clip_digest(clip, row)
        if digest is None:
            return None
        # As many hexadecimal digits as `joblib.Memory.reduce_size` knows entries by.
        return ["sklearn_ser", self.name, hashlib.sha256(self.parameters.encode() + digest).hexdigest()[:32]]

    def _save(self, key: list[str], result: np.ndarray) -> None:
        data = pickle.dumps(result, protocol=5)
        self.store.dump_item(key, (zlib.crc32(data), data), verbose=0)

    def _load(self, key: list[str]) -> np.ndarray | None:
        try:
            checksum, data = self.store.load_item(key, verbose=0)
            return pickle.loads(data) if zlib.crc32(data) == checksum else None
        except Exception:  # not there, or damaged in whatever way: the clip itself is there
            return None
