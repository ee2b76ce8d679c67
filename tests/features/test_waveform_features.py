"""A user's function as a transformer, and what tells a memory that the function has changed."""

import copy
import functools
import importlib
import pickle
import subprocess
import sys
import textwrap
import threading

import joblib
import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import AudioError, AudioTransformer, FrameWise, Functionals, WaveformFeatures
from sklearn_ser.utils._code_key import code_key


def level(waveform, sr):
    return [np.abs(waveform).max(), waveform.size / sr]


def blocks(waveform, sr):
    """Frames of 0.1 s: the extremes."""
    frames = waveform[: waveform.size // 1600 * 1600].reshape(-1, 1600)
    return np.stack([frames.min(axis=1), frames.max(axis=1)], axis=1)


def test_a_function_of_the_waveform_makes_features(tones):
    transformer = WaveformFeatures(level, feature_names=["peak", "seconds"]).fit(tones)
    np.testing.assert_allclose(transformer.transform(tones)[:, 1], [waveform.size / 16000 for waveform in tones])
    assert transformer.get_feature_names_out().tolist() == ["peak", "seconds"]
    table = transformer.set_output(transform="pandas").transform(tones)
    assert list(table.columns) == ["peak", "seconds"]
    assert WaveformFeatures(level).fit(tones).get_feature_names_out().tolist() == ["value_0", "value_1"]


def test_a_function_makes_frames(tones):
    transformer = WaveformFeatures(blocks).set_output(transform="pandas")
    frames = transformer.fit_transform(tones)
    assert frames.shape == (6, 6, 2) and np.isnan(frames[0, 1:]).all()
    np.testing.assert_array_equal(frames[-1], blocks(tones[-1], 16000))
    assert WaveformFeatures(blocks, n_frames=2).fit_transform(tones).shape == (6, 2, 2)
    assert make_pipeline(transformer, FrameWise(), Functionals(["mean"])).fit_transform(tones).shape == (6, 2)


def test_paths_rates_and_workers_are_the_librarys(tmp_path, tones):
    paths = []
    for row, waveform in enumerate(tones):
        paths.append(str(tmp_path / f"{row}.flac"))
        soundfile.write(paths[-1], waveform / 2, 16000)
    expected = WaveformFeatures(level).fit_transform(paths)
    np.testing.assert_array_equal(WaveformFeatures(level, n_jobs=2).fit_transform(paths), expected)
    halved = WaveformFeatures(lambda waveform, sr: [waveform.size, sr], sr=8000, duration=0.2).fit_transform(paths)
    np.testing.assert_array_equal(halved, [[800, 8000], *[[1600, 8000]] * 5])
    pipeline = make_pipeline(WaveformFeatures(level), StandardScaler(), SVC()).fit(paths, list("aaabbb"))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipeline)).predict(paths), pipeline.predict(paths))


@pytest.mark.parametrize(
    "result, message",
    [
        (
            lambda w, sr: w[:3] if w.size > 5000 else 1 / 0,
            r"Row 0: function raised ZeroDivisionError: division by zero",
        ),
        (
            lambda w, sr: w[:3] if w.size > 5000 else w[:2],
            r"Row 0: .* as many values for each clip. Got an array of shape \(2,\)",
        ),
        (
            lambda w, sr: w[:3] if w.size > 5000 else [w[:3]],
            r"Row 0: .* Got an array of shape \(1, 3\) here, and of \(3,\)",
        ),
        (lambda w, sr: [np.nan], r"Row 5: function returned NaN or infinite values"),
        (lambda w, sr: 3.0, r"Row 5: function must return one vector, .* Got an array of shape \(\)"),
        (lambda w, sr: [], r"Row 5: .* no empty ones. Got an array of shape \(0,\)"),
        (lambda w, sr: "loud", r"Row 5: function must return an array of numbers. Got an object of type str"),
    ],
)
def test_what_the_function_does_wrong_is_an_error_that_names_the_row(result, message, tones):
    with pytest.raises(AudioError, match=message):
        WaveformFeatures(result).fit_transform(tones)


def test_there_is_a_name_for_each_value(tones):
    with pytest.raises(ValueError, match="Got 1 names and 2 values"):
        WaveformFeatures(level, feature_names=["peak"]).fit(tones)


class Model:
    """Like an encoder: with state that can be pickled, or not."""

    def __init__(self, weight, lock=None):
        self.weight, self.lock = weight, lock

    def __call__(self, waveform, sr):
        return [self.weight * np.abs(waveform).max()]

    def method(self, waveform, sr):
        return [self.weight]


def test_clones_share_the_function(tones):
    transformer = WaveformFeatures(Model(2.0, threading.Lock())).set_output(transform="pandas")
    copy = clone(make_pipeline(transformer))[0]
    assert copy.function is transformer.function and copy is not transformer
    assert list(copy.fit_transform(tones).columns) == ["value_0"]


