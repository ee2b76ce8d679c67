"""OpenAI's Whisper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from . import _arrays, _log_mel
from ._base import MOST, Architecture, Config, Part, plain, untouched

_KEYS = {
    "n_layers": "encoder_layers",
    "width": "d_model",
    "n_mels": "num_mel_bins",
    "n_heads": "encoder_attention_heads",
    "hidden_units": "encoder_ffn_dim",
    "n_positions": "max_source_positions",
}


@dataclass(frozen=True)
class Whisper(Architecture):
    """Convolutions over log-mel frames, learned positions, and transformer blocks."""

    kind = "whisper"
    sources, values = "mel", "mel bands"
    step, padded_for_head = 64, True
    prefixes = ("model.encoder.", "encoder.", "")  # of a whole model, of one without its last layer, of an encoder

    n_mels: int
    n_heads: int
    hidden_units: int
    n_positions: int

    @classmethod
    def read(cls, config: Config, preprocessor: Config) -> Whisper:
        config.expect("activation_function", "gelu")
        sizes = {name: config.integer(key, most=1000 if name == "n_layers" else MOST) for name, key in _KEYS.items()}
        if sizes["width"] % sizes["n_heads"]:
            raise ValueError(
                f"{config.path}: encoder_attention_heads must divide d_model. Got {sizes['n_heads']} and "
                f"{sizes['width']}."
            )
        return cls(**sizes)

    def parts(self, layer: int) -> Iterator[Part]:
        width, hidden = self.width, self.hidden_units
        norm = dict(weight=(width,), bias=(width,))
        yield plain("conv_1", "conv1", weight=(width, self.n_mels, 3), bias=(width,))
        yield plain("conv_2", "conv2", weight=(width, width, 3), bias=(width,))
        yield untouched("positions", "embed_positions.weight", (self.n_positions, width))
        for index in range(min(layer, self.n_layers)):
            name, prefix = f"block_{index + 1}", f"layers.{index}"
            yield plain(f"{name}_attention_norm", f"{prefix}.self_attn_layer_norm", **norm)
            yield plain(f"{name}_query", f"{prefix}.self_attn.q_proj", weight=(width, width), bias=(width,))
            yield plain(f"{name}_key", f"{prefix}.self_attn.k_proj", weight=(width, width))
            yield plain(f"{name}_value", f"{prefix}.self_attn.v_proj", weight=(width, width), bias=(width,))
            yield plain(f"{name}_attended", f"{prefix}.self_attn.out_proj", weight=(width, width), bias=(width,))
            yield plain(f"{name}_dense_norm", f"{prefix}.final_layer_norm", **norm)
            yield plain(f"{name}_expand", f"{prefix}.fc1", weight=(hidden, width), bias=(hidden,))
            yield plain(f"{name}_contract", f"{prefix}.fc2", weight=(width, hidden), bias=(width,))
        if layer > self.n_layers:
            yield plain("encoder_norm", "layer_norm", **norm)

    def network(self):
        from ...neural.networks import whisper

        return whisper, dict(
            width=self.width,
            n_heads=self.n_heads,
            hidden_units=self.hidden_units,
            n_positions=self.n_positions,
            last=self.n_layers,
        )

    def arrays(self):
        return _arrays.whisper, dict(n_heads=self.n_heads, last=self.n_layers)

    def prepare(self, waveform: np.ndarray) -> np.ndarray:
        return _log_mel.log_mel(waveform, self.n_mels)

    def n_inputs(self, n_times: int) -> int:
        return max(2, n_times // _log_mel.PER_FRAME * 2 + n_times % _log_mel.PER_FRAME * 2 // _log_mel.PER_FRAME)

    def n_frames(self, n_times: int) -> int:
        return _log_mel.n_frames(n_times)

    def windows(self, n_times: int) -> Iterator[slice]:
        return _log_mel.windows(n_times, self.n_positions)

    def from_rows(self, X: np.ndarray) -> np.ndarray:
        return np.pad(X, ((0, 0), (0, max(0, self.n_mels - X.shape[1]))))[:, np.newaxis]

    def real_frames(self, mask: np.ndarray) -> np.ndarray:
        return mask[:, ::2]

    @property
    def n_values(self) -> int:
        return self.n_mels

    @property
    def longest(self) -> int:
        return self.n_positions * _log_mel.PER_FRAME

    @property
    def last(self) -> int:
        return self.n_layers + 1  # the norm behind the last block, which is no layer for features
