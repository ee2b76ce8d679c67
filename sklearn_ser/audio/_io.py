"""One clip, decoded, resampled and normalised to one waveform: the only place where files are read."""

from __future__ import annotations

import hashlib
import io
import math
import os

import numpy as np

from ._errors import AudioError, MissingAudioError
from ._input import _as_array, _as_waveform, _is_path, _pcm_to_float, _where
from ._lazy import AlteredClip, Segment

_BESIDE = 512  # samples, at the lower rate, that soxr's filter reaches to either side; 400 leave errors of 1e-6


def _open(path, row: int | None):
    import soundfile

    try:
        if os.fspath(path).lower().endswith(".raw"):
            # soundfile takes the name to mean headerless and asks for the rate; a file without a name is told by
            # content.
            with open(path, "rb") as file:
                path_or_file = io.BytesIO(file.read())
        else:
            path_or_file = path
        return soundfile.SoundFile(path_or_file)
    except soundfile.LibsndfileError as error:
        try:
            with open(path, "rb") as file:  # for the operating system's own words on what is wrong with a path
                empty = not file.read(1)
        except (OSError, ValueError) as reason:  # a ValueError for a name that no file can have
            raise _unreadable(path, row, reason) from None
        if empty:
            raise AudioError(f"{_where(path, row)}: the file is empty (0 bytes).") from None
        raise AudioError(f"{_where(path, row)}: not readable as audio: {error.error_string}") from None
    except OSError as reason:
        raise _unreadable(path, row, reason) from None


def _unreadable(path, row: int | None, reason: Exception) -> AudioError:
    if isinstance(reason, FileNotFoundError):
        return MissingAudioError(f"{_where(path, row)}: no such file (from the folder {os.getcwd()}).")
    return AudioError(f"{_where(path, row)}: cannot be read: {getattr(reason, 'strerror', None) or reason}.")


def _span(n_times: int, sr: int, offset: float, duration: float | None) -> tuple[int, int]:
    """First sample and number of samples of the part asked for, at `sr`."""
    start = round(offset * sr)
    left = max(0, n_times - start)
    return start, left if duration is None else min(left, max(1, round(duration * sr)))


def _check_waveform(waveform: np.ndarray, total: int, sr: int, offset: float, where: str) -> None:
    if waveform.size == 0:
        if total == 0:
            raise AudioError(f"{where}: the clip is empty (0 samples).")
        raise AudioError(f"{where}: offset={offset} s is past the clip's end at {total / sr:.3f} s.")
    if not np.isfinite(waveform).all():
        raise AudioError(f"{where}: the waveform contains NaN or infinite (inf) values.")


def clip_length(clip, *, sr: int, offset: float = 0.0, duration: float | None = None, row: int | None = None) -> int:
    """Samples at `sr` that `load_waveform` returns for a clip; of a file only the header is read."""
    if isinstance(clip, AlteredClip):
        span = dict(sr=sr, offset=offset, duration=duration, row=row if clip.row is None else clip.row)
        altered = clip.alter.n_times(clip_length(clip.source, **span))
        return load_waveform(clip, **span).size if altered is None else altered
    where = _where(clip, row)
    if isinstance(clip, Segment):
        first, behind = clip.span(sr)
        _, count = _span(behind - first, sr, offset, duration)
        if count == 0:
            _check_waveform(np.empty(0), behind - first, sr, offset, where)
        return count
    if not _is_path(clip):
        waveform = _as_array(clip, where)
        start, count = _span(waveform.size, sr, offset, duration)
        _check_waveform(waveform[start : start + count], waveform.size, sr, offset, where)
        return count
    with _open(clip, row) as sound:
        _, count = _span(sound.frames, sound.samplerate, offset, duration)
        if count == 0:
            _check_waveform(np.empty(0), sound.frames, sound.samplerate, offset, where)
        return math.ceil(count * sr / sound.samplerate)


def clip_bytes(clip) -> int:
    """About how large a clip is, without opening it."""
    if _is_path(clip):
        return os.path.getsize(clip) if os.path.isfile(clip) else 0
    if isinstance(clip, Segment):
        return 4 * (clip.stop - clip.start)
    return clip_bytes(clip.source) if isinstance(clip, AlteredClip) else getattr(clip, "nbytes", 0)


