"""A fitted pipeline that is saved, loaded, and used by the threads and processes of a server."""

import io
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import ThreadpoolController, threadpool_info

import sklearn_ser
from sklearn_ser import (
    CalibratedDiscriminant,
    CalibratedRidge,
    DenseClassifier,
    HandcraftedFeatures,
    LSTMClassifier,
    MelSpectrogramTransformer,
    VersionMismatchWarning,
    WaveformLoader,
)
from sklearn_ser._signal import clear_speech
from sklearn_ser.features import _feature_sets
from sklearn_ser.utils._processes import one_blas_thread


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [rng.normal(size=rng.integers(4000, 24000)).astype(np.float32) for _ in range(12)]


LABELS = ["anger", "fear"] * 6


def saved(estimator) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


def loaded(data: bytes):
    return joblib.load(io.BytesIO(data))


# ------------------------------------------------------------------------------------------------- memory


def fitted_with_memory(transformer, folder, clips):
    return make_pipeline(transformer.set_params(memory=folder), SVC()).fit(clips, LABELS)


def test_loaded_pipeline_writes_nothing(clips, tmp_path, monkeypatch):
    data = saved(fitted_with_memory(HandcraftedFeatures(), str(tmp_path / "cache"), clips))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    server = loaded(data)
    server.predict([np.sin(np.arange(8000))])
    assert server[0].memory is None
    assert sorted(tmp_path.rglob("*")) == before


def test_loaded_pipeline_caches_if_asked(clips, tmp_path):
    server = loaded(saved(fitted_with_memory(HandcraftedFeatures(), str(tmp_path / "cache"), clips)))
    server.set_params(handcraftedfeatures__memory=str(tmp_path / "asked")).predict(clips[:3])
    assert len(list((tmp_path / "asked").rglob("output.pkl"))) == 3


@pytest.mark.parametrize("transformer", [WaveformLoader(), HandcraftedFeatures(), MelSpectrogramTransformer()], ids=str)
def test_what_is_not_yet_fitted_keeps_its_memory(transformer, clips):
    """As a search sends it to its workers."""
    transformer = clone(transformer).set_params(memory="folder")
    assert pickle.loads(pickle.dumps(transformer)).memory == "folder"
    assert clone(transformer.fit(clips)).memory == "folder"
    assert transformer.memory == "folder"
    assert pickle.loads(pickle.dumps(transformer)).memory is None


def test_workers_of_a_search_use_the_memory(clips, tmp_path):
    pipeline = make_pipeline(HandcraftedFeatures(memory=str(tmp_path)), StandardScaler(), SVC())
    with joblib.parallel_config(backend="loky"):
        search = GridSearchCV(pipeline, {"svc__C": [1, 10]}, cv=2, n_jobs=2, refit=False).fit(clips, LABELS)
    assert len(list(tmp_path.rglob("output.pkl"))) == len(clips)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_folder_that_cannot_be_made_is_one_warning_and_no_caching(clips, tmp_path):
    (tmp_path / "file").write_text("no folder")
    transformer = HandcraftedFeatures(memory=str(tmp_path / "file")).fit(clips)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        features = transformer.transform(clips)
    assert [warning.category for warning in caught] == [UserWarning]
    assert "cannot be written" in str(caught[0].message)
    np.testing.assert_array_equal(features, HandcraftedFeatures().fit_transform(clips))


