"""Clips on disk: found at any depth, known by their names, and joined with tables that lie beside them."""

from __future__ import annotations

import io
import os
from collections import defaultdict
from pathlib import Path, PurePosixPath

from ..utils._messages import short
from ._pattern import normalized

# Which copy of a clip is taken where there are several: the first of these.
EXTENSIONS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".opus", ".mp3", ".m4a", ".mp4", ".webm", ".wma", ".avi")
LOSSLESS = EXTENSIONS[:2]


def is_hidden(part):
    """Return True for files and folders that operating systems add, such as `._03a01Wa.wav`."""
    return part.startswith(".") or part == "__MACOSX"


def find_files(folder, keep):
    """Return the paths of all files at any depth that are not hidden, and whose names `keep` accepts, unsorted."""
    found, visited = [], set()
    for where, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        # A link to a folder further up would otherwise be followed for ever.
        folders[:] = [] if real in visited else sorted(name for name in folders if not is_hidden(name))
        if real not in visited:
            found += [Path(where, name) for name in files if not is_hidden(name) and keep(name)]
        visited.add(real)
    return found


def find_recordings(folder, extensions=LOSSLESS):
    """Return the paths of all audio files at any depth, sorted by name, then by extension and folder."""
    found = find_files(folder, lambda name: os.path.splitext(name)[1].lower() in extensions)
    rank = {extension: n for n, extension in enumerate(extensions)}
    return sorted(found, key=lambda path: (path.stem.lower(), rank[path.suffix.lower()], inside(path, folder)))


def inside(path, folder) -> str:
    """Return the path of a file below a folder, with slashes."""
    return path.relative_to(folder).as_posix()


def bare(name: str) -> str:
    """Return a name without the extension of audio, if it has one."""
    stem, extension = os.path.splitext(name)
    return stem if extension.lower() in EXTENSIONS else name


def find_clips(folder, read, extensions=LOSSLESS):
    """Return one dict a clip, `path` and what its name says, each clip once, sorted by name; and the other files.

    Parameters
    ----------
    folder : Path
    read : callable
        From a path below the folder, without extension, to (facts, identity) or None: `Row.read`.
    extensions : tuple of str

    Returns
    -------
    clips : list of dict
    others : list of str
        Audio files that `read` does not know.
    """
    clips, others = {}, []
    for path in find_recordings(folder, extensions):
        found = read(bare(inside(path, folder)))
        if found is None:
            others.append(str(path))
        else:
            clips.setdefault(found[1], {"path": str(path), **found[0]})
    return list(clips.values()), others


class NamedFiles:
    """Audio files by the ends of their paths, as tables name them: "a.wav", "wav/a", "C:\\x\\a.mp3"."""

    def __init__(self, folder, extensions=EXTENSIONS):
        self.folder = folder
        self.paths = find_recordings(folder, extensions)
        self._ends = defaultdict(list)
        for path in self.paths:
            parts = self._parts(inside(path, folder))
            self._ends[parts[-1]].append((parts, path))

    @staticmethod
    def _parts(name):
        name = normalized(bare(str(name).strip().replace("\\", "/"))).casefold()
        return tuple(part for part in PurePosixPath(name).parts if part not in (".", "/"))

    def find(self, names) -> list[list[Path]]:
        """Return for each name the files whose paths end as it does.

        Where there are none, folders are ignored, if no two of the names are alike without them. Copies of one clip in
        several formats count as one: the format that the name says, or else the first of `EXTENSIONS`.
        """
        names = list(names)
        wanted = [self._parts(name) for name in names]
        unique = len({parts[-1:] for parts in wanted}) == len(set(wanted))
        found = []
        for name, parts in zip(names, wanted, strict=True):
            alike = self._ends.get(parts[-1], []) if parts else []
            exact = [path for own, path in alike if own[-len(parts) :] == parts]
            found.append(self._one_format(str(name), exact or [path for _, path in alike if unique]))
        return found

    @staticmethod
    def _one_format(name, paths):
        extension = os.path.splitext(name.strip())[1].casefold()
        first: dict = {}
        for path in sorted(paths, key=lambda path: path.suffix.casefold() != extension):
            first.setdefault(path.with_suffix(""), path)
        return list(first.values())


def read_table(path):
    """Return a table beside the clips as a DataFrame of str: CSV, TSV or the like, or a YAML list of flat items."""
    import pandas as pd

    if Path(path).suffix.lower() in (".yaml", ".yml"):
        return pd.DataFrame(_read_items(path))
    text = _decode(Path(path).read_bytes())
    separator = max(",;\t|", key=text.partition("\n")[0].count)
    known = {"dtype": str, "skipinitialspace": True, "keep_default_na": False, "na_values": ["", "nan", "NaN"]}
    try:
        table = pd.read_csv(io.StringIO(text), sep=separator, **known)
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(f"{path} cannot be read as a table separated by {separator!r}: {short(error)}") from error
    table.columns = [str(column).strip() for column in table.columns]
    return table.apply(lambda column: column.str.strip())


def _decode(content: bytes) -> str:
    """Return the text of a table, in UTF-8, or as spreadsheets write it: UTF-16 with a mark, or Windows' code page."""
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _read_items(path):
    items = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, colon, value = line.removeprefix("- ").strip().partition(":")
        if colon and line.startswith("- "):
            items.append({})
        if colon and items:
            items[-1][key] = value.strip().strip("'\"")
    return items
