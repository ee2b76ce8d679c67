"""
Is it better to train on what each rater heard than on the majority?
====================================================================

Raters disagree. `aggregate_ratings` makes one label of their votes, or a distribution; `SoftLabelClassifier` trains any
classifier that takes sample weights on the distribution.

Run it with ``python examples/plot_raters.py``.
"""

# %%
# Votes on synthetic speech
# -------------------------
# The true probability with which a rater names each emotion is known here; the raters' votes are drawn from it.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    BoundedScaler,
    HandcraftedFeatures,
    SoftLabelClassifier,
    aggregate_ratings,
    make_emotional_speech,
    rater_agreement,
    soft_cross_entropy,
)

corpus = make_emotional_speech(160, n_speakers=8, values=True, random_state=0)
votes = corpus.ratings[corpus.ratings["dimension"] == "emotion"].drop(columns="dimension")
print(f"Krippendorff's alpha: {rater_agreement(votes).alpha:.2f}")

# %%
# One label, or a distribution
# ----------------------------
# A tie has no label; of a distribution, nothing is lost.

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # ties are counted below
    labels = aggregate_ratings(votes, "plurality")["label"].reindex(range(len(corpus.data)))
soft = aggregate_ratings(votes, "distribution").reindex(range(len(corpus.data)))[list(corpus.distribution.columns)]
print(f"{labels.isna().sum()} of {len(labels)} clips are tied.")

# %%
# Both, trained on the same clips
# -------------------------------
# Tied clips are left out for both; the test clips are of other speakers.

train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=0).split(corpus.data, groups=corpus.speaker))
train = train[labels.notna().to_numpy()[train]]
X, X_test = ([corpus.data[i] for i in rows] for rows in (train, test))
features = make_pipeline(HandcraftedFeatures(), BoundedScaler())
X, X_test = features.fit_transform(X), features.transform(X_test)
majority = LogisticRegression(C=0.01, max_iter=1000).fit(X, labels.iloc[train])
divided = SoftLabelClassifier(LogisticRegression(C=0.01, max_iter=1000)).fit(X, soft.iloc[train])

truth = corpus.distribution.iloc[test]
scores = {}
for name, model in {"majority": majority, "distribution": divided}.items():
    proba = np.zeros(truth.shape)
    proba[:, [truth.columns.get_loc(label) for label in model.classes_]] = model.predict_proba(X_test)
    scores[name] = soft_cross_entropy(truth, proba)

# %%
# Cross-entropy against the true distribution
# -------------------------------------------
# The lower, the better; the dashed line is the least that any model could have, the entropy of the truth itself.

fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
bars = ax.bar(list(scores), list(scores.values()), width=0.5)
ax.bar_label(bars, fmt="%.2f")
ax.axhline(soft_cross_entropy(truth, truth), color="black", linestyle="--", linewidth=1)
ax.set(ylabel="cross-entropy (nats)", xlabel="trained on")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# In short: on unseen speakers, the model of distributions is nearer to how raters are truly divided.

print(f"Cross-entropy: majority {scores['majority']:.2f}, distribution {scores['distribution']:.2f}.")
