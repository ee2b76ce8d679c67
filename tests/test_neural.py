"""The neural classifiers keep scikit-learn's contracts: labels, weights, seeds, padding, splits, files."""

import copy
import inspect
import json
import os
import pathlib
import pickle
import random
import subprocess
import sys
import textwrap
import warnings
import zipfile

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, check_cv, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_ser import CNNLSTMClassifier, FlattenFrames, FrameWise, MelSpectrogramTransformer, WaveformChunker

SMALL = dict(
    filters=[8, 8],
    pool_size=2,
    lstm_units=8,
    statistics_units=0,
    learning_rate=0.02,
    learning_rate_schedule=None,
    epochs=6,
    batch_size=16,
    random_state=0,
)


def small(**params):
    return CNNLSTMClassifier(**{**SMALL, **params})


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


def run_python(code, *args, **environment):
    """Run code in a fresh interpreter; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        cwd=pathlib.Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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


# ------------------------------------------------------------------------------------------------------- early stopping


def test_early_stopping_holds_out_every_class_of_sorted_labels(frames, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        CNNLSTMClassifier, "_train", lambda self, clips, validation, **kw: seen.update(clips=clips, held=validation)
    )
    small(early_stopping=True, validation_fraction=0.2).fit(*frames)
    clips, held = seen["clips"], seen["held"]
    assert np.bincount(held.y[held.rows]).tolist() == [4, 4, 4]
    assert np.bincount(clips.y[clips.rows]).tolist() == [16, 16, 16]
    assert held.X is clips.X, "no part of the clips is copied"


def test_early_stopping_keeps_speakers_apart(frames, monkeypatch):
    X, y = frames
    groups = np.arange(60) % 6
    X = X.copy()
    X[:, 0, 0] = groups  # so that the rows tell their speaker
    seen = {}
    monkeypatch.setattr(
        CNNLSTMClassifier, "_train", lambda self, clips, validation, **kw: seen.update(clips=clips, held=validation)
    )
    small(early_stopping=True).fit(X, y, groups=groups)
    train, held = (set(part.X[part.rows, 0, 0]) for part in (seen["clips"], seen["held"]))
    assert held and train and not train & held
    assert set(seen["held"].y[seen["held"].rows]) == {0, 1, 2}


def test_early_stopping_stops_and_restores_the_best_epoch(frames):
    X, y = frames
    noise = np.random.default_rng(1).permutation(y)  # labels that say nothing: the held-out loss soon rises
    classifier = small(early_stopping=True, n_iter_no_change=3, epochs=60, validation_fraction=0.3).fit(X, noise)
    losses = classifier.history_["val_loss"]
    assert len(losses) < 60 and len(losses) == np.argmin(losses) + 4
    _, held = classifier._split(noise, None, classifier._draw_seed())
    p = classifier.predict_proba(X[held])[np.arange(len(held)), np.searchsorted(classifier.classes_, noise[held])]
    assert -np.log(p).mean() == pytest.approx(min(losses), rel=1e-4)


def test_epoch_kept_is_the_best_whatever_the_tolerance(frames, tmp_path):
    """`tol` says when to give up, not which epoch is best; a resumed training gives up when the straight one would."""
    params = dict(
        early_stopping=True, tol=0.03, n_iter_no_change=3, epochs=30, learning_rate=0.004, validation_fraction=0.2
    )
    path = tmp_path / "best.keras"
    straight = small(**params, model_checkpoint=path).fit(*frames)
    losses = straight.history_["val_loss"]
    assert 4 < len(losses) < 30
    _, held = straight._split(frames[1], None, straight._draw_seed())
    p = straight.predict_proba(frames[0][held])[np.arange(len(held)), straight._encode(frames[1][held])]
    assert -np.log(p).mean() == pytest.approx(min(losses), rel=1e-4)
    resumed = small(**params, model_checkpoint=path).fit(*frames)  # from the best epoch on
    np.testing.assert_allclose(resumed.history_["val_loss"], losses, rtol=1e-5)


def test_early_stopping_refuses_what_it_cannot_split(frames):
    X, y = frames
    with pytest.raises(ValueError, match="4 clips, of which 1 in the rarest of 3 classes, are too few"):
        small(early_stopping=True).fit(X[[0, 1, 20, 40]], y[[0, 1, 20, 40]])
    with pytest.raises(ValueError, match="needs at least two of them"):
        small(early_stopping=True).fit(X, y, groups=np.zeros(60))
    with pytest.raises(ValueError, match=r"no clip of \['\w+'\] is left to train on"):
        small(early_stopping=True).fit(X, y, groups=y)
    small(early_stopping=True, epochs=1).fit(X[::5], y[::5], groups=np.arange(12))  # more groups than clips of a class


def test_groups_reach_the_split_through_a_pipeline(frames, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        CNNLSTMClassifier, "_split", lambda self, y, groups, seed: (seen.update(groups=groups), [0, 20, 40, 59])[1:] * 2
    )
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(FrameWise(), small(early_stopping=True, epochs=1).set_fit_request(groups=True))
        pipeline.fit(*frames, groups=np.arange(60))
    np.testing.assert_array_equal(seen["groups"], np.arange(60))


# ---------------------------------------------------------------------------------------------------- going on training


def test_partial_fit_goes_on(frames):
    X, y = frames
    classifier = small()
    for epoch in range(1, 6):
        classifier.partial_fit(X, y, classes=["anger", "neutral", "sadness", "surprise"])
        assert len(classifier.history_["loss"]) == epoch
    assert classifier.predict_proba(X).shape == (60, 4)
    assert classifier.score(X, y) > 0.8


def test_partial_fit_refuses_what_it_cannot_do(frames):
    X, y = frames
    with pytest.raises(ValueError, match="class_weight='balanced' needs all clips at once"):
        small(class_weight="balanced").partial_fit(X, y)
    classifier = small().partial_fit(X[:40], y[:40])
    with pytest.raises(ValueError, match=r"y holds the classes \[.*sadness.*\], which are not among"):
        classifier.partial_fit(X, y)
    with pytest.raises(ValueError, match="differs from the first call's"):
        classifier.partial_fit(X[:40], y[:40], classes=["anger", "sadness"])


def test_warm_start_goes_on_where_fit_ended(frames):
    X, y = frames
    two_and_two = small(epochs=2, warm_start=True).fit(X, y).fit(X, y)
    four = small(epochs=4).fit(X, y)
    assert len(two_and_two.history_["loss"]) == 4
    np.testing.assert_allclose(two_and_two.history_["loss"], four.history_["loss"], rtol=1e-5)
    np.testing.assert_allclose(two_and_two.predict_proba(X), four.predict_proba(X), atol=1e-5)
    with pytest.raises(
        ValueError, match=r"y holds the classes \[.*sadness.*\], which are not among .*warm_start=False"
    ):
        small(epochs=1, warm_start=True).fit(X[:40], y[:40]).fit(X, y)
    assert len(small(epochs=2).fit(X, y).fit(X, y).history_["loss"]) == 2


def test_training_goes_on_from_a_file(frames, tmp_path):
    X, y = frames
    joblib.dump(small(epochs=3, warm_start=True).fit(X, y), tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    before = loaded.history_["loss"][-1]
    assert loaded.fit(X, y).history_["loss"][-1] < before
    assert len(loaded.partial_fit(X, y).history_["loss"]) == 7


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


# ---------------------------------------------------------------------------------------------------------- checkpoints

CUT_OFF = """
    import os, sys
    import numpy as np
    from sklearn_ser import CNNLSTMClassifier
    from sklearn_ser.neural import _batches
    folder, params = sys.argv[1], eval(sys.argv[2])
    data = np.load(folder + "/data.npz")
    class Kill(_batches.Batches):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 5:
                os._exit(9)  # as a kill does: nothing is tidied up
            super().on_epoch_begin(epoch, logs)
    _batches.Batches = Kill
    CNNLSTMClassifier(**params).fit(data["X"], data["y"])
