"""
To which part of a clip does a network listen?
==============================================

An attention layer weighs the frames of a clip, and can be asked for the weights. They show where the network looks, not
why: a reason they are not.

Run it with ``python examples/plot_attention.py``.
"""

# %%
# A small network on log-mel spectra
# ----------------------------------
# Synthetic speech of three emotions; the last two speakers are not trained on. Every frame is a step of its own
# (``pool_size=1``) and reaches the LSTM as it is, so that attention can tell neighbours apart.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AttentionBLSTMClassifier,
    AttentionDisplay,
    FrameWise,
    MelSpectrogramTransformer,
    make_emotional_speech,
)

corpus = make_emotional_speech(120, n_speakers=10, emotions=["anger", "neutral", "sadness"], random_state=0)
test = np.flatnonzero(corpus.speaker > "s08")
train = np.flatnonzero(corpus.speaker <= "s08")
network = make_pipeline(
    MelSpectrogramTransformer(n_mels=32, hop_length=320),
    FrameWise(StandardScaler()),
    AttentionBLSTMClassifier(16, dense_units=(), pool_size=1, learning_rate=3e-3, epochs=20, random_state=0),
)
network.fit([corpus.data[i] for i in train], corpus.target[train])
heard = network.predict([corpus.data[i] for i in test])
uar = balanced_accuracy_score(corpus.target[test], heard)

# %%
# Three clips of unseen speakers
# ------------------------------
# Attention is drawn in multiples of its mean: at 1, a frame counts as much as any other.

shown = [test[corpus.target[test] == emotion][0] for emotion in corpus.target_names]
fig, axes = plt.subplots(3, 1, figsize=(8, 6.5), layout="constrained")
for ax, clip in zip(axes, shown, strict=True):
    display = AttentionDisplay.from_estimator(network, corpus.data[clip], ax=ax)
    ax.set_title(f"{corpus.target[clip]}, heard as {heard[test == clip][0]}", size="medium")
plt.show()

# %%
# In short: the network gives most weight to a few stretches of a clip, and little to pauses.

weights = network[-1].attention_weights(network[:-1].transform([corpus.data[i] for i in shown]))
share = [np.sort(row[np.isfinite(row)])[::-1].cumsum() for row in weights]
half = np.mean([(row < 0.5).sum() / (weight > 0).sum() for row, weight in zip(share, weights, strict=True)])
print(
    f"UAR of unseen speakers is {uar:.2f} (chance 0.33). Half of the attention falls on {half:.0%} of the frames "
    "of these clips."
)
