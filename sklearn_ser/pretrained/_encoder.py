"""Encoders, shared within a process by all estimators with the same weights and layer."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from ._architectures import Architecture, describe, from_state
from ._hub import CONFIG, PREPROCESSOR, TensorFiles, find_model, read_json, weight_files

_KEPT_BYTES = 1 << 30  # of weights that nobody uses at the moment, such as those of a search's next candidate

_LOCK = threading.RLock()
_ENCODERS: WeakValueDictionary[str, Encoder] = WeakValueDictionary()  # by digest
_RECENT: OrderedDict[str, Encoder] = OrderedDict()
_DIGESTS: dict[tuple, str] = {}  # of files as they were when they were read


class Encoder:
    """An encoder up to a layer. Pickled with its weights, as they were read; they are made ready on first use.

    From then on they are held once, as the arrays that NumPy computes with, or in a network, and come back from there.

    Attributes
    ----------
    architecture : Architecture
    layer : int
    digest : str
        SHA-256 of everything that the output depends on.
    nbytes : int
        Size of the weights as they were read.
    folder : Path or None
        Where it was read; None if it was unpickled.
    """

    def __init__(self, architecture: Architecture, layer: int, tensors: Mapping, digest: str, folder=None):
        self.architecture, self.layer, self.digest, self.folder = architecture, layer, digest, folder
        self.nbytes = sum(tensor.nbytes for tensor in tensors.values())
        self._held = dict(tensors)
        self._dtypes = {name: tensor.dtype for name, tensor in tensors.items()}
        self._building = threading.RLock()
        self._arrays: dict[str, list[np.ndarray]] | None = None  # of each layer, in Keras' order
        self._layers: Any = None  # a Keras model of all layers
        self._compiled: dict[tuple, Callable] = {}

    def compiled(
        self, layers: tuple[int, ...], weights: tuple[float, ...] | None = None
    ) -> Callable[[np.ndarray], np.ndarray]:
        """A function from what one clip's encoder reads to frames: of layers side by side, or their weighted sum."""
        computing = self.architecture.arrays()
        if computing is not None:
            function, sizes = computing
            return partial(_compute, function, self.arrays(), layers, weights, sizes)
        from ..neural._keras import check_process

        check_process()
        key = layers, weights
        if key not in self._compiled:
            with self._building:
                if key not in self._compiled:
                    network = self.network(layers, weights)
                    self._compiled[key] = compile_for_clips(network, self.architecture.step)
        return self._compiled[key]

    def arrays(self) -> dict[str, list[np.ndarray]]:
        """Weights of each layer that NumPy computes with, float32 and contiguous, with axes in Keras' order."""
        with self._building:
            if self._arrays is None:
                is_held = self._layers is None
                self._arrays = self._converted_all(self._held if is_held else self.tensors, release=is_held)
            return self._arrays

    def _converted_all(self, tensors: dict, release: bool = False) -> dict[str, list[np.ndarray]]:
        """All layers' weights. Each tensor is released as soon as it is converted, or there would be two of it."""
        found = {}
        for part in self.architecture.parts(self.layer):
            for name, arrays in zip(part.layers, self._converted(part, tensors), strict=True):
                found[name] = [np.ascontiguousarray(array) for array in arrays]
            if release and part.recover is not None:
                for tensor in part.tensors:
                    tensors.pop(tensor)
        return found

    def network(self, layers: tuple[int, ...], weights: tuple[float, ...] | None = None):
        """A Keras model, from what the encoder reads to its frames; all models of an encoder share their weights."""
        from ..neural import _keras  # noqa: F401, first, because it sees to it how Keras is imported
        from ..neural.networks import combine_layers

        with self._building:
            if self._layers is None:
                self._layers = self._build()
            return combine_layers(self._layers, layers, weights)

    def _build(self):
        """The network of all layers. Each tensor is released as soon as a layer has it, or there would be two of it."""
        from ..neural.networks import encoder_layers
        from ..neural.networks._named import weights_from

        if self._arrays is not None:
            with weights_from(lambda name, index: self._arrays[name][index]):
                encode, sizes = self.architecture.network()
                return encoder_layers(encode, (None, self.architecture.n_values), self.layer, **sizes)
        parts = {name: part for part in self.architecture.parts(self.layer) for name in part.layers}
        ready: dict[str, dict[int, np.ndarray]] = {}

        def take(name: str, index: int) -> np.ndarray:
            if name not in ready:
                part = parts[name]
                for layer, arrays in zip(part.layers, self._converted(part, self._held), strict=True):
                    ready[layer] = dict(enumerate(arrays))
                if part.recover is not None:
                    for tensor in part.tensors:
                        self._held.pop(tensor)
            return ready[name].pop(index)

        encode, sizes = self.architecture.network()
        shape = None, self.architecture.n_values
        try:
            with weights_from(take):
                return encoder_layers(encode, shape, self.layer, **sizes)
        except BaseException:
            with _LOCK:  # it is of no use any more: the next that is asked for is read again
                _ENCODERS.pop(self.digest, None)
                _RECENT.pop(self.digest, None)
            raise

    @staticmethod
    def _converted(part, tensors: Mapping) -> list[list[np.ndarray]]:
        arrays = part.convert([tensors[name] for name in part.tensors])
        return [[np.asarray(array, dtype=np.float32) for array in layer] for layer in arrays]

    def set_weights(self, network) -> None:
        """Give a network that has such an encoder in it these weights."""
        tensors = self.tensors
        for part in self.architecture.parts(self.layer):
            for name, arrays in zip(part.layers, self._converted(part, tensors), strict=True):
                network.get_layer(name).set_weights(arrays)

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """The weights as they were read, by their names in the encoder."""
        with self._building:
            if self._layers is None and self._arrays is None:
                return dict(self._held)
            found = dict(self._held)
            for part in self.architecture.parts(self.layer):
                if part.recover is not None:
                    weights = [self._weights(name) for name in part.layers]
                    for name, array in zip(part.tensors, part.recover(weights), strict=True):
                        found[name] = np.ascontiguousarray(array, dtype=self._dtypes[name])
            return {name: found[name] for name in self._dtypes}

    _tensors = tensors

    def _weights(self, layer: str) -> list[np.ndarray]:
        return self._layers.get_layer(layer).get_weights() if self._arrays is None else self._arrays[layer]

    def __reduce__(self):
        return _unpickled, (self.architecture, self.layer, self.tensors, self.digest)

    def __getstate__(self):
        """Return the state for skops, which knows no `__reduce__`: numbers, strings and arrays."""
        architecture = self.architecture
        return dict(
            kind=architecture.kind,
            sizes=architecture.state(),
            layer=self.layer,
            tensors=self.tensors,
            digest=self.digest,
        )

    def __setstate__(self, state):
        architecture = from_state(state["kind"], state["sizes"])
        self.__init__(architecture, state["layer"], state["tensors"], state["digest"])

    def __deepcopy__(self, memo):
        return self


