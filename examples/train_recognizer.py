"""Train a recognizer on whatever corpora are at hand, test it on each corpus in turn, and save it with a card.

    SKLEARN_SER_DATA=/data python examples/train_recognizer.py recognizer.joblib
    python examples/train_recognizer.py recognizer.joblib --corpora EMO-DB EMOVO --features handcrafted --clean

Corpora are looked for in the folder that SKLEARN_SER_DATA names, each under the name that `list_corpora()` knows. The
card, recognizer.md, says what it was trained on, under which licences, and how well it does on a corpus that it was not
trained on: as it is, and adapted by ten and thirty clips without labels, drawn at random and not scored.
"""

import argparse
import datetime
import warnings
from pathlib import Path

import joblib
import numpy as np

import sklearn_ser
from sklearn_ser import adapt, concatenate_corpora, list_corpora, load_corpus, make_recognizer
from sklearn_ser.metrics import uar_score


def at_hand(names):
    """Load the corpora that are there, by name."""
    corpora = {}
    for name in names:
        try:
            corpora[name] = load_corpus(name)
        except (OSError, ValueError):
            continue
        print(f"{name}: {len(corpora[name].target)} clips", flush=True)
    return corpora


def held_out(recognizer, joined, seed=0):
    """UAR on each corpus of a recognizer that was trained on the others, by the number of clips without labels."""
    X, y, found = joined.data, np.asarray(joined.target), {}
    for name in X["corpus"].unique():
        tested = (X["corpus"] == name).to_numpy()
        fitted = recognizer.fit(X[~tested], y[~tested])
        clips, truth = X[tested].drop(columns="corpus"), y[tested]
        drawn = np.random.default_rng(seed).permutation(len(clips))
        found[name] = []
        for n in (0, 10, 30):
            if n >= len(clips) // 2:
                found[name].append(np.nan)
                continue
            knowing = adapt(fitted, clips.iloc[drawn[:n]], speaker=None) if n else fitted
            found[name].append(uar_score(truth[drawn[n:]], knowing.predict(clips.iloc[drawn[n:]])))
        print(name, np.round(found[name], 3), flush=True)
    return found


def card(args, joined, found, table):
    """Say in Markdown what the recognizer is."""
    clips = joined.data["corpus"].value_counts()
    licences = table["licence"]
    lines = [
        f"# {args.target.stem}",
        "",
        f"`make_recognizer({args.features!r}, robust={not args.clean})` of sklearn_ser {sklearn_ser.__version__}, "
        f"{datetime.date.today().isoformat()}. Emotions: {', '.join(np.unique(joined.target))}.",
        "",
        "UAR on each corpus of a recognizer trained on the others, by the number of its clips that adapted it without "
        f"labels; chance is {1 / len(np.unique(joined.target)):.3f}. Acted emotions are easier than those of life.",
        "",
        "| corpus | clips | licence | 0 | 10 | 30 |",
        "|---|---|---|---|---|---|",
    ]
    for name in clips.index:
        scores = " | ".join("-" if np.isnan(score) else f"{score:.3f}" for score in found.get(name, [np.nan] * 3))
        lines.append(f"| {name} | {clips[name]} | {licences.get(name, 'see the corpus')} | {scores} |")
    return "\n".join([*lines, "", "Some licences forbid commercial use of what is trained on a corpus.", ""])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, help="file to save, such as recognizer.joblib; its card lies beside it")
    parser.add_argument("--corpora", nargs="+", help="names; by default all that are there")
    parser.add_argument("--features", choices=["whisper", "handcrafted"], default="whisper")
    parser.add_argument("--clean", action="store_true", help="train on the clips only, not on altered copies")
    parser.add_argument("--memory", default="features", help="folder that keeps features from run to run")
    args = parser.parse_args(arguments)
    table = list_corpora()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a part of a corpus will do
        corpora = at_hand(args.corpora or table.index)
    if not corpora:
        parser.error("no corpus is at hand: fetch one, such as sklearn_ser.fetch_emodb(), or set SKLEARN_SER_DATA")
    joined = concatenate_corpora(corpora)  # clips of the emotions that all of them have
    recognizer = make_recognizer(args.features, robust=not args.clean, random_state=0, memory=args.memory, verbose=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="These recordings sound unlike training")  # they are meant to
        found = held_out(recognizer, joined) if len(corpora) > 1 else {}
    recognizer.fit(joined.data, joined.target)
    joblib.dump(recognizer, args.target)
    args.target.with_suffix(".md").write_text(card(args, joined, found, table), encoding="utf-8")
    print(f"{args.target} and {args.target.with_suffix('.md')} are written.")


if __name__ == "__main__":
    main()
