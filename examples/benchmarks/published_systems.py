"""What the published systems reach: under their papers' protocol, for unseen speakers, and in noise.

    python examples/benchmarks/published_systems.py [--system S] [--corpus emodb|ravdess|tess]
        [--protocol paper|speaker|both] [--seeds N] [--epochs N] [--json FILE] [--page FILE] [--table] [--redo]

Protocol "paper": the paper's own. Its emotions (those that the corpus has) and its fraction of test clips, drawn at
random and stratified, anew with each seed. The same speakers are on both sides.

Protocol "speaker": no speaker is on both sides. EMO-DB: five folds of a woman and a man each; RAVDESS: six folds of two
women and two men; TESS: two folds of a woman each. Folds are the same for all seeds and systems; the predictions of all
folds are pooled and then scored. Where a classifier stops early, the speakers of its validation set are none of those
that it learns from (on TESS, where it learns from a single one, a random part of the clips is its validation set).

A seed is the system's `random_state`, too. WA and UAR are given as mean +- standard deviation over seeds, on the test
clips as they are and, "in noise", on the same clips with white noise at 10 dB SNR, whether or not the system was
trained on noise. Nothing is chosen on test clips. The seconds are those of one `fit`, from audio files on.

Every finished run (one training) is at once in the results file. If the script is killed, the same command resumes from
there; after a change of a system, --redo repeats its runs. At the end, the table of all finished runs goes into
docs/benchmarks.md, between two marker comments; with --epochs, which is for trials, it is only printed.
"""

import argparse
import difflib
import gc
import json
import os
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from sklearn_ser import AddNoise, AugmentedClassifier, fetch_emodb, fetch_ravdess, fetch_tess
from sklearn_ser.augmentation import augment_clips
from sklearn_ser.systems import list_systems

CORPORA = {"emodb": fetch_emodb, "ravdess": fetch_ravdess, "tess": fetch_tess}
FOLDS = {"emodb": 5, "ravdess": 6, "tess": 2}
SEEDS = {"paper": 5, "speaker": 3}
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MISSING = "–"


class Run(NamedTuple):
    """One training, and what tells it apart from all others."""

    system: str
    corpus: str
    protocol: str
    seed: int
    fold: int
    epochs: int | None  # None: as many as the system says


# ---------------------------------------------------------------------------------------------------------- what is run


def choose_systems(wanted):
    """Systems by their names; a name that is none of them is a function's, and stands for all of its systems."""
    systems = {system.name: system for system in list_systems()}
    choices = {"all": list(systems)}
    for name in systems:
        choices.setdefault(re.match(r"\w+", name)[0], []).append(name)
    choices.update({name: [name] for name in systems})
    for name in wanted:
        if name not in choices:
            close = difflib.get_close_matches(name, choices, n=1, cutoff=0)[0]
            raise ValueError(f"unknown system {name!r}; did you mean {close!r}? There are {', '.join(choices)}.")
    return {name: systems[name] for choice in wanted for name in choices[choice]}


def plan(systems, corpus, protocols, n_seeds, epochs):
    """All runs, seed by seed, so that an unfinished table has the same seeds everywhere."""
    return [
        Run(system, corpus, protocol, seed, fold, epochs)
        for protocol in protocols
        for seed in range(n_seeds or SEEDS[protocol])
        for system in systems
        for fold in range(FOLDS[corpus] if protocol == "speaker" else 1)
    ]


# -------------------------------------------------------------------------------------------------------------- one run


def train_and_test(run, system, corpus):
    """Seconds of the training, and how the test clips were confused, as they are and in noise."""
    emotions = [e for e in corpus.target_names if system.emotions is None or e in system.emotions]
    wanted = np.isin(corpus.target, emotions)
    X, y, speaker = corpus.data[wanted], corpus.target[wanted], corpus.speaker[wanted]
    if run.protocol == "paper":
        rows = np.arange(len(y))
        train, test = train_test_split(rows, test_size=system.test_size, stratify=y, random_state=run.seed)
    else:
        is_test = speaker_folds(corpus, FOLDS[run.corpus])[wanted] == run.fold
        train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    classifier = system.build(random_state=run.seed, **({} if run.epochs is None else {"epochs": run.epochs}))
    params = groups_for(classifier, speaker[train]) if run.protocol == "speaker" else {}
    # Not the system's seed: the same noise as in training would be half known.
    noisy = augment_clips(X.iloc[test], AddNoise(snr=10), random_state=np.random.RandomState([run.seed, 1]))
    started = time.perf_counter()
    classifier.fit(X.iloc[train], y[train], **params)
    seconds = round(time.perf_counter() - started, 1)
    confusions = {
        name: confusion_matrix(y[test], classifier.predict(clips), labels=emotions).tolist()
        for name, clips in (("clean", X.iloc[test]), ("noisy", noisy))
    }
    return {"seconds": seconds, "emotions": emotions, **confusions}