"""


@pytest.mark.parametrize(
    "params", [dict(), dict(early_stopping=True, n_iter_no_change=20)], ids=["plain", "early stopping"]
)
def test_training_resumes_after_a_kill_as_if_nothing_had_happened(frames, tmp_path, params):
    X, y = frames
    np.savez(tmp_path / "data.npz", X=X, y=y)
    params = {**SMALL, **params, "epochs": 8, "learning_rate": 0.005}
    checkpoint = tmp_path / "new folder" / "best.keras"
    arguments = {**params, "model_checkpoint": str(checkpoint)}
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CUT_OFF), str(tmp_path), repr(arguments)],
        cwd=pathlib.Path(__file__).parents[1],
        capture_output=True,
    )
    assert killed.returncode == 9, killed.stderr.decode()
    with zipfile.ZipFile(checkpoint) as archive:
        note = json.loads(archive.read("sklearn_ser.json"))
    assert 0 < note["epoch"] < 5

    epochs_run = []
    from sklearn_ser.neural import _batches

    class Count(_batches.Batches):
        def on_epoch_begin(self, epoch, logs=None):
            epochs_run.append(epoch)
            super().on_epoch_begin(epoch, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_batches, "Batches", Count)
        resumed = CNNLSTMClassifier(**arguments).fit(X, y)
    assert epochs_run == list(range(note["epoch"] + 1, 8))
    straight = CNNLSTMClassifier(**params).fit(X, y)
    np.testing.assert_allclose(resumed.history_["loss"], straight.history_["loss"], rtol=1e-5)
    np.testing.assert_allclose(resumed.predict_proba(X), straight.predict_proba(X), atol=1e-5)
    assert vars(resumed).keys() == vars(straight).keys()
    assert not list(checkpoint.parent.glob(".*")), "unfinished files are left behind"


def test_checkpoint_holds_the_best_epoch_as_a_keras_file(frames, tmp_path):
    import keras

    X, y = frames
    path = tmp_path / "best.keras"
    classifier = small(early_stopping=True, validation_fraction=0.3, model_checkpoint=path).fit(X, y)
    best = keras.saving.load_model(path)
    np.testing.assert_allclose(best.predict(X, verbose=0), classifier.predict_proba(X), atol=1e-6)


def test_checkpoint_of_another_training_is_not_resumed(frames, tmp_path):
    X, y = frames
    path = tmp_path / "best.keras"
    small(epochs=2, model_checkpoint=path).fit(X, y)
    with pytest.warns(UserWarning, match="holds a training on other clips or with other parameters"):
        other = small(epochs=2, model_checkpoint=path).fit(X[::-1], y[::-1])
    np.testing.assert_array_equal(other.predict_proba(X), small(epochs=2).fit(X[::-1], y[::-1]).predict_proba(X))


def test_training_without_a_fixed_seed_resumes_with_the_seed_it_began_with(frames, tmp_path):
    params = dict(random_state=None, early_stopping=True, model_checkpoint=tmp_path / "best.keras", epochs=3)
    first = small(**params).fit(*frames)
    again = small(**params).fit(*frames)  # replays what came after the best epoch
    np.testing.assert_allclose(again.history_["val_loss"], first.history_["val_loss"], rtol=1e-5)
    np.testing.assert_allclose(again.predict_proba(frames[0]), first.predict_proba(frames[0]), atol=1e-6)


def test_partial_fit_and_another_beginning_do_not_take_up_a_checkpoint(frames, tmp_path):
    path = tmp_path / "best.keras"
    classifier = small(epochs=1, model_checkpoint=path)
    assert len(classifier.partial_fit(*frames).partial_fit(*frames).history_["loss"]) == 2
    assert not path.exists()
    params = dict(early_stopping=True, validation_fraction=0.2, model_checkpoint=path, epochs=2)
    small(warm_start=True, epochs=1).fit(*frames).set_params(**params).fit(*frames)
    with pytest.warns(UserWarning, match="holds a training on other clips or with other parameters"):
        small(**params).fit(*frames)


@pytest.mark.parametrize(
    "path, message", [("best.h5", "must end in '.keras'"), ("file/best.keras", "cannot be written")]
)
def test_checkpoint_that_cannot_be_written_is_refused_before_training(frames, tmp_path, path, message):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=f"model_checkpoint='.*' {message}"):
        small(model_checkpoint=tmp_path / path).fit(*frames)


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


def test_somebody_elses_file_is_not_overwritten(frames, tmp_path):
    path = tmp_path / "thesis.keras"
    path.write_text("three years of work")
    with pytest.raises(ValueError, match="thesis.keras' exists and is no checkpoint of this library"):
        small(model_checkpoint=path).fit(*frames)
    assert path.read_text() == "three years of work"


# ------------------------------------------------------------------------------------------------- among scikit-learn's


def test_it_is_a_classifier_and_integer_cv_is_stratified(frames):
    pipeline = make_pipeline(FrameWise(), small())
    assert is_classifier(pipeline)
    assert isinstance(check_cv(3, frames[1], classifier=is_classifier(pipeline)), StratifiedKFold)


def test_probability_scorers(frames):
    X, y = frames
    pipeline = make_pipeline(FrameWise(), small(epochs=4))
    least = {"roc_auc_ovr": 0.9, "neg_log_loss": -0.9, "balanced_accuracy": 0.7}
    scores = cross_validate(pipeline, X, y, cv=2, scoring=list(least), error_score="raise")
    for scoring, bound in least.items():
        assert scores[f"test_{scoring}"].mean() > bound


def test_voting_stacking_and_calibration(frames):
    X, y = frames
    deep = make_pipeline(FrameWise(), small(epochs=4))
    flat = make_pipeline(FlattenFrames(), LogisticRegression())
    for ensemble in (
        VotingClassifier([("deep", deep), ("flat", flat)], voting="soft"),
        StackingClassifier([("deep", deep), ("flat", flat)], cv=2),
        CalibratedClassifierCV(deep, cv=2),
    ):
        assert ensemble.fit(X, y).score(X, y) > 0.8
        assert ensemble.predict_proba(X).shape == (60, 3)


@pytest.mark.filterwarnings("ignore:Row . is cropped")  # the tones of a fold are longer than those of the other
def test_grid_search_through_the_whole_pipeline(tones):
    """Steps, their inner transformers and the network, from audio on, in two processes."""
    y = list("ababab")
    pipeline = make_pipeline(MelSpectrogramTransformer(), FrameWise(), small(epochs=1))
    n_mels, lstm_units = "melspectrogramtransformer__n_mels", "cnnlstmclassifier__lstm_units"
    grid = [{n_mels: [8], lstm_units: [8]}, {n_mels: [16], lstm_units: [4]}]  # a step's and the network's, together
    search = GridSearchCV(pipeline, grid, cv=KFold(2), n_jobs=2, error_score="raise").fit(tones, y)
    assert len(search.cv_results_["params"]) == 2
    assert search.predict(tones).shape == (6,)
    best = search.best_estimator_[-1].model_
    assert best.input_shape[-1] == search.best_params_[n_mels]
    assert best.get_layer("lstm_0").units == search.best_params_[lstm_units]


def test_optimizers_are_named_configured_or_given(frames):
    import keras

    X, y = frames
    given = keras.optimizers.SGD(momentum=0.9, nesterov=True)
    configured = keras.optimizers.serialize(given)
    probabilities = []
    for optimizer in (given, configured):
        classifier = clone(small(epochs=2, optimizer=optimizer)).fit(X, y)
        assert classifier.model_.optimizer.momentum == 0.9 and classifier.model_.optimizer.nesterov
        assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(0.02)
        probabilities.append(classifier.predict_proba(X))
    np.testing.assert_array_equal(*probabilities)
    assert not given.built
    kept = small(epochs=1, optimizer="rmsprop", learning_rate=None).fit(X, y)
    assert float(kept.model_.optimizer.learning_rate) == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="optimizer must be the name of a Keras optimizer.*Got 'addam'"):
        small(optimizer="addam").fit(X, y)


@pytest.mark.parametrize(
    "params, message",
    [
        (
            dict(kernel_size=[3]),
            r"kernel_size must hold one positive int for each of the blocks.*Got kernel_size=\[3\]",
        ),
        (dict(kernel_size=[2.5, 3]), r"kernel_size must hold one positive int.*Got kernel_size=\[2.5, 3\]"),
        (dict(optimizer={"a": 1}), "optimizer must be the name of a Keras optimizer"),
        (dict(filters=[]), "one positive int for each of the blocks"),
        (dict(filters=[8, 0]), r"filters must hold one positive int.*Got filters=\[8, 0\]"),
        (dict(lstm_units=0), "'lstm_units' parameter"),
        (dict(dropout=1.0), "'dropout' parameter"),
        (dict(epochs=0), "'epochs' parameter"),
        (dict(input_type="video"), "'input_type' parameter"),
    ],
)
def test_wrong_parameters_are_named(frames, params, message):
    with pytest.raises(ValueError, match=message):
        small(**params).fit(*frames)


def test_divergence_is_said(frames):
    X, y = frames
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate"):
        small(optimizer="sgd", learning_rate=1e30, epochs=3).fit(X, y)


def test_verbose_shows_progress_and_silence_is_the_default(frames, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(epochs=2).fit(*frames).predict(frames[0])
    assert capfd.readouterr() == ("", "")
    small(epochs=2, verbose=1).fit(*frames)
    shown = capfd.readouterr().err
    assert "CNNLSTMClassifier" in shown and "2/2" in shown and "loss=" in shown


# ------------------------------------------------------------------------------------------- what importing must not do


def test_features_and_an_svm_never_import_keras():
    code = """
        import sys
        import sklearn_ser
        heavy = {"tensorflow", "keras", "scikeras"}
        assert not (heavy | {"sklearn", "librosa", "pandas", "numpy"}) & set(sys.modules)
        import numpy as np
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import SVC
        make_pipeline(sklearn_ser.HandcraftedFeatures(), SVC()).fit(np.random.rand(4, 4000), [0, 1, 0, 1])
        sklearn_ser.CNNLSTMClassifier()
        assert not heavy & set(sys.modules)
    """
    run_python(code)


def test_parallel_workers_share_the_cores(frames):
    """In a worker of joblib, TensorFlow takes the threads that joblib gives it."""

    def threads():
        import tensorflow as tf

        import sklearn_ser.neural._keras  # noqa: F401

        return tf.config.threading.get_intra_op_parallelism_threads(), os.environ.get("TF_NUM_INTRAOP_THREADS")

    with joblib.parallel_config(backend="loky", n_jobs=2, inner_max_num_threads=1):
        (_, variable), _ = joblib.Parallel()(joblib.delayed(threads)() for _ in range(2))
    assert variable == "1"


def test_networks_run_on_another_backend(frames, tmp_path):
    """With KERAS_BACKEND=jax; the extra test installs JAX, so that under CI it must be there."""
    if not os.environ.get("CI"):
        pytest.importorskip("jax")
    np.savez(tmp_path / "data.npz", X=frames[0], y=frames[1])
    params = SMALL | dict(batch_size=20)  # each shape of a batch is compiled anew: here there are few
    code = f"""
        import sys, pickle, numpy as np
        from sklearn_ser import CNNLSTMClassifier
        data = np.load(sys.argv[1] + "/data.npz")
        classifier = CNNLSTMClassifier(**{params!r}).fit(data["X"], data["y"])
        import keras
        assert keras.backend.backend() == "jax"
        assert classifier.score(data["X"], data["y"]) > 0.9
        pickle.loads(pickle.dumps(classifier)).predict(data["X"])
    """
    run_python(code, tmp_path, KERAS_BACKEND="jax")


def test_every_hyperparameter_is_documented_and_constrained():
    names = set(inspect.signature(CNNLSTMClassifier).parameters)
    assert names == set(CNNLSTMClassifier._parameter_constraints)
    for name in names:
        assert (
            f"{name} :" in CNNLSTMClassifier.__doc__
            or f"{name}," in CNNLSTMClassifier.__doc__
            or f", {name}" in (CNNLSTMClassifier.__doc__)
        )


@pytest.mark.parametrize(
    "params, fit, expected",
    [
        ({}, {}, None),
        ({"early_stopping": True}, {}, "clips"),
        ({"early_stopping": True}, {"groups": True}, "groups"),
        ({"early_stopping": True}, {"validation_data": True}, "validation_data"),
        ({}, {"validation_data": True}, "validation_data"),
    ],
)
def test_a_classifier_knows_what_was_held_out(frames, params, fit, expected):
    X, y = frames
    values = {"groups": np.arange(len(y)) // 2 % 4, "validation_data": (X, y)}
    classifier = small(epochs=1, **params).fit(X, y, **{name: values[name] for name in fit})
    assert classifier.held_out_ == expected
