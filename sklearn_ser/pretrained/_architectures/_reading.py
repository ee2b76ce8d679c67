"""From a waveform to what an encoder makes of it: windows, layers, pooling; and recordings of any length."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..._signal.clear_speech import speech_span
from ...audio import load_waveform
from ...audio._derived import Segment
from ...audio._load import clip_bytes, clip_length
from ...utils._pooling import means
from ...utils._processes import one_blas_thread
from ._base import SR, Architecture

_LONG_BYTES = 2_000_000  # of a file that may be worth reading in parts


@dataclass(frozen=True)
class Reading:
    """Settings for frames of a waveform: which layers, side by side or as a weighted sum; which architecture."""

    architecture: Architecture
    layers: tuple[int, ...]
    weights: tuple[float, ...] | None = None
    padded: bool = False  # with silence, to as many samples as the encoder takes at once

    def frames(self, waveform, encode) -> Iterator[np.ndarray]:
        """Frames of each window of a clip: the encoder's, or what it would read where there is none."""
        windows = self.architecture.windows if encode is not None else self.architecture.input_windows
        for window in windows(waveform.size):
            part = waveform[window]
            if self.padded:
                part = np.pad(part, (0, self.architecture.longest - part.size))
            inputs = self.architecture.prepare(part)
            yield inputs if encode is None else encode(inputs)[: self.architecture.n_frames(part.size)]

    def count(self, n_times: int) -> int:
        """Frames of a clip of so many samples."""
        architecture = self.architecture
        if self.layers:
            windows, count = architecture.windows, architecture.n_frames
        else:
            windows, count = architecture.input_windows, architecture.n_inputs
        return sum(count(window.stop - window.start) for window in windows(n_times))

    @property
    def n_values(self) -> int:
        """Values of a frame."""
        if not self.layers:
            return self.architecture.n_values
        return self.architecture.width * (1 if self.weights else len(self.layers))


def _pool(parts, deviation: bool) -> np.ndarray:
    """Mean, and on request standard deviation, over the frames of all parts, which are looked at one at a time."""
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for part in parts:  # Chan, Golub and LeVeque's update
        part_mean = part.mean(axis=0, dtype=np.float64)
        step, count = part_mean - mean, count + len(part)
        if deviation:
            squares = (
                squares + ((part - part_mean) ** 2).sum(axis=0) + step**2 * len(part) * (count - len(part)) / count
            )
        mean = mean + step * len(part) / count
    pooled = np.concatenate([mean, np.sqrt(squares / count)]) if deviation else mean
    return pooled.astype(np.float32)


def encode_clips(waveforms, *, lent, reading: Reading, pooling: str | int | None, trim: bool):
    """Features or frames of each waveform.

    Each clip is computed by one thread, so that results do not depend on how many there are, and several clips at a
    time by the threads that BLAS has.
    """
    encode = lent.encoder.compiled(reading.layers, reading.weights) if lent is not None else None
    make = partial(_encode_clip, encode=encode, reading=reading, pooling=pooling, trim=trim)
    if reading.architecture.arrays() is None:
        return [make(waveform) for waveform in waveforms]
    with one_blas_thread() as n_threads:
        if n_threads == 1:
            return [make(waveform) for waveform in waveforms]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(make, waveforms))


def _encode_clip(waveform, *, encode, reading: Reading, pooling: str | int | None, trim: bool) -> np.ndarray:
    if isinstance(pooling, str):
        waveform = waveform[speech_span(waveform, SR)] if trim else waveform
        return _pool(reading.frames(waveform, encode), deviation=pooling == "mean_std")
    frames = np.concatenate(list(reading.frames(waveform, encode)))
    if pooling is None:
        return frames
    return means(frames, np.arange(len(frames)) // pooling).astype(np.float32)


class _LongRecording:
    """A waveform of which each part is read when it is asked for, so that hours of it need no memory."""

    def __init__(self, clip, row: int, size: int, offset: float, channel: int | str):
        self.clip, self.row, self.size, self.channel = clip, row, size, channel
        self._start = round(offset * SR)

    def __getitem__(self, part: slice) -> np.ndarray:
        segment = Segment(self.clip, self._start + part.start, self._start + part.stop, SR)
        return load_waveform(segment, SR, channel=self.channel, row=self.row)


def load_in_parts(clip, sr: int, *, offset, duration, normalize, channel, row: int):
    """A clip's waveform, or a file of more than a minute as a `_LongRecording`."""
    if normalize is None and isinstance(clip, (str, os.PathLike)) and clip_bytes(clip) > _LONG_BYTES:
        n_times = clip_length(clip, sr=sr, offset=offset, duration=duration, channel=channel, row=row)
        if n_times > 60 * SR:
            return _LongRecording(clip, row, n_times, offset, channel)
    return load_waveform(clip, sr, offset=offset, duration=duration, normalize=normalize, channel=channel, row=row)
