"""Files of a model from the Hugging Face hub: one revision, each file checked against the hub's own hash of it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from ...datasets._download import TIMEOUT, download_file
from ...datasets._errors import FetchError, UnreachableError, UnusableFileError, explain
from ...datasets._lock import alone
from ._tensors import CARD, CONFIG, INDEX, PREPROCESSOR, TORCH_INDEX, TORCH_WEIGHTS, WEIGHTS, weight_files

_MOST_SMALL = 1 << 25  # bytes of a file that is no weights
_REDIRECTIONS = (301, 302, 303, 307, 308)
_CONVERTER = "SFconvertbot"  # the hub's own account that opens pull requests with safetensors


def download_model(
    name: str, revision: str | None, folder: Path, *, is_complete: Callable, noun: str, looked: str
) -> None:
    """Download the files that a model is read from into a folder.

    Safetensors are preferred. Where the main branch has none, those of the pull request of the hub's own converter are
    taken, or else PyTorch's file, of which only tensors are read.

    Raises
    ------
    FetchError
        If the download fails; what has arrived is kept and the next call resumes.
    """
    import requests

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder / ".unfinished") as hold, requests.Session() as session:
            if not is_complete(folder):  # which another thread or process may have seen to
                hub = _Hub(session, endpoint, name, folder, noun=noun, looked=looked)
                hub.choose(revision or "main")
                if not hub.download_weights(WEIGHTS, INDEX):
                    converted = hub.converted() if revision is None and hub.has(TORCH_WEIGHTS, TORCH_INDEX) else None
                    if converted is not None:
                        main = hub.revision
                        hub.choose(converted)
                        if not hub.download_weights(WEIGHTS, INDEX):
                            hub.revision, converted = main, None
                    if converted is None and not hub.download_weights(TORCH_WEIGHTS, TORCH_INDEX):
                        raise FetchError(f"{name!r} has no {WEIGHTS} on the hub.", endpoint, None, looked)
                for file in (PREPROCESSOR, CARD):
                    hub.download(file, needed=file != CARD)
                hub.download(CONFIG)
            hold.finished = True
    except requests.RequestException as error:
        reason = f"The model {name!r} could not be downloaded: {_why(error)}. The next call resumes."
        url = getattr(error.request, "url", None) or endpoint
        raise UnreachableError(reason, url.partition("?")[0], folder, looked) from None
    except FetchError:
        raise
    except OSError as error:
        raise explain(error, url=endpoint, path=folder) from error


class _Hub:
    """Files of a model at one revision."""

    def __init__(self, session, endpoint: str, name: str, folder: Path, *, noun: str, looked: str):
        self.session, self.endpoint, self.name, self.folder = session, endpoint, name, folder
        self.noun, self.looked, self.revision = noun, looked, "main"
        self.token = _token()
        session.auth = self._authorize
        session.trust_env = True

    def _authorize(self, request):
        """Send the token to the hub, and to no other host; requests drops it where it is redirected to one."""
        if self.token and self._is_own(request.url):
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def _is_own(self, url: str) -> bool:
        return _origin(url) == _origin(self.endpoint)

    def _url(self, file: str) -> str:
        return f"{self.endpoint}/{self.name}/resolve/{self.revision.replace('/', '%2F')}/{file}"

    def choose(self, revision: str) -> None:
        """Take all files of the commit that a revision stands for now."""
        self.revision = revision
        about = self.about(CONFIG)
        if about is None:
            of = "" if revision == "main" else f" (revision {revision!r})"
            reason = f"There is no {self.noun} {self.name!r} on the hub{of}, or it has no {CONFIG}."
            raise FetchError(reason, self.endpoint, None, self.looked)
        self.revision = about.get("X-Repo-Commit") or revision

    def about(self, file: str) -> Mapping | None:
        """Ask the hub about a file; None if there is no such file."""
        url = self._url(file)
        said: dict[str, Any] = {}
        for _ in range(6):
            answer = self.session.head(url, headers={"Accept-Encoding": "identity"}, timeout=TIMEOUT)
            if answer.status_code in (401, 403):
                if self.token and answer.status_code == 401:  # a token that has expired hides public models, too
                    self.token = None
                    continue
                self._refused(answer, file)
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
            said = {**answer.headers, **said}
            there = urljoin(url, answer.headers.get("Location", ""))
            # Large files are elsewhere, but what is said of them is here. A renamed repository is elsewhere on the hub.
            is_elsewhere = answer.status_code in _REDIRECTIONS and not _tag(answer.headers)
            if not is_elsewhere or not self._is_own(there):
                return _AnyCase(said)
            url = there
        raise UnreachableError(f"{file} is redirected again and again.", url, None, self.looked)

    def _refused(self, answer, file: str) -> None:
        code, said = answer.headers.get("X-Error-Code", ""), answer.headers.get("X-Error-Message", "")
        page = f"{self.endpoint}/{self.name}"
        if code == "GatedRepo" or re.search("gated|restricted|terms", said, re.IGNORECASE):
            reason = f"The {self.noun} {self.name!r} is gated."
            remedy = f"Accept its terms at {page}, and set HF_TOKEN to a token of the account that did. {self.looked}"
        else:
            reason = (
                f"There is no {self.noun} {self.name!r} on the hub, or it is private ({answer.status_code} for {file})."
            )
            remedy = f"If it is private, set HF_TOKEN to a token that may read it. {self.looked}"
        raise FetchError(reason, page, None, remedy)

    def has(self, *files: str) -> bool:
        """Return whether the model has one of these files."""
        return any(self.about(file) is not None for file in files)

    def converted(self) -> str | None:
        """The pull request in which the hub's converter has put safetensors, if there is one."""
        import requests

        url = f"{self.endpoint}/api/models/{self.name}/discussions?author={_CONVERTER}&type=pull_request"
        try:
            answer = self.session.get(url, timeout=TIMEOUT, allow_redirects=False)
            found = answer.json()["discussions"] if answer.status_code == 200 else []
            numbers = [
                each["num"]
                for each in found
                if each["isPullRequest"] is True
                and each["author"]["name"] == _CONVERTER
                and each["status"] in ("open", "draft")
                and type(each["num"]) is int
            ]
        except (requests.RequestException, ValueError, KeyError, TypeError):
            return None  # a mirror without discussions
        return f"refs/pr/{max(numbers)}" if numbers else None

    def download_weights(self, single: str, index: str) -> bool:
        """Download the weights, in one file or several; False if there is neither."""
        if self.download(single):
            return True
        if not self.download(index):
            return False
        files = weight_files(self.folder)
        for file in sorted(set(files.values())) if isinstance(files, dict) else [files]:
            if not self.download(file.name):
                raise FetchError(f"{self.name!r} lacks {file.name}, which {index} names.", self.endpoint, None)
        return True

    def download(self, file: str, *, needed: bool = True) -> bool:
        """Download a file, unless the hub has none of that name."""
        about = self.about(file)
        if about is None:
            return False
        url, tag = self._url(file), _tag(about)
        if re.fullmatch("[0-9a-f]{64}", tag):
            size = about.get("X-Linked-Size", "")
            size = int(size) if re.fullmatch("[0-9]{1,15}", size) else None
            download_file(url, self.folder / file, size=size, sha256=tag, session=self.session)
        elif tag:  # a small file, whose hash is Git's
            content = self._content(url, file)
            if hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() != tag:
                raise UnusableFileError(f"{file} is damaged: its hash is not {tag}.", url, None, "Try again.")
            part = self.folder / f"{file}.part"
            part.write_bytes(content)
            os.replace(part, self.folder / file)
        elif needed:
            reason = (
                f"The server tells no hash of the file {file}, without which nothing shows that it is the right one."
            )
            raise UnreachableError(reason, url, None, "Let HF_ENDPOINT name another mirror, or none.")
        return True

    def _content(self, url: str, file: str) -> bytes:
        """A small file, from the hub itself."""
        for _ in range(6):
            with self.session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                if answer.status_code in _REDIRECTIONS:
                    there = urljoin(url, answer.headers.get("Location", ""))
                    if not self._is_own(there):
                        reason = f"{file} is redirected to another host, {urlsplit(there).netloc!r:.60}, and refused."
                        raise UnreachableError(reason, url, None, "Let HF_ENDPOINT name another mirror, or none.")
                    url = there
                    continue
                answer.raise_for_status()
                content = b""
                for block in answer.iter_content(1 << 16):
                    content += block
                    if len(content) > _MOST_SMALL:
                        raise UnusableFileError(f"{file} has more than {_MOST_SMALL} bytes.", url, None, self.looked)
                return content
        raise UnreachableError(f"{file} is redirected again and again.", url, None, self.looked)


