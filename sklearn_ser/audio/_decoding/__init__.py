"""Recordings: what their containers declare, checked, and their samples, decoded block by block."""

from ._decoder import RATES
from ._errors import (
    AudioError,
    ClipError,
    DurationError,
    LengthError,
    MissingAudioError,
    check_duration,
    gathered_remarks,
)
from ._files import find_file
from ._recording import Mixer, read_part, read_recording, recording_length

__all__ = [
    "RATES",
    "AudioError",
    "ClipError",
    "DurationError",
    "LengthError",
    "MissingAudioError",
    "Mixer",
    "check_duration",
    "find_file",
    "gathered_remarks",
    "read_part",
    "read_recording",
    "recording_length",
]
