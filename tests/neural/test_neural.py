"""The neural classifiers keep scikit-learn's contracts: labels, weights, seeds, padding, files."""

import copy
import os
import pickle
import random

import joblib
import numpy as np
import pytest
from helpers import run_python, small
from sklearn.pipeline import make_pipeline

from sklearn_ser import CNNLSTMClassifier, WaveformChunker


@pytest.fixture(scope="module")
def fitted(frames):
    return small().fit(*frames)


# ------------------------------------------------------------------------------------------------------------- learning


def test_it_learns(fitted, frames):
    assert fitted.score(*frames) > 0.9
    assert list(fitted.classes_) == ["anger", "neutral", "sadness"]
    assert fitted.history_["loss"][-1] < 0.7 * fitted.history_["loss"][0]
    assert len(fitted.history_["accuracy"]) == 6


def test_a_step_of_training_is_traced_once(frames):
    """TensorFlow traces a step twice that makes variables, such as those of the optimizer and the metrics."""
    import keras

    traced = []

    def sparse(y, probabilities):
        traced.append(y.shape)
        return keras.losses.sparse_categorical_crossentropy(y, probabilities)

    classifier = small(epochs=2, loss=sparse, metrics=["accuracy"]).fit(*frames)
    assert len(traced) == 1
    classifier.partial_fit(*frames)
    assert len(traced) == 1


def test_probabilities_are_a_distribution(fitted, frames):
    probabilities = fitted.predict_proba(frames[0])
    assert probabilities.shape == (60, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(fitted.predict(frames[0]), fitted.classes_[probabilities.argmax(axis=1)])


@pytest.mark.parametrize("labels", [[7, 3], [True, False], ["b", "a"], np.array(["x", "y"], dtype=object)], ids=str)
def test_labels_come_back_as_they_were(frames, labels):
    y = np.asarray(labels)[np.repeat([0, 1], 20)]
    classifier = small(epochs=4).fit(frames[0][:40], y)
    assert classifier.classes_.dtype == y.dtype and list(classifier.classes_) == sorted(labels)
    assert classifier.score(frames[0][:40], y) > 0.8


def test_chunks_are_convolved_inside_and_read_across(tones):
    """Noise and tones, told apart within a chunk of waveform."""
    rng = np.random.default_rng(0)
    clips = [
        rng.normal(size=n) if i % 2 else np.sin(0.2 * np.arange(n)) for i, n in enumerate(rng.integers(2000, 9000, 24))
    ]
    y = np.arange(24) % 2
    pipeline = make_pipeline(
        WaveformChunker(chunk_duration=0.125), small(filters=[4, 4], pool_size=None, epochs=8)
    ).fit(clips, y)
    assert pipeline[-1].input_type_ == "chunks"
    assert pipeline.score(clips, y) > 0.9
    shapes = {layer.name: layer.output.shape for layer in pipeline[-1].model_.layers if hasattr(layer, "output")}
    assert shapes["conv_0"] == (None, None, 250, 4)  # 2000 samples of a chunk, in steps of 8
    assert shapes["lstm_0"] == (None, 8)


def test_input_type_can_be_said(frames):
    assert small(epochs=1, input_type="chunks", kernel_size=3, strides=1).fit(*frames).input_type_ == "chunks"
    assert small(epochs=1).fit(*frames).input_type_ == "frames"


@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_no_clip_is_pooled_to_nothing(n_frames):
    X = np.random.default_rng(0).normal(size=(20, n_frames, 4))
    classifier = small(filters=[4] * 4, pool_size=4, epochs=1).fit(X, np.arange(20) % 2)
    assert np.isfinite(classifier.predict_proba(X)).all()


def test_model_has_the_blocks_of_the_paper(fitted):
    names = [layer.name for layer in fitted.model_.layers]
    for block in range(2):
        order = [names.index(f"{part}_{block}") for part in ("conv", "max_pool", "batch_norm", "elu")]
        assert order == sorted(order)
    assert names.index("elu_1") < names.index("lstm_0") < names.index("probabilities")


# -------------------------------------------------------------------------------------------------------------- padding


def test_padding_does_not_change_a_clip(fitted, frames):
    X = frames[0]
    expected = fitted.predict_proba(X)
    padded = np.concatenate([X, np.full((60, 9, 3), np.nan, np.float32)], axis=1)
    np.testing.assert_allclose(fitted.predict_proba(padded), expected, atol=1e-6)
    for row in range(0, 60, 7):
        alone = X[row : row + 1, : (~np.isnan(X[row, :, 0])).sum()]
        np.testing.assert_allclose(fitted.predict_proba(alone)[0], expected[row], atol=1e-6)


@pytest.mark.parametrize(
    "params", [dict(), dict(strides=2), dict(strides=3, kernel_size=4), dict(pool_size=3)], ids=str
)
def test_padding_does_not_change_training(frames, params):
    """Batch statistics, gradients and pooling see real frames only."""
    X, y = frames
    padded = np.concatenate([X, np.full((60, 5, 3), np.nan, np.float32)], axis=1)
    for row in (0, 30):  # the longest clips of a batch end at different frames
        padded[row, :17] = np.random.default_rng(row).normal(size=(17, 3))
    longer = np.concatenate([padded, np.full((60, 8, 3), np.nan, np.float32)], axis=1)
    expected = small(epochs=2, **params).fit(padded, y).predict_proba(padded)
    np.testing.assert_allclose(small(epochs=2, **params).fit(longer, y).predict_proba(longer), expected, atol=1e-5)


def test_padding_does_not_change_chunks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(16, 3, 200)).astype(np.float32)
    X[:8, 2:] = np.nan
    padded = np.concatenate([X, np.full((16, 2, 200), np.nan, np.float32)], axis=1)
    classifier = small(input_type="chunks", strides=2, kernel_size=5, epochs=2).fit(X, np.arange(16) % 2)
    np.testing.assert_allclose(classifier.predict_proba(padded), classifier.predict_proba(X), atol=1e-6)


