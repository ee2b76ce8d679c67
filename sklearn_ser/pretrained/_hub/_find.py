"""Search for a model's files: a folder, the data home, the Hugging Face cache, or else the Hugging Face hub."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...datasets._base import DATA_HOME_VARIABLE, get_data_home
from ...utils._messages import short
from ._download import download_model
from ._tensors import CONFIG, WEIGHTS, weight_files

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")


def local_model(name: str, data_home: str | os.PathLike | None = None, revision: str | None = None) -> Path | None:
    """The folder of a model of the hub, if this machine has it; nothing is downloaded."""
    if not _NAME.fullmatch(name):
        return None
    home, cache = _places(name, data_home, revision)
    return next((folder for folder in (home, *_snapshots(cache, revision)) if is_complete(folder)), None)


def find_model(
    model: str | os.PathLike,
    data_home: str | os.PathLike | None = None,
    revision: str | None = None,
    *,
    noun: str = "Whisper model",
) -> Path:
    """The folder that holds a model's `config.json` and weights; downloaded if it is nowhere.

    Parameters
    ----------
    model : str or PathLike
        A folder, or a name on the Hugging Face hub, such as "openai/whisper-base".
    data_home : str, PathLike or None, default=None
        As for the corpora.
    revision : str or None, default=None
        A branch, tag, pull request ("refs/pr/1") or commit on the hub; None takes the main branch.
    noun : str, default="Whisper model"
        Word for the model, for messages.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or nothing can be downloaded because HF_HUB_OFFLINE is set.
    FetchError
        If the download fails; what has arrived is kept and the next call resumes. It is a ConnectionError, too, if the
        hub cannot be reached, and a ValueError if what it sent is not what it says it is.
    """
    folder = Path(os.path.abspath(os.path.expanduser(model)))
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision or folder.is_dir()):
        raise ValueError(
            "revision must be a branch, tag, pull request ('refs/pr/1') or commit of a model on the hub. Got "
            f"revision={short(revision)} and model={short(model)}."
        )
    if folder.is_dir():
        return folder
    name = os.fspath(model)
    if not isinstance(model, str) or not _NAME.fullmatch(name):
        raise FileNotFoundError(
            f"model must be a folder that holds {CONFIG} and {WEIGHTS}, or a name such as 'openai/whisper-base'. "
            f"Got {name!r:.80}, which is no folder (seen from {os.getcwd()})."
        )
    home, cache = _places(name, data_home, revision)
    found = local_model(name, data_home, revision)
    if found is not None:
        return found
    of_revision = "" if revision is None else f" --revision {revision}"
    looked = (
        f"It was looked for in {home} (the data home, which data_home or the environment variable {DATA_HOME_VARIABLE} "
        f"names) and in {cache} (the Hugging Face cache). To get it elsewhere: `hf download {name} {CONFIG} {WEIGHTS}"
        f"{of_revision} --local-dir FOLDER`, and then model='FOLDER', or copy the two files to {home}."
    )
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise FileNotFoundError(f"The model {name!r} is not there, and HF_HUB_OFFLINE forbids to download it. {looked}")
    download_model(name, revision, home, is_complete=is_complete, noun=noun, looked=looked)
    return home


def _places(name: str, data_home: str | os.PathLike | None, revision: str | None) -> tuple[Path, Path]:
    owner, model = name.split("/")
    if revision is not None:
        model += "@" + revision.replace("/", "--")
    home = get_data_home(data_home)
    cache = _hub_cache() / f"models--{name.replace('/', '--')}"
    return (home / model if owner == "openai" else home / owner / model), cache


def _hub_cache() -> Path:
    """As the Hugging Face libraries know it."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or Path(above, "huggingface")).expanduser() / "hub"


def _snapshots(cache: Path, revision: str | None) -> list[Path]:
    """The revision's; of none, the main branch's, and then any, the newest first."""
    try:
        commit = (cache / "refs" / (revision or "main")).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = revision or ""
    if revision is not None:
        return [cache / "snapshots" / commit] if re.fullmatch("[0-9a-f]{40}", commit) else []
    try:
        folders = [Path(entry.path) for entry in os.scandir(cache / "snapshots")]
    except OSError:
        return []
    folders.sort(key=_changed, reverse=True)
    return sorted(folders, key=lambda folder: folder.name != commit)


def _changed(folder: Path) -> float:
    try:
        return os.path.getmtime(folder)
    except OSError:  # a link that leads nowhere
        return 0.0


def is_complete(folder: Path) -> bool:
    """Return whether a folder holds a model that can be read."""
    if not os.access(folder / CONFIG, os.R_OK):
        return False
    try:
        files = weight_files(folder)
    except (OSError, ValueError):
        return False
    return all(os.access(file, os.R_OK) for file in ([files] if isinstance(files, Path) else set(files.values())))
