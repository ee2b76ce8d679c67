"""Reports as text and as HTML, from the same tables."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import numpy as np

from ..utils import _html

_WIDTH = 100  # characters of a line of text
_COLLAPSED = 0.9  # fraction of the clips with the same answer, above which hardly anything is recognized
_MISTAKE, _ANSWER = "most often taken for", "commonest answer"
_WORDS = (_MISTAKE, _ANSWER)  # columns of words, which begin on the left


class Section(NamedTuple):
    """A table with a heading; the first column is words, the others are figures."""

    heading: str
    columns: list[str]
    rows: list[list[str]]


# --------------------------------------------------------------------------------------------------- what a report says


def headline(report) -> str:
    clips, speakers, emotions = len(report.y_true), len(report.speakers), len(report.emotions)
    text = f"{clips} clips of {speakers} speaker{'s' * (speakers > 1)} in {emotions} emotions"
    return f"{text}; {report.protocol}." if report.protocol else f"{text}."


def sections(report) -> list[Section]:
    """The report's tables."""
    frame, interval = report.to_frame(), _interval_name(report)
    heard = frame["listeners"].notna().any()
    columns = ["score", interval, *(["listeners"] if heard else [])]

    def row(name, figures, digits=3):
        cells = [name, _number(figures["value"], digits), _interval(figures, digits)]
        return cells + ([_number(figures["listeners"], digits)] if heard else [])

    def rows(measure, digits=2):
        part = frame.loc[measure]
        return [row(str(of), part.loc[of], digits) for of in part.index]

    overall = [
        [*row(name, frame.loc[measure, "all"]), _number(frame.loc[(measure, "all"), "chance"], 3)]
        for name, measure in [("UAR (mean of the recalls)", "UAR"), ("WA (fraction of the clips)", "WA")]
    ]
    found = [Section("Recognized", [*columns, "chance"], overall)]
    recalls = [
        [*cells, str(n), confusion]
        for cells, n, confusion in zip(rows("recall"), frame.loc["recall", "n_clips"], _taken_for(report), strict=True)
    ]
    found.append(Section("Recall of each emotion", [*columns, "clips", _MISTAKE], recalls))
    found.append(Section("UAR of each speaker, worst first", [*columns, "clips"], _speaker_rows(report, row)))
    measures = frame.index.get_level_values("measure")
    if "UAR by sex" in measures:
        by_sex = rows("UAR by sex", 3)
        if "gap by sex" in measures:
            gap = frame.loc["gap by sex"].iloc[0]
            by_sex.append(row(f"gap: {frame.loc['gap by sex'].index[0]}", gap))
        found.append(Section("UAR of each sex", columns, by_sex))
    for kind in ("corpus", "language"):
        if f"UAR by {kind}" in measures:
            counted = frame.loc[f"UAR by {kind}", ["n_clips", "n_speakers"]].astype(str).to_numpy().tolist()
            cells = [[*row, *counts] for row, counts in zip(rows(f"UAR by {kind}", 3), counted, strict=True)]
            found.append(Section(f"UAR of each {kind}", [*columns, "clips", "speakers"], cells))
    if "UAR by condition" in measures:
        found.append(_conditions_section(report, frame))
    if "leakage gap" in measures:
        leakage = [
            row("UAR of known speakers (random split)", frame.loc["UAR, random split", "all"]),
            row("gap: seen - unseen speakers", frame.loc["leakage gap", "all"]),
        ]
        found.append(Section("Leakage", columns[:2], [cells[:3] for cells in leakage]))
    return found


def _conditions_section(report, frame) -> Section:
    rows = []
    for name, figures in frame.loc["UAR by condition"].iterrows():
        label, fraction = commonest(report.y_pred_conditions.get(name, report.y_pred))
        lost = frame["value"].get(("loss by condition", name), np.nan)
        loss = "" if np.isnan(lost) else f"{lost:+.3f}"
        rows.append([name, _number(figures["value"], 3), _interval(figures, 3), loss, f"{label} ({fraction:.0%})"])
    columns = ["score", _interval_name(report), "loss", _ANSWER]
    return Section("UAR under each condition", columns, rows)


def commonest(y_pred) -> tuple[object, float]:
    """The label that is predicted most often, and the fraction of the clips that it is predicted for."""
    labels, counts = np.unique(y_pred, return_counts=True)
    return labels[counts.argmax()], float(counts.max() / counts.sum())


