"""MultilabelReport: scores of several labels a clip, with confidence intervals over speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d

from ..utils._columns import complete
from . import _render
from ._base import Report
from ._bootstrap import Uncertain, difference_interval, measure_statistic, recall_interval
from ._evaluated import CLEAN


class MultilabelReport(Report):
    """Report on several labels per clip: F1 of each label and their mean, by speaker and sex, with intervals.

    Made by `evaluate`, where y is an indicator matrix, or from predictions that come from elsewhere. All clips are
    pooled before anything is scored.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> from sklearn_ser import MultilabelReport
    >>> y = [[1, 0], [1, 1], [0, 1], [0, 0]]
    >>> report = MultilabelReport(y, [[1, 0], [1, 0], [0, 1], [0, 0]], speaker=list("aabb"), labels=["anger", "fear"])
    >>> round(report.macro_f1, 3)
    0.833

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_clips, n_labels)
        Labels that each clip has, and those that were recognized: 0 or 1.
    speaker : array-like of shape (n_clips,)
        Speaker of each clip; the intervals are over speakers.
    labels : sequence of str or None, default=None
        Names of the columns. None takes those of a DataFrame `y_true`, or else numbers.
    sex, corpus, language : array-like of shape (n_clips,) or None, default=None
        Each of them is scored by itself, where there are several.
    y_pred_random : array-like of shape (n_clips, n_labels) or None, default=None
        Predictions of models that were trained on clips of the same speakers.
    y_pred_conditions : dict of str to array-like of shape (n_clips, n_labels), or None, default=None
        Predictions for the same clips under other conditions, by the condition's name.
    n_boot : int, default=2000
        Resamples that intervals are made of.
    confidence_level : float, default=0.95
        How often intervals shall cover the true value.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.
    title : str, default=""
        Model, with its parameters.
    name : str or None, default=None
        Model, in a few words; None takes `title`.
    protocol : str, default=""
        Which clips were trained on.

    Attributes
    ----------
    macro_f1 : float
        Mean of the labels' F1, 0 to 1.
    labels : list of str
    versions : dict of str
        Versions of the software that the report was made with, by its name.

    Notes
    -----
    F1 is 0 for a label that no clip has and none was given, as in `sklearn.metrics.f1_score` with ``zero_division=0``.
    Intervals are as those of `EvaluationReport`.
    """

    def __init__(
        self,
        y_true,
        y_pred,
        *,
        speaker,
        labels=None,
        sex=None,
        corpus=None,
        language=None,
        y_pred_random=None,
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
        columns = getattr(y_true, "columns", range(np.shape(y_true)[1])) if labels is None else labels
        self.labels = [str(label) for label in columns]
        self.y_true = _indicators(y_true, "y_true", (np.shape(y_true)[0], len(self.labels)))
        self.y_pred = _indicators(y_pred, "y_pred", self.y_true.shape)
        self.y_pred_random = (
            None if y_pred_random is None else _indicators(y_pred_random, "y_pred_random", self.y_true.shape)
        )
        self.y_pred_conditions = {
            str(key): _indicators(predicted, str(key), self.y_true.shape)
            for key, predicted in (y_pred_conditions or {}).items()
        }
        self.speaker = complete(speaker, "speaker")
        parts = dict(sex=sex, corpus=corpus, language=language)
        parts = {key: None if values is None else column_or_1d(values) for key, values in parts.items()}
        vars(self).update(parts)
        check_consistent_length(self.y_true, self.speaker, *parts.values())
        self.speakers, self._speaker = np.unique(self.speaker, return_inverse=True)
        self._frame = self._table(dict(speaker=self.speaker, **parts))

    @property
    def macro_f1(self) -> float:
        """Mean of the labels' F1, 0 to 1."""
        return float(self._frame.loc[("macro-F1", "all"), "value"])

    def to_frame(self):
        """All figures as a table.

        Returns
        -------
        frame : DataFrame
            The index has two levels, `measure` and `of`: "macro-F1" and "micro-F1" of "all"; "F1" of each label;
            "macro-F1 by speaker", "by sex", "by corpus" and "by language"; "macro-F1 by condition" and "loss by
            condition"; "macro-F1, random split" and "leakage gap". The columns are `value`, the confidence interval
            `low` and `high`, `n_clips` (which have the label, for "F1") and `n_speakers`.
        """
        return self._frame.copy()

    def _table(self, parts: dict) -> pd.DataFrame:
        rows, everyone = {}, np.ones(len(self.y_true), bool)

        def add(measure, of, measured, clips, interval=recall_interval):
            low, high = interval(measured, self.confidence_level)
            n_speakers = len(np.unique(self._speaker[clips]))
            rows[measure, str(of)] = dict(
                value=measured.value, low=low, high=high, n_clips=int(np.sum(clips)), n_speakers=n_speakers
            )

        clean = self._counts(self.y_pred)
        add("macro-F1", "all", self._measure(_macro, clean), everyone)
        add("micro-F1", "all", self._measure(lambda counts: _f1(counts.sum(axis=-1)), clean), everyone)
        for k, label in enumerate(self.labels):
            of_label = self._measure(lambda counts, k=k: _f1(counts[..., k]), clean)
            add("F1", label, of_label, self.y_true[:, k])
        for kind, values in parts.items():
            found = [] if values is None else sorted(pd.unique(values[pd.notna(values)]).tolist(), key=str)
            for part in found if len(found) > 1 else []:
                clips = np.asarray(values == part, dtype=bool)
                add(f"macro-F1 by {kind}", part, self._measure(_macro, self._counts(self.y_pred, clips)), clips)
        if self.y_pred_random is not None:
            random = self._counts(self.y_pred_random)
            add("macro-F1, random split", "all", self._measure(_macro, random), everyone)
            add("leakage gap", "all", self._measure(_macro, random, clean), everyone, difference_interval)
        for condition, y_pred in (
            {CLEAN: self.y_pred, **self.y_pred_conditions}.items() if self.y_pred_conditions else ()
        ):
            counts = self._counts(y_pred)
            add("macro-F1 by condition", condition, self._measure(_macro, counts), everyone)
            if condition != CLEAN:
                add("loss by condition", condition, self._measure(_macro, clean, counts), everyone, difference_interval)
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = pd.MultiIndex.from_tuples(list(rows), names=["measure", "of"])
        return frame

    def _counts(self, y_pred, clips=slice(None)) -> np.ndarray:
        """Hits, false alarms and misses of each speaker who has such clips, (n_speakers, 3, n_labels)."""
        true, predicted, speaker = self.y_true[clips], y_pred[clips], self._speaker[clips]
        kinds = np.stack([true & predicted, ~true & predicted, true & ~predicted], axis=1).astype(float)
        counts = np.zeros((len(self.speakers), *kinds.shape[1:]))
        np.add.at(counts, speaker, kinds)
        return counts[np.unique(speaker)]

    def _measure(self, score, *counts) -> Uncertain:
        """The score of pooled clips, or the difference of two, and the variance over drawn speakers."""
        return measure_statistic(score, *counts, n_boot=self.n_boot, rng=np.random.default_rng(self._seed))

    def _sections(self) -> list[_render.Section]:
        name = f"{100 * self.confidence_level:.4g} % interval"
        headings = {"macro-F1": "Recognized", "F1": "F1 of each label"}
        found = []
        for measure in dict.fromkeys(self._frame.index.get_level_values("measure")):
            rows = [
                [
                    str(of),
                    f"{row['value']:.3f}",
                    "" if np.isnan(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
                    str(int(row["n_clips"])),
                ]
                for of, row in self._frame.loc[measure].iterrows()
            ]
            rows = _render.both_ends(sorted(rows, key=lambda row: row[1])) if measure == "macro-F1 by speaker" else rows
            found.append(_render.Section(headings.get(measure, measure), ["score", name, "clips"], rows))
        return found

    def _headline(self) -> str:
        text = f"{len(self.y_true)} clips of {len(self.speakers)} speakers with {len(self.labels)} labels"
        return f"{text}; {self.protocol}." if self.protocol else f"{text}."

    def _notes(self) -> list[str]:
        return [
            "F1: harmonic mean of the fraction of a label's clips that are found and the fraction of its predictions "
            "that are right. Macro-F1: its mean over the labels. Micro-F1: F1 of all labels counted together. "
            "Intervals are over speakers."
        ]

    def _rendered(self):
        return self._headline(), self._sections(), self._notes()


def _f1(counts: np.ndarray):
    """F1 of hits, false alarms and misses in the last axis."""
    hits, wrong = counts[..., 0], counts[..., 1] + counts[..., 2]
    return np.divide(2 * hits, 2 * hits + wrong, out=np.zeros(np.shape(hits)), where=2 * hits + wrong > 0)


def _macro(counts: np.ndarray):
    return _f1(np.swapaxes(counts, -1, -2)).mean(axis=-1)


def _indicators(values, name: str, shape: tuple[int, int]) -> np.ndarray:
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    if values.shape != shape or not np.isin(values, (0, 1)).all():
        raise ValueError(f"{name} must hold 0 and 1, in the shape {shape}. Got the shape {values.shape}.")
    return values.astype(bool)
