"""The figures behind the page "Which pipeline?": unseen and seen speakers, size, and what a clip costs.

    python examples/benchmarks/choose.py --part accuracy --memory FOLDER [--only NAME ...]
    python examples/benchmarks/choose.py --part cost

"accuracy", EMO-DB, UAR of the pooled predictions: unseen, leave one speaker out; seen, five random folds in which the
speakers of the test clips are known from training, which flatters. "cost", after training on all of EMO-DB: the file
that joblib writes; processor time of the training, features included; and processor time from the path of a clip of
3 s to its probabilities, the median of 30 calls of the loaded pipeline. Set OMP_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1
and TF_NUM_INTRAOP_THREADS=1: processor time then hardly depends on what else the machine does.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import joblib
from emodb_speakers import on_frames
from emodb_speakers import statistics as statistics_recognizer
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import CNNLSTMClassifier, HandcraftedFeatures, fetch_emodb, load_waveform, make_recognizer
from sklearn_ser.systems import whisper_discriminants


def pipelines(memory):
    v1 = HandcraftedFeatures(feature_set="default-v1", memory=memory)
    yield '"default-v1", StandardScaler, SVC(C=10)', make_pipeline(v1, StandardScaler(), SVC(C=10))
    for features in ("handcrafted", "whisper"):
        for robust in (False, True):
            name = f'make_recognizer("{features}", robust={robust})'
            yield name, make_recognizer(features, robust=robust, random_state=0, memory=memory)
    yield "whisper_discriminants()", whisper_discriminants(memory=memory)
    tiny = whisper_discriminants("openai/whisper-tiny.en", [1, 2, 3], memory=memory)
    yield 'whisper_discriminants("openai/whisper-tiny.en", [1, 2, 3])', tiny
    yield "log-mel, CNNLSTMClassifier()", on_frames(CNNLSTMClassifier(random_state=0), memory=memory)
    for robust in (False, True):
        yield f"statistics network, robust={robust}", statistics_recognizer(0, memory, robust)


def accuracy(corpus, chosen):
    print("| pipeline | unseen speakers | seen speakers |\n|---|---|---|")
    for name, pipeline in chosen:
        uar = []
        for cv in (LeaveOneGroupOut(), StratifiedKFold(5, shuffle=True, random_state=0)):
            predicted = cross_val_predict(pipeline, corpus.data, corpus.target, groups=corpus.speaker, cv=cv)
            uar.append(balanced_accuracy_score(corpus.target, predicted))
        print(f"| `{name}` | {uar[0]:.3f} | {uar[1]:.3f} |", flush=True)


def cost(corpus, chosen):
    paths = list(corpus.data["path"])
    path = min(paths, key=lambda path: abs(load_waveform(path, sr=16000).size - 48000))
    print("| pipeline | saved, MB | training, s | a clip of 3 s, ms |\n|---|---|---|---|")
    for name, pipeline in chosen:
        pipeline.fit(paths[:3] + paths[-3:], ["a", "a", "a", "b", "b", "b"])  # what is imported and built once
        started = time.process_time()
        pipeline.fit(paths, corpus.target)
        training = time.process_time() - started
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pipeline.joblib"
            joblib.dump(pipeline, file)
            size, loaded = file.stat().st_size, joblib.load(file)
        answer = loaded.predict_proba if hasattr(loaded, "predict_proba") else loaded.predict
        answer([path])
        taken = []
        for _ in range(30):
            started = time.process_time()
            answer([path])
            taken.append(time.process_time() - started)
        print(f"| `{name}` | {size / 1e6:.2f} | {training:.0f} | {1000 * statistics.median(taken):.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["accuracy", "cost"], default="accuracy")
    parser.add_argument("--only", nargs="+", help="parts of the names of pipelines to measure")
    parser.add_argument("--memory", help="folder that keeps features; of no use to the costs")
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    chosen = [
        (name, pipeline)
        for name, pipeline in pipelines(options.memory if options.part == "accuracy" else None)
        if not options.only or any(part in name for part in options.only)
    ]
    (accuracy if options.part == "accuracy" else cost)(corpus, chosen)


if __name__ == "__main__":
    main()
