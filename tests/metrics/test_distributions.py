"""Scores against distributions have their closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import log_loss

from sklearn_ser import jensen_shannon, rater_accuracy, soft_cross_entropy

RNG = np.random.default_rng(0)
VOTES, PROBABILITIES = RNG.dirichlet(np.ones(4), size=30), RNG.dirichlet(np.ones(4), size=30)


def test_cross_entropy_is_log_loss_for_votes_that_agree_and_least_for_the_truth():
    labels = RNG.integers(4, size=30)
    expected = log_loss(labels, PROBABILITIES, labels=range(4))
    assert soft_cross_entropy(np.eye(4)[labels], PROBABILITIES) == pytest.approx(expected)
    entropy = -np.mean((VOTES * np.log(VOTES)).sum(axis=1))
    assert soft_cross_entropy(VOTES, VOTES) == pytest.approx(entropy)
    assert entropy < soft_cross_entropy(VOTES, PROBABILITIES)
    assert soft_cross_entropy([[1.0, 0.0]], [[0.0, 1.0]]) == np.inf


def test_jensen_shannon_is_scipys_distance_squared():
    expected = np.mean([jensenshannon(p, q, base=2) ** 2 for p, q in zip(VOTES, PROBABILITIES, strict=True)])
    assert jensen_shannon(VOTES, PROBABILITIES) == pytest.approx(expected)
    assert jensen_shannon(VOTES, VOTES) == pytest.approx(0) and jensen_shannon([[1, 0]], [[0, 1]]) == 1


@pytest.mark.parametrize("score", [soft_cross_entropy, jensen_shannon])
def test_weights_count_as_repetitions(score):
    weights = np.arange(30) % 3
    expected = score(np.repeat(VOTES, weights, axis=0), np.repeat(PROBABILITIES, weights, axis=0))
    assert score(VOTES, PROBABILITIES, sample_weight=weights) == pytest.approx(expected)


@pytest.mark.parametrize("score", [soft_cross_entropy, jensen_shannon])
def test_what_is_no_distribution_is_named(score):
    with pytest.raises(ValueError, match="Rows of y_proba must be probabilities that sum to one. Row 1 sums to 0.5"):
        score([[0.5, 0.5]] * 2, [[0.5, 0.5], [0.5, 0.0]])
    with pytest.raises(ValueError, match="Rows of y_true must be probabilities"):
        score([[1.5, -0.5]], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="y_proba must have the shape of y_true"):
        score([[0.5, 0.5]], [[0.5, 0.25, 0.25]])


def test_each_rater_is_compared_with_the_predictions_of_their_clips():
    ratings = pd.DataFrame({"clip": ["x", "y", "x", "y"], "rater": [1, 1, 2, 2], "label": list("abbb")})
    found = rater_accuracy(ratings, pd.Series(["b", "b"], index=["x", "y"]))
    assert found["accuracy"].to_dict() == {1: 0.5, 2: 1.0} and found["n_ratings"].tolist() == [2, 2]
    with pytest.raises(ValueError, match="each clip that was rated. Got none of 'y'"):
        rater_accuracy(ratings, pd.Series(["b"], index=["x"]))
    with pytest.raises(ValueError, match="Column 'label' of ratings lacks a value in row 2"):
        rater_accuracy(ratings.assign(label=["a", "b", None, "b"]), pd.Series(["b", "b"], index=["x", "y"]))
