"""WaveformLoader: audio input to waveforms."""

from __future__ import annotations

import numpy as np

from ..utils._frames import FramesMixin
from ._base import AudioTransformer
from ._input import as_clips


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
    offset : float, default=0.0
        Seconds to skip at the beginning of each clip.
    duration : float or None, default=None
        Seconds to read at most; None reads to the end.
    normalize : {"rms", "peak"} or None, default=None
        Scale each clip to a root mean square of 1, to a largest magnitude of 1, or not at all, so that by default the
        recording is passed on as it is.
    channel : "mean" or int, default="mean"
        The mean of a recording's channels, or one of them, counted from 0; a column `channel` of X goes before.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is decoded
        once; None keeps nothing. A clip is known by its content, so that a changed file is decoded again.
    n_jobs : int or None, default=None
        Clips decoded at a time, by joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=0
        Above 0, show a progress bar.
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
