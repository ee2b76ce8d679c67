"""All figures of a report, with their intervals, as one table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..utils._messages import short
from . import _render
from ._bootstrap import Uncertain, difference_interval, measure, measure_difference, recall_interval, subtract
from ._evaluated import CLEAN


def score(report) -> pd.DataFrame:
    """The table that `EvaluationReport.to_frame` returns."""
    level, n_emotions = report.confidence_level, len(report.emotions)
    rows = {}

    def add(measure, of, measured, clips, interval=recall_interval, **more):
        low, high = interval(measured, level)
        n_speakers = len(np.unique(report._speaker[clips]))
        counted = dict(n_clips=int(np.sum(clips)), n_speakers=n_speakers)
        rows[measure, of] = dict(value=measured.value, low=low, high=high, **more, **counted)

    def add_uar(measure, of, speakers, clips):
        listeners = _listeners(report, clips)
        add(measure, of, _measure(report, speakers), clips, chance=1 / n_emotions, listeners=listeners)

    everyone = np.ones(len(report.y_true), bool)
    add_uar("UAR", "all", slice(None), everyone)
    most_frequent = report._count.sum(axis=0).max() / len(report.y_true)
    listeners = _listeners(report, everyone, pooled=True)
    add("WA", "all", _measure(report, pooled=True), everyone, chance=most_frequent, listeners=listeners)
    for k, emotion in enumerate(report.emotions):
        clips = report._emotion == k
        add("recall", emotion, _measure(report, emotions=[k]), clips, listeners=_listeners(report, clips))
    sexes = sorted(set(report._speaker_sex) - {None})
    for sex in sexes:
        speakers = np.flatnonzero(report._speaker_sex == sex)
        add_uar("UAR by sex", sex, speakers, np.isin(report._speaker, speakers))
    if len(sexes) == 2:
        gap = subtract(*(_measure(report, np.flatnonzero(report._speaker_sex == sex)) for sex in sexes))
        known = np.isin(report._speaker_sex[report._speaker], sexes)
        add("gap by sex", " - ".join(sexes), gap, known, difference_interval)
    for s, speaker in enumerate(report.speakers):
        add_uar("UAR by speaker", speaker, [s], report._speaker == s)
    for kind in ("corpus", "language"):
        for part in _parts(getattr(report, kind)):
            clips = np.asarray(getattr(report, kind) == part, dtype=bool)
            tallies = report._tally(clips & (report.y_pred == report.y_true)), report._tally(clips)
            measured = measure(*tallies, n_boot=report.n_boot, rng=_rng(report))
            more = dict(chance=1 / n_emotions, listeners=_listeners(report, clips))
            add(f"UAR by {kind}", part, measured, clips, **more)
    if report.y_pred_random is not None:
        correct = report._tally(report.y_pred_random == report.y_true)
        random = measure(correct, report._count, n_boot=report.n_boot, rng=_rng(report))
        add("UAR, random split", "all", random, everyone, chance=1 / n_emotions)
        gap = measure_difference(correct, report._correct, report._count, n_boot=report.n_boot, rng=_rng(report))
        add("leakage gap", "all", gap, everyone, difference_interval)
    worlds = {CLEAN: report.y_pred, **report.y_pred_conditions} if report.y_pred_conditions else {}
    for condition, y_pred in worlds.items():
        correct = report._tally(y_pred == report.y_true)
        paired = dict(n_boot=report.n_boot, rng=_rng(report))
        add("UAR by condition", condition, measure(correct, report._count, **paired), everyone, chance=1 / n_emotions)
        if condition != CLEAN:
            paired["rng"] = _rng(report)
            loss = measure_difference(report._correct, correct, report._count, **paired)
            add("loss by condition", condition, loss, everyone, difference_interval)
        fraction = _render.commonest(y_pred)[1]
        add("commonest answer by condition", condition, Uncertain(fraction, np.nan, 0), everyone)
    columns = ["value", "low", "high", "chance", "listeners", "n_clips", "n_speakers"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    frame.index = pd.MultiIndex.from_tuples(list(rows), names=["measure", "of"])
    return frame


def _rng(report):
    return np.random.default_rng(report._seed)  # the same for every figure: none depends on which others there are


def _measure(report, speakers=slice(None), emotions=slice(None), *, pooled=False) -> Uncertain:
    correct, count = report._correct[speakers][:, emotions], report._count[speakers][:, emotions]
    if pooled:
        correct, count = correct.sum(axis=1, keepdims=True), count.sum(axis=1, keepdims=True)
    return measure(correct, count, n_boot=report.n_boot, rng=_rng(report))


def _parts(values) -> list:
    """The corpora or languages, if there is more than one."""
    found = [] if values is None else pd.unique(values[pd.notna(values)]).tolist()
    return found if len(found) > 1 else []


def _listeners(report, clips, pooled=False) -> float:
    """Score human listeners on these clips: the mean over the emotions, or over the clips if pooled.

    NaN unless all of them were heard, so that it can be held against what was recognized of the same clips.
    """
    if report.recognised is None:
        return np.nan
    fractions = pd.Series(report.recognised[clips])
    if fractions.isna().any():
        return np.nan
    return float(fractions.mean() if pooled else fractions.groupby(report._emotion[clips]).mean().mean())


def sex_of_speakers(sex, speakers, codes) -> np.ndarray:
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
