"""A small source-filter speech synthesizer: from a voice and a manner of speaking to a waveform.

A pulse train with a spectral tilt (the glottis) and noise (breath, fricatives) pass a chain of moving resonators (the
vocal tract), after Klatt (1980), "Software for a cascade/parallel formant synthesizer", JASA 67(3), 971-995.
"""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter, sosfilt

SYNTHESIS_RATE = 16000
_STEP = 80  # audio samples between two updates of the vocal tract: 5 ms
_FORMANT_BANDWIDTHS = np.array([80.0, 100.0, 140.0, 220.0, 300.0])

# F1..F3 of American English men in Hz, rounded, after Peterson & Barney (1952), JASA 24(2), 175-184.
_VOWELS = {
    "i": (270.0, 2290.0, 3010.0),
    "e": (530.0, 1840.0, 2480.0),
    "a": (730.0, 1090.0, 2440.0),
    "o": (570.0, 840.0, 2410.0),
    "u": (300.0, 870.0, 2240.0),
    "@": (500.0, 1500.0, 2500.0),
}
_NEUTRAL_TRACT = np.array(_VOWELS["@"])
_SONORANTS = {"m": (250.0, 1100.0, 2200.0), "l": (360.0, 1150.0, 2600.0), "w": (310.0, 750.0, 2200.0)}
# Noise consonants: center and bandwidth in Hz, level in dB beside the voiced speech, closure before the noise and
# duration of the noise in s.
_NOISES = {
    "s": (5600.0, 1800.0, -8.0, 0.0, 0.09),
    "x": (3000.0, 1500.0, -7.0, 0.0, 0.09),
    "f": (4500.0, 6000.0, -16.0, 0.0, 0.07),
    "t": (4200.0, 2500.0, -8.0, 0.05, 0.02),
    "k": (1900.0, 900.0, -6.0, 0.05, 0.025),
    "p": (900.0, 900.0, -10.0, 0.05, 0.015),
}


class Voice(NamedTuple):
    """Parameters of a speaker's voice."""

    f0: float  # Hz, in neutral speech
    tract: float  # factor on all formants: 1 is an average man, about 1.17 an average woman
    tilt: float  # octaves by which the glottal cut-off frequencies are raised
    breath: float  # dB of aspiration noise above the average voice
    rate: float  # factor on the speaking rate


class Manner(NamedTuple):
    """Parameters of an emotion; all zero but the factors is neutral."""

    f0: float = 0.0  # semitones above the speaker's own
    f0_range: float = 1.0  # factor on every movement of F0
    final: float = 0.0  # semitones by which the last syllables rise
    rate: float = 1.0  # factor on the speaking rate
    level: float = 0.0  # dB
    dynamics: float = 1.0  # factor on the loudness differences between syllables
    tilt: float = 0.0  # octaves, as for a voice: above 0 is bright and tense
    breath: float = 0.0  # dB
    jitter: float = 0.008  # standard deviation of a period over its length
    pause: float = 0.08  # probability of a pause after a syllable
    articulation: float = 1.0  # factor on the distance of vowels from the neutral tract
    formants: float = 1.0  # factor on the formants: a smile shortens the tract
    f1: float = 1.0  # factor on F1 alone: an open jaw raises it


class _Score(NamedTuple):
    """Control tracks, one value (or row) every `_STEP` samples."""

    formants: np.ndarray  # Hz, (n_steps, 3)
    voicing: np.ndarray  # amplitude
    accent: np.ndarray  # semitones, around the declination line
    noises: list  # of (name of the consonant, first audio sample, duration in s)


