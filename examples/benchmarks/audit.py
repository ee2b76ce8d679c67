"""Which copies of recordings an audit of a split finds, which it should not, and how long 10,000 clips take.

    python examples/benchmarks/audit.py [--every 1] [--clips 10000] [--n-jobs 1]

For each kind of copy, one of every clip of EMO-DB (or of every n-th) is written to a file and planted in the test set,
behind all originals in training; the fraction of copies found, and of other clips mistaken for copies. Then the splits
of EMO-DB as it is. The large corpus are the clips of EMO-DB at different speeds, in memory, of which one is no copy of
another, so that each clip has others that are much like it; and, as one clip in twenty, copies to be found: without the
first and the last 10 ms, 12 dB softer, with noise.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold

from sklearn_ser import AddNoise, PitchShift, SpeakerTextKFold, TimeStretch, audit_split, fetch_emodb, load_waveform

SR = 16000
WAV = dict(format="WAV", subtype="PCM_16")


def resampled(rate):
    return lambda waveform: soxr.resample(waveform, SR, rate)


# How the waveform is changed, the file's rate and its format.
COPIES = {
    "the same bytes": (None, SR, {}),
    "FLAC, 16 bit": (None, SR, dict(format="FLAC", subtype="PCM_16")),
    "WAV, 24 bit": (None, SR, dict(format="WAV", subtype="PCM_24")),
    "WAV, 8 bit": (None, SR, dict(format="WAV", subtype="PCM_U8")),
    "WAV, mu-law": (None, SR, dict(format="WAV", subtype="ULAW")),
    "MP3": (None, SR, dict(format="MP3")),
    "MP3, lowest quality": (None, SR, dict(format="MP3", compression_level=0.99, bitrate_mode="VARIABLE")),
    "Ogg Vorbis": (None, SR, dict(format="OGG", subtype="VORBIS")),
    "Ogg Vorbis, lowest quality": (None, SR, dict(format="OGG", subtype="VORBIS", compression_level=0.99)),
    "Ogg Opus, lowest quality": (None, SR, dict(format="OGG", subtype="OPUS", compression_level=0.99)),
    "8 kHz": (resampled(8000), 8000, WAV),
    "8 kHz, GSM 6.10": (resampled(8000), 8000, dict(format="WAV", subtype="GSM610")),
    "44.1 kHz": (resampled(44100), 44100, WAV),
    "6 dB softer": (lambda w: w / 2, SR, WAV),
    "40 dB softer": (lambda w: w / 100, SR, WAV),
    "clipped at half its peak": (lambda w: np.clip(2 * w / np.abs(w).max(), -1, 1), SR, WAV),
    "upside down": (lambda w: -w, SR, WAV),
    "10 ms trimmed from the beginning": (lambda w: w[160:], SR, WAV),
    "10 ms trimmed from the end": (lambda w: w[:-160], SR, WAV),
    "10 ms trimmed from both, 12 dB softer, MP3": (lambda w: w[160:-160] / 4, SR, dict(format="MP3")),
    "100 ms trimmed from the beginning": (lambda w: w[1600:], SR, WAV),
    "200 ms of silence before": (lambda w: np.pad(w, (3200, 0)), SR, WAV),
    "white noise at 20 dB": (lambda w: AddNoise(snr=20)(w, SR, random_state=0), SR, WAV),
    "white noise at 10 dB": (lambda w: AddNoise(snr=10)(w, SR, random_state=0), SR, WAV),
    "a fifth trimmed from the beginning": (lambda w: w[w.size // 5 :], SR, WAV),
    "pre-emphasis": (lambda w: np.append(w[0], w[1:] - 0.97 * w[:-1]), SR, WAV),
    "second half": (lambda w: w[w.size // 2 :], SR, WAV),
    "a semitone higher": (lambda w: PitchShift(1)(w, SR), SR, WAV),
    "5 % faster": (lambda w: TimeStretch(1.05)(w, SR), SR, WAV),
}


def plant(paths, change, rate, file_format, folder):
    """Write a copy of each clip and return their paths."""
    copies = []
    for number, path in enumerate(paths):
        copy = Path(folder, f"{number}.bin")  # the content decides, and no name tells
        if not file_format:
            copy.write_bytes(Path(path).read_bytes())
        else:
            waveform = load_waveform(path, SR)
            soundfile.write(copy, waveform if change is None else change(waveform), rate, **file_format)
        copies.append(str(copy))
    return copies


def planted_leaks(paths, n_jobs):
    print(f"{'copy of each clip':44s} {'found':>6s} {'least similarity':>17s} {'mistaken':>9s}")
    original = np.arange(len(paths))
    for name, (change, rate, file_format) in COPIES.items():
        with tempfile.TemporaryDirectory() as folder:
            X = pd.DataFrame({"path": [*paths, *plant(paths, change, rate, file_format, folder)]})
            audit = audit_split([(original, original + len(paths))], X, n_jobs=n_jobs)
        right = audit.recordings["test_row"] == audit.recordings["train_row"] + len(paths)
        least = audit.recordings.loc[right, "similarity"].min()
        print(f"{name:44s} {right.sum() / len(paths):6.1%} {least:17.2f} {(~right).sum():9d}", flush=True)


def clips_at_speeds(paths, n_clips):
    """Waveforms of clips at 0.80 to 1.25 of their speed, evenly spaced."""
    waveforms = [load_waveform(path, SR) for path in paths]
    speeds = np.geomspace(0.8, 1.25, -(-n_clips // len(waveforms)))
    return [soxr.resample(w, SR, SR / speed) for speed in speeds for w in waveforms][:n_clips]


def large_corpus(paths, n_clips, n_jobs):
    n_copies = n_clips // 20
    clips = clips_at_speeds(paths, n_clips - n_copies)
    copied = np.linspace(0, len(clips) - 1, n_copies).astype(int)
    clips += [AddNoise(snr=20)(clips[row][160:-160] / 4, SR, random_state=row) for row in copied]
    hours = sum(clip.size for clip in clips) / SR / 3600
    fold = np.arange(n_clips - n_copies), np.arange(n_clips - n_copies, n_clips)
    started, used = time.perf_counter(), time.process_time()
    audit = audit_split([fold], clips, n_jobs=n_jobs)
    wall, used = time.perf_counter() - started, time.process_time() - used
    right = (audit.recordings["train_row"] == copied[audit.recordings["test_row"] - len(fold[0])]).sum()
    print(f"{n_clips} clips, {hours:.1f} h: {wall:.0f} s ({used:.0f} s of CPU)")
    print(f"{right} of {n_copies} copies found, {len(audit.recordings) - right} other clips mistaken")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="copy every n-th clip only")
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    planted_leaks(list(corpus.data["path"])[:: options.every], options.n_jobs)
    for cv in (LeaveOneGroupOut(), StratifiedKFold(5), SpeakerTextKFold()):
        print(audit_split(cv, corpus.data, corpus.target, groups=corpus.speaker if "Group" in str(cv) else None))
    large_corpus(list(corpus.data["path"]), options.clips, options.n_jobs)


if __name__ == "__main__":
    main()
