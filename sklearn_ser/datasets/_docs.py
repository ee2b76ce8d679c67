"""Docstrings of the functions that fetch or load a corpus: the parts that they share."""

from __future__ import annotations

from ..utils._docstrings import put
from ._row import Row

_FACTS = """=================   ==============================================================================
Clips               {n_clips}
Speakers            {n_speakers}
Emotions            {emotions}
Language            {language}
Licence             {licence}
=================   =============================================================================="""
_DATA_HOME = """data_home : str or path-like, default=None
    Folder that holds `{key}`; there, in any folders below, clips are known by their file names. By default the
    environment variable SKLEARN_SER_DATA, or else `~/sklearn_ser_data`."""
_CHOICE = """emotions : list of str, default=None
    Keep only clips of these emotions; by default all."""
_DOWNLOAD = """download_if_missing : bool, default=True
    If True, download the corpus if no clip is found, or the rest of it after an interruption."""
_PAIR = """return_X_y : bool, default=False
    If True, return `(data, target)` instead of a Bunch."""
_BUNCH = """target : ndarray of str, shape (n_clips,)
    The emotions.
speaker : ndarray of str, shape (n_clips,)
    The column `speaker` again, to be passed as `groups`.
target_names : list of str
    The emotions present, sorted.
name : str
    "{name}".
DESCR : str
    Origin, licence, counts and oddities."""
_RAISES = """FileNotFoundError
    If no clip is found and `download_if_missing` is False.
FetchError
    If the download fails, or cannot be kept; the message names the address, the file, and what to do. Where a server
    fails, it is a ConnectionError, too; where the download is not as published, a ValueError. Parts that arrived are
    kept and the next call resumes from there; what cannot be used is kept as `*.mismatch`, and asked for anew.
ValueError
    If `emotions` names anything else."""
_END = "References\n----------\n.. [1] {citation}"
_FETCHED = f"""(data, target) : tuple if `return_X_y` is True

Raises
------
{_RAISES}

Warns
-----
UserWarning
    If fewer clips are found than were published.

{_END}"""
_READ = f"""(data, target) : tuple if `return_X_y` is True

Raises
------
FileNotFoundError
    If `path` is no folder, or holds no labels or no audio in this layout.
ValueError
    If `emotions` names anything else.

Warns
-----
UserWarning
    If some labeled clips have no audio file; the others are loaded.

{_END}"""
_RATINGS = """values : DataFrame of shape (n_clips, 3)
    `arousal`, `valence` and `dominance` again, by the clip's name: y of a regressor.
ratings : DataFrame of shape (n_ratings, 4)
    Answers of each rater, for `aggregate_ratings`: `clip`, `rater`, `dimension` ("emotion", "arousal" ...) and
    `value`; empty where the corpus' table of forms is missing."""
_KEPT = """emotions : list of str, "all" or None, default=None
    Keep only clips of these emotions; by default those that are named. "all" keeps clips without agreement and of
    other emotions, too, as "no agreement" and "other", which have values as all others."""
_PLACES = {"facts": _FACTS, "data_home": _DATA_HOME, "emotions": _CHOICE, "download": _DOWNLOAD}
_PLACES |= {"return_X_y": _PAIR, "bunch": _BUNCH, "fetched": _FETCHED, "read": _READ, "ratings": _RATINGS}
_PLACES |= {"some emotions": _KEPT, "citation": ".. [1] {citation}"}


def documented(row: Row):
    """Return a decorator that fills the places of a docstring, such as <facts>, from the row of a corpus."""
    words = {
        "key": row.key,
        "name": row.name,
        "n_clips": row.n_clips,
        "n_speakers": row.n_speakers,
        "emotions": ", ".join(sorted(set(row.emotions.values()))),
        "language": row.languages,
        "licence": row.licence,
        "citation": row.citation,
    }

    def decorate(function):
        for place, text in _PLACES.items():
            if function.__doc__:  # none with python -OO
                function.__doc__ = put("\n" + text.format(**words), place, function.__doc__)
        return function

    return decorate
