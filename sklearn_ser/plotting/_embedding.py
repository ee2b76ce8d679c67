"""EmbeddingDisplay: a map of clips by their features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_consistent_length, column_or_1d, get_tags

from ..utils._columns import find_column
from ..utils._messages import short
from ..utils._random import draw_seed
from ..utils._sklearn_compat import check_matplotlib_support, fitted_layers
from ._palette import MOST_SHAPES, colours_of, shapes_of

_METHODS = ("pca", "umap")
_LONGEST_COLUMN = 16  # rows of the legend, before it takes a further column


class EmbeddingDisplay:
    """Map of clips, by features or by an encoder: what is close sounds alike to it.

    Colors are emotions, shapes speakers (or corpora, or whatever `mark` says). Whether clips lie by emotion or by
    speaker is the question that such a map is asked, and two dimensions can mislead. So the title says,
    of all dimensions, how often the nearest other clip has the same emotion, and how often the same speaker.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sklearn_ser import EmbeddingDisplay
    >>> y, speaker = np.tile(["anger", "fear"], 10), np.repeat(["a", "b"], 10)
    >>> features = np.random.default_rng(0).normal(size=(20, 5)) + 9 * (y == "fear")[:, np.newaxis]
    >>> display = EmbeddingDisplay.from_features(features, y, mark=speaker)
    >>> display.neighbours_.loc["emotion", "same"].item()
    1.0

    Parameters
    ----------
    embedding : array-like of shape (n_clips, 2)
        Where each clip lies.
    y : array-like of shape (n_clips,)
        Emotions.
    mark : array-like of shape (n_clips,) or None, default=None
        Values that shapes stand for: speakers, corpora ... More than 24 cannot be told apart: all are circles.
    mark_name : str, default="speaker"
        Name of the values of `mark`, for the legend.
    axis_names : tuple of two str, default=("", "")
        Names of the dimensions.
    neighbours : DataFrame or None, default=None
        `same` and `chance`, fractions of clips, for each of "emotion" and `mark_name`; see `neighbours_`.

    Attributes
    ----------
    neighbours_ : DataFrame or None
        Fraction of clips whose nearest other clip, by Euclidean distance in all dimensions, is of the `same` emotion
        and of the same speaker; and the fraction that `chance` would bring.
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
    """

    def __init__(self, embedding, y, *, mark=None, mark_name="speaker", axis_names=("", ""), neighbours=None):
        self.embedding = embedding
        self.y = y
        self.mark = mark
        self.mark_name = mark_name
        self.axis_names = axis_names
        self.neighbours = neighbours

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        mark="speaker",
        mark_name=None,
        method="pca",
        standardize=True,
        random_state=0,
        ax=None,
    ):
        """Draw the map of what a fitted extractor, or a fitted pipeline before its classifier, makes of clips.

        Parameters
        ----------
        estimator : transformer or Pipeline
            Fitted. A pipeline with a classifier is taken up to the classifier; a search or another meta-estimator by
            the estimator that it fitted.
        X : audio input of n_clips
        y : array-like of shape (n_clips,)
            Emotions.
        mark : str, array-like of shape (n_clips,) or None, default="speaker"
            Values that shapes stand for: a column of X, if it is a DataFrame that has it, or the values.
        mark_name : str or None, default=None
            Name of the values of `mark`, for the legend; None takes the name of the column, or "speaker".
        method : {"pca", "umap"} or transformer, default="pca"
            As for `from_features`.
        standardize : bool, default=True
            As for `from_features`.
        random_state : int, RandomState instance or None, default=0
            Seeds UMAP.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : EmbeddingDisplay

        Raises
        ------
        TypeError
            If the estimator makes no features.
        ValueError
            As for `from_features`.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if isinstance(mark, str):
            mark_name, mark = mark_name or mark, find_column(X, mark)
        return cls.from_features(
            _extractor(estimator).transform(X),
            y,
            mark=mark,
            mark_name=mark_name or "speaker",
            method=method,
            standardize=standardize,
            random_state=random_state,
            ax=ax,
        )

    @classmethod
    def from_features(
        cls, features, y, *, mark=None, mark_name="speaker", method="pca", standardize=True, random_state=0, ax=None
    ):
        """Draw the map of clips by their features.

        Parameters
        ----------
        features : array-like of shape (n_clips, n_features)
            Finite.
        y : array-like of shape (n_clips,)
            Emotions.
        mark : array-like of shape (n_clips,) or None, default=None
            Values that shapes stand for: speakers, corpora ...
        mark_name : str, default="speaker"
            Name of the values of `mark`, for the legend.
        method : {"pca", "umap"} or transformer, default="pca"
            How to come to two dimensions. "pca" keeps distances as well as two straight axes can. "umap" keeps
            neighborhoods, not distances between groups, and needs `umap-learn`. Any other transformer that makes two
            or more columns, such as `sklearn.manifold.TSNE()`, is cloned and fitted; it sees the emotions only if it
            cannot do without, as `LinearDiscriminantAnalysis`, whose map flatters clips that it was fitted to.
        standardize : bool, default=True
            If True, bring all features to unit variance first.
        random_state : int, RandomState instance or None, default=0
            Seeds UMAP.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : EmbeddingDisplay

        Raises
        ------
        ImportError
            If `method` is "umap", and `umap-learn` is not installed.
        ValueError
            If there are fewer than three clips, lengths differ, or `method` is none of these or makes less than two
            columns.
        """
        check_matplotlib_support(f"{cls.__name__}.from_features")
        features = check_array(features, dtype=[np.float64, np.float32], ensure_min_samples=3, input_name="features")
        y = column_or_1d(y)
        mark = None if mark is None else column_or_1d(mark)
        check_consistent_length(features, y, *([] if mark is None else [mark]))
        if standardize:
            features = StandardScaler().fit_transform(features)
        reducer, name = _reducer(method, features.shape, random_state)
        supervised = get_tags(reducer).target_tags.required
        embedding = np.asarray(reducer.fit_transform(features, y) if supervised else reducer.fit_transform(features))
        if embedding.ndim != 2 or embedding.shape[1] < 2:
            raise ValueError(
                f"method must make two or more columns. Got the shape {embedding.shape} from {short(reducer)}."
            )
        return cls(
            embedding[:, :2],
            y,
            mark=mark,
            mark_name=mark_name,
            axis_names=_axis_names(reducer, name),
            neighbours=_neighbours(features, {"emotion": y, mark_name: mark}),
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : EmbeddingDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        points, y = np.asarray(self.embedding), np.asarray(self.y).astype(str)
        emotions = colours_of(np.unique(y).tolist())
        mark = None if self.mark is None else np.asarray(self.mark).astype(str)
        marks = np.unique(mark).tolist() if mark is not None else []
        shapes = shapes_of(marks if len(marks) <= MOST_SHAPES else [])
        columns = self._legend_entries(emotions, marks, shapes)
        if ax is None:
            _, ax = plt.subplots(figsize=(5.2 + 1.25 * len(columns), 4.8), layout="constrained")
        # In random order, so that no emotion lies upon the others.
        for row in np.random.default_rng(0).permutation(len(points)):
            shape, filled = shapes.get(mark[row], ("o", True)) if mark is not None else ("o", True)
            ax.plot(*points[row], shape, **_style(emotions[y[row]], filled))
        # Directions and scales are arbitrary; a square has the room for the legend beside it.
        ax.set(xticks=[], yticks=[], xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        ax.set_title(self._said_of_neighbours(), size="small", loc="left")
        ax.margins(0.04)
        _draw_legend(ax, columns)
        self.neighbours_ = self.neighbours
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _legend_entries(self, emotions, marks, shapes) -> list:
        """Columns of (handle, label), the first of which begins with a heading."""
        from matplotlib.lines import Line2D

        def entry(label, shape="", color="none", filled=True):
            return Line2D([], [], linestyle="none", marker=shape, **_style(color, filled)), label

        groups = [[entry(name, "o", color) for name, color in emotions.items()]]
        headings = ["emotion"]
        if shapes:
            headings.append(self.mark_name)
            groups.append([entry(value, shape, "0.35", filled) for value, (shape, filled) in shapes.items()])
        elif marks:
            headings.append(f"{len(marks)} {self.mark_name}s")
            groups.append([])
        columns = []
        for heading, entries in zip(headings, groups, strict=True):
            for first in range(0, max(len(entries), 1), _LONGEST_COLUMN):
                top = entry(rf"$\bf{{{_tex(heading)}}}$" if not first else "")
                columns.append([top, *entries[first : first + _LONGEST_COLUMN]])
        if len(columns) == 2 and sum(map(len, columns)) < _LONGEST_COLUMN:
            columns = [columns[0] + columns[1]]
        longest = max(map(len, columns))
        return [column + [entry("")] * (longest - len(column)) for column in columns]

    def _said_of_neighbours(self) -> str:
        if self.neighbours is None or not len(self.neighbours):
            return ""
        return "\n".join(
            f"nearest clip has the same {what}: {row['same']:.0%} (chance {row['chance']:.0%})"
            for what, row in self.neighbours.iterrows()
        )


def _style(color, filled) -> dict:
    """Style a point with a thin dark rim, so that light colors stand out from a white page."""
    from matplotlib.patheffects import Normal, withStroke

    if filled:
        return dict(color=color, markersize=6.5, markeredgecolor="0.25", markeredgewidth=0.4)
    rim = [withStroke(linewidth=1.9, foreground="0.25"), Normal()]
    return dict(color=color, markersize=7, markerfacecolor="none", markeredgewidth=1.2, path_effects=rim)


def _tex(text: str) -> str:
    """In mathtext, where blanks do not count and some signs mean something."""
    return "".join({" ": r"\ ", "_": r"\_", "%": r"\%", "$": r"\$", "#": r"\#"}.get(sign, sign) for sign in text)


def _draw_legend(ax, columns) -> None:
    handles, labels = zip(*(entry for column in columns for entry in column), strict=True)
    ax.legend(
        handles,
        labels,
        ncols=len(columns),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize="small",
        handletextpad=0.2,
        columnspacing=1.0,
    )


def _extractor(estimator):
    """Return the part that makes the features: a transformer, or a pipeline without its classifier."""
    for inner in fitted_layers(estimator):
        if hasattr(inner, "transform"):
            return inner
        if isinstance(inner, Pipeline):
            if len(inner) < 2:
                raise TypeError(f"estimator must have a transformer before its classifier. Got {short(inner)}.")
            return inner[:-1]
    raise TypeError(
        "estimator must be a fitted transformer, or a Pipeline with one before its classifier: something that makes "
        f"features of clips. Got {type(estimator).__name__}."
    )


def _reducer(method, shape, random_state) -> tuple:
    """An unfitted transformer to two dimensions, and what its axes are called."""
    if isinstance(method, str) and method == "pca":
        return PCA(min(2, *shape), svd_solver="full"), "principal component"
    if isinstance(method, str) and method == "umap":
        try:
            from umap import UMAP
        except ImportError as error:
            raise ImportError(
                "method='umap' needs umap-learn: `pip install umap-learn`. method='pca' needs nothing more, and "
                "sklearn.manifold.TSNE() is another map of neighborhoods."
            ) from error
        n_neighbors = min(15, shape[0] - 1)
        return UMAP(n_neighbors=n_neighbors, random_state=draw_seed(random_state), n_jobs=1), "UMAP"
    if isinstance(method, str) or not hasattr(method, "fit_transform"):
        raise ValueError(
            f"method must be one of {list(_METHODS)}, or a transformer with fit_transform. Got {short(method)}."
        )
    return clone(method), type(method).__name__


def _axis_names(reducer, name) -> tuple:
    shares = getattr(reducer, "explained_variance_ratio_", None)
    if isinstance(reducer, PCA) and shares is not None:
        return tuple(f"{name} {k} ({share:.0%} of variance)" for k, share in enumerate(shares[:2], start=1))
    return f"{name} 1", f"{name} 2"


def _neighbours(features, labels: dict) -> pd.DataFrame:
    """Return how often a clip's nearest other clip has the same label, and how often any other clip has."""
    nearest = NearestNeighbors(n_neighbors=1).fit(features).kneighbors(return_distance=False)[:, 0]
    rows = {}
    for what, values in labels.items():
        if values is None:
            continue
        _, codes = np.unique(np.asarray(values).astype(str), return_inverse=True)
        counts = np.bincount(codes)
        n = counts.sum()
        chance = (counts * (counts - 1)).sum() / (n * (n - 1))
        rows[what] = dict(same=float(np.mean(codes[nearest] == codes)), chance=float(chance))
    return pd.DataFrame.from_dict(rows, orient="index")
