"""EncoderFeatures: layers of a pretrained speech encoder, as a transformer of clips; WhisperFeatures, its sibling."""

from __future__ import annotations

import os
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..audio import AudioTransformer, load_waveform
from ..utils._docstrings import put
from ..utils._sklearn_compat import Interval, StrOptions, keep_output
from ._architectures import SR, Architecture, Reading, encode_clips, load_in_parts
from ._architectures._docs import ATTRIBUTES, PARAMETERS
from ._encoder import Lent, backend, load_encoder, open_model


class EncoderFeatures(AudioTransformer):
    """A layer of a pretrained speech encoder: its mean over each clip, or its frames.

    wav2vec 2.0 [1]_, HuBERT [2]_, WavLM [3]_, data2vec [4]_, UniSpeech-SAT and Whisper are read from the folders or
    names that the Hugging Face libraries know, and computed by NumPy. The encoder is built up to `layer` only,
    and no later weights are read.

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from sklearn_ser import EncoderFeatures
    >>> pipeline = make_pipeline(EncoderFeatures("microsoft/wavlm-base-plus", 6), StandardScaler(), SVC(C=10))
    >>> pipeline.fit(["a.wav", "b.wav"], ["anger", "sadness"])  # doctest: +SKIP

    Parameters
    ----------
    model : str or PathLike, default="facebook/hubert-base-ls960"
        A folder in the Hugging Face layout (`config.json`; `model.safetensors`, or several such files and their index,
        or `pytorch_model.bin`; float16 or float32), or a name on the Hugging Face hub. A name is looked for in
        `data_home`, then in the Hugging Face cache; if it is in neither, it is downloaded to `data_home`, once, and
        checked against the hub's hash. `model_type` in `config.json` says what it is: "wav2vec2", "hubert", "wavlm",
        "data2vec-audio", "unispeech-sat" or "whisper".
    layer : int, sequence of int, "mean" or None, default=6
        Layer whose output is taken, from 0 (what enters the first transformer block) to the model's last. Tune it: the
        best one is mostly in the middle. The values of several layers stand side by side, from one pass; "mean" takes
        the mean of all layers. None takes what the encoder would read, for `EncoderClassifier`.
    <reading>
    revision : str or None, default=None
        A branch, a tag, a pull request ("refs/pr/1") or a commit of a model on the hub; None takes the main branch. If
        that holds no safetensors, they are looked for in the pull request that the hub's own converter has opened.

    Attributes
    ----------
    <read>

    See Also
    --------
    WhisperFeatures : The same with Whisper's defaults, which this library has measured.
    EncoderClassifier : The same encoders, fine-tuned.
    PretrainedClassifier : Published recognizers, which need no training.

    Notes
    -----
    Each clip is encoded by itself and unpadded, so that no bit depends on the clips beside it. Where the model's
    `preprocessor_config.json` asks for it (`do_normalize`), a waveform has zero mean and unit variance first. Clips
    longer than 30 s are encoded in about equal parts of at most 30 s, one after the other, and pooled as one.

    Layers are the hidden states of the `transformers` library, version 5. Where a model has a norm behind its last
    block ("stable layer norm"), the last layer is taken before it; version 4 took it behind it.

    Clones, and what is sent to workers, hold no weights, if their files are there; a pickle holds those of the layers
    used, as they were read: float16 stays float16. All transformers of a process that use the same weights share one
    network.

    References
    ----------
    .. [1] Baevski, Zhou, Mohamed and Auli, "wav2vec 2.0: A framework for self-supervised learning of speech
       representations", NeurIPS 2020.
    .. [2] Hsu, Bolte, Tsai, Lakhotia, Salakhutdinov and Mohamed, "HuBERT: Self-supervised speech representation
       learning by masked prediction of hidden units", IEEE/ACM Trans. Audio, Speech and Language Processing 29, 2021.
    .. [3] Chen et al., "WavLM: Large-scale self-supervised pre-training for full stack speech processing", IEEE J.
       Selected Topics in Signal Processing 16(6), 2022.
    .. [4] Baevski, Hsu, Xu, Babu, Gu and Auli, "data2vec: A general framework for self-supervised learning in speech,
       vision and language", ICML 2022.
    """

    sr = SR  # what the weights were trained at
    _kinds: tuple[str, ...] = ()  # of architectures that are read; all of them
    _noun, _for_head = "model", False

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        "model": [str, os.PathLike],
        "layer": [Interval(Integral, 0, None, closed="left"), "array-like", StrOptions({"mean"}), None],
        "pooling": [StrOptions({"mean", "mean_std"}), Interval(Integral, 1, None, closed="left"), None],
        "trim": ["boolean"],
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
        "data_home": [str, os.PathLike, None],
        "revision": [str, None],
    }

    def __init__(
        self,
        model="facebook/hubert-base-ls960",
        layer=6,
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
        revision=None,
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
        self.revision = revision

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
        """Names of the values: `hubert_l6_0_mean` is of the first unit of layer 6; of frames, `hubert_l6_0`.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_features,), object
        """
        check_is_fitted(self)
        reading = self._reading
        if not reading.layers:
            sources = [reading.architecture.sources]
        else:
            kind = reading.architecture.kind
            sources = [f"{kind}_layers"] if reading.weights else [f"{kind}_l{layer}" for layer in reading.layers]
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
        if self.layer is None or isinstance(self.layer, (Integral, str)):
            return
        layers = list(self.layer)
        if not layers or len({*layers}) < len(layers) or not all(isinstance(n, Integral) and n >= 0 for n in layers):
            raise ValueError(
                "layer must be an int, None, or hold different ints that are not negative. "
                f"Got layer={self.layer!r:.80}."
            )

    def _learn(self, n_times):
        folder, architecture = open_model(self.model, self.data_home, self.revision, self._kinds, self._noun)
        self._reading = self._read(architecture)
        layers, self.encoder_ = self._reading.layers, None
        if layers:
            self.encoder_ = load_encoder(folder, max(layers), self._kinds, for_head=self._for_head)
        self.n_values_ = self._reading.n_values
        keep_output(self, self._leaves_frames)
        vars(self).pop("n_frames_", None)
        if self._leaves_frames:
            self.n_frames_ = self.n_frames or max(self._count(n) for n in n_times)

    def _read(self, architecture: Architecture) -> Reading:
        """Return the settings by which clips become frames, by the parameter `layer`."""
        if self.layer is None:
            return Reading(architecture, ())
        if isinstance(self.layer, str):
            layers = architecture.hidden_states
            return Reading(architecture, layers, (1 / len(layers),) * len(layers))
        return Reading(architecture, tuple(int(n) for n in np.atleast_1d(np.asarray(self.layer, dtype=object))))

    def _count(self, n_times: int) -> int:
        """Frames of a clip."""
        return -(-self._reading.count(n_times) // (self.pooling or 1))

    def _function(self):
        lent = None if self.encoder_ is None else Lent(self.encoder_)
        return partial(encode_clips, lent=lent, reading=self._reading, pooling=self.pooling, trim=self.trim)

    def _loader(self):
        # Clips to be trimmed are looked at as a whole.
        return load_waveform if self.trim and not self._leaves_frames else load_in_parts

    def _cache_key(self, function):
        reading, (pooling, trim) = self._reading, (self.pooling, self.trim)
        settings = reading.architecture.key(), reading.layers, reading.weights, pooling, trim
        return settings if self.encoder_ is None else (settings, self.encoder_.digest, backend())


class WhisperFeatures(EncoderFeatures):
    """A layer of OpenAI's Whisper, a pretrained speech encoder: its mean over each clip, or its frames.

    Whisper [1]_ was trained to transcribe 680,000 hours of speech. Its lower layers describe the voice and ignore
    noise and rooms; on EMO-DB, EMOVO, nEMO and RAVDESS, they tell emotions of unseen speakers better than handcrafted
    features. Its upper layers describe the words. The encoder is built up to `layer` only, and no later weights are
    read.

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
        the best one is mostly in the middle. Several give values side by side, from one pass. None takes the
        log-mel frames that the encoder would read, 100 a second, for `WhisperClassifier`.
    <reading>
    revision : str or None, default=None
        A branch, a tag, a pull request ("refs/pr/1") or a commit of a model on the hub; None takes the main branch.

    Attributes
    ----------
    <read>

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

    _kinds = ("whisper",)
    _noun = "Whisper model"

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
        revision=None,
    ):
        super().__init__(
            model,
            layer,
            pooling=pooling,
            trim=trim,
            n_frames=n_frames,
            offset=offset,
            duration=duration,
            normalize=normalize,
            data_home=data_home,
            channel=channel,
            memory=memory,
            n_jobs=n_jobs,
            verbose=verbose,
            revision=revision,
        )


for _class in (EncoderFeatures, WhisperFeatures):
    if _class.__doc__:  # not with python -OO
        _class.__doc__ = put(ATTRIBUTES, "read", put(PARAMETERS, "reading", _class.__doc__))
