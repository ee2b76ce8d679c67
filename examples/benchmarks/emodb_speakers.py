"""How well unseen speakers of EMO-DB are recognised: the default SVM and CNN-LSTM, leaving one speaker out.

    python examples/benchmarks/emodb_speakers.py [--seeds 3] [--only svm|svm-ties|means|mel|chunks] [--n-jobs 1]

UAR and WA of the pooled predictions of ten folds, one for each speaker. For the networks mean and standard deviation
over seeds. Nothing is tuned on the folds: scaling is learned from the training speakers, and the networks train for
their default number of epochs.
"""

import argparse
import time

import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    CNNLSTMClassifier,
    FrameWise,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    WaveformChunker,
    fetch_emodb,
    make_recognizer,
)

V1 = HandcraftedFeatures(feature_set="default-v1")
PIPELINES = {
    "recommended": ("handcrafted, recommended", make_recognizer("handcrafted", robust=False)),
    "svm": ("default-v1, SVC(C=10)", make_pipeline(V1, StandardScaler(), SVC(C=10))),
    # One-vs-one votes often tie; scikit-learn's default then takes the class whose name comes first.
    "svm-ties": (
        "the same, break_ties=True",
        make_pipeline(V1, StandardScaler(), SVC(C=10, break_ties=True)),
    ),
    "means": (
        "bledea170, SVC(C=10)",
        make_pipeline(HandcraftedFeatures(feature_set="bledea170"), StandardScaler(), SVC(C=10)),
    ),
    "mel": (
        "log-mel CNN-LSTM, defaults",
        make_pipeline(MelSpectrogramTransformer(), FrameWise(StandardScaler()), CNNLSTMClassifier(random_state=0)),
    ),
    "chunks": (
        "waveform CNN-LSTM, defaults",
        make_pipeline(WaveformChunker(), CNNLSTMClassifier(random_state=0)),
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=PIPELINES, action="append")
    parser.add_argument("--n-jobs", type=int, default=1, help="folds at a time")
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    print(f"{'pipeline':32s} {'UAR':>15s} {'WA':>15s} {'seconds a seed':>15s}   UAR of each seed")
    for name in options.only or ["recommended", "svm", "svm-ties", "means", "mel"]:
        title, pipeline = PIPELINES[name]
        uar, wa, seconds = [], [], []
        neural = name in ("mel", "chunks")
        for seed in range(options.seeds if neural else 1):
            candidate = clone(pipeline)
            if neural:
                candidate.set_params(cnnlstmclassifier__random_state=seed)
            started = time.perf_counter()
            predicted = cross_val_predict(
                candidate,
                corpus.data,
                corpus.target,
                groups=corpus.speaker,
                cv=LeaveOneGroupOut(),
                n_jobs=options.n_jobs,
            )
            seconds.append(time.perf_counter() - started)
            uar.append(balanced_accuracy_score(corpus.target, predicted))
            wa.append(accuracy_score(corpus.target, predicted))
        spread = [f"{np.mean(v):.3f} +- {np.std(v, ddof=1):.3f}" if len(v) > 1 else f"{v[0]:.3f}" for v in (uar, wa)]
        each = " ".join(f"{value:.3f}" for value in uar)
        print(f"{title:32s} {spread[0]:>15s} {spread[1]:>15s} {np.mean(seconds):15.0f}   {each}", flush=True)


if __name__ == "__main__":
    main()
