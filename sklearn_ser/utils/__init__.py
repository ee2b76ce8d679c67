"""What every package here may use and which uses none of them: frames, columns, randomness, versions, processes."""

from ._versions import VersionMismatchWarning

__all__ = ["VersionMismatchWarning"]
