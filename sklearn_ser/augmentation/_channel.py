"""Augmenters of the way from a microphone to the file: bandwidth, level, overload."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from .._signal.waveform import resample
from ..utils._messages import short
from ..utils._sklearn_compat import Interval, StrOptions
from ._base import WaveformAugmenter
from ._power import as_loud_as, filtered, pass_band, power

_NARROWBAND = 8000  # Hz, the sampling rate of telephone networks
_MU, _A = 255.0, 87.6  # ITU-T G.711
_PER_OCTAVE = np.log2(10) / 20  # exponent of a frequency, for each dB an octave


class Telephone(WaveformAugmenter):
    """A waveform as an old telephone line delivers it: 300 to 3400 Hz, sampled at 8 kHz, in 8 bits; as loud as before.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import Telephone
    >>> time = np.arange(16000) / 16000
    >>> clip = np.sin(2 * np.pi * 1000 * time) + np.sin(2 * np.pi * 5000 * time)
    >>> spectrum = np.abs(np.fft.rfft(Telephone()(clip, 16000, random_state=0)))
    >>> bool(spectrum[5000] < spectrum[1000] / 1000)
    True

    Parameters
    ----------
    band : (float, float) or None, default=(300, 3400)
        Lower and upper edge of what is let through, Hz, both at -6 dB; None lets through all that 8 kHz can carry.
    companding : {"mu-law", "a-law"}, a sequence of these or None, default=("mu-law", "a-law")
        How 8 bits are spread over loud and soft samples: as in North America and Japan, or as in the rest of the
        world. Each call draws from a sequence. None does not quantize.
    level : float or (float, float), default=-26
        Root mean square on the line, dB below full scale, at which the clip is quantized, however loud it was
        recorded; peaks that exceed full scale are clipped. The default is the nominal level of speech in ITU-T's tests
        of codecs.
    p : float, default=1.0
        Probability that anything is changed at all.

    See Also
    --------
    Codec : Coding of mobile telephones and calls over the Internet.

    Notes
    -----
    The rate is that of the clip again, and nothing is delayed. The laws are the continuous ones of ITU-T G.711 (mu =
    255, A = 87.6) with 127 steps to each side, where the standard takes straight pieces. A clip below 8 kHz is not
    resampled.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "band": [tuple, list, None],
        "companding": [StrOptions({"mu-law", "a-law"}), tuple, list, None],
        "level": [Interval(Real, None, 0, closed="right"), tuple, list],
    }

    def __init__(self, band=(300, 3400), *, companding=("mu-law", "a-law"), level=-26, p=1.0):
        self.band = band
        self.companding = companding
        self.level = level
        self.p = p

    def _check_params(self):
        super()._check_params()
        if self.band is not None and not (
            len(self.band) == 2
            and all(isinstance(edge, Real) for edge in self.band)
            and 0 <= self.band[0] < self.band[1]
        ):
            raise ValueError(f"band must be (low, high) in Hz, with 0 <= low < high. Got band={short(self.band)}.")

    def _alter(self, waveform, sr, rng):
        law, level = self._drawn("companding", rng), self._drawn("level", rng)
        rate = min(sr, _NARROWBAND)
        line = waveform if rate == sr else resample(waveform, sr, rate)
        if self.band is not None:
            line = filtered(line, rate, lambda frequency: pass_band(frequency, *self.band))
        if law is not None and power(line) > 0:
            line = companded(line / np.sqrt(power(line)) * 10 ** (level / 20), law)
        heard = line if rate == sr else resample(line.astype(np.float32), rate, sr)
        heard = heard[: waveform.size]
        return as_loud_as(np.pad(heard, (0, waveform.size - heard.size)), waveform)


def companded(waveform: np.ndarray, law: str) -> np.ndarray:
    """Quantize to 8 bits, 255 values, that lie closer together around 0."""
    magnitude = np.minimum(np.abs(waveform), 1.0)
    if law == "mu-law":
        code = np.round(127 * np.log1p(_MU * magnitude) / np.log1p(_MU)) / 127
        restored = np.expm1(code * np.log1p(_MU)) / _MU
    else:
        linear, whole = magnitude < 1 / _A, 1 + np.log(_A)
        code = np.where(linear, _A * magnitude, 1 + np.log(np.maximum(_A * magnitude, 1))) / whole
        code = np.round(127 * code) / 127
        restored = np.where(code < 1 / whole, code * whole, np.exp(code * whole - 1)) / _A
    return np.sign(waveform) * restored


