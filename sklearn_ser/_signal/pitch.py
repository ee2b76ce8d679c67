"""Fundamental frequency from the autocorrelation of short frames, after Boersma (1993), for several clips at once.

P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
sound", Proc. Institute of Phonetic Sciences Amsterdam 17, 97-110. Where Boersma searches the best path through the
candidates of successive frames, here each frame's candidates are weighed against the median F0 of its neighbors, which
is one operation on all frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.signal

from .long import LONG, LongWaveform
from .spectrum import FrameBatch, blocks, join

_UPSAMPLING = (
    2  # lags an autocorrelation is read at per sample: a parabola through three of them then errs by below 0.1 %
)
_PERIODS = 3  # of the lowest F0 in a window
_CANDIDATES = 4
# Heights of autocorrelation peaks lie between 0 and 1. So much of it a candidate must give way an octave below another,
# so much an octave away from its neighbors, and so much it must reach to be voiced. Set on synthetic vowels of known
# F0.
_OCTAVE_COST, _JUMP_COST, _VOICED = 0.06, 0.3, 0.5
_SILENCE = 0.03  # amplitude over that of the clip's loudest frame, up to which a frame is silent
_NEIGHBOURS = 10  # frames on either side


def _decimation(sr: int, hop_length: int, f0_max: float) -> int:
    """Largest factor that leaves a few harmonics and a whole number of samples from frame to frame."""
    rate = max(4000.0, 7 * f0_max)
    return max(d for d in range(1, hop_length + 1) if hop_length % d == 0 and (d == 1 or sr / d >= rate))


@lru_cache(maxsize=16)
def _lowpass(step: int) -> np.ndarray:
    """Filter before one sample in `step` is kept; half as long as scipy's, because F0 cares little for what aliases."""
    return scipy.signal.firwin(10 * step + 1, 1 / step, window=("kaiser", 5.0)).astype(np.float32)


