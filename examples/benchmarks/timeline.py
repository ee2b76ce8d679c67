"""Emotions along an hour of audio joined from EMO-DB: time, memory, and whether the timeline says what the clips say.

    python examples/benchmarks/timeline.py [--minutes 60]

An SVM is trained on segments of five speakers' clips. The clips of the other five are joined in random order, again and
again, with half a second of faint noise (-70 dB) between them, until an hour is full. The recording is followed as 16
kHz WAV and as 48 kHz stereo FLAC, which is resampled block by block.

Each recording is followed in a fresh process that loads the saved model. Memory (on Linux) is what `predict_timeline`
takes there at most above what the process held before, with the model loaded and used once, on a second of silence.
Agreement compares, clip by clip, what `predict` says of the clip alone with the emotion of the highest mean probability
over the timeline's segments that have three quarters of them in the clip (or, if none has, as much as any). "Sure" are
clips of which the classifier alone gives an emotion a probability of 0.5 or more. "Alike" is the fraction of segments
of the FLAC in which the same emotion is predicted when the whole recording is decoded and resampled at once.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import soundfile
import soxr
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import HandcraftedFeatures, SegmentClassifier, fetch_emodb, load_waveform

SR, GAP, NOISE = 16000, 0.5, 3e-4
SETTINGS = {"2 s every 1 s": (2.0, 1.0), "2 s every 0.5 s": (2.0, 0.5), "1 s every 0.5 s": (1.0, 0.5)}


def join(paths, minutes, rng):
    """The recording, and which clip plays from when to when."""
    parts, played, now = [], [], 0.0
    while now < 60 * minutes:
        for row in rng.permutation(len(paths)):
            waveform = load_waveform(paths[row], SR)
            played.append((row, now, now + waveform.size / SR))
            parts += [waveform, rng.normal(0, NOISE, round(GAP * SR)).astype(np.float32)]
            now += waveform.size / SR + GAP
            if now >= 60 * minutes:
                break
    return np.concatenate(parts), pd.DataFrame(played, columns=["row", "start", "end"])


def follow(model, path):
    """The timeline of a file, seconds, and MB taken at most above what the process held before."""
    classifier = joblib.load(model)
    classifier.predict_timeline(np.zeros(SR))
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    started = time.perf_counter()
    timeline = classifier.predict_timeline(path)
    seconds = time.perf_counter() - started
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return timeline, seconds, (int(status["VmHWM"].split()[0]) * 1024 - before) / 2**20


def pooled(timeline, played, classes):
    """Of each clip that was played, the emotion with the highest mean probability over its segments."""
    start, end, probabilities = timeline["start"].to_numpy(), timeline["end"].to_numpy(), timeline[classes].to_numpy()
    labels = []
    for begin, stop in played[["start", "end"]].to_numpy():
        inside = (np.minimum(end, stop) - np.maximum(start, begin)) / (end - start)
        mine = inside >= min(0.75, inside.max())
        labels.append(classes[probabilities[mine].mean(axis=0).argmax()])
    return np.asarray(labels)


def write(recording, folder):
    """The recording as two files."""
    soundfile.write(folder / "hour.wav", recording, SR)
    with soundfile.SoundFile(folder / "hour.flac", "w", 48000, 2) as file:
        for start in range(0, recording.size, 60 * SR):
            block = soxr.resample(recording[start : start + 60 * SR], SR, 48000)
            file.write(np.column_stack([block, block]))
    return {"16 kHz WAV": str(folder / "hour.wav"), "48 kHz stereo FLAC": str(folder / "hour.flac")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    known = np.isin(corpus.speaker, sorted(set(corpus.speaker))[:5])
    recording, played = join(list(corpus.data["path"][~known]), options.minutes, np.random.default_rng(0))
    rows, duration = played["row"].to_numpy(), recording.size / SR
    truth = np.asarray(corpus.target[~known])[rows]
    print(f"{duration / 60:.1f} minutes, {len(played)} times one of {len(set(rows))} clips\n")
    with tempfile.TemporaryDirectory() as folder:
        files = write(recording, Path(folder))
        for name, (segment_duration, hop_duration) in SETTINGS.items():
            svm = CalibratedClassifierCV(SVC(C=10), ensemble=False)
            classifier = SegmentClassifier(
                make_pipeline(HandcraftedFeatures(feature_set="default-v1"), StandardScaler(), svm),
                segment_duration,
                hop_duration=hop_duration,
            )
            classifier.fit(corpus.data[known], corpus.target[known])
            classes = list(classifier.classes_)
            (model,) = joblib.dump(classifier, Path(folder) / "model.joblib")
            print(f"{name}: {classifier.estimator_[1].n_features_in_} features")
            for form, path in files.items():
                with multiprocessing.get_context("spawn").Pool(1) as fresh:
                    timeline, seconds, megabytes = fresh.apply(follow, (model, path))
                print(f"  {form:20s} {seconds:5.1f} s, {duration / seconds:4.0f} x real time, {megabytes:4.0f} MB")
                if form == "16 kHz WAV":
                    along = pooled(timeline, played, classes)
            at_once = classifier.predict_timeline(load_waveform(files["48 kHz stereo FLAC"]))
            alike = np.mean(timeline["predicted"] == at_once["predicted"])
            probabilities = classifier.predict_proba(corpus.data[~known])[rows]
            alone, sure = classifier.classes_[probabilities.argmax(axis=1)], probabilities.max(axis=1) >= 0.5
            uar = [balanced_accuracy_score(truth, labels) for labels in (alone, along)]
            print(
                f"  {len(timeline)} segments, alike {alike:.4f}\n"
                f"  agreement {np.mean(along == alone):.3f}, where sure ({sure.mean():.2f}) "
                f"{np.mean((along == alone)[sure]):.3f}; UAR alone {uar[0]:.3f}, along {uar[1]:.3f}\n",
                flush=True,
            )


if __name__ == "__main__":
    main()
