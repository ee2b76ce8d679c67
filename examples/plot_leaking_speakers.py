"""
How much too good does a random split look?
===========================================

The recordings of a corpus come from a handful of speakers. A random split has all of them on both sides, and a model
can do well by knowing their voices. `audit_split` says what a split lets through; testing on unseen speakers says what
that is worth.

Run it with ``python examples/plot_leaking_speakers.py``.
"""

# %%
# What the two splits let through
# -------------------------------
# Speech is synthetic: four speakers, nine emotions.

import matplotlib.pyplot as plt
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import HandcraftedFeatures, audit_split, evaluate, make_emotional_speech

corpus = make_emotional_speech(180, n_speakers=4, emotions=None, random_state=0)
clips = dict(X=corpus.data, y=corpus.target, speaker=corpus.speaker, recordings=False)
print(audit_split(StratifiedKFold(4, shuffle=True, random_state=0), **clips))
print()
print(audit_split(LeaveOneGroupOut(), groups=corpus.speaker, **clips))

# %%
# What that is worth
# ------------------
# ``leakage=True`` evaluates twice: on unseen speakers, and on a random split with training sets of the same sizes.
# Features are extracted once, beforehand: they learn nothing from the clips.

X = HandcraftedFeatures(feature_set="bledea170").fit_transform(corpus.data)
model = make_pipeline(StandardScaler(), SVC(C=10))
report = evaluate(model, X, corpus.target, speaker=corpus.speaker, leakage=True)
frame = report.to_frame()

# %%
# The same model, asked two questions
# -----------------------------------

rows = {"unseen speakers": frame.loc[("UAR", "all")], "random split": frame.loc[("UAR, random split", "all")]}
fig, ax = plt.subplots(figsize=(6.4, 2.2), layout="constrained")
for place, row in enumerate(rows.values()):
    ax.plot([row["low"], row["high"]], [place, place], color="#0072B2", linewidth=2)
    ax.plot(row["value"], place, "o", color="#0072B2")
ax.axvline(row["chance"], color="0.5", linestyle=":", label="chance")
ax.set_yticks(range(2), rows)
ax.set(xlim=(0, 1), ylim=(1.5, -0.5), xlabel="UAR, with 95 % intervals over speakers")
ax.set_title("170 mean features and an SVM, synthetic speech")
ax.legend(frameon=False)
plt.show()

# %%
# In short: a random split answers for speakers who are in the training set. Of four speakers, the interval
# is wide; people's voices differ more than these synthetic ones, and so does the gap.

gap = frame.loc[("leakage gap", "all")]
print(
    f"UAR is {rows['random split']['value']:.2f} in a random split, and {rows['unseen speakers']['value']:.2f} for "
    f"unseen speakers: {gap['value']:.2f} too good ({gap['low']:.2f} to {gap['high']:.2f})."
)
