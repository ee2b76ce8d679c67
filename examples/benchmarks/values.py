"""Arousal of EMO-DB's emotions by rule, for unseen speakers: a sanity check on real audio, not a benchmark.

    python examples/benchmarks/values.py [--features handcrafted whisper] [--robust] [--conditions]

Anger, fear, happiness and surprise are 1; boredom and sadness -1; neutral and disgust 0. Leave one speaker out.
`--conditions` adds the same clips in white noise at 10 dB, over a telephone and in a room.
"""

import argparse

from sklearn_ser import evaluate, fetch_emodb, make_recognizer
from sklearn_ser.augmentation import real_world_conditions

AROUSAL = dict(anger=1, fear=1, happiness=1, surprise=1, boredom=-1, sadness=-1, neutral=0, disgust=0)
CONDITIONS = ["white noise, 10 dB", "telephone", "room, 0.5 s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", nargs="+", default=["handcrafted", "whisper"])
    parser.add_argument("--robust", action="store_true")
    parser.add_argument("--conditions", action="store_true")
    options = parser.parse_args()
    given = real_world_conditions()
    conditions = {name: given[name] for name in CONDITIONS} if options.conditions else None
    corpus = fetch_emodb(download_if_missing=False)
    arousal = [float(AROUSAL[emotion]) for emotion in corpus.target]
    for features in options.features:
        recognizer = make_recognizer(features, task="values", robust=options.robust, random_state=0)
        report = evaluate(recognizer, corpus.data, arousal, speaker=corpus.speaker, conditions=conditions)
        print(features, report, sep="\n", flush=True)


if __name__ == "__main__":
    main()