def test_results_in_a_folder_without_write_permission_are_found(clips, tmp_path, monkeypatch):
    HandcraftedFeatures(memory=tmp_path).fit_transform(clips[:6])

    def read_only(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", read_only)
    monkeypatch.setattr("joblib.numpy_pickle.dump", read_only)
    with pytest.warns(UserWarning, match="memory='.*' cannot be written.*Permission denied.*nothing is cached"):
        features = HandcraftedFeatures(memory=tmp_path).fit_transform(clips)
    np.testing.assert_array_equal(features, HandcraftedFeatures().fit_transform(clips))


# ------------------------------------------------------------------------------------------------- versions


def our_estimators():
    public = [getattr(sklearn_ser, name) for name in sklearn_ser.__all__]
    return [c for c in public if isinstance(c, type) and issubclass(c, BaseEstimator)]


@pytest.mark.parametrize("estimator", our_estimators(), ids=lambda c: c.__name__)
def test_every_estimator_knows_its_version(estimator):
    state = estimator.__getstate__(object.__new__(estimator))
    assert state["_sklearn_ser_version"] == sklearn_ser.__version__


def test_other_version_warns_as_scikit_learn_does(clips, monkeypatch):
    data = saved(make_pipeline(MelSpectrogramTransformer(), DenseClassifier(epochs=1)))
    loaded(data)  # silently
    monkeypatch.setattr(sklearn_ser, "__version__", "9.9")
    with pytest.warns(VersionMismatchWarning, match=r"was saved by sklearn_ser 0\.\S+ and is loaded by 9\.9") as caught:
        loaded(data)
    assert {w.message.estimator_name for w in caught} == {"MelSpectrogramTransformer", "DenseClassifier"}
    assert issubclass(VersionMismatchWarning, InconsistentVersionWarning)


def test_state_without_a_version_is_older_than_all(clips):
    state = HandcraftedFeatures().__getstate__()
    del state["_sklearn_ser_version"]
    with pytest.warns(VersionMismatchWarning, match="saved by sklearn_ser before 0.1.0"):
        HandcraftedFeatures().__setstate__(state)


def test_feature_set_that_changed_under_its_name_warns(clips, monkeypatch):
    data = saved(HandcraftedFeatures().fit(clips))
    name = HandcraftedFeatures().feature_set
    whole = _feature_sets.FEATURE_SETS[name]
    monkeypatch.setitem(_feature_sets.FEATURE_SETS, name, whole._replace(groups=whole.groups[::-1]))
    with pytest.warns(VersionMismatchWarning, match=f"The feature set '{name}' has changed since"):
        loaded(data)


def test_changed_value_of_a_feature_set_warns(clips, monkeypatch):
    data = saved(HandcraftedFeatures(feature_set="default-v2").fit(clips))
    loaded(data)  # silently
    monkeypatch.setattr(clear_speech, "_EXCESS", 3.1)
    with pytest.warns(VersionMismatchWarning, match="The feature set 'default-v2' has changed since"):
        loaded(data)


def test_rounding_of_another_machine_does_not_warn(clips, monkeypatch):
    data = saved(HandcraftedFeatures().fit(clips))
    fingerprint = _feature_sets.FeatureSet.fingerprint
    monkeypatch.setattr(_feature_sets.FeatureSet, "fingerprint", lambda self: fingerprint(self) * np.float32(1 + 1e-5))
    loaded(data)


def test_feature_sets_have_fingerprints_of_their_own():
    fingerprints = [feature_set.fingerprint().tobytes() for feature_set in _feature_sets.FEATURE_SETS.values()]
    assert len(set(fingerprints)) == len(fingerprints)


# ------------------------------------------------------------------------------------------------- threads


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture
def several_blas_threads():
    """As on a server; tests run with one."""
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        if 2 not in blas_threads():
            pytest.skip("BLAS has one thread here")
        for library in ThreadpoolController().lib_controllers:
            getattr(library, "clear_controlling_thread", lambda: None)()
        yield blas_threads()


def test_threads_leave_the_threads_of_blas_as_they_were(clips, several_blas_threads):
    transformer = HandcraftedFeatures().fit(clips)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda clip: transformer.transform([clip]), clips))
    assert blas_threads() == several_blas_threads


@pytest.mark.parametrize("module, name", [("discriminant", "_discriminant"), ("calibrated_ridge", "_ridge")])
def test_small_products_of_a_fit_take_one_thread_and_leave_the_others(monkeypatch, several_blas_threads, module, name):
    module = import_module(f"sklearn_ser.{module}")
    solve, seen = getattr(module, name), []

    def watched(*args):
        seen.append(set(blas_threads()))
        return solve(*args)

    monkeypatch.setattr(module, name, watched)
    X, y = np.random.default_rng(0).normal(size=(24, 3)), np.arange(24) % 2
    estimator = CalibratedDiscriminant() if name == "_discriminant" else CalibratedRidge()
    estimator.fit(X, y)
    assert len(seen) == 6  # five folds and all clips
    assert all(threads == {1} for threads in seen)
    assert blas_threads() == several_blas_threads


