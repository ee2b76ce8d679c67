"""With a memory, each clip is analysed once, however often it is asked for; and nothing but that changes."""

import hashlib
import os
import pickle
import random
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold
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
    PitchShift,
    WaveformChunker,
    WaveformLoader,
    make_emotional_speech,
)
from sklearn_ser.audio import _cache
from sklearn_ser.augmentation import augment_clips

TRANSFORMERS = [
    WaveformLoader(normalize="rms"),
    WaveformChunker(chunk_duration=0.1, overlap=0.5),
    MelSpectrogramTransformer(),
    MelSpectrogramTransformer(ref="max", pad_mode="reflect"),
    LowLevelDescriptors(),
    HandcraftedFeatures(),
    HandcraftedFeatures(feature_set="bledea170"),
]
of_each_transformer = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)


def logging(waveforms, *, function, log):
    """The function, which writes down a line for each waveform that it is given."""
    lines = [hashlib.md5(waveform).hexdigest() + "\n" for waveform in waveforms]
    with open(log, "a") as file:
        file.write("".join(lines))
    return function(waveforms)


class Counted(HandcraftedFeatures):
    """Features that leave a line in the folder of their memory for each clip that is analysed, in whatever process."""

    def _function(self):
        return partial(logging, function=super()._function(), log=os.path.join(self.memory, "log"))


def analysed(memory):
    """One entry for each analysis so far."""
    log = memory / "log"
    return log.read_text().split() if log.exists() else []


def entries(memory):
    return sorted(Path(memory).rglob("output.pkl"))


@pytest.fixture
def memory(tmp_path):
    folder = tmp_path / "memory"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def speech():
    """20 clips of two emotions."""
    return make_emotional_speech(20, emotions=["anger", "sadness"], random_state=0)


@pytest.fixture
def files(tmp_path):
    """Twelve files of noise, of different lengths."""
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"clip {i}.wav") for i in range(12)]
    for i, path in enumerate(paths):
        soundfile.write(path, rng.uniform(-0.5, 0.5, 2000 + 700 * i), 16000)
    return paths


def assert_same(results, expected):
    assert len(results) == len(expected)
    for result, array in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, array)


# ---------------------------------------------------------------------------------------------------------- the results


@of_each_transformer
def test_no_bit_of_a_result_depends_on_the_clips_beside_it(transformer, files):
    task = transformer.fit(files)._function()
    waveforms = WaveformLoader().fit_transform(files)
    alone = [task([waveform])[0] for waveform in waveforms]
    for order in (range(12), range(11, -1, -1), [3, 4], [7, 0, 7]):
        assert_same(task([waveforms[row] for row in order]), [alone[row] for row in order])


@of_each_transformer
def test_results_are_the_same_without_memory_while_it_fills_and_from_it(transformer, files, memory):
    expected = transformer.fit_transform(files)
    caching = clone(transformer).set_params(memory=memory).fit(files)
    for n_jobs in (None, 2, 1):
        results = caching.set_params(n_jobs=n_jobs).transform(files)
        assert_same(results, expected)
        assert results.dtype == expected.dtype and results[0].flags.writeable
    assert len(entries(memory)) == 12


@pytest.mark.parametrize("form", [str, Path, partial(joblib.Memory, verbose=0)], ids=["str", "Path", "Memory"])
def test_memory_is_a_folder_or_a_joblib_memory(form, files, memory):
    transformer = HandcraftedFeatures(memory=form(memory))
    expected = HandcraftedFeatures().transform(files)
    for copy in (transformer, clone(transformer), pickle.loads(pickle.dumps(transformer))):
        np.testing.assert_array_equal(copy.fit_transform(files), expected)
    assert len(entries(memory)) == 12


