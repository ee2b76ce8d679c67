"""EvaluationReport: scores of predictions with confidence intervals over speakers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, check_random_state, check_scalar, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..utils._messages import short
from . import _render
from ._bootstrap import Uncertain, difference_interval, measure, measure_difference, recall_interval, subtract
from ._input import CLEAN, altered, title_of, unpack


class EvaluationReport:
    """How well the emotions of some clips were recognised: by emotion, speaker and sex, with confidence intervals.

    Made by `evaluate`, or from predictions that come from elsewhere. All clips are pooled before anything is scored,
    so that a fold without an emotion distorts nothing. ``print(report)`` explains it, a notebook shows it with its
    confusion matrix, `to_frame` returns all figures, `plot` draws them.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Emotions of the clips.
    y_pred : array-like of shape (n_clips,)
        Recognised emotions, each predicted by a model that was not trained on the clip's speaker.
    speaker : array-like of shape (n_clips,)
        Who speaks: what the intervals are drawn over.
    sex : array-like of shape (n_clips,) or None, default=None
        Of the speaker; None or NaN where it is not known.
    recognised : array-like of shape (n_clips,) or None, default=None
        Fraction of human listeners who recognised the clip's emotion, NaN where it is not known. Listeners are compared
        wherever it is known of all clips: in all, of an emotion or of a speaker.
    y_pred_random : array-like of shape (n_clips,) or None, default=None
        Emotions recognised by models that were trained on clips of the same speakers: a random split. Gives the
        leakage gap.
    corpus : array-like of shape (n_clips,) or None, default=None
        Corpus that the clip is from. Of several, each is scored by itself, too: pooled, a good one can hide a bad one.
    y_pred_conditions : dict of str to array-like of shape (n_clips,), or None, default=None
        Emotions recognised in the same clips under other conditions, such as noise, by the condition's name.
    n_boot : int, default=2000
        Resamples that intervals are made of.
    confidence_level : float, default=0.95
        How often intervals shall cover the true value.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.
    title : str, default=""
        What was evaluated.
    protocol : str, default=""
        How: which clips were trained on.

    Attributes
    ----------
    uar, wa : float
        Unweighted average recall and weighted accuracy of the pooled clips.
    uar_interval, wa_interval : tuple of float
        Their confidence intervals.
    confusion : DataFrame of shape (n_emotions, n_labels)
        Clips of each emotion (rows) that were recognised as each label (columns).
    emotions : ndarray of shape (n_emotions,)
        Those that there are clips of.

    Notes
    -----
    An interval says where the figure would lie for other speakers like these. Clips of a speaker are alike, so
    speakers are drawn with replacement, each with all of its clips ([1]_, [2]_). With as few speakers as corpora
    have, the percentiles of what comes out lie too close together [3]_. Instead, the resamples give a standard error,
    corrected by n / (n - 1) in variance, and the interval is Student's t with n - 1 degrees of freedom on the logit
    scale, where recalls are spread evenly and stay within 0 and 1. For 6 to 24 speakers it was found to cover as
    often as it says; of two speakers it says, rightly, next to nothing, and of one there is none. It covers the
    choice of speakers, not what comes from training again with other random numbers or on other clips, nor does it
    know of a corpus' own ways: its language, its microphones, its actors.

    The gap between the sexes has the variance of either, and Welch's degrees of freedom.

    References
    ----------
    .. [1] C. A. Field and A. H. Welsh (2007), "Bootstrapping clustered data", Journal of the Royal Statistical Society
       B 69(3), 369-390.
    .. [2] M. Bisani and H. Ney (2004), "Bootstrap estimates for confidence intervals in ASR performance evaluation",
       Proc. ICASSP, vol. 1, 409-412.
    .. [3] T. C. Hesterberg (2015), "What teachers should know about the bootstrap: resampling in the undergraduate
       statistics curriculum", The American Statistician 69(4), 371-386.

    Examples
    --------
    >>> from sklearn_ser.metrics import EvaluationReport
    >>> report = EvaluationReport(
    ...     ["anger", "fear", "anger", "fear", "anger", "fear"],
    ...     ["anger", "fear", "anger", "anger", "anger", "fear"],
    ...     speaker=["a", "a", "b", "b", "c", "c"],
    ... )
    >>> round(report.uar, 3)
    0.833
    >>> round(float(report.to_frame().loc[("recall", "fear"), "value"]), 3)
    0.667
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    y_pred_random: np.ndarray | None
    corpus: np.ndarray | None
    _display: ClassVar[type]  # `ReportDisplay`, which imports this module; the package's `__init__` names it

    def __init__(
        self,
        y_true,
        y_pred,
        *,
        speaker,
        sex=None,
        recognised=None,
        y_pred_random=None,
        corpus=None,
        y_pred_conditions=None,
        n_boot=2000,
        confidence_level=0.95,
        random_state=0,
        title="",
        protocol="",
    ):
        check_scalar(n_boot, "n_boot", int, min_val=2)
        check_scalar(confidence_level, "confidence_level", float, min_val=0, max_val=1, include_boundaries="neither")
        columns = dict(y_true=y_true, y_pred=y_pred, speaker=speaker, sex=sex, recognised=recognised)
        columns.update(y_pred_random=y_pred_random, corpus=corpus)
        columns = {name: None if column is None else column_or_1d(column) for name, column in columns.items()}
        self.y_pred_conditions = {
            str(name): column_or_1d(predicted) for name, predicted in (y_pred_conditions or {}).items()
        }
        check_consistent_length(*columns.values(), *self.y_pred_conditions.values())
        if not len(columns["y_true"]):
            raise ValueError("A report needs at least one clip. Got an empty y_true.")
        for name in ("y_true", "y_pred"):
            check_classification_targets(columns[name])
        vars(self).update(columns)
        self.n_boot, self.confidence_level = n_boot, confidence_level
        self.title, self.protocol = title, protocol
        self.emotions, self._emotion = np.unique(self.y_true, return_inverse=True)
        self.speakers, self._speaker = np.unique(self.speaker, return_inverse=True)
        self._speaker_sex = _sex_of_speakers(self.sex, self.speakers, self._speaker)
        if recognised is not None:
            self.recognised = self.recognised.astype(float)
            if np.any((self.recognised < 0) | (self.recognised > 1)):
                raise ValueError(
                    "recognised must hold the fractions of listeners who recognised the clips, from 0 to 1. "
                    f"Got values from {np.nanmin(self.recognised)} to {np.nanmax(self.recognised)}."
                )
        self._seed = check_random_state(random_state).randint(2**31 - 1)
        self._count = self._tally(np.ones(len(self.y_true)))
        self._correct = self._tally(self.y_pred == self.y_true)
        self._frame = self._score()

    @classmethod
    def from_estimator(
        cls, estimator, corpus, y=None, *, speaker=None, sex=None, conditions=None, random_state=0, **params
    ):
        """Report on a fitted model and clips of speakers whom it was not trained on, such as those of another corpus.

        Nothing is fitted here: `evaluate` fits and tests on one corpus.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        corpus : Bunch or audio input of n_clips
            What `fetch_*` and `load_*` return; or the clips themselves, with `y` (and `speaker`, unless it is a column
            of the DataFrame).
        y, speaker, sex : array-like of shape (n_clips,) or None, default=None
            Emotions, speakers and their sexes, as for `evaluate`.
        conditions : "real-world", dict of str to augmenter, or None, default=None
            What to do to the clips, besides testing them as they are; as for `evaluate`.
        random_state : int, RandomState instance or None, default=0
            Seeds the conditions and the resampling.
        **params
            `n_boot` and `confidence_level`, as above.

        Returns
        -------
        report : EvaluationReport
            An emotion that the model does not know counts with a recall of 0, and the report says so.

        Raises
        ------
        ValueError
            If emotions or speakers are missing, or `conditions` are none.

        Examples
        --------
        >>> report = EvaluationReport.from_estimator(model, fetch_ravdess())  # doctest: +SKIP
        """
        clips = unpack(corpus, y, speaker, sex)
        worlds = {CLEAN: clips.X, **altered(conditions, clips.X, random_state)}
        predicted = {name: np.asarray(estimator.predict(X)) for name, X in worlds.items()}
        unknown = np.setdiff1d(clips.y, getattr(estimator, "classes_", clips.y))
        protocol = "recognised by a model that was fitted before"
        if unknown.size:
            protocol += f" and does not know {', '.join(map(str, unknown))}"
        return cls(
            clips.y,
            predicted.pop(CLEAN),
            **clips.known(slice(None)),
            y_pred_conditions=predicted,
            random_state=random_state,
            title=title_of(estimator),
            protocol=protocol,
            **params,
        )

    @property
    def uar(self) -> float:
        """Unweighted average recall, 0 to 1."""
        return float(self._frame.loc[("UAR", "all"), "value"])

    @property
    def wa(self) -> float:
        """Weighted accuracy, 0 to 1."""
        return float(self._frame.loc[("WA", "all"), "value"])

    @property
    def uar_interval(self) -> tuple[float, float]:
        """Confidence interval of UAR over speakers."""
        return tuple(self._frame.loc[("UAR", "all"), ["low", "high"]].tolist())

    @property
    def wa_interval(self) -> tuple[float, float]:
        """Confidence interval of WA over speakers."""
        return tuple(self._frame.loc[("WA", "all"), ["low", "high"]].tolist())

    @property
    def confusion(self) -> pd.DataFrame:
        """Counts of clips: rows are emotions, columns what was recognised."""
        others = [label for label in np.unique(self.y_pred) if label not in set(self.emotions.tolist())]
        counts = pd.crosstab(self.y_true, self.y_pred)
        counts = counts.reindex(index=self.emotions, columns=[*self.emotions, *others], fill_value=0)
        return counts.rename_axis(index="emotion", columns="recognised")

    def to_frame(self):
        """All figures as a table.

        Returns
        -------
        frame : DataFrame
            The index has two levels, `measure` and `of`: "UAR" and "WA" of "all"; "recall" of each emotion; "UAR by
            sex" and "UAR by speaker" (a mean over the emotions that the speaker has); "gap by sex" of "female -
            male"; "UAR, random split" and "leakage gap" of "all", where they were measured. The columns are `value`,
            the confidence interval `low` and `high` (NaN for a single speaker), `chance` (UAR of any guess; WA of
            naming the most frequent emotion always), `listeners` (what human listeners reached on these clips),
            `n_clips` and `n_speakers`.

            Of several corpora there is "UAR by corpus" (a mean over the emotions that the corpus has). Of each
            condition there is "UAR by condition", "loss by condition" (how much lower that is than UAR), and
            "commonest answer by condition" (the fraction of the clips that is recognised as the most frequent answer;
            near 1, the model answers the same whatever it hears). The clips as they are, "as they are", stand among
            them.
        """
        return self._frame.copy()

    def plot(self, *, ax=None):
        """Draw scores with their intervals, and the confusion matrix beside them. Needs matplotlib.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw the scores, alone; None makes a figure of both.

        Returns
        -------
        display : ReportDisplay
        """
        return self._display(self).plot(ax=ax)

    def __str__(self):
        return _render.text(self)

    __repr__ = __str__

    def _repr_html_(self):
        return _render.html(self)

    def _tally(self, weights) -> np.ndarray:
        """Sum of clips' weights for each speaker and emotion, (n_speakers, n_emotions)."""
        sums = np.zeros((len(self.speakers), len(self.emotions)))
        np.add.at(sums, (self._speaker, self._emotion), weights)
        return sums

    def _rng(self):
        return np.random.default_rng(self._seed)  # the same for every figure: none depends on which others there are

    def _measure(self, speakers=slice(None), emotions=slice(None), *, pooled=False) -> Uncertain:
        correct, count = self._correct[speakers][:, emotions], self._count[speakers][:, emotions]
        if pooled:
            correct, count = correct.sum(axis=1, keepdims=True), count.sum(axis=1, keepdims=True)
        return measure(correct, count, n_boot=self.n_boot, rng=self._rng())

    def _score(self) -> pd.DataFrame:
        level, n_emotions = self.confidence_level, len(self.emotions)
        rows = {}

        def add(measure, of, measured, clips, interval=recall_interval, **more):
            low, high = interval(measured, level)
            n_speakers = len(np.unique(self._speaker[clips]))
            counted = dict(n_clips=int(np.sum(clips)), n_speakers=n_speakers)
            rows[measure, of] = dict(value=measured.value, low=low, high=high, **more, **counted)

        def add_uar(measure, of, speakers, clips):
            listeners = self._listeners(clips)
            add(measure, of, self._measure(speakers), clips, chance=1 / n_emotions, listeners=listeners)

        everyone = np.ones(len(self.y_true), bool)
        add_uar("UAR", "all", slice(None), everyone)
        most_frequent = self._count.sum(axis=0).max() / len(self.y_true)
        listeners = self._listeners(everyone, pooled=True)
        add("WA", "all", self._measure(pooled=True), everyone, chance=most_frequent, listeners=listeners)
        for k, emotion in enumerate(self.emotions):
            clips = self._emotion == k
            add("recall", emotion, self._measure(emotions=[k]), clips, listeners=self._listeners(clips))
        sexes = sorted(set(self._speaker_sex) - {None})
        for sex in sexes:
            speakers = np.flatnonzero(self._speaker_sex == sex)
            add_uar("UAR by sex", sex, speakers, np.isin(self._speaker, speakers))
        if len(sexes) == 2:
            gap = subtract(*(self._measure(np.flatnonzero(self._speaker_sex == sex)) for sex in sexes))
            known = np.isin(self._speaker_sex[self._speaker], sexes)
            add("gap by sex", " - ".join(sexes), gap, known, difference_interval)
        for s, speaker in enumerate(self.speakers):
            add_uar("UAR by speaker", speaker, [s], self._speaker == s)
        for corpus in self._corpora():
            clips = self.corpus == corpus
            tallies = self._tally(clips & (self.y_pred == self.y_true)), self._tally(clips)
            measured = measure(*tallies, n_boot=self.n_boot, rng=self._rng())
            add("UAR by corpus", corpus, measured, clips, chance=1 / n_emotions, listeners=self._listeners(clips))
        if self.y_pred_random is not None:
            correct = self._tally(self.y_pred_random == self.y_true)
            random = measure(correct, self._count, n_boot=self.n_boot, rng=self._rng())
            add("UAR, random split", "all", random, everyone, chance=1 / n_emotions)
            gap = measure_difference(correct, self._correct, self._count, n_boot=self.n_boot, rng=self._rng())
            add("leakage gap", "all", gap, everyone, difference_interval)
        worlds = {CLEAN: self.y_pred, **self.y_pred_conditions} if self.y_pred_conditions else {}
        for condition, y_pred in worlds.items():
            correct = self._tally(y_pred == self.y_true)
            paired = dict(n_boot=self.n_boot, rng=self._rng())
            add("UAR by condition", condition, measure(correct, self._count, **paired), everyone, chance=1 / n_emotions)
            if condition != CLEAN:
                paired["rng"] = self._rng()
                loss = measure_difference(self._correct, correct, self._count, **paired)
                add("loss by condition", condition, loss, everyone, difference_interval)
            fraction = _render.commonest(y_pred)[1]
            add("commonest answer by condition", condition, Uncertain(fraction, np.nan, 0), everyone)
        columns = ["value", "low", "high", "chance", "listeners", "n_clips", "n_speakers"]
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        frame.index = pd.MultiIndex.from_tuples(list(rows), names=["measure", "of"])
        return frame

    def _corpora(self) -> list:
        """The corpora, if there is more than one."""
        found = [] if self.corpus is None else pd.unique(self.corpus[pd.notna(self.corpus)]).tolist()
        return found if len(found) > 1 else []

    def _listeners(self, clips, pooled=False) -> float:
        """What human listeners reached on these clips: the mean over the emotions, or over the clips if pooled.

        NaN unless all of them were heard, so that it can be held against what was recognised of the same clips.
        """
        if self.recognised is None:
            return np.nan
        fractions = pd.Series(self.recognised[clips])
        if fractions.isna().any():
            return np.nan
        return float(fractions.mean() if pooled else fractions.groupby(self._emotion[clips]).mean().mean())


def _sex_of_speakers(sex, speakers, codes) -> np.ndarray:
    """Each speaker's sex, None where it is not known."""
    if sex is None:
        return np.full(len(speakers), None)
    sex = pd.Series(sex).astype(object).where(pd.notna(sex), None)
    found = [list(dict.fromkeys(group)) for _, group in sex.groupby(codes)]
    for speaker, values in zip(speakers, found, strict=True):
        if len(values) > 1:
            raise ValueError(
                f"sex must be the same in all clips of a speaker. Got {short(values)} for speaker {short(speaker)}."
            )
    return np.array([values[0] if values[0] is None else str(values[0]) for values in found], dtype=object)
