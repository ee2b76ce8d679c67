"""The same code on a Dask cluster: two workers here, each a process of its own."""

import os
from collections import Counter
from functools import partial

import joblib
import numpy as np
import pytest
import soundfile
from distributed import Client, LocalCluster
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AudioError,
    AugmentedClassifier,
    HandcraftedFeatures,
    LowLevelDescriptors,
    MelSpectrogramTransformer,
    WaveformChunker,
    WaveformLoader,
)


def logging(waveforms, *, function, log):
    with open(log, "a") as file:
        file.write("".join(f"{os.getpid()} {waveform.size}\n" for waveform in waveforms))
    return function(waveforms)


class Logged(HandcraftedFeatures):
    """Features that write down, beside their memory, which process analysed a clip of which length."""

    def _function(self):
        return partial(logging, function=super()._function(), log=f"{self.memory}.log")


@pytest.fixture(scope="module")
def cluster():
    """A cluster; what runs in joblib goes there."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        yield


@pytest.fixture
def files(tmp_path):
    """Twenty files of noise, of different lengths."""
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"clip {i}.wav") for i in range(20)]
    for i, path in enumerate(paths):
        soundfile.write(path, rng.uniform(-0.5, 0.5, 2000 + 10 * i), 16000)
    return paths


LABELS = np.tile(["anger", "boredom"], 10)


def locally(function, *args):
    with joblib.parallel_config(backend="sequential"):
        return function(*args)


@pytest.mark.parametrize(
    "transformer",
    [
        WaveformLoader(),
        WaveformChunker(chunk_duration=0.1),
        MelSpectrogramTransformer(),
        LowLevelDescriptors(),
        HandcraftedFeatures(),
    ],
    ids=lambda t: type(t).__name__,
)
def test_every_transformer_gives_the_same_on_a_cluster(transformer, files, cluster):
    expected = locally(clone(transformer).fit_transform, files)
    for result, array in zip(transformer.fit_transform(files), expected, strict=True):
        np.testing.assert_array_equal(result, array)


def test_bad_audio_is_named_by_the_worker_that_meets_it(files, cluster):
    with pytest.raises(AudioError, match="Row 20: the waveform contains NaN"):
        HandcraftedFeatures().transform([*files, np.array([0.0, np.nan])])


def test_clips_are_analysed_by_the_workers_and_kept_for_all(files, tmp_path, cluster):
    transformer = Logged(memory=str(tmp_path / "memory"))
    expected = locally(HandcraftedFeatures().transform, files)
    for _ in range(2):
        np.testing.assert_array_equal(transformer.transform(files), expected)
    workers, lengths = np.loadtxt(f"{transformer.memory}.log", dtype=int).T
    assert os.getpid() not in workers
    assert len(lengths) == len(set(lengths)) == 20


def test_grid_search_gives_the_same_and_its_folds_share_a_memory(files, tmp_path, cluster):
    def search(features):
        pipeline = make_pipeline(features, StandardScaler(), SVC())
        return GridSearchCV(pipeline, {"svc__C": [0.1, 1, 10]}, cv=4).fit(files, LABELS)

    expected = locally(search, HandcraftedFeatures())
    found = search(Logged(memory=str(tmp_path / "memory")))
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    analysed = Counter(np.loadtxt(tmp_path / "memory.log", dtype=int)[:, 1])
    assert len(analysed) == 20 and max(analysed.values()) <= 2  # of 13 fits


def test_copies_by_augmenters_are_made_on_the_cluster(files, cluster):
    def decide():
        pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC())
        augmented = AugmentedClassifier(pipeline, [AddNoise(snr=(0, 20))], random_state=0)
        return augmented.fit(files, LABELS).decision_function(files)

    np.testing.assert_allclose(decide(), locally(decide))
