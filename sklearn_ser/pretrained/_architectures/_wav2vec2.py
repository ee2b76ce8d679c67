"""wav2vec 2.0 and its kin: HuBERT, WavLM, data2vec, UniSpeech-SAT."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from . import _arrays
from ._base import SR, Architecture, Config, Part, plain

_CONV = dict(conv_dim=(512,) * 7, conv_kernel=(10, 3, 3, 3, 3, 2, 2), conv_stride=(5, 2, 2, 2, 2, 2, 2))


@dataclass(frozen=True)
class Wav2Vec2(Architecture):
    """Convolutions over the waveform, positions by convolution, and transformer blocks."""

    kind = "wav2vec2"
    sources, values = "waveform", "value (a sample of the waveform)"
    step = 10240
    prefixes = ("wav2vec2.", "")

    convolutions: tuple[tuple[int, int, int], ...]  # width, kernel, stride of each
    conv_norm: str
    conv_bias: bool
    n_heads: int
    hidden_units: int
    positions: tuple[tuple[int, int], ...]  # kernel and groups of each
    projection_norm: bool
    pre_norm: bool
    epsilon: float
    normalized: bool

    @classmethod
    def read(cls, config: Config, preprocessor: Config) -> Wav2Vec2:
        config.expect("hidden_act", "gelu")
        config.expect("feat_extract_activation", "gelu")
        for key in ("adapter_attn_dim", "conv_pos_batch_norm"):
            if config.content.get(key):
                raise config.other(key, "absent")
        dims, kernels, strides = (config.integers(key, _CONV[key]) for key in _CONV)
        if not len(dims) == len(kernels) == len(strides):
            raise ValueError(f"{config.path}: conv_dim, conv_kernel and conv_stride must be equally long.")
        width, n_heads = config.integer("hidden_size", 768), config.integer("num_attention_heads", 12)
        if width % n_heads:
            raise ValueError(f"{config.path}: num_attention_heads must divide hidden_size. Got {n_heads} and {width}.")
        positions = cls._positions(config)
        if width % positions[0][1]:
            raise ValueError(
                f"{config.path}: num_conv_pos_embedding_groups must divide hidden_size. Got {positions[0][1]} and "
                f"{width}."
            )
        rate = preprocessor.integer("sampling_rate", SR)
        if rate != SR:
            raise ValueError(f"{preprocessor.path}: sampling_rate must be {SR}, as of all these models. Got {rate}.")
        made = cls(
            n_layers=config.integer("num_hidden_layers", 12, most=1000),
            width=width,
            convolutions=tuple(zip(dims, kernels, strides, strict=True)),
            conv_bias=config.boolean("conv_bias", False),
            n_heads=n_heads,
            hidden_units=config.integer("intermediate_size", 3072),
            positions=positions,
            epsilon=config.number("layer_norm_eps", 1e-5),
            normalized=preprocessor.boolean("do_normalize", True),
            **cls._norms(config),
        )
        if made._window > SR or made._hop > SR:
            raise ValueError(
                f"{config.path}: conv_kernel and conv_stride must make frames of less than a second. Got "
                f"{list(kernels)!r:.80} and {list(strides)!r:.80}."
            )
        return made

    @classmethod
    def _positions(cls, config: Config) -> tuple[tuple[int, int], ...]:
        kernel = config.integer("num_conv_pos_embeddings", 128)
        return ((kernel, config.integer("num_conv_pos_embedding_groups", 16)),)

    @classmethod
    def _norms(cls, config: Config) -> dict:
        return dict(
            conv_norm=config.choice("feat_extract_norm", ("group", "layer"), "group"),
            projection_norm=True,
            pre_norm=config.boolean("do_stable_layer_norm", False),
        )

    def parts(self, layer: int) -> Iterator[Part]:
        n_in = 1
        for index, (n_out, kernel, _) in enumerate(self.convolutions):
            name, prefix = f"conv_{index + 1}", f"feature_extractor.conv_layers.{index}"
            bias = dict(bias=(n_out,)) if self.conv_bias else {}
            yield plain(name, f"{prefix}.conv", weight=(n_out, n_in, kernel), **bias)
            if self.conv_norm == "layer":
                yield plain(f"{name}_norm", f"{prefix}.layer_norm", weight=(n_out,), bias=(n_out,))
            elif index == 0:
                yield _rows(f"{name}_norm", f"{prefix}.layer_norm", n_out)
            n_in = n_out
        width, hidden = self.width, self.hidden_units
        norm = dict(weight=(width,), bias=(width,))
        if self.projection_norm:
            yield plain("projection_norm", "feature_projection.layer_norm", weight=(n_in,), bias=(n_in,))
        yield plain("projection", "feature_projection.projection", weight=(width, n_in), bias=(width,))
        yield from self._position_parts()
        if not self.pre_norm or layer > self.n_layers:
            yield plain("encoder_norm", "encoder.layer_norm", **norm)
        for index in range(min(layer, self.n_layers)):
            name, prefix = f"block_{index + 1}", f"encoder.layers.{index}"
            for own, theirs in (("query", "q"), ("key", "k"), ("value", "v"), ("attended", "out")):
                there = f"{prefix}.attention.{theirs}_proj"
                yield plain(f"{name}_{own}", there, weight=(width, width), bias=(width,))
            yield from self._distance_parts(index)
            yield plain(f"{name}_attention_norm", f"{prefix}.layer_norm", **norm)
            dense = f"{prefix}.feed_forward"
            yield plain(f"{name}_expand", f"{dense}.intermediate_dense", weight=(hidden, width), bias=(hidden,))
            yield plain(f"{name}_contract", f"{dense}.output_dense", weight=(width, hidden), bias=(width,))
            yield plain(f"{name}_dense_norm", f"{prefix}.final_layer_norm", **norm)

    def _position_parts(self) -> Iterator[Part]:
        """A convolution whose kernel is stored as directions and lengths, one for each step of it."""
        (kernel, groups), prefix = self.positions[0], "encoder.pos_conv_embed.conv"
        tensors = {
            f"{prefix}.weight_g": (1, 1, kernel),
            f"{prefix}.weight_v": (self.width, self.width // groups, kernel),
            f"{prefix}.bias": (self.width,),
        }

        def convert(found):
            lengths, directions, bias = (array.astype(np.float32) for array in found)
            norms = np.sqrt(np.square(directions, dtype=np.float64).sum(axis=(0, 1), keepdims=True))
            return _by_group((directions * (lengths / np.maximum(norms, 1e-30))).astype(np.float32), bias, groups)

        yield Part(tensors, tuple(f"positions_1_{group + 1}" for group in range(groups)), convert, None)

    def _distance_parts(self, index: int) -> Iterator[Part]:
        return iter(())

    def alias(self, name: str) -> str:
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            name = name.replace(f".conv.{old}", f".conv.parametrizations.weight.{new}")
        return name

    def network(self):
        from ...neural.networks import wav2vec2

        return wav2vec2, dict(
            width=self.width, hidden_units=self.hidden_units, conv_bias=self.conv_bias, **self._sizes()
        )

    def arrays(self):
        return _arrays.wav2vec2, self._sizes()

    def _sizes(self) -> dict:
        return dict(
            convolutions=self.convolutions,
            conv_norm=self.conv_norm,
            n_heads=self.n_heads,
            positions=self.positions,
            projection_norm=self.projection_norm,
            pre_norm=self.pre_norm,
            last=self.n_layers,
            epsilon=self.epsilon,
        )

    @property
    def last(self) -> int:
        return self.n_layers + self.pre_norm  # there is a norm behind the last block then

    @property
    def hidden_states(self) -> tuple[int, ...]:
        return tuple(range(self.n_layers + 1))  # before that norm, as in `transformers` from version 5 on

    @property
    def _hop(self) -> int:
        return math.prod(stride for _, _, stride in self.convolutions)

    @property
    def _window(self) -> int:
        """Samples that one frame is made of."""
        n = 1
        for _, kernel, stride in reversed(self.convolutions):
            n = (n - 1) * stride + kernel
        return n

    def prepare(self, waveform: np.ndarray) -> np.ndarray:
        waveform = np.asarray(waveform, dtype=np.float32)
        if self.normalized:
            variance = waveform.var(dtype=np.float64)
            waveform = ((waveform - waveform.mean(dtype=np.float64)) / np.sqrt(variance + 1e-7)).astype(np.float32)
        return np.pad(waveform, (0, max(0, self._window - waveform.size)))[:, np.newaxis]

    def n_inputs(self, n_times: int) -> int:
        return max(self._window, n_times)

    def n_frames(self, n_times: int) -> int:
        return (self.n_inputs(n_times) - self._window) // self._hop + 1

    def from_rows(self, X: np.ndarray) -> np.ndarray:
        return np.pad(X, ((0, 0), (0, max(0, self._window - X.shape[1]))))[:, :, np.newaxis]

    def real_frames(self, mask: np.ndarray) -> np.ndarray:
        for _, kernel, stride in self.convolutions:
            mask = mask[:, kernel - 1 :: stride]
        return mask

    def windows(self, n_times: int) -> Iterator[slice]:
        frames = self.n_frames(n_times)
        parts = math.ceil(frames / max(1, self.n_frames(self.longest)))
        edges = [math.ceil(i * frames / parts) for i in range(parts + 1)]
        for start, stop in zip(edges, edges[1:], strict=False):
            end = n_times if stop == frames else (stop - 1) * self._hop + self._window
            yield slice(start * self._hop, end)

    def input_windows(self, n_times: int) -> Iterator[slice]:
        yield slice(0, n_times)  # windows share samples


@dataclass(frozen=True)
class Hubert(Wav2Vec2):
    """wav2vec 2.0's network, trained on other targets."""

    kind = "hubert"
    prefixes = ("hubert.", "")

    @classmethod
    def _norms(cls, config):
        return {**super()._norms(config), "projection_norm": config.boolean("feat_proj_layer_norm", True)}


