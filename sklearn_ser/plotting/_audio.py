"""Displays of a clip: its mel spectrogram, and a classifier's attention over its waveform."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..audio import load_waveform
from ..audio._input import as_clips, is_single_clip
from ..features import MelSpectrogramTransformer
from ..utils._colors import GREY, ORANGE
from ..utils._messages import short
from ..utils._sklearn_compat import check_matplotlib_support

_LEAST = 1e-8  # of the largest linear value, where colors end
_HERTZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)


class MelSpectrogramDisplay:
    """Mel spectrogram of a clip: time to the right, frequency upwards.

    Colors of linear values, such as power, are logarithmic, down to a hundred-millionth of the largest (80 dB of
    power).

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sklearn_ser import MelSpectrogramDisplay, MelSpectrogramTransformer
    >>> display = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(), np.sin(0.3 * np.arange(16000)))
    >>> display.im_.get_array().shape
    (64, 63)

    Parameters
    ----------
    spectrogram : array-like of shape (n_frames, n_mels)
    frequencies : array-like of shape (n_mels,)
        Centers of the bands, Hz.
    hop_duration : float
        Seconds from one frame to the next.
    offset : float, default=0.0
        Seconds at which the first frame lies.
    unit : str, default="dB"
        Unit of the values; "dB ..." is drawn as it is, and all else on a logarithmic scale.
    fmax : float or None, default=None
        Upper edge of the highest band, Hz, which is written at the axis; None writes the center of that band.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
    im_ : matplotlib.image.AxesImage

    See Also
    --------
    MelSpectrogramTransformer : Computes it.
    """

    def __init__(self, spectrogram, frequencies, *, hop_duration, offset=0.0, unit="dB", fmax=None):
        self.spectrogram = spectrogram
        self.frequencies = frequencies
        self.hop_duration = hop_duration
        self.offset = offset
        self.unit = unit
        self.fmax = fmax

    @classmethod
    def from_estimator(cls, estimator, clip, *, ax=None, cmap="magma"):
        """Draw the mel spectrogram that a transformer makes of a clip.

        Parameters
        ----------
        estimator : MelSpectrogramTransformer
            Or a Pipeline that begins with one. Fitted, it crops the clip as it would others; unfitted, it shows all
            of it.
        clip : str, PathLike, 1-D array or audio input of one clip
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        cmap : str or matplotlib.colors.Colormap, default="magma"
            Brighter is louder; the default is safe for the color-blind.

        Returns
        -------
        display : MelSpectrogramDisplay

        Raises
        ------
        TypeError
            If `estimator` does not begin with a MelSpectrogramTransformer.
        ValueError
            If `clip` is more than one clip, or cannot be read.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        mel = estimator[0] if isinstance(estimator, Pipeline) else estimator
        if not isinstance(mel, MelSpectrogramTransformer):
            raise TypeError(
                "estimator must be a MelSpectrogramTransformer, or a Pipeline that begins with one. "
                f"Got {type(mel).__name__}."
            )
        try:
            check_is_fitted(mel)
        except NotFittedError:
            mel = clone(mel).fit(_one_clip(clip))
        frames = mel.transform(_one_clip(clip))[0]
        frequencies = band_edges(mel)
        return cls(
            frames[~np.isnan(frames[:, 0])],
            frequencies[1:-1],
            hop_duration=mel.hop_length / mel.sr,
            offset=mel.offset,
            unit=_unit(mel),
            fmax=frequencies[-1],
        ).plot(ax=ax, cmap=cmap)

    def plot(self, *, ax=None, cmap="magma"):
        """Draw the spectrogram.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        cmap : str or matplotlib.colors.Colormap, default="magma"

        Returns
        -------
        display : MelSpectrogramDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
        spectrogram, frequencies = np.asarray(self.spectrogram), np.asarray(self.frequencies)
        n_frames, n_mels = spectrogram.shape
        self.im_ = ax.imshow(
            spectrogram.T,
            extent=(self.offset, self.offset + n_frames * self.hop_duration, -0.5, n_mels - 0.5),
            origin="lower",
            aspect="auto",
            cmap=cmap,
            interpolation="nearest",
            norm=None if self.unit.startswith("dB") else _logarithmic(spectrogram),
        )
        edge = (frequencies[-1], n_mels - 1) if self.fmax is None else (self.fmax, n_mels - 0.5)
        shown = [hertz for hertz in _HERTZ if frequencies[0] <= hertz <= frequencies[-1] and hertz < edge[0]]
        places = np.append(np.interp(shown, frequencies, np.arange(n_mels)), edge[1])
        above = np.append(places[1:], np.inf)
        apart = above - places > 0.06 * n_mels  # low octaves lie close together on the mel scale
        ax.set_yticks(places[apart], [f"{hertz:.0f}" for hertz in np.append(shown, edge[0])[apart]])
        ax.set(xlabel="time (s)", ylabel="frequency (Hz)")
        ax.figure.colorbar(self.im_, ax=ax, pad=0.015).set_label(self.unit)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class AttentionDisplay:
    """The waveform of a clip, and how much attention a classifier pays to each part of it.

    Attention is drawn in multiples of its mean: 1 is what every frame would get if all counted the same. Parts
    that the classifier did not see, because frames are cropped to those that it was fitted to, are shaded.

    Read more in the guide: :doc:`networks </guide/networks>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sklearn_ser import AttentionDisplay
    >>> display = AttentionDisplay(np.sin(0.3 * np.arange(16000)), [0.1, 0.9], [0.0, 0.5, 1.0]).plot()
    >>> display.attention_ax_.patches[0].get_data().values
    array([0.2, 1.8])

    Parameters
    ----------
    waveform : array-like of shape (n_times,)
    weights : array-like of shape (n_frames,)
        Attention of each frame.
    edges : array-like of shape (n_frames + 1,)
        Where frames begin and end, seconds.
    sr : int, default=16000
        Sampling rate of the waveform, Hz.
    offset : float, default=0.0
        Seconds at which the waveform begins.
    title : str, default=""
    seen : tuple of two floats or None, default=None
        Beginning and end of what the classifier saw, seconds; None takes those of `edges`.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes
        With the waveform.
    attention_ax_ : matplotlib.axes.Axes
        Over it, with the attention.

    See Also
    --------
    AttentionBLSTMClassifier.attention_weights : The weights themselves.
    """

    def __init__(self, waveform, weights, edges, *, sr=16000, offset=0.0, title="", seen=None):
        self.waveform = waveform
        self.weights = weights
        self.edges = edges
        self.sr = sr
        self.offset = offset
        self.title = title
        self.seen = seen

    @classmethod
    def from_estimator(cls, estimator, clip, *, ax=None):
        """Draw what a fitted classifier attends to in a clip, and what it recognizes.

        Parameters
        ----------
        estimator : Pipeline
            Fitted, from audio input to a classifier with `attention_weights`, such as `AttentionBLSTMClassifier`.
        clip : str, PathLike, 1-D array or audio input of one clip
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : AttentionDisplay

        Raises
        ------
        TypeError
            If `estimator` is no Pipeline, or its classifier has no attention.
        ValueError
            If `clip` is more than one clip, or cannot be read.

        Notes
        -----
        The time of a frame follows from the `hop_length` of the transformer that reads the audio (or the chunks of
        `WaveformChunker`) and the `pool_size` of transformers after it. Where frames come from elsewhere, they are
        taken to fill the clip evenly.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if not isinstance(estimator, Pipeline) or not hasattr(estimator[-1], "attention_weights"):
            raise TypeError(
                "estimator must be a Pipeline from audio to a classifier with attention_weights, such as "
                f"AttentionBLSTMClassifier. Got {short(estimator)}."
            )
        X = _one_clip(clip)
        frames = estimator[:-1].transform(X)
        if np.ndim(frames) != 3:
            raise ValueError(
                f"The classifier must be given frames (n_clips, n_frames, n_features). Got {np.shape(frames)}."
            )
        real = ~np.isnan(frames[0, :, 0])
        weights = estimator[-1].attention_weights(frames)[0, real]
        first, *later = [_params(step) for _, step in estimator.steps[:-1] if hasattr(step, "get_params")]
        sr, offset = first.get("sr", 16000), first.get("offset", 0.0)
        waveform = load_waveform(
            as_clips(X)[0], sr, offset=offset, duration=first.get("duration"), channel=first.get("channel", "mean")
        )
        probability = estimator[-1].predict_proba(frames)[0]
        best = probability.argmax()
        edges = offset + _frame_edges(first, later, len(weights), len(waveform) / sr)
        end = offset + len(waveform) / sr
        # The last frame hears as far as its window reaches, and a rest may be too short for one more.
        window = (first.get("win_length") or first.get("n_fft") or 0) / sr
        step = max(np.diff(edges).max(), window, first.get("chunk_duration", 0.0))
        return cls(
            waveform,
            weights,
            edges,
            seen=(offset, end if end - edges[-1] <= step else edges[-1]),
            sr=sr,
            offset=offset,
            title=f"recognized: {estimator[-1].classes_[best]} ({probability[best]:.0%})",
        ).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw waveform and attention.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        display : AttentionDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(8, 3), layout="constrained")
        weights = np.asarray(self.weights)
        low, high, times = self._envelope()
        ax.fill_between(times, low, high, color=GREY, alpha=0.7, linewidth=0.3)
        largest = max(np.abs([low, high]).max(), np.finfo(np.float32).tiny)
        end = max(self.offset + len(self.waveform) / self.sr, self.edges[-1])
        ax.set(
            xlabel="time (s)",
            yticks=[],
            ylim=(-1.1 * largest, 1.1 * largest),
            xlim=(self.offset, end),
            title=self.title,
        )
        ax.set_ylabel("waveform")
        begin, stop = (self.edges[0], self.edges[-1]) if self.seen is None else self.seen
        hidden = [(a, b) for a, b in ((self.offset, begin), (stop, end)) if b - a > 1e-6]
        for k, span in enumerate(hidden):
            label = None if k else "not seen by the classifier"
            ax.axvspan(*span, color=GREY, alpha=0.35, linewidth=0, hatch="//", label=label)
        if hidden:
            ax.legend(loc="lower right", fontsize="small")
        above = ax.twinx()
        relative = weights / weights.mean()
        above.stairs(relative, self.edges, color=ORANGE, linewidth=1.5, baseline=None)
        above.axhline(1, color=ORANGE, linewidth=0.8, linestyle=":")
        above.set(ylim=(0, max(1.1 * relative.max(), 2)))
        above.set_ylabel("attention / its mean", color=ORANGE)
        above.tick_params(axis="y", colors=ORANGE)
        for axes in (ax, above):
            axes.spines[["top"]].set_visible(False)
        self.ax_, self.attention_ax_, self.figure_ = ax, above, ax.figure
        return self

    def _envelope(self, n_columns=1500):
        """Least and greatest value in each of some columns, and their times: hours draw as fast as seconds."""
        waveform = np.asarray(self.waveform)
        starts = np.unique(np.linspace(0, len(waveform), n_columns, endpoint=False).astype(int))
        low, high = np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)
        edges = np.append(starts, len(waveform)) / self.sr + self.offset
        return low, high, (edges[:-1] + edges[1:]) / 2


def band_edges(mel) -> np.ndarray:
    """Lower edge of the lowest band of a MelSpectrogramTransformer, centers of all bands, upper edge, Hz."""
    import librosa

    fmax = mel.sr / 2 if mel.fmax is None else mel.fmax
    return librosa.mel_frequencies(mel.n_mels + 2, fmin=mel.fmin, fmax=fmax, htk=mel.htk)


def _unit(mel) -> str:
    """Return the unit of a MelSpectrogramTransformer's output, with what 0 dB is."""
    quantity = "power" if mel.power == 2 else "magnitude" if mel.power == 1 else f"magnitude ** {mel.power:g}"
    if not mel.to_db:
        return quantity
    zero = "the loudest of the clip" if mel.ref == "max" else f"{quantity} of {mel.ref:g}"
    return f"dB (0 dB: {zero})"


def _logarithmic(values):
    """Colors by the logarithm; None where nothing is above zero."""
    from matplotlib.colors import LogNorm

    largest = np.max(values, initial=0.0)
    return LogNorm(largest * _LEAST, largest, clip=True) if largest > 0 else None


def _one_clip(clip):
    """Audio input of one clip."""
    many = hasattr(clip, "columns") or (isinstance(clip, (list, tuple)) and not np.isscalar(clip[0]))
    X = [clip] if is_single_clip(clip) or not many and np.ndim(clip) != 2 else clip
    if len(as_clips(X)) != 1:
        raise ValueError(f"clip must be a single clip: a path or a waveform. Got {len(as_clips(X))} clips.")
    return X


def _params(step) -> dict:
    """A step's parameters and those of what is inside it, by their last names; its own go before."""
    params = sorted(step.get_params().items(), key=lambda item: -item[0].count("__"))
    return {name.rpartition("__")[2]: value for name, value in params}


def _frame_edges(first, later, n_frames, duration) -> np.ndarray:
    """Return the boundaries of frames, in seconds from the beginning of what is read."""
    if "hop_length" in first:
        hop = first["hop_length"] / first["sr"]
        start = -hop / 2 if first.get("center", True) else 0.0  # a centered frame lies around its time
    elif "chunk_duration" in first:
        hop, start = first["chunk_duration"] * (1 - first["overlap"]), 0.0
    else:
        return np.linspace(0, duration, n_frames + 1)
    pooled = np.prod([params.get("pool_size", 1) for params in later])
    return np.clip(start + hop * pooled * np.arange(n_frames + 1), 0, duration)
