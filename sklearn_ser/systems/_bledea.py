"""S2, Bledea: stacked LSTM on features pooled over a clip."""

from __future__ import annotations

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ..augmentation import AddNoise, AugmentedClassifier
from ..features import HandcraftedFeatures
from ..neural import StackedLSTMClassifier
from ..utils._messages import short
from ._docs import _system

_BLEDEA_DESCRIPTORS = {"mel": ("mel",), "all": ("mel", "mfcc", "zcr", "rms"), "no_zcr": ("mel", "mfcc", "rms")}


@_system
def bledea_stacked_lstm(features="all", *, noise=False, random_state=None, epochs=50, verbose=0):
    """Stacked LSTM on features pooled over a clip, system S2 ([1]_).

    Parameters
    ----------
    features : {"mel", "all", "no_zcr"}, default="all"
        Means over the frames of 128 mel bands, with 40 MFCC, zero-crossing rate and RMS ("all", 170 values), or without
        the zero-crossing rate (169).
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

    Left open by [1]_: the level of the noise, and how 170 values become a sequence. Here they are one step; read as 170
    steps of one value (``set_params(classifier__step_size=1)``), as often understood, the same network recognizes 50 to
    55 % of EMO-DB in place of 70 to 75, and trains ten times as long.

    Otherwise than [1]_: clips are read at 16 kHz, so that corpora at several rates have the same bands, and brought to
    the same level; features are standardized. Raw mel powers differ by orders of magnitude among bands and clips: noise
    then moves them to where the network has never been, which may be why [1]_ found that noise ruins it.

    References
    ----------
    .. [1] Bledea, cited in full in `sklearn_ser.systems`.
    """
    if features not in _BLEDEA_DESCRIPTORS:
        raise ValueError(f"features must be one of {list(_BLEDEA_DESCRIPTORS)}. Got {short(features)}.")
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
