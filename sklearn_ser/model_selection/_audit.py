"""Audit of a split: speakers, sentences and recordings on both sides of a fold, classes on one side only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..audio._input import as_clips
from ..utils._columns import describe, find_column
from ..utils._messages import short
from ..utils._sklearn_compat import _num_samples
from ._audit_html import audit_html
from ._duplicates import find_copies


@dataclass(frozen=True, repr=False, eq=False)
class SplitAudit:
    """Result of `audit_split`. Printed, it is a report; in a notebook, a table.

    Unknown values, and those not looked at, are None. A fold's number is its place in the split, from 0.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> from sklearn_ser import audit_split
    >>> audit = audit_split(KFold(2), [[0.1], [0.2], [0.3], [0.4]], speaker=list("abba"), recordings=False)
    >>> audit.leaks, audit.speakers
    (('speakers',), [['a', 'b'], ['a', 'b']])

    Parameters
    ----------
    cv : str
        The splitter.
    n_clips : int
        Number of clips.
    folds : DataFrame of shape (n_folds, 2)
        Columns `train` and `test`: clips of each fold.
    speakers, texts : list of n_folds lists, or None
        Speakers, and sentences, that are in training and in test.
    recordings : DataFrame or None
        One row for each test clip (in each fold) whose recording is in training, too: `fold`, `test_row`, `train_row`,
        `similarity` (1 is the same waveform but for its level; NaN if the two are alike by way of others), `shift`
        (seconds by which sounds of the test clip are later), `gain` (dB by which it is louder) and, if clips are files,
        `test_path` and `train_path`.
    missing_in_train, missing_in_test : list of n_folds lists, or None
        Classes that a fold lacks on that side.
    """

    cv: str
    n_clips: int
    folds: pd.DataFrame
    speakers: list[list] | None
    texts: list[list] | None
    recordings: pd.DataFrame | None
    missing_in_train: list[list] | None
    missing_in_test: list[list] | None

    @property
    def leaks(self) -> tuple[str, ...]:
        """Kinds that are on both sides of some fold: "speakers", "texts", "recordings"; empty if nothing is."""
        found = {
            "speakers": any(self.speakers or ()),
            "texts": any(self.texts or ()),
            "recordings": self.recordings is not None and len(self.recordings) > 0,
        }
        return tuple(name for name, leaks in found.items() if leaks)

    def to_frame(self) -> pd.DataFrame:
        """One row a fold: clips, what is on both sides (counted), and classes that are missing.

        Returns
        -------
        frame : DataFrame of shape (n_folds, n_columns)
            Columns `train`, `test`; `speakers`, `texts` and `recordings` (test clips) that are on both sides;
            `missing_in_train`, `missing_in_test`. Unknown values have no column.
        """
        frame = self.folds.copy()
        for name in ("speakers", "texts"):
            if getattr(self, name) is not None:
                frame[name] = [len(shared) for shared in getattr(self, name)]
        if self.recordings is not None:
            frame["recordings"] = self.recordings["fold"].value_counts().reindex(frame.index, fill_value=0)
        for name in ("missing_in_train", "missing_in_test"):
            if getattr(self, name) is not None:
                frame[name] = [", ".join(map(str, classes)) for classes in getattr(self, name)]
        return frame

    def __repr__(self):
        width = max(map(len, self._lines()))
        lines = [f"  {name:{width}}  {text}" for name, text in self._lines().items()]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self):
        return audit_html(self, self._title(), self._lines())

    def _title(self) -> str:
        return f"{self.cv}: {_count(self.n_clips, 'clip')} in {_count(len(self.folds), 'fold')}"

    def _lines(self) -> dict[str, str]:
        return {
            "speakers": self._shared("speakers"),
            "sentences": self._shared("texts"),
            "recordings": self._copied(),
            "emotions": self._missing(),
        }

    def _shared(self, name: str) -> str:
        shared = getattr(self, name)
        if shared is None:
            return "not known"
        if not any(shared):
            return "none is in training and in test"
        names = sorted({str(value) for values in shared for value in values})
        return f"{_some(names)} in training and in test ({sum(map(bool, shared))} of {_count(len(shared), 'fold')})"

    def _copied(self) -> str:
        if self.recordings is None:
            return "not compared"
        if self.recordings.empty:
            return "no test clip is in training, nor a copy of it"
        kind = "path" if "test_path" in self.recordings else "row"
        pairs = self.recordings[[f"test_{kind}", f"train_{kind}"]].drop_duplicates().astype(str)
        names = [_equal(*pair) for pair in pairs.itertuples(index=False)]
        clips = _count(self.recordings["test_row"].nunique(), "test clip")
        folds = f"{self.recordings['fold'].nunique()} of {_count(len(self.folds), 'fold')}"
        return f"{clips} also in training, under this or another name ({folds}): {_some(names, 3)}"

    def _missing(self) -> str:
        if self.missing_in_test is None:
            return "not known"
        parts = []
        for side, missing in (("training", self.missing_in_train), ("test", self.missing_in_test)):
            where: dict[str, list[int]] = {}
            for fold, classes in enumerate(missing):
                for name in classes:
                    where.setdefault(str(name), []).append(fold)
            names = [f"{name} ({self._named(folds)})" for name, folds in where.items()]
            parts += [f"{side} lacks {_some(names)}"] if names else []
        if any(self.missing_in_test):
            parts.append("pool the predictions of all folds before scoring")
        return "; ".join(parts) or "every fold has all, in training and in test"

    def _named(self, folds: list[int]) -> str:
        if len(folds) > 3:
            return f"{len(folds)} of {len(self.folds)} folds"
        return f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _some(names: list[str], shown: int = 5) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def _equal(test: str, train: str) -> str:
    """Two names as an equation: of files, the last part of their paths, if that tells them apart."""
    names = [os.path.basename(path) for path in (test, train)]
    if test == train:
        return names[0]
    return " = ".join(names if names[0] != names[1] else (test, train))


def audit_split(
    cv,
    X,
    y=None,
    *,
    speaker="speaker",
    text="text",
    groups=None,
    recordings=True,
    sr=16000,
    n_jobs=None,
    verbose=0,
):
    """Report what a split lets through from training to test: speakers, sentences, recordings; and classes it lacks.

    Recordings are compared by their sound. Found are copies under other names, in other formats, bit depths and rates
    (MP3 and Ogg included), louder or softer ones, ones with the ends trimmed or silence added, with some noise. Other
    takes of the same sentence by the same speaker are no copies. Not found are excerpts that lack more than a few per
    cent of the sounds, recordings whose speed, pitch or timbre was changed, and copies of clips of less than 0.25 s,
    unless nothing was changed.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As `cross_val_score` takes it.
    X : audio input of n_clips
        As the corpora have it: a DataFrame with a column `path`.
    y : array-like of shape (n_clips,), default=None
        Emotions. None does not look for missing classes.
    speaker, text : str, array-like of shape (n_clips,) or None, default="speaker" and "text"
        Speaker and sentence of each clip: a column of X, or the values. None leaves it out; so does a default name
        that X does not have.
    groups : array-like of shape (n_clips,) or None, default=None
        Passed to the splitter.
    recordings : bool, default=True
        Compare recordings, for which every clip is decoded. False if X holds features, not audio.
    sr : int, default=16000
        Rate at which clips are decoded, and the rate of waveforms in X, Hz.
    n_jobs : int or None, default=None
        Clips read at a time, by joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    audit : SplitAudit
        Print it; `audit.leaks` names what is on both sides, `audit.to_frame()` has a row a fold, `audit.recordings` a
        row for each test clip that is in training.

    Raises
    ------
    AudioError
        If a clip cannot be read; the message names its row.
    ValueError
        If `speaker` or `text` names no column, lengths differ, y holds no classes or lacks some, or cv yields no folds
        or rows that X does not have.

    Notes
    -----
    Each clip becomes a fingerprint of 256 numbers: the modulation spectrum of eight mel bands, which keeps neither
    level nor time. The nearest neighbors of each are then compared by cross-correlation, first of the changes of level
    in these bands, then of the waveforms above 100 Hz, which reaches 1 where one is the other, shifted and scaled;
    above 0.7 they are copies. Copies of copies count as copies.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import audit_split
    >>> noise = np.random.default_rng(0).normal(size=(4, 8000)) / 10
    >>> clips = [*noise, noise[0, 160:] / 2]
    >>> labels = ["fear", "anger", "fear", "fear", "fear"]
    >>> audit = audit_split([([0, 1], [2, 3, 4])], clips, labels, speaker=list("abcda"))
    >>> audit
    Given folds: 5 clips in 1 fold
      speakers    a in training and in test (1 of 1 fold)
      sentences   not known
      recordings  1 test clip also in training, under this or another name (1 of 1 fold): 4 = 0
      emotions    test lacks anger (fold 0); pool the predictions of all folds before scoring
    >>> audit.leaks
    ('speakers', 'recordings')
    """
    clips = as_clips(X, reader=None) if recordings else None
    speakers, texts = _values(X, speaker, "speaker"), _values(X, text, "text")
    y = None if y is None else _classes(y)
    check_consistent_length(X, y, speakers, texts)
    splitter, n_clips = check_cv(cv, y, classifier=True), _num_samples(X)
    splits = [_rows(fold, number, n_clips) for number, fold in enumerate(splitter.split(X, y, groups))]
    if not splits:
        raise ValueError("cv must yield at least one fold. Got none.")
    paths, copies = None, None
    if recordings:
        paths = clips if all(isinstance(clip, (str, os.PathLike)) for clip in clips) else None
        copies = _copies_on_both_sides(splits, paths, *find_copies(X, sr=sr, n_jobs=n_jobs, verbose=verbose))
    return SplitAudit(
        cv="Given folds" if isinstance(cv, Iterable) else " ".join(str(splitter).split()),
        n_clips=n_clips,
        folds=pd.DataFrame(
            {"train": [len(train) for train, _ in splits], "test": [len(test) for _, test in splits]},
            index=pd.RangeIndex(len(splits), name="fold"),
        ),
        speakers=None if speakers is None else [_shared(speakers, *fold) for fold in splits],
        texts=None if texts is None else [_shared(texts, *fold) for fold in splits],
        recordings=copies,
        missing_in_train=None if y is None else [np.setdiff1d(y, y[train]).tolist() for train, _ in splits],
        missing_in_test=None if y is None else [np.setdiff1d(y, y[test]).tolist() for _, test in splits],
    )


def _values(X, column, parameter: str) -> np.ndarray | None:
    """A column of X by name, or the values themselves."""
    if column is None or not isinstance(column, str):
        return None if column is None else column_or_1d(column)
    values = find_column(X, column)
    if values is None and column != parameter:
        raise ValueError(
            f"{parameter} must name a column of X, or be one value a clip, or None. Got {parameter}={short(column)}; "
            "X is "
            f"{describe(X)}."
        )
    return values


def _classes(y) -> np.ndarray:
    missing = pd.isna(np.asarray(y, dtype=object))
    if missing.any():
        raise ValueError(f"y must hold an emotion of each clip. That of row {missing.argmax()} is missing.")
    y = column_or_1d(y)
    check_classification_targets(y)
    return y


def _rows(fold, number: int, n_clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of training and test clips, from 0, whether the splitter gave numbers or masks."""
    try:
        train, test = (np.arange(n_clips)[rows if len(rows) else []] for rows in map(np.asarray, fold))
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"cv must yield pairs (train, test) of row numbers below {n_clips}, or of masks of {n_clips} clips. Fold "
            f"{number} is not such a pair: {error}."
        ) from None
    return train, test


