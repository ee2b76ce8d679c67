"""Models as the Hugging Face hub keeps them: found on this machine or downloaded, and read."""

from ._find import find_model, local_model
from ._head import Head, read_head, read_license
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
