"""A classifier that also trains on augmented copies of its clips; altered clips to test any pipeline on."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from sklearn.utils.metaestimators import available_if

from ..audio._derived import AlteredClip
from ..audio._input import as_clips
from ..audio._load import clip_digest
from ..audio._row_expansion import RowExpandingClassifier, in_form_of
from ..utils._messages import short
from ..utils._pooling import decide, means
from ..utils._random import draw_seed
from ..utils._sklearn_compat import Interval, estimator_has
from ._base import Seeded, as_augmenter


def augment_clips(X, augmenter, *, random_state=None):
    """The same clips, each altered: to test a fitted pipeline on noisy clips, for instance.

    Nothing is decoded here. Whoever reads the clips decodes and alters them, one by one, and finds the same waveforms
    each time.

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


class AugmentedClassifier(RowExpandingClassifier):
    """Train a classifier of clips on augmented copies of them; predict clips as they are, or by copies of them, too.

    In `fit`, each augmenter adds a copy of each clip, with the clip's label. Wrap the whole pipeline, from the audio
    on: in a cross-validation around it, no copy of a test clip is ever seen in training. With `test_time_augmenters`,
    the probabilities of a clip are means over it and its copies (test-time augmentation [1]_).

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import AddNoise, AugmentedClassifier, HandcraftedFeatures
    >>> time = np.arange(4000) / 16000
    >>> clips = [np.sin(2 * np.pi * f0 * time) for f0 in (200, 220, 800, 880)]
    >>> pipeline = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), SVC())
    >>> classifier = AugmentedClassifier(pipeline, [AddNoise(snr=20)], random_state=0)
    >>> classifier.fit(clips, ["low", "low", "high", "high"]).predict(clips).tolist()
    ['low', 'low', 'high', 'high']
    >>> classifier.estimator_[-1].shape_fit_  # clips and noisy copies
    (8, 170)

    Parameters
    ----------
    estimator : estimator
        A classifier that takes audio input, such as a `Pipeline` that begins with one of this library's audio
        transformers: they read the copies. It is cloned before it is fitted.
    augmenters : sequence of callables, default=()
        `AddNoise`, `Telephone`, or any callable ``(waveform, sr) -> waveform``, such as the transforms of
        audiomentations. An augmenter that is not applied, by its probability `p`, adds no copy; a third-party callable
        make always adds one, so give those a probability of 1. A callable with an argument `random_state` is given a
        NumPy Generator; around all others, the global generators of Python and NumPy are seeded, and then left as
        found.
    n_copies : int or None, default=None
        Augmenters that make a copy of a clip, drawn anew for each clip: with 12 augmenters and ``n_copies=2``,
        training takes three times as long and not 13 times, and all 12 are heard. None takes all of them for each clip.
    keep_original : bool, default=True
        Whether the clips themselves are trained on, too.
    test_time_augmenters : sequence of callables, default=()
        Each makes a copy of each clip that is predicted; predicting takes as many times the time. They help where the
        estimator was trained on such copies (`PitchShift` of the same steps: `docs/benchmarks.md`), and harm where it
        was not.
    random_state : int, RandomState instance or None, default=None
        Seeds the copies, each one apart: what they sound like depends neither on `n_jobs` nor on the order in which
        they are made nor on what other clips there are. All folds of a cross-validation make the same copies of a clip,
        so that a memory (`memory=` of the transformers) makes and analyses each of them once. A fitted classifier
        always makes the same copies of a clip that it predicts.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Samples of a clip, if X was an array (n_clips, n_times).

    See Also
    --------
    real_world_augmenters : Augmenters for recordings from outside the studio.
    augment_clips : Altered clips to test on.

    Notes
    -----
    - A copy takes no memory: it is decoded and altered by the transformer that reads it, in its `n_jobs` workers.
      Levels are normalised afterwards.
    - Where the classifier at the pipeline's end stops early, a clip and its copies stand on one side of its split: its
      `fit` is given `groups`, those of the user, or else the clips' rows. That needs no metadata routing and no
      request. One that stops early inside another estimator, where groups do not reach it, is refused.
    - A search for hyperparameters goes around this classifier. Inside it, copies of a clip would be in training and
      test folds.

    References
    ----------
    .. [1] Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", NeurIPS
       2012, which averages over crops and reflections of an image.
    """

    _parts = "copies"

    _parameter_constraints: dict = {
        **RowExpandingClassifier._parameter_constraints,
        "augmenters": [tuple, list],
        "n_copies": [Interval(Integral, 1, None, closed="left"), None],
        "keep_original": ["boolean"],
        "test_time_augmenters": [tuple, list],
        "random_state": ["random_state"],
    }

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

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the classifier to the clips and their copies.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`, whose other columns
            are repeated for the copies. The estimator is given a DataFrame, too; for all else, a list.
        y : array-like of shape (n_clips,)
            Class labels.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip; a copy weighs what its clip weighs. Given to the classifier at the pipeline's end.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance. Given to the classifier at the pipeline's end.
        **params : dict
            What else the estimator's `fit` is to be given, as `step__parameter`; arrays of n_clips are repeated for the
            copies. With metadata routing, all of this goes where it is requested, instead.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If X is no audio input, an augmenter's parameters are wrong, there are fewer augmenters than `n_copies`, no
            clip is left to train on, or the classifier stops early on a split that takes no `groups`.
        """
        clips = self._check_fit(X, y, sample_weight, groups)
        for augmenter in self.test_time_augmenters:
            as_augmenter(augmenter)
        self._seed = draw_seed(self.random_state)
        rows, augmented = self._augment(clips)
        given = {"sample_weight": sample_weight, "groups": groups, **params}
        self._fit_rows(X, y, clips, augmented, rows, given)
        return self

    def predict(self, X, **params):
        """Class of each clip.

        With `test_time_augmenters`, the one with the highest mean probability over the clip and its copies; without
        probabilities, the highest mean decision value decides, and without either, most of them do.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            What else the method of the estimator that decides is to be given, one value a clip; with metadata routing,
            what its steps request.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        if not self.test_time_augmenters:
            return self._delegate("predict", X, params)
        values, rows = self._of_parts("predict", X, params, self._copies)
        return decide(values, rows, self._callees()["predict"], self.classes_)

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Probability of each class for each clip, the mean over it and its copies.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            As for `predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        return self._mean_of_copies("predict_proba", X, params)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Decision values for each clip, means over it and its copies.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            As for `predict`.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        return self._mean_of_copies("decision_function", X, params)

    def _callees(self):
        """`predict` of clips and their copies goes by probabilities, if there are any, or else by decision values."""
        methods = super()._callees()
        return {**methods, "predict": self._most_telling()} if self.test_time_augmenters else methods

    def _mean_of_copies(self, method: str, X, params: dict) -> np.ndarray:
        """What the estimator says of each clip, the mean over it and its copies."""
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
        """Which augmenters make a copy of which clip, (n_clips, n_augmenters)."""
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
    """What chance depends on: a clip's content and not its row, so that all folds make the same copies of it.

    Of clips that are alike, the second number counts them.
    """
    digests = [clip_digest(clip, row) for row, clip in enumerate(clips)]
    counts: dict = {}
    found = []
    for row, digest in enumerate(digests):
        content = row if digest is None else int.from_bytes(digest[:8], "big")
        found.append((content, counts.setdefault(content, 0)))
        counts[content] += 1
    return found
