"""A pretrained encoder: what it recognises, in noise, too, and what it costs.

    python examples/benchmarks/whisper.py --corpus emodb --part accuracy --memory FOLDER

Parts: "accuracy", speakers unseen in training (EMO-DB: leave one speaker out; RAVDESS: six groups of speakers; TESS:
leave one of two out), UAR of the pooled predictions, plain and inside `SpeakerNormalizer` with whole speakers
(``singleton_fraction=0``); "noise", trained clean and tested in noise; "frames", `AttentionBLSTMClassifier`, and
"tuned", `WhisperClassifier`, over `--seeds`, which take a quarter of an hour and hours a seed; "speed", all of EMO-DB
beside openSMILE's ComParE_2016 (pip install opensmile) in the same run; "clip", a single clip of 3 s beside the bare
network; "size", what a saved pipeline holds.
The models must be in the data home or the Hugging Face cache, or are downloaded.
"""

import argparse
import io
import statistics
import time
from functools import partial
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AttentionBLSTMClassifier,
    FrameWise,
    HandcraftedFeatures,
    SpeakerNormalizer,
    StratifiedSpeakerKFold,
    WhisperClassifier,
    WhisperFeatures,
    fetch_emodb,
    fetch_ravdess,
    fetch_tess,
    load_waveform,
)
from sklearn_ser.augmentation import augment_clips
from sklearn_ser.systems import whisper_discriminants

CORPORA = {"emodb": fetch_emodb, "ravdess": fetch_ravdess, "tess": fetch_tess}
TINY = "openai/whisper-tiny.en"
HANDCRAFTED = partial(HandcraftedFeatures, feature_set="default-v1")


def seconds_of(function):
    """By the clock, and of processors."""
    started, used = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - started, time.process_time() - used


# ------------------------------------------------------------------------------------------------------------- accuracy


def folds(corpus, name):
    """Train and test rows; no speaker is in both."""
    cv = StratifiedSpeakerKFold(6) if name == "ravdess" else LeaveOneGroupOut()
    return list(cv.split(corpus.data, corpus.target, corpus.speaker))


def svm(transformer, normalised):
    first = [SpeakerNormalizer(transformer, singleton_fraction=0)] if normalised else [transformer, StandardScaler()]
    return make_pipeline(*first, SVC(C=10))


def svm_vote(features, normalised):
    """The naive ensemble: handcrafted features, and twice the default layer."""
    members = [HANDCRAFTED(memory=features.keywords["memory"]), features(), features()]
    if normalised:
        members[2] = features(TINY, 2)
    named = [(str(i), svm(member, normalised)) for i, member in enumerate(members)]
    for _, member in named:
        member.set_params(svc__probability=True, svc__random_state=0)
    return VotingClassifier(named, voting="soft")


def layer_by_folds(features, normalised, inner):
    """The layer chosen inside the training folds, speakers apart."""
    model = svm(features(), normalised)
    layer = "speakernormalizer__transformer__layer" if normalised else "whisperfeatures__layer"
    return GridSearchCV(model, {layer: range(7)}, cv=inner, scoring="balanced_accuracy")


def window_by_folds(corpus, splits, memory, normalised, inner):
    """Predictions of discriminants on neighbouring layers, chosen in the training folds by their log loss."""
    windows = [range(first, last) for first in range(7) for last in range(first + 1, 8)]
    predicted = np.empty_like(corpus.target)
    for train, test in splits:
        known, y = corpus.data.iloc[train], corpus.target[train]
        inside, outside = [], []
        for layer in range(7):
            model = whisper_discriminants(layers=[layer], speaker_normalized=normalised, memory=memory)
            inside.append(cross_val_predict(model, known, y, cv=inner, method="predict_proba"))
            outside.append(model.fit(known, y).predict_proba(corpus.data.iloc[test]))
        best = min(windows, key=lambda window: log_loss(y, np.mean([inside[n] for n in window], axis=0)))
        predicted[test] = model.classes_[np.mean([outside[n] for n in best], axis=0).argmax(axis=1)]
    return predicted