def notes(report) -> list[str]:
    """Explain the words in the tables to readers who have never seen them."""
    frame = report.to_frame()
    n_emotions, most_frequent = len(report.emotions), report.confusion.sum(axis=1).idxmax()
    found = [
        "Recall: the fraction of an emotion's clips that is recognized. UAR: its mean over the emotions, in which rare "
        f"emotions count as much as frequent ones. Chance: a UAR of 1/{n_emotions} for any guess, and the WA of saying "
        f"'{most_frequent}' always."
    ]
    n_speakers = len(report.speakers)
    if n_speakers > 1:
        found.append(
            f"Intervals (confidence level {100 * report.confidence_level:.4g} %): where the score may lie for other "
            f"speakers, judged from how much these {n_speakers} differ."
            + (" With so few of them it can hardly be judged." if n_speakers < 6 else "")
        )
    else:
        found.append("There are no intervals: from one speaker nothing can be said about others.")
    if report.y_pred_random is not None:
        found.append(
            "Leakage: the same evaluated once more with clips dealt at random, so that models know the speakers that "
            "they are tested on. Unseen speakers will not bring the gap."
        )
    if report.y_pred_conditions:
        found.append(
            "Conditions: the same models, tested on the same clips as they are in noise, over a telephone, and so on. "
            "Loss: how much lower the UAR is than of the clips as they are. Commonest answer: what was recognized most "
            "often, and in how many of the clips."
        )
        fractions = {name: commonest(y_pred)[1] for name, y_pred in report.y_pred_conditions.items()}
        collapsed = [name for name, fraction in fractions.items() if fraction > _COLLAPSED]
        if collapsed:
            found.append(
                f"Of no use under {len(collapsed)} of {len(fractions)} conditions, where it answers nearly the same "
                f"whatever it hears: {'; '.join(collapsed)}. Training on altered copies helps: "
                "AugmentedClassifier(estimator, real_world_augmenters())."
            )
    if frame["listeners"].notna().any():
        lowest = np.nanmin(report.recognised)
        heard = "Each of these clips" if not np.isnan(report.recognised).any() else "Each clip that they heard"
        text = "Listeners: the fraction of human listeners who named the emotion of the same clips."
        if lowest > 1 / n_emotions:
            text += (
                f" {heard} was recognized by at least {lowest:.0%} of them: probably the others were left "
                "out of the corpus, so that on all that was recorded listeners would do worse."
            )
        found.append(text)
    missing = [
        f"{speaker} lacks {', '.join(map(str, report.emotions[count == 0]))}"
        for speaker, count in zip(report.speakers, report._count, strict=True)
        if (count == 0).any()
    ]
    if missing:
        more = f", and {len(missing) - 3} more" if len(missing) > 3 else ""
        found.append(
            f"The UAR of a speaker is over the emotions that there are of them: {'; '.join(missing[:3])}{more}."
        )
    return found


def _taken_for(report) -> list[str]:
    """For each emotion, what it was most often mistaken for, and the fraction of its clips that was."""
    confusion = report.confusion
    found = []
    for emotion in report.emotions:
        mistakes = confusion.loc[emotion].drop(emotion)
        fraction = mistakes.max() / confusion.loc[emotion].sum() if len(mistakes) else 0
        found.append(f"{mistakes.idxmax()} ({fraction:.0%})" if fraction else "-")
    return found


def _speaker_rows(report, row) -> list[list[str]]:
    """From the worst to the best; of many, both ends."""
    frame = report.to_frame().loc["UAR by speaker"].sort_values("value", kind="stable")
    sexes = dict(zip(report.speakers, report._speaker_sex, strict=True))
    rows = []
    for speaker in frame.index:
        name = f"{speaker} ({sexes[speaker]})" if sexes[speaker] else str(speaker)
        rows.append([*row(name, frame.loc[speaker], 2), str(frame.loc[speaker, "n_clips"])])
    return both_ends(rows)


def both_ends(rows: list) -> list[list[str]]:
    """Shorten many rows to the first and the last six, and say how many were left out."""
    left_out = len(rows) - 12
    return rows if left_out < 2 else [*rows[:6], [f"... {left_out} more"] + [""] * (len(rows[0]) - 1), *rows[-6:]]


def _interval_name(report) -> str:
    return f"{100 * report.confidence_level:.4g} % interval"


def _number(value, digits) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _interval(figures, digits) -> str:
    return "" if np.isnan(figures["low"]) else f"{figures['low']:.{digits}f} to {figures['high']:.{digits}f}"


# -------------------------------------------------------------------------------------------------------------- as text


def as_text(name: str, headline: str, sections: list[Section], notes: list[str]) -> str:
    """Name, headline, tables and notes, as text."""
    parts = [_wrap(part) for part in (name, headline) if part]
    parts += [_table(section) for section in sections]
    return "\n".join(parts) + "\n\n" + "\n".join(map(_wrap, notes))


def _wrap(paragraph: str) -> str:
    return textwrap.fill(paragraph, _WIDTH)


def _table(section: Section) -> str:
    columns = [c for c in zip(section.columns, *(row[1:] for row in section.rows), strict=True)]
    keep = [k for k, column in enumerate(columns) if any(column[1:])]  # no column of blanks
    names = [section.heading, *(row[0] for row in section.rows)]
    lines = [name.ljust(max(26, *map(len, names))) for name in names]
    for k in keep:
        width = max(map(len, columns[k]))
        left = section.columns[k] in _WORDS
        lines = [
            f"{line}  {cell.ljust(width) if left else cell.rjust(width)}"
            for line, cell in zip(lines, columns[k], strict=True)
        ]
    lines = [line.rstrip() for line in lines]
    return "\n".join(["", lines[0], "-" * max(map(len, lines)), *lines[1:]])


# -------------------------------------------------------------------------------------------------------------- as HTML


