"""Tables of clips: which column holds them, and which columns say what part of a recording each one is."""

from __future__ import annotations

import re
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ._messages import short

CLIPS = ("path", "file", "waveform", "audio")  # columns of a table that hold clips; the first that is there
_EXACT = ("start", "end", "duration", "channel", "sr")
# Other usual names, in lower case and without what is no letter or digit.
_STARTS = (
    "start",
    "begin",
    "beg",
    "onset",
    "starttime",
    "begintime",
    "segmentstart",
    "startsegment",
    "tstart",
    "tmin",
    "xmin",
)
_ENDS = ("end", "stop", "endtime", "stoptime", "segmentend", "tend", "tstop", "tmax", "xmax", "finish")
_DURATIONS = ("duration", "dur", "segmentduration", "durationtime")
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "secs": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3}
SIDES = {"left": 0, "right": 1, "a": 0, "b": 1}  # channels of a recording of two; as in Switchboard, A is the first
_CHANNELS = ({"l": "left", "left": "left", "r": "right", "right": "right"}, {"a": "a", "b": "b"})
_VOCAL = {"speech", "song"}  # RAVDESS' vocal channels, which are no channels of the recording


_NUMBER = re.compile(r"\d+(\.0+)?")
_RIDING = ("duration", "channel")  # of a whole recording, or of another kind, if they say no part


class PartColumn(NamedTuple):
    """A column that says which part of a recording each clip is: its name in the table, its values, their unit."""

    name: str
    values: list
    unit: float = 1.0


def table_of(X) -> Any:
    """X, if it is a table or nothing of the kind; else the table that it stands for.

    These are a polars LazyFrame, a table of pyarrow, an index of audformat, and rows as a list of dicts.
    """
    if hasattr(X, "collect_schema") and hasattr(X, "collect"):
        return X.collect()
    if hasattr(X, "column_names") and hasattr(X, "to_pandas") and hasattr(X, "schema"):
        return X.to_pandas()
    if hasattr(X, "names") and hasattr(X, "to_frame") and any(name in CLIPS for name in X.names):
        return X.to_frame(index=False)
    return X


def table_column(X, name: str) -> list | None:
    """A column of a table, or a level of its index (audformat's), by name."""
    if name in X.columns:
        return list(X[name])
    index = getattr(X, "index", None)
    return list(index.get_level_values(name)) if name in (getattr(index, "names", None) or ()) else None


def column_of_clips(X) -> str | None:
    """The column of clips; None for a table of numbers."""
    column = next((name for name in CLIPS if table_column(X, name) is not None), None)
    if column is None and not all(_is_numeric(dtype) for dtype in X.dtypes):
        raise ValueError(f"A DataFrame of clips needs a column 'path'. Got the columns {short(list(X.columns))}.")
    return column


def _is_numeric(dtype) -> bool:
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric()
    return getattr(dtype, "kind", "O") in "biuf"


def part_columns(X) -> dict[str, PartColumn]:
    """Columns that say which part of a recording each clip is, and how it is read, by what they say.

    Usual names for `start`, `end` and `duration` are read, too (`begin`, `onset`, `start_time`, `stop`, `end_ms` ...).
    `offset` is the start beside a duration, and the end beside an onset.
    """
    given = {name: PartColumn(name, values) for name in _EXACT if (values := table_column(X, name)) is not None}
    index_names = [name for name in getattr(getattr(X, "index", None), "names", None) or () if name is not None]
    names = [str(name) for name in (*index_names, *X.columns) if isinstance(name, str)]
    for what, known in (("start", _STARTS), ("end", _ENDS), ("duration", _DURATIONS)):
        if what not in given and (found := _find(X, names, known)) is not None:
            given[what] = found
    offset = None if {"start", "end"} <= set(given) else _find(X, names, ("offset",))
    if offset is not None and "start" not in given and "duration" in given:
        given["start"] = offset
    elif offset is not None and "start" in given and "duration" not in given and "end" not in given:
        if re.sub("[^a-z]", "", given["start"].name.lower()).startswith("onset"):
            given["end"] = offset
    if "start" not in given or "end" in given:
        given.pop("duration", None)  # of the whole recording
    if "channel" in given:
        given["channel"] = given["channel"]._replace(values=_channels(given["channel"].values))
        if all(is_missing(value) for value in given["channel"].values):
            given.pop("channel")
    return given


