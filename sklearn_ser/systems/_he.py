"""S4, He, Ren and He: attention BLSTM on kernels of an auto-encoder, and its baselines."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..features import FrameWise, Functionals, LowLevelDescriptors, SparseAutoencoderFeatures
from ..neural import AttentionBLSTMClassifier
from ..preprocessing import ReferenceScaler
from ._docs import _system


@_system
def he_svm(*, standardize=False, random_state=None, epochs=None, verbose=0) -> Pipeline:
    """Functionals of low-level descriptors and an RBF-SVM, experiment 1 of S4 ([1]_).

    Parameters
    ----------
    standardize : bool, default=False
        True if the functionals are standardized before the SVM reads them, which [1]_ does not say and an RBF kernel
        needs.
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
    As published: windows of 20 ms every 10 ms; 256 values of the FFT, F0, formants, energy, zero-crossing rate, 13
    MFCC; scaled by mean and deviation of the neutral training clips (``set_params(scaler__reference=...)`` names
    another class, or None for all clips); C chosen among 1e-6 to 1, here by cross-validation of the training clips.

    Left open by [1]_: the functionals. As long as they are not standardized, too, those that vary most decide alone,
    and the baseline is weaker than it need be.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
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
    As published: the descriptors of `he_svm`; 512 ReLU units and a BLSTM of 128; noise of 0.1 on the input and dropout
    of 0.5 in training.

    Otherwise than [1]_: see `he_attention_blstm`. Ten frames make one step of the BLSTM, as in
    the other experiments, because an LSTM takes as long as it has steps.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
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
    As published: the spectrogram and kernels of `he_attention_blstm`, then a BLSTM of 128. Otherwise than [1]_: as
    there.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    """
    training = _he_training(1e-3, epochs, random_state, verbose)
    network = AttentionBLSTMClassifier((128,), dense_units=(), pool_size=1, attention=False, **training)
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
    As published: the spectrogram in windows of 20 ms every 10 ms, scaled by mean and deviation of the neutral training
    clips, reduced to 60 values a frame by PCA; 180 kernels of 3, 6 and 10 frames, learned by a sparse auto-encoder from
    patches of a third of the training clips; sigmoid, and means over windows; two BLSTMs of 30 units, attention,
    softmax; noise of 0.1 on the input and dropout of 0.5 in training.

    Left open by [1]_: the auto-encoder's sparsity and its weight, and the windows of the means (see
    `SparseAutoencoderFeatures`).

    Otherwise than [1]_: Adam in place of SGD at a learning rate of 1e-6, which barely moves a network; 32 clips a batch
    in place of 10, for speed; Keras' own initial weights. Activations of the kernels are standardized before they
    reach the BLSTM.

    References
    ----------
    .. [1] He, Ren and He (2019), cited in full in `sklearn_ser.systems`.
    """
    training = _he_training(3e-3, epochs, random_state, verbose)
    network = AttentionBLSTMClassifier((30, 30), dense_units=(), pool_size=1, **training)
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
        learning_rate_schedule=None,
        epochs=epochs,
        random_state=random_state,
        verbose=verbose,
    )
