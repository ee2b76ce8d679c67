"""The Toronto Emotional Speech Set (TESS)."""

import re
from pathlib import Path

from ..utils._messages import short
from ._base import Corpus, check_emotions, make_bunch, obtain
from ._corpora import CORPORA
from ._docs import documented
from ._download import TIMEOUT, download_file
from ._errors import UnusableFileError
from ._recordings import find_recordings

API = "https://borealisdata.ca/api"
_DOI = "doi:10.5683/SP2/E8H2MF"
_ROW = CORPORA["tess"]
_EMOTIONS = _ROW.emotions
_N_CLIPS = _ROW.n_clips


@documented(_ROW)
def fetch_tess(data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load the 2800 clips of TESS, English emotional speech of two actresses, downloading them if necessary.

    <facts>

    Parameters
    ----------
    <data_home>
    <emotions>
    <download>
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 5)
            Columns `path`, `speaker` ("OAF" or "YAF"), `sex` ("female"), `age` (years) and `text` (the word spoken),
            sorted by file name.
        <bunch>
    <fetched>

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_tess
    >>> corpus = fetch_tess()  # doctest: +SKIP
    >>> corpus.data.shape  # doctest: +SKIP
    (2800, 5)
    """
    emotions = check_emotions(emotions, _EMOTIONS.values(), _ROW.name)
    clips = obtain(Corpus.of(_ROW, data_home, _download, n_clips=_N_CLIPS), download_if_missing)
    return make_bunch(clips, emotions=emotions, title=_ROW.name, descr=_ROW.describe(), return_X_y=return_X_y)


def _download(folder, complete):
    """Download every clip that is not there, or not as the archive lists it."""
    import requests
    from tqdm import tqdm

    if complete:
        return
    with requests.Session() as session:
        there = {path.name.lower(): path for path in find_recordings(folder)}
        for name, identifier, size, md5 in tqdm(_list_files(session), desc=_ROW.name, unit="clip"):
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
        reason = f"The list of files of {_ROW.name} at {url} cannot be read ({short(error)})."
        raise UnusableFileError(reason, url, remedy=remedy) from error
    # Only names that are clips, with no folder in them: what a server lists must not choose where we write.
    clips = [file for file in files if Path(file[0]).suffix.lower() == ".wav" and _ROW.read(Path(file[0]).stem)]
    clips = [file for file in clips if Path(file[0]).name == file[0] and len(file[0]) < 100]
    if not clips:
        raise UnusableFileError(f"The list of files of {_ROW.name} at {url} names no clip.", url, remedy=remedy)
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
