"""Clip-level features that are not functionals of one descriptor: rhythm, modulation, how descriptors covary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.signal

from .._signal import spectrum
from ._descriptors import DESCRIPTORS
from ._functionals import Contour

_SILENT = 30.0  # dB below the clip's loudest frame, from which a frame counts as a pause
_SMOOTHING = 9  # frames over which loudness is smoothed before its peaks are counted
_CLEAR_SILENT = 20.0  # the same of `clear_energy`, which ends 25 dB below loud speech
_BANDS = 8  # of the mel spectrum, whose modulation is measured
_MODULATION_EDGES = (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 25)  # Hz
_COARSE = 8  # MFCC that show the coarse shape of the spectrum
_BROAD_BANDS = 10  # of the mel spectrum, that vary together
_CONTOURS, _POINTS, _COEFFICIENTS = (
    ("f0_semitone", "energy", "loudness"),
    32,
    6,
)  # contours over the clip, and their DCT
_WITH_ENERGY = ("clear_mel", "clear_flux", "clear_hnr", "cpp", "spectral_centroid", "spectral_bandwidth")
_CLEAR_CONTOURS = ("f0_semitone", "clear_energy", "clear_loudness")
_RHYTHM = (
    "log_duration",
    "loudness_peak_rate",
    "voiced_share",
    "sounding_share",
    "voiced_stretch_rate",
    "pause_rate",
    *(f"{kind}_length_{f}" for kind in ("voiced", "unvoiced", "pause") for f in ("mean", "std", "max")),
)
_MELODY = (
    *(f"f0_semitone_p{q}_from_median" for q in (5, 10, 25, 75, 90, 95)),
    "f0_semitone_first_quarter_from_median",
    "f0_semitone_last_quarter_from_median",
    "f0_semitone_at_loudest_from_median",
    "f0_semitone_loud_from_quiet",
    "f0_semitone_energy_correlation",
    "f0_semitone_log_std",
    "f0_semitone_log_delta",
)
_REGULARISATION = 0.05  # of correlation matrices, which have fewer frames than they would like


@dataclass(frozen=True)
class DescribedClip:
    """A clip's descriptors, (n_frames, n_values) each, by name; how many frames there are in a second; and what several
    measures share."""

    contours: dict[str, np.ndarray]
    rate: float

    @cached_property
    def voiced(self) -> np.ndarray:
        return self.contours["f0_semitone"][:, 0] > 0

    def bands(self, n_bands: int) -> np.ndarray:
        """Levels in broad bands of the mel spectrum, (n_frames, n_bands)."""
        log_mel = self.contours["log_mel"]
        return spectrum.merge_bands(log_mel, log_mel.shape[1] // n_bands)

    @cached_property
    def voice(self) -> np.ndarray:
        """F0, which goes on through unvoiced frames at its median, and HNR."""
        pitch = self.contours["f0_semitone"]
        median = np.median(pitch[self.voiced]) if self.voiced.any() else 0
        return np.concatenate([np.where(pitch > 0, pitch, median), self.contours["hnr"]], axis=1)

    # How these vary: deviations from the mean, in standard deviations.

    @cached_property
    def varying_cepstrum(self) -> np.ndarray:
        return Contour(self.contours["mfcc"]).deviations

    @cached_property
    def varying_voice(self) -> np.ndarray:
        return Contour(self.voice).deviations

    @cached_property
    def varying_slopes(self) -> np.ndarray:
        """Deviations of the slopes of regression lines through five frames of cepstrum and voice."""
        padded = np.pad(np.concatenate([self.contours["mfcc"], self.voice], axis=1), ((2, 2), (0, 0)), mode="edge")
        return Contour((padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 10).deviations

    @cached_property
    def varying_bands(self) -> np.ndarray:
        return Contour(self.bands(_BROAD_BANDS)).deviations


class ClipFeature(NamedTuple):
    """A group of values that are measured over whole clips."""

    unit: str
    family: str
    text: str  # what it is, for the documentation
    descriptors: tuple[str, ...]  # what it is computed from
    columns: tuple[str, ...]
    function: Callable[[Sequence[DescribedClip]], np.ndarray]  # -> (n_clips, n_columns)


def _durations(mask: np.ndarray, rate: float) -> np.ndarray:
    """Return the durations of stretches in which the mask is true, seconds."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return (edges[1::2] - edges[::2]) / rate