@pytest.mark.parametrize("options", [dict(compress=True), dict(mmap_mode="r")], ids=str)
@of_each_transformer
def test_options_of_a_joblib_memory_hold(transformer, files, memory, options):
    caching = clone(transformer).set_params(memory=joblib.Memory(memory, verbose=0, **options)).fit(files)
    for _ in range(2):
        assert_same(caching.transform(files), transformer.fit_transform(files))
    silence = HandcraftedFeatures(families=["prosody"], memory=caching.memory).fit([np.zeros(4000)] * 2)
    silence.transform([np.zeros(4000)])
    if "compress" in options:
        assert min(path.stat().st_size for path in entries(memory)) < 340 * 4


def test_joblib_memory_is_cleared_and_kept_small_by_its_own_methods(files, memory):
    kept = joblib.Memory(memory, verbose=0)
    transformer = HandcraftedFeatures(memory=kept).fit(files)
    transformer.transform(files)
    kept.reduce_size(items_limit=5)
    assert len(entries(memory)) == 5
    kept.clear(warn=False)
    assert not entries(memory)
    np.testing.assert_array_equal(transformer.transform(files), HandcraftedFeatures().transform(files))


def test_memory_without_a_place_keeps_nothing(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    HandcraftedFeatures(memory=joblib.Memory(None)).fit_transform(files)
    assert not entries(tmp_path)


def test_memory_of_another_kind_is_refused(files):
    with pytest.raises(ValueError, match="'memory' parameter of HandcraftedFeatures must be .*joblib.*Memory"):
        HandcraftedFeatures(memory=True).fit(files)


# ---------------------------------------------------------------------------------------------------- one analysis each


def grid_search(memory, **params):
    pipeline = make_pipeline(Counted(memory=memory), StandardScaler(), SVC())
    return GridSearchCV(pipeline, {"svc__C": [0.01, 0.1, 1, 10, 100]}, cv=StratifiedKFold(5), **params)


@pytest.mark.processes
def test_grid_search_of_5_by_5_folds_analyses_each_clip_once(speech, memory):
    search = grid_search(memory).fit(speech.data, speech.target)
    assert len(analysed(memory)) == len(set(analysed(memory))) == 20
    plain = make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC())
    plain = GridSearchCV(plain, search.param_grid, cv=search.cv).fit(speech.data, speech.target)
    for result in (name for name in plain.cv_results_ if name.endswith("test_score")):
        np.testing.assert_array_equal(search.cv_results_[result], plain.cv_results_[result])
    search.predict(speech.data)
    assert len(analysed(memory)) == 20


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.processes
def test_folds_side_by_side_share_a_memory(backend, speech, memory):
    with joblib.parallel_config(backend=backend):
        search = grid_search(memory, n_jobs=2).fit(speech.data, speech.target)
    # Two that come to a clip at the same time both analyse it; after that, it is known to both.
    times = Counter(analysed(memory))
    assert len(times) == 20 and max(times.values()) <= 2
    assert len(entries(memory)) == 20
    alone = grid_search(memory).fit(speech.data, speech.target)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_with_a_memory_clips_come_in_an_order_of_their_own(files, memory, monkeypatch):
    """So that two who begin at the same time do not do the same at the same time."""
    orders = []
    for seed in range(2):
        monkeypatch.setattr("sklearn_ser.audio._base.Random", partial(random.Random, seed))
        folder = memory / str(seed)
        folder.mkdir()
        transformer = Counted(memory=folder)
        np.testing.assert_array_equal(transformer.transform(files), HandcraftedFeatures().transform(files))
        orders.append(analysed(folder))
    assert orders[0] != orders[1] and set(orders[0]) == set(orders[1])


@pytest.mark.processes
def test_copies_by_augmenters_are_kept_too(speech, memory):
    X, y = speech.data, speech.target
    augmenters = [AddNoise(snr=(5, 20)), PitchShift(2)]

    def augmented(C, features):
        pipeline = make_pipeline(features, StandardScaler(), SVC(C=C))
        return AugmentedClassifier(pipeline, augmenters, random_state=0).fit(X, y)

    for C in (1, 10):
        plain, kept = augmented(C, HandcraftedFeatures()), augmented(C, Counted(memory=memory))
        np.testing.assert_allclose(kept.decision_function(X), plain.decision_function(X), rtol=1e-6)
    assert len(analysed(memory)) == 60


