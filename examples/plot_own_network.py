"""
Does a network of one's own learn from altered clips, and from new speakers?
============================================================================

Does a small network learn more from clips that are altered anew in each epoch, and does it recognize speakers better
once it has been trained further on a few of their clips? The network is a function of a few lines; the rest is
scikit-learn.

Run it with ``python examples/plot_own_network.py``; the picture goes to ``own_network_output/``.
"""

# %%
# The network
# -----------
# It gets frames, in which padding is zero, and the mask of real frames.

import time
from pathlib import Path

import keras
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import FrameWise, MelSpectrogramTransformer, NetworkClassifier, make_emotional_speech
from sklearn_ser.neural import networks

started = time.perf_counter()
output = Path("own_network_output")
output.mkdir(exist_ok=True)


def conv_pool(frames, mask, n_classes, filters=24):
    x = keras.layers.Conv1D(filters, 5, padding="same", activation="relu")(frames)
    x = keras.layers.Conv1D(filters, 5, padding="same", activation="relu")(x)
    x = networks.attention_pooling(x, mask, units=16, std=True)
    x = keras.layers.Dropout(0.3)(x)
    return keras.layers.Dense(n_classes, activation="softmax")(x)


# %%
# Known and new speakers
# ----------------------
# Synthetic speech, so that this runs anywhere; the last two speakers are new. A third of their clips is for
# fine-tuning.

corpus = make_emotional_speech(240, n_speakers=8, random_state=0)
speakers = np.unique(corpus.speaker)
new = np.isin(corpus.speaker, speakers[-2:])
y = np.asarray(corpus.target)
known = np.flatnonzero(~new)
tune, test = train_test_split(np.flatnonzero(new), train_size=1 / 3, stratify=y[new], random_state=0)


def clips(rows):
    return [corpus.data[row] for row in rows]


# %%
# Trained as it is, and on altered frames
# ---------------------------------------

plain = make_pipeline(
    MelSpectrogramTransformer(n_mels=40),
    FrameWise(StandardScaler()),
    NetworkClassifier(conv_pool, epochs=12, learning_rate=3e-3, learning_rate_schedule="cosine", random_state=0),
)
altered = clone(plain).set_params(
    networkclassifier__feature_shift=2.0, networkclassifier__speed=0.15, networkclassifier__time_mask=0.1
)
scores = {}
for name, pipeline in [("as it is", plain), ("on altered frames", altered)]:
    pipeline.fit(clips(known), y[known])
    scores[name] = balanced_accuracy_score(y[test], pipeline.predict(clips(test)))

# %%
# Fine-tuning
# -----------
# The scaler and the number of frames stay as they are; the first convolution does, too.

front_end, network = altered[:-1], altered[-1]
network.set_params(warm_start=True, learning_rate=1e-3, epochs=8)
next(layer for layer in network.model_.layers if layer.name.startswith("conv")).trainable = False
network.fit(front_end.transform(clips(tune)), y[tune])
scores["fine-tuned"] = balanced_accuracy_score(y[test], altered.predict(clips(test)))

# %%
# What came of it
# ---------------

chance = 1 / len(np.unique(y))
figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
bars = axes.bar(list(scores), list(scores.values()), color=["0.7", "tab:blue", "tab:orange"])
axes.bar_label(bars, fmt="%.2f")
axes.axhline(chance, color="0.3", linestyle=":", label="chance")
axes.set(ylabel="UAR, new speakers", ylim=(0, 1.05))
axes.legend()
figure.savefig(output / "own_network.png", dpi=150)
print({name: round(float(score), 3) for name, score in scores.items()}, f"chance {chance:.3f}")
print(f"{time.perf_counter() - started:.0f} s")

# %%
# One split and one seed, so the bars show how it is done, not which way is better: repeat it over speakers and seeds
# before you believe a difference. Fine-tuning on twenty clips can lose as much as it gains.
