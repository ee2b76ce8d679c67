"""Waveform augmenters; a classifier that also trains on augmented copies; altered clips to test any pipeline on."""

from ._augmenters import AddNoise, PitchShift, TimeStretch
from ._classifier import AugmentedClassifier, augment_clips

__all__ = ["AddNoise", "AugmentedClassifier", "PitchShift", "TimeStretch", "augment_clips"]
