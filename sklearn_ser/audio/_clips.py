"""One clip in any accepted form: a path, the bytes of a file, or samples with their rate."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..utils._messages import short
from ._derived import AlteredClip, Segment
from .decoding import RATES, AudioError, Mixer, Recording

_MOST_CHANNELS = 32  # the shorter axis of an array is its channels if it is not longer than that
_MAGIC = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3")


@dataclass(frozen=True, eq=False)
class Samples:
    """A waveform in memory, at `rate` Hz, or at that of the transformer.

    With a rate, it may have channels: the shorter axis. `channel`, where it is given, goes before that of the
    transformer.
    """

    samples: object
    rate: int | None = None
    channel: int | str | None = None

    def floats(self, where: str) -> np.ndarray:
        """float32 of shape (n_times,) or (n_times, n_channels)."""
        return pcm_to_float(self._array(where), where)

    def mono(self, channel: int | str, where: str) -> np.ndarray:
        """float32 of shape (n_times,)."""
        return self._mix(self.floats(where), channel, where)

    def part(self, start: int, stop: int, channel: int | str, where: str) -> np.ndarray:
        """Samples from `start` to `stop`, at the samples' own rate."""
        return self._mix(pcm_to_float(self._array(where), where, slice(start, stop)), channel, where)

    def _mix(self, samples: np.ndarray, channel: int | str, where: str) -> np.ndarray:
        if samples.ndim == 1:
            return samples
        mixer = Mixer(channel if self.channel is None else self.channel, samples.shape[1], where)
        mono = mixer(samples)
        mixer.warn()
        return mono

    def _array(self, where: str) -> np.ndarray:
        """Numbers of shape (n_times,) or (n_times, n_channels), as they were given."""
        array = _numbers(self.samples, where)
        if array.ndim == 2 and self.rate is not None:
            if array.shape[0] <= _MOST_CHANNELS and array.shape[0] < array.shape[1]:
                return np.ascontiguousarray(array.T)
            if array.shape[1] <= _MOST_CHANNELS and array.shape[1] < array.shape[0]:
                return array
        if array.ndim != 1:
            raise AudioError(
                f"{where}: expected a 1-D waveform, got an array of shape {array.shape}. "
                "Average the channels of stereo first; or pass (array, rate), whose shorter axis is for the channels."
            )
        return array


def as_clip(clip, where: str) -> Recording | Samples:
    """A clip in any form as a recording to decode, or as samples."""
    if isinstance(clip, (Recording, Samples)):
        return clip
    if isinstance(clip, (str, os.PathLike)):
        return Recording(clip)
    encoded = _encoded(clip, where)
    if encoded is not None:
        return Recording(encoded)
    pair = _waveform_and_rate(clip)
    if pair is not None:
        return Samples(pair[0], _check_rate(pair[1], where))
    if isinstance(clip, Mapping) or not (isinstance(clip, Sequence) or hasattr(clip, "__array__")):
        found = _of_keys(clip, where)
        if found is not None:
            return found
    return Samples(clip)


def _encoded(clip, where: str) -> bytes | None:
    """The bytes of a file, if that is what the clip is."""
    if isinstance(clip, bytes):
        return clip
    if isinstance(clip, (bytearray, mmap.mmap)) or isinstance(clip, memoryview) and clip.format in ("B", "b", "c"):
        return bytes(clip)
    if hasattr(clip, "read"):
        return _read_file(clip, where)
    if hasattr(clip, "__array__") and not isinstance(clip, Mapping):
        if getattr(clip, "ndim", 1) == 0 or getattr(clip, "shape", None) == ():
            content = np.asarray(clip).item()  # a scalar tensor of TensorFlow's, as tf.io.read_file returns it
            return content if isinstance(content, bytes) else None
        if str(getattr(clip, "dtype", "")).endswith("uint8") and bytes(np.asarray(clip[:4])).startswith(_MAGIC):
            return np.asarray(clip).tobytes()
    return None


