"""MSP-Podcast and MSP-IMPROV, read from a local copy: emotions, values, and what each rater said."""

from __future__ import annotations

import re

from ..utils._messages import short
from ._base import check_emotions, check_folder
from ._corpora import CORPORA
from ._docs import documented
from ._recordings import NamedFiles, find_files, read_table
from ._values import DIMENSIONS, number, rated, values_bunch

_PODCAST, _IMPROV = CORPORA["msppodcast"], CORPORA["mspimprov"]
_COLUMNS = ("EmoAct", "EmoVal", "EmoDom")
_UNCERTAIN = {"O": "other", "X": "no agreement"}
_SCENARIOS = {"P": "natural", "R": "read", "S": "improvised", "T": "target improvised"}
_DETAIL = re.compile(r"\s*([^;]*);\s*([^;]*);\s*([^;]*);\s*A:([^;]*);\s*V:([^;]*);\s*D:([^;]*)")


@documented(_PODCAST)
def load_msp_podcast(path, *, emotions=None, return_X_y=False):
    """Load a local copy of MSP-Podcast: English speech of podcasts with emotions, values and raters' forms.

    Parameters
    ----------
    path : str or path-like
        Folder of the corpus, with `labels_consensus.csv`, the clips, and perhaps `labels_detailed.csv`, at any depth.
    <some emotions>
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 7)
            Columns `path`, `speaker` ("Unknown" where it is), `sex`, `partition` ("Train", "Test1" ...), and `arousal`,
            `valence` and `dominance`, the raters' means from 1 to 7.
        <bunch>
        <ratings>
    <read>

    Examples
    --------
    >>> from sklearn_ser.datasets import load_msp_podcast
    >>> corpus = load_msp_podcast("MSP-PODCAST", emotions="all")  # doctest: +SKIP
    >>> X, y = corpus.data, corpus.values[["arousal", "valence"]]  # doctest: +SKIP
    """
    emotions, codes, folder = _prepare(_PODCAST, path, emotions)
    labels = _lines(folder, r"labels_con[sc]ensus\.csv", _PODCAST)
    facts = [
        {
            "clip": _name(line["FileName"]),
            "speaker": str(line.get("SpkrID", "Unknown")),
            "sex": {"male": "male", "female": "female"}.get(str(line.get("Gender")).casefold()),
            "partition": line.get("Split_Set"),
            **{
                name: number(line[column])
                for name, column in zip(DIMENSIONS, ("EmoAct", "EmoVal", "EmoDom"), strict=True)
            },
            "emotion": codes.get(line["EmoClass"]),
        }
        for line in labels
    ]
    ratings = [row for line in _lines(folder, r"labels_detailed\.csv") for row in _podcast_form(line)]
    return _assemble(_PODCAST, folder, facts, ratings, emotions, return_X_y)


