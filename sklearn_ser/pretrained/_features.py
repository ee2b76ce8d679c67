"""WhisperFeatures: Whisper's encoder as a transformer of clips."""

from __future__ import annotations

import os
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._signal.clear_speech import speech_span
from ..audio import AudioTransformer, load_waveform
from ..audio._derived import Segment
from ..audio._load import clip_bytes, clip_length
from ..utils._pooling import means
from ..utils._sklearn_compat import Interval, StrOptions, keep_output
from ._encoder import Lent, load_encoder
from ._hub import find_model
from ._log_mel import PER_FRAME, SR, log_mel, n_frames, windows
from ._weights import read_config

_LONG_BYTES = 2_000_000  # of a file that may be worth reading in parts


def _hidden(waveform: np.ndarray, encode, n_mels: int, n_positions: int):
    """Frames of each window of a clip: the encoder's, or log-mel frames where there is none."""
    for window in windows(waveform.size, n_positions):
        part = waveform[window]
        frames = log_mel(part, n_mels)
        yield frames if encode is None else encode(frames)[: n_frames(part.size)]


def _pool(parts, deviation: bool) -> np.ndarray:
    """Mean, and on request standard deviation, over the frames of all parts, which are looked at one at a time."""
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for part in parts:  # Chan, Golub and LeVeque's update
        part_mean = part.mean(axis=0, dtype=np.float64)
        step, count = part_mean - mean, count + len(part)
        if deviation:
            squares = (
                squares + ((part - part_mean) ** 2).sum(axis=0) + step**2 * len(part) * (count - len(part)) / count
            )
        mean = mean + step * len(part) / count
    pooled = np.concatenate([mean, np.sqrt(squares / count)]) if deviation else mean
    return pooled.astype(np.float32)


def _encode(
    waveforms,
    *,
    lent: Lent | None,
    layers: tuple[int, ...],
    n_mels: int,
    n_positions: int,
    pooling: str | int | None,
    trim: bool,
) -> list[np.ndarray]:
    encode = lent.encoder.compiled(layers) if lent is not None else None
    if isinstance(pooling, str) and trim:
        waveforms = (waveform[speech_span(waveform, SR)] for waveform in waveforms)
    clips = (_hidden(waveform, encode, n_mels, n_positions) for waveform in waveforms)
    if isinstance(pooling, str):
        return [_pool(parts, deviation=pooling == "mean_std") for parts in clips]
    frames = (np.concatenate(list(parts)) for parts in clips)
    if pooling is None:
        return list(frames)
    return [means(each, np.arange(len(each)) // pooling).astype(np.float32) for each in frames]


def _backend() -> tuple:
    """What computes."""
    found = []
    for name in ("keras", "tensorflow"):
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, None))
    return tuple(found)


class _LongRecording:
    """A waveform of which each part is read when it is asked for, so that hours of it need no memory."""

    def __init__(self, clip, row: int, size: int, offset: float, channel: int | str):
        self.clip, self.row, self.size, self.channel = clip, row, size, channel
        self._start = round(offset * SR)

    def __getitem__(self, part: slice) -> np.ndarray:
        segment = Segment(self.clip, self._start + part.start, self._start + part.stop, SR)
        return load_waveform(segment, SR, channel=self.channel, row=self.row)


def _load_in_parts(clip, sr: int, *, offset, duration, normalize, channel, row: int):
    """A clip's waveform, or a file of more than a minute as a `_LongRecording`."""
    if normalize is None and isinstance(clip, (str, os.PathLike)) and clip_bytes(clip) > _LONG_BYTES:
        n_times = clip_length(clip, sr=sr, offset=offset, duration=duration, channel=channel, row=row)
        if n_times > 60 * SR:
            return _LongRecording(clip, row, n_times, offset, channel)
    return load_waveform(clip, sr, offset=offset, duration=duration, normalize=normalize, channel=channel, row=row)


