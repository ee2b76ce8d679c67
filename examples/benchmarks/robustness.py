"""How much of what a recogniser knows is left in noise, on the telephone, in rooms and by other microphones.

    python examples/benchmarks/robustness.py [--only NAME ...] [--json FILE] [--memory FOLDER] [--seed 0] [--table]

EMO-DB, leave one speaker out: trained on clean clips, or on them and the copies of `real_world_augmenters`, the network
on copies of other pitch in either case; tested on clips altered by the functions of this file, which share no code with
the library's augmenters. "Eleven" are the conditions that the recognisers were developed for, with other seeds; "held
out" are other kinds and settings, which nobody looked at before. UAR of the pooled predictions of all ten folds; chance
is 0.143.

It can be stopped and started again: predictions are kept fold by fold in the JSON file, features in the folder of
`--memory`. `--table` only prints the tables of what is there.
"""

import argparse
import io
import json
import zlib
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile
from emodb_speakers import statistics  # which lies beside this file
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    HandcraftedFeatures,
    WaveformFeatures,
    fetch_emodb,
    load_waveform,
    make_recognizer,
)
from sklearn_ser.systems import whisper_discriminants

SR, SEED = 16000, 2026


def colored(n_times, rng, exponent):
    """Noise whose power falls with frequency to this exponent."""
    frequencies = np.fft.rfftfreq(n_times, 1 / SR)
    weights = np.zeros(len(frequencies))
    weights[frequencies > 20] = frequencies[frequencies > 20] ** (-exponent / 2)
    return np.fft.irfft(weights * (rng.normal(size=len(weights)) + 1j * rng.normal(size=len(weights))), n_times)


def at_snr(clip, noise, snr):
    return clip + noise * np.sqrt(np.mean(clip**2) / np.mean(noise**2)) * 10 ** (-snr / 20)


def noise(exponent, snr):
    return lambda clip, rng, others: at_snr(clip, colored(clip.size, rng, exponent), snr)


def babble(snr, n_voices):
    def alter(clip, rng, others):
        voices = [np.resize(np.roll(o, rng.integers(o.size)), clip.size) for o in rng.choice(others, n_voices)]
        return at_snr(clip, sum(voice / np.std(voice) for voice in voices), snr)

    return alter


def hum(frequency, snr):
    def alter(clip, rng, others):
        times = np.arange(clip.size) / SR
        tones = (np.cos(2 * np.pi * frequency * k * times + rng.uniform(0, 6)) / k for k in range(1, 16))
        return at_snr(clip, sum(tones), snr)

    return alter


def street(snr):
    """Rumble that swells and fades, and a horn now and then."""

    def alter(clip, rng, others):
        swell = np.interp(
            np.arange(clip.size), np.arange(0, clip.size + 8000, 8000), rng.normal(size=clip.size // 8000 + 2)
        )
        rumble = colored(clip.size, rng, 1.5)
        sound = rumble / np.std(rumble) * np.exp(0.7 * swell)
        for _ in range(2):
            start, length = rng.integers(clip.size), rng.integers(2000, 8000)
            horn = scipy.signal.square(2 * np.pi * rng.uniform(300, 500) * np.arange(length) / SR) * np.hanning(length)
            sound[start : start + length] += horn[: clip.size - start]
        return at_snr(clip, sound, snr)

    return alter


def telephone(low, high):
    """A band-pass, 8 kHz, and 8 bits by the mu-law."""
    band = scipy.signal.butter(4, [low, high], "bandpass", fs=SR, output="sos")

    def alter(clip, rng, others):
        narrow = scipy.signal.resample_poly(scipy.signal.sosfiltfilt(band, clip), 1, 2)
        peak = np.abs(narrow).max()
        code = np.round(127 * np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256)) / 127
        narrow = np.sign(code) * (256 ** np.abs(code) - 1) / 255 * peak
        return scipy.signal.resample_poly(narrow, 2, 1)[: clip.size]

    return alter


