"""Named sets of features: which functionals of which descriptors, and how these are measured.

The columns of a set never change once it is released; what is better gets a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.signal

from .._signal import clear_speech, spectrum
from ._clip_features import CLIP_FEATURES, DescribedClip
from ._descriptors import DESCRIPTORS, Settings, column_names, contours
from ._functionals import functionals_of

_FEWEST = 3  # voiced frames that statistics are taken of; with fewer, they are of all frames


class Group(NamedTuple):
    """Functionals of descriptors; of voiced frames alone, or of all."""

    descriptors: tuple[str, ...]
    functionals: tuple[str, ...]
    voiced: bool = False

    def names(self, settings: Settings) -> list[str]:
        """Names of the columns: the first functional of all values, then the second ..."""
        values = []
        for name in self.descriptors:
            mark = "_voiced" if self.voiced and not DESCRIPTORS[name].voiced else ""
            values += [f"{value}{mark}" for value in column_names(name, settings)]
        return [f"{value}_{functional}" for functional in self.functionals for value in values]

    def features(self, clip: DescribedClip) -> np.ndarray:
        values = [clip.contours[name] for name in self.descriptors]
        values = values[0] if len(values) == 1 else np.concatenate(values, axis=1)
        if self.voiced:
            present = clip.voiced
            if all(DESCRIPTORS[name].voiced for name in self.descriptors):  # and 0 where it is missing
                present = (values != 0).all(axis=1)
            if present.sum() >= _FEWEST:
                values = values[present]
        return functionals_of(values, self.functionals)


class FeatureSet(NamedTuple):
    """A named set of features."""

    text: str
    settings: Callable[[int], Settings]  # of a sampling rate
    groups: tuple[Group, ...]
    clip_features: tuple[str, ...] = ()
    trim: bool = False  # whether silence at the edges of a clip is left out
    crop: bool = False  # whether frames before and after the speech are left out

    def select(self, families: Sequence[str] | None, descriptors: Sequence[str] | None) -> FeatureSet:
        """Return the part of the set that holds only the given families and descriptors."""

        def wanted(name: str, table: dict) -> bool:
            return (families is None or table[name].family in families) and (descriptors is None or name in descriptors)

        groups = (
            group._replace(descriptors=tuple(d for d in group.descriptors if wanted(d, DESCRIPTORS)))
            for group in self.groups
        )
        clip_features = tuple(name for name in self.clip_features if wanted(name, CLIP_FEATURES))
        return self._replace(groups=tuple(group for group in groups if group.descriptors), clip_features=clip_features)

    @property
    def descriptors(self) -> list[str]:
        """Descriptors and clip-level features that make up the columns, in the order of their first."""
        return list(
            dict.fromkeys([name for group in self.groups for name in group.descriptors] + list(self.clip_features))
        )

    @property
    def families(self) -> list[str]:
        return list(dict.fromkeys(family for family, _ in self._parts(self.settings(16000))))

    def _parts(self, settings: Settings) -> list[tuple[str, list[str]]]:
        """Names of the columns by family, part by part, in the order of the columns."""
        parts = []
        for group in self.groups:
            family_of = {
                v: DESCRIPTORS[d].family
                for d in group.descriptors
                for v in Group((d,), ("",), group.voiced).names(settings)
            }
            values = Group(group.descriptors, ("",), group.voiced).names(settings)
            parts += [(family_of[value], [value + functional]) for functional in group.functionals for value in values]
        return parts + [(CLIP_FEATURES[name].family, list(CLIP_FEATURES[name].columns)) for name in self.clip_features]

    def columns(self, sr: int) -> list[tuple[str, str]]:
        """Family and name of each column."""
        return [(family, name) for family, names in self._parts(self.settings(sr)) for name in names]

    def fingerprint(self) -> np.ndarray:
        """Features of two fixed signals: they tell this set from any that computes something else under its name."""
        return self.features(fixed_signals(16000), 16000).ravel()

    def features(self, waveforms: Sequence[np.ndarray], sr: int) -> np.ndarray:
        """(n_clips, n_features) float32."""
        settings = self.settings(sr)
        if self.trim:
            waveforms = [spectrum.trim(waveform, settings.hop_length) for waveform in waveforms]
        needed = [name for name in self.descriptors if name in DESCRIPTORS]
        needed += [name for feature in self.clip_features for name in CLIP_FEATURES[feature].descriptors]
        if any(group.voiced for group in self.groups):
            needed.append("f0_semitone")
        if self.crop:
            needed.append("clear_energy")
        needed = list(dict.fromkeys(needed))
        clips = [
            DescribedClip(dict(zip(needed, values, strict=True)), sr / settings.hop_length)
            for values in zip(*contours(waveforms, needed, settings), strict=True)
        ]
        if self.crop:
            clips = [_cropped(clip) for clip in clips]
        parts = [np.array([group.features(clip) for clip in clips], dtype=np.float32) for group in self.groups]
        parts += [CLIP_FEATURES[name].function(clips).astype(np.float32) for name in self.clip_features]
        return np.concatenate(parts, axis=1)


def fixed_signals(sr: int) -> list[np.ndarray]:
    """Something like two syllables with a hiss between them, 1.2 s, (n_times,) float32; and the same by telephone."""
    time = np.arange(round(1.2 * sr)) / sr
    noise = np.random.RandomState(0).normal(size=time.size)  # the same numbers in all versions of NumPy
    signal = np.where((time > 0.55) & (time < 0.65), 0.5, 0.05) * noise
    for start, stop, low, high in ((0.1, 0.5, 140, 210), (0.7, 1.1, 190, 120)):
        place = np.clip((time - start) / (stop - start), 0, 1)
        phase = 2 * np.pi * (stop - start) * (low * place + (high - low) * place**2 / 2)
        decay = 0.9 - 0.2 * place  # from each harmonic to the next
        harmonics = decay * np.sin(phase) / (1 - 2 * decay * np.cos(phase) + decay**2)
        signal += np.sin(np.pi * place) * harmonics
    telephone = scipy.signal.sosfilt(scipy.signal.butter(8, (300, 3400), "bandpass", fs=sr, output="sos"), signal)
    return [signal.astype(np.float32), (telephone + 0.01 * noise[::-1]).astype(np.float32)]


def _cropped(clip: DescribedClip) -> DescribedClip:
    """The clip without the frames before and behind the speech."""
    speech = clear_speech.speech_frames(clip.contours["clear_energy"][:, 0])
    return replace(clip, contours={name: values[speech] for name, values in clip.contours.items()})


def _bledea(sr: int) -> Settings:
    mel = dict(sr=sr, n_mels=128, fmin=0.0, fmax=sr / 2)
    return Settings(sr=sr, n_fft=2048, win_length=2048, hop_length=512, window="hann", mel=mel, n_mfcc=40)


def _default(sr: int) -> Settings:
    win_length = round(0.025 * sr)
    return Settings(
        sr=sr,
        n_fft=1 << (win_length - 1).bit_length(),
        win_length=win_length,
        hop_length=round(0.01 * sr),
        window="hann",
        mel=dict(sr=sr, n_mels=40, fmin=50.0, fmax=8000.0),
        n_mfcc=13,
        voiced_only=True,
    )


_SHAPE = (
    "spectral_centroid",
    "spectral_bandwidth",
    "spectral_rolloff",
    "spectral_entropy",
    "spectral_flatness",
    "spectral_flux",
    "spectral_contrast",
    "spectral_slope",
    "spectral_tilt",
    "alpha_ratio",
    "hammarberg_index",
    "zcr",
)
_DISTRIBUTION = ("mean", "std", "p5", "p20", "median", "p80", "p95", "skewness", "slope", "delta_abs_mean", "delta_std")
_CLEAR_DISTRIBUTION = ("mean", "std", "p20", "median", "p80", "p95", "slope", "delta_abs_mean", "delta_std")
_MOVEMENT = ("rise", "fall", "delta_5_abs_mean")
_SPANS = tuple(f"delta_{n}_abs_mean" for n in (2, 4, 8, 16, 32))
_PROSODY_MOVEMENT = ("median", "rise", "fall", "delta_4_abs_mean", "delta_8_abs_mean", "delta_16_abs_mean")
_LOCAL = ("local_mean_std", "local_mean_range", "local_std_mean", "local_std_std")

FEATURE_SETS = {
    "default-v1": FeatureSet(
        "Prosody, voice quality, spectrum, modulation and covariation, for speaker-independent recognition with an SVM",
        _default,
        (
            Group(("log_mel_broad", "mfcc", *_SHAPE, "energy", "loudness", "hnr", "cpp"), _DISTRIBUTION),
            Group(("energy", "loudness", "spectral_flux", "hnr"), _MOVEMENT + _SPANS + _LOCAL),
            Group(("log_mel_broad", "mfcc", *_SHAPE), ("mean", "std"), voiced=True),
            Group(("energy", "loudness", "hnr", "cpp", "f0_semitone"), _DISTRIBUTION + _MOVEMENT, voiced=True),
            Group(("f0_semitone",), _LOCAL + ("curvature",), voiced=True),
            Group(("jitter", "shimmer"), ("mean", "std", "median", "p80"), voiced=True),
            Group(("harmonics",), ("mean", "std"), voiced=True),
            Group(("formants",), ("mean", "std", "p20", "p80", "delta_abs_mean"), voiced=True),
        ),
        (
            "rhythm",
            "contour",
            "melody",
            "modulation",
            "cepstrum_covariation",
            "coarse_cepstrum_covariation",
            "band_covariation",
            "band_correlation",
        ),
        trim=True,
    ),
    "default-v2": FeatureSet(
        "Prosody, spectrum and voice of the speech, measured above the noise of its recording",
        _default,
        (
            Group(
                ("clear_mel", "clear_treble", "clear_shape", "clear_loudness", "clear_flux", "clear_hnr"),
                _CLEAR_DISTRIBUTION,
            ),
            Group(("clear_loudness", "clear_flux"), _MOVEMENT + _SPANS + _LOCAL),
            Group(("clear_mel", "clear_treble", "clear_mfcc", "clear_shape"), ("mean", "std"), voiced=True),
            Group(("clear_energy", "clear_loudness", "f0_semitone"), _CLEAR_DISTRIBUTION + _MOVEMENT, voiced=True),
            Group(("clear_hnr",), ("mean", "std", "p20", "median", "p80"), voiced=True),
            Group(("f0_semitone",), _LOCAL + ("curvature",), voiced=True),
        ),
        ("clear_rhythm", "clear_contour", "clear_melody"),
        crop=True,
    ),
    "default-v3": FeatureSet(
        "How melody, loudness, rhythm, spectrum and voice move, chosen on corpora of three languages",
        _default,
        (
            Group(("clear_energy", "clear_loudness", "clear_flux"), ("mean", "std", "median", "p80")),
            Group(("clear_energy", "clear_loudness"), _PROSODY_MOVEMENT, voiced=True),
            Group(
                ("f0_semitone",),
                ("mean", "std", "slope", "fall", "delta_16_abs_mean", "delta_32_abs_mean", "local_mean_std"),
                voiced=True,
            ),
            Group(("clear_flux",), ("delta_4_abs_mean", "delta_16_abs_mean", "local_std_mean")),
            Group(("clear_mel",), ("slope", "kurtosis")),
            Group(("clear_mel",), ("curvature",), voiced=True),
            Group(("clear_mfcc",), ("slope", "delta_16_abs_mean")),
            Group(("clear_shape",), ("std", "delta_std", "local_mean_range", "local_std_std")),
            Group(("clear_shape",), ("delta_4_abs_mean",), voiced=True),
            Group(("mfcc",), ("kurtosis", "curvature")),
            Group(("mfcc",), ("delta_2_abs_mean",), voiced=True),
            Group(("spectral_flatness", "spectral_entropy"), ("mean", "p80", "slope", "kurtosis"), voiced=True),
            Group(("clear_hnr", "cpp", "spectral_centroid"), ("rise", "slope")),
            Group(("clear_hnr",), ("mean", "std", "median")),
            Group(("clear_hnr",), ("skewness", "kurtosis"), voiced=True),
            Group(("cpp",), ("std",)),
            Group(("cpp",), ("curvature", "local_std_std"), voiced=True),
            Group(("jitter",), ("p80", "fall"), voiced=True),
            Group(("formants",), ("p20", "delta_16_abs_mean"), voiced=True),
        ),
        ("clear_rhythm", "melody_and_loudness_contour", "clear_melody", "energy_correlation"),
        crop=True,
    ),
    "bledea170": FeatureSet(
        "Means of 128 mel bands, 40 MFCC, zero-crossing rate and RMS, as librosa defines them (Bledea)",
        _bledea,
        (Group(("mel", "mfcc", "zcr", "rms"), ("mean",)),),
    ),
}
