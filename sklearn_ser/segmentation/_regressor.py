"""SegmentRegressor: trained on segments of clips, it predicts values of clips, and timelines of long recordings."""

from __future__ import annotations

import numpy as np

from ..audio._row_expansion import RowExpandingRegressor
from ..utils._pooling import first_rows, means
from ..utils._sklearn_compat import StrOptions
from ._segments import SegmentEstimator
from ._value_timeline import ValueTimeline


class SegmentRegressor(RowExpandingRegressor, SegmentEstimator):
    """Train a regressor on segments of clips; predict clips by all of their segments, and timelines of recordings.

    In `fit`, each clip is cut into segments of one length, each with the clip's values, such as arousal and valence.
    Wrap the whole pipeline, from the audio on: in a cross-validation around it, no segment of a test clip is ever seen
    in training.

    Read more in the guide: :doc:`long recordings </guide/long_recordings>`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import BoundedScaler, HandcraftedFeatures, SegmentRegressor
    >>> time = np.arange(16000) / 16000
    >>> calm, fear = np.sin(2 * np.pi * 200 * time), np.sin(2 * np.pi * 800 * time)
    >>> pipeline = make_pipeline(HandcraftedFeatures(), BoundedScaler(), Ridge())
    >>> y = pd.DataFrame({"arousal": [0.2, 0.8], "valence": [0.6, 0.1]})
    >>> regressor = SegmentRegressor(pipeline, segment_duration=0.4).fit([calm, fear], y)
    >>> regressor.predict_timeline(np.concatenate([calm, fear])).iloc[[0, -1]].round(1)
       start  end  arousal  valence
    0    0.0  0.4      0.2      0.6
    8    1.6  2.0      0.8      0.1

    Parameters
    ----------
    estimator : estimator
        A regressor that takes audio input, such as a `Pipeline` that begins with one of this library's audio
        transformers: each segment is a clip to them, whose level they normalize by itself. It is cloned before it is
        fitted.
    <segments>
    pooling : {"mean", "median"}, default="mean"
        How a clip's values are made of those of its segments.
    <rate>

    Attributes
    ----------
    estimator_ : estimator
        The fitted regressor of segments.
    target_names_ : list of str
        Names of the values: the columns of `y` where it is a DataFrame, else "value" or "value_0", "value_1" and so on.
    sr_ : int
        Rate at which segments are counted, Hz.
    n_features_in_ : int
        Samples of a clip, if X was an array (n_clips, n_times).

    See Also
    --------
    ValueTimeline : What `predict_timeline` returns.
    TimelineDisplay : Draws it.
    SegmentClassifier : Does the same for classes; see the notes there on how clips are cut.
    """

    _timeline_method = "predict"

    _parameter_constraints: dict = {
        **SegmentEstimator._parameter_constraints,
        "pooling": [StrOptions({"mean", "median"})],
    }

    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the regressor to the segments of the clips.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`, whose other columns
            are repeated for the segments. The estimator is given a DataFrame, too; for all else, a list.
        y : array-like of shape (n_clips,) or (n_clips, n_values)
            Values, such as arousal and valence. The columns of a DataFrame name those of timelines.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip, shared out equally among its segments: ones let every clip weigh the same, however
            long. None lets every segment weigh the same. Given to the regressor at the pipeline's end.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance. Given to the regressor at the pipeline's end.
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
            If X is no audio input, a value of y or `groups` is missing, the estimator is no regressor, segments lie
            apart, `sr` is not that of the estimator's transformers, or something inside splits rows and cannot be told
            which of them belong together.
        """
        self._fit_segments(X, y, sample_weight, groups, params)
        return self

    def predict(self, X, **params):
        """Values of each clip, pooled over its segments.

        Parameters
        ----------
        X : audio input of n_clips
        **params : dict
            More arguments of the estimator's `predict`, one value a clip; with metadata routing, what its steps
            request.

        Returns
        -------
        values : ndarray of shape (n_clips,) or (n_clips, n_values)
        """
        values, rows = self._of_parts("predict", X, params, self._segments)
        values = np.asarray(values)
        if self.pooling == "mean":
            return means(values, rows)
        return np.stack([np.median(part, axis=0) for part in np.split(values, first_rows(rows)[1:])])

    def predict_timeline(self, recording, **params):
        """Values along a recording of any length, segment by segment.

        A file is read a minute or two at a time, so that the length takes no memory. Steps that normalize
        by all rows that come at once, such as by a speaker's own clips, do so by those minutes.

        Parameters
        ----------
        recording : str, PathLike, array-like of shape (n_times,), or audio input of one clip
            A path, a waveform at `sr_`, or, for an estimator that reads more columns than `path`, a DataFrame of one
            row.
        **params : dict
            More arguments of the estimator's `predict`, one value in a list; with metadata routing, what its
            steps request.

        Returns
        -------
        timeline : ValueTimeline of n_segments rows
            A DataFrame: `start` and `end` of the segment in seconds, and a column for each value.

        Raises
        ------
        TypeError, ValueError
            If the recording is no audio, or more than one clip, or a value is called "start" or "end".
        """
        return ValueTimeline(self._follow(recording, params))

    def stream_timeline(self, blocks, sr=None, **params):
        """Rows of a timeline, each as soon as its audio has arrived: from a microphone, or a call.

        A row comes with the block that completes its segment. All rows together are those that `predict_timeline`
        returns for the whole recording, to rounding.

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
            `start`, `end`, and each value: ``ValueTimeline(rows)`` is a timeline.

        Raises
        ------
        AudioError
            A ValueError: a block is no audio; the message says which.
        """
        return self._follow_stream(blocks, sr, params)

    def _check_timeline(self) -> None:
        super()._check_timeline()
        self._refuse_names(self.target_names_, ("start", "end"), "value")

    def _columns(self, spans: np.ndarray, values: np.ndarray) -> dict:
        """Columns of a timeline, by name."""
        columns = np.asarray(values, dtype=np.float64).reshape(len(spans), -1)
        times = {"start": spans[:, 0] / self.sr_, "end": spans[:, 1] / self.sr_}
        return {**times, **dict(zip(self.target_names_, columns.T, strict=True))}
