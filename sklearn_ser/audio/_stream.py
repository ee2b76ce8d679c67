"""Streams: audio that arrives block by block, resampled and cut into segments as they become complete."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from ..utils._clip_errors import AudioError
from ..utils._messages import short
from ._clips import MOST_CHANNELS, pcm_to_float, resampled_from
from ._decoding import Mixer


class Cut(NamedTuple):
    """Plan for cutting a recording: segments, and blocks that are read together, in samples at `sr`."""

    sr: int
    length: int
    hop_duration: float
    most_segments: int
    most_samples: int


def segments_of_stream(
    blocks: Iterable, rate: int, cut: Cut, channel: int | str = "mean"
) -> Iterator[list[tuple[int, np.ndarray]]]:
    """Segments that each block completes, as (first sample, waveform) at `cut.sr`; at its end, the last ones.

    They are those of a whole recording: they begin at every hop while they fit, and one more ends where the recording
    ends. A recording shorter than a segment is one segment.
    """
    stream, starts, read, ready = _Resampled(rate, cut.sr), _Starts(cut), _Blocks(channel), []
    for index, block in enumerate(blocks):
        stream.append(read(block, index))
        while starts.next + cut.length <= stream.n_arrived:
            if starts.begins_part():
                stream.seek(starts.next)
            waveform = stream.read(starts.next, starts.next + cut.length)
            if waveform is None:  # the filter looks a little ahead
                break
            ready.append((starts.next, waveform))
            starts.advance()
            if len(ready) == cut.most_segments:
                yield ready
                ready = []
        yield ready
        ready = []
    stream.close()
    if stream.n_arrived == 0:
        raise AudioError("The stream ended without a sample: blocks must hold audio.")
    length = min(cut.length, stream.n_arrived)
    last = stream.n_arrived - length
    while starts.before <= last - 1 or starts.before < 0:
        starts.next = min(starts.next, last)
        if starts.begins_part():
            stream.seek(starts.next)
        ready.append((starts.next, stream.read(starts.next, starts.next + length)))
        starts.advance()
    yield ready


class _Starts:
    """First samples of the segments, one after the other, and the parts in which a file's are read and resampled.

    The same parts are kept here, so that a stream's segments are a file's to the bit.
    """

    def __init__(self, cut: Cut):
        self.cut, self.next, self.before = cut, 0, -1
        self._number = self._in_part = self._part = 0
        self._asked = -1  # the start that was last asked for by `begins_part`

    def advance(self) -> None:
        self.before = self.next
        while self.next <= self.before:  # hops below a sample
            self._number += 1
            # Each is rounded by itself, or hops that are no whole number of samples would drift.
            self.next = int(np.round(self._number * self.cut.hop_duration * self.cut.sr))

    def begins_part(self) -> bool:
        """Return whether the next segment is the first of its part; true once a part."""
        if self.next == self._asked:
            return False
        self._asked = self.next
        full = self._in_part == self.cut.most_segments
        if self._in_part and not full and self.next + self.cut.length <= self._part + self.cut.most_samples:
            self._in_part += 1
            return False
        self._in_part, self._part = 1, self.next
        return True


class _Blocks:
    """Blocks as mono float32, by the layout and the full scale that the first blocks show.

    Blocks are (n_times, n_channels), or (n_channels, n_times), as PyAV and WebRTC give them. The shorter axis is the
    channels; where it is not far shorter, the blocks before decide.
    """

    def __init__(self, channel: int | str):
        self._channel = channel
        self._n_channels: int | None = None
        self._time_axis: int | None = None
        self._dtype: np.dtype | None = None

    def __call__(self, block, index: int) -> np.ndarray:
        where = f"Block {index}"
        array = np.asarray(block)
        if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
            raise AudioError(
                f"{where}: a block must be an array of numbers, of shape (n_times,) or (n_times, n_channels). Got "
                f"{short(block)}; bytes of a microphone become an array by np.frombuffer(block, 'int16')."
            )
        if array.ndim == 2:
            array = array if self._axis_of_time(array.shape, where) == 0 else array.T
        here = 1 if array.ndim == 1 else array.shape[1]
        if here != (self._n_channels or here) or here == 0:
            raise AudioError(
                f"{where}: all blocks must have as many channels as the first, {self._n_channels}. Got {here}."
            )
        self._n_channels = here
        mono = self._mono(self._floats(array, where), where)
        if not np.isfinite(mono).all():
            raise AudioError(f"{where}: the waveform contains NaN or infinite (inf) values.")
        return mono

    def _axis_of_time(self, shape: tuple[int, int], where: str) -> int:
        if self._time_axis is None:
            if max(shape) <= MOST_CHANNELS or 0 in shape or shape[1] == 1:
                return 0  # so small that it shows nothing
            if min(shape) > MOST_CHANNELS:
                raise AudioError(
                    f"{where}: a block of shape {shape} does not show which axis is time. One of them must be the "
                    f"channels, at most {MOST_CHANNELS}."
                )
            self._time_axis = int(np.argmax(shape))
        return self._time_axis

    def _floats(self, array: np.ndarray, where: str) -> np.ndarray:
        """float32; integers of 64 bits are those of 16, whatever the block, as in all blocks of a stream."""
        if array.dtype.kind in "iu" and array.size:
            kept = self._dtype if self._dtype is not None else array.dtype
            if array.dtype != kept:
                raise AudioError(f"{where}: all blocks must be of one type, {kept}. Got {array.dtype}.")
            self._dtype = kept
            if array.dtype == np.int64 and max(array.max(), -1 - array.min()) < 2**15:
                array = array.astype(np.int16)
        return pcm_to_float(array, where)

    def _mono(self, array: np.ndarray, where: str) -> np.ndarray:
        if array.ndim == 1:
            return array
        if array.shape[1] == 1:
            return array[:, 0]
        if not isinstance(self._channel, str):
            return Mixer(self._channel, array.shape[1], where)(array)
        return array.mean(axis=1)


class _Tape:
    """Samples that arrive at the end, and are forgotten at the beginning."""

    def __init__(self, begin: int = 0):
        self.begin = self.end = begin
        self._parts: list[np.ndarray] = []

    def append(self, samples: np.ndarray) -> None:
        if samples.size:
            self._parts.append(samples)
            self.end += samples.size

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples of which none is forgotten; those from `end` on are missing."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0][start - self.begin : stop - self.begin].copy() if self._parts else np.empty(0, np.float32)

    def forget(self, before: int) -> None:
        while self._parts and self.begin + self._parts[0].size <= before:
            self.begin += self._parts.pop(0).size
        if self._parts and before > self.begin:
            self._parts[0] = self._parts[0][before - self.begin :].copy()
            self.begin = before


class _Resampled:
    """A stream at one rate, read at another, from `seek` on as `load_part` reads a file from there on."""

    def __init__(self, rate: int, sr: int):
        self.rate, self.sr, self.closed = rate, sr, False
        self._native, self._resampled = _Tape(), _Tape()
        self._soxr: Any = None
        self.seek(0)

    @property
    def n_arrived(self) -> int:
        """Samples at `sr` of what has arrived."""
        return math.ceil(self._native.end * self.sr / self.rate)

    def append(self, samples: np.ndarray) -> None:
        self._native.append(samples)
        if self._soxr is not None:
            self._resampled.append(self._soxr.resample_chunk(samples))

    def close(self) -> None:
        """Nothing more comes."""
        self.closed = True
        if self._soxr is not None:
            self._resampled.append(self._soxr.resample_chunk(np.empty(0, np.float32), last=True))

    def seek(self, start: int) -> None:
        """Begin to resample at this sample, at `sr`; nothing before it will be asked for."""
        first = resampled_from(start, self.rate, self.sr)
        self._native.forget(first)
        if self.rate == self.sr:
            return
        import soxr

        self._soxr = soxr.ResampleStream(self.rate, self.sr, 1, dtype="float32")
        self._resampled = _Tape(first * self.sr // self.rate)
        self._resampled.append(self._soxr.resample_chunk(self._native.read(first, self._native.end), last=self.closed))

    def read(self, start: int, stop: int) -> np.ndarray | None:
        """Samples at `sr`; None if they are not all there yet. Nothing before `start` will be asked for."""
        tape = self._native if self.rate == self.sr else self._resampled
        if tape.end < stop and not self.closed:
            return None
        self._native.forget(resampled_from(start, self.rate, self.sr))
        tape.forget(start)
        samples = tape.read(start, stop)
        return np.pad(samples, (0, stop - start - samples.size))  # counted at another rate, it may end a sample later


def check_rate(sr, default: int) -> int:
    """Rate of a stream, Hz."""
    if sr is not None and (not isinstance(sr, Integral) or isinstance(sr, bool) or sr < 1):
        raise ValueError(f"sr must be the rate of the blocks in Hz, an int of at least 1, or None. Got sr={short(sr)}.")
    return default if sr is None else int(sr)
