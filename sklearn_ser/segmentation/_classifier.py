"""SegmentClassifier: trained on segments of clips, it predicts clips, and timelines of long recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Integral, Real

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..audio._derived import Segment
from ..audio._input import one_recording
from ..audio._load import clip_length, load_part
from ..audio._row_expansion import RowExpandingClassifier, in_form_of
from ..audio._stream import Cut, check_rate, segments_of_stream
from ..utils._pooling import decide, means, pool
from ..utils._sklearn_compat import Interval, StrOptions, _check_method_params, estimator_has
from ._timeline import Timeline

_BATCH_SEGMENTS, _BATCH_DURATION = 256, 120.0  # segments, and seconds of a recording, that are classified together


class SegmentClassifier(RowExpandingClassifier):
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
    >>> pipeline = make_pipeline(HandcraftedFeatures(), LogisticRegression())
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
        transformers: each segment is a clip to them, whose level they normalise by itself. It is cloned before it is
        fitted.
    segment_duration : float, default=2.0
        Length of a segment, seconds. Two hold several syllables; longer ones blur where an emotion changes.
    hop_duration : float or None, default=None
        Seconds from the beginning of a segment to that of the next; None is half of `segment_duration`.
    pooling : {"mean", "log_mean", "max"}, default="mean"
        How a clip's probabilities are made of those of its segments: their mean; their geometric mean, by which one
        segment can rule a class out; or the largest of each class. The latter two are divided by their sum.
    sr : int or None, default=None
        Rate at which waveforms in memory are taken to be, and segments counted, Hz. None is that of the transformers in
        `estimator`, or 16000 if none of them has one.

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
    - Where the classifier at the pipeline's end stops early, segments of a clip stand on one side of its split: its
      `fit` is given `groups`, those of the user, or else the clips' rows. That needs no metadata routing and no
      request. One that stops early inside another estimator, where groups do not reach it, is refused.
    - A search for hyperparameters goes around this classifier. Inside it, segments of a clip would be in training and
      test folds.
    """

    _parts = "segments"

    _parameter_constraints: dict = {
        **RowExpandingClassifier._parameter_constraints,
        "segment_duration": [Interval(Real, 0, None, closed="neither")],
        "hop_duration": [Interval(Real, 0, None, closed="neither"), None],
        "pooling": [StrOptions({"mean", "log_mean", "max"})],
        "sr": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, estimator, segment_duration=2.0, *, hop_duration=None, pooling="mean", sr=None):
        self.estimator = estimator
        self.segment_duration = segment_duration
        self.hop_duration = hop_duration
        self.pooling = pooling
        self.sr = sr

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
            What else the estimator's `fit` is to be given, as `step__parameter`; arrays of n_clips are repeated for the
            segments, and those named `sample_weight` shared out. With metadata routing, all of this goes where it is
            requested, instead.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If X is no audio input, segments lie apart, `sr` is not that of the estimator's transformers, or the
            classifier stops early on a split that takes no `groups`.
        """
        clips = self._check_fit(X, y, sample_weight, groups)
        self.sr_ = self._check_durations()
        rows, segments = self._segments(clips)
        given = {"sample_weight": sample_weight, "groups": groups, **params}
        n_segments = np.bincount(rows)
        for name, value in given.items():
            if name.split("__")[-1] == "sample_weight" and value is not None:
                given[name] = np.asarray(value) / n_segments
        self._fit_rows(X, y, clips, segments, rows, given)
        return self

    def predict(self, X, **params):
        """Class of each clip: the one with the highest pooled probability.

        Without probabilities, the highest mean decision value decides; without either, most segments do, and of classes
        with equally many the first.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            What else the estimator's `predict_proba`, `decision_function` or `predict` is to be given, one value a
            clip; with metadata routing, what its steps request.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        values, rows = self._of_segments("predict", X, params)
        return decide(values, rows, self._callees()["predict"], self.classes_, self.pooling)

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

        A file is read a minute or two at a time, so that the length takes no memory. What is normalised by all rows
        that come at once, such as by a speaker's own clips, is normalised by those minutes.

        Parameters
        ----------
        recording : str, PathLike, array-like of shape (n_times,), or audio input of one clip
            A path, a waveform at `sr_`, or, for an estimator that reads more columns than `path`, a DataFrame of one
            row.
        **params : dict
            What else the estimator's `predict_proba` is to be given, one value in a list; with metadata routing, what
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
            If the recording is no audio, or more than one clip.

        Examples
        --------
        ``timeline.loc[timeline["anger"] > 0.8, ["start", "end"]]`` are the angry moments.
        """
        self._check_timeline()
        X, clip = one_recording(recording)
        spans = self._spans(clip, None)
        probabilities = []
        for batch in self._batches(spans):
            begin = batch[0, 0]
            part = load_part(clip, self.sr_, begin, batch[-1, 1], channel=self._channel())
            segments = [part[start - begin : stop - begin] for start, stop in batch]
            rows = np.zeros(len(batch), dtype=int)
            given = _check_method_params([clip], params, indices=rows)
            probabilities.append(self._delegate("predict_proba", in_form_of(X, segments, rows), given))
        return Timeline(self._columns(spans, np.concatenate(probabilities)))

    def stream_timeline(self, blocks, sr=None, **params):
        """Rows of a timeline, each as soon as its audio has arrived: from a microphone, or a call.

        A row comes with the block that completes its segment, so at most one hop after the row before, and, where `sr`
        differs from `sr_`, up to 0.12 s later, because the filter looks ahead. All rows together are those that
        `predict_timeline` returns for the whole recording, to rounding. Memory holds one segment, and a block.

        Parameters
        ----------
        blocks : iterable of array-like of shape (n_times,) or (n_times, n_channels)
            Blocks of any sizes, as they come; integers are scaled as PCM, channels averaged.
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
        Of a microphone, by the package sounddevice::

            with sounddevice.InputStream(samplerate=48000, channels=1) as microphone:
                blocks = (microphone.read(4800)[0] for _ in itertools.count())
                for row in classifier.stream_timeline(blocks, sr=48000):
                    print(row["start"], row["predicted"])
        """
        self._check_timeline()
        hop_duration = self.segment_duration / 2 if self.hop_duration is None else self.hop_duration
        length = max(1, round(self.segment_duration * self.sr_))
        cut = Cut(self.sr_, length, hop_duration, _BATCH_SEGMENTS, int(_BATCH_DURATION * self.sr_))
        ready = segments_of_stream(blocks, check_rate(sr, self.sr_), cut)
        return chain.from_iterable(self._rows_of(segments, params) for segments in ready if segments)

    def _rows_of(self, segments: list[tuple[int, np.ndarray]], params: dict) -> list[dict]:
        given = _check_method_params([None], params, indices=np.zeros(len(segments), dtype=int))
        waveforms = [waveform for _, waveform in segments]
        spans = np.array([(start, start + waveform.size) for start, waveform in segments])
        columns = self._columns(spans, self._delegate("predict_proba", waveforms, given))
        columns = {name: values.tolist() for name, values in columns.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _columns(self, spans: np.ndarray, probabilities: np.ndarray) -> dict:
        """Of a timeline, by name."""
        return {
            "start": spans[:, 0] / self.sr_,
            "end": spans[:, 1] / self.sr_,
            **dict(zip(self.classes_.tolist(), probabilities.T.astype(np.float64), strict=True)),
            "predicted": self.classes_[probabilities.argmax(axis=1)],
        }

    def _check_timeline(self) -> None:
        check_is_fitted(self, "classes_")
        if not hasattr(self, "predict_proba"):
            raise AttributeError(
                "A timeline has probabilities, and the estimator has no predict_proba. Put another classifier at its "
                "end, or wrap that one: CalibratedClassifierCV(SVC(), ensemble=False), for instance."
            )

    def _callees(self):
        """`predict` goes by probabilities, if there are any, or else by decision values."""
        return {**super()._callees(), "predict": self._most_telling()}

    def _check_durations(self) -> int:
        """Check what relates two parameters; the rate at which segments are counted."""
        if self.hop_duration is not None and self.hop_duration > self.segment_duration:
            raise ValueError(
                "hop_duration must not exceed segment_duration, or audio between segments is lost. "
                f"Got hop_duration={self.hop_duration} and segment_duration={self.segment_duration}."
            )
        given = self.estimator.get_params().items()
        rates = sorted({rate for name, rate in given if name.split("__")[-1] == "sr" and rate is not None})
        if (self.sr is None and len(rates) > 1) or (self.sr is not None and rates and self.sr not in rates):
            raise ValueError(
                "sr must be the rate at which the estimator's transformers read audio, or segments of waveforms in "
                f"memory would have the wrong length. Got sr={self.sr}, and transformers with "
                f"sr={', '.join(map(str, rates))}."
            )
        return self.sr or (rates[0] if rates else 16000)

    def _channel(self) -> int | str:
        """The channel that the estimator's transformers read; they agree on it."""
        given = self.estimator.get_params().items()
        channels = {channel for name, channel in given if name.split("__")[-1] == "channel"} or {"mean"}
        if len(channels) > 1:
            raise ValueError(
                "The estimator's transformers must read the same channel, or a timeline would hear another one. "
                f"Got channel={', '.join(sorted(map(str, channels)))}."
            )
        return channels.pop()

    def _spans(self, clip, row: int | None) -> np.ndarray:
        """First sample of each segment of a clip, and the one behind its last, at `sr_`."""
        n_times = clip_length(clip, sr=self.sr_, channel=self._channel(), row=row)
        length = min(n_times, max(1, round(self.segment_duration * self.sr_)))
        hop_duration = self.segment_duration / 2 if self.hop_duration is None else self.hop_duration
        # Every start is rounded by itself, or hops that are no whole number of samples would drift.
        n_hops = int((n_times - length) / (hop_duration * self.sr_)) + 1
        starts = np.unique(np.round(np.arange(n_hops + 1) * hop_duration * self.sr_).astype(int))
        starts = np.append(starts[starts < n_times - length], n_times - length)
        return np.column_stack([starts, starts + length])

    def _segments(self, clips: Sequence) -> tuple[np.ndarray, list[Segment]]:
        """Segments of all clips, one clip after the other, and the row of the clip of each."""
        rows, segments = [], []
        for row, clip in enumerate(clips):
            for start, stop in self._spans(clip, row).tolist():
                rows.append(row)
                segments.append(Segment(clip, start, stop, self.sr_, row))
        return np.asarray(rows), segments

    def _batches(self, spans: np.ndarray) -> Iterator[np.ndarray]:
        """Runs of segments that begin and end within `_BATCH_DURATION`, or of a single one that does not."""
        start = 0
        while start < len(spans):
            most = np.searchsorted(spans[:, 1], spans[start, 0] + _BATCH_DURATION * self.sr_, side="right")
            stop = max(start + 1, min(most, start + _BATCH_SEGMENTS))
            yield spans[start:stop]
            start = stop

    def _of_segments(self, method: str, X, params: dict) -> tuple[np.ndarray, np.ndarray]:
        """What the estimator says of each segment, and the row of the clip of each."""
        return self._of_parts(method, X, params, self._segments)
