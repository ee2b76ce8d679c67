"""ONNX files give what the classifiers give, for padded clips, too."""

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from tiny_whisper import write_whisper

from sklearn_ser import (
    AttentionBLSTMClassifier,
    BoundedScaler,
    CNNLSTMClassifier,
    DenseClassifier,
    FrameWise,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    NetworkClassifier,
    WhisperClassifier,
    export_onnx,
)
from sklearn_ser.neural import networks


def run(path, frames):
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    return session.run(["probabilities"], {"frames": frames.astype(np.float32)})[0], session.get_modelmeta()


@pytest.mark.parametrize(
    "classifier",
    [
        AttentionBLSTMClassifier([3], epochs=1),
        CNNLSTMClassifier(filters=[3], lstm_units=3, epochs=1),
        NetworkClassifier(network__filters=[3], network__pool_size=[2], epochs=1),
        NetworkClassifier(network__filters=[3], network__pool_size=[2], network__n_heads=2, epochs=1),
        NetworkClassifier(networks.statistics_network, network__trim=True, epochs=1),
    ],
    ids=["attention BLSTM", "CNN-LSTM", "attention CNN", "of two heads", "statistics"],
)
def test_padded_clips_are_as_in_the_library(classifier, tmp_path):
    pytest.importorskip("tf2onnx")
    X = np.random.default_rng(0).normal(size=(6, 20, 4)).astype(np.float32)
    X[1::2, 13:] = np.nan
    expected = classifier.fit(X, list("abcabc")).predict_proba(X)
    assert export_onnx(classifier, tmp_path / "network.onnx") is None
    got, about = run(tmp_path / "network.onnx", X)
    np.testing.assert_allclose(got, expected, atol=1e-5)
    np.testing.assert_allclose(run(tmp_path / "network.onnx", X[1:2, :13])[0], expected[1:2], atol=1e-5)
    assert json.loads(about.custom_metadata_map["classes"]) == ["a", "b", "c"]
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]


def test_scaling_and_projection_of_frames_are_part_of_the_file(tones, tmp_path):
    pytest.importorskip("tf2onnx")
    steps = [MelSpectrogramTransformer(n_mels=12), FrameWise(StandardScaler()), FrameWise(PCA(5))]
    pipeline = make_pipeline(*steps, DenseClassifier([4], epochs=1)).fit(tones, list("ababab"))
    before = export_onnx(pipeline, tmp_path / "pipeline.onnx")
    assert [name for name, _ in before.steps] == ["melspectrogramtransformer"]
    got, _ = run(tmp_path / "pipeline.onnx", before.transform(tones))
    np.testing.assert_allclose(got, pipeline.predict_proba(tones), atol=1e-4)


def test_features_have_one_frame(tones, tmp_path):
    pytest.importorskip("tf2onnx")
    pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), DenseClassifier([4], epochs=1))
    pipeline.fit(tones, list("ababab"))
    before = export_onnx(pipeline, tmp_path / "pipeline.onnx")
    assert [name for name, _ in before.steps] == ["handcraftedfeatures"]
    got, _ = run(tmp_path / "pipeline.onnx", before.transform(tones)[:, np.newaxis])
    np.testing.assert_allclose(got, pipeline.predict_proba(tones), atol=1e-4)


def floor(x):
    return np.maximum(x, -60.0)


class Cubed(StandardScaler):
    """A subclass may do anything."""

    def transform(self, X):
        return super().transform(X) ** 3


@pytest.mark.parametrize(
    "steps, n_before",
    [
        ([FrameWise(BoundedScaler(1.0)), FrameWise(MinMaxScaler(clip=True))], 0),
        ([MinMaxScaler((-2, 3), clip=True), BoundedScaler(), PCA(3, whiten=True)], 0),
        ([make_pipeline(RobustScaler(), BoundedScaler()), SelectKBest(k=2)], 0),
        ([QuantileTransformer(n_quantiles=20), StandardScaler()], 1),
        ([FrameWise(FunctionTransformer(floor)), FrameWise(StandardScaler())], 1),
        ([Cubed()], 1),
        ([StandardScaler(), Normalizer(), MaxAbsScaler()], 2),
    ],
)
def test_steps_that_are_not_linear_are_exported_as_what_they_are_or_run_before(steps, n_before, tmp_path):
    pytest.importorskip("tf2onnx")
    rng, y = np.random.default_rng(0), list("ab" * 20)
    X = (rng.normal(size=(40, 4)) * 900 - 60 + 900 * (np.array(y) == "b")[:, np.newaxis]).astype(np.float32)
    if isinstance(steps[0], FrameWise):
        X = np.repeat(X[:, np.newaxis], 3, axis=1)
    pipeline = make_pipeline(*steps, DenseClassifier([4], epochs=3, random_state=0)).fit(X, y)
    before = export_onnx(pipeline, tmp_path / "network.onnx")
    assert (0 if before is None else len(before.steps)) == n_before
    wide = np.concatenate([X, X * 10, X - 2000])  # far from what was seen, too
    frames = np.asarray(wide if before is None else before.transform(wide))
    got, _ = run(tmp_path / "network.onnx", frames if frames.ndim == 3 else frames[:, np.newaxis])
    np.testing.assert_allclose(got, pipeline.predict_proba(wide), atol=1e-4)


def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(TypeError, match="writes the networks of neural classifiers.*Got LogisticRegression"):
        export_onnx(make_pipeline(StandardScaler(), LogisticRegression()), tmp_path / "no.onnx")


def test_an_exact_gelu_is_part_of_the_file(tmp_path):
    """Whisper's encoder has one, and padded clips are as in the library."""
    pytest.importorskip("tf2onnx")
    X = np.random.default_rng(0).normal(size=(4, 40, 80)).astype(np.float32)
    X[1::2, 26:] = np.nan
    classifier = WhisperClassifier(write_whisper(tmp_path / "whisper"), 1, epochs=1, random_state=0)
    expected = classifier.fit(X, list("abab")).predict_proba(X)
    assert export_onnx(classifier, tmp_path / "whisper.onnx") is None
    np.testing.assert_allclose(run(tmp_path / "whisper.onnx", X)[0], expected, atol=1e-5)
