"""EvaluationReport: scores of predictions with confidence intervals over speakers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..utils._columns import check_same_kind, complete
from . import _paper, _render, _score_table
from ._base import Report
from ._bootstrap import tally
from ._evaluated import tested, unpack

_MAY_LACK = ("sex", "recognised", "corpus", "language")  # columns in which values may be missing


class EvaluationReport(Report):
    """Report on recognized emotions: scores by emotion, speaker and sex, with confidence intervals.

    Made by `evaluate`, or from predictions that come from elsewhere. All clips are pooled before anything is scored,
    so that a fold without an emotion distorts nothing. ``print(report)`` explains it, a notebook shows it with its
    confusion matrix, `to_frame` returns all figures, `plot` draws them.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

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

    Parameters
    ----------
    y_true : array-like of shape (n_clips,)
        Emotions of the clips.
    y_pred : array-like of shape (n_clips,)
        Recognized emotions, each predicted by a model that was not trained on the clip's speaker.
    speaker : array-like of shape (n_clips,)
        Speaker of each clip; the intervals are over speakers.
    sex : array-like of shape (n_clips,) or None, default=None
        Sex of the speaker; None or NaN where it is not known.
    recognised : array-like of shape (n_clips,) or None, default=None
        Fraction of human listeners who recognized the clip's emotion, NaN where it is not known. Listeners are compared
        wherever it is known of all clips: in all, of an emotion or of a speaker.
    y_pred_random : array-like of shape (n_clips,) or None, default=None
        Emotions recognized by models that were trained on clips of the same speakers: a random split. Gives the
        leakage gap.
    corpus : array-like of shape (n_clips,) or None, default=None
        Corpus that the clip is from. Several are scored by themselves, too: pooled, a good one can hide a bad one.
    language : array-like of shape (n_clips,) or None, default=None
        Language that is spoken in the clip. If there are several, each is scored by itself, too.
    y_pred_conditions : dict of str to array-like of shape (n_clips,), or None, default=None
        Emotions recognized in the same clips under other conditions, such as noise, by the condition's name.
    n_boot : int, default=2000
        Resamples that intervals are made of.
    confidence_level : float, default=0.95
        How often intervals shall cover the true value.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.
    title : str, default=""
        The model that was evaluated, with its parameters.
    name : str or None, default=None
        The model in a few words, for pictures; None takes `title`.
    protocol : str, default=""
        How: which clips were trained on.

    Attributes
    ----------
    uar, wa : float
        Unweighted average recall and weighted accuracy of the pooled clips.
    uar_interval, wa_interval : tuple of float
        Their confidence intervals.
    confusion : DataFrame of shape (n_emotions, n_labels)
        Clips of each emotion (rows) that were recognized as each label (columns).
    emotions : ndarray of shape (n_emotions,)
        Those that there are clips of.
    versions : dict of str
        Versions of the software that the report was made with, by its name.

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
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    y_pred_random: np.ndarray | None
    corpus: np.ndarray | None
    language: np.ndarray | None
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
        language=None,
        y_pred_conditions=None,
        n_boot=2000,
        confidence_level=0.95,
        random_state=0,
        title="",
        name=None,
        protocol="",
    ):
        self._set(
            n_boot=n_boot,
            confidence_level=confidence_level,
            random_state=random_state,
            title=title,
            name=name,
            protocol=protocol,
        )
        columns = dict(y_true=y_true, y_pred=y_pred, speaker=speaker, sex=sex, recognised=recognised)
        columns.update(y_pred_random=y_pred_random, corpus=corpus, language=language)
        known = {key: column_or_1d(columns.pop(key)) for key in _MAY_LACK if columns[key] is not None}
        columns = {key: None if column is None else complete(column, key) for key, column in columns.items()}
        columns = {**columns, **dict.fromkeys(_MAY_LACK), **known}
        conditions = (y_pred_conditions or {}).items()
        self.y_pred_conditions = {str(condition): complete(predicted, condition) for condition, predicted in conditions}
        check_consistent_length(*columns.values(), *self.y_pred_conditions.values())
        if not len(columns["y_true"]):
            raise ValueError("A report needs at least one clip. Got an empty y_true.")
        for key in ("y_true", "y_pred"):
            check_classification_targets(columns[key])
        for key, predicted in {**columns, **self.y_pred_conditions}.items():
            if predicted is not None and (key.startswith("y_pred") or key in self.y_pred_conditions):
                check_same_kind(columns["y_true"], predicted, key)
        vars(self).update(columns)
        self.emotions, self._emotion = np.unique(self.y_true, return_inverse=True)
        self.speakers, self._speaker = np.unique(self.speaker, return_inverse=True)
        self._speaker_sex = _score_table.sex_of_speakers(self.sex, self.speakers, self._speaker)
        if recognised is not None:
            self.recognised = self.recognised.astype(float)
            if np.any((self.recognised < 0) | (self.recognised > 1)):
                raise ValueError(
                    "recognised must hold the fractions of listeners who recognized the clips, from 0 to 1. "
                    f"Got values from {np.nanmin(self.recognised)} to {np.nanmax(self.recognised)}."
                )
        self._count = self._tally(np.ones(len(self.y_true)))
        self._correct = self._tally(self.y_pred == self.y_true)
        self._frame = _score_table.score(self)

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
            Result of `fetch_*` or `load_*`; or the clips themselves, with `y` (and `speaker`, unless it is a column
            of the DataFrame).
        y, speaker, sex : array-like of shape (n_clips,) or None, default=None
            Emotions, speakers and their sexes, as for `evaluate`.
        conditions : "real-world", dict of str to augmenter, or None, default=None
            Alterations of the clips, besides testing them as they are; as for `evaluate`.
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
        unknown = np.setdiff1d(clips.y, getattr(estimator, "classes_", clips.y))
        protocol = "recognized by a model that was fitted before"
        if unknown.size:
            protocol += f" and does not know {', '.join(map(str, unknown))}"
        found = tested(estimator, clips, conditions, random_state, protocol)
        return cls(**found, **clips.known(slice(None)), **params)

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
        """Counts of clips: rows are emotions, columns what was recognized."""
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

            Several corpora or languages add "UAR by corpus" or "UAR by language" (a mean over the emotions that
            the corpus or language has). Conditions add "UAR by condition", "loss by condition" (how much lower that is
            than UAR), and
            "commonest answer by condition" (the fraction of the clips that is recognized as the most frequent answer;
            near 1, the model answers the same whatever it hears). The clips as they are, "as they are", stand among
            them.
        """
        return self._frame.copy()

    def summary_text(self, *, corpus=None, selection=None, seeds=None, width=100):
        """Describe this evaluation as a paper has to: data, protocol, results, subgroups, conditions, software.

        Brackets mark what a report cannot know, to be filled in: by the parameters, or by hand.

        Parameters
        ----------
        corpus : str or None, default=None
            The corpus and its version, such as "EMO-DB (all 535 clips)".
        selection : str or None, default=None
            Which hyperparameters were chosen, and on which clips; or that none were.
        seeds : str or None, default=None
            How many trainings with different seeds the figures are of.
        width : int or None, default=100
            Characters of a line; None leaves each paragraph on one line.

        Returns
        -------
        text : str
            Paragraphs of plain English, with an empty line between them. Figures are followed by their confidence
            intervals in brackets.

        Examples
        --------
        >>> from sklearn_ser.metrics import EvaluationReport
        >>> y, y_pred = ["anger", "fear"] * 3, ["anger", "fear", "anger", "anger", "anger", "fear"]
        >>> report = EvaluationReport(y, y_pred, speaker=list("aabbcc"), title="SVC()")
        >>> print(report.summary_text(corpus="Six clips of ours").partition("Protocol")[0].strip())
        Data. Six clips of ours: 6 clips of 2 emotions (anger 3, fear 3) by 3 speakers.
        """
        return _paper.summary(self, corpus=corpus, selection=selection, seeds=seeds, width=width)

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

    def _rendered(self):
        return _render.headline(self), _render.sections(self), _render.notes(self)

    def _repr_html_(self):
        return _render.as_html(self.name, self.title, *self._rendered(), _render.html_confusion(self.confusion))

    def _tally(self, weights) -> np.ndarray:
        """Sum of clips' weights for each speaker and emotion, (n_speakers, n_emotions)."""
        return tally(self._speaker, self._emotion, weights)
