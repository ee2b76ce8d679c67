"""Powers and spectra of waveforms, for the augmenters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq


def power(waveform: np.ndarray) -> float:
    """Mean square about the mean: a constant offset of a recording is no sound."""
    return float(np.var(waveform, dtype=np.float64))


def as_loud_as(waveform: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The waveform with the power of the other one; silence stays silence."""
    own = power(waveform)
    return waveform * np.float32(np.sqrt(power(other) / own)) if own > 0 else waveform


def at_snr(noise: np.ndarray, waveform: np.ndarray, snr: float) -> np.ndarray:
    """The noise, scaled so that the waveform's power is `snr` dB above the noise's mean square."""
    level = np.mean(np.square(noise, dtype=np.float64))
    return noise * np.sqrt(power(waveform) / level * 10 ** (-snr / 10)) if level > 0 else noise


def filtered(waveform: np.ndarray, sr: int, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The waveform with its spectrum multiplied by a real gain at each frequency in Hz: nothing is delayed."""
    beside = round(0.1 * sr)  # of silence, so that the end does not ring into the beginning
    n_fft = next_fast_len(waveform.size + beside, real=True)
    spectrum = rfft(waveform, n_fft)
    weight = gain(rfftfreq(n_fft, 1 / sr).astype(np.float32))
    return irfft(spectrum * weight, n_fft)[: waveform.size]


def pass_band(frequency: np.ndarray, low: float | None, high: float | None, order: int = 8) -> np.ndarray:
    """Gain between two edges, at which it is 1/2 (-6 dB), and beyond which it falls by 6 dB an octave and order.

    That of a Butterworth filter of half the order, applied forwards and backwards.
    """
    gain = np.ones_like(frequency)
    with np.errstate(divide="ignore", over="ignore"):  # infinity lets nothing through
        if high is not None:
            gain /= 1 + (frequency / np.float32(high)) ** order
        if low is not None:
            gain /= 1 + (np.float32(low) / frequency) ** order
    return gain
