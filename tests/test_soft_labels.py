"""Distributions of raters train any classifier that takes weights."""

import numpy as np
import pandas as pd
import pytest
from helpers import LABELS
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import AugmentedClassifier, CalibratedDiscriminant, HandcraftedFeatures, SoftLabelClassifier

CLASSES = np.array(["anger", "calm", "fear"])


def raters(seed, n_clips=300, n_raters=6):
    """Clips, the true distribution of each, and the votes of some raters."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_clips, 4))
    scores = X @ rng.normal(size=(4, 3))
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    votes = np.array([rng.multinomial(n_raters, p) for p in true])
    return X, true, votes / n_raters


def cross_entropy(true, predicted):
    return -(true * np.log(np.clip(predicted, 1e-12, 1))).sum(axis=1).mean()


@pytest.mark.parametrize(
    "inner",
    [LogisticRegression(), RandomForestClassifier(50, min_samples_leaf=8, random_state=0)],
    ids=["linear", "forest"],
)
def test_soft_labels_are_nearer_the_true_distribution_than_majorities(inner):
    gains = []
    for seed in range(3):
        X, true, votes = raters(seed)
        train, test = np.arange(200), np.arange(200, 300)
        majority = CLASSES[votes.argmax(axis=1)]
        soft = SoftLabelClassifier(inner, classes=CLASSES).fit(X[train], votes[train])
        hard = SoftLabelClassifier(inner).fit(X[train], majority[train])
        losses = [cross_entropy(true[test], classifier.predict_proba(X[test])) for classifier in (soft, hard)]
        gains.append(losses[1] - losses[0])
    assert min(gains) > 0 and np.mean(gains) > 0.01, gains


def test_a_weighted_row_is_a_rater():
    """The fit is that to the raters' own rows, one a vote."""
    X, _, votes = raters(0, n_clips=60, n_raters=4)
    counts = np.round(votes * 4).astype(int)
    rows, columns = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0).T
    # A clip weighs one, whatever the number of its raters.
    expected = LogisticRegression(tol=1e-10).fit(X[rows], CLASSES[columns], sample_weight=np.full(len(rows), 0.25))
    got = SoftLabelClassifier(LogisticRegression(tol=1e-10)).fit(X, pd.DataFrame(votes, columns=CLASSES))
    np.testing.assert_allclose(got.estimator_.coef_, expected.coef_, atol=1e-4)


def test_certain_votes_are_labels():
    X, _, votes = raters(0)
    labels = votes.argmax(axis=1)
    expected = LogisticRegression().fit(X, labels).predict_proba(X)
    np.testing.assert_allclose(SoftLabelClassifier(LogisticRegression()).fit(X, labels).predict_proba(X), expected)
    one_hot = np.eye(3)[labels]
    got = SoftLabelClassifier(LogisticRegression()).fit(X, one_hot)
    np.testing.assert_allclose(got.predict_proba(X), expected, atol=1e-5)
    assert got.classes_.tolist() == [0, 1, 2]


def test_weights_of_clips_are_shared_out():
    X, _, votes = raters(1, n_clips=80)
    weight = np.random.default_rng(0).integers(1, 4, 80)
    inner = LogisticRegression(tol=1e-10)
    weighted = SoftLabelClassifier(inner).fit(X, votes, sample_weight=weight)
    repeated = SoftLabelClassifier(inner).fit(np.repeat(X, weight, axis=0), np.repeat(votes, weight, axis=0))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)


def test_rows_of_a_clip_are_told_to_what_holds_rows_out():
    seen = []

    class Told(CalibratedDiscriminant):
        def fit(self, X, y, groups=None, sample_weight=None):
            seen.append(groups)
            self.classes_ = np.unique(y)
            return self

    X, _, votes = raters(0, n_clips=40)
    SoftLabelClassifier(make_pipeline(StandardScaler(), Told())).fit(X, votes)
    assert len(seen[0]) == np.count_nonzero(votes) and set(seen[0]) == set(range(40))
    SoftLabelClassifier(Told()).fit(X, votes, groups=np.arange(40) // 10)
    assert set(seen[1]) == {0, 1, 2, 3}


def test_it_goes_behind_extractors_inside_copies_and_into_searches(tones):
    votes = pd.DataFrame({"high": np.linspace(0, 1, len(LABELS)), "low": 1 - np.linspace(0, 1, len(LABELS))})
    pipeline = make_pipeline(
        HandcraftedFeatures(feature_set="bledea170"), StandardScaler(), SoftLabelClassifier(LogisticRegression())
    )
    assert pipeline.fit(tones, votes).predict_proba(tones).shape == (len(LABELS), 2)
    copied = AugmentedClassifier(pipeline, [lambda waveform, sr: waveform * 0.9])
    assert copied.fit(tones, votes).classes_.tolist() == ["high", "low"]
    X, _, votes = raters(0, n_clips=60)
    search = GridSearchCV(
        SoftLabelClassifier(LogisticRegression()),
        {"estimator__C": [0.1, 1]},
        cv=GroupKFold(3),
        scoring=lambda fitted, X, y: -cross_entropy(y, fitted.predict_proba(X)),
    )
    assert search.fit(X, votes, groups=np.arange(60) % 6).best_score_ < 0


@pytest.mark.parametrize(
    "y, message",
    [
        ([[0.5, 0.4], [1, 0]], r"must sum to one for each clip.* Row 0 of y is \[0.5, 0.4\]"),
        ([[1, 0], [1.5, -0.5]], "must not be negative.* Row 1 of y"),
        ([[1, 0], [np.nan, 1]], "y lacks a value in row 1"),
        ([["a", "b"], ["a", "b"]], "y must hold distributions.*, numbers that sum to one"),
        ([[0.2, 0.3, 0.5], [1, 0, 0]], "one label for each column of y. Got 2"),
    ],
)
def test_what_is_no_distribution_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        SoftLabelClassifier(LogisticRegression(), classes=["a", "b"]).fit([[0.0], [1.0]], y)


def test_what_takes_no_weights_is_refused():
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight in fit"):
        SoftLabelClassifier(make_pipeline(StandardScaler(), KNeighborsClassifier())).fit([[0.0], [1.0]], np.eye(2))
