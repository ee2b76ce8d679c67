"""How well unseen speakers of EMO-DB are recognised: SVMs, networks and both, leaving one speaker out.

    python examples/benchmarks/emodb_speakers.py [--seeds 3] [--only NAME ...] [--n-jobs 1] [--memory FOLDER]

UAR and WA of the pooled predictions of ten folds, one for each speaker; of networks mean and standard deviation over
seeds. Scaling is learned from the training speakers, and no fold chooses an epoch; the statistics that "statistics"
reads were chosen on this corpus, leaving one speaker out, too.
"""

import argparse
import time

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AttentionBLSTMClassifier,
    AugmentedClassifier,
    CNNLSTMClassifier,
    FrameWise,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    NetworkClassifier,
    PitchShift,
    WaveformChunker,
    fetch_emodb,
    make_recognizer,
    real_world_augmenters,
)
from sklearn_ser.neural.networks import statistics_network


def svm(feature_set="default-v1", **params):
    def pipeline(seed, memory):
        features = HandcraftedFeatures(feature_set=feature_set, memory=memory)
        return make_pipeline(features, StandardScaler(), SVC(C=10, **params))

    return pipeline


def calibrated(seed, memory):
    return svm()(seed, memory).set_params(svc=CalibratedClassifierCV(SVC(C=10), ensemble=False))


def recommended(seed, memory):
    return make_recognizer("handcrafted", robust=False, memory=memory)


def on_frames(network, **params):
    return make_pipeline(MelSpectrogramTransformer(**params), FrameWise(StandardScaler()), network)


def statistics(seed, memory, robust=False, **params):
    """The statistics network, trained with copies of other pitch.

    It predicts by such copies, too; or, if it is to be robust, trains with real-world copies, too, and predicts clips
    as they are.
    """
    training = dict(epochs=20, learning_rate=3e-3, learning_rate_schedule="cosine", label_smoothing=0.1)
    network = NetworkClassifier(statistics_network, class_weight="balanced", random_state=seed, **training, **params)
    frames = on_frames(network, n_mels=40, n_fft=400, hop_length=160, memory=memory)  # of 25 ms, every 10 ms
    shifts = [PitchShift(n_steps) for n_steps in (-2, -1, 1, 2)]
    if robust:
        return AugmentedClassifier(frames, [*shifts, *(real_world_augmenters() * 3)], random_state=0)
    return AugmentedClassifier(frames, shifts, test_time_augmenters=shifts, random_state=0)


# A function of seed and memory each.
PIPELINES = {
    "recommended": ("handcrafted, recommended", recommended),
    "svm": ("default-v1, SVC(C=10)", svm()),
    # One-vs-one votes often tie; scikit-learn's default then takes the class whose name comes first.
    "svm-ties": ("the same, break_ties=True", svm(break_ties=True)),
    "calibrated": ("the same, calibrated", calibrated),  # which has the probabilities that a vote needs
    "means": ("bledea170, SVC(C=10)", svm("bledea170")),
    "mel": (
        "log-mel CNN-LSTM, defaults",
        lambda seed, memory: on_frames(CNNLSTMClassifier(random_state=seed), memory=memory),
    ),
    "blstm": (
        "log-mel attention BLSTM, defaults",
        lambda seed, memory: on_frames(AttentionBLSTMClassifier(random_state=seed), memory=memory),
    ),
    "chunks": (
        "waveform CNN-LSTM, defaults",
        lambda seed, memory: make_pipeline(WaveformChunker(), CNNLSTMClassifier(random_state=seed)),
    ),
    "statistics": ("log-mel statistics network", statistics),
    "as-is": (
        "the same, clips as they are",
        lambda seed, memory: statistics(seed, memory).set_params(test_time_augmenters=()),
    ),
    "untrimmed": (
        "as they are, untrimmed",
        lambda seed, memory: statistics(seed, memory, network__trim=False).set_params(test_time_augmenters=()),
    ),
}
SEEDED = {"mel", "blstm", "chunks", "statistics", "as-is", "untrimmed"}
# What a soft VotingClassifier of some of them says: their members are not trained twice.
VOTES = {
    "vote-handcrafted": ("recommended + calibrated", ("recommended", "calibrated")),
    "vote": ("recommended + statistics network", ("recommended", "statistics")),
    "vote-three": ("recommended + calibrated + stat.", ("recommended", "calibrated", "statistics")),
    "vote-as-is": ("recommended + as they are", ("recommended", "as-is")),
    "vote-untrimmed": ("recommended + untrimmed", ("recommended", "untrimmed")),
}


def members(name):
    """Names of the pipelines of a vote."""
    return VOTES[name][1] if name in VOTES else ()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=[*PIPELINES, *VOTES], nargs="+")
    parser.add_argument("--n-jobs", type=int, default=1, help="folds at a time")
    parser.add_argument("--memory", help="folder that keeps features, and log-mel frames of copies")
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    emotions = np.unique(corpus.target)
    folds = dict(groups=corpus.speaker, cv=LeaveOneGroupOut(), n_jobs=options.n_jobs)
    probabilities = {}

    def predict(name, seed):
        """Emotions, one for each clip."""
        if name in VOTES:
            seeded = [(member, seed if member in SEEDED else 0) for member in members(name)]
            for member in seeded:
                if member not in probabilities:
                    predict(*member)
            return emotions[np.mean([probabilities[member] for member in seeded], axis=0).argmax(axis=1)]
        pipeline = PIPELINES[name][1](seed, options.memory)
        if not hasattr(pipeline, "predict_proba"):
            return cross_val_predict(pipeline, corpus.data, corpus.target, **folds)
        said = cross_val_predict(pipeline, corpus.data, corpus.target, method="predict_proba", **folds)
        probabilities[name, seed] = said
        return emotions[said.argmax(axis=1)]

    print(f"{'pipeline':33s} {'UAR':>15s} {'WA':>15s} {'seconds a seed':>15s}   UAR of each seed")
    for name in options.only or [*(name for name in PIPELINES if name not in ("blstm", "chunks")), *VOTES]:
        uar, wa, seconds = [], [], []
        for seed in range(options.seeds if SEEDED & {name, *members(name)} else 1):
            started = time.perf_counter()
            predicted = predict(name, seed)
            seconds.append(time.perf_counter() - started)
            uar.append(balanced_accuracy_score(corpus.target, predicted))
            wa.append(accuracy_score(corpus.target, predicted))
        spread = [f"{np.mean(v):.3f} +- {np.std(v, ddof=1):.3f}" if len(v) > 1 else f"{v[0]:.3f}" for v in (uar, wa)]
        each = " ".join(f"{value:.3f}" for value in uar)
        title = (PIPELINES | VOTES)[name][0]
        print(f"{title:33s} {spread[0]:>15s} {spread[1]:>15s} {np.mean(seconds):15.0f}   {each}", flush=True)


if __name__ == "__main__":
    main()
