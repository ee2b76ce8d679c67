"""EmoBox's test folds, for those corpora in which they keep speakers apart."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from ..utils._columns import find_columns
from ..utils._messages import short
from ._load import find_row


class EmoBoxFolds(BaseCrossValidator):
    """Split clips into the folds whose speakers are given; `emobox_folds` makes it.

    Parameters
    ----------
    folds : tuple of tuple of str
        The speakers of each test fold.
    name : str
        The corpus, for messages.
    """

    __metadata_request__split = {"groups": True}

    def __init__(self, folds, name):
        self.folds = folds
        self.name = name

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : ignored

        Returns
        -------
        n_splits : int
        """
        return len(self.folds)

    def split(self, X, y=None, groups=None):
        """Row numbers of training and test clips, fold by fold.

        Parameters
        ----------
        X : DataFrame of n_clips, or anything of that length
            Its column `speaker` tells what `groups` does not.
        y : array-like of shape (n_clips,), default=None
            Emotions.
        groups : array-like of shape (n_clips,), default=None
            The speakers, also as `concatenate_corpora` calls them ("RAVDESS/01").

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If speakers are not told, or one is none of the corpus, or a fold has no clip.
        """
        check_consistent_length(X, y)
        (speakers,) = find_columns(X, groups, {"speaker": "speaker"})
        speakers = [str(speaker).rpartition("/")[2] for speaker in speakers]
        number = {speaker: n for n, fold in enumerate(self.folds) for speaker in fold}
        unknown = [row for row, speaker in enumerate(speakers) if speaker not in number]
        if unknown:
            raise ValueError(
                f"{short(speakers[unknown[0]])}, the speaker of row {unknown[0]}, is in none of EmoBox's folds of "
                f"{self.name}, which are {short(self.folds)}."
            )
        fold_of = np.array([number[speaker] for speaker in speakers])
        for n, fold in enumerate(self.folds):
            test = fold_of == n
            if not test.any():
                raise ValueError(f"Fold {n + 1} of {self.name} has no clip: its speakers are {', '.join(fold)}.")
            yield np.flatnonzero(~test), np.flatnonzero(test)


def emobox_folds(corpus):
    """Return EmoBox's cross-validation of a corpus as a splitter, so that results compare with published ones.

    Parameters
    ----------
    corpus : str or Bunch
        Name of the corpus, or what `load_corpus` returns.

    Returns
    -------
    splitter : cross-validation splitter
        Its test folds are EmoBox's [1]_, in their order. It reads the column `speaker` of X, or `groups`.

    Raises
    ------
    ValueError
        If EmoBox has no folds of the corpus, or folds that have a speaker on both sides: accuracies that were measured
        so are no accuracies for unseen speakers, and `StratifiedSpeakerKFold` is what to take.

    References
    ----------
    .. [1] Z. Ma, M. Chen, H. Zhang, Z. Zheng, W. Chen, X. Li, J. Ye, X. Chen and T. Hain (2024), "EmoBox: multilingual
       multi-corpus speech emotion recognition toolkit and benchmark", Proc. Interspeech.

    Examples
    --------
    >>> from sklearn_ser.datasets import emobox_folds
    >>> folds = emobox_folds("EMOVO")
    >>> folds.get_n_splits()
    6
    >>> speakers = ["f1", "f2", "f3", "m1", "m2", "m3"]
    >>> [speakers[test[0]] for _, test in folds.split(speakers, groups=speakers)]
    ['f2', 'm3', 'm2', 'f3', 'f1', 'm1']
    """
    row = find_row(corpus if isinstance(corpus, str) else getattr(corpus, "name", corpus))
    if not row.folds:
        raise ValueError(
            f"EmoBox has no folds of {row.name} that keep its speakers apart: either there are none, or speakers are "
            "in training and test at once, and say little about unseen speakers. Take StratifiedSpeakerKFold, or "
            "LeaveOneGroupOut with groups=corpus.speaker."
        )
    return EmoBoxFolds(tuple(tuple(fold.split()) for fold in row.folds.split("/")), row.name)
