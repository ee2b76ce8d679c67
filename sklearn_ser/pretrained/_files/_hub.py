"""Where a model's files are: a folder, the data home, the Hugging Face cache, or else the Hugging Face hub."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ...datasets._base import DATA_HOME_VARIABLE, get_data_home
from ...datasets._download import TIMEOUT, download_file
from ...datasets._errors import FetchError, UnreachableError, UnusableFileError, explain
from ...datasets._lock import alone
from ._tensors import CONFIG, INDEX, WEIGHTS, weight_files

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def local_model(name: str, data_home: str | os.PathLike | None = None, revision: str | None = None) -> Path | None:
    """The folder of a model of the hub, if this machine has it; nothing is downloaded."""
    home, cache = _places(name, data_home)
    return next((folder for folder in (home, *_snapshots(cache)) if _is_complete(folder)), None)


def _places(name: str, data_home: str | os.PathLike | None) -> tuple[Path, Path]:
    return _home_of(name, get_data_home(data_home)), _hub_cache() / f"models--{name.replace('/', '--')}"


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

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or nothing can be downloaded because HF_HUB_OFFLINE is set.
    FetchError
        If the download fails; what has arrived is kept and the next call resumes. It is a ConnectionError, too, if the
        hub cannot be reached, and a ValueError if what it sent is not what it says it is.
    """
    folder = Path(os.path.abspath(os.path.expanduser(model)))
    if folder.is_dir():
        return folder
    name = os.fspath(model)
    if not isinstance(model, str) or not _NAME.fullmatch(name):
        raise FileNotFoundError(
            f"model must be a folder that holds {CONFIG} and {WEIGHTS}, or a name such as 'openai/whisper-base'. "
            f"Got {name!r:.80}, which is no folder (seen from {os.getcwd()})."
        )
    home, cache = _places(name, data_home)
    found = local_model(name, data_home)
    if found is not None:
        return found
    looked = (
        f"It was looked for in {home} (the data home, which data_home or the environment variable {DATA_HOME_VARIABLE} "
        f"names) and in {cache} (the Hugging Face cache). To get it elsewhere: `hf download {name} {CONFIG} {WEIGHTS} "
        f"--local-dir FOLDER`, and then model='FOLDER', or copy the two files to {home}."
    )
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise FileNotFoundError(f"The model {name!r} is not there, and HF_HUB_OFFLINE forbids to download it. {looked}")
    _download(name, home, looked)
    return home


def _home_of(name: str, data_home: Path) -> Path:
    owner, model = name.split("/")
    return data_home / model if owner == "openai" else data_home / owner / model


def _hub_cache() -> Path:
    """As the Hugging Face libraries know it."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or Path(above, "huggingface")).expanduser() / "hub"


def _snapshots(cache: Path) -> list[Path]:
    """The main branch's, and then any, the newest first."""
    folders = sorted((cache / "snapshots").glob("*"), key=os.path.getmtime, reverse=True)
    try:
        main = (cache / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        main = ""
    return sorted(folders, key=lambda folder: folder.name != main)


def _is_complete(folder: Path) -> bool:
    if not (folder / CONFIG).is_file():
        return False
    try:
        files = weight_files(folder)
    except (OSError, ValueError):
        return False
    return all(file.is_file() for file in ([files] if isinstance(files, Path) else set(files.values())))


def _download(name: str, folder: Path, looked: str) -> None:
    import requests

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder / ".unfinished") as hold, requests.Session() as session:
            if not _is_complete(folder):  # which another thread or process may have seen to
                hub = _Hub(session, f"{endpoint}/{name}/resolve", folder)
                about = hub.about(CONFIG)
                if about is None:
                    raise FetchError(f"There is no Whisper model {name!r} on the hub.", endpoint, None, looked)
                hub.revision = about.get("X-Repo-Commit") or "main"  # all files of one commit
                if not hub.download(WEIGHTS):
                    if not hub.download(INDEX):
                        raise FetchError(f"{name!r} has no {WEIGHTS} on the hub.", endpoint, None, looked)
                    files = weight_files(folder)
                    for file in sorted(set(files.values())) if isinstance(files, dict) else [files]:
                        hub.download(file.name)
                hub.download(CONFIG)
            hold.finished = True
    except requests.RequestException as error:
        reason = f"The model {name!r} could not be downloaded: {str(error)[:200]}. The next call resumes."
        raise UnreachableError(reason, getattr(error.request, "url", endpoint), folder, looked) from None
    except FetchError:
        raise
    except OSError as error:
        raise explain(error, url=endpoint, path=folder) from error


class _Hub:
    """Files of a model at one revision, each checked against the hub's own hash of it."""

    def __init__(self, session, url: str, folder: Path):
        self.session, self.url, self.folder, self.revision = session, url, folder, "main"

    def about(self, file: str):
        """What the hub says of a file; None if there is no such file."""
        headers = {"Accept-Encoding": "identity"}
        answer = self.session.head(f"{self.url}/{self.revision}/{file}", headers=headers, timeout=TIMEOUT)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()  # a redirection is none: large files are elsewhere, but what is said of them is here
        return answer.headers

    def download(self, file: str) -> bool:
        """Download a file, unless the hub has none of that name."""
        url, about = f"{self.url}/{self.revision}/{file}", self.about(file)
        if about is None:
            return False
        tag = (about.get("X-Linked-Etag") or about.get("ETag") or "").removeprefix("W/").strip('"')
        if re.fullmatch("[0-9a-f]{64}", tag):
            size = about.get("X-Linked-Size")
            download_file(url, self.folder / file, size=size and int(size), sha256=tag, session=self.session)
        elif re.fullmatch("[0-9a-f]{40}", tag):  # a small file, whose hash is Git's
            answer = self.session.get(url, timeout=TIMEOUT)
            answer.raise_for_status()
            if hashlib.sha1(b"blob %d\0" % len(answer.content) + answer.content).hexdigest() != tag:
                raise UnusableFileError(f"{file} is damaged: its hash is not {tag}.", url, None, "Try again.")
            part = self.folder / f"{file}.part"
            part.write_bytes(answer.content)
            os.replace(part, self.folder / file)
        else:
            reason = "The server tells no hash of the file, without which nothing shows that it is the right one."
            raise UnreachableError(reason, url, None, "Let HF_ENDPOINT name another mirror, or none.")
        return True
