"""Estimators that read clips in any accepted form: the base of them all, and those that stay with the waveform."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import chain
from numbers import Integral, Real
from random import Random

import numpy as np
from joblib import Memory, Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._cache import remembering
from ._clips import AudioError, as_clips, clip_bytes, clip_length, load_waveform
from ._frames import FramesMixin
from ._sklearn import Interval, StrOptions

__all__ = ["AudioError", "WaveformChunker", "WaveformLoader", "load_waveform"]

_BLOCK_CLIPS, _BLOCK_BYTES = 32, 2_000_000  # clips, and their bytes, that are worked on together
_WORTH_PROCESSES = 200  # clips; for fewer, starting processes takes longer than the work


def _blocks(clips: Sequence, most: int) -> Iterator[range]:
    """Rows that make one task: at most so many clips, and about so many bytes of audio."""
    start, n_bytes = 0, 0
    for row, clip in enumerate(clips):
        n_bytes += clip_bytes(clip)
        if row + 1 - start >= most or n_bytes > _BLOCK_BYTES:
            yield range(start, row + 1)
            start, n_bytes = row + 1, 0
    if start < len(clips):
        yield range(start, len(clips))


@cache
def _keep_freed_memory() -> None:
    """Once in a process: free an array of 31 MB, which nobody has touched.

    After that, glibc keeps up to twice as much that is freed, where it would hand each block's arrays back to the system and
    have it clear the same pages for the next block: a tenth of the time of `HandcraftedFeatures`. Elsewhere it does nothing.
    """
    np.empty(31 << 20, dtype=np.uint8)


def _load_and_apply(function: Callable, clips: list, rows: Sequence[int], load_params: dict) -> list[np.ndarray]:
    _keep_freed_memory()
    return function([load_waveform(clip, row=row, **load_params) for clip, row in zip(clips, rows)])


class AudioTransformer(TransformerMixin, BaseEstimator):
    """Base of the transformers that read audio input: decodes a few clips at a time and hands them to a function.

    A subclass gives `_function()`, a picklable function from a list of waveforms to the list of what the result holds for
    each, and `transform`; `_learn(n_times)` is called in `fit` with every clip's length in samples. What the function makes of
    a waveform must not depend on the others beside it, bit for bit, because a memory hands it out among others.
    """

    # Decoding, resampling and FFTs run outside the interpreter's lock, so that threads do. A subclass whose work is in many
    # small operations prefers "processes".
    _prefer = "threads"

    _parameter_constraints: dict = {
        "sr": [Interval(Integral, 1, None, closed="left")],
        "offset": [Interval(Real, 0, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": [StrOptions({"rms", "peak"}), None],
        "memory": [str, os.PathLike, Memory, None],
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

    def _function(self) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
        raise NotImplementedError

    def _apply(self, X) -> tuple[int, Iterator[tuple[int, np.ndarray]]]:
        """Number of clips, and the row and the function's result of each of them, computed as it is asked for."""
        check_is_fitted(self)
        self._check_params()
        clips = as_clips(X)
        load_params = dict(sr=self.sr, offset=self.offset, duration=self.duration, normalize=self.normalize)
        task = partial(_load_and_apply, self._function(), load_params=load_params)
        remembered = remembering(task, self.memory, type(self).__name__)
        # Several clips a task, because each small operation hands the interpreter's lock over, and waiting for it would eat up
        # what two threads gain.
        most = max(1, min(_BLOCK_CLIPS, len(clips) // (4 * effective_n_jobs(self.n_jobs))))
        blocks = list(_blocks(clips, most))
        if remembered is not task:
            # Folds that are worked on side by side ask for the same clips. Each in an order of its own, they find most of what
            # the others have done; in the same order, all would do everything at the same time.
            Random().shuffle(blocks)
        prefer = self._prefer if len(clips) >= _WORTH_PROCESSES else "threads"  # parallel_config goes before
        run = Parallel(n_jobs=self.n_jobs, prefer=prefer, return_as="generator")
        done = run(delayed(remembered)(clips=[clips[row] for row in rows], rows=rows) for rows in blocks)
        results = chain.from_iterable(zip(rows, results) for results, rows in zip(done, blocks))
        if self.verbose:
            from tqdm.auto import tqdm

            results = tqdm(results, total=len(clips), desc=type(self).__name__, unit="clip")
        return len(clips), results

    def _stack(self, X, shape: tuple[int, ...]) -> np.ndarray:
        """Results of all clips in one array (n_clips, *shape): longer ones cropped along axis 1, shorter ones NaN-padded."""
        n_clips, results = self._apply(X)
        stacked = np.empty((n_clips, *shape), dtype=np.float32)
        for row, result in results:
            result = result[: shape[0]]
            stacked[row, : len(result)] = result
            stacked[row, len(result) :] = np.nan
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
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is decoded
        once; None keeps nothing. A clip is known by its content, so that a changed file is decoded again.
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

    def __init__(self, sr=16000, *, offset=0.0, duration=None, normalize=None, memory=None, n_jobs=None, verbose=0):
        self.sr = sr
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.memory = memory
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
        for row, waveform in results:
            waveforms[row] = waveform
        return np.stack(waveforms) if isinstance(as_clips(X), np.ndarray) else waveforms

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: none, because samples in time have no names; a Pipeline asks all its steps.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (0,), object
        """
        return np.asarray([], dtype=object)

    def _function(self):
        return list

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def _chunks_of_all(waveforms: list[np.ndarray], chunk_length: int, hop_length: int) -> list[np.ndarray]:
    return [_chunks(waveform, chunk_length, hop_length) for waveform in waveforms]


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
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is read
        once; None keeps nothing. A clip is known by its content, so that a changed file is read again.
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
        memory=None,
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
        self.memory = memory
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

    def get_feature_names_out(self, input_features=None):
        """Names of a chunk's samples: `sample_0`, `sample_1` ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_times,), object
        """
        return np.asarray([f"sample_{time}" for time in range(self._lengths()[0])], dtype=object)

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
        return partial(_chunks_of_all, chunk_length=chunk_length, hop_length=hop_length)
