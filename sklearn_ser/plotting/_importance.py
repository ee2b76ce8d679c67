"""FamilyImportanceDisplay: permutation importance of families of features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, check_scalar, column_or_1d

from ..audio import AudioTransformer
from ..features import FlattenFrames, Functionals
from ..metrics._bootstrap import difference_interval, measure_difference, pooled_recall, tally
from ..metrics._evaluate import _splits
from ..metrics._evaluated import unpack
from ..preprocessing import SpeakerNormalizer, WorldNormalizer
from ..utils._colors import BLUE, GREY
from ..utils._drawing import dress_scores, write_beside
from ..utils._messages import short
from ..utils._random import draw_seed
from ..utils._sklearn_compat import _safe_indexing, check_matplotlib_support, fitted_layers
from ._families import resolve_families

_EXTRACTORS = (AudioTransformer, Functionals, FlattenFrames)  # they learn nothing but how many frames there are
_MAKES_FEATURES = (*_EXTRACTORS, SpeakerNormalizer, WorldNormalizer)


class FamilyImportanceDisplay:
    """Drop in UAR of unseen speakers when all features of a family are permuted among the clips.

    Columns of one family tell much the same, so that shuffling one at a time hardly hurts, and says little. Here all
    columns of a family are permuted together: the drop in UAR is what the model draws from the family and
    cannot draw from others [1]_. Dots are drops, lines their confidence intervals over speakers.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser import FamilyImportanceDisplay
    >>> rng = np.random.default_rng(0)
    >>> y, speaker = np.tile(["anger", "fear"], 30), np.repeat(list("abcdef"), 10)
    >>> X = rng.normal(size=(60, 3)) + [0, 3, 3] * (y == "fear")[:, np.newaxis]
    >>> families = {"pitch": [0], "spectrum": [1, 2]}
    >>> display = FamilyImportanceDisplay.from_estimator(
    ...     LogisticRegression(), X, y, speaker=speaker, families=families
    ... )
    >>> display.importances.index.tolist()
    ['spectrum', 'pitch']

    Parameters
    ----------
    importances : DataFrame
        A row for each family, with the columns `value`, `low` and `high` (of the drop in UAR) and `n_features`.
    uar : float
        UAR with all features as they are.
    confidence_level : float, default=0.95
        Confidence level of the intervals.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    See Also
    --------
    sklearn.inspection.permutation_importance : Importance of single columns.
    HandcraftedFeatures.feature_families : The families.

    Notes
    -----
    A family that others can stand in for shows a small drop, and may be enough by itself: train with
    ``HandcraftedFeatures(families=[...])`` to see. The figures hold for this model and these speakers.

    References
    ----------
    .. [1] L. Breiman (2001), "Random forests", Machine Learning 45(1), 5-32.
    """

    def __init__(self, importances, *, uar, confidence_level=0.95):
        self.importances = importances
        self.uar = uar
        self.confidence_level = confidence_level

    @classmethod
    def from_estimator(
        cls,
        estimator,
        corpus,
        y=None,
        *,
        families="family",
        speaker=None,
        cv=None,
        groups=None,
        n_repeats=10,
        n_boot=2000,
        confidence_level=0.95,
        random_state=0,
        n_jobs=None,
        ax=None,
    ):
        """Measure how important families are to an estimator, and draw it.

        Features are extracted once for all families, repeats and, where their extraction learns nothing, folds.

        Parameters
        ----------
        estimator : classifier
            From audio input to emotions, such as a Pipeline of `HandcraftedFeatures`, a scaler and a classifier; or
            from features. It is cloned, not fitted, unless `cv` is "prefit".
        corpus : Bunch or audio input of n_clips
            As for `evaluate`; or features, (n_clips, n_features).
        y : array-like of shape (n_clips,) or None, default=None
            Emotions; None takes the corpus' `target`.
        families : {"family", "descriptor"}, dict or array-like of shape (n_features,), default="family"
            "family" and "descriptor" tell by the columns' names, which `HandcraftedFeatures`, and `Functionals` behind
            `LowLevelDescriptors`, make; the latter is finer. A dict holds names or numbers of the columns of each
            family; an array, the family of each column.
        speaker : array-like of shape (n_clips,) or None, default=None
            Speakers; None takes the corpus' `speaker`, or else the DataFrame's column.
        cv : int, cross-validation splitter, iterable of (train, test), "prefit" or None, default=None
            As for `evaluate`. "prefit" takes the estimator as it is, fitted to other speakers.
        groups : array-like of shape (n_clips,) or None, default=None
            Groups that `cv` keeps apart; None keeps apart the speakers.
        n_repeats : int, default=10
            Permutations of each family in each fold. Rows are permuted among the clips that the fold tests: where it
            tests one speaker, how he or she speaks in general stays in the features.
        n_boot : int, default=2000
            Resamples of speakers that intervals are made of.
        confidence_level : float, default=0.95
            How often intervals shall cover the true value.
        random_state : int, RandomState instance or None, default=0
            Seeds permutations and resampling.
        n_jobs : int or None, default=None
            Folds at a time, by joblib.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : FamilyImportanceDisplay

        Raises
        ------
        TypeError
            If what is made of the clips are no features: frames have no columns to permute.
        ValueError
            If emotions or speakers are missing, or families do not fit the columns.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_scalar(n_repeats, "n_repeats", int, min_val=1)
        clips = unpack(corpus, y, speaker, None)
        seed = draw_seed(random_state)
        if isinstance(cv, str) and cv == "prefit":
            everything = np.arange(len(clips.y))
            head, tail = _split(estimator)
            features, names = _extract(head, clips.X)
            results, splits = [_permute(tail, features, names, families, n_repeats, seed)], [(None, everything)]
        else:
            groups = clips.speaker if groups is None else column_or_1d(groups)
            check_consistent_length(clips.X, groups)
            splits = _splits(cv, clips.X, clips.y, groups)
            X, names, model = clips.X, None, estimator
            if isinstance(estimator, Pipeline) and _learns_nothing(_split(estimator)[0]):
                head, model = _split(estimator)
                X, names = _extract(clone(head).fit(clips.X), clips.X)
            results = Parallel(n_jobs=n_jobs)(
                delayed(_fit_permute)(clone(model), X, names, clips.y, train, test, families, n_repeats, seed + fold)
                for fold, (train, test) in enumerate(splits)
            )
        tested = np.concatenate([test for _, test in splits])
        predicted = np.concatenate([clean for clean, _, _ in results])
        permuted = {
            family: np.concatenate([shuffled[family] for _, shuffled, _ in results], axis=1) for family in results[0][1]
        }
        return cls.from_predictions(
            clips.y[tested],
            predicted,
            permuted,
            speaker=clips.speaker[tested],
            n_features=results[0][2],
            n_boot=n_boot,
            confidence_level=confidence_level,
            random_state=seed,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        y_pred_permuted,
        *,
        speaker,
        n_features=None,
        n_boot=2000,
        confidence_level=0.95,
        random_state=0,
        ax=None,
    ):
        """Draw importances from predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Emotions.
        y_pred : array-like of shape (n_clips,)
            Recognized emotions, each by a model that was not trained on the clip's speaker.
        y_pred_permuted : dict of str to array-like of shape (n_clips,) or (n_repeats, n_clips)
            Predictions with the features of a family permuted, once or several times, by the family's name.
        speaker : array-like of shape (n_clips,)
        n_features : dict of str to int, or None, default=None
            Columns that each family has, for the labels.
        n_boot : int, default=2000
            Resamples of speakers that intervals are made of.
        confidence_level : float, default=0.95
            How often intervals shall cover the true value.
        random_state : int, RandomState instance or None, default=0
            Seeds the resampling.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : FamilyImportanceDisplay

        Raises
        ------
        ValueError
            If lengths differ, or there is no family.
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        check_scalar(n_boot, "n_boot", int, min_val=2)
        check_scalar(confidence_level, "confidence_level", float, min_val=0, max_val=1, include_boundaries="neither")
        y_true, y_pred, speaker = (column_or_1d(column) for column in (y_true, y_pred, speaker))
        if not isinstance(y_pred_permuted, Mapping) or not y_pred_permuted:
            raise ValueError(
                "y_pred_permuted must be a dict of at least one family to what is recognized without it. "
                f"Got {short(y_pred_permuted)}."
            )
        permuted = {family: np.atleast_2d(labels) for family, labels in y_pred_permuted.items()}
        check_consistent_length(y_true, y_pred, speaker, *(labels.T for labels in permuted.values()))
        seed = draw_seed(random_state)
        numbers = [np.unique(column, return_inverse=True)[1] for column in (speaker, y_true)]
        count, correct = tally(*numbers, np.ones(len(y_true))), tally(*numbers, y_pred == y_true)
        rows = {}
        for family, labels in permuted.items():
            left = tally(*numbers, (labels == y_true).mean(axis=0))
            drop = measure_difference(correct, left, count, n_boot=n_boot, rng=np.random.default_rng(seed))
            low, high = difference_interval(drop, confidence_level)
            size = (n_features or {}).get(family, np.nan)
            rows[family] = dict(value=drop.value, low=low, high=high, n_features=size)
        importances = pd.DataFrame.from_dict(rows, orient="index").sort_values("value", ascending=False, kind="stable")
        uar = float(pooled_recall(correct.sum(axis=0), count.sum(axis=0)))
        return cls(importances, uar=uar, confidence_level=confidence_level).plot(ax=ax)

    def plot(self, *, max_families=20, ax=None):
        """Draw the importances, the greatest first.

        Parameters
        ----------
        max_families : int, default=20
            Draw no more than so many.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : FamilyImportanceDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        check_scalar(max_families, "max_families", int, min_val=1)
        import matplotlib.pyplot as plt

        shown = self.importances.sort_values("value", ascending=False, kind="stable")[:max_families]
        places = np.arange(len(shown))
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, 1.4 + 0.36 * len(shown)), layout="constrained")
        ax.axvline(0, color=GREY, linewidth=1)
        level = f"{100 * self.confidence_level:.4g} % interval over speakers"
        if np.isfinite(shown["low"]).any():
            ax.hlines(places, shown["low"], shown["high"], color=BLUE, linewidth=2, label=level)
        ax.plot(shown["value"], places, "o", color=BLUE, label="drop in UAR")
        ax.set_yticks(places, [_label(family, size) for family, size in shown["n_features"].items()])
        for place, value in zip(places, shown["value"], strict=True):
            write_beside(ax, place, f"{round(value, 3) + 0.0:.3f}")  # never -0.000
        ax.set(ylim=(len(shown) - 0.4, -0.6))
        ax.set_xlabel(f"drop in UAR when a family is permuted (from {self.uar:.3f})")
        ax.margins(x=0.04)
        dress_scores(ax)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _label(family, size) -> str:
    return f"{family} ({size:.0f})" if size == size else str(family)


