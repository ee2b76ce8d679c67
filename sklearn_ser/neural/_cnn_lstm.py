"""CNN + LSTM."""

from __future__ import annotations

from numbers import Integral, Real

from .._sklearn import Interval, StrOptions
from . import networks
from ._base import NeuralClassifier

# A frame of more values than this is taken for a chunk of waveform: spectra are shorter, chunks of 0.1 s longer.
_LONGEST_FRAME = 1500

# What `kernel_size`, `strides` and `pool_size` are by default: (for the first block, for the others).
_DEFAULTS = {
    "frames": dict(kernel_size=(5, 5), strides=(1, 1), pool_size=(4, 2)),
    "chunks": dict(kernel_size=(64, 9), strides=(8, 1), pool_size=(8, 4)),
}


class CNNLSTMClassifier(NeuralClassifier):
    """Convolutional blocks and an LSTM, on frames or on chunks of waveform.

    Each block is Conv1D -> BatchNorm -> ELU -> MaxPool; an LSTM reads what the blocks leave, and a dense softmax decides
    ([1]_, after [2]_). On frames, such as a log-mel spectrogram, the blocks run over time. On chunks of waveform, as
    `WaveformChunker` makes them, they run inside each chunk, and the LSTM across the chunks. Padding is masked throughout,
    so a clip's probabilities do not depend on the length of the others.

    Parameters
    ----------
    input_type : {"auto", "frames", "chunks"}, default="auto"
        What the rows of a clip are. "auto" takes rows of more than 1500 values for chunks of waveform.
    filters : sequence of int, default=(32, 64, 64)
        Feature maps of each block; its length is the number of blocks.
    kernel_size, strides, pool_size : int, sequence of int, or None, default=None
        Width and step of each block's convolution, and of its pooling; an int serves all blocks. None takes widths of 5
        and pools by 4, 2, 2 on frames; on chunks it begins with a width of 64 samples in steps of 8, goes on with widths
        of 9, and pools by 8, 4, 4. Pooling rounds up, so that any clip keeps a step.
    lstm_units : int, default=64
        Size of the LSTM's state.
    dropout : float, default=0.3
        Share of the LSTM's output dropped in training.
    spatial_dropout : float, default=0.1
        Share of each block's feature maps dropped in training.
    optimizer : str, dict or keras.optimizers.Optimizer, default="adam"
        Name of a Keras optimizer, its serialised form (``{"class_name": "SGD", "config": {"momentum": 0.9}}``), or an
        instance, of which a copy is used.
    learning_rate : float or None, default=1e-3
        Learning rate; None leaves the optimizer's own.
    epochs : int, default=40
        Passes over the clips; at most, with `early_stopping`.
    batch_size : int, default=32
        Clips in a step of training.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss; "balanced" gives all classes the same total.
    early_stopping : bool, default=False
        Hold out a stratified part of the clips, stop when the loss on it no longer falls, and keep the best epoch. With
        ``fit(..., groups=...)``, no group (speaker) stands on both sides.
    validation_fraction : float, default=0.1
        Share of the clips held out by `early_stopping`.
    n_iter_no_change : int, default=10
        Epochs without improvement that `early_stopping` waits.
    tol : float, default=1e-4
        Least fall of the loss that counts as improvement.
    warm_start : bool, default=False
        Whether `fit` goes on training the network that is there.
    model_checkpoint : str, PathLike or None, default=None
        A `.keras` file that is to hold the best epoch so far (by the loss on held-out clips with `early_stopping`, else by
        the training loss) while training goes on. If training is cut off, the same `fit` resumes from it, and ends as if
        it had never been interrupted. `keras.saving.load_model` reads the file.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the order of the clips, dropout and the split; the same int gives the same
        probabilities on the same machine. No global generator is touched.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    model_ : keras.Model
        The trained network.
    history_ : dict of list
        Loss and accuracy of each epoch; with `early_stopping` also `val_loss` and `val_accuracy`.
    input_type_ : {"frames", "chunks"}
        What the rows of a clip were taken for.
    n_features_in_ : int
        Values of a frame.

    Notes
    -----
    A pickled classifier holds architecture and weights, not the optimizer's state: training that goes on from it
    (`warm_start`, `partial_fit`) begins with a fresh optimizer.

    References
    ----------
    .. [1] Mou et al., "Speech emotion recognition based on CNN+LSTM model", ROCLING 2021.
    .. [2] Zhao, Mao and Chen, "Speech emotion recognition using deep 1D & 2D CNN LSTM networks", Biomedical Signal
       Processing and Control 47, 2019.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_ser import CNNLSTMClassifier, FrameWise, MelSpectrogramTransformer, WaveformChunker
    >>> on_frames = make_pipeline(MelSpectrogramTransformer(), FrameWise(StandardScaler()), CNNLSTMClassifier())
    >>> on_waveforms = make_pipeline(WaveformChunker(), CNNLSTMClassifier())
    """

    _parameter_constraints: dict = {
        **NeuralClassifier._parameter_constraints,
        "input_type": [StrOptions({"auto", "frames", "chunks"})],
        "filters": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "strides": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "pool_size": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "lstm_units": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "spatial_dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        input_type="auto",
        filters=(32, 64, 64),
        *,
        kernel_size=None,
        strides=None,
        pool_size=None,
        lstm_units=64,
        dropout=0.3,
        spatial_dropout=0.1,
        optimizer="adam",
        learning_rate=1e-3,
        epochs=40,
        batch_size=32,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        model_checkpoint=None,
        random_state=None,
        verbose=0,
    ):
        self.input_type = input_type
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.pool_size = pool_size
        self.lstm_units = lstm_units
        self.dropout = dropout
        self.spatial_dropout = spatial_dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.model_checkpoint = model_checkpoint
        self.random_state = random_state
        self.verbose = verbose

    def _build(self, input_shape, n_classes):
        self.input_type_ = self.input_type
        if self.input_type == "auto":
            self.input_type_ = "chunks" if input_shape[1] > _LONGEST_FRAME else "frames"
        return networks.cnn_lstm(
            input_shape,
            n_classes,
            chunks=self.input_type_ == "chunks",
            filters=self._per_block("filters"),
            kernel_size=self._per_block("kernel_size"),
            strides=self._per_block("strides"),
            pool_size=self._per_block("pool_size"),
            lstm_units=self.lstm_units,
            dropout=self.dropout,
            spatial_dropout=self.spatial_dropout,
        )

    def _per_block(self, name: str) -> list[int]:
        """A parameter's value for each block."""
        n_blocks, value = len(self.filters), getattr(self, name)
        if value is None:
            first, others = _DEFAULTS[self.input_type_][name]
            return [first, *[others] * (n_blocks - 1)]
        values = [value] * n_blocks if isinstance(value, Integral) else list(value)
        if n_blocks == 0 or len(values) != n_blocks or not all(isinstance(v, Integral) and v > 0 for v in values):
            raise ValueError(
                f"{name} must hold one positive int for each of the blocks, as many as filters. "
                f"Got {name}={value} and filters={self.filters}."
            )
        return [int(v) for v in values]
