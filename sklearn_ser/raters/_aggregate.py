"""aggregate_ratings: one label, value or distribution for each clip."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ..utils._docstrings import put
from ..utils._messages import short
from ._agreement import correlations
from ._ratings import LAYOUTS, Ratings

_OF_NUMBERS, _OF_LABELS = ("mean", "median", "ewe"), ("majority", "plurality", "distribution")


def aggregate_ratings(ratings, method="mean", *, layout=None):
    """Join the ratings of several people to one value, label or distribution for each clip.

    Parameters
    ----------
    <layouts>
    method : {"mean", "median", "ewe", "majority", "plurality", "distribution"}, default="mean"
        For numbers: their mean or median, or the evaluator weighted estimator [1]_, a mean that weights raters by their
        correlation with the mean of the others (`rater_agreement`); those whose correlation is negative or undefined
        count for nothing. For labels: the one that more than half of the raters gave ("majority"), or more than gave
        any other ("plurality"), or the fraction that gave each ("distribution"), soft labels to train with.

    Returns
    -------
    joined : DataFrame of shape (n_clips, n_columns)
        A row for each clip, in order of appearance. Numbers: a column for each dimension (or `value`).
        Distribution: a column for each label, and rows that sum to one. Majority or plurality: the columns `label`
        (missing if no label has it), `agreement` (the fraction of raters who gave the commonest label), `n_ratings`,
        and `tied` (the labels that share the first place, joined by ":", if there are several).

    Raises
    ------
    ValueError
        If the ratings are in none of the layouts, a rater rated a clip twice, labels are to be averaged, several
        dimensions are to be counted, or raters are to be weighted that are not told.

    Warns
    -----
    UserWarning
        If some clips have tied labels; or if the weights of all raters of a clip are 0, so that their mean is taken.

    See Also
    --------
    rater_agreement : How far the raters agree.

    References
    ----------
    .. [1] M. Grimm and K. Kroschel (2005), "Evaluation of natural emotions using self assessment manikins", Proc. IEEE
       ASRU, 381-385, doi:10.1109/ASRU.2005.1566530.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.raters import aggregate_ratings
    >>> votes = pd.DataFrame({"anger": [3, 1], "fear": [1, 4]}, index=["a.wav", "b.wav"])
    >>> aggregate_ratings(votes, "plurality", layout="votes")[["label", "agreement"]].to_numpy().tolist()
    [['anger', 0.75], ['fear', 0.8]]
    >>> long = pd.DataFrame({"clip": ["a", "a", "b"], "rater": [1, 2, 1], "value": [3.0, 5.0, 1.0]})
    >>> aggregate_ratings(long)["value"].tolist()
    [4.0, 1.0]
    """
    if method not in (*_OF_NUMBERS, *_OF_LABELS):
        raise ValueError(f"method must be one of {', '.join((*_OF_NUMBERS, *_OF_LABELS))}. Got method={short(method)}.")
    ratings = Ratings(ratings, layout)
    if method in _OF_LABELS:
        if len(ratings.dimensions) > 1:
            raise ValueError(
                f"method={method!r} counts labels. The ratings have the dimensions {short(ratings.dimensions)}: pass "
                "those of one, or take 'mean', 'median' or 'ewe'."
            )
        counts = ratings.counts(ratings.dimensions[0])
        return _distribution(counts) if method == "distribution" else _winners(counts, method)
    if not ratings.is_numeric:
        raise ValueError(
            f"method={method!r} needs numbers. The ratings are labels, such as {short(ratings.table['value'][0])}: "
            "take 'plurality', 'majority' or 'distribution'."
        )
    if method == "ewe" and not ratings.has_raters:
        raise ValueError("method='ewe' weights raters: it needs a column 'rater', or the layout 'wide'.")
    join = {"mean": _mean, "median": _median, "ewe": _weighted}[method]
    columns = {"value" if name is None else name: join(ratings, name) for name in ratings.dimensions}
    return pd.DataFrame(columns, index=ratings.clips)


def _distribution(counts):
    return counts / counts.sum(axis=1).where(lambda sums: sums > 0).to_numpy()[:, np.newaxis]


def _winners(counts, method):
    numbers, n_ratings = counts.to_numpy(), counts.to_numpy().sum(axis=1)
    most = numbers.max(axis=1)
    first = (numbers == most[:, np.newaxis]) & (most > 0)[:, np.newaxis]
    ties = first.sum(axis=1) > 1
    wins = (first.sum(axis=1) == 1) & ((2 * most > n_ratings) if method == "majority" else True)
    labels = np.array(counts.columns, dtype=object)
    if ties.any():
        clip = counts.index[ties.argmax()]
        warnings.warn(
            f"{ties.sum()} of {len(counts)} clips have no label, because several share the first place, listed in "
            f"`tied`. The first is {short(clip)}: {' and '.join(map(str, labels[first[ties.argmax()]]))}.",
            UserWarning,
            stacklevel=3,
        )
    return pd.DataFrame(
        {
            "label": [labels[row.argmax()] if won else None for row, won in zip(first, wins, strict=True)],
            "agreement": np.divide(most, n_ratings, out=np.full(len(most), np.nan), where=n_ratings > 0),
            "n_ratings": n_ratings,
            "tied": [":".join(map(str, labels[row])) if tie else "" for row, tie in zip(first, ties, strict=True)],
        },
        index=counts.index,
    )


def _mean(ratings, dimension):
    table = ratings.of(dimension)
    clip, votes, n = table["clip"], table["votes"], len(ratings.clips)
    sums, counts = np.bincount(clip, votes * table["value"], minlength=n), np.bincount(clip, votes, minlength=n)
    return np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)


def _median(ratings, dimension):
    table = ratings.of(dimension)
    each = table.loc[table.index.repeat(table["votes"])]
    return each.groupby("clip")["value"].median().reindex(range(len(ratings.clips))).to_numpy()


def _weighted(ratings, dimension):
    """Evaluator weighted estimator."""
    wide = ratings.matrix(dimension).astype(float)
    weights = np.clip(np.nan_to_num([correlations(wide)[rater] for rater in wide]), 0, None)
    values = wide.to_numpy()
    total = (~np.isnan(values) * weights).sum(axis=1)
    lost = (total == 0) & ~np.isnan(values).all(axis=1)
    if lost.any():
        warnings.warn(
            f"{lost.sum()} of {len(wide)} clips were rated only by people whose correlation with the others is not "
            f"positive. The mean is taken instead. The first is {short(wide.index[lost.argmax()])}.",
            UserWarning,
            stacklevel=4,
        )
    sums = np.nansum(values * weights, axis=1)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), _mean(ratings, dimension))


if aggregate_ratings.__doc__:  # none with python -OO
    aggregate_ratings.__doc__ = put("\n" + LAYOUTS, "layouts", aggregate_ratings.__doc__)
