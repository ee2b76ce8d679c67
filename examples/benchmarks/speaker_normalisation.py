"""What normalising each speaker is worth, and with how many clips of a speaker at a time: SVMs on EMO-DB, one speaker left out.

    python examples/benchmarks/speaker_normalisation.py [--draws 5] [--only default|many] [--n-jobs 1]

First the mean of `cross_val_score(..., scoring="balanced_accuracy")`, where all clips of the speaker left out are predicted
together. Then the UAR of the pooled predictions, where they are predicted so many at a time, in batches drawn at random; mean
over the draws. Last, of the clips predicted one at a time, how many normalisation corrects and spoils, and the p-value of the
sign test that both are as likely.
"""

import argparse
import warnings

import numpy as np
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import Functionals, HandcraftedFeatures, SpeakerNormalizer, fetch_emodb

SETS = {
    "default": HandcraftedFeatures(),
    "many": HandcraftedFeatures(functionals=Functionals().functionals, n_fft=512, hop_length=160, n_mels=40, n_mfcc=20),
}
SIZES = (1, 2, 5, 10, None)


class LookUp(TransformerMixin, BaseEstimator):
    """What a stateless transformer made of each path, once and for all: batches are many, and clips few."""

    def __init__(self, features_of):
        self.features_of = features_of

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.stack([self.features_of[path] for path in X["path"]])

    def __sklearn_is_fitted__(self):
        return True


def batches(rows, size, rng):
    """The rows, in random order, so many at a time; None takes all at once."""
    rows = rng.permutation(rows)
    return [rows] if size is None else [rows[start : start + size] for start in range(0, len(rows), size)]


def predict_in_batches(pipeline, X, y, speakers, draws):
    """Predictions of every speaker by a pipeline that has not heard them, {size: [labels of all clips, for each draw]}."""
    draws_of = {size: 1 if size in (1, None) else draws for size in SIZES}
    predicted = {size: [np.empty_like(y) for _ in range(n)] for size, n in draws_of.items()}
    for train, test in LeaveOneGroupOut().split(X, y, speakers):
        fitted = clone(pipeline).fit(X.iloc[train], y[train])
        for size, labels in predicted.items():
            for draw, into in enumerate(labels):
                for rows in batches(test, size, np.random.default_rng(draw)):
                    into[rows] = fitted.predict(X.iloc[rows])
    return predicted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=5, help="random batches of 2, 5 and 10 clips")
    parser.add_argument("--only", choices=SETS, action="append")
    parser.add_argument("--n-jobs", type=int, default=1, help="clips analysed at a time")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")  # one speaker has no disgust
    corpus = fetch_emodb(download_if_missing=False)
    y, enrolled = np.asarray(corpus.target), corpus.data.assign(enrolment=corpus.target == "neutral")
    print("| features | normalised by | cross_val_score | " + " | ".join(str(size or "all") for size in SIZES) + " |")
    for name in options.only or SETS:
        features, single = SETS[name].set_params(n_jobs=options.n_jobs), {}
        made = LookUp(dict(zip(corpus.data["path"], features.fit_transform(corpus.data))))
        candidates = {
            "nothing": (features, corpus.data),
            "speaker": (SpeakerNormalizer(features), corpus.data),
            "speaker, alone=0": (SpeakerNormalizer(features, alone=0), corpus.data),
            "speaker's neutral clips": (SpeakerNormalizer(features), enrolled),
        }
        for title, (first, X) in candidates.items():
            pipeline = make_pipeline(first, StandardScaler(), SVC(C=10))
            folds = cross_val_score(
                pipeline, X, y, groups=corpus.speaker, cv=LeaveOneGroupOut(), scoring="balanced_accuracy"
            )
            cells = [f"{folds.mean():.3f}"]
            if X is corpus.data:  # enrolled clips must be in the batch
                swap = {"speakernormalizer__transformer": made} if "speaker" in title else {pipeline.steps[0][0]: made}
                predicted = predict_in_batches(pipeline.set_params(**swap), X, y, corpus.speaker, options.draws)
                uar = [np.mean([balanced_accuracy_score(y, p) for p in predicted[size]]) for size in SIZES]
                cells += [f"{value:.3f}" for value in uar]
                single[title] = predicted[1][0] == y
            print(f"| {name} | {title} | " + " | ".join(cells) + " |", flush=True)
        for title in ("speaker", "speaker, alone=0"):
            corrected = int((single[title] & ~single["nothing"]).sum())
            spoiled = int((single["nothing"] & ~single[title]).sum())
            p = binomtest(corrected, corrected + spoiled).pvalue if corrected + spoiled else 1.0
            print(f"{name}, {title}, single clips: {corrected} corrected, {spoiled} spoiled, p = {p:.2f}", flush=True)


if __name__ == "__main__":
    main()
