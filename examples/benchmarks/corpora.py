"""How well the recommended recognizers do on several corpora, and on a corpus that they were not trained on.

    python examples/benchmarks/corpora.py --part speakers
    python examples/benchmarks/corpora.py --part worlds

`SKLEARN_SER_DATA` names the folder that holds the corpora. "speakers": each corpus alone, unseen speakers (leave one
speaker out, or ten folds of many), UAR of the pooled predictions. "worlds": trained on all corpora but one and tested
on that one, on the emotions that all of them have, as it is and adapted by clips without labels, which are drawn five
times and are not scored.
"""

import argparse
import tempfile
import warnings

import numpy as np

from sklearn_ser import adapt, concatenate_corpora, evaluate, load_corpus, make_recognizer
from sklearn_ser.metrics import uar_score

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--part", choices=["speakers", "worlds"], default="speakers")
parser.add_argument("--corpora", nargs="+", default=["EMO-DB", "EMOVO", "nEMO"])
parser.add_argument("--features", nargs="+", default=["whisper", "handcrafted"])
parser.add_argument("--memory", help="folder that keeps features from run to run")
args = parser.parse_args()


def speakers(features, memory):
    for name, corpus in corpora.items():
        report = evaluate(make_recognizer(features, robust=False, memory=memory), corpus, verbose=0)
        low, high = report.uar_interval
        print(f"{features}, {name}: UAR {report.uar:.3f} ({low:.3f} to {high:.3f}), WA {report.wa:.3f}", flush=True)


def worlds(features, memory):
    joined = concatenate_corpora(corpora)  # clips of the emotions that all of them have
    X, y = joined.data, np.asarray(joined.target)
    found = {n: [] for n in (0, 10, 30)}
    for name in corpora:
        tested = (X["corpus"] == name).to_numpy()
        recognizer = make_recognizer(features, robust=False, memory=memory).fit(X[~tested], y[~tested])
        recognizer.set_params(worldnormalizer__transformer__memory=memory)  # what is fitted keeps none
        clips, truth = X[tested].drop(columns="corpus"), y[tested]
        for n in found:
            scores = []
            for seed in range(5 if n else 1):
                drawn = np.random.default_rng(seed).permutation(len(clips))
                knowing = adapt(recognizer, clips.iloc[drawn[:n]]) if n else recognizer
                scores.append(uar_score(truth[drawn[n:]], knowing.predict(clips.iloc[drawn[n:]])))
            found[n].append(np.mean(scores))
            print(f"{features}, {name} unseen, {n} clips without labels: UAR {found[n][-1]:.3f}", flush=True)
    for n, scores in found.items():
        print(f"{features}, mean of the corpora, {n} clips: {np.mean(scores):.3f}; {', '.join(np.unique(y))}")


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # a part of a corpus will do
    corpora = {name: load_corpus(name) for name in args.corpora}
with tempfile.TemporaryDirectory() as temporary:
    for features in args.features:
        (speakers if args.part == "speakers" else worlds)(features, args.memory or temporary)
