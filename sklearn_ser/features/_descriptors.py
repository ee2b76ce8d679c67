"""Low-level descriptors as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._signal import clear_speech, spectral_shape, spectrum
from ..utils._messages import short
from ._analysis import HARMONICS, Analysis, Settings


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


def _clear(
    unit: str, family: str, text: str, function: Callable[[clear_speech.ClearSpeech], np.ndarray], *columns: str
) -> Descriptor:
    return Descriptor(
        unit, family, text, lambda analysis: function(analysis.clear), columns=columns, spectral=("clear",)
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
        "Mean square, down to 80 dB below the clip's loudest frame; after RMS normalization, 0 dB is the clip's mean",
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
        "Means of `log_mel` over two neighboring bands",
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
        columns=HARMONICS,
        spectral=("bins",),
        voiced=True,
    ),
    "clear_mel": _clear(
        "dB",
        "spectrum",
        "Levels of pairs of 40 mel bands from 50 to 8000 Hz, those below 3.8 kHz, less the clip's noise floor (mean of "
        "each band's quietest frames, times 3), from 30 dB below the clip's loud speech up; a band that carries "
        "nothing follows its neighbor (Boll 1979, Martin 2001)",
        clear_speech.ClearSpeech.mel,
        *(f"clear_mel_{i}" for i in range(clear_speech.N_LOW)),
    ),
    "clear_treble": _clear(
        "dB",
        "treble",
        "The same of the pairs of bands above 3.8 kHz, which telephones and many codecs leave out",
        clear_speech.ClearSpeech.treble,
        *(f"clear_mel_{i}" for i in range(clear_speech.N_LOW, clear_speech.N_BROAD)),
    ),
    "clear_mfcc": _clear(
        "dB",
        "spectrum",
        "Mel-frequency cepstral coefficients of the 30 bands of `clear_mel`",
        lambda clear: spectrum.cepstrum(clear.levels[:, : 2 * clear_speech.N_LOW], 13),
        *(f"clear_mfcc_{i}" for i in range(13)),
    ),
    "clear_energy": _clear(
        "dB",
        "prosody",
        "Sum of the power that `clear_mel` shows, relative to loud speech, from -25 dB up",
        clear_speech.ClearSpeech.energy,
    ),
    "clear_loudness": _clear(
        "1",
        "prosody",
        "Mean over the same bands of power to 0.3, relative to loud speech",
        clear_speech.ClearSpeech.loudness,
    ),
    "clear_flux": _clear(
        "1",
        "spectrum",
        "Distance of the amplitudes of the same bands, scaled to a length near 1 in loud frames and near 0 in faint "
        "ones, from those of the frame before",
        clear_speech.ClearSpeech.flux,
    ),
    "clear_shape": _clear(
        "dB, dB/kHz",
        "voice",
        "Of `clear_mel`: power below over power above 1000 Hz, highest level below less above 2000 Hz, slopes of the "
        "level over frequency, and power below over power above 500 and 1500 Hz",
        clear_speech.ClearSpeech.shape,
        *clear_speech.SHAPE,
    ),
    "clear_hnr": Descriptor(
        "dB",
        "voice",
        "`hnr` from -10 to 10 dB, within which moderate noise leaves it",
        lambda analysis: np.clip(_harmonics_to_noise(analysis), -10, 10),
    ),
    "jitter": Descriptor(
        "1",
        "voice",
        "Difference of the two periods around a frame's center over their mean, 0 in unvoiced frames; periods from "
        "peak to peak",
        lambda analysis: analysis.pitch.jitter,
        voiced=True,
    ),
    "shimmer": Descriptor(
        "dB",
        "voice",
        "Mean difference in level of the peaks of the three successive periods around a frame's center, 0 in unvoiced "
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
    needed = [DESCRIPTORS[name] for name in descriptors]
    shape = tuple(column for each in needed if "shape" in each.spectral for column in each.columns)
    spectral = [name for each in needed for name in each.spectral]
    analysis = Analysis(waveforms, spectral, replace(settings, shape=shape))
    values = [DESCRIPTORS[name].contour(analysis) for name in descriptors]
    return [analysis.batch.split(v[:, np.newaxis] if v.ndim == 1 else v) for v in values]


def check_choice(parameter: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    """Refuse what is not a choice of one or more of the known names, each once."""
    unknown = [item for item in chosen if not isinstance(item, str) or item not in known]
    if unknown or len(chosen) == 0 or len(set(chosen)) < len(chosen):
        raise ValueError(f"{parameter} must be one or more of {list(known)}, each once. Got {short(list(chosen))}.")
