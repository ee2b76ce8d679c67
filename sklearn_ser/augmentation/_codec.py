"""Codec: lossy compression and decompression of a waveform."""

from __future__ import annotations

import io
from functools import lru_cache
from numbers import Real

import numpy as np

from .._signal.waveform import resample
from ..utils._sklearn_compat import Interval, StrOptions
from ._base import WaveformAugmenter

# Container and coding in libsndfile's words, and the rates, Hz, that the coding knows.
_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_FORMATS = {
    "mp3": ("MP3", "MPEG_LAYER_III", _MPEG_RATES),
    "vorbis": ("OGG", "VORBIS", _MPEG_RATES),
    "opus": ("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000)),
}
_BLOCK = 2**15  # samples; libsndfile has overflowed its stack when it was given minutes of Vorbis at once


class Codec(WaveformAugmenter):
    """A waveform after lossy compression, as voice messages and calls over the Internet use it; nothing is delayed.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import Codec
    >>> Codec("vorbis")(np.sin(np.arange(8000)), 16000).shape
    (8000,)

    Parameters
    ----------
    format : {"mp3", "vorbis", "opus"} or a sequence of these, default=("mp3", "vorbis", "opus")
        MP3, Ogg Vorbis, or Ogg Opus. Each call draws from a sequence.
    bitrate : float or (float, float), default=(8, 32)
        Bit rate of the one channel, kbit/s: 8 is hardly intelligible in MP3, 24 is what calls use, 64 is hard to tell
        from the original. MP3 takes the nearest of its steps. Opus and Vorbis vary their rate around it; Vorbis has
        no less than about 40 at 16 kHz, and then takes its lowest quality. Each call draws from a range.
    p : float, default=1.0
        Probability that anything is changed at all.

    See Also
    --------
    Telephone : Lines before that.

    Notes
    -----
    libsndfile encodes and decodes, in memory, at a peak of half of full scale, so that a soft clip loses no more than
    a loud one. A rate that the coding does not know is resampled to one above it, and back. The delay of the encoder
    is measured once for each setting, and taken back.
    """

    _parameter_constraints: dict = {
        **WaveformAugmenter._parameter_constraints,
        "format": [StrOptions(set(_FORMATS)), tuple, list],
        "bitrate": [Interval(Real, 0, None, closed="neither"), tuple, list],
    }

    def __init__(self, format=("mp3", "vorbis", "opus"), *, bitrate=(8, 32), p=1.0):
        self.format = format
        self.bitrate = bitrate
        self.p = p

    def _check_params(self):
        super()._check_params()
        for format in [self.format] if isinstance(self.format, str) else self.format:
            _check_available(format)

    def _alter(self, waveform, sr, rng):
        format, bitrate = self._drawn("format", rng), self._drawn("bitrate", rng)
        peak = 2 * np.abs(waveform).max()
        if peak == 0:
            return waveform
        rates = _FORMATS[format][2]
        rate = next((rate for rate in rates if rate >= sr), rates[-1])
        clip = waveform / peak if rate == sr else resample(waveform / peak, sr, rate)
        level = _compression_level(format, bitrate, rate)
        delay = _delay(format, rate, level)
        decoded = _coded(np.pad(clip, (0, delay)), rate, format, level)[delay:]
        decoded = decoded if rate == sr else resample(decoded, rate, sr)
        decoded = decoded[: waveform.size]
        return peak * np.pad(decoded, (0, waveform.size - decoded.size))


def _check_available(format: str) -> None:
    import soundfile

    container, coding, _ = _FORMATS[format]
    if container not in soundfile.available_formats() or coding not in soundfile.available_subtypes(container):
        raise ValueError(
            f"format={format!r} needs a libsndfile that encodes it. Got libsndfile {soundfile.__libsndfile_version__}: "
            "pip install --upgrade soundfile brings one that does, or leave this format out."
        )


def _compression_level(format: str, bitrate: float, rate: int) -> float:
    """libsndfile's number between 0 (large) and 1 (small) for a rate in kbit/s."""
    if format == "opus":  # 6 to 256 kbit/s a channel
        low, high = 6, 256
    elif format == "vorbis":  # quality 0 to 1, as measured on speech
        low, high = 2.7 * rate / 1000, 6 * rate / 1000
    else:  # MPEG 1, 2 and 2.5
        low, high = (32, 320) if rate >= 32000 else (8, 160) if rate >= 16000 else (8, 64)
    return float(np.clip((high - bitrate) / (high - low), 0, 0.999))


@lru_cache(maxsize=256)
def _delay(format: str, rate: int, level: float) -> int:
    """Samples by which what was encoded and decoded comes late, measured on noise."""
    noise = np.random.default_rng(0).standard_normal(rate).astype(np.float32) / 10
    decoded = _coded(noise, rate, format, level)
    n_fft = 4 * rate
    match = np.fft.irfft(np.fft.rfft(decoded, n_fft) * np.fft.rfft(noise, n_fft).conj())
    return int(match[:rate].argmax())


def _coded(waveform: np.ndarray, rate: int, format: str, level: float) -> np.ndarray:
    """The waveform, encoded and decoded."""
    import soundfile

    container, coding, _ = _FORMATS[format]
    constant = {"bitrate_mode": "CONSTANT"} if format == "mp3" else {}
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", rate, 1, subtype=coding, format=container, compression_level=level, **constant
    ) as sound:
        for start in range(0, waveform.size, _BLOCK):
            sound.write(waveform[start : start + _BLOCK])
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]
