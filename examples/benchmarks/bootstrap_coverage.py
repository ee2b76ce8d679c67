"""How often the intervals of `EvaluationReport` cover the true value, on simulated corpora whose truth is known.

    python examples/benchmarks/bootstrap_coverage.py [--corpora 500] [--seed 0]

Each corpus draws how hard its emotions are; each of its speakers how well they are recognised, in all (standard
deviation 0.6 on the logit scale) and in each emotion (0.7); how many clips there are of each speaker and emotion (as
in EMO-DB on average 7.6, three in a hundred times none); and which clips are recognised. The true recall of an
emotion is its expectation over speakers, by Gauss-Hermite quadrature. "percentiles" are those of the plain bootstrap
over speakers, for comparison.
"""

import argparse

import numpy as np
from scipy.special import expit

from sklearn_ser.metrics import EvaluationReport

SETTINGS = {
    "10 speakers, 7 emotions": dict(n_speakers=10, n_emotions=7),
    "24 speakers, 8 emotions": dict(n_speakers=24, n_emotions=8),
    "10 speakers, UAR near 0.9": dict(n_speakers=10, n_emotions=7, ease=2.5),
    "10 speakers, very different": dict(n_speakers=10, n_emotions=7, ability=1.2),
    "10 speakers, hardly different": dict(n_speakers=10, n_emotions=7, ability=0.2, taste=0.2),
    "6 speakers": dict(n_speakers=6, n_emotions=7),
    "4 speakers": dict(n_speakers=4, n_emotions=6),
}


def simulate(rng, *, n_speakers, n_emotions, ease=0.3, ability=0.6, taste=0.7, difficulty=0.9, n_clips=7.6):
    """Emotions, predictions, speakers, sexes and the true recall of each emotion in a corpus.

    A clip that is not recognised is taken for the next emotion.
    """
    logits = ease + difficulty * rng.normal(size=n_emotions)
    speakers = logits + ability * rng.normal(size=(n_speakers, 1)) + taste * rng.normal(size=(n_speakers, n_emotions))
    counts = rng.poisson(n_clips * np.exp(0.25 * rng.normal(size=(n_speakers, 1))), size=speakers.shape)
    counts[rng.random(counts.shape) < 0.03] = 0
    counts[:2] = np.maximum(counts[:2], 1)  # no emotion without two speakers
    speaker, emotion = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), n_emotions)
    recognised = rng.random(len(speaker)) < expit(speakers)[speaker, emotion]
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    recalls = expit(logits[:, np.newaxis] + np.hypot(ability, taste) * nodes) @ weights / weights.sum()
    predicted = np.where(recognised, emotion, (emotion + 1) % n_emotions)
    return emotion, predicted, speaker, np.where(speaker % 2, "male", "female"), recalls


def percentiles(report, rng, n_boot=1000):
    """The plain interval: percentiles of the UAR of speakers drawn with replacement."""
    codes, uar = np.unique(report.speaker, return_inverse=True)[1], []
    count, correct = np.zeros((2, codes.max() + 1, len(report.emotions)))
    np.add.at(count, (codes, report.y_true), 1)
    np.add.at(correct, (codes, report.y_true), report.y_true == report.y_pred)
    for drawn in rng.integers(len(count), size=(n_boot, len(count))):
        total = count[drawn].sum(axis=0)
        uar.append(np.mean(correct[drawn].sum(axis=0)[total > 0] / total[total > 0]))
    return np.quantile(uar, [0.025, 0.975])


def coverage(setting, n_corpora, seed, n_boot=1000, plain=True):
    """Fractions of corpora in which the intervals cover the truth, and the mean width of that of UAR."""
    rng, hits, width = np.random.default_rng(seed), {}, 0.0
    for _ in range(n_corpora):
        emotion, predicted, speaker, sex, recalls = simulate(rng, **setting)
        report = EvaluationReport(emotion, predicted, speaker=speaker, sex=sex, n_boot=n_boot)
        frame, n_emotions = report.to_frame(), setting["n_emotions"]
        truths = {("UAR", "all"): recalls.mean(), ("gap by sex", "female - male"): 0.0}
        truths |= {("recall", k): recalls[k] for k in range(n_emotions)}
        for key, truth in truths.items():
            low, high = frame.loc[key, ["low", "high"]]
            hits.setdefault(key[0], []).append(low <= truth <= high)
        if plain:
            low, high = percentiles(report, rng, n_boot)
            hits.setdefault("UAR, percentiles", []).append(low <= recalls.mean() <= high)
        width += np.diff(report.uar_interval)[0] / n_corpora
    return {name: float(np.mean(covered)) for name, covered in hits.items()} | {"width": float(width)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    columns = ["UAR", "recall", "gap by sex", "UAR, percentiles", "width"]
    print(f"| corpora | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name, setting in SETTINGS.items():
        found = coverage(setting, options.corpora, options.seed)
        print(f"| {name} | {' | '.join(f'{found[column]:.3f}' for column in columns)} |", flush=True)


if __name__ == "__main__":
    main()
