"""How well clips that are unlike the training clips are told from clean clips of unseen speakers.

    python examples/benchmarks/novelty.py [--features handcrafted whisper] [--memory FOLDER]

EMO-DB, leave one speaker out: `SelectiveClassifier(make_recognizer(...), novelty=True)` is fitted to the clean clips of
the others. AUC of `novelty_score` between the clean clips of the speakers left out and what is foreign: their clips in
noise, and sounds that are no speech, made anew for each fold; and the fraction called "unknown" at the
default threshold.
"""

import argparse

import numpy as np
from robustness import CONDITIONS, SEED, SR, babble, colored, hum, noise, street
from sklearn.metrics import roc_auc_score

from sklearn_ser import SelectiveClassifier, fetch_emodb, load_waveform, make_emotional_speech, make_recognizer

N_SOUNDS = 10  # of each kind and fold


def tones(rng):
    times = np.arange(2 * SR) / SR
    return sum(np.sin(2 * np.pi * rng.uniform(100, 3000) * times) for _ in range(rng.integers(1, 4)))


def music(rng):
    """Notes of two voices, each a decaying harmonic tone."""
    times = np.arange(SR // 3) / SR
    notes = []
    for _ in range(8):
        f0 = 110 * 2 ** (rng.integers(0, 30) / 12)
        partials = (np.sin(2 * np.pi * f * k * times) / k for f in (f0, 1.5 * f0) for k in range(1, 7))
        notes.append(sum(partials) * np.exp(-4 * times))
    return np.concatenate(notes)


SOUNDS = {
    "silence": lambda rng: np.zeros(2 * SR),
    "microphone noise": lambda rng: 1e-4 * rng.normal(size=2 * SR),
    "pink noise": lambda rng: colored(2 * SR, rng, 1),
    "tones": tones,
    "music": music,
    "clicks": lambda rng: (rng.random(2 * SR) < 3e-4).astype(float),
}
IN_NOISE = {
    "white noise, 0 dB": noise(0, 0),
    "pink noise, 0 dB": noise(1, 0),
    "brown noise, 0 dB": noise(2, 0),
    "street, 0 dB": street(0),
    "babble, 0 dB": babble(0, 6),
    "hum, 0 dB": hum(50, 0),
    "white noise, 20 dB": CONDITIONS["white noise, 20 dB"],
    "telephone": CONDITIONS["telephone"],
    "room, 0.5 s": CONDITIONS["room, 0.5 s"],
}


def foreign(clips, rng):
    others = np.empty(len(clips), dtype=object)
    others[:] = clips
    found = {"synthetic speech": make_emotional_speech(N_SOUNDS, random_state=int(rng.integers(1000))).data}
    found |= {name: [make(rng) for _ in range(N_SOUNDS)] for name, make in SOUNDS.items()}
    return found | {name: [alter(clip, rng, others) for clip in clips] for name, alter in IN_NOISE.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", nargs="+", default=["handcrafted", "whisper"])
    parser.add_argument("--memory")
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    clips = [load_waveform(path, sr=SR).astype(np.float64) for path in corpus.data["path"]]
    speakers, target = np.asarray(corpus.speaker), np.asarray(corpus.target)
    for features in options.features:
        recognizer = make_recognizer(features, robust=False, memory=options.memory)
        scores, unknown = {}, {}
        for speaker in np.unique(speakers):
            known, test = np.flatnonzero(speakers != speaker), np.flatnonzero(speakers == speaker)
            selective = SelectiveClassifier(recognizer, coverage=1.0, novelty=True)
            selective.fit([clips[row] for row in known], target[known], groups=speakers[known])
            own = [clips[row] for row in test]
            rng = np.random.default_rng([SEED, int(speaker)])
            for name, group in {"clean": own, **foreign(own, rng)}.items():
                found = selective.novelty_score([np.asarray(clip, np.float32) for clip in group])
                scores.setdefault(name, []).extend(found)
                unknown.setdefault(name, []).extend(found > selective.novelty_threshold_)
        print(f"\n{features}\n| clips | AUC | unknown |\n|---|---|---|")
        for name, found in scores.items():
            truth = np.repeat([0, 1], [len(scores["clean"]), len(found)])
            auc = roc_auc_score(truth, scores["clean"] + found) if name != "clean" else np.nan
            print(f"| {name} | {auc:.3f} | {np.mean(unknown[name]):.2f} |", flush=True)


if __name__ == "__main__":
    main()
