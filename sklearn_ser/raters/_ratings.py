"""Ratings in any of their forms, as one table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..utils._messages import short

LAYOUTS = """ratings : DataFrame or array-like
    The ratings, in one of these layouts. Missing values are ratings that were not given.

    - "long": a row for each rating, with the columns `clip`, `value` (a label or a number; a column `label` does, too)
      and, as far as there are any, `rater`, `dimension` (such as "arousal") and `votes` (by how many people).
    - "wide": a row for each clip and a column for each rater, as DataFrame or array.
    - "votes": a row for each clip and a column for each label, holding the number of people who named it.
layout : {"long", "wide", "votes"} or None, default=None
    By default "long" if there is a column `clip`, else "wide"."""


class Ratings:
    """Ratings, one a row.

    Attributes
    ----------
    table : DataFrame
        Columns `clip` (its number), `rater`, `dimension`, `value`, `votes`; no missing values.
    clips : Index
        The clips in their order of appearance.
    dimensions : list
        The dimensions in their order of appearance; [None] if there are none.
    has_raters : bool
        True if it is known who gave which rating.
    """

    def __init__(self, ratings, layout=None):
        if layout is None:
            layout = "long" if "clip" in getattr(ratings, "columns", ()) else "wide"
        readers = {"long": _read_long, "wide": _read_wide, "votes": _read_votes}
        if layout not in readers:
            raise ValueError(f"layout must be 'long', 'wide' or 'votes'. Got layout={short(layout)}.")
        table = readers[layout](ratings)
        codes, self.clips = pd.factorize(table["clip"])
        if (codes < 0).any():
            raise ValueError(f"Every rating needs a clip. That of row {int((codes < 0).argmax())} is missing.")
        self.clips = pd.Index(self.clips, name="clip") if layout == "long" else _index(ratings)
        self.has_raters = layout == "wide" or layout == "long" and "rater" in table
        for column, default in (("rater", np.arange(len(table))), ("dimension", None), ("votes", 1)):
            if column not in table:
                table[column] = default
        self.dimensions = list(dict.fromkeys(table["dimension"]))
        table = table.assign(clip=codes)[table["value"].notna() & (table["votes"] > 0)]
        twice = table.duplicated(["clip", "rater", "dimension"]) if self.has_raters else np.zeros(len(table), bool)
        if twice.any():
            first = table[twice].iloc[0]
            raise ValueError(
                f"A rater may rate a clip once. Rater {short(first['rater'])} rated the clip "
                f"{short(self.clips[first['clip']])} twice, the second time {short(first['value'])}."
            )
        if table.empty:
            raise ValueError("ratings must hold at least one rating. Got none.")
        self.is_numeric = all(isinstance(value, (int, float, np.number)) for value in table["value"])
        if self.is_numeric:
            table["value"] = table["value"].astype(float)
            if not np.isfinite(table["value"]).all():
                raise ValueError(f"Ratings must be finite. Got {short(table['value'].to_numpy())}.")
        self.table = table.reset_index(drop=True)

    def of(self, dimension):
        """Return the ratings of one dimension."""
        return self.table[self.table["dimension"].isna() if dimension is None else self.table["dimension"] == dimension]

    def counts(self, dimension) -> pd.DataFrame:
        """Return the number of people who gave each value, (n_clips, n_values), values sorted."""
        table = self.of(dimension)
        column = {value: n for n, value in enumerate(sorted(table["value"].unique()))}
        counts = np.zeros((len(self.clips), len(column)), dtype=np.int64)
        np.add.at(
            counts, (table["clip"].to_numpy(), table["value"].map(column).to_numpy(int)), table["votes"].to_numpy()
        )
        return pd.DataFrame(counts, index=self.clips, columns=list(column))

    def matrix(self, dimension) -> pd.DataFrame:
        """Return the ratings, (n_clips, n_raters), with missing values where there is none."""
        wide = self.of(dimension).pivot(index="clip", columns="rater", values="value")
        raters = [rater for rater in dict.fromkeys(self.table["rater"]) if rater in wide]
        return wide.reindex(range(len(self.clips)))[raters].set_axis(self.clips)


def _read_long(ratings):
    columns = list(getattr(ratings, "columns", ()))
    if "clip" not in columns or not {"value", "label"} & set(columns):
        raise ValueError(f"Long ratings need columns 'clip' and 'value' (or 'label'). Got columns {short(columns)}.")
    names = {"label": "dimension" if "value" in columns and "dimension" not in columns else "value"}
    table = ratings.rename(columns=names if "label" in columns and names["label"] not in columns else {})
    keep = [name for name in ("clip", "rater", "dimension", "value", "votes") if name in table]
    table = table[keep].reset_index(drop=True).copy()
    for column in {"rater", "dimension"} & set(keep):
        if table[column].isna().any():
            raise ValueError(
                f"Every rating needs a {column}. That of row {int(table[column].isna().argmax())} is missing."
            )
    return table.assign(votes=_checked_votes(table["votes"])) if "votes" in keep else table


def _read_wide(ratings):
    wide = ratings if isinstance(ratings, pd.DataFrame) else pd.DataFrame(np.asarray(ratings))
    if wide.ndim != 2 or wide.shape[1] < 1:
        raise ValueError(f"Wide ratings need a column for each rater. Got shape {wide.shape}.")
    _check_index(wide)
    return pd.DataFrame(
        {
            "clip": np.repeat(wide.index.to_numpy(), wide.shape[1]),
            "rater": np.tile(wide.columns.to_numpy(), len(wide)),
            "value": wide.to_numpy(dtype=object).ravel(),
        }
    )


def _read_votes(ratings):
    votes = ratings if isinstance(ratings, pd.DataFrame) else pd.DataFrame(np.asarray(ratings))
    _check_index(votes)
    return pd.DataFrame(
        {
            "clip": np.repeat(votes.index.to_numpy(), votes.shape[1]),
            "value": np.tile(votes.columns.to_numpy(dtype=object), len(votes)),
            "votes": _checked_votes(pd.Series(votes.to_numpy().ravel())),
        }
    )


def _index(wide):
    """Return the index of a table with a row for each clip, be it of files, or of audformat's segments."""
    return wide.index if isinstance(wide, pd.DataFrame) else pd.RangeIndex(len(wide), name="clip")


def _check_index(wide):
    if wide.index.has_duplicates:
        twice = wide.index[wide.index.duplicated()][0]
        raise ValueError(f"A row for each clip is expected. The clip {short(twice)} has several; is the layout 'long'?")


def _checked_votes(votes):
    numbers = pd.to_numeric(votes, errors="coerce").astype(float)
    wrong = ~((numbers >= 0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))
    if wrong.any():
        raise ValueError(f"Votes must be whole numbers of people, from 0. Got {short(votes[wrong].iloc[0])}.")
    return numbers.astype(np.int64)