class Equalizer(WaveformAugmenter):
    """A waveform as other microphones and loudspeakers color it: brighter or duller, or cut off; as loud as before.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import Equalizer
    >>> time = np.arange(16000) / 16000
    >>> clip = np.sin(2 * np.pi * 1000 * time) + np.sin(2 * np.pi * 2000 * time)
    >>> spectrum = np.abs(np.fft.rfft(Equalizer(tilt=-6)(clip, 16000)))
    >>> print(round(float(20 * np.log10(spectrum[2000] / spectrum[1000])), 1))
    -6.0

    Parameters
    ----------
    tilt : float or (float, float), default=(-6, 6)
        By how much each octave is louder than the one below it, dB, from 50 Hz on. Each call draws from a range.
    low_pass, high_pass : float, (float, float) or None, default=None
        Frequency above, or below, which the spectrum is cut off (-6 dB there, -48 dB an octave further), Hz. Each
        call draws from a range, evenly on a logarithmic scale. None cuts nothing.
    p : float, default=1.0
        Probability that anything is changed at all.

    Notes
    -----
    Nothing is delayed.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "tilt": [Interval(Real, None, None, closed="neither"), tuple, list],
        "low_pass": [Interval(Real, 0, None, closed="neither"), tuple, list, None],
        "high_pass": [Interval(Real, 0, None, closed="neither"), tuple, list, None],
    }

    def __init__(self, tilt=(-6, 6), *, low_pass=None, high_pass=None, p=1.0):
        self.tilt = tilt
        self.low_pass = low_pass
        self.high_pass = high_pass
        self.p = p

    def _alter(self, waveform, sr, rng):
        tilt, low, high = self._drawn("tilt", rng), self._cutoff("high_pass", rng), self._cutoff("low_pass", rng)

        def gain(frequency):
            above_50 = np.maximum(frequency, 50.0) / 1000
            return above_50 ** np.float32(tilt * _PER_OCTAVE) * pass_band(frequency, low, high)

        return as_loud_as(filtered(waveform, sr, gain), waveform)

    def _cutoff(self, name: str, rng) -> float | None:
        value = getattr(self, name)
        return float(np.exp(rng.uniform(*np.log(value)))) if isinstance(value, (tuple, list)) else value


class Clipping(WaveformAugmenter):
    """A waveform that was too loud for the recorder: its peaks are cut off.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> from sklearn_ser import Clipping
    >>> Clipping(limit=0.5)([0.1, 0.8, -0.6], 16000).tolist()
    [0.10000000149011612, 0.4000000059604645, -0.4000000059604645]

    Parameters
    ----------
    fraction : float or (float, float), default=(0.005, 0.1)
        Fraction of the samples that are cut off, the largest ones. Each call draws from a range.
    limit : float, (float, float) or None, default=None
        Where to cut, as a fraction of the clip's largest magnitude; then `fraction` does not count. Each call
        draws from a range. None cuts by `fraction`.
    p : float, default=1.0
        Probability that anything is changed at all.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "fraction": [Interval(Real, 0, 1, closed="left"), tuple, list],
        "limit": [Interval(Real, 0, 1, closed="right"), tuple, list, None],
    }

    def __init__(self, fraction=(0.005, 0.1), *, limit=None, p=1.0):
        self.fraction = fraction
        self.limit = limit
        self.p = p

    def _alter(self, waveform, sr, rng):
        magnitude = np.abs(waveform)
        if self.limit is not None:
            limit = magnitude.max() * self._drawn("limit", rng)
        else:
            limit = np.quantile(magnitude, 1 - self._drawn("fraction", rng))
        return np.clip(waveform, -limit, limit) if limit > 0 else waveform  # of mostly silence, that would be all


class Level(WaveformAugmenter):
    """A waveform softer or louder, and rounded to the steps of a recorder: soft speech loses detail.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> from sklearn_ser import Level
    >>> Level(-20, bits=8)([0.5, -1.0, 0.03], 16000).tolist()  # in steps of 1/128
    [0.046875, -0.1015625, 0.0]

    Parameters
    ----------
    gain : float or (float, float), default=(-40, 0)
        By how much louder, dB; below 0, softer. Each call draws from a range.
    bits : int or None, default=16
        Resolution of the recorder: the waveform is rounded to multiples of ``2 ** (1 - bits)`` and cut off at full
        scale, -1 and 1. None does neither.
    p : float, default=1.0
        Probability that anything is changed at all.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "gain": [Interval(Real, None, None, closed="neither"), tuple, list],
        "bits": [Interval(Integral, 2, 32, closed="both"), None],
    }

    def __init__(self, gain=(-40, 0), *, bits=16, p=1.0):
        self.gain = gain
        self.bits = bits
        self.p = p

    def _alter(self, waveform, sr, rng):
        louder = waveform * 10 ** (self._drawn("gain", rng) / 20)
        if self.bits is None:
            return louder
        steps = 2.0 ** (self.bits - 1)
        return np.clip(np.round(louder * steps), -steps, steps - 1) / steps