# ------------------------------------------------------------------------------------------------------ saved, loaded


def saved_by_a_script(tmp_path, made):
    """Save what a script makes of functions of its own; print in a fresh process what it makes of two clips."""
    script = tmp_path / "script.py"
    script.write_text(
        "import functools, joblib, numpy as np\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn_ser import AddNoise, AugmentedClassifier, CalibratedDiscriminant, Compose, WaveformFeatures\n"
        "weight = 2.0\n"
        "def encode(waveform, sr, power=1):\n    return [weight * np.abs(waveform).max() ** power]\n"
        "class Encoder:\n    def __call__(self, waveform, sr):\n        return encode(waveform, sr)\n"
        "    def method(self, waveform, sr):\n        return encode(waveform, sr)\n"
        "def louder(waveform, sr):\n    return 2 * waveform\n"
        "clips = [np.full(1600, 0.5, 'f'), np.full(1600, 0.25, 'f')]\n"
        f"joblib.dump([{made}], 'saved.joblib')\n"
    )
    fresh(tmp_path, script.name)
    code = "import joblib, numpy as np; clips = [np.full(1600, 0.5, 'f'), np.full(1600, 0.25, 'f')]\n"
    code += "for one in joblib.load('saved.joblib'):\n"
    code += "    print(getattr(one, 'predict' if hasattr(one, 'predict') else 'transform')(clips).ravel().tolist())"
    return fresh(tmp_path, "-c", code).splitlines()


