"""Splits that keep speakers, sentences or corpora apart: speaker-independent cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length, check_random_state, check_scalar, column_or_1d

from ..utils._columns import describe, find_column, find_columns
from ..utils._messages import short

_MOST_SWAPPED = 500  # of more units (sentences, as a rule) each is too small to spoil a fold


class _ColumnSplitter(BaseCrossValidator):
    """Base of the splitters that read columns of X, or `groups`, to which metadata routing passes what it has."""

    __metadata_request__split = {"groups": True}

    def split(self, X, y=None, groups=None):
        """Row numbers of training and test clips, fold by fold.

        Parameters
        ----------
        X : DataFrame of n_clips, or anything of that length
            Its columns tell what `groups` does not.
        y : array-like of shape (n_clips,), default=None
            Emotions.
        groups : array-like of shape (n_clips,) or (n_clips, n_columns), or DataFrame, default=None
            The columns that the parameters name, in their order; a DataFrame's by their names.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If a column is not there, or there are not enough different values in it.
        """
        check_consistent_length(X, y)
        y = None if y is None else column_or_1d(y)
        for train, test in self._masks(X, y, groups):
            yield np.flatnonzero(train), np.flatnonzero(test)

    def _masks(self, X, y, groups) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        raise NotImplementedError


def _fold_of_each(values, traits: list, n_folds: int, parameter: str, random_state) -> np.ndarray:
    """Fold of each clip such that equal values share one and every trait is spread over the folds as evenly as may be.

    Parameters
    ----------
    values : ndarray of shape (n_clips,)
        Speakers, or sentences.
    traits : list of tuple
        Columns (n_clips,), None for one that is not known, and whether the clips are counted or the values. Missing
        entries count for nothing.
    """
    units, unit = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    if len(units) < 2:
        raise ValueError(
            f"The column {short(parameter)} must have at least two different values. Got {short(units.tolist())} only."
        )
    if n_folds > len(units):
        raise ValueError(
            f"There cannot be more folds than values to share out: {n_folds} folds of the column {short(parameter)}, "
            "which "
            f"has {len(units)} different values. Lower the number of splits to {len(units)} or less."
        )
    fractions = [np.bincount(unit)[:, np.newaxis] / len(unit)]
    for column, counts_clips in traits:
        if column is None:
            continue
        table = pd.crosstab(unit, np.asarray(column)).reindex(range(len(units)), fill_value=0).to_numpy(float)
        table = table if counts_clips else np.minimum(table, 1)
        if table.shape[1]:
            fractions.append(table / table.sum(axis=0) / np.sqrt(table.shape[1]))
    return _share_out(np.hstack(fractions), n_folds, random_state)[unit]


def _share_out(units: np.ndarray, n_folds: int, random_state) -> np.ndarray:
    """Fold of each unit (n_units, n_traits) such that the squares of the folds' sums are small.

    The sum over folds is fixed, so that the squares are least where all folds are alike. First the largest units, each
    to where it adds least (an empty fold, while there is one); then whatever move of a unit, or swap of two, helps
    most, as long as one does. None empties a fold: that would not help.
    """
    if random_state is None:
        order = np.argsort(-np.einsum("ij,ij->i", units, units), kind="stable")
    else:
        order = check_random_state(random_state).permutation(len(units))
    fold, sums = np.zeros(len(units), dtype=int), np.zeros((n_folds, units.shape[1]))
    for unit in order:
        fold[unit] = np.argmin(sums @ units[unit])
        sums[fold[unit]] += units[unit]
    if len(units) <= _MOST_SWAPPED:
        _exchange(units, fold, sums)
    return fold


def _exchange(units: np.ndarray, fold: np.ndarray, sums: np.ndarray) -> None:
    """Exchange units of two folds while that brings the squares of the folds' sums down; `fold` and `sums` change.

    Where unit u in fold f, of sum F, and unit v in fold g, of sum G, change places, both sums change by d = v - u, and
    half of the squares by ::

        (|F + d|^2 + |G - d|^2 - |F|^2 - |G|^2) / 2 = F.d - G.d + |d|^2 = v.F - u.F - v.G + u.G + |u - v|^2

    A unit that moves changes places with nothing: for each fold there is a partner of zeros in it.
    """
    n_units = len(units)
    partners = np.vstack((units, np.zeros_like(sums)))
    distances = euclidean_distances(units, partners, squared=True)  # |u - v|^2
    while True:
        where = np.concatenate((fold, np.arange(len(sums))))
        products = partners @ sums.T  # of each partner with each fold's sum
        own = products[np.arange(len(where)), where]
        v_f, u_f, v_g, u_g = products[:, fold].T, own[:n_units, np.newaxis], own, products[:n_units, where]
        change = v_f - v_g - u_f + u_g + distances
        change[fold[:, np.newaxis] == where] = 0
        unit, partner = np.unravel_index(change.argmin(), change.shape)
        if change[unit, partner] > -1e-12:
            return
        target = where[partner]
        sums[target] += units[unit] - partners[partner]
        sums[fold[unit]] -= units[unit] - partners[partner]
        if partner < n_units:
            fold[partner] = fold[unit]
        fold[unit] = target


def _check_shuffle(shuffle, random_state):
    if random_state is not None and not shuffle:
        raise ValueError(f"random_state has no effect without shuffle=True. Got random_state={short(random_state)}.")
    return check_random_state(random_state) if shuffle else None


class StratifiedSpeakerKFold(_ColumnSplitter):
    """Folds of whole speakers, alike in size, in emotions and, where it is known, in women and men.

    With few speakers, folds that follow one another through the speakers differ in all of these; here speakers are
    shared out, moved and swapped until no move helps.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser import StratifiedSpeakerKFold
    >>> X = pd.DataFrame({"speaker": list("aabbccdd"), "sex": list("ffffmmmm")})
    >>> y = ["anger", "calm"] * 4
    >>> for train, test in StratifiedSpeakerKFold(2).split(X, y):
    ...     print(set(X["speaker"][test]) == {"a", "c"}, set(X["sex"][test]) == {"f", "m"})
    True True
    False True

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds; at most as many as speakers.
    speaker : str, default="speaker"
        Column of X (or of `groups`) that names the speakers.
    sex : str or None, default="sex"
        Column that tells their sex. It need not be there, nor be complete; None does not balance sexes.
    shuffle : bool, default=False
        Begin at random, which leads to other folds that are about as good; with few speakers, often to the same.
    random_state : int, RandomState instance or None, default=None
        Determines the beginning if `shuffle` is True.

    See Also
    --------
    SpeakerTextKFold : Keeps sentences apart as well.
    sklearn.model_selection.LeaveOneGroupOut : One speaker a fold (LOSO).

    Notes
    -----
    `scikit-learn`'s StratifiedGroupKFold balances emotions only, gives each speaker to a fold once and for all, and may
    leave folds empty.
    """

    def __init__(self, n_splits=5, *, speaker="speaker", sex="sex", shuffle=False, random_state=None):
        check_scalar(n_splits, "n_splits", Integral, min_val=2)
        _check_shuffle(shuffle, random_state)
        self.n_splits = n_splits
        self.speaker = speaker
        self.sex = sex
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of folds.

        Parameters
        ----------
        X, y, groups : ignored

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def _masks(self, X, y, groups):
        speakers, sexes = find_columns(X, groups, {"speaker": self.speaker, "sex": self.sex}, optional=["sex"])
        chance = _check_shuffle(self.shuffle, self.random_state)
        fold = _fold_of_each(speakers, [(y, True), (sexes, False)], self.n_splits, self.speaker, chance)
        for number in range(self.n_splits):
            yield fold != number, fold == number


class SpeakerTextKFold(_ColumnSplitter):
    """Folds in which neither the speakers nor the sentences of the test clips occur in training.

    Speakers are dealt into `n_speaker_splits` parts, sentences into `n_text_splits`, each part alike in size and
    emotions. Each pair of parts is a fold: its test clips are those of both parts, its training clips those of neither.
    Every clip is tested once, so `cross_val_predict` works; clips of one part alone are left out of that fold, which is
    the price: with five by two parts, training sees 40 % of the corpus.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser import SpeakerTextKFold
    >>> X = pd.DataFrame({"speaker": list("aabb"), "text": list("stst")})
    >>> for train, test in SpeakerTextKFold(2, 2).split(X):
    ...     print(train, test)
    [3] [0]
    [2] [1]
    [1] [2]
    [0] [3]

    Parameters
    ----------
    n_speaker_splits : int, default=5
        Parts of the speakers; at most as many as speakers.
    n_text_splits : int, default=2
        Parts of the sentences; at most as many as sentences. RAVDESS has only two.
    speaker, text : str, default="speaker" and "text"
        Columns of X (or of `groups`) that name the speakers and the sentences.
    shuffle : bool, default=False
        Begin at random, which leads to other parts that are about as good; of few speakers, often to the same.
    random_state : int, RandomState instance or None, default=None
        Determines the beginning if `shuffle` is True.

    See Also
    --------
    StratifiedSpeakerKFold : Keeps speakers apart only, and trains on all other clips.
    audit_split : Audit of any split.

    Notes
    -----
    Where no clip has a speaker of one part and a sentence of the other, there is no fold. `get_n_splits` knows that if
    it is given X.

    Speakers and sentences reach the splitter in X wherever the corpus does, nested searches included. Instead, `groups`
    may be an array of shape (n_clips, 2) or a DataFrame with these columns.
    """

    def __init__(
        self,
        n_speaker_splits=5,
        n_text_splits=2,
        *,
        speaker="speaker",
        text="text",
        shuffle=False,
        random_state=None,
    ):
        check_scalar(n_speaker_splits, "n_speaker_splits", Integral, min_val=2)
        check_scalar(n_text_splits, "n_text_splits", Integral, min_val=2)
        _check_shuffle(shuffle, random_state)
        self.n_speaker_splits = n_speaker_splits
        self.n_text_splits = n_text_splits
        self.speaker = speaker
        self.text = text
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of folds.

        Parameters
        ----------
        X, y, groups : as for `split`, default=None
            Without X, the number is that of a corpus in which all speakers say all sentences.

        Returns
        -------
        n_splits : int
        """
        if X is None:
            return self.n_speaker_splits * self.n_text_splits
        return sum(1 for _ in self._masks(X, y, groups))

    def _masks(self, X, y, groups):
        speakers, texts = find_columns(X, groups, {"speaker": self.speaker, "text": self.text})
        chance = _check_shuffle(self.shuffle, self.random_state)
        by_speaker = _fold_of_each(speakers, [(y, True)], self.n_speaker_splits, self.speaker, chance)
        by_text = _fold_of_each(texts, [(y, True)], self.n_text_splits, self.text, chance)
        for number in range(self.n_speaker_splits):
            for part in range(self.n_text_splits):
                train, test = (by_speaker != number) & (by_text != part), (by_speaker == number) & (by_text == part)
                if test.any():
                    if not train.any():
                        raise ValueError(
                            f"No clip is left to train on: all of other speakers than {sorted(set(speakers[test]))} "
                            f"say one of the sentences {sorted(set(texts[test]))}. Split by speaker alone, or lower "
                            "n_text_splits."
                        )
                    yield train, test


