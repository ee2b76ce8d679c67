"""The clips of a training, and the batches that Keras is fed with."""

from __future__ import annotations

import math

import numpy as np

from .._keras import all_layers, keras


class Batches(keras.callbacks.Callback):
    """Batches of clips, in a new order in every epoch, each cropped to about its longest clip.

    Cut out of the arrays when they are needed, so that no second copy of the clips is held. A callback, too: at the
    start of an epoch it sets the order of the clips and what dropout will drop; these and augmentation depend on the
    seed and the numbers of epoch and batch alone, so that a training that is resumed continues as it would have without
    the interruption.

    Parameters
    ----------
    clips : Examples
    batch_size : int
    seed : int or None
        None keeps the order.
    augmentation : FrameAugmentation or None
    """

    def __init__(self, clips, batch_size: int, seed: int | None = None, augmentation=None):
        super().__init__()
        self.clips, self.batch_size, self.seed, self.augmentation = clips, batch_size, seed, augmentation
        self.epoch, self.order = 0, clips.rows
        n_frames = clips.X.shape[1]
        self.lengths = n_frames - np.isnan(clips.X[:, :, 0]).sum(axis=1)
        grid = math.ceil(n_frames / 16)  # few different lengths: a compiling backend compiles each of them
        self.crops = np.minimum(-(-self.lengths // grid) * grid, n_frames)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.order = epoch, np.random.default_rng((self.seed, epoch)).permutation(self.clips.rows)
        outer = self.model.layers
        inner = [layer for layer in all_layers(self.model)[1:] if not any(layer is other for other in outer)]
        for index, layer in enumerate([*outer, *inner]):
            if getattr(layer, "seed_generator", None) is not None:
                seed = np.random.default_rng((self.seed, epoch, index)).integers(2**31)
                layer.seed_generator.state.assign(np.asarray([seed, 0], dtype="uint32"))

    def batch(self, index: int) -> tuple[np.ndarray, ...]:
        """Frames, targets and, if there are any, weights of one batch of the current epoch."""
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        X, y = self.clips.X[rows, : self.crops[rows].max()], self.clips.y[rows]
        weight = None if self.clips.weight is None else self.clips.weight[rows]
        if self.augmentation is not None:
            rng = np.random.default_rng((self.seed, self.epoch, index, 1))
            X, y, weight = self.augmentation(X, self.lengths[rows], y, weight, rng)
        return (X, y) if weight is None else (X, y, weight)

    def release(self) -> None:
        """Let go of clips and model: TensorFlow may hold on to what calls `batch`."""
        self.clips = self.order = None
        self.set_model(None)

    def dataset(self):
        """The batches of the current epoch, whenever it is iterated, as a tf.data.Dataset, which all backends read."""
        import tensorflow as tf

        parts = self.clips.parts
        shapes = [(None, None, parts[0].shape[2]), *[(None, *part.shape[1:]) for part in parts[1:]]]

        def batch(index):
            tensors = tf.numpy_function(self.batch, [index], [part.dtype for part in parts])
            for tensor, shape in zip(tensors, shapes, strict=True):
                tensor.set_shape(shape)
            return tuple(tensors)

        n_batches = math.ceil(len(self.clips.rows) / self.batch_size)
        return tf.data.Dataset.range(n_batches).map(batch).prefetch(1)
