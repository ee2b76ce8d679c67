"""Helpers for every package, which import none of them: frames, columns, randomness, versions, processes."""

from ._versions import VersionMismatchWarning

__all__ = ["VersionMismatchWarning"]
