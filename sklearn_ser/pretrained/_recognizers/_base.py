"""The base of published recognizers: an encoder and the head that was trained on it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ...audio import AudioTransformer
from ...utils._docstrings import put
from ...utils._versions import VersionedMixin
from .._architectures import SR, Reading
from .._encoder import open_model
from .._features import EncoderFeatures
from .._hub import Head, local_model, read_head, read_license

_PARAMETERS = """\
offset : float, default=0.0
    Where to begin to read each clip, seconds.
duration : float or None, default=None
    How much of it to read, seconds; None reads to the end.
data_home : str, PathLike or None, default=None
    As for `EncoderFeatures`.
revision : str or None, default=None
    As for `EncoderFeatures`.
channel : "mean" or int, default="mean"
    The mean of a recording's channels, or one of them, counted from 0; overridden by a column `channel` of X.
memory : str, PathLike, joblib.Memory or None, default=None
    Folder that keeps the encoder's mean over each clip; None keeps nothing.
n_jobs : int or None, default=None
    Clips worked on at a time, by joblib.
verbose : int, default=0
    Above 0, show a progress bar.
"""

_NOTES = """\
A clip longer than 30 s is encoded in about equal parts of at most 30 s, whose frames are averaged together before the
head reads them. Whisper's parts are padded with silence to the length that the model was trained with.

Weights have licences of their own, and several of them forbid commercial use: where the model's card (`README.md`
beside the weights) states one, it is in `license` and in the printed estimator, and so in reports.
"""


class _HeadFeatures(EncoderFeatures):
    """The mean over frames that a head reads."""

    _for_head = True

    def _read(self, architecture):
        weights = self._head.layer_weights
        layers = (architecture.last,) if weights is None else architecture.hidden_states
        return Reading(architecture, layers, weights, padded=architecture.padded_for_head)


class Recognizer(VersionedMixin, BaseEstimator):
    """A published model: `fit` reads it, and learns nothing of the clips."""

    sr = SR

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__doc__:  # not with python -OO
            cls.__doc__ = put(_NOTES, "notes", put(_PARAMETERS, "shared", cls.__doc__))

    _parameter_constraints: dict = {
        **{
            name: AudioTransformer._parameter_constraints[name]
            for name in ("offset", "duration", "channel", "memory", "n_jobs", "verbose")
        },
        "model": [str, os.PathLike],
        "data_home": [str, os.PathLike, None],
        "revision": [str, None],
    }

    def _read_model(self, X) -> Head:
        self._validate_params()
        folder, architecture = open_model(self.model, self.data_home, self.revision)
        head = read_head(folder, architecture.width, len(architecture.hidden_states))
        features = _HeadFeatures(
            self.model,
            None,
            offset=self.offset,
            duration=self.duration,
            data_home=self.data_home,
            channel=self.channel,
            memory=self.memory,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            revision=self.revision,
        )
        features._head = head
        self.features_ = features.fit(X)
        self._head, self.license_ = head, read_license(folder)
        return head

    def _logits(self, X) -> np.ndarray:
        check_is_fitted(self)
        return self._head(self.features_.transform(X))

    @property
    def license(self) -> str | None:
        """str or None : The weights' licence, as the model's card states it; None if it states none, or is not here."""
        if "license_" in vars(self):
            return self.license_
        folder = Path(self.model)
        try:
            if not folder.is_dir():
                folder = local_model(str(self.model), self.data_home, self.revision)
        except (OSError, ValueError):
            return None
        return None if folder is None else read_license(folder)

    def __repr__(self, N_CHAR_MAX=700):
        license, text = self.license, super().__repr__(N_CHAR_MAX)
        return f"{text} [licence of the weights: {license}]" if license else text

    def __getstate__(self):
        """Drop the memory of a fitted recognizer: where it predicts, it must fill no folder that nobody asked for."""
        state = super().__getstate__()
        return {**state, "memory": None} if "features_" in state else state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.target_tags.required = False
        return tags
