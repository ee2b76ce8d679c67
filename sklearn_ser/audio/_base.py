"""AudioTransformer, the base of every transformer that reads audio input."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from inspect import signature
from itertools import chain, groupby
from numbers import Integral, Real
from random import Random
from typing import Any

import numpy as np
from joblib import Memory, Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..utils._clip_errors import AudioError, ClipError
from ..utils._code_key import code_key
from ..utils._progress import with_progress
from ..utils._sklearn_compat import Interval, StrOptions
from ..utils._versions import VersionedMixin
from ._cache import Task, cached
from ._input import as_clips, warn_of_scale
from ._load import clip_bytes, clip_length, load_lazily, load_waveform, sendable, where_is
from ._shared import shared_results

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


def _load_and_apply(
    function: Callable, clips: list, rows: Sequence[int], load: Callable, load_params: dict, finite: bool
) -> list[np.ndarray]:
    waveforms = [load(clip, row=row, **load_params) for clip, row in zip(clips, rows, strict=True)]
    try:
        return _finite(function, waveforms) if finite else function(waveforms)
    except ClipError as error:
        raise AudioError(f"{where_is(clips[error.index], rows[error.index])}: {error}") from error.__cause__


def _finite(function: Callable, waveforms: list) -> list[np.ndarray]:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what comes of it is found here
        results = function(waveforms)
    for index, result in enumerate(results):
        if not np.isfinite(result).all():
            raise ClipError(
                index,
                f"the features are not finite. Its samples reach {np.abs(waveforms[index]).max():.3g}: scale them to "
                "[-1, 1], or set normalize='rms' and smaller parameters (power).",
            )
    return results


def _shuffled(blocks: list[range], clips: Sequence) -> list[range]:
    """Blocks in any order, but those of one recording's segments in theirs: some formats are decoded in order only."""
    sources = [getattr(clips[block[0]], "source", block[0]) for block in blocks]
    groups = [list(group) for _, group in groupby(zip(blocks, sources, strict=True), key=lambda pair: id(pair[1]))]
    Random().shuffle(groups)
    return [block for group in groups for block, _ in group]


