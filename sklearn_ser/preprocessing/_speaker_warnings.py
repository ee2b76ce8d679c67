"""Warnings of SpeakerNormalizer: speakers who have one emotion each, and clips whose speaker is not known."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.utils.multiclass import type_of_target

from ..utils._messages import short
from ._speaker_equations import rows_by_speaker

_FEW, _DEVIATIONS = 0.7, 2.5  # of the emotions to be expected, and how far below them to be no chance


def warn_of_uniform_speakers(y, speakers: np.ndarray) -> None:
    """Warn where speakers have far fewer emotions than chance would give them: their mean is then their emotion's."""
    y = np.asarray(y)
    if y.ndim != 1 or type_of_target(y) not in ("binary", "multiclass"):
        return
    names, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    several = [rows for rows in rows_by_speaker(speakers) if len(rows) > 1]
    if len(names) < 2 or len(several) < 2:
        return
    sizes = np.array([[len(rows)] for rows in several])
    chance = 1 - (1 - counts / len(y)) ** sizes  # that a speaker has an emotion, if speakers were drawn at random
    expected, found = chance.sum(), sum(len(np.unique(codes[rows])) for rows in several)
    if found < _FEW * expected and expected - found > _DEVIATIONS * np.sqrt((chance * (1 - chance)).sum()):
        warnings.warn(
            f"Speakers have {found / len(several):.1f} of {len(names)} classes on average, so that normalizing by "
            "speaker takes much of the emotion away with the voice. Pass clips of several emotions of each speaker, "
            "mark neutral ones in the column `enrolment`, or leave SpeakerNormalizer out.",
            stacklevel=4,
        )


def warn_of_lonely_clips(normalizer, X, speakers: np.ndarray, reference: np.ndarray | None) -> None:
    """Warn where no clip has another of its speaker beside it, which it was trained to be normalized by."""
    known = np.ones(len(speakers), dtype=bool) if reference is None else reference
    others = np.bincount(speakers, known)[speakers] - known
    if not len(speakers) or others.any():
        return
    column = short(normalizer.speaker)
    if not hasattr(X, "columns"):
        found = f"X tells no speakers: it is no DataFrame with a column {column}"
    elif X[normalizer.speaker].isna().all():
        found = f"X tells no speakers: its column {column} is empty"
    else:
        found = "X has one clip of each speaker"
    warnings.warn(
        f"{found}, but in fit there were several clips of a speaker. Each clip is taken for its speaker's only one, "
        "which is recognized less well. Pass several clips of a speaker at a time, as a DataFrame, or set "
        "singleton_fraction=1 in training.",
        stacklevel=3,
    )
