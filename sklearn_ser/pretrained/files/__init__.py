"""A model's files: found on this machine or on the hub, and read."""

from ._hub import find_model, local_model
from ._tensors import CARD, CONFIG, INDEX, PREPROCESSOR, WEIGHTS, TensorFiles, read_json, weight_files

__all__ = [
    "CARD",
    "CONFIG",
    "INDEX",
    "PREPROCESSOR",
    "WEIGHTS",
    "TensorFiles",
    "find_model",
    "local_model",
    "read_json",
    "weight_files",
]
