"""load_corpus and list_corpora: every corpus of the table, read from where it lies."""

from __future__ import annotations

import difflib
import warnings
from fnmatch import fnmatch

from ..utils._messages import short
from ._base import check_emotions, check_folder, get_data_home, make_bunch
from ._corpora import CORPORA
from ._emodb import add_listeners
from ._licensed import load_iemocap
from ._msp import load_msp_improv, load_msp_podcast
from ._recordings import EXTENSIONS, NamedFiles, find_clips, find_files, read_table
from ._row import Row, simple

_LOADERS = {load.__name__: load for load in (load_iemocap, load_msp_improv, load_msp_podcast)}

_OTHER_NAMES = {"jlcorpus": "jl", "asvp": "asvpesd", "turev": "turevdb", "oreau2": "oreau", "emodb": "emodb"}


def find_row(name) -> Row:
    """Return the row of a corpus; the case of its name, spaces, hyphens and accents do not matter."""
    if not isinstance(name, str):
        raise TypeError(f"name must be the name of a corpus. Got name={short(name)}.")
    rows = {simple(row.name): row for row in CORPORA.values()}
    rows |= {simple(row.key): row for row in CORPORA.values()}
    rows |= {other: rows[one] for other, one in _OTHER_NAMES.items()}
    if simple(name) not in rows:
        near = difflib.get_close_matches(simple(name), rows, 1, 0.6)
        hint = f" Did you mean {rows[near[0]].name!r}?" if near else ""
        raise ValueError(
            f"name must be one of {', '.join(row.name for row in CORPORA.values())}. Got name={short(name)}.{hint} "
            "load_folder reads any other corpus."
        )
    return rows[simple(name)]


def load_corpus(name, path=None, *, emotions=None, return_X_y=False):
    """Load any corpus of `list_corpora` from a local copy: its clips, emotions, speakers, and what else names tell.

    Parameters
    ----------
    name : str
        The corpus, such as "CREMA-D"; the case, spaces, hyphens and accents do not matter.
    path : str or path-like, default=None
        Folder of the corpus, as published or as copies on Kaggle have it. Clips are looked for at any depth, as WAV,
        FLAC, MP3, MP4 and the like. By default a folder in the data home, the one that `SKLEARN_SER_DATA` names.
    emotions : list of str, default=None
        Keep only clips of these emotions; by default all that the corpus has, also beyond the nine of the vocabulary.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, n_columns)
            Columns `path`, `corpus`, `language`, and those that the corpus tells: `speaker`, `sex` ("female" or
            "male"), `age` (years), `text` (the sentence, or its code), `intensity` and others, sorted by file name.
        target : ndarray of str, shape (n_clips,)
            The emotions, in the vocabulary of this library; what it does not have, such as "sarcasm", by a word of
            its own.
        speaker : ndarray of str, shape (n_clips,), or None
            The column `speaker` again, to be passed as `groups`; None where the names tell no speaker.
        target_names : list of str
            The emotions present, sorted.
        name, DESCR : str
            Name of the corpus; origin, licence, counts and oddities.
        unmatched : list of str
            Audio files in the folder that are no clips of the corpus by their names.
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    FileNotFoundError
        If the folder is not there, or holds no clip of the corpus, or no table of labels that it needs.
    ValueError
        If no corpus has this name, or the corpus none of the emotions.

    Warns
    -----
    UserWarning
        If fewer clips are found than were published.

    See Also
    --------
    list_corpora : All corpora, and where to get them.
    load_folder : Any other corpus.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_corpus
    >>> corpus = load_corpus("SAVEE", "downloads/savee")  # doctest: +SKIP
    >>> corpus.data.columns.tolist()  # doctest: +SKIP
    ['path', 'corpus', 'language', 'speaker', 'sex', 'text']
    """
    row = find_row(name)
    emotions = check_emotions(emotions, tuple(dict.fromkeys(row.emotions.values())), row.name)
    folder = check_folder(get_data_home() / row.key if path is None else path)
    if row.loader:
        return with_language(_LOADERS[row.loader](folder, emotions=list(emotions)), row, return_X_y)
    clips, unmatched = read_clips(row, folder)
    if len(clips) < row.n_clips:
        warnings.warn(
            f"{row.name} in {folder} is incomplete: found {len(clips)} of {row.n_clips} clips. Those found are loaded.",
            UserWarning,
            stacklevel=2,
        )
    return bunch_of(row, clips, unmatched, emotions, return_X_y)


