"""The analysis of clips that descriptors are computed from: each expensive part once, for all descriptors and clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from .._signal import clear_speech, formants, pitch, spectral_shape, spectrum


@dataclass(frozen=True)
class Settings:
    """Parameters of the transformer that an analysis needs."""

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
    shape: tuple[str, ...] = ()  # what of the spectrum's shape will be asked for

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


HARMONICS = ("h1_h2", "h2_h4", "h1_a1", "h1_a2", "h1_a3", "a2_a3", "h1_mean", "a1_mean", "a3_mean", "level_2000_5000")

# Functions of power spectra, (n_frames, n_bins) -> (n_frames, n_values), which an analysis computes in one pass.
SPECTRAL: dict[str, Callable[[Settings], Callable]] = {
    "bins": lambda settings: lambda spectra: spectra[:, : settings.n_bins],
    "mel": lambda settings: partial(spectrum.mel_energies, n_fft=settings.n_fft, **settings.mel),
    "shape": lambda settings: partial(spectral_shape.spectral_shape, columns=settings.shape, sr=settings.sr),
    "clear": lambda settings: partial(spectrum.mel_energies, n_fft=settings.n_fft, **clear_speech.mel(settings.sr)),
}


class Analysis:
    """Intermediate results behind the descriptors; the spectra, the expensive part, in one pass for all clips."""

    def __init__(self, waveforms: Sequence[np.ndarray], spectral: Iterable[str], settings: Settings):
        self.waveforms, self.settings = waveforms, settings
        self.batch = spectrum.join(waveforms, settings.n_fft, settings.hop_length)
        self.window = self.batch.narrow(settings.win_length)
        self._spectral = list(dict.fromkeys(spectral))  # what of `SPECTRAL` will be asked for

    @cached_property
    def spectral(self) -> dict[str, np.ndarray]:
        functions = [SPECTRAL[name](self.settings) for name in self._spectral]
        s = self.settings
        values = spectrum.over_spectra(self.batch, functions, win_length=s.win_length, window=s.window)
        return dict(zip(self._spectral, values, strict=True))

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

    @cached_property
    def clear(self) -> clear_speech.ClearSpeech:
        # Nothing else asks for the power, which takes much memory for a long clip.
        return clear_speech.ClearSpeech(self.spectral.pop("clear"), self.batch.counts, self.settings.sr)

    def decibels(self, power: np.ndarray) -> np.ndarray:
        return spectrum.power_to_db(power, self.batch.counts)

    def broad_log_mel(self) -> np.ndarray:
        return spectrum.merge_bands(self.log_mel[:, : 2 * self.settings.n_broad], 2)

    def shape(self, names: tuple[str, ...]) -> np.ndarray:
        return self.spectral["shape"][:, [self.settings.shape.index(name) for name in names]]

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
        levels = np.zeros((len(self.pitch.f0), len(HARMONICS)), dtype=np.float32)
        voiced = np.flatnonzero(self.pitch.f0 > 0)
        f0, spectra = self.pitch.f0[voiced], self.spectral["bins"][voiced]
        rows, n_bins = np.arange(len(voiced)), spectra.shape[1]
        formants = self.formants[voiced]
        formants = np.where(
            formants > 0, formants, np.array([500, 1500, 2500], dtype=np.float32)
        )  # of the neutral vowel, where one is missing

        def level(frequency: np.ndarray | float) -> np.ndarray:
            """Return the level of the loudest of the three bins around a frequency, dB."""
            at = np.broadcast_to(np.round(frequency * (self.settings.n_fft / self.settings.sr)).astype(int), rows.shape)
            at = np.clip(at, 1, n_bins - 2)
            power = np.max([spectra[rows, at + shift] for shift in (-1, 0, 1)], axis=0)
            return 10 * np.log10(np.maximum(power, np.float32(1e-10)))

        h1, h2, h4, a1, a2, a3 = map(level, (f0, 2 * f0, 4 * f0, *formants.T))
        mean = 10 * np.log10(np.maximum(spectra, np.float32(1e-10))).mean(axis=1)
        differences = (h1 - h2, h2 - h4, h1 - a1, h1 - a2, h1 - a3, a2 - a3, h1 - mean, a1 - mean, a3 - mean)
        levels[voiced] = np.stack((*differences, level(2000.0) - level(5000.0)), axis=1)
        return levels
