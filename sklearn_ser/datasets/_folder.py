"""load_folder: anybody's corpus, whose labels are in names, in folders, or in a table beside the clips."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ..utils._messages import short
from ._base import check_folder, make_bunch
from ._pattern import Pattern, normalized
from ._recordings import EXTENSIONS, NamedFiles, bare, find_recordings, inside, read_table
from ._row import SEXES

_WORDS = {"anger": "angry", "boredom": "bored", "calm": "calmness", "disgust": "disgusted", "fear": "fearful afraid"}
_WORDS |= {"happiness": "happy joy joyful", "neutral": "neutrality", "sadness": "sad", "surprise": "surprised"}
_ENGLISH = {word: emotion for emotion, words in _WORDS.items() for word in (emotion, *words.split())}
_PATHS = ("path", "file", "filename", "file_name", "file_id", "filepath", "clip", "audio", "wav", "name")
_NUMBERS = ("start", "end", "age", "arousal", "valence", "dominance")
_COLUMNS = {"speaker": "speaker_id spk", "sex": "gender", "age": "", "text": "", "start": "", "end": "", "corpus": ""}
_UNKNOWN = object()
_LABELS = ("emotion", "label", "emo", "class", "target")


def load_folder(
    path,
    pattern=None,
    *,
    emotions=None,
    labels=None,
    columns=None,
    name=None,
    language=None,
    return_X_y=False,
):
    """Load any corpus: clips whose emotions are in their names, in those of their folders, or in a table.

    Parameters
    ----------
    path : str or path-like
        Folder of the corpus. Clips are looked for at any depth, as WAV, FLAC, MP3, MP4 and the like.
    pattern : str
        How names are read, such as ``"{speaker}_{text}_{emotion}_*"``: `{field}` is any text, and becomes a column;
        `{speaker:2}` has two characters; `{text:[a-z]+}` is text that the regular expression matches; `*` is any text,
        also none. Slashes separate folders; the extension of audio does not count. There must be a field `emotion`;
        `sex` becomes "female" or "male". By default, folders are labels: of the folders above a clip, the one that is
        an emotion (a key of `emotions`, or an English word such as "angry"), at any depth. A folder with another label
        counts where it lies as deep as most of these; where no folder is an emotion, each clip's own folder is its
        label.
    emotions : mapping from str to str, default=None
        Emotions by the corpus' own labels, such as ``{"W": "anger"}``; other labels do not match. By default, English
        words such as "angry" and "happy" get their names in this library, and any other label stays as it is.
    labels : str, path-like or DataFrame, default=None
        A table that says what the clips are, in place of `pattern`: a CSV or TSV file in the folder, or elsewhere, with
        a column of file names (with folders, as far as they tell clips apart) and a column of emotions. All other
        columns are kept; `speaker_id` and `gender` become `speaker` and `sex`, and capitals do not matter.
    columns : mapping from str to str, default=None
        New names of the table's columns, such as ``{"wav": "path", "feeling": "emotion", "actor": "speaker"}``.
        Without it, usual names of the two are recognized, such as `file`, `filename`, `label`.
    name : str, default=None
        Name of the corpus; by default that of its folder.
    language : str, default=None
        Its language, for the column `language`.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, n_columns)
            Columns `path`, `corpus`, `language` if it is given, and the fields or the table's columns.
        target : ndarray of str, shape (n_clips,)
            The emotions.
        speaker : ndarray of str, shape (n_clips,), or None
            The column `speaker` again, to be passed as `groups`.
        target_names : list of str
            The emotions present, sorted.
        name, DESCR : str
            Name of the corpus, and counts.
        unmatched : list of str
            Audio files that do not match, and lines of the table that have no file.
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    FileNotFoundError
        If the folder or the table is not there, or the folder holds no audio.
    ValueError
        If no clip matches (the message says why the first does not); if a name can be read in two ways, or a line of
        the table means two files; if a line has no emotion.

    Warns
    -----
    UserWarning
        If some clips do not match; `unmatched` lists them.

    See Also
    --------
    load_corpus : Corpora that are known by name.

    Examples
    --------
    >>> from sklearn_ser.datasets import load_folder
    >>> corpus = load_folder("recordings", "{speaker}_{text}_{emotion}_*", emotions={"W": "anger", "T": "sadness"},
    ...                      language="German")  # doctest: +SKIP
    >>> corpus = load_folder("recordings", labels="labels.csv", columns={"file": "path"})  # doctest: +SKIP
    """
    folder = check_folder(path)
    if emotions is not None and not (isinstance(emotions, Mapping) and emotions):
        raise TypeError(f"emotions must map labels to emotions, such as {{'W': 'anger'}}. Got {short(emotions)}.")
    name = folder.name if name is None else name
    words = _ENGLISH if emotions is None else {normalized(str(label)): word for label, word in emotions.items()}
    if labels is None:
        clips, others = _by_pattern(folder, pattern, words, closed=emotions is not None)
    else:
        clips, others = _by_table(folder, labels, columns or {}, words, closed=emotions is not None)
    if others:
        first, why = next(iter(others.items()))
        if not clips:
            raise ValueError(f"No clip of {folder} matches. The first, {first}, does not, because {why}.")
        warnings.warn(
            f"{len(others)} of {len(clips) + len(others)} are left out of {name}, and listed in `unmatched`. The first "
            f"is {first}: {why}.",
            UserWarning,
            stacklevel=2,
        )
    known = {"path": None, "corpus": name, **({} if language is None else {"language": language})}
    clips = [{**known, **clip} for clip in clips]
    counts = Counter(clip["emotion"] for clip in clips)
    descr = f"{name}\n\n{len(clips)} clips in {folder}: {', '.join(f'{e} {n}' for e, n in sorted(counts.items()))}."
    bunch = make_bunch(clips, emotions=tuple(counts), title=name, descr=descr, return_X_y=return_X_y)
    if not return_X_y:
        bunch.unmatched = list(others)
    return bunch


def _by_pattern(folder, template, words, closed):
    """Return the clips whose names match, and why others do not, by their path."""
    if template is None:
        return _by_folders(folder, words, closed)
    if not isinstance(template, str):
        raise TypeError(f"pattern must be a string such as '{{speaker}}_{{emotion}}'. Got {short(template)}.")
    template = bare(template)
    pattern = Pattern(template, {"emotion": words} if closed else None)
    if "emotion" not in pattern.fields or "path" in pattern.fields:
        raise ValueError(f"pattern must have a field {{emotion}}, and none called path. Got {short(template)}.")
    clips = []
    paths, others = _each_once(folder)
    for path in paths:
        name = bare(inside(path, folder))
        found = pattern.match(name)
        if found is None:
            others[str(path)] = pattern.explain(name)
            continue
        facts, again = found[0], pattern.other_reading(name)
        if again:
            raise ValueError(
                f"{path} can be read in two ways: {short(facts)} and {short(again)}. Say more of the fields of "
                f"{template!r}: {{speaker:2}} has two characters, {{speaker:[a-z]+}} letters only."
            )
        clips.append(_clip(path, facts, words))
    return [clip for clip in clips if clip["emotion"] is not None], others


def _by_folders(folder, words, closed):
    """Return the clips by the folder that is an emotion, and why others are left out."""
    paths, others = _each_once(folder)
    above = {path: inside(path, folder).split("/")[-2::-1] for path in paths}  # the innermost first
    known = {}
    for path, folders in above.items():
        places = [n for n, name in enumerate(folders) if _emotion(name, words, _UNKNOWN) is not _UNKNOWN]
        if len({_emotion(folders[n], words, None) for n in places}) > 1:
            raise ValueError(
                f"{path} can be read in two ways: its folders {folders[places[-1]]!r} and {folders[places[0]]!r} are "
                "both emotions. Let pattern say which one counts, such as '{emotion}/*' for the innermost."
            )
        known[path] = places[0] if places else None
    usual = Counter(place for place in known.values() if place is not None).most_common(1)
    usual = usual[0][0] if usual else 0
    clips = []
    for path, folders in above.items():
        place = usual if known[path] is None else known[path]
        if known[path] is None and (closed or place >= len(folders)):
            names = f" (one of {', '.join(map(repr, words))})" if closed else ""
            others[str(path)] = f"none of its folders is an emotion{names}" if folders else "it lies in no folder"
        else:
            clips.append(_clip(path, {"emotion": folders[place]}, words))
    return [clip for clip in clips if clip["emotion"] is not None], others


def _each_once(folder):
    """Return the recordings in a folder, each in one format, and why copies in other formats are left out."""
    first: dict = {}
    others = {}
    for path in _recordings(folder):
        taken = first.setdefault(path.with_suffix(""), path)
        if taken is not path:
            others[str(path)] = f"it is another format of {taken.name}"
    return list(first.values()), others


def _by_table(folder, labels, columns, words, closed):
    """Return the clips that a table names, and why other files and lines are left out."""
    import pandas as pd

    table = _table(folder, labels, columns)
    names, files = table["path"].astype(str), NamedFiles(folder)
    rest = dict.fromkeys(map(str, _recordings(folder)), "no line of the table names it")
    clips, others, taken = [], {}, {}
    for n, (line, paths) in enumerate(zip(table.to_dict("records"), files.find(names), strict=True)):
        where = f"row {n} ({line['path']})"
        missing = [name for name in ("path", "emotion", "speaker") if name in line and pd.isna(line[name])]
        if missing:
            raise ValueError(f"The table has no {missing[0]} in {where}. Fill it in, or drop the row.")
        if len(paths) > 1:
            raise ValueError(
                f"The table's {where} names {len(paths)} files: {paths[0]} and {paths[1]}. Write their folders, too."
            )
        if not paths:
            others[where] = "no file has this name"
            continue
        if rest.pop(str(paths[0]), None) is None and (str(paths[0]), line.get("start")) in taken:
            raise ValueError(
                f"The table names {paths[0]} in row {taken[str(paths[0]), line.get('start')]} and {where}. Ratings of "
                "several people are joined by aggregate_ratings; parts of a file need columns start and end."
            )
        taken[str(paths[0]), line.get("start")] = n
        if closed and _emotion(line["emotion"], words, _UNKNOWN) is _UNKNOWN:
            others[where] = f"its emotion {line['emotion']!r} is none of {', '.join(map(repr, words))}"
            continue
        clips.append(_clip(paths[0], line, words))
    return [clip for clip in clips if clip["emotion"] is not None], {**others, **rest}


def _recordings(folder):
    found = find_recordings(folder, EXTENSIONS)
    if not found:
        raise FileNotFoundError(f"{folder} and the folders in it hold no audio file ({', '.join(EXTENSIONS)}).")
    return found


def _table(folder, labels, columns):
    """Return a table with columns `path` and `emotion`."""
    import pandas as pd

    if isinstance(labels, str | os.PathLike):
        file = folder / os.path.expanduser(labels)
        file = file if file.is_file() else Path(os.path.abspath(os.path.expanduser(labels)))
        if not file.is_file():
            raise FileNotFoundError(f"labels must be a table in {folder}, or elsewhere. Got labels={short(labels)}.")
        labels = read_table(file)
    elif not hasattr(labels, "columns"):
        raise TypeError(f"labels must be the path of a table, or a DataFrame. Got {short(labels)}.")
    unknown = [column for column in columns if column not in labels.columns]
    if unknown:
        raise ValueError(f"columns names {unknown[0]!r}, which the table lacks. It has {', '.join(labels.columns)}.")
    table = labels.rename(columns=dict(columns))
    for wanted, usual in (("path", _PATHS), ("emotion", _LABELS)):
        there = [column for column in table.columns if str(column).casefold() in usual]
        if wanted not in table and not there:
            raise ValueError(
                f"The table has no column {wanted!r}. Its columns are {', '.join(map(str, table.columns))}: say which "
                f"it is, such as columns={{{str(table.columns[0])!r}: {wanted!r}}}."
            )
        table = table if wanted in table else table.rename(columns={there[0]: wanted})
    for wanted, usual in _COLUMNS.items():
        there = [column for column in table.columns if str(column).casefold() in (wanted, *usual.split())]
        if wanted not in table and len(there) == 1:
            table = table.rename(columns={there[0]: wanted})
    for column in table.columns.intersection(_NUMBERS):
        values = pd.to_numeric(table[column], errors="coerce")
        wrong = (values.isna() & table[column].notna()).to_numpy()
        if not wrong.any():
            table[column] = values.astype(float)
        elif column != "age":  # which may be "twenties"
            row = int(wrong.argmax())
            raise ValueError(
                f"The table's column {column!r} must hold numbers. Got {short(table[column].iloc[row])} in row {row}."
            )
    return table


def _clip(path, facts, words):
    """Return a clip with the emotion and the sex in this library's words."""
    label = facts["emotion"]
    facts = dict(facts) | {"emotion": _emotion(label, words, normalized(label) if isinstance(label, str) else label)}
    if "sex" in facts:
        facts["sex"] = SEXES.get(str(facts["sex"]).casefold(), facts["sex"])
    return {**facts, "path": str(path)}


def _emotion(label, words, default):
    label = normalized(str(label))
    folded = {word.casefold(): emotion for word, emotion in words.items()}
    return words[label] if label in words else folded.get(label.casefold(), default)
