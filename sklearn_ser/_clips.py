"""One clip, as the user passed it, becomes one waveform here, and nowhere else."""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Number, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array


class AudioError(ValueError):
    """A clip cannot be used; the message names its row, its path and the reason."""


class MissingAudioError(AudioError, FileNotFoundError):
    """A clip's file does not exist; also a FileNotFoundError, for those who catch that."""


@dataclass(frozen=True, eq=False)
class AlteredClip:
    """A clip that is made of another one each time its waveform is asked for, so that no copy is ever held.

    `alter(waveform, sr)` returns the new waveform; `alter.n_times(n_times)` its length, or None where only the waveform tells
    it; `alter.key()` is a string that tells it from all other alterations, or None where nobody can know. `row` is the source's
    row, where that differs from the clip's own.
    """

    source: object
    alter: Callable
    row: int | None = None


@dataclass(frozen=True, eq=False)
class Segment:
    """Part of a clip, read each time its waveform is asked for: samples from `start` to `stop`, counted at `sr` Hz.

    It is a clip of its own: offset, duration and level are its own, too. `row` is the source's row.
    """

    source: object
    start: int
    stop: int
    sr: int
    row: int | None = None

    def span(self, sr: int) -> tuple[int, int]:
        """First sample, and the one behind the last, at another rate."""
        return round(self.start * sr / self.sr), round(self.stop * sr / self.sr)


# --------------------------------------------------------------------------------------------------- what the user passed


def as_clips(X) -> Sequence:
    """Turn audio input into a sequence of clips, one for each row: paths, or 1-D waveforms.

    Parameters
    ----------
    X : audio input
        A sequence of paths; a sequence of 1-D waveforms; an array of shape (n_clips, n_times); or a DataFrame with a
        column `path`.

    Returns
    -------
    clips : list or ndarray of length n_clips
        Waveforms are not yet validated one by one: `load_waveform` does that, row by row.

    Raises
    ------
    TypeError, ValueError
        If X is none of these.
    """
    if isinstance(X, (str, bytes, os.PathLike)):
        raise ValueError(f"X must hold one clip a row. Got the single path {os.fspath(X)!r}: pass a list, [path].")
    if hasattr(X, "columns"):
        columns = list(X.columns)
        if "path" in columns:
            return _non_empty(list(X["path"]))
        if not all(getattr(dtype, "kind", "O") in "biuf" for dtype in X.dtypes):
            raise ValueError(f"A DataFrame of clips needs a column 'path'. Got the columns {columns}.")
    # Sparse matrices go on to check_array, which refuses them in words that everybody knows.
    if not (isinstance(X, Sequence) or hasattr(X, "__array__") or issparse(X)):
        raise TypeError(
            "X must be a sequence of paths or of 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column "
            f"'path'. Got an object of type {type(X).__name__}; an iterator can be made a list first."
        )
    if (
        isinstance(X, (list, tuple))
        and X
        and all(isinstance(x, (list, tuple)) and len(x) == len(X[0]) for x in X)
        and all(isinstance(value, Number) for x in X for value in x)
    ):
        X = np.asarray(X)  # a matrix written as nested lists
    if isinstance(X, np.ndarray) or not isinstance(X, Sequence):
        if hasattr(X, "__array__") and not hasattr(X, "columns"):
            X = np.asarray(X)  # pandas Series and whatever else can be an array
        is_matrix = getattr(X, "ndim", 2) != 1
        if not is_matrix and X.dtype.kind in "OUT":
            X = list(X)
        elif not is_matrix:
            raise ValueError(
                f"X must hold one clip a row. Got a 1-D array of {X.dtype} of length {len(X)}: if it is one waveform, pass "
                "[waveform]. Reshape your data: waveform.reshape(1, -1) is a 2-D array of one clip."
            )
        elif getattr(X, "dtype", np.dtype(float)).kind in "OUT" and any(_is_path(x) for x in X.ravel()[:1]):
            raise ValueError(
                f"Paths come in a sequence of one dimension. Got an array of shape {X.shape}: pass one column, X[:, 0]."
            )
        elif getattr(X, "ndim", 2) > 2:
            raise ValueError(
                "Waveforms are mono, so an array of clips has the shape (n_clips, n_times). "
                f"Got the shape {X.shape}: average the channels first."
            )
        else:  # numbers in two dimensions, or something that scikit-learn knows best how to refuse
            return _pcm_to_float(check_array(X, dtype="numeric", ensure_all_finite=False, ensure_min_features=1))
    if len(X) and all(isinstance(x, Real) for x in X):
        raise ValueError(
            f"X must hold one clip a row. Got a flat list of {len(X)} numbers: if it is one waveform, pass [waveform]. "
            "Reshape your data: np.reshape(waveform, (1, -1)) is a 2-D array of one clip."
        )
    return _non_empty(X)


