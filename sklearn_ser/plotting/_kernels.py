"""KernelDisplay: convolution kernels learned by an auto-encoder."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..features import MelSpectrogramTransformer, SparseAutoencoderFeatures
from ..utils._messages import short
from ..utils._sklearn_compat import check_matplotlib_support
from ._audio import band_edges


def _to_spectrum(kernels: np.ndarray, components) -> np.ndarray:
    """Kernels over components as kernels over what the components were made of."""
    if not hasattr(components, "inverse_transform"):
        components = np.asarray(components)
        if components.ndim != 2 or len(components) != kernels.shape[-1]:
            raise ValueError(
                "components must be a fitted transformer with inverse_transform, or an array of shape (n_values, "
                f"n_bins) with the kernels' {kernels.shape[-1]} values. Got an array of shape {components.shape}."
            )
        return kernels @ components
    flat = kernels.reshape(-1, kernels.shape[-1])
    spectra = components.inverse_transform(flat) - components.inverse_transform(np.zeros_like(flat[:1]))
    return spectra.reshape(*kernels.shape[:-1], -1)


class KernelDisplay:
    """Convolution kernels as a grid of small images, time from left to right: one row for each length of kernel.

    Red is where a kernel wants more than the mean, blue where it wants less. Each kernel is drawn in fractions of its
    own largest weight.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sklearn_ser import KernelDisplay, SparseAutoencoderFeatures
    >>> frames = np.random.default_rng(0).normal(size=(20, 50, 8))
    >>> display = KernelDisplay.from_estimator(SparseAutoencoderFeatures(n_kernels=4).fit(frames))
    >>> len(display.ax_.images)
    12

    Parameters
    ----------
    kernels : list of ndarray of shape (n_kernels, kernel_length, n_values)
    feature_names : sequence of str or None, default=None
        Names of the values; the first and the last are written at the axis. None numbers them.
    frequencies : array-like of shape (n_values,) or None, default=None
        Centers of the bands that the values are of, Hz, written in place of names.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    ax_ : matplotlib.axes.Axes

    See Also
    --------
    SparseAutoencoderFeatures : Learns the kernels.
    """

    def __init__(self, kernels, *, feature_names=None, frequencies=None):
        self.kernels = kernels
        self.feature_names = feature_names
        self.frequencies = frequencies

    @classmethod
    def from_estimator(cls, estimator, *, components=None, feature_names=None, max_kernels=20, ax=None, cmap="RdBu_r"):
        """Draw the kernels of a fitted `SparseAutoencoderFeatures`.

        Parameters
        ----------
        estimator : SparseAutoencoderFeatures
            Fitted; or a fitted Pipeline with one among its steps. If the pipeline begins with a
            `MelSpectrogramTransformer`, and kernels are drawn over its bands, the axis is in Hz.
        components : fitted transformer, array-like of shape (n_values, n_bins) or None, default=None
            If the kernels were learned on components, how to draw them over the spectrum: the transformer that made the
            components, such as the `transformer_` of a ``FrameWise(PCA(60))``, or what one unit of each component is in
            the spectrum. None draws the kernels as they are.
        feature_names : sequence of str or None, default=None
            Names of what is drawn along the vertical axis.
        max_kernels : int, default=20
            Kernels of each length to draw, from the first.
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        cmap : str or matplotlib.colors.Colormap, default="RdBu_r"
            A diverging colormap; the default is safe for the color-blind.

        Returns
        -------
        display : KernelDisplay

        Raises
        ------
        ValueError
            If no step learns kernels, or `components` or `feature_names` do not fit them.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        mel = estimator[0] if isinstance(estimator, Pipeline) else None
        if isinstance(estimator, Pipeline):
            steps = [step for _, step in estimator.steps if isinstance(step, SparseAutoencoderFeatures)]
            if not steps:
                raise ValueError(
                    "estimator must be a SparseAutoencoderFeatures or a Pipeline with one among its steps. "
                    f"Got a Pipeline of the steps {short(list(estimator.named_steps))}."
                )
            estimator = steps[0]
        check_is_fitted(estimator, "kernels_")
        kernels = [kernels[:max_kernels] for kernels in estimator.kernels_]
        if components is not None:
            kernels = [_to_spectrum(k, components) for k in kernels]
        frequencies = None
        if isinstance(mel, MelSpectrogramTransformer) and feature_names is None:
            centres = band_edges(mel)[1:-1]
            frequencies = centres if len(centres) == kernels[0].shape[-1] else None
        return cls(kernels, feature_names=feature_names, frequencies=frequencies).plot(ax=ax, cmap=cmap)

    def plot(self, *, ax=None, cmap="RdBu_r"):
        """Draw the kernels.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            None makes a figure.
        cmap : str or matplotlib.colors.Colormap, default="RdBu_r"

        Returns
        -------
        display : KernelDisplay
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        n_values = self.kernels[0].shape[-1]
        names = np.arange(n_values) if self.feature_names is None else self.feature_names
        if self.frequencies is not None and self.feature_names is None:
            names = [f"{hertz:.0f} Hz" for hertz in self.frequencies]
        if len(names) != n_values:
            raise ValueError(f"feature_names must name the {n_values} values that are drawn. Got {len(names)} names.")
        n_columns, n_rows = max(map(len, self.kernels)), len(self.kernels)
        if ax is None:
            _, ax = plt.subplots(figsize=(1.5 + 0.45 * n_columns, 0.8 + 1.5 * n_rows), layout="constrained")
        ticks, labels = [], []
        for row, kernels in enumerate(self.kernels):
            bottom = 1.25 * (n_rows - 1 - row)
            for column, kernel in enumerate(kernels):
                image = ax.imshow(
                    kernel.T / (np.abs(kernel).max() or 1.0),
                    extent=(1.2 * column, 1.2 * column + 1, bottom, bottom + 1),
                    origin="lower",
                    cmap=cmap,
                    vmin=-1,
                    vmax=1,
                    interpolation="nearest",
                )
                ax.text(1.2 * column + 0.5, bottom + 1.03, str(column), ha="center", va="bottom", size="xx-small")
            ticks += [bottom, bottom + 0.5, bottom + 1]
            length = kernels.shape[1]
            labels += [names[0], f"{length} frame{'s' * (length > 1)}", names[-1]]
        ax.set(
            xlim=(-0.2, 1.2 * n_columns),
            ylim=(-0.1, 1.25 * n_rows),
            aspect="auto",
            xticks=[],
            yticks=ticks,
            yticklabels=labels,
            xlabel="kernel (inside each: time, from left to right)",
        )
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        bar = ax.figure.colorbar(image, ax=ax, shrink=0.5, aspect=25, pad=0.01, ticks=[-1, 0, 1])
        bar.set_label("weight / kernel's largest")
        self.ax_, self.figure_ = ax, ax.figure
        return self
