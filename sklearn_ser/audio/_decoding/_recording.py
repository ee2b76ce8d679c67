"""Reading parts and channels of encoded recordings, in blocks."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import numpy as np

from ...utils._clip_errors import AudioError, LengthError, check_duration, remark, warn_once
from ...utils._messages import short
from ...utils._tables import SIDES
from ._decoder import BLOCK, Decoder, open_recording
from ._files import signature

_KEPT = 2**22  # samples behind a decoder's position that are kept, so that overlapping parts are decoded once
_STEP = 2**16  # samples that it goes on at a time
File = str | os.PathLike | bytes  # a path, or the bytes of a file
_CANCELLED = 0.05  # of the energy that independent channels leave when they are averaged


class Mixer:
    """Blocks of several channels become mono; where averaging cancels, that can be told afterwards."""

    def __init__(self, channel: int | str, n_channels: int, where: str):
        if not isinstance(channel, str) and not 0 <= channel < n_channels:
            raise AudioError(
                f"{where}: channel must be 'mean' or one of the recording's {n_channels} channel(s), counted from 0. "
                f"Got channel={channel}."
            )
        if isinstance(channel, str) and channel not in ("mean", "all"):
            channel = _named_channel(channel, n_channels, where)
        self._channel, self._n_channels, self._where = channel, n_channels, where
        self._expected = self._left = 0.0

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Mix a block (n_times, n_channels) to mono (n_times,)."""
        if self._channel == "all":
            return block
        if self._n_channels == 1:
            return block[:, 0]
        if not isinstance(self._channel, str):
            return np.ascontiguousarray(block[:, self._channel])
        mean = block.mean(axis=1)
        self._expected += float(np.vdot(block, block)) / self._n_channels**2
        self._left += float(np.vdot(mean, mean))
        return mean

    def warn(self) -> None:
        """Warn if far less is left than of channels that have nothing to do with one another."""
        if self._left < _CANCELLED * self._expected:
            text = (
                "its channels cancel one another when they are averaged, so that little or nothing is left. Choose "
                "one: channel=0, or a column 'channel' of the DataFrame."
            )
            remark("channels", self._where, text)


def _named_channel(name: str, n_channels: int, where: str) -> int | str:
    """The channel that a column `channel` says in words; of mono, "mean"."""
    if name in SIDES and n_channels == 2:
        return SIDES[name]
    said = short(name.removeprefix("?"))
    if n_channels == 1 and name not in ("left", "right"):
        text = f"The column 'channel' says {said}. It is ignored, because the recording has a single channel."
        warn_once(text)
        return "mean"
    raise AudioError(
        f"{where}: its {n_channels} channel(s) have no names. {where.partition(' (')[0]}: channel must be a whole "
        f"number, counted from 0, or missing. Got {said}; rename the column if it says something else."
    )


class Part(NamedTuple):
    """Part of a recording, its rate, the length of the whole if it had to be known, and whether no header says it."""

    waveform: np.ndarray
    rate: int
    total: int
    completed: bool


def read_recording(
    file: File,
    where: str,
    *,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | str = "mean",
    max_duration: float | None = None,
) -> Part:
    """Waveform of a part in seconds, at the recording's own rate; a longer one than `max_duration` is refused."""
    with open_recording(file, where) as decoder:
        start = round(offset * decoder.rate)
        count = None if duration is None else max(1, round(duration * decoder.rate))
        mixer = Mixer(channel, decoder.n_channels, where)
        waveform = _read(decoder, start, count, mixer, where, max_duration)
        mixer.warn()
        rate, completed = decoder.rate, decoder.completed
    total = start + len(waveform) if len(waveform) else recording_length(file, where, channel)[0]
    return Part(waveform, rate, total, completed)


def _read(
    decoder: Decoder, start: int, count: int | None, mixer: Mixer, where: str, max_duration: float | None = None
) -> np.ndarray:
    """`count` samples from `start` on, or all; less only where the recording ends."""
    if decoder.n_frames is not None:
        left = max(0, decoder.n_frames - start)
        count = left if count is None else min(left, count)
        check_duration(count, decoder.rate, max_duration, where)
    if count == 0 or _go_to(decoder, start) < start:
        return np.empty(0, np.float32)
    step, blocks, n_times = max(1, BLOCK // decoder.n_channels), [], 0
    while count is None or n_times < count:
        block = decoder.read(step if count is None else min(step, count - n_times))
        if not len(block):
            _check_end(decoder, start + n_times, where)
            break
        blocks.append(mixer(block))
        n_times += len(block)
        check_duration(n_times, decoder.rate, max_duration, where, at_least=True)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks) if blocks else np.empty(0, np.float32)


def _go_to(decoder: Decoder, start: int) -> int:
    """Go on to a sample; where that is, which is earlier if the recording ends before."""
    if start and decoder.can_seek:
        decoder.seek(start)
        return start
    position = 0
    while position < start and (n_times := len(decoder.read(min(_STEP, start - position)))):
        position += n_times
    return position


