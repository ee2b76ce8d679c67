"""How well emotions of unknown speakers are recognised, and how sure that is."""

from ._compare import Comparison, compare
from ._evaluate import evaluate
from ._report import EvaluationReport
from ._scores import uar_score, wa_score

__all__ = ["Comparison", "EvaluationReport", "compare", "evaluate", "uar_score", "wa_score"]