def accuracy(name, memory):
    corpus = CORPORA[name](download_if_missing=False)
    splits = folds(corpus, name)
    features = partial(WhisperFeatures, memory=memory)
    known = min(len(set(corpus.speaker[train])) for train, _ in splits)
    inner = StratifiedSpeakerKFold(min(known, 9)) if known > 1 else 5  # of one speaker's clips, no other choice
    models = {
        "handcrafted, SVC": lambda normalised: svm(HANDCRAFTED(memory=memory), normalised),
        "base, layer 3, SVC": lambda normalised: svm(features(), normalised),
        "tiny.en, layer 2, SVC": lambda normalised: svm(features(TINY, 2), normalised),
        "handcrafted and Whisper SVCs, soft vote": lambda normalised: svm_vote(features, normalised),
        "base, layer 3, discriminant": lambda normalised: whisper_discriminants(
            layers=[3], speaker_normalized=normalised, memory=memory
        ),
        "base, layers 2 to 4, discriminants": lambda normalised: whisper_discriminants(
            speaker_normalized=normalised, memory=memory
        ),
        "tiny.en, layers 1 to 3, discriminants": lambda normalised: whisper_discriminants(
            TINY, [1, 2, 3], speaker_normalized=normalised, memory=memory
        ),
        "base, layer chosen by folds, SVC": lambda normalised: layer_by_folds(features, normalised, inner),
    }
    print(f"{name}: {len(corpus.target)} clips, {len(splits)} folds\n\n| model | UAR | normalised |\n|---|---|---|")
    for model, make in models.items():
        scores = []
        for normalised in (False, True):
            predicted = cross_val_predict(make(normalised), corpus.data, corpus.target, cv=splits)
            scores.append(balanced_accuracy_score(corpus.target, predicted))
        print(f"| {model} | {scores[0]:.3f} | {scores[1]:.3f} |", flush=True)
    scores = [
        balanced_accuracy_score(corpus.target, window_by_folds(corpus, splits, memory, normalised, inner))
        for normalised in (False, True)
    ]
    print(f"| base, layers chosen by folds, discriminants | {scores[0]:.3f} | {scores[1]:.3f} |", flush=True)


def noise(name, memory):
    corpus = CORPORA[name](download_if_missing=False)
    tests = {"clean": corpus.data}
    for snr in (20, 10):
        tests[f"white noise, {snr} dB"] = augment_clips(corpus.data, AddNoise(snr=snr), random_state=0)
    models = {
        "handcrafted, SVC": svm(HANDCRAFTED(memory=memory), False),
        "base, layer 3, SVC": svm(WhisperFeatures(memory=memory), False),
        "base, layers 2 to 4, discriminants": whisper_discriminants(memory=memory),
    }
    print("| model | " + " | ".join(tests) + " |\n|---" + "|---" * len(tests) + "|")
    for model, pipeline in models.items():
        predicted = {test: np.empty_like(corpus.target) for test in tests}
        for train, test in folds(corpus, name):
            pipeline.fit(corpus.data.iloc[train], corpus.target[train])
            for kind, clips in tests.items():
                predicted[kind][test] = pipeline.predict(clips.iloc[test])
        scores = [f"{balanced_accuracy_score(corpus.target, predicted[kind]):.3f}" for kind in tests]
        print(f"| {model} | " + " | ".join(scores) + " |", flush=True)


def frames(name, memory, seeds):
    model = make_pipeline(
        WhisperFeatures(layer=[2, 3, 4], pooling=5, memory=memory),
        FrameWise(StandardScaler()),
        AttentionBLSTMClassifier(
            64,
            dense_units=64,
            pool_size=1,
            input_noise=0.3,
            epochs=40,
            learning_rate_schedule="cosine",
            label_smoothing=0.1,
            time_mask=0.1,
            feature_mask=0.125,
        ),
    )
    over_seeds("frames of layers 2 to 4, attention BLSTM", model, "attentionblstmclassifier", name, seeds)


def tuned(name, memory, seeds):
    model = make_pipeline(WhisperFeatures(layer=None, pooling=None, memory=memory), WhisperClassifier())
    over_seeds("layer 3, fine-tuned", model, "whisperclassifier", name, seeds)


def over_seeds(title, model, step, name, seeds):
    """UAR of each seed of one step, their mean and standard deviation."""
    corpus = CORPORA[name](download_if_missing=False)
    splits, scores = folds(corpus, name), []
    for seed in range(seeds):
        model.set_params(**{f"{step}__random_state": seed})
        predicted = cross_val_predict(model, corpus.data, corpus.target, cv=splits)
        scores.append(balanced_accuracy_score(corpus.target, predicted))
        print(f"{title}, seed {seed}: {scores[-1]:.3f}", flush=True)
    spread = f" +- {np.std(scores, ddof=1):.3f}" if seeds > 1 else ""
    print(f"| {title} | {np.mean(scores):.3f}{spread} |")


