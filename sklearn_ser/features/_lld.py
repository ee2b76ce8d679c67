"""Low-level descriptors of clips, frame by frame."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._signal import spectrum
from ..audio import AudioTransformer
from ..utils._docstrings import reading_parameters
from ..utils._frames import FramesMixin
from ..utils._sklearn_compat import Interval
from ._descriptors import DESCRIPTORS, Settings, check_choice, column_names, contours
from ._mel import STFT_CONSTRAINTS, check_stft, spectrum_params


def _frames(waveforms, *, descriptors, settings) -> list[np.ndarray]:
    return [np.concatenate(clip, axis=1) for clip in zip(*contours(waveforms, descriptors, settings), strict=True)]


@reading_parameters("analyzed", why=", so that the level does not tell how loud a recording is")
class LowLevelDescriptors(FramesMixin, AudioTransformer, auto_wrap_output_keys=None):
    """Low-level descriptors of each clip, frame by frame: spectrum, pitch, formants, energy, crossings and cepstrum.

    The default is the descriptors of [1]_, 275 values every 10 ms.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import LowLevelDescriptors
    >>> buzz = np.arange(16000) % 80 / 80 - 0.5  # 80 samples a period: 200 Hz
    >>> extract = LowLevelDescriptors(descriptors=["f0", "energy"])
    >>> frames = extract.fit_transform([buzz, buzz[:8000]])
    >>> frames.shape
    (2, 101, 2)
    >>> frames[0, 50, 0].round().item()
    200.0
    >>> extract.get_feature_names_out().tolist()
    ['f0', 'energy']

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate, Hz. Arrays are taken to be at this rate; files are resampled to it.
    descriptors : sequence of str, default=("fft", "f0", "formants", "energy", "zcr", "mfcc")
        Which, in the order of their columns: `fft` (power in the bins of the FFT, dB), `f0` (fundamental frequency, Hz;
        0 in unvoiced frames), `formants` (F1 to F3, Hz; 0 where there is none, as in silence), `energy` (dB), `zcr`
        (sign changes per sample), `mfcc` (dB), `log_mel` (dB), `f0_semitone`, `hnr`, `jitter`, `spectral_centroid` ...;
        an unknown name is answered with a list of them all.
    n_fft : int, default=512
        FFT length, samples, even; the least power of 2 that holds 20 ms at 16 kHz. Half of it is the number of `fft`
        values.
    hop_length : int, default=160
        Samples from one frame to the next; 10 ms at 16 kHz.
    win_length : int or None, default=320
        Length of the analysis window, samples, centered in `n_fft`; 20 ms at 16 kHz. None takes `n_fft`.
    window : str, tuple or float, default="hann"
        Analysis window, as `scipy.signal.get_window` names it.
    n_mels : int, default=40
        Mel bands, which `mel` returns and `mfcc` sums up.
    n_mfcc : int, default=13
        Cepstral coefficients; at most `n_mels`.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency of the mel bands, Hz; None is half of `sr`.
    f0_min, f0_max : float, default=60.0 and 550.0
        Lowest and highest F0, Hz: from the deepest voices to cries. F0 is measured in windows of three periods of
        `f0_min`, 50 ms by default, centered where the other windows are.
    n_frames : int or None, default=None
        Frames of every clip: longer clips are cropped, shorter ones padded with NaN. None learns the longest clip's in
        `fit`.
    <reading>

    Attributes
    ----------
    n_frames_ : int
        Frames of every clip.

    See Also
    --------
    Functionals : Statistics over the frames of a clip.
    ReferenceScaler : Scale by the frames of one class, as [1]_ does by those of neutral speech.

    Notes
    -----
    Reference [1]_ names its descriptors and the 20 ms window every 10 ms, and says no more. It counts 256 values of the
    FFT, which an FFT of 512 samples has below half the sampling rate (one of 256 would not hold 20 ms at 16 kHz). The
    number of formants, the decibels, and what stands for no F0 are decided here.

    A formant is drawn to the nearest harmonic of the voice, as with any linear prediction: F1 is worth less the higher
    F0.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    """

    _makes_finite = True
    _reads_lazily = True

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        **STFT_CONSTRAINTS,
        "descriptors": ["array-like"],
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "f0_min": [Interval(Real, 0, None, closed="neither")],
        "f0_max": [Interval(Real, 0, None, closed="neither")],
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        sr=16000,
        descriptors=("fft", "f0", "formants", "energy", "zcr", "mfcc"),
        *,
        n_fft=512,
        hop_length=160,
        win_length=320,
        window="hann",
        n_mels=40,
        n_mfcc=13,
        fmin=0.0,
        fmax=None,
        f0_min=60.0,
        f0_max=550.0,
        n_frames=None,
        offset=0.0,
        duration=None,
        normalize="rms",
        channel="mean",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.sr = sr
        self.descriptors = descriptors
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.n_mels = n_mels
        self.n_mfcc = n_mfcc
        self.fmin = fmin
        self.fmax = fmax
        self.f0_min = f0_min
        self.f0_max = f0_max
        self.n_frames = n_frames
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X):
        """Compute the descriptors of every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        frames : ndarray of shape (n_clips, n_frames, n_values), float32
            NaN past a clip's end; the values are named by `get_feature_names_out`.
        """
        check_is_fitted(self)
        return self._stack(X, (self.n_frames_, len(self.get_feature_names_out())))

    def get_feature_names_out(self, input_features=None):
        """Names of a frame's values: `fft_0`, `f0`, `formant_1`, `energy`, `zcr`, `mfcc_0` ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_values,), object
        """
        self._check_params()
        settings = self._settings()
        return np.asarray([name for d in self.descriptors for name in column_names(d, settings)], dtype=object)

    def _check_params(self):
        super()._check_params()
        check_choice("descriptors", self.descriptors, DESCRIPTORS)
        check_stft(self.n_fft, self.hop_length, self.win_length, self.fmin, self.fmax, self.sr)
        if self.n_fft % 2:
            raise ValueError(f"n_fft must be even. Got n_fft={self.n_fft}.")
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc must not exceed n_mels. Got n_mfcc={self.n_mfcc} and n_mels={self.n_mels}.")
        if not 1.2 * self.f0_min <= self.f0_max <= self.sr / 4:
            raise ValueError(
                "f0_max must be at least 1.2 times f0_min, and must not exceed a quarter of the sampling rate. "
                f"Got f0_min={self.f0_min} Hz, f0_max={self.f0_max} Hz and sr={self.sr} Hz."
            )

    def _learn(self, n_times):
        self.n_frames_ = self.n_frames or max(spectrum.n_frames(n, self.n_fft, self.hop_length) for n in n_times)

    def _settings(self) -> Settings:
        return Settings(
            sr=self.sr,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            n_mfcc=self.n_mfcc,
            f0_min=self.f0_min,
            f0_max=self.f0_max,
            **spectrum_params(self),
        )

    def _function(self):
        return partial(_frames, descriptors=tuple(self.descriptors), settings=self._settings())