class Lent:
    """An encoder on its way to a worker, which reads the weights itself if the files are there."""

    def __init__(self, encoder: Encoder):
        self.encoder = encoder

    def __reduce__(self):
        encoder = self.encoder
        if encoder.folder is None or not os.access(encoder.folder / CONFIG, os.R_OK):
            return Lent, (encoder,)
        return _lent, (encoder.folder, encoder.layer, encoder.digest)


def _lent(folder: Path, layer: int, expected: str) -> Lent:
    encoder = load_encoder(folder, layer, for_head=True)
    if encoder.digest != expected:
        raise ValueError(f"The weights in {folder} have changed since fit, or are others on this machine: fit again.")
    return Lent(encoder)


def read_architecture(folder: Path, kinds: Sequence[str] = ()) -> Architecture:
    """The architecture of the model in a folder.

    Raises
    ------
    FileNotFoundError, ValueError
        If `config.json` is missing, damaged, or of another architecture; the message names the file and the key.
    """
    preprocessor = folder / PREPROCESSOR
    content = read_json(preprocessor) if preprocessor.exists() else {}
    return describe(folder / CONFIG, read_json(folder / CONFIG), preprocessor, content, kinds)


def open_model(
    model, data_home=None, revision=None, kinds: Sequence[str] = (), noun: str = "model"
) -> tuple[Path, Architecture]:
    """The folder of a model, downloaded if it is nowhere, and its architecture."""
    folder = find_model(model, data_home, revision, noun=noun)
    return folder, read_architecture(folder, kinds)


def load_encoder(folder: Path, layer: int, kinds: Sequence[str] = (), *, for_head: bool = False) -> Encoder:
    """The encoder of a folder up to a layer, read unless this process has it.

    Parameters
    ----------
    folder : Path
    layer : int
    kinds : sequence of str, default=()
        The architectures that are accepted; by default, all.
    for_head : bool, default=False
        True if the layer may also be the one that the model's own head reads, behind the last block.
    """
    architecture = read_architecture(folder, kinds)
    if not 0 <= layer <= (architecture.last if for_head else architecture.n_layers):
        raise ValueError(
            f"layer must be between 0 (what the convolutions leave) and {architecture.n_layers}, the last of the model "
            f"in {folder}. Got layer={layer}."
        )
    with _LOCK:  # clones that are fitted at the same time wait for the first
        state = (layer, *_state(folder))
        encoder = _ENCODERS.get(_DIGESTS.get(state, ""))
        if encoder is None:
            tensors = read_tensors(folder, architecture, layer)
            found = _digest(architecture, layer, tensors)
            encoder = _ENCODERS.get(found) or Encoder(architecture, layer, tensors, found, folder)
            _DIGESTS[state] = found
        encoder.folder = folder  # it may have been unpickled, or be known from a folder that is gone
        return _register(encoder)


