"""Handcrafted features: how well they recognise, what they cost, and whether F0 is right.

    python examples/benchmarks/handcrafted.py [--repeats 3] [--f0-clips 100]

Over all of EMO-DB, behind each feature set `StandardScaler` and `SVC(C=10)`, and the classifier of `make_recognizer`:

- unknown: leave one speaker out; normalised: the same after z-scoring each speaker's features by all his or her clips,
  those tested among them; random: five random folds, speakers mixed, which flatters. UAR of the pooled predictions.
- one speaker: trained on one speaker and tested on another one of the same sex, all such pairs pooled.

openSMILE's sets are measured along if it is installed (pip install opensmile; its licence is non-commercial). Seconds
are from paths to features in one process, medians of repeats in turn. "Bare FFTs" are power spectra of the same
windows, from decoded waveforms, and nothing else. F0 is compared with `librosa.pyin`, on clips drawn at random.
"""

import argparse
import itertools
import statistics
import time
from functools import partial

import librosa
import numpy as np
import scipy.fft
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import (
    BoundedScaler,
    CalibratedDiscriminant,
    HandcraftedFeatures,
    LowLevelDescriptors,
    fetch_emodb,
    load_waveform,
)

MODELS = {
    "SVM": make_pipeline(StandardScaler(), SVC(C=10)),
    "recommended": make_pipeline(BoundedScaler(), CalibratedDiscriminant()),
}
SR, WINDOW, N_FFT, HOP = 16000, 400, 512, 160  # of the default features
F0 = dict(f0_min=60.0, f0_max=550.0)


def extractors():
    for name in ("default-v3", "default-v2", "default-v1"):
        yield f'"{name}"', HandcraftedFeatures(feature_set=name).fit_transform
    yield '"bledea170"', HandcraftedFeatures(feature_set="bledea170").fit_transform
    try:
        import opensmile
    except ImportError:
        return
    for name in ("eGeMAPSv02", "ComParE_2016"):
        smile = opensmile.Smile(feature_set=getattr(opensmile.FeatureSet, name), num_workers=1)
        yield f"openSMILE {name}", lambda paths, smile=smile: np.nan_to_num(smile.process_files(paths).to_numpy())


def seconds_of(function):
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def from_one_speaker(model, X, y, speaker, sex):
    truth, predicted = [], []
    for a, b in itertools.permutations(np.unique(speaker), 2):
        if sex[speaker == a][0] == sex[speaker == b][0]:
            truth.append(y[speaker == b])
            predicted.append(model.fit(X[speaker == a], y[speaker == a]).predict(X[speaker == b]))
    return balanced_accuracy_score(np.concatenate(truth), np.concatenate(predicted))


def recognition(model, X, y, speaker, sex):
    normalised = np.empty_like(X)
    for each in np.unique(speaker):
        normalised[speaker == each] = StandardScaler().fit_transform(X[speaker == each])

    def uar(X, cv, groups=None):
        return balanced_accuracy_score(y, cross_val_predict(model, X, y, groups=groups, cv=cv, n_jobs=2))

    random = StratifiedKFold(5, shuffle=True, random_state=0)
    return (
        uar(X, LeaveOneGroupOut(), speaker),
        uar(normalised, LeaveOneGroupOut(), speaker),
        uar(X, random),
        from_one_speaker(model, X, y, speaker, sex),
    )


def bare_ffts(waveforms):
    """One pass over the frames of all clips, a block of frames at a time."""
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    for waveform in waveforms:
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, WINDOW // 2), WINDOW)[::HOP]
        spectra = scipy.fft.rfft(frames * window, N_FFT, axis=1)
        spectra.real**2 + spectra.imag**2


def against_pyin(paths):
    """Prints how the F0 of `LowLevelDescriptors` agrees with pYIN's, and what both take."""
    transformer = LowLevelDescriptors(SR, hop_length=HOP, descriptors=["f0"], **F0)
    transformer.fit_transform(paths[:2])
    waveforms = [load_waveform(path, sr=SR) for path in paths]
    ours_s, tracks = seconds_of(lambda: transformer.fit_transform(waveforms))
    pyin = dict(fmin=F0["f0_min"], fmax=F0["f0_max"], sr=SR, frame_length=1024, hop_length=HOP)
    librosa.pyin(waveforms[0][:8000], **pyin)  # compiles
    theirs_s, theirs = seconds_of(lambda: [librosa.pyin(waveform, **pyin) for waveform in waveforms])
    f0 = np.concatenate([track[: len(their[0]), 0] for track, their in zip(tracks, theirs, strict=True)])
    their_f0, their_voicing = (
        np.concatenate([their[i][: len(track)] for track, their in zip(tracks, theirs, strict=True)]) for i in (0, 1)
    )
    keep = ~np.isnan(f0)
    voicing = f0[keep] > 0
    both = keep & (f0 > 0) & their_voicing
    ratio = f0[both] / their_f0[both]
    print(f"\nF0 against librosa.pyin, {len(paths)} clips, {keep.sum()} frames")
    print(f"  voiced in both or in neither  {np.mean(voicing == their_voicing[keep]):.3f}")
    print(f"  of {both.sum()} frames voiced in both:")
    for fraction in (0.05, 0.1, 0.2):
        print(f"    within {fraction:4.0%}                {np.mean(np.abs(ratio - 1) < fraction):.3f}")
    print(f"  seconds                       {ours_s:.2f} against {theirs_s:.1f}: {theirs_s / ours_s:.0f} x faster")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--f0-clips", type=int, default=100)
    options = parser.parse_args()
    corpus = fetch_emodb(download_if_missing=False)
    paths, y = list(corpus.data["path"]), np.asarray(corpus.target)
    speaker, sex = np.asarray(corpus.speaker), np.asarray(corpus.data["sex"])
    sets = dict(extractors())
    for extract in sets.values():
        extract(paths[:3])
    waveforms = [load_waveform(path, sr=SR) for path in paths]
    seconds, features = {name: [] for name in [*sets, "bare FFTs"]}, {}
    for _ in range(options.repeats):
        for name, extract in sets.items():
            taken, features[name] = seconds_of(partial(extract, paths))
            seconds[name].append(taken)
        seconds["bare FFTs"].append(seconds_of(lambda: bare_ffts(waveforms))[0])
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    print(
        f"{'':24s} {'':12s} {'features':>8s} {'unknown':>8s} {'normalised':>10s} {'random':>8s} {'one speaker':>11s} "
        f"{'s':>7s}"
    )
    for (name, X), (kind, model) in itertools.product(features.items(), MODELS.items()):
        unknown, normalised, random, one = recognition(model, np.asarray(X, dtype=float), y, speaker, sex)
        print(
            f"{name:24s} {kind:12s} {X.shape[1]:8d} {unknown:8.3f} {normalised:10.3f} {random:8.3f} {one:11.3f} "
            f"{medians[name]:7.2f}",
            flush=True,
        )
    ours = medians['"default-v3"']
    for name in sets:
        if name.startswith("openSMILE"):
            print(f"{name} takes {medians[name] / ours:.1f} times as long as the default set")
    print(
        f"the default set takes {ours / medians['bare FFTs']:.1f} times as long as bare FFTs "
        f"({medians['bare FFTs']:.2f} s)"
    )
    rng = np.random.default_rng(0)
    against_pyin([paths[i] for i in sorted(rng.choice(len(paths), options.f0_clips, replace=False))])


if __name__ == "__main__":
    main()
