"""One clip in any accepted form: what it is, and its waveform."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from .._signal.long import LongWaveform
from .._signal.waveform import normalize as scale
from ..utils._clip_errors import AudioError
from ..utils._messages import short
from ._clips import Clip, Reading, Recording, Samples
from ._decoding import RATES, find_file

_MAGIC = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3")


def as_clip(clip, row: int | None = None) -> Clip:
    """A clip in any form: a path, the bytes of a file, samples, or what is one already."""
    if isinstance(clip, (Clip, _Sendable)):
        return clip if isinstance(clip, Clip) else as_clip(clip.clip, clip.row if row is None else row)
    where = where_is(clip, row)
    if isinstance(clip, (str, os.PathLike)):
        return _file(clip, where)
    encoded = _encoded(clip, where)
    if encoded is not None:
        return Recording(encoded)
    if hasattr(clip, "read_bytes"):  # a file in an archive: zipfile.Path, importlib.resources
        return Recording(_read_archived(clip, where), called=str(clip))
    pair = waveform_and_rate(clip)
    if pair is not None:
        return Samples(pair[0], _check_rate(pair[1], where))
    if isinstance(clip, Mapping) or not (isinstance(clip, Sequence) or hasattr(clip, "__array__")):
        found = _of_keys(clip, where)
        if found is not None:
            return found
    return Samples(clip)


def where_is(clip, row: int | None) -> str:
    """Name a clip in any form, for errors: "Row 3 ('a.wav')"."""
    if isinstance(clip, RowOfDataset):
        return Samples(None).where(row)
    if isinstance(clip, _Sendable):
        clip = clip.clip
    if isinstance(clip, Clip):
        return clip.where(row)
    if isinstance(clip, (str, os.PathLike, bytes)):
        return Recording(clip).where(row)
    return Samples(None, called=_path_beside(clip)).where(row)


def clip_bytes(clip) -> int:
    """About how large a clip in any form is, in bytes, without opening it."""
    return getattr(Recording(clip) if isinstance(clip, (str, os.PathLike, bytes)) else clip, "nbytes", 0)


def sendable(clip, row: int | None):
    """The clip, in a form that can be sent to other processes."""
    return clip if isinstance(clip, (str, os.PathLike, bytes, np.ndarray, Clip, _Sendable)) else _Sendable(clip, row)


class _Sendable:
    """A clip that can perhaps not be pickled, such as a decoder: when it is, its bytes or samples are."""

    clip: Any

    def __init__(self, clip, row: int | None):
        self.clip, self.row = clip, row

    @property
    def nbytes(self) -> int:
        return clip_bytes(self.clip)

    def __reduce__(self):
        try:
            return _unchanged, (as_clip(self.clip, self.row),)
        except (ValueError, TypeError) as error:
            return UnusableClip, (error,)


def _unchanged(clip):
    return clip


class RowOfDataset(_Sendable):
    """The clip in a row of a Dataset of Hugging Face, which is read each time that it is asked for."""

    def __init__(self, dataset, row: int, column: str):
        self.dataset, self.row, self.column = dataset, row, column

    @property
    def clip(self):
        return self.dataset[self.row][self.column]

    nbytes = 0


class UnusableClip(Clip):
    """A clip of which it is known that it cannot be used, and why. `called` is its path, if it has one."""

    def __init__(self, error: Exception, called: str | None = None):
        self.error, self.called = error, called

    @property
    def path(self):
        return self.called

    def load(self, reading, row):
        raise type(self.error)(*self.error.args)

    length = all_channels = load

    def part(self, *_):
        self.load(None, None)

    def digest(self, row):
        self.load(None, None)


# ------------------------------------------------------------------------------------------------------ forms of a clip


def _file(path, where: str) -> Recording:
    found = find_file(path, where)
    return Recording(path) if found is path else Recording(found, called=os.fsdecode(path))


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


def _read_archived(path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, KeyError) as error:
        raise AudioError(f"{where}: cannot be read from its archive: {error}.") from None


def waveform_and_rate(clip) -> tuple | None:
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


def _of_keys(clip, where: str) -> Clip | None:
    """Audio of Hugging Face: a dict or a decoder with `array` and `sampling_rate`, or `bytes` and `path`."""
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
    array, path = values["raw"] if values["array"] is None else values["array"], _path_beside(clip)
    if array is not None and values["sampling_rate"] is not None:
        return Samples(array, _check_rate(values["sampling_rate"], where), called=path)
    if array is None and values["bytes"] is not None:
        return Recording(bytes(values["bytes"]), called=path)
    if array is None and isinstance(values["path"], (str, os.PathLike)):
        return _file(values["path"], where)
    if isinstance(clip, Mapping):
        raise AudioError(
            f"{where}: a dict must hold 'array' and 'sampling_rate', or 'bytes' or 'path'. Got the keys "
            f"{short(list(clip))}."
        )
    return None


def _path_beside(clip) -> str | None:
    """The path that a dict, or a file in an archive, says the sound is from."""
    path = clip.get("path") if isinstance(clip, Mapping) else clip if hasattr(clip, "read_bytes") else None
    if path is None:
        path = getattr(clip, "name", None) if hasattr(clip, "read") else None
    return os.fsdecode(path) if isinstance(path, (str, os.PathLike)) else None if path is None else str(path)


def _check_rate(rate, where: str) -> int:
    rate = float(rate)
    if not (rate.is_integer() and RATES[0] <= rate <= RATES[1]):
        raise AudioError(f"{where}: a rate must be a whole number from {RATES[0]} to {RATES[1]} Hz. Got {rate:g} Hz.")
    return int(rate)


# --------------------------------------------------------------------------------------------------------- its waveform


def load_waveform(
    clip,
    sr: int = 16000,
    *,
    offset: float = 0.0,
    duration: float | None = None,
    normalize: str | None = None,
    channel: int | str = "mean",
    max_duration: float | None = None,
    row: int | None = None,
) -> np.ndarray:
    """One clip as a mono float32 waveform at `sr` Hz.

    Parameters
    ----------
    clip : str, PathLike, bytes, file object, 1-D array, (waveform, rate) or dict
        A file that libsndfile reads (WAV, AIFF, FLAC, Ogg, MP3 ...; the content decides, not the extension) or, with
        the extra `formats`, FFmpeg (M4A, WebM, WMA, AMR ...); its bytes; a waveform taken to be at `sr`; or a waveform
        and its own rate, as a tuple, or with the keys `array` and `sampling_rate`.
    sr : int, default=16000
        Sampling rate of the result, Hz. Recordings at other rates are resampled (soxr, high quality).
    offset : float, default=0.0
        Seconds to skip at the beginning.
    duration : float or None, default=None
        Seconds to read at most; None reads to the end.
    normalize : {"rms", "peak"} or None, default=None
        Scale to a root mean square of 1, to a largest magnitude of 1, or not at all. Silence stays silence.
    channel : "mean" or int, default="mean"
        The mean of a recording's channels, or one of them, counted from 0. A 1-D waveform has no channels to choose
        from.
    max_duration : float or None, default=None
        Seconds, from `offset` on, beyond which a clip is refused: before it is decoded, where its header says how long
        it is, or else as soon as so much is decoded. A small file can hold hours of silence, so set it wherever
        strangers send files. None accepts any length.
    row : int or None, default=None
        The clip's row, for error messages.

    Returns
    -------
    waveform : ndarray of shape (n_times,), float32

    Raises
    ------
    AudioError
        A ValueError: the file is missing (then it is a FileNotFoundError, too) or unreadable, holds less sound than
        it declares, or has no such channel; or the clip is empty, not one-dimensional, not finite, longer than
        `max_duration`, or ends before `offset`.

    Warns
    -----
    UserWarning
        If channels cancel one another when they are averaged.

    Examples
    --------
    >>> import numpy as np
    >>> load_waveform(np.array([0.0, 0.5, -0.25]), normalize="peak")
    array([ 0. ,  1. , -0.5], dtype=float32)
    """
    reading = Reading(sr, offset, duration, channel, max_duration)
    waveform, is_own = as_clip(clip, row).load(reading, row)
    return scale(waveform, normalize, is_own=is_own)


def load_lazily(clip, sr: int, *, normalize: str | None, row: int, **reading) -> np.ndarray | LongWaveform:
    """As `load_waveform`; a long waveform that belongs to the user is scaled as it is read, without a copy."""
    waveform, is_own = as_clip(clip, row).load(Reading(sr, **reading), row)
    return scale(waveform, normalize, is_own=is_own, lazily=True)


def clip_length(clip, *, sr: int, row: int | None = None, **reading: Any) -> int:
    """Samples at `sr` that `load_waveform` returns for a clip; of most files, only the header is read."""
    return as_clip(clip, row).length(Reading(sr, **reading), row)


def load_part(
    clip, sr: int, start: int, stop: int, *, channel: int | str = "mean", row: int | None = None
) -> np.ndarray:
    """Samples `start` to `stop` of ``load_waveform(clip, sr)``; of a file, no more than these are read."""
    return as_clip(clip, row).part(start, stop, sr, channel, row)


def clip_digest(clip, row: int | None = None) -> bytes | None:
    """Digest a clip's content; None for an unreadable file, or an alteration that is not known to this library."""
    return as_clip(clip, row).digest(row)
