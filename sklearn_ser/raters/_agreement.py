"""Agreement of raters: Krippendorff's alpha, and each rater's agreement with the others."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ..utils._docstrings import put
from ..utils._messages import short
from ._ratings import LAYOUTS, Ratings

_LEVELS = ("nominal", "ordinal", "interval")


def rater_agreement(ratings, level=None, *, layout=None):
    """Measure how far raters agree: Krippendorff's alpha of all, and each rater's agreement with the others.

    Parameters
    ----------
    <layouts>
    level : {"nominal", "ordinal", "interval"} or None, default=None
        How different two ratings are: equal or not ("nominal"), how many ratings lie between them ("ordinal"), or the
        square of their difference ("interval"). By default "interval" for numbers, "nominal" for labels.

    Returns
    -------
    agreement : :class:`~sklearn.utils.Bunch`
        alpha : float, or Series by dimension
            Krippendorff's alpha [1]_: 1 for perfect agreement, 0 for that of chance, below for less. NaN if all ratings
            are the same, because there is nothing to agree on, or no clip has two.
        raters : DataFrame of shape (n_raters, 2), or None
            For each rater (and dimension) `n_ratings`, and `correlation` with the mean of the others over the clips
            that they rated, too, the weights of the evaluator weighted estimator [2]_; for labels, `agreement`, the
            fraction of clips on which a rater says what most others say. None where votes were counted.
        n_clips : int
            Clips with at least two ratings.
        level : str
            The level that was taken.

    Raises
    ------
    ValueError
        If the ratings are in none of the layouts, or a rater rated a clip twice, or labels are taken for numbers.

    See Also
    --------
    aggregate_ratings : One label or value for each clip.

    Notes
    -----
    Alpha is computed from all pairs of ratings of the same clip; missing ratings are no obstacle, and clips with one
    rating count for nothing. "ordinal" is "interval" on the ranks of the ratings.

    References
    ----------
    .. [1] K. Krippendorff (2011), "Computing Krippendorff's alpha-reliability", University of Pennsylvania.
    .. [2] M. Grimm and K. Kroschel (2005), "Evaluation of natural emotions using self assessment manikins", Proc. IEEE
       ASRU, 381-385, doi:10.1109/ASRU.2005.1566530. There, a rater is correlated with the mean of all; here with that
       of the others, so that few raters do not seem to agree because each agrees with itself.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser.raters import rater_agreement
    >>> wide = pd.DataFrame({"ann": ["anger", "fear", "anger"], "bob": ["anger", "fear", "fear"]})
    >>> round(float(rater_agreement(wide).alpha), 3)
    0.444
    """
    ratings = Ratings(ratings, layout)
    level = ("interval" if ratings.is_numeric else "nominal") if level is None else level
    if level not in _LEVELS:
        raise ValueError(f"level must be 'nominal', 'ordinal' or 'interval'. Got level={short(level)}.")
    if level != "nominal" and not ratings.is_numeric:
        raise ValueError(
            f"level={level!r} needs numbers. The ratings are labels, such as {short(ratings.table['value'][0])}."
        )
    alphas = {dimension: _alpha(ratings.of(dimension), level) for dimension in ratings.dimensions}
    one = ratings.dimensions == [None]
    n_ratings = ratings.table.groupby(["dimension", "clip"], dropna=False)["votes"].sum()
    return Bunch(
        alpha=alphas[None] if one else pd.Series(alphas, name="alpha"),
        raters=_raters(ratings, level, one) if ratings.has_raters else None,
        n_clips=int((n_ratings > 1).groupby("clip").any().sum()),
        level=level,
    )


def _alpha(table, level):
    """Krippendorff's alpha of the ratings of one dimension."""
    sizes = table.groupby("clip")["votes"].transform("sum")
    table = table[sizes > 1]
    if table["value"].nunique() < 2:
        warnings.warn(
            "Krippendorff's alpha is not defined, because all ratings of clips with two or more are the same, or there "
            "are none: it is NaN.",
            UserWarning,
            stacklevel=4,
        )
        return float("nan")
    votes, clip = table["votes"].to_numpy(float), pd.factorize(table["clip"])[0]
    if level == "nominal":  # half the square of the distance of two labels, each a corner of a simplex
        points = pd.get_dummies(table["value"]).to_numpy(float)
    else:
        points = table["value"].to_numpy(float)[:, np.newaxis]
    if level == "ordinal":
        points = _ranks(points[:, 0], votes)[:, np.newaxis]
    points = points - points.mean(axis=0)
    n = np.bincount(clip, votes)
    squares = np.bincount(clip, votes * (points**2).sum(axis=1))
    sums = np.stack([np.bincount(clip, votes * column) for column in points.T], axis=1)
    observed = np.sum((n * squares - (sums**2).sum(axis=1)) / (n - 1))
    expected = (n.sum() * squares.sum() - (sums.sum(axis=0) ** 2).sum()) / (n.sum() - 1)
    return float(1 - observed / expected)


def _ranks(values, votes):
    """Number of ratings below each value, and half of those that equal it."""
    levels, which = np.unique(values, return_inverse=True)
    counts = np.bincount(which, votes, minlength=len(levels))
    return (np.cumsum(counts) - counts / 2)[which]


def _raters(ratings, level, one):
    frames = {}
    for dimension in ratings.dimensions:
        wide = ratings.matrix(dimension)
        if level == "nominal":
            column, values = "agreement", {rater: _like_the_others(wide, rater) for rater in wide}
        else:
            column, values = "correlation", correlations(wide)
        frames[dimension] = pd.DataFrame({"n_ratings": wide.notna().sum(), column: pd.Series(values, dtype=float)})
        frames[dimension].index.name = "rater"
    return frames[None] if one else pd.concat(frames, names=["dimension"])


def correlations(wide) -> dict:
    """Correlation of each rater with the mean of the others; NaN where either is constant, or few clips are common."""
    wide = wide.astype(float)
    found = {}
    for rater in wide:
        others = wide.drop(columns=rater).mean(axis=1)
        both = wide[rater].notna() & others.notna()
        own, others = wide.loc[both, rater].to_numpy(), others[both].to_numpy()
        constant = len(own) < 2 or np.ptp(own) == 0 or np.ptp(others) < 1e-12 * np.abs(others).max()
        found[rater] = float("nan") if constant else float(np.corrcoef(own, others)[0, 1])
    return found


def _like_the_others(wide, rater):
    """Fraction of clips on which a rater says what most of the others say; ties of the others count for nothing."""
    same = []
    for own, others in zip(wide[rater], wide.drop(columns=rater).to_numpy(dtype=object), strict=True):
        values, counts = np.unique([str(value) for value in others if not pd.isna(value)], return_counts=True)
        if not pd.isna(own) and len(values) and (counts == counts.max()).sum() == 1:
            same.append(str(own) == values[counts.argmax()])
    return float(np.mean(same)) if same else float("nan")


if rater_agreement.__doc__:  # none with python -OO
    rater_agreement.__doc__ = put("\n" + LAYOUTS, "layouts", rater_agreement.__doc__)
