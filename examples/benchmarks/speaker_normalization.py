"""What normalising each speaker gains, and with how many clips of a speaker at a time: SVMs on EMO-DB, LOSO.

    python examples/benchmarks/speaker_normalization.py [--draws 5] [--only default-v1|bledea170] [--n-jobs 1]

First the mean of `cross_val_score(..., scoring="balanced_accuracy")`, where all clips of the speaker left out are
predicted together. Then UAR (and WA) of the pooled predictions, where they are predicted so many at a time, in batches
drawn at random; mean over draws of the batches and of the training clips that are taken for their speaker's only ones.
Last, of the clips predicted one at a time, how many normalisation corrects and spoils, and the p-value of the sign test
that both are as likely.
"""

import argparse
import tempfile
import warnings

import numpy as np
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import HandcraftedFeatures, SpeakerNormalizer, fetch_emodb
from sklearn_ser.metrics import uar_score, wa_score

SIZES = (1, 2, 5, 10, None)


def predict_in_batches(pipeline, X, y, draw):
    """Predictions of every speaker by a pipeline that has not heard them, {size: labels of all clips}."""
    predicted, rng = {size: np.empty_like(y) for size in SIZES}, np.random.default_rng(draw)
    for train, test in LeaveOneGroupOut().split(X, y, X["speaker"]):
        fitted = clone(pipeline).fit(X.iloc[train], y[train])
        for size, labels in predicted.items():
            # Batches of one speaker, predicted together, are as speakers of their own, predicted one after the other.
            batch = rng.permutation(len(test)) // (size or len(test))
            labels[test] = fitted.predict(X.iloc[test].assign(speaker=batch))
    return predicted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--only", choices=["bledea170", "default-v1"], action="append")
    parser.add_argument("--n-jobs", type=int, default=1, help="clips analysed at a time")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")  # one speaker has no disgust
    corpus = fetch_emodb(download_if_missing=False)
    X, y = corpus.data, np.asarray(corpus.target)
    print("| features | normalised by | cross_val_score | " + " | ".join(str(size or "all") for size in SIZES) + " |")
    with tempfile.TemporaryDirectory() as memory:
        for name in options.only or ["bledea170", "default-v1"]:
            features = HandcraftedFeatures(feature_set=name, memory=memory, n_jobs=options.n_jobs)
            single = {}
            for title, first in {
                "nothing": features,
                "speaker": SpeakerNormalizer(features),
                "speaker, singleton_fraction=1/3": SpeakerNormalizer(features, singleton_fraction=1 / 3),
                "speaker, singleton_fraction=0": SpeakerNormalizer(features, singleton_fraction=0),
                "speaker's neutral clips": SpeakerNormalizer(features),
            }.items():
                pipeline, cv = make_pipeline(first, StandardScaler(), SVC(C=10)), LeaveOneGroupOut()
                enrolled = X.assign(enrolment=y == "neutral") if "neutral" in title else X
                folds = cross_val_score(pipeline, enrolled, y, groups=X["speaker"], cv=cv, scoring="balanced_accuracy")
                cells = [f"{folds.mean():.3f}"]
                if enrolled is X:  # enrolled clips must be in the batch
                    random = isinstance(first, SpeakerNormalizer)
                    predicted = []
                    for draw in range(options.draws if random else 1):
                        if random:
                            pipeline.set_params(speakernormalizer__random_state=draw)
                        predicted.append(predict_in_batches(pipeline, X, y, draw))
                    for size in SIZES:
                        uar, wa = (np.mean([score(y, p[size]) for p in predicted]) for score in (uar_score, wa_score))
                        cells.append(f"{uar:.3f} ({wa:.3f})")
                    single[title] = np.array([p[1] == y for p in predicted])
                print(f"| {name} | {title} | " + " | ".join(cells) + " |", flush=True)
            for title in list(single)[1:]:
                corrected = (single[title] & ~single["nothing"]).sum(axis=1)
                spoiled = (single["nothing"] & ~single[title]).sum(axis=1)
                p = binomtest(corrected[0], max(corrected[0] + spoiled[0], 1)).pvalue
                print(
                    f"{name}, {title}, single clips: {corrected.mean():.1f} corrected, {spoiled.mean():.1f} spoiled; "
                    f"of the first draw {corrected[0]} and {spoiled[0]}, p = {p:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
