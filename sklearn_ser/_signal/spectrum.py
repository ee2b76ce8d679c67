"""Short-time analysis: pure functions on arrays, vectorised over the frames of several waveforms at once.

Frames are rows here, (n_frames, ...), as the rest of the library reads them; librosa keeps them in columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any, Literal

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse

from .long import LONG, LongWaveform, is_long

# Samples of frames transformed at once: few enough that a block's spectra stay near the processor, and that a recording
# of an hour needs no more working memory than one of a minute; so many that an operation is long against its call.
_BLOCK = 1 << 19


def blocks(n_frames: int, frame_length: int) -> Iterator[slice]:
    """Frames that are worked on together."""
    step = max(1, _BLOCK // frame_length)
    return (slice(start, start + step) for start in range(0, n_frames, step))


def n_frames(n_times: int, frame_length: int, hop_length: int, center: bool = True) -> int:
    """Frames that `join` makes of `n_times` samples; never less than one."""
    if center:
        n_times += 2 * (frame_length // 2)
    return 1 + max(0, n_times - frame_length) // hop_length


@dataclass(frozen=True)
class FrameBatch:
    """Waveforms laid end to end on one grid of frames, so that an operation on all their frames is one call.

    A frame begins at every multiple of `hop_length`. Those of clip i are `counts[i]` frames from `first[i]` on; the few
    in between reach from one clip into the next, and `own` leaves them out.
    """

    signal: np.ndarray | LongWaveform
    frame_length: int
    hop_length: int
    begin: np.ndarray  # sample at which each clip's waveform begins, behind its padding
    n_times: np.ndarray
    first: np.ndarray
    counts: np.ndarray

    @property
    def frames(self) -> np.ndarray:
        """All frames, a view of shape (n_frames, frame_length)."""
        return self._frames_of(np.asarray(self.signal))

    def _frames_of(self, signal: np.ndarray) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(signal, self.frame_length)[:: self.hop_length]

    @property
    def n_frames(self) -> int:
        return 1 + (self.signal.size - self.frame_length) // self.hop_length

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Frames that are worked on together, and which of all frames they are."""
        whole = self.frames if isinstance(self.signal, np.ndarray) else None
        for block in blocks(self.n_frames, self.frame_length):
            if whole is not None:
                yield block, whole[block]
            else:
                last = min(block.stop, self.n_frames) - 1
                samples = slice(block.start * self.hop_length, last * self.hop_length + self.frame_length)
                yield block, self._frames_of(self.signal[samples])

    @cached_property
    def is_own(self) -> np.ndarray:
        """Mask of the frames that lie within one clip, (n_frames,)."""
        inside = np.zeros(self.n_frames + 1, dtype=np.int8)
        inside[self.first] += 1
        inside[self.first + self.counts] -= 1
        return np.cumsum(inside[:-1]) > 0

    def own(self, values: np.ndarray) -> np.ndarray:
        """Keep the values of frames that lie within one clip: (counts.sum(), ...)."""
        return values[self.is_own]

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Split values that `own` has returned by clip."""
        ends = np.cumsum(self.counts)
        return [values[end - count : end] for end, count in zip(ends, self.counts, strict=True)]

    def narrow(self, frame_length: int) -> FrameBatch:
        """The same centered frames, cut to their middle."""
        cut = self.frame_length // 2 - frame_length // 2
        signal = self.signal[cut:] if isinstance(self.signal, np.ndarray) else self.signal.drop(cut)
        return replace(self, signal=signal, frame_length=frame_length, begin=self.begin - cut)


def join(
    waveforms: Sequence[np.ndarray],
    frame_length: int,
    hop_length: int,
    center: bool = True,
    pad_mode: Literal["constant", "edge", "reflect"] = "constant",
) -> FrameBatch:
    """Lay waveforms end to end. Centered frames see half a window of padding on either side of a clip.

    A waveform shorter than one window gets silence behind it.
    """
    n_times = np.asarray([waveform.size for waveform in waveforms])
    counts = np.asarray([n_frames(n, frame_length, hop_length, center) for n in n_times])
    before = frame_length // 2 if center else 0
    needed = np.maximum(n_times + 2 * before, (counts - 1) * hop_length + frame_length)
    start = np.concatenate(([0], np.cumsum(-(-needed // hop_length) * hop_length)))
    if len(waveforms) == 1 and is_long(waveforms[0]):  # as below, but without a copy
        whole = waveforms[0] if isinstance(waveforms[0], LongWaveform) else LongWaveform(waveforms[0])
        signal = whole.padded(before, start[-1], pad_mode)
        return FrameBatch(signal, frame_length, hop_length, start[:-1] + before, n_times, start[:-1], counts)
    signal = np.zeros(start[-1], dtype=np.float32)
    for at, waveform in zip(start[:-1], waveforms, strict=True):
        waveform = np.asarray(waveform)
        if before and pad_mode != "constant" and (pad_mode == "edge" or waveform.size > before):
            waveform = np.pad(waveform, before, mode=pad_mode)
            signal[at : at + waveform.size] = waveform
        else:  # too short to be mirrored: silence, as around any clip below one window
            signal[at + before : at + before + waveform.size] = waveform
    return FrameBatch(signal, frame_length, hop_length, start[:-1] + before, n_times, start[:-1] // hop_length, counts)


@lru_cache(maxsize=16)
def analysis_window(window: str | float | tuple, win_length: int, n_fft: int) -> np.ndarray:
    """Periodic window of `win_length` samples, centered in `n_fft`, float32."""
    taps = scipy.signal.get_window(window, win_length, fftbins=True)
    before = (n_fft - win_length) // 2
    taps = np.pad(taps, (before, n_fft - win_length - before)).astype(np.float32)
    taps.flags.writeable = False  # the cache hands the same array to every caller
    return taps


@lru_cache(maxsize=16)
def mel_filter_bank(
    *, sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float, htk: bool = False, norm: Any = "slaney"
) -> scipy.sparse.csr_array:
    """librosa's mel filters, (n_mels, n_bins) float32; sparse, because a bin lies in two filters at most."""
    from librosa.filters import mel  # here, because importing librosa takes longer than all of this package

    bank = mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    return scipy.sparse.csr_array(bank.astype(np.float32))