def _shared(values: np.ndarray, train: np.ndarray, test: np.ndarray) -> list:
    train, test = (pd.Series(values[rows]).dropna().unique() for rows in (train, test))
    return sorted(set(train) & set(test), key=str)


def _copies_on_both_sides(
    splits: list, paths: Sequence | None, original: np.ndarray, recording: np.ndarray, pairs: dict
) -> pd.DataFrame:
    """One row for each test clip, in each fold, whose recording is in training: with the training clip most like it."""
    found = []
    for fold, (train, test) in enumerate(splits):
        in_training: dict[int, dict[int, int]] = {}  # of each recording, the originals, and a training clip of each
        for row in np.intersect1d(train, np.flatnonzero(np.isin(recording, recording[test]))).tolist():
            in_training.setdefault(recording[row], {}).setdefault(original[row], row)
        for row in test.tolist():
            matches = [
                (*_match(pairs, original[row], first), other)
                for first, other in in_training.get(recording[row], {}).items()
            ]
            if matches:
                similarity, shift, gain, other = max(matches, key=lambda match: np.nan_to_num(match[0]))
                found.append((fold, row, other, similarity, shift, gain))
    frame = pd.DataFrame(found, columns=["fold", "test_row", "train_row", "similarity", "shift", "gain"])
    if paths is not None:
        for side in ("test", "train"):
            frame[f"{side}_path"] = [str(paths[row]) for row in frame[f"{side}_row"]]
    return frame


def _match(pairs: dict, test: int, train: int) -> tuple[float, float, float]:
    """Similarity of two originals, and by how much the first is later and louder."""
    if test == train:
        return 1.0, 0.0, 0.0
    similarity, shift, gain = pairs.get((min(test, train), max(test, train)), (np.nan, np.nan, np.nan))
    return (similarity, shift, gain) if train < test else (similarity, -shift, -gain)
