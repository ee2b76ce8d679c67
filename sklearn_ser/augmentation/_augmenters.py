"""Augmenters: callables from a waveform to another one that has the same label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from ..audio._io import _resample, load_waveform
from ..utils._random import seeded
from ..utils._sklearn_compat import Interval


def _generator(random_state) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        return np.random.Generator(random_state._bit_generator)
    return np.random.default_rng(random_state)


class WaveformAugmenter(BaseEstimator):
    """Base of the augmenters. A subclass defines `_alter(waveform, sr, rng)`, and `_length(n_times, rng)` where needed.

    Its parameters are numbers, or ranges (low, high) that each call draws from.
    """

    _parameter_constraints: dict = {"p": [Interval(Real, 0, 1, closed="both")]}

    def __call__(self, waveform, sr, random_state=None):
        """The altered waveform; with probability 1 - p, the waveform as it is.

        Parameters
        ----------
        waveform : array-like of shape (n_times,)
            Left as it is.
        sr : int
            Its sampling rate, Hz.
        random_state : int, Generator, RandomState or None, default=None
            Where chance comes from; None takes fresh entropy. No global generator is touched.

        Returns
        -------
        waveform : ndarray of shape (n_times,), float32

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the waveform is empty, not finite, or not one-dimensional.
        """
        waveform, rng = load_waveform(waveform, sr), self._start(random_state)
        return waveform if rng is None else self._alter(waveform, sr, rng).astype(np.float32, copy=False)

    def n_times(self, n_times, random_state=None):
        """Length of the result.

        Parameters
        ----------
        n_times : int
            Samples of the waveform.
        random_state : int, Generator, RandomState or None, default=None
            The call's.

        Returns
        -------
        n_times : int
        """
        rng = self._start(random_state)
        return n_times if rng is None else self._length(n_times, rng)

    def _start(self, random_state) -> np.random.Generator | None:
        """Check the parameters; the random generator of this call, or None if the waveform is to stay as it is."""
        self._check_params()
        rng = _generator(random_state)
        return rng if rng.random() < self.p else None

    def _check_params(self) -> None:
        self._validate_params()
        for name, value in self.get_params().items():
            if isinstance(value, (tuple, list)):
                interval = self._parameter_constraints[name][0]
                if len(value) != 2 or not all(map(interval.is_satisfied_by, value)) or value[0] > value[1]:
                    raise ValueError(
                        f"{name} must be {interval}, or a range (low, high) of such. Got {name}={value!r}."
                    )

    def _drawn(self, name: str, rng) -> float:
        value = getattr(self, name)
        return rng.uniform(*value) if isinstance(value, (tuple, list)) else value

    def _length(self, n_times: int, rng) -> int:
        return n_times


class AddNoise(WaveformAugmenter):
    """White Gaussian noise on a waveform, as loud as an amplitude says, or as a distance to the signal in dB.

    Exactly one of `amplitude` and `snr` is given. Their ranges are drawn from at each call.

    Parameters
    ----------
    amplitude : float, (float, float) or None, default=None
        Standard deviation of the noise, where full scale is 1: the noise factor of [1]_, which takes 0.008. How much a
        clip suffers depends on how loud it was recorded.
    snr : float, (float, float) or None, default=None
        Signal-to-noise ratio, dB: powers are means over the whole clip, and the noise is scaled so that the ratio is
        met exactly. Silence stays silence.
    p : float, default=1.0
        Probability that noise is added at all.

    See Also
    --------
    augment_clips : Noisy clips to test a fitted pipeline on.

    References
    ----------
    .. [1] The log-mel CNN-LSTM on RAVDESS whose pipeline is `sklearn_ser.systems.saleem_cnn_lstm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import AddNoise
    >>> tone = np.sin(np.arange(16000, dtype=np.float32))
    >>> noise = AddNoise(snr=10)(tone, 16000, random_state=0) - tone
    >>> print(round(float(10 * np.log10(np.mean(tone**2) / np.mean(noise**2))), 3))
    10.0
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "amplitude": [Interval(Real, 0, None, closed="left"), tuple, list, None],
        "snr": [Interval(Real, None, None, closed="neither"), tuple, list, None],
    }

    def __init__(self, amplitude=None, *, snr=None, p=1.0):
        self.amplitude = amplitude
        self.snr = snr
        self.p = p

    def _check_params(self):
        super()._check_params()
        if (self.amplitude is None) == (self.snr is None):
            raise ValueError(
                "AddNoise takes either amplitude, of full scale, or snr, in dB. "
                f"Got amplitude={self.amplitude!r} and snr={self.snr!r}."
            )

    def _alter(self, waveform, sr, rng):
        level = None if self.snr is None else 10 ** (-self._drawn("snr", rng) / 20)
        amplitude = self._drawn("amplitude", rng) if level is None else None
        noise = rng.standard_normal(waveform.size)
        if level is not None:
            amplitude = level * np.sqrt(np.mean(np.square(waveform, dtype=np.float64)) / np.mean(noise**2))
        return waveform + amplitude * noise


class PitchShift(WaveformAugmenter):
    """A waveform higher or lower by semitones, as long as before.

    Everything in the spectrum moves with F0, the formants, too: a voice sounds as if it came from a smaller or larger
    speaker.

    Parameters
    ----------
    n_steps : float or (float, float), default=4
        Semitones, below zero for lower; F0 is multiplied by ``2 ** (n_steps / 12)``. Of a range, each call draws. 4 is
        what [1]_ takes.
    p : float, default=1.0
        Probability that the pitch is shifted at all.

    Notes
    -----
    A phase vocoder changes the length, resampling (soxr) changes it back. Its window is about 46 ms rounded to a power
    of two: 2048 samples at 44.1 kHz, 1024 at 16 kHz, where librosa's 2048 would smear 128 ms of speech.

    References
    ----------
    .. [1] The log-mel CNN-LSTM on RAVDESS whose pipeline is `sklearn_ser.systems.saleem_cnn_lstm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import PitchShift
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)  # one second of 200 Hz
    >>> octave = PitchShift(n_steps=12)(tone, 16000)
    >>> octave.shape, int(np.abs(np.fft.rfft(octave)).argmax())
    ((16000,), 400)
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "n_steps": [Interval(Real, None, None, closed="neither"), tuple, list],
    }

    def __init__(self, n_steps=4, *, p=1.0):
        self.n_steps = n_steps
        self.p = p

    def _alter(self, waveform, sr, rng):
        rate = 2 ** (-self._drawn("n_steps", rng) / 12)
        shifted = _resample(_stretch(waveform, rate, sr), sr / rate, sr)[: waveform.size]
        return np.pad(shifted, (0, waveform.size - shifted.size))


