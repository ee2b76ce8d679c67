"""Speech above the noise of its recording: mel spectra less the noise floor, down to a fixed distance below the speech.

Microphones, rooms and lines disturb faint speech first. So the floor of each band is estimated and
subtracted (minimum statistics, after Martin 2001, and spectral subtraction, after Boll 1979), nothing is measured
further below the clip's own speech than most recordings reach, and empty bands follow their nearest neighbor.

R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", IEEE
Transactions on Speech and Audio Processing 9(5), 2001. S. Boll, "Suppression of acoustic noise in speech using
spectral subtraction", IEEE Transactions on Acoustics, Speech and Signal Processing 27(2), 1979.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import scipy.sparse

from .long import columns
from .spectrum import join, mel_spectrogram, merge_bands

N_BANDS, N_BROAD, N_LOW = 40, 20, 15  # mel bands; pairs of them; pairs that lie below 3.8 kHz
DEPTH = 30.0  # dB below the loud parts of the speech, down to which its bands are measured
ENERGY_DEPTH = 25.0  # the same of the energy, which sums the bands up
_SMOOTHING, _QUIET, _EXCESS = 5, 0.15, 3.0  # frames; fraction of frames that are the quietest; floor over their mean
_LOUD = 0.95  # quantile over frames that stands for loud speech
_SPEECH, _MARGIN = -20.0, 5  # dB relative to loud speech, from which a frame sounds; frames left on either side
_EMPTY = 3.0  # dB above the depth that a band must reach to carry something
_FALL = 0.5  # dB by which an empty band lies below its neighbor
_SILENT = np.float32(1e-10)
_DEEPEST = np.float32(10 ** (-DEPTH / 10))
SHAPE = (
    "clear_alpha_ratio",
    "clear_hammarberg_index",
    *(f"clear_slope_{edges}" for edges in ("100_600", "500_1500", "1500_3800", "100_3800")),
    *(f"clear_balance_{edge}" for edge in (500, 1500)),
)


def mel(sr: int) -> dict:
    """Parameters of the mel filters."""
    return dict(sr=sr, n_mels=N_BANDS, fmin=50.0, fmax=min(8000.0, sr / 2))


def _decibels(power: np.ndarray) -> np.ndarray:
    decibels = np.maximum(power, _SILENT)
    np.log10(decibels, out=decibels)  # in place: of a long clip, copies take much memory
    decibels *= 10
    return decibels


def _quantile(values: np.ndarray) -> np.ndarray:
    """The value along the first axis that a fraction `_LOUD` lies below."""
    at = int(_LOUD * (len(values) - 1))
    if values.ndim == 1:
        return np.partition(values, at)[at]
    some = columns(*values.shape)
    return np.concatenate([np.partition(values[:, group], at, axis=0)[at] for group in some])


def noise_floor(power: np.ndarray) -> np.ndarray:
    """Noise of each band of a clip: mean of its quietest frames, raised to what most noise stays below.

    Power of shape (n_frames, n_bands) -> (n_bands,).
    """
    n_quiet, means = max(1, int(_QUIET * len(power))), []
    for bands in columns(*power.shape):
        padded = np.pad(power[:, bands], ((_SMOOTHING // 2, _SMOOTHING // 2), (0, 0)), mode="edge")
        smooth = sum(padded[shift : shift + len(power)] for shift in range(_SMOOTHING)) / np.float32(_SMOOTHING)
        means.append(np.partition(smooth, n_quiet - 1, axis=0)[:n_quiet].mean(axis=0))
    return np.float32(_EXCESS) * np.concatenate(means)


def clear_levels(power: np.ndarray) -> np.ndarray:
    """Levels of a clip's bands above its noise, dB from `-DEPTH` up; 0 is the loudest band of loud speech.

    Power of shape (n_frames, n_bands) -> (n_frames, n_bands). Silence lies at `-DEPTH`.
    """
    for above in (power - noise_floor(power), power):  # as it is, where nothing but a steady sound is there
        levels = _decibels(above)
        reference = _quantile(levels[:, : 2 * N_LOW].max(axis=1))
        if reference > np.float32(10) * np.log10(_SILENT):  # both in float32, in NumPy 1 as in NumPy 2
            break
    else:
        return np.full_like(levels, -DEPTH)
    levels -= reference
    np.maximum(levels, np.float32(-DEPTH), out=levels)
    carries = _quantile(levels) > _EMPTY - DEPTH
    if carries.all() or not carries.any():
        return levels
    bands, full = np.arange(levels.shape[1]), np.flatnonzero(carries)
    nearest = full[np.abs(full - bands[:, np.newaxis]).argmin(axis=1)]
    fall = (np.float32(_FALL) * np.abs(nearest - bands)).astype(np.float32)
    levels = levels[:, nearest]
    levels -= fall
    return np.maximum(levels, np.float32(-DEPTH), out=levels)


def speech_span(waveform: np.ndarray, sr: int) -> slice:
    """Samples from shortly before the first to shortly behind the last speech; all, where there is none."""
    hop_length = round(0.01 * sr)
    batch = join([waveform], 1 << (round(0.025 * sr) - 1).bit_length(), hop_length)
    power = mel_spectrogram(batch, win_length=round(0.025 * sr), window="hann", mel=mel(sr))
    frames = speech_frames(ClearSpeech(power, batch.counts, sr).energy())
    return slice(frames.start * hop_length, frames.stop * hop_length)


def speech_frames(energy: np.ndarray) -> slice:
    """The same of frames, by their `ClearSpeech.energy`."""
    sounding = np.flatnonzero(energy > _SPEECH)
    if sounding.size == 0:
        return slice(0, len(energy))
    return slice(max(sounding[0] - _MARGIN, 0), sounding[-1] + 1 + _MARGIN)


class ClearSpeech:
    """Measures of mel power, (n_frames, 40), of clips of `counts` frames; all (n_frames, ...) float32."""

    def __init__(self, power: np.ndarray, counts: np.ndarray, sr: int):
        ends = np.cumsum(counts)
        self.counts, self.first, self.sr = counts, ends - counts, sr
        self.levels = np.empty(power.shape, dtype=np.float32)  # rows in memory, so that sums round alike for any clips
        for first, end in zip(self.first, ends, strict=True):
            self.levels[first:end] = clear_levels(power[first:end])

    @cached_property
    def power(self) -> np.ndarray:
        """Power of the bands below 3.8 kHz, above the depth, relative to the loudest band of loud speech."""
        power = self.levels[:, : 2 * N_LOW] / 10
        np.power(10, power, out=power)
        power -= _DEEPEST
        return np.maximum(power, 0, out=power)

    @cached_property
    def _total(self) -> tuple[np.ndarray, np.ndarray]:
        """Sum of the bands below 3.8 kHz, dB, and the level of loud speech, one value a frame."""
        level = _decibels(self.power.sum(axis=1))
        loud = [_quantile(clip) for clip in np.split(level, self.first[1:])]
        return level, np.repeat(np.array(loud, dtype=np.float32), self.counts)

    def energy(self) -> np.ndarray:
        """Level relative to loud speech, dB from `-ENERGY_DEPTH` up."""
        level, loud = self._total
        return np.where(loud <= 10 * np.log10(_SILENT), -ENERGY_DEPTH, np.maximum(level - loud, -ENERGY_DEPTH))

    def loudness(self) -> np.ndarray:
        """Mean over the bands of power to 0.3, relative to loud speech."""
        relative = self.power * 10 ** (-self._total[1] / 10)[:, np.newaxis]
        return np.where(self.power.any(axis=1), (relative ** np.float32(0.3)).mean(axis=1), 0)

    def flux(self) -> np.ndarray:
        """Distance of each frame's amplitudes, scaled to a length below 1, from those before; of a first frame, 0.

        The length is near 1 in loud frames and goes to 0 in faint ones, so that what is left of noise counts little.
        """
        amplitudes = np.sqrt(self.power * 10 ** (-self._total[1] / 10)[:, np.newaxis])
        amplitudes[~self.power.any(axis=1)] = 0
        amplitudes /= np.sqrt(np.einsum("ij,ij->i", amplitudes, amplitudes))[:, np.newaxis] + np.float32(0.1)
        flux = np.zeros(len(amplitudes), dtype=np.float32)
        steps = np.diff(amplitudes, axis=0)
        flux[1:] = np.sqrt(np.einsum("ij,ij->i", steps, steps))
        flux[self.first[1:]] = 0
        return flux

    def mel(self) -> np.ndarray:
        """Levels of the pairs of bands below 3.8 kHz."""
        return merge_bands(self.levels[:, : 2 * N_LOW], 2)

    def treble(self) -> np.ndarray:
        """Levels of the pairs of bands above."""
        return merge_bands(self.levels[:, 2 * N_LOW :], 2)

    def shape(self) -> np.ndarray:
        """Ratios of bands, dB, and slopes of the levels over frequency, dB per kHz; in the order of `SHAPE`."""
        weights, bands, peaks = _weights(self.sr)
        sums = [_decibels(self.power[:, band].sum(axis=1) + _DEEPEST * (band.stop - band.start)) for band in bands]
        low, high, bass, middle, top = sums
        loudest = [self.levels[:, band].max(axis=1) for band in peaks]
        slopes = (weights @ self.levels[:, : 2 * N_LOW].T).T
        return np.column_stack([low - high, loudest[0] - loudest[1], slopes, bass - middle, middle - top])


@lru_cache(maxsize=4)
def _weights(sr: int) -> tuple[scipy.sparse.csr_array, list[slice], list[slice]]:
    """Weights of the levels in regression slopes, the bands of the ratios, and those that are searched for peaks."""
    import librosa  # here, because importing it takes longer than all of this package

    parameters = mel(sr)
    centres = librosa.mel_frequencies(N_BANDS + 2, fmin=parameters["fmin"], fmax=parameters["fmax"])[1 : 2 * N_LOW + 1]
    rows = []
    for low, high in ((100, 600), (500, 1500), (1500, 3800), (100, 3800)):
        inside = (centres >= low) & (centres < high)
        kilohertz = np.where(inside, (centres - centres[inside].mean()) / 1000, 0)
        rows.append(kilohertz / (kilohertz @ kilohertz))
    edges = [(0, 1000), (1000, 3800), (0, 500), (500, 1500), (1500, 3800)]
    bands = [slice(*np.searchsorted(centres, pair).tolist()) for pair in edges]
    peaks = [slice(*np.searchsorted(centres, pair).tolist()) for pair in ((0, 2000), (2000, 3800))]
    return scipy.sparse.csr_array(np.array(rows, dtype=np.float32)), bands, peaks
