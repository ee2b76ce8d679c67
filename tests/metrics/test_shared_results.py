"""evaluate analyzes each clip, copy and condition once, and nothing but the time that it takes changes."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    AddNoise,
    AudioTransformer,
    AugmentedClassifier,
    AugmentedRegressor,
    Telephone,
    evaluate,
    make_emotional_speech,
)
from sklearn_ser.audio._shared import SharedResults, shared_results, sharing


def levels(waveforms, log, n_values):
    with open(log, "a") as file:
        file.write("".join(f"{len(waveform)} {waveform.sum()}\n" for waveform in waveforms))
    return [np.resize([np.abs(waveform).max(), waveform.std()], n_values) for waveform in waveforms]


class Levels(AudioTransformer):
    """Peak and level of a clip; leaves a line in a file for each clip that it analyzes."""

    def __init__(self, log=None, n_values=2, memory=None, n_jobs=None):
        self.log, self.n_values, self.memory, self.n_jobs = log, n_values, memory, n_jobs
        self.sr, self.offset, self.duration, self.normalize, self.verbose = 16000, 0.0, None, None, 0

    def _learn(self, n_times):
        self.n_values_ = self.n_values

    def _function(self):
        return partial(levels, log=self.log, n_values=self.n_values)

    def transform(self, X):
        return self._rows(X, self.n_values)


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(24, emotions=["anger", "sadness"], n_speakers=3, random_state=0)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Temporary folders of this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def augmented(log, **params):
    pipeline = make_pipeline(Levels(log, **params), LogisticRegression())
    return AugmentedClassifier(pipeline, [AddNoise(snr=(0, 20)), Telephone(p=0.5)], random_state=0)


def analyzed(log):
    lines = log.read_text().splitlines()
    log.unlink()
    return lines


@pytest.mark.processes
def test_clips_copies_and_conditions_are_analyzed_once(corpus, log):
    conditions = {"noise": AddNoise(snr=0), "more noise": AddNoise(snr=-5)}
    report = evaluate(augmented(log), corpus, conditions=conditions, leakage=True)
    lines = analyzed(log)
    assert len(lines) == len(set(lines))
    copies = AugmentedClassifier(make_pipeline(Levels(log), LogisticRegression()), augmented(log).augmenters)
    copies.set_params(random_state=0).fit(corpus.data, corpus.target)
    assert len(lines) == len(analyzed(log)) + 2 * 24
    assert set(report.y_pred_conditions) == set(conditions)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_predictions_are_those_of_cross_val_predict(corpus, log, n_jobs):
    expected = cross_val_predict(
        augmented(log), corpus.data, corpus.target, groups=corpus.speaker, cv=LeaveOneGroupOut()
    )
    report = evaluate(augmented(log), corpus, n_jobs=n_jobs)
    np.testing.assert_array_equal(report.y_pred, expected)


def test_processes_share_what_they_analyze_and_leave_no_folder(corpus, log, folders):
    evaluate(augmented(log, n_jobs=1), corpus, n_jobs=2, leakage=True)
    lines = analyzed(log)
    evaluate(augmented(log, n_jobs=1), corpus, leakage=True)
    once = analyzed(log)
    assert set(lines) == set(once)
    assert len(lines) < 2.5 * len(once)  # six folds, two at a time: at most two analyze the same clip at the same time
    assert not list(folders.iterdir())


def test_copies_are_shared_without_a_seed_and_differ_between_calls(corpus, log):
    estimator = augmented(log).set_params(random_state=None)
    calls = []
    for _ in range(2):
        evaluate(estimator, corpus)
        calls.append(analyzed(log))
    assert all(len(lines) == len(set(lines)) for lines in calls)
    assert set(calls[0]) != set(calls[1])
    assert estimator.random_state is None


def test_two_members_of_a_vote_share_an_extractor(corpus, log):
    members = [(name, make_pipeline(Levels(log), LogisticRegression(C=C))) for name, C in (("a", 1), ("b", 9))]
    evaluate(VotingClassifier(members), corpus, conditions={"noise": AddNoise(snr=0)})
    assert len(analyzed(log)) == 48


def test_a_memory_of_the_users_own_is_used_as_before(corpus, log, tmp_path):
    evaluate(augmented(log, memory=str(tmp_path / "memory")), corpus)
    n_clips = len(analyzed(log))
    evaluate(augmented(log, memory=str(tmp_path / "memory")), corpus)
    assert not log.exists() and len(list((tmp_path / "memory").rglob("output.pkl"))) == n_clips


def test_a_frozen_classifier_of_the_user_is_left_as_it_is(corpus, log):
    inner = augmented(log).set_params(random_state=None).fit(corpus.data, corpus.target)
    evaluate(FrozenEstimator(inner), corpus)
    assert inner.random_state is None and inner.estimator_[0].memory is None


def test_what_does_not_fit_in_memory_goes_to_a_folder_that_is_removed(corpus, log, folders):
    clips, transformer = corpus.data[:6], Levels(log, n_values=1000).fit(corpus.data)
    expected = transformer.transform(clips)
    analyzed(log)
    results = SharedResults(most_bytes=20_000)
    with sharing(results):
        for _ in range(3):
            np.testing.assert_array_equal(transformer.transform(clips), expected)
        assert len(analyzed(log)) == 6
        (folder,) = folders.iterdir()
        assert 0 < len(list(folder.iterdir())) < 6
    results.close()
    assert not list(folders.iterdir())
    with sharing(results):  # nothing is kept anymore, and nothing breaks
        np.testing.assert_array_equal(transformer.transform(clips), expected)
    assert not list(folders.iterdir()) and shared_results() is None


def test_a_full_or_missing_folder_costs_time_only(corpus, log, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    clips, transformer, results = corpus.data[:4], Levels(log).fit(corpus.data), SharedResults(most_bytes=0)
    with sharing(results):
        assert_twice(transformer, clips)
    assert len(analyzed(log)) == 8


def assert_twice(transformer, clips):
    np.testing.assert_array_equal(transformer.transform(clips), transformer.transform(clips))


def test_shared_results_travel_to_processes_as_their_folder(folders):
    results = SharedResults()
    key = ["sklearn_ser", "Name", "1f"]
    results.dump_item(key, (7, b"seven"))
    copy = joblib.load(_dumped(results, folders))
    assert copy.load_item(key) == results.load_item(key) == (7, b"seven")
    copy.dump_item([*key[:2], "2f"], (2**32 - 1, b"two"))
    assert results.load_item([*key[:2], "2f"]) == (2**32 - 1, b"two")
    results.close()
    copy.dump_item([*key[:2], "3f"], (3, b"three"))
    with pytest.raises(OSError, match="3f"):
        copy.load_item([*key[:2], "3f"])
    assert [path.name for path in folders.iterdir()] == ["results"]


def _dumped(results, folder):
    return joblib.dump(results, folder / "results")[0]


def test_threads_of_others_share_nothing():
    seen = []
    with sharing(SharedResults()):
        thread = threading.Thread(target=lambda: seen.append(shared_results()))
        thread.start()
        thread.join()
        assert seen == [None] and shared_results() is not None


def test_estimators_without_our_transformers_work_as_before():
    rng = np.random.default_rng(0)
    y, speaker = np.tile(["anger", "fear"], 30), np.repeat(list("abcdef"), 10)
    X = rng.normal(size=(60, 2)) + 2 * (y == "fear")[:, np.newaxis]
    expected = cross_val_predict(LogisticRegression(), X, y, groups=speaker, cv=LeaveOneGroupOut())
    np.testing.assert_array_equal(evaluate(LogisticRegression(), X, y, speaker=speaker).y_pred, expected)


def test_results_are_those_of_the_same_parameters(corpus, log):
    with sharing(SharedResults()):
        few, many = (Levels(log, n_values=n).fit_transform(corpus.data[:3]) for n in (2, 5))
        again = clone(Levels(log, n_values=2)).fit_transform(corpus.data[:3])
    np.testing.assert_array_equal(few, many[:, :2])
    np.testing.assert_array_equal(few, again)


INTERRUPTED = """
import os, sys, time, tempfile
tempfile.tempdir = sys.argv[1]
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn_ser import WaveformChunker, FlattenFrames, evaluate
from sklearn_ser.audio import _shared
_shared.SharedResults.__init__.__defaults__ = (0, None)

