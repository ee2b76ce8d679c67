"""One clip, decoded, resampled and normalised to one waveform."""

from __future__ import annotations

import hashlib
import math
import os
from typing import Any, cast

import numpy as np

from .._signal.long import LONG, LongWaveform
from ._clips import Samples, as_clip, where_is
from ._derived import AlteredClip, Segment
from .decoding import AudioError, LengthError, Recording, read_part, read_recording, recording_length

_BESIDE = 512  # samples, at the lower rate, that soxr's filter reaches to either side; 400 leave errors of 1e-6
_LOUDEST = 1e12  # beyond, squares overflow in float32; PCM of 32 bits that nobody scaled reaches 2e9
_ROUNDED = 0.1  # seconds by which a declared segment may end past the clip, because annotations are rounded


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
    loudest = max(waveform.max(), -waveform.min())
    if loudest > _LOUDEST:
        raise AudioError(f"{where}: the waveform reaches {loudest:.3g}, as no recording does: scale it to [-1, 1].")


def clip_length(
    clip,
    *,
    sr: int,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | str = "mean",
    row: int | None = None,
) -> int:
    """Samples at `sr` that `load_waveform` returns for a clip; of most files, only the header is read."""
    if isinstance(clip, AlteredClip):
        span: dict[str, Any] = dict(
            sr=sr, offset=offset, duration=duration, channel=channel, row=row if clip.row is None else clip.row
        )
        altered = clip.alter.n_times(clip_length(clip.source, **span))
        return load_waveform(clip, **span).size if altered is None else altered
    where = where_is(clip, row)
    if isinstance(clip, Segment):
        first, past = _within(clip, sr, channel, row)
        total, rate = past - first, sr
    else:
        clip = as_clip(clip, where)
        if isinstance(clip, Samples):
            waveform, rate = clip.mono(channel, where), clip.rate or sr
            start, count = _span(waveform.size, rate, offset, duration)
            _check_waveform(waveform[start : start + count], waveform.size, rate, offset, where)
            return math.ceil(count * sr / rate)
        total, rate = recording_length(clip, where, channel)
    _, count = _span(total, rate, offset, duration)
    if count == 0:
        _check_waveform(np.empty(0), total, rate, offset, where)
    return math.ceil(count * sr / rate)


def _within(segment: Segment, sr: int, channel: int | str, row: int | None) -> tuple[int, int]:
    """Where a segment begins and ends in its source, which must reach that far."""
    row = row if segment.row is None else segment.row
    first, past = segment.span(sr)
    if past is None or segment.declared:
        total = clip_length(segment.source, sr=sr, channel=channel, row=row)
        past = total if past is None else past
        if first >= total or past > total + _ROUNDED * sr:
            raise LengthError(
                f"{where_is(segment, row)}: the recording ends at {total / sr:.3f} s. start and end are seconds, or "
                "Timedelta."
            )
        past = min(past, total)
    return first, max(past, first + 1) if segment.declared else past


def clip_bytes(clip) -> int:
    """About how large a clip is, without opening it."""
    if isinstance(clip, AlteredClip):
        return clip_bytes(clip.source)
    if isinstance(clip, Segment):
        return clip_bytes(clip.source) if clip.stop is None else int(64_000 * (clip.stop - clip.start) / clip.sr)
    if isinstance(clip, Recording):
        return len(clip.file) if isinstance(clip.file, bytes) else clip_bytes(clip.file)
    if isinstance(clip, (str, os.PathLike)):
        return os.path.getsize(clip) if os.path.isfile(clip) else 0
    return getattr(clip.samples if isinstance(clip, Samples) else clip, "nbytes", 0)


