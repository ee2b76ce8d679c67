"""What "I don't know" is worth: errors among the answers to speakers of EMO-DB who were never heard, at each coverage.

    python examples/benchmarks/risk_coverage.py [--figure FILE.png] [--simulations 500] [--n-jobs 1]

A `SelectiveClassifier` is calibrated and trained on nine speakers and answers the tenth, ten times. The clips that it
answers and its errors are pooled. Then, how often the guarantee of `risk` holds: on simulated corpora, where the true
risk is known.
"""

import argparse
import tempfile
import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    HandcraftedFeatures,
    RiskCoverageDisplay,
    SelectiveClassifier,
    SpeakerNormalizer,
    fetch_emodb,
    risk_coverage_curve,
)

CLASSIFIERS = {"LogisticRegression(C=0.01)": LogisticRegression(C=0.01, max_iter=500), "SVC(C=10)": SVC(C=10)}
ASKED = [dict(coverage=c) for c in (0.9, 0.8, 0.6, 0.4)] + [dict(risk=r) for r in (0.1, 0.15, 0.2)]


class Known(ClassifierMixin, BaseEstimator):
    """A classifier of clips whose confidence and label are written down in X already: what is simulated."""

    classes_ = np.array([0, 1])

    def predict(self, X):
        return np.ones(len(X), int)

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True


def simulate(n_speakers, n_clips, spread, risk, n_simulations):
    """Fraction of simulated corpora for which the risk at the chosen threshold is larger than what was allowed."""

    def draw(rng, n_speakers, n_clips):
        # The log-odds that a clip is recognised rise with the confidence, and differ from speaker to speaker.
        confidence = rng.random((n_speakers, n_clips))
        log_odds = 5 * confidence - 0.5 + spread * rng.normal(size=(n_speakers, 1))
        return confidence.ravel(), (rng.random(confidence.shape) < 1 / (1 + np.exp(-log_odds))).ravel()

    population, right = draw(np.random.default_rng(0), 200_000, 5)
    coverage, errors, thresholds = risk_coverage_curve(np.ones(len(right), bool), right, population)
    broken, answered = 0, []
    for seed in range(n_simulations):
        confidence, correct = draw(np.random.default_rng(seed + 1), n_speakers, n_clips)
        classifier = SelectiveClassifier(FrozenEstimator(Known()), risk=risk)
        speakers = np.repeat(np.arange(n_speakers), n_clips)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All clips will be rejected")
            classifier.fit(confidence[:, np.newaxis], correct.astype(int), groups=speakers)
        # How many of the population answer.
        kept = int(np.searchsorted(-thresholds, -classifier.threshold_, side="right"))
        broken += kept > 0 and errors[kept - 1] > risk
        answered.append(coverage[kept - 1] if kept else 0.0)
    return broken / n_simulations, np.mean(answered)


def answers(final, X, y, *, memory, n_jobs):
    """Predictions for clips of unseen speakers, their confidences, and which are answered, {what was asked: mask}."""
    labels, confidence = np.empty_like(y), np.empty(len(y))
    answered = {str(asked): np.zeros(len(y), bool) for asked in ASKED}
    features = HandcraftedFeatures(memory=memory)
    pipeline = make_pipeline(SpeakerNormalizer(features), StandardScaler(), final, memory=memory)
    for train, test in LeaveOneGroupOut().split(X, y, X["speaker"]):
        for asked in ASKED:
            classifier = SelectiveClassifier(pipeline, n_jobs=n_jobs, **asked).fit(X.iloc[train], y[train])
            answered[str(asked)][test] = ~classifier.reject(X.iloc[test])
        labels[test] = classifier.estimator_.predict(X.iloc[test])
        confidence[test] = classifier.confidence(X.iloc[test])
    return labels, confidence, answered


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", help="where to draw the curve of the first classifier")
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--n-jobs", type=int, default=1, help="folds of the calibration at a time")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="All clips will be rejected")
    corpus = fetch_emodb(download_if_missing=False)
    X, y, speakers = corpus.data, np.asarray(corpus.target), corpus.speaker
    print("| classifier | asked for | answered | errors among the answers | coverage of single speakers |")
    for title, final in CLASSIFIERS.items():
        with tempfile.TemporaryDirectory() as memory:
            labels, confidence, answered = answers(final, X, y, memory=memory, n_jobs=options.n_jobs)
        print(f"| {title} | everything | 1.000 | {np.mean(labels != y):.3f} | |")
        for asked, mask in answered.items():
            error = f"{np.mean(labels[mask] != y[mask]):.3f}" if mask.any() else "-"
            single = [mask[speakers == speaker].mean() for speaker in np.unique(speakers)]
            one = f"{min(single):.2f} to {max(single):.2f}"
            print(f"| {title} | {asked} | {mask.mean():.3f} | {error} | {one} |", flush=True)
        coverage, risk, _ = risk_coverage_curve(y, labels, confidence)
        fractions = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
        at = {fraction: round(float(risk[np.searchsorted(coverage, fraction - 1e-9)]), 3) for fraction in fractions}
        print(f"{title}: risk at coverage {at}")
        mask = answered[str(ASKED[1])]
        for emotion in np.unique(y):
            of = y == emotion
            right = np.mean(labels[of & mask] == emotion)
            print(f"  {emotion}: answered {mask[of].mean():.2f}, of them right {right:.2f}")
        if options.figure and title == next(iter(CLASSIFIERS)):
            display = RiskCoverageDisplay.from_predictions(y, labels, confidence, groups=speakers, name=title)
            display.figure_.savefig(options.figure)
    print(
        "| speakers | clips of each | spread between speakers | risk allowed | broken (at most 0.10 promised) | "
        "answered |"
    )
    for n_speakers, n_clips, spread in [(500, 1, 0.0), (10, 50, 0.0), (10, 50, 0.5), (10, 50, 1.0), (30, 50, 1.0)]:
        broken, fraction = simulate(n_speakers, n_clips, spread, 0.15, options.simulations)
        print(f"| {n_speakers} | {n_clips} | {spread} | 0.15 | {broken:.3f} | {fraction:.2f} |", flush=True)


if __name__ == "__main__":
    main()