@dataclass(frozen=True)
class UniSpeechSat(Wav2Vec2):
    """wav2vec 2.0's network, trained to tell speakers apart."""

    kind = "unispeech_sat"
    prefixes = ("unispeech_sat.", "")


@dataclass(frozen=True)
class Data2VecAudio(Wav2Vec2):
    """wav2vec 2.0's network with positions by a stack of small convolutions."""

    kind = "data2vec_audio"
    prefixes = ("data2vec_audio.", "")

    @classmethod
    def _positions(cls, config):
        kernel = config.integer("conv_pos_kernel_size", 19)
        groups = config.integer("num_conv_pos_embedding_groups", 16)
        return ((kernel, groups),) * config.integer("num_conv_pos_embeddings", 5, most=100)

    @classmethod
    def _norms(cls, config):
        return dict(conv_norm="layer", projection_norm=True, pre_norm=False)

    def _position_parts(self):
        for index, (kernel, groups) in enumerate(self.positions):
            prefix = f"encoder.pos_conv_embed.layers.{index}.conv"
            tensors = {
                f"{prefix}.weight": (self.width, self.width // groups, kernel),
                f"{prefix}.bias": (self.width,),
            }
            names = tuple(f"positions_{index + 1}_{group + 1}" for group in range(groups))
            yield Part(
                tensors,
                names,
                lambda found, groups=groups: _by_group(*found, groups),
                lambda weights: [np.concatenate(arrays) for arrays in zip(*map(_reversed, weights), strict=True)],
            )

    def _sizes(self):
        return {**super()._sizes(), "stacked_positions": True}


@dataclass(frozen=True)
class WavLM(Wav2Vec2):
    """wav2vec 2.0's network with attention that knows how far frames are apart."""

    kind = "wavlm"
    prefixes = ("wavlm.", "")

    n_buckets: int = 320
    max_distance: int = 800

    _farthest: ClassVar[int] = 100_000

    @classmethod
    def read(cls, config, preprocessor):
        made = super().read(config, preprocessor)
        sizes = dict(
            n_buckets=config.integer("num_buckets", 320, most=cls._farthest),
            max_distance=config.integer("max_bucket_distance", 800, most=cls._farthest),
        )
        if sizes["n_buckets"] < 4 or sizes["max_distance"] <= sizes["n_buckets"] // 4:
            raise ValueError(
                f"{config.path}: num_buckets must be at least 4, and max_bucket_distance above a quarter of it. "
                f"Got {sizes['n_buckets']} and {sizes['max_distance']}."
            )
        return cls(**{**vars(made), **sizes})

    def _distance_parts(self, index):
        name, prefix, n_heads = f"block_{index + 1}", f"encoder.layers.{index}.attention", self.n_heads
        size = self.width // n_heads
        if index == 0:
            buckets = distance_buckets(self.n_buckets, self.max_distance)
            tensors = {f"{prefix}.rel_attn_embed.weight": (self.n_buckets, n_heads)}
            yield Part(tensors, ("distances",), lambda found: [[found[0][buckets]]], None)
        yield plain(f"{name}_gates", f"{prefix}.gru_rel_pos_linear", weight=(8, size), bias=(8,))
        yield Part(
            {f"{prefix}.gru_rel_pos_const": (1, n_heads, 1, 1)},
            (f"{name}_gate",),
            lambda found: [[found[0].reshape(1, n_heads)]],
            lambda weights: [weights[0][0].reshape(1, n_heads, 1, 1)],
        )

    def _sizes(self):
        return {**super()._sizes(), "max_distance": self.max_distance}


def distance_buckets(n_buckets: int, max_distance: int) -> np.ndarray:
    """The bucket of each distance from -max_distance to max_distance, as in T5: near ones alone, far ones together."""
    half = n_buckets // 2
    exact = half // 2
    apart = np.arange(-max_distance, max_distance + 1)
    size = np.abs(apart)
    with np.errstate(divide="ignore"):
        steps = np.log(size.astype(np.float32) / np.float32(exact)) / np.float32(math.log(max_distance / exact))
    far = np.minimum(exact + np.maximum(steps * np.float32(half - exact), 0), half - 1).astype(np.int64)
    return (apart > 0) * half + np.where(size < exact, size, far)


def _rows(layer: str, prefix: str, width: int) -> Part:
    """A scale and an offset, as the two rows of a table."""
    tensors = {f"{prefix}.weight": (width,), f"{prefix}.bias": (width,)}
    return Part(tensors, (layer,), lambda found: [[np.stack(found)]], lambda weights: list(weights[0][0]))


def _by_group(kernel: np.ndarray, bias: np.ndarray, groups: int) -> list[list[np.ndarray]]:
    """Kernel and bias of each group's own convolution, with axes in Keras' order."""
    pairs = zip(np.split(kernel, groups), np.split(bias, groups), strict=True)
    return [[part.T, own] for part, own in pairs]


def _reversed(arrays: list[np.ndarray]) -> list[np.ndarray]:
    return [array.T for array in arrays]