def fresh(folder, *arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.processes
def test_functions_of_a_script_travel_with_what_is_saved(tmp_path):
    functions = "encode", "lambda w, sr: encode(w, sr)", "functools.partial(encode, power=2)", "Encoder()"
    made = [f"WaveformFeatures({f}).fit(clips)" for f in (*functions, "Encoder().method")]
    augmenters = "[louder, Compose([louder, AddNoise(snr=40)])], test_time_augmenters=[louder]"
    inner = "make_pipeline(WaveformFeatures(encode), CalibratedDiscriminant(cv=0))"
    made.append(f"AugmentedClassifier({inner}, {augmenters}, random_state=0).fit(clips * 4, list('ab') * 4)")
    plain, half = "[1.0, 0.5]", "[0.5, 0.125]"
    *features, labels = saved_by_a_script(tmp_path, ", ".join(made))
    assert features == [plain, plain, half, plain, plain] and labels == "['a', 'b']"


def test_a_function_that_cannot_be_saved_warns_and_is_given_to_what_is_loaded(tones):
    lock = threading.Lock()

    def locked(waveform, sr):
        with lock:
            return [np.abs(waveform).max()]

    transformer = WaveformFeatures(locked).fit(tones)
    with pytest.warns(
        UserWarning, match="locked' is saved by its name alone, because it holds .*give it by set_params"
    ):
        loaded = pickle.loads(pickle.dumps(transformer))
    with pytest.raises(AudioError, match="could not be saved with its estimator.* Give it to the loaded estimator"):
        loaded.transform(tones)
    expected = transformer.transform(tones)
    np.testing.assert_array_equal(loaded.set_params(function=locked).transform(tones), expected)
    assert pickle.loads(pickle.dumps(WaveformFeatures(level))).function is level  # of a module: by name, as pickle does
    assert copy.copy(transformer).function is locked


# ------------------------------------------------------------------------------------------------------ what a memory
# sees


def functions(source, tmp_path, name="user"):
    """A module of the user's, written anew."""
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = before


@pytest.fixture
def users(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    yield functools.partial(functions, tmp_path=tmp_path)
    for name in ("user", "other"):
        sys.modules.pop(name, None)


SOURCE = """
    import numpy as np
    from functools import partial, lru_cache

    SCALE = 2.0

    def helper(x, power=1):
        return x ** power

    class Net:
        factor = 3
        def __call__(self, w, sr):
            return [self.factor * helper(w).max()]

    def plain(w, sr, *, k=5):
        return [SCALE * k]

    def calls(w, sr):
        return [helper(w).max(), *(helper(x) for x in (1, 2))]

    def imports(w, sr):
        import other
        return [other.value(w)]

    def closes(n):
        def inner(w, sr):
            return [n]
        return inner

    closing = closes(4)
    bound = partial(calls, sr=1)
    net = Net()
    method = net.__call__

    @lru_cache
    def cached(w, sr):
        return [7]

    def recursive(w, sr):
        return recursive(w[1:], sr) if len(w) > 9 else [w[0]]
"""
CHANGES = {
    "plain": [("k=5", "k=6"), ("SCALE * k", "SCALE + k"), ("SCALE = 2.0", "SCALE = 2.5")],
    "calls": [("x ** power", "x * power"), ("power=1", "power=2"), ("(1, 2)", "(1, 3)")],
    "closing": [("closes(4)", "closes(5)"), ("return [n]", "return [-n]")],
    "bound": [("sr=1", "sr=2"), ("x ** power", "x - power")],
    "net": [("factor = 3", "factor = 4"), ("x ** power", "x - power"), ("helper(w).max", "helper(w).min")],
    "method": [("factor = 3", "factor = 4"), ("helper(w).max", "helper(w).min")],
    "recursive": [("w[1:]", "w[2:]")],
    "cached": [("return [7]", "return [8]")],
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_key_changes_with_all_that_a_function_does(name, users):
    key = code_key(getattr(users(SOURCE), name))
    assert key is not None and key == code_key(getattr(users(SOURCE), name))
    for old, new in CHANGES[name]:
        assert SOURCE.count(old) >= 1
        assert code_key(getattr(users(SOURCE.replace(old, new)), name)) != key, (old, new)
    unrelated = SOURCE + "\n    def more():\n        return 1\n"
    assert code_key(getattr(users(unrelated), name)) == key


def test_a_key_sees_the_users_modules_that_are_imported_inside(users):
    users("def value(w):\n    return 1", name="other")
    key = code_key(users(SOURCE).imports)
    users("def value(w):\n    return 2", name="other")
    assert code_key(users(SOURCE).imports) != key


def test_a_key_is_the_same_in_another_process_and_when_a_function_was_sent(tones):
    keys = [code_key(function) for function in (level, blocks, Model(3.0), Model(3.0).method)]
    assert None not in keys
    with joblib.parallel_config(backend="loky", n_jobs=2):
        elsewhere = joblib.Parallel()(
            joblib.delayed(code_key)(f) for f in (level, blocks, Model(3.0), Model(3.0).method)
        )
    assert elsewhere == keys


@pytest.mark.parametrize(
    "function", [Model(1.0, threading.Lock()), functools.partial(Model(1.0), lock=threading.Lock())]
)
def test_what_cannot_be_seen_has_no_key(function):
    assert code_key(function) is None


def test_state_and_weights_are_seen():
    assert code_key(Model(np.arange(3.0))) == code_key(Model(np.arange(3.0)))
    assert code_key(Model(np.arange(3.0))) != code_key(Model(np.arange(1.0, 4.0)))
    assert code_key(np.vectorize(level)) != code_key(np.vectorize(blocks))
    assert None not in (code_key(np.add), code_key(np.fft.rfft), code_key(max)) and code_key(np.add) != code_key(
        np.multiply
    )


def entries(memory):
    return len(list(memory.rglob("output.pkl")))


def test_a_changed_function_is_never_answered_from_an_old_memory(tones, tmp_path):
    for power in (1, 2, 1):
        function = functools.partial(lambda waveform, sr, power: [np.abs(waveform).max() ** power, power], power=power)
        features = WaveformFeatures(function, memory=tmp_path).fit_transform(tones)
        np.testing.assert_array_equal(features, WaveformFeatures(function).fit_transform(tones))
    assert entries(tmp_path) == 12


def test_nothing_is_kept_of_what_cannot_be_seen_unless_it_has_a_version(tones, tmp_path):
    hidden = WaveformFeatures(Model(2.0, threading.Lock()), memory=tmp_path)
    with pytest.warns(UserWarning, match="memory keeps nothing here: .* Set version"):
        hidden.fit_transform(tones)
    assert entries(tmp_path) == 0
    for version, expected in (("1", 6), ("1", 6), ("2", 12)):
        hidden.set_params(version=version).fit_transform(tones)
        assert entries(tmp_path) == expected


def test_a_transformer_of_the_users_own_is_known_by_its_code(users, tones, tmp_path):
    source = """
        import numpy as np
        from sklearn_ser import AudioTransformer

        def peaks(waveforms):
            return [np.abs(waveform).max(keepdims=True) for waveform in waveforms]

        class Peaks(AudioTransformer):
            def __init__(self, memory=None):
                self.memory = memory
                self.sr, self.offset, self.duration = 16000, 0.0, None
                self.normalize, self.n_jobs, self.verbose = None, None, 0
            def _learn(self, n_times):
                self.fitted_ = True
            def _function(self):
                return peaks
            def transform(self, X):
                n_clips, results = self._apply(X)
                return np.array([result for _, result in sorted(results, key=lambda pair: pair[0])])
    """
    first = users(source).Peaks(tmp_path / "memory").fit_transform(tones)
    changed = users(source.replace("np.abs(waveform)", "2 * np.abs(waveform)")).Peaks(tmp_path / "memory")
    np.testing.assert_allclose(changed.fit_transform(tones), 2 * first)
    assert issubclass(type(changed), AudioTransformer)
