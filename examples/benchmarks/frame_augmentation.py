"""What the augmentation of frames gains on unseen speakers, each kind alone: log-mel CNN-LSTM on EMO-DB.

    python examples/benchmarks/frame_augmentation.py [--seeds 3] [--epochs 30] [--only NAME ...] [--json FILE]

Five folds of a woman and a man each, UAR of the pooled predictions. Each kind is added to `CNNLSTMClassifier()`, whose
defaults use none; "masks", "masks, shift" and "all" are several at a time, and "attention_cnn" is the default network
of `NetworkClassifier`. With --json, runs that are in the file are not made again. A training of 30 epochs takes half a
minute of a core.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CNNLSTMClassifier, FrameWise, MelSpectrogramTransformer, NetworkClassifier, fetch_emodb

FOLDS = [("03", "08"), ("10", "09"), ("11", "13"), ("12", "14"), ("15", "16")]
KINDS = {
    "time_mask": dict(time_mask=0.1),
    "feature_mask": dict(feature_mask=0.125),
    "feature_shift": dict(feature_shift=4.0),
    "speed": dict(speed=0.2),
    "crop": dict(crop=0.6),
    "mixup": dict(mixup=0.2),
    "label_smoothing": dict(label_smoothing=0.1),
}
MASKS = dict(time_mask=0.1, feature_mask=0.125)
MASKS_SHIFT = dict(**MASKS, feature_shift=4.0)
ALL = dict(**MASKS_SHIFT, speed=0.2)


def settings(epochs: int) -> dict:
    """Classifiers by name."""
    kinds = {"none": {}, **KINDS, "masks": MASKS, "masks, shift": MASKS_SHIFT, "all": ALL}
    named = {name: CNNLSTMClassifier(epochs=epochs, **kind) for name, kind in kinds.items()}
    attention_cnn = NetworkClassifier(epochs=epochs, learning_rate=3e-3, learning_rate_schedule="cosine")
    for name, kind in {"none": {}, "all": ALL}.items():
        named[f"attention_cnn, {name}"] = clone(attention_cnn).set_params(**kind)
    return named


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--only", nargs="+", default=None)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    done = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    corpus = fetch_emodb(download_if_missing=False)
    frames = MelSpectrogramTransformer().fit_transform(corpus.data)
    y, speaker = np.asarray(corpus.target), np.asarray(corpus.speaker, dtype=str)
    for name, classifier in settings(options.epochs).items():
        if options.only is not None and name not in options.only:
            continue
        scores = []
        for seed in range(options.seeds):
            key, started = f"{name}, {options.epochs} epochs, seed {seed}", time.perf_counter()
            if key not in done:
                predicted = np.empty_like(y)
                for fold in FOLDS:
                    test = np.isin(speaker, fold)
                    scaler = FrameWise(StandardScaler()).fit(frames[~test])
                    classifier.set_params(random_state=seed).fit(scaler.transform(frames[~test]), y[~test])
                    predicted[test] = classifier.predict(scaler.transform(frames[test]))
                done[key] = {"uar": balanced_accuracy_score(y, predicted), "s": time.perf_counter() - started}
                if options.json:
                    options.json.write_text(json.dumps(done, indent=1))
            scores.append(done[key]["uar"])
            print(f"{key}: {scores[-1]:.3f}", flush=True)
        spread = f" +- {np.std(scores, ddof=1):.3f}" if len(scores) > 1 else ""
        print(f"| {name} | {np.mean(scores):.3f}{spread} |", flush=True)


if __name__ == "__main__":
    main()
