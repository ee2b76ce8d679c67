"""Shape of power spectra: where their energy lies, how it falls, and how it is spread; vectorised over frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy.sparse

CONTRAST_EDGES = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 8000.0)  # Hz; bands of an octave each, but the outer two
_SLOPES = ((20.0, 500.0), (500.0, 1500.0), (1500.0, 4000.0), (50.0, 5000.0))  # Hz
_ROLLOFFS = (0.25, 0.5, 0.75, 0.9)
_TINY = np.float32(1e-10)

# Columns that are computed together.
_ROLLOFF = tuple(f"spectral_rolloff_{round(100 * fraction)}" for fraction in _ROLLOFFS)
_SLOPE = (*(f"spectral_slope_{low:.0f}_{high:.0f}" for low, high in _SLOPES[:-1]), "spectral_tilt")
_CONTRAST = tuple(f"spectral_contrast_{band}" for band in range(len(CONTRAST_EDGES) - 1))
_OF_POWER = ("spectral_centroid", "spectral_bandwidth", "alpha_ratio")
_OF_LEVEL = ("spectral_entropy", "spectral_flatness")
_OF_BANDS = (*_SLOPE, "hammarberg_index", *_CONTRAST)


@lru_cache(maxsize=16)
def _weights(n_bins: int, sr: int) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array, list[slice], list[slice]]:
    """Weights of sums over bins of the power and of its decibels, and the bins of the bands searched for a peak.

    Sparse, because then a frame's sums are the same whatever other frames are summed with it; dense products round
    otherwise from place to place.
    """
    frequencies = np.arange(n_bins) * sr / (2 * (n_bins - 1))

    def bins(low: float, high: float) -> np.ndarray:
        return (frequencies >= low) & (frequencies < high)

    def span(low: float, high: float) -> slice:
        first, last = np.searchsorted(frequencies, (low, high))
        first = min(first, n_bins - 1)  # a band above half the sampling rate is its last bin
        return slice(first, max(last, first + 1))

    kilohertz = frequencies / 1000
    power = [np.ones(n_bins), kilohertz, kilohertz**2, bins(50, 1000), bins(1000, 5000)]
    level = []
    for low, high in _SLOPES:
        inside = bins(low, high)
        centred = np.where(inside, kilohertz - kilohertz[inside].mean() if inside.any() else 0, 0)
        level.append(centred / max(centred @ centred, 1e-12))
    contrasts = [span(*edges) for edges in pairwise(CONTRAST_EDGES)]
    for band in contrasts:
        level.append(np.zeros(n_bins))
        level[-1][band] = 1 / (band.stop - band.start)
    hammarberg = [span(0, 2000), span(2000, 5000)]
    power, level = (scipy.sparse.csr_array(np.array(rows, np.float32)) for rows in (power, level))
    return power, level, contrasts, hammarberg


def spectral_shape(spectra: np.ndarray, columns: Sequence[str], *, sr: int) -> np.ndarray:
    """Shape of power spectra, (n_frames, n_bins) -> (n_frames, n_columns) float32; little else is computed.

    Frequencies are in Hz, slopes in dB per kHz, ratios in dB, the entropy in bits. For silence, all are 0, or those
    of a flat spectrum at the floor.
    """
    n_bins = spectra.shape[1]
    by_power, by_level, contrasts, hammarberg = _weights(n_bins, sr)
    spectra = np.ascontiguousarray(spectra.T)  # from here on, bin by bin for all frames at once
    total, first, second, low, high = by_power @ spectra
    total = total + _TINY
    centroid = first / total
    bandwidth = np.sqrt(np.maximum(second / total - centroid**2, 0))
    ratio = 10 * np.log10((low + _TINY) / (high + _TINY))
    shape = dict(zip(_OF_POWER, (1000 * centroid, 1000 * bandwidth, ratio), strict=True))
    if not set(columns).isdisjoint(_ROLLOFF):
        shape |= zip(_ROLLOFF, _rolloffs(spectra, np.float32(sr / (2 * (n_bins - 1)))), strict=True)
    if not set(columns).isdisjoint(_OF_LEVEL + _OF_BANDS):
        level = np.maximum(spectra, _TINY)
        np.log10(level, out=level)
        # Entropy of the fractions p = power / total: -sum p log2 p = log2 total - sum power log2 power / total.
        entropy = (np.log10(total) - np.einsum("ij,ij->j", spectra, level) / total) * np.float32(np.log2(10))
        level *= 10
        flatness = (_mean_of(n_bins) @ level)[0] - 10 * np.log10(total / n_bins)
        shape |= zip(_OF_LEVEL, (entropy, flatness), strict=True)
    if not set(columns).isdisjoint(_OF_BANDS):
        slopes_and_means = by_level @ level
        slopes, means = slopes_and_means[: len(_SLOPES)], slopes_and_means[len(_SLOPES) :]
        loudest_low, loudest_high, *peaks = (level[band].max(axis=0) for band in (*hammarberg, *contrasts))
        above = (peak - mean for peak, mean in zip(peaks, means, strict=True))
        shape |= zip(_OF_BANDS, (*slopes, loudest_low - loudest_high, *above), strict=True)
    return np.stack([shape[name] for name in columns], axis=1).astype(np.float32, copy=False)


@lru_cache(maxsize=16)
def _mean_of(n_bins: int) -> scipy.sparse.csr_array:
    """Weights of the mean over bins, (1, n_bins)."""
    return scipy.sparse.csr_array(np.full((1, n_bins), 1 / n_bins, np.float32))


def _rolloffs(spectra: np.ndarray, spacing: np.float32) -> list[np.ndarray]:
    """Frequencies below which the fractions of the power lie, of (n_bins, n_frames)."""
    running = spectra.copy()
    for lower, upper in pairwise(running):  # np.cumsum goes through the frames one by one
        upper += lower
    # A cumulative sum only rises, so that the bins below a fraction of it are those before the roll-off.
    below = (running < np.float32(fraction) * running[-1] for fraction in _ROLLOFFS)
    return [np.add.reduce(bins.view(np.uint8), axis=0, dtype=np.uint16) * spacing for bins in below]
