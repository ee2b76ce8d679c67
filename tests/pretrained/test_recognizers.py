"""Published recognizers: the logits of `transformers`, which classes they have, and where they stand."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from tiny_encoder import HEADS, waveforms, write_encoder

from sklearn_ser import (
    EvaluationReport,
    PretrainedClassifier,
    PretrainedRegressor,
    SegmentClassifier,
    SelectiveClassifier,
    ValueReport,
    evaluate,
)

SER = {"0": "neu", "1": "hap", "2": "ang", "3": "sad"}


@pytest.fixture(scope="module")
def references():
    return np.load(Path(__file__).with_name("references.npz"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of a model that tells four emotions apart, whose card states a licence."""
    config, shapes = HEADS["wav2vec2 weighted"]
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_encoder(folder, {**config, "id2label": SER}, more=shapes)
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: cc-by-nc-sa-4.0\n---\n# Tiny\n")
    return folder


@pytest.fixture(scope="module")
def dimensional(tmp_path_factory):
    config, shapes = HEADS["dimensions"]
    return write_encoder(tmp_path_factory.mktemp("models") / "dimensions", config, more=shapes)


@pytest.mark.parametrize("name", HEADS)
def test_logits_are_those_of_transformers(name, references, tmp_path):
    config, shapes = HEADS[name]
    prefix = "encoder." if config["model_type"] == "whisper" else None
    folder = write_encoder(tmp_path / "model", config, more=shapes, prefix=prefix)
    clips, expected = waveforms()[:3], references[f"head/{name}"]
    if name == "dimensions":
        model = PretrainedRegressor(folder).fit(clips)
        assert model.dimensions_ == ["arousal", "dominance", "valence"]
        logits = model.predict(clips)
    else:
        model = PretrainedClassifier(folder).fit(clips)
        logits = model.decision_function(clips)
        probabilities = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(clips), probabilities, atol=1e-4)
    assert np.ptp(expected, axis=1).min() > 0.1
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_classes_are_emotions_and_those_of_y(folder):
    clips = waveforms()[:3]
    model = PretrainedClassifier(folder).fit(clips)
    assert model.classes_.tolist() == ["anger", "happiness", "neutral", "sadness"] and model.labels_ == [*SER.values()]
    probabilities = model.predict_proba(clips)
    logits = np.exp(model.decision_function(clips))
    np.testing.assert_allclose(probabilities, (logits / logits.sum(axis=1, keepdims=True))[:, [2, 1, 0, 3]], atol=1e-9)
    some = clone(model).fit(clips, ["sadness", "boredom", "anger"])
    assert some.classes_.tolist() == ["anger", "boredom", "sadness"]
    expected = probabilities[:, [0, 3]] / probabilities[:, [0, 3]].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(some.predict_proba(clips)[:, [0, 2]], expected)
    assert not some.predict_proba(clips)[:, 1].any()
    assert set(some.predict(clips)) <= {"anger", "sadness"}
    assert PretrainedClassifier(folder, emotions=None).fit(clips).classes_.tolist() == ["ang", "hap", "neu", "sad"]
    mapped = PretrainedClassifier(folder, emotions={"ang": "high", "hap": "high", "neu": None}).fit(clips)
    assert mapped.classes_.tolist() == ["high", "sadness"]
    high = probabilities[:, :2].sum(axis=1) / probabilities[:, [0, 1, 3]].sum(axis=1)
    np.testing.assert_allclose(mapped.predict_proba(clips)[:, 0], high)
    with pytest.raises(ValueError, match=r"knows none of the classes in y. .*'neu'.*'Wut'.*emotions=\{label: class\}"):
        PretrainedClassifier(folder).fit(clips, ["Wut", "Freude", "Wut"])


def test_a_clip_does_not_depend_on_the_clips_beside_it_or_on_a_pickle(folder, tmp_path):
    clips = waveforms()
    model = PretrainedClassifier(folder, memory=tmp_path / "memory").fit(clips)
    expected = model.predict_proba(clips)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.memory is None and copy.features_.memory is None
    for row, clip in enumerate(clips):
        np.testing.assert_array_equal(copy.predict_proba([clip]), expected[row : row + 1])


def test_long_clips_are_encoded_in_parts_and_averaged(folder):
    long = np.tile(waveforms()[2], 70)
    model = PretrainedClassifier(folder).fit([long])
    assert len(list(model.features_._reading.architecture.windows(long.size))) == 3
    np.testing.assert_allclose(model.predict_proba([long]), model.predict_proba([long[: 20 * 16000]]), atol=0.02)


