"""The published systems, each a function that returns an unfitted Pipeline of public estimators.

Hyperparameters are as published. Each docstring says what its paper leaves open, and where the system does otherwise, and
why. `list_systems` returns them all, with the figures that their papers report.

Early stopping watches clips drawn at random, as the papers do. To keep speakers apart there, too, pass `groups`:
``pipeline.fit(X, y, classifier__groups=speaker)``, or ``fit(X, y, groups=speaker)`` where the system trains on augmented
copies (an `AugmentedClassifier`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from .audio import WaveformChunker
from .augmentation import AddNoise, AugmentedClassifier, PitchShift
from .features import (
    FlattenFrames,
    FrameWise,
    Functionals,
    HandcraftedFeatures,
    LowLevelDescriptors,
    MelSpectrogramTransformer,
    SparseAutoencoderFeatures,
)
from .neural import (
    AttentionBLSTMClassifier,
    CNNClassifier,
    CNNLSTMClassifier,
    DenseClassifier,
    LSTMClassifier,
    StackedLSTMClassifier,
)
from .preprocessing import ReferenceScaler

__all__ = [
    "PublishedSystem",
    "bledea_stacked_lstm",
    "he_attention_blstm",
    "he_autoencoder_blstm",
    "he_blstm",
    "he_svm",
    "list_systems",
    "mou2021_cnn",
    "mou2021_cnn_lstm",
    "mou2021_lstm",
    "mou2021_nn",
    "saleem_cnn_lstm",
]

_COMMON = """random_state : int, RandomState instance or None, default=None
        Seeds whatever is random: the same int gives the same predictions on the same machine.
    epochs : int, default={epochs}
        Passes over the clips{at_most}.
    verbose : int, default=0
        Above 0, show progress bars."""


def _system(function):
    """Complete the docstring with the parameters that all systems have."""
    if not function.__doc__:  # python -OO
        return function
    epochs = inspect.signature(function).parameters["epochs"].default
    for mark, at_most in (("<common>", ""), ("<common, at most>", " at most")):
        function.__doc__ = function.__doc__.replace(mark, _COMMON.format(epochs=epochs, at_most=at_most))
    return function


# ---------------------------------------------------------------------------------------- S1: CNN+LSTM on waveform chunks

_MOU_BLOCKS = dict(
    filters=(32, 64, 64, 64), kernel_size=(64, 9, 9, 9), strides=(8, 1, 1, 1), pool_size=(8, 4, 4, 2), dropout=0.3
)


def _mou_training(epochs, random_state, verbose) -> dict:
    """A fifth of what is left after a fifth to test on: 64, 16 and 20 % to train, to watch and to test."""
    return dict(
        epochs=epochs,
        batch_size=16,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=25,
        random_state=random_state,
        verbose=verbose,
    )


@_system
def mou2021_cnn_lstm(*, random_state=None, epochs=120, verbose=0) -> Pipeline:
    """CNN+LSTM on chunks of waveform, system S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `CNNLSTMClassifier`.

    Notes
    -----
    As published: 16 kHz, RMS normalisation, chunks of 16000 samples; four blocks of Conv1D, batch normalisation, ELU and max
    pooling, one LSTM, softmax; early stopping on 16 % of the clips, and the best epoch kept.

    Left open by [1]_: 32, 64, 64 and 64 filters, the first 64 samples wide and in steps of 8, because narrow filters at the
    full rate take ten times as long; an LSTM of 64 units; learning rate and batch size.

    Otherwise than [1]_: Adam in place of SGD with Nesterov momentum, which on four emotions of EMO-DB stayed 5 points behind
    with these filters, and took twice the time to come close with twice as many; pooling comes first in a block (see
    `CNNLSTMClassifier`); a share of feature maps and of the LSTM's output is dropped in training; and chunks that a shorter
    clip does not have are masked.

    References
    ----------
    .. [1] Mou et al., "Speech emotion recognition based on CNN+LSTM model", ROCLING 2021.

    Examples
    --------
    >>> from sklearn_ser.systems import mou2021_cnn_lstm
    >>> pipeline = mou2021_cnn_lstm(random_state=0)
    >>> list(pipeline.named_steps)
    ['chunks', 'classifier']
    """
    network = CNNLSTMClassifier(**_MOU_BLOCKS, lstm_units=64, **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(verbose=verbose)), ("classifier", network)])


@_system
def mou2021_cnn(*, random_state=None, epochs=120, verbose=0) -> Pipeline:
    """The CNN alone, a baseline of S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `CNNClassifier`.

    Notes
    -----
    The blocks of `mou2021_cnn_lstm`, and the mean over a clip in place of the LSTM.

    References
    ----------
    .. [1] Mou et al., "Speech emotion recognition based on CNN+LSTM model", ROCLING 2021.
    """
    network = CNNClassifier(**_MOU_BLOCKS, **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(verbose=verbose)), ("classifier", network)])


@_system
def mou2021_nn(*, random_state=None, epochs=100, verbose=0) -> Pipeline:
    """The plain neural network, a baseline of S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `DenseClassifier`.

    Notes
    -----
    Otherwise than [1]_, which feeds the network whole clips, flattened: here it reads 10 ms at a time, with the same weights,
    and the mean over the clip is classified. On flattened waveforms, sample by sample, a dense network learns its training
    clips by heart and recognises no others (18 % of seven emotions of EMO-DB, where guessing the most frequent one gives 24).

    References
    ----------
    .. [1] Mou et al., "Speech emotion recognition based on CNN+LSTM model", ROCLING 2021.
    """
    network = DenseClassifier((256, 64), dropout=0.5, **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(0.01, verbose=verbose)), ("classifier", network)])


@_system
def mou2021_lstm(*, random_state=None, epochs=80, verbose=0) -> Pipeline:
    """The LSTM alone, a baseline of S1 ([1]_).

    Parameters
    ----------
    <common, at most>

    Returns
    -------
    Pipeline
        `WaveformChunker`, `LSTMClassifier`.

    Notes
    -----
    Otherwise than [1]_, the LSTM reads the waveform 10 ms at a time, not a second: of whole seconds as steps it recognises
    18 % of seven emotions of EMO-DB. Its states are averaged over the clip: of its last state alone, after some hundreds of such
    steps, it recognises 48 %.

    References
    ----------
    .. [1] Mou et al., "Speech emotion recognition based on CNN+LSTM model", ROCLING 2021.
    """
    network = LSTMClassifier(64, pooling="mean", **_mou_training(epochs, random_state, verbose))
    return Pipeline([("chunks", WaveformChunker(0.01, verbose=verbose)), ("classifier", network)])


# -------------------------------------------------------------------------------------- S2: stacked LSTM on pooled features

_BLEDEA_DESCRIPTORS = {"mel": ("mel",), "all": ("mel", "mfcc", "zcr", "rms"), "no_zcr": ("mel", "mfcc", "rms")}


@_system
def bledea_stacked_lstm(features="all", *, noise=False, random_state=None, epochs=50, verbose=0):
    """Stacked LSTM on features pooled over a clip, system S2 ([1]_).

    Parameters
    ----------
    features : {"mel", "all", "no_zcr"}, default="all"
        Means over the frames of 128 mel bands, with 40 MFCC, zero-crossing rate and RMS ("all", 170 values), or without the
        zero-crossing rate (169).
    noise : bool, default=False
        Train on noisy copies, too: white noise at 10 dB SNR.
    <common>

    Returns
    -------
    Pipeline, or AugmentedClassifier of it if `noise`
        `HandcraftedFeatures`, `StandardScaler`, `StackedLSTMClassifier`.

    Notes
    -----
    As published: the features; two LSTMs of 128 units, a ReLU layer of 32, dropout of 0.2, softmax; Adam at 0.001, 50
    epochs, 256 clips a batch.

    Left open by [1]_: the level of the noise, and how 170 values become a sequence. Here they are one step; read as 170 steps
    of one value (``set_params(classifier__step_size=1)``), as often understood, the same network recognises 50 to 55 % of
    EMO-DB in place of 70 to 75, and trains ten times as long.

    Otherwise than [1]_: clips are read at 16 kHz, so that corpora at several rates have the same bands, and brought to the
    same level; features are standardised. Raw mel powers differ by orders of magnitude among bands and clips: noise then
    moves them to where the network has never been, which may be why [1]_ found that noise ruins it.

    References
    ----------
    .. [1] Bledea, "Speech emotion recognition with recurrent neural networks".
    """
    if features not in _BLEDEA_DESCRIPTORS:
        raise ValueError(f"features must be one of {list(_BLEDEA_DESCRIPTORS)}. Got {features!r}.")
    network = StackedLSTMClassifier(
        lstm_units=(128, 128),
        dense_units=(32,),
        dropout=0.2,
        learning_rate=0.001,
        epochs=epochs,
        batch_size=256,
        random_state=random_state,
        verbose=verbose,
    )
    extractor = HandcraftedFeatures(feature_set="bledea170", descriptors=_BLEDEA_DESCRIPTORS[features], verbose=verbose)
    pipeline = Pipeline([("features", extractor), ("scaler", StandardScaler()), ("classifier", network)])
    return AugmentedClassifier(pipeline, [AddNoise(snr=10)], random_state=random_state) if noise else pipeline


# ----------------------------------------------------------------------------------- S3: log-mel CNN+LSTM with augmentation


def _mel_axis_first(X: np.ndarray, n_mels: int) -> np.ndarray:
    """Flattened log-mel frames as (n_clips, n_mels, n_frames)."""
    return np.asarray(X).reshape(len(X), -1, n_mels).transpose(0, 2, 1)


@_system
def saleem_cnn_lstm(*, faithful=False, random_state=None, epochs=150, verbose=0) -> AugmentedClassifier:
    """CNN+LSTM on log-mel spectrograms, trained with noisy and pitch-shifted copies, system S3 ([1]_).

    Parameters
    ----------
    faithful : bool, default=False
        True keeps two traps of [1]_: the convolution runs along the mel axis, so that the LSTM reads frequencies and not time;
        and spectrograms are padded with 0 dB, the loudest value there is. By default both are mended: convolution and LSTM
        run along time, and padding is masked.
    <common, at most>

    Returns
    -------
    AugmentedClassifier
        Of a Pipeline: `MelSpectrogramTransformer`, standardisation, `CNNLSTMClassifier`.

    Notes
    -----
    As published: 44.1 kHz, 3.5 s from 0.5 s on; 200 mel bands, FFT of 2048, hop of 512, dB below the loudest value; of
    each training clip two copies with noise of 0.008 and, with probability 0.9, one raised by 4 semitones; three blocks of
    64, 128 and 256 filters, 3 wide, pooled by 4; LSTMs of 540 and 256, ReLU layers of 100, 50 and 20 with batch normalisation
    between them; RMSprop, 200 clips a batch, 150 epochs, the best kept. Clips of less than 0.5 s are an error, unless
    ``estimator__mel__offset`` is set to 0. With ``faithful=True`` each pixel is standardised.

    Otherwise than [1]_: the best epoch is chosen on a tenth of the training clips, not on those to test on (copies of a clip
    stay with it); the dense layers read the last state of the second LSTM, not all its states side by side, because clips
    have any length; the convolution has no ReLU before its ELU, and pools first. By default each mel band is standardised,
    not each pixel: what happens when in a clip is chance.

    References
    ----------
    .. [1] Saleem, "Speech emotion recognition (SER) using CNN and LSTMs", article and code on RAVDESS.
    """
    mel = MelSpectrogramTransformer(
        sr=44100,
        n_mels=200,
        n_fft=2048,
        hop_length=512,
        ref="max",
        n_frames=302,
        offset=0.5,
        duration=3.5,
        normalize=None,
        verbose=verbose,
    )
    network = CNNLSTMClassifier(
        input_type="frames",
        filters=(64, 128, 256),
        kernel_size=3,
        pool_size=4,
        lstm_units=(540, 256),
        dense_units=(100, 50, 20),
        dropout=0.0,
        spatial_dropout=0.0,
        optimizer="rmsprop",
        epochs=epochs,
        batch_size=200,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=epochs,
        random_state=random_state,
        verbose=verbose,
    )
    if faithful:
        mel_axis_first = FunctionTransformer(_mel_axis_first, kw_args={"n_mels": 200})
        steps = [
            ("mel", mel),
            ("flatten", FlattenFrames(fill_value=0.0)),
            ("scaler", StandardScaler()),
            ("mel_axis_first", mel_axis_first.set_output(transform="default")),
        ]
    else:
        steps = [("mel", mel), ("scaler", FrameWise(StandardScaler()))]
    return AugmentedClassifier(
        Pipeline([*steps, ("classifier", network)]),
        [AddNoise(amplitude=0.008), AddNoise(amplitude=0.008), PitchShift(4, p=0.9)],
        random_state=random_state,
    )


# -------------------------------------------------------------------------- S4: auto-encoder kernels and attention BLSTM


@_system
def he_svm(*, standardize=False, random_state=None, epochs=None, verbose=0) -> Pipeline:
    """Functionals of low-level descriptors and an RBF-SVM, experiment 1 of S4 ([1]_).

    Parameters
    ----------
    standardize : bool, default=False
        Whether the functionals are standardised before the SVM reads them, which [1]_ does not say and an RBF kernel needs.
    random_state, epochs : ignored
        Nothing here is random or trained in epochs; all systems take them.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    Pipeline
        `LowLevelDescriptors`, `ReferenceScaler`, `Functionals`, `GridSearchCV` of an `SVC`.

    Notes
    -----
    As published: windows of 20 ms every 10 ms; 256 values of the FFT, F0, formants, energy, zero-crossing rate, 13 MFCC;
    scaled by mean and deviation of the neutral training clips (``set_params(scaler__reference=...)`` names another class, or
    None for all clips); C chosen among 1e-6 to 1, here by cross-validation of the
    training clips.

    Left open by [1]_: the functionals. As long as they are not standardised, too, those that vary most decide alone, and the
    baseline is weaker than it need be.

    References
    ----------
    .. [1] He, Ren and He, "Speech emotion recognition using convolutional neural networks and recurrent neural networks with
       attention model".
    """
    return Pipeline(
        [
            ("descriptors", LowLevelDescriptors(verbose=verbose)),
            ("scaler", ReferenceScaler("neutral")),
            ("functionals", Functionals()),
            *([("standardize", StandardScaler())] if standardize else []),
            ("classifier", GridSearchCV(SVC(), {"C": np.logspace(-6, 0, 7)})),
        ]
    )


@_system
def he_blstm(*, random_state=None, epochs=20, verbose=0) -> Pipeline:
    """Low-level descriptors, a dense layer on each frame and a BLSTM, experiment 2 of S4 ([1]_).

    Parameters
    ----------
    <common>

    Returns
    -------
    Pipeline
        `LowLevelDescriptors`, `ReferenceScaler`, `AttentionBLSTMClassifier` without attention.

    Notes
    -----
    As published: the descriptors of `he_svm`; 512 ReLU units and a BLSTM of 128; noise of 0.1 on the input and dropout of
    0.5 in training.

    Otherwise than [1]_: see `he_attention_blstm`. Ten frames make one step of the BLSTM, as in
    the other experiments, because an LSTM takes as long as it has steps.

    References
    ----------
    .. [1] He, Ren and He, "Speech emotion recognition using convolutional neural networks and recurrent neural networks with
       attention model".
    """
    network = AttentionBLSTMClassifier(
        (128,), dense_units=(512,), pool_size=10, attention=False, **_he_training(1e-3, epochs, random_state, verbose)
    )
    return Pipeline(
        [
            ("descriptors", LowLevelDescriptors(verbose=verbose)),
            ("scaler", ReferenceScaler("neutral")),
            ("classifier", network),
        ]
    )


@_system
def he_autoencoder_blstm(*, random_state=None, epochs=40, verbose=0) -> Pipeline:
    """Convolution kernels learned by an auto-encoder, and a BLSTM, experiment 3 of S4 ([1]_).

    Parameters
    ----------
    <common>

    Returns
    -------
    Pipeline
        The steps of `he_attention_blstm`, with an `AttentionBLSTMClassifier` without attention.

    Notes
    -----
    As published: the spectrogram and kernels of `he_attention_blstm`, then a BLSTM of 128. Otherwise than [1]_: as there.

    References
    ----------
    .. [1] He, Ren and He, "Speech emotion recognition using convolutional neural networks and recurrent neural networks with
       attention model".
    """
    network = AttentionBLSTMClassifier((128,), attention=False, **_he_training(1e-3, epochs, random_state, verbose))
    return Pipeline([*_he_kernels(random_state, verbose), ("classifier", network)])


@_system
def he_attention_blstm(*, random_state=None, epochs=60, verbose=0) -> Pipeline:
    """Convolution kernels learned by an auto-encoder, and a BLSTM with attention, experiment 4 of S4 ([1]_).

    Parameters
    ----------
    <common>

    Returns
    -------
    Pipeline
        `LowLevelDescriptors`, `ReferenceScaler`, `PCA` and `SparseAutoencoderFeatures`, a `StandardScaler`, and an
        `AttentionBLSTMClassifier`.

    Notes
    -----
    As published: the spectrogram in windows of 20 ms every 10 ms, scaled by mean and deviation of the neutral training clips,
    reduced to 60 values a frame by PCA; 180 kernels of 3, 6 and 10 frames, learned by a sparse auto-encoder from patches of a
    third of the training clips; sigmoid, and means over windows; two BLSTMs of 30 units, attention, softmax; noise of
    0.1 on the input and dropout of 0.5 in training.

    Left open by [1]_: the auto-encoder's sparsity and its weight, and the windows of the means (see
    `SparseAutoencoderFeatures`).

    Otherwise than [1]_: Adam in place of SGD at a learning rate of 1e-6, which barely moves a network; 32 clips a batch
    in place of 10, for speed; Keras' own initial weights. What the kernels say is standardised before it reaches the BLSTM.

    References
    ----------
    .. [1] He, Ren and He, "Speech emotion recognition using convolutional neural networks and recurrent neural networks with
       attention model".
    """
    network = AttentionBLSTMClassifier((30, 30), **_he_training(3e-3, epochs, random_state, verbose))
    return Pipeline([*_he_kernels(random_state, verbose), ("classifier", network)])


def _he_kernels(random_state, verbose) -> list:
    return [
        ("spectrogram", LowLevelDescriptors(descriptors=("fft",), verbose=verbose)),
        ("scaler", ReferenceScaler("neutral")),
        ("pca", FrameWise(PCA(60, random_state=random_state))),
        ("kernels", SparseAutoencoderFeatures(random_state=random_state, verbose=verbose)),
        ("kernel_scaler", FrameWise(StandardScaler())),
    ]


def _he_training(learning_rate, epochs, random_state, verbose) -> dict:
    return dict(
        dropout=0.5,
        input_noise=0.1,
        learning_rate=learning_rate,
        epochs=epochs,
        random_state=random_state,
        verbose=verbose,
    )


# ------------------------------------------------------------------------------------------------------------------ the list


class PublishedSystem(NamedTuple):
    """A system in one scenario of its paper.

    Attributes
    ----------
    name : str
        Of the function, with its arguments and the scenario where there are several.
    build : callable
        Returns the unfitted system; takes `random_state`, `epochs` and `verbose`.
    paper : str
    corpus : {"emodb", "ravdess", "tess"}
        The corpus that the paper measures it on.
    emotions : tuple of str, or None
        Those that the paper tells apart; None: all of the corpus.
    test_size : float
        Share of the clips that the paper tests on, drawn at random; 0.2 where it does not say.
    wa : float or None
        Published accuracy on them, if there is a figure.
    """

    name: str
    build: Callable
    paper: str
    corpus: str
    emotions: tuple[str, ...] | None
    test_size: float
    wa: float | None


def list_systems() -> list[PublishedSystem]:
    """All published systems, with the figures that their papers report.

    Returns
    -------
    systems : list of PublishedSystem

    Examples
    --------
    >>> from sklearn_ser.systems import list_systems
    >>> {system.name: system.wa for system in list_systems()}["mou2021_cnn_lstm"]
    0.5783
    """
    mou = partial(PublishedSystem, paper="Mou et al. 2021", corpus="emodb", test_size=0.2)
    seven, four = partial(mou, emotions=None), partial(mou, emotions=("anger", "happiness", "neutral", "sadness"))
    bledea = partial(PublishedSystem, paper="Bledea", corpus="tess", emotions=None, test_size=0.25)
    no_calm = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    saleem = partial(PublishedSystem, paper="Saleem", corpus="ravdess", emotions=no_calm, test_size=0.2, wa=0.73)
    he = partial(PublishedSystem, paper="He, Ren and He", corpus="emodb", emotions=None, test_size=0.2)
    return [
        seven("mou2021_cnn_lstm", mou2021_cnn_lstm, wa=0.5783),
        four("mou2021_cnn_lstm, 4 emotions", mou2021_cnn_lstm, wa=0.83),
        seven("mou2021_nn", mou2021_nn, wa=0.533),
        four("mou2021_nn, 4 emotions", mou2021_nn, wa=0.779),
        seven("mou2021_cnn", mou2021_cnn, wa=0.458),
        seven("mou2021_lstm", mou2021_lstm, wa=0.505),
        bledea('bledea_stacked_lstm("mel")', partial(bledea_stacked_lstm, "mel"), wa=0.95),
        bledea('bledea_stacked_lstm("all")', partial(bledea_stacked_lstm, "all"), wa=0.96),
        bledea('bledea_stacked_lstm("no_zcr")', partial(bledea_stacked_lstm, "no_zcr"), wa=0.96),
        bledea(
            'bledea_stacked_lstm("no_zcr", noise=True)', partial(bledea_stacked_lstm, "no_zcr", noise=True), wa=0.15
        ),
        saleem("saleem_cnn_lstm", saleem_cnn_lstm),
        saleem("saleem_cnn_lstm(faithful=True)", partial(saleem_cnn_lstm, faithful=True)),
        he("he_svm", he_svm, wa=None),
        he("he_svm(standardize=True)", partial(he_svm, standardize=True), wa=None),
        he("he_blstm", he_blstm, wa=None),
        he("he_autoencoder_blstm", he_autoencoder_blstm, wa=None),
        he("he_attention_blstm", he_attention_blstm, wa=0.7797),
    ]
