"""Low-level descriptors as a table, and the analysis that they are computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .. import _dsp, _lpc, _pitch


@dataclass(frozen=True)
class Settings:
    """What an analysis needs to know of the transformer's parameters."""

    sr: int
    n_fft: int
    win_length: int
    hop_length: int
    window: str | float | tuple
    mel: dict  # parameters of the mel filters, but n_fft
    n_mfcc: int
    f0_min: float = 60.0
    f0_max: float = 550.0

    @property
    def n_mels(self) -> int:
        return self.mel["n_mels"]

    @property
    def n_bins(self) -> int:
        """Bins below half the sampling rate, where filters that prevent aliasing leave nothing."""
        return self.n_fft // 2


# Functions of power spectra, (n_frames, n_bins) -> (n_frames, n_values), which an analysis computes in one pass.
SPECTRAL: dict[str, Callable[[Settings], Callable]] = {
    "bins": lambda settings: lambda spectra: spectra[:, : settings.n_bins],
    "mel": lambda settings: partial(_dsp.mel_energies, n_fft=settings.n_fft, **settings.mel),
    "formants": lambda settings: partial(_lpc.formants, sr=settings.sr),
}


class Analysis:
    """What descriptors of some clips are computed from; the spectra, the dear part, in one pass for all of them."""

    def __init__(self, waveforms: Sequence[np.ndarray], descriptors: Sequence[str], settings: Settings):
        self.waveforms, self.settings = waveforms, settings
        self.joined = _dsp.join(waveforms, settings.n_fft, settings.hop_length)
        self.window = self.joined.narrow(settings.win_length)
        self._spectral = list(dict.fromkeys(name for d in descriptors for name in DESCRIPTORS[d].spectral))

    @cached_property
    def spectral(self) -> dict[str, np.ndarray]:
        functions = [SPECTRAL[name](self.settings) for name in self._spectral]
        framing = dict(win_length=self.settings.win_length, window=self.settings.window)
        return dict(zip(self._spectral, _dsp.over_spectra(self.joined, functions, **framing)))

    @cached_property
    def pitch(self) -> tuple[np.ndarray, np.ndarray]:
        s = self.settings
        return _pitch.track(self.waveforms, sr=s.sr, hop_length=s.hop_length, f0_min=s.f0_min, f0_max=s.f0_max)

    def decibels(self, power: np.ndarray) -> np.ndarray:
        return _dsp.power_to_db(power, self.joined.counts)


class Descriptor(NamedTuple):
    """A low-level descriptor."""

    unit: str
    family: str
    text: str  # what it is, for the documentation
    track: Callable[[Analysis], np.ndarray]  # values of the frames of all clips, (n_frames, n_values) or (n_frames,)
    size: str | None = None  # the setting that says how many values a frame has, numbered from 0; None: one
    columns: tuple[str, ...] = ()  # the names of the values, where they are no numbers from 0
    spectral: tuple[str, ...] = ()  # what of `SPECTRAL` it needs


DESCRIPTORS = {
    "mel": Descriptor(
        "power",
        "spectrum",
        "Power in mel bands, as librosa defines it",
        lambda analysis: analysis.spectral["mel"],
        size="n_mels",
        spectral=("mel",),
    ),
    "mfcc": Descriptor(
        "dB",
        "spectrum",
        "Mel-frequency cepstral coefficients: orthonormal DCT-II of the log-mel spectrum, as librosa defines it; number 0 "
        "goes with the level",
        lambda analysis: _dsp.cepstrum(analysis.decibels(analysis.spectral["mel"]), analysis.settings.n_mfcc),
        size="n_mfcc",
        spectral=("mel",),
    ),
    "zcr": Descriptor(
        "1/sample",
        "spectrum",
        "Zero-crossing rate: sign changes per sample",
        lambda analysis: _dsp.zero_crossing_rate(analysis.window),
    ),
    "rms": Descriptor(
        "amplitude",
        "prosody",
        "Root mean square",
        lambda analysis: _dsp.rms(analysis.window),
    ),
    "fft": Descriptor(
        "dB",
        "spectrum",
        "Power in the bins of the FFT, number k at k * sr / n_fft Hz, down to 80 dB below the clip's loudest",
        lambda analysis: analysis.decibels(analysis.spectral["bins"]),
        size="n_bins",
        spectral=("bins",),
    ),
    "f0": Descriptor(
        "Hz",
        "prosody",
        "Fundamental frequency, 0 in unvoiced frames: autocorrelation method of Boersma (1993), in windows of three periods "
        "of the lowest F0",
        lambda analysis: analysis.pitch[0],
    ),
    "periodicity": Descriptor(
        "1",
        "voice",
        "Autocorrelation at the period of F0, over the energy: 1 is periodic, 0 is noise or silence (Boersma 1993)",
        lambda analysis: analysis.pitch[1],
    ),
    "formants": Descriptor(
        "Hz",
        "voice",
        "Formants F1 to F3, 0 where one is missing: peaks of a linear predictor's spectrum up to 5500 Hz (Makhoul 1975, "
        "McCandless 1974)",
        lambda analysis: analysis.spectral["formants"],
        columns=("formant_1", "formant_2", "formant_3"),
        spectral=("formants",),
    ),
    "energy": Descriptor(
        "dB",
        "prosody",
        "Mean square, down to 80 dB below the clip's loudest frame; after RMS normalisation, 0 dB is the clip's mean",
        lambda analysis: analysis.decibels(_dsp.rms(analysis.window)[:, np.newaxis] ** 2),
    ),
}


def column_names(name: str, settings: Settings) -> list[str]:
    """Names of a descriptor's values."""
    descriptor = DESCRIPTORS[name]
    if descriptor.size is not None:
        return [f"{name}_{i}" for i in range(getattr(settings, descriptor.size))]
    return list(descriptor.columns) or [name]


def tracks(waveforms: Sequence[np.ndarray], descriptors: Sequence[str], settings: Settings) -> list[list[np.ndarray]]:
    """Values of each clip's frames, (n_frames, n_values), by descriptor and clip."""
    analysis = Analysis(waveforms, descriptors, settings)
    values = [DESCRIPTORS[name].track(analysis) for name in descriptors]
    return [analysis.joined.split(v[:, np.newaxis] if v.ndim == 1 else v) for v in values]


def check_choice(parameter: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    """Refuse what is not a choice of one or more of the known names, each once."""
    unknown = [item for item in chosen if not isinstance(item, str) or item not in known]
    if unknown or len(chosen) == 0 or len(set(chosen)) < len(chosen):
        raise ValueError(f"{parameter} must be one or more of {list(known)}, each once. Got {list(chosen)}.")