def _find(X, names: list[str], known: tuple[str, ...]) -> PartColumn | None:
    """The first column of one of these names whose values can be seconds."""
    plain = {re.sub("[^a-z0-9]", "", name.lower()): name for name in reversed(names)}
    for base in known:
        for unit, factor in _UNITS.items():
            name = plain.get(base + unit)
            if name is not None:
                values = table_column(X, name) or []
                if all(is_missing(value) or _is_time(value) for value in values):
                    return PartColumn(name, values, factor)
    return None


def _is_time(value) -> bool:
    try:
        seconds(value)
    except (TypeError, ValueError):
        return False
    return True


def seconds(value, unit: float = 1.0) -> float | None:
    """A time in seconds: of a number, in `unit` seconds, of a time difference, or of text that is one of these.

    Raises
    ------
    ValueError
        If it is no time.
    """
    if is_missing(value) or isinstance(value, str) and not value.strip():
        return None
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    if isinstance(value, np.timedelta64):
        return value / np.timedelta64(1, "s")
    if isinstance(value, (bool, np.bool_)):
        raise ValueError("no time")
    try:
        number = float(value)
    except (TypeError, ValueError):
        if not isinstance(value, str):
            raise ValueError("no time") from None
        return pd.Timedelta(value).total_seconds()
    if not np.isfinite(number):
        raise ValueError("no time")
    return number if unit == 1 else number * unit


def _channels(values: list) -> list:
    """Channels as numbers or `SIDES`; other text, whose meaning is not known, begins with a question mark."""
    texts = {value.strip().lower() for value in values if isinstance(value, str)}
    texts = {text for text in texts if text not in ("", "mean") and not _NUMBER.fullmatch(text)}
    if texts and texts <= _VOCAL and all(is_missing(value) or isinstance(value, str) for value in values):
        return [None] * len(values)
    known = next((table for table in _CHANNELS if texts <= set(table)), None)
    are_numbers = any(not isinstance(value, str) and not is_missing(value) for value in values)
    return [_channel(value, known, are_numbers) if isinstance(value, str) else value for value in values]


def _channel(value: str, known: dict[str, str] | None, are_numbers: bool) -> int | str | None:
    text = value.strip().lower()
    if text in ("", "mean"):
        return text or None
    if _NUMBER.fullmatch(text):
        return int(float(text))
    return known[text] if known is not None else value if are_numbers else f"?{value}"


def is_missing(value) -> bool:
    return value is None or bool(np.ndim(value) == 0 and pd.isna(value))


def warn_of_repeated_paths(X, column: str, channels: list | None) -> None:
    """Warn where one path (of one channel) stands in several rows that differ, and nothing says where each begins."""
    clips = table_column(X, column) or []
    if not all(isinstance(clip, str) for clip in clips):
        return
    if channels is not None:
        clips = [f"{clip}\0{channel}" for clip, channel in zip(clips, channels, strict=True)]
    if len(set(clips)) == len(clips):
        return
    frame = pd.DataFrame({str(name): table_column(X, name) for name in X.columns if name not in (column, *_RIDING)})
    frame = frame.astype(str)
    rows = frame.assign(**{"": clips}).drop_duplicates()
    repeated = rows[rows[""].duplicated(keep=False)]
    if len(repeated):
        path = repeated[""].iloc[0]
        several = [name for name in frame.columns if repeated.loc[repeated[""] == path, name].nunique() > 1]
        warnings.warn(
            f"{short(path.partition(chr(0))[0])} stands in {int((repeated[''] == path).sum())} rows that differ in "
            f"{short(several)}, and each row is the whole recording, or its beginning where there is an end. If they "
            "are parts of it, name the columns that say so 'start' and 'end' (seconds), or 'channel'.",
            UserWarning,
            stacklevel=4,
        )
