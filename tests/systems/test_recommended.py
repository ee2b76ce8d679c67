"""The recommended recogniser: an ordinary estimator, which is robust, and downloads only what it is told to."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score

from sklearn_ser import (
    AddNoise,
    AugmentedClassifier,
    HandcraftedFeatures,
    SelectiveClassifier,
    Telephone,
    WhisperFeatures,
    adapt,
    make_emotional_speech,
    make_recognizer,
)
from sklearn_ser.augmentation import augment_clips


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(64, n_speakers=4, random_state=0)


@pytest.fixture(scope="module")
def fitted(corpus):
    return make_recognizer("handcrafted", robust=False).fit(corpus.data[:48], corpus.target[:48])


def test_it_is_an_unfitted_estimator_of_named_steps():
    robust, plain = make_recognizer("handcrafted", random_state=3), make_recognizer("handcrafted", robust=False)
    assert isinstance(robust, AugmentedClassifier) and robust.random_state == 3 and robust.augmenters
    assert list(plain.named_steps) == ["worldnormalizer", "boundedscaler", "calibrateddiscriminant"]
    assert isinstance(plain[0].transformer, HandcraftedFeatures)
    assert isinstance(make_recognizer(robust=False)[0].transformer, WhisperFeatures)
    assert clone(robust).get_params()["estimator__calibrateddiscriminant__shrinkage"] == 0.2


def test_it_recognises_and_says_how_sure_it_is(corpus, fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "ser.joblib")
    loaded = joblib.load(tmp_path / "ser.joblib")
    probabilities = loaded.predict_proba(corpus.data[48:])
    np.testing.assert_array_equal(probabilities, fitted.predict_proba(corpus.data[48:]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert balanced_accuracy_score(corpus.target[48:], loaded.predict(corpus.data[48:])) > 0.6


def test_corpora_in_a_table_are_scaled_by_themselves_and_a_new_one_is_adapted_to(corpus):
    table = pd.DataFrame({"path": pd.Series(corpus.data, dtype=object), "corpus": np.repeat(["a", "b"], 32)})
    recognizer = make_recognizer("handcrafted", robust=False).fit(table, corpus.target)
    assert recognizer[0].worlds_.tolist() == ["a", "b"]
    telephone = augment_clips(corpus.data, Telephone(), random_state=0)
    adapted = adapt(recognizer, telephone[:32])
    assert adapted.n_adaptation_clips_ == 32
    scores = [
        balanced_accuracy_score(corpus.target[32:], each.predict(telephone[32:])) for each in (recognizer, adapted)
    ]
    assert scores[1] >= scores[0] and scores[1] > 0.5


def test_noise_does_not_make_one_answer_of_all(corpus, fitted):
    noisy = augment_clips(corpus.data[48:], AddNoise(snr=10), random_state=0)
    answers = fitted.predict(noisy)
    assert np.unique(answers, return_counts=True)[1].max() < 12
    assert balanced_accuracy_score(corpus.target[48:], answers) > 0.4


def test_only_the_encoder_needs_keras():
    code = (
        "import sys; from sklearn_ser import make_emotional_speech, make_recognizer; "
        "c = make_emotional_speech(8, random_state=0); "
        "make_recognizer('handcrafted', robust=False).fit(c.data, c.target).predict(c.data); "
        "assert not {'keras', 'tensorflow', 'safetensors'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_auto_takes_what_is_at_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    with pytest.warns(UserWarning, match="Handcrafted features are used.* not at hand. To get them"):
        assert isinstance(make_recognizer("auto", robust=False)[0].transformer, HandcraftedFeatures)
    folder = tmp_path / "whisper-base"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(b"{}")
    assert isinstance(make_recognizer("auto", robust=False)[0].transformer, WhisperFeatures)


def test_unknown_features_are_named():
    with pytest.raises(ValueError, match=r"features must be one of \['whisper', 'handcrafted', 'auto'\]. Got 'mfcc'"):
        make_recognizer("mfcc")


def test_what_is_no_speech_is_unknown(corpus):
    selective = SelectiveClassifier(make_recognizer("handcrafted", robust=False), coverage=1.0, novelty=True, cv=4)
    selective.fit(corpus.data, corpus.target, groups=corpus.speaker)
    rng, time = np.random.default_rng(0), np.arange(32000) / 16000
    strange = [np.zeros(32000), np.sin(2 * np.pi * 700 * time), rng.normal(size=32000), 1e-4 * rng.normal(size=32000)]
    assert (selective.predict(strange) == "unknown").all() and selective.reject(strange).all()
    assert selective.novelty_score(strange).min() > selective.novelty_threshold_
    assert (selective.predict(corpus.data) != "unknown").mean() > 0.9
    assert selective.coverage_ >= 0.95
