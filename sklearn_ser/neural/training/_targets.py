"""The validation set of early stopping: stratified, speakers apart."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length


def hold_out(y, groups, *, fraction: float, seed: int, classes) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the training and of the validation set, stratified; no group on both sides.

    Parameters
    ----------
    y : ndarray of shape (n_clips,), int
        Places of the labels in `classes`.
    groups : array-like of shape (n_clips,) or None
    fraction : float
        Fraction of the clips, or of the groups, to hold out.
    seed : int
    classes : ndarray

    Raises
    ------
    ValueError
        If not every class, or no group, would stand on the side that is trained on.
    """
    if groups is None:
        _, counts = np.unique(y, return_counts=True)
        n_held_out = int(np.ceil(fraction * len(y)))
        if counts.min() < 2 or n_held_out < len(counts) or len(y) - n_held_out < len(counts):
            raise ValueError(
                f"early_stopping holds out validation_fraction={fraction} of the clips with every "
                f"class on both sides. {len(y)} clips, of which {counts.min()} in the rarest of {len(counts)} "
                "classes, are too few for that: give more clips, raise validation_fraction, or set "
                "early_stopping=False."
            )
        rows = np.arange(len(y))
        return train_test_split(rows, test_size=fraction, stratify=y, random_state=seed)
    groups = column_or_1d(groups)
    check_consistent_length(y, groups)
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(
            "early_stopping with groups needs at least two of them, one to train on and one to validate on. Got 1."
        )
    most = np.unique(y, return_counts=True)[1].max()  # more folds than that cannot be stratified
    n_splits = max(2, min(n_groups, most, round(1 / fraction)))
    folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Few speakers cannot have all classes in equal fractions, and need not.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        train, held_out = next(folds.split(y, y, groups))
    missing = np.setdiff1d(y, y[train])
    if missing.size:
        raise ValueError(
            "early_stopping cannot keep the groups apart: without those held out, no clip of "
            f"{classes[missing]} is left to train on. Give more groups, or set early_stopping=False."
        )
    return train, held_out
