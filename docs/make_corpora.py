"""Write docs/corpora.md from the table of corpora: python docs/make_corpora.py"""

from pathlib import Path

import pandas as pd

from sklearn_ser.datasets import list_corpora

PAGE = Path(__file__).with_name("corpora.md")
INTRODUCTION = """# Corpora

Written by `docs/make_corpora.py` from `list_corpora()`.

`load_corpus("SAVEE", "downloads/savee")` reads any of these from where it lies, as published or as copied on
Kaggle, as WAV, FLAC, MP3 or MP4. The result is the same for all: a table `data` with `path`, `corpus`,
`language` and, where the corpus tells them, `speaker`, `sex`, `age`, `text`; the emotions in `target`, in [one
vocabulary](conventions.md#words); the speakers in `speaker`. Without a path it looks into the data home. Those with
a function under *download* can be fetched: `fetch_corpus("SUBESCO")` downloads what is missing, checks it against the
published checksums, and returns the same. You have to ask for all others at their source, or fetch them from there
by hand.

`load_folder` reads any other corpus ([how](howto/own_corpus.md)), and `concatenate_corpora` joins several
([how](howto/cross_corpus.md)). A corpus whose file names tell all is added to the library as one row of a table,
without code; CONTRIBUTING.md says how.

*Folds* counts EmoBox's test folds, which `emobox_folds` gives where they keep speakers apart. IEMOCAP, MSP-IMPROV
and MSP-Podcast hold arousal, valence and dominance, too, and what each rater said ([raters](howto/raters.md)).
"""


def _row(*cells) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def page() -> str:
    corpora = list_corpora()
    overview = ("corpus", "language", "clips", "speakers", "emotions", "labels from", "folds", "download")
    lines = [INTRODUCTION, "## Overview", "", _row(*overview), "|" + "---|" * len(overview)]
    for name, row in corpora.iterrows():
        speakers = "" if pd.isna(row["n_speakers"]) else row["n_speakers"]
        found = f"`{row['found_by']}`" if row["found_by"].startswith("load_") else row["found_by"]
        fetch = f"`{row['fetch']}`" if row["fetch"] else ""
        cells = (row["language"], row["n_clips"], speakers, row["emotions"], found, row["folds"] or "", fetch)
        lines.append(_row(f"[{name}](#{_anchor(name)})", *cells))
    lines += ["", "## Sources and licences", ""]
    for name, row in corpora.iterrows():
        notes = [row["notes"], ""] if row["notes"] else []
        lines += [
            f"### {name}",
            "",
            f"Licence: {row['licence']}. Source: <{row['source']}>",
            "",
            row["citation"],
            "",
            *notes,
        ]
    return "\n".join(lines).rstrip() + "\n"


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
