"""What the user passes as X, as a sequence of clips."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Number, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from ..utils._messages import short
from ._clips import MOST_CHANNELS, Clip, Samples, pcm_to_float
from ._derived import AlteredClip, Segment
from ._load import as_clip, waveform_and_rate, where_is

CLIPS = ("path", "file", "waveform", "audio")  # columns of a table that hold clips; the first that is there
PARTS = ("start", "end", "duration", "channel", "sr")  # columns that say which part of a clip, and how to read it
_IN_COMMON = 0.85  # of the energy of features, at least 0.93 on EMO-DB; of n clips, 1 / n


def as_clips(X, reader: str | None = "This step") -> Sequence:
    """Turn audio input into a sequence of clips, one for each row.

    Parameters
    ----------
    X : audio input
        A sequence of clips: paths, bytes, file objects, 1-D waveforms, pairs of waveform and rate; an array of shape
        (n_clips, n_times); or a DataFrame with a column `path`.
    reader : str or None
        Who reads them, for errors about what is no audio; None takes rows of any numbers.

    Returns
    -------
    clips : list or ndarray of length n_clips
        What `load_waveform` reads. It is not yet known whether each of them can be read: that is found row by row.

    Raises
    ------
    TypeError, ValueError
        If X is none of these.
    """
    if issparse(X):
        return check_array(X)  # refuses it, in words that everybody knows
    _refuse_single_clip(X)
    if hasattr(X, "names") and hasattr(X, "to_frame") and any(name in CLIPS for name in X.names):
        X = X.to_frame(index=False)  # the index of audformat
    if hasattr(X, "columns"):
        column = _column_of_clips(X)
        return _matrix(X, reader) if column is None else _non_empty(_clips_of_table(X, column))
    if isinstance(X, Sequence):
        return _clips_of_sequence(X, reader)
    if hasattr(X, "__array__"):
        return _clips_of_array(np.asarray(X.detach() if hasattr(X, "detach") else X), reader)
    raise TypeError(
        "X must be a sequence of paths or of 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column "
        f"'path'. Got an object of type {type(X).__name__}; an iterator can be made a list first."
    )


def is_single_clip(X) -> bool:
    """Whether it is one clip, which stands for a row, and not a sequence of them."""
    if isinstance(X, (str, os.PathLike, bytes, bytearray, memoryview, Clip)):
        return True
    if hasattr(X, "columns"):
        return False
    if hasattr(X, "read") or hasattr(X, "get_all_samples") or isinstance(X, Mapping):
        return True
    if isinstance(X, tuple):
        return waveform_and_rate(X) is not None
    return getattr(X, "ndim", 0) == 1 and np.asarray(X).dtype.kind in "biuf"


def _refuse_single_clip(X) -> None:
    if isinstance(X, (str, os.PathLike)):
        raise ValueError(f"X must hold one clip a row. Got the single path {short(os.fspath(X))}: pass a list, [path].")
    is_file = hasattr(X, "read") and not hasattr(X, "columns")
    if isinstance(X, (bytes, bytearray, memoryview, Clip)) or is_file:
        raise ValueError(f"X must hold one clip a row. Got a single {type(X).__name__}: pass a list, [clip].")
    is_dict = isinstance(X, Mapping) and {"array", "sampling_rate"} <= set(X)
    if is_dict or isinstance(X, tuple) and waveform_and_rate(X) is not None:
        raise ValueError("X must hold one clip a row. Got a single waveform with its rate: pass a list, [clip].")


def _clips_of_sequence(X: Sequence, reader: str | None = "") -> Sequence:
    if len(X) and all(isinstance(x, Real) for x in X):
        raise ValueError(
            f"X must hold one clip a row. Got a flat list of {len(X)} numbers: if it is one waveform, pass [waveform]. "
            "Reshape your data: np.reshape(waveform, (1, -1)) is a 2-D array of one clip."
        )
    if (
        isinstance(X, (list, tuple))
        and X
        and all(isinstance(x, (list, tuple)) and len(x) == len(X[0]) for x in X)
        and all(isinstance(value, Number) for x in X for value in x)
    ):
        return _matrix(np.asarray(X), reader)  # written as nested lists
    if any(hasattr(x, "read") for x in X):  # here, because a file object can be read by one at a time only
        X = [as_clip(x, row) if hasattr(x, "read") else x for row, x in enumerate(X)]
    return _non_empty(X)


def _clips_of_array(X: Any, reader: str | None) -> Sequence:
    """Of an array, a Series, or whatever else can be an array."""
    if X.dtype.kind == "S":
        raise ValueError("An array of bytes cuts off zeros at the end of each clip: pass a list of bytes instead.")
    holds_objects = X.dtype.kind in "OUT"
    if holds_objects and X.ndim == 2 and X.size and isinstance(X.flat[0], (str, os.PathLike, bytes)):
        if X.shape[1] > 1:
            raise ValueError(
                f"Paths come in a sequence of one dimension. Got an array of shape {X.shape}: pass one column, X[:, 0]."
            )
        X = X[:, 0]  # as scikit-learn's bagging makes it of paths
    if holds_objects and X.ndim == 1:
        return _clips_of_sequence(list(X))
    if X.ndim == 1:
        raise ValueError(
            f"X must hold one clip a row. Got a 1-D array of {X.dtype} of length {len(X)}: if it is one waveform, pass "
            "[waveform]. Reshape your data: waveform.reshape(1, -1) is a 2-D array of one clip."
        )
    if X.ndim > 2:
        raise ValueError(
            "Waveforms are mono, so an array of clips has the shape (n_clips, n_times). "
            f"Got the shape {X.shape}: average the channels first. If these are frames: {reader} reads audio, and "
            "comes after a step that has read it already."
        )
    return _matrix(X, reader)


def _matrix(X, reader: str | None) -> Any:
    """Clips of equal lengths, (n_clips, n_times) float32."""
    X = check_array(X, dtype="numeric", ensure_all_finite=False, ensure_min_features=1)
    if reader is None:
        return pcm_to_float(X, "X")
    n_clips, n_times = X.shape
    if n_times <= MOST_CHANNELS and n_clips > 200 * n_times:
        raise ValueError(
            f"X has the shape {X.shape}. Rows are clips and columns points in time, (n_clips, n_times), so that each "
            f"of {n_clips} clips would have {n_times} feature(s), or samples. A recorder's array has time on axis 0: "
            "pass [X.mean(axis=1)], or [(X, rate)]."
        )
    X = pcm_to_float(X, "X")
    if n_clips >= 3 and n_times >= 64 and _are_features(X):
        raise ValueError(
            f"{reader} reads audio, and X, of shape {X.shape}, looks like features: its columns have levels of their "
            f"own, and it reaches {np.abs(X).max():.3g}. Put one step that reads audio at the beginning of the "
            "Pipeline. Waveforms are scaled to [-1, 1]."
        )
    return X


def _are_features(X: np.ndarray) -> bool:
    """Whether rows have most in common, as features have their means, and sounds that begin anywhere have not."""
    energy = np.einsum("ij,ij->", X, X, dtype=np.float64) / len(X)
    if not np.isfinite(energy) or np.abs(X).max() <= 1:
        return False
    return bool(np.sum(X.mean(axis=0, dtype=np.float64) ** 2) > _IN_COMMON * energy and (X != X[0]).any())


def _non_empty(clips: Sequence) -> Sequence:
    if len(clips) == 0:
        raise ValueError("Found 0 clip(s) (0 sample(s)) in X while a minimum of 1 is required.")
    return clips


# --------------------------------------------------------------------------------------------------------------- tables


def table_column(X, name: str) -> list | None:
    """A column of a table, or a level of its index (audformat's), by name."""
    if name in X.columns:
        return list(X[name])
    index = getattr(X, "index", None)
    return list(index.get_level_values(name)) if name in (getattr(index, "names", None) or ()) else None


def _column_of_clips(X) -> str | None:
    """The column of clips; None for a table of numbers."""
    column = next((name for name in CLIPS if table_column(X, name) is not None), None)
    if column is None and not all(_is_numeric(dtype) for dtype in X.dtypes):
        raise ValueError(f"A DataFrame of clips needs a column 'path'. Got the columns {short(list(X.columns))}.")
    return column


def _is_numeric(dtype) -> bool:
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric()
    return getattr(dtype, "kind", "O") in "biuf"


def _clips_of_table(X, column: str) -> list:
    clips, given = table_column(X, column), part_columns(X)
    if not given:
        return list(_clips_of_sequence(clips)) if clips else clips
    return [_part(clip, {name: values[row] for name, values in given.items()}, row) for row, clip in enumerate(clips)]


def part_columns(X) -> dict[str, list]:
    """Columns that say which part of a recording each clip is, and how it is read."""
    given = {name: values for name in PARTS if (values := table_column(X, name)) is not None}
    if "start" not in given or "end" in given:
        given.pop("duration", None)  # of the whole recording
    names = {value for value in given.get("channel", ()) if not _is_missing(value)}
    if names and all(isinstance(value, str) for value in names) and not names & {"mean", "left", "right"}:
        given.pop("channel")  # of another kind, such as the vocal channels of RAVDESS, speech and song
    return given


def _part(clip, given: dict, row: int):
    """A clip, as the columns beside it say."""
    channel, sr = _whole(given, "channel", row), _whole(given, "sr", row)
    if isinstance(clip, (AlteredClip, Segment)):
        channel = sr = None  # made of a clip of which that was known
    where = where_is(clip, row)
    if channel is not None or hasattr(clip, "read"):
        clip = replace(as_clip(clip, row), channel=channel)
    if sr is not None and not isinstance(clip, (str, os.PathLike)):
        found = as_clip(clip, row)
        if isinstance(found, Samples) and found.rate is None:
            clip = replace(as_clip((found.samples, sr), row), channel=found.channel)
    start, end = (_seconds(given, name, row) for name in ("start", "end"))
    length = _seconds(given, "duration", row)
    if length is not None:
        end = (start or 0.0) + length
    if start is None and end is None:
        return clip
    if (start or 0.0) < 0 or end is not None and end <= (start or 0.0):
        raise ValueError(f"{where}: start must not be negative, and end lie after it. Got start={start} and end={end}.")
    return Segment(clip, start or 0.0, end, 1, declared=True)


def _whole(given: dict, name: str, row: int) -> int | str | None:
    value: Any = given.get(name)
    if _is_missing(value) or value == "mean":
        return value if isinstance(value, str) else None
    if isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer() and float(value) >= 0:
        return int(float(value))
    raise ValueError(f"Row {row}: {name} must be a whole number, or missing. Got {short(value)}.")


def _seconds(given: dict, name: str, row: int) -> float | None:
    value: Any = given.get(name)
    if _is_missing(value):
        return None
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    if isinstance(value, np.timedelta64):
        return value / np.timedelta64(1, "s")
    if isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value)):
        return float(value)
    raise ValueError(f"Row {row}: {name} must be seconds, or a Timedelta. Got {short(value)}.")


def _is_missing(value) -> bool:
    return value is None or bool(np.ndim(value) == 0 and pd.isna(value))


def one_recording(recording):
    """A recording as audio input of one clip, and that clip."""
    X = [recording] if is_single_clip(recording) else recording
    clips = as_clips(X)
    if len(clips) > 1:
        raise ValueError(f"predict_timeline takes one recording at a time. Got audio input of {len(clips)} clips.")
    return X, clips[0]