def speak(voice, manner, rng):
    """Return one spoken phrase.

    Parameters
    ----------
    voice : Voice
    manner : Manner
    rng : numpy.random.RandomState

    Returns
    -------
    ndarray of shape (n_times,)
        The waveform at `SYNTHESIS_RATE`, of arbitrary level.
    """
    score = _write_score(voice, manner, rng)
    n_times = len(score.voicing) * _STEP
    times = np.arange(n_times) / _STEP
    steps = np.arange(len(score.voicing))
    f0 = _f0_contour(score, voice, manner)
    voicing = np.interp(times, steps, score.voicing)
    source, pulses = _pulse_train(np.interp(times, steps, f0), manner.jitter, rng)
    source = _glottal_tilt(source * voicing, voice.tilt + manner.tilt)
    # Aspiration is turbulence at the glottis: strongest while the glottis is open.
    breath = 10 ** ((voice.breath + manner.breath - 34.0) / 20)
    source += breath * voicing * (0.4 + 0.6 * pulses) * rng.standard_normal(n_times)
    speech = _vocal_tract(source, score.formants)
    scale = np.sqrt(np.mean(speech**2)) + 1e-12
    for name, start, duration in score.noises:
        noise = _noise_burst(name, duration, voice, manner, rng)[: n_times - start]
        speech[start : start + len(noise)] += scale * noise
    return speech


def _write_score(voice, manner, rng):
    """Draw syllables and lay them out in time."""
    rate = voice.rate * manner.rate
    targets, levels, accents, noises = [], [], [], []

    def hold(duration, formants, level, accent):
        n_steps = max(2, round(duration * SYNTHESIS_RATE / _STEP))
        targets.extend([formants] * n_steps)
        levels.extend([level] * n_steps)
        accents.extend([accent] * n_steps)

    shift = voice.tract * manner.formants * np.array([manner.f1, 1.0, 1.0])
    hold(0.04, _NEUTRAL_TRACT * shift, 0.0, 0.0)
    # Every vowel and every onset once before any comes again, so that short phrases are alike in what is said.
    vowels, onsets = rng.permutation(list(_VOWELS)), rng.permutation([*_NOISES, *_SONORANTS])
    n_syllables = rng.randint(6, 9)
    for syllable in range(n_syllables):
        accent = rng.standard_normal()
        level = 10 ** (1.8 * manner.dynamics * accent / 20)
        vowel = np.array(_VOWELS[vowels[syllable % len(vowels)]])
        vowel = (_NEUTRAL_TRACT + manner.articulation * (vowel - _NEUTRAL_TRACT)) * shift
        onset = onsets[syllable % len(onsets)]
        if onset in _SONORANTS:
            hold(0.07 / rate, np.array(_SONORANTS[onset]) * shift, 0.4 * level, accent)
        elif onset in _NOISES:
            closure, duration = _NOISES[onset][3] / rate, _NOISES[onset][4] / rate
            if closure:
                hold(closure, vowel, 0.0, accent)
            noises.append((onset, len(levels) * _STEP, duration))
            hold(duration, vowel, 0.0, accent)
        last = syllable == n_syllables - 1
        length = rng.uniform(0.10, 0.15) * (1.5 if last else 1.0) / rate
        hold(length, vowel, level, accent)
        if not last and rng.uniform() < manner.pause:
            hold(rng.uniform(0.08, 0.2) / rate, vowel, 0.0, 0.0)
    hold(0.06, vowel, 0.0, 0.0)
    # Articulators glide: F and loudness move over about 40 ms, the pitch accent over a syllable.
    return _Score(_smooth(np.array(targets), 9), _smooth(np.array(levels), 7), _smooth(np.array(accents), 25), noises)


