"""Short-time analysis of one waveform: pure functions on arrays, vectorised over frames.

Frames are rows here, (n_frames, ...), as the rest of the library reads them; librosa keeps them in columns.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse

# Frames analysed at once. A block of 2048-sample windows then stays within the processor's cache, and a recording of an
# hour needs no more working memory than one of a second.
_BLOCK = 128


def n_frames(n_times: int, frame_length: int, hop_length: int, center: bool = True) -> int:
    """Frames that `frame` makes of `n_times` samples; never less than one."""
    if center:
        n_times += 2 * (frame_length // 2)
    return 1 + max(0, n_times - frame_length) // hop_length


def frame(waveform: np.ndarray, frame_length: int, hop_length: int, center: bool, pad_mode: str) -> np.ndarray:
    """Overlapping windows of a waveform, a view of shape (n_frames, frame_length).

    Centred frames see half a window of padding on either side. A waveform shorter than one window gets silence behind it.
    """
    if center:
        if pad_mode == "reflect" and waveform.size <= frame_length // 2:
            pad_mode = "constant"  # too short to be mirrored: silence, as around any clip below one window
        waveform = np.pad(waveform, frame_length // 2, mode=pad_mode)
    if waveform.size < frame_length:
        waveform = np.pad(waveform, (0, frame_length - waveform.size))
    return np.lib.stride_tricks.sliding_window_view(waveform, frame_length)[::hop_length]


@lru_cache(maxsize=16)
def analysis_window(window: str | float | tuple, win_length: int, n_fft: int) -> np.ndarray:
    """Periodic window of `win_length` samples, centred in `n_fft`, float32."""
    taps = scipy.signal.get_window(window, win_length, fftbins=True)
    before = (n_fft - win_length) // 2
    taps = np.pad(taps, (before, n_fft - win_length - before)).astype(np.float32)
    taps.flags.writeable = False  # the cache hands the same array to every caller
    return taps


@lru_cache(maxsize=16)
def mel_filter_bank(
    *, sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float, htk: bool = False, norm: str | None = "slaney"
) -> scipy.sparse.csr_array:
    """librosa's mel filters, (n_mels, n_bins) float32; sparse, because a bin lies in two filters at most."""
    import librosa.filters  # here, because importing librosa takes longer than all of this package

    bank = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    return scipy.sparse.csr_array(bank.astype(np.float32))


def mel_spectrogram(
    waveform: np.ndarray,
    *,
    n_fft: int,
    hop_length: int,
    win_length: int,
    window: str | float | tuple,
    mel: dict,
    center: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
) -> np.ndarray:
    """Energies in mel bands, (n_frames, n_mels) float32; `mel` holds the parameters of `mel_filter_bank` but `n_fft`."""
    taps = analysis_window(window, win_length, n_fft)
    bank = mel_filter_bank(n_fft=n_fft, **mel)
    frames = frame(waveform, n_fft, hop_length, center, pad_mode)
    energies = np.empty((len(frames), bank.shape[0]), dtype=np.float32)
    for start in range(0, len(frames), _BLOCK):
        rows = slice(start, start + _BLOCK)
        spectra = scipy.fft.rfft(frames[rows] * taps, axis=1)
        spectra = spectra.real**2 + spectra.imag**2
        if power != 2.0:
            spectra **= power / 2
        # Not a dense product: its few multiplications are not worth the threads that BLAS would wake for them.
        energies[rows] = (bank @ np.ascontiguousarray(spectra.T)).T
    return energies


def power_to_db(
    power: np.ndarray, ref: float | str = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> np.ndarray:
    """Decibels of a power spectrogram, 10 log10(power / ref), at least `amin` and within `top_db` of the loudest value.

    With ``ref="max"`` the loudest value of the clip is 0 dB. Silence has no loudest value: it lies at the floor,
    ``-top_db``, where librosa would put it at 0 dB, as loud as anything.
    """
    loudest = float(power.max())
    reference = loudest if ref == "max" else float(ref)
    decibels = 10.0 * np.log10(np.maximum(power, np.float32(amin)))
    decibels -= np.float32(10.0 * np.log10(max(reference, amin)))
    if ref == "max" and loudest <= amin:
        return np.full_like(decibels, 0.0 if top_db is None else -top_db)
    if top_db is not None:
        np.maximum(decibels, decibels.max() - np.float32(top_db), out=decibels)
    return decibels


def cepstrum(log_mel: np.ndarray, n_mfcc: int) -> np.ndarray:
    """First `n_mfcc` coefficients of the orthonormal DCT-II of log-mel frames, (n_frames, n_mfcc)."""
    return scipy.fft.dct(log_mel, type=2, norm="ortho", axis=1)[:, :n_mfcc]


def _sums_over_frames(values: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Sum over every window of a sequence: two look-ups a frame, however much the windows overlap."""
    running = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    start = np.arange(0, values.size - frame_length + 1, hop_length)
    return running[start + frame_length] - running[start]


def rms(waveform: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Root mean square of each centred frame, (n_frames,) float32; silence surrounds the waveform."""
    padded = np.pad(waveform.astype(np.float64), frame_length // 2)
    power = _sums_over_frames(padded**2, frame_length, hop_length) / frame_length
    return np.sqrt(np.maximum(power, 0.0)).astype(np.float32)


def zero_crossing_rate(waveform: np.ndarray, frame_length: int, hop_length: int) -> np.ndarray:
    """Sign changes of each centred frame per sample, (n_frames,) float32.

    As librosa counts them: magnitudes up to 1e-10 are zero, zero is positive, and the waveform's ends are held.
    """
    negative = np.pad(waveform, frame_length // 2, mode="edge") < -1e-10
    # A change belongs to the later sample, so a window's first sample holds none of its own.
    return (_sums_over_frames(negative[1:] != negative[:-1], frame_length - 1, hop_length) / frame_length).astype(
        np.float32
    )
