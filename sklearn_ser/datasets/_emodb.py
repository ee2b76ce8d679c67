"""The Berlin Database of Emotional Speech (EMO-DB)."""

import re
from functools import partial
from importlib.resources import files
from pathlib import Path

from ..utils._messages import short
from ._archive import download_archive
from ._base import Corpus, check_emotions, find_clips, get_data_home, make_bunch, obtain
from ._download import file_hash, set_aside

URL = "https://emodb.bilderbar.info/download/download.zip"
_TITLE = "EMO-DB"
_SOURCE = f"{URL} (licence CC0-1.0)"
_N_CLIPS = 535
_EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "N": "neutral",
    "T": "sadness",
}
_SPEAKERS = {
    "03": ("male", 31),
    "08": ("female", 34),
    "09": ("female", 21),
    "10": ("male", 32),
    "11": ("male", 26),
    "12": ("male", 30),
    "13": ("female", 32),
    "14": ("female", 35),
    "15": ("male", 25),
    "16": ("female", 31),
}
_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])", re.IGNORECASE)
_DESCR = """Berlin Database of Emotional Speech (EMO-DB)

535 clips of ten actors (five women, five men) who speak ten German sentences in seven emotions: anger 127, boredom 81,
disgust 46, fear 69, happiness 71, neutral 79, sadness 62. WAV, 16 kHz, mono, 16 bit, 1.2 to 9.0 s, 25 min in all.

Columns of data: path; speaker; sex; age in years; text, the code of the sentence; version, a letter that tells apart
repetitions; recognised and natural, the fractions of 20 listeners who named the acted emotion and who found the clip
natural (from erkennung.txt, which is part of the corpus; NaN where that file is missing).

What listeners achieved: 0.94 of them named the emotion of a published clip (mean over emotions 0.93). That is more than
listeners can do, because of 816 recorded clips only those were published that at least 0.80 of them recognised; over
all 816 the fraction was 0.85.

Oddities: speaker 08 has no clip of disgust, so that in her fold a mean over classes is one over six classes: pool the
predictions of all folds before scoring. Only clips that listeners recognised were published, so classes and speakers
are unbalanced.

Licence: CC0-1.0. Source: http://emodb.bilderbar.info

F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier and B. Weiss (2005), "A Database of German Emotional Speech",
Proc. Interspeech, 1517-1520.
"""


