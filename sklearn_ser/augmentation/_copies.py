"""Copies of clips: altered clips to test any pipeline on, and the base of what trains on them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np

from ..audio._derived import AlteredClip
from ..audio._input import as_clips
from ..audio._load import clip_digest
from ..audio._row_expansion import RowExpandingEstimator, in_form_of
from ..utils._docstrings import put
from ..utils._messages import short
from ..utils._pooling import means
from ..utils._random import draw_seed
from ..utils._sklearn_compat import Interval
from ._base import Seeded, as_augmenter

_PARAMETERS = """\
augmenters : sequence of callables, default=()
    `AddNoise`, `Telephone`, or any callable ``(waveform, sr) -> waveform``, such as the transforms of
    audiomentations. An augmenter that is not applied, by its probability `p`, adds no copy; a third-party callable
    always adds one, so give those a probability of 1. A callable with an argument `random_state` is given a
    NumPy Generator; around all others, the global generators of Python and NumPy are seeded, and then left as
    found.
n_copies : int or None, default=None
    Augmenters that make a copy of a clip, drawn anew for each clip: with 12 augmenters and ``n_copies=2``,
    training takes three times as long and not 13 times, and all 12 are heard. None takes all of them for each clip.
keep_original : bool, default=True
    True if the clips themselves are trained on, too.
test_time_augmenters : sequence of callables, default=()
    Each makes a copy of each clip that is predicted; predicting takes as many times the time. They help where the
    estimator was trained on such copies (`PitchShift` of the same steps: `docs/benchmarks.md`), and harm where it
    was not.
random_state : int, RandomState instance or None, default=None
    Seeds the copies, each one apart: what they sound like depends neither on `n_jobs` nor on the order in which
    they are made nor on what other clips there are. All folds of a cross-validation make the same copies of a clip,
    so that a memory (`memory=` of the transformers) makes and analyzes each of them once. A fitted estimator
    always makes the same copies of a clip that it predicts.
