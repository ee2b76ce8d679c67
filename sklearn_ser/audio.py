"""Clips in any accepted form become waveforms here, and nowhere else.

A clip is a path or a waveform; `as_clips` sorts out what the user passed, `load_waveform` decodes one clip, and
`AudioTransformer` is the base of every estimator that reads audio.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from ._frames import FramesMixin
from ._sklearn import Interval, StrOptions

__all__ = ["AudioError", "WaveformChunker", "WaveformLoader", "load_waveform"]


class AudioError(ValueError):
    """A clip cannot be used; the message names its row, its path and the reason."""


class MissingAudioError(AudioError, FileNotFoundError):
    """A clip's file does not exist; also a FileNotFoundError, for those who catch that."""


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
    if isinstance(X, (list, tuple)) and X and all(isinstance(x, (list, tuple)) and len(x) == len(X[0]) for x in X):
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
    """float32; 16- and 32-bit integers are PCM, as scipy.io.wavfile returns it, and end up within [-1, 1]."""
    if waveform.dtype in (np.int16, np.int32):
        return (waveform / -float(np.iinfo(waveform.dtype).min)).astype(np.float32)
    return waveform.astype(np.float32, copy=False)


# -------------------------------------------------------------------------------------------------------- one clip, loaded


def _is_path(clip) -> bool:
    return isinstance(clip, (str, os.PathLike))


def _where(clip, row: int | None) -> str:
    """How an error names a clip: "Row 3 ('a.wav')"."""
    place = "Clip" if row is None else f"Row {row}"
    return f"{place} ({os.fspath(clip)!r})" if _is_path(clip) else place


def _open(path, row: int | None):
    import soundfile

    try:
        with open(path, "rb") as file:  # for the operating system's own words on what is wrong with a path
            # soundfile takes ".raw" to mean headerless and asks for the rate; a file without a name is told by content.
            source = io.BytesIO(file.read()) if os.fspath(path).lower().endswith(".raw") else path
        return soundfile.SoundFile(source)
    except FileNotFoundError as error:
        raise MissingAudioError(f"{_where(path, row)}: no such file (from the folder {os.getcwd()}).") from error
    except OSError as error:
        raise AudioError(f"{_where(path, row)}: cannot be read: {error.strerror or error}.") from error
    except soundfile.LibsndfileError as error:
        if os.path.getsize(path) == 0:
            raise AudioError(f"{_where(path, row)}: the file is empty (0 bytes).") from error
        raise AudioError(f"{_where(path, row)}: not readable as audio: {error.error_string}") from error


def _span(n_times: int, sr: int, offset: float, duration: float | None) -> tuple[int, int]:
    """First sample and number of samples of the part asked for, at `sr`."""
    start = round(offset * sr)
    left = max(0, n_times - start)
    return start, left if duration is None else min(left, max(1, round(duration * sr)))


def _as_waveform(clip, row: int | None) -> np.ndarray:
    """An in-memory clip as 1-D float32."""
    try:
        waveform = np.asarray(clip)
    except ValueError as error:
        raise AudioError(f"{_where(clip, row)}: expected a 1-D waveform, got a ragged nest of sequences.") from error
    if waveform.dtype.kind not in "biuf" or waveform.ndim == 0:
        raise TypeError(f"{_where(clip, row)}: expected a path or a 1-D array of numbers, got {clip!r:.80}.")
    if waveform.ndim != 1:
        raise AudioError(
            f"{_where(clip, row)}: expected a 1-D waveform, got an array of shape {waveform.shape}. "
            "Average the channels of stereo first."
        )
    return _pcm_to_float(waveform)


def _check_waveform(waveform: np.ndarray, total: int, sr: int, offset: float, where: str) -> None:
    if waveform.size == 0:
        if total == 0:
            raise AudioError(f"{where}: the clip is empty (0 samples).")
        raise AudioError(f"{where}: offset={offset} s lies behind the clip's end at {total / sr:.3f} s.")
    if not np.isfinite(waveform).all():
        raise AudioError(f"{where}: the waveform contains NaN or infinite (inf) values.")


def clip_length(clip, *, sr: int, offset: float = 0.0, duration: float | None = None, row: int | None = None) -> int:
    """Samples at `sr` that `load_waveform` returns for a clip; of a file only the header is read."""
    where = _where(clip, row)
    if not _is_path(clip):
        waveform = _as_waveform(clip, row)
        start, count = _span(waveform.size, sr, offset, duration)
        _check_waveform(waveform[start : start + count], waveform.size, sr, offset, where)
        return count
    with _open(clip, row) as sound:
        _, count = _span(sound.frames, sound.samplerate, offset, duration)
        if count == 0:
            _check_waveform(np.empty(0), sound.frames, sound.samplerate, offset, where)
        return math.ceil(count * sr / sound.samplerate)


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
    if _is_path(clip):
        with _open(clip, row) as sound:
            rate, total = sound.samplerate, sound.frames
            start, count = _span(total, rate, offset, duration)
            if count:
                sound.seek(start)
                waveform = sound.read(count, dtype="float32", always_2d=True)
                waveform = waveform[:, 0] if waveform.shape[1] == 1 else waveform.mean(axis=1)
            else:
                waveform = np.empty(0, np.float32)
    else:
        waveform, rate = _as_waveform(clip, row), sr
        total = waveform.size
        start, count = _span(total, rate, offset, duration)
        waveform = waveform[start : start + count]
    _check_waveform(waveform, total, rate, offset, _where(clip, row))
    if rate != sr:
        waveform = _resample(waveform, rate, sr)
    return _normalize(waveform, normalize)


