"""Metadata of clips (speaker, sentence, corpus), from columns of X or from `groups`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d

from ._messages import short


def find_column(X, name: str) -> np.ndarray | None:
    """A column of a DataFrame by its name, or None where X has none of that name."""
    return np.asarray(X[name]) if name in getattr(X, "columns", ()) else None


def find_columns(X, groups, names: dict[str, str], optional: Sequence[str] = ()) -> list[np.ndarray | None]:
    """Columns by their names: those of `groups` first, those of X for what `groups` does not hold.

    Parameters
    ----------
    X : DataFrame or anything
    groups : DataFrame, array-like of shape (n_clips,) or (n_clips, n_columns), or None
        A DataFrame holds columns by name; another array the first, or all, of the columns in the order of `names`.
    names : dict
        The column's name by the parameter that names it.
    optional : sequence of str
        Parameters whose column need not be there, in whole or in part.

    Returns
    -------
    columns : list of ndarray of shape (n_clips,), or None where an optional one is not there

    Raises
    ------
    ValueError
        If a column is nowhere, a value is missing, or lengths differ.
    """
    given: dict[str, np.ndarray | None] = {}
    if hasattr(groups, "columns"):
        given = {name: find_column(groups, name) for name in names.values()}
    elif groups is not None:
        table = np.asarray(groups)
        if table.ndim > 2 or table.ndim == 2 and table.shape[1] > len(names):
            raise ValueError(
                f"groups must hold {' and '.join(names)}: an array of shape (n_clips,) or (n_clips, {len(names)}), or "
                f"a DataFrame with the columns {list(names.values())}. Got an array of shape {table.shape}."
            )
        # A single column of groups is the first of the names.
        given = dict(zip(names.values(), table.reshape(len(table), -1).T, strict=False))
    found = []
    for parameter, name in names.items():
        column = given.get(name)
        column = find_column(X, name) if column is None else column
        if column is None and parameter not in optional:
            raise ValueError(
                f"{parameter}={short(name)} names no column. X is {describe(X)}, groups is {describe(groups)}: pass a "
                f"DataFrame that has that column as X, or the values as groups."
            )
        if column is not None and parameter not in optional and pd.isna(column).any():
            row = int(np.argmax(pd.isna(column)))
            raise ValueError(f"Every clip needs a {parameter}. That of row {row} is missing: got {short(column[row])}.")
        found.append(column)
    check_consistent_length(X, *found)
    return found


def refuse_missing(values, what: str) -> None:
    """Refuse None, NaN or pandas.NA among the values of clips.

    Parameters
    ----------
    values : array-like of shape (n_clips,) or (n_clips, n_columns), or None
    what : str
        Name of the argument or column, for the error.

    Raises
    ------
    ValueError
        If a value is missing; it names the first row.
    """
    if values is None:
        return
    table = values if hasattr(values, "isna") else pd.DataFrame({0: [*values]}) if _is_flat(values) else values
    missing = np.asarray(pd.isna(table))
    if missing.ndim and missing.any():
        row = int(np.argmax(missing.reshape(len(missing), -1).any(axis=1)))
        raise ValueError(f"{what} lacks a value in row {row}. Fill it in, or leave that row out of X, too.")


def complete(values, name: str) -> np.ndarray:
    """Values, one a clip, in one dimension; a ValueError names the row of one that is missing."""
    refuse_missing(values, name)
    return column_or_1d(values)


def check_same_kind(y_true: np.ndarray, y_pred: np.ndarray, name: str = "y_pred") -> None:
    """Refuse labels of which only one side is text: as a CSV file brings numbers back, they would never be equal."""
    true, predicted = y_true.tolist(), y_pred.tolist()
    if any(isinstance(label, str) for label in set(true)) != any(isinstance(label, str) for label in set(predicted)):
        raise ValueError(
            f"{name} must hold labels of the same type as y_true, or none of them are equal. Got {short(predicted[0])} "
            f"and {short(true[0])}. Convert one of them, such as by y_pred.astype(y_true.dtype)."
        )


def _is_flat(values) -> bool:
    return isinstance(values, (list, tuple)) and all(np.ndim(value) == 0 for value in values)


def describe(table) -> str:
    """Describe a table, for errors: its type, and its columns if they have names."""
    if table is None:
        return "None"
    columns = getattr(table, "columns", None)
    return (
        f"of type {type(table).__name__}" if columns is None else f"a DataFrame with the columns {short(list(columns))}"
    )
