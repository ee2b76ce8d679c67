"""Waveform augmenters; a classifier that also trains on augmented copies; altered clips to test any pipeline on."""

from ._channel import Clipping, Equalizer, Level, Telephone
from ._classifier import AugmentedClassifier, augment_clips
from ._codec import Codec
from ._compose import Compose
from ._noise import AddBackground, AddNoise
from ._pitch_and_time import PitchShift, TimeStretch
from ._room import Room
from ._world import real_world_augmenters, real_world_conditions

__all__ = [
    "AddBackground",
    "AddNoise",
    "AugmentedClassifier",
    "Clipping",
    "Codec",
    "Compose",
    "Equalizer",
    "Level",
    "PitchShift",
    "Room",
    "Telephone",
    "TimeStretch",
    "augment_clips",
    "real_world_augmenters",
    "real_world_conditions",
]
