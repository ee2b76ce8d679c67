"""Recordings: what their containers declare, checked, and their samples, decoded block by block."""

from ._decoder import RATES
from ._errors import AudioError, ClipError, LengthError, MissingAudioError
from ._recording import Mixer, Recording, read_part, read_recording, recording_length

__all__ = [
    "RATES",
    "AudioError",
    "ClipError",
    "LengthError",
    "MissingAudioError",
    "Mixer",
    "Recording",
    "read_part",
    "read_recording",
    "recording_length",
]