def _non_empty(clips: Sequence) -> Sequence:
    if len(clips) == 0:
        raise ValueError("Found 0 clip(s) (0 sample(s)) in X while a minimum of 1 is required.")
    return clips


def _pcm_to_float(waveform: np.ndarray) -> np.ndarray:
    """float32; integers of 8 (unsigned), 16 and 32 bits are PCM, as scipy.io.wavfile returns it, within [-1, 1] then."""
    if waveform.dtype == np.uint8:
        return (waveform.astype(np.float32) - 128) / 128
    if waveform.dtype.kind == "i" and waveform.dtype.itemsize in (2, 4):
        return (waveform / -float(np.iinfo(waveform.dtype).min)).astype(np.float32)
    return waveform.astype(np.float32, copy=False)


# -------------------------------------------------------------------------------------------------------- one clip, loaded

_BESIDE = 512  # samples, at the lower rate, that soxr's filter reaches to either side; 400 leave errors of 1e-6


def _is_path(clip) -> bool:
    return isinstance(clip, (str, os.PathLike))


def _where(clip, row: int | None) -> str:
    """How an error names a clip: "Row 3 ('a.wav')"."""
    if isinstance(clip, (AlteredClip, Segment)):
        source = _where(clip.source, row if clip.row is None else clip.row)
        if isinstance(clip, Segment):
            return f"{source}, from {clip.start / clip.sr:g} to {clip.stop / clip.sr:g} s"
        return f"{source}, altered by {clip.alter}"
    place = "Clip" if row is None else f"Row {row}"
    return f"{place} ({str(os.fspath(clip))!r})" if _is_path(clip) else place


def _open(path, row: int | None):
    import soundfile

    try:
        if os.fspath(path).lower().endswith(".raw"):
            # soundfile takes the name to mean headerless and asks for the rate; a file without a name is told by content.
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


def _as_array(clip, where: str) -> np.ndarray:
    """An in-memory clip as a 1-D array of numbers."""
    try:
        waveform = np.asarray(clip)
    except ValueError as error:
        raise AudioError(f"{where}: expected a 1-D waveform, got a ragged nest of sequences.") from error
    if waveform.dtype.kind not in "biuf" or waveform.ndim == 0:
        raise TypeError(f"{where}: expected a path or a 1-D array of numbers, got {clip!r:.80}.")
    if waveform.ndim != 1:
        raise AudioError(
            f"{where}: expected a 1-D waveform, got an array of shape {waveform.shape}. "
            "Average the channels of stereo first."
        )
    return waveform


def _as_waveform(clip, where: str) -> np.ndarray:
    """An in-memory clip as 1-D float32."""
    return _pcm_to_float(_as_array(clip, where))


def _check_waveform(waveform: np.ndarray, total: int, sr: int, offset: float, where: str) -> None:
    if waveform.size == 0:
        if total == 0:
            raise AudioError(f"{where}: the clip is empty (0 samples).")
        raise AudioError(f"{where}: offset={offset} s lies behind the clip's end at {total / sr:.3f} s.")
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
    """What tells a clip's content from any other's; None for a file that cannot be read, or an alteration of unknown make.

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
        A file that libsndfile reads (WAV, AIFF, FLAC, Ogg, MP3 ...; the content decides, not the extension), or a waveform
        taken to be at `sr`.
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
        sound.seek(start)
        waveform = sound.read(count, dtype="float32", always_2d=True)
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
