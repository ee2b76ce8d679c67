"""Local features learned without labels: convolution with the kernels of sparse auto-encoders."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, kl_div, logit
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..utils._frames import FramesMixin, validate_frames
from ..utils._messages import short
from ..utils._processes import one_blas_thread
from ..utils._sklearn_compat import Interval, _check_feature_names_in
from ..utils._versions import VersionedMixin


def _loss(encoder, patches, n_kernels, sparsity, sparsity_weight, weight_decay):
    """Loss of a sparse auto-encoder with the best decoder, and its gradient with respect to the encoder.

    The decoder is linear, so the best one is a ridge regression of the patches on the hidden units. That leaves only
    the encoder to be searched, in far fewer iterations; and at the decoder's optimum the gradient is what it is with
    the decoder held fixed (envelope theorem).

    Parameters
    ----------
    encoder : ndarray of shape (n_kernels * n_inputs + n_kernels,)
        The kernels one after the other, then their biases.
    patches : ndarray of shape (n_patches, n_inputs)
        Every input has mean 0, and all together mean square 1.
    n_kernels : int
    sparsity, sparsity_weight, weight_decay : float

    Returns
    -------
    loss : float
    gradient : ndarray of the shape of `encoder`, float64
    """
    n_patches, n_inputs = patches.shape
    encoder = encoder.astype(patches.dtype)
    kernels, biases = encoder[:-n_kernels].reshape(n_kernels, n_inputs), encoder[-n_kernels:]
    hidden = expit(patches @ kernels.T + biases)
    slope = hidden * (1 - hidden)
    mean = hidden.mean(axis=0)
    hidden -= mean

    explained = (hidden.T @ patches / n_patches).astype(np.float64)
    ridge = (hidden.T @ hidden / n_patches).astype(np.float64) + weight_decay * np.eye(n_kernels)
    decoder = np.linalg.solve(ridge, explained)
    mean = np.clip(mean.astype(np.float64), 1e-9, 1 - 1e-9)
    loss = (
        1 - np.vdot(decoder, explained) / n_inputs  # squared error and decay of the decoder, at their least
        + weight_decay * np.vdot(kernels, kernels) / n_inputs
        + sparsity_weight * np.mean(kl_div(sparsity, mean) + kl_div(1 - sparsity, 1 - mean))
    )  # fmt: skip

    pull = sparsity_weight / n_kernels * ((1 - sparsity) / (1 - mean) - sparsity / mean)
    decoder = decoder.astype(patches.dtype)
    delta = (hidden @ (decoder @ decoder.T) - patches @ decoder.T) * (2 / n_inputs)
    delta = (delta + pull.astype(patches.dtype)) * slope / n_patches
    gradient = delta.T @ patches + (2 * weight_decay / n_inputs) * kernels
    return float(loss), np.append(gradient, delta.sum(axis=0)).astype(np.float64)


def _seen(time: np.ndarray, kernel_length: int, n_frames) -> np.ndarray:
    """Frames under a kernel centered at each time, (n_times, kernel_length); a clip's first and last are repeated."""
    return np.clip(time[:, np.newaxis] + np.arange(kernel_length) - (kernel_length - 1) // 2, 0, n_frames - 1)


class SparseAutoencoderFeatures(
    FramesMixin, TransformerMixin, VersionedMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Activations of patterns learned without labels, for each stretch of a clip: frames of values in (0, 1).

    For each kernel length, a sparse auto-encoder learns to rebuild random patches, some frames long, from few active
    hidden units [1]_. The weights of a unit are a kernel; clips are convolved with all kernels, passed through the
    sigmoid and averaged over windows of `pool_size` frames.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import SparseAutoencoderFeatures
    >>> frames = np.random.default_rng(0).normal(size=(20, 50, 8))
    >>> features = SparseAutoencoderFeatures(n_kernels=4, random_state=0).fit(frames)
    >>> features.transform(frames).shape
    (20, 5, 12)
    >>> [kernels.shape for kernels in features.kernels_]
    [(4, 3, 8), (4, 6, 8), (4, 10, 8)]

    Parameters
    ----------
    kernel_lengths : sequence of int, default=(3, 6, 10)
        Lengths of the kernels, frames; one auto-encoder is trained for each. The default is that of [1]_.
    n_kernels : int, default=60
        Kernels of each length; 180 in all, as in [1]_.
    pool_size : int, default=10
        Frames that are averaged into one.
    sparsity : float, default=0.05
        Fraction of the patches for which a unit is to be active: its mean activation.
    sparsity_weight : float, default=1.0
        Weight of the divergence (Kullback-Leibler, mean over the units) of mean activations from `sparsity`. The
        reconstruction error that it stands against is a fraction of the variance of the patches, whatever their unit.
    weight_decay : float, default=0.01
        Weight of the squared weights of encoder and decoder, per value of a patch. The larger, the more do units switch
        on and off instead of working in the middle, linear part of the sigmoid, where they do no more than a PCA.
    n_patches : int, default=10000
        Patches to train on, at most; for each kernel length.
    train_fraction : float, default=1/3
        Fraction of the clips, drawn at random, that patches are taken from. The default is that of [1]_.
    max_iter : int, default=100
        Iterations of L-BFGS for each auto-encoder.
    tol : float, default=1e-5
        Training ends when an iteration reduces the loss by less than this; before training, the loss is about 1.
    random_state : int, RandomState instance or None, default=None
        Draws the clips, the patches and the initial weights.
    verbose : int, default=0
        Above 0, show a progress bar.

    Attributes
    ----------
    kernels_ : list of ndarray of shape (n_kernels, kernel_length, n_features), float32
        The kernels of each length, in units of activation before the sigmoid per unit of input.
    biases_ : list of ndarray of shape (n_kernels,), float32
        The biases of their hidden units.
    mean_activations_ : list of ndarray of shape (n_kernels,)
        Mean activation of each hidden unit over the patches it was trained on; the larger `sparsity_weight`, the
        nearer to `sparsity`.
    n_iter_ : int
        Iterations of the longest training.
    n_features_in_ : int
        Values of a frame.

    See Also
    --------
    sklearn_ser.plotting.KernelDisplay : Draws the kernels.

    Notes
    -----
    The training is indifferent to an offset and a common scale of the input, but values of large variance govern what
    is learned. [1]_ reduces every frame of the spectrogram to 60 principal components first:
    ``FrameWise(StandardScaler()), FrameWise(PCA(60))``. Leave the components unwhitened, or noise becomes as important
    as speech: with means and deviations over each clip and an SVM, the unweighted average recall on unseen speakers of
    EMO-DB was 0.67 so, 0.54 with whitening, and 0.51 with the components themselves.

    Activations are small and positive, their means not far from `sparsity`: before a network, standardize them with a
    ``FrameWise(StandardScaler())``.

    Where this departs from [1]_:

    - The decoder is linear, not a sigmoid, because components are not confined to (0, 1); the best one for given hidden
      units is then known in closed form.
    - Weights decay, without which a linear decoder would undo the sparsity; the paper names no such term. Nor does
      it give `sparsity`, its weight or the size of the windows: they were chosen on EMO-DB.
    - The convolution has as many steps as the clip has frames. At the ends of a clip, its first and last frame are
      repeated, in training, too, so that a clip may be shorter than a kernel.
    - Means over windows are returned as they are. The paper takes mean and variance of them, and does not say over
      what.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    """

    _parameter_constraints: dict = {
        "kernel_lengths": ["array-like"],
        "n_kernels": [Interval(Integral, 1, None, closed="left")],
        "pool_size": [Interval(Integral, 1, None, closed="left")],
        "sparsity": [Interval(Real, 0, 1, closed="neither")],
        "sparsity_weight": [Interval(Real, 0, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="neither")],
        "n_patches": [Interval(Integral, 1, None, closed="left")],
        "train_fraction": [Interval(Real, 0, 1, closed="right")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        kernel_lengths=(3, 6, 10),
        n_kernels=60,
        *,
        pool_size=10,
        sparsity=0.05,
        sparsity_weight=1.0,
        weight_decay=0.01,
        n_patches=10000,
        train_fraction=1 / 3,
        max_iter=100,
        tol=1e-5,
        random_state=None,
        verbose=0,
    ):
        self.kernel_lengths = kernel_lengths
        self.n_kernels = n_kernels
        self.pool_size = pool_size
        self.sparsity = sparsity
        self.sparsity_weight = sparsity_weight
        self.weight_decay = weight_decay
        self.n_patches = n_patches
        self.train_fraction = train_fraction
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Learn the kernels.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Frames past a clip's end are all NaN. Features are clips of one frame.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `kernel_lengths` are not different positive integers, if NaN stands anywhere but in whole frames past a
            clip's end, or if a value is infinite.
        """
        from tqdm.auto import tqdm

        self._validate_params()
        kernel_lengths = list(self.kernel_lengths)
        if not (
            kernel_lengths
            and all(isinstance(length, Integral) and length > 0 for length in kernel_lengths)
            and len(set(kernel_lengths)) == len(kernel_lengths)
        ):
            raise ValueError(
                "kernel_lengths must be different positive integers, the kernels' lengths in frames. "
                f"Got kernel_lengths={short(self.kernel_lengths)}."
            )
        X, lengths = validate_frames(self, X, reset=True)
        if lengths is None:
            X, lengths = X[:, np.newaxis], np.ones(len(X), dtype=int)
        rng = check_random_state(self.random_state)
        n_clips = max(1, round(self.train_fraction * len(X)))
        clips = np.sort(rng.permutation(len(X))[:n_clips])
        X, lengths = X[clips], lengths[clips]
        self.kernels_, self.biases_, self.mean_activations_, self.n_iter_ = [], [], [], 0
        with tqdm(
            desc=type(self).__name__,
            total=len(kernel_lengths) * self.max_iter,
            unit="iteration",
            disable=not self.verbose,
        ) as bar:
            for number, kernel_length in enumerate(kernel_lengths, start=1):
                self._learn(self._draw_patches(X, lengths, kernel_length, rng), kernel_length, rng, bar)
                bar.update(number * self.max_iter - bar.n)  # it may have ended early
        return self

    def transform(self, X):
        """Convolve the clips with the kernels.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)

        Returns
        -------
        frames : ndarray of shape (n_clips, ceil(n_frames / pool_size), n_kernels of all lengths), float32
            Activations in (0, 1); NaN past a clip's end. Features give an array of shape (n_clips, n_kernels of
            all lengths).
        """
        check_is_fitted(self)
        X, lengths = validate_frames(self, X, reset=False)
        if lengths is None:
            return np.concatenate([self._convolve(frame) for frame in X[:, np.newaxis]])
        n_steps = -(-X.shape[1] // self.pool_size)
        frames = np.full((len(X), n_steps, sum(map(len, self.kernels_))), np.nan, dtype=np.float32)
        for row, length in enumerate(lengths):  # clip by clip, so that a clip's values do not depend on its neighbors
            pooled = self._convolve(X[row, :length])
            frames[row, : len(pooled)] = pooled
        return frames

    def get_feature_names_out(self, input_features=None):
        """Names of the values: `kernel_6_0` is the first kernel of six frames.

        Parameters
        ----------
        input_features : array-like of str or None
            Only checked.

        Returns
        -------
        names : ndarray of shape (n_kernels of all lengths,), object
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        names = [f"kernel_{kernels.shape[1]}_{i}" for kernels in self.kernels_ for i in range(len(kernels))]
        return np.asarray(names, dtype=object)

    def _draw_patches(self, X, lengths, kernel_length, rng) -> np.ndarray:
        places = np.argwhere(np.arange(X.shape[1]) < lengths[:, np.newaxis])
        row, time = places[np.sort(rng.permutation(len(places))[: self.n_patches])].T[:, :, np.newaxis]
        seen = _seen(time[:, 0], kernel_length, lengths[row])
        return X[row, seen].reshape(len(row), -1)

    def _learn(self, patches, kernel_length, rng, bar):
        """Train on patches brought to mean 0 and mean square 1, and make the weights fit patches as they were."""
        centre = patches.mean(axis=0, dtype=np.float64)
        patches = patches - centre
        scale = np.sqrt(np.mean(patches**2)) or 1.0
        patches = (patches / scale).astype(np.float32)  # twice as fast as float64, and exact enough
        n_inputs = patches.shape[1]
        # Random mixtures of patches: where patches hardly vary, nothing would ever take a kernel's first weights back.
        kernels = rng.normal(size=(self.n_kernels, len(patches))) @ patches
        kernels /= np.std(kernels @ patches.T) or 1.0
        with one_blas_thread():  # several wait for each other longer than these products take
            result = minimize(
                _loss,
                np.append(kernels.ravel(), np.full(self.n_kernels, logit(self.sparsity))),
                args=(patches, self.n_kernels, self.sparsity, self.sparsity_weight, self.weight_decay),
                method="L-BFGS-B",
                jac=True,
                options={"maxiter": self.max_iter, "ftol": self.tol, "gtol": 0.0},
                callback=lambda _: bar.update(),
            )
        kernels, biases = result.x[: -self.n_kernels].reshape(self.n_kernels, n_inputs), result.x[-self.n_kernels :]
        self.mean_activations_.append(expit(patches @ kernels.T + biases).mean(axis=0))
        self.kernels_.append((kernels / scale).astype(np.float32).reshape(self.n_kernels, kernel_length, -1))
        self.biases_.append((biases - kernels @ centre / scale).astype(np.float32))
        self.n_iter_ = max(self.n_iter_, result.nit, 1)

    def _convolve(self, clip) -> np.ndarray:
        """Means over windows of the activations of all kernels, (n_windows, n_kernels of all lengths)."""
        clip = clip.astype(np.float32, copy=False)
        time = np.arange(len(clip))
        activations = []
        for kernels, biases in zip(self.kernels_, self.biases_, strict=True):
            windows = clip[_seen(time, kernels.shape[1], len(clip))]
            activations.append(expit(windows.reshape(len(clip), -1) @ kernels.reshape(len(kernels), -1).T + biases))
        starts = time[:: self.pool_size]
        counts = np.diff(starts, append=len(clip))[:, np.newaxis]
        return np.add.reduceat(np.hstack(activations), starts, axis=0) / counts.astype(np.float32)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []  # frames are float32
        return tags
