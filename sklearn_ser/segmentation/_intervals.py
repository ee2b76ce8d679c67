"""Intervals: stretches of a recording with their labels, and the files that other programs read them from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..utils._messages import short


class Intervals(pd.DataFrame):
    """Stretches of a recording, each with its label: a DataFrame that other programs' files can be written from.

    Made by `Timeline.to_intervals`. All of pandas is there: ``intervals[intervals["label"] == "anger"]`` are the
    intervals of anger, ``intervals.to_csv("interview.csv", index=False)`` writes a table.

    Read more in the guide: :doc:`long recordings </guide/long_recordings>`.

    Examples
    --------
    >>> from sklearn_ser.segmentation import Intervals
    >>> intervals = Intervals({"start": [0.0, 2.5], "end": [2.5, 4.0], "label": ["calm", "fear"]})
    >>> print(intervals.to_rttm(recording="interview"))
    SPEAKER interview 1 0.000 2.500 <NA> <NA> calm <NA> <NA>
    SPEAKER interview 1 2.500 1.500 <NA> <NA> fear <NA> <NA>

    Parameters
    ----------
    data : DataFrame, dict or anything else that a DataFrame is made of
        Columns `start` and `end`, seconds, and `label`; others are left alone. `Timeline.to_intervals` adds
        `probability`, from 0 to 1.
    **params
        Other arguments of `pandas.DataFrame`.

    See Also
    --------
    Timeline : Probabilities along a recording, of which they are made.
    """

    def __init__(self, data=None, **params):
        super().__init__(data, **params)

    @property
    def _constructor(self):
        return Intervals

    def to_audacity(self, path=None):
        """Write a label track for Audacity: File, Import, Labels.

        Each line holds start and end in seconds and the label, with tabs between them.

        Parameters
        ----------
        path : str, PathLike or None, default=None
            Text file to write, in UTF-8; None returns the text.

        Returns
        -------
        text : str or None

        Raises
        ------
        ValueError
            If a column is missing, or an interval ends before it starts.
        """
        lines = [f"{start:.6f}\t{end:.6f}\t{' '.join(label.split())}\n" for start, end, label in self._interval_rows()]
        return _write(lines, path)

    def to_rttm(self, path=None, *, recording=None):
        """Write a Rich Transcription Time Marked (RTTM) file, as tools for diarization read it [1]_.

        Each line is a SPEAKER object, whose name is the label and whose confidence the probability, if there is one.
        RTTM separates its fields by spaces: those within a label or a name become underscores.

        Parameters
        ----------
        path : str, PathLike or None, default=None
            Text file to write, in UTF-8; None returns the text.
        recording : str or None, default=None
            Name of the recording, without its folder and extension; None takes that of `path`.

        Returns
        -------
        text : str or None

        Raises
        ------
        ValueError
            If a column is missing, an interval ends before it starts, a label is empty, or there is neither `path`
            nor `recording`.

        References
        ----------
        .. [1] NIST (2009), "The 2009 (RT-09) Rich Transcription meeting recognition evaluation plan", appendix A.
        """
        if recording is None and path is None:
            raise ValueError("RTTM names the recording in every line. Got neither path nor recording.")
        name = _field(Path(os.fspath(path)).stem if recording is None else str(recording), "recording")
        lines = []
        confidence = self["probability"].to_numpy(float) if "probability" in self else np.full(len(self), np.nan)
        for (start, end, label), sure in zip(self._interval_rows(), confidence, strict=True):
            last = "<NA>" if np.isnan(sure) else f"{sure:.3f}"
            lines.append(
                f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} <NA> <NA> {_field(label, 'label')} {last} <NA>\n"
            )
        return _write(lines, path)

    def _interval_rows(self) -> list[tuple[float, float, str]]:
        missing = [name for name in ("start", "end", "label") if name not in self]
        if missing:
            raise ValueError(
                f"Intervals must have the columns 'start', 'end' and 'label'. Got {short(list(self.columns))}."
            )
        start, end = self["start"].to_numpy(float), self["end"].to_numpy(float)
        wrong = ~((start >= 0) & (end >= start))  # NaN, too
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                "An interval must start at 0 s or later, and must not end before. "
                f"Row {row} goes from {start[row]} to {end[row]}."
            )
        return list(zip(start.tolist(), end.tolist(), map(str, self["label"]), strict=True))


def _field(text: str, what: str) -> str:
    """As one field of a line of RTTM."""
    words = text.split()
    if not words:
        raise ValueError(f"RTTM has no empty fields, so that {what} must be a name. Got {text!r}.")
    return "_".join(words)


def _write(lines: list[str], path) -> str | None:
    text = "".join(lines)
    if path is None:
        return text
    Path(path).write_text(text, encoding="utf-8", newline="\n")
    return None
