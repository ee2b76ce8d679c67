"""Clips that are made of other clips each time their waveform is asked for, so that no copy is ever held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class AlteredClip:
    """A clip that is made of another one each time its waveform is asked for, so that no copy is ever held.

    `alter(waveform, sr)` returns the new waveform; `alter.n_times(n_times)` its length, or None where only the waveform
    tells it; `alter.key()` is a string that tells it from all other alterations, or None where nobody can know. `row`
    is the source's row, where that differs from the clip's own.
    """

    source: object
    alter: Any
    row: int | None = None


@dataclass(frozen=True, eq=False)
class Segment:
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

    def span(self, sr: int) -> tuple[int, int | None]:
        """First sample, and the one past the last, at another rate."""
        return round(self.start * sr / self.sr), None if self.stop is None else round(self.stop * sr / self.sr)
