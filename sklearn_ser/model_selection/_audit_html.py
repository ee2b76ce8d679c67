"""An audit of a split, as a notebook shows it."""

from __future__ import annotations

import pandas as pd

from ..utils import _html

_MOST_COPIES, _MOST_FOLDS = 10, 30  # rows that are shown
_LEAKS, _APART, _UNKNOWN = "leaks", "kept apart", "not known"
_REMEDIES = {
    "speakers": (
        "Speakers on both sides: a model recognizes voices that it knows, and scores are too good for unseen speakers. "
        "StratifiedSpeakerKFold, or LeaveOneGroupOut with the speakers as groups, keeps them apart."
    ),
    "texts": (
        "Sentences on both sides: a model may have learned how a sentence sounds in an emotion. SpeakerTextKFold keeps "
        "speakers and sentences apart; where all speakers say the same few sentences, that is often too much to ask."
    ),
    "recordings": (
        "Recordings on both sides: the same sound is learned and tested, under one name or two. Leave the copies out "
        "of the corpus; audit.recordings has their rows."
    ),
}


def audit_html(audit, title: str, lines: dict[str, str]) -> str:
    """Title, verdict, what was found (`lines`, as it is printed), copies, fold by fold, and remedies."""
    leaks = ["sentences" if name == "texts" else name for name in audit.leaks]
    lacking = audit.missing_in_test is not None and any((*audit.missing_in_test, *audit.missing_in_train))
    verdict = (
        f"{_listed(leaks).capitalize()} on both sides of a fold." if leaks else "Nothing found on both sides of a fold."
    )
    rows = [[name, _status(name, text, leaks, lacking), text] for name, text in lines.items()]
    found = _html.table("", ["", "verdict", "what was found"], rows, words=("verdict", "what was found"))
    notes = [_REMEDIES[name] for name in audit.leaks]
    if lacking:
        notes.append(
            "Emotions that a fold lacks: a mean of the folds' scores weighs emotions differently. Pool the predictions "
            "of all folds before scoring, as evaluate does."
        )
    copies = "" if audit.recordings is None or audit.recordings.empty else _copies(audit.recordings)
    return _html.page(
        _html.paragraph("", strong=title),
        _html.paragraph(verdict),
        found,
        copies,
        _html.folded(_folds(audit), summary="Fold by fold"),
        _html.explained(notes, summary="What to do") if notes else "",
    )


def _status(name: str, text: str, leaks: list[str], lacking: bool) -> str | _html.Tinted:
    if name == "emotions":
        status = "some lack" if lacking else _UNKNOWN if text == "not known" else "all there"
    else:
        status = _LEAKS if name in leaks else _UNKNOWN if text.startswith("not ") else _APART
    if status in (_LEAKS, "some lack"):
        return _html.Tinted(status, 1.0 if status == _LEAKS else 0.4, _html.ORANGE)
    return status if status == _UNKNOWN else _html.Tinted(status, 0.5)


def _folds(audit) -> str:
    """Counts of each fold: tinted where something is on both sides."""
    frame = audit.to_frame()
    counts = [name for name in ("speakers", "texts", "recordings") if name in frame]
    frame = frame.drop(columns=[name for name in frame if name.startswith("missing") and not any(frame[name])])
    words = [name for name in frame if name.startswith("missing")]
    names = {"texts": "sentences", "missing_in_train": "training lacks", "missing_in_test": "test lacks"}
    names |= {"train": "training clips", "test": "test clips"}
    rows = []
    for fold, row in frame.head(_MOST_FOLDS).iterrows():
        cells: list[str | _html.Tinted] = [str(fold), str(row["train"]), str(row["test"])]
        cells += [_html.Tinted(str(row[name]), 0.6 * (row[name] > 0), _html.ORANGE) for name in counts]
        rows.append([*cells, *(row[name] for name in words)])
    if len(frame) > _MOST_FOLDS:
        rows.append([f"... {len(frame) - _MOST_FOLDS} more", *[""] * len(frame.columns)])
    columns = ["fold", *(names.get(name, name) for name in frame)]
    caption = "Clips, and what is on both sides"
    return _html.table(caption, columns, rows, words=[names[name] for name in words])


def _copies(recordings: pd.DataFrame) -> str:
    """Test clips whose recording is in training, the most alike first."""
    kind = "path" if "test_path" in recordings else "row"
    rows = recordings.drop_duplicates([f"test_{kind}", f"train_{kind}"])
    rows = rows.sort_values("similarity", ascending=False, kind="stable")
    shown = rows.head(_MOST_COPIES)
    names = shown[[f"test_{kind}", f"train_{kind}"]].astype(str).to_numpy().tolist()
    figures = [
        shown[name].map(lambda value, form=form: "" if pd.isna(value) else form.format(value))
        for name, form in _FIGURES.items()
    ]
    cells = [[*pair, *values] for pair, values in zip(names, zip(*figures, strict=True), strict=True)]
    if len(rows) > _MOST_COPIES:
        cells.append([f"... {len(rows) - _MOST_COPIES} more", *[""] * 4])
    columns = ["test clip", "training clip", "similarity", "later by (s)", "louder by (dB)"]
    return _html.table("Recordings on both sides", columns, cells, words=("training clip",))


_FIGURES = {"similarity": "{:.3f}", "shift": "{:+.3f}", "gain": "{:+.1f}"}


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