@pytest.mark.processes
def test_copies_differ_by_clip_augmenter_parameters_and_seed(files, memory):
    transformer = Counted(memory=memory).fit(files)
    for augmenter, seed in [(AddNoise(snr=10), 0), (AddNoise(snr=10), 1), (AddNoise(snr=9), 0), (PitchShift(1), 0)]:
        noisy = augment_clips(files, augmenter, random_state=seed)
        for _ in range(2):
            np.testing.assert_array_equal(transformer.transform(noisy), HandcraftedFeatures().transform(noisy))
    assert len(analysed(memory)) == len(set(analysed(memory))) == 48
    twice = augment_clips(augment_clips(files, AddNoise(snr=10), random_state=0), AddNoise(snr=9), random_state=0)
    transformer.transform(twice)
    assert len(set(analysed(memory))) == 60


def test_what_an_unknown_augmenter_makes_is_not_kept(files, memory):
    """Its code may be another one tomorrow under the same name."""
    transformer = HandcraftedFeatures(memory=memory, normalize=None).fit(files)
    for gain in (0.5, 0.25):
        quieter = augment_clips(files, lambda waveform, sr, gain=gain: gain * waveform)
        np.testing.assert_array_equal(
            transformer.transform(quieter), HandcraftedFeatures(normalize=None).transform(quieter)
        )
    assert not entries(memory)


# ------------------------------------------------------------------------------------------- when a clip is another one


def test_file_that_changed_within_a_tick_of_the_clock_is_read_again(files, memory):
    transformer = Counted(memory=memory).fit(files)
    before = transformer.transform(files[:2])
    first, second = (Path(path).read_bytes() for path in files[:2])
    date = os.stat(files[0]).st_mtime_ns
    changed = first[:-100] + bytes(100)  # as long as before
    Path(files[0]).write_bytes(changed)
    os.utime(files[0], ns=(date, date))
    after = transformer.transform(files[:2])
    np.testing.assert_array_equal(after, HandcraftedFeatures().transform(files[:2]))
    assert (after[0] != before[0]).any() and len(analysed(memory)) == 3
    Path(files[0]).write_bytes(second)
    np.testing.assert_array_equal(transformer.transform(files[:1])[0], before[1])
    assert len(analysed(memory)) == 3


def overwrite(clips, rows, *, other):
    """A task during which its clip changes."""
    Path(clips[0]).write_bytes(Path(other).read_bytes())
    return [np.zeros(1)]


def test_file_that_changes_while_it_is_analysed_is_not_kept(files, memory):
    task = _cache.cached(partial(overwrite, other=files[1]), memory, "overwrite")
    task([files[0]], [0])
    assert not entries(memory)
    task([files[0]], [0])  # now it stays what it is
    assert len(entries(memory)) == 1


def test_clip_is_known_by_its_content_and_not_by_name_row_or_company(files, tmp_path, memory):
    transformer = Counted(memory=memory).fit(files)
    transformer.transform(files)
    moved = [str(tmp_path / f"renamed {row}.wav") for row in range(12)]
    for old, new in zip(files, moved, strict=True):
        os.rename(old, new)
    transformer.transform(pd.DataFrame({"path": moved[::-1], "speaker": "a"}))
    transformer.transform(moved[3:5])
    assert len(analysed(memory)) == 12
    pcm = [np.arange(-8000, 8000, dtype=np.int16), np.zeros(99, np.int16)]
    for clips in (pcm, [clip / 32768 for clip in pcm], [(clip / 32768).astype(np.float32) for clip in pcm]):
        transformer.transform(clips)
    assert len(analysed(memory)) == 14
    transformer.transform(np.stack([pcm[0], pcm[0][::-1]]))  # of a matrix, one row is known
    assert len(analysed(memory)) == 15


