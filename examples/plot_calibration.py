"""
Can its probabilities be believed?
==================================

Of the clips that a recognizer is 80 % sure of, 80 % should be right. Linear discriminants on many features are far too
sure of themselves; `CalibratedDiscriminant` scales their scores by what held-out clips say.

Run it with ``python examples/plot_calibration.py``.
"""

# %%
# Predictions for unseen speakers
# -------------------------------
# Speech is synthetic, nine emotions. Features are extracted once: they learn nothing.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_ser import BoundedScaler, CalibratedDiscriminant, HandcraftedFeatures, make_emotional_speech

corpus = make_emotional_speech(324, n_speakers=12, emotions=None, random_state=0)
X = HandcraftedFeatures(n_jobs=2).fit_transform(corpus.data)
y, speaker = corpus.target, corpus.speaker
models = {
    "not calibrated": CalibratedDiscriminant(cv=0),
    "calibrated": CalibratedDiscriminant(),
}
answers = {}
for name, classifier in models.items():
    model = make_pipeline(BoundedScaler(), classifier)
    probability = cross_val_predict(model, X, y, groups=speaker, cv=GroupKFold(4), method="predict_proba")
    right = np.unique(y)[probability.argmax(axis=1)] == y
    answers[name] = probability.max(axis=1), right

# %%
# How sure, and how often right
# -----------------------------
# Clips in order of how sure the model is, in ten groups of equal size. On the diagonal, probabilities can be believed.

fig, ax = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
ax.plot([0, 1], [0, 1], color="0.5", linestyle=":")
for (name, (sure, right)), color, marker in zip(answers.items(), ("#D55E00", "#0072B2"), "so", strict=True):
    groups = np.array_split(np.argsort(sure), 10)
    ax.plot(
        [sure[group].mean() for group in groups],
        [right[group].mean() for group in groups],
        marker=marker,
        color=color,
        label=f"{name}\n{right.mean():.0%} right, {sure.mean():.0%} sure",
    )
ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="how sure it is", ylabel="how often it is right")
ax.legend(frameon=False, fontsize="small")
ax.set_title("Synthetic speech, unseen speakers", size="medium")
plt.show()

# %%
# In short: both are right equally often. One is all but certain of every clip, right or wrong; the other knows which
# clips are hard, and, on these clips, doubts itself a little too much.

for name, (sure, right) in answers.items():
    print(f"{name}: {sure[right].mean():.0%} sure where it is right, {sure[~right].mean():.0%} where it is wrong")