class WhisperFeatures(AudioTransformer):
    """A layer of OpenAI's Whisper, a pretrained speech encoder: its mean over each clip, or its frames.

    Whisper [1]_ was trained to transcribe 680,000 hours of speech. What its lower layers have learned to hear of a
    voice, noise and rooms set aside, tells emotions of unseen speakers better than any handcrafted features, with a
    plain SVM behind it; what its upper layers know is the words. The encoder is built up to `layer` only, and no later
    weights are read.

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import WhisperFeatures
    >>> pipeline = make_pipeline(WhisperFeatures(memory="whisper"), StandardScaler(), SVC(C=10))
    >>> pipeline.fit(["a.wav", "b.wav"], ["anger", "sadness"])  # doctest: +SKIP

    Parameters
    ----------
    model : str or PathLike, default="openai/whisper-base"
        A folder in the Hugging Face layout (`config.json`; `model.safetensors`, or several such files and their index;
        float16 or float32), or a name on the Hugging Face hub, of any size from "openai/whisper-tiny" to
        "openai/whisper-large-v3". A name is looked for in `data_home`, where "openai/whisper-base" is
        the folder `whisper-base`, then in the Hugging Face cache; if it is in neither, it is
        downloaded to `data_home`, once, and checked against the hub's hash.
    layer : int, sequence of int or None, default=3
        Layer whose output is taken, from 0 (what the convolutions leave, with positions) to the model's last. Tune it:
        the best one is mostly in the middle. Of several, the values stand side by side, from one pass. None takes the
        log-mel frames that the encoder would read, 100 a second, for `WhisperClassifier`.
    pooling : {"mean", "mean_std"}, int or None, default="mean"
        Features: mean over the clip's frames, or also the standard deviation. None leaves the frames, 50 a second. An
        int leaves frames that are means of so many: networks behind them take a fraction of the time and memory, and
        5, ten frames a second, recognise no less.
    trim : bool, default=False
        Whether to leave out what lies before and behind the speech, silence or noise, when clips are pooled to
        features: of a clip that is half silence, half of the mean would be. `make_recognizer` does so. Frames are of
        the whole clip.
    n_frames : int or None, default=None
        Where frames are left, frames of every clip: longer clips are cropped, shorter ones padded with NaN. None learns
        the longest clip's in `fit`.
    offset : float, default=0.0
        Where to begin to read each clip, seconds.
    duration : float or None, default=None
        How much of it to read, seconds; None reads to the end.
    normalize : {"rms", "peak"} or None, default=None
        Scale each clip to a root mean square of 1 or a largest magnitude of 1 first. Whisper was trained on recordings
        as they are.
    data_home : str, PathLike or None, default=None
        Folder of models and corpora; None takes the environment variable SKLEARN_SER_DATA, or else
        `~/sklearn_ser_data`.
    channel : "mean" or int, default="mean"
        The mean of a recording's channels, or one of them, counted from 0; a column `channel` of X goes before.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is encoded
        once for each layer; None keeps nothing. A clip is known by its content, and the model by its weights, wherever
        they are.
    n_jobs : int or None, default=None
        Clips worked on at a time, by joblib; threads unless `joblib.parallel_config` says otherwise. The encoder itself
        uses all cores that TensorFlow has, so that more than 2 gain little.
    verbose : int, default=0
        Above 0, show a progress bar.

    Attributes
    ----------
    encoder_ : object or None
        The encoder with its weights, which is pickled along with this transformer; None without a `layer`.
    n_values_ : int
        Values of a frame.
    n_frames_ : int
        Frames of every clip; only where frames are left.

    See Also
    --------
    WhisperClassifier : The same encoder, fine-tuned.
    WaveformFeatures : Any other encoder.

    Notes
    -----
    Frames are log-mel frames as Whisper defines them, at each clip's own length, where Whisper pads to 30 s; each clip
    is encoded by itself, so that no bit depends on the clips beside it. Clips of more than 30 s are encoded in equal
    parts of at most 30 s, one after the other, and pooled as one.

    Clones, and what is sent to workers, hold no weights, if their files are there; a pickle holds those of the layers
    used, as they were read: 22 MB for the default. All transformers of a process that use the same weights share one
    network.

    References
    ----------
    .. [1] A. Radford, J. W. Kim, T. Xu, G. Brockman, C. McLeavey and I. Sutskever (2023), "Robust speech recognition
       via large-scale weak supervision", Proc. ICML, arXiv:2212.04356.
    """

    sr = SR  # what the weights were trained at

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        "model": [str, os.PathLike],
        "layer": [Interval(Integral, 0, None, closed="left"), "array-like", None],
        "pooling": [StrOptions({"mean", "mean_std"}), Interval(Integral, 1, None, closed="left"), None],
        "trim": ["boolean"],
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
        "data_home": [str, os.PathLike, None],
    }

    def __init__(
        self,
        model="openai/whisper-base",
        layer=3,
        *,
        pooling="mean",
        trim=False,
        n_frames=None,
        offset=0.0,
        duration=None,
        normalize=None,
        data_home=None,
        channel="mean",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.model = model
        self.layer = layer
        self.pooling = pooling
        self.trim = trim
        self.n_frames = n_frames
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.data_home = data_home
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the clips, and read the weights. Where frames are left, learn how many the longest clip has.

        Parameters
        ----------
        X : audio input of n_clips
            Paths, 1-D waveforms, an array (n_clips, n_times), or a DataFrame with a column `path`.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        AudioError
            If a clip is missing, unreadable, empty, or not finite; the message names its row.
        FileNotFoundError, ConnectionError
            If the model is nowhere and cannot be downloaded.
        ValueError
            If the model has no such layer, is of another architecture, or its files are damaged.
        """
        return super().fit(X, y)

    def transform(self, X):
        """Encode every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        features : ndarray of shape (n_clips, n_values) or, with the standard deviation, (n_clips, 2 * n_values),
        float32
            Or frames, (n_clips, n_frames, n_values); NaN past a clip's end.
        """
        check_is_fitted(self)
        if self._leaves_frames:
            return self._stack(X, (self.n_frames_, self.n_values_))
        return self._rows(X, len(self.get_feature_names_out()))

    def get_feature_names_out(self, input_features=None):
        """Names of the values: `whisper_l3_0_mean` is of the first unit of layer 3; of frames, `whisper_l3_0`.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_features,), object
        """
        check_is_fitted(self)
        sources = ["mel"] if self.encoder_ is None else [f"whisper_l{layer}" for layer in self._layers]
        units = [f"{source}_{unit}" for source in sources for unit in range(self.n_values_ // len(sources))]
        statistics = [""] if self._leaves_frames else {"mean": ["_mean"], "mean_std": ["_mean", "_std"]}[self.pooling]
        return np.asarray([unit + statistic for statistic in statistics for unit in units], dtype=object)

    def set_output(self, *, transform=None):
        """Set the container of features; frames have no form as a DataFrame and stay arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None

        Returns
        -------
        self
        """
        return self if self._leaves_frames else super().set_output(transform=transform)

    @property
    def _leaves_frames(self) -> bool:
        return not isinstance(self.pooling, str)

    def _check_params(self):
        super()._check_params()
        if self.layer is None or isinstance(self.layer, Integral):
            return
        layers = list(self.layer)
        if not layers or len({*layers}) < len(layers) or not all(isinstance(n, Integral) and n >= 0 for n in layers):
            raise ValueError(
                "layer must be an int, None, or hold different ints that are not negative. "
                f"Got layer={self.layer!r:.80}."
            )

    def _learn(self, n_times):
        folder = find_model(self.model, self.data_home)
        if self.layer is None:
            config, self.encoder_, self._layers = read_config(folder), None, ()
            self.n_values_ = config.n_mels
        else:
            self._layers = tuple(int(n) for n in ([self.layer] if isinstance(self.layer, Integral) else self.layer))
            self.encoder_ = load_encoder(folder, max(self._layers))
            config = self.encoder_.config
            self.n_values_ = config.width * len(self._layers)
        self._n_mels, self._n_positions = config.n_mels, config.n_positions
        keep_output(self, self._leaves_frames)
        vars(self).pop("n_frames_", None)
        if self._leaves_frames:
            self.n_frames_ = self.n_frames or max(self._count(n) for n in n_times)

    def _count(self, n_times: int) -> int:
        """Frames of a clip."""
        if self.encoder_ is not None:
            n = n_frames(n_times)
        else:
            n = max(2, n_times // PER_FRAME * 2 + n_times % PER_FRAME * 2 // PER_FRAME)
        return -(-n // (self.pooling or 1))

    def _function(self):
        lent = None if self.encoder_ is None else Lent(self.encoder_)
        return partial(
            _encode,
            lent=lent,
            layers=self._layers,
            n_mels=self._n_mels,
            n_positions=self._n_positions,
            pooling=self.pooling,
            trim=self.trim,
        )

    def _loader(self):
        # What is trimmed is looked at as a whole.
        return load_waveform if self.trim and not self._leaves_frames else _load_in_parts

    def _cache_key(self, function):
        settings = {**function.keywords, "lent": None}
        return settings if self.encoder_ is None else (settings, self.encoder_.digest, _backend())