"""


def augment_clips(X, augmenter, *, random_state=None):
    """The same clips, each altered: to test a fitted pipeline on noisy clips, for instance.

    Nothing is decoded here. Clips are decoded and altered one by one when a transformer reads them, with the same
    waveforms each time.

    Parameters
    ----------
    X : audio input of n_clips
        Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`.
    augmenter : callable
        `AddNoise`, `Telephone`, or any callable ``(waveform, sr) -> waveform``; see `AugmentedClassifier`. A
        clip to which it is not applied stays as it is.
    random_state : int, RandomState instance or None, default=None
        Seeds the alterations, each clip's apart.

    Returns
    -------
    X : list or DataFrame
        Audio input of n_clips. A DataFrame keeps its other columns.

    Raises
    ------
    TypeError, ValueError
        If X is no audio input, or the augmenter's parameters are wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import AddNoise, WaveformLoader
    >>> from sklearn_ser.augmentation import augment_clips
    >>> noisy = augment_clips([np.ones(3), np.ones(5)], AddNoise(snr=10), random_state=0)
    >>> [waveform.shape for waveform in WaveformLoader().fit_transform(noisy)]
    [(3,), (5,)]

    A fitted pipeline is tested by ``pipeline.score(augment_clips(X, AddNoise(snr=10), random_state=0), y)``.
    """
    clips, seed = as_clips(X), draw_seed(random_state)
    augmenter, name = as_augmenter(augmenter)
    alterations = [Seeded(augmenter, (seed, 0, row), name) for row in range(len(clips))]
    altered = [
        AlteredClip(clip, alter) if alter.is_applied() else clip for clip, alter in zip(clips, alterations, strict=True)
    ]
    return in_form_of(X, altered, np.arange(len(clips)))


class AugmentedEstimator(RowExpandingEstimator):
    """Base of the estimators that train on augmented copies of clips, and may predict by copies, too."""

    _parts = "copies"
    _callables = ("augmenters", "test_time_augmenters")

    _parameter_constraints: dict = {
        **RowExpandingEstimator._parameter_constraints,
        "augmenters": [tuple, list],
        "n_copies": [Interval(Integral, 1, None, closed="left"), None],
        "keep_original": ["boolean"],
        "test_time_augmenters": [tuple, list],
        "random_state": ["random_state"],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__doc__:  # not with python -OO
            cls.__doc__ = put(_PARAMETERS, "copies", cls.__doc__)

    def __init__(
        self,
        estimator,
        augmenters=(),
        *,
        n_copies=None,
        keep_original=True,
        test_time_augmenters=(),
        random_state=None,
    ):
        self.estimator = estimator
        self.augmenters = augmenters
        self.n_copies = n_copies
        self.keep_original = keep_original
        self.test_time_augmenters = test_time_augmenters
        self.random_state = random_state

    def _fit_copies(self, X, y, sample_weight, groups, params: dict) -> None:
        """Fit the estimator to the clips and their copies."""
        clips, y = self._check_fit(X, y, sample_weight, groups)
        for augmenter in self.test_time_augmenters:
            as_augmenter(augmenter)
        self._seed = draw_seed(self.random_state)
        rows, augmented = self._augment(clips)
        given = {"sample_weight": sample_weight, "groups": groups, **params}
        self._fit_rows(X, y, clips, augmented, rows, given)

    def _mean_of_copies(self, method: str, X, params: dict) -> np.ndarray:
        """Return the estimator's output for each clip: the mean over the clip and its copies."""
        if not self.test_time_augmenters:
            return self._delegate(method, X, params)
        return means(*self._of_parts(method, X, params, self._copies))

    def _copies(self, clips: Sequence) -> tuple[np.ndarray, list]:
        """Each clip and its copies to predict by, one clip after the other, and the row of each."""
        augmenters = [as_augmenter(augmenter) for augmenter in self.test_time_augmenters]
        rows, made = [], []
        for row, (clip, (content, _)) in enumerate(zip(clips, _identities(clips), strict=True)):
            # As in training, so that a memory that knows a copy from there need not make it again.
            alterations = [Seeded(a, (self._seed, 1 + k, content, 0), name) for k, (a, name) in enumerate(augmenters)]
            copies = [AlteredClip(clip, alter, row) for alter in alterations if alter.is_applied()]
            rows += [row] * (1 + len(copies))
            made += [clip, *copies]
        return np.asarray(rows), made

    def _augment(self, clips: Sequence) -> tuple[np.ndarray, list]:
        """Clips to train on, and the row that each of them came from."""
        seed, n_clips = self._seed, len(clips)
        rows, augmented = (list(range(n_clips)), list(clips)) if self.keep_original else ([], [])
        identities = _identities(clips)
        drawn = self._draw(seed, identities)
        for index, (augmenter, name) in enumerate(map(as_augmenter, self.augmenters)):
            for row in np.flatnonzero(drawn[:, index]).tolist():
                alter = Seeded(augmenter, (seed, 1 + index, *identities[row]), name)
                if alter.is_applied():
                    rows.append(row)
                    augmented.append(AlteredClip(clips[row], alter, row))
        if not rows:
            raise ValueError(
                "There is nothing to train on: keep_original=False, and no augmenter made a copy. "
                f"Got augmenters={short(self.augmenters)}."
            )
        return np.asarray(rows), augmented

    def _draw(self, seed: int, identities: list[tuple[int, int]]) -> np.ndarray:
        """Choose the augmenters that make a copy of each clip, (n_clips, n_augmenters)."""
        n_augmenters = len(self.augmenters)
        if self.n_copies is None:
            return np.ones((len(identities), n_augmenters), bool)
        if self.n_copies > n_augmenters:
            raise ValueError(
                "n_copies must not exceed the number of augmenters, because each makes one copy of a clip. "
                f"Got n_copies={self.n_copies} and {n_augmenters} augmenters."
            )
        ranks = [np.random.default_rng((seed, 0, *identity)).permutation(n_augmenters) for identity in identities]
        return np.array(ranks) < self.n_copies


def _identities(clips: Sequence) -> list[tuple[int, int]]:
    """Return the seed of each clip, by its content and not its row, so that all folds make the same copies of it.

    The second number counts clips that are alike.
    """
    digests = [clip_digest(clip, row) for row, clip in enumerate(clips)]
    counts: dict = {}
    found = []
    for row, digest in enumerate(digests):
        content = row if digest is None else int.from_bytes(digest[:8], "big")
        found.append((content, counts.setdefault(content, 0)))
        counts[content] += 1
    return found
