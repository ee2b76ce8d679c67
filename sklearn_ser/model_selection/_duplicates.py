"""Recordings that are the same but for their level, format or ends, found by their sound and not by their names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import scipy.fft
from joblib import Parallel, delayed
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.neighbors import NearestNeighbors

from .._signal.spectrum import join, mel_spectrogram, power_to_db
from .._signal.waveform import normalize, resample
from ..audio import AudioTransformer
from ..audio._input import as_clips
from ..audio._load import load_waveform

_SR = 4000  # Hz; what any format and rate keeps of speech lies below 2 kHz
_WINDOW, _HOP = 256, 40  # samples: frames 10 ms apart
_MEL = dict(sr=_SR, n_mels=8, fmin=100.0, fmax=1900.0)
_DEPTH = 30.0  # dB below the loudest band; noise and codecs change what is softer
_PERIOD, _N_RATES, _BINS = 1024, 32, 4  # frames of a spectrum; bands of modulation rates; its bins in a band
# Bounds for copies: the distance (cosine) of their fingerprints, the correlation of their changes of
# level, and that of their waveforms. On EMO-DB (docs/benchmarks.md), copies in any format, trimmed by up to 100 ms, or
# with noise at 10 dB are nearer than 0.035 and correlate above 0.8. Among 142,845 pairs of clips, 357 are within the
# first bound and 20 of these within the second; none is near the third, as no pair of clips correlates above 0.45.
_MOST_DISTANT, _LEAST_SYNCHRONOUS, _LEAST_CORRELATED = 0.05, 0.55, 0.7
_N_NEIGHBORS = 8
_FEWEST_CHANGES = 27  # in 0.25 s: the shorter two clips are, the more they correlate anyhow, as rows of features do


class Fingerprints(AudioTransformer, auto_wrap_output_keys=None):
    """A digest, a fingerprint and the changes of level of each clip.

    The digest is the waveform's, and equal for equal waveforms alone. The fingerprint says at which rates the level of
    each mel band changes, and how much: a magnitude spectrum along time, in which a shift does not show, of length 1.
    The changes themselves, from frame to frame, are in quarters of a decibel.
    """

    offset, duration, normalize, memory = 0.0, None, None, None
    _level_counts = False  # copies are told whatever the level

    def __init__(self, sr=16000, *, n_jobs=None, verbose=0):
        self.sr = sr
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X) -> tuple[list[bytes], np.ndarray, list[np.ndarray]]:
        """Digests, fingerprints of shape (n_clips, n_values), and changes of shape (n_frames + 1, n_mels), int8."""
        digests, fingerprints, changes = zip(*(described for _, described in self._apply(X)[1]), strict=True)
        return list(digests), np.asarray(fingerprints), list(changes)

    def _learn(self, n_times):
        self.n_times_ = n_times

    def _function(self) -> Callable:
        return partial(_describe, sr=self.sr)


def _describe(waveforms: Sequence[np.ndarray], sr: int) -> list[tuple[bytes, np.ndarray, np.ndarray]]:
    joined = join([normalize(resample(waveform, sr, _SR), "rms") for waveform in waveforms], _WINDOW, _HOP)
    power = mel_spectrogram(joined, win_length=_WINDOW, window="hann", mel=_MEL)
    levels = joined.split(_DEPTH + power_to_db(power, joined.counts, ref="max", top_db=_DEPTH))
    digests = [hashlib.sha256(waveform.tobytes()).digest() for waveform in waveforms]
    return [(digest, _modulation(level), _changes(level)) for digest, level in zip(digests, levels, strict=True)]


def _modulation(levels: np.ndarray) -> np.ndarray:
    """Modulation spectrum of levels (n_frames, n_mels) in 32 bands of rates up to 12.5 Hz, as one unit vector."""
    # At least twice as many bins as frames: then no bin is missed, and clips of nearly the same length have the same
    # spectrum.
    density = 2 * -(-len(levels) // _PERIOD)
    spectrum = scipy.fft.rfft(levels, density * _PERIOD, axis=0)[density : density * (1 + _N_RATES * _BINS)]
    power = (spectrum.real**2 + spectrum.imag**2).reshape(_N_RATES, density * _BINS, -1).mean(axis=1)
    magnitudes = np.sqrt(power).ravel()
    return magnitudes / max(np.linalg.norm(magnitudes), np.finfo(np.float32).tiny)


def _changes(levels: np.ndarray) -> np.ndarray:
    return np.round(4 * np.diff(levels, axis=0, prepend=0, append=0)).astype(np.int8)  # within 30 dB, hence within 120


def synchrony(first: np.ndarray, second: np.ndarray) -> float:
    """Largest correlation, over all shifts, of changes of level (n_frames, n_mels)."""
    n = scipy.fft.next_fast_len(len(first) + len(second), real=True)
    energies = [np.sum(np.square(changes, dtype=np.float32)) for changes in (first, second)]
    if min(energies) == 0:
        return 0.0
    a, b = (scipy.fft.rfft(changes.astype(np.float32), n, axis=0) for changes in (first, second))
    return float(scipy.fft.irfft(np.sum(b * a.conj(), axis=1), n).max() / np.sqrt(energies[0] * energies[1]))


def correlate(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Measure how similar two waveforms are, wherever they begin, however loud they are.

    Parameters
    ----------
    first, second : ndarray of shape (n_times,)
        At 4 kHz.

    Returns
    -------
    similarity : float
        Largest magnitude of the cross-correlation above 100 Hz, from 0 to 1 (one is the other, shifted and scaled).
    shift : float
        Seconds by which sounds are later in the second.
    gain : float
        Level of the second above the first, dB.
    """
    n = scipy.fft.next_fast_len(first.size + second.size)
    a, b = scipy.fft.rfft(first, n), scipy.fft.rfft(second, n)
    low = int(100 * n / _SR) + 1
    a[:low], b[:low] = 0, 0
    energies = [2 / n * np.sum(x.real**2 + x.imag**2) for x in (a, b)]
    if min(energies) == 0:
        return 0.0, 0.0, 0.0
    # The analytic signal's magnitude at half samples: neither shifts by a fraction of a sample, nor the phases that a
    # filter turns, lower it.
    correlation = 4 * np.abs(scipy.fft.ifft(b * a.conj(), 2 * n))
    peak = correlation.argmax()
    similarity = min(1.0, correlation[peak] / np.sqrt(energies[0] * energies[1]))
    shift = (peak if peak < 2 * second.size else peak - 2 * n) / (2 * _SR)
    return float(similarity), float(shift), float(20 * np.log10(correlation[peak] / energies[0]))


