"""The kinds of y of a classifier: labels, soft labels, several classes at a time; and what is wrong with others."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import TRAINING
from sklearn.metrics import f1_score

from sklearn_ser import DenseClassifier, NetworkClassifier
from sklearn_ser.neural.training._targets import Indicators, Labels, SoftLabels, read_classes

CLASSES = ["anger", "neutral", "sadness"]


def dense(**params):
    return DenseClassifier([8], **{**TRAINING, "dropout": 0.0, "epochs": 8, **params})


def network(**params):
    sizes = dict(network__filters=[6], network__pool_size=[2], network__dropout=0.0, network__spatial_dropout=0.0)
    return NetworkClassifier(**{**TRAINING, **sizes, "epochs": 12, **params})


# ---------------------------------------------------------------------------------------------------------- soft labels


def test_certain_soft_labels_are_labels(frames):
    X, y = frames
    one_hot = pd.get_dummies(pd.Series(y)).astype(float)
    soft = dense().fit(X, one_hot)
    hard = dense(loss="categorical_crossentropy").fit(X, y)
    np.testing.assert_array_equal(soft.predict_proba(X), hard.predict_proba(X))
    np.testing.assert_array_equal(soft.predict(X), hard.predict(X))
    assert list(soft.classes_) == CLASSES
    reordered = dense().fit(X, one_hot[["sadness", "anger", "neutral"]])
    assert list(reordered.classes_) == CLASSES
    np.testing.assert_array_equal(reordered.predict_proba(X), soft.predict_proba(X))


def test_soft_labels_teach_doubt(frames):
    """Clips of the first class were heard as the second by four of ten."""
    X, y = frames
    votes = np.eye(3)[np.searchsorted(CLASSES, y)]
    votes[:20] = [0.6, 0.4, 0.0]
    classifier = dense(epochs=40).fit(X, votes)
    np.testing.assert_array_equal(classifier.classes_, [0, 1, 2])
    heard = classifier.predict_proba(X[:20]).mean(axis=0)
    np.testing.assert_allclose(heard, [0.6, 0.4, 0.0], atol=0.12)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict_proba(X), classifier.predict_proba(X))


def test_soft_labels_train_with_everything_that_labels_train_with(frames):
    X, y = frames
    votes = np.eye(3)[np.searchsorted(CLASSES, y)] * 0.8 + 0.2 / 3
    params = dict(early_stopping=True, validation_fraction=0.2, label_smoothing=0.1, mixup=0.2, class_weight="balanced")
    classifier = dense(**params, epochs=2).fit(X, votes, groups=np.arange(60) % 6)
    assert classifier.held_out_ == "groups" and "val_loss" in classifier.history_
    classifier.set_params(class_weight=None).partial_fit(X, votes)
    assert len(dense(epochs=1).fit(X, votes, validation_data=(X[:3], [0, 1, 2])).history_["val_loss"]) == 1


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda votes: votes * 2, r"Row 0 is \[2.0, 0.0, 0.0\], with the sum 2"),
        (lambda votes: votes + [[0.5, -0.5, 0]], r"no negative value, and a sum of one in each row. Row 0 is"),
        (lambda votes: np.where(np.arange(60)[:, None] == 7, np.nan, votes), "y lacks a value in row 7: got"),
        (lambda votes: votes.astype(int), "Only NetworkClassifier learns these.*y.astype"),
    ],
)
def test_what_is_no_distribution_is_refused(frames, change, message):
    with pytest.raises(ValueError, match=message):
        dense().fit(frames[0], change(np.eye(3)[np.repeat([0, 1, 2], 20)]))


# ------------------------------------------------------------------------------------------- several classes at a time


@pytest.fixture(scope="module")
def indicated():
    """90 clips in which each of three features is high or not; the third seldom is."""
    rng = np.random.default_rng(0)
    y = (rng.random((90, 3)) < [0.5, 0.4, 0.2]).astype(int)
    X = rng.normal(scale=0.7, size=(90, 8, 3)).astype(np.float32) + 1.5 * y[:, None]
    return X.astype(np.float32), y


def test_several_classes_at_a_time(indicated):
    X, y = indicated
    table = pd.DataFrame(y, columns=["sad", "angry", "afraid"])
    classifier = network(epochs=25, validation_fraction=0.3).fit(X, table)
    assert list(classifier.classes_) == ["sad", "angry", "afraid"], "in the order of the columns"
    assert classifier.held_out_ == "clips"
    prediction = classifier.predict(X)
    assert prediction.shape == (90, 3) and prediction.dtype == np.int64
    assert f1_score(y, prediction, average="macro") > 0.8
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == (90, 3) and probabilities.sum(axis=1).max() > 1.5
    np.testing.assert_array_equal(prediction, probabilities >= classifier.thresholds_)
    loaded = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(loaded.predict(X), prediction)
    assert classifier.history_["accuracy"][-1] > 0.7  # binary


def test_thresholds_are_those_of_the_best_f1_on_the_held_out_clips(indicated, monkeypatch):
    X, y = indicated
    seen, learn = {}, NetworkClassifier._learn_from
    monkeypatch.setattr(
        NetworkClassifier, "_learn_from", lambda self, held: (seen.update(held=held), learn(self, held))[1]
    )
    classifier = network(epochs=3, validation_fraction=0.4).fit(X, y, groups=np.arange(90) // 9)
    held = seen["held"].rows
    assert classifier.held_out_ == "groups" and len(set(held // 9) & set(np.delete(np.arange(90), held) // 9)) == 0
    probabilities = classifier.predict_proba(X[held])
    for column in range(3):
        best = f1_score(y[held, column], probabilities[:, column] >= classifier.thresholds_[column])
        for threshold in np.linspace(0, 1, 101):
            assert best >= f1_score(y[held, column], probabilities[:, column] >= threshold) - 1e-12
    fixed = network(epochs=1, threshold=0.3).fit(X, y)
    assert fixed.held_out_ is None and (fixed.thresholds_ == 0.3).all()


def test_of_several_classes_losses_and_networks_for_exclusive_ones_are_refused(indicated):
    X, y = indicated
    with pytest.raises(ValueError, match="takes the classes of a clip for exclusive.*Use 'binary_crossentropy'"):
        network(loss="categorical_crossentropy").fit(X, y)
    with pytest.raises(ValueError, match="ends in a softmax, but these targets need outputs that are sigmoid"):
        NetworkClassifier(softmax).fit(X, y)
    with pytest.raises(ValueError, match="class_weight='balanced' weighs clips by their class"):
        network(class_weight="balanced").fit(X, y)


def softmax(frames, mask, n_outputs):
    import keras

    from sklearn_ser.neural import networks

    return keras.layers.Dense(n_outputs, activation="softmax")(networks.masked_mean(frames, mask))


# ---------------------------------------------------------------------------------------------------------- at the door


def test_the_kind_of_y_is_decided_by_its_type():
    y = np.eye(3)[[0, 1, 2, 0]]
    assert type(read_classes(list("abca"))) is Labels
    assert type(read_classes(y)) is SoftLabels
    assert type(read_classes(y, multi_label=True)) is SoftLabels
    for indicator in (y.astype(int), y > 0, 1 - y):
        assert type(read_classes(indicator, multi_label=True)) is Indicators
    with pytest.warns(Warning, match="A column-vector y was passed"):
        assert list(read_classes(np.array(["a", "b"])[:, None]).classes) == ["a", "b"]


def test_labels_are_looked_up_by_equality():
    targets = Labels(["sad", "angry", "calm"])  # such as those of a network that was trained elsewhere
    np.testing.assert_array_equal(targets.encode(["calm", "sad", "angry"]), [2, 0, 1])
    assert list(targets.decode(targets.encode(["calm", "sad"]))) == ["calm", "sad"]
    with pytest.raises(
        ValueError, match=r"y holds the classes \['joy'\], which are not among \['sad', 'angry', 'calm'\]"
    ):
        targets.encode(["sad", "joy"])


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_label_or_group_is_named_by_its_row(frames, missing):
    X, y = frames
    y = y.astype(object)
    y[4] = missing
    for labels in (y, pd.Series(y), y[:, None]):
        with pytest.raises(ValueError, match="y lacks a value in row 4: got"):
            dense().fit(X, labels)
    with pytest.raises(ValueError, match="groups lacks a value in row 4: got"):
        dense(early_stopping=True).fit(X, frames[1], groups=y)


def test_y_may_be_a_column(frames):
    X, y = frames
    with pytest.warns(Warning, match="A column-vector y was passed"):
        classifier = dense(epochs=1).fit(X, pd.DataFrame({"emotion": y}))
    np.testing.assert_array_equal(classifier.predict_proba(X), dense(epochs=1).fit(X, y).predict_proba(X))