def _decimated(signal: np.ndarray | LongWaveform, step: int) -> np.ndarray:
    """One sample in `step`, behind a lowpass; of a long waveform by pieces, each with what the filter sees beside."""
    if step == 1:
        return np.asarray(signal)
    if isinstance(signal, np.ndarray):
        return scipy.signal.resample_poly(signal, 1, step, window=_lowpass(step))
    beside, length = step * len(_lowpass(step)), step * (LONG // 8)
    pieces = []
    for start in range(0, signal.size, length):
        ahead = min(beside, start)
        piece = signal[start - ahead : start + length + beside]
        kept = slice(ahead // step, ahead // step + -(-min(length, signal.size - start) // step))
        pieces.append(scipy.signal.resample_poly(piece, 1, step, window=_lowpass(step))[kept])
    return np.concatenate(pieces)


class PitchTrack(NamedTuple):
    """Results of `track`; all of shape (n_frames,), float32."""

    f0: np.ndarray  # Hz; 0 where a frame is unvoiced
    periodicity: np.ndarray  # normalized autocorrelation at the period, from 0 (noise, silence) to 1
    prominence: np.ndarray  # of the cepstral peak, dB
    jitter: np.ndarray  # difference of successive periods over their mean; 0 where unvoiced
    shimmer: np.ndarray  # difference of successive periods' peaks, dB; 0 where unvoiced


def track(waveforms: Sequence[np.ndarray], *, sr: int, hop_length: int, f0_min: float, f0_max: float) -> PitchTrack:
    """F0 of the centered frames of all clips, and how regular the voice is."""
    step = _decimation(sr, hop_length, f0_max)
    frame_length = 2 * step * math.ceil(_PERIODS * sr / f0_min / (2 * step))
    batch = join(waveforms, frame_length, hop_length)
    # The silence between clips is longer than the filter, so that none reaches into another.
    signal = _decimated(batch.signal, step)
    strengths, frequencies, energies, prominence = map(batch.own, _candidates(batch, signal, sr, step, f0_min, f0_max))
    loudest = np.maximum.reduceat(energies, np.cumsum(batch.counts) - batch.counts)
    audible = energies > _SILENCE**2 * np.repeat(loudest, batch.counts)
    octaves = np.log2(frequencies)
    scores = strengths + np.float32(_OCTAVE_COST) * octaves
    rows = np.arange(len(audible))
    best = scores.argmax(axis=1)
    voiced = audible & (strengths[rows, best] > _VOICED)
    reference = _medians(np.where(voiced, octaves[rows, best], np.nan), batch.counts)
    jumps = np.abs(octaves - np.where(np.isnan(reference), octaves[rows, best], reference)[:, np.newaxis])
    best = (scores - np.float32(_JUMP_COST) * np.minimum(jumps, 1)).argmax(axis=1)
    strength = strengths[rows, best]
    voiced = audible & (strength > _VOICED)
    voiced &= _neighbourhoods(voiced, batch.counts, 1, False).sum(axis=1) > 1  # one frame alone is an accident
    f0 = np.where(voiced, frequencies[rows, best], np.float32(0))
    jitter, shimmer = np.zeros((2, len(f0)), dtype=np.float32)
    centres = (np.flatnonzero(batch.is_own) * hop_length + frame_length // 2) // step
    longest = sr / step / f0_min
    voiced = np.flatnonzero(voiced)
    for block in blocks(len(voiced), 4 * math.ceil(longest)):
        some = voiced[block]
        jitter[some], shimmer[some] = _perturbation(signal, centres[some], sr / step / f0[some], longest)
    return PitchTrack(f0, np.clip(strength, 0, 1) * (energies > 0), prominence, jitter, shimmer)


def _candidates(
    batch: FrameBatch, signal: np.ndarray, sr: int, step: int, f0_min: float, f0_max: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return heights and frequencies of each frame's best autocorrelation peaks, (n_frames, _CANDIDATES), energies, and
    prominences of the cepstral peak.

    A height of -1 stands for no candidate.
    """
    length = batch.frame_length // step
    frames = np.lib.stride_tricks.sliding_window_view(signal, length)[:: batch.hop_length // step]
    window = scipy.signal.get_window("hann", length).astype(np.float32)
    rate = sr / step * _UPSAMPLING
    first, last = math.ceil(rate / f0_max), math.floor(rate / f0_min)
    n_fft = scipy.fft.next_fast_len(length + last // _UPSAMPLING + 2, real=True)
    lags = np.arange(first, last + 1)
    shape = _autocorrelation(_power(window, n_fft), n_fft, last + 2)
    shape = shape[0] / shape  # makes up for the window's taper
    cost = np.float32(_OCTAVE_COST) * np.log2(lags).astype(np.float32)
    n_frames = len(frames)
    strengths = np.empty((n_frames, _CANDIDATES), dtype=np.float32)
    frequencies = np.empty_like(strengths)
    energies = np.empty(n_frames, dtype=np.float32)
    prominence = np.empty(n_frames, dtype=np.float32)
    tiny = np.finfo(np.float32).tiny
    for block in blocks(n_frames, n_fft * _UPSAMPLING):
        constant = frames[block].mean(axis=1, keepdims=True)
        power = _power((frames[block] - constant) * window, n_fft)
        prominence[block] = _prominence(power, n_fft, sr / step / f0_max, sr / step / f0_min)
        r = _autocorrelation(power, n_fft, last + 2)
        # Below this, what the subtraction has left is rounding.
        energies[block] = np.where(r[:, 0] > 1e-8 * length * constant[:, 0] ** 2, r[:, 0], 0)
        r = r * (shape / np.maximum(r[:, :1], tiny))
        rises = r[:, first : last + 2] > r[:, first - 1 : last + 1]
        # Peaks are raised by 9, above all else (np.where would take ten times as long); what is chosen falls by 18,
        # below all else.
        score = (rises[:, :-1] & ~rises[:, 1:]) * np.float32(9) + (r[:, first : last + 1] - cost)
        rows = np.arange(len(score))
        best = np.empty((len(score), _CANDIDATES), dtype=np.intp)
        for candidate in best.T:
            candidate[:] = score.argmax(axis=1)
            score[rows, candidate] -= 18
        rows = rows[:, np.newaxis]
        found = score[rows, best] > -13  # it was a peak, at 9 - 18; all else is at -18
        before, at, after = (r[rows, first + best + shift] for shift in (-1, 0, 1))
        curvature = np.maximum(2 * at - before - after, np.float32(1e-9))
        strengths[block] = np.where(found, np.minimum(at + (after - before) ** 2 / (8 * curvature), 1), -1)
        lag = np.where(found, lags[best] + np.clip(0.5 * (after - before) / curvature, -0.5, 0.5), last)
        frequencies[block] = np.clip(rate / lag, f0_min, f0_max)
    return strengths, frequencies, energies, prominence


def _power(frames: np.ndarray, n_fft: int) -> np.ndarray:
    spectra = scipy.fft.rfft(frames, n_fft, axis=-1)
    return spectra.real**2 + spectra.imag**2


def _prominence(power: np.ndarray, n_fft: int, shortest: float, longest: float) -> np.ndarray:
    """Cepstral peak prominence, dB: height of the cepstrum's peak between two periods (samples) above its own fall.

    The fall is a straight line, fitted to the cepstrum in decibels between these periods (Hillenbrand, Cleveland &
    Erickson, "Acoustic correlates of breathy vocal quality", J. Speech and Hearing Research 37, 1994).
    """
    loudest = power.max(axis=1, keepdims=True)
    decibels = 10 * np.log10(np.maximum(power, np.maximum(loudest * np.float32(1e-8), np.float32(1e-20))))
    cepstrum = np.abs(scipy.fft.irfft(decibels, n_fft, axis=-1)[:, math.ceil(shortest) : math.floor(longest) + 1])
    cepstrum = 20 * np.log10(np.maximum(cepstrum, np.float32(1e-3)))
    quefrency = np.arange(cepstrum.shape[1], dtype=np.float32)
    quefrency -= quefrency.mean()
    at = cepstrum.argmax(axis=1)
    slope = np.einsum("ij,j->i", cepstrum, quefrency) / (quefrency @ quefrency)
    return cepstrum[np.arange(len(at)), at] - cepstrum.mean(axis=1) - slope * quefrency[at]


def _perturbation(
    signal: np.ndarray, centres: np.ndarray, periods: np.ndarray, longest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Jitter and shimmer of frames around `centres`, whose periods, in samples, are roughly known.

    From the peaks of three successive periods: one within half a period of the center, one a period later and one
    earlier, each with 30 % of tolerance.
    """

    def peak(at: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
        """Position and height of the highest peak within so much of a period, by a parabola."""
        reach = math.ceil(tolerance * longest)
        offsets = np.arange(-reach, reach + 1)
        at = np.round(at).astype(np.intp)
        near = signal[np.clip(at[:, np.newaxis] + offsets, 1, signal.size - 2)]
        near[np.abs(offsets) > tolerance * periods[:, np.newaxis]] = -np.inf
        at = np.clip(at + offsets[near.argmax(axis=1)], 1, signal.size - 2)
        before, height, after = signal[at - 1], signal[at], signal[at + 1]
        curvature = np.maximum(2 * height - before - after, np.float32(1e-9))
        shift = np.clip(0.5 * (after - before) / curvature, -0.5, 0.5)
        return at + shift, np.maximum(height + 0.25 * (after - before) * shift, np.float32(1e-9))

    middle, height = peak(centres, 0.5)
    later, height_later = peak(middle + periods, 0.3)
    earlier, height_earlier = peak(middle - periods, 0.3)
    jitter = np.abs(later - 2 * middle + earlier) / np.maximum((later - earlier) / 2, 1)
    levels = 20 * np.log10(np.stack((height_earlier, height, height_later)))
    return jitter, np.minimum(np.abs(np.diff(levels, axis=0)).mean(axis=0), 20)


def _autocorrelation(power: np.ndarray, n_fft: int, n_lags: int) -> np.ndarray:
    """Autocorrelation at `n_lags` lags, `_UPSAMPLING` of them a sample, of a power spectrum."""
    # The inverse transform of a real and even spectrum is a cosine transform.
    padded = np.zeros((*power.shape[:-1], n_fft * _UPSAMPLING // 2 + 1), dtype=power.dtype)
    padded[..., : power.shape[-1]] = power
    return scipy.fft.dct(padded, type=1, axis=-1, overwrite_x=True)[..., :n_lags]


def _neighbourhoods(values: np.ndarray, counts: np.ndarray, half: int, fill) -> np.ndarray:
    """Each frame's value amid those of its neighbors in the same clip, (n_frames, 2 * half + 1)."""
    at = np.arange(len(values)) + half * np.repeat(np.arange(1, len(counts) + 1), counts)
    padded = np.full(len(values) + half * (len(counts) + 1), fill, dtype=values.dtype)
    padded[at] = values
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)[at - half]


def _medians(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Median over each frame's neighborhood of what is not NaN; NaN where all is."""
    ordered = np.sort(_neighbourhoods(values, counts, _NEIGHBOURS, np.nan), axis=1)  # NaN goes last
    middle = np.maximum((~np.isnan(ordered)).sum(axis=1) - 1, 0) // 2
    return ordered[np.arange(len(values)), middle]
