"""WhisperClassifier: Whisper's encoder, fine-tuned."""

from __future__ import annotations

import os
import threading
from numbers import Integral, Real

import numpy as np

from ..neural import networks
from ..neural._base import NeuralClassifier
from ..utils._messages import short
from ..utils._sklearn_compat import Interval
from ._encoder import compile_for_clips, load_encoder
from ._hub import find_model
from ._weights import read_config

_EXAMPLES = 64  # clips whose frames say how the encoder's values are scaled
_AT_ONCE = 8  # of them
_COMPILING, _COMPILED = threading.Lock(), "_compiled_for_clips"


class WhisperClassifier(NeuralClassifier):
    """A layer of Whisper's encoder, attention over a clip's frames, and a softmax, trained together.

    The last blocks of the encoder are trained, at a learning rate of their own, and everything below stays as it was
    pretrained. It takes log-mel frames of ``WhisperFeatures(layer=None, pooling=None)``.

    <groups>

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import WhisperClassifier, WhisperFeatures
    >>> pipeline = make_pipeline(WhisperFeatures(layer=None, pooling=None), WhisperClassifier(trainable_layers=2))

    Parameters
    ----------
    model : str or PathLike, default="openai/whisper-base"
        As for `WhisperFeatures`.
    layer : int, default=3
        Transformer blocks of the encoder that are used.
    trainable_layers : int or None, default=1
        How many of the last blocks are trained; 0 trains what is behind the encoder, and None everything.
    dropout : float, default=0.3
        Fraction of a clip's weighted mean dropped in training.
    encoder_learning_rate : float, default=3e-5
        Learning rate of the encoder; `learning_rate` is that of what is behind it.
    data_home : str, PathLike or None, default=None
        As for `WhisperFeatures`.
    <training>

    Attributes
    ----------
    <trained>

    See Also
    --------
    WhisperFeatures : The encoder as it is, for any classifier, in a fraction of the time.

    Notes
    -----
    The encoder's values are standardised before attention, by the mean and deviation that they have in up to 64 of the
    training clips before training.

    Features, (n_clips, n_features), are taken for clips of one frame, whose upper mel bands are 0.

    A pickled classifier holds architecture and weights, not the optimizer's state: training that resumes from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "model": [str, os.PathLike],
        "layer": [Interval(Integral, 0, None, closed="left")],
        "trainable_layers": [Interval(Integral, 0, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "encoder_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "data_home": [str, os.PathLike, None],
    }

    def __init__(
        self,
        model="openai/whisper-base",
        layer=3,
        *,
        trainable_layers=1,
        dropout=0.3,
        encoder_learning_rate=3e-5,
        data_home=None,
        epochs=15,
        batch_size=16,
        **training,
    ):
        super().__init__(epochs=epochs, batch_size=batch_size, **training)
        self.model = model
        self.layer = layer
        self.trainable_layers = trainable_layers
        self.dropout = dropout
        self.encoder_learning_rate = encoder_learning_rate
        self.data_home = data_home

    def _frames(self, X, *, reset):
        if reset:
            self._config = read_config(find_model(self.model, self.data_home))
        frames, n_mels, longest = super()._frames(X, reset=reset), self._config.n_mels, 2 * self._config.n_positions
        if frames.shape[2] != n_mels:
            raise ValueError(
                f"Frames must have the {n_mels} mel bands of model={short(self.model)}: put WhisperFeatures(model, "
                f"layer=None, pooling=None) before this classifier. Got {frames.shape[2]} values."
            )
        if frames.shape[1] > longest:
            raise ValueError(
                f"Clips must have at most {longest} frames, {longest / 100:g} s. Got {frames.shape[1]}: set duration="
                f"{longest / 100:g} in WhisperFeatures, or let SegmentClassifier cut the clips."
            )
        return frames

    def _sequence(self, X):
        return np.pad(X, ((0, 0), (0, max(0, self._config.n_mels - X.shape[1]))))[:, np.newaxis]

    def _train(self, clips, validation, **how):
        self._examples = clips.X[clips.rows[:: -(-len(clips.rows) // _EXAMPLES)]]
        try:
            super()._train(clips, validation, **how)
        finally:
            del self._examples

    def _build(self, input_shape, n_classes):
        encoder = load_encoder(find_model(self.model, self.data_home), self.layer)
        sizes = encoder.sizes()
        network = networks.whisper_attention(input_shape, n_classes, n_layers=self.layer, dropout=self.dropout, **sizes)
        encoder.set_weights(network)
        first = 0 if self.trainable_layers is None else self.layer - self.trainable_layers + 1
        for layer in network.layers:
            layer.trainable = not _is_encoder(layer.name) or (layer.name != "positions" and _block(layer.name) >= first)
        _standardize(network, self._examples)
        return network

    def _adapt_optimizer(self, optimizer):
        """Let the encoder learn at its own rate: each of its updates is made with a fraction of the learning rate."""
        ratio = self.encoder_learning_rate / (self.learning_rate or float(optimizer.learning_rate))
        update_step = optimizer.update_step

        def slower(gradient, variable, learning_rate):
            known = optimizer._trainable_variables[optimizer._get_variable_index(variable)]
            rate = learning_rate * ratio if _is_encoder(known.path) else learning_rate
            return update_step(gradient, variable, rate)

        optimizer.update_step = slower

    @staticmethod
    def _batches(model, X):
        # One at a time, and each at its own length, so that no bit depends on the clips beside it.
        with _COMPILING:
            if not hasattr(model, _COMPILED):  # kept there, so that it goes when the network goes
                setattr(model, _COMPILED, compile_for_clips(model))
        run = getattr(model, _COMPILED)
        lengths = (~np.isnan(X[:, :, 0])).sum(axis=1)
        return [run(clip[:length])[np.newaxis] for clip, length in zip(X, lengths, strict=True)]


def _is_encoder(name: str) -> bool:
    return name.startswith(("conv_", "positions", "block_"))


def _block(name: str) -> int:
    """Number of a layer's block; 0 of what is before the first."""
    return int(name.split("_")[1]) if name.startswith("block_") else 0


def _standardize(network, frames: np.ndarray) -> None:
    """Set the mean and variance by which the network standardises the encoder's values to those in these clips."""
    from ..neural._keras import keras

    layer = network.get_layer("standardize")
    encoder = keras.Model(network.input, layer.input)
    count, total, squares = 0, np.zeros(()), np.zeros(())
    for start in range(0, len(frames), _AT_ONCE):
        batch = frames[start : start + _AT_ONCE]
        real = ~np.isnan(batch[:, ::2, 0])
        values = np.asarray(encoder(batch, training=False), dtype=np.float64)[real]
        count, total, squares = count + len(values), total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    mean = total / count
    layer.set_weights([mean.astype(np.float32), np.maximum(squares / count - mean**2, 1e-6).astype(np.float32)])