def clip_digest(clip, row: int | None = None) -> bytes | None:
    """Identifies a clip's content; None for a file that cannot be read, or an alteration that has no key.

    Of a file, all bytes are read each time: it may have changed within a tick of the clock that dates it. The extension
    counts, because it is by the extension that libsndfile tells what has no header.
    """
    if isinstance(clip, AlteredClip):
        row = row if clip.row is None else clip.row
        alteration, source = clip.alter.key(), clip_digest(clip.source, row)
        return None if alteration is None or source is None else hashlib.sha256(source + alteration.encode()).digest()
    if isinstance(clip, Segment):  # its own samples, not all of a recording that may last hours
        try:
            return hashlib.sha256(b"segment " + load_waveform(clip, clip.sr, row=row).tobytes()).digest()
        except AudioError:
            return None
    if not _is_path(clip):
        return hashlib.sha256(np.ascontiguousarray(_as_waveform(clip, _where(clip, row)))).digest()
    digest = hashlib.sha256(f"file {os.path.splitext(clip)[1].lower()} ".encode())
    try:
        with open(clip, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except (OSError, ValueError):  # a ValueError for a name that no file can have
        return None
    return digest.digest()


def load_waveform(
    clip,
    sr: int = 16000,
    *,
    offset: float = 0.0,
    duration: float | None = None,
    normalize: str | None = None,
    row: int | None = None,
) -> np.ndarray:
    """One clip as a mono float32 waveform at `sr` Hz.

    Parameters
    ----------
    clip : str, PathLike or 1-D array
        A file that libsndfile reads (WAV, AIFF, FLAC, Ogg, MP3 ...; the content decides, not the extension), or a
        waveform taken to be at `sr`.
    sr : int, default=16000
        Sampling rate of the result, Hz. Files at other rates are resampled (soxr, high quality).
    offset : float, default=0.0
        Seconds to skip at the beginning.
    duration : float or None, default=None
        Seconds to read at most; None reads to the end.
    normalize : {"rms", "peak"} or None, default=None
        Scale to a root mean square of 1, to a largest magnitude of 1, or not at all. Silence stays silence.
    row : int or None, default=None
        The clip's row, for error messages.

    Returns
    -------
    waveform : ndarray of shape (n_times,), float32

    Raises
    ------
    AudioError
        A ValueError: the file is missing (then it is a FileNotFoundError, too) or unreadable, or the clip is empty, not
        one-dimensional, not finite, or ends before `offset`.

    Examples
    --------
    >>> import numpy as np
    >>> load_waveform(np.array([0.0, 0.5, -0.25]), normalize="peak")
    array([ 0. ,  1. , -0.5], dtype=float32)
    """
    if isinstance(clip, AlteredClip):
        row = row if clip.row is None else clip.row
        where = _where(clip, row)
        source = load_waveform(clip.source, sr, offset=offset, duration=duration, row=row)
        waveform = _as_waveform(clip.alter(source, sr), where)
        _check_waveform(waveform, waveform.size, sr, 0.0, where)
        return _normalize(waveform, normalize)
    where = _where(clip, row)
    if _is_path(clip):
        with _open(clip, row) as sound:
            rate, total = sound.samplerate, sound.frames
            start, count = _span(total, rate, offset, duration)
            waveform = _decode(sound, start, count, where) if count else np.empty(0, np.float32)
    else:
        if isinstance(clip, Segment):
            clip = load_part(clip.source, sr, *clip.span(sr), row=row if clip.row is None else clip.row)
        waveform, rate = _as_waveform(clip, where), sr
        total = waveform.size
        start, count = _span(total, rate, offset, duration)
        waveform = waveform[start : start + count]
    _check_waveform(waveform, total, rate, offset, where)
    if rate != sr:
        waveform = _resample(waveform, rate, sr)
    return _normalize(waveform, normalize)


def load_part(clip, sr: int, start: int, stop: int, *, row: int | None = None) -> np.ndarray:
    """Samples `start` to `stop` of ``load_waveform(clip, sr)``; of a file, no more than these are read.

    What lies beside them is resampled along with them, so that it does not show where a part begins and ends.
    """
    where = _where(clip, row)
    if isinstance(clip, (AlteredClip, Segment)):
        return load_waveform(clip, sr, row=row)[start:stop]
    if not _is_path(clip):
        part = _pcm_to_float(_as_array(clip, where)[start:stop])
        _check_waveform(part, part.size, sr, 0.0, where)
        return part
    with _open(clip, row) as sound:
        rate = sound.samplerate
        # A part has to begin where a sample of the one rate coincides with a sample of the other.
        every = rate // math.gcd(rate, sr)
        beside = 0 if rate == sr else math.ceil(_BESIDE * max(1, rate / sr))
        first = max(0, start * rate // sr - beside) // every * every
        behind = min(sound.frames, math.ceil(stop * rate / sr) + beside)
        part = _decode(sound, first, behind - first, where)
    if part.size < behind - first:
        raise AudioError(f"{where}: the file ends after {(first + part.size) / rate:.3f} s, before its header says so.")
    _check_waveform(part, part.size, rate, 0.0, where)
    ahead = first * sr // rate
    part = (part if rate == sr else _resample(part, rate, sr))[start - ahead : stop - ahead]
    return np.pad(part, (0, stop - start - part.size))  # counted at another rate, a clip may end a sample later


def _decode(sound, start: int, count: int, where: str) -> np.ndarray:
    """Part of an open file, mono."""
    import soundfile

    try:
        if sound.seekable():
            sound.seek(start)
            waveform = sound.read(count, dtype="float32", always_2d=True)
        else:  # GSM 6.10, whose frames follow from one another
            waveform = sound.read(start + count, dtype="float32", always_2d=True)[start:]
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{where}: the file is damaged: {error.error_string}") from None
    return waveform[:, 0] if waveform.shape[1] == 1 else waveform.mean(axis=1)


def _resample(waveform: np.ndarray, rate: int, sr: int) -> np.ndarray:
    import soxr

    n_times = math.ceil(waveform.size * sr / rate)
    resampled = soxr.resample(waveform, rate, sr)[:n_times]
    return np.pad(resampled, (0, n_times - resampled.size))  # soxr's own rounding differs by a sample


def _normalize(waveform: np.ndarray, how: str | None) -> np.ndarray:
    if how is None:
        return waveform
    if how == "rms":
        level = np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))  # squares of quiet clips underflow in float32
    else:
        level = max(waveform.max(), -waveform.min())
    return waveform / np.float32(level) if level > 0 else waveform
