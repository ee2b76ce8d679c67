"""Whisper's weights in the Hugging Face layout: read only as far as they are used, and never unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of weights in several files
CONFIG = "config.json"

_PREFIXES = ("model.encoder.", "encoder.", "")  # of a whole model, of one without its last layer, of an encoder alone
_DTYPES = {"F16": "float16", "F32": "float32"}


@dataclass(frozen=True)
class WhisperConfig:
    """Sizes of an encoder."""

    n_mels: int
    width: int
    n_heads: int
    hidden_units: int
    n_positions: int
    n_layers: int


_KEYS = {
    "n_mels": "num_mel_bins",
    "width": "d_model",
    "n_heads": "encoder_attention_heads",
    "hidden_units": "encoder_ffn_dim",
    "n_positions": "max_source_positions",
    "n_layers": "encoder_layers",
}


def _read_json(path: Path) -> Mapping:
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


def read_config(folder: Path) -> WhisperConfig:
    """The sizes of the encoder in a folder.

    Raises
    ------
    FileNotFoundError, ValueError
        If `config.json` is missing, damaged, or of another architecture; the message names the file and the key.
    """
    path = folder / CONFIG
    content = _read_json(path)
    for key, expected in (("model_type", "whisper"), ("activation_function", "gelu")):
        if content.get(key, expected) != expected:
            raise ValueError(
                f"{path} describes another architecture: {key} must be {expected!r}. Got {content[key]!r:.80}. "
                "WaveformFeatures wraps any encoder."
            )
    sizes = {}
    for name, key in _KEYS.items():
        size = content.get(key)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            got = f"Got {size!r:.80}" if key in content else "It is missing"
            raise ValueError(
                f"{path}: {key} must be a positive integer. {got}: get the config.json of a Whisper model."
            )
        sizes[name] = size
    if sizes["width"] % sizes["n_heads"]:
        raise ValueError(
            f"{path}: encoder_attention_heads must divide d_model. Got {sizes['n_heads']} and {sizes['width']}."
        )
    return WhisperConfig(**sizes)


def _layers(config: WhisperConfig, layer: int) -> Iterator[tuple[str, str, list[tuple[str, tuple[int, ...]]]]]:
    """Of each layer of the network, up to a block: its name, the tensors' common prefix, and their names and shapes."""
    width, hidden = config.width, config.hidden_units

    def dense(into: int, out: int, bias: bool = True) -> list[tuple[str, tuple[int, ...]]]:
        return [("weight", (out, into)), *([("bias", (out,))] if bias else [])]

    norm: list[tuple[str, tuple[int, ...]]] = [("weight", (width,)), ("bias", (width,))]
    yield "conv_1", "conv1", [("weight", (width, config.n_mels, 3)), ("bias", (width,))]
    yield "conv_2", "conv2", [("weight", (width, width, 3)), ("bias", (width,))]
    yield "positions", "embed_positions", [("weight", (config.n_positions, width))]
    for index in range(layer):
        for name, part, tensors in (
            ("attention_norm", "self_attn_layer_norm", norm),
            ("query", "self_attn.q_proj", dense(width, width)),
            ("key", "self_attn.k_proj", dense(width, width, bias=False)),
            ("value", "self_attn.v_proj", dense(width, width)),
            ("attended", "self_attn.out_proj", dense(width, width)),
            ("dense_norm", "final_layer_norm", norm),
            ("expand", "fc1", dense(width, hidden)),
            ("contract", "fc2", dense(hidden, width)),
        ):
            yield f"block_{index + 1}_{name}", f"layers.{index}.{part}", tensors


def weight_files(folder: Path) -> dict[str, Path] | Path:
    """Where a folder's tensors are: one file, or by tensor the file that holds it.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is neither `model.safetensors` nor its index, or the index is damaged.
    """
    if (folder / WEIGHTS).exists() or not (folder / INDEX).exists():
        return folder / WEIGHTS
    places = _read_json(folder / INDEX).get("weight_map")
    if not isinstance(places, Mapping) or not all(
        isinstance(file, str) and file == Path(file).name for file in places.values()
    ):
        raise ValueError(f"{folder / INDEX}: weight_map must name a file of this folder for each tensor.")
    return {tensor: folder / file for tensor, file in places.items()}