def _smooth(track, width):
    """Moving average with a Hann window, ends held."""
    window = np.hanning(width + 2)[1:-1]
    columns = np.pad(track.reshape(len(track), -1), ((width // 2, width // 2), (0, 0)), mode="edge").T
    smooth = [np.convolve(column, window / window.sum(), mode="valid") for column in columns]
    return np.array(smooth).T.reshape(track.shape)


def _f0_contour(score, voice, manner):
    """F0 in Hz at every step: declination, accents, and what the phrase's end does."""
    progress = np.linspace(0.0, 1.0, len(score.accent))
    semitones = manner.f0_range * (2.0 * (0.5 - progress) + 1.6 * score.accent)
    semitones = semitones + manner.final * np.clip((progress - 0.7) / 0.3, 0.0, 1.0)
    return np.clip(voice.f0 * 2 ** ((manner.f0 + semitones) / 12), 50.0, 700.0)


def _pulse_train(f0, jitter, rng):
    """Band-limited pulses, and a raised cosine in step with them.

    The closed form of the sum of all cosine harmonics below half the sampling rate has no aliasing, which a train of
    drawn pulses would have.
    """
    period = np.floor(np.cumsum(f0) / SYNTHESIS_RATE).astype(int)
    n_periods = period[-1] + 1
    f0 = f0 * (1 + jitter * rng.standard_normal(n_periods))[period]
    shimmer = (1 + 4 * jitter * rng.standard_normal(n_periods))[period]
    phase = 2 * np.pi * np.cumsum(f0) / SYNTHESIS_RATE
    n_harmonics = np.floor(0.48 * SYNTHESIS_RATE / f0)
    half = np.sin(phase / 2)
    safe = np.where(np.abs(half) < 1e-6, 1.0, half)
    kernel = np.where(np.abs(half) < 1e-6, 2 * n_harmonics + 1, np.sin((2 * n_harmonics + 1) * phase / 2) / safe)
    return shimmer * (kernel - 1) / 2, 0.5 + 0.5 * np.cos(phase)


def _glottal_tilt(pulses, octaves):
    """Two one-pole low-passes; the lip radiation's +6 dB per octave is taken off in advance."""
    for cutoff in (400.0, 2400.0):
        pole = np.exp(-2 * np.pi * min(cutoff * 2**octaves, 7000.0) / SYNTHESIS_RATE)
        pulses = lfilter([1 - pole], [1, -pole], pulses)
    return pulses


def _resonators(frequencies, bandwidths):
    """Second-order sections of unit gain at 0 Hz (Klatt's eq. 1-2), shape (..., 6)."""
    radius = np.exp(-np.pi * bandwidths / SYNTHESIS_RATE)
    a1 = -2 * radius * np.cos(2 * np.pi * frequencies / SYNTHESIS_RATE)
    a2 = radius**2
    zero = np.zeros_like(a1)
    return np.stack([1 + a1 + a2, zero, zero, zero + 1, a1, a2 + zero], axis=-1)


def _vocal_tract(source, formants):
    """Filter with five resonators, the filter's state carried from step to step."""
    upper = formants[:, 2:] / _NEUTRAL_TRACT[2] * np.array([3500.0, 4500.0])
    frequencies = np.minimum(np.hstack([formants, upper]), 0.46 * SYNTHESIS_RATE)
    sections = _resonators(frequencies, _FORMANT_BANDWIDTHS)
    state = np.zeros((sections.shape[1], 2))
    speech = np.empty_like(source)
    for step, section in enumerate(sections):
        now = slice(step * _STEP, (step + 1) * _STEP)
        speech[now], state = sosfilt(section, source[now], zi=state)
    return speech


def _noise_burst(name, duration, voice, manner, rng):
    """A fricative or the burst of a stop, its level relative to the voiced speech's RMS."""
    centre, bandwidth, level, _, _ = _NOISES[name]
    n_times = int(duration * SYNTHESIS_RATE) + _STEP
    white = rng.standard_normal(n_times)
    centre = min(centre * voice.tract**0.5, 7000.0)
    coloured = sosfilt(_resonators(np.array([centre]), np.array([bandwidth])), white)
    coloured = np.diff(coloured, prepend=0.0)
    coloured *= np.hanning(n_times) / (np.sqrt(np.mean(coloured**2)) + 1e-12)
    # A tense voice breathes out harder, which strengthens consonants too.
    return 10 ** ((level + 2.0 * manner.tilt) / 20) * coloured
