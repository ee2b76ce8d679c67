"""Waveform augmenters; estimators that also train on augmented copies; altered clips to test any pipeline on."""

from ._channel import Clipping, Equalizer, Level, Telephone
from ._classifier import AugmentedClassifier
from ._codec import Codec
from ._compose import Compose
from ._copies import augment_clips
from ._noise import AddBackground, AddNoise
from ._pitch_and_time import PitchShift, TimeStretch
from ._real_world import real_world_augmenters, real_world_conditions
from ._regressor import AugmentedRegressor
from ._room import Room

__all__ = [
    "AddBackground",
    "AddNoise",
    "AugmentedClassifier",
    "AugmentedRegressor",
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
