"""A report on values in words: tables, notes, and what a paper has to state."""

from __future__ import annotations

import textwrap

import numpy as np

from . import _paper
from ._render import Section, both_ends


def headline(report) -> str:
    text = f"{len(report.y_true)} clips of {len(report.speakers)} speaker{'s' * (len(report.speakers) > 1)}"
    return f"{text}; {report.protocol}." if report.protocol else f"{text}."


def sections(report) -> list[Section]:
    """The report's tables."""
    frame = report.to_frame()
    measures = set(frame.index.get_level_values("measure"))
    interval = f"{100 * report.confidence_level:.4g} % interval"
    others = ("Pearson", "Spearman", "RMSE", "MAE", "mean error")
    rows: list[list[str]] = []
    for name in report.dimensions:
        ccc = frame.loc["CCC", "all", name]
        figures = [_number(frame.loc[(measure, "all", name), "value"]) for measure in others]
        rows.append([name, _number(ccc["value"]), _interval(ccc), *figures])
    found = [Section("Predicted", ["CCC", interval, *others], rows)]
    for parts in ("speaker", "sex", "corpus", "language"):
        if f"CCC by {parts}" not in measures:
            continue
        rows = []
        for (of, name), ccc in frame.loc[f"CCC by {parts}"].iterrows():
            rmse, error = (frame.loc[f"{measure} by {parts}", of, name] for measure in ("RMSE", "mean error"))
            label = str(of) if len(report.dimensions) == 1 else f"{of}, {name}"
            figures = [_number(rmse["value"]), f"{error['value']:+.3f}", _interval(error), str(int(ccc["n_clips"]))]
            rows.append([label, _number(ccc["value"]), *figures])
        columns = ["CCC", "RMSE", "mean error", f"its {interval}", "clips"]
        if parts == "speaker":
            rows = both_ends(sorted(rows, key=lambda row: float(row[1] or -2)))
            found.append(Section("Each speaker, worst first", columns, rows))
        else:
            found.append(Section(f"Each {parts}", columns, rows))
    if "mean error gap by sex" in measures:
        gaps = frame.loc["mean error gap by sex"]
        rows = [[f"{name}: {of}", f"{row['value']:+.3f}", _interval(row)] for (of, name), row in gaps.iterrows()]
        found.append(Section("Heard as higher: gap of the mean error", ["gap", interval], rows))
    if "CCC by condition" in measures:
        rows = []
        for (of, name), ccc in frame.loc["CCC by condition"].iterrows():
            loss = frame["value"].get(("loss by condition", of, name), np.nan)
            label = of if len(report.dimensions) == 1 else f"{of}, {name}"
            rows.append([label, _number(ccc["value"]), _interval(ccc), "" if np.isnan(loss) else f"{loss:+.3f}"])
        found.append(Section("CCC under each condition", ["CCC", interval, "loss"], rows))
    if "leakage gap" in measures:
        rows = []
        for measure, label in (("CCC, random split", "CCC of known speakers (random split)"), ("leakage gap", "gap")):
            for (_, name), row in frame.loc[measure].iterrows():
                rows.append([f"{label}, {name}", _number(row["value"]), _interval(row)])
        found.append(Section("Leakage", ["CCC", interval], rows))
    return found


def notes(report) -> list[str]:
    """Explain the words in the tables."""
    found = [
        "CCC: concordance correlation, 1 if predictions equal the values, 0 for a constant prediction. RMSE and MAE: "
        "root of the mean squared error and mean absolute error, in the unit of the values. Mean error: predicted less "
        "true; above 0, clips are heard as higher than they are."
    ]
    n_speakers = len(report.speakers)
    if n_speakers > 1:
        found.append(
            f"Intervals (confidence level {100 * report.confidence_level:.4g} %): where the figure may lie for other "
            f"speakers, judged from how much these {n_speakers} differ."
        )
    else:
        found.append("There are no intervals: from one speaker nothing can be said about others.")
    if report.y_pred_random is not None:
        found.append(
            "Leakage: the same evaluated once more with clips dealt at random, so that models know the speakers that "
            "they are tested on. Unseen speakers will not bring the gap."
        )
    return found


def summary(report, *, corpus, selection, seeds, width) -> str:
    """Data, protocol, results, subgroups, conditions and software, one paragraph each."""
    frame = report.to_frame()
    results = []
    for name in report.dimensions:
        ccc, rmse, error = (frame.loc[measure, "all", name] for measure in ("CCC", "RMSE", "mean error"))
        results.append(
            f"{name}: CCC {_paper.figure(ccc)}, RMSE {_paper.figure(rmse)}, mean error "
            f"{_paper.figure(error, signed=True)}"
        )
    groups = []
    for (of, name), row in (
        frame.loc["mean error by sex"].iterrows() if "mean error by sex" in frame.index.get_level_values(0) else ()
    ):
        groups.append(f"{name} of {of} speakers {_paper.figure(row, signed=True)}")
    conditions = [
        f"{of}, {name} {_paper.figure(row)}"
        for (of, name), row in (frame.loc["CCC by condition"].iterrows() if report.y_pred_conditions else ())
    ]
    paragraphs = [
        f"Data. {corpus or '[corpus and version]'}: {len(report.y_true)} clips by {len(report.speakers)} speakers.",
        f"Protocol. Model: {report.title or '[the model]'}. Split: {report.protocol or '[the split]'}. "
        f"{selection or '[Which hyperparameters were chosen, and on which clips; or that none were.]'} "
        f"{seeds or '[How many trainings with different seeds these figures are of.]'} The predictions of all clips "
        "were pooled before they were scored. CCC is the concordance correlation with the variances of the population. "
        f"Intervals are {100 * report.confidence_level:.4g} % confidence intervals over speakers ({report.n_boot} "
        "resamples).",
        f"Results. {'; '.join(results)}.",
        f"Subgroups. Mean error, predicted less true: {'; '.join(groups)}." if groups else "",
        f"Conditions. CCC: {'; '.join(conditions)}."
        if conditions
        else "Conditions. Tested on the clips as they are; [noise, telephone, room: not measured].",
        _paper.software_of(report),
    ]
    wrap = str if width is None else lambda text: textwrap.fill(text, width, break_on_hyphens=False)
    return "\n\n".join(wrap(paragraph) for paragraph in paragraphs if paragraph)


def _number(value) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _interval(row) -> str:
    return "" if np.isnan(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}"
