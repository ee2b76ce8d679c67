"""fetch_corpus: any corpus of the table whose licence and host allow a download."""

from __future__ import annotations

import re
from functools import partial

from ..utils._messages import short
from ._archive import download_archive
from ._base import Corpus, check_emotions, obtain
from ._download import TIMEOUT
from ._emodb import fetch_emodb
from ._errors import UnusableFileError
from ._github import fetch_cremad, fetch_nemo
from ._load import bunch_of, find_row, read_clips, with_language
from ._ravdess import fetch_ravdess
from ._tess import fetch_tess

RECORD = "https://zenodo.org/api/records/{number}"  # says size and MD5 of each file
FILE = "https://zenodo.org/records/{number}/files/{name}?download=1"
_FETCHERS = {fetch.__name__: fetch for fetch in (fetch_cremad, fetch_emodb, fetch_nemo, fetch_ravdess, fetch_tess)}


def fetch_corpus(name, data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load a corpus of `list_corpora` by its name, downloading it if necessary and if its licence allows it.

    Parameters
    ----------
    name : str
        A corpus with an entry in the column `fetch` of `list_corpora`, such as "SUBESCO".
    data_home : str or path-like, default=None
        Folder that holds the corpus' own folder. By default the environment variable SKLEARN_SER_DATA, or else
        `~/sklearn_ser_data`.
    emotions : list of str, default=None
        Keep only clips of these emotions; by default all.
    download_if_missing : bool, default=True
        If True, download the corpus if no clip is found, or the rest of it after an interruption.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        As `load_corpus` returns it: `data`, `target`, `speaker`, `target_names`, `name`, `DESCR` and `unmatched`.
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    ValueError
        If no corpus has this name, or it must be asked for at its source.
    FileNotFoundError
        If no clip is found and `download_if_missing` is False.
    FetchError
        If the download fails or cannot be kept. The message names the address, the file, and what to do; the next call
        resumes.

    See Also
    --------
    load_corpus : Load a corpus from where it lies.

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_corpus
    >>> corpus = fetch_corpus("SUBESCO", emotions=["anger", "sadness"])  # doctest: +SKIP
    """
    row = find_row(name)
    if row.fetch in _FETCHERS:
        known = {"emotions": emotions, "download_if_missing": download_if_missing}
        return with_language(_FETCHERS[row.fetch](data_home, **known), row, return_X_y)
    if not row.record:
        raise ValueError(
            f"{row.name} cannot be fetched. Its licence is: {row.licence}. Get it from {row.source}, and load it with "
            f"load_corpus({row.name!r}, path)."
        )
    emotions = check_emotions(emotions, tuple(dict.fromkeys(row.emotions.values())), row.name)
    corpus = Corpus.of(row, data_home, partial(_download, row), read=row.read if row.patterns else _any)
    obtain(corpus, download_if_missing)
    return bunch_of(row, *read_clips(row, corpus.folder), emotions, return_X_y)


def _any(name):
    """Read a name that a table explains."""
    return {}, (name,)


def _download(row, folder, complete):
    number, name = row.record.split("/")
    if complete and not (folder / name).exists():
        return
    size, md5 = _published(row, number, name)
    download_archive(folder, complete, url=FILE.format(number=number, name=name), name=name, size=size, md5=md5)


def _published(row, number, name):
    """Return the size and the MD5 that Zenodo states for a file of a record."""
    import requests

    url = RECORD.format(number=number)
    answer = requests.get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    stated = answer.headers.get("Content-Length")  # older versions of requests do not compare it
    if stated and "Content-Encoding" not in answer.headers and len(answer.content) < int(stated):
        raise requests.ConnectionError(f"{url} broke off after {len(answer.content)} of {stated} bytes")
    try:
        (file,) = (file for file in answer.json()["files"] if file["key"] == name)
        size, (kind, md5) = file["size"], file["checksum"].split(":")
        if kind != "md5" or not re.fullmatch("[0-9a-f]{32}", md5) or not isinstance(size, int) or size < 1:
            raise ValueError(f"size={size}, checksum={short(file['checksum'])}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableFileError(
            f"The record of {row.name} at {url} does not state the size and MD5 of {name} ({short(error)}).",
            url,
            remedy="Try again later, or put a copy from elsewhere into the corpus folder.",
        ) from error
    return size, md5