def room(rt60, direct_db=0.0):
    """A decaying random response, so many dB below the direct sound."""

    def alter(clip, rng, others):
        times = np.arange(int(1.1 * rt60 * SR)) / SR
        response = rng.normal(size=times.size) * 10 ** (-3 * times / rt60)
        response *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(response**2))
        response[0] = 1
        return scipy.signal.fftconvolve(clip, response)[: clip.size]

    return alter


def low_pass(frequency):
    filter_ = scipy.signal.butter(8, frequency, fs=SR, output="sos")
    return lambda clip, rng, others: scipy.signal.sosfiltfilt(filter_, clip)


def linear(numerator, denominator=(1,)):
    return lambda clip, rng, others: scipy.signal.lfilter(numerator, denominator, clip)


def clipped(fraction):
    def alter(clip, rng, others):
        limit = np.quantile(np.abs(clip), 1 - fraction)
        return np.clip(clip, -limit, limit)

    return alter


def soft(level):
    return lambda clip, rng, others: np.round(clip / np.abs(clip).max() * level * 32767) / 32768


def around(seconds):
    return lambda clip, rng, others: np.pad(clip, int(seconds * SR))


def mp3(clip, rng, others):
    file = io.BytesIO()
    soundfile.write(file, 0.7 * clip / np.abs(clip).max(), SR, format="MP3", compression_level=0.99)
    file.seek(0)
    return soundfile.read(file)[0]


def both(first, second):
    return lambda clip, rng, others: second(first(clip, rng, others), rng, others)


ELEVEN = {
    "white noise, 20 dB": noise(0, 20),
    "white noise, 10 dB": noise(0, 10),
    "pink noise, 10 dB": noise(1, 10),
    "babble, 10 dB": babble(10, 6),
    "telephone": telephone(300, 3400),
    "room, 0.5 s": room(0.5),
    "low-pass, 4 kHz": low_pass(4000),
    "tilt, 1 - 0.7/z": linear([1, -0.7]),
    "clipped, 5 %": clipped(0.05),
    "16 bit, 1 % level": soft(0.01),
    "1 s silence around": around(1.0),
}
HELD_OUT = {
    "brown noise, 5 dB": noise(2, 5),
    "hum of 50 Hz, 5 dB": hum(50, 5),
    "street, 8 dB": street(8),
    "MP3, lowest rate": mp3,
    "room, 0.8 s": room(0.8, 3.0),
    "telephone with noise": both(telephone(250, 3300), noise(0, 20)),
    "room with pink noise, 15 dB": both(room(0.35), noise(1, 15)),
    "dull, 1 / (1 - 0.5/z)": linear([1], [1, -0.5]),
}
CONDITIONS = {"clean": lambda clip, rng, others: clip, **ELEVEN, **HELD_OUT}


def pipelines(memory, seed):
    svm = make_pipeline(StandardScaler(), SVC(C=10))
    yield (
        "default-v1, StandardScaler, SVC(C=10)",
        make_pipeline(HandcraftedFeatures(feature_set="default-v1", memory=memory), *svm),
    )
    for features in ("handcrafted", "whisper"):
        for robust in (False, True):
            name = f"make_recognizer({features!r}, robust={robust})"
            yield name, make_recognizer(features, robust=robust, random_state=0, memory=memory)
    yield "whisper_discriminants()", whisper_discriminants(memory=memory)
    tiny = whisper_discriminants("openai/whisper-tiny.en", [1, 2, 3], memory=memory)
    yield 'whisper_discriminants("openai/whisper-tiny.en", [1, 2, 3])', tiny
    for robust in (False, True):
        yield f"statistics_network, robust={robust}", statistics(seed, memory, robust)
    try:
        import opensmile  # a peer only; its licence is non-commercial
    except ImportError:
        return
    for name in ("ComParE_2016", "eGeMAPSv02"):
        smile = opensmile.Smile(feature_set=getattr(opensmile.FeatureSet, name), num_workers=1)
        features = WaveformFeatures(Functionals(name, smile), memory=memory)
        yield f"openSMILE {name}, StandardScaler, SVC(C=10)", make_pipeline(features, *svm)
        yield (
            f"openSMILE {name}, recommended classifier",
            make_pipeline(features, *make_recognizer("handcrafted", robust=False)[1:]),
        )


