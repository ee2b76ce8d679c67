"""The script that measures the published systems, on tiny corpora whose files have the true names."""

import importlib.util
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from sklearn_ser import AddNoise, AugmentedClassifier, HandcraftedFeatures, WaveformLoader
from sklearn_ser.systems import PublishedSystem, list_systems

pytestmark = pytest.mark.filterwarnings("ignore:.* is incomplete:UserWarning")
PAGE = (
    "# Page\r\n\r\n<!-- published systems on emodb: begin -->\r\nold\n<!-- published systems on emodb: end -->\n\ttail"
)
N_CLIPS = {"emodb": 70, "ravdess": 192, "tess": 56}
NAMES = {
    "emodb": [f"{s}a01{e}a" for s in ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16") for e in "WLEAFNT"],
    "ravdess": [f"03-01-{e:02d}-01-01-01-{actor:02d}" for actor in range(1, 25) for e in range(1, 9)],
    "tess": [
        f"{speaker}_{word}_{emotion}"
        for speaker in ("OAF", "YAF")
        for word in ("back", "bar", "base", "bath")
        for emotion in ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
    ],
}
FITS = []


class Recorder(ClassifierMixin, BaseEstimator):
    """Takes clips as they come, writes down what it is fitted to, and calls every clip angry."""

    def __init__(self, early_stopping=False, interrupt_at=None):
        self.early_stopping = early_stopping
        self.interrupt_at = interrupt_at

    def fit(self, X, y, groups=None):
        if len(FITS) == self.interrupt_at:
            raise KeyboardInterrupt
        self.record_ = {"train": X, "y": y, "groups": groups, "tests": []}
        self.classes_ = np.unique(y)
        FITS.append(self.record_)
        return self

    def predict(self, X):
        self.record_["tests"].append(X)
        return np.full(len(X), "anger")


class NameReader(Recorder):
    """Knows the clips of EMO-DB by their names, which noisy clips do not have."""

    def predict(self, X):
        emotions = {
            "W": "anger",
            "L": "boredom",
            "E": "disgust",
            "A": "fear",
            "F": "happiness",
            "N": "neutral",
            "T": "sadness",
        }
        return np.array([emotions[Path(path).stem[5]] if isinstance(path, str) else "anger" for path in X["path"]])


def recorder(random_state=None, epochs=None, verbose=0, augment=False, **params):
    pipeline = Pipeline([("classifier", Recorder(**params))])
    return AugmentedClassifier(pipeline, [AddNoise(snr=10)], random_state=random_state) if augment else pipeline


def svm(random_state=None, epochs=None, verbose=0):
    return make_pipeline(HandcraftedFeatures(feature_set="default-v1"), SVC(C=10))


def system(build, name="stand_in", emotions=None, corpus="emodb"):
    return PublishedSystem(name, build, "A paper", corpus, emotions, 0.3, 0.5)


@pytest.fixture(scope="session")
def data_home(tmp_path_factory):
    """A tone of 0.1 s for each clip; its pitch is the emotion's."""
    home, rng = tmp_path_factory.mktemp("corpora"), np.random.default_rng(0)
    for corpus, names in NAMES.items():
        (home / corpus).mkdir()
        keys = [re.search(r"a01(.)|03-01-(..)|_.*_(\w+)", name).group(0)[-2:] for name in names]
        for name, key in zip(names, keys, strict=True):
            pitch = 300 * (1 + sorted(set(keys)).index(key))
            tone = np.sin(2 * np.pi * pitch * np.arange(1600) / 16000) + 0.05 * rng.standard_normal(1600)
            soundfile.write(home / corpus / f"{name}.wav", 0.3 * tone, 16000)
    return home


@pytest.fixture
def script(data_home, monkeypatch, tmp_path):
    """The script as a module; `script.run(systems, *arguments)` runs it on stand-ins and returns the results file."""
    monkeypatch.setenv("SKLEARN_SER_DATA", str(data_home))
    path = Path(__file__).parents[2] / "examples" / "benchmarks" / "published_systems.py"
    spec = importlib.util.spec_from_file_location("published_systems", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.page, results = tmp_path / "page.md", tmp_path / "results.json"
    module.page.write_bytes(PAGE.encode())

    def run(systems, *arguments):
        monkeypatch.setattr(module, "list_systems", lambda: systems)
        module.main([*map(str, arguments), "--json", str(results), "--page", str(module.page)])
        return json.loads(results.read_text()) if results.exists() else []

    module.run = run
    FITS.clear()
    return module


def table(text):
    """Rows of the Markdown table in a text, as lists of cells."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


# --- The splits ---


@pytest.mark.parametrize(("corpus", "n_folds", "sexes"), [("emodb", 5, 1), ("ravdess", 6, 2), ("tess", 2, 1)])
def test_no_speaker_is_on_both_sides_and_every_clip_is_tested_once(script, corpus, n_folds, sexes):
    script.run([system(recorder)], "--corpus", corpus, "--protocol", "speaker", "--seeds", 1)
    assert len(FITS) == n_folds
    for record in FITS:
        clean, noisy = record["tests"]
        assert not set(clean["speaker"]) & set(record["train"]["speaker"])
        assert len(clean) + len(record["train"]) == N_CLIPS[corpus]
        counts = clean.drop_duplicates("speaker")["sex"].value_counts()
        assert set(counts) == {sexes} and len(counts) == (1 if corpus == "tess" else 2)
        assert noisy["speaker"].tolist() == clean["speaker"].tolist()
    tested = [path for record in FITS for path in record["tests"][0]["path"]]
    assert len(tested) == len(set(tested)) == N_CLIPS[corpus]


def test_early_stopping_is_told_the_speakers(script):
    stops = partial(recorder, early_stopping=True)
    systems = [system(stops, "bare"), system(partial(stops, augment=True), "augmented"), system(recorder, "runs_on")]
    script.run(systems, "--protocol", "speaker", "--seeds", 1)
    assert len(FITS) == 15
    for record in FITS[:10]:
        assert np.array_equal(record["groups"], record["train"]["speaker"])
    assert len(FITS[5]["train"]) == 2 * len(FITS[0]["train"])
    assert all(record["groups"] is None for record in FITS[10:])


def test_a_single_speaker_to_learn_from_is_no_group(script):
    script.run([system(partial(recorder, early_stopping=True))], "--corpus", "tess", "--protocol", "speaker")
    assert all(record["groups"] is None for record in FITS)


def test_the_paper_s_split_is_stratified_and_mixes_speakers_and_seeds_differ(script):
    script.run([system(partial(recorder, early_stopping=True))], "--protocol", "paper", "--seeds", 3)
    for record in FITS:
        assert len(record["tests"][0]) == 21 and len(record["train"]) == 49  # test_size=0.3
        assert set(np.unique(record["y"], return_counts=True)[1]) == {7}
        assert set(record["tests"][0]["speaker"]) & set(record["train"]["speaker"])
        assert record["groups"] is None
    assert len({tuple(sorted(record["train"]["path"])) for record in FITS}) == 3


@pytest.mark.parametrize("protocol", ["paper", "speaker"])
def test_a_paper_s_emotions_are_those_that_the_corpus_has(script, protocol):
    chosen = system(recorder, emotions=("anger", "neutral", "surprise"), corpus="ravdess")
    results = script.run([chosen], "--protocol", protocol, "--seeds", 1)
    assert all(set(record["y"]) == {"anger", "neutral"} for record in FITS)
    assert all(result["emotions"] == ["anger", "neutral"] for result in results)
    assert "0.500 (ravdess)" in script.page.read_text()


# --- Results ---


@pytest.mark.parametrize("corpus", NAMES)
def test_predictions_are_pooled_and_scored(script, corpus, capsys):
    results = script.run([system(svm, corpus=corpus), system(recorder, "angry")], "--corpus", corpus, "--seeds", 2)
    header, _, known, angry = table(capsys.readouterr().out)
    n_emotions = 8 if corpus == "ravdess" else 7
    chance = f"{1 / n_emotions:.3f}"
    assert len(header) == len(known) == 11
    assert angry[6:10] == [f"{chance} +- 0.000"] * 3 + ["2"]
    assert known[:4] == ["`stand_in`", "0.500", *["1.000 +- 0.000"] * 2]
    assert known[5:8] + known[9:10] == ["2", *["1.000 +- 0.000"] * 2, "2"]
    pooled = sum(
        np.array(r["clean"]) for r in results if (r["system"], r["protocol"], r["seed"]) == ("angry", "speaker", 0)
    )
    assert pooled[:, 0].tolist() == [N_CLIPS[corpus] // n_emotions] * n_emotions
    assert f"<!-- published systems on {corpus}: begin -->\n\n| system" in script.page.read_text()


def test_the_same_clips_are_tested_again_in_noise_of_10_dB(script, capsys):
    script.run([system(lambda **_: Pipeline([("classifier", NameReader())]), "names")], "--seeds", 1)
    assert table(capsys.readouterr().out)[-1][2:] == [*["1.000", "1.000", "0.143", "1"] * 2, "0"]
    script.run([system(recorder)], "--protocol", "paper", "--seeds", 1)
    clean, noisy = map(WaveformLoader().fit_transform, FITS[-1]["tests"])
    for signal, mixture in zip(clean, noisy, strict=True):
        assert 10 * np.log10(np.mean(signal**2) / np.mean((mixture - signal) ** 2)) == pytest.approx(10, abs=1e-3)


def test_the_noise_in_testing_is_none_that_was_trained_on(script):
    script.run([system(partial(recorder, augment=True))], "--protocol", "paper", "--seeds", 1)
    trained_on = WaveformLoader().fit_transform(FITS[0]["train"])
    noises = [copy - clip for clip, copy in zip(trained_on[:49], trained_on[49:], strict=True)]
    clean, noisy = map(WaveformLoader().fit_transform, FITS[0]["tests"])
    noises += [mixture - signal for signal, mixture in zip(clean, noisy, strict=True)]
    assert np.abs(np.corrcoef(noises) - np.eye(len(noises))).max() < 0.2


def test_only_what_is_between_the_markers_changes(script, capsys):
    script.run([system(recorder)], "--protocol", "paper")
    text = script.page.read_bytes().decode()
    begin, end = (f"<!-- published systems on emodb: {edge} -->" for edge in ("begin", "end"))
    for part in (0, -1):
        assert re.split(f"{begin}|{end}", text)[part] == re.split(f"{begin}|{end}", PAGE)[part]
    assert "old" not in text
    _, _, row = table(text)
    assert row == table(capsys.readouterr().out)[2]
    assert row[:6] == ["`stand_in`", "0.500", *["0.143 +- 0.000"] * 3, "5"] and row[6:10] == ["–"] * 4
    script.run([system(recorder)], "--table")
    assert script.page.read_bytes().decode() == text


def test_a_page_without_markers_gets_them_at_its_end(script):
    script.page.write_text("# Page\n")
    for _ in range(2):
        script.run([], "--corpus", "tess", "--table")
    text = script.page.read_text()
    assert (
        text.startswith("# Page\n\n<!-- published systems on tess: begin -->\n\n| system") and text.count("<!--") == 2
    )


def test_after_a_kill_the_runs_that_are_finished_are_not_repeated(script, capsys):
    arguments = ("--protocol", "speaker", "--seeds", 2)
    with pytest.raises(KeyboardInterrupt):
        script.run([system(partial(recorder, interrupt_at=7))], *arguments)
    assert len(FITS) == 7
    before = script.run([system(recorder)], "--table")
    assert [(r["seed"], r["fold"]) for r in before] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 1)]
    assert table(capsys.readouterr().out)[-1][9] == "1"  # a seed counts when its folds are all there
    after = script.run([system(recorder)], *arguments)
    assert len(FITS) == 10 and after[:7] == before and after[9]["fold"] == 4
    assert "7 of 10 runs are finished" in capsys.readouterr().out
    script.run([system(recorder)], *arguments)
    assert len(FITS) == 10
    assert "10 of 10 runs are finished" in capsys.readouterr().out


def test_redo_runs_again_what_was_chosen_and_keeps_the_rest(script):
    systems = [system(recorder, "first"), system(recorder, "second")]
    script.run(systems, "--protocol", "paper", "--seeds", 1)
    results = script.run(systems, "--protocol", "paper", "--seeds", 1, "--system", "second", "--redo")
    assert len(FITS) == 3 and sorted(result["system"] for result in results) == ["first", "second"]


def test_a_trial_with_other_epochs_is_kept_apart_and_stays_off_the_page(script, capsys):
    nn = next(system for system in list_systems() if system.name == "mou2021_nn")
    (result,) = script.run([nn], "--protocol", "paper", "--seeds", 1, "--epochs", 1)
    assert result["epochs"] == 1 and np.sum(result["clean"]) == np.sum(result["noisy"]) == 14
    assert table(capsys.readouterr().out)[-1][5] == "1"
    script.run([nn], "--table")
    assert table(capsys.readouterr().out)[-1][2:] == ["–"] * 9


# --- Names ---


def test_systems_are_chosen_by_name_or_by_function(script):
    names = [system.name for system in list_systems()]
    assert list(script.choose_systems(["all"])) == names
    assert list(script.choose_systems(["mou2021_cnn_lstm", "he_svm", "mou2021_cnn_lstm"])) == [
        "mou2021_cnn_lstm",
        "he_svm",
    ]
    of_function = [name for name in names if name.startswith("bledea")]
    assert len(of_function) == 4 and list(script.choose_systems(["bledea_stacked_lstm"])) == of_function


def test_an_unknown_system_is_answered_with_the_nearest_and_all(script, capsys):
    with pytest.raises(SystemExit):
        script.run([system(recorder), system(svm, "other")], "--system", "stand-in")
    assert (
        "unknown system 'stand-in'; did you mean 'stand_in'? There are all, stand_in, other." in capsys.readouterr().err
    )
