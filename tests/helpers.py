"""What several test files use: a small network, a fresh interpreter, tones, and estimators that record."""

import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from sklearn_ser import AddNoise, PitchShift, TimeStretch
from sklearn_ser.audio._input import as_clips
from sklearn_ser.audio._load import load_waveform

SR = 16000
LABELS = np.array(list("aabbcc"))  # of six clips
TRAINING = dict(learning_rate=0.02, epochs=3, batch_size=16, random_state=0)
SMALL = dict(
    filters=[8, 8],
    pool_size=2,
    lstm_units=8,
    statistics_units=0,
    learning_rate=0.02,
    learning_rate_schedule=None,
    epochs=6,
    batch_size=16,
    random_state=0,
)


def small(**params):
    """A CNN-LSTM that trains in a second."""
    from sklearn_ser import CNNLSTMClassifier

    return CNNLSTMClassifier(**{**SMALL, **params})


def run_python(code, *args, **environment):
    """Run code in a fresh interpreter that finds the tests' folder, too."""
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done


class PassOn(TransformerMixin, BaseEstimator):
    """A step that could take groups, too, such as one that normalises by speaker."""

    def fit(self, X, y=None, groups=None):
        self.groups_ = groups
        return self

    def transform(self, X):
        return X


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is given."""

    def __init__(self, early_stopping=False):
        self.early_stopping = early_stopping

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.sample_weight_, self.groups_ = X, y, sample_weight, groups
        self.waveforms_ = [load_waveform(clip) for clip in as_clips(X)]
        return self

    def predict(self, X):
        self.predicted_ = [load_waveform(clip) for clip in as_clips(X)]
        return np.repeat(self.classes_[:1], len(X))


def harmonic(f0, duration=1.0, sr=SR):
    """A tone of eight harmonics."""
    time = np.arange(round(duration * sr)) / sr
    return (0.2 * sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 9))).astype(np.float32)


def power(waveform):
    return np.mean(np.square(waveform, dtype=np.float64))


# ---------------------------------------------------------------------------------------- callables that are augmenters


OURS = [AddNoise(amplitude=0.01), AddNoise(snr=10), PitchShift(), TimeStretch(1.2)]


def ids(augmenter):
    """Names without addresses in memory."""
    return str(augmenter) if isinstance(augmenter, BaseEstimator) else getattr(augmenter, "__name__", "object")


def inverted(waveform, sr):
    return -waveform


def quieter(waveform, sr):
    return waveform / 2


def softened(waveform, sr, random_state):
    return waveform * random_state.uniform(0.1, 0.9)


class GlobalGain:
    """A transform in the manner of audiomentations: other names, global generators, state of its own."""

    def __init__(self, p=1.0):
        self.p = p
        self.parameters = {}

    def __call__(self, samples, sample_rate):
        self.parameters["gain"] = random.uniform(0.1, 0.9) + np.random.uniform(1, 2)
        return samples * np.float32(self.parameters["gain"])
