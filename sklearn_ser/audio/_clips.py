"""Clips answer for themselves: how long they are, their waveform or a part of it, and what tells them from others."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from .._signal.waveform import resample
from ..utils._clip_errors import AudioError, check_duration
from ..utils._messages import short
from ._decoding import Mixer, read_part, read_recording, recording_length
from ._shared import remembered

BESIDE = 512  # samples, at the lower rate, that soxr's filter reaches to either side; 400 leave errors of 1e-6
MOST_CHANNELS = 32  # the shorter axis of an array is its channels if it is not longer than that
_LOUDEST = 1e12  # beyond, squares overflow in float32; PCM of 32 bits that nobody scaled reaches 2e9


class Reading(NamedTuple):
    """Settings for reading a clip: rate in Hz, part in seconds, channel, and the most seconds that are accepted."""

    sr: int
    offset: float = 0.0
    duration: float | None = None
    channel: int | str = "mean"
    max_duration: float | None = None

    def span(self, n_times: int, rate: int, where: str) -> tuple[int, int]:
        """First sample and number of samples of the part, at a clip's own rate."""
        start = round(self.offset * rate)
        left = max(0, n_times - start)
        count = left if self.duration is None else min(left, max(1, round(self.duration * rate)))
        check_duration(count, rate, self.max_duration, where)
        return start, count


class Clip:
    """One clip of any kind. `row`, its row in X, is for error messages."""

    @property
    def name(self) -> str | None:
        """Return the name that errors use."""
        return None if self.path is None else short(self.path)

    @property
    def path(self) -> str | None:
        """The path of its recording, as the user wrote it; None if it has none."""
        return None

    @property
    def nbytes(self) -> int:
        """About how large it is, without opening it."""
        return 0

    def where(self, row: int | None) -> str:
        """Name the clip, for errors: "Row 3 ('a.wav')"."""
        place = "Clip" if row is None else f"Row {row}"
        return f"{place} ({self.name})" if self.name else place

    def length(self, reading: Reading, row: int | None) -> int:
        """Samples that `load` returns; of most files, only the header is read."""
        raise NotImplementedError

    def load(self, reading: Reading, row: int | None) -> tuple[np.ndarray, bool]:
        """Its waveform (n_times,), float32, and whether it is nobody else's."""
        raise NotImplementedError

    def part(self, start: int, stop: int, sr: int, channel: int | str, row: int | None) -> np.ndarray:
        """Samples `start` to `stop` of its waveform at `sr`; of a file, no more than these are read."""
        raise NotImplementedError

    def all_channels(self, sr: int, row: int | None) -> tuple[np.ndarray, int, bool]:
        """Samples (n_times, n_channels), their rate, and whether the length had to be found by decoding.

        They are at the clip's own rate, because no other shows clipping, if it has one.
        """
        return self.load(Reading(sr), row)[0][:, np.newaxis], sr, False

    def digest(self, row: int | None) -> bytes | None:
        """Digest the clip's content; None where the content cannot be known."""
        raise NotImplementedError

    def digest_of_segment(self, start: float, stop: float | None, sr: int, row: int | None) -> bytes | None:
        """The same of a segment, which begins and ends at these samples at `sr`."""
        inner = self.digest(row)
        return None if inner is None else hashlib.sha256(inner + f"{start / sr!r} {stop!r} {sr}".encode()).digest()


class Sound(Clip):
    """A clip that has its sound in itself: a recording, or samples. `channel` overrides that of the transformer."""

    channel: int | str | None = None

    def native(self, span: Callable, sr: int, channel: int | str, where: str) -> tuple[np.ndarray, int]:
        """Part of it at its own rate, from which `span` says where it begins and ends; and that rate."""
        raise NotImplementedError

    def part(self, start, stop, sr, channel, row):
        """The part, resampled along with what lies beside it, so that it does not show where it begins and ends."""
        where, firsts = self.where(row), []

        def span(rate: int) -> tuple[int, int]:
            firsts.append(resampled_from(start, rate, sr))
            return firsts[0], math.ceil(stop * rate / sr) + filter_length(rate, sr)

        part, rate = self.native(span, sr, self._channel(channel), where)
        check_waveform(part, firsts[0] + part.size, rate, firsts[0] / rate, where)
        ahead = firsts[0] * sr // rate
        part = (part if rate == sr else resample(part, rate, sr))[start - ahead : stop - ahead]
        return np.pad(part, (0, stop - start - part.size))  # counted at another rate, a clip may end a sample later

    def digest_of_segment(self, start, stop, sr, row):
        """Digest its samples, all channels, and those beside them: not those of a recording that may last hours."""
        begin, end = start / sr, math.inf if stop is None else stop / sr

        def span(rate: int) -> tuple[int, int]:
            past = 2**62 if end == math.inf else math.ceil((end + 1) * rate)
            return max(0, math.floor((begin - 1) * rate)), past

        part, rate = self.native(span, sr, self._channel("all"), self.where(row))
        digest = hashlib.sha256(f"segment {begin!r} {end!r} {rate} {self.channel} ".encode())
        digest.update(np.ascontiguousarray(part).data)
        return digest.digest()

    def _channel(self, channel: int | str) -> int | str:
        return channel if self.channel is None else self.channel