def _read_file(file, where: str) -> bytes:
    """All that a file object holds, from its beginning if it can go there, and leave it where it was."""
    file = getattr(file, "file", file)  # the synchronous one in an upload of Starlette's
    position = None
    try:
        if file.seekable():
            position = file.tell()
            file.seek(0)
    except (AttributeError, OSError):
        pass
    content = file.read()
    if position is not None:
        file.seek(position)
    elif not content:
        raise AudioError(f"{where}: nothing is left to read. A stream can be read once: pass its bytes, file.read().")
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise TypeError(f"{where}: a file object must be open in binary mode. Got {short(file)}.")


def _waveform_and_rate(clip) -> tuple | None:
    """Waveform and rate of a pair, in whichever order they come."""
    if not isinstance(clip, (tuple, list)) or len(clip) != 2:
        return None
    first, second = clip
    if isinstance(clip, list) and not any(_is_number(value) and value >= RATES[0] for value in clip):
        return None  # two samples, rather
    if _is_number(second) and _is_array_like(first):
        return first, second
    return (second, first) if _is_number(first) and _is_array_like(second) else None


def _is_number(value) -> bool:
    return isinstance(value, Real) or hasattr(value, "__array__") and getattr(value, "shape", None) == ()


def _is_array_like(value) -> bool:
    return isinstance(value, (list, tuple)) or hasattr(value, "__array__") and getattr(value, "shape", ()) != ()


def _of_keys(clip, where: str) -> Recording | Samples | None:
    """What Hugging Face calls audio: a dict or a decoder with `array` and `sampling_rate`, or `bytes` and `path`."""
    if hasattr(clip, "get_all_samples"):
        found = clip.get_all_samples()
        return Samples(found.data, _check_rate(found.sample_rate, where))
    if not hasattr(clip, "__getitem__"):
        return None
    values = {}
    for key in ("array", "raw", "sampling_rate", "bytes", "path"):
        try:
            values[key] = clip[key]
        except (KeyError, TypeError, IndexError, AttributeError, ValueError):
            values[key] = None
    array = values["raw"] if values["array"] is None else values["array"]
    if array is not None and values["sampling_rate"] is not None:
        return Samples(array, _check_rate(values["sampling_rate"], where))
    if array is None and (values["bytes"] is not None or isinstance(values["path"], (str, os.PathLike))):
        return Recording(values["path"] if values["bytes"] is None else bytes(values["bytes"]))
    if isinstance(clip, Mapping):
        raise AudioError(
            f"{where}: a dict must hold 'array' and 'sampling_rate', or 'bytes' or 'path'. Got the keys "
            f"{short(list(clip))}."
        )
    return None


def _check_rate(rate, where: str) -> int:
    rate = float(rate)
    if not (rate.is_integer() and RATES[0] <= rate <= RATES[1]):
        raise AudioError(f"{where}: a rate must be a whole number from {RATES[0]} to {RATES[1]} Hz. Got {rate:g} Hz.")
    return int(rate)


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


def where_is(clip, row: int | None) -> str:
    """How an error names a clip: "Row 3 ('a.wav')"."""
    if isinstance(clip, (AlteredClip, Segment)):
        source = where_is(clip.source, row if clip.row is None else clip.row)
        if isinstance(clip, AlteredClip):
            return f"{source}, altered by {clip.alter!s:.80}"
        end = "its end" if clip.stop is None else f"{clip.stop / clip.sr:g} s"
        return f"{source}, from {clip.start / clip.sr:g} to {end}"
    place = "Clip" if row is None else f"Row {row}"
    file = clip.file if isinstance(clip, Recording) else clip
    if isinstance(file, (str, os.PathLike)):
        return f"{place} ({short(os.fsdecode(file))})"
    return f"{place} ({len(file)} bytes)" if isinstance(file, (bytes, bytearray)) else place
