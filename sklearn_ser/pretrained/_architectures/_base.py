"""Description of an encoder, and the base class of architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

SR = 16000  # Hz; all of these encoders were trained at this rate
MOST = 100_000_000  # of any integer in a config.json


@dataclass(frozen=True)
class Part:
    """Tensors of a model's file, and the layers of the network whose weights they are.

    Parameters
    ----------
    tensors : dict
        Shape of each tensor, by its name.
    layers : tuple of str
    convert : callable
        From the tensors to the list of weights of each layer.
    recover : callable or None
        From these weights back to the tensors; None where that cannot be done.
    """

    tensors: Mapping[str, tuple[int, ...]]
    layers: tuple[str, ...]
    convert: Callable[[list[np.ndarray]], list[list[np.ndarray]]]
    recover: Callable[[list[list[np.ndarray]]], list[np.ndarray]] | None


def _transposed(arrays: list[np.ndarray]) -> list[np.ndarray]:
    return [array.T for array in arrays]


def plain(layer: str, prefix: str, **shapes: tuple[int, ...]) -> Part:
    """A layer whose weights are its tensors, with axes in Keras' order: the last first."""
    tensors = {f"{prefix}.{name}": shape for name, shape in shapes.items()}
    return Part(tensors, (layer,), lambda found: [_transposed(found)], lambda weights: _transposed(weights[0]))


def untouched(layer: str, name: str, shape: tuple[int, ...]) -> Part:
    """A table, which is the same in Keras."""
    return Part({name: shape}, (layer,), lambda found: [found], lambda weights: weights[0])


@dataclass(frozen=True)
class Architecture:
    """A kind of encoder, with the sizes of one model.

    A subclass is a frozen dataclass of numbers, strings and tuples of them. `Encoder` knows nothing else of what it
    encodes with.

    Attributes
    ----------
    kind : str
        Begins the features' names.
    sources, values : str
        Begins the names of what the encoder reads; what messages call it.
    padded_for_head : bool
        True if a published head expects clips that are padded with silence to `longest`.
    longest : int
        Samples that are encoded at once, at most.
    step : int
        Where each length is compiled, input frames are padded to a multiple of it.
    prefixes : tuple of str
        Prefixes of tensors' names: of a whole model, of an encoder alone.
    n_layers, width, n_values : int
        Transformer blocks of the whole model; values of its frames, and of a frame that it reads.
    """

    kind: ClassVar[str]
    sources: ClassVar[str]
    values: ClassVar[str]
    sr: ClassVar[int] = SR
    padded_for_head: ClassVar[bool] = False
    step: ClassVar[int]
    prefixes: ClassVar[tuple[str, ...]]

    n_layers: int
    width: int

    @classmethod
    def read(cls, config: Config, preprocessor: Config) -> Architecture:
        """The architecture that `config.json` and `preprocessor_config.json` describe; the latter may be empty."""
        raise NotImplementedError

    def parts(self, layer: int) -> Iterator[Part]:
        """Tensors and layers up to a transformer block."""
        raise NotImplementedError

    def network(self) -> tuple[Callable, dict[str, Any]]:
        """The function of `neural.networks` that builds it, and the sizes that the function takes."""
        raise NotImplementedError

    def arrays(self) -> tuple[Callable, dict[str, Any]] | None:
        """The function of `_arrays` that computes it by NumPy, and the sizes that it takes; None where Keras has to."""
        return None

    def prepare(self, waveform: np.ndarray) -> np.ndarray:
        """Make of a waveform what the encoder reads, float32 (n_inputs, n_values)."""
        raise NotImplementedError

    def n_inputs(self, n_times: int) -> int:
        """Frames that the encoder reads of so many samples."""
        raise NotImplementedError

    def n_frames(self, n_times: int) -> int:
        """Frames that the encoder makes of so many samples."""
        raise NotImplementedError

    def windows(self, n_times: int) -> Iterator[slice]:
        """Samples that are encoded together: all of a clip, or parts of one too long for the encoder."""
        raise NotImplementedError

    def from_rows(self, X: np.ndarray) -> np.ndarray:
        """Take rows of features, (n_clips, n_features), for what the encoder reads."""
        raise NotImplementedError

    def real_frames(self, mask: np.ndarray) -> np.ndarray:
        """Mask the encoder's real frames, (n_clips, n_frames), by those that it reads."""
        raise NotImplementedError

    def blocks(self, layer: int) -> dict[str, int]:
        """The transformer block by which each layer of the network is needed first, by the layer's name."""
        found: dict[str, int] = {}
        for block in range(layer + 1):
            for part in self.parts(block):
                for name in part.layers:
                    found.setdefault(name, block)
        return found

    def input_windows(self, n_times: int) -> Iterator[slice]:
        """The same where only what the encoder reads is wanted."""
        return self.windows(n_times)

    @property
    def n_values(self) -> int:
        return 1

    @property
    def longest(self) -> int:
        return 30 * SR

    @property
    def last(self) -> int:
        """The layer that the model's own head reads."""
        return self.n_layers

    @property
    def hidden_states(self) -> tuple[int, ...]:
        """The layers that a weighted sum of all of them is made of."""
        return (*range(self.n_layers), self.last)

    def alias(self, name: str) -> str:
        """Another name that a tensor may have."""
        return name

    def key(self) -> str:
        """Everything that the output of a layer depends on besides the weights."""
        return repr(replace(self, n_layers=0))

    def state(self) -> dict[str, Any]:
        """As plain numbers, strings and tuples."""
        return asdict(self)


