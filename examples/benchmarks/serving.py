"""What a deployed pipeline costs: start, latency, threads, memory; and long recordings.

    python examples/benchmarks/serving.py [--uploads 100] [--threads 16] [--minutes 120]

Clips of three seconds, as encoded files in memory. Every pipeline is trained on 48 synthetic clips, saved with joblib,
and measured in a process of its own, as a server loads it. Memory is the resident set (Linux); "growth" is gained
after the first ten uploads. With --minutes, memory above the waveform of one clip of that length is measured instead.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import soundfile

PIPELINES = ["HandcraftedFeatures > SVC", "MelSpectrogramTransformer > CNNLSTMClassifier"]


def resident():
    """MiB of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def speech(duration, seed=0):
    """Voice-like: a gliding tone with overtones that comes and goes, in noise; made in pieces."""
    rng, pieces = np.random.default_rng(seed), []
    for start in range(0, round(16000 * duration), 160_000):
        time_ = np.arange(start, min(start + 160_000, round(16000 * duration))) / 16000
        phase = 2 * np.pi * (140 * time_ + 6 * np.sin(2 * time_))
        voice = sum(np.sin(k * phase) / k for k in range(1, 12)) * np.maximum(np.sin(8 * time_), 0)
        pieces.append((0.1 * voice + 0.005 * rng.normal(size=time_.size)).astype(np.float32))
    return np.concatenate(pieces)


def upload(seed):
    buffer = io.BytesIO()
    soundfile.write(buffer, speech(3, seed), 16000, format="WAV")
    return buffer.getvalue()


def train(name, path):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from sklearn_ser import CNNLSTMClassifier, FrameWise, HandcraftedFeatures, MelSpectrogramTransformer

    if "Handcrafted" in name:
        pipeline = make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC(C=10))
    else:
        scaler = FrameWise(StandardScaler())
        pipeline = make_pipeline(MelSpectrogramTransformer(), scaler, CNNLSTMClassifier(epochs=1, random_state=0))
    joblib.dump(pipeline.fit([speech(3, seed) for seed in range(48)], ["anger", "fear", "sadness"] * 16), path)


def serve(path, n_uploads, n_threads):
    """Measured in a new process; printed as JSON."""
    from threadpoolctl import threadpool_info

    def seconds(function, *arguments):
        started = time.perf_counter()
        function(*arguments)
        return time.perf_counter() - started

    def blas():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    def predict(data):
        return pipeline.predict([data])[0]

    started = time.perf_counter()
    pipeline = joblib.load(path)
    loaded = time.perf_counter() - started
    uploads = [upload(seed) for seed in range(n_uploads)]
    with ThreadPoolExecutor(n_threads) as threads:  # the first burst meets a pipeline that has never predicted
        first = seconds(lambda: list(threads.map(predict, uploads[:n_threads])))
    serial = [predict(data) for data in uploads]
    latency = [seconds(predict, data) for data in uploads]
    with ThreadPoolExecutor(n_threads) as threads:
        list(threads.map(predict, uploads[:10]))
        before, threads_before = resident(), blas()
        results = []
        together = seconds(lambda: results.extend(threads.map(predict, uploads)))
    print(
        json.dumps(
            {
                "load, s": round(loaded, 2),
                "first burst, s": round(first, 1),
                "latency, ms": round(1000 * statistics.median(latency), 1),
                "95 %, ms": round(1000 * statistics.quantiles(latency, n=20)[-1], 1),
                "uploads/s, 1 thread": round(n_uploads / sum(latency), 1),
                f"uploads/s, {n_threads} threads": round(n_uploads / together, 1),
                "memory, MiB": round(resident()),
                "growth, MiB": round(resident() - before, 1),
                "as serial": results == serial,
                "BLAS threads as found": blas() == threads_before,
            }
        )
    )


def measure_long(kind, minutes):
    """Memory that one long clip takes above its waveform, and the time."""
    from sklearn_ser import HandcraftedFeatures, MelSpectrogramTransformer

    transformer = {"HandcraftedFeatures": HandcraftedFeatures, "MelSpectrogramTransformer": MelSpectrogramTransformer}[
        kind
    ]()
    transformer.fit_transform([speech(3)])
    waveform = speech(60 * minutes)
    before, most, done = resident(), [0.0], threading.Event()

    def watch():
        while not done.wait(0.01):
            most[0] = max(most[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    transformer.fit_transform([waveform])
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    print(
        json.dumps({"clip, min": minutes, "above the waveform, MiB": round(most[0] - before), "s": round(seconds, 1)})
    )


def in_new_process(*arguments):
    command = [sys.executable, __file__, *map(str, arguments)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=100)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--long", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve, options.uploads, options.threads)
    if options.long:
        return measure_long(options.long, options.minutes)
    if options.minutes:
        for kind in ("MelSpectrogramTransformer", "HandcraftedFeatures"):
            print(kind, in_new_process("--long", kind, "--minutes", options.minutes), flush=True)
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name in PIPELINES:
            path = os.path.join(folder, "pipeline.joblib")
            train(name, path)
            print(name, flush=True)
            figures = in_new_process("--serve", path, "--uploads", options.uploads, "--threads", options.threads)
            for key, value in figures.items():
                print(f"    {key:24s} {value}", flush=True)
    return None


if __name__ == "__main__":
    main()
