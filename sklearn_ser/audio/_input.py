"""What the user passes as X, as a sequence of clips; a clip in memory, as a waveform."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Number, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from ._errors import AudioError
from ._lazy import AlteredClip, Segment


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
            "X must be a sequence of paths or of 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a "
            f"column 'path'. Got an object of type {type(X).__name__}; an iterator can be made a list first."
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
                f"X must hold one clip a row. Got a 1-D array of {X.dtype} of length {len(X)}: if it is one waveform, "
                "pass [waveform]. Reshape your data: waveform.reshape(1, -1) is a 2-D array of one clip."
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
    """float32; integers of 8 (unsigned), 16 and 32 bits are PCM, as scipy.io.wavfile returns it, scaled to [-1, 1]."""
    if waveform.dtype == np.uint8:
        return (waveform.astype(np.float32) - 128) / 128
    if waveform.dtype.kind == "i" and waveform.dtype.itemsize in (2, 4):
        return (waveform / -float(np.iinfo(waveform.dtype).min)).astype(np.float32)
    return waveform.astype(np.float32, copy=False)


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
