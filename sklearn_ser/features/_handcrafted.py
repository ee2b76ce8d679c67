"""Handcrafted features: statistics over a clip of what its frames measure."""

from __future__ import annotations

from functools import partial
from numbers import Integral

import numpy as np

from .._sklearn import Interval
from ..audio import AudioTransformer
from ._descriptors import Settings, check_choice, column_names, tracks
from ._functionals import FUNCTIONALS, functionals_of
from ._mel import STFT_CONSTRAINTS, check_stft, spectrum_params

DESCRIPTORS = ("mel", "mfcc", "zcr", "rms")


def _features(waveforms, *, descriptors, functionals, settings) -> list[np.ndarray]:
    of_clips = zip(*tracks(waveforms, descriptors, settings))
    return [np.concatenate([functionals_of(track, functionals) for track in clip]) for clip in of_clips]


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
    functionals : sequence of str, default=("mean",)
        Statistics over the frames of a clip: any that `Functionals` knows.
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
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is analysed
        once; None keeps nothing. A clip is known by its content, so that a changed file is analysed again.
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
        memory=None,
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
        self.memory = memory
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
        for row, result in results:
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
        settings, names = self._settings(), []
        for descriptor in self.descriptors:
            values = column_names(descriptor, settings)
            names += [f"{value}_{functional}" for functional in self.functionals for value in values]
        return np.asarray(names, dtype=object)

    def _check_params(self):
        super()._check_params()
        check_choice("descriptors", self.descriptors, DESCRIPTORS)
        check_choice("functionals", self.functionals, FUNCTIONALS)
        check_stft(self.n_fft, self.hop_length, self.win_length, self.fmin, self.fmax, self.sr)
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc must not exceed n_mels. Got n_mfcc={self.n_mfcc} and n_mels={self.n_mels}.")

    def _function(self):
        return partial(
            _features,
            descriptors=tuple(self.descriptors),
            functionals=tuple(self.functionals),
            settings=self._settings(),
        )

    def _settings(self) -> Settings:
        return Settings(
            sr=self.sr, n_fft=self.n_fft, hop_length=self.hop_length, n_mfcc=self.n_mfcc, **spectrum_params(self)
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