def _resample(waveform: np.ndarray, rate: int, sr: int) -> np.ndarray:
    import soxr

    n_times = math.ceil(waveform.size * sr / rate)
    resampled = soxr.resample(waveform, rate, sr)[:n_times]
    return np.pad(resampled, (0, n_times - resampled.size))  # soxr's own rounding differs by a sample


def _normalize(waveform: np.ndarray, how: str | None) -> np.ndarray:
    if how is None:
        return waveform
    largest = float(np.abs(waveform).max())
    if largest == 0.0:
        return waveform
    waveform = waveform / np.float32(largest)  # first, so that squares of very quiet clips do not underflow
    if how == "rms":
        waveform /= np.float32(np.sqrt(np.mean(waveform.astype(np.float64) ** 2)))
    return waveform


# ------------------------------------------------------------------------------------------------------ estimators of audio


def _load_and_apply(function: Callable, clip, row: int, load_params: dict) -> np.ndarray:
    return function(load_waveform(clip, row=row, **load_params))


class AudioTransformer(TransformerMixin, BaseEstimator):
    """Base of the transformers that read audio input: decodes one clip at a time and hands each waveform to a function.

    A subclass gives `_function()`, a picklable function from a waveform to that clip's part of the result, and
    `transform`; `_learn(n_times)` is called in `fit` with every clip's length in samples.
    """

    _parameter_constraints: dict = {
        "sr": [Interval(Integral, 1, None, closed="left")],
        "offset": [Interval(Real, 0, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": [StrOptions({"rms", "peak"}), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def fit(self, X, y=None):
        """Check the clips; learn how long the longest is, where the transformer pads to that.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`. Of files, only the
            headers are read.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        AudioError
            If a clip is missing, unreadable, empty, or not finite; the message names its row.
        """
        self._check_params()
        clips = as_clips(X)
        if isinstance(clips, np.ndarray):
            self.n_features_in_ = clips.shape[1]
        elif hasattr(self, "n_features_in_"):
            del self.n_features_in_
        span = dict(sr=self.sr, offset=self.offset, duration=self.duration)
        self._learn([clip_length(clip, row=row, **span) for row, clip in enumerate(clips)])
        return self

    def _check_params(self) -> None:
        """Validate the parameters; a subclass adds the rules that relate two of them."""
        self._validate_params()

    def _learn(self, n_times: list[int]) -> None:
        """Learn from the clips' lengths; nothing by default."""

    def _function(self) -> Callable[[np.ndarray], np.ndarray]:
        raise NotImplementedError

    def _apply(self, X) -> tuple[int, Iterator[np.ndarray]]:
        """Number of clips, and the function's result for each of them, computed as it is asked for."""
        check_is_fitted(self)
        self._check_params()
        clips = as_clips(X)
        load_params = dict(sr=self.sr, offset=self.offset, duration=self.duration, normalize=self.normalize)
        task = partial(_load_and_apply, self._function(), load_params=load_params)
        # Threads by default: decoding, resampling and FFTs run outside the interpreter's lock, and starting processes
        # takes longer than a corpus of some hundred clips. A backend chosen with parallel_config goes before.
        run = Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")
        results = run(delayed(task)(clip=clip, row=row) for row, clip in enumerate(clips))
        if self.verbose:
            from tqdm.auto import tqdm

            results = tqdm(results, total=len(clips), desc=type(self).__name__, unit="clip")
        return len(clips), results

    def _stack(self, X, shape: tuple[int, ...]) -> np.ndarray:
        """Results of all clips in one array (n_clips, *shape): longer ones cropped along axis 1, shorter ones NaN-padded."""
        n_clips, results = self._apply(X)
        stacked = np.full((n_clips, *shape), np.nan, dtype=np.float32)
        for row, result in enumerate(results):
            result = result[: shape[0]]
            stacked[row, : len(result)] = result
        return stacked

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []  # audio is float32 from the decoder on
        return tags


class WaveformLoader(FramesMixin, AudioTransformer, auto_wrap_output_keys=None):
    """Waveforms of clips, mono float32 at one rate: an explicit first step of a Pipeline.

    Every audio transformer decodes paths itself; load waveforms apart only where something works on the waveforms
    themselves, or where a small corpus is to be decoded once.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate of the waveforms, Hz. Arrays are taken to be at this rate; files are resampled to it.
    offset : float, default=0.0
        Seconds to skip at the beginning of each clip.
    duration : float or None, default=None
        Seconds to read at most; None reads to the end.
    normalize : {"rms", "peak"} or None, default=None
        Scale each clip to a root mean square of 1, to a largest magnitude of 1, or not at all, so that by default the
        recording is passed on as it is.
    n_jobs : int or None, default=None
        Clips decoded at a time, by joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=0
        Above 0, show a progress bar.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import WaveformLoader
    >>> clips = [np.array([0.1, -0.2]), np.array([0.4, 0.1, 0.2])]
    >>> [w.tolist() for w in WaveformLoader(normalize="peak").fit_transform(clips)]
    [[0.5, -1.0], [1.0, 0.25, 0.5]]
    """

    def __init__(self, sr=16000, *, offset=0.0, duration=None, normalize=None, n_jobs=None, verbose=0):
        self.sr = sr
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X):
        """Load every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        waveforms : ndarray
            For an array (n_clips, n_times), an array of the same kind; for all else an object array (n_clips,) of 1-D
            float32 arrays. Both are audio input again.
        """
        n_clips, results = self._apply(X)
        waveforms = np.empty(n_clips, dtype=object)
        for row, waveform in enumerate(results):
            waveforms[row] = waveform
        return np.stack(waveforms) if isinstance(as_clips(X), np.ndarray) else waveforms

    def _function(self):
        return np.asarray

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def _chunks(waveform: np.ndarray, chunk_length: int, hop_length: int) -> np.ndarray:
    n_chunks = _n_chunks(waveform.size, chunk_length, hop_length)
    padded = np.pad(waveform, (0, (n_chunks - 1) * hop_length + chunk_length - waveform.size))
    return np.lib.stride_tricks.sliding_window_view(padded, chunk_length)[::hop_length]


def _n_chunks(n_times: int, chunk_length: int, hop_length: int) -> int:
    return 1 + math.ceil(max(0, n_times - chunk_length) / hop_length)


class WaveformChunker(FramesMixin, AudioTransformer, auto_wrap_output_keys=None):
    """Consecutive fixed-length chunks of each clip's waveform, for networks that read the waveform itself.

    The last chunk of a clip is filled up with silence (zeros); chunks that a shorter clip does not have are NaN, which the
    neural classifiers mask.

    Parameters
    ----------
    chunk_duration : float, default=1.0
        Length of a chunk, seconds.
    sr : int, default=16000
        Sampling rate, Hz.
    overlap : float, default=0.0
        Share of a chunk that the next one repeats, from 0 (consecutive chunks) to below 1.
    n_chunks : int or None, default=None
        Chunks of every clip: longer clips are cropped, shorter ones padded. None learns the longest clip's in `fit`.
    offset, duration : float, default=0.0 and None
        Part of each clip to read, seconds; None reads to the end.
    normalize : {"rms", "peak"} or None, default="rms"
        Scale each clip, before it is cut, to a root mean square of 1 or a largest magnitude of 1. RMS as in [1]_: how
        loud a recording is says more about the microphone than about the speaker.
    n_jobs : int or None, default=None
        Clips read at a time, by joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=0
        Above 0, show a progress bar.

    Attributes
    ----------
    n_chunks_ : int
        Chunks of every clip.

    References
    ----------
    .. [1] Mou et al., "Speech emotion recognition based on CNN+LSTM model", ROCLING 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import WaveformChunker
    >>> clips = [np.ones(3), np.ones(5)]
    >>> WaveformChunker(chunk_duration=2 / 16000, normalize=None).fit_transform(clips)
    array([[[ 1.,  1.], [ 1.,  0.], [nan, nan]],
           [[ 1.,  1.], [ 1.,  1.], [ 1.,  0.]]], dtype=float32)
    """

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        "chunk_duration": [Interval(Real, 0, None, closed="neither")],
        "overlap": [Interval(Real, 0, 1, closed="left")],
        "n_chunks": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        chunk_duration=1.0,
        sr=16000,
        *,
        overlap=0.0,
        n_chunks=None,
        offset=0.0,
        duration=None,
        normalize="rms",
        n_jobs=None,
        verbose=0,
    ):
        self.chunk_duration = chunk_duration
        self.sr = sr
        self.overlap = overlap
        self.n_chunks = n_chunks
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X):
        """Cut every clip into chunks.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        chunks : ndarray of shape (n_clips, n_chunks, n_times), float32
            `n_times` is the chunk's length in samples, `chunk_duration * sr`.
        """
        check_is_fitted(self)
        return self._stack(X, (self.n_chunks_, self._lengths()[0]))

    def _check_params(self):
        super()._check_params()
        if self.chunk_duration * self.sr < 1:
            raise ValueError(
                f"chunk_duration must hold at least one sample. Got {self.chunk_duration} s at sr={self.sr} Hz."
            )

    def _lengths(self) -> tuple[int, int]:
        """Chunk and hop, in samples."""
        chunk_length = round(self.chunk_duration * self.sr)
        return chunk_length, max(1, round(chunk_length * (1 - self.overlap)))

    def _learn(self, n_times):
        self.n_chunks_ = self.n_chunks or max(_n_chunks(n, *self._lengths()) for n in n_times)

    def _function(self):
        chunk_length, hop_length = self._lengths()
        return partial(_chunks, chunk_length=chunk_length, hop_length=hop_length)
