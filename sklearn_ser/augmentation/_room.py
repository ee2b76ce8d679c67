"""Room: reverberation, simulated or by measured impulse responses."""

from __future__ import annotations

import os
from numbers import Real

import numpy as np
from scipy.signal import fftconvolve

from ..audio._load import clip_digest, load_waveform
from ..utils._clip_errors import AudioError
from ..utils._messages import short
from ..utils._sklearn_compat import Interval
from ._base import WaveformAugmenter
from ._noise import sounds
from ._power import as_loud_as


class Room(WaveformAugmenter):
    """A waveform as a microphone in a room records it: with reverberation, as long and as loud as before.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import Room
    >>> click = np.zeros(16000)
    >>> click[0] = 1
    >>> response = Room(rt60=0.5, drr=0)(click, 16000, random_state=0)
    >>> early, late = (np.mean(response[start : start + 800] ** 2) for start in (800, 4800))
    >>> print(round(float(10 * np.log10(early / late)) / 0.25 * 0.5))  # dB in 0.5 s
    59

    Parameters
    ----------
    rt60 : float or (float, float), default=(0.2, 0.8)
        Reverberation time, seconds: how long the response takes to fall by 60 dB. A furnished room has 0.3 to 0.6, a
        stairwell 2. Each call draws from a range.
    drr : float or (float, float), default=(-3, 10)
        Direct-to-reverberant ratio, dB: energy of the direct sound against that of all reflections. Next to the mouth
        it is 10 and more, across the room below 0. Each call draws from a range.
    impulse_responses : str, PathLike, audio input or None, default=None
        Responses of real rooms, one of which each call draws: a folder, a file, paths, or waveforms at the rate of the
        clips. Each is taken from its largest magnitude on, the direct sound. `rt60` and `drr` then do not count.
    p : float, default=1.0
        Probability that anything is changed at all.

    Notes
    -----
    Without measured responses, one is drawn for each call: an impulse, the direct sound, followed by white Gaussian
    noise whose amplitude decays exponentially [1]_. Reverberation past the clip's end is cut off.

    References
    ----------
    .. [1] J.-D. Polack (1988), "La transmission de l'energie sonore dans les salles", doctoral thesis, Universite du
       Maine.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "rt60": [Interval(Real, 0, None, closed="neither"), tuple, list],
        "drr": [Interval(Real, None, None, closed="neither"), tuple, list],
        "impulse_responses": "no_validation",
    }

    def __init__(self, rt60=(0.2, 0.8), *, drr=(-3, 10), impulse_responses=None, p=1.0):
        self.rt60 = rt60
        self.drr = drr
        self.impulse_responses = impulse_responses
        self.p = p

    def _check_params(self):
        super()._check_params()
        given = self.impulse_responses
        if isinstance(given, (str, os.PathLike)) and not os.path.exists(given):
            raise ValueError(f"impulse_responses must be a folder or file that exists, or a list. Got {short(given)}.")

    def _alter(self, waveform, sr, rng):
        if self.impulse_responses is None:
            response = decaying_response(self._drawn("rt60", rng), self._drawn("drr", rng), sr, rng)
        else:
            response = _from_direct_sound(self._choose(rng), sr)
        heard = fftconvolve(waveform, response[: waveform.size].astype(np.float32))[: waveform.size]
        return as_loud_as(heard, waveform)

    def _choose(self, rng):
        responses = sounds(self.impulse_responses, "impulse_responses")
        return responses[rng.integers(len(responses))]

    def _key(self, random_state):
        if self.impulse_responses is None or type(self).__module__ != __name__:
            return super()._key(random_state)
        digest = clip_digest(self._choose(self._start(random_state)))
        return None if digest is None else f"Room {self.p} {random_state} {digest.hex()}"


def decaying_response(rt60: float, drr: float, sr: int, rng) -> np.ndarray:
    """An impulse and a tail of noise that falls by 60 dB in `rt60` seconds; the impulse has `drr` dB more energy."""
    n_times = max(1, round(rt60 * sr))
    tail = rng.standard_normal(n_times) * 10 ** (-3 * np.arange(1, n_times + 1) / (rt60 * sr))
    return np.concatenate([[1.0], tail * np.sqrt(10 ** (-drr / 10) / np.sum(tail**2))])


def _from_direct_sound(recording, sr: int) -> np.ndarray:
    try:
        response = load_waveform(recording, sr)
    except AudioError as error:
        raise type(error)(f"An impulse response cannot be used. {error}") from None
    if not response.any():
        raise AudioError(f"An impulse response must not be silent. Got zeros only from {short(recording)}.")
    return response[np.abs(response).argmax() :]