def _rhythm(clips: Sequence[DescribedClip], prefix: str = "", silent: float = _SILENT) -> np.ndarray:
    window = np.hanning(_SMOOTHING + 2)[1:-1]
    rows = []
    for clip in clips:
        voiced, level = clip.voiced, clip.contours[f"{prefix}energy"][:, 0]
        sounding = level > level.max() - silent
        seconds = len(level) / clip.rate
        loudness = np.convolve(clip.contours[f"{prefix}loudness"][:, 0], window / window.sum(), "same")
        nuclei, _ = scipy.signal.find_peaks(loudness, prominence=max(0.15 * loudness.max(), 1e-6))
        stretches = [_durations(mask, clip.rate) for mask in (voiced, ~voiced, ~sounding)]
        row = [np.log(seconds), len(nuclei) / seconds, voiced.mean(), sounding.mean()]
        row += [len(stretches[0]) / seconds, len(stretches[2]) / seconds]
        for stretch in stretches:
            row += [stretch.mean(), stretch.std(), stretch.max()] if len(stretch) else [0, 0, 0]
        rows.append(row)
    return np.array(rows)


def _modulation(clips: Sequence[DescribedClip]) -> np.ndarray:
    rows = []
    for clip in clips:
        bands = clip.bands(_BANDS).T
        n_fft = max(1024, scipy.fft.next_fast_len(bands.shape[1], real=True))
        bands = (bands - bands.mean(axis=1, keepdims=True)) * np.hanning(bands.shape[1])
        power = np.abs(scipy.fft.rfft(bands, n_fft, axis=1)) ** 2 / (bands.shape[1] * n_fft)
        edges = np.searchsorted(scipy.fft.rfftfreq(n_fft, 1 / clip.rate), _MODULATION_EDGES)
        rows.append([power[:, low:high].sum(axis=1) for low, high in pairwise(edges)])
    return np.log10(np.array(rows).reshape(len(clips), -1) + 1e-6)


def _contour(clips: Sequence[DescribedClip], contours: Sequence[str] = _CONTOURS) -> np.ndarray:
    rows = []
    for clip in clips:
        for name in contours:
            contour = clip.contours[name][:, 0]
            if name == "f0_semitone":
                contour = contour[clip.voiced]
            contour = (
                np.convolve(np.pad(contour, 2, mode="edge"), np.ones(5) / 5, "valid") if contour.size else np.zeros(1)
            )
            times = np.linspace(0, 1, contour.size)
            rows.append(np.interp(np.linspace(0, 1, _POINTS), times, contour))
    return scipy.fft.dct(np.array(rows), norm="ortho", axis=1)[:, 1 : _COEFFICIENTS + 1].reshape(len(clips), -1)


def _melody(clips: Sequence[DescribedClip], energy: str = "energy") -> np.ndarray:
    rows = np.zeros((len(clips), len(_MELODY)))
    for row, clip in zip(rows, clips, strict=True):
        pitch, level = (clip.contours[name][clip.voiced, 0].astype(np.float64) for name in ("f0_semitone", energy))
        if pitch.size < 8:
            continue
        quarter = pitch.size // 4
        percentiles = Contour(pitch[:, np.newaxis])
        median = percentiles.quantile(0.5)[0]
        loud = level > np.median(level)
        varies = pitch.std() * level.std() > 1e-6
        row[:6] = [percentiles.quantile(q)[0] - median for q in (0.05, 0.1, 0.25, 0.75, 0.9, 0.95)]
        row[6:] = (
            pitch[:quarter].mean() - median,
            pitch[-quarter:].mean() - median,
            pitch[level.argmax()] - median,
            pitch[loud].mean() - pitch[~loud].mean() if loud.any() else 0,
            np.mean((pitch - pitch.mean()) * (level - level.mean())) / (pitch.std() * level.std()) if varies else 0,
            np.log(pitch.std() + 0.1),
            np.log(np.abs(np.diff(pitch)).mean() + 0.01),
        )
    return rows