def over_spectra(
    batch: FrameBatch,
    functions: Sequence[Callable[[np.ndarray], np.ndarray]],
    *,
    win_length: int,
    window: str | float | tuple,
) -> list[np.ndarray]:
    """Functions of the power spectra, (n_frames, n_bins) float32 -> (n_frames, n_values), in one pass over frames."""
    taps = analysis_window(window, win_length, batch.frame_length)
    results: list[np.ndarray] = []
    done = 0
    for block, frames in batch.blocks():
        spectra = scipy.fft.rfft(frames * taps, axis=1)
        spectra = spectra.real**2 + spectra.imag**2
        own = batch.is_own[block]
        parts = [function(spectra)[own] for function in functions]
        results = results or [np.empty((batch.counts.sum(), part.shape[1]), dtype=part.dtype) for part in parts]
        for result, part in zip(results, parts, strict=True):
            result[done : done + len(part)] = part
        done += len(parts[0])
    return results


def mel_energies(spectra: np.ndarray, *, n_fft: int, power: float = 2.0, **mel) -> np.ndarray:
    """Energies in mel bands of power spectra, (n_frames, n_mels) float32; `mel` are parameters of `mel_filter_bank`."""
    if power != 2.0:
        spectra = spectra ** (power / 2)
    # Not a dense product: its few multiplications are not worth the threads that BLAS would wake for them.
    return (mel_filter_bank(n_fft=n_fft, **mel) @ np.ascontiguousarray(spectra.T)).T


def mel_spectrogram(
    batch: FrameBatch, *, win_length: int, window: str | float | tuple, mel: dict, power: float = 2.0
) -> np.ndarray:
    """Energies in mel bands, (n_frames, n_mels) float32; `mel` holds `mel_filter_bank`'s parameters except `n_fft`."""
    energies = partial(mel_energies, n_fft=batch.frame_length, power=power, **mel)
    return over_spectra(batch, [energies], win_length=win_length, window=window)[0]


