"""Access to a recording's bytes, and what its container declares."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

_WINDOW = 2**20  # bytes that are read at once behind the header


class DamagedError(Exception):
    """A file that does not hold what it declares, or contradicts itself; the message says how."""

    def __init__(self, reason: str, *, about_length: bool = False):
        super().__init__(reason)
        self.about_length = about_length


MISSING = 0.03  # seconds of sound that a header may declare beyond what there is


def little_missing(declared: float, there: float) -> str:
    """The remark on a file that holds a little less than it declares; both in seconds."""
    return (
        f"its header declares {1000 * (declared - there):.1f} ms more sound than there is. It is read as far as it "
        "goes; write the file anew to mend its header."
    )


def broken_off(declared: float, there: float) -> DamagedError:
    """The error for a file whose end is missing; both in seconds."""
    return DamagedError(
        f"the file is damaged: it declares {declared:.3f} s of sound, and breaks off after {there:.3f} s. Get a whole "
        "copy; to use what is there, decode it (soundfile.read) and pass the waveform",
        about_length=True,
    )


@dataclass
class Structure:
    """Properties of a recording, as its container states them.

    `n_frames` is its length, in samples of each channel, where it is known; `exact` whether the decoder's own count can
    be trusted, or only decoding tells. `at_least` is what must decode, or something is damaged. `pieces`, parts of the
    file (start, length) or bytes, are what the decoder is to be given instead of the file.
    """

    n_frames: int | None = None
    exact: bool = True
    at_least: int = 0
    pieces: Sequence | None = None
    completed: bool = False  # whether a length had to be filled in
    remark: str = ""  # what is wrong with the header, though nothing audible is missing
    chained: bool = False  # several streams, one after the other, of which libsndfile reads the first


class Bytes:
    """Bytes of an open file, by their place, read in windows."""

    def __init__(self, file: io.IOBase, size: int):
        self._file, self._size = file, size
        self._start, self._window = 0, b""

    def __len__(self) -> int:
        return self._size

    def read(self, start: int, length: int) -> bytes:
        """Read `length` bytes from `start`; fewer at the end of the file."""
        offset = start - self._start
        if offset < 0 or offset + length > len(self._window) and self._start + len(self._window) < self._size:
            self._file.seek(start)
            self._window = self._file.read(max(length, _WINDOW if self._window else 4096)) or b""
            self._start, offset = start, 0
        return self._window[offset : offset + length]


class PiecedFile(io.RawIOBase):
    """Parts of a file, and bytes between them, as one file to read."""

    def __init__(self, file: io.IOBase, pieces: Sequence):
        super().__init__()
        self._file, self._pieces, self._position = file, pieces, 0
        self._size = sum(len(piece) if isinstance(piece, bytes) else piece[1] for piece in pieces)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence])
        return self._position

    def read(self, size: int = -1) -> bytes:
        wanted = self._size - self._position if size is None or size < 0 else size
        found, begin = [], 0
        for piece in self._pieces:
            length = len(piece) if isinstance(piece, bytes) else piece[1]
            offset = self._position - begin
            if wanted and 0 <= offset < length:
                take = min(wanted, length - offset)
                if isinstance(piece, bytes):
                    part = piece[offset : offset + take]
                else:
                    self._file.seek(piece[0] + offset)
                    part = self._file.read(take) or b""
                found.append(part)
                self._position += len(part)
                wanted -= len(part)
            begin += length
        return b"".join(found)

    def readinto(self, buffer) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)
