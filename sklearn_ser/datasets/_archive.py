"""ZIP archives of corpora: downloaded, checked before anything is written, unpacked member by member."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..utils._messages import short
from ._download import MOST_BYTES, check_space, download_file, set_aside
from ._errors import FetchError, UnusableFileError, explain
from ._recordings import is_hidden

_MOST_MEMBERS = 200_000
_LONGEST_NAME = 255  # bytes, of a file or folder, on the usual file systems
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
# Errors that zipfile raises for damaged archives, and for files that are no archives.
_DAMAGES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error)
_DAMAGES += (EOFError, RuntimeError, OverflowError, LookupError)


def download_archive(folder, complete, *, url, name, size=None, md5=None, verify=None, downgrade=False):
    """Download a ZIP archive, unpack it into folder and delete it; continue where an earlier call stopped.

    Parameters
    ----------
    folder : Path
    complete : bool
        True if all clips are in the folder already; without an archive beside them, nothing is left to do.
    url, name, size, md5
        Address and name of the archive, its size in bytes and its MD5, where they are known.
    verify : callable, optional
        Called with the folder after unpacking; a ValueError that it raises sets the archive aside.
    downgrade : bool, default=False
        Ask by http if https fails; only safe if `verify` checks everything.

    Raises
    ------
    requests.RequestException, FetchError
        As `download_file`; an archive that is damaged, refused or not as published is kept as `<name>.mismatch`.
    """
    import requests

    archive = folder / name
    if complete and not archive.exists():
        return
    try:
        download_file(url, archive, size=size, md5=md5)
    except requests.RequestException:
        if not downgrade or not url.startswith("https://"):
            raise
        download_file(url.replace("https://", "http://", 1), archive, size=size, md5=md5)
    try:
        unpack(archive, folder, url=url)
        if verify is not None:
            verify(folder)
    except FetchError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise explain(error, url=url, path=folder) from error
        raise _unusable(archive, url, f"damaged or no ZIP archive ({error}).") from error  # as bz2 says it
    except _DAMAGES as error:
        raise _unusable(archive, url, f"damaged or no ZIP archive ({error}).") from error
    except ValueError as error:
        raise _unusable(archive, url, str(error)) from error
    archive.unlink()


def _unusable(archive: Path, url: str, reason: str) -> UnusableFileError:
    aside = set_aside(archive)
    return UnusableFileError(
        f"{archive.name} from {url}: {reason} It is kept as {aside}.",
        url,
        aside,
        "Calling again gets a fresh copy; download_if_missing=False loads what is there.",
    )


def unpack(archive, folder, *, url):
    """Unpack a ZIP archive into folder, skipping files that are there with the right size and CRC-32.

    All members are checked before anything is written. A file gets its name only once it is complete.
    """
    from tqdm import tqdm

    with zipfile.ZipFile(archive) as packed:
        _check_members(packed.infolist())
        wanted = {}
        for member in packed.infolist():
            parts = PurePosixPath(member.filename).parts
            if parts and not member.is_dir() and not any(map(is_hidden, parts)):
                wanted[folder.joinpath(*parts)] = member
        missing = sum(member.file_size for path, member in wanted.items() if not _has_size(path, member.file_size))
        check_space(folder, missing, url=url, what=f"What {archive.name} holds")
        for path, member in tqdm(wanted.items(), desc=f"unpacking {archive.name}", unit="file"):
            if _has_size(path, member.file_size) and _crc32(path) == member.CRC:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name[:50]}.part")
            with packed.open(member) as source, open(part, "wb") as sink:
                while block := source.read(1 << 20):
                    sink.write(block)
            os.replace(part, path)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    """Raise unless all members can be unpacked, and stay inside the folder they are unpacked to."""
    if len(members) > _MOST_MEMBERS:
        raise ValueError(f"refused, because it holds {len(members)} files, more than any corpus.")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise ValueError(f"refused, because it declares {total} bytes of content, more than any corpus.")
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for member in members:
        reason = _objection(member)
        if reason:
            raise ValueError(f"refused, because {reason}: {short(member.filename)}.")
        path = PurePosixPath(member.filename)
        (folders if member.is_dir() else files).add(path)
        folders.update(path.parents)
    both = files & folders
    if both:
        raise ValueError(f"refused, because it has a file where it has a folder: {short(str(min(both)))}.")


def _objection(member: zipfile.ZipInfo) -> str:
    windows = PureWindowsPath(member.filename)  # splits at both slashes, and knows drives
    if ".." in windows.parts or windows.root or windows.drive:
        return "a file in it leads out of the corpus folder"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "it holds a symbolic link"
    if member.flag_bits & 1:
        return "a file in it is encrypted"
    if member.compress_type not in _METHODS:
        return f"a file in it is compressed by an unknown method ({member.compress_type})"
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in windows.parts):
        return f"a name in it is longer than {_LONGEST_NAME} bytes"
    return ""


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _crc32(path):
    value = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value
