"""Downloads over HTTP that resume, check sizes and checksums, and write whole files only."""

from __future__ import annotations

import email.utils
import hashlib
import lzma
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.resources import files as resources
from pathlib import Path

from ..utils._messages import short
from ._errors import FetchError, UnusableFileError, explain

TIMEOUT = 30.0  # seconds without a byte before a connection counts as broken
MOST_BYTES = 20 * 2**30  # more than any corpus, or archive of one, has
_BUSY = (429, 503)  # a server that asks for patience, and says in the header Retry-After for how long
_PATIENCE = 120.0  # seconds that are waited for a file in all


def download_file(url, path, *, size=None, md5=None, sha256=None, session=None, progress=True):
    """Download to path, unless a right copy is there; resume where an earlier attempt broke off.

    Raises
    ------
    requests.RequestException
        If the server cannot be reached, refuses or breaks off; what has arrived stays in `<path>.part`.
    FetchError
        If the disk has no room or cannot be written; or (then also a ValueError) if the file has another size or hash
        than expected: it is kept as `<path>.mismatch`.
    """
    import requests

    hashes = {name: value for name, value in (("md5", md5), ("sha256", sha256)) if value is not None}
    part = path.with_name(path.name + ".part")
    try:
        if path.exists():
            if not _mismatch(path, size, hashes):
                return
            set_aside(path)
        _resume(url, part, size, session, progress)
        wrong = _mismatch(part, size, hashes)
        if wrong:
            aside = set_aside(part, path.name)
            raise UnusableFileError(
                f"{path.name} from {url} is not the file expected: {wrong}.",
                url,
                aside,
                "If the download was damaged, calling again gets a fresh copy; else its publisher has changed it.",
            )
        os.replace(part, path)
    except (FetchError, requests.RequestException):
        raise
    except OSError as error:
        raise explain(error, url=url, path=part) from error


def published_files(corpus: str) -> list[tuple[str, int | None, str]]:
    """Path below the folder of a corpus, size in bytes (if it is known) and SHA-256 of each of its published files."""
    packed = resources(__package__).joinpath("checksums.txt.xz").read_bytes()
    lines = [line.split(" ", 2) for line in lzma.decompress(packed).decode("ascii").splitlines()]
    return [
        (path.removeprefix(f"{corpus}/"), None if size == "-" else int(size), sha256)
        for sha256, size, path in lines
        if path.startswith(f"{corpus}/")
    ]


def download_files(files, folder, *, title, connections=8):
    """Download files over several connections; where some cannot be had, all others are downloaded first.

    Parameters
    ----------
    files : list of (url, Path, dict)
        Address and place of each file, and what `download_file` is to know of it (`size`, `md5`, `sha256`).
    folder : Path
        The folder that holds them all, which is there.
    title : str
        Title of the progress bar.
    connections : int

    Raises
    ------
    requests.RequestException, FetchError
        As `download_file`; of several failures the first, and how many there are. A failure that concerns all files,
        such as a full disk or a server that is not there, ends it at once.
    """
    import requests
    from tqdm import tqdm

    def run(file):
        url, path, known = file
        path.parent.mkdir(parents=True, exist_ok=True)
        download_file(url, path, session=session, progress=False, **known)

    there = {path: path.stat().st_size for _, path, _ in files if path.is_file()}
    missing = sum(known.get("size") or 0 for _, path, known in files if there.get(path) != known.get("size"))
    check_space(folder, missing, url=files[0][0], what=f"The missing part of {title}")
    failures = []
    with requests.Session() as session, ThreadPoolExecutor(connections) as pool:
        session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
        running = [pool.submit(run, file) for file in files]
        try:
            for done in tqdm(as_completed(running), desc=title, total=len(running), unit="file"):
                error = done.exception()
                if error is not None and not isinstance(error, (requests.HTTPError, UnusableFileError)):
                    raise error
                failures += [error] if error is not None else []
        finally:
            pool.shutdown(cancel_futures=True)
    if failures:
        more = f" (and {len(failures) - 1} more of {len(files)} files)" if len(failures) > 1 else ""
        if isinstance(failures[0], requests.HTTPError):
            raise requests.HTTPError(f"{failures[0]}{more}; all other files are there", request=failures[0].request)
        raise failures[0]


