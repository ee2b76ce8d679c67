"""compare: a test of whether two evaluations of the same clips differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state, check_scalar

from . import _render
from ._bootstrap import contributions, difference_interval, measure_difference, sign_flip_p_value
from ._report import EvaluationReport
from ._value_compare import compare_values
from ._value_report import ValueReport


class Comparison:
    """Comparison of two models on the same clips, speaker by speaker: made by `compare`.

    Read more in the guide: :doc:`comparing two models </howto/compare_models>`.

    Examples
    --------
    >>> from sklearn_ser import EvaluationReport, compare
    >>> y, speaker = ["anger", "fear"] * 4, [s for s in "abcd" for _ in range(2)]
    >>> right, blind = (EvaluationReport(y, y_pred, speaker=speaker) for y_pred in (y, ["anger"] * 8))
    >>> compare(right, blind).by_speaker["difference"].tolist()
    [0.5, 0.5, 0.5, 0.5]

    Parameters
    ----------
    frame : DataFrame
        See `to_frame`.
    by_speaker : DataFrame of shape (n_speakers, 3)
        UAR of each speaker in either report, and the difference.
    titles : tuple of str
        Names of the two models.
    confidence_level : float
        Confidence level of the intervals.

    Attributes
    ----------
    frame, by_speaker, titles, confidence_level
        As given.
    n_speakers : int
        Number of speakers.
    """

    measure = "UAR"  # of each speaker
    explained = "UAR: the mean of the emotions' recalls. WA: the fraction of clips recognized."

    def __init__(self, frame, by_speaker, titles, confidence_level):
        self.frame, self.by_speaker = frame, by_speaker
        self.titles, self.confidence_level = titles, confidence_level
        self.n_speakers = len(by_speaker)

    def to_frame(self):
        """The differences as a table.

        Returns
        -------
        frame : DataFrame
            One row for "UAR" and one for "WA", or one for the CCC of each dimension: `a`, `b`, their `difference` a - b
            with its confidence interval `low` and `high`, and the `p_value`.
        """
        return self.frame.copy()

    def __str__(self):
        return _render.comparison_text(self)

    __repr__ = __str__

    def _repr_html_(self):
        return _render.comparison_html(self)


def compare(report_a, report_b, *, n_permutations=9999, n_boot=None, random_state=0):
    """Test whether two models differ on the same clips, with speakers as the units.

    Parameters
    ----------
    report_a, report_b : EvaluationReport, or both ValueReport
        Reports on the same clips in the same order.
    n_permutations : int, default=9999
        Random sign flips, where there are more than 14 speakers; of fewer, all are tried.
    n_boot : int or None, default=None
        Resamples that intervals are made of; None takes the first report's.
    random_state : int, RandomState instance or None, default=0
        Seeds resampling and sign flips.

    Returns
    -------
    comparison : Comparison
        Prints as a verdict; `to_frame` has the figures.

    Raises
    ------
    ValueError
        If the reports are not of the same clips.

    Notes
    -----
    The p-value is that of a paired permutation test [1]_: if the two models were alike, it would not matter which of
    them made all predictions of a speaker, so for each speaker they are exchanged or not. With n speakers no
    p-value can be smaller than 2 / 2**n: five or fewer can never show a difference at the level of 0.05. The interval
    of the difference is Student's t with the standard error of a bootstrap that draws speakers for both models at once.

    References
    ----------
    .. [1] M. D. Ernst (2004), "Permutation methods: a basis for exact inference", Statistical Science 19(4), 676-685.

    Examples
    --------
    >>> from sklearn_ser.metrics import EvaluationReport, compare
    >>> y, speaker = ["anger", "fear"] * 6, [s for s in "abcdef" for _ in range(2)]
    >>> perfect = EvaluationReport(y, y, speaker=speaker)
    >>> blind = EvaluationReport(y, ["anger"] * 12, speaker=speaker)
    >>> compare(perfect, blind).to_frame()["p_value"].tolist()
    [0.03125, 0.03125]
    """
    if isinstance(report_a, ValueReport) and isinstance(report_b, ValueReport):
        params = dict(n_permutations=n_permutations, n_boot=n_boot, random_state=random_state)
        return ValueComparison(*compare_values(report_a, report_b, _titles(report_a, report_b), **params))
    for name, report in dict(report_a=report_a, report_b=report_b).items():
        if not isinstance(report, EvaluationReport):
            raise TypeError(f"{name} must be an EvaluationReport, as evaluate returns it. Got {type(report).__name__}.")
    same = [
        np.array_equal(getattr(report_a, name), getattr(report_b, name)) for name in ("y_true", "speaker")
    ]  # equal emotions and speakers in the same order: as near to the same clips as a report can tell
    if not all(same):
        raise ValueError(
            "Both reports must be of the same clips in the same order, or speakers cannot be paired. Got "
            f"{len(report_a.y_true)} clips of {len(report_a.speakers)} speakers and {len(report_b.y_true)} clips of "
            f"{len(report_b.speakers)} speakers with other emotions or in another order."
        )
    n_boot = report_a.n_boot if n_boot is None else n_boot
    check_scalar(n_boot, "n_boot", int, min_val=2)
    check_scalar(n_permutations, "n_permutations", int, min_val=1)
    seed, level = check_random_state(random_state).randint(2**31 - 1), report_a.confidence_level
    rows = {}
    for name, merge in dict(UAR=lambda x: x, WA=lambda x: x.sum(axis=1, keepdims=True)).items():
        counted = [merge(x) for x in (report_a._correct, report_b._correct, report_a._count)]
        difference = measure_difference(*counted, n_boot=n_boot, rng=np.random.default_rng(seed))
        low, high = difference_interval(difference, level)
        p_value = sign_flip_p_value(
            contributions(*counted), n_permutations=n_permutations, rng=np.random.default_rng(seed)
        )
        a, b = (float(report.to_frame().loc[(name, "all"), "value"]) for report in (report_a, report_b))
        rows[name] = dict(a=a, b=b, difference=difference.value, low=low, high=high, p_value=p_value)
    by_speaker = pd.DataFrame(
        {key: report.to_frame().loc["UAR by speaker", "value"] for key, report in (("a", report_a), ("b", report_b))}
    )
    by_speaker = by_speaker.assign(difference=by_speaker["a"] - by_speaker["b"]).rename_axis("speaker")
    return Comparison(pd.DataFrame.from_dict(rows, orient="index"), by_speaker, _titles(report_a, report_b), level)


def _titles(report_a, report_b) -> tuple[str, str]:
    """Names of the models; with their parameters, where names do not tell them apart."""
    by_name = report_a.name != report_b.name
    a, b = ((report.name if by_name else report.title) for report in (report_a, report_b))
    return a or "model A", b or "model B"


class ValueComparison(Comparison):
    """Comparison of two models that predict the same values, speaker by speaker: made by `compare`.

    Read more in the guide: :doc:`comparing two models </howto/compare_models>`.

    Examples
    --------
    >>> from sklearn_ser import ValueReport, compare
    >>> y, speaker = [0.0, 1.0, 2.0, 3.0] * 3, list("aaaabbbbcccc")
    >>> right, wrong = (ValueReport(y, y_pred, speaker=speaker) for y_pred in (y, [1.5] * 12))
    >>> compare(right, wrong).to_frame()["difference"].round(2).to_dict()
    {'CCC, value': 1.0}

    Parameters
    ----------
    frame : DataFrame
        See `to_frame`.
    by_speaker : DataFrame of shape (n_speakers, 3)
        Less RMSE, the better: minus the RMSE of each speaker in either report, and the difference.
    titles : tuple of str
        Names of the models.
    confidence_level : float
        Confidence level of the intervals.
    """

    measure = "negative RMSE"
    explained = "CCC: concordance correlation. Speakers are compared by minus their RMSE, the mean over the dimensions."
