"""WorldNormalizer: features or frames normalized by corpus, room or microphone."""

from __future__ import annotations

import warnings
from copy import copy
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from ..utils._columns import find_column
from ..utils._sklearn_compat import HasMethods, Interval, keep_output
from ._around import AroundTransformer
from ._class_means import ClassMeans
from ._world_statistics import STRENGTH, WorldStatistics, scale_of

# Ten clips of one unseen speaker of a training corpus lie beyond it in 1.6 % of draws, thirty in none; ten of another
# corpus in 98 %, thirty in all (layers of Whisper; EMO-DB, EMOVO, nEMO). Descriptors tell speakers from corpora badly.
_FAR = 0.33
_ENOUGH, _WIDE = 10, 500  # clips, and values of each: as many as an encoder's


class WorldNormalizer(AroundTransformer):
    """Features or frames of clips, each less its world's mean and over its world's standard deviation.

    A world is what a set of recordings shares: corpus, room, microphone, language. In training, each corpus is scaled
    by its own clips, so that the classifier learns how emotions differ and not how corpora do. A clip from elsewhere is
    scaled by the average training world, until :func:`~sklearn_ser.adapt` tells the fitted pipeline, by some clips
    without labels, how its new world sounds.

    With one corpus, or without the column, it scales as `StandardScaler` does.

    Read more in the guide: :doc:`worlds </guide/worlds>`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_ser import HandcraftedFeatures, WorldNormalizer
    >>> time = np.arange(4000) / 16000
    >>> clips = pd.DataFrame({"path": [np.sin(2 * np.pi * f0 * time) for f0 in (200, 220, 400, 440)]})
    >>> clips["corpus"] = ["studio", "studio", "street", "street"]
    >>> zcr = HandcraftedFeatures(feature_set="bledea170", descriptors=["zcr"])
    >>> WorldNormalizer(zcr, prior_strength=1e-9).fit_transform(clips).round(1).ravel()
    array([-1.,  1., -1.,  1.], dtype=float32)

    Parameters
    ----------
    transformer : transformer
        Makes features (n_clips, n_features), such as `HandcraftedFeatures`, or frames (n_clips, n_frames, n_values),
        such as `MelSpectrogramTransformer`, or a Pipeline that ends in either. It is given X as it is, and cloned
        before it is fitted.
    world : str or None, default="corpus"
        Column of X that tells worlds apart. It is optional: without it, and where it is None, all clips are of one
        world, as are those in which it is missing (NaN, None).
    prior_strength : float, default=5.0
        How many clips the average training world counts for in the mean and deviation of each world, more than 0: with
        ten clips, a new world counts for two thirds, with a thousand for all.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer.
    worlds_ : ndarray of shape (n_worlds,), object
        Names of the training worlds; None is that of clips without a name.
    mean_, scale_ : ndarray of shape (n_values,)
        Mean and standard deviation of the average training world.
    n_adaptation_clips_ : int
        Clips of a new world that this transformer has been adapted to; 0 after `fit`.
    n_features_in_, feature_names_in_
        Those of the fitted transformer, if it has them.

    See Also
    --------
    adapt : Adapt a fitted pipeline to a new world by clips without labels.
    SpeakerNormalizer : Scale by speaker; around this transformer, by speaker within a world.

    Notes
    -----
    Each world weighs the same in `mean_` and `scale_`, however many clips it has. `transform` scales clips that name a
    training world in the column by that world's statistics, and all others by those of the new world: the mean of `n`
    clips with mean :math:`\\bar x` is ``(n * x_bar + k * mean_) / (n + k)``, with ``k = prior_strength``, and its
    variance is averaged in the same way.

    `SpeakerNormalizer(WorldNormalizer(transformer))` normalizes by speaker within each world: a speaker of whom little
    is known is taken for the average speaker of the world.
    """

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit_transform", "transform"])],
        "world": [str, None],
        "prior_strength": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, transformer, *, world="corpus", prior_strength=STRENGTH):
        self.transformer = transformer
        self.world = world
        self.prior_strength = prior_strength

    def fit(self, X, y=None, **params):
        """Fit the transformer; learn mean and deviation of each world.

        Parameters
        ----------
        X : audio input of n_clips
            Input of the transformer. A DataFrame may have the column `world`.
        y : array-like of shape (n_clips,) or None
            Passed on to the transformer.
        **params : dict
            Metadata routed to the transformer's `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the transformer makes neither features nor frames.
        """
        self.fit_transform(X, y, **params)
        return self

    def fit_transform(self, X, y=None, **params):
        """Fit, and normalize the clips.

        Parameters
        ----------
        X : audio input of n_clips
        y : array-like of shape (n_clips,) or None
        **params : dict
            All as for `fit`.

        Returns
        -------
        normalized : ndarray of shape (n_clips, n_features) or (n_clips, n_frames, n_values)
        """
        self._validate_params()
        values = self._fit_transformer(X, y, params)
        worlds, names = self._worlds(X, len(values))
        found = [WorldStatistics.of(values[worlds == code]) for code in range(len(names))]
        self._learn(names, found)
        normalized = self._normalize(values, worlds)
        self._classes = ClassMeans.of(normalized, y, worlds)
        return normalized

    def transform(self, X):
        """Normalize clips: those of a training world, by their column, as in training; all others as the new world.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        normalized : ndarray of shape (n_clips, n_features) or (n_clips, n_frames, n_values)
            Padding of frames stays NaN. The type is the transformer's.

        Warns
        -----
        UserWarning
            If ten or more clips of no training world lie far from every training world, and the normalizer has not been
            adapted. Only features of an encoder (500 values or more) tell.
        """
        check_is_fitted(self)
        values = self._check_values(self.transformer_.transform(X))
        worlds, names = self._worlds(X, len(values))
        known = {name: code for code, name in enumerate(self.worlds_) if name is not None}
        codes = np.array([known.get(name, -1) for name in names])[worlds]
        if self._new is None:
            self._warn_of_another_world(values[codes < 0])
        return self._normalize(values, codes)

    def adapted(self, X, n_clips=None, classifier=None):
        """Copy that knows a new world from some of its clips, beside those that it has been adapted to before.

        Parameters
        ----------
        X : audio input of n_clips
        n_clips : int or None, default=None
            How many clips X counts for; None takes its number of rows. Where rows are copies or segments of clips, it
            is the number of clips.
        classifier : classifier or None, default=None
            Fitted to what this transformer makes. It tells whether the clips are mostly of one class, which is then
            not taken for the sound of the world.

        Returns
        -------
        adapted : WorldNormalizer
            The fitted transformer is shared with this one, which stays as it is.
        """
        check_is_fitted(self)
        other = copy(self)
        values = self._check_values(self.transformer_.transform(X))
        found = WorldStatistics.of(values, n_clips)
        if self._classes is not None and self._classes.fits(classifier):
            found = self._classes.balanced(found, values, self.scale_, self._scaling, classifier)
        other._new = found.merged(self._new)
        other.n_adaptation_clips_ = other._new.n_clips
        return other

    def _learn(self, names: np.ndarray, found: list[WorldStatistics]) -> None:
        """Learn the average world, and how each training world is scaled."""
        self.worlds_ = names
        self.mean_ = np.mean([each.mean for each in found], axis=0)
        self._variance = np.mean([each.variance for each in found], axis=0)
        self.scale_ = scale_of(self._variance, self.mean_)
        self._training = [self._scaling(each) for each in found]
        self._new, self.n_adaptation_clips_, self._classes = None, 0, None

    @classmethod
    def _of_statistics(cls, transformer, statistics: WorldStatistics, prior_strength: float) -> WorldNormalizer:
        """Fitted normalizer around a fitted transformer of features, from the statistics of one training world."""
        normalizer = cls(transformer, prior_strength=prior_strength)
        normalizer.transformer_, normalizer._makes_frames = transformer, False
        keep_output(normalizer, False)
        normalizer._learn(np.array([None], dtype=object), [statistics])
        return normalizer

    def _scaling(self, statistics: WorldStatistics | None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation by which a world is scaled."""
        if statistics is None:
            return self.mean_, self.scale_
        mean, variance = statistics.shrunk(self.mean_, self._variance, self.prior_strength)
        return mean, scale_of(variance, mean)

    def _warn_of_another_world(self, values: np.ndarray) -> None:
        """Warn where clips, as a whole, lie far from every training world."""
        if len(values) < _ENOUGH or values.shape[-1] < _WIDE:
            return
        found = WorldStatistics.of(values)
        if min(found.distance(mean, scale) for mean, scale in self._training) > _FAR:
            warnings.warn(
                "These recordings sound unlike training: another room, microphone or language, or noise. "
                "Adapt the recognizer by ten or more such recordings, which need no labels: "
                "sklearn_ser.adapt(recognizer, recordings).",
                stacklevel=3,
            )

    def _normalize(self, values: np.ndarray, worlds: np.ndarray) -> np.ndarray:
        normalized = np.empty_like(values)
        for world in np.unique(worlds):
            mean, scale = self._scaling(self._new) if world < 0 else self._training[world]
            rows = np.flatnonzero(worlds == world)
            if values.ndim == 2:
                normalized[rows] = (values[rows] - mean) / scale
                continue
            for row in rows:  # in float64, in which all frames would take up twice as much
                normalized[row] = (values[row] - mean) / scale
        return normalized

    def _worlds(self, X, n_clips: int) -> tuple[np.ndarray, np.ndarray]:
        """A number for each clip's world, and the names of the worlds."""
        column = None if self.world is None else find_column(X, self.world)
        if column is None:
            return np.zeros(n_clips, dtype=int), np.array([None], dtype=object)
        column = np.asarray(column, dtype=object)
        worlds, names = pd.factorize(np.where(pd.isna(column), None, column), use_na_sentinel=False)
        return worlds, np.array([None if pd.isna(name) else name for name in names], dtype=object)
