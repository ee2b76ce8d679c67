"""Train the recognizers that `load_recognizer` returns, and say how well they do on corpora that they do not know.

    python examples/train_shipped.py                     # writes sklearn_ser/systems/*.npz
    python examples/train_shipped.py --figures           # UAR on the other corpora that are at hand

They are trained on EMO-DB (CC0) alone, because licences of other corpora forbid it or leave it open.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np

import sklearn_ser
from sklearn_ser import (
    AugmentedClassifier,
    BoundedScaler,
    CalibratedDiscriminant,
    WorldNormalizer,
    adapt,
    load_corpus,
    load_recognizer,
    real_world_augmenters,
)
from sklearn_ser.metrics import uar_score
from sklearn_ser.systems._ready import SHRINKAGE, extractor_of, to_arrays

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]
FOLDER = Path(sklearn_ser.__file__).parent / "systems"


def clips_of(name):
    """Clips of the four emotions, their emotions and speakers."""
    corpus = load_corpus(name)
    wanted = np.isin(corpus.target, EMOTIONS)
    return corpus.data[wanted].reset_index(drop=True), np.asarray(corpus.target)[wanted]


def train(features, memory):
    """Train on EMO-DB, on each clip and its altered copies, and return the arrays."""
    from sklearn.pipeline import make_pipeline

    X, y = clips_of("EMO-DB")
    last = CalibratedDiscriminant(SHRINKAGE[features], priors=np.full(len(EMOTIONS), 1 / len(EMOTIONS)))
    pipeline = make_pipeline(WorldNormalizer(extractor_of(features, memory, verbose=0)), BoundedScaler(), last)
    recognizer = AugmentedClassifier(pipeline, real_world_augmenters(), random_state=0)
    recognizer.fit(X[["path"]], y, groups=X["speaker"])
    return to_arrays(recognizer.estimator_, len(X))


def figures(features, names, memory):
    """Print the UAR on each corpus: as it is, and adapted by clips without labels, drawn five times, not scored."""
    for name in names:
        X, y = clips_of(name)
        recognizer, found = load_recognizer(features, memory=memory, verbose=0), []
        for n in (0, 10, 30):
            scores = []
            for seed in range(5 if n else 1):
                drawn = np.random.default_rng(seed).permutation(len(X))
                knowing = adapt(recognizer, X.iloc[drawn[:n]], speaker=None) if n else recognizer
                scores.append(uar_score(y[drawn[n:]], knowing.predict(X.iloc[drawn[n:]])))
            found.append(f"{n} clips {np.mean(scores):.3f}")
        print(f"{features}, {name}: {'; '.join(found)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", nargs="+", default=["whisper", "handcrafted"])
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--corpora", nargs="+", default=["EMOVO", "nEMO"])
    parser.add_argument("--memory", help="folder that keeps features from run to run")
    args = parser.parse_args()
    for features in args.features:
        if args.figures:
            figures(features, args.corpora, args.memory)
            continue
        arrays = train(features, args.memory)
        np.savez_compressed(FOLDER / f"{features}.npz", **arrays)
        size = (FOLDER / f"{features}.npz").stat().st_size
        digest = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()
        print(f"{features}: {size} bytes, arrays' SHA-256 {digest}")
