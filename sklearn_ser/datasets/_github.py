"""Corpora that are downloaded file by file from GitHub: CREMA-D and nEMO."""

from __future__ import annotations

from functools import partial

import numpy as np

from ._base import Corpus, check_emotions, make_bunch, obtain
from ._corpora import CORPORA
from ._docs import documented
from ._download import download_file, download_files, published_files, set_aside
from ._errors import UnusableFileError
from ._recordings import find_files, read_table

MEDIA = "https://media.githubusercontent.com/media/{repository}/{branch}/{path}"  # files in large-file storage
RAW = "https://raw.githubusercontent.com/{repository}/{branch}/{path}"  # all others
_CREMAD, _NEMO = CORPORA["crema-d"], CORPORA["nemo"]
_VOTES = {"A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
_MODALITIES = {"1": "voice", "2": "face", "3": "both"}
_cremad_files = partial(published_files, "crema-d")


@documented(_CREMAD)
def fetch_cremad(data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load the 7442 clips of CREMA-D, English speech of 91 actors, with raters' votes, downloading it if necessary.

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
        data : DataFrame of shape (n_clips, 7)
            Columns `path`, `speaker`, `sex`, `age` (years), `text` (the sentence's code), `intensity` ("low",
            "medium", "high", or empty) and `clip`, the clip's name, sorted by it.
        <bunch>
        ratings : DataFrame of shape (n_ratings, 4)
            The votes, for `aggregate_ratings`: `clip`; `modality`, what was presented ("voice", "face" or "both"); the
            emotion as `value`; and `votes`, the number of people who named it. Only for clips in `data`; empty where
            the table of votes is missing.
    <fetched>

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_cremad
    >>> corpus = fetch_cremad()  # doctest: +SKIP
    >>> heard = corpus.ratings[corpus.ratings["modality"] == "voice"]  # doctest: +SKIP
    """
    emotions = check_emotions(emotions, _CREMAD.emotions.values(), _CREMAD.name)
    corpus = Corpus.of(_CREMAD, data_home, _download_cremad)
    clips = obtain(corpus, download_if_missing)
    actors = {line["ActorID"]: line for line in _table(corpus.folder, "VideoDemographics.csv")}
    for clip in clips:
        emotion, age = clip.pop("emotion"), actors.get(clip["speaker"], {}).get("Age")
        clip |= {"age": int(age) if age else None, "clip": _stem(clip["path"]), "emotion": emotion}
    order = ("path", "speaker", "sex", "age", "text", "intensity", "clip", "emotion")
    clips = [{name: clip[name] for name in order} for clip in clips]
    bunch = make_bunch(clips, emotions=emotions, title=_CREMAD.name, descr=_CREMAD.describe(), return_X_y=return_X_y)
    if not return_X_y:
        bunch.ratings = read_votes(_table(corpus.folder, "tabulatedVotes.csv"), set(bunch.data["clip"]))
    return bunch


@documented(_NEMO)
def fetch_nemo(data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load the 4481 clips of nEMO, Polish emotional speech of nine actors, downloading it if necessary.

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
            Columns `path`, `speaker`, `sex`, `age` (years) and `text` (the sentence's number), sorted by file name.
        <bunch>
    <fetched>

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_nemo
    >>> corpus = fetch_nemo()  # doctest: +SKIP
    """
    emotions = check_emotions(emotions, tuple(dict.fromkeys(_NEMO.emotions.values())), _NEMO.name)
    clips = obtain(Corpus.of(_NEMO, data_home, _download_nemo), download_if_missing)
    return make_bunch(clips, emotions=emotions, title=_NEMO.name, descr=_NEMO.describe(), return_X_y=return_X_y)


def _download_cremad(folder, complete):
    """Download what is missing or not as published; clips may lie in folders of their own."""
    where = {"repository": "CheyneyComputerScience/CREMA-D", "branch": "master"}
    there = {path.name: path for path in find_files(folder, lambda name: name.endswith((".wav", ".csv")))}
    files = []
    for path, size, sha256 in _cremad_files():
        url = (MEDIA if path.endswith(".wav") else RAW).format(**where, path=path)
        files.append((url, there.get(path.rpartition("/")[2], folder / path), {"size": size, "sha256": sha256}))
    download_files(files, folder, title=_CREMAD.name)


def _download_nemo(folder, complete):
    """Download the table, and the clips that it names; there are no published checksums."""
    where = {"repository": "amu-cai/nEMO", "branch": "main"}
    there = {path.name: path for path in find_files(folder, lambda name: name.endswith((".wav", ".flac")))}
    table = folder / "data.tsv"
    download_file(RAW.format(**where, path="data.tsv"), table, progress=False)
    names = [name for name in read_table(table)["file_id"] if _NEMO.read(name.removesuffix(".wav"))]
    missing = [name for name in names if name not in there]
    files = [(RAW.format(**where, path=f"samples/{name}"), folder / "samples" / name, {}) for name in missing]
    download_files(files, folder, title=_NEMO.name)
    for url, path, _ in files:
        with open(path, "rb") as file:
            if file.read(4) != b"RIFF":
                reason = f"{path.name} from {url} is no WAV file."
                raise UnusableFileError(reason, url, set_aside(path), "Calling again asks for it anew.")


def read_votes(lines, clips):
    """Return the votes of CREMA-D's table in long form, of the clips that are named."""
    import pandas as pd

    rows = [
        (line["fileName"], _MODALITIES[str(next(iter(line.values())))[0]], emotion, int(line[code]))
        for line in lines
        if line["fileName"] in clips
        for code, emotion in _VOTES.items()
    ]
    return pd.DataFrame(rows, columns=["clip", "modality", "value", "votes"]).astype({"votes": np.int64})


def _table(folder, name):
    paths = find_files(folder, lambda own: own == name)
    return read_table(min(paths)).to_dict("records") if paths else []


def _stem(path):
    return path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
