"""PitchShift and TimeStretch, by a phase vocoder."""

from __future__ import annotations

from numbers import Real

import numpy as np

from .._signal.waveform import resample
from ..utils._sklearn_compat import Interval
from ._base import WaveformAugmenter


class PitchShift(WaveformAugmenter):
    """A waveform higher or lower by semitones, as long as before.

    Everything in the spectrum moves with F0, the formants, too: a voice sounds as if it came from a smaller or larger
    speaker.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import PitchShift
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)  # one second of 200 Hz
    >>> octave = PitchShift(n_steps=12)(tone, 16000)
    >>> octave.shape, int(np.abs(np.fft.rfft(octave)).argmax())
    ((16000,), 400)

    Parameters
    ----------
    n_steps : float or (float, float), default=4
        Semitones, below zero for lower; F0 is multiplied by ``2 ** (n_steps / 12)``. Each call draws from a range. 4 is
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
        shifted = resample(_stretch(waveform, rate, sr), sr / rate, sr)[: waveform.size]
        return np.pad(shifted, (0, waveform.size - shifted.size))


class TimeStretch(WaveformAugmenter):
    """A waveform faster or slower, at the same pitch.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import TimeStretch
    >>> TimeStretch(rate=2.0)(np.ones(16000), 16000).shape
    (8000,)

    Parameters
    ----------
    rate : float or (float, float), default=(0.8, 1.25)
        Above 1 is faster and shorter: `n_times` samples become ``round(n_times / rate)``. Each call draws from a range;
        the default is a fifth slower to a quarter faster.
    p : float, default=1.0
        Probability that the waveform is stretched at all.

    Notes
    -----
    A phase vocoder with the window of `PitchShift`.
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
    from librosa.effects import time_stretch  # here, because importing librosa takes longer than all of this package

    n_fft = 2 ** max(3, round(np.log2(0.046 * sr)))
    padded = np.pad(waveform, (0, max(0, n_fft - waveform.size)))
    stretched = time_stretch(padded, rate=rate, n_fft=n_fft)
    return stretched[: _stretched_length(waveform.size, rate)]