def _correlations(
    clips: Sequence[DescribedClip], deviations_of: Callable[[DescribedClip], Sequence[np.ndarray]]
) -> np.ndarray:
    """Return the covariances of each clip's frames, (n_clips, n_values, n_values)."""
    deviations = (np.concatenate(deviations_of(clip), axis=1, dtype=np.float64) for clip in clips)
    return np.array([d.T @ d / len(d) for d in deviations])


def _logarithms(matrices: np.ndarray) -> np.ndarray:
    """Matrix logarithms of correlations; their entries above the diagonal."""
    eigenvalues, vectors = np.linalg.eigh(matrices + _REGULARISATION * np.eye(len(matrices[0])))
    return _above_diagonal((vectors * np.log(eigenvalues)[:, np.newaxis]) @ vectors.transpose(0, 2, 1))


def _above_diagonal(matrices: np.ndarray) -> np.ndarray:
    return matrices[(slice(None), *np.triu_indices(matrices.shape[1], 1))]


def _cepstrum_covariation(clips: Sequence[DescribedClip]) -> np.ndarray:
    return _logarithms(_correlations(clips, lambda c: (c.varying_cepstrum, c.varying_voice, c.varying_slopes)))


def _coarse_cepstrum_covariation(clips: Sequence[DescribedClip]) -> np.ndarray:
    return _logarithms(_correlations(clips, lambda c: (c.varying_cepstrum[:, :_COARSE], c.varying_voice)))


def _band_covariation(clips: Sequence[DescribedClip]) -> np.ndarray:
    return _logarithms(_correlations(clips, lambda c: (c.varying_bands, c.varying_voice)))


def _band_correlation(clips: Sequence[DescribedClip]) -> np.ndarray:
    correlations = _above_diagonal(_correlations(clips, lambda c: (c.varying_bands,)))
    return np.arctanh(np.clip(correlations, -0.99, 0.99))


def _energy_correlation(clips: Sequence[DescribedClip]) -> np.ndarray:
    rows = []
    for clip in clips:
        energy = Contour(clip.contours["clear_energy"]).deviations[:, 0].astype(np.float64)
        values = np.concatenate([clip.contours[name] for name in _WITH_ENERGY], axis=1)
        rows.append(energy @ Contour(values).deviations / len(energy))
    return np.array(rows)


def _pairs(names: list[str], measure: str) -> tuple[str, ...]:
    return tuple(f"{names[i]}_{names[j]}_{measure}" for i, j in zip(*np.triu_indices(len(names), 1), strict=True))


_BAND_NAMES = [f"band_{i}" for i in range(_BROAD_BANDS)]
_VARYING = [*(f"mfcc_{i}" for i in range(13)), "f0_semitone", "hnr"]

