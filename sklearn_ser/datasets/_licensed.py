"""Corpora whose licences allow no download: CASIA and IEMOCAP, read from a local copy."""

import re

from ._base import check_emotions, check_folder, make_bunch
from ._corpora import CORPORA
from ._docs import documented
from ._recordings import find_clips, find_recordings, is_hidden
from ._values import DIMENSIONS, number, rated, values_bunch

_CASIA, _IEMOCAP = CORPORA["casia"], CORPORA["iemocap"]
_CASIA_EMOTIONS, _IEMOCAP_EMOTIONS = _CASIA.emotions, _IEMOCAP.emotions
_IEMOCAP_LINE = re.compile(r"\[[^\]]*\]\s+((Ses\d\d)\w+_([FM])\w+)\s+([a-z]{3})\s+\[([^,]+),([^,]+),([^\]]+)\]")
_IEMOCAP_FORM = re.compile(r"([CA])-([A-Z]\d+):\s*(.*)")


@documented(_CASIA)
def load_casia(path, *, emotions=None, return_X_y=False):
    """Load a local copy of CASIA, Mandarin emotional speech.

    Parameters
    ----------
    path : str or path-like
        Folder of the corpus: one folder a speaker, in it one folder an emotion (angry, fear, happy, neutral, sad,
        surprise), in it the WAV files. Folders above the speakers' do not matter.
    <emotions>
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 4)
            Columns `path`, `speaker`, `sex` (missing values: the corpus' names do not tell it) and `text` (the file
            name, which numbers the sentences), sorted by speaker, emotion and file name.
        <bunch>
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    FileNotFoundError
        If `path` is no folder or holds no clip in this layout.
    ValueError
        If `emotions` names anything else.

    References
    ----------
    <citation>

    Examples
    --------
    >>> from sklearn_ser.datasets import load_casia
    >>> corpus = load_casia("CASIA", emotions=["anger", "sadness"])  # doctest: +SKIP
    """
    emotions = check_emotions(emotions, _CASIA_EMOTIONS.values(), "CASIA")
    folder = check_folder(path)
    clips = [
        {
            "path": clip["path"],
            "speaker": clip["speaker"],
            "sex": None,
            "text": clip["text"],
            "emotion": clip["emotion"],
        }
        for clip in find_clips(folder, _CASIA.read)[0]
    ]
    if not clips:
        raise FileNotFoundError(
            f"CASIA: no clip found in {folder}. Expected <speaker>/<emotion>/<text>.wav with the emotions "
            f"{', '.join(_CASIA_EMOTIONS)}."
        )
    clips.sort(key=lambda clip: (clip["speaker"], clip["emotion"], clip["text"], clip["path"]))
    return make_bunch(clips, emotions=emotions, title="CASIA", descr=_CASIA.describe(), return_X_y=return_X_y)


@documented(_IEMOCAP)
def load_iemocap(path, *, emotions=("anger", "happiness", "neutral", "sadness"), return_X_y=False):
    """Load a local copy of IEMOCAP, English dialogues of ten actors cut into labeled turns.

    Parameters
    ----------
    path : str or path-like
        Folder that holds `Session1` to `Session5` (or some of them), such as `IEMOCAP_full_release`. Labels come from
        `SessionN/dialog/EmoEvaluation/*.txt`, clips from anywhere in `SessionN/sentences/wav`.
    emotions : list of str or None, default=("anger", "happiness", "neutral", "sadness")
        Keep only turns of these emotions. The default is the field's usual four classes; None adds disgust, fear and
        surprise. Excitement counts as happiness; turns labeled otherwise are never loaded.
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 9)
            Columns `path`, `speaker` (session and sex of whoever speaks: "Ses01F"), `sex`, `session` (int), `dialog`,
            `scenario` ("improvised" or "scripted"), `valence`, `activation` and `dominance` (1 to 5), sorted by file
            name.
        <bunch>
        values : DataFrame of shape (n_clips, 3)
            `arousal` (the column `activation`), `valence` and `dominance` again, by the turn's name: y of a regressor.
        ratings : DataFrame of shape (n_ratings, 4)
            Answers of each rater, for `aggregate_ratings`: `clip`, `rater` ("E2"; "F1" and "M1" are actors, of
            themselves), `dimension` ("emotion", "emotion 2" where a rater named several, "arousal" ...) and `value`.
    <read>

    Examples
    --------
    >>> from sklearn_ser.datasets import load_iemocap
    >>> corpus = load_iemocap("IEMOCAP_full_release")  # doctest: +SKIP
    >>> corpus.data.shape  # doctest: +SKIP
    (5531, 9)
    """
    emotions = check_emotions(emotions, tuple(dict.fromkeys(_IEMOCAP_EMOTIONS.values())), "IEMOCAP")
    folder = check_folder(path)
    labels = sorted(folder.glob("Session*/dialog/EmoEvaluation/*.txt"))
    turns = [turn for file in labels if not is_hidden(file.name) for turn in _read_evaluation(file)]
    if not turns:
        raise FileNotFoundError(
            f"IEMOCAP: no labeled turn found in {folder}. Expected SessionN/dialog/EmoEvaluation/*.txt; the folder to "
            "name is the one that holds Session1 to Session5."
        )
    audio = {}
    for session in sorted(folder.glob("Session*/sentences/wav")):
        audio.update({file.stem: str(file) for file in find_recordings(session)})
    clips, missing = [], []
    for name, turn in sorted(turns, key=lambda turn: turn[0]):
        if name in audio:
            clips.append({"path": audio[name], "clip": name, **turn})
        elif turn["emotion"] in emotions:
            missing.append(name)
    if not clips:
        raise FileNotFoundError(
            f"IEMOCAP in {folder}: none of the {len(turns)} labeled turns has a WAV file in SessionN/sentences/wav."
        )
    return values_bunch(
        clips,
        missing,
        [rating for file in labels if not is_hidden(file.name) for rating in _read_forms(file)],
        row=_IEMOCAP,
        folder=folder,
        where="SessionN/sentences/wav",
        emotions=emotions,
        return_X_y=return_X_y,
    )


def _read_forms(file):
    """Return what each rater said of each turn, also actors of themselves, as rows of ratings."""
    ratings, clip = [], ""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        head, form = _IEMOCAP_LINE.match(line), _IEMOCAP_FORM.match(line)
        clip = head[1] if head else clip if line.strip() else ""
        if form and clip:
            said = form[3].partition("(")[0].split(";")
            values = dict(re.findall(r"(act|val|dom)\s+(\d+)", form[3])) if form[1] == "A" else {}
            values = {
                name: number(values.get(code)) for name, code in zip(DIMENSIONS, ("act", "val", "dom"), strict=True)
            }
            ratings += rated(clip, form[2], said if form[1] == "C" else [], values)
    return ratings


def _read_evaluation(file):
    """Return (name, facts) of every turn that has one of our emotions in a file of labels."""
    turns = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _IEMOCAP_LINE.match(line)
        if match is None or match[4] not in _IEMOCAP_EMOTIONS:
            continue
        facts = {
            "speaker": match[2] + match[3],
            "sex": "female" if match[3] == "F" else "male",
            "session": int(match[2][3:]),
            "dialog": match[1].rpartition("_")[0],
            "scenario": "improvised" if "impro" in match[1] else "scripted",
            "valence": float(match[5]),
            "activation": float(match[6]),
            "dominance": float(match[7]),
            "emotion": _IEMOCAP_EMOTIONS[match[4]],
        }
        turns.append((match[1], facts))
    return turns