def _split(estimator) -> tuple:
    """Split into what makes features of clips (None, where clips are features) and what predicts by them."""
    inner = next((layer for layer in fitted_layers(estimator) if isinstance(layer, Pipeline)), None)
    if inner is None:
        return None, estimator
    last = max((k for k, (_, step) in enumerate(inner.steps) if isinstance(step, _MAKES_FEATURES)), default=-1)
    return (inner[: last + 1], inner[last + 1 :]) if last >= 0 else (None, inner)


def _learns_nothing(head) -> bool:
    """Return whether clips can be analyzed once for all folds, because no step learns from values."""
    return head is not None and all(isinstance(step, _EXTRACTORS) for _, step in head.steps)


def _extract(head, X) -> tuple:
    """Features, and the names of their columns."""
    if head is None:
        names = getattr(X, "columns", None)
        features = X
    else:
        names = head.get_feature_names_out()
        features = head.transform(X)
    shape: tuple[int, ...] = getattr(features, "shape", ())
    if len(shape) != 2 or np.asarray(features).dtype.kind not in "fiub":
        raise TypeError(
            "estimator must be a Pipeline that makes features of clips, such as HandcraftedFeatures, or be given "
            f"features of shape (n_clips, n_features): there are no columns to permute. Got {short(features)}."
        )
    return features, [f"x{k}" for k in range(shape[1])] if names is None else list(map(str, names))