class AudioTransformer(TransformerMixin, VersionedMixin, BaseEstimator):
    """Base of the transformers that read audio input: decodes a few clips at a time and hands them to a function.

    A subclass gives `_function()`, a picklable function from a list of waveforms to the list of what the result holds
    for each, and `transform`; `_learn(n_times)` is called in `fit` with every clip's length in samples. The
    function's result for a waveform must not depend on the others beside it, bit for bit, because a memory hands it out
    among others.

    Read more in the guide: :doc:`a descriptor of your own </howto/own_descriptor>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import AudioTransformer
    >>> def peaks(waveforms):
    ...     return [[np.abs(waveform).max()] for waveform in waveforms]
    >>> class Peak(AudioTransformer):
    ...     def __init__(self, memory=None):
    ...         self.sr, self.offset, self.duration, self.normalize = 16000, 0.0, None, None
    ...         self.memory, self.n_jobs, self.verbose = memory, None, 0
    ...
    ...     def _learn(self, n_times):
    ...         self.n_values_ = 1
    ...
    ...     def _function(self):
    ...         return peaks
    ...
    ...     def transform(self, X):
    ...         _, results = self._apply(X)
    ...         return np.array([values for _, values in sorted(results)])
    >>> Peak().fit_transform([np.full(8000, 0.5), np.zeros(8000)]).tolist()
    [[0.5], [0.0]]
    """

    # Decoding, resampling and FFTs run outside the interpreter's lock, so that threads do. A subclass whose work is in
    # many small operations prefers "processes".
    _prefer = "threads"
    _makes_finite = False  # whether NaN and infinite values are never what a clip's result should hold

    _reads_lazily = False  # whether `_function` takes a `LongWaveform`, which is read by slices, for a long array

    _level_counts = True  # whether a result depends on the level of the samples, if nothing normalizes them

    _parameter_constraints: dict = {
        "sr": [Interval(Integral, 1, None, closed="left")],
        "offset": [Interval(Real, 0, None, closed="left")],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": [StrOptions({"rms", "peak"}), None],
        "channel": [StrOptions({"mean"}), Interval(Integral, 0, None, closed="left")],
        "memory": [str, os.PathLike, Memory, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose", None],
    }

    def fit(self, X, y=None):
        """Check the clips; learn how long the longest is, where the transformer pads to that.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, bytes, 1-D waveforms, pairs of waveform and rate, an array (n_clips, n_times), or a DataFrame with a
            column `path`. Most files are read only in their headers.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        AudioError
            If a clip is missing, unreadable, empty, not finite, or holds less sound than it declares; the message names
            its row.
        """
        self._check_params()
        clips = as_clips(X, type(self).__name__)
        if isinstance(clips, np.ndarray):
            self.n_features_in_ = clips.shape[1]
        elif hasattr(self, "n_features_in_"):
            del self.n_features_in_
        span = dict(sr=self.sr, offset=self.offset, duration=self.duration, channel=self._channel())
        self._learn([clip_length(clip, row=row, **span) for row, clip in enumerate(clips)])
        self._ready = True  # some learn nothing that would show it
        return self

    def _check_params(self) -> None:
        """Validate the parameters; a subclass adds the rules that relate two of them."""
        self._validate_params()

    def _learn(self, n_times: list[int]) -> None:
        """Learn from the clips' lengths; nothing by default."""

    def _function(self) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
        raise NotImplementedError

    def _cache_key(self, function):
        """Return what the results depend on besides the clip: anything that `joblib.hash` takes, or None if unknown.

        By default the function's code and parameters, so that a changed subclass gets no results of the old one.
        """
        return code_key(function)

    def _task(self) -> Task:
        """From clips and their rows to their results, through the memory if there is one."""
        load_params = dict(
            sr=self.sr, offset=self.offset, duration=self.duration, normalize=self.normalize, channel=self._channel()
        )
        function = self._function()
        reading: dict[str, Any] = {"load": self._loader(), "load_params": load_params, "finite": self._makes_finite}
        task = partial(_load_and_apply, function, **reading)
        shared = shared_results()
        memory, progress = shared if self.memory is None else self.memory, getattr(shared, "progress", None)
        return cached(task, memory, type(self).__name__, self._cache_key(function), progress)

    def _loader(self) -> Callable:
        """From a clip to its waveform, as `_function` takes it."""
        return load_lazily if self._reads_lazily else load_waveform

    def _may_normalize(self) -> bool:
        """Return whether clips are normalized, by default or as set; normalize=None asks for samples as they are."""
        default = signature(type(self).__init__).parameters.get("normalize")
        return getattr(self, "normalize", None) is not None or default is not None and default.default is not None

    def _channel(self) -> int | str:
        """Return the channel to read: a parameter `channel`, where the subclass has one."""
        return getattr(self, "channel", "mean")

    def _apply(self, X) -> tuple[int, Iterator[tuple[int, np.ndarray]]]:
        """Number of clips, and the row and the function's result of each of them, computed as it is asked for."""
        check_is_fitted(self)
        self._check_params()
        clips = as_clips(X, type(self).__name__)
        if self._level_counts and not self._may_normalize():
            warn_of_scale(clips)
        task = self._task()
        # Several clips a task, because each small operation hands the interpreter's lock over, and waiting for it would
        # eat up what two threads gain.
        most = max(1, min(_BLOCK_CLIPS, len(clips) // (4 * effective_n_jobs(self.n_jobs))))
        blocks = list(_blocks(clips, most))
        if self.memory is not None or shared_results() is not None:
            # Folds that are worked on side by side ask for the same clips. Each in an order of its own, they find most
            # of what the others have done; in the same order, all would do everything at the same time.
            blocks = _shuffled(blocks, clips)
        prefer = self._prefer if len(clips) >= _WORTH_PROCESSES else "threads"  # parallel_config goes before
        run = Parallel(n_jobs=self.n_jobs, prefer=prefer, return_as="generator")
        done = run(delayed(task)(clips=[sendable(clips[row], row) for row in rows], rows=rows) for rows in blocks)
        results = chain.from_iterable(
            zip(rows, results, strict=True) for results, rows in zip(done, blocks, strict=False)
        )
        shared = shared_results()
        if shared is not None and shared.progress is not None:  # the call that shares them says how far it is
            shared.progress.expect(getattr(task, "parameters", None), len(clips))
            return len(clips), results
        bar = dict(desc=type(self).__name__, total=len(clips), unit="clip", verbose=self.verbose)
        return len(clips), iter(with_progress(results, **bar))

    def _rows(self, X, n_values: int) -> np.ndarray:
        """Results in one array (n_clips, n_values), float32."""
        n_clips, results = self._apply(X)
        features = np.empty((n_clips, n_values), dtype=np.float32)
        for row, result in results:
            features[row] = result
        return features

    def _stack(self, X, shape: tuple[int, ...]) -> np.ndarray:
        """Results in one array (n_clips, *shape): longer clips cropped along axis 1, shorter ones padded with NaN."""
        n_clips, results = self._apply(X)
        if n_clips == 1 and self._reads_lazily:  # perhaps a long one, of which there need be no copy
            ((_, result),) = results
            self._warn_of_cropped({0: len(result)}, shape[0])
            if len(result) >= shape[0] and result.dtype == np.float32:
                return np.ascontiguousarray(result[: shape[0]])[np.newaxis]
            results = [(0, result[: shape[0]])]
        stacked, lengths = np.empty((n_clips, *shape), dtype=np.float32), {}
        for row, result in results:
            lengths[row] = len(result)
            result = result[: shape[0]]
            stacked[row, : len(result)] = result
            stacked[row, len(result) :] = np.nan
        self._warn_of_cropped(lengths, shape[0])
        return stacked

    def _warn_of_cropped(self, lengths: dict[int, int], kept: int) -> None:
        """Warn, once a call, of clips that are cropped by a tenth or more to what the longest in `fit` has."""
        name = "n_chunks" if hasattr(self, "n_chunks") else "n_frames"
        cropped = [row for row in sorted(lengths) if 0.9 * lengths[row] >= kept]
        if cropped and getattr(self, name) is None:  # else it was asked for
            more = f" (and so are {len(cropped) - 1} more)" if len(cropped) > 1 else ""
            warnings.warn(
                f"Row {cropped[0]} is cropped to the first {kept} of {lengths[cropped[0]]} {name[2:]}{more}, as "
                f"many as the longest clip in fit has. Set {name} to keep more, or cut long recordings into segments "
                "by SegmentClassifier.",
                UserWarning,
                stacklevel=4,
            )

    def __getstate__(self):
        """Return the state to pickle: that of a fitted transformer leaves out its memory.

        A search sends its workers transformers that are still to be fitted, and these keep it. A fitted one is sent
        to where it predicts, and there it must not fill a folder that nobody asked for.
        """
        state = super().__getstate__()
        if "_ready" not in state:
            return state
        return {**state, "memory": None, "verbose": state.get("verbose") or 0}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []  # audio is float32 from the decoder on
        return tags
