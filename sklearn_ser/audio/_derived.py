"""Clips that are made of other clips each time their waveform is asked for, so that no copy is ever held."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..utils._clip_errors import AudioError, LengthError
from ._clips import Clip, Reading, Samples, check_waveform
from ._load import as_clip, clip_bytes, sendable, where_is

_ROUNDED = 0.1  # seconds by which a declared segment may end past the clip, because annotations are rounded


class _Derived(Clip):
    """A clip that is made of another one, `source`, in any form; `row` is the source's row, where that differs."""

    source: Any
    row: int | None = None

    def _origin(self, row: int | None) -> tuple[Clip, int | None]:
        """The clip that it is made of, and that one's row."""
        row = row if self.row is None else self.row
        return as_clip(self.source, row), row

    @property
    def path(self):
        return as_clip(self.source, self.row).path

    def __getstate__(self):
        return {**vars(self), "source": sendable(self.source, self.row)}


@dataclass(frozen=True, eq=False)
class AlteredClip(_Derived):
    """A clip that is made of another one each time its waveform is asked for, so that no copy is ever held.

    `alter(waveform, sr)` returns the new waveform; `alter.n_times(n_times)` its length, or None where only the waveform
    tells it; `alter.key()` is a string that tells it from all other alterations, or None where nobody can know. `row`
    is the source's row, where that differs from the clip's own.
    """

    source: object
    alter: Any
    row: int | None = None

    @property
    def nbytes(self):
        return clip_bytes(self.source)

    def where(self, row):
        source = where_is(self.source, row if self.row is None else self.row)
        return f"{source}, altered by {self.alter!s:.80}"

    def length(self, reading, row):
        source, row = self._origin(row)
        altered = self.alter.n_times(source.length(reading, row))
        return self.load(reading, row)[0].size if altered is None else altered

    def load(self, reading, row):
        source, row = self._origin(row)
        where = self.where(row)
        waveform = Samples(self.alter(source.load(reading, row)[0], reading.sr)).floats(where)
        check_waveform(waveform, waveform.size, reading.sr, 0.0, where)
        return waveform, False

    def part(self, start, stop, sr, channel, row):
        return self.load(Reading(sr, channel=channel), row)[0][start:stop]

    def digest(self, row):
        source, row = self._origin(row)
        alteration, digest = self.alter.key(), source.digest(row)
        return None if alteration is None or digest is None else hashlib.sha256(digest + alteration.encode()).digest()


@dataclass(frozen=True, eq=False)
class Segment(_Derived):
    """Part of a clip, read each time its waveform is asked for: from `start` to `stop`, counted at `sr` Hz.

    It is a clip of its own: offset, duration and level are its own, too. A `stop` of None is the clip's end. `row` is
    the source's row. A `declared` segment is a user's, not one that was cut to fit: where it ends past the clip, that
    is an error.
    """

    source: object
    start: float
    stop: float | None
    sr: int
    row: int | None = None
    declared: bool = False

    @property
    def nbytes(self):
        return clip_bytes(self.source) if self.stop is None else int(64_000 * (self.stop - self.start) / self.sr)

    def where(self, row):
        source = where_is(self.source, row if self.row is None else self.row)
        end = "its end" if self.stop is None else f"{self.stop / self.sr:g} s"
        return f"{source}, from {self.start / self.sr:g} to {end}"

    def length(self, reading, row):
        first, past = self._within(reading.sr, reading.channel, row)
        where = self.where(row)
        _, count = reading.span(past - first, reading.sr, where)
        if count == 0:
            check_waveform(np.empty(0), past - first, reading.sr, reading.offset, where)
        return count

    def load(self, reading, row):
        source, source_row = self._origin(row)
        first, past = self._within(reading.sr, reading.channel, row)
        where = self.where(row)
        start, count = reading.span(past - first, reading.sr, where)
        whole = source.part(first, past, reading.sr, reading.channel, source_row)
        waveform = whole[start : start + count]
        check_waveform(waveform, whole.size, reading.sr, reading.offset, where)
        return waveform, False

    def part(self, start, stop, sr, channel, row):
        source, source_row = self._origin(row)
        first, past = self._within(sr, channel, row)
        return source.part(first + start, min(first + stop, past), sr, channel, source_row)

    def digest(self, row):
        try:
            source, row = self._origin(row)
            return source.digest_of_segment(self.start, self.stop, self.sr, row)
        except AudioError:
            return None

    def span(self, sr: int) -> tuple[int, int | None]:
        """First sample, and the one past the last, at another rate."""
        return round(self.start * sr / self.sr), None if self.stop is None else round(self.stop * sr / self.sr)

    def _within(self, sr: int, channel: int | str, row: int | None) -> tuple[int, int]:
        """Return the segment's start and end in its source, which must reach that far."""
        first, past = self.span(sr)
        if past is None or self.declared:
            source, row = self._origin(row)
            total = source.length(Reading(sr, channel=channel), row)
            past = total if past is None else past
            if first >= total or past > total + _ROUNDED * sr:
                raise LengthError(
                    f"{self.where(row)}: the recording ends at {total / sr:.3f} s. start and end are seconds, or "
                    "Timedelta."
                )
            past = min(past, total)
        return first, max(past, first + 1) if self.declared else past