def read_tensors(folder: Path, config: WhisperConfig, layer: int) -> dict[str, np.ndarray]:
    """The encoder's tensors up to a layer, as they are stored (float16 or float32), by their names in the encoder.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, damaged or truncated, or a tensor is missing, has another shape or type, or is not finite;
        the message names the file and the tensor.
    """
    files = weight_files(folder)
    tensors: dict[str, np.ndarray] = {}
    with _OpenFiles() as opened:
        known = opened.keys(files) if isinstance(files, Path) else files.keys()
        prefix = next((prefix for prefix in _PREFIXES if f"{prefix}conv1.weight" in known), _PREFIXES[0])
        for _, part, members in _layers(config, layer):
            for member, shape in members:
                name = f"{part}.{member}"
                file = files if isinstance(files, Path) else files.get(prefix + name, folder / INDEX)
                if file.name == INDEX or prefix + name not in opened.keys(file):
                    raise ValueError(
                        f"{file} lacks the tensor {prefix + name!r}: it is no Whisper encoder of {layer} layers or "
                        "more, or not all of one."
                    )
                tensors[name] = opened.read(file, prefix + name, shape)
    return tensors


class _OpenFiles:
    """Files of tensors, opened once each."""

    def __init__(self):
        self.handles: dict = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.handles.clear()

    def _open(self, path: Path):
        from safetensors import SafetensorError, safe_open

        if path not in self.handles:
            try:
                handle = safe_open(str(path), framework="numpy")
                self.handles[path] = handle, frozenset(handle.keys())
            except FileNotFoundError:
                raise FileNotFoundError(
                    f"{path} is missing: a model's folder holds {CONFIG} and {WEIGHTS}, or the files that {INDEX} "
                    "names."
                ) from None
            except (SafetensorError, OSError) as error:
                raise ValueError(
                    f"{path} is damaged, truncated or no safetensors file ({str(error)[:80]}). Get a fresh copy of it."
                ) from None
        return self.handles[path]

    def keys(self, path: Path) -> frozenset[str]:
        return self._open(path)[1]

    def read(self, path: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
        handle = self._open(path)[0]
        header = handle.get_slice(name)
        if tuple(header.get_shape()) != shape:
            raise ValueError(
                f"{path}: the tensor {name!r} must have the shape {shape}, by {CONFIG}. "
                f"Got {tuple(header.get_shape())}: the two files are not of one model."
            )
        if header.get_dtype() not in _DTYPES:
            raise ValueError(
                f"{path}: the tensor {name!r} must be float16 or float32. Got {header.get_dtype()}: convert the file."
            )
        tensor = handle.get_tensor(name)
        if not np.isfinite(tensor).all():
            raise ValueError(
                f"{path}: the tensor {name!r} contains NaN or infinite values. Get a fresh copy of the file."
            )
        return tensor


def digest(config: WhisperConfig, layer: int, tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of all that an encoder's output depends on."""
    content = hashlib.sha256(repr((astuple(config)[:-1], layer)).encode())
    for name, tensor in tensors.items():
        content.update(f"{name} {tensor.dtype} {tensor.shape} ".encode())
        content.update(np.ascontiguousarray(tensor).data)
    return content.hexdigest()


def set_weights(network, config: WhisperConfig, layer: int, tensors: Mapping[str, np.ndarray]) -> None:
    """Give a network of `sklearn_ser.neural.networks` the tensors of its encoder."""
    for name, part, members in _layers(config, layer):
        # Axes in Keras' order: a convolution's (width, n_in, n_out), a dense layer's (n_in, n_out).
        values = [tensors[f"{part}.{member}"] for member, _ in members]
        values = [value if name == "positions" else value.T for value in values]
        network.get_layer(name).set_weights([value.astype(np.float32) for value in values])
