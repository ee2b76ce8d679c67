"""Families of columns, from their names or from what a user says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from sklearn.utils import column_or_1d

from ..features._clip_features import CLIP_FEATURES
from ..features._descriptors import DESCRIPTORS
from ..utils._messages import short


def resolve_families(families, names) -> dict[str, np.ndarray]:
    """Columns of each family.

    Parameters
    ----------
    families : {"family", "descriptor"}, dict of str to sequence of str or int, or array-like of shape (n_features,)
    names : sequence of n_features str

    Returns
    -------
    columns : dict of str to ndarray of int
        In the order of their first columns.

    Raises
    ------
    ValueError
        If a name belongs to no descriptor, or what was given does not fit the columns.
    """
    names = [str(name) for name in names]
    if isinstance(families, str):
        if families not in ("family", "descriptor"):
            raise ValueError(
                "families must be 'family', 'descriptor', a dict of columns or an array of one family for each column. "
                f"Got {short(families)}."
            )
        return _grouped([_by_name(name, families) for name in names])
    if isinstance(families, Mapping):
        return _from_mapping(families, names)
    families = column_or_1d(families)
    if len(families) != len(names):
        raise ValueError(
            f"families must have one entry for each of the {len(names)} columns. Got {len(families)} entries."
        )
    return _grouped([str(family) for family in families])


def _grouped(labels) -> dict[str, np.ndarray]:
    columns: dict = {}
    for column, label in enumerate(labels):
        columns.setdefault(label, []).append(column)
    return {label: np.array(found) for label, found in columns.items()}


def _from_mapping(families, names) -> dict[str, np.ndarray]:
    place = {name: column for column, name in enumerate(names)}
    columns = {}
    for family, members in families.items():
        members = [members] if isinstance(members, (str, int, np.integer)) else list(members)
        found = [place.get(member, -1) if isinstance(member, str) else member for member in members]
        wrong = [member for member, column in zip(members, found, strict=True) if not 0 <= int(column) < len(names)]
        if wrong:
            raise ValueError(
                f"families[{short(str(family))}] must hold names or numbers of columns. There is no column "
                f"{short(wrong[0])} among {short(names)}."
            )
        if found:
            columns[str(family)] = np.unique(np.array(found, dtype=int))
    if not columns:
        raise ValueError("families must hold at least one family with columns. Got none.")
    return columns


@cache
def _prefixes() -> dict[str, tuple[str, str]]:
    """Family and descriptor by what a column's name may begin with."""
    found: dict = {}
    for table in (DESCRIPTORS, CLIP_FEATURES):
        for descriptor, row in table.items():
            for name in (descriptor, *row.columns):
                found.setdefault(name, (row.family, descriptor))
    return found


def _by_name(name: str, kind: str) -> str:
    """Family or descriptor of a column: of the longest beginning of its name that is known."""
    known, begin = _prefixes(), name
    while begin and begin not in known:
        begin = begin.rpartition("_")[0]
    if not begin:
        raise ValueError(
            f"The column {short(name)} belongs to no descriptor of this library, so that its family is not known. "
            "Pass families: a dict of names to columns, or an array of one family for each column."
        )
    return known[begin][kind == "descriptor"]