def fetch_emodb(data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load the 535 clips of EMO-DB, German emotional speech of ten actors, downloading them if necessary.

    =================   ==============================================================================
    Clips               535 (16 kHz, mono, 1.2 to 9.0 s)
    Speakers            10
    Emotions            anger, boredom, disgust, fear, happiness, neutral, sadness
    Language            German
    Licence             CC0-1.0
    =================   ==============================================================================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that holds `emodb`; there, in any folders below, clips are known by their file names. By default the
        environment variable SKLEARN_SER_DATA, or else `~/sklearn_ser_data`.
    emotions : list of str, default=None
        Keep only clips of these emotions; by default all seven.
    download_if_missing : bool, default=True
        Whether to download the corpus (about 40 MB) if no clip is found, or the rest of it after an interruption.
    return_X_y : bool, default=False
        Whether to return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 8)
            Columns `path`, `speaker`, `sex` ("female" or "male"), `age` (years), `text` (the sentence's code),
            `version`, `recognised` and `natural` (fractions of 20 listeners who named the acted emotion, and who found
            the clip natural; NaN where the corpus' `erkennung.txt` is missing), sorted by file name.
        target : ndarray of str, shape (n_clips,)
            The emotions.
        speaker : ndarray of str, shape (n_clips,)
            The column `speaker` again, to be passed as `groups`.
        target_names : list of str
            The emotions present, sorted.
        name : str
            "EMO-DB".
        DESCR : str
            Origin, licence, counts and oddities.
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    FileNotFoundError
        If no clip is found and `download_if_missing` is False.
    FetchError
        If the download fails, or cannot be kept; the message names the address, the file, and what to do. Where a
        server fails, it is a ConnectionError, too; where what came is not as published, a ValueError. What has arrived
        is kept and the next call resumes from there; what cannot be used is kept as `*.mismatch`, and asked for anew.
    ValueError
        If `emotions` names anything else.

    Warns
    -----
    UserWarning
        If fewer than 535 clips are found.

    See Also
    --------
    make_emotional_speech : Synthetic speech that needs no corpus.

    References
    ----------
    .. [1] F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier and B. Weiss (2005), "A Database of German Emotional
       Speech", Proc. Interspeech, 1517-1520.

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_emodb
    >>> corpus = fetch_emodb()  # doctest: +SKIP
    >>> corpus.data.shape, corpus.target_names[:3]  # doctest: +SKIP
    ((535, 8), ['anger', 'boredom', 'disgust'])
    """
    emotions = check_emotions(emotions, _EMOTIONS.values(), _TITLE)
    corpus = Corpus(
        title=_TITLE,
        folder=get_data_home(data_home) / "emodb",
        part="emodb",
        n_clips=_N_CLIPS,
        parse=_parse,
        download=partial(download_archive, url=URL, name="emodb-download.zip", verify=_verify, downgrade=True),
        source=_SOURCE,
    )
    clips = _add_listeners(obtain(corpus, download_if_missing), corpus.folder)
    return make_bunch(clips, emotions=emotions, title=_TITLE, descr=_DESCR, return_X_y=return_X_y)


def _parse(stem):
    match = _NAME.fullmatch(stem)
    if match is None or match[1] not in _SPEAKERS:
        return None
    sex, age = _SPEAKERS[match[1]]
    return {
        "speaker": match[1],
        "sex": sex,
        "age": age,
        "text": match[2].lower(),
        "version": match[4].lower(),
        "emotion": _EMOTIONS[match[3].upper()],
    }


def _add_listeners(clips, folder):
    """Clips with the fractions of listeners who recognised their emotion, and who found them natural."""
    lists = _lists(folder)
    fractions = _read_listeners(lists[0]) if lists else {}
    unknown = [float("nan")] * 2
    return [
        {
            **clip,
            **dict(
                zip(("recognised", "natural"), fractions.get(Path(clip["path"]).name.lower(), unknown), strict=True)
            ),
        }
        for clip in clips
    ]


def _lists(folder):
    return sorted(path for path in folder.rglob("erkennung.txt") if path.is_file())


def _read_listeners(path):
    """Both fractions by file name.

    Lines of the list read "1 <tab> 03a01Ab.wav <tab> 65,00 <tab> 35,00", padded with non-breaking spaces, in latin-1.
    """
    fractions = {}
    for line in path.read_text(encoding="latin-1").splitlines()[1:]:
        if len(line.split()) != 4:
            continue
        _, name, *percents = line.split()
        try:
            both = [float(percent.replace(",", ".")) / 100 for percent in percents]
        except ValueError:
            both = [-1.0]
        if not all(0 <= fraction <= 1 for fraction in both):
            raise ValueError(
                f"{path} is damaged: the line of {short(name)} holds no two percentages, but {short(percents)}."
            )
        fractions[name.lower()] = both
    return fractions


def _published_sums():
    """SHA-256 of every published clip by file name."""
    lines = files(__package__).joinpath("emodb_sha256.txt").read_text(encoding="ascii").splitlines()
    return {name: value for value, name in (line.split() for line in lines)}


def _verify(folder):
    """Set aside what is not as published; the archive itself has no published checksum."""
    sums = {name.lower(): value for name, value in _published_sums().items()}
    wrong = []
    for clip in find_clips(folder, _parse):
        path = Path(clip["path"])
        expected, got = sums.get(path.name.lower()), file_hash(path, "sha256")
        if got != expected:
            wrong.append(f"{path.name} (expected {expected}, got {got})")
            set_aside(path)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(
            f"{len(wrong)} clips differ from the published SHA-256 sums and were renamed to *.mismatch: "
            f"{', '.join(wrong[:3])}{more}."
        )
    for path in _lists(folder):
        try:
            _read_listeners(path)
        except ValueError:
            set_aside(path)
            raise
