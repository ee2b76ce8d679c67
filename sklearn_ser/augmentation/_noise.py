"""AddNoise and AddBackground: noise and recorded background sounds, at a signal-to-noise ratio."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import wraps
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfftfreq

from ..audio._input import as_clips
from ..audio._load import clip_digest, clip_length, load_part
from ..utils._clip_errors import AudioError
from ..utils._messages import short
from ..utils._sklearn_compat import Interval, StrOptions
from ._base import WaveformAugmenter
from ._power import at_snr, power

_SLOPES = {"white": 0.0, "pink": 0.5, "brown": 1.0}  # amplitude falls with frequency to the power of this
_LOWEST = 20.0  # Hz; brown noise would have nearly all of its power below what is heard


def _named_unless_small(init):
    """Refuse a number without a name that could be meant in dB: an amplitude without a name is a fraction below 1."""

    @wraps(init)
    def checked(self, *args, **params):
        for value in np.ravel(args[0]) if args and args[0] is not None else ():
            if isinstance(value, (Integral, np.integer)) or isinstance(value, Real) and value >= 1:
                raise TypeError(
                    "A number without a name is the amplitude of the noise, a fraction of full scale, but this one "
                    "looks like dB. Write AddNoise(snr=...) or AddNoise(amplitude=...). "
                    f"Got AddNoise({short(args[0])})."
                )
        init(self, *args, **params)

    return checked


class AddNoise(WaveformAugmenter):
    """White, pink or brown noise on a waveform, as loud as an amplitude says, or as a distance to the signal in dB.

    Exactly one of `amplitude` and `snr` is given. Their ranges are drawn from at each call.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import AddNoise
    >>> tone = np.sin(np.arange(16000, dtype=np.float32))
    >>> noise = AddNoise(snr=10, color="pink")(tone, 16000, random_state=0) - tone
    >>> print(round(float(10 * np.log10(np.mean(tone**2) / np.mean(noise**2))), 3))
    10.0

    Parameters
    ----------
    amplitude : float, (float, float) or None, default=None
        Standard deviation of the noise, where full scale is 1: the noise factor of [1]_, which takes 0.008. How much a
        clip suffers depends on how loud it was recorded. Without its name only below 1, because ``AddNoise(20)`` looks
        like 20 dB.
    snr : float, (float, float) or None, default=None
        Signal-to-noise ratio, dB: powers are means over the whole clip, pauses included, and the noise is scaled so
        that the ratio is met exactly. A constant offset of the clip does not count as signal. Silence stays silence.
    color : {"white", "pink", "brown"} or a sequence of these, default="white"
        How power is spread over frequencies: evenly; falling by 3 dB an octave; or by 6 dB an octave. Pink and brown
        noise begin at 20 Hz. Each call draws from a sequence.
    p : float, default=1.0
        Probability that noise is added at all.

    See Also
    --------
    AddBackground : Recorded noise, music, or voices.
    augment_clips : Noisy clips to test a fitted pipeline on.

    References
    ----------
    .. [1] The log-mel CNN-LSTM on RAVDESS whose pipeline is `sklearn_ser.systems.saleem_cnn_lstm`.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "amplitude": [Interval(Real, 0, None, closed="left"), tuple, list, None],
        "snr": [Interval(Real, None, None, closed="neither"), tuple, list, None],
        "color": [StrOptions(set(_SLOPES)), tuple, list],
    }

    @_named_unless_small
    def __init__(self, amplitude=None, *, snr=None, color="white", p=1.0):
        self.amplitude = amplitude
        self.snr = snr
        self.color = color
        self.p = p

    def _check_params(self):
        super()._check_params()
        if (self.amplitude is None) == (self.snr is None):
            raise ValueError(
                "AddNoise takes either amplitude, of full scale, or snr, in dB. "
                f"Got amplitude={short(self.amplitude)} and snr={short(self.snr)}."
            )

    def _alter(self, waveform, sr, rng):
        loudness = self._drawn("amplitude" if self.snr is None else "snr", rng)
        noise = colored_noise(self._drawn("color", rng), waveform.size, sr, rng)
        return waveform + (loudness * noise if self.snr is None else at_snr(noise, waveform, loudness))


def colored_noise(color: str, n_times: int, sr: int, rng) -> np.ndarray:
    """Gaussian noise with a standard deviation of 1 whose spectrum falls as the color says."""
    if color == "white":
        return rng.standard_normal(n_times)
    n_long = next_fast_len(max(n_times, round(0.2 * sr), 8), real=True)  # some periods of 20 Hz at least
    frequency = rfftfreq(n_long, 1 / sr).astype(np.float32)
    lowest = min(_LOWEST, sr / 4)
    gain = np.where(frequency >= lowest, np.maximum(frequency, lowest) ** -_SLOPES[color], 0)
    spectrum = rng.standard_normal(2 * gain.size, dtype=np.float32).view(np.complex64) * gain
    noise = irfft(spectrum, n_long)
    return noise[:n_times] / np.sqrt(np.mean(np.square(noise, dtype=np.float64)))


