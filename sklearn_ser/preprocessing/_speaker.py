"""SpeakerNormalizer: features or frames normalized by speaker."""

from __future__ import annotations

from copy import copy
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..utils._messages import short
from ..utils._sklearn_compat import HasMethods, Interval, StrOptions
from ._around import AroundTransformer
from ._speaker_equations import clip_statistics, expect, rows_by_speaker
from ._speaker_warnings import warn_of_lonely_clips, warn_of_uniform_speakers
from ._world_statistics import STRENGTH, WorldStatistics

_STRENGTH = 5.0  # clips that the training speakers count for where nothing is known of how much speakers differ
_LEAST, _MOST = 0.01, 20.0


class SpeakerNormalizer(AroundTransformer):
    """Features or frames of clips, each less its speaker's mean and over its speaker's standard deviation.

    Voices differ more than emotions do. The speaker's mean and deviation are those of the speaker's other clips among
    the rows of X, of all emotions; no labels are looked at, so that unseen speakers are normalized, too. Few clips say
    little about a speaker: they are averaged with `prior_strength` clips of the average training speaker. A clip that
    is its speaker's only one is scaled as `StandardScaler` does it, by the mean and deviation of all training speakers.

    **What a clip becomes depends on the other rows of X**: give `predict` as many clips of a speaker at a time as there
    are. The speaker is a column of X, which goes wherever X goes: through any scorer, cross-validation or search.

    Read more in the guide: :doc:`speakers </guide/speakers>`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_ser import HandcraftedFeatures, SpeakerNormalizer
    >>> time = np.arange(4000) / 16000
    >>> clips = pd.DataFrame({"path": [np.sin(2 * np.pi * f0 * time) for f0 in (200, 220, 400, 440)]})
    >>> clips["speaker"] = ["his", "his", "hers", "hers"]
    >>> zcr = HandcraftedFeatures(feature_set="bledea170", descriptors=["zcr"])
    >>> normalizer = SpeakerNormalizer(zcr, prior_strength=0.01).fit(clips)
    >>> normalizer.transform(clips).round(1).ravel()
    array([-0.7,  0.6, -1.2,  1.3], dtype=float32)

    Parameters
    ----------
    transformer : transformer
        Makes features (n_clips, n_features), such as `HandcraftedFeatures`, or frames (n_clips, n_frames, n_values),
        such as `MelSpectrogramTransformer`, or a Pipeline that ends in either. It is given X as it is, and cloned
        before it is fitted.
    speaker : str or None, default="speaker"
        Column of X that tells speakers apart. Where it is missing (NaN, None), a clip is taken for its speaker's only
        one. None takes all clips so, even if X is no DataFrame: then all are scaled alike, as by `StandardScaler`.
    enrolment : str or None, default="enrolment"
        Column of X, of booleans, that marks the clips by which their speaker is normalized, such as neutral speech
        recorded beforehand. It is optional; but what is fitted with it, wants it in `transform`, too. None looks for no
        such column.
    prior_strength : float or "auto", default="auto"
        How many clips the training speakers' statistics count for, more than 0. "auto" learns it for each value; see
        Notes.
    singleton_fraction : float, default=2/3
        Fraction of each speaker's clips that `fit_transform` normalizes as if they were their speaker's only ones, from
        0 to 1, so that the model behind this step learns what such clips look like. `transform` does so with none.
        Where X has enrolment clips, `fit_transform`, too, does so with none. Set it to 0 if there will always be many
        clips of a speaker at a time.
    random_state : int, RandomState instance or None, default=0
        Chooses those clips. By default always the same, so that this step alone makes no pipeline random.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer.
    mean_ : ndarray of shape (n_values,)
        Mean of the average training speaker.
    clip_var_, frame_var_ : ndarray of shape (n_values,)
        Variance of the clips' means around their speaker's mean, and of the frames around their clip's mean; the latter
        is 0 for features.
    prior_strength_ : ndarray of shape (n_values,)
        How many clips the training speakers count for in a speaker's mean.
    has_enrolment_ : bool
        True if X had the column `enrolment` in `fit`.
    n_features_in_, feature_names_in_
        Those of the fitted transformer, if it has them.

    See Also
    --------
    ReferenceScaler : Scale by the clips of one emotion, of all speakers.

    Notes
    -----
    Let clips scatter around their speaker's mean with variance :math:`\\sigma^2`, and speakers' means around `mean_`
    with variance :math:`\\tau^2`, both normally distributed. Given `n` other clips of the speaker with mean
    :math:`\\bar x`, a clip is expected at ``(n * x_bar + k * mean_) / (n + k)``, with :math:`k = \\sigma^2 / \\tau^2`,
    the `prior_strength` [1]_, and scatters around that with variance :math:`\\sigma^2 (1 + 1 / (n + k))`. These are the
    mean and the variance by which it is normalized. So what comes out varies as much for one clip as for many, and `n =
    0` is plain standardisation, with the variance :math:`\\sigma^2 + \\tau^2` of all clips. A value in which voices
    differ, such as F0, is centered by few clips, and one in which they do not, by many.

    "auto" takes both variances from the training speakers, by the analysis of variance, and `k` not above 20; where
    there are no two speakers with several clips, it is 5. :math:`\\sigma^2` is the speaker's own as far as it is known:
    the squared deviations of the `n` clips and `k` times `clip_var_`, over ``n - 1 + k``; here "auto" is 5.

    A classifier trained on speakers of many clips has never seen what is left of a voice in a single clip. That is what
    `singleton_fraction` is for. It makes ``fit(X).transform(X)`` differ from ``fit_transform(X)``, which is what a
    Pipeline trains on.

    Inside `SegmentClassifier` or `AugmentedClassifier`, each segment or copy counts as a clip of its speaker. The
    segments of a single clip are then scaled by each other, and what is left of its emotion is how they differ; give
    `predict` several clips of a speaker, or a path, in which each segment is taken for its speaker's only one.

    In frames, each clip weighs the same in its speaker's mean, however long it is.

    References
    ----------
    .. [1] Robinson, "That BLUP is a good thing: the estimation of random effects", Statistical Science 6(1), 1991.
    """

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit_transform", "transform"])],
        "speaker": [str, None],
        "enrolment": [str, None],
        "prior_strength": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "singleton_fraction": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        transformer,
        *,
        speaker="speaker",
        enrolment="enrolment",
        prior_strength="auto",
        singleton_fraction=2 / 3,
        random_state=0,
    ):
        self.transformer = transformer
        self.speaker = speaker
        self.enrolment = enrolment
        self.prior_strength = prior_strength
        self.singleton_fraction = singleton_fraction
        self.random_state = random_state

    def fit(self, X, y=None, **params):
        """Fit the transformer; learn the average speaker of what it makes.

        Parameters
        ----------
        X : DataFrame of n_clips
            Audio input with the column `speaker`, and `enrolment` if there is one. If `speaker` is None, whatever the
            transformer takes.
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
            If X lacks the column `speaker`, `enrolment` holds anything but true and false or marks no clip at all, or
            the transformer makes neither features nor frames.

        Warns
        -----
        UserWarning
            If y are classes and most speakers have only one or few of them: normalizing by speaker then takes the
            emotion away with the voice.
        """
        self._fit(X, y, params)
        return self

    def fit_transform(self, X, y=None, **params):
        """Fit, and normalize the clips, a fraction of them (`singleton_fraction`) as their speaker's only ones.

        Parameters
        ----------
        X : DataFrame of n_clips
        y : array-like of shape (n_clips,) or None
        **params : dict
            All as for `fit`.

        Returns
        -------
        normalised : ndarray of shape (n_clips, n_features) or (n_clips, n_frames, n_values)
        """
        values, speakers, reference = self._fit(X, y, params)
        singletons = np.zeros(len(values), dtype=bool)
        if not self.has_enrolment_:
            random = check_random_state(self.random_state)
            for rows in rows_by_speaker(speakers):
                singletons[random.permutation(rows)[: round(self.singleton_fraction * len(rows))]] = True
        return self._normalize(values, speakers, reference, singletons)

    def transform(self, X):
        """Normalize clips, each by its speaker's others among them.

        Parameters
        ----------
        X : DataFrame of n_clips
            Audio input with the column `speaker`. Each clip of audio input that is no DataFrame is taken for
            its speaker's only one.

        Returns
        -------
        normalised : ndarray of shape (n_clips, n_features) or (n_clips, n_frames, n_values)
            Padding of frames stays NaN. The type is the transformer's.

        Raises
        ------
        ValueError
            As for `fit`; also if X lacks the column `enrolment` and had it in `fit`.

        Warns
        -----
        UserWarning
            If X tells no speakers, or has one clip of each, though there were several in `fit`.
        """
        check_is_fitted(self)
        values = self._check_values(self.transformer_.transform(X))
        speakers, reference = self._speakers(X, len(values)), self._reference(X, len(values))
        if reference is None and self.has_enrolment_:
            raise ValueError(
                f"X has no column {short(self.enrolment)}, but had it in fit: mark the clips by which speakers are "
                "normalized, and all others, if there are none, as False."
            )
        if self._knew_speakers:
            warn_of_lonely_clips(self, X, speakers, reference)
        return self._normalize(values, speakers, reference, np.zeros(len(values), dtype=bool))

    def adapted(self, X, n_clips=None):
        """Copy whose average speaker is that of a new world, as far as some of its clips tell.

        Parameters
        ----------
        X : audio input of n_clips
        n_clips : int or None, default=None
            How many clips X counts for; None takes its number of rows.

        Returns
        -------
        adapted : SpeakerNormalizer
            The fitted transformer is shared with this one, which stays as it is.
        """
        check_is_fitted(self)
        other = copy(self)
        other._new = WorldStatistics.of(self._check_values(self.transformer_.transform(X)), n_clips).merged(self._new)
        other.mean_, _ = other._new.shrunk(self._trained_mean, self.clip_var_, STRENGTH)
        other.n_adaptation_clips_ = other._new.n_clips
        return other

    def _fit(self, X, y, params: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Fit, and return what was made on the way: values, speakers and reference clips."""
        self._validate_params()
        if self.speaker is not None and not hasattr(X, "columns"):
            raise ValueError(
                f"X must be a DataFrame with a column {short(self.speaker)}, which tells who speaks. Got an object "
                "of type "
                f"{type(X).__name__}. speaker=None takes each clip for its speaker's only one."
            )
        values = self._fit_transformer(X, y, params)
        speakers, reference = self._speakers(X, len(values)), self._reference(X, len(values))
        self.has_enrolment_ = reference is not None
        if self.has_enrolment_ and not reference.any():
            raise ValueError(f"The column {short(self.enrolment)} marks no clip, so there is nothing to normalize by.")
        rows = np.arange(len(values)) if reference is None else np.flatnonzero(reference)
        self._learn(*clip_statistics(values[rows]), rows_by_speaker(speakers[rows]))
        self._knew_speakers = len(np.unique(speakers)) < len(speakers) and self.singleton_fraction < 1
        if y is not None and not self.has_enrolment_:
            warn_of_uniform_speakers(y, speakers)
        self._trained_mean, self._new, self.n_adaptation_clips_ = self.mean_, None, 0
        return values, speakers, reference

    def _learn(self, means: np.ndarray, variances: np.ndarray, speakers: list[np.ndarray]) -> None:
        """The average speaker, of the reference clips' statistics and the rows of each speaker."""
        counts = np.array([[len(rows)] for rows in speakers])
        of_speakers = np.array([means[rows].mean(axis=0) for rows in speakers])
        squares = sum(((means[rows] - mean) ** 2).sum(axis=0) for rows, mean in zip(speakers, of_speakers, strict=True))
        within = squares / max(len(means) - len(speakers), 1)
        self.prior_strength_ = self._strength(counts, of_speakers, within)
        if len(means) == len(speakers):  # one clip each does not tell clips and speakers apart
            within = means.var(axis=0) / (1 + 1 / self.prior_strength_)
        self.clip_var_, self.frame_var_ = within, variances.mean(axis=0)
        # Speakers' means scatter with a variance proportional to 1 + k / n.
        self.mean_ = np.average(of_speakers, axis=0, weights=counts / (counts + self.prior_strength_))

    def _strength(self, counts: np.ndarray, of_speakers: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Variance of clips within a speaker over that between speakers, of each value."""
        n_clips, freedom = counts.sum(), len(counts) - 1
        if self.prior_strength != "auto" or freedom == 0 or n_clips == len(counts):
            return np.full(within.shape, self._prior())
        deviations = of_speakers - np.average(of_speakers, axis=0, weights=counts[:, 0])
        between = (counts * deviations**2).sum(axis=0) / freedom - within
        between = between * freedom / (n_clips - (counts**2).sum() / n_clips)
        between = np.maximum(between, within / _MOST)
        unknown = np.full(within.shape, _STRENGTH)  # of constants
        return np.maximum(np.divide(within, between, out=unknown, where=between > 0), _LEAST)

    def _prior(self) -> float:
        return _STRENGTH if self.prior_strength == "auto" else float(self.prior_strength)

    def _normalize(self, values: np.ndarray, speakers, reference, singletons: np.ndarray) -> np.ndarray:
        means, variances = clip_statistics(values)
        reference = np.ones(len(values), dtype=bool) if reference is None else reference
        normalized = np.empty_like(values)
        for rows in rows_by_speaker(speakers):
            expected = expect(
                means[rows],
                variances[rows],
                reference[rows],
                singletons[rows],
                mean=self.mean_,
                clip_var=self.clip_var_,
                frame_var=self.frame_var_,
                k=self.prior_strength_,
                k_variance=self._prior(),
            )
            for row, mean, scale in zip(rows, *expected, strict=True):
                normalized[row] = (values[row] - mean) / scale
        return normalized

    def _speakers(self, X, n_clips: int) -> np.ndarray:
        """A number for each clip's speaker."""
        if self.speaker is None or not hasattr(X, "columns"):
            return np.arange(n_clips)
        if self.speaker not in X.columns:
            raise ValueError(
                f"X needs a column {short(self.speaker)}, which speaker names. Got the columns "
                f"{short(list(X.columns))}."
            )
        speakers, _ = pd.factorize(np.asarray(X[self.speaker], dtype=object))
        return np.where(speakers < 0, n_clips + np.arange(n_clips), speakers)

    def _reference(self, X, n_clips: int) -> np.ndarray | None:
        """Mask of the clips by which speakers are normalized; None if it is all."""
        if self.enrolment is None or self.enrolment not in getattr(X, "columns", ()):
            return None
        marks = np.asarray(X[self.enrolment])
        wrong = [mark for mark in marks.tolist() if pd.isna(mark) or mark not in (True, False)]
        if wrong:
            raise ValueError(
                f"The column {short(self.enrolment)} must hold True and False only. Got {short(wrong[0])}."
            )
        return marks.astype(bool)
