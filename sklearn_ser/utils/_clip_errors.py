"""Errors that say which clip cannot be used, and why."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class AudioError(ValueError):
    """A clip cannot be used; the message names its row, its path and the reason.

    Read more in the guide: :doc:`audio input </guide/audio_input>`.

    Examples
    --------
    >>> from sklearn_ser import AudioError, WaveformLoader
    >>> try:
    ...     WaveformLoader().fit_transform(["nowhere.wav"])
    ... except AudioError as error:
    ...     print("nowhere.wav" in str(error))
    True
    """


class MissingAudioError(AudioError, FileNotFoundError):
    """A clip's file does not exist; also a FileNotFoundError, for those who catch that."""


class LengthError(AudioError):
    """A clip does not hold the sound that it, or the table that it stands in, declares."""


class DurationError(AudioError):
    """A clip is longer than is accepted."""


class ClipError(Exception):
    """Fault of one of a function's waveforms; it becomes an AudioError that names row and path."""

    def __init__(self, index: int, reason: str):
        super().__init__(reason)
        self.index = index


def check_duration(n_times: int, rate: int, most: float | None, where: str, *, at_least: bool = False) -> None:
    """Refuse more samples than `most` seconds hold; `at_least` says that there may be still more."""
    if most is not None and n_times > most * rate:
        long = f"longer than {most:g} s" if at_least else f"{n_times / rate:.3f} s long"
        raise DurationError(f"{where}: the clip is {long}, and max_duration={most:g} s is the most that is accepted.")


_gathered: ContextVar[list[tuple[str, str]] | None] = ContextVar("gathered", default=None)


def remark(kind: str, where: str, text: str) -> None:
    """Warn of a clip that is usable, or hand the remark to who gathers them; `kind` is check_corpus' word for it."""
    gathered = _gathered.get()
    if gathered is None:
        warnings.warn(f"{where}: {text}", UserWarning, stacklevel=3)
    else:
        gathered.append((kind, text))


def warn_once(text: str) -> None:
    """Warn of what is the same for many clips, so that filters of warnings show it once; not while gathering."""
    if _gathered.get() is None:
        warnings.warn(text, UserWarning, stacklevel=2)


@contextmanager
def gathered_remarks() -> Iterator[list[tuple[str, str]]]:
    """Gather remarks instead of warnings, in this thread alone: filters of warnings are the whole process's."""
    remarks: list[tuple[str, str]] = []
    token = _gathered.set(remarks)
    try:
        yield remarks
    finally:
        _gathered.reset(token)