class _AnyCase(dict):
    """Headers, whose names are looked for in lower case."""

    def __init__(self, headers: Mapping):
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name, default=None):
        return super().get(name.lower(), default)


def _tag(headers: Mapping) -> str:
    """The file's hash, SHA-256 of a large file and Git's of a small one; empty if the headers tell none."""
    tag = (headers.get("X-Linked-Etag") or headers.get("ETag") or "").removeprefix("W/").strip('"')
    return tag if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", tag) else ""


def _origin(url: str) -> tuple:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def _token() -> str | None:
    """The token for the hub: HF_TOKEN's, or the one that `hf auth login` has stored."""
    if os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").upper() in ("1", "ON", "YES", "TRUE"):
        return None
    token = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    if not token:
        above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = os.environ.get("HF_HOME") or Path(above, "huggingface")
        try:
            path = os.environ.get("HF_TOKEN_PATH") or Path(home, "token")
            token = Path(path).expanduser().read_text(encoding="utf-8")[:1000]
        except (OSError, ValueError, RuntimeError):
            return None
    token = token.strip()
    if token and not re.fullmatch("[!-~]+", token):  # requests would quote it in its error
        raise FetchError("The token for the hub (HF_TOKEN, or the file that `hf auth login` writes) is no token.")
    return token or None


def _why(error) -> str:
    """The reason of a failed request: the innermost one, without addresses of objects and parts of URLs."""
    if getattr(error, "response", None) is not None:
        return f"the server answered {error.response.status_code} {error.response.reason or ''}".rstrip()
    cause: BaseException = error
    for _ in range(6):
        inner = [each for each in (getattr(cause, "reason", None), *cause.args) if isinstance(each, BaseException)]
        if not inner:
            break
        cause = inner[0]
    text = re.sub(r"<[^>]*>: |^\w+\(host=[^)]*\): ", "", str(cause) or type(cause).__name__)
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= 300 else text[:300].rsplit(" ", 1)[0] + " ..."
