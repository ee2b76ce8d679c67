"""Linear prediction from power spectra, and the formants it shows; vectorised over frames."""

from __future__ import annotations

import numpy as np
import scipy.fft

_TOP = 5500.0  # Hz; speech has a formant every 1000 to 1100 Hz, so that here lie five
_EMPHASIS = 100.0  # Hz above which the spectrum is raised by 6 dB an octave, against the voice's fall
_LOWEST = 90.0  # Hz; no vowel has a formant below
_RADIUS = 0.95  # of the circle on which peaks are looked for
_N_FFT = 256


def levinson(autocorrelation: np.ndarray) -> np.ndarray:
    """Prediction-error filters of autocorrelations, (order + 1, n_frames) -> (order + 1, n_frames).

    The Levinson-Durbin recursion; a loop over the order alone.
    """
    error = autocorrelation[0].copy()
    filters = np.zeros_like(autocorrelation)
    filters[0] = 1
    for i in range(1, len(filters)):
        reflection = -np.einsum("ij,ij->j", filters[:i], autocorrelation[i:0:-1]) / error
        filters[1 : i + 1] += reflection * filters[:i][::-1].copy()
        error *= 1 - reflection**2
    return filters


def formants(spectra: np.ndarray, *, spacing: float, n_formants: int = 3) -> np.ndarray:
    """Frequencies of the lowest resonances of the vocal tract, Hz, (n_frames, n_formants) float32; 0 where missing.

    Parameters
    ----------
    spectra : ndarray of shape (n_frames, n_bins)
        Power spectra from 0 Hz on; at least up to 5500 Hz, or to half the sampling rate if that is less.
    spacing : float
        From one bin to the next, Hz.

    Notes
    -----
    Linear prediction of the band below 5500 Hz alone, from the part of the power spectrum that lies there [1]_, so that
    nothing is resampled. Resonances are peaks of the predictor's spectrum on a circle inside the unit circle [2]_,
    where those that merge on the unit circle stand apart.

    References
    ----------
    .. [1] Makhoul, "Spectral linear prediction: properties and applications", IEEE Trans. ASSP 23(3), 1975.
    .. [2] McCandless, "An algorithm for automatic formant extraction using linear prediction spectra", IEEE Trans. ASSP
       22(2), 1974.
    """
    n_bins = min(spectra.shape[1], int(_TOP / spacing) + 1)
    top = (n_bins - 1) * spacing
    order = min(
        2 + 2 * round(top / 1100), 2 * (n_bins - 1) - 1
    )  # two poles a formant, and two for the voice's own slope
    raised = spectra[:, :n_bins] * (1 + (np.arange(n_bins) * spacing / _EMPHASIS) ** 2).astype(np.float32)
    autocorrelation = np.ascontiguousarray(scipy.fft.irfft(raised, axis=1)[:, : order + 1].T)
    autocorrelation /= np.where(autocorrelation[0] > 0, autocorrelation[0], 1)
    autocorrelation[0] = (
        1 + 1e-6
    )  # white noise, 60 dB down, keeps the recursion stable in float32; silence becomes white
    filters = levinson(autocorrelation) * (_RADIUS ** -np.arange(order + 1.0, dtype=np.float32))[:, np.newaxis]
    inverse = scipy.fft.rfft(filters.T, _N_FFT, axis=1)
    inverse = inverse.real**2 + inverse.imag**2
    before, at, after = inverse[:, :-2], inverse[:, 1:-1], inverse[:, 2:]
    peak = (at < before) & (at <= after)
    peak[:, : int(_LOWEST * _N_FFT / (2 * top))] = False
    rows = np.arange(len(spectra))
    found = np.zeros((len(spectra), n_formants), dtype=np.float32)
    for k in range(n_formants):
        i = peak.argmax(axis=1)
        a, b, c = (np.log(np.maximum(values[rows, i], np.float32(1e-20))) for values in (before, at, after))
        position = i + 1 + 0.5 * (a - c) / np.maximum(a + c - 2 * b, np.float32(1e-9))
        found[:, k] = np.where(peak[rows, i], position * (2 * top / _N_FFT), 0)
        peak[rows, i] = False
    return found