class Functionals:
    """openSMILE's features of a waveform."""

    def __init__(self, name, smile):
        self.name, self.smile = name, smile

    def __call__(self, waveform, sr):
        return np.nan_to_num(self.smile.process_signal(waveform, sr).to_numpy()[0])


def altered(clips, rows, condition):
    """Clips of these rows under a condition; a clip is altered alike whenever it is asked for."""
    seed = zlib.crc32(condition.encode())
    for row in rows:
        others = np.empty(20, dtype=object)
        rng = np.random.default_rng([SEED, seed, row])
        others[:] = [clips[i] for i in rng.choice(len(clips), 20)]
        yield CONDITIONS[condition](clips[row], rng, others).astype(np.float32)


def measure(pipeline, corpus, clips, conditions, done, save):
    speakers, target = np.asarray(corpus.speaker), np.asarray(corpus.target)
    for speaker in np.unique(speakers):
        predictions = done.setdefault(speaker, {})
        missing = [condition for condition in conditions if condition not in predictions]
        if not missing:
            continue
        test = np.flatnonzero(speakers == speaker)
        known = speakers != speaker
        fitted = clone(pipeline).fit([clips[row] for row in np.flatnonzero(known)], target[known])
        for condition in missing:
            predictions[condition] = fitted.predict(list(altered(clips, test, condition))).tolist()
            save()


def tables(results, corpus):
    speakers, target = np.asarray(corpus.speaker), np.asarray(corpus.target)
    order = np.concatenate([np.flatnonzero(speakers == speaker) for speaker in np.unique(speakers)])
    uar = {}
    for name, folds in results.items():
        whole = [c for c in CONDITIONS if all(c in folds.get(speaker, {}) for speaker in np.unique(speakers))]
        uar[name] = {
            c: balanced_accuracy_score(target[order], np.concatenate([folds[s][c] for s in np.unique(speakers)]))
            for c in whole
        }
    rows = [
        "| pipeline | clean | mean of the eleven | worst of them | mean of those held out | worst of them |",
        "|---|---|---|---|---|---|",
    ]
    for name, of in uar.items():
        cells = [of.get("clean")]
        for group in (ELEVEN, HELD_OUT):
            values = [of[c] for c in group if c in of]
            cells += [np.mean(values), min(values)] if len(values) == len(group) else [None, None]
        rows.append(f"| `{name}` | " + " | ".join("–" if cell is None else f"{cell:.3f}" for cell in cells) + " |")
    rows += ["", "| condition | " + " | ".join(f"`{name}`" for name in uar) + " |", "|---" * (len(uar) + 1) + "|"]
    for condition in CONDITIONS:
        rows.append(
            f"| {condition} | "
            + " | ".join(f"{of[condition]:.3f}" if condition in of else "–" for of in uar.values())
            + " |"
        )
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="parts of the names of pipelines to measure")
    parser.add_argument("--json", type=Path, default=Path("robustness.json"))
    parser.add_argument("--memory", help="folder that keeps features")
    parser.add_argument("--seed", type=int, default=0, help="of networks; each needs a JSON file of its own")
    parser.add_argument("--eleven", action="store_true", help="leave out the conditions held out")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    results = json.loads(options.json.read_text()) if options.json.exists() else {}
    corpus = fetch_emodb(download_if_missing=False)

    def save():
        options.json.write_text(json.dumps(results))

    if not options.table:
        clips = [load_waveform(path, sr=SR).astype(np.float64) for path in corpus.data["path"]]
        conditions = [c for c in CONDITIONS if not (options.eleven and c in HELD_OUT)]
        for name, pipeline in pipelines(options.memory, options.seed):
            if not options.only or any(part in name for part in options.only):
                print(name, flush=True)
                measure(pipeline, corpus, clips, conditions, results.setdefault(name, {}), save)
    print(tables(results, corpus))


if __name__ == "__main__":
    main()
