"""A model's folder in the Hugging Face layout: its JSON files and its tensors, read only as far as they are used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._torch_zip import TorchFile

CONFIG = "config.json"
PREPROCESSOR = "preprocessor_config.json"
CARD = "README.md"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of weights in several files
TORCH_WEIGHTS = "pytorch_model.bin"
TORCH_INDEX = "pytorch_model.bin.index.json"

_MOST_MAPPED = 1 << 26  # bytes of a file that are read before it is closed: what was read of it stays in memory
_DTYPES = ("float16", "float32")


def read_json(path: Path) -> Mapping:
    """The object that a JSON file holds.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, damaged, or holds something else; the message names it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing: a model's folder holds {CONFIG} and {WEIGHTS}.") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged or no JSON: {str(error)[:80]}. Get a fresh copy of the file.") from None
    if not isinstance(content, Mapping):
        raise ValueError(
            f"{path} must hold a JSON object. Got a {type(content).__name__}: get a fresh copy of the file."
        )
    return content


def weight_files(folder: Path) -> dict[str, Path] | Path:
    """Find a folder's tensors: one file, or by tensor the file that holds it; safetensors go first.

    Raises
    ------
    FileNotFoundError, ValueError
        If an index is damaged, or names a file outside the folder.
    """
    for single, index in ((WEIGHTS, INDEX), (TORCH_WEIGHTS, TORCH_INDEX)):
        if (folder / single).exists():
            return folder / single
        if (folder / index).exists():
            return _indexed(folder, index, Path(single).suffix)
    return folder / WEIGHTS


def _indexed(folder: Path, index: str, suffix: str) -> dict[str, Path]:
    places = read_json(folder / index).get("weight_map")
    if not isinstance(places, Mapping) or not all(
        isinstance(file, str) and file == Path(file).name and "\\" not in file and file.endswith(suffix)
        for file in places.values()
    ):
        raise ValueError(
            f"{folder / index}: weight_map must name a file of this folder for each tensor, which ends in {suffix}."
        )
    return {tensor: folder / file for tensor, file in places.items()}


class TensorFiles:
    """The tensors of a folder, by their names in it; each file is opened once."""

    def __init__(self, folder: Path):
        self.folder, self._files = folder, weight_files(folder)
        self._opened: dict[Any, Any] = {}
        self._mapped = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handle, _ in self._opened.values():
            if isinstance(handle, TorchFile):
                handle.close()
        self._opened.clear()

    def __contains__(self, name: str) -> bool:
        return name in (self._files if isinstance(self._files, dict) else self._open(self._files)[1])

    def _open(self, path: Path):
        if path not in self._opened:
            try:
                handle = TorchFile(path) if path.suffix == ".bin" else _open_safetensors(path)
                self._opened[path] = handle, frozenset(handle.keys())
            except FileNotFoundError:
                raise FileNotFoundError(
                    f"{path} is missing: a model's folder holds {CONFIG} and {WEIGHTS}, or the files that {INDEX} "
                    "names."
                ) from None
        return self._opened[path]

    def find(self, names: Sequence[str], missing: str) -> str:
        """The first of these names that there is.

        Raises
        ------
        ValueError
            If there is none; the message names the file, the first name, and what it therefore is not.
        """
        for name in names:
            if name in self and name in self._open(self._place(name))[1]:
                return name
        place = self._place(names[0])
        raise ValueError(f"{place} lacks the tensor {names[0]!r}: it is no {missing}, or not all of one.")

    def _place(self, name: str) -> Path:
        if isinstance(self._files, Path):
            return self._files
        return self._files.get(name, self.folder / (INDEX if (self.folder / INDEX).exists() else TORCH_INDEX))

    def read(self, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """A tensor as it is stored, float16 or float32.

        Raises
        ------
        ValueError
            If the tensor has another shape or type, or is not finite; the message names the file and the tensor.
        """
        path = self._place(name)
        handle = self._open(path)[0]
        about = f"{path}: the tensor {name!r}"
        found, dtype, load = _described(handle, name)
        if shape is not None and found != shape:
            raise ValueError(
                f"{about} must have the shape {shape}, by {CONFIG}. Got {found}: the two files are not of one model."
            )
        if dtype not in _DTYPES:
            raise ValueError(f"{about} must be float16 or float32. Got {dtype}: convert the file.")
        tensor = load()
        self._mapped += tensor.nbytes
        if self._mapped > _MOST_MAPPED and path.suffix != ".bin":
            self._mapped, _ = 0, self._opened.pop(path)
        if not np.isfinite(tensor).all():
            raise ValueError(f"{about} contains NaN or infinite values. Get a fresh copy of the file.")
        return tensor


def _open_safetensors(path: Path):
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(str(path), framework="numpy")
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} is damaged, truncated or no safetensors file ({str(error)[:80]}). Get a fresh copy of it."
        ) from None


def _described(handle, name: str) -> tuple[tuple[int, ...], str, Callable[[], np.ndarray]]:
    """Shape, type, and what reads it."""
    if isinstance(handle, TorchFile):
        return handle.shape(name), handle.dtype(name), lambda: handle.read(name)
    header = handle.get_slice(name)
    dtype = {"F16": "float16", "F32": "float32"}.get(header.get_dtype(), header.get_dtype())
    return tuple(header.get_shape()), dtype, lambda: handle.get_tensor(name)
