"""Classifiers that reject clips of which they are not sure."""

from ._classifier import SelectiveClassifier

__all__ = ["SelectiveClassifier"]
