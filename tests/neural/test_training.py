"""Training holds out what it should, goes on where it ended, and resumes from a checkpoint after a kill."""

import json
import pathlib
import subprocess
import sys
import textwrap
import zipfile

import joblib
import numpy as np
import pytest
import sklearn
from helpers import SMALL, small
from sklearn.pipeline import make_pipeline

from sklearn_ser import CNNLSTMClassifier, FrameWise

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
    _, held = classifier._split(np.searchsorted(classifier.classes_, noise), None, classifier._draw_seed())
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
    y = np.searchsorted(straight.classes_, frames[1])
    _, held = straight._split(y, None, straight._draw_seed())
    p = straight.predict_proba(frames[0][held])[np.arange(len(held)), y[held]]
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


# ---------------------------------------------------------------------------------------------------------- checkpoints

CUT_OFF = """
    import os, sys
    import numpy as np
    from sklearn_ser import CNNLSTMClassifier
    from sklearn_ser.neural.training import _batches
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
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
    )
    assert killed.returncode == 9, killed.stderr.decode()
    with zipfile.ZipFile(checkpoint) as archive:
        note = json.loads(archive.read("sklearn_ser.json"))
    assert 0 < note["epoch"] < 5

    epochs_run = []
    from sklearn_ser.neural.training import _batches

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


def test_somebody_elses_file_is_not_overwritten(frames, tmp_path):
    path = tmp_path / "thesis.keras"
    path.write_text("three years of work")
    with pytest.raises(ValueError, match="thesis.keras' exists and is no checkpoint of this library"):
        small(model_checkpoint=path).fit(*frames)
    assert path.read_text() == "three years of work"
