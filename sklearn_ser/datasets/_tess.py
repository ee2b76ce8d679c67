"""The Toronto Emotional Speech Set (TESS)."""

import re
from pathlib import Path

from ..utils._messages import short
from ._base import Corpus, check_emotions, find_recordings, get_data_home, make_bunch, obtain
from ._download import TIMEOUT, download_file
from ._errors import UnusableFileError

API = "https://borealisdata.ca/api"
_DOI = "doi:10.5683/SP2/E8H2MF"
_TITLE = "TESS"
_SOURCE = "https://doi.org/10.5683/SP2/E8H2MF (licence CC BY-NC-ND 4.0)"
_N_CLIPS = 2800
_EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
_AGES = {"OAF": 64, "YAF": 26}
# One file of the older speaker is published as OA_bite_neutral.wav.
_NAME = re.compile(r"(OAF|YAF|OA)_([a-z']+)_(angry|disgust|fear|happy|neutral|ps|sad)", re.IGNORECASE)
_DESCR = """Toronto Emotional Speech Set (TESS)

2800 clips of two actresses (OAF, 64 years; YAF, 26 years), who speak 200 English words in a carrier phrase in seven
emotions: anger, disgust, fear, happiness, neutral, sadness and (pleasant) surprise, 400 clips each. WAV, 24414 Hz.

Columns of data: path; speaker; sex; age in years; text, the word.

Oddities of the published files: OAF_food_fear is sampled at 96 kHz; YAF_germ_angry and YAF_neat_fear are AIFF inside;
OA_bite_neutral is one of OAF. Some copies hold the corpus twice: each clip is taken once. With two speakers, leaving
one speaker out trains on a single voice.

Licence: CC BY-NC-ND 4.0. Source: https://doi.org/10.5683/SP2/E8H2MF

M. K. Pichora-Fuller and K. Dupuis (2020), "Toronto emotional speech set (TESS)", Borealis, doi:10.5683/SP2/E8H2MF.
"""


def fetch_tess(data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load the 2800 clips of TESS, English emotional speech of two actresses, downloading them if necessary.

    =================   ==============================================================================
    Clips               2800 (24414 Hz, about 2 s)
    Speakers            2
    Emotions            anger, disgust, fear, happiness, neutral, sadness, surprise
    Language            English
    Licence             CC BY-NC-ND 4.0
    =================   ==============================================================================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that holds `tess`; there, in any folders below, clips are known by their file names. By default the
        environment variable SKLEARN_SER_DATA, or else `~/sklearn_ser_data`.
    emotions : list of str, default=None
        Keep only clips of these emotions; by default all seven.
    download_if_missing : bool, default=True
        Whether to download the corpus, clip by clip, if none is found, or the rest of it after an interruption.
    return_X_y : bool, default=False
        Whether to return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 5)
            Columns `path`, `speaker` ("OAF" or "YAF"), `sex` ("female"), `age` (years) and `text` (the word spoken),
            sorted by file name.
        target : ndarray of str, shape (n_clips,)
            The emotions.
        speaker : ndarray of str, shape (n_clips,)
            The column `speaker` again, to be passed as `groups`.
        target_names : list of str
            The emotions present, sorted.
        name : str
            "TESS".
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
        If fewer than 2800 clips are found.

    References
    ----------
    .. [1] M. K. Pichora-Fuller and K. Dupuis (2020), "Toronto emotional speech set (TESS)", Borealis,
       doi:10.5683/SP2/E8H2MF.

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_tess
    >>> corpus = fetch_tess()  # doctest: +SKIP
    >>> corpus.data.shape  # doctest: +SKIP
    (2800, 5)
    """
    emotions = check_emotions(emotions, _EMOTIONS.values(), _TITLE)
    corpus = Corpus(
        title=_TITLE,
        folder=get_data_home(data_home) / "tess",
        part="tess",
        n_clips=_N_CLIPS,
        parse=_parse,
        download=_download,
        source=_SOURCE,
    )
    clips = obtain(corpus, download_if_missing)
    return make_bunch(clips, emotions=emotions, title=_TITLE, descr=_DESCR, return_X_y=return_X_y)


def _parse(stem):
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    speaker = "YAF" if match[1].upper() == "YAF" else "OAF"
    return {
        "speaker": speaker,
        "sex": "female",
        "age": _AGES[speaker],
        "text": match[2].lower(),
        "emotion": _EMOTIONS[match[3].lower()],
    }


def _download(folder, complete):
    """Download every clip that is not there, or not as the archive lists it."""
    import requests
    from tqdm import tqdm

    if complete:
        return
    with requests.Session() as session:
        there = {path.name.lower(): path for path in find_recordings(folder)}
        for name, identifier, size, md5 in tqdm(_list_files(session), desc=_TITLE, unit="clip"):
            path = there.get(name.lower(), folder / name)
            url = f"{API}/access/datafile/{identifier}"
            download_file(url, path, size=size, md5=md5, session=session, progress=False)


def _list_files(session):
    """Return (name, identifier, size, MD5) of every clip in the Dataverse."""
    url = f"{API}/datasets/:persistentId/?persistentId={_DOI}"
    answer = session.get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    remedy = "Try again later, or put a copy from elsewhere into the corpus folder."
    try:
        data = answer.json()["data"]
        entries = data.get("latestVersion", data)["files"]
        files = [_describe(entry) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"The list of files of {_TITLE} at {url} cannot be read ({short(error)})."
        raise UnusableFileError(reason, url, remedy=remedy) from error
    # Only names that are clips, with no folder in them: what a server lists must not choose where we write.
    clips = [file for file in files if Path(file[0]).suffix.lower() == ".wav" and _parse(Path(file[0]).stem)]
    clips = [file for file in clips if Path(file[0]).name == file[0] and len(file[0]) < 100]
    if not clips:
        raise UnusableFileError(f"The list of files of {_TITLE} at {url} names no clip.", url, remedy=remedy)
    return clips


def _describe(entry):
    """Name, identifier, size and MD5 of a file; a size or sum that cannot be one is an error."""
    file = entry["dataFile"]
    checksum = file.get("checksum") or {}
    md5 = file.get("md5") or (checksum.get("value") if checksum.get("type", "").upper() == "MD5" else None)
    size = file.get("filesize")
    if size is not None and not (isinstance(size, int) and size >= 0):
        raise ValueError(f"filesize={short(size)}")
    if md5 is not None and not re.fullmatch("[0-9a-fA-F]{32}", md5):
        raise ValueError(f"md5={short(md5)}")
    return file.get("filename") or entry["label"], int(file["id"]), size, md5
