"""What the scikit-learn interface costs above bare Keras: training, one clip's prediction, the saved file, the import.

    python examples/benchmarks/neural_overhead.py [--repeats 3] [--epochs 20]

Ratios of medians within one run, for the default network on the log-mel spectrograms of EMO-DB. The hand-written
training is `keras.Model.fit` of the same network on the same arrays, with the same batch size, epochs, loss, metric and
optimizer. "Equal lengths" crops to 100 frames (and leaves out clips that are shorter), so that neither side can save
work on padding.
"""

import argparse
import io
import statistics
import subprocess
import sys
import time
from functools import partial

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import CNNLSTMClassifier, FrameWise, MelSpectrogramTransformer, fetch_emodb


def timed(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def handwritten(classifier, X, y):
    """The training as one would write it in Keras."""
    import keras

    model = classifier._build((None, X.shape[2]), len(np.unique(y)))
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, y, batch_size=classifier.batch_size, epochs=classifier.epochs, verbose=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    preprocess = make_pipeline(MelSpectrogramTransformer(), FrameWise(StandardScaler()))
    frames = preprocess.fit_transform(corpus.data)
    labels = np.unique(corpus.target, return_inverse=True)[1]
    classifier = CNNLSTMClassifier(epochs=options.epochs, random_state=0).fit(frames, labels)

    long_enough = ~np.isnan(frames[:, 99, 0])
    print(f"{'training':34s} {'ours, s':>9s} {'Keras, s':>9s} {'ratio':>6s}")
    for title, X, y in [
        ("equal lengths", np.ascontiguousarray(frames[long_enough, :100]), labels[long_enough]),
        ("as recorded, padded to the longest", frames, labels),
    ]:
        pairs = [
            (timed(partial(classifier.fit, X, y)), timed(partial(handwritten, classifier, X, y)))
            for _ in range(options.repeats)
        ]
        ours, keras_own = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"{title:34s} {ours:9.2f} {keras_own:9.2f} {ours / keras_own:6.2f}", flush=True)

    pipeline = make_pipeline(*[step for _, step in preprocess.steps], classifier)
    path = [corpus.data["path"].iloc[0]]
    clip = preprocess.transform(path)
    pipeline.predict_proba(path), classifier.model_.predict(clip, verbose=0)
    pairs = [
        (timed(lambda: pipeline.predict_proba(path)), timed(lambda: classifier.model_.predict(clip, verbose=0)))
        for _ in range(30)
    ]
    ours, keras_own = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"\none clip, path to probabilities: {ours:.1f} ms; Keras' model.predict alone, on its frames: {keras_own:.1f} "
        f"ms; ratio {ours / keras_own:.2f}"
    )

    file = io.BytesIO()
    joblib.dump(pipeline, file)
    weights = sum(weight.nbytes for weight in classifier.model_.get_weights())
    print(f"saved pipeline: {file.getbuffer().nbytes} bytes, {file.getbuffer().nbytes / weights:.2f} x the weights")

    bare, package = (
        statistics.median(timed(partial(subprocess.run, [sys.executable, "-c", code], check=True)) for _ in range(7))
        for code in ("pass", "import sklearn_ser")
    )
    print(f"import sklearn_ser: {1000 * (package - bare):.0f} ms")


if __name__ == "__main__":
    main()
