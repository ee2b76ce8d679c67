"""Transformers whose result is the waveform: WaveformLoader, whole, and WaveformChunker, in chunks."""

from __future__ import annotations

import math
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..utils._docstrings import reading_parameters
from ..utils._frames import FramesMixin
from ..utils._sklearn_compat import Interval
from ._base import AudioTransformer
from ._input import as_clips


@reading_parameters("decoded")
class WaveformLoader(FramesMixin, AudioTransformer, auto_wrap_output_keys=None):
    """Waveforms of clips, mono float32 at one rate: an explicit first step of a Pipeline.

    Every audio transformer decodes paths itself; load waveforms apart only where something works on the waveforms
    themselves, or where a small corpus is to be decoded once.

    Read more in the guide: :doc:`audio input </guide/audio_input>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import WaveformLoader
    >>> clips = [np.array([0.1, -0.2]), np.array([0.4, 0.1, 0.2])]
    >>> [w.tolist() for w in WaveformLoader(normalize="peak").fit_transform(clips)]
    [[0.5, -1.0], [1.0, 0.25, 0.5]]

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate of the waveforms, Hz. Arrays are taken to be at this rate; files are resampled to it.
    <reading>
    """

    _level_counts = False  # who reads its waveforms may normalize them

    def __init__(
        self,
        sr=16000,
        *,
        offset=0.0,
        duration=None,
        normalize=None,
        channel="mean",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.sr = sr
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.channel = channel
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


@reading_parameters(
    "read", why=", as [1]_ does: how loud a recording is says more about the microphone than about the speaker"
)
class WaveformChunker(FramesMixin, AudioTransformer, auto_wrap_output_keys=None):
    """Consecutive fixed-length chunks of each clip's waveform, for networks that read the waveform itself.

    The last chunk of a clip is filled up with silence (zeros); chunks that a shorter clip does not have are NaN, which
    the neural classifiers mask.

    Read more in the guide: :doc:`audio input </guide/audio_input>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import WaveformChunker
    >>> clips = [np.ones(3), np.ones(5)]
    >>> WaveformChunker(chunk_duration=2 / 16000, normalize=None).fit_transform(clips)
    array([[[ 1.,  1.], [ 1.,  0.], [nan, nan]],
           [[ 1.,  1.], [ 1.,  1.], [ 1.,  0.]]], dtype=float32)

    Parameters
    ----------
    chunk_duration : float, default=1.0
        Length of a chunk, seconds.
    sr : int, default=16000
        Sampling rate, Hz.
    overlap : float, default=0.0
        Fraction of a chunk that the next one repeats, from 0 (consecutive chunks) to below 1.
    n_chunks : int or None, default=None
        Chunks of every clip: longer clips are cropped, shorter ones padded. None learns the longest clip's in `fit`.
    <reading>

    Attributes
    ----------
    n_chunks_ : int
        Chunks of every clip.

    References
    ----------
    .. [1] Mou et al. (2021), cited in full in `sklearn_ser.systems`.
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
        channel="mean",
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
        self.channel = channel
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
