"""WaveformFeatures: a user's function of a waveform as a transformer of clips."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..audio import AudioTransformer
from ..audio._input import as_clips
from ..utils._clip_errors import ClipError
from ..utils._code_key import code_key
from ..utils._docstrings import reading_parameters
from ..utils._sklearn_compat import Interval, _clone_parametrized, keep_output


def _call_on_all(waveforms, *, function: Callable, sr: int, shape: tuple | None) -> list[np.ndarray]:
    """Apply the function to each waveform; `shape` is that of its result for an earlier clip."""
    results = []
    for index, waveform in enumerate(waveforms):
        try:
            result = function(waveform, sr)
        except Exception as error:
            raise ClipError(index, f"function raised {type(error).__name__}: {str(error)[:200]}") from error
        try:
            result = np.asarray(result, dtype=np.float32)
        except (TypeError, ValueError) as error:
            got = f"an object of type {type(result).__name__}"
            raise ClipError(index, f"function must return an array of numbers. Got {got}.") from error
        if result.ndim not in (1, 2) or result.size == 0:
            rule = "function must return one vector, (n_values,), or frames, (n_frames, n_values), and no empty ones"
            raise ClipError(index, f"{rule}. Got an array of shape {result.shape}.")
        if shape is not None and (result.ndim, result.shape[-1]) != (len(shape), shape[-1]):
            rule = f"function must return as many values for each clip. Got an array of shape {result.shape}"
            raise ClipError(index, f"{rule} here, and of {shape} for the longest clip of fit.")
        if not np.isfinite(result).all():
            raise ClipError(index, "function returned NaN or infinite values.")
        results.append(result)
    return results


@reading_parameters(
    "worked on",
    memory="Folder that keeps what is made of each clip; None keeps nothing. The function's code is part of what a "
    "result is found by; see Notes.",
)
class WaveformFeatures(AudioTransformer):
    """Features or frames that a function of the user's returns for each clip's waveform.

    The way in for any other encoder or toolkit (wav2vec 2.0, HuBERT, WavLM, emotion2vec, openSMILE; in PyTorch, ONNX,
    TFLite): the function is all that has to be written. Paths, formats, rates, errors that name the row, workers,
    memory and names are the library's.

    Read more in the guide: :doc:`another encoder </howto/other_encoder>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import WaveformFeatures
    >>> def level(waveform, sr):
    ...     return [np.abs(waveform).max(), waveform.size / sr]
    >>> clips = [np.full(8000, 0.5), np.full(16000, 0.25)]
    >>> WaveformFeatures(level, feature_names=["peak", "seconds"]).fit_transform(clips)
    array([[0.5 , 0.5 ],
           [0.25, 1.  ]], dtype=float32)

    Parameters
    ----------
    function : callable
        ``function(waveform, sr)`` takes a mono float32 array of shape (n_times,) and the sampling rate, and returns one
        vector, (n_values,), or frames, (n_frames, n_values); numbers that are finite, and always as many values. Clips
        may come from several threads at a time. For processes, it must be picklable (by cloudpickle, which joblib has).
    feature_names : sequence of str or None, default=None
        Name of each value; None numbers them: `value_0`, `value_1` ...
    sr : int, default=16000
        Sampling rate of the waveforms, Hz. Arrays are taken to be at this rate; files are resampled to it.
    version : str or None, default=None
        Version of the function, for `memory`, where the code does not tell versions apart: a file of weights that the
        function reads, or an object that cannot be pickled, such as a session of ONNX Runtime.
    n_frames : int or None, default=None
        Number of frames for every clip: longer clips are cropped, shorter ones padded with NaN. None learns the
        longest clip's in `fit`.
    <reading>

    Attributes
    ----------
    n_values_ : int
        Values of a clip or frame.
    n_frames_ : int
        Frames of every clip; only if the function makes frames.

    See Also
    --------
    WhisperFeatures : A pretrained encoder that needs nothing but this library.
    AudioTransformer : Base for transformers with parameters of their own.

    Notes
    -----
    `fit` calls the function on the longest clip, to learn what it makes.

    With `memory`, a result is found only by a function that does the same: the key holds the function's code, its
    defaults, what it closes over, the state of an instance or `functools.partial`, and, of the functions, classes and
    values that it refers to, the same again. Installed packages count by their version. Where something hides what it
    holds, because it cannot be pickled, nothing is kept, unless `version` is given. Files that the function reads
    cannot be seen: put what identifies them into `version`.

    Clones share the function; it is not copied.

    A function that no other process could import (of a script, a notebook, a lambda) is saved with its code and what it
    refers to, a model's weights included. One of a module is saved by its name, as pickle does. Where it holds what
    cannot be pickled, saving warns, and `set_params` gives it to the loaded pipeline.
    """

    _callables = ("function",)

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        "function": [callable],
        "feature_names": ["array-like", None],
        "version": [str, None],
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        function,
        *,
        feature_names=None,
        sr=16000,
        version=None,
        n_frames=None,
        offset=0.0,
        duration=None,
        normalize=None,
        channel="mean",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.function = function
        self.feature_names = feature_names
        self.sr = sr
        self.version = version
        self.n_frames = n_frames
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the clips; learn from the longest what the function makes.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        AudioError
            If a clip is missing, unreadable, empty, or not finite, or the function fails; the message names the row.
        ValueError
            If there are not as many `feature_names` as values.
        """
        self._shape = None
        super().fit(X, y)
        row = self._longest
        result = self._task()(clips=[as_clips(X)[row]], rows=[row])[0]
        names = self.feature_names
        if names is not None and len(names) != result.shape[-1]:
            raise ValueError(
                "feature_names must hold a name for each value of function. "
                f"Got {len(names)} names and {result.shape[-1]} values."
            )
        self._shape, self.n_values_ = result.shape, result.shape[-1]
        keep_output(self, result.ndim == 2)
        vars(self).pop("n_frames_", None)
        if result.ndim == 2:
            self.n_frames_ = self.n_frames or len(result)
        if self.memory is not None and self._cache_key(self._function()) is None:
            warnings.warn(
                "memory keeps nothing here: function holds something whose code or state cannot be seen, so that a "
                "changed one would get old results. Set version, and change it with the function.",
                UserWarning,
                stacklevel=2,
            )
        return self

    def transform(self, X):
        """Call the function on every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        features : ndarray of shape (n_clips, n_values), float32
            Or frames, (n_clips, n_frames, n_values); NaN past a clip's end.

        Raises
        ------
        AudioError
            If a clip cannot be used, or the function fails or makes something else of it than in `fit`.
        """
        check_is_fitted(self)
        if len(self._shape) == 2:
            return self._stack(X, (self.n_frames_, self.n_values_))
        return self._rows(X, self.n_values_)

    def get_feature_names_out(self, input_features=None):
        """Names of the values: `feature_names`, or `value_0`, `value_1` ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_values,), object
        """
        check_is_fitted(self)
        names = self.feature_names
        return np.asarray([f"value_{i}" for i in range(self.n_values_)] if names is None else list(names), dtype=object)

    def _learn(self, n_times):
        self._longest = int(np.argmax(n_times))

    def _function(self):
        return partial(_call_on_all, function=self.function, sr=self.sr, shape=self._shape)

    def _cache_key(self, function):
        code = code_key(self.function)
        if code is None and self.version is not None:
            code = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return None if code is None else (code, self.version, self.sr)

    def __sklearn_clone__(self):
        stand_in = copy.copy(self)  # scikit-learn would copy the function, and a model of gigabytes with it, or fail to
        stand_in.function = None
        return _clone_parametrized(stand_in).set_params(function=self.function)
