"""Conversion of what the user passes as X to a sequence of clips."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Number, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from ..utils._clip_errors import AudioError, MissingAudioError
from ..utils._messages import short
from ..utils._tables import (
    CLIPS,
    SIDES,
    PartColumn,
    column_of_clips,
    is_missing,
    part_columns,
    seconds,
    table_column,
    table_of,
    warn_of_repeated_paths,
)
from ._clips import MOST_CHANNELS, Clip, Samples, pcm_to_float
from ._derived import AlteredClip, Segment
from ._load import RowOfDataset, UnusableClip, as_clip, waveform_and_rate, where_is

_UNSCALED = 100.0  # floats beyond are no recording in [-1, 1], nor one that was normalized to an RMS of 1
_IN_COMMON = 0.85  # of the energy of features, at least 0.93 on EMO-DB; of n clips, 1 / n


def as_clips(X, reader: str | None = "This step") -> Sequence:
    """Turn audio input into a sequence of clips, one for each row.

    Parameters
    ----------
    X : audio input
        A sequence of clips: paths, bytes, file objects, 1-D waveforms, pairs of waveform and rate; an array of shape
        (n_clips, n_times); a DataFrame with a column `path`, also of polars or pyarrow, or as a list of dicts; or a
        Dataset of Hugging Face.
    reader : str or None
        Name of the reader, for errors about input that is no audio; None takes rows of any numbers.

    Returns
    -------
    clips : list or ndarray of length n_clips
        Clips that `load_waveform` reads. Unreadable ones are found later, row by row.

    Raises
    ------
    TypeError, ValueError
        If X is none of these.
    """
    if issparse(X):
        return check_array(X)  # refuses it, in words that everybody knows
    X = table_of(X)
    _refuse_single_clip(X)
    X = _table_of_dicts(_table_of_dataset(X))
    if hasattr(X, "columns"):
        column = column_of_clips(X)
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
    """Return whether it is one clip, which stands for a row, and not a sequence of clips."""
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
    """Return the clips of an array, a Series, or anything else that can be an array."""
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
    """Return whether rows are features by the means that they share, which waveforms that begin anywhere do not."""
    energy = np.einsum("ij,ij->", X, X, dtype=np.float64) / len(X)
    if not np.isfinite(energy) or np.abs(X).max() <= 1:
        return False
    return bool(np.sum(X.mean(axis=0, dtype=np.float64) ** 2) > _IN_COMMON * energy and (X != X[0]).any())


def _non_empty(clips: Sequence) -> Sequence:
    if len(clips) == 0:
        raise ValueError("Found 0 clip(s) (0 sample(s)) in X while a minimum of 1 is required.")
    return clips


# --------------------------------------------------------------------------------------------------------------- tables


def _table_of_dicts(X):
    """Rows as dicts (``table.to_dict("records")``) as a table; all else as it is."""
    if not (isinstance(X, (list, tuple)) and X and all(isinstance(x, Mapping) for x in X)):
        return X
    keys = list(dict.fromkeys(key for x in X for key in x))
    sounds = {"array", "raw", "bytes", "sampling_rate"}
    table = pd.DataFrame({key: pd.Series([x.get(key) for x in X], dtype=object) for key in keys if key not in sounds})
    has_sound = [any(x.get(key) is not None for key in sounds) for x in X]
    if any(has_sound):  # as Hugging Face has it: the dict is the clip
        clips = [x if sound else x.get("path") for x, sound in zip(X, has_sound, strict=True)]
        return table.assign(path=pd.Series(clips, dtype=object)) if part_columns(table) else X
    return table if any(key in CLIPS for key in keys) else X


def _table_of_dataset(X):
    """A Dataset of Hugging Face as a table of clips that are read row by row; all else as it is."""
    if not (hasattr(X, "column_names") and hasattr(X, "features") and hasattr(X, "__getitem__")):
        return X
    features, names = X.features or {}, list(X.column_names)
    audio = next((name for name in names if type(features.get(name)).__name__ == "Audio"), None)
    if audio is not None:  # its bytes are decoded here, as all others
        X = X.cast_column(audio, type(features[audio])(decode=False))
    column = audio or next((name for name in CLIPS if name in names), None)
    if column is None:
        raise ValueError(f"A Dataset of clips needs a column of audio, or 'path'. Got the columns {short(names)}.")
    table = pd.DataFrame({name: pd.Series(list(X[name]), dtype=object) for name in names if name not in CLIPS})
    clips = [RowOfDataset(X, row, column) for row in range(len(X))]
    return table.drop(columns=column, errors="ignore").assign(path=pd.Series(clips, dtype=object))


def _clips_of_table(X, column: str) -> list:
    clips, given = table_column(X, column) or [], part_columns(X)
    if "start" not in given:
        warn_of_repeated_paths(X, column, given["channel"].values if "channel" in given else None)
    clips = [_check_there(clip, column, X, row) for row, clip in enumerate(clips)]
    if not given:
        return list(_clips_of_sequence(clips)) if clips else clips
    return [_part_or_error(clip, given, row) for row, clip in enumerate(clips)]


def _check_there(clip, column: str, X, row: int):
    """The clip; or one that says what is wrong with its cell, when it is read."""
    if is_missing(clip):
        return UnusableClip(AudioError(f"Row {row}: the column '{column}' holds no clip. Got {short(clip)}."))
    if column == "path" and isinstance(clip, str) and not os.path.exists(clip):
        beside = next((name for name in ("waveform", "audio") if name in X.columns), None)
        sound = None if beside is None else (table_column(X, beside) or [])[row]
        if sound is not None and not isinstance(sound, (str, os.PathLike)) and not is_missing(sound):
            error = MissingAudioError(
                f"{where_is(clip, row)}: no such file (from the folder {short(os.getcwd())}). The column '{beside}' "
                "of the table holds sound: drop the column 'path', and it is read."
            )
            return UnusableClip(error, clip)
    return clip


def _part_or_error(clip, given: dict[str, PartColumn], row: int):
    """A clip, as the columns beside it say; or one that says what is wrong with them, when it is read."""
    if isinstance(clip, UnusableClip):
        return clip
    try:
        return _part(clip, given, row)
    except ValueError as error:
        return UnusableClip(error, as_clip(clip, row).path if isinstance(clip, (str, os.PathLike)) else None)


def _part(clip, given: dict[str, PartColumn], row: int):
    where = where_is(clip, row)
    if not isinstance(clip, (AlteredClip, Segment)):  # else made of a clip of which that was known
        channel, sr = _whole(given, "channel", row), _whole(given, "sr", row)
        if channel is not None or hasattr(clip, "read"):
            clip = replace(as_clip(clip, row), channel=channel)  # type: ignore[type-var]
        if sr is not None and not isinstance(clip, (str, os.PathLike)):
            found = as_clip(clip, row)
            if isinstance(found, Samples) and found.rate is None:
                clip = replace(as_clip((found.samples, sr), row), channel=found.channel)  # type: ignore[type-var]
    start, end, length = (_seconds(given, name, row) for name in ("start", "end", "duration"))
    if length is not None:
        end = (start or 0.0) + length
    if start is None and end is None:
        return clip
    if (start or 0.0) < 0 or end is not None and end <= (start or 0.0):
        raise ValueError(f"{where}: start must not be negative, and end lie after it. Got start={start} and end={end}.")
    return Segment(clip, start or 0.0, end, 1, declared=True)


def _whole(given: dict[str, PartColumn], name: str, row: int) -> int | str | None:
    value: Any = given[name].values[row] if name in given else None
    if is_missing(value):
        return None
    if isinstance(value, str) and name == "channel" and (value in ("mean", *SIDES) or value.startswith("?")):
        return value
    if isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer() and float(value) >= 0:
        return int(float(value))
    raise ValueError(f"Row {row}: {name} must be a whole number, or missing. Got {short(value)}.")


def _seconds(given: dict[str, PartColumn], name: str, row: int) -> float | None:
    if name not in given:
        return None
    column = given[name]
    try:
        return seconds(column.values[row], column.unit)
    except (TypeError, ValueError):
        got = short(column.values[row])
        raise ValueError(f"Row {row}: {column.name} must be seconds, or a Timedelta. Got {got}.") from None


def warn_of_scale(clips: Sequence) -> None:
    """Warn of waveforms whose numbers are not scaled to [-1, 1]: integers as floats, or 16 bits in 32."""
    seen, widest, bits_row = set(), 0, 0
    for row, clip in enumerate(clips):
        while isinstance(clip, (AlteredClip, Segment)):
            clip = clip.source
        if id(clip) in seen or isinstance(clip, (str, bytes, os.PathLike)) or not _holds_numbers(clip):
            continue
        seen.add(id(clip))
        try:
            found = as_clip(clip, row)
            samples = found.array(found.where(row)) if isinstance(found, Samples) else np.empty(0)
        except (ValueError, TypeError):
            continue  # found when it is read
        loudest = max(float(samples.max()), -float(samples.min())) if samples.size else 0.0
        if samples.dtype.kind == "f" and np.isfinite(loudest) and loudest > _UNSCALED:
            warnings.warn(
                f"{where_is(clip, row)}: a waveform of floats must lie in [-1, 1], and this one reaches {loudest:.0f}, "
                "as integers do that were not scaled. Pass integers as int16 or int32, divide 16-bit values by 32768, "
                "or set normalize='rms' where the step has it.",
                UserWarning,
                stacklevel=4,
            )
            return
        if samples.dtype == np.int32 and np.bitwise_and(samples, 0xFF).any() and loudest > widest:
            widest, bits_row = loudest, row
    if 0 < widest < 2**15:
        warnings.warn(
            f"{where_is(clips[bits_row], bits_row)}: int32 samples are scaled by 2**31, and the largest of all is "
            f"{widest:.0f}, as if they held 16 bits. Pass them as int16: waveform.astype('int16').",
            UserWarning,
            stacklevel=4,
        )


def _holds_numbers(clip) -> bool:
    """Return whether samples are in memory already, so that it costs nothing to look at them."""
    if isinstance(clip, (Samples, list, tuple)) or isinstance(clip, Mapping) and "array" in clip:
        return True
    return hasattr(clip, "__array__") and not hasattr(clip, "get_all_samples")


def one_recording(recording):
    """A recording as audio input of one clip, and that clip."""
    X = [recording] if is_single_clip(recording) else recording
    clips = as_clips(X)
    if len(clips) > 1:
        raise ValueError(f"predict_timeline takes one recording at a time. Got audio input of {len(clips)} clips.")
    return X, clips[0]
