"""Mel spectrograms."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._signal import spectrum
from ..audio import AudioTransformer
from ..utils._docstrings import reading_parameters
from ..utils._frames import FramesMixin
from ..utils._sklearn_compat import Interval, StrOptions

STFT_CONSTRAINTS: dict = {
    "n_fft": [Interval(Integral, 2, None, closed="left")],
    "hop_length": [Interval(Integral, 1, None, closed="left")],
    "win_length": [Interval(Integral, 1, None, closed="left"), None],
    "window": [str, tuple, Real],
    "n_mels": [Interval(Integral, 1, None, closed="left")],
    "fmin": [Interval(Real, 0, None, closed="left")],
    "fmax": [Interval(Real, 0, None, closed="neither"), None],
}


def check_stft(n_fft: int, hop_length: int, win_length: int | None, fmin: float, fmax: float | None, sr: int) -> None:
    """Rules that relate the parameters of a short-time analysis to one another."""
    window = n_fft if win_length is None else win_length
    if window > n_fft:
        raise ValueError(f"win_length must not exceed n_fft. Got win_length={window} and n_fft={n_fft}.")
    if hop_length > window:
        raise ValueError(
            "hop_length must not exceed win_length, or audio between frames is lost. "
            f"Got hop_length={hop_length} and win_length={window}."
        )
    if fmax is not None and fmax > sr / 2:
        raise ValueError(f"fmax must not exceed half the sampling rate. Got fmax={fmax} Hz and sr={sr} Hz.")
    if fmin >= (sr / 2 if fmax is None else fmax):
        raise ValueError(
            f"fmin must lie below fmax. Got fmin={fmin} Hz and fmax={sr / 2 if fmax is None else fmax} Hz."
        )


def spectrum_params(transformer, **mel) -> dict:
    """Return a transformer's parameters as arguments of `spectrum.mel_spectrogram`, and those of its mel filters."""
    t = transformer
    return dict(
        win_length=t.n_fft if t.win_length is None else t.win_length,
        window=t.window,
        mel=dict(sr=t.sr, n_mels=t.n_mels, fmin=t.fmin, fmax=t.sr / 2 if t.fmax is None else t.fmax, **mel),
    )


def _log_mel(waveforms, *, framing, mel, decibels):
    joined = spectrum.join(waveforms, **framing)
    energies = spectrum.mel_spectrogram(joined, **mel)
    return joined.split(energies if decibels is None else spectrum.power_to_db(energies, joined.counts, **decibels))


