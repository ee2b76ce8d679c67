"""Downloads over HTTP that resume, check sizes and checksums, and write whole files only."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from ..utils._messages import short
from ._errors import FetchError, UnusableFileError, explain

TIMEOUT = 30.0  # seconds without a byte before a connection counts as broken
MOST_BYTES = 20 * 2**30  # more than any corpus, or archive of one, has


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
    with (session or requests).get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
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


def _starts_at(stretch: str, first: int) -> bool:
    return stretch.startswith(f"bytes {first}-")


def _announced(headers, have: int) -> int | None:
    """Bytes of the whole file by its headers; None if they do not say so in earnest."""
    length = headers.get("Content-Length", "").strip()
    if headers.get("Content-Encoding", "identity") != "identity" or not (length.isascii() and length.isdigit()):
        return None
    return have + int(length[:20])