class TimeStretch(WaveformAugmenter):
    """A waveform faster or slower, at the same pitch.

    Parameters
    ----------
    rate : float or (float, float), default=(0.8, 1.25)
        Above 1 is faster and shorter: `n_times` samples become ``round(n_times / rate)``. Of a range, each call draws;
        the default is a fifth slower to a quarter faster.
    p : float, default=1.0
        Probability that the waveform is stretched at all.

    Notes
    -----
    A phase vocoder with the window of `PitchShift`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import TimeStretch
    >>> TimeStretch(rate=2.0)(np.ones(16000), 16000).shape
    (8000,)
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "rate": [Interval(Real, 0, None, closed="neither"), tuple, list],
    }

    def __init__(self, rate=(0.8, 1.25), *, p=1.0):
        self.rate = rate
        self.p = p

    def _alter(self, waveform, sr, rng):
        return _stretch(waveform, self._drawn("rate", rng), sr)

    def _length(self, n_times, rng):
        return _stretched_length(n_times, self._drawn("rate", rng))


def _stretched_length(n_times: int, rate: float) -> int:
    return max(1, round(n_times / rate))


def _stretch(waveform: np.ndarray, rate: float, sr: int) -> np.ndarray:
    import librosa.effects  # here, because importing librosa takes longer than all of this package

    n_fft = 2 ** max(3, round(np.log2(0.046 * sr)))
    padded = np.pad(waveform, (0, max(0, n_fft - waveform.size)))
    stretched = librosa.effects.time_stretch(padded, rate=rate, n_fft=n_fft)
    return stretched[: _stretched_length(waveform.size, rate)]


# ------------------------------------------------------------------------------------------------ any augmenter, seeded


@dataclass(frozen=True, eq=False)
class Seeded:
    """An augmenter with a seed of its own: the same waveform gives the same result, whenever and wherever called."""

    augmenter: Callable
    seed: tuple[int, ...]

    def __call__(self, waveform: np.ndarray, sr: int) -> np.ndarray:
        if _takes_random_state(self.augmenter):
            return self.augmenter(waveform, sr, random_state=np.random.default_rng(self.seed))
        words = np.random.SeedSequence(self.seed).generate_state(2)
        with seeded(*map(int, words)):
            return self.augmenter(waveform.copy(), sr)  # a copy, because it may be the user's own array

    def __str__(self):
        return getattr(self.augmenter, "__name__", None) or str(self.augmenter)

    def fires(self) -> bool:
        """Whether the augmenter alters anything; of those that are not ours, nobody can know."""
        return not isinstance(self.augmenter, WaveformAugmenter) or self.augmenter._start(self.seed) is not None

    def key(self) -> str | None:
        """What it does, in words; None for those that are not ours, whose code may change."""
        ours = type(self.augmenter).__module__ == __name__
        return f"{type(self.augmenter).__name__} {self.augmenter.get_params()} {self.seed}" if ours else None

    def n_times(self, n_times: int) -> int | None:
        return self.augmenter.n_times(n_times, self.seed) if isinstance(self.augmenter, WaveformAugmenter) else None


def _takes_random_state(function: Callable) -> bool:
    try:
        return "random_state" in signature(function).parameters
    except (TypeError, ValueError):  # written in C
        return False