def test_it_stands_in_votes_segments_and_reports(folder):
    clips = waveforms()[:3] * 2
    speaker, y = list("abcabc"), ["anger", "sadness", "happiness", "neutral", "anger", "sadness"]
    model = PretrainedClassifier(folder).fit(clips)
    votes = VotingClassifier([("a", FrozenEstimator(model)), ("b", FrozenEstimator(model))], voting="soft")
    np.testing.assert_allclose(votes.fit(clips, y).predict_proba(clips), model.predict_proba(clips))
    fresh = VotingClassifier([("a", PretrainedClassifier(folder))], voting="soft").fit(clips, y)
    np.testing.assert_allclose(fresh.predict_proba(clips), model.predict_proba(clips))
    for recognizer in (PretrainedClassifier(folder), FrozenEstimator(model)):
        selective = SelectiveClassifier(recognizer, coverage=1.0).fit(clips * 2, y * 2, groups=speaker * 2)
        assert set(selective.predict(clips)) <= {*model.classes_}
    segments = SegmentClassifier(PretrainedClassifier(folder), segment_duration=0.5).fit(clips, y)
    assert segments.predict(clips[2:3])[0] in y
    X = pd.DataFrame({"path": pd.Series(clips, dtype=object), "speaker": speaker})
    report = evaluate(PretrainedClassifier(folder), X, y, cv=3)
    assert isinstance(report, EvaluationReport)
    assert "licence of the weights: cc-by-nc-sa-4.0" in " ".join(repr(report).split())
    assert model.license == "cc-by-nc-sa-4.0" and "licence" not in repr(PretrainedClassifier("a/b"))


@pytest.mark.parametrize(
    "make", [evaluate, lambda *args, cv: ValueReport.from_estimator(args[0].fit(args[1]), *args[1:])]
)
def test_reports_on_values_state_the_licence_too(dimensional, make):
    (dimensional / "README.md").write_text("---\nlicense: cc-by-nc-sa-4.0\n---\n# Tiny\n")
    X = pd.DataFrame({"path": pd.Series(waveforms()[:3] * 2, dtype=object), "speaker": list("abcabc")})
    report = make(PretrainedRegressor(dimensional), X, np.linspace(0, 1, 18).reshape(6, 3), cv=3)
    assert isinstance(report, ValueReport)
    assert report.protocol.endswith("; licence of the weights: cc-by-nc-sa-4.0")


def test_dimensions_are_chosen_by_name(dimensional):
    clips = waveforms()[:3]
    whole = PretrainedRegressor(dimensional).fit(clips).predict(clips)
    table = pd.DataFrame({"valence": [0.1, 0.2, 0.3], "activation": [0.1, 0.2, 0.3]})
    model = PretrainedRegressor(dimensional).fit(clips, table)
    assert model.dimensions_ == ["valence", "arousal"]
    np.testing.assert_array_equal(model.predict(clips), whole[:, [2, 0]])
    one = PretrainedRegressor(dimensional, dimensions="valence").fit(clips, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(one.predict(clips), whole[:, 2])
    with pytest.raises(ValueError, match="y has 1 column, and the model gives arousal, dominance, valence"):
        PretrainedRegressor(dimensional).fit(clips, [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"dimensions must name some of them. Got \['anger'\]"):
        PretrainedRegressor(dimensional, dimensions=["anger"]).fit(clips)


def test_the_other_kind_of_model_is_refused(folder, dimensional):
    with pytest.raises(ValueError, match="values of arousal, dominance, valence, not classes: use PretrainedRegressor"):
        PretrainedClassifier(dimensional).fit(waveforms()[:1])
    with pytest.raises(ValueError, match="apart: use PretrainedClassifier"):
        PretrainedRegressor(folder).fit(waveforms()[:1])


HOSTILE = {
    r"config\.json: id2label must name 4 labels": {"id2label": {"0": "a", "7": "b"}},
    r"config\.json: id2label must hold 4 different names": {"id2label": {"0": "a", "1": "a", "2": "b", "3": "c"}},
    r"config\.json: a head must read the mean .* Got pooling_mode='max'": {"pooling_mode": "max"},
    r"model\.safetensors lacks the tensor 'projector.weight': it is no model with a head": {"drop": "projector.weight"},
    r"'projector.bias' must have the shape \(8,\)": {"projector.bias": (7,)},
    r"'classifier.weight' must have the shape \(n, 8\)": {"classifier.weight": (4, 9)},
}


@pytest.mark.parametrize("message", HOSTILE)
def test_wrong_heads_are_errors_that_name_the_file(message, tmp_path):
    config, shapes = HEADS["hubert"]
    changes = dict(HOSTILE[message])
    shapes = {name: shape for name, shape in shapes.items() if name != changes.pop("drop", None)}
    shapes.update({name: changes.pop(name) for name in list(changes) if name in shapes})
    folder = write_encoder(tmp_path / "model", config, more=shapes)
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(ValueError, match=message):
        PretrainedClassifier(folder).fit(waveforms()[:1])


def test_heads_with_other_names_are_read(tmp_path):
    config, shapes = HEADS["dimensions"]
    renamed = {name.replace("out_proj", "output"): shape for name, shape in shapes.items()}
    folder = write_encoder(
        tmp_path / "model", {**config, "id2label": {"0": "angry", "1": "sad", "2": "x"}}, more=renamed
    )
    model = PretrainedClassifier(folder).fit(waveforms()[:1])
    assert model.classes_.tolist() == ["anger", "sadness", "x"]
    assert model._head.bends