def test_limit_holds_until_the_last_thread_leaves(several_blas_threads):
    entered, leave = threading.Barrier(3), threading.Event()

    def first():
        with one_blas_thread():
            entered.wait()

    def second():
        with one_blas_thread():
            entered.wait()
            leave.wait()

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    entered.wait()
    threads[0].join()
    assert set(blas_threads()) == {1}
    leave.set()
    threads[1].join()
    assert blas_threads() == several_blas_threads


@pytest.fixture(scope="module")
def neural(clips):
    classifier = LSTMClassifier(4, epochs=1, random_state=0)
    return saved(make_pipeline(MelSpectrogramTransformer(n_mels=8), classifier).fit(clips, LABELS))


def test_uploads_in_16_threads_build_the_network_once_and_predict_as_one_thread(neural, clips, monkeypatch):
    from sklearn_ser.neural._keras import keras

    one = loaded(neural)
    expected = [one.predict_proba([clip]) for clip in clips]
    built, build = [], keras.models.model_from_json
    monkeypatch.setattr(
        keras.models, "model_from_json", lambda *args: (built.append(1), time.sleep(0.1), build(*args))[-1]
    )
    server = loaded(neural)
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(lambda i: server.predict_proba([clips[i % 12]]), range(100)))
    assert len(built) == 1
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[i % 12])


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is counted by Linux' /proc")
def test_memory_does_not_grow_with_uploads():
    """In a process of its own: what the first ten uploads have not allocated, hundreds of others must not."""
    code = """
import json, os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn_ser import HandcraftedFeatures

rng = np.random.default_rng(0)
clips = [rng.normal(size=32000).astype("float32") for _ in range(12)]
pipeline = make_pipeline(HandcraftedFeatures(), SVC()).fit(clips, ["a", "b"] * 6)
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
with ThreadPoolExecutor(16) as threads:
    sizes = []
    for n_uploads in (160, 100, 100):
        list(threads.map(lambda i: pipeline.predict([clips[i % 12]]), range(n_uploads)))
        sizes.append(resident())
print(json.dumps(sizes))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second, third = json.loads(result.stdout)
    assert third - second < 8, (first, second, third)  # MiB: each clip has 0.1, its analysis about 10


# ------------------------------------------------------------------------------------------------- processes

needs_fork = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")


def in_fork(function):
    """What a function returns, or the error that it raises, in a child that is forked now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # since Python 3.12, of forks beside threads
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return pool.apply_async(run_forked, [function]).get(60)


FORKED = {}


def run_forked(name):
    try:
        return FORKED[name]()
    except Exception as error:
        return error


@needs_fork
@pytest.mark.parametrize("what", ["predicts", "loads", "trains"])
def test_network_in_a_forked_child_is_an_error_and_no_endless_wait(what, neural, clips):
    pipeline = loaded(neural)
    pipeline.predict(clips[:1])
    FORKED.update(
        predicts=lambda: pipeline.predict(clips[:1]),
        loads=lambda: loaded(neural).predict(clips[:1]),
        trains=lambda: clone(pipeline).fit(clips, LABELS),
    )
    error = in_fork(what)
    assert isinstance(error, RuntimeError)
    assert "forked from process" in str(error) and "Load the pipeline after the fork" in str(error)


@needs_fork
def test_handcrafted_features_work_in_a_forked_child(clips, several_blas_threads):
    pipeline = make_pipeline(HandcraftedFeatures(), SVC()).fit(clips, LABELS)
    expected = pipeline.predict(clips).tolist()
    FORKED["svm"] = lambda: (pipeline.predict(clips).tolist(), blas_threads())
    with one_blas_thread():  # what another thread borrows, it will not give back in the child
        assert in_fork("svm") == (expected, several_blas_threads)


def test_network_that_is_loaded_after_the_fork_works(neural, clips, tmp_path):
    """As with gunicorn: a parent that has loaded the pipeline, and not used it, forks."""
    (tmp_path / "pipeline.joblib").write_bytes(neural)
    np.save(tmp_path / "clip.npy", clips[0])
    code = """
import multiprocessing, joblib, numpy as np
pipeline, clip = joblib.load("pipeline.joblib"), np.load("clip.npy")

def predict(_):
    return pipeline.predict([clip])[0]

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map_async(predict, range(1)).get(100))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "anger" in result.stdout or "fear" in result.stdout
