"""
Does it notice that a recording is like nothing it knows?
=========================================================

A classifier names one of its emotions for whatever it is given, music and noise included, and may be quite sure of it.
``novelty=True`` measures how far a clip lies from all training clips, and answers "unknown" beyond.

Run it with ``python examples/plot_novelty.py``.
"""

# %%
# Speech to train on, and other sounds
# ------------------------------------
# Besides speech of unseen synthetic speakers: the same on a telephone, the same with noise at 0 dB, chords, and noise.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ser import AddNoise, SelectiveClassifier, Telephone, make_emotional_speech, make_recognizer

corpus = make_emotional_speech(144, n_speakers=12, random_state=0)
test = np.flatnonzero(corpus.speaker > "s08")
train = np.flatnonzero(corpus.speaker <= "s08")
speech = [corpus.data[i] for i in test]
rng, sr = np.random.default_rng(0), corpus.sr
time = np.arange(2 * sr) / sr


def chord():
    """Four tones with overtones, struck every half second."""
    tones = 220 * 2 ** (rng.integers(0, 24, size=4) / 12)
    sound = sum(np.sin(2 * np.pi * tone * k * time) / k for tone in tones for k in (1, 2, 3))
    return (0.05 * sound * np.exp(-4 * (time % 0.5))).astype(np.float32)


sounds = {
    "speech, unseen speakers": speech,
    "on a telephone": [Telephone()(clip, sr) for clip in speech],
    "in noise, 0 dB": [AddNoise(snr=0)(clip, sr) for clip in speech],
    "chords": [chord() for _ in range(20)],
    "noise": [0.1 * rng.normal(size=2 * sr).astype(np.float32) for _ in range(20)],
}

# %%
# Trained on clean speech alone
# -----------------------------

recognizer = SelectiveClassifier(make_recognizer("handcrafted", robust=False, n_jobs=2), novelty=True)
recognizer.fit([corpus.data[i] for i in train], corpus.target[train], groups=corpus.speaker[train])
scores = {name: recognizer.novelty_score(clips) for name, clips in sounds.items()}
unknown = {name: np.mean(distances > recognizer.novelty_threshold_) for name, distances in scores.items()}

# %%
# How far is each clip?
# ---------------------
# 1 is the mean of the clips that it was trained on. Beyond the dashed line, it answers "unknown".

fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for place, (name, distances) in enumerate(scores.items()):
    ax.plot(distances, place + rng.uniform(-0.15, 0.15, len(distances)), "o", color="#0072B2", alpha=0.5, markersize=4)
    ax.annotate(
        f"{unknown[name]:.0%} beyond",
        (1, place),
        (6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        size="small",
    )
ax.axvline(recognizer.novelty_threshold_, color="black", linestyle="--", linewidth=1)
ax.set_yticks(range(len(scores)), scores)
ax.set(ylim=(len(scores) - 0.5, -0.5), xlabel="novelty (squared distance; training clips have 1 in the mean)")
plt.show()

# %%
# In short: what is not speech lies far away, and so does speech that noise has covered; a telephone moves speech
# little, because the features leave out most of what it changes.

print("Too far away: " + "; ".join(f"{name}: {share:.0%}" for name, share in unknown.items()) + ".")
