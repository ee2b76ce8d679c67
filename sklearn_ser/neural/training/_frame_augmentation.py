"""Augmentation of frames during training: what is drawn anew for each clip in each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FrameAugmentation:
    """Alters the clips of a batch; the parameters are those of the estimators.

    References
    ----------
    .. [1] Park, Chan, Zhang, Chiu, Zoph, Cubuk and Le, "SpecAugment: a simple data augmentation method for automatic
       speech recognition", Interspeech 2019.
    .. [2] Jaitly and Hinton, "Vocal tract length perturbation (VTLP) improves speech recognition", ICML workshop on
       deep learning for audio, speech and language processing, 2013.
    .. [3] Ko, Peddinti, Povey and Khudanpur, "Audio augmentation for speech recognition", Interspeech 2015.
    .. [4] Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
    """

    time_mask: float = 0.0
    feature_mask: float = 0.0
    feature_shift: float = 0.0
    speed: float = 0.0
    crop: float = 1.0
    mixup: float = 0.0

    @classmethod
    def of(cls, estimator) -> FrameAugmentation | None:
        """Read what the parameters of an estimator ask for; None if they ask for nothing."""
        augmentation = cls(**{name: getattr(estimator, name) for name in cls.__dataclass_fields__})
        return None if augmentation == cls() else augmentation

    def __call__(self, X, lengths, y, weight, rng):
        """A batch of augmented clips.

        Parameters
        ----------
        X : ndarray of shape (n_clips, n_frames, n_features), float32
        lengths : ndarray of shape (n_clips,), int
            Real frames of each clip.
        y : ndarray of shape (n_clips,) or (n_clips, n_classes)
            With `mixup`, one-hot.
        weight : ndarray of shape (n_clips,) or None
        rng : numpy.random.Generator

        Returns
        -------
        X, y, weight : ndarrays
            The number of frames may be another one.
        """
        clips = [self.alter(clip[:length], rng) for clip, length in zip(X, lengths, strict=True)]
        n_frames = -(-max(map(len, clips)) // 16) * 16  # few different lengths: a compiling backend compiles each
        X = np.full((len(clips), n_frames, X.shape[2]), np.nan, dtype=np.float32)
        for row, clip in zip(X, clips, strict=True):
            row[: len(clip)] = clip
        return mix(X, y, weight, self.mixup, rng) if self.mixup else (X, y, weight)

    def alter(self, clip, rng) -> np.ndarray:
        """One clip of real frames, (n_frames, n_features), altered; its number of frames may change."""
        if self.crop < 1:
            n = int(np.ceil(len(clip) * rng.uniform(self.crop, 1)))
            start = rng.integers(0, len(clip) - n + 1)
            clip = clip[start : start + n]
        if self.speed:
            n = max(1, round(len(clip) * np.exp(rng.uniform(-self.speed, self.speed))))
            clip = _interpolate(clip, np.linspace(0, len(clip) - 1, n))
        if self.feature_shift:
            places = np.arange(clip.shape[1]) - rng.uniform(-self.feature_shift, self.feature_shift)
            clip = _interpolate(clip.T, np.clip(places, 0, clip.shape[1] - 1)).T
        if self.time_mask or self.feature_mask:
            clip = clip.copy()
            for _ in range(2):
                _erase(clip, self.time_mask, rng)
                _erase(clip.T, self.feature_mask, rng)
        return clip


def _interpolate(x, places) -> np.ndarray:
    """Rows of x at fractional places, linearly interpolated."""
    below = np.minimum(places.astype(int), max(len(x) - 2, 0))
    fraction = (places - below)[:, None].astype(np.float32)
    return x[below] * (1 - fraction) + x[np.minimum(below + 1, len(x) - 1)] * fraction


def _erase(x, most: float, rng) -> None:
    """Set a stretch of rows to zero, in place: of a random length up to a fraction of them, but never all."""
    n = int(rng.uniform(0, most) * len(x))
    start = rng.integers(0, len(x) - n + 1)
    x[start : start + n] = 0


def mix(X, y, weight, alpha: float, rng):
    """Clips mixed in pairs; where the partner has ended, a clip is as it was, and it ends where it did.

    Parameters
    ----------
    X : ndarray of shape (n_clips, n_frames, n_features)
    y : ndarray of shape (n_clips, n_classes)
    weight : ndarray of shape (n_clips,) or None
    alpha : float
    rng : numpy.random.Generator

    Returns
    -------
    X, y, weight : ndarrays
        The larger part of each mixture is the clip that stood there.
    """
    fraction = rng.beta(alpha, alpha, len(X)).astype(np.float32)
    fraction = np.maximum(fraction, 1 - fraction)
    partner = rng.permutation(len(X))

    def blend(x, other):
        kept = fraction.reshape(-1, *[1] * (x.ndim - 1))
        return kept * x + (1 - kept) * other

    mixed = blend(X, np.where(np.isnan(X[partner]), X, X[partner]))
    return mixed, blend(y, y[partner]), None if weight is None else blend(weight, weight[partner])
