"""Displays, as scikit-learn has them: made by `from_...`, drawn into `ax_` of `figure_`. They need matplotlib."""

from ..metrics._plot.report import ConfusionDisplay, ReportDisplay
from ..metrics._plot.risk_coverage import RiskCoverageDisplay
from ._audio import AttentionDisplay, MelSpectrogramDisplay
from ._embedding import EmbeddingDisplay
from ._history import HistoryDisplay
from ._importance import FamilyImportanceDisplay
from ._kernels import KernelDisplay
from ._robustness import RobustnessDisplay
from ._timeline import TimelineDisplay

__all__ = [
    "AttentionDisplay",
    "ConfusionDisplay",
    "EmbeddingDisplay",
    "FamilyImportanceDisplay",
    "HistoryDisplay",
    "KernelDisplay",
    "MelSpectrogramDisplay",
    "ReportDisplay",
    "RiskCoverageDisplay",
    "RobustnessDisplay",
    "TimelineDisplay",
]