def test_clips_without_frames_and_torn_padding_are_refused(fitted, frames):
    X = frames[0].copy()
    X[4] = np.nan
    with pytest.raises(ValueError, match="Row 4 has no frames"):
        fitted.predict_proba(X)
    X[4] = 0
    X[5, 0, 1] = np.nan
    with pytest.raises(ValueError, match="Row 5, frame 0 contains NaN, but NaN marks padding"):
        small().fit(X, frames[1])
    with pytest.raises(ValueError, match="X has 2 features, but CNNLSTMClassifier is expecting 3 features"):
        fitted.predict(frames[0][:, :, :2])


# ------------------------------------------------------------------------------------------------------ reproducibility


def test_same_seed_gives_the_same_probabilities(fitted, frames):
    again = small().fit(*frames)
    np.testing.assert_array_equal(again.predict_proba(frames[0]), fitted.predict_proba(frames[0]))
    other = small(random_state=1).fit(*frames)
    assert np.abs(other.predict_proba(frames[0]) - fitted.predict_proba(frames[0])).max() > 1e-3


def test_generator_instance_as_seed(frames):
    first, second = (small(epochs=1, random_state=np.random.RandomState(5)).fit(*frames) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(frames[0]), second.predict_proba(frames[0]))


@pytest.mark.parametrize("random_state", [0, None])
def test_global_random_state_is_left_as_found(frames, random_state):
    import keras
    import tensorflow as tf

    def draw():
        return random.random(), np.random.random(), keras.random.uniform((2,)).numpy(), tf.random.uniform((2,)).numpy()

    def begin():
        keras.utils.set_random_seed(3)
        keras.backend.clear_session()  # or an older Keras keeps its generator
        draw()  # makes Keras' generator

    begin()
    expected = draw()
    begin()
    numpy_state = np.random.get_state()
    classifier = small(epochs=1, random_state=random_state, early_stopping=True).fit(*frames)
    pickle.loads(pickle.dumps(classifier)).predict_proba(frames[0])
    if random_state is None:  # then NumPy's generator is the source of the seed, as everywhere in scikit-learn
        np.random.set_state(numpy_state)
    for got, wanted in zip(draw(), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_scikeras_leaves_keras_as_it_was():
    """In a fresh process, because another import of scikeras would have changed Keras already."""
    code = """
        import keras
        classes = [keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer]
        before = [(c.__reduce__, getattr(c, "__deepcopy__", None)) for c in classes]
        import sklearn_ser.neural._keras
        assert before == [(c.__reduce__, getattr(c, "__deepcopy__", None)) for c in classes]
    """
    run_python(code)


# -------------------------------------------------------------------------------------------------- weights and classes


def test_clips_of_weight_zero_are_not_there(frames):
    X, y = frames
    weight = np.ones(60)
    weight[::3] = 0
    weighted = small(epochs=2).fit(X, y, sample_weight=weight)
    without = small(epochs=2).fit(X[weight > 0], y[weight > 0], sample_weight=weight[weight > 0])
    np.testing.assert_allclose(weighted.predict_proba(X), without.predict_proba(X), atol=1e-6)


def test_class_weight_moves_the_decision(frames):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 4, 2)), np.repeat(["rare", "usual"], [10, 70])  # nothing to learn but the prior
    plain = small(epochs=3).fit(X, y).predict_proba(X)[:, 0].mean()
    balanced = small(epochs=3, class_weight="balanced").fit(X, y).predict_proba(X)[:, 0].mean()
    favoured = small(epochs=3, class_weight={"rare": 100.0, "usual": 1.0}).fit(X, y).predict_proba(X)[:, 0].mean()
    assert plain < 0.3 < balanced < favoured


