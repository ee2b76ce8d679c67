"""Scores of predicted values with intervals over speakers, from sums over the clips of each speaker."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ._bootstrap import Uncertain, measure_statistic, student_interval, subtract
from ._evaluated import CLEAN

_COUNT, _TRUE, _PREDICTED, _TRUE_2, _PREDICTED_2, _BOTH, _ABSOLUTE = range(7)


def _moments(sums: np.ndarray):
    """Means, variances and the covariance of values and predictions, of sums (..., 7)."""
    n = sums[..., _COUNT]
    true, predicted = sums[..., _TRUE] / n, sums[..., _PREDICTED] / n
    variances = [sums[..., k] / n - mean**2 for k, mean in ((_TRUE_2, true), (_PREDICTED_2, predicted))]
    return true, predicted, *variances, sums[..., _BOTH] / n - true * predicted


def _ccc(sums):
    true, predicted, var_true, var_predicted, covariance = _moments(sums)
    apart = var_true + var_predicted + (true - predicted) ** 2
    return np.where(apart > 1e-12, 2 * covariance / np.maximum(apart, 1e-12), np.nan)


def _correlation(sums):
    *_, var_true, var_predicted, covariance = _moments(sums)
    squares = [sums[..., k] / sums[..., _COUNT] for k in (_TRUE_2, _PREDICTED_2)]
    varies = (var_true > 1e-12 * squares[0]) & (var_predicted > 1e-12 * squares[1])  # else it is rounding
    spread = np.sqrt(np.where(varies, var_true * var_predicted, 1))
    return np.where(varies, covariance / spread, np.nan)


def _rmse(sums):
    squares = sums[..., _TRUE_2] - 2 * sums[..., _BOTH] + sums[..., _PREDICTED_2]
    return np.sqrt(np.maximum(squares, 0) / sums[..., _COUNT])


def _mae(sums):
    return sums[..., _ABSOLUTE] / sums[..., _COUNT]


def _mean_error(sums):
    return (sums[..., _PREDICTED] - sums[..., _TRUE]) / sums[..., _COUNT]


STATISTICS = {"CCC": _ccc, "Pearson": _correlation, "Spearman": _correlation, "RMSE": _rmse, "MAE": _mae}
STATISTICS["mean error"] = _mean_error
_CORRELATIONS = ("CCC", "Pearson", "Spearman")  # within -1 and 1


def sums_of_speakers(true: np.ndarray, predicted: np.ndarray, speaker: np.ndarray, n_speakers: int) -> np.ndarray:
    """Sums over each speaker's clips, (n_speakers, 7), of one dimension."""
    columns = (np.ones(len(true)), true, predicted, true**2, predicted**2, true * predicted, np.abs(predicted - true))
    return np.stack([np.bincount(speaker, column, minlength=n_speakers) for column in columns], axis=1)


def interval(name: str, measured: Uncertain, level: float) -> tuple[float, float]:
    """Student's t interval: of correlations on the scale of Fisher's z, so that it stays within -1 and 1."""
    low, high = student_interval(measured, level)
    if np.isnan(low) or name == "mean error":
        return low, high
    if name not in _CORRELATIONS:
        return max(0.0, low), high
    value, half = measured.value, (high - low) / 2
    z, half = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9)), half / max(1 - value**2, 1e-9)
    low, high = np.tanh([z - half, z + half])
    return float(low), float(high)


