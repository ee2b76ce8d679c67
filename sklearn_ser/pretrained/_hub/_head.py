"""Head that was trained on a published encoder, and the licence of its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...utils._messages import short
from ._tensors import CARD, CONFIG, TensorFiles, read_json


@dataclass(frozen=True)
class Head:
    """Head of an encoder: a mean over layers and frames, and two dense layers."""

    labels: tuple[str, ...]
    layer_weights: tuple[float, ...] | None
    dense: tuple[tuple[np.ndarray, np.ndarray], ...]
    bends: bool  # whether a hyperbolic tangent stands between them

    def __call__(self, pooled: np.ndarray) -> np.ndarray:
        """Logits, float64 (n_clips, n_labels), of the means over frames."""
        return np.array([self._one(x) for x in pooled.astype(np.float64)])  # together, the last digits would differ

    def _one(self, x: np.ndarray) -> np.ndarray:
        for index, (weight, bias) in enumerate(self.dense):
            x = np.tanh(x) if index and self.bends else x
            x = weight.astype(np.float64) @ x + bias
        return x


def read_head(folder: Path, width: int, n_layers: int) -> Head:
    """The head of a model in a folder, by the values of a frame and the number of hidden states.

    Raises
    ------
    FileNotFoundError, ValueError
        If it has none that is known, or its labels are not as many as its values; the message names the file.
    """
    path, config = folder / CONFIG, read_json(folder / CONFIG)
    if config.get("add_adapter") or config.get("pooling_mode", "mean") != "mean":
        raise ValueError(
            f"{path}: a head must read the mean over the encoder's frames. Got pooling_mode="
            f"{config.get('pooling_mode')!r:.40}, add_adapter={config.get('add_adapter')!r:.40}."
        )
    weights, missing = None, "model with a head for classification or regression"
    with TensorFiles(folder) as files:
        if config.get("use_weighted_layer_sum"):
            scores = files.read(files.find(["layer_weights"], missing), (n_layers,)).astype(np.float64)
            scores = np.exp(scores - scores.max())
            weights = tuple((scores / scores.sum()).tolist())
        bends = "classifier.dense.weight" in files
        if bends:
            out = files.find(["classifier.out_proj.weight", "classifier.output.weight"], missing)
            names = ["classifier.dense", out.removesuffix(".weight")]
        else:
            names = ["projector", "classifier"]
        dense = []
        for name in names:
            weight = files.read(files.find([f"{name}.weight"], missing))
            if weight.ndim != 2 or weight.shape[1] != width:
                raise ValueError(
                    f"{folder}: the tensor '{name}.weight' must have the shape (n, {width}), by {CONFIG}. Got "
                    f"{weight.shape}."
                )
            width = weight.shape[0]
            dense.append((weight, files.read(files.find([f"{name}.bias"], missing), (width,))))
    return Head(_labels(path, config, width), weights, tuple(dense), bends)


def _labels(path: Path, config: Mapping, n_labels: int) -> tuple[str, ...]:
    given = config.get("id2label", {str(index): f"LABEL_{index}" for index in range(n_labels)})
    keys = [str(index) for index in range(n_labels)]
    if not isinstance(given, Mapping) or sorted(given) != sorted(keys):
        raise ValueError(f"{path}: id2label must name {n_labels} labels, by '0' and so on. Got {short(given)}.")
    labels = tuple(given[key] for key in keys)
    if not all(isinstance(label, str) for label in labels) or len(set(labels)) < n_labels:
        raise ValueError(f"{path}: id2label must hold {n_labels} different names. Got {short(list(labels))}.")
    return labels


def read_license(folder: Path) -> str | None:
    """The licence that a model's card states, as the hub writes it ("cc-by-nc-sa-4.0"); None if it states none."""
    try:
        with open(folder / CARD, encoding="utf-8", errors="replace") as file:
            text = file.read(100_000)
    except OSError:
        return None
    front = re.match(r"\s*---\s*\n(.*?)\n---", text, re.DOTALL)
    found = front and re.search(r"^license:\s*[\"']?([\w.+-]{1,60})", front[1], re.MULTILINE)
    return found[1] if found else None