@reading_parameters("analyzed", why=": how loud a recording is says more about the microphone than about the speaker")
class MelSpectrogramTransformer(FramesMixin, AudioTransformer, auto_wrap_output_keys=None):
    """Log-mel spectrogram of each clip: the power in mel bands, frame by frame, in decibels.

    The definition is librosa's (``librosa.feature.melspectrogram`` and ``power_to_db``), and with the same parameters
    the values are the same to float32 rounding.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import MelSpectrogramTransformer
    >>> clips = [np.sin(0.3 * np.arange(16000)), np.sin(0.3 * np.arange(8000))]
    >>> frames = MelSpectrogramTransformer().fit_transform(clips)
    >>> frames.shape
    (2, 63, 64)
    >>> int(np.isnan(frames[1, :, 0]).sum())
    31

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate, Hz. Arrays are taken to be at this rate; files are resampled to it.
    n_mels : int, default=64
        Mel bands.
    n_fft : int, default=1024
        FFT length, samples; 64 ms at 16 kHz resolves the harmonics of most voices.
    hop_length : int, default=256
        Samples from one frame to the next; 16 ms at 16 kHz.
    win_length : int or None, default=None
        Length of the analysis window, samples, centered in `n_fft`; None takes `n_fft`.
    window : str, tuple or float, default="hann"
        Analysis window, as `scipy.signal.get_window` names it.
    center : bool, default=True
        If True, frame t is centered at sample ``t * hop_length`` (half a window of padding at both ends); else it
        starts there.
    pad_mode : {"constant", "reflect", "edge"}, default="constant"
        Padding at the ends when `center`; "constant" is silence.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency, Hz; None is half of `sr`.
    power : float, default=2.0
        Exponent of the magnitude spectrum, at most 10; 2 is power, 1 magnitude.
    htk : bool, default=False
        HTK's formula of the mel scale instead of Slaney's.
    norm : {"slaney"} or None, default="slaney"
        "slaney" gives each mel filter unit area, None unit height.
    to_db : bool, default=True
        Return decibels instead of the power itself.
    ref : float or "max", default=1.0
        Power at 0 dB; "max" is the loudest value of each clip. Silence lies at the floor under either.
    amin : float, default=1e-10
        Smallest power told from silence; at least 1.2e-38, the least of float32.
    top_db : float or None, default=80.0
        Values are not further than this below the clip's loudest; None sets no such limit.
    n_frames : int or None, default=None
        Frames of every clip: longer clips are cropped, shorter ones padded with NaN. None learns the longest clip's in
        `fit`.
    <reading>

    Attributes
    ----------
    n_frames_ : int
        Frames of every clip.
    """

    _makes_finite = True
    _reads_lazily = True

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        **STFT_CONSTRAINTS,
        "center": ["boolean"],
        "pad_mode": [StrOptions({"constant", "reflect", "edge"})],
        "power": [Interval(Real, 0, 10, closed="right")],  # more than any level leaves within float32
        "htk": ["boolean"],
        "norm": [StrOptions({"slaney"}), None],
        "to_db": ["boolean"],
        "ref": [Interval(Real, 0, None, closed="neither"), StrOptions({"max"})],
        "amin": [Interval(Real, 1.2e-38, None, closed="left")],  # less is 0 in float32
        "top_db": [Interval(Real, 0, None, closed="left"), None],
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        sr=16000,
        n_mels=64,
        *,
        n_fft=1024,
        hop_length=256,
        win_length=None,
        window="hann",
        center=True,
        pad_mode="constant",
        fmin=0.0,
        fmax=None,
        power=2.0,
        htk=False,
        norm="slaney",
        to_db=True,
        ref=1.0,
        amin=1e-10,
        top_db=80.0,
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
        self.n_mels = n_mels
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.center = center
        self.pad_mode = pad_mode
        self.fmin = fmin
        self.fmax = fmax
        self.power = power
        self.htk = htk
        self.norm = norm
        self.to_db = to_db
        self.ref = ref
        self.amin = amin
        self.top_db = top_db
        self.n_frames = n_frames
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X):
        """Compute the mel spectrogram of every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        frames : ndarray of shape (n_clips, n_frames, n_mels), float32
            Decibels, or power with ``to_db=False``; NaN past a clip's end.
        """
        check_is_fitted(self)
        return self._stack(X, (self.n_frames_, self.n_mels))

    def get_feature_names_out(self, input_features=None):
        """Names of the bands: `mel_0`, `mel_1` ..., from low to high.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_mels,), object
        """
        return np.asarray([f"mel_{band}" for band in range(self.n_mels)], dtype=object)

    def _check_params(self):
        super()._check_params()
        check_stft(self.n_fft, self.hop_length, self.win_length, self.fmin, self.fmax, self.sr)

    def _learn(self, n_times):
        self.n_frames_ = self.n_frames or max(
            spectrum.n_frames(n, self.n_fft, self.hop_length, self.center) for n in n_times
        )

    def _function(self):
        return partial(
            _log_mel,
            framing=dict(
                frame_length=self.n_fft, hop_length=self.hop_length, center=self.center, pad_mode=self.pad_mode
            ),
            mel=dict(power=self.power, **spectrum_params(self, htk=self.htk, norm=self.norm)),
            decibels=dict(ref=self.ref, amin=self.amin, top_db=self.top_db) if self.to_db else None,
        )