def clip_digest(clip, row: int | None = None) -> bytes | None:
    """What tells a clip's content from any other's; None for an unreadable file, or an alteration of unknown make.

    Of a file, all bytes are read each time: it may have changed within a tick of the clock that dates it. The extension
    counts, because it is by the extension that libsndfile tells what has no header.
    """
    if isinstance(clip, (AlteredClip, Segment)):
        row = row if clip.row is None else clip.row
    if isinstance(clip, AlteredClip):
        alteration, source = clip.alter.key(), clip_digest(clip.source, row)
        return None if alteration is None or source is None else hashlib.sha256(source + alteration.encode()).digest()
    where = where_is(clip, row)
    if isinstance(clip, Segment):
        try:
            return _segment_digest(clip, row, where)
        except AudioError:
            return None
    clip = as_clip(clip, where)
    if isinstance(clip, Samples):
        digest = hashlib.sha256(f"samples {clip.rate} {clip.channel} ".encode())
        digest.update(np.ascontiguousarray(clip.floats(where)).data)
        return digest.digest()
    content = clip.file if isinstance(clip.file, bytes) else None
    extension = os.path.splitext(os.fsdecode(clip.file))[1].lower() if content is None else ""
    digest = hashlib.sha256(f"file {extension} {clip.channel} ".encode("utf-8", "replace"))
    if content is not None:
        digest.update(content)
        return digest.digest()
    try:
        if not os.path.isfile(clip.file):
            return None
        with open(clip.file, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except (OSError, ValueError):  # a ValueError for a name that no file can have
        return None
    return digest.digest()


def _segment_digest(segment: Segment, row: int | None, where: str) -> bytes | None:
    """Of a segment's own samples, all channels, and those beside it: not of a recording that may last hours."""
    source, start, stop = segment.source, segment.start / segment.sr, segment.stop
    if isinstance(source, (AlteredClip, Segment)):
        inner = clip_digest(source, row)
        return None if inner is None else hashlib.sha256(inner + f"{start!r} {stop!r} {segment.sr}".encode()).digest()
    stop = math.inf if stop is None else stop / segment.sr
    source = as_clip(source, where)

    def span(rate: int) -> tuple[int, int]:
        past = 2**62 if stop == math.inf else math.ceil((stop + 1) * rate)
        return max(0, math.floor((start - 1) * rate)), past

    part, rate = _native(source, span, segment.sr, "all", where)
    digest = hashlib.sha256(f"segment {start!r} {stop!r} {rate} {source.channel} ".encode())
    digest.update(np.ascontiguousarray(part).data)
    return digest.digest()


def load_waveform(
    clip,
    sr: int = 16000,
    *,
    offset: float = 0.0,
    duration: float | None = None,
    normalize: str | None = None,
    channel: int | str = "mean",
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
    row : int or None, default=None
        The clip's row, for error messages.

    Returns
    -------
    waveform : ndarray of shape (n_times,), float32

    Raises
    ------
    AudioError
        A ValueError: the file is missing (then it is a FileNotFoundError, too) or unreadable, holds less sound than
        it declares, or has no such channel; or the clip is empty, not one-dimensional, not finite, or ends before
        `offset`.

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
    waveform, is_own = _load(clip, sr, offset, duration, channel, row)
    return _normalize(waveform, normalize, is_own=is_own)


def load_lazily(clip, sr: int, *, offset, duration, normalize, channel, row: int) -> np.ndarray | LongWaveform:
    """As `load_waveform`; a long waveform that belongs to the user is scaled as it is read, without a copy."""
    waveform, is_own = _load(clip, sr, offset, duration, channel, row)
    return _normalize(waveform, normalize, is_own=is_own, lazily=True)


def _load(clip, sr, offset, duration, channel, row) -> tuple[np.ndarray, bool]:
    """A waveform, and whether it is nobody else's."""
    if isinstance(clip, AlteredClip):
        row = row if clip.row is None else clip.row
        where = where_is(clip, row)
        source = load_waveform(clip.source, sr, offset=offset, duration=duration, channel=channel, row=row)
        waveform = Samples(clip.alter(source, sr)).floats(where)
        _check_waveform(waveform, waveform.size, sr, 0.0, where)
        return waveform, False
    where = where_is(clip, row)
    source = clip if isinstance(clip, Segment) else as_clip(clip, where)
    if isinstance(source, Recording):
        part = read_recording(source, where, offset=offset, duration=duration, channel=channel)
        waveform, rate, total = part.waveform, part.rate, part.total
    else:
        if isinstance(clip, Segment):
            row = row if clip.row is None else clip.row
            waveform, rate = load_part(clip.source, sr, *_within(clip, sr, channel, row), channel=channel, row=row), sr
        else:
            samples = cast(Samples, source)
            waveform, rate = samples.mono(channel, where), samples.rate or sr
        total = waveform.size
        start, count = _span(total, rate, offset, duration)
        waveform = waveform[start : start + count]
    _check_waveform(waveform, total, rate, offset, where)
    if rate != sr:
        return _resample(waveform, rate, sr), True
    return waveform, isinstance(source, Recording)


def load_part(
    clip, sr: int, start: int, stop: int, *, channel: int | str = "mean", row: int | None = None
) -> np.ndarray:
    """Samples `start` to `stop` of ``load_waveform(clip, sr)``; of a file, no more than these are read.

    What lies beside them is resampled along with them, so that it does not show where a part begins and ends.
    """
    if isinstance(clip, AlteredClip):
        return load_waveform(clip, sr, channel=channel, row=row)[start:stop]
    where = where_is(clip, row)
    if isinstance(clip, Segment):
        row = row if clip.row is None else clip.row
        first, past = _within(clip, sr, channel, row)
        return load_part(clip.source, sr, first + start, min(first + stop, past), channel=channel, row=row)
    firsts = []

    def span(rate: int) -> tuple[int, int]:
        # A part has to begin where a sample of the one rate coincides with a sample of the other.
        every = rate // math.gcd(rate, sr)
        beside = 0 if rate == sr else math.ceil(_BESIDE * max(1, rate / sr))
        firsts.append(max(0, start * rate // sr - beside) // every * every)
        return firsts[0], math.ceil(stop * rate / sr) + beside

    part, rate = _native(as_clip(clip, where), span, sr, channel, where)
    _check_waveform(part, firsts[0] + part.size, rate, firsts[0] / rate, where)
    ahead = firsts[0] * sr // rate
    part = (part if rate == sr else _resample(part, rate, sr))[start - ahead : stop - ahead]
    return np.pad(part, (0, stop - start - part.size))  # counted at another rate, a clip may end a sample later


def _native(clip, span, sr: int, channel: int | str, where: str) -> tuple[np.ndarray, int]:
    """Part of a recording or of samples at its own rate, and that rate."""
    if isinstance(clip, Recording):
        return read_part(clip, span, where, channel)
    rate = clip.rate or sr
    return clip.part(*span(rate), channel, where), rate


def _resample(waveform: np.ndarray, rate: int, sr: int) -> np.ndarray:
    import soxr

    n_times = math.ceil(waveform.size * sr / rate)
    resampled = soxr.resample(waveform, rate, sr)[:n_times]
    return np.pad(resampled, (0, n_times - resampled.size))  # soxr's own rounding differs by a sample


def _normalize(waveform: np.ndarray, how: str | None, *, is_own: bool = False, lazily: bool = False):
    """A waveform, scaled: in its place if it is nobody else's."""
    if how is None:
        return waveform
    level = _rms(waveform) if how == "rms" else max(waveform.max(), -waveform.min())
    if 0 < level < np.finfo(np.float32).tiny:
        return (waveform.astype(np.float64) / level).astype(np.float32)
    if not level > 0:
        return waveform
    if lazily and not is_own and waveform.size > LONG:
        return LongWaveform(waveform, np.float32(level))
    return np.divide(waveform, np.float32(level), out=waveform if is_own and waveform.flags.writeable else None)


def _rms(waveform: np.ndarray) -> float:
    """Root mean square, in float64: squares of quiet clips underflow in float32."""
    if waveform.size <= LONG:
        return np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))
    starts = range(0, waveform.size, LONG)
    total = sum(np.square(waveform[start : start + LONG], dtype=np.float64).sum() for start in starts)
    return np.sqrt(total / waveform.size)