def as_html(name: str, title: str, headline: str, sections: list[Section], notes: list[str], more: str = "") -> str:
    """Name, headline, parameters, tables and notes, as HTML; `more` is a table that is shown after the second."""
    tables = [_html_table(section) for section in sections]
    tables[2:2] = [more] if more else []
    return _html.page(
        _html.paragraph("", strong=name) if name else "",
        _html.paragraph(headline),
        _html.folded(_html.paragraph(title), summary="Parameters") if title != name else "",
        _html.side_by_side(*tables),
        _html.explained(notes),
    )


def _html_table(section: Section) -> str:
    shown = [k for k in range(len(section.columns) + 1) if k == 0 or any(row[k] for row in section.rows)]
    columns = ["", *section.columns]
    rows = [[row[k] for k in shown] for row in section.rows]
    return _html.table(section.heading, [columns[k] for k in shown], rows, words=_WORDS)


def html_confusion(confusion) -> str:
    def cell(count, total):
        text = f"{count / total:.0%}" if count else "\u00b7"
        return _html.Tinted(text, count / total, hint=f"{count} of {total} clips")

    rows = [
        [str(emotion), *(cell(count, counts.sum()) for count in counts)]
        for emotion, counts in zip(confusion.index, confusion.to_numpy(), strict=True)
    ]
    caption = "What each emotion (rows) was recognized as (columns)"
    return _html.table(caption, ["", *map(str, confusion.columns)], rows)


# ---------------------------------------------------------------------------------------------------------- two reports


def verdict(comparison) -> str:
    """Sum up a comparison in a sentence or two."""
    uar, n = comparison.frame.iloc[0], comparison.n_speakers
    score = comparison.measure
    wins = int((comparison.by_speaker["difference"] > 0).sum())
    losses = int((comparison.by_speaker["difference"] < 0).sum())
    alpha, p = 1 - comparison.confidence_level, uar["p_value"]
    text = f"A has the higher {score} for {wins} and B for {losses} of {n} speakers. "
    if p <= alpha:
        return (
            text
            + f"{'A' if uar['difference'] > 0 else 'B'} is better: chance alone would hardly bring that (p = {p:.2g})."
        )
    text += f"That may be chance (p = {p:.2g}): it does not show that either is better, nor that they are alike."
    if 2 / 2**n > alpha:
        text += f" With {n} speakers no difference could be shown: p is at least {2 / 2**n:.2g}."
    return text


def _comparison_section(comparison) -> Section:
    interval = _interval_name(comparison)
    rows = [
        [
            name,
            *(f"{row[key]:.3f}" for key in "ab"),
            f"{row['difference']:+.3f}",
            _signed_interval(row),
            f"{row['p_value']:.2g}",
        ]
        for name, row in comparison.frame.iterrows()
    ]
    return Section("Recognized", ["A", "B", "A - B", interval, "p"], rows)


def _signed_interval(row) -> str:
    return "" if np.isnan(row["low"]) else f"{row['low']:+.3f} to {row['high']:+.3f}"


def comparison_text(comparison) -> str:
    names = [_wrap(f"{key}: {title}") for key, title in zip("AB", comparison.titles, strict=True)]
    return "\n".join([*names, _table(_comparison_section(comparison)), "", _wrap(verdict(comparison))])


def comparison_html(comparison) -> str:
    names = [_html.paragraph(title, strong=f"{key}: ") for key, title in zip("AB", comparison.titles, strict=True)]
    return _html.page(
        *names,
        _html.paragraph(verdict(comparison)),
        _html.side_by_side(
            _html_table(_comparison_section(comparison)), _html_by_speaker(comparison.by_speaker, comparison.measure)
        ),
        _html.explained(_comparison_notes(comparison)),
    )


def _html_by_speaker(by_speaker, measure: str) -> str:
    """From the speaker whom A suits best to the one whom B does; of many, both ends."""
    by_speaker = by_speaker.sort_values("difference", ascending=False, kind="stable")
    largest = max(by_speaker["difference"].abs().max(), 1e-9)
    rows = [
        [
            str(speaker),
            f"{row['a']:.2f}",
            f"{row['b']:.2f}",
            _html.Tinted(
                f"{row['difference']:+.2f}",
                abs(row["difference"]) / largest,
                _html.BLUE if row["difference"] > 0 else _html.ORANGE,
            ),
        ]
        for speaker, row in by_speaker.iterrows()
    ]
    return _html.table(f"{measure} of each speaker", ["", "A", "B", "A - B"], both_ends(rows))


def _comparison_notes(comparison) -> list[str]:
    found = [
        f"{comparison.explained} Both models were tested on the same clips, and the {comparison.n_speakers} speakers "
        "are the units that are compared."
    ]
    if comparison.frame["low"].notna().any():
        found.append(
            f"Interval (confidence level {100 * comparison.confidence_level:.4g} %): where the difference may lie for "
            "other speakers."
        )
    found.append(
        "p: how often a difference this large would come about if, for each speaker, it were left to chance which of "
        "the models made the predictions. It does not say how large the difference is."
    )
    return found
