"""Recordings: what their containers declare, checked, and their samples, decoded block by block."""

from ._decoder import RATES
from ._files import find_file
from ._recording import Mixer, read_part, read_recording, recording_length

__all__ = ["RATES", "Mixer", "find_file", "read_part", "read_recording", "recording_length"]
