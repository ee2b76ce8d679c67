"""Encoders computed by NumPy: what `neural.networks.whisper` and `wav2vec2` compute, faster, and without Keras.

NumPy's BLAS uses all that the processor offers, where TensorFlow's products of matrices are compiled for older ones.
One clip is encoded at a time. Weights are lists of float32 arrays by the name of their layer, axes in Keras' order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

Weights = Mapping[str, Sequence[np.ndarray]]

_BLOCK = 1 << 15  # values that fit a core's cache together with what is computed of them
_ROWS = 2048  # frames of a convolution that are computed at a time
# Abramowitz and Stegun (1964), 7.1.26: the complement of the error function, to 1.5e-7.
_SLOPE = np.float32(0.3275911)
_COEFFICIENTS = [np.float32(c) for c in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)]
_HALF = np.float32(0.5)
_ROOT = np.float32(np.sqrt(0.5))


def whisper(x: np.ndarray, weights: Weights, n_layers: int, *, n_heads: int, last: int) -> Iterator[np.ndarray]:
    """Yield the frames of each layer, (n_frames, width), of log-mel frames (2 * n_frames, n_mels)."""
    x = gelu(_conv(_pad(x, 1, 1), *weights["conv_1"], kernel=3))
    x = gelu(_conv(_pad(x, 1, 1), *weights["conv_2"], kernel=3, stride=2))
    x += weights["positions"][0][: len(x)]
    yield x
    for index in range(1, n_layers + 1):
        if index > last:
            yield _norm(x, *weights["encoder_norm"])
            return
        name = f"block_{index}"
        x = x + _attend(_norm(x, *weights[f"{name}_attention_norm"]), weights, name, n_heads)
        x += _feed_forward(_norm(x, *weights[f"{name}_dense_norm"]), weights, name)
        yield x


def wav2vec2(
    x: np.ndarray,
    weights: Weights,
    n_layers: int,
    *,
    convolutions: Sequence[tuple[int, int, int]],
    conv_norm: str,
    n_heads: int,
    positions: Sequence[tuple[int, int]],
    projection_norm: bool,
    pre_norm: bool,
    epsilon: float,
    last: int,
    stacked_positions: bool = False,
    max_distance: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the frames of each layer, (n_frames, width), of a waveform (n_times, 1)."""
    for index, (_, kernel, stride) in enumerate(convolutions, 1):
        x = _conv(x, *weights[f"conv_{index}"], kernel=kernel, stride=stride)
        if conv_norm == "layer":
            x = _norm(x, *weights[f"conv_{index}_norm"], in_place=True)
        elif index == 1:
            x = _norm_over_time(x, weights["conv_1_norm"][0])
        x = gelu(x)
    if projection_norm:
        x = _norm(x, *weights["projection_norm"], epsilon=epsilon)
    x = _dense(x, *weights["projection"])
    place = x
    for index, (kernel, n_groups) in enumerate(positions, 1):
        place = _pad(place, kernel // 2, (kernel - 1) // 2)  # an even kernel drops the last frame
        groups = np.split(place, n_groups, axis=1)
        names = [f"positions_{index}_{group}" for group in range(1, n_groups + 1)]
        parts = [_conv(part, *weights[name], kernel=kernel) for part, name in zip(groups, names, strict=True)]
        place = np.concatenate(parts, axis=1)
        place = gelu(_norm(place) if stacked_positions else place)
    x = x + place
    if not pre_norm:
        x = _norm(x, *weights["encoder_norm"], epsilon=epsilon)
    yield x
    distances = None if max_distance is None else _distances(len(x), weights["distances"][0], max_distance)
    for index in range(1, n_layers + 1):
        if index > last:
            yield _norm(x, *weights["encoder_norm"], epsilon=epsilon)
            return
        name = f"block_{index}"
        first, second = weights[f"{name}_attention_norm"], weights[f"{name}_dense_norm"]
        if pre_norm:
            x = x + _attend(_norm(x, *first, epsilon=epsilon), weights, name, n_heads, distances)
            x += _feed_forward(_norm(x, *second, epsilon=epsilon), weights, name)
        else:
            x = _norm(x + _attend(x, weights, name, n_heads, distances), *first, epsilon=epsilon)
            x = _norm(x + _feed_forward(x, weights, name), *second, epsilon=epsilon)
        yield x


def gelu(x: np.ndarray) -> np.ndarray:
    """Replace each value of a contiguous float32 array by x * P(N(0, 1) < x), block by block; error below 1e-6."""
    values = x.reshape(-1)
    buffers = np.empty((3, min(_BLOCK, values.size)), dtype=np.float32)
    for start in range(0, values.size, _BLOCK):
        part = values[start : start + _BLOCK]
        size, t, tail = buffers[:, : part.size]
        np.abs(part, out=size)
        np.multiply(size, _ROOT * _SLOPE, out=t)
        t += 1
        np.reciprocal(t, out=t)
        np.multiply(t, _COEFFICIENTS[0], out=tail)
        for coefficient in _COEFFICIENTS[1:]:
            tail += coefficient
            tail *= t
        np.multiply(part, part, out=t)
        t *= -_HALF
        np.exp(t, out=t)
        tail *= t
        tail *= size
        tail *= _HALF  # |x| * P(N(0, 1) < -|x|)
        np.maximum(part, 0, out=part)
        part -= tail
    return x


def _pad(x: np.ndarray, before: int, after: int) -> np.ndarray:
    return np.pad(x, ((before, after), (0, 0)))


def _dense(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    x = x @ kernel
    if bias is not None:
        x += bias
    return x


def _conv(x: np.ndarray, weight: np.ndarray, bias=None, *, kernel: int, stride: int = 1) -> np.ndarray:
    """Convolve (n_times, n_in) with weights (kernel, n_in, n_out), without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=0)[::stride]  # (n_frames, n_in, kernel)
    matrix = weight.reshape(-1, weight.shape[-1])
    found = np.empty((len(windows), matrix.shape[1]), dtype=np.float32)
    for start in range(0, len(windows), _ROWS):
        part = windows[start : start + _ROWS].transpose(0, 2, 1)
        np.matmul(part.reshape(len(part), -1), matrix, out=found[start : start + _ROWS])
    if bias is not None:
        found += bias
    return found


def _norm(x: np.ndarray, scale=None, offset=None, *, epsilon: float = 1e-5, in_place: bool = False) -> np.ndarray:
    """Give the values of each frame zero mean and unit variance."""
    mean = x.mean(axis=1, keepdims=True)
    x = np.subtract(x, mean, out=x if in_place else None)
    variance = np.einsum("ij,ij->i", x, x)[:, np.newaxis] / np.float32(x.shape[1])
    x /= np.sqrt(variance + np.float32(epsilon))
    if scale is not None:
        x *= scale
        x += offset
    return x


def _norm_over_time(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Give each channel zero mean and unit variance over the clip, in place."""
    x -= x.mean(axis=0, dtype=np.float64).astype(np.float32)
    variance = np.einsum("ij,ij->j", x, x) / np.float32(len(x))
    x *= rows[0] / np.sqrt(variance + np.float32(1e-5))
    x += rows[1]
    return x


def _feed_forward(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    return _dense(gelu(_dense(x, *weights[f"{name}_expand"])), *weights[f"{name}_contract"])


def _attend(x: np.ndarray, weights: Weights, name: str, n_heads: int, distances=None) -> np.ndarray:
    """Self-attention, a head at a time, so that only one matrix of all pairs of frames is held."""
    query, key, value = (_dense(x, *weights[f"{name}_{part}"]) for part in ("query", "key", "value"))
    size = x.shape[1] // n_heads
    query *= np.float32(size**-0.5)
    gates = None if distances is None else _gates(x, weights, name, n_heads)
    attended = np.empty_like(query)
    for head in range(n_heads):
        own = slice(head * size, (head + 1) * size)
        scores = query[:, own] @ key[:, own].T
        if gates is not None:
            scores += gates[:, head, np.newaxis] * distances[head]
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        found = scores @ value[:, own]
        found /= scores.sum(axis=1, keepdims=True)
        attended[:, own] = found
    return _dense(attended, *weights[f"{name}_attended"])


def _distances(n_frames: int, table: np.ndarray, longest: int) -> np.ndarray:
    """WavLM's value of each pair of frames for each head, (n_heads, n_frames, n_frames), by how far they are apart."""
    place = np.arange(n_frames)
    apart = np.clip(place[np.newaxis] - place[:, np.newaxis], -longest, longest) + longest
    return np.ascontiguousarray(table.T)[:, apart]


def _gates(x: np.ndarray, weights: Weights, name: str, n_heads: int) -> np.ndarray:
    """Weight distances by the block's input, for each frame and head, (n_frames, n_heads)."""
    gates = _dense(x.reshape(len(x), n_heads, -1), *weights[f"{name}_gates"])
    gates = gates.reshape(len(x), n_heads, 2, 4).sum(axis=-1)
    gates = 1 / (1 + np.exp(-gates))
    return gates[..., 0] * (gates[..., 1] * weights[f"{name}_gate"][0][0] - 1) + 2
