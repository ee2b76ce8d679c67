"""Scores, speaker-independent evaluation with confidence intervals, and comparison of models."""

from ._compare import Comparison, ValueComparison, compare
from ._concordance import ccc_score, ccc_scorer
from ._distributions import jensen_shannon, rater_accuracy, soft_cross_entropy
from ._evaluate import evaluate
from ._multilabel import MultilabelReport
from ._plot.report import ReportDisplay
from ._report import EvaluationReport
from ._risk import risk_coverage_curve
from ._scores import uar_score, wa_score
from ._value_report import ValueReport

EvaluationReport._display = ReportDisplay  # a report draws itself without a file that imports in a circle

__all__ = [
    "Comparison",
    "EvaluationReport",
    "MultilabelReport",
    "ValueComparison",
    "ValueReport",
    "ccc_score",
    "ccc_scorer",
    "compare",
    "evaluate",
    "jensen_shannon",
    "rater_accuracy",
    "risk_coverage_curve",
    "soft_cross_entropy",
    "uar_score",
    "wa_score",
]
