"""Encoders, shared within a process by all estimators with the same weights and layer."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from ._weights import CONFIG, WhisperConfig, digest, read_config, read_tensors, set_weights, weight_files

_KEPT_BYTES = 1 << 30  # of weights that nobody uses at the moment, such as those of a search's next candidate
_STEP = 64  # log-mel frames; where each length is compiled, lengths are multiples of it

_LOCK = threading.RLock()
_ENCODERS: WeakValueDictionary[str, Encoder] = WeakValueDictionary()  # by digest
_RECENT: OrderedDict[str, Encoder] = OrderedDict()
_DIGESTS: dict[tuple, str] = {}  # of files as they were when they were read


class Encoder:
    """Whisper's encoder up to a layer. Pickled with its weights, as they were read; the network is built on first use.

    Attributes
    ----------
    config : WhisperConfig
    layer : int
    digest : str
        SHA-256 of all that the output depends on.
    folder : Path or None
        Where it was read; None if it was unpickled.
    """

    def __init__(self, config: WhisperConfig, layer: int, tensors: Mapping[str, np.ndarray], digest: str, folder=None):
        self.config, self.layer, self.digest, self.folder = config, layer, digest, folder
        self._tensors = tensors
        self._building = threading.Lock()
        self._compiled: dict[tuple[int, ...], Callable] = {}

    def compiled(self, layers: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """A function from one clip's log-mel frames to the layers', (n_frames / 2, len(layers) * width)."""
        from ..neural._keras import check_process

        check_process()
        if layers not in self._compiled:
            with self._building:
                if layers not in self._compiled:
                    self._compiled[layers] = compile_for_clips(self.network(layers))
        return self._compiled[layers]

    def network(self, layers: tuple[int, ...]):
        """A new Keras model with these weights, from frames to the layers'."""
        from ..neural import _keras  # noqa: F401, first, because it sees to it how Keras is imported
        from ..neural.networks import whisper_encoder

        network = whisper_encoder((None, self.config.n_mels), layers=layers, **self.sizes())
        self.set_weights(network)
        return network

    def sizes(self) -> dict[str, int]:
        """What the functions in `neural.networks` take of the config."""
        config = self.config
        return dict(
            width=config.width,
            n_heads=config.n_heads,
            hidden_units=config.hidden_units,
            n_positions=config.n_positions,
        )

    def set_weights(self, network) -> None:
        """Give a network that has such an encoder in it these weights."""
        set_weights(network, self.config, self.layer, self._tensors)

    @property
    def nbytes(self) -> int:
        """Of the weights as they were read."""
        return sum(tensor.nbytes for tensor in self._tensors.values())

    def __reduce__(self):
        return _unpickled, (self.config, self.layer, self._tensors, self.digest)

    def __getstate__(self):
        """What skops saves, which knows no `__reduce__`: numbers, strings and arrays."""
        return dict(config=asdict(self.config), layer=self.layer, tensors=dict(self._tensors), digest=self.digest)

    def __setstate__(self, state):
        self.__init__(WhisperConfig(**state["config"]), state["layer"], state["tensors"], state["digest"])

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
    encoder = load_encoder(folder, layer)
    if encoder.digest != expected:
        raise ValueError(f"The weights in {folder} have changed since fit, or are others on this machine: fit again.")
    return Lent(encoder)


def load_encoder(folder: Path, layer: int) -> Encoder:
    """The encoder of a folder up to a layer, read unless this process has it."""
    config = read_config(folder)
    if not 0 <= layer <= config.n_layers:
        raise ValueError(
            f"layer must be between 0 (what the convolutions leave) and {config.n_layers}, the last of the model in "
            f"{folder}. Got layer={layer}."
        )
    with _LOCK:  # clones that are fitted at the same time wait for the first
        state = (layer, *_state(folder))
        encoder = _ENCODERS.get(_DIGESTS.get(state, ""))
        if encoder is None:
            tensors = read_tensors(folder, config, layer)
            found = digest(config, layer, tensors)
            encoder = _ENCODERS.get(found) or Encoder(config, layer, tensors, found, folder)
            _DIGESTS[state] = found
        encoder.folder = folder  # it may have been unpickled, or be known from a folder that is gone
        return _register(encoder)


def _unpickled(config: WhisperConfig, layer: int, tensors: Mapping[str, np.ndarray], digest: str) -> Encoder:
    with _LOCK:
        return _register(_ENCODERS.get(digest) or Encoder(config, layer, tensors, digest))


def _register(encoder: Encoder) -> Encoder:
    _ENCODERS[encoder.digest] = _RECENT[encoder.digest] = encoder
    _RECENT.move_to_end(encoder.digest)
    while len(_RECENT) > 1 and sum(kept.nbytes for kept in _RECENT.values()) > _KEPT_BYTES:
        _RECENT.popitem(last=False)
    return encoder


def _state(folder: Path) -> list[tuple]:
    """Names, sizes and times of a folder's files."""
    files = weight_files(folder)
    paths = sorted({folder / CONFIG, *([files] if isinstance(files, Path) else files.values())})
    return [
        (os.path.realpath(path), *((stat := os.stat(path)).st_size, stat.st_mtime_ns))
        for path in paths
        if path.exists()
    ]


def compile_for_clips(network) -> Callable[[np.ndarray], np.ndarray]:
    """A function of one clip's frames, compiled once for all lengths, or for a few of them.

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
        padded = np.full((1, -(-len(frames) // _STEP) * _STEP, frames.shape[1]), np.nan, dtype=np.float32)
        padded[0, : len(frames)] = frames
        with lock:
            return np.asarray(network.predict_on_batch(padded))[0]

    return run