@pytest.mark.parametrize(
    "params",
    [
        dict(sr=22050),
        dict(offset=0.01),
        dict(duration=0.05),
        dict(normalize=None),
        dict(n_mels=32),
        dict(n_fft=512),
        dict(hop_length=128),
        dict(win_length=400),
        dict(window="hamming"),
        dict(window=("kaiser", 4.0)),
        dict(center=False),
        dict(pad_mode="edge"),
        dict(fmin=50.0),
        dict(fmax=4000.0),
        dict(power=1.0),
        dict(htk=True),
        dict(norm=None),
        dict(to_db=False),
        dict(ref="max"),
        dict(amin=1e-3),
        dict(top_db=20.0),
    ],
    ids=lambda params: next(iter(params)),
)
def test_every_parameter_that_changes_a_result_has_results_of_its_own(params, files, memory):
    MelSpectrogramTransformer(memory=memory).fit_transform(files[:2])
    other = MelSpectrogramTransformer(**params)
    expected = other.fit_transform(files[:2])
    for _ in range(2):
        np.testing.assert_array_equal(other.set_params(memory=memory).transform(files[:2]), expected)
    assert len(entries(memory)) == 4


@of_each_transformer
def test_parameters_that_change_no_result_share_them(transformer, files, memory):
    number = {"n_frames", "n_chunks"} & set(transformer.get_params())
    for params in (dict(n_jobs=2), dict(verbose=0), dict.fromkeys(number, 3), dict.fromkeys(number, 50)):
        clone(transformer).set_params(memory=memory, **params).fit_transform(files)
        assert len(entries(memory)) == 12


def test_other_cache_versions_and_other_libraries_have_results_of_their_own(files, memory, monkeypatch):
    transformer = HandcraftedFeatures(memory=memory).fit(files)
    for expected in (12, 24, 36):
        transformer.transform(files)
        assert len(entries(memory)) == expected
        monkeypatch.setattr(_cache, "VERSION", expected)
        if expected == 24:
            monkeypatch.setattr(_cache, "VERSION", 12)
            monkeypatch.setattr(_cache, "_libraries", lambda: ["numpy 47.11"])


def test_extension_counts_where_it_decides_whether_a_file_is_audio(tmp_path, memory):
    noise = np.random.default_rng(0).integers(0, 256, 4000).astype(np.uint8).tobytes()
    headerless, unknown = tmp_path / "noise.au", tmp_path / "noise.wav"
    headerless.write_bytes(noise)
    unknown.write_bytes(noise)
    loader = WaveformLoader(memory=memory)
    assert_same(loader.transform([headerless]), WaveformLoader().transform([headerless]))
    with pytest.raises(AudioError, match="not readable as audio"):
        loader.transform([unknown])


# ------------------------------------------------------------------------------------------------------ other processes


EXTRACT = """
import os, signal, sys
from joblib import numpy_pickle
from test_memory import Counted

def dump_or_die(value, file, *, dump=numpy_pickle.dump, written=[], **params):
    written.append(value)
    if len(written) == last:
        file.write(b"half an entry")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return dump(value, file, **params)

last, memory, *files = sys.argv[1:]
last, numpy_pickle.dump = int(last), dump_or_die
Counted(memory=memory).fit_transform(files)
"""


def extract_elsewhere(memory, files, last=0):
    """Fill the memory in a fresh process, which dies while it writes the last entry."""
    command = [sys.executable, "-c", EXTRACT, str(last), str(memory), *files]
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parent), *sys.path])}
    return subprocess.run(command, cwd=here, env=environment, timeout=120).returncode