class Slow(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        print("fitting", flush=True)
        time.sleep(60)

evaluate(make_pipeline(WaveformChunker(chunk_duration=0.1, n_chunks=1), FlattenFrames(), Slow()),
         [np.ones(4000)] * 4, ["a", "b"] * 2, speaker=["s", "s", "t", "t"])
"""


@pytest.mark.processes
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_the_folder_is_removed_after_an_interruption(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
    ) as process:
        assert process.stdout.readline() == "fitting\n"
        assert any(path.name.startswith("sklearn_ser_") for path in tmp_path.iterdir())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) != 0
    assert not list(tmp_path.iterdir())


def test_a_file_is_read_once_for_its_digest_in_a_call(tmp_path, log, monkeypatch):
    path = str(tmp_path / "clip.wav")
    soundfile.write(path, np.linspace(-0.5, 0.5, 4000), 16000)
    opened = []
    monkeypatch.setattr("sklearn_ser.audio._clips._digest_of_file", lambda *a: opened.append(a) or b"digest")
    transformer = Levels(log).fit([path])
    with sharing(SharedResults()):
        for _ in range(5):
            transformer.transform([path])
    assert len(opened) == 1


def test_copies_of_a_regressor_are_shared_without_a_seed(corpus, log):
    pipeline = make_pipeline(Levels(log), Ridge())
    values = np.arange(24.0)
    evaluate(AugmentedRegressor(pipeline, [AddNoise(snr=(0, 20))]), corpus.data, values, speaker=corpus.speaker)
    lines = analyzed(log)
    assert len(lines) == len(set(lines)) == 48
