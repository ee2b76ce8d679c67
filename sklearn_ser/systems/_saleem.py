"""S3, Saleem: CNN+LSTM on log-mel spectrograms with augmentation."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ..augmentation import AddNoise, AugmentedClassifier, PitchShift
from ..features import FlattenFrames, FrameWise, MelSpectrogramTransformer
from ..neural import CNNLSTMClassifier
from ._docs import _system


def _mel_axis_first(X: np.ndarray, n_mels: int) -> np.ndarray:
    """Flattened log-mel frames as (n_clips, n_mels, n_frames)."""
    return np.asarray(X).reshape(len(X), -1, n_mels).transpose(0, 2, 1)


@_system
def saleem_cnn_lstm(*, as_published=False, random_state=None, epochs=150, verbose=0) -> AugmentedClassifier:
    """CNN+LSTM on log-mel spectrograms, trained with noisy and pitch-shifted copies, system S3 ([1]_).

    Parameters
    ----------
    as_published : bool, default=False
        True keeps two pitfalls of [1]_: the convolution runs along the mel axis, so that the LSTM reads frequencies and
        not time; and spectrograms are padded with 0 dB, the loudest value there is. By default both are fixed:
        convolution and LSTM run along time, and padding is masked.
    <common, at most>

    Returns
    -------
    AugmentedClassifier
        Around a Pipeline: `MelSpectrogramTransformer`, standardization, `CNNLSTMClassifier`.

    Notes
    -----
    As published: 44.1 kHz, 3.5 s from 0.5 s on; 200 mel bands, FFT of 2048, hop of 512, dB below the loudest value; of
    each training clip two copies with noise of 0.008 and, with probability 0.9, one raised by 4 semitones; three blocks
    of 64, 128 and 256 filters, 3 wide, pooled by 4; LSTMs of 540 and 256, ReLU layers of 100, 50 and 20 with batch
    normalization between them; RMSprop, 200 clips a batch, 150 epochs, the best kept. Clips of less than 0.5 s are an
    error, unless ``estimator__mel__offset`` is set to 0. With ``as_published=True`` each pixel is standardized.

    Otherwise than [1]_: the best epoch is chosen on a tenth of the training clips, not on those to test on (copies of a
    clip stay with it); the dense layers read the last state of the second LSTM, not all its states side by side,
    because clips have any length; the convolution has no ReLU before its ELU, and pools first. By default each mel band
    is standardized, not each pixel: what happens when in a clip is chance.

    References
    ----------
    .. [1] Saleem, cited in full in `sklearn_ser.systems`.
    """
    mel, network = _spectrogram(verbose), _network(random_state, epochs, verbose)
    if as_published:
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


def _spectrogram(verbose) -> MelSpectrogramTransformer:
    return MelSpectrogramTransformer(
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


def _network(random_state, epochs, verbose) -> CNNLSTMClassifier:
    return CNNLSTMClassifier(
        input_type="frames",
        filters=(64, 128, 256),
        kernel_size=3,
        pool_size=4,
        lstm_units=(540, 256),
        dense_units=(100, 50, 20),
        dropout=0.0,
        spatial_dropout=0.0,
        statistics_units=0,
        optimizer="rmsprop",
        learning_rate=1e-3,
        learning_rate_schedule=None,
        epochs=epochs,
        batch_size=200,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=epochs,
        random_state=random_state,
        verbose=verbose,
    )
