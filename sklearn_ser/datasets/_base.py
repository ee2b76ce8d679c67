"""Shared by all corpora: the vocabulary of emotions, the data home, downloads that resume, and the Bunch."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ..utils._messages import short
from ._errors import FetchError, UnreachableError, explain
from ._lock import alone
from ._recordings import find_clips

EMOTIONS = ("anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
DATA_HOME_VARIABLE = "SKLEARN_SER_DATA"


@dataclass(frozen=True)
class Corpus:
    """A corpus (or a part of one that is downloaded on its own) in the data home.

    Attributes
    ----------
    title : str
    folder : Path
        Where its clips are looked for, at any depth.
    part : str
        Name of a part that is downloaded by itself into the folder.
    n_clips : int
        How many clips the published corpus has.
    read : callable
        From a path below the folder, without extension, to its facts and what copies of it share (`Row.read`).
    download : callable
        Called with the folder, and with True if all clips are there already.
    source : str
        Address and licence, for error messages.
    """

    title: str
    folder: Path
    part: str
    n_clips: int
    read: Callable
    download: Callable
    source: str

    @classmethod
    def of(cls, row, data_home, download, **fields):
        """Return the corpus of a row of the table; `fields` override what the row says."""
        source = f"{row.source} (licence {row.licence})"
        known = {"title": row.name, "part": row.key, "n_clips": row.n_clips, "read": row.read, "source": source}
        return cls(folder=get_data_home(data_home) / row.key, download=download, **{**known, **fields})

    @property
    def marker(self):
        """Return the file that marks an unfinished download of ours."""
        return self.folder / f".{self.part}.unfinished"


def get_data_home(data_home=None):
    """Return the folder that holds the corpora: the argument, else SKLEARN_SER_DATA, else ~/sklearn_ser_data."""
    if data_home is None:
        data_home = os.environ.get(DATA_HOME_VARIABLE) or "~/sklearn_ser_data"
    return Path(os.path.abspath(os.path.expanduser(data_home)))


def check_emotions(emotions, available=EMOTIONS, title=None):
    """Return the emotions as a tuple without repetitions; None stands for all available."""
    if emotions is None:
        return tuple(available)
    if isinstance(emotions, str):
        raise TypeError(f"emotions must be a list of emotion names, not a single string. Got {short(emotions)}.")
    emotions = tuple(dict.fromkeys(str(emotion) for emotion in emotions))
    known = dict.fromkeys((*EMOTIONS, *available))
    unknown = [emotion for emotion in emotions if emotion not in known]
    if unknown or not emotions:
        got = f"Unknown: {', '.join(map(repr, unknown))}" if unknown else "Got an empty list"
        raise ValueError(f"emotions must be one or more of {', '.join(known)}. {got}.")
    absent = [emotion for emotion in emotions if emotion not in available]
    if absent:
        raise ValueError(f"{title} has no clips of {', '.join(absent)}. It has {', '.join(sorted(available))}.")
    return emotions


def check_integer(value, name, minimum):
    """Raise unless value is an integer of at least minimum."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer. Got {name}={short(value)}.")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}. Got {name}={short(value)}.")


def check_folder(path):
    """Return an existing folder as an absolute Path."""
    folder = Path(os.path.abspath(os.path.expanduser(path)))
    if not folder.is_dir():
        raise FileNotFoundError(f"path must be an existing folder. Got path={short(path)}.")
    return folder


def obtain(corpus, download_if_missing):
    """Return the clips of a corpus as dicts, after downloading what is missing, if that is asked for."""
    clips, _ = find_clips(corpus.folder, corpus.read)
    if download_if_missing and (not clips or corpus.marker.exists()):
        _download(corpus)
        clips, _ = find_clips(corpus.folder, corpus.read)
    if not clips:
        raise FileNotFoundError(
            f"{corpus.title}: no clip found in {corpus.folder} or below it. Put a copy there, or let data_home or the "
            f"environment variable {DATA_HOME_VARIABLE} name the folder that holds '{corpus.folder.name}', or set "
            f"download_if_missing=True. Source: {corpus.source}"
        )
    if len(clips) < corpus.n_clips:
        warnings.warn(
            f"{corpus.title} in {corpus.folder} is incomplete: found {len(clips)} of {corpus.n_clips} clips. "
            "Those found are loaded.",
            UserWarning,
            stacklevel=3,
        )
    return clips


def _download(corpus):
    """Download into the corpus folder, one process at a time; a marker is left there if it does not come to its end."""
    import requests

    try:
        corpus.folder.mkdir(parents=True, exist_ok=True)
        with alone(corpus.marker) as hold:
            clips, _ = find_clips(corpus.folder, corpus.read)
            if not (clips and hold.is_new):  # else another process has seen to it meanwhile
                try:
                    corpus.download(corpus.folder, len(clips) >= corpus.n_clips)
                except requests.RequestException as error:
                    # If nothing has arrived, the marker goes, or a copy put here later would pass for a download.
                    hold.finished = all(name == corpus.marker.name for name in os.listdir(corpus.folder))
                    raise _unreachable(corpus, error, nothing=hold.finished) from None  # the message says why
            hold.finished = True
    except FetchError:
        raise
    except OSError as error:
        raise explain(error, url=corpus.source, path=corpus.folder) from error


def _unreachable(corpus, error, *, nothing: bool):
    there = "Nothing was found in" if nothing else "The next call resumes from what has arrived in"
    return UnreachableError(
        f"{corpus.title} could not be downloaded: {error}. {there} {corpus.folder}; with download_if_missing=False "
        f"the clips that are there are loaded.",
        getattr(error.request, "url", None),
        corpus.folder,
        f"A copy from elsewhere can be put there, or data_home or the environment variable {DATA_HOME_VARIABLE} can "
        f"name the folder that holds '{corpus.folder.name}'. Source: {corpus.source}",
    )


def make_bunch(clips, *, emotions, title, descr, return_X_y):
    """Return clips (dicts with `path`, `emotion`, `speaker` and more) as a Bunch, or as (data, target)."""
    import pandas as pd

    chosen = [clip for clip in clips if clip["emotion"] in emotions]
    if not chosen:
        raise ValueError(f"None of the {len(clips)} clips found of {title} is of {', '.join(emotions)}.")
    target = np.array([clip["emotion"] for clip in chosen], dtype=str)
    columns = [name for name in dict.fromkeys(name for clip in chosen for name in clip) if name != "emotion"]
    data = pd.DataFrame({name: [clip.get(name) for clip in chosen] for name in columns})
    if "speaker" in data and data["speaker"].isna().any():
        row = int(data["speaker"].isna().argmax())
        raise ValueError(f"{title} has no speaker in row {row} of its column 'speaker' ({data['path'][row]}).")
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        speaker=np.array(data["speaker"], dtype=str) if "speaker" in data else None,
        target_names=np.unique(target).tolist(),
        name=title,
        DESCR=descr,
    )
