"""Docstrings of parameters that the transformers share."""

from __future__ import annotations

PARAMETERS = """\
pooling : {"mean", "mean_std"}, int or None, default="mean"
    Features: mean over the clip's frames, or also the standard deviation. None leaves the frames, 50 a second. An
    int leaves frames that are means of so many: networks behind them take a fraction of the time and memory, and
    5, ten frames a second, recognise no less.
trim : bool, default=False
    If True, leave out what lies before and behind the speech, silence or noise, when clips are pooled to
    features: of a clip that is half silence, half of the mean would be. `make_recognizer` does so. Frames are of
    the whole clip.
n_frames : int or None, default=None
    Where frames are left, frames of every clip: longer clips are cropped, shorter ones padded with NaN. None learns
    the longest clip's in `fit`.
offset : float, default=0.0
    Where to begin to read each clip, seconds.
duration : float or None, default=None
    How much of it to read, seconds; None reads to the end.
normalize : {"rms", "peak"} or None, default=None
    Scale each clip to a root mean square of 1 or a largest magnitude of 1 first.
data_home : str, PathLike or None, default=None
    Folder of models and corpora; None takes the environment variable SKLEARN_SER_DATA, or else
    `~/sklearn_ser_data`.
channel : "mean" or int, default="mean"
    The mean of a recording's channels, or one of them, counted from 0; a column `channel` of X goes before.
memory : str, PathLike, joblib.Memory or None, default=None
    Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is encoded
    once for each layer; None keeps nothing. A clip is known by its content, and the model by its weights, wherever
    they are.
n_jobs : int or None, default=None
    Clips worked on at a time, by joblib; threads unless `joblib.parallel_config` says otherwise. Products of
    matrices use the threads that NumPy's BLAS has.
verbose : int, default=0
    Above 0, show a progress bar.
"""

ATTRIBUTES = """\
encoder_ : object or None
    The encoder with its weights, which is pickled along with this transformer; None without a `layer`.
n_values_ : int
    Values of a frame.
n_frames_ : int
    Frames of every clip; only where frames are left.
"""
