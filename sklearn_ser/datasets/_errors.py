"""Errors of fetching, which name the address, the file, and what to do."""

from __future__ import annotations

import errno


class FetchError(OSError):
    """A corpus cannot be fetched.

    If a server does not answer as it should, it is a ConnectionError, too; if what came cannot be used, a ValueError.

    Read more in the guide: :doc:`a corpus of your own </howto/own_corpus>`.

    Examples
    --------
    >>> from sklearn_ser import FetchError
    >>> print(FetchError("The disk is full.", path="emodb.zip", remedy="Free some space."))
    The disk is full. File: emodb.zip. Free some space.

    Parameters
    ----------
    reason : str
        The fault, in words.
    url : str or None, default=None
        Address that was asked.
    path : str, PathLike or None, default=None
        File or folder concerned.
    remedy : str, default=""
        Advice on what to do.

    Attributes
    ----------
    url, path : as the parameters
    """

    def __init__(self, reason, url=None, path=None, remedy=""):
        named = [f"{name}: {value}." for name, value in (("URL", url), ("File", path)) if value is not None]
        super().__init__(" ".join(part for part in (reason, *named, remedy) if part))
        self.url, self.path = url, path


class UnreachableError(FetchError, ConnectionError):
    """A server cannot be reached, refuses, or breaks off."""


class UnusableFileError(FetchError, ValueError):
    """A downloaded file is not as published; it is kept aside, and the next call downloads it again."""


_REMEDIES = {
    errno.ENOSPC: "Free some space, or let data_home name a folder on another disk; the next call resumes from what is "
    "there.",
    errno.EEXIST: "A file is where a folder should be: move it away.",
    errno.ENOTDIR: "A file is where a folder should be: move it away.",
    errno.EISDIR: "A folder is where a file should be: move it away.",
    errno.ENAMETOOLONG: "Let data_home name a folder with a shorter path.",
}
_REMEDIES[getattr(errno, "EDQUOT", errno.ENOSPC)] = _REMEDIES[errno.ENOSPC]  # Windows has no quotas


def explain(error: OSError, *, url=None, path) -> FetchError:
    """Return an error of the operating system as a FetchError that says what to do."""
    remedy = _REMEDIES.get(error.errno, "Let data_home name a folder that can be written.")
    return FetchError(f"{error.strerror or error}.", url, getattr(error, "filename", None) or path, remedy)