def set_aside(path, name=None):
    """Rename a file that is not what it should be to `<name>.mismatch`, and return its new path."""
    aside = path.with_name((name or path.name) + ".mismatch")
    os.replace(path, aside)
    return aside


def file_hash(path, algorithm: str) -> str:
    """Hash of a file's content, in hexadecimal digits."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_space(folder: Path, needed: int, *, url: str, what: str) -> None:
    """Raise unless a disk has room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FetchError(
            f"{what} takes {needed / 2**20:.0f} MiB, and the disk has {free / 2**20:.0f} MiB left.",
            url,
            folder,
            "Free some space, or let data_home name a folder on another disk; the next call resumes.",
        )


def _mismatch(path, size, hashes):
    """Say in words how a file differs from what is known of it; empty if it does not."""
    wrong = []
    if size is not None and path.stat().st_size != size:
        wrong.append(f"expected {size} bytes, got {path.stat().st_size}")
    for name, value in hashes.items():
        if (got := file_hash(path, name)) != value.lower():
            wrong.append(f"expected {name.upper()} {value.lower()}, got {got}")
    return "; ".join(wrong)


def _resume(url, part, size, session, progress):
    """Append to part what is still missing of it."""
    import requests
    from tqdm import tqdm

    have = part.stat().st_size if part.exists() else 0
    if size is not None and have == size:
        return
    if size is not None and have > size:
        part.unlink()
        have = 0
    # Compressed in transit, offsets and lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with _ask(session or requests, url, headers) as answer:
        stretch = answer.headers.get("Content-Range", "")
        if have and answer.status_code == 416 and size is None and stretch == f"bytes */{have}":
            return  # nothing is missing
        if have and (answer.status_code == 416 or answer.status_code == 206 and not _starts_at(stretch, have)):
            part.unlink()  # it is not the beginning of this file, or the server cannot continue it
            return _resume(url, part, size, session, progress)
        answer.raise_for_status()
        if answer.status_code == 206 and not have and not _starts_at(stretch, 0):
            raise requests.ConnectionError(f"{url} sent a part that was not asked for: {short(stretch)}")
        if answer.status_code != 206:
            have = 0  # the server sends the whole file, as it may
        total = _announced(answer.headers, have)
        most = (
            MOST_BYTES if size is None else 2 * size + 2**20
        )  # a file that is a little too long is kept, and told apart
        if total is not None and total > most:
            raise requests.ConnectionError(f"{url} announces {total} bytes, more than the {size or most} there can be")
        check_space(part.parent, (total or size or have) - have, url=url, what=f"The rest of {part.stem}")
        bar = tqdm(desc=part.stem, total=total, initial=have, unit="B", unit_scale=True, disable=not progress)
        with bar, open(part, "ab" if have else "wb") as file:
            for block in answer.iter_content(1 << 16):
                file.write(block)
                bar.update(len(block))
                if file.tell() > most:
                    raise requests.ConnectionError(f"{url} sends more than the {size or most} bytes there can be")
    got = part.stat().st_size
    if total is not None and got < total:
        raise requests.ConnectionError(f"{url} broke off after {got} of {total} bytes")


def _ask(session, url, headers):
    """Answer of a server, after as long as it asks to wait while it is busy."""
    import requests

    patience = _PATIENCE
    while True:
        answer = session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        wait = _wait(answer.headers.get("Retry-After", "")) if answer.status_code in _BUSY else None
        if wait is None:
            return answer
        answer.close()
        if wait > patience:
            raise requests.HTTPError(f"{url} is busy, and asks for {wait:.0f} s of patience", request=answer.request)
        patience -= max(wait, 1.0)
        time.sleep(wait)


def _wait(header: str) -> float | None:
    """Seconds that a header Retry-After asks for, by a number or a date; None if it says nothing of the kind."""
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _starts_at(stretch: str, first: int) -> bool:
    return stretch.startswith(f"bytes {first}-")


def _announced(headers, have: int) -> int | None:
    """Bytes of the whole file by its headers; None if they do not say so in earnest."""
    length = headers.get("Content-Length", "").strip()
    if headers.get("Content-Encoding", "identity") != "identity" or not (length.isascii() and length.isdigit()):
        return None
    return have + int(length[:20])