@pytest.mark.processes
def test_another_process_finds_the_results(files, memory):
    assert extract_elsewhere(memory, files) == 0
    assert len(analysed(memory)) == 12
    np.testing.assert_array_equal(Counted(memory=memory).fit_transform(files), HandcraftedFeatures().transform(files))
    assert len(analysed(memory)) == 12


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes end otherwise here")
@pytest.mark.processes
def test_after_a_kill_in_the_midst_of_an_entry_the_rest_is_done(files, memory):
    assert extract_elsewhere(memory, files, last=6) == -signal.SIGKILL
    assert len(entries(memory)) == 5
    before = len(analysed(memory))
    np.testing.assert_array_equal(Counted(memory=memory).fit_transform(files), HandcraftedFeatures().transform(files))
    assert len(analysed(memory)) == before + 7 and len(entries(memory)) == 12


def test_workers_in_another_folder_use_the_same_memory(files, tmp_path, monkeypatch):
    """What the transformer is given is a folder seen from where it is."""
    monkeypatch.chdir(tmp_path)
    task = _cache.cached(partial(overwrite, other=files[0]), "here", "name")
    os.mkdir("elsewhere")
    monkeypatch.chdir("elsewhere")
    pickle.loads(pickle.dumps(task))([files[0]], [0])
    assert len(entries(tmp_path / "here")) == 1 and not entries(tmp_path / "elsewhere")


# ------------------------------------------------------------------------------------------------------ what goes wrong


def damaged(entry):
    """An entry cut off anywhere, with a bit turned over, or with something else in its place."""
    for length in (0, 1, 2, len(entry) // 2, len(entry) - 1):
        yield entry[:length]
    for place in (0, 20, len(entry) // 2, len(entry) - 20):
        yield entry[:place] + bytes([entry[place] ^ 16]) + entry[place + 1 :]
    yield pickle.dumps(None)
    yield pickle.dumps((0, b""))
    yield b"this is no entry"


def test_damaged_entry_is_made_anew(files, memory):
    transformer = Counted(memory=memory).fit(files[:1])
    expected = transformer.transform(files[:1])
    (path,) = entries(memory)
    for count, data in enumerate(damaged(path.read_bytes()), start=2):
        path.write_bytes(data)
        for _ in range(2):
            np.testing.assert_array_equal(transformer.transform(files[:1]), expected)
            assert len(analysed(memory)) == count


def test_full_disk_is_a_warning_and_costs_no_result(files, memory, monkeypatch):
    def no_space(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("joblib.numpy_pickle.dump", no_space)
    with pytest.warns(Warning, match="Unable to cache to disk.*No space left"):
        features = HandcraftedFeatures(memory=memory).fit_transform(files)
    np.testing.assert_array_equal(features, HandcraftedFeatures().transform(files))


def test_bad_audio_is_the_same_error_and_is_not_kept(files, tmp_path, memory):
    (tmp_path / "text.wav").write_text("this is no sound")
    missing = str(tmp_path / "missing.wav")
    for clip, message in [
        (missing, r"Row 12 \('.*missing.wav'\): no such file"),
        (str(tmp_path / "text.wav"), r"Row 12 \('.*text.wav'\): not readable as audio"),
        ("nul\0.wav", "Row 12 .*cannot be read"),
        (np.array([0.0, np.nan]), "Row 12: the waveform contains NaN"),
        (augment_clips([missing], AddNoise(snr=10))[0], r"Row 12 \('.*missing.wav'\): no such file"),
    ]:
        with pytest.raises(AudioError, match=message):
            HandcraftedFeatures(memory=memory).transform([*files, clip])
    with pytest.raises(TypeError, match="Row 12: expected a path or a 1-D array of numbers, got None"):
        HandcraftedFeatures(memory=memory).transform([*files, None])
    assert len(entries(memory)) <= 12
    soundfile.write(missing, np.ones(99), 16000)
    assert HandcraftedFeatures(memory=memory).transform([missing]).shape == (1, 274)