def read_tensors(folder: Path, architecture: Architecture, layer: int) -> dict[str, np.ndarray]:
    """The encoder's tensors up to a layer, as they are stored (float16 or float32), by their names in the encoder.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, damaged or truncated, or a tensor is missing, has another shape or type, or is not finite;
        the message names the file and the tensor.
    """
    missing = f"{type(architecture).__name__} encoder of {layer} layers or more"
    tensors: dict[str, np.ndarray] = {}
    prefix = None
    with TensorFiles(folder) as files:
        for part in architecture.parts(layer):
            for name, shape in part.tensors.items():
                if prefix is None:
                    prefix = next(
                        (own for own in architecture.prefixes if own + name in files), architecture.prefixes[0]
                    )
                found = files.find([prefix + name, prefix + architecture.alias(name)], missing)
                tensors[name] = files.read(found, shape)
    return tensors


def _digest(architecture: Architecture, layer: int, tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of everything that an encoder's output depends on."""
    content = hashlib.sha256(f"{architecture.key()} {layer}".encode())
    for name, tensor in tensors.items():
        content.update(f"{name} {tensor.dtype} {tensor.shape} ".encode())
        content.update(np.ascontiguousarray(tensor).data)
    return content.hexdigest()


def _unpickled(architecture: Architecture, layer: int, tensors: Mapping[str, np.ndarray], digest: str) -> Encoder:
    with _LOCK:
        return _register(_ENCODERS.get(digest) or Encoder(architecture, layer, tensors, digest))


def _register(encoder: Encoder) -> Encoder:
    _ENCODERS[encoder.digest] = _RECENT[encoder.digest] = encoder
    _RECENT.move_to_end(encoder.digest)
    while len(_RECENT) > 1 and sum(kept.nbytes for kept in _RECENT.values()) > _KEPT_BYTES:
        _RECENT.popitem(last=False)
    return encoder


def _state(folder: Path) -> list[tuple]:
    """Names, sizes and times of a folder's files."""
    files = weight_files(folder)
    weights = [files] if isinstance(files, Path) else files.values()
    paths = sorted({folder / CONFIG, folder / PREPROCESSOR, *weights})
    return [
        (os.path.realpath(path), *((stat := os.stat(path)).st_size, stat.st_mtime_ns))
        for path in paths
        if path.exists()
    ]


def backend() -> tuple:
    """Versions of what computes, on which the last digits depend."""
    found = []
    for name in ("keras", "tensorflow"):
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, None))
    return tuple(found)


def _compute(function, arrays, layers, weights, sizes, inputs) -> np.ndarray:
    """Frames of layers side by side, or their weighted sum, (n_frames, n_values), of what the encoder reads."""
    found = {}
    for index, frames in enumerate(function(inputs, arrays, max(layers), **sizes)):
        if index in layers:
            found[index] = frames
    if weights is not None:
        return sum(found[layer] * np.float32(weight) for layer, weight in zip(layers, weights, strict=True))
    return np.concatenate([found[layer] for layer in layers], axis=1) if len(layers) > 1 else found[layers[0]]


def compile_for_clips(network, step: int) -> Callable[[np.ndarray], np.ndarray]:
    """A function of what the network reads of one clip, compiled once for all lengths, or for multiples of `step`.

    Where lengths are rounded up, there may be more frames in the result than the clip has.
    """
    from ..neural._keras import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        spec = tf.TensorSpec((1, None, network.input_shape[-1]), tf.float32)
        call = tf.function(lambda frames: network(frames, training=False), input_signature=[spec], autograph=False)
        call = call.get_concrete_function()
        return lambda frames: call(tf.constant(frames[np.newaxis])).numpy()[0]

    lock = threading.Lock()

    def run(frames):
        padded = np.full((1, -(-len(frames) // step) * step, frames.shape[1]), np.nan, dtype=np.float32)
        padded[0, : len(frames)] = frames
        with lock:
            return np.asarray(network.predict_on_batch(padded))[0]

    return run
