"""check_corpus: all clips that something is wrong with, instead of an error at the first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from ..utils._clip_errors import LengthError, gathered_remarks
from ..utils._messages import short
from ..utils._tables import part_columns, table_column, table_of
from ..utils._tables import seconds as as_seconds
from ._input import as_clips
from ._load import as_clip, where_is

_FLAT = 3  # samples in a row with the very same extreme value: a voice has no flat peaks
_OFTEN, _OFTEN_BELOW_FULL_SCALE = 1e-4, 1e-3  # fraction of samples in such runs, from which on a clip is clipped
_FULL_SCALE = 0.98
_LABELLED = 0.1  # seconds by which a column `duration` may differ from what decodes


class _Found(NamedTuple):
    problem: str
    detail: str


class _Checked(NamedTuple):
    """Findings about one clip, the digest of its sound, its length in seconds, and its path."""

    found: list[_Found]
    digest: bytes | None
    seconds: float
    path: str | None


def check_corpus(X, *, sr=16000, silent=-60.0, n_jobs=None, verbose=1):
    """List every clip that is unreadable, silent, clipped, a duplicate, or not as long as it claims to be.

    Transformers stop at the first clip that cannot be used; this goes through all of them.

    Parameters
    ----------
    X : audio input of n_clips
        As any transformer takes it: paths, bytes, waveforms, or a DataFrame. Its column `duration`, if there is one
        and no `start`, is compared with what decodes.
    sr : int, default=16000
        Rate of waveforms that bring none, Hz.
    silent : float, default=-60.0
        Level of the loudest sample below which a clip is silent, dB of full scale.
    n_jobs : int or None, default=None
        Clips read at a time, by joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=1
        Above 0, show a progress bar.

    Returns
    -------
    problems : DataFrame
        One row for each problem: `row` of X, `path` (None for waveforms), `problem` ("unreadable", "length", "silent",
        "clipped", "duplicate" or "channels"), `detail` in words, and `seconds`, the length that decodes (NaN if nothing
        does). Empty if all is well.

    Raises
    ------
    TypeError, ValueError
        If X is no audio input at all.

    Notes
    -----
    - "length" are files that hold less sound than they declare, files whose header does not say how long they are (they
      are read to their end), and values of `duration` that are more than 0.1 s wrong.
    - "clipped" are clips in which at least one sample in ten thousand (one in a thousand, below full scale) belongs to
      a run of three or more samples with the very same extreme value, or lies beyond full scale.
    - "duplicate" are clips with the very same sound as an earlier one, whatever their names and containers. For copies
      in other formats or at other levels, see `audit_split`.
    - "channels" are clips whose channels cancel one another when they are averaged.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import check_corpus
    >>> tone = np.sin(0.1 * np.arange(16000)) / 2
    >>> clips = [tone, np.zeros(16000), np.clip(4 * tone, -1, 1), tone, np.array([np.nan])]
    >>> check_corpus(clips, verbose=0)[["row", "problem"]]
       row     problem
    0    1      silent
    1    2     clipped
    2    3   duplicate
    3    4  unreadable
    """
    X = table_of(X)
    clips = as_clips(X, "check_corpus")
    labels = _labels(X, len(clips))
    run = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    results = run(delayed(_examine)(clip, row, sr, silent, labels[row]) for row, clip in enumerate(clips))
    if verbose:
        from tqdm.auto import tqdm

        results = tqdm(results, total=len(clips), desc="check_corpus", unit="clip")
    first_row: dict[bytes, int] = {}
    rows = []
    for row, clip in enumerate(results):
        original = row if clip.digest is None else first_row.setdefault(clip.digest, row)
        found = [*clip.found, *([_Found("duplicate", f"the same sound as row {original}")] if original != row else [])]
        rows += [(row, clip.path, *problem, clip.seconds) for problem in found]
    return pd.DataFrame(rows, columns=["row", "path", "problem", "detail", "seconds"])


def _labels(X, n_clips: int) -> list:
    """Return each clip's duration as a column declares it; None where no column does."""
    known = hasattr(X, "columns") and "start" not in part_columns(X)
    durations = table_column(X, "duration") if known else None
    return [None] * n_clips if durations is None else durations


def _declared(label, seconds: float) -> Iterator[_Found]:
    """Describe what is wrong with a declared duration: a number of seconds, a time difference, or text that is one."""
    try:
        declared = as_seconds(label)
    except (TypeError, ValueError):
        yield _Found("length", f"duration must be seconds, or a Timedelta. Got {short(label)}")
        return
    if declared is not None and abs(declared - seconds) > _LABELLED:
        yield _Found("length", f"duration says {declared:g} s, of which {seconds:.3f} s decode")


def _examine(clip, row: int, sr: int, silent: float, label) -> _Checked:
    where, path = where_is(clip, row), None
    try:
        clip = as_clip(clip, row)
        path = clip.path
        with gathered_remarks() as remarks:
            samples, rate, completed = clip.all_channels(sr, row)
    except LengthError as error:
        return _Checked([_Found("length", _reason(error, where))], None, np.nan, path)
    except (ValueError, TypeError) as error:
        return _Checked([_Found("unreadable", _reason(error, where))], None, np.nan, path)
    seconds = len(samples) / rate
    found = list(_problems(samples, silent))
    found += [_Found(*each) for each in dict.fromkeys(remarks)]
    if completed:
        found.append(_Found("length", f"its header does not say how long it is; {seconds:.3f} s decode"))
    found += _declared(label, seconds)
    digest = hashlib.sha256(f"{rate} {samples.shape[1]} ".encode())
    digest.update(np.ascontiguousarray(samples).data)
    return _Checked(found, digest.digest(), seconds, path)


def _reason(error: Exception, where: str) -> str:
    return str(error).removeprefix(f"{where}: ")


def _problems(samples: np.ndarray, silent: float) -> Iterator[_Found]:
    peak = float(np.abs(samples).max())
    if peak < 10 ** (silent / 20):
        level = f"reaches {20 * np.log10(peak):.0f} dB of full scale" if peak > 0 else "is nothing but zeros"
        yield _Found("silent", f"the clip {level}")
        return
    flat = max(_clipped(channel) for channel in samples.T)
    if flat >= (_OFTEN if peak >= _FULL_SCALE else _OFTEN_BELOW_FULL_SCALE):
        yield _Found("clipped", f"{flat:.2%} of its samples are cut off at {peak:.3g}")
    mean = samples.mean(axis=1)
    if samples.shape[1] > 1 and np.vdot(mean, mean) < 0.05 * np.vdot(samples, samples) / samples.shape[1] ** 2:
        yield _Found("channels", "its channels cancel one another when they are averaged: choose one")


def _clipped(channel: np.ndarray) -> float:
    """Fraction of the samples that are beyond full scale, or in a run with the same extreme value."""
    is_extreme = (channel == channel.max()) | (channel == channel.min())
    edges = np.flatnonzero(np.diff(is_extreme, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return (lengths[lengths >= _FLAT].sum() + np.count_nonzero(np.abs(channel) > 1)) / channel.size