class ValueScores:
    """Scores of one report: sums by dimension, and the table of all of them."""

    def __init__(self, report):
        self.report = report
        self.rows: dict = {}
        self.centre = report.y_true.mean(axis=0)
        self.ranks = [rankdata(report.y_true[:, k]) for k in range(report.y_true.shape[1])]

    def sums(self, y_pred, dimension: int, clips=slice(None), *, ranked=False) -> np.ndarray:
        """Sums of the speakers who have such clips, (n_speakers, 7)."""
        true, predicted = self.report.y_true[:, dimension], y_pred[:, dimension]
        if ranked:
            true, predicted = (self.ranks[dimension] / len(true) - 0.5, rankdata(predicted) / len(true) - 0.5)
        else:
            true, predicted = true - self.centre[dimension], predicted - self.centre[dimension]
        speaker = self.report._speaker
        sums = sums_of_speakers(true[clips], predicted[clips], speaker[clips], len(self.report.speakers))
        return sums[sums[:, _COUNT] > 0]

    def measure(self, statistic, *sums: np.ndarray) -> Uncertain:
        """The statistic of pooled clips, or the difference of two, and the variance over drawn speakers."""
        rng = np.random.default_rng(self.report._seed)
        return measure_statistic(statistic, *sums, n_boot=self.report.n_boot, rng=rng)

    def add(self, measure, of, dimension, measured, clips, how=None) -> None:
        """Write a row."""
        level, name = self.report.confidence_level, self.report.dimensions[dimension]
        low, high = interval(how, measured, level) if how else student_interval(measured, level)
        speakers = len(np.unique(self.report._speaker[clips]))
        row = dict(value=measured.value, low=low, high=high, n_clips=int(np.sum(clips)), n_speakers=speakers)
        self.rows[measure, of, name] = row

    def table(self) -> pd.DataFrame:
        """The table that `ValueReport.to_frame` returns."""
        report = self.report
        everyone = np.ones(len(report.y_true), bool)
        for k in range(len(report.dimensions)):
            for name, statistic in STATISTICS.items():
                sums = self.sums(report.y_pred, k, ranked=name == "Spearman")
                self.add(name, "all", k, self.measure(statistic, sums), everyone, name)
        for parts, values in (("sex", report.sex), ("speaker", report.speaker)):
            self._add_parts(parts, values)
        for parts, values in (("corpus", report.corpus), ("language", report.language)):
            if values is not None and len(pd.unique(values[pd.notna(values)])) > 1:
                self._add_parts(parts, values)
        self._add_gap_by_sex()
        for k in range(len(report.dimensions)):
            clean = self.sums(report.y_pred, k)
            if report.y_pred_random is not None:
                random = self.sums(report.y_pred_random, k)
                self.add("CCC, random split", "all", k, self.measure(_ccc, random), everyone, "CCC")
                self.add("leakage gap", "all", k, self.measure(_ccc, random, clean), everyone)
            worlds = {CLEAN: report.y_pred, **report.y_pred_conditions} if report.y_pred_conditions else {}
            for condition, y_pred in worlds.items():
                sums = self.sums(y_pred, k)
                self.add("CCC by condition", condition, k, self.measure(_ccc, sums), everyone, "CCC")
                if condition != CLEAN:
                    self.add("loss by condition", condition, k, self.measure(_ccc, clean, sums), everyone)
        frame = pd.DataFrame.from_dict(self.rows, orient="index")
        frame.index = pd.MultiIndex.from_tuples(list(self.rows), names=["measure", "of", "dimension"])
        return frame

    def _add_parts(self, parts: str, values) -> None:
        """CCC, RMSE and mean error of the clips of each sex, speaker, corpus or language."""
        if values is None:
            return
        for part in sorted(pd.unique(values[pd.notna(values)]).tolist(), key=str):
            clips = np.asarray(values == part, dtype=bool)
            for k in range(len(self.report.dimensions)):
                sums = self.sums(self.report.y_pred, k, clips)
                for name in ("CCC", "RMSE", "mean error"):
                    self.add(f"{name} by {parts}", part, k, self.measure(STATISTICS[name], sums), clips, name)

    def _add_gap_by_sex(self) -> None:
        """Difference between the sexes in the mean error: how much higher one sex is predicted than the other."""
        sex = self.report.sex
        sexes = [] if sex is None else sorted(pd.unique(sex[pd.notna(sex)]).tolist(), key=str)
        if len(sexes) != 2:
            return
        for k in range(len(self.report.dimensions)):
            parts = [self.sums(self.report.y_pred, k, np.asarray(sex == each, dtype=bool)) for each in sexes]
            gap = subtract(*(self.measure(_mean_error, sums) for sums in parts))
            self.add("mean error gap by sex", " - ".join(map(str, sexes)), k, gap, pd.notna(sex))
