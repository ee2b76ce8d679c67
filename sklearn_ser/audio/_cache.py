"""Results of single clips, kept on disk, so that no clip is analysed twice."""

from __future__ import annotations

import hashlib
import os
import pickle
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np

from ._io import clip_digest

Task = Callable[[list, Sequence[int]], list[np.ndarray]]  # from clips and their rows to their results


def _digest_of_code() -> str:
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


# Not the version of this package, which stands still while its code is worked on; and at once, while what is on disk is
# what was imported.
_CODE = _digest_of_code()


@lru_cache(maxsize=1)
def _libraries() -> list[str]:
    """Versions of those that decode and compute."""
    return [f"{name} {version(name)}" for name in ("librosa", "numpy", "scipy", "soundfile", "soxr")]


def remembering(task: Task, memory: str | os.PathLike | joblib.Memory | None, name: str, key=()) -> Task:
    """The same task, that looks into the memory first, and puts there what it had to compute.

    Parameters
    ----------
    task : callable
        Picklable; what it makes of a clip depends on the task and the clip's content only, not on the other clips or
        the row.
    memory : str, PathLike, joblib.Memory or None
        Without a location, the task is returned as it is.
    name : str
        Folder of the results, for those who look into the memory.
    key : object
        What the task's results depend on besides the clip and the parameters by which it is loaded; None if that cannot
        be known.
    """
    if isinstance(memory, (str, os.PathLike)):
        memory = joblib.Memory(os.path.abspath(memory), verbose=0)  # workers may be in another folder
    if memory is None or memory.store_backend is None or key is None:
        return task
    return _Remembering(task, memory.store_backend, name, joblib.hash((key, task.keywords, _CODE, _libraries())))


@dataclass(frozen=True)
class _Remembering:
    """A task with a cache. Unlike `joblib.Memory.cache`, it looks up clips, not calls, and is several times as fast."""

    task: Task
    store: object  # joblib's store backend; it writes beside an entry, then renames, so that none is ever incomplete
    name: str
    parameters: str  # what the results depend on, besides the clip

    def __call__(self, clips: list, rows: Sequence[int]) -> list[np.ndarray]:
        keys = [self._key(clip, row) for clip, row in zip(clips, rows, strict=True)]
        results = [None if key is None else self._load(key) for key in keys]
        missing = [i for i, result in enumerate(results) if result is None]
        if missing:
            computed = self.task(clips=[clips[i] for i in missing], rows=[rows[i] for i in missing])
            for i, result in zip(missing, computed, strict=True):
                results[i] = result
                if keys[i] is not None and self._key(clips[i], rows[i]) == keys[i]:  # else it changed while it was read
                    self._save(keys[i], result)
        return results

    def _key(self, clip, row: int) -> list[str] | None:
        """Where the clip's result is, if there is one; None if it cannot be kept."""
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
