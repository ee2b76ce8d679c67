"""From a waveform to what an encoder makes of it: windows, layers, pooling; and recordings of any length."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..._signal.clear_speech import speech_span
from ...audio import load_waveform
from ...audio._derived import Segment
from ...audio._load import clip_bytes, clip_length
from ...utils._pooling import means
from ._base import SR, Architecture

_LONG_BYTES = 2_000_000  # of a file that may be worth reading in parts


@dataclass(frozen=True)
class Reading:
    """How frames are made of a waveform: which layers, side by side or as a weighted sum; which architecture."""

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
    """Features or frames of each waveform."""
    encode = lent.encoder.compiled(reading.layers, reading.weights) if lent is not None else None
    if isinstance(pooling, str) and trim:
        waveforms = (waveform[speech_span(waveform, SR)] for waveform in waveforms)
    clips = (reading.frames(waveform, encode) for waveform in waveforms)
    if isinstance(pooling, str):
        return [_pool(parts, deviation=pooling == "mean_std") for parts in clips]
    frames = (np.concatenate(list(parts)) for parts in clips)
    if pooling is None:
        return list(frames)
    return [means(each, np.arange(len(each)) // pooling).astype(np.float32) for each in frames]


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
