"""Waveforms at another rate, and at another level."""

from __future__ import annotations

import math

import numpy as np

from .long import LONG, LongWaveform


def resample(waveform: np.ndarray, rate: int, sr: int) -> np.ndarray:
    """A waveform (n_times,) at `rate` Hz, at `sr` Hz: ceil(n_times * sr / rate) samples."""
    import soxr

    n_times = math.ceil(waveform.size * sr / rate)
    resampled = soxr.resample(waveform, rate, sr)[:n_times]
    return np.pad(resampled, (0, n_times - resampled.size))  # soxr's own rounding differs by a sample


def normalize(waveform: np.ndarray, how: str | None, *, is_own: bool = False, lazily: bool = False):
    """Scale a waveform to an RMS ("rms") or a largest magnitude ("peak") of 1; silence stays silence.

    A waveform that is nobody else's (`is_own`) is scaled in its place; a long one of the user's is scaled as it is
    read (`lazily`), without a copy.
    """
    if how is None:
        return waveform
    level = rms(waveform) if how == "rms" else max(waveform.max(), -waveform.min())
    if 0 < level < np.finfo(np.float32).tiny:
        return (waveform.astype(np.float64) / level).astype(np.float32)
    if not level > 0:
        return waveform
    if lazily and not is_own and waveform.size > LONG:
        return LongWaveform(waveform, np.float32(level))
    return np.divide(waveform, np.float32(level), out=waveform if is_own and waveform.flags.writeable else None)


def rms(waveform: np.ndarray) -> float:
    """Root mean square, in float64: squares of quiet clips underflow in float32."""
    if waveform.size <= LONG:
        return np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))
    starts = range(0, waveform.size, LONG)
    total = sum(np.square(waveform[start : start + LONG], dtype=np.float64).sum() for start in starts)
    return np.sqrt(total / waveform.size)