class LeaveOneCorpusOut(_ColumnSplitter):
    """Each corpus in turn is the test set, all others are the training set.

    Read more in the guide: :doc:`across corpora </howto/cross_corpus>`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ser import LeaveOneCorpusOut
    >>> X = pd.DataFrame({"corpus": ["EMO-DB", "EMO-DB", "TESS"]})
    >>> for train, test in LeaveOneCorpusOut().split(X):
    ...     print(train, test)
    [2] [0 1]
    [0 1] [2]

    Parameters
    ----------
    corpus : str, default="corpus"
        Column of X that names the corpora, as `concatenate_corpora` writes it; or of `groups`, if that is a DataFrame.

    See Also
    --------
    concatenate_corpora : Several corpora as one.
    sklearn.model_selection.LeaveOneGroupOut : The same for clips without columns, with the corpora as `groups`.

    Notes
    -----
    `groups` without names of columns are ignored: mostly they are the speakers, passed on by `evaluate`, or by metadata
    routing for the early stopping of a network.
    """

    def __init__(self, corpus="corpus"):
        self.corpus = corpus

    def get_n_splits(self, X=None, y=None, groups=None):
        """Number of corpora.

        Parameters
        ----------
        X, y, groups : as for `split`

        Returns
        -------
        n_splits : int
        """
        return sum(1 for _ in self._masks(X, y, groups))

    def _masks(self, X, y, groups):
        if find_column(X, self.corpus) is None and find_column(groups, self.corpus) is None:
            raise ValueError(
                f"corpus={short(self.corpus)} names no column. X is {describe(X)}: pass a DataFrame that has that "
                "column, "
                "as concatenate_corpora makes it, or the corpora as groups of LeaveOneGroupOut."
            )
        groups = groups if hasattr(groups, "columns") else None
        (corpora,) = find_columns(X, groups, {"corpus": self.corpus})
        names = np.unique(corpora)
        if len(names) < 2:
            raise ValueError(f"There must be at least two corpora to leave one out. Got {short(names.tolist())} only.")
        for name in names:
            yield corpora != name, corpora == name
