"""Damage audio files in thousands of ways, and see what the library makes of them.

    python tests/fuzz.py [--files 3500] [--seed 0]

WAV, AIFF, FLAC, Ogg and MP3 files are cut, flipped, overwritten, and given absurd headers. Each goes through
`load_waveform`, `MelSpectrogramTransformer` and `HandcraftedFeatures` in a process of its own kind, which reports
whatever is not right: an exception that is no AudioError, a crash, more than 10 s, more than 1 GB of memory, features
that are not finite, two answers for one file, and a clip that is silently shorter than the undamaged original is, to
FFmpeg (PyAV; where that is not installed, than it was made).
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter

import numpy as np
import soundfile

SR, SLOWEST, LARGEST = 16000, 10, 2**30  # Hz, seconds, bytes
TOLERANCE = 0.08  # seconds by which codecs differ in what they pad and trim
_EXTREMES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\x01")
_WAYS = ("cut", "flip", "flip header", "field", "field", "zeros", "noise", "delete", "insert", "repeat", "tail")


def originals() -> dict[str, tuple[bytes, float]]:
    """Undamaged files, and how long they are, seconds."""
    rng, files = np.random.default_rng(0), {}
    for name, rate, n_channels, params in (
        ("wav", 16000, 1, dict(format="WAV")),
        ("wav stereo 24", 44100, 2, dict(format="WAV", subtype="PCM_24")),
        ("wav float", 48000, 1, dict(format="WAV", subtype="FLOAT")),
        ("wav gsm", 8000, 1, dict(format="WAV", subtype="GSM610")),
        ("wav adpcm", 16000, 1, dict(format="WAV", subtype="IMA_ADPCM")),
        ("aiff", 16000, 1, dict(format="AIFF")),
        ("aiff stereo", 22050, 2, dict(format="AIFF", subtype="PCM_24")),
        ("flac", 16000, 1, dict(format="FLAC")),
        ("flac stereo", 44100, 2, dict(format="FLAC", subtype="PCM_24")),
        ("ogg", 16000, 1, dict(format="OGG", subtype="VORBIS")),
        ("ogg opus", 48000, 2, dict(format="OGG", subtype="OPUS")),
        ("mp3", 16000, 1, dict(format="MP3")),
        ("mp3 stereo", 44100, 2, dict(format="MP3")),
    ):
        times = np.arange(int(1.3 * rate)) / rate
        voice = 0.3 * np.sin(2 * np.pi * 150 * times) * (1 + np.sin(2 * np.pi * 3 * times))
        buffer = io.BytesIO()
        soundfile.write(buffer, np.stack([voice + 0.02 * rng.normal(size=times.size)] * n_channels, 1), rate, **params)
        files[name] = (buffer.getvalue(), _seconds(buffer.getvalue(), 1.3))
    return files


def _seconds(content: bytes, made: float) -> float:
    try:
        import av
    except ImportError:
        return made
    with av.open(io.BytesIO(content)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate


def damage(content: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """One way to damage a file, and the result."""
    damaged, n = bytearray(content), len(content)
    header = min(n, int(rng.choice([48, 160, 1000])))
    start = int(rng.integers(n))
    stop = min(n, start + int(rng.integers(1, max(2, n // 4))))
    how = str(rng.choice(_WAYS))
    if how == "cut":
        del damaged[start:]
    elif how in ("flip", "flip header"):
        for place in rng.integers(n if how == "flip" else header, size=rng.integers(1, 9)):
            damaged[place] ^= 1 << int(rng.integers(8))
    elif how == "field":
        place, width = int(rng.integers(header)), int(rng.choice([1, 2, 4, 8]))
        value = rng.bytes(width) if rng.random() < 0.5 else _EXTREMES[rng.integers(len(_EXTREMES))] * width
        damaged[place : place + width] = value[: n - place]
    elif how in ("zeros", "noise"):
        damaged[start:stop] = bytes(stop - start) if how == "zeros" else rng.bytes(stop - start)
    elif how == "delete":
        del damaged[start:stop]
    elif how in ("insert", "repeat"):
        damaged[start:start] = rng.bytes(stop - start) if how == "insert" else content[start:stop]
    else:
        damaged += rng.bytes(int(rng.integers(1, 3000)))
    return how, bytes(damaged)


class _Slow(Exception):
    pass


def examine(content: bytes, seconds: float) -> str | None:
    """What is wrong with how a damaged file is treated, or None."""
    from sklearn_ser import AudioError, HandcraftedFeatures, MelSpectrogramTransformer
    from sklearn_ser.audio import load_waveform
    from sklearn_ser.audio._decoding import recording_length

    waveform = refusal = None
    try:
        waveform = load_waveform(content, SR)
    except AudioError as error:
        refusal = error
    for transformer in (MelSpectrogramTransformer(), HandcraftedFeatures()):
        try:
            features = transformer.fit_transform([content])
        except AudioError as error:
            if refusal is None:
                return f"{type(transformer).__name__} refuses what load_waveform reads: {error}"
            continue
        if refusal is not None:
            return f"{type(transformer).__name__} reads what load_waveform refuses: {refusal}"
        if not np.isfinite(features).all():
            return f"{type(transformer).__name__} is not finite, or longer than the clip"
    if refusal is not None:
        return f"a message of {len(str(refusal))} characters" if len(str(refusal)) > 500 else None
    n_times, rate = recording_length(content, "Clip", "mean")
    if abs(n_times / rate - waveform.size / SR) > 1 / SR:
        return f"two lengths: {n_times / rate:.4f} and {waveform.size / SR:.4f} s"
    return (
        f"silently shorter: {n_times / rate:.3f} s of {seconds:.3f} s" if n_times / rate < seconds - TOLERANCE else None
    )


def run(n_files: int, seed: int, first: int = 0) -> None:
    """Examine files and print a line for each; in a process of its own, because what is to be found may end it."""

    def slow(*_):
        raise _Slow

    signal.signal(signal.SIGALRM, slow)
    files = originals()
    names = list(files)
    warnings.simplefilter("ignore")
    examine(*files[names[0]])  # imports take time, too
    for number in range(first, n_files):
        rng = np.random.default_rng([seed, number])
        name = names[number % len(names)]
        how, content = damage(files[name][0], rng)
        print(json.dumps({"number": number, "started": True}), flush=True)
        started = time.perf_counter()
        signal.alarm(SLOWEST)
        try:
            wrong = examine(content, files[name][1])
        except _Slow:
            wrong = "too slow"
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        signal.alarm(0)
        taken, most = time.perf_counter() - started, _largest()
        if most > LARGEST:
            wrong = wrong or f"{most / 2**20:.0f} MB of memory"
        print(json.dumps(dict(number=number, name=name, how=how, wrong=wrong, seconds=taken, memory=most)), flush=True)


def _largest() -> int:
    """Memory that this process took at most, bytes."""
    try:  # what `resource` says of a process is at least what its parent had when it began
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fuzz(n_files: int, seed: int = 0) -> list[dict]:
    """A record for each file; `wrong` is None where all is right."""
    records: dict[int, dict] = {}
    first = 0
    while first < n_files:
        command = [
            sys.executable,
            __file__,
            "--worker",
            "--files",
            str(n_files),
            "--seed",
            str(seed),
            "--first",
            str(first),
        ]
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in process.stdout.splitlines():
            record = json.loads(line)
            first = record["number"] + 1
            records[record["number"]] = record
        if process.returncode and "started" not in records.get(first - 1, {}):
            raise RuntimeError(f"The worker ended with {process.returncode}: run {' '.join(command)}")
    return [
        {**record, "wrong": "crash", "name": "?", "how": "?"} if "started" in record else record
        for record in records.values()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=3500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        run(options.files, options.seed, options.first)
        return
    records = fuzz(options.files, options.seed)
    wrong = [record for record in records if record["wrong"]]
    for record in wrong:
        print(f"{record['number']:5d}  {record['name']:14s} {record['how']:12s} {record['wrong']}")
    slowest = max(record.get("seconds", 0) for record in records)
    most = max(record.get("memory", 0) for record in records) / 2**20
    print(f"{len(records)} files, {len(wrong)} treated wrongly; at most {slowest:.2f} s and {most:.0f} MB for one")
    print(dict(Counter(record["name"] for record in wrong)))


if __name__ == "__main__":
    main()