def _fit_permute(model, X, names, y, train, test, families, n_repeats, seed) -> tuple:
    """Fit to some clips, and predict the others, with each family permuted."""
    model.fit(_safe_indexing(X, train), y[train])
    clips = _safe_indexing(X, test)
    if names is not None:  # features
        return _permute(model, clips, names, families, n_repeats, seed)
    head, tail = _split(model)
    features, names = _extract(head, clips)
    return _permute(tail, features, names, families, n_repeats, seed)


def _permute(model, features, names, families, n_repeats, seed) -> tuple:
    """Predictions of clips; by family, those with its columns permuted, (n_repeats, n_clips); the families' sizes."""
    columns = resolve_families(families, names)
    rng, n_clips = np.random.default_rng(seed), len(features)
    orders = [rng.permutation(n_clips) for _ in range(n_repeats)]
    # All repeats at once: one call of predict costs more than its clips.
    shuffled, repeated = {}, _safe_indexing(features, np.tile(np.arange(n_clips), n_repeats))
    donors = _safe_indexing(features, np.concatenate(orders))
    for family, chosen in columns.items():
        if hasattr(repeated, "iloc"):
            mixed = repeated.copy()
            mixed.iloc[:, chosen] = donors.iloc[:, chosen].to_numpy()
        else:
            mixed = np.array(repeated)
            mixed[:, chosen] = donors[:, chosen]
        shuffled[family] = np.asarray(model.predict(mixed)).reshape(n_repeats, n_clips)
    return np.asarray(model.predict(features)), shuffled, {family: len(chosen) for family, chosen in columns.items()}