_MISSING = object()


class Config:
    """A JSON file of a model, whose values are checked as they are read; errors name the file and the key."""

    def __init__(self, path: Path, content: Mapping, noun: str = ""):
        self.path, self.content, self.noun = path, content, noun

    def _wrong(self, key: str, rule: str):
        got = f"Got {self.content[key]!r:.80}" if key in self.content else "It is missing"
        return ValueError(f"{self.path}: {key} must be {rule}. {got}: get the config.json of a {self.noun} model.")

    def _get(self, key: str, default):
        value = self.content.get(key)
        return value if value is not None or default is _MISSING else default

    def integer(self, key: str, default: Any = _MISSING, *, most: int = MOST) -> int:
        value = self._get(key, default)
        if not _is_count(value):
            raise self._wrong(key, "a positive integer")
        if value > most:
            raise self._wrong(key, f"at most {most}")
        return value

    def integers(self, key: str, default: Any = _MISSING, *, most: int = MOST) -> tuple[int, ...]:
        value = self._get(key, default)
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 100 or not all(map(_is_count, value)):
            raise self._wrong(key, "a list of 1 to 100 positive integers")
        if max(value) > most:
            raise self._wrong(key, f"a list of integers of at most {most}")
        return tuple(value)

    def boolean(self, key: str, default: Any = _MISSING) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def choice(self, key: str, options: tuple, default: Any = _MISSING):
        value = self._get(key, default)
        if not any(value is option or value == option and type(value) is type(option) for option in options):
            raise self._wrong(key, " or ".join(map(repr, options)))
        return value

    def number(self, key: str, default: Any = _MISSING, *, below: float = 1.0) -> float:
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < below:
            raise self._wrong(key, f"a number between 0 and {below:g}")
        return float(value)

    def expect(self, key: str, expected) -> None:
        """Raise unless a value is what this library computes, or is not mentioned."""
        if self.content.get(key, expected) != expected:
            raise self.other(key, repr(expected))

    def other(self, key: str, rule: str, advice: str = "WaveformFeatures wraps any encoder.") -> ValueError:
        return ValueError(
            f"{self.path} describes another architecture: {key} must be {rule}. Got {self.content.get(key)!r:.80}. "
            f"{advice}"
        )


def _is_count(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