CLIP_FEATURES = {
    "rhythm": ClipFeature(
        "s, 1/s",
        "prosody",
        "Logarithm of the duration; peaks of loudness a second, as a proxy of syllables; fractions of voiced and of "
        "sounding frames; voiced stretches and pauses a second; mean, standard deviation and maximum of the length of "
        "voiced and unvoiced stretches and of pauses, frames 30 dB below the loudest",
        ("f0_semitone", "energy", "loudness"),
        _RHYTHM,
        _rhythm,
    ),
    "modulation": ClipFeature(
        "log10 dB^2",
        "modulation",
        "Power of the modulation of the level in eight bands of the mel spectrum, in bands of modulation frequency "
        "from 0.5 to 25 Hz (after Wu, Falk & Chan 2011)",
        ("log_mel",),
        tuple(
            f"band_{band}_modulation_{low:g}_{high:g}"
            for low, high in pairwise(_MODULATION_EDGES)
            for band in range(_BANDS)
        ),
        _modulation,
    ),
    "contour": ClipFeature(
        "semitone, dB, 1",
        "prosody",
        "Coefficients 1 to 6 of the orthonormal DCT-II of the contours of F0 (voiced frames, joined), energy and "
        "loudness, smoothed over five frames and read at 32 points",
        _CONTOURS,
        tuple(f"{name}_contour_{i}" for name in _CONTOURS for i in range(1, _COEFFICIENTS + 1)),
        _contour,
    ),
    "melody": ClipFeature(
        "semitone",
        "prosody",
        "F0 of voiced frames relative to the clip's own median, which tells the speaker: percentiles, first and last "
        "quarter, at the loudest frame; of frames louder than the median, less that of the others; correlation with "
        "energy; logarithms of the standard deviation and of the mean step",
        ("f0_semitone", "energy"),
        _MELODY,
        _melody,
    ),
    "clear_rhythm": ClipFeature(
        "s, 1/s",
        "prosody",
        "`rhythm` of `clear_energy` and `clear_loudness`; pauses are frames 20 dB below the loudest",
        ("f0_semitone", "clear_energy", "clear_loudness"),
        tuple(f"clear_{name}" for name in _RHYTHM),
        partial(_rhythm, prefix="clear_", silent=_CLEAR_SILENT),
    ),
    "clear_contour": ClipFeature(
        "semitone, dB, 1",
        "prosody",
        "`contour` of F0, `clear_energy` and `clear_loudness`",
        _CLEAR_CONTOURS,
        tuple(f"{name}_contour_{i}" for name in _CLEAR_CONTOURS for i in range(1, _COEFFICIENTS + 1)),
        partial(_contour, contours=_CLEAR_CONTOURS),
    ),
    "melody_and_loudness_contour": ClipFeature(
        "semitone, 1",
        "prosody",
        "`contour` of F0 and `clear_loudness`",
        ("f0_semitone", "clear_loudness"),
        tuple(f"{name}_contour_{i}" for name in ("f0_semitone", "clear_loudness") for i in range(1, _COEFFICIENTS + 1)),
        partial(_contour, contours=("f0_semitone", "clear_loudness")),
    ),
    "clear_melody": ClipFeature(
        "semitone",
        "prosody",
        "`melody` of F0 and `clear_energy`",
        ("f0_semitone", "clear_energy"),
        _MELODY,
        partial(_melody, energy="clear_energy"),
    ),
    "energy_correlation": ClipFeature(
        "1",
        "covariation",
        "Correlations over frames of `clear_energy` with `clear_mel`, `clear_flux`, `clear_hnr`, `cpp`, "
        "`spectral_centroid` and `spectral_bandwidth`: how the voice changes as it becomes louder; 0 of a constant",
        ("clear_energy", *_WITH_ENERGY),
        tuple(
            f"{column}_energy_correlation" for name in _WITH_ENERGY for column in (DESCRIPTORS[name].columns or (name,))
        ),
        _energy_correlation,
    ),
    "cepstrum_covariation": ClipFeature(
        "1",
        "covariation",
        "Matrix logarithm of the correlations over frames of MFCC, F0 (semitones; the median where unvoiced), HNR, and "
        "the slopes of all these over five frames; entries above the diagonal (log-Euclidean metric: Arsigny et al. "
        "2006)",
        ("mfcc", "f0_semitone", "hnr"),
        _pairs(_VARYING + [f"{name}_delta" for name in _VARYING], "cepstrum_covariation"),
        _cepstrum_covariation,
    ),
    "coarse_cepstrum_covariation": ClipFeature(
        "1",
        "covariation",
        "The same of the first eight MFCC, F0 and HNR, without slopes",
        ("mfcc", "f0_semitone", "hnr"),
        _pairs([*(f"mfcc_{i}" for i in range(_COARSE)), "f0_semitone", "hnr"], "coarse_cepstrum_covariation"),
        _coarse_cepstrum_covariation,
    ),
    "band_covariation": ClipFeature(
        "1",
        "covariation",
        "The same of the level in ten bands of the mel spectrum, F0 and HNR",
        ("log_mel", "f0_semitone", "hnr"),
        _pairs(_BAND_NAMES + ["f0_semitone", "hnr"], "band_covariation"),
        _band_covariation,
    ),
    "band_correlation": ClipFeature(
        "1",
        "covariation",
        "Correlations over frames of the levels in ten bands of the mel spectrum, by Fisher's z, from -2.65 to 2.65",
        ("log_mel",),
        _pairs(_BAND_NAMES, "correlation"),
        _band_correlation,
    ),
}
