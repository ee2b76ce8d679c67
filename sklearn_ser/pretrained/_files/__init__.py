"""A model's files: found on this machine or on the hub, and read."""

from ._head import Head, read_head, read_license
from ._hub import find_model, local_model
from ._tensors import CONFIG, PREPROCESSOR, TensorFiles, read_json, weight_files

__all__ = [
    "CONFIG",
    "PREPROCESSOR",
    "Head",
    "TensorFiles",
    "find_model",
    "local_model",
    "read_head",
    "read_json",
    "read_license",
    "weight_files",
]
