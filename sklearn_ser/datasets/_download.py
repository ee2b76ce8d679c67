"""Files over HTTP that survive a broken connection, a wrong checksum and a hostile archive."""

import logging
import os
import stat
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath, PureWindowsPath

from ._base import is_hidden

TIMEOUT = 30.0  # seconds without a byte before a connection counts as broken


def download_file(url, path, *, size=None, md5=None, sha256=None, session=None, progress=True):
    """Download to path through pooch, unless a right copy is there; go on where an earlier attempt broke off.

    Raises
    ------
    requests.RequestException
        If the server cannot be reached, refuses or breaks off; what has arrived stays in `<path>.part`.
    ValueError
        If the file has another size or hash than expected; it is kept as `<path>.mismatch`.
    """
    import pooch

    hashes = {name: value for name, value in (("md5", md5), ("sha256", sha256)) if value is not None}
    if path.exists():
        if not _mismatch(path, size, hashes):
            return
        set_aside(path)
    registry = {path.name: next((f"{name}:{value}" for name, value in hashes.items()), None)}
    fetcher = pooch.create(path=path.parent, base_url="", registry=registry, urls={path.name: url})

    def downloader(url, output_file, _):
        part = path.with_name(path.name + ".part")
        _resume(url, part, size, session, progress)
        wrong = _mismatch(part, size, hashes)
        if wrong:
            aside = set_aside(part, path.name)
            raise ValueError(
                f"{path.name} from {url} is not the file expected: {wrong}. It is kept as {aside}. If the download was "
                "damaged, calling again gets a fresh copy; else its publisher has changed it."
            )
        os.replace(part, output_file)

    with _quiet(pooch.get_logger()):
        fetcher.fetch(path.name, downloader=downloader)


def set_aside(path, name=None):
    """Rename a file that is not what it should be to `<name>.mismatch`, and return its new path."""
    aside = path.with_name((name or path.name) + ".mismatch")
    os.replace(path, aside)
    return aside


def download_archive(folder, complete, *, url, name, size=None, md5=None, verify=None):
    """Download a ZIP archive, unpack it into folder and delete it; what an earlier call achieved is not done again.

    Parameters
    ----------
    folder : Path
    complete : bool
        Whether all clips are in the folder already. Without an archive beside them there is nothing left to do.
    url, name, size, md5
        Address and name of the archive, its size in bytes and its MD5, where they are known.
    verify : callable, optional
        Called with the folder after unpacking; a ValueError that it raises sets the archive aside.
    """
    archive = folder / name
    if complete and not archive.exists():
        return
    download_file(url, archive, size=size, md5=md5)
    try:
        unpack(archive, folder)
        if verify is not None:
            verify(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        aside = set_aside(archive)
        raise ValueError(f"{name} from {url} is damaged or no ZIP archive ({error}). It is kept as {aside}.") from error
    except ValueError as error:
        aside = set_aside(archive)
        raise ValueError(
            f"{name} from {url}: {error} The archive is kept as {aside}; download_if_missing=False loads what is there."
        ) from error
    archive.unlink()


def unpack(archive, folder):
    """Unpack a ZIP archive into folder, skipping files that are there with the right size and CRC-32.

    All names are checked before anything is written. A file gets its name only once it is complete.
    """
    from tqdm import tqdm

    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            _check_member(member)
        for member in tqdm(packed.infolist(), desc=f"unpacking {archive.name}", unit="file"):
            parts = PurePosixPath(member.filename).parts
            if member.is_dir() or any(map(is_hidden, parts)):
                continue
            path = folder.joinpath(*parts)
            if path.is_file() and path.stat().st_size == member.file_size and _crc32(path) == member.CRC:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            with packed.open(member) as source, open(part, "wb") as sink:
                while block := source.read(1 << 20):
                    sink.write(block)
            os.replace(part, path)


def _check_member(member):
    """Raise unless unpacking this member stays inside the folder it is unpacked to."""
    windows = PureWindowsPath(member.filename)  # splits at both slashes, and knows drives
    if ".." in windows.parts or windows.root or windows.drive:
        raise ValueError(f"refused, because a file in it leads out of the corpus folder: {member.filename!r}.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"refused, because it holds a symbolic link: {member.filename!r}.")


def _crc32(path):
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def _mismatch(path, size, hashes):
    """Say in words how a file differs from what is known of it; empty if it does not."""
    import pooch

    wrong = []
    if size is not None and path.stat().st_size != size:
        wrong.append(f"expected {size} bytes, got {path.stat().st_size}")
    for name, value in hashes.items():
        if (got := pooch.file_hash(str(path), alg=name)) != value.lower():
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
        if answer.status_code == 416:  # the part is not the beginning of this file
            part.unlink()
            return _resume(url, part, size, session, progress)
        answer.raise_for_status()
        if have and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            have = 0  # the server sends the whole file, as it may
        length = answer.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        bar = tqdm(desc=part.stem, total=total, initial=have, unit="B", unit_scale=True, disable=not progress)
        with bar, open(part, "ab" if have else "wb") as file:
            for block in answer.iter_content(1 << 16):
                file.write(block)
                bar.update(len(block))
    got = part.stat().st_size
    if total is not None and got < total:
        raise requests.ConnectionError(f"{url} broke off after {got} of {total} bytes")


@contextmanager
def _quiet(logger):
    """Keep pooch from writing a line to stderr for each file; tqdm shows the progress."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