@documented(_IMPROV)
def load_msp_improv(path, *, emotions=None, return_X_y=False):
    """Load a local copy of MSP-IMPROV: English dialogues of twelve actors with emotions, values and raters' forms.

    Parameters
    ----------
    path : str or path-like
        Folder of the corpus, with `Evalution.txt` (so it is spelt) and the clips, at any depth.
    <some emotions>
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 9)
            Columns `path`, `speaker` ("F01" to "M06"), `sex`, `session` (int; its two actors talk to each other),
            `text` (the code of the target sentence), `scenario` ("read", "target improvised", "improvised" or
            "natural"), and `arousal`, `valence` and `dominance`, the raters' means from 1 to 5.
        <bunch>
        <ratings>
    <read>

    Examples
    --------
    >>> from sklearn_ser.datasets import load_msp_improv
    >>> corpus = load_msp_improv("MSP-IMPROV")  # doctest: +SKIP
    """
    emotions, codes, folder = _prepare(_IMPROV, path, emotions)
    files = find_files(folder, lambda name: re.fullmatch(r"Evalu(?:a)?tion\.txt", name, re.IGNORECASE) is not None)
    if not files:
        raise FileNotFoundError(f"{_IMPROV.name}: no labels found in {folder}. Expected Evalution.txt there or below.")
    facts, ratings, clip = [], [], ""
    for line in min(files).read_text(encoding="utf-8", errors="replace").splitlines():
        fields = [field.strip() for field in line.split(";")]
        values = dict(field.split(":", 1) for field in fields if re.match(r"[AVDN]:", field))
        values = {name: number(values.get(name[0].upper())) for name in DIMENSIONS}
        clip_parts = re.fullmatch(r"(?:UTD|MSP)-IMPROV-(S\d+[A-Z])-([FM])(\d\d)-([PRST])-\w+", _name(fields[0]))
        if clip_parts:
            sentence, sex, session, scenario = clip_parts.groups()
            clip = "MSP" + _name(fields[0])[3:]
            who = {"speaker": sex + session, "sex": "female" if sex == "F" else "male", "session": int(session)}
            what = {"text": sentence, "scenario": _SCENARIOS[scenario], **values, "emotion": codes.get(fields[1])}
            facts.append({"clip": clip, **who, **what})
        elif clip and len(fields) > 1:
            ratings += rated(clip, fields[0], [fields[1]], values)
    return _assemble(_IMPROV, folder, facts, ratings, emotions, return_X_y)


def _prepare(row, path, emotions):
    """Return the emotions to keep, the codes of all, and the folder."""
    codes = {**row.emotions, **_UNCERTAIN}
    if isinstance(emotions, str) and emotions == "all":
        emotions = tuple(codes.values())
    named = tuple(row.emotions.values())
    emotions = named if emotions is None else check_emotions(emotions, (*named, *_UNCERTAIN.values()), row.name)
    return emotions, codes, check_folder(path)


def _lines(folder, name, row=None):
    """Return the lines of a table of labels as dicts; none if it is not there and `row` does not need it."""
    files = find_files(folder, lambda own: re.fullmatch(name, own) is not None)
    if row and not files:
        raise FileNotFoundError(
            f"{row.name}: no labels found in {folder}. Expected labels_consensus.csv there or below."
        )
    return read_table(min(files)).to_dict("records") if files else []


def _name(file):
    return re.sub(r"\.\w+$", "", str(file).strip())


def _podcast_form(line):
    """Return what a rater said: in columns of its own, or in one, as releases differ."""
    clip = _name(line["FileName"])
    if "EmoDetail" in line:
        match = _DETAIL.match(str(line["EmoDetail"]))
        if not match:
            raise ValueError(f"labels_detailed.csv: the form of {clip} cannot be read: {short(line['EmoDetail'])}.")
        rater, chief, _, *values = match.groups()
    else:
        rater = next((line[name] for name in ("WorkerID", "Workers", "Worker", "Annotator") if name in line), None)
        chief, values = line["EmoClass_Major"], [line[name] for name in _COLUMNS]
    return rated(clip, str(rater), [str(chief)], dict(zip(DIMENSIONS, map(number, values), strict=True)))


def _assemble(row, folder, facts, ratings, emotions, return_X_y):
    facts = [clip for clip in facts if clip["emotion"] is not None]
    files = NamedFiles(folder).find(clip["clip"] for clip in facts)
    clips = [{"path": str(paths[0]), **clip} for clip, paths in zip(facts, files, strict=True) if paths]
    missing = [
        clip["clip"] for clip, paths in zip(facts, files, strict=True) if not paths and clip["emotion"] in emotions
    ]
    if not clips:
        raise FileNotFoundError(f"{row.name} in {folder}: none of the {len(facts)} labeled clips has an audio file.")
    known = {"row": row, "folder": folder, "where": "it", "emotions": emotions, "return_X_y": return_X_y}
    return values_bunch(clips, missing, ratings, **known, stacklevel=4)