def bunch_of(row, clips, unmatched, emotions, return_X_y):
    """Return the clips of a corpus, with its name and their language behind the path, as a Bunch or as a pair."""
    clips = [
        {"path": None, "corpus": row.name, "language": row.language_of(clip.get("speaker")), **clip} for clip in clips
    ]
    bunch = make_bunch(clips, emotions=emotions, title=row.name, descr=row.describe(), return_X_y=return_X_y)
    if not return_X_y:
        bunch.unmatched = unmatched
    return bunch


def with_language(bunch, row, return_X_y):
    """Return what a loader of its own returns as all others are."""
    bunch.data.insert(1, "corpus", row.name)
    bunch.data.insert(2, "language", row.languages)
    bunch.unmatched = []
    return (bunch.data, bunch.target) if return_X_y else bunch


def read_clips(row: Row, folder):
    """Return the clips of a corpus in a folder as dicts, sorted by name, and the audio files that are none."""
    clips, others = find_clips(folder, row.read, EXTENSIONS)
    clips = add_listeners(clips, folder) if row.key == "emodb" else clips
    if row.tables:
        people = {line[column]: line for table, column in row.people.items() for line in _lines(folder, table)}
        named, taken, clips = NamedFiles(folder), set(), []
        for table, name in row.tables.items():
            lines = _lines(folder, table)
            for line, files in zip(lines, named.find(name.format_map(line) for line in lines), strict=True):
                line |= people.get(next((line[old] for old in row.columns if row.columns[old] == "speaker"), None), {})
                facts = row.facts({new: line[old] for old, new in row.columns.items() if old in line})
                if files and facts["emotion"] is not None:
                    clips.append({"path": str(files[0]), **facts})
                    taken.add(str(files[0]))
        others = [path for path in others if path not in taken]
    if not clips:
        what = " or ".join(row.tables) + " beside its clips" if row.tables else " or ".join(row.patterns)
        raise FileNotFoundError(f"{row.name}: no clip found in {folder}. Expected {what}. Source: {row.source}")
    return clips, others


def _lines(folder, table):
    """Return the lines of all tables of a name, below a folder, as dicts; the name of the table is `table`."""
    paths = sorted(find_files(folder, lambda name: fnmatch(name, table)))
    if not paths:
        raise FileNotFoundError(f"{table} is not found in {folder} or below it, and tells what the clips are.")
    return [{**line, "table": path.stem} for path in paths for line in read_table(path).to_dict("records")]


def list_corpora():
    """Return a table of all corpora that can be loaded by name.

    Returns
    -------
    corpora : DataFrame of shape (n_corpora, 10)
        By name: `language`, `n_clips`, `n_speakers`, `emotions`, `found_by` ("file names", a table of labels, or code),
        `fetch` (the function that downloads it), `folds` (the number of EmoBox's folds, where they keep speakers
        apart), `licence`, `source`, `citation` and `notes`. `load_corpus` reads each of them.

    See Also
    --------
    load_corpus : Load one.

    Examples
    --------
    >>> from sklearn_ser.datasets import list_corpora
    >>> corpora = list_corpora()
    >>> corpora.loc["EMOVO", ["language", "licence"]].tolist()
    ['Italian', 'free for research']
    >>> corpora.index[corpora["language"] == "Polish"].tolist()
    ['nEMO', 'Polish']
    """
    import pandas as pd

    rows = [
        {
            "name": row.name,
            "language": row.languages,
            "n_clips": row.n_clips,
            "n_speakers": row.n_speakers,
            "emotions": ", ".join(sorted(set(row.emotions.values()))),
            "found_by": "file names" if row.patterns else ", ".join(row.tables) or row.loader,
            "fetch": row.fetch or ("fetch_corpus" if row.record else ""),
            "folds": len(row.folds.split("/")) if row.folds else 0,
            "licence": row.licence,
            "source": row.source,
            "citation": row.citation,
            "notes": row.notes,
        }
        for row in CORPORA.values()
    ]
    return pd.DataFrame(rows).set_index("name").astype({"n_speakers": "Int64"})