def find_copies(X, *, sr: int = 16000, n_jobs: int | None = None, verbose: int = 0):
    """Find clips that are copies of one another, whatever their names.

    Parameters
    ----------
    X : audio input of n_clips
    sr : int
        Rate at which waveforms are compared sample by sample; that of waveforms in X, Hz.
    n_jobs, verbose : int
        As in the audio transformers.

    Returns
    -------
    original : ndarray of shape (n_clips,), int
        First row with the very same waveform.
    recording : ndarray of shape (n_clips,), int
        Number of the recording; copies have the same, and so have copies of copies.
    pairs : dict from (row, later row) to (similarity, shift, gain)
        Correlation by `correlate` of originals that are copies.
    """
    clips = list(as_clips(X, reader=None))  # rows of features, too, are compared with each other
    digests, fingerprints, changes = Fingerprints(sr, n_jobs=n_jobs, verbose=verbose).fit(clips).transform(clips)
    first_row: dict[bytes, int] = {}
    original = np.array([first_row.setdefault(digest, row) for row, digest in enumerate(digests)])
    originals = np.unique(original)
    run = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    groups = (originals[group].tolist() for group in _neighbors(fingerprints[originals]))
    compare = delayed(partial(_compare, sr=sr))
    pairs: dict[tuple[int, int], tuple[float, float, float]] = {}
    for found in run(compare([(row, clips[row], changes[row]) for row in rows]) for rows in groups):
        pairs.update(found)
    links = np.array([*pairs, *enumerate(original)])
    graph = coo_array((np.ones(len(links)), links.T), shape=(len(clips), len(clips)))
    return original, connected_components(graph, directed=False)[1], pairs


def _neighbors(fingerprints: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of neighboring rows, each once: a row, and the later rows near it (in either direction)."""
    n_neighbors = min(_N_NEIGHBORS + 1, len(fingerprints))  # each row is near itself
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(fingerprints)
    distances, rows = search.kneighbors(fingerprints)
    row, rank = np.nonzero(distances < np.sqrt(2 * _MOST_DISTANT))  # of unit vectors
    near = np.unique(np.sort(np.column_stack((row, rows[row, rank])), axis=1), axis=0)
    near = near[near[:, 0] < near[:, 1]]
    starts = np.unique(near[:, 0], return_index=True)[1]
    return (np.append(group[0, 0], group[:, 1]) for group in np.split(near, starts[1:]) if len(group))


def _compare(clips: Sequence[tuple[int, object, np.ndarray]], sr: int) -> dict:
    """Find copies of the first of some clips (row, clip, changes) among the others."""
    first, *others = clips
    others = [
        other
        for other in others
        if min(len(first[2]), len(other[2])) >= _FEWEST_CHANGES and synchrony(first[2], other[2]) > _LEAST_SYNCHRONOUS
    ]
    if not others:
        return {}
    waveforms = [resample(load_waveform(clip, sr, row=row), sr, _SR) for row, clip, _ in (first, *others)]
    found = {(first[0], other[0]): correlate(waveforms[0], w) for other, w in zip(others, waveforms[1:], strict=True)}
    return {pair: match for pair, match in found.items() if match[0] > _LEAST_CORRELATED}