def filter_length(rate: int, sr: int) -> int:
    """Samples at `rate` that the filter which resamples to `sr` reaches to either side."""
    return 0 if rate == sr else math.ceil(BESIDE * max(1, rate / sr))


def resampled_from(start: int, rate: int, sr: int) -> int:
    """Return the sample, at `rate`, from which to resample for a part that begins at `start`, at `sr`.

    That is a filter's length ahead, where a sample of the one rate coincides with a sample of the other.
    """
    every = rate // math.gcd(rate, sr)
    return max(0, start * rate // sr - filter_length(rate, sr)) // every * every


@dataclass(frozen=True, eq=False)
class Recording(Sound):
    """A file, or the bytes of one. `called` is its path as the user wrote it, where that differs."""

    file: str | os.PathLike | bytes
    channel: int | str | None = None
    called: str | None = None

    @property
    def name(self):
        return f"{len(self.file)} bytes" if isinstance(self.file, bytes) and self.called is None else super().name

    @property
    def path(self):
        return os.fsdecode(self.file) if self.called is None and not isinstance(self.file, bytes) else self.called

    @property
    def nbytes(self):
        if isinstance(self.file, bytes):
            return len(self.file)
        return os.path.getsize(self.file) if os.path.isfile(self.file) else 0

    def length(self, reading, row):
        where = self.where(row)
        channel = self._channel(reading.channel)
        most = None if reading.max_duration is None else reading.offset + reading.max_duration
        find = partial(recording_length, self.file, where, channel, most)
        total, rate = remembered(self._fact("length", channel, most), find)
        return _length(total, rate, reading, where)

    def load(self, reading, row):
        where, (sr, offset, duration, channel, most) = self.where(row), reading
        part = read_recording(
            self.file, where, offset=offset, duration=duration, channel=self._channel(channel), max_duration=most
        )
        check_waveform(part.waveform, part.total, part.rate, offset, where)
        return (part.waveform if part.rate == sr else resample(part.waveform, part.rate, sr)), True

    def all_channels(self, sr, row):
        where = self.where(row)
        part = read_recording(self.file, where, channel="all")
        check_waveform(part.waveform, part.total, part.rate, 0.0, where)
        return part.waveform, part.rate, part.completed

    def native(self, span, sr, channel, where):
        return read_part(self.file, span, where, channel)

    def digest(self, row):
        """Digest all bytes of a file, each time: it may have changed within a tick of the clock that dates it.

        Where a call shares results, a file is read once. The extension counts, because it is by the extension that
        libsndfile tells what has no header.
        """
        content = self.file if isinstance(self.file, bytes) else None
        extension = os.path.splitext(os.fsdecode(self.file))[1].lower() if content is None else ""
        digest = hashlib.sha256(f"file {extension} {self.channel} ".encode("utf-8", "replace"))
        if content is not None:
            digest.update(content)
            return digest.digest()
        return remembered(self._fact("digest"), partial(_digest_of_file, self.file, digest))

    def _fact(self, name: str, *more) -> tuple | None:
        """Return the key under which a property of the file is remembered; None for bytes."""
        return None if isinstance(self.file, bytes) else (name, os.fspath(self.file), self.channel, *more)


@dataclass(frozen=True, eq=False)
class Samples(Sound):
    """A waveform in memory, at `rate` Hz, or at that of the transformer; with a rate, it may have channels.

    The shorter axis is its channels. `called` is the path that stood beside it, if one did.
    """

    samples: object
    rate: int | None = None
    channel: int | str | None = None
    called: str | None = None

    @property
    def path(self):
        return self.called

    @property
    def nbytes(self):
        return getattr(self.samples, "nbytes", 0)

    def length(self, reading, row):
        where = self.where(row)
        waveform, rate = self._mono(reading.channel, where), self.rate or reading.sr
        start, count = reading.span(waveform.size, rate, where)
        check_waveform(waveform[start : start + count], waveform.size, rate, reading.offset, where)
        return math.ceil(count * reading.sr / rate)

    def load(self, reading, row):
        where, sr = self.where(row), reading.sr
        waveform, rate = self._mono(reading.channel, where), self.rate or sr
        total = waveform.size
        start, count = reading.span(total, rate, where)
        waveform = waveform[start : start + count]
        check_waveform(waveform, total, rate, reading.offset, where)
        return (waveform, False) if rate == sr else (resample(waveform, rate, sr), True)

    def all_channels(self, sr, row):
        where = self.where(row)
        samples, rate = self.floats(where), self.rate or sr
        check_waveform(samples, len(samples), rate, 0.0, where)
        return samples.reshape(len(samples), -1), rate, False

    def native(self, span, sr, channel, where):
        rate = self.rate or sr
        return self._mix(pcm_to_float(self.array(where), where, slice(*span(rate))), channel, where), rate

    def digest(self, row):
        digest = hashlib.sha256(f"samples {self.rate} {self.channel} ".encode())
        digest.update(np.ascontiguousarray(self.floats(self.where(row))).data)
        return digest.digest()

    def floats(self, where: str) -> np.ndarray:
        """float32 of shape (n_times,) or (n_times, n_channels)."""
        return pcm_to_float(self.array(where), where)

    def array(self, where: str) -> np.ndarray:
        """Numbers of shape (n_times,) or (n_times, n_channels), as they were given."""
        array = _numbers(self.samples, where)
        if array.ndim == 2 and self.rate is not None:
            if array.shape[0] <= MOST_CHANNELS and array.shape[0] < array.shape[1]:
                return np.ascontiguousarray(array.T)
            if array.shape[1] <= MOST_CHANNELS and array.shape[1] < array.shape[0]:
                return array
        if array.ndim != 1:
            raise AudioError(
                f"{where}: expected a 1-D waveform, got an array of shape {array.shape}. "
                "Average the channels of stereo first; or pass (array, rate), whose shorter axis is for the channels."
            )
        return array

    def _mono(self, channel: int | str, where: str) -> np.ndarray:
        return self._mix(self.floats(where), self._channel(channel), where)

    def _mix(self, samples: np.ndarray, channel: int | str, where: str) -> np.ndarray:
        if samples.ndim == 1:
            return samples
        mixer = Mixer(channel, samples.shape[1], where)
        mono = mixer(samples)
        mixer.warn()
        return mono


def _digest_of_file(path: str | os.PathLike, digest) -> bytes | None:
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except (OSError, ValueError):  # a ValueError for a name that no file can have
        return None
    return digest.digest()


def _length(total: int, rate: int, reading: Reading, where: str) -> int:
    _, count = reading.span(total, rate, where)
    if count == 0:
        check_waveform(np.empty(0), total, rate, reading.offset, where)
    return math.ceil(count * reading.sr / rate)


def check_waveform(waveform: np.ndarray, total: int, sr: int, offset: float, where: str) -> None:
    """Refuse a waveform that is empty or not finite; `total` is the length of the whole clip."""
    if waveform.size == 0:
        if total == 0:
            raise AudioError(f"{where}: the clip is empty (0 samples).")
        raise AudioError(f"{where}: offset={offset} s is past the clip's end at {total / sr:.3f} s.")
    if not np.isfinite(waveform).all():
        raise AudioError(f"{where}: the waveform contains NaN or infinite (inf) values.")
    loudest = max(waveform.max(), -waveform.min())
    if loudest > _LOUDEST:
        raise AudioError(f"{where}: the waveform reaches {loudest:.3g}, as no recording does: scale it to [-1, 1].")


def _numbers(samples, where: str) -> np.ndarray:
    """Samples as an array of numbers."""
    if isinstance(samples, np.ma.MaskedArray) and samples.mask.any():
        raise AudioError(f"{where}: the waveform contains masked values.")
    try:
        array = np.asarray(samples.detach() if hasattr(samples, "detach") else samples)
    except ValueError as error:
        raise AudioError(f"{where}: expected a 1-D waveform, got a ragged nest of sequences.") from error
    except (TypeError, RuntimeError) as error:
        raise AudioError(f"{where}: no array of numbers can be made of it: {short(str(error))}.") from None
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise TypeError(f"{where}: expected a path or a 1-D array of numbers, got {short(samples)}.")
    return array


def pcm_to_float(samples: np.ndarray, where: str, part: slice = slice(None)) -> np.ndarray:
    """float32, within [-1, 1] if they are integers whose full scale is known.

    These are the integers of PCM: 8 bits, unsigned or not, 16 and 32 bits; and integers of 64 bits that are those of
    16, as JSON and pandas return them.
    """
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    if kind == "f":
        with np.errstate(over="ignore"):  # becomes infinite, which is refused
            return samples[part].astype(np.float32, copy=False)
    if kind == "u" and size == 1:
        return (samples[part].astype(np.float32) - 128) / 128
    if kind == "i" and size in (1, 2, 4):
        return samples[part].astype(np.float32) / np.float32(2 ** (8 * size - 1))  # a power of two, so rounded once
    lowest, highest = (samples.min(), samples.max()) if samples.size else (0, 0)
    # All positive, they would be unsigned, of whatever width.
    if kind == "i" and -(2**15) <= lowest and highest < (2**15 if lowest < 0 else 2**7):
        return samples[part].astype(np.float32) / np.float32(2**15)
    values = f" from {lowest} to {highest}"
    raise AudioError(
        f"{where}: integers of type {samples.dtype}{values} have no full scale that is known. Pass int16, or floats in "
        "[-1, 1]."
    )