def test_class_weight_and_sample_weight_multiply(frames):
    X, y = frames
    both = small(epochs=1, class_weight={"anger": 2.0, "neutral": 1.0, "sadness": 1.0}).fit(X, y, np.full(60, 0.5))
    product = small(epochs=1).fit(X, y, np.where(y == "anger", 1.0, 0.5))
    np.testing.assert_allclose(both.predict_proba(X), product.predict_proba(X), atol=1e-6)


def test_threads_build_networks_without_mixing_their_seeds(frames):
    X, y = frames
    expected = [small(epochs=1, random_state=seed).fit(X, y).predict_proba(X) for seed in range(3)]
    state = random.getstate(), np.random.get_state()[1].tolist()
    fitted = joblib.Parallel(n_jobs=3, backend="threading")(
        joblib.delayed(small(epochs=1, random_state=seed).fit)(X, y) for seed in range(3)
    )
    for classifier, wanted in zip(fitted, expected, strict=True):
        np.testing.assert_allclose(classifier.predict_proba(X), wanted, atol=1e-6)
    assert state == (random.getstate(), np.random.get_state()[1].tolist())


def test_paths_and_waveforms_are_sent_to_a_transformer_first(tones):
    for X in (["a.wav", "b.wav"], tones):
        with pytest.raises(
            ValueError, match="put MelSpectrogramTransformer, WaveformChunker or HandcraftedFeatures before"
        ):
            small().fit(X, np.arange(len(X)) % 2)
    with pytest.raises(
        ValueError, match=r"at least one clip, one frame and one value. Got an array of shape \(4, 0, 3\)"
    ):
        small().fit(np.zeros((4, 0, 3)), [0, 1, 0, 1])


# --------------------------------------------------------------------------------------------------------------- saving


def test_round_trip_into_a_fresh_process(frames, tmp_path):
    """Identical probabilities, a file little above the weights, and no Keras before it is needed."""
    X, y = frames
    classifier = CNNLSTMClassifier(epochs=1, random_state=0).fit(X, y)
    joblib.dump(classifier, tmp_path / "model.joblib")
    np.save(tmp_path / "X.npy", X)
    code = """
        import sys, joblib, numpy as np
        classifier = joblib.load(sys.argv[1] + "/model.joblib")
        assert not {"keras", "tensorflow", "scikeras"} & set(sys.modules)
        np.save(sys.argv[1] + "/p.npy", classifier.predict_proba(np.load(sys.argv[1] + "/X.npy")))
    """
    run_python(code, tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), classifier.predict_proba(X))
    weights = sum(weight.nbytes for weight in classifier.model_.get_weights())
    assert os.path.getsize(tmp_path / "model.joblib") < 1.2 * weights


def test_copies_are_independent(fitted, frames):
    expected = fitted.predict_proba(frames[0])
    duplicate = copy.deepcopy(fitted).partial_fit(*frames)
    assert np.abs(duplicate.predict_proba(frames[0]) - expected).max() > 0
    np.testing.assert_array_equal(fitted.predict_proba(frames[0]), expected)
    twice = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(fitted))))
    np.testing.assert_array_equal(twice.predict_proba(frames[0]), expected)


def test_model_is_a_keras_model_that_reads_padded_frames(fitted, frames):
    import keras

    assert isinstance(fitted.model_, keras.Model)
    np.testing.assert_allclose(fitted.model_.predict(frames[0], verbose=0), fitted.predict_proba(frames[0]), atol=1e-6)
    with pytest.raises(AttributeError, match="no model_ before it is fitted"):
        _ = small().model_
