"""load_recognizer: fitted without a corpus, small, adapted like any other, and it says what is missing."""

import hashlib
import subprocess
import sys
from importlib.resources import files

import joblib
import numpy as np
import pytest
from tiny_whisper import write_whisper

from sklearn_ser import HandcraftedFeatures, WhisperFeatures, adapt, load_recognizer, make_emotional_speech
from sklearn_ser.metrics import uar_score

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]
DIGESTS = {
    "whisper": "6dbc544c6c43d3865914aa46a12311a2001b9306bf8420329f2e7f7fe7578ea3",
    "handcrafted": "22a32fb06cfb12c93cfb4dbc3e15f25d0a2c45d788273c7c18338b4d4a55fd82",
}


@pytest.fixture(scope="module")
def handcrafted():
    return load_recognizer("handcrafted", verbose=0)


@pytest.mark.parametrize("features", DIGESTS)
def test_the_arrays_are_small_plain_and_as_trained(features):
    path = files("sklearn_ser.systems") / f"{features}.npz"
    assert len(path.read_bytes()) < 100_000
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        joined = b"".join(arrays[name].tobytes() for name in sorted(arrays))
        assert arrays["classes"].tolist() == EMOTIONS
    assert hashlib.sha256(joined).hexdigest() == DIGESTS[features]


def test_it_recognizes_at_once_and_is_adapted(handcrafted):
    corpus = make_emotional_speech(24, random_state=0)
    probabilities = handcrafted.predict_proba(corpus.data)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    adapted = adapt(handcrafted, corpus.data)
    assert adapted.n_adaptation_clips_ == 24 and handcrafted[0].n_adaptation_clips_ == 0
    assert uar_score(corpus.target, adapted.predict(corpus.data)) > 0.4  # chance is 0.25
    assert len(set(adapted.predict(corpus.data))) > 2


def test_it_recognizes_the_corpus_that_it_was_trained_on(handcrafted, emodb):
    rows = np.flatnonzero(np.isin(emodb.target, EMOTIONS))[::12]
    assert uar_score(np.asarray(emodb.target)[rows], handcrafted.predict(emodb.data.iloc[rows])) > 0.8


def test_the_encoder_recognizes_the_corpus_that_it_was_trained_on(emodb):
    rows = np.flatnonzero(np.isin(emodb.target, EMOTIONS))[::24]
    recognizer = load_recognizer("whisper", verbose=0)
    assert isinstance(recognizer[0].transformer_, WhisperFeatures)
    assert uar_score(np.asarray(emodb.target)[rows], recognizer.predict(emodb.data.iloc[rows])) > 0.85


def test_a_fresh_process_predicts_the_same_without_tensorflow(handcrafted, tmp_path):
    clips = make_emotional_speech(4, random_state=1).data
    joblib.dump((handcrafted, clips), tmp_path / "ready.joblib")
    script = (
        "import joblib, sys; from sklearn_ser import load_recognizer; saved, clips = joblib.load(sys.argv[1]);"
        "print(*saved.predict(clips), *load_recognizer('handcrafted').predict(clips));"
        "assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    )
    run = [sys.executable, "-c", script, str(tmp_path / "ready.joblib")]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert said == 2 * handcrafted.predict(clips).tolist()


def test_missing_weights_are_named(monkeypatch, tmp_path):
    for variable, value in {"SKLEARN_SER_DATA": "data", "HF_HOME": "hub", "HF_ENDPOINT": None}.items():
        if value:
            monkeypatch.setenv(variable, str(tmp_path / value))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match="openai/whisper-base"):
        load_recognizer()
    with pytest.warns(UserWarning, match="Handcrafted features are used.* not at hand"):
        assert isinstance(load_recognizer("auto")[0].transformer_, HandcraftedFeatures)


def test_another_model_in_the_folder_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path))
    write_whisper(tmp_path / "whisper-base", n_layers=4)
    with pytest.raises(ValueError, match="reads 1536 features, and WhisperFeatures makes 36: the folder of openai/"):
        load_recognizer()


def test_unknown_features_are_named():
    with pytest.raises(ValueError, match=r"features must be one of \['whisper', 'handcrafted', 'auto'\]. Got 'mfcc'"):
        load_recognizer("mfcc")
