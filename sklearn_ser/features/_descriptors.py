"""Low-level descriptors as a table, and the analysis that they are computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .._signal import formants, pitch, spectral_shape, spectrum


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
    voiced_only: bool = False  # whether formants are looked for in voiced frames only

    @property
    def n_mels(self) -> int:
        return self.mel["n_mels"]

    @property
    def n_broad(self) -> int:
        return self.n_mels // 2

    @property
    def n_bins(self) -> int:
        """Bins below half the sampling rate, where filters that prevent aliasing leave nothing."""
        return self.n_fft // 2


_HARMONICS = ("h1_h2", "h2_h4", "h1_a1", "h1_a2", "h1_a3", "a2_a3", "h1_mean", "a1_mean", "a3_mean", "level_2000_5000")

# Functions of power spectra, (n_frames, n_bins) -> (n_frames, n_values), which an analysis computes in one pass.
SPECTRAL: dict[str, Callable[[Settings], Callable]] = {
    "bins": lambda settings: lambda spectra: spectra[:, : settings.n_bins],
    "mel": lambda settings: partial(spectrum.mel_energies, n_fft=settings.n_fft, **settings.mel),
    "shape": lambda settings: partial(spectral_shape.spectral_shape, sr=settings.sr),
}


class Analysis:
    """What descriptors of clips are computed from; the spectra, the expensive part, in one pass for all clips."""

    def __init__(self, waveforms: Sequence[np.ndarray], descriptors: Sequence[str], settings: Settings):
        self.waveforms, self.settings = waveforms, settings
        self.batch = spectrum.join(waveforms, settings.n_fft, settings.hop_length)
        self.window = self.batch.narrow(settings.win_length)
        self._spectral = list(dict.fromkeys(name for d in descriptors for name in DESCRIPTORS[d].spectral))

    @cached_property
    def spectral(self) -> dict[str, np.ndarray]:
        functions = [SPECTRAL[name](self.settings) for name in self._spectral]
        framing = dict(win_length=self.settings.win_length, window=self.settings.window)
        return dict(zip(self._spectral, spectrum.over_spectra(self.batch, functions, **framing), strict=True))

    @cached_property
    def pitch(self) -> pitch.PitchTrack:
        s = self.settings
        return pitch.track(self.waveforms, sr=s.sr, hop_length=s.hop_length, f0_min=s.f0_min, f0_max=s.f0_max)

    @cached_property
    def formants(self) -> np.ndarray:
        spectra = self.spectral["bins"]
        found = np.zeros((len(spectra), 3), dtype=np.float32)
        rows = np.flatnonzero(self.pitch.f0 > 0) if self.settings.voiced_only else np.arange(len(spectra))
        for block in spectrum.blocks(len(rows), self.settings.n_fft):
            block = rows[block]
            found[block] = formants.formants(spectra[block], spacing=self.settings.sr / self.settings.n_fft)
        return found

    @cached_property
    def log_mel(self) -> np.ndarray:
        return self.decibels(self.spectral["mel"])

    def decibels(self, power: np.ndarray) -> np.ndarray:
        return spectrum.power_to_db(power, self.batch.counts)

    def broad_log_mel(self) -> np.ndarray:
        return spectrum.merge_bands(self.log_mel[:, : 2 * self.settings.n_broad], 2)

    def shape(self, names: tuple[str, ...]) -> np.ndarray:
        return self.spectral["shape"][:, [spectral_shape.COLUMNS.index(name) for name in names]]

    def flux(self) -> np.ndarray:
        """Distance of each frame's spectrum from the one before; of a clip's first frame, 0."""
        amplitudes = np.sqrt(self.spectral["mel"])
        lengths = np.sqrt(np.einsum("ij,ij->i", amplitudes, amplitudes))
        amplitudes /= np.maximum(lengths, np.float32(1e-10))[:, np.newaxis]
        flux = np.zeros(len(amplitudes), dtype=np.float32)
        steps = np.diff(amplitudes, axis=0)
        flux[1:] = np.sqrt(np.einsum("ij,ij->i", steps, steps))
        flux[np.cumsum(self.batch.counts)[:-1]] = 0
        return flux

    def harmonics(self) -> np.ndarray:
        """Levels of harmonics and of the harmonics at formants relative to one another, dB; 0 in unvoiced frames."""
        levels = np.zeros((len(self.pitch.f0), len(_HARMONICS)), dtype=np.float32)
        voiced = np.flatnonzero(self.pitch.f0 > 0)
        f0, spectra = self.pitch.f0[voiced], self.spectral["bins"][voiced]
        rows, n_bins = np.arange(len(voiced)), spectra.shape[1]
        formants = self.formants[voiced]
        formants = np.where(
            formants > 0, formants, np.float32([500, 1500, 2500])
        )  # of the neutral vowel, where one is missing

        def level(frequency: np.ndarray | float) -> np.ndarray:
            """Of the loudest of the three bins around a frequency."""
            at = np.broadcast_to(np.round(frequency * (self.settings.n_fft / self.settings.sr)).astype(int), rows.shape)
            at = np.clip(at, 1, n_bins - 2)
            power = np.max([spectra[rows, at + shift] for shift in (-1, 0, 1)], axis=0)
            return 10 * np.log10(np.maximum(power, np.float32(1e-10)))

        h1, h2, h4, a1, a2, a3 = map(level, (f0, 2 * f0, 4 * f0, *formants.T))
        mean = 10 * np.log10(np.maximum(spectra, np.float32(1e-10))).mean(axis=1)
        differences = (h1 - h2, h2 - h4, h1 - a1, h1 - a2, h1 - a3, a2 - a3, h1 - mean, a1 - mean, a3 - mean)
        levels[voiced] = np.stack((*differences, level(2000.0) - level(5000.0)), axis=1)
        return levels


class Descriptor(NamedTuple):
    """A low-level descriptor."""

    unit: str
    family: str
    text: str  # what it is, for the documentation
    contour: Callable[[Analysis], np.ndarray]  # values of the frames of all clips, (n_frames, n_values) or (n_frames,)
    size: str | None = None  # the setting that says how many values a frame has, numbered from 0; None: one
    columns: tuple[str, ...] = ()  # the names of the values, where they are no numbers from 0
    spectral: tuple[str, ...] = ()  # what of `SPECTRAL` it needs
    voiced: bool = False  # whether only voiced frames have it; in others, and where it is missing, it is 0


def _harmonics_to_noise(analysis: Analysis) -> np.ndarray:
    fraction = np.clip(analysis.pitch.periodicity, np.float32(1e-3), np.float32(0.9999))
    return 10 * np.log10(fraction / (1 - fraction))


def _semitones(analysis: Analysis) -> np.ndarray:
    f0 = analysis.pitch.f0
    return np.where(f0 > 0, 12 * np.log2(np.maximum(f0, 1) / np.float32(27.5)), 0)


def _shape_of(unit: str, text: str, *columns: str, family: str = "spectrum") -> Descriptor:
    return Descriptor(
        unit, family, text, lambda analysis: analysis.shape(columns), columns=columns, spectral=("shape",)
    )


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
        "Mel-frequency cepstral coefficients: orthonormal DCT-II of the log-mel spectrum, as librosa defines it; "
        "number 0 goes with the level",
        lambda analysis: spectrum.cepstrum(analysis.log_mel, analysis.settings.n_mfcc),
        size="n_mfcc",
        spectral=("mel",),
    ),
    "zcr": Descriptor(
        "1/sample",
        "spectrum",
        "Zero-crossing rate: sign changes per sample",
        lambda analysis: spectrum.zero_crossing_rate(analysis.window),
    ),
    "rms": Descriptor(
        "amplitude",
        "prosody",
        "Root mean square",
        lambda analysis: spectrum.rms(analysis.window),
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
        "Fundamental frequency, 0 in unvoiced frames: autocorrelation method of Boersma (1993), in windows of three "
        "periods of the lowest F0",
        lambda analysis: analysis.pitch.f0,
        voiced=True,
    ),
    "periodicity": Descriptor(
        "1",
        "voice",
        "Autocorrelation at the period of F0, over the energy: 1 is periodic, 0 is noise or silence (Boersma 1993)",
        lambda analysis: analysis.pitch.periodicity,
    ),
    "formants": Descriptor(
        "Hz",
        "spectrum",
        "Formants F1 to F3, 0 where one is missing: peaks of a linear predictor's spectrum up to 5500 Hz (Makhoul "
        "1975, McCandless 1974)",
        lambda analysis: analysis.formants,
        columns=("formant_1", "formant_2", "formant_3"),
        spectral=("bins",),
        voiced=True,
    ),
    "energy": Descriptor(
        "dB",
        "prosody",
        "Mean square, down to 80 dB below the clip's loudest frame; after RMS normalisation, 0 dB is the clip's mean",
        lambda analysis: analysis.decibels(spectrum.rms(analysis.window)[:, np.newaxis] ** 2),
    ),
    "loudness": Descriptor(
        "1",
        "prosody",
        "Mean over the mel bands of power to 0.3, as Stevens' law has loudness grow (Stevens 1957)",
        lambda analysis: np.mean(analysis.spectral["mel"] ** np.float32(0.3), axis=1),
        spectral=("mel",),
    ),
    "f0_semitone": Descriptor(
        "semitone",
        "prosody",
        "`f0` in semitones above 27.5 Hz, in which melodies of high and low voices are alike; 0 in unvoiced frames",
        _semitones,
        voiced=True,
    ),
    "log_mel": Descriptor(
        "dB",
        "spectrum",
        "`mel`, down to 80 dB below the clip's loudest",
        lambda analysis: analysis.log_mel,
        size="n_mels",
        spectral=("mel",),
    ),
    "log_mel_broad": Descriptor(
        "dB",
        "spectrum",
        "Means of `log_mel` over two neighbouring bands",
        Analysis.broad_log_mel,
        size="n_broad",
        spectral=("mel",),
    ),
    "spectral_flux": Descriptor(
        "1",
        "spectrum",
        "Distance of the mel amplitudes, scaled to a length of 1, from those of the frame before",
        Analysis.flux,
        spectral=("mel",),
    ),
    "spectral_centroid": _shape_of("Hz", "Mean frequency of the power", "spectral_centroid"),
    "spectral_bandwidth": _shape_of("Hz", "Standard deviation of the frequency of the power", "spectral_bandwidth"),
    "spectral_rolloff": _shape_of(
        "Hz",
        "Frequency below which 25, 50, 75 and 90 % of the power lie",
        *(f"spectral_rolloff_{fraction}" for fraction in (25, 50, 75, 90)),
    ),
    "spectral_entropy": _shape_of("bit", "Entropy of the bins' fractions of the power", "spectral_entropy"),
    "spectral_flatness": _shape_of(
        "dB",
        "Geometric over arithmetic mean of the power: 0 is flat, as noise; far below are tones",
        "spectral_flatness",
    ),
    "spectral_contrast": _shape_of(
        "dB",
        "Peak less mean level in octave bands: up to 200, 400, 800, 1600, 3200 and 8000 Hz (after Jiang et al. 2002)",
        *(f"spectral_contrast_{band}" for band in range(len(spectral_shape.CONTRAST_EDGES) - 1)),
    ),
    "spectral_slope": _shape_of(
        "dB/kHz",
        "Slope of the regression line of the level over frequency, from 20 to 500, 500 to 1500 and 1500 to 4000 Hz "
        "(Eyben et al. 2016)",
        "spectral_slope_20_500",
        "spectral_slope_500_1500",
        "spectral_slope_1500_4000",
    ),
    "spectral_tilt": _shape_of(
        "dB/kHz",
        "Slope of the regression line of the level over frequency, from 50 to 5000 Hz",
        "spectral_tilt",
        family="voice",
    ),
    "alpha_ratio": _shape_of(
        "dB",
        "Power from 50 to 1000 Hz over that from 1000 to 5000 Hz (Frokjaer-Jensen & Prytz 1976)",
        "alpha_ratio",
        family="voice",
    ),
    "hammarberg_index": _shape_of(
        "dB",
        "Highest level up to 2000 Hz less the highest from 2000 to 5000 Hz (Hammarberg et al. 1980)",
        "hammarberg_index",
        family="voice",
    ),
    "hnr": Descriptor(
        "dB",
        "voice",
        "Harmonics-to-noise ratio: `periodicity` over what is left of 1, from -30 to 40 dB (Boersma 1993)",
        _harmonics_to_noise,
    ),
    "cpp": Descriptor(
        "dB",
        "voice",
        "Cepstral peak prominence, of the band below 2 kHz: the cepstrum's peak between the periods of the highest and "
        "the lowest F0, above the regression line there (Hillenbrand et al. 1994)",
        lambda analysis: analysis.pitch.prominence,
    ),
    "harmonics": Descriptor(
        "dB",
        "voice",
        "Differences in level, 0 in unvoiced frames: of harmonics 1, 2 and 4 (h), of the loudest bins at formants 1 to "
        "3 (a), of the spectrum's mean, and of 2000 and 5000 Hz; h1 - a3 shows how softly the glottis closes (Hanson "
        "1997)",
        Analysis.harmonics,
        columns=_HARMONICS,
        spectral=("bins",),
        voiced=True,
    ),
    "jitter": Descriptor(
        "1",
        "voice",
        "Difference of the two periods around a frame's centre over their mean, 0 in unvoiced frames; periods from "
        "peak to peak",
        lambda analysis: analysis.pitch.jitter,
        voiced=True,
    ),
    "shimmer": Descriptor(
        "dB",
        "voice",
        "Mean difference in level of the peaks of the three successive periods around a frame's centre, 0 in unvoiced "
        "frames",
        lambda analysis: analysis.pitch.shimmer,
        voiced=True,
    ),
}


def column_names(name: str, settings: Settings) -> list[str]:
    """Names of a descriptor's values."""
    descriptor = DESCRIPTORS[name]
    if descriptor.size is not None:
        return [f"{name}_{i}" for i in range(getattr(settings, descriptor.size))]
    return list(descriptor.columns) or [name]


def contours(waveforms: Sequence[np.ndarray], descriptors: Sequence[str], settings: Settings) -> list[list[np.ndarray]]:
    """Values of each clip's frames, (n_frames, n_values), by descriptor and clip."""
    analysis = Analysis(waveforms, descriptors, settings)
    values = [DESCRIPTORS[name].contour(analysis) for name in descriptors]
    return [analysis.batch.split(v[:, np.newaxis] if v.ndim == 1 else v) for v in values]


def check_choice(parameter: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    """Refuse what is not a choice of one or more of the known names, each once."""
    unknown = [item for item in chosen if not isinstance(item, str) or item not in known]
    if unknown or len(chosen) == 0 or len(set(chosen)) < len(chosen):
        raise ValueError(f"{parameter} must be one or more of {list(known)}, each once. Got {list(chosen)}.")