def _check_end(decoder: Decoder, n_times: int, where: str) -> None:
    declared = decoder.at_least if decoder.n_frames is None else decoder.n_frames
    if n_times < declared:
        raise LengthError(
            f"{where}: the file is damaged: it declares {declared / decoder.rate:.3f} s of sound, of which "
            f"{n_times / decoder.rate:.3f} s decode."
        )


_lengths: OrderedDict = OrderedDict()  # with rate and channels, where the whole file had to be read, by its state
_MOST_LENGTHS = 1000


def recording_length(file: File, where: str, channel: int | str, max_duration: float | None = None) -> tuple[int, int]:
    """Samples of a recording, and its rate; decoded only where no header tells it for certain.

    Decoding ends with an error where it is longer than `max_duration`.
    """
    key = None if isinstance(file, bytes) else signature(file)
    known = _lengths.get(key)
    if known is None:
        with open_recording(file, where) as decoder:
            known = _total(decoder, where, max_duration), decoder.rate, decoder.n_channels
            if key is not None and not decoder.can_seek:
                _lengths[key] = known
                while len(_lengths) > _MOST_LENGTHS:
                    _lengths.popitem(last=False)
    n_times, rate, n_channels = known
    Mixer(channel, n_channels, where)
    return n_times, rate


def _total(decoder: Decoder, where: str, max_duration: float | None) -> int:
    if decoder.n_frames is not None:
        return decoder.n_frames
    n_times = 0
    while block := len(decoder.read(max(1, BLOCK // decoder.n_channels))):
        n_times += block
        check_duration(n_times, decoder.rate, max_duration, where, at_least=True)
    _check_end(decoder, n_times, where)
    return n_times


# --------------------------------------------------------------------------------------------- parts, one after another


class _Running:
    """A decoder that stays where it is between parts, for recordings in which nothing can be sought exactly."""

    def __init__(self, file: File, decoder: Decoder, mixer: Mixer):
        self.file = file  # so that no other bytes get its identity
        self.decoder, self.mixer = decoder, mixer
        self.position, self.n_kept, self.ended = 0, 0, False
        self.blocks: deque[np.ndarray] = deque()
        self.process, self.lock = os.getpid(), Lock()

    def __del__(self):
        self.decoder.close()

    def read(self, start: int, stop: int, where: str) -> np.ndarray | None:
        """The part, or None if the decoder is too far on; less at the end."""
        if start < self.position - self.n_kept:
            return None
        while self.position < stop and not self.ended:
            block = self.decoder.read(_STEP)
            if len(block):
                self._keep(self.mixer(block), stop - start)
                self.ended = self.position == self.decoder.n_frames
            else:
                _check_end(self.decoder, self.position, where)
                self.ended = True
        parts, begin = [], self.position - self.n_kept
        for block in self.blocks:
            if begin < stop and begin + len(block) > start:
                parts.append(block[max(0, start - begin) : stop - begin])
            begin += len(block)
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def _keep(self, block: np.ndarray, needed: int) -> None:
        self.blocks.append(block)
        self.position += len(block)
        self.n_kept += len(block)
        while self.n_kept - len(self.blocks[0]) >= max(_KEPT, needed + _STEP):
            self.n_kept -= len(self.blocks.popleft())


_running: OrderedDict = OrderedDict()
_running_lock = Lock()
_MOST_RUNNING = 4


def read_part(
    file: File, span: Callable[[int], tuple[int, int]], where: str, channel: int | str
) -> tuple[np.ndarray, int]:
    """Part of a recording, less only at its end, and its rate, from which `span` says where the part begins and ends.

    Where nothing can be sought, or not exactly, a decoder goes on from where the part before ended, so that parts that
    follow one another take time in proportion to the recording's length.
    """
    key = signature(file), channel
    running = _under_way(key)
    if running is None:
        decoder = open_recording(file, where)
        try:
            mixer = Mixer(channel, decoder.n_channels, where)
            if decoder.can_seek:
                start, stop = span(decoder.rate)
                part = _read(decoder, start, stop - start, mixer, where)
                mixer.warn()
                decoder.close()
                return part, decoder.rate
        except BaseException:
            decoder.close()
            raise
        running = _under_way(key, _Running(file, decoder, mixer))
    rate = running.decoder.rate
    start, stop = span(rate)
    with running.lock:
        part = running.read(start, stop, where)
    if part is None:  # from the beginning again
        decoder = open_recording(file, where)
        running = _Running(file, decoder, Mixer(channel, decoder.n_channels, where))
        part = running.read(start, stop, where)
        with _running_lock:
            _running[key] = running
    if running.ended and stop >= running.position:  # the last part
        with _running_lock:
            if _running.pop(key, None) is not None:
                running.mixer.warn()
    return part, rate


def _under_way(key: tuple, new: _Running | None = None) -> _Running | None:
    """The decoder that is on its way through this recording, or else the new one from now on."""
    with _running_lock:
        running = _running.pop(key, None)
        if running is None or running.process != os.getpid():  # a fork shares its parent's place in the file
            running = new
        if running is not None:
            _running[key] = running
        while len(_running) > _MOST_RUNNING:
            _running.popitem(last=False)
        return running