def speaker_folds(corpus, n_folds):
    """Fold of each clip: in the order of their names, the women are shared out among the folds, and so are the men."""
    speakers = corpus.data.drop_duplicates("speaker").sort_values("speaker")
    of_sex = speakers.groupby("sex")["speaker"]
    fold = dict(zip(speakers["speaker"], of_sex.cumcount() * n_folds // of_sex.transform("size"), strict=True))
    return np.array([fold[speaker] for speaker in corpus.speaker])


def groups_for(classifier, speaker):
    """What `fit` is to be given so that, in early stopping too, a speaker is on one side only."""
    augmented = isinstance(classifier, AugmentedClassifier)
    name, final = (classifier.estimator if augmented else classifier).steps[-1]
    if not getattr(final, "early_stopping", False) or len(set(speaker)) == 1:
        return {}
    return {"groups" if augmented else f"{name}__groups": speaker}


def train_all(runs, systems, options):
    """Do the runs that the results file does not hold, and add each to it."""
    path = options.json
    results = load(path)
    if options.redo:
        results = {run: result for run, result in results.items() if run not in runs}
        save(path, results)
    todo = [run for run in runs if run not in results]
    print(f"{len(runs) - len(todo)} of {len(runs)} runs are finished and in {path}; {len(todo)} to do.")
    if not todo:
        return
    corpus = CORPORA[options.corpus](download_if_missing=False)
    with tqdm(todo, initial=len(runs) - len(todo), total=len(runs), unit="run") as progress:
        for run in progress:
            progress.set_description(f"{run.system}, {run.protocol}")
            result = train_and_test(run, systems[run.system], corpus)
            results = {**load(path), run: result}  # read again: another process may have added to it
            save(path, results)
            gc.collect()  # networks are full of cycles: without this, gigabytes of them pile up
            alike = [
                result for other, result in results.items() if other == run._replace(seed=other.seed, fold=other.fold)
            ]
            progress.set_postfix_str(
                "WA {:.3f}, UAR {:.3f} so far".format(*scores([result["clean"] for result in alike]))
            )


# -------------------------------------------------------------------------------------------------------------- results


def load(path):
    """Finished runs and their results."""
    if not path.exists():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {Run(*(entry.pop(field) for field in Run._fields)): entry for entry in entries}


def save(path, results):
    lines = (json.dumps({**run._asdict(), **result}) for run, result in results.items())
    replace(path, "[\n" + ",\n".join(lines) + "\n]\n")


def replace(path, text):
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(text.encode())
    os.replace(temporary, path)


def scores(confusions):
    """WA and UAR of all predictions that the matrices count."""
    confusion = np.sum(confusions, axis=0)
    clips = confusion.sum(axis=1)
    recalls = np.diag(confusion)[clips > 0] / clips[clips > 0]
    return np.trace(confusion) / clips.sum(), recalls.mean()


# ------------------------------------------------------------------------------------------------------------ the table


def make_table(results, corpus, epochs):
    """Markdown, with one row a system."""
    measured = ["WA", "UAR", "WA in noise", "seeds"]
    unknown = [f"unseen speakers: {name}" for name in measured]
    rows = [["system", "published WA", *measured, *unknown, "seconds a training"]]
    for system in list_systems():
        published = MISSING if system.wa is None else f"{system.wa:.3f}"
        published += "" if system.corpus == corpus else f" ({system.corpus})"
        chosen = (system.name, corpus, epochs)
        kept = {run: result for run, result in results.items() if (run.system, run.corpus, run.epochs) == chosen}
        seconds = [result["seconds"] for result in kept.values()]
        summaries = [cell for protocol in SEEDS for cell in summarise(kept, protocol, FOLDS[corpus])]
        rows.append([f"`{system.name}`", published, *summaries, f"{np.mean(seconds):.0f}" if seconds else MISSING])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows
    )


def summarise(results, protocol, n_folds):
    """Cells of one protocol: the scores over those seeds whose folds are all there, and how many seeds these are."""
    folds_of = defaultdict(list)
    for run, result in results.items():
        if run.protocol == protocol:
            folds_of[run.seed].append(result)
    complete = [folds for folds in folds_of.values() if protocol == "paper" or len(folds) == n_folds]
    if not complete:
        return [MISSING] * 4
    clean, noisy = (
        np.array([scores([fold[key] for fold in folds]) for folds in complete]) for key in ("clean", "noisy")
    )
    return [*map(mean_and_spread, (clean[:, 0], clean[:, 1], noisy[:, 0])), str(len(complete))]


def mean_and_spread(values):
    return f"{np.mean(values):.3f}" + (f" +- {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def write_table(page, corpus, table):
    """Put the table between its markers, which are added at the page's end if there are none; leave the rest."""
    begin, end = (f"<!-- published systems on {corpus}: {edge} -->" for edge in ("begin", "end"))
    text = page.read_bytes().decode()
    if begin not in text:
        text += f"\n{begin}\n{end}\n"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    replace(page, f"{before}{begin}\n\n{table}\n\n{end}{after}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", action="append", help="as list_systems() names it, a function, or 'all' (default)")
    parser.add_argument("--corpus", choices=CORPORA, default="emodb")
    parser.add_argument("--protocol", choices=[*SEEDS, "both"], default="both")
    parser.add_argument("--seeds", type=int, help=f"default: {SEEDS}")
    parser.add_argument("--epochs", type=int, help="for a quick trial; its results are kept apart")
    parser.add_argument("--json", type=Path, default=Path("published_systems.json"), help="the results file")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the table goes")
    parser.add_argument("--table", action="store_true", help="train nothing: write the table of what is finished")
    parser.add_argument("--redo", action="store_true", help="run again what is finished")
    options = parser.parse_args(arguments)
    try:
        systems = choose_systems(options.system or ["all"])
    except ValueError as error:
        parser.error(str(error))
    protocols = list(SEEDS) if options.protocol == "both" else [options.protocol]
    if not options.table:
        train_all(plan(systems, options.corpus, protocols, options.seeds, options.epochs), systems, options)
    table = make_table(load(options.json), options.corpus, options.epochs)
    print(table)
    if options.epochs is None:
        write_table(options.page, options.corpus, table)


if __name__ == "__main__":
    main()
