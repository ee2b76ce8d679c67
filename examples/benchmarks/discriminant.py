"""How long a discriminant takes to fit, by the threads that BLAS may use.

    OPENBLAS_NUM_THREADS=2 python examples/benchmarks/discriminant.py

Six folds of `BoundedScaler` and `CalibratedDiscriminant` on 1,440 random clips, calibrated on held-out speakers. The
processor time of other threads counts; the best of three runs.
"""

import resource
import time

import numpy as np
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

from sklearn_ser import BoundedScaler, CalibratedDiscriminant

N_CLIPS, N_CLASSES, N_SPEAKERS, N_FOLDS = 1440, 8, 24, 6


def processor_time():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(n_features):
    rng = np.random.default_rng(0)
    y, speaker = np.arange(N_CLIPS) % N_CLASSES, np.arange(N_CLIPS) * N_SPEAKERS // N_CLIPS
    X = (rng.normal(size=(N_CLIPS, n_features)) + 0.3 * rng.normal(size=(N_CLASSES, n_features))[y]).astype(np.float32)
    start, began = processor_time(), time.perf_counter()
    for fold in range(N_FOLDS):
        train = speaker % N_FOLDS != fold
        pipeline = make_pipeline(BoundedScaler(), CalibratedDiscriminant())
        pipeline.fit(X[train], y[train], calibrateddiscriminant__groups=speaker[train]).predict_proba(X[~train])
    return processor_time() - start, time.perf_counter() - began


if __name__ == "__main__":
    threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    print(f"threads that BLAS may use: {max(threads, default=1)}")
    for n_features in (512, 1634):
        used, wall = min(measure(n_features) for _ in range(3))
        print(f"{n_features} features: {used:.2f} s of processor time, {wall:.2f} s")