def power_to_db(
    power: np.ndarray,
    counts: np.ndarray,
    ref: float | str = 1.0,
    amin: float = 1e-10,
    top_db: float | None = 80.0,
) -> np.ndarray:
    """Decibels of power spectrograms, 10 log10(power / ref), floored at `amin` and at `top_db` below a clip's maximum.

    `counts` are the frames of each clip. With ``ref="max"`` the loudest value of a clip is 0 dB. Silence has no loudest
    value: it lies at the floor, ``-top_db``, where librosa would put it at 0 dB, as loud as anything.
    """
    decibels = np.maximum(power, np.float32(amin))  # and on in place: of a long clip, copies take much memory
    np.log10(decibels, out=decibels)
    decibels *= 10
    loudest = np.maximum.reduceat(decibels.max(axis=1), np.concatenate(([0], np.cumsum(counts)[:-1])))
    if ref == "max":
        silent = loudest <= np.float32(10.0 * np.log10(amin))
        reference = np.where(silent, loudest + np.float32(top_db or 0.0), loudest)
    else:
        reference = np.full_like(loudest, 10.0 * np.log10(max(ref, amin)))
    if top_db is not None:
        np.maximum(decibels, np.repeat(loudest - np.float32(top_db), counts)[:, np.newaxis], out=decibels)
    decibels -= np.repeat(reference, counts)[:, np.newaxis]
    return decibels


def merge_bands(levels: np.ndarray, width: int) -> np.ndarray:
    """Means of `width` neighboring bands, (n_frames, n_bands) -> (n_frames, n_bands / width)."""
    total = levels[:, ::width]
    for i in range(1, width):
        total = total + levels[:, i::width]
    return total / np.float32(width)


def cepstrum(log_mel: np.ndarray, n_mfcc: int) -> np.ndarray:
    """First `n_mfcc` coefficients of the orthonormal DCT-II of log-mel frames, (n_frames, n_mfcc)."""
    coefficients = scipy.fft.dct(log_mel, type=2, norm="ortho", axis=1)[:, :n_mfcc]
    return coefficients.copy() if coefficients.size > LONG // 2 else coefficients  # a view holds them all


def rms(batch: FrameBatch) -> np.ndarray:
    """Root mean square of each frame, (n_frames,) float32."""
    squares = np.concatenate([np.einsum("ij,ij->i", frames, frames) for _, frames in batch.blocks()])
    return batch.own(np.sqrt(squares / np.float32(batch.frame_length)))


def zero_crossing_rate(batch: FrameBatch) -> np.ndarray:
    """Sign changes of each frame per sample, (n_frames,) float32.

    As librosa counts them: magnitudes up to 1e-10 are zero, zero is positive, and padding changes no sign.
    """
    negative = np.asarray(batch.signal) < -1e-10
    changes = np.zeros(negative.size + 1, dtype=bool)  # whether a sample differs from the one before
    changes[1:-1] = negative[1:] != negative[:-1]
    changes[batch.begin] = False
    changes[batch.begin + batch.n_times] = False
    # Counted in stretches that make up windows and hops alike, and then in windows of stretches.
    length = math.gcd(batch.frame_length, batch.hop_length)
    stretches = np.count_nonzero(changes[: negative.size // length * length].reshape(-1, length), axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(stretches, batch.frame_length // length)
    counts = windows[:: batch.hop_length // length].sum(axis=1)
    # A change belongs to the later sample, so a window's first sample holds none of its own.
    counts = counts - changes[: negative.size - batch.frame_length + 1 : batch.hop_length]
    return batch.own((counts / batch.frame_length).astype(np.float32))


def trim(waveform: np.ndarray, hop_length: int, top_db: float = 45.0, margin: int = 3) -> np.ndarray:
    """A waveform without the silence at its edges, scaled to the root mean square that it had.

    Silence is what lies more than `top_db` below the loudest stretch of `hop_length` samples; `margin` stretches of it
    are left on either side.
    """
    waveform = np.asarray(waveform)
    n = waveform.size // hop_length
    if n < 2:
        return waveform
    power = np.einsum("ij,ij->i", *[waveform[: n * hop_length].reshape(n, hop_length)] * 2)
    loud = np.flatnonzero(power > power.max() * 10 ** (-top_db / 10))
    if loud.size == 0:
        return waveform
    first, last = max(loud[0] - margin, 0), loud[-1] + 1 + margin
    if first == 0 and last >= n:
        return waveform
    trimmed = waveform[first * hop_length : last * hop_length if last < n else None]
    return trimmed * np.float32(np.sqrt(np.mean(waveform**2) / np.mean(trimmed**2)))
