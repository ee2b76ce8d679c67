"""Base of the estimators of segments: how clips are cut, and recordings and streams followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..audio._clips import Samples
from ..audio._derived import Segment
from ..audio._input import one_recording
from ..audio._load import clip_length, load_part
from ..audio._row_expansion import RowExpandingEstimator, in_form_of
from ..audio._stream import Cut, check_rate, segments_of_stream
from ..utils._docstrings import put
from ..utils._messages import short
from ..utils._siblings import estimators_in
from ..utils._sklearn_compat import Interval, _check_method_params

_BATCH_SEGMENTS, _BATCH_DURATION = 256, 120.0  # segments, and seconds of a recording, that are predicted together
_SEGMENTS = """\
segment_duration : float, default=2.0
    Length of a segment, seconds. Two hold several syllables; longer ones blur where an emotion changes.
hop_duration : float or None, default=None
    Seconds from the beginning of a segment to that of the next; None is half of `segment_duration`.
"""
_RATE = """
sr : int or None, default=None
    Rate at which waveforms in memory are taken to be, and segments counted, Hz. None is that of the transformers in
    `estimator`, or 16000 if none of them has one.
"""


class SegmentEstimator(RowExpandingEstimator):
    """Base of the estimators that are fitted to segments of clips, and predict clips, recordings and streams.

    A subclass says in `_timeline_method` which method of the estimator a timeline shows, and makes its columns.
    """

    _parts = "segments"
    _timeline_method: str

    _parameter_constraints: dict = {
        **RowExpandingEstimator._parameter_constraints,
        "segment_duration": [Interval(Real, 0, None, closed="neither")],
        "hop_duration": [Interval(Real, 0, None, closed="neither"), None],
        "sr": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__doc__:  # not with python -OO
            cls.__doc__ = put(_SEGMENTS, "segments", put(_RATE, "rate", cls.__doc__))

    def __init__(self, estimator, segment_duration=2.0, *, hop_duration=None, pooling="mean", sr=None):
        self.estimator = estimator
        self.segment_duration = segment_duration
        self.hop_duration = hop_duration
        self.pooling = pooling
        self.sr = sr

    def _fit_segments(self, X, y, sample_weight, groups, params: dict) -> None:
        """Fit the estimator to the segments of the clips."""
        clips, y = self._check_fit(X, y, sample_weight, groups)
        self.sr_ = self._check_durations()
        rows, segments = self._segments(clips)
        given = {"sample_weight": sample_weight, "groups": groups, **params}
        n_segments = np.bincount(rows)
        for name, value in given.items():
            if name.split("__")[-1] == "sample_weight" and value is not None:
                given[name] = np.asarray(value) / n_segments
        self._fit_rows(X, y, clips, segments, rows, given)

    def _follow(self, recording, params: dict) -> dict:
        """Columns of the timeline of a recording."""
        self._check_timeline()
        X, clip = one_recording(recording)
        spans = self._spans(clip, None)
        channel, alone, values = self._channel(), len(self._rates()) > 1, []
        for batch in self._batches(spans):
            if alone:  # every transformer reads the parts at its own rate
                source = Samples(clip, self.sr_) if isinstance(clip, np.ndarray) else clip
                segments = [Segment(source, start, stop, self.sr_, 0) for start, stop in batch.tolist()]
            else:
                begin = batch[0, 0]
                part = load_part(clip, self.sr_, begin, batch[-1, 1], channel=channel)
                segments = [part[start - begin : stop - begin] for start, stop in batch]
            rows = np.zeros(len(batch), dtype=int)
            given = _check_method_params([clip], params, indices=rows)
            values.append(self._delegate(self._timeline_method, in_form_of(X, segments, rows), given))
        return self._columns(spans, np.concatenate(values))

    def _follow_stream(self, blocks, sr, params: dict) -> Iterator[dict]:
        """Rows of a timeline, each as soon as its audio has arrived."""
        self._check_timeline()
        hop_duration = self.segment_duration / 2 if self.hop_duration is None else self.hop_duration
        length = max(1, round(self.segment_duration * self.sr_))
        cut = Cut(self.sr_, length, hop_duration, _BATCH_SEGMENTS, int(_BATCH_DURATION * self.sr_))
        ready = segments_of_stream(blocks, check_rate(sr, self.sr_), cut, self._channel())
        return chain.from_iterable(self._rows_of(segments, params) for segments in ready if segments)

    def _rows_of(self, segments: list[tuple[int, np.ndarray]], params: dict) -> list[dict]:
        given = _check_method_params([None], params, indices=np.zeros(len(segments), dtype=int))
        waveforms = [waveform for _, waveform in segments]
        spans = np.array([(start, start + waveform.size) for start, waveform in segments])
        clips = [(waveform, self.sr_) for waveform in waveforms] if len(self._rates()) > 1 else waveforms
        columns = self._columns(spans, self._delegate(self._timeline_method, clips, given))
        columns = {name: values.tolist() for name, values in columns.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _columns(self, spans: np.ndarray, values: np.ndarray) -> dict:
        """Columns of a timeline, by name."""
        raise NotImplementedError

    def _check_timeline(self) -> None:
        check_is_fitted(self, self._fitted)

    @staticmethod
    def _refuse_names(names, reserved, what: str) -> None:
        taken = [name for name in names if name in reserved]
        if taken:
            raise ValueError(
                f"A timeline has columns of its own called {', '.join(map(repr, reserved))}, so that no {what} may be "
                f"called so. Got {short(taken)}: rename it in y before fit."
            )

    def _check_durations(self) -> int:
        """Check what relates two parameters; the rate at which segments are counted."""
        if self.hop_duration is not None and self.hop_duration > self.segment_duration:
            raise ValueError(
                "hop_duration must not exceed segment_duration, or audio between segments is lost. "
                f"Got hop_duration={self.hop_duration} and segment_duration={self.segment_duration}."
            )
        rates = self._rates()
        if (self.sr is None and len(rates) > 1) or (self.sr is not None and rates and self.sr not in rates):
            raise ValueError(
                "sr must be the rate at which the estimator's transformers read audio, or segments of waveforms in "
                f"memory would have the wrong length. Got sr={self.sr}, and transformers with "
                f"sr={', '.join(map(str, rates))}."
            )
        return self.sr or (rates[0] if rates else 16000)

    def _rates(self) -> list[int]:
        """Rates at which the estimator's transformers read audio, whether they are parameters or fixed."""
        found = {getattr(inner, "sr", None) for inner in estimators_in(self.estimator)}
        return sorted(int(rate) for rate in found if isinstance(rate, Integral))

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
        rows, segments, alone = [], [], len(self._rates()) > 1
        for row, clip in enumerate(clips):
            clip = Samples(clip, self.sr_) if alone and isinstance(clip, np.ndarray) else clip
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
        """Return the estimator's output for each segment, and the row of the clip that the segment is from."""
        return self._of_parts(method, X, params, self._segments)