class AddBackground(WaveformAugmenter):
    """Recordings of something else behind a waveform: street noise, music, a room full of voices.

    Each call takes a random excerpt of a random recording, or of several at once. Without recordings, babble is made
    of the clip itself.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import AddBackground
    >>> hum = np.sin(2 * np.pi * 100 * np.arange(8000) / 16000)
    >>> tone = np.sin(np.arange(16000, dtype=np.float32))
    >>> noise = AddBackground([hum], snr=10)(tone, 16000, random_state=0) - tone
    >>> print(round(float(10 * np.log10(np.mean(tone**2) / np.mean(noise**2))), 2))
    10.0

    Parameters
    ----------
    recordings : str, PathLike, audio input or None, default=None
        A folder, whose audio files are found in its subfolders, too; a file; or paths or waveforms, as for the
        transformers: waveforms are taken to be at the rate of the clips. One that is shorter than the clip is
        repeated. None makes voices of the clip itself: backwards, from somewhere on, some of them at
        another speed.
    snr : float or (float, float), default=(0, 20)
        Signal-to-noise ratio, dB: powers are means over the whole clip and over the excerpt, and the ratio is met
        exactly. Each call draws from a range. Constant offsets do not count. Silence stays silence, and where all
        excerpts are silent, nothing is added.
    n_sources : int or (int, int), default=1
        Recordings that sound at once, equally loud: voices of 4 to 8 make babble. Different ones, where there are as
        many. Each call draws from a range.
    p : float, default=1.0
        Probability that anything is added at all.

    See Also
    --------
    AddNoise : Noise that takes no recordings.

    Notes
    -----
    Only the excerpt of a file is read. A memory (`memory=` of the transformers) knows a copy by the contents of the
    recordings that were drawn for it.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "recordings": "no_validation",
        "snr": [Interval(Real, None, None, closed="neither"), tuple, list],
        "n_sources": [Interval(Integral, 1, None, closed="left"), tuple, list],
    }

    def __init__(self, recordings=None, snr=(0, 20), *, n_sources=1, p=1.0):
        self.recordings = recordings
        self.snr = snr
        self.n_sources = n_sources
        self.p = p

    def _check_params(self):
        super()._check_params()
        if isinstance(self.recordings, (str, os.PathLike)) and not os.path.exists(self.recordings):
            raise ValueError(
                f"recordings must be a folder or file that exists, or a list. Got {short(self.recordings)}."
            )

    def _alter(self, waveform, sr, rng):
        snr, chosen = self._drawn("snr", rng), self._choose(rng)
        voices = _voices_of(waveform, rng) if self.recordings is None else None
        noise = np.zeros(waveform.size, np.float32)
        for recording in chosen:
            if recording is None:
                excerpt = np.roll(voices[rng.integers(len(voices))], rng.integers(waveform.size))
            else:
                excerpt = _excerpt(recording, waveform.size, sr, rng)
            level = np.sqrt(power(excerpt))
            noise += excerpt / level if level > 0 else 0
        return waveform + at_snr(noise, waveform, snr)

    def _choose(self, rng) -> list:
        """The recordings of this call; None for voices that are made of the clip."""
        count = self._drawn("n_sources", rng)
        if self.recordings is None:
            return [None] * count
        recordings = sounds(self.recordings, "recordings")
        rows = rng.choice(len(recordings), count, replace=count > len(recordings))
        return [recordings[row] for row in rows]

    def _key(self, random_state):
        if self.recordings is None or type(self).__module__ != __name__:
            return super()._key(random_state)
        rng = self._start(random_state)
        self._drawn("snr", rng)
        digests = [clip_digest(recording) for recording in self._choose(rng)]
        what = f"AddBackground {self.snr} {self.n_sources} {self.p} {random_state}"
        return None if None in digests else " ".join([what, *(digest.hex() for digest in digests)])


def _voices_of(waveform: np.ndarray, rng) -> list[np.ndarray]:
    """Voices with the clip's spectrum and pauses, about their means: the clip backwards, and at another speed."""
    backwards = waveform[::-1] - waveform.mean(dtype=np.float64).astype(np.float32)
    place = np.arange(0, waveform.size, 2 ** rng.uniform(-5 / 12, 5 / 12))
    before = np.minimum(place.astype(np.intp), max(0, waveform.size - 2))
    after = np.minimum(before + 1, waveform.size - 1)
    other = backwards[before] + (place - before).astype(np.float32) * (backwards[after] - backwards[before])
    return [backwards, np.resize(other, waveform.size)]


def sounds(given: Any, name: str) -> Sequence:
    """Recordings as the user names them: a folder, a file, or audio input."""
    if not isinstance(given, (str, os.PathLike)):
        return as_clips(given)
    if not os.path.isdir(given):
        return [given]
    import soundfile

    endings = {f".{format.lower()}" for format in (*soundfile.available_formats(), "aif", "aifc", "oga", "opus")} - {
        ".raw"
    }
    found = sorted(
        os.path.join(folder, file)
        for folder, _, files in os.walk(os.fspath(given))
        for file in files
        if os.path.splitext(file)[1].lower() in endings and not file.startswith(".")
    )
    if not found:
        raise ValueError(f"{name} must be a folder with audio files in it. Got {short(given)}, which has none.")
    return found


def _excerpt(recording, n_times: int, sr: int, rng) -> np.ndarray:
    """A part of the recording, from anywhere, about its mean; a shorter recording goes round."""
    try:
        total = clip_length(recording, sr=sr)
        start = rng.integers(total if total < n_times else total - n_times + 1)
        if total < n_times:
            excerpt = np.resize(np.roll(load_part(recording, sr, 0, total), -start), n_times)
        else:
            excerpt = load_part(recording, sr, start, start + n_times)
    except AudioError as error:
        raise type(error)(f"A recording for the background cannot be used. {error}") from None
    return excerpt - excerpt.mean(dtype=np.float64)
