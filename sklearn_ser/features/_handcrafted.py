"""Handcrafted features: statistics over a clip of what its frames measure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from numbers import Integral
from typing import NamedTuple

import numpy as np

from .. import _dsp
from .._sklearn import Interval
from ..audio import AudioTransformer
from ._mel import STFT_CONSTRAINTS, check_stft, spectrum_params

# Statistics over the frames of a descriptor, (n_frames, n_values) -> (n_values,).
FUNCTIONALS = {
    "mean": partial(np.mean, axis=0),
    "std": partial(np.std, axis=0),
    "min": partial(np.min, axis=0),
    "max": partial(np.max, axis=0),
    "median": partial(np.median, axis=0),
}


class _Analysis:
    """What the descriptors are computed from; the mel spectra, the dear part, once for all of them."""

    def __init__(self, waveforms: list[np.ndarray], *, framing: dict, spectrum: dict, n_mfcc: int):
        self.joined = _dsp.join(waveforms, **framing)
        self.spectrum, self.n_mfcc = spectrum, n_mfcc

    @cached_property
    def mel(self) -> np.ndarray:
        return _dsp.mel_spectrogram(self.joined, **self.spectrum)

    @cached_property
    def mfcc(self) -> np.ndarray:
        return _dsp.cepstrum(_dsp.power_to_db(self.mel, self.joined.counts), self.n_mfcc)


class Descriptor(NamedTuple):
    """A low-level descriptor: its track over the frames, (n_frames, n_values) of an `_Analysis`, and what n_values is."""

    track: Callable[[_Analysis], np.ndarray]
    size: str | None = None  # the parameter that says how many values a frame has; None: one


# In the order of their columns.
DESCRIPTORS = {
    "mel": Descriptor(lambda analysis: analysis.mel, "n_mels"),
    "mfcc": Descriptor(lambda analysis: analysis.mfcc, "n_mfcc"),
    "zcr": Descriptor(lambda analysis: _dsp.zero_crossing_rate(analysis.joined)[:, np.newaxis]),
    "rms": Descriptor(lambda analysis: _dsp.rms(analysis.joined)[:, np.newaxis]),
}


def _features(waveforms, *, descriptors, functionals, **params) -> list[np.ndarray]:
    analysis = _Analysis(waveforms, **params)
    tracks = [analysis.joined.split(DESCRIPTORS[name].track(analysis)) for name in descriptors]
    return [
        np.concatenate([FUNCTIONALS[name](track) for track in tracks_of_clip for name in functionals])
        for tracks_of_clip in zip(*tracks)
    ]


class HandcraftedFeatures(AudioTransformer):
    """Statistics over each clip of its mel spectrum, cepstrum, zero-crossing rate and level: 170 features by default.

    The default is the feature set of [1]_: means over the frames of 128 mel bands, 40 mel-frequency cepstral coefficients,
    the zero-crossing rate and the root mean square, as librosa defines them. All come from one short-time analysis.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate, Hz. Arrays are taken to be at this rate; files are resampled to it.
    descriptors : sequence of {"mel", "mfcc", "zcr", "rms"}, default=("mel", "mfcc", "zcr", "rms")
        Low-level descriptors to take statistics of, in the order of their columns: power in mel bands, cepstral
        coefficients of the log-mel spectrum (dB), sign changes per sample, and root mean square.
    functionals : sequence of {"mean", "std", "min", "max", "median"}, default=("mean",)
        Statistics over the frames of a clip.
    n_fft : int, default=2048
        Frame and FFT length, samples.
    hop_length : int, default=512
        Samples from one frame to the next.
    win_length : int or None, default=None
        Length of the analysis window, samples, centred in `n_fft`; None takes `n_fft`.
    window : str, tuple or float, default="hann"
        Analysis window, as `scipy.signal.get_window` names it.
    n_mels : int, default=128
        Mel bands.
    n_mfcc : int, default=40
        Cepstral coefficients; at most `n_mels`.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency of the mel bands, Hz; None is half of `sr`.
    offset, duration : float, default=0.0 and None
        Part of each clip to read, seconds; None reads to the end.
    normalize : {"rms", "peak"} or None, default="rms"
        Scale each clip to a root mean square of 1 or a largest magnitude of 1 first, so that features do not tell how
        loud a recording is.
    n_jobs : int or None, default=None
        Clips analysed at a time, by joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=0
        Above 0, show a progress bar.

    Notes
    -----
    Reference [1]_ does not normalise the level of its clips; ``normalize=None`` does as it does.

    References
    ----------
    .. [1] Bledea, "Speech emotion recognition" (stacked LSTM on pooled features, TESS).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import HandcraftedFeatures
    >>> clips = [np.sin(0.3 * np.arange(16000)), np.sin(0.7 * np.arange(8000))]
    >>> HandcraftedFeatures().fit_transform(clips).shape
    (2, 170)
    >>> level = HandcraftedFeatures(descriptors=["zcr", "rms"], functionals=["mean", "std"])
    >>> level.fit(clips).get_feature_names_out().tolist()
    ['zcr_mean', 'zcr_std', 'rms_mean', 'rms_std']
    """

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        **STFT_CONSTRAINTS,
        "descriptors": ["array-like"],
        "functionals": ["array-like"],
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        sr=16000,
        descriptors=("mel", "mfcc", "zcr", "rms"),
        *,
        functionals=("mean",),
        n_fft=2048,
        hop_length=512,
        win_length=None,
        window="hann",
        n_mels=128,
        n_mfcc=40,
        fmin=0.0,
        fmax=None,
        offset=0.0,
        duration=None,
        normalize="rms",
        n_jobs=None,
        verbose=0,
    ):
        self.sr = sr
        self.descriptors = descriptors
        self.functionals = functionals
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.n_mels = n_mels
        self.n_mfcc = n_mfcc
        self.fmin = fmin
        self.fmax = fmax
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X):
        """Compute the features of every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        features : ndarray of shape (n_clips, n_features), float32
            Finite; the columns are named by `get_feature_names_out`.
        """
        n_clips, results = self._apply(X)
        features = np.empty((n_clips, len(self.get_feature_names_out())), dtype=np.float32)
        for row, result in enumerate(results):
            features[row] = result
        return features

    def get_feature_names_out(self, input_features=None):
        """Names of the columns, `descriptor_functional`: `mel_0_mean`, `mfcc_3_std`, `zcr_mean` ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_features,), object
        """
        self._check_params()
        names = []
        for descriptor in self.descriptors:
            size = DESCRIPTORS[descriptor].size
            lld = [descriptor] if size is None else [f"{descriptor}_{i}" for i in range(getattr(self, size))]
            names += [f"{name}_{functional}" for functional in self.functionals for name in lld]
        return np.asarray(names, dtype=object)

    def _check_params(self):
        super()._check_params()
        for name, chosen, known in [
            ("descriptors", self.descriptors, DESCRIPTORS),
            ("functionals", self.functionals, FUNCTIONALS),
        ]:
            unknown = [item for item in chosen if not isinstance(item, str) or item not in known]
            if unknown or len(chosen) == 0 or len(set(chosen)) < len(chosen):
                raise ValueError(f"{name} must be one or more of {list(known)}, each once. Got {list(chosen)}.")
        check_stft(self.n_fft, self.hop_length, self.win_length, self.fmin, self.fmax, self.sr)
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc must not exceed n_mels. Got n_mfcc={self.n_mfcc} and n_mels={self.n_mels}.")

    def _function(self):
        return partial(
            _features,
            descriptors=tuple(self.descriptors),
            functionals=tuple(self.functionals),
            n_mfcc=self.n_mfcc,
            framing=dict(frame_length=self.n_fft, hop_length=self.hop_length),
            spectrum=spectrum_params(self),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
