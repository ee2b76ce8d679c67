"""SegmentClassifier: trained on segments of clips, it predicts clips, and timelines of long recordings."""

from __future__ import annotations

import numpy as np
from sklearn.utils.metaestimators import available_if

from ..audio._row_expansion import RowExpandingClassifier
from ..utils._decisions import apply_rule, decide, refuse_novelty
from ..utils._pooling import means, pool
from ..utils._sklearn_compat import StrOptions, estimator_has
from ._segments import SegmentEstimator
from ._timeline import Timeline


class SegmentClassifier(RowExpandingClassifier, SegmentEstimator):
    """Train a classifier on segments of clips; predict clips by all of their segments, and timelines of recordings.

    In `fit`, each clip is cut into segments of one length, each with the clip's label. Wrap the whole pipeline, from
    the audio on: in a cross-validation around it, no segment of a test clip is ever seen in training.

    Read more in the guide: :doc:`long recordings </guide/long_recordings>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import HandcraftedFeatures, SegmentClassifier
    >>> time = np.arange(16000) / 16000
    >>> calm, fear = np.sin(2 * np.pi * 200 * time), np.sin(2 * np.pi * 800 * time)
    >>> pipeline = make_pipeline(HandcraftedFeatures(feature_set="default-v2"), LogisticRegression())
    >>> classifier = SegmentClassifier(pipeline, segment_duration=0.4).fit([calm, fear], ["calm", "fear"])
    >>> timeline = classifier.predict_timeline(np.concatenate([calm, fear]))
    >>> timeline[["start", "end", "predicted"]].iloc[[0, 4, -1]]
       start  end predicted
    0    0.0  0.4      calm
    4    0.8  1.2      fear
    8    1.6  2.0      fear

    Parameters
    ----------
    estimator : estimator
        A classifier that takes audio input, such as a `Pipeline` that begins with one of this library's audio
        transformers: each segment is a clip to them, whose level they normalize by itself. It is cloned before it is
        fitted.
    <segments>
    pooling : {"mean", "log_mean", "max"}, default="mean"
        How a clip's probabilities are made of those of its segments: their mean; their geometric mean, by which one
        segment can rule a class out; or the largest of each class. The latter two are divided by their sum.
    <rate>

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier of segments.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    sr_ : int
        Rate at which segments are counted, Hz.
    n_features_in_ : int
        Samples of a clip, if X was an array (n_clips, n_times).

    See Also
    --------
    Timeline : What `predict_timeline` returns; it merges segments into intervals.
    TimelineDisplay : Draws it.
    AugmentedClassifier : Trains on altered copies, too; put it inside, around the pipeline, to alter the segments.

    Notes
    -----
    - Segments begin every `hop_duration`, from the clip's beginning on, while they fit. If that leaves a rest, one more
      ends where the clip ends, so that nothing is lost and all are equally long. A clip shorter than that is one
      segment.
    - A segment takes no memory: the transformer that reads it decodes that part of the file, in its `n_jobs` workers.
      Resampled, it is the same as that part of the whole clip.
    - All segments of a clip stand on the same side of every split inside. Steps that tune, select or calibrate by `cv`
      split clips. A classifier at the pipeline's end that stops early or calibrates is given `groups`: those of the
      user, or else the clips' rows. That needs no metadata routing and no request. Estimators that cannot be
      told which rows belong together are refused, such as early stopping inside another one, ``SVC(probability=True)``.
    - A rule of the classifier's own, such as a tuned threshold or the "unknown" of a `SelectiveClassifier`, is applied
      to the pooled values.
    - Transformers may read at different rates, if `sr` says at which one segments are counted: each is given its own.
    - A search for hyperparameters belongs around this classifier: inside it, the test folds hold segments, too.
    """

    _timeline_method = "predict_proba"

    _parameter_constraints: dict = {
        **SegmentEstimator._parameter_constraints,
        "pooling": [StrOptions({"mean", "log_mean", "max"})],
    }

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the classifier to the segments of the clips.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`, whose other columns
            are repeated for the segments. The estimator is given a DataFrame, too; for all else, a list.
        y : array-like of shape (n_clips,)
            Class labels.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip, shared out equally among its segments: ones let every clip weigh the same, however
            long. None lets every segment weigh the same. Given to the classifier at the pipeline's end.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance. Given to the classifier at the pipeline's end.
        **params : dict
            More arguments of the estimator's `fit`, as `step__parameter`; arrays of n_clips are repeated for the
            segments, and those named `sample_weight` shared out. With metadata routing, all of this goes where it is
            requested, instead.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If X is no audio input, a value of y or `groups` is missing, the estimator is no classifier, segments lie
            apart, `sr` is not that of the estimator's transformers, something inside splits rows and cannot be told
            which of them belong together, or a classifier of your own has a `predict` that decides otherwise than by
            its largest probability and does not call `predict_proba`.
        """
        refuse_novelty(self, self.estimator)
        self._fit_segments(X, y, sample_weight, groups, params)
        self._check_own_rule(X, params)
        return self

    def predict(self, X, **params):
        """Class of each clip: the one with the highest pooled probability.

        Without probabilities, the highest mean decision value decides; without either, most segments do, and of classes
        with equally many the first.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            More arguments of the estimator's `predict_proba`, `decision_function` or `predict`, one value a
            clip; with metadata routing, what its steps request.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        values, rows = self._of_segments("predict", X, params)
        return decide(self.estimator_, self._callees()["predict"], values, rows, self.classes_, self.pooling)

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Probability of each class for each clip, pooled over its segments.

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
        return pool(*self._of_segments("predict_proba", X, params), self.pooling)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Decision values for each clip: the mean of those of its segments, whatever `pooling` says.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            As for `predict`.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_classes)
        """
        return means(*self._of_segments("decision_function", X, params))

    def predict_timeline(self, recording, **params):
        """Probability of each class along a recording of any length, segment by segment.

        A file is read a minute or two at a time, so that the length takes no memory. Steps that normalize
        by all rows that come at once, such as by a speaker's own clips, do so by those minutes.

        Parameters
        ----------
        recording : str, PathLike, array-like of shape (n_times,), or audio input of one clip
            A path, a waveform at `sr_`, or, for an estimator that reads more columns than `path`, a DataFrame of one
            row.
        **params : dict
            More arguments of the estimator's `predict_proba`, one value in a list; with metadata routing, what
            its steps request.

        Returns
        -------
        timeline : Timeline of n_segments rows
            A DataFrame: `start` and `end` of the segment in seconds, a column of probabilities for each class, and
            `predicted`, the most probable class. Its `to_intervals` merges segments and writes them for Audacity, as
            RTTM or as CSV.

        Raises
        ------
        AttributeError
            If the estimator has no probabilities.
        TypeError, ValueError
            If the recording is no audio, or more than one clip, or a class is called "start", "end" or "predicted".

        Examples
        --------
        ``timeline.loc[timeline["anger"] > 0.8, ["start", "end"]]`` are the angry moments.
        """
        return Timeline(self._follow(recording, params))

    def stream_timeline(self, blocks, sr=None, **params):
        """Rows of a timeline, each as soon as its audio has arrived: from a microphone, or a call.

        A row comes with the block that completes its segment, so at most one hop after the row before, and, where `sr`
        differs from `sr_`, up to 0.12 s later, because the filter looks ahead. All rows together are those that
        `predict_timeline` returns for the whole recording, to rounding. Memory holds one segment, and a block.

        Parameters
        ----------
        blocks : iterable of array-like of shape (n_times,), (n_times, n_channels) or (n_channels, n_times)
            Blocks of any sizes, as they come; integers are scaled as PCM. Channels are averaged, or one is read, as the
            estimator's transformers say.
        sr : int or None, default=None
            Rate of the blocks, Hz; None takes it to be `sr_`.
        **params : dict
            As for `predict_timeline`.

        Returns
        -------
        rows : iterator of dict
            `start`, `end`, a probability for each class, and `predicted`: ``Timeline(rows)`` is a timeline.

        Raises
        ------
        AttributeError
            If the estimator has no probabilities.
        AudioError
            A ValueError: a block is no audio; the message says which.

        Examples
        --------
        From a microphone, by the package sounddevice::

            with sounddevice.InputStream(samplerate=48000, channels=1) as microphone:
                blocks = (microphone.read(4800)[0] for _ in itertools.count())
                for row in classifier.stream_timeline(blocks, sr=48000):
                    print(row["start"], row["predicted"])
        """
        return self._follow_stream(blocks, sr, params)

    def _columns(self, spans: np.ndarray, probabilities: np.ndarray) -> dict:
        """Columns of a timeline, by name."""
        return {
            "start": spans[:, 0] / self.sr_,
            "end": spans[:, 1] / self.sr_,
            **dict(zip(self.classes_.tolist(), probabilities.T.astype(np.float64), strict=True)),
            "predicted": apply_rule(self.estimator_, "predict_proba", probabilities, self.classes_),
        }

    def _check_timeline(self) -> None:
        super()._check_timeline()
        self._refuse_names(self.classes_.tolist(), ("start", "end", "predicted"), "class")
        if not hasattr(self, "predict_proba"):
            raise AttributeError(
                "A timeline has probabilities, and the estimator has no predict_proba. Put another classifier at its "
                "end, or wrap that one: CalibratedClassifierCV(SVC(), ensemble=False), for instance."
            )

    def _callees(self):
        """`predict` goes by probabilities, if there are any, or else by decision values."""
        return {**super()._callees(), "predict": self._most_telling()}

    def _of_segments(self, method: str, X, params: dict) -> tuple[np.ndarray, np.ndarray]:
        """Return the estimator's output for each segment, and the row of the clip that the segment is from."""
        return self._of_parts(method, X, params, self._segments)
