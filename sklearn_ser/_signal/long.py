"""Waveforms of hours, which are read piece by piece, so that no scaled or padded copy of one is ever held."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

import numpy as np

LONG = 1 << 23  # samples from which a waveform is long: nine minutes at 16 kHz


class LongWaveform:
    """A waveform that is scaled and padded as it is read, by slices; what is read is the same as of a copy, to the bit.

    Parameters
    ----------
    samples : ndarray of shape (n_times,), float32
    level : float32 or None, default=None
        Divisor of the samples.
    before : int, default=0
        Samples of padding before them.
    size : int or None, default=None
        Length with the padding on both sides; None is without padding behind.
    pad_mode : {"constant", "reflect", "edge"}, default="constant"
        As of `numpy.pad`, for `before` samples on either side; what is left is silence.
    """

    ndim, dtype = 1, np.dtype(np.float32)

    def __init__(self, samples, level=None, *, before=0, size=None, pad_mode="constant"):
        self._samples, self._level, self._before, self._pad_mode = samples, level, before, pad_mode
        self._padding = before
        self.size = before + samples.size if size is None else size

    def __len__(self) -> int:
        return self.size

    def padded(self, before: int, size: int, pad_mode: str) -> LongWaveform:
        """The same without padding so far, with padding."""
        return LongWaveform(self._samples, self._level, before=before, size=size, pad_mode=pad_mode)

    def drop(self, n_times: int) -> LongWaveform:
        """Without its first samples, which are padding."""
        dropped = copy(self)
        dropped._before, dropped.size = self._before - n_times, self.size - n_times
        return dropped

    def __getitem__(self, span: slice) -> np.ndarray:
        start, stop, _ = span.indices(self.size)
        n, at = self._samples.size, slice(start - self._before, stop - self._before)  # of the samples
        if self._pad_mode == "constant" or (at.start >= 0 and at.stop <= n):
            piece = np.zeros(max(0, stop - start), dtype=np.float32)
            first, last = max(at.start, 0), min(at.stop, n)
            if first < last:
                piece[first - at.start : last - at.start] = self._samples[first:last]
        else:  # near an edge
            place = np.arange(at.start, at.stop)
            mirrored = np.where(place < n, np.abs(place), 2 * (n - 1) - place) if self._pad_mode == "reflect" else place
            inside = (place >= -self._padding) & (place < n + self._padding)
            piece = np.where(inside, self._samples[np.clip(mirrored, 0, n - 1)], np.float32(0))
        if self._level is not None:
            piece /= self._level
        return piece

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:].astype(dtype or np.float32, copy=False)


def is_long(waveform) -> bool:
    """Return whether a waveform is to be read piece by piece."""
    return isinstance(waveform, LongWaveform) or waveform.size > LONG


def columns(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Groups of columns, so few that a table of their rows takes little memory; all at once, if it is small."""
    most = LONG // 2
    step = n_columns if n_rows * n_columns <= most else max(1, most // n_rows)
    return (slice(start, start + step) for start in range(0, n_columns, step))