# ----------------------------------------------------------------------------------------------------------------- cost


def speed(repeats):
    paths = list(fetch_emodb(download_if_missing=False).data["path"])
    tasks = {
        "base to layer 3": WhisperFeatures().fit(paths).transform,
        "base to layer 3, n_jobs=2": WhisperFeatures(n_jobs=2).fit(paths).transform,
        "base to layer 4": WhisperFeatures(layer=[2, 3, 4]).fit(paths).transform,
        "tiny.en to layer 2": WhisperFeatures(TINY, 2).fit(paths).transform,
        "tiny.en to layer 2, n_jobs=2": WhisperFeatures(TINY, 2, n_jobs=2).fit(paths).transform,
        "handcrafted": HANDCRAFTED().transform,
    }
    try:
        import opensmile

        tasks["openSMILE ComParE_2016"] = opensmile.Smile(
            opensmile.FeatureSet.ComParE_2016, num_workers=1
        ).process_files
    except ImportError:
        pass
    for task in tasks.values():
        task(paths[:3])
    taken = {name: [] for name in tasks}
    for _ in range(repeats):  # in turn, so that whatever else the machine does falls on all
        for name, task in tasks.items():
            taken[name].append(seconds_of(partial(task, paths)))
    medians = {name: np.median(seconds, axis=0) for name, seconds in taken.items()}
    reference = medians.get("openSMILE ComParE_2016", np.full(2, np.nan))
    print("| all of EMO-DB, from paths | s | of processors, s | times faster than ComParE_2016 | of processors |")
    print("|---|---|---|---|---|")
    for name, (clock, used) in medians.items():
        faster = reference / (clock, used)
        print(f"| {name} | {clock:.2f} | {used:.2f} | {faster[0]:.2f} | {faster[1]:.2f} |")


def clip(repeats):
    corpus = fetch_emodb(download_if_missing=False)
    paths = list(corpus.data["path"])
    path = min(paths, key=lambda path: abs(load_waveform(path).size - 48000))
    stream = io.BytesIO()
    joblib.dump(
        svm(WhisperFeatures(), False).set_params(svc__probability=True).fit(paths[::4], corpus.target[::4]), stream
    )
    stream.seek(0)
    pipeline = joblib.load(stream)
    encoder = pipeline[0].encoder_.compiled((3,))
    log_mel = WhisperFeatures(layer=None, pooling=None).fit_transform([path])[0]
    times = {"network": [], "pipeline": []}
    for _ in range(repeats):
        times["network"].append(seconds_of(partial(encoder, log_mel))[0])
        times["pipeline"].append(seconds_of(partial(pipeline.predict_proba, [path]))[0])
    network, whole = (1000 * statistics.median(times[name][5:]) for name in ("network", "pipeline"))
    print(f"one clip of {load_waveform(path).size / 16000:.2f} s, {repeats} times in turn, medians")
    print(f"bare network {network:.1f} ms; path to probabilities {whole:.1f} ms, at most {1.2 * network + 10:.1f} ms")


def size():
    corpus = fetch_emodb(download_if_missing=False)
    for name, pipeline in {
        "base, layer 3, SVC": svm(WhisperFeatures(), False),
        "base, layers 2 to 4, discriminants": whisper_discriminants(),
    }.items():
        stream = io.BytesIO()
        joblib.dump(pipeline.fit(corpus.data, corpus.target), stream)
        weights = pipeline[0].encoder_.nbytes
        print(
            f"{name}: {stream.tell() / 1e6:.2f} MB, {stream.tell() / weights:.3f} x its weights "
            f"({weights / 1e6:.2f} MB)"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", choices=list(CORPORA), default="emodb")
    parts = ["accuracy", "noise", "frames", "tuned", "speed", "clip", "size"]
    parser.add_argument("--part", choices=parts, default="accuracy")
    parser.add_argument("--memory", type=Path, default=None, help="folder that keeps features of clips")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3, help="of networks")
    options = parser.parse_args()
    if options.part in ("accuracy", "noise"):
        globals()[options.part](options.corpus, options.memory)
    elif options.part in ("frames", "tuned"):
        globals()[options.part](options.corpus, options.memory, options.seeds)
    elif options.part == "size":
        size()
    else:
        globals()[options.part](options.repeats if options.part == "speed" else 20 * options.repeats)


if __name__ == "__main__":
    main()
