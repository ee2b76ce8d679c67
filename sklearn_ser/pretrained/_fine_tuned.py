"""EncoderClassifier and EncoderRegressor: a pretrained encoder, fine-tuned; WhisperClassifier, the same of Whisper."""

from __future__ import annotations

import os
import threading
from numbers import Integral, Real

import numpy as np

from ..neural import networks
from ..neural._classifier import NeuralClassifier
from ..neural._regressor import NeuralRegressor
from ..utils._messages import short
from ..utils._sklearn_compat import Interval, StrOptions
from ._encoder import compile_for_clips, load_encoder, open_model

_EXAMPLES = 64  # clips whose frames say how the encoder's values are scaled
_AT_ONCE = 8  # of them
_COMPILING, _COMPILED = threading.Lock(), "_compiled_for_clips"


class _FineTuned:
    """An encoder, attention over its frames, and what the base of trained networks puts behind them."""

    learning_rate: float | None

    _network_parameters = """
    model : str or PathLike, default="facebook/hubert-base-ls960"
        As for `EncoderFeatures`.
    layer : int or "weighted", default=6
        Transformer blocks of the encoder that are used. "weighted" takes a sum of all layers with learned weights, as
        in SUPERB [1]_.
    trainable_layers : int or None, default=1
        How many of the last blocks are trained; 0 trains what is behind the encoder, and None everything.
    dropout : float, default=0.3
        Fraction of a clip's weighted mean dropped in training.
    encoder_learning_rate : float, default=3e-5
        Learning rate of the encoder; `learning_rate` is that of what is behind it.
    data_home : str, PathLike or None, default=None
        As for `EncoderFeatures`.
    revision : str or None, default=None
        As for `EncoderFeatures`.
    """
    _kinds: tuple[str, ...] = ()  # of architectures that are read; all of them
    _features, _noun = "EncoderFeatures", "model"

    _parameter_constraints: dict = {
        "model": [str, os.PathLike],
        "layer": [Interval(Integral, 0, None, closed="left"), StrOptions({"weighted"})],
        "trainable_layers": [Interval(Integral, 0, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "encoder_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "data_home": [str, os.PathLike, None],
        "revision": [str, None],
    }

    def __init__(
        self,
        model="facebook/hubert-base-ls960",
        layer=6,
        *,
        trainable_layers=1,
        dropout=0.3,
        encoder_learning_rate=3e-5,
        data_home=None,
        revision=None,
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
        self.revision = revision

    def _open(self):
        return open_model(self.model, self.data_home, self.revision, self._kinds, self._noun)

    def _frames(self, X, *, reset):
        if reset:
            _, self._architecture = self._open()
        architecture = self._architecture
        frames, longest = super()._frames(X, reset=reset), architecture.n_inputs(architecture.longest)
        if frames.shape[2] != architecture.n_values:
            raise ValueError(
                f"Frames must have the {architecture.n_values} {architecture.values} of model={short(self.model)}: put "
                f"{self._features}(model, layer=None, pooling=None) before this classifier. Got {frames.shape[2]} "
                "values."
            )
        if frames.shape[1] > longest:
            seconds = f"{architecture.longest / architecture.sr:g}"
            raise ValueError(
                f"Clips must have at most {longest} frames, {seconds} s. Got {frames.shape[1]}: set duration={seconds} "
                f"in {self._features}, or let SegmentClassifier cut the clips."
            )
        return frames

    def _sequence(self, X):
        return self._architecture.from_rows(X)

    def _train(self, clips, validation, **how):
        self._examples = clips.X[clips.rows[:: -(-len(clips.rows) // _EXAMPLES)]]
        try:
            super()._train(clips, validation, **how)
        finally:
            del self._examples

    def _build(self, input_shape):
        weighted = isinstance(self.layer, str)
        n_layers = self._architecture.last if weighted else self.layer
        folder, _ = self._open()
        encoder = load_encoder(folder, n_layers, self._kinds, for_head=weighted)
        encode, sizes = encoder.architecture.network()
        params = dict(encode=encode, n_layers=n_layers, weighted=weighted, dropout=self.dropout, **sizes)
        network = networks.build(networks.encoder_attention, input_shape, **self._outputs(), params=params)
        encoder.set_weights(network)
        blocks = encoder.architecture.blocks(n_layers)
        first = 0 if self.trainable_layers is None else n_layers - self.trainable_layers + 1
        for layer in network.layers:
            layer.trainable = blocks.get(layer.name, n_layers + 1) >= first and layer.name != "positions"
        _standardize(network, encoder.architecture, self._examples)
        return network

    def _encoder_rate(self, optimizer) -> float:
        """The encoder's learning rate, as a fraction of the rate that a new optimizer begins with."""
        scheduled = isinstance(optimizer.get_config()["learning_rate"], dict)
        own = None if scheduled else self.learning_rate
        return self.encoder_learning_rate / (own or float(np.asarray(optimizer.learning_rate)))

    def _compiled_with(self, optimizer):
        return self._encoder_rate(optimizer)

    def _adapt_optimizer(self, optimizer, like):
        """Let the encoder learn at its own rate: each of its updates is made with a fraction of the learning rate."""
        ratio, encoder = self._encoder_rate(like), frozenset(self._architecture.blocks(self._architecture.last))
        update_step = type(optimizer).update_step.__get__(optimizer)  # not what an earlier training has put there

        def slower(gradient, variable, learning_rate):
            known = optimizer._trainable_variables[optimizer._get_variable_index(variable)]
            rate = learning_rate * ratio if known.path.split("/")[0] in encoder else learning_rate
            return update_step(gradient, variable, rate)

        optimizer.update_step = slower

    def _batches(self, model, X):
        # One at a time, and each at its own length, so that no bit depends on the clips beside it.
        with _COMPILING:
            if not hasattr(model, _COMPILED):  # kept there, so that it goes when the network goes
                setattr(model, _COMPILED, compile_for_clips(model, self._architecture.step))
        run = getattr(model, _COMPILED)
        lengths = (~np.isnan(X[:, :, 0])).sum(axis=1)
        return [run(clip[:length])[np.newaxis] for clip, length in zip(X, lengths, strict=True)]


class EncoderClassifier(_FineTuned, NeuralClassifier):
    """A layer of a pretrained encoder, attention over a clip's frames, and a softmax, trained together.

    The last blocks of the encoder are trained, at a learning rate of their own, and everything below stays as it was
    pretrained. It takes what ``EncoderFeatures(model, layer=None, pooling=None)`` makes: waveforms, as frames of one
    value, or Whisper's log-mel frames.

    <groups>

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import EncoderClassifier, EncoderFeatures
    >>> model = "microsoft/wavlm-base-plus"
    >>> waveforms = EncoderFeatures(model, layer=None, pooling=None, duration=10)
    >>> pipeline = make_pipeline(waveforms, EncoderClassifier(model, 8, trainable_layers=2))

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>

    See Also
    --------
    EncoderFeatures : The encoder as it is, for any classifier, in a fraction of the time.

    Notes
    -----
    The encoder's values are standardized before attention, by the mean and deviation that they have in up to 64 of the
    training clips before training.

    Features, (n_clips, n_features), are taken for waveforms (or, by Whisper, for clips of one frame, whose upper mel
    bands are 0).

    <pickled>

    References
    ----------
    .. [1] Yang et al., "SUPERB: Speech processing universal performance benchmark", Interspeech 2021.
    """

    _parameter_constraints: dict = {**NeuralClassifier._parameter_constraints, **_FineTuned._parameter_constraints}


class EncoderRegressor(_FineTuned, NeuralRegressor):
    """A layer of a pretrained encoder, attention over a clip's frames, and values such as arousal, trained together.

    Everything else is as for `EncoderClassifier`.

    <groups>

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import EncoderFeatures, EncoderRegressor
    >>> model = "microsoft/wavlm-base-plus"
    >>> waveforms = EncoderFeatures(model, layer=None, pooling=None, duration=10)
    >>> pipeline = make_pipeline(waveforms, EncoderRegressor(model, 8, loss="ccc"))

    Parameters
    ----------
    <network>
    <training>

    Attributes
    ----------
    <trained>

    See Also
    --------
    EncoderClassifier : The same for classes.
    PretrainedRegressor : Models that others have trained.

    References
    ----------
    .. [1] Yang et al., "SUPERB: Speech processing universal performance benchmark", Interspeech 2021.
    """

    _parameter_constraints: dict = {**NeuralRegressor._parameter_constraints, **_FineTuned._parameter_constraints}


class WhisperClassifier(EncoderClassifier):
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
    layer : int or "weighted", default=3
        Transformer blocks of the encoder that are used; "weighted" takes a sum of all layers with learned weights.
    trainable_layers : int or None, default=1
        How many of the last blocks are trained; 0 trains what is behind the encoder, and None everything.
    dropout : float, default=0.3
        Fraction of a clip's weighted mean dropped in training.
    encoder_learning_rate : float, default=3e-5
        Learning rate of the encoder; `learning_rate` is that of what is behind it.
    data_home : str, PathLike or None, default=None
        As for `WhisperFeatures`.
    revision : str or None, default=None
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
    The encoder's values are standardized before attention, by the mean and deviation that they have in up to 64 of the
    training clips before training.

    Features, (n_clips, n_features), are taken for clips of one frame, whose upper mel bands are 0.

    <pickled>
    """

    _kinds = ("whisper",)
    _features, _noun = "WhisperFeatures", "Whisper model"

    def __init__(
        self,
        model="openai/whisper-base",
        layer=3,
        *,
        trainable_layers=1,
        dropout=0.3,
        encoder_learning_rate=3e-5,
        data_home=None,
        revision=None,
        epochs=15,
        batch_size=16,
        **training,
    ):
        super().__init__(
            model,
            layer,
            trainable_layers=trainable_layers,
            dropout=dropout,
            encoder_learning_rate=encoder_learning_rate,
            data_home=data_home,
            revision=revision,
            epochs=epochs,
            batch_size=batch_size,
            **training,
        )


def _standardize(network, architecture, frames: np.ndarray) -> None:
    """Set the mean and variance by which the network standardizes the encoder's values to those in these clips."""
    from ..neural._keras import keras

    layer = network.get_layer("standardize")
    read = layer.input[0] if isinstance(layer.input, (list, tuple)) else layer.input  # a mask may stand beside it
    encoder = keras.Model(network.input, read)
    count, total, squares = 0, np.zeros(()), np.zeros(())
    for start in range(0, len(frames), _AT_ONCE):
        batch = frames[start : start + _AT_ONCE]
        real = architecture.real_frames(~np.isnan(batch[:, :, 0]))
        values = np.asarray(encoder(batch, training=False), dtype=np.float64)[real]
        count, total, squares = count + len(values), total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    mean = total / count
    layer.set_weights([mean.astype(np.float32), np.maximum(squares / count - mean**2, 1e-6).astype(np.float32)])
