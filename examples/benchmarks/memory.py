"""What a grid search gains by a memory of clips: analyses, counted, and seconds.

    python examples/benchmarks/memory.py [--n-jobs 1] [--only handcrafted|descriptors]

Five values of an SVM's C on five folds of EMO-DB's speakers, and the best one fitted to all clips: each clip is asked
for 26 times. Once without a memory, once with an empty one, and once more with what that has left.
"""

import argparse
import itertools
import tempfile
import time
from functools import partial
from pathlib import Path

from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import Functionals, HandcraftedFeatures, LowLevelDescriptors, fetch_emodb

ANALYSED = itertools.count()  # counts up by one call, which no thread can interrupt


def counting(waveforms, *, function):
    for _ in waveforms:
        next(ANALYSED)
    return function(waveforms)


class CountedFeatures(HandcraftedFeatures):
    def _function(self):
        return partial(counting, function=super()._function())


class CountedDescriptors(LowLevelDescriptors):
    def _function(self):
        return partial(counting, function=super()._function())


EXTRACT = {
    "handcrafted": make_pipeline(CountedFeatures()),
    "descriptors": make_pipeline(
        CountedDescriptors(descriptors=["f0", "periodicity", "formants", "energy", "mfcc"]), Functionals()
    ),
}


def search(name, memory, corpus, n_jobs):
    """Analyses and seconds of a grid search, and its best score."""
    extract = EXTRACT[name]
    extract[0].set_params(memory=memory)
    grid = GridSearchCV(
        make_pipeline(extract, StandardScaler(), SVC()),
        {"svc__C": [0.1, 1, 10, 100, 1000]},
        cv=GroupKFold(5),
        scoring="balanced_accuracy",
        n_jobs=n_jobs,
    )
    before, started = next(ANALYSED), time.perf_counter()
    with parallel_config(backend="threading"):
        grid.fit(corpus.data, corpus.target, groups=corpus.speaker)
    return next(ANALYSED) - before - 1, time.perf_counter() - started, grid.best_score_


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-jobs", type=int, default=1, help="fits at a time, in threads")
    parser.add_argument("--only", choices=EXTRACT, action="append")
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    HandcraftedFeatures().fit_transform(corpus.data.head(3))  # what is loaded once shall not count
    for name in options.only or EXTRACT:
        print(f"{name}, {len(corpus.target)} clips, {options.n_jobs} at a time")
        with tempfile.TemporaryDirectory() as folder:
            without = None
            for title, memory in [("no memory", None), ("an empty memory", folder), ("a full memory", folder)]:
                analyses, seconds, score = search(name, memory, corpus, options.n_jobs)
                without = without or seconds
                print(
                    f"  {title:16s}{analyses:7d} analyses{seconds:8.1f} s{without / seconds:6.1f} x   best UAR "
                    f"{score:.4f}",
                    flush=True,
                )
            entries = [path.stat().st_size for path in Path(folder).rglob("output.pkl")]
            print(f"  {len(entries)} entries, {sum(entries) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
