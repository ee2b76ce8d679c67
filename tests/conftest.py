"""What tests share: real recordings, where there are any, tones and frames, where none are needed, and matplotlib."""

import gc
import os
import random
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # one thread for each of the processes that share the tests
    for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # before NumPy's and SciPy's libraries are loaded, which read it then only
    # Processes that fill Numba's cache at the same time can leave broken code in it (numba/numba issue 10128).
    own = Path(__file__).parents[1] / ".pytest_cache" / "numba" / os.environ["PYTEST_XDIST_WORKER"]
    os.environ.setdefault("NUMBA_CACHE_DIR", str(own))

import numpy as np
import pytest
import sklearn
import soundfile

collect_ignore = ["pretrained/make_references.py"]  # a script, which needs transformers

# Files whose tests train or load networks, and folders of such files; single tests are marked where they stand.
NEURAL = {"deployment", "serving"}
NEURAL_PACKAGES = {"neural", "pretrained", "systems"}
# Files whose tests start other processes, clusters or servers.
PROCESSES = {"distributed", "docs", "deployment", "serving", "datasets_download"}
COUNTED_AS = 78  # files of few tests that take long are handed out as if they had so many: before all files of fewer


def _is_neural(path):
    return path.stem.removeprefix("test_") in NEURAL or path.parent.name in NEURAL_PACKAGES


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):  # of pytest-xdist, which would leave files of few tests to the end
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    if "PYTEST_XDIST_WORKER" in os.environ:  # what comes last is short, so that processes end at about the same time
        sizes = Counter(item.path for item in items)
        sizes |= {path: COUNTED_AS for path in sizes if _is_neural(path) or path.stem == "test_sklearn_checks"}
        items.sort(key=lambda item: -sizes[item.path])
    for item in items:
        if _is_neural(item.path):
            item.add_marker(pytest.mark.neural)
        if item.path.stem.removeprefix("test_") in PROCESSES:
            item.add_marker(pytest.mark.processes)


@pytest.fixture(autouse=True, scope="module")
def leave_old_networks_alone():
    """TensorFlow keeps so many objects of every network that walking them would take the garbage collector seconds."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture
def global_state():
    """The global generators must be left as found."""
    before = random.getstate(), np.random.get_state()
    yield
    np.testing.assert_equal((random.getstate(), np.random.get_state()), before)


@pytest.fixture(scope="session")
def emodb():
    """All of EMO-DB, from the folder that SKLEARN_SER_DATA names; under CI it must be there."""
    from sklearn_ser import fetch_emodb

    try:
        return fetch_emodb(download_if_missing=False)
    except OSError:
        if os.environ.get("CI"):
            raise
        pytest.skip("EMO-DB is not there: set SKLEARN_SER_DATA to the folder that holds emodb/")


@pytest.fixture
def tones():
    """Six clips of 0.1 to 0.6 s, a sine each, at 16 kHz."""
    return [np.sin(2 * np.pi * 220 * (i + 1) * np.arange(1600 * (i + 1)) / 16000).astype(np.float32) for i in range(6)]


@pytest.fixture
def files(tmp_path, tones):
    """The tones as files."""
    paths = [str(tmp_path / f"clip {i}.wav") for i in range(len(tones))]
    for path, tone in zip(paths, tones, strict=True):
        soundfile.write(path, tone, 16000, subtype="FLOAT")
    return paths


@pytest.fixture(scope="module")
def frames():
    """60 clips of 3 to 12 frames; the class, sorted, is the feature with the largest mean."""
    rng = np.random.default_rng(0)
    y = np.repeat(["anger", "neutral", "sadness"], 20)
    X = rng.normal(size=(60, 12, 3)).astype(np.float32)
    X[np.arange(60), :, np.repeat([0, 1, 2], 20)] += 1.5
    for row, length in enumerate(rng.integers(3, 13, 60)):
        X[row, length:] = np.nan
    return X, y


@pytest.fixture(params=[False, True], ids=["without routing", "with routing"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def plt():
    """`matplotlib.pyplot`, where there is one; it draws without a screen, and figures are closed after the test."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")
