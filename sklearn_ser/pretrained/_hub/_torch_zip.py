"""Tensors of a file that PyTorch saved, read without unpickling it.

`torch.save` writes a ZIP archive of a pickle, which names the tensors, and of their bytes. The pickle is not run: its
opcodes are read one by one, and only those are known that dictionaries of tensors are made of. A name of anything
else, such as a function, ends the reading with an error.
"""

from __future__ import annotations

import math
import pickletools
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_MOST_PICKLE = 1 << 24  # bytes; that of a model of thousands of tensors has less than a million
_STORAGES = {
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch DoubleStorage": "float64",
    "torch LongStorage": "int64",
    "torch IntStorage": "int32",
    "torch ShortStorage": "int16",
    "torch CharStorage": "int8",
    "torch ByteStorage": "uint8",
    "torch BoolStorage": "bool",
}
_MAKERS = {
    "collections OrderedDict": lambda *arguments: {},
    "torch._utils _rebuild_tensor_v2": lambda *arguments: _tensor(*arguments),
    "torch._utils _rebuild_parameter": lambda data, *_: data,
}
_MARK = object()


@dataclass(frozen=True)
class _Named:
    """A name that the pickle mentions, and that is known to be harmless."""

    name: str


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    n_values: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Refused(Exception):
    """The pickle holds something else than tensors."""


class TorchFile:
    """A file that holds a dictionary of tensors.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, damaged, of PyTorch before 1.6, or holds anything else than tensors; the message names
        it.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise self._damaged(error) from None
        try:
            self._members = self._check_members()
            self._tensors = self._read_pickle()
        except BaseException:
            self.close()
            raise

    def _damaged(self, reason) -> ValueError:
        return ValueError(
            f"{self.path} is damaged, truncated or no file of tensors as PyTorch 1.6 or later saves it "
            f"({str(reason)[:80]}). Get a fresh copy of it, or model.safetensors in its place."
        )

    def _check_members(self) -> dict[str, zipfile.ZipInfo]:
        """Members by their names below the archive's own folder."""
        members = {}
        for info in self._archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                raise self._damaged(f"{info.filename!r:.40} is compressed")
            members[info.filename.partition("/")[2]] = info
        return members

    def _read_pickle(self) -> dict[str, _Tensor]:
        try:
            content = self._member("data.pkl", most=_MOST_PICKLE)
            order = self._member("byteorder") if "byteorder" in self._members else b"little"
            found = _interpret(content)
        except _Refused as refused:
            raise ValueError(
                f"{self.path} is refused: it holds {refused}, and not only tensors. Nothing of it was run. Use a model "
                "that is saved as model.safetensors."
            ) from None
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration) as error:
            raise self._damaged(error) from None
        if order != b"little" or not isinstance(found, dict):
            raise self._damaged("big-endian, or no dictionary")
        if isinstance(found.get("state_dict"), dict):
            found = found["state_dict"]
        return {name: value for name, value in found.items() if isinstance(value, _Tensor)}

    def _member(self, name: str, most: int | None = None) -> bytes:
        if name not in self._members:
            raise self._damaged(f"it has no {name}")
        info = self._members[name]
        if most is not None and info.file_size > most:
            raise self._damaged(f"{name} has {info.file_size} bytes")
        try:
            return self._archive.read(info)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            raise self._damaged(error) from None

    def keys(self):
        return self._tensors.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        return self._tensors[name].shape

    def dtype(self, name: str) -> str:
        dtype = self._tensors[name].storage.dtype
        return "float32" if dtype == "bfloat16" else dtype  # whose values float32 has all

    def read(self, name: str) -> np.ndarray:
        tensor = self._tensors[name]
        stored = np.dtype("<u2" if tensor.storage.dtype == "bfloat16" else tensor.storage.dtype)
        size, last = math.prod(tensor.shape), tensor.offset
        for length, stride in zip(tensor.shape, tensor.strides, strict=True):
            last += (length - 1) * stride
        content = self._member(f"data/{tensor.storage.key}")
        values = np.frombuffer(content[: len(content) // stored.itemsize * stored.itemsize], dtype=stored)
        if size and last >= len(values):
            raise self._damaged(f"the tensor {name!r:.60} has too few bytes")
        strides = tuple(stride * stored.itemsize for stride in tensor.strides)
        found = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides, writeable=False)
        if tensor.storage.dtype == "bfloat16":
            return (found.astype(np.uint32) << 16).view(np.float32)
        return np.ascontiguousarray(found).reshape(tensor.shape)

    def close(self) -> None:
        self._archive.close()


def _tensor(storage, offset, shape, strides, *_) -> _Tensor:
    counts = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or not all(type(count) is int and 0 <= count < 1 << 40 for count in counts):
        raise ValueError("a tensor is not described as one")
    if len(shape) != len(strides) or len(shape) > 8 or math.prod(shape) > max(storage.n_values, 0):
        raise ValueError("a tensor is larger than what is stored of it")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _storage(identity) -> _Storage:
    word, kind, key, _, n_values = identity
    if word != "storage" or not isinstance(kind, _Named) or kind.name not in _STORAGES:
        raise _Refused("stored values of an unknown type")
    if not isinstance(key, str) or not key.isalnum() or type(n_values) is not int:
        raise ValueError("stored values are not described as such")
    return _Storage(_STORAGES[kind.name], key, n_values)


def _interpret(content: bytes) -> Any:
    """Read a pickle of nested dictionaries of tensors."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list:
        start = next(place for place in range(len(stack) - 1, -1, -1) if stack[place] is _MARK)
        items = stack[start + 1 :]
        del stack[start:]
        return items

    def put(target, items) -> None:
        if not isinstance(target, dict) or not all(isinstance(key, str) for key in items[::2]):
            raise _Refused("a dictionary whose keys are no names")
        target.update(zip(items[::2], items[1::2], strict=True))

    for opcode, argument, _ in pickletools.genops(content):
        name = opcode.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            return stack.pop()
        if name == "MARK":
            stack.append(_MARK)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[argument])
        elif name in ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "INT", "BINFLOAT"):
            stack.append(argument)
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name in ("EMPTY_DICT", "EMPTY_TUPLE", "EMPTY_LIST"):
            stack.append({"EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_LIST": list}[name]())
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            n = int(name[-1])
            stack[-n:] = [tuple(stack[-n:])]
        elif name == "TUPLE":
            stack.append(tuple(since_mark()))
        elif name == "SETITEM":
            key, value = stack[-2], stack[-1]
            del stack[-2:]
            put(stack[-1], [key, value])
        elif name == "SETITEMS":
            items = since_mark()
            put(stack[-1], items)
        elif name in ("APPEND", "APPENDS"):
            items = since_mark() if name == "APPENDS" else [stack.pop()]
            stack[-1].extend(items)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "STACK_GLOBAL":
                argument = " ".join(stack[-2:])
                del stack[-2:]
            if argument not in _STORAGES and argument not in _MAKERS:
                raise _Refused(f"the name {argument.replace(' ', '.')!r:.80}")
            stack.append(_Named(argument))
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "REDUCE":
            arguments, maker = stack.pop(), stack.pop()
            if not isinstance(maker, _Named) or maker.name not in _MAKERS or not isinstance(arguments, tuple):
                raise _Refused("a call of something else than a tensor")
            stack.append(_MAKERS[maker.name](*arguments))
        elif name == "BUILD":
            stack.pop()  # attributes of a dictionary, such as versions of modules, which no tensor depends on
        else:
            raise _Refused(f"the opcode {name}")
    raise ValueError("it has no end")
