"""Errors that say which clip cannot be used, and why."""

from __future__ import annotations


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


class ClipError(Exception):
    """What is wrong with one of a function's waveforms; it becomes an AudioError that names row and path."""

    def __init__(self, index: int, reason: str):
        super().__init__(reason)
        self.index = index
