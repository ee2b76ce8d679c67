"""Corpora whose clips have values and ratings beside emotions: what IEMOCAP, MSP-Podcast and MSP-IMPROV share."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.utils import Bunch

from ._base import make_bunch
from ._row import Row

DIMENSIONS = ("arousal", "valence", "dominance")
# Words of raters' forms, by their first letters, in this library's.
_WORDS = {"ang": "anger", "con": "contempt", "dis": "disgust", "exc": "excitement", "fea": "fear", "fru": "frustration"}
_WORDS |= {"hap": "happiness", "neu": "neutral", "sad": "sadness", "sur": "surprise", "dep": "depression"}


def emotion_of(word: str) -> str:
    """Return a word of a rater's form, such as "Neutral state", in this library's."""
    return _WORDS.get(word.strip().casefold()[:3], word.strip().casefold())


def rated(clip: str, rater: str, emotions, values) -> list[tuple]:
    """Return the rows of what a rater said of a clip: emotions, the first of them chief, and values by dimension."""
    emotions = [emotion_of(word) for word in emotions if word.strip()]
    names = ["emotion", *(f"emotion {n}" for n in range(2, len(emotions) + 1))]
    rows = [(clip, rater, name, emotion) for name, emotion in zip(names, emotions, strict=False)]
    return rows + [(clip, rater, name, value) for name, value in values.items() if value is not None]


def number(text) -> float | None:
    """Return a number of a form, or None where none was given."""
    try:
        value = float(str(text).strip())
    except ValueError:
        return None
    return value if np.isfinite(value) else None


class ValuesBunch(Bunch):
    """A Bunch whose attribute `values` is what it holds by that name, and not the method of all dicts."""

    @property
    def values(self):
        """The values of the clips, a DataFrame."""
        return self["values"]


def values_bunch(clips, missing, ratings, *, row: Row, folder, where, emotions, return_X_y, stacklevel=3):
    """Return the clips of a corpus with values as a Bunch, or as (data, target).

    Parameters
    ----------
    clips : list of dict
        With `clip`, the clip's name, which is no column, and the three dimensions.
    missing : list of str
        Labeled clips without audio.
    ratings : list of tuple
        Clip, rater, dimension and value.
    row, folder, where, emotions, return_X_y, stacklevel
        The corpus; its folder; where audio was looked for; as for the loader; whose line a warning names.
    """
    import pandas as pd

    if missing:
        warnings.warn(
            f"{row.name} in {folder}: {len(missing)} labeled turns have no WAV file in {where} and are left out: "
            f"{', '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}.",
            UserWarning,
            stacklevel=stacklevel,
        )
    plain = [{name: value for name, value in clip.items() if name != "clip"} for clip in clips]
    bunch = make_bunch(plain, emotions=emotions, title=row.name, descr=row.describe(), return_X_y=return_X_y)
    if return_X_y:
        return bunch
    names = [clip["clip"] for clip in clips if clip["emotion"] in emotions]
    values = bunch.data.rename(columns={"activation": "arousal"})[list(DIMENSIONS)].astype(float)
    table = pd.DataFrame(ratings, columns=["clip", "rater", "dimension", "value"])
    return ValuesBunch(
        **bunch,
        values=values.set_axis(pd.Index(names, name="clip")),
        ratings=table[table["clip"].isin(set(names))].reset_index(drop=True),
    )
