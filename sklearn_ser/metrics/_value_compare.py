"""A test of whether two models predict the same values differently well, with speakers as the units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state, check_scalar

from ._bootstrap import MAX_ENUMERATED, student_interval
from ._value_scores import STATISTICS, ValueScores


def compare_values(report_a, report_b, titles, *, n_permutations, n_boot, random_state):
    """Return the arguments of `ValueComparison`: frame, scores by speaker, titles, confidence level."""
    same = [np.array_equal(getattr(report_a, name), getattr(report_b, name)) for name in ("y_true", "speaker")]
    if not all(same) or report_a.dimensions != report_b.dimensions:
        raise ValueError(
            "Both reports must be of the same values of the same clips in the same order, or speakers cannot be "
            f"paired. Got {report_a.y_true.shape} values of {report_a.dimensions} and {report_b.y_true.shape} values "
            f"of {report_b.dimensions}, or other speakers."
        )
    check_scalar(n_permutations, "n_permutations", int, min_val=1)
    if n_boot is not None:
        check_scalar(n_boot, "n_boot", int, min_val=2)
    seed, scores, ccc = check_random_state(random_state).randint(2**31 - 1), ValueScores(report_a), STATISTICS["CCC"]
    signs = _signs(len(report_a.speakers), n_permutations, np.random.default_rng(seed))
    rows = {}
    for k, name in enumerate(report_a.dimensions):
        a, b = (scores.sums(report.y_pred, k) for report in (report_a, report_b))
        difference = scores.measure(ccc, a, b)
        low, high = student_interval(difference, report_a.confidence_level)
        # Were the models alike, it would not matter which of them made all predictions of a speaker.
        exchanged = ccc(signs @ a + (1 - signs) @ b) - ccc(signs @ b + (1 - signs) @ a)
        p_value = float(np.mean(np.abs(exchanged) >= abs(difference.value) * (1 - 1e-9)))
        rows[f"CCC, {name}"] = dict(
            a=float(ccc(a.sum(axis=0))),
            b=float(ccc(b.sum(axis=0))),
            difference=difference.value,
            low=low,
            high=high,
            p_value=p_value,
        )
    by_speaker = pd.DataFrame(
        {
            key: -report.to_frame().loc["RMSE by speaker"].groupby("of")["value"].mean()
            for key, report in (("a", report_a), ("b", report_b))
        }
    )
    by_speaker = by_speaker.assign(difference=by_speaker["a"] - by_speaker["b"]).rename_axis("speaker")
    return pd.DataFrame.from_dict(rows, orient="index"), by_speaker, titles, report_a.confidence_level


def _signs(n: int, n_permutations: int, rng) -> np.ndarray:
    """Choose the speakers that keep their models, (n_permutations, n): all ways for few speakers, else random ones."""
    if n <= MAX_ENUMERATED:
        return (np.arange(2**n)[:, np.newaxis] >> np.arange(n) & 1).astype(float)
    return np.vstack([np.ones((1, n)), rng.integers(2, size=(n_permutations, n))])
