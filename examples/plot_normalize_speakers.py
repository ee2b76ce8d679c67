"""
Does it help to know whose voice it is?
=======================================

A call centre knows which clips are of one caller. `SpeakerNormalizer` scales each speaker's clips by one another,
without looking at labels. Does that help with speakers who were not trained on?

Run it with ``python examples/plot_normalize_speakers.py``.
"""

# %%
# Three speakers to train on, seven to test
# -----------------------------------------
# Pitch and loudness alone, in which voices differ most. Speech is synthetic; with ``corpus = fetch_emodb()``,
# ``X = corpus.data`` has the column `speaker` already.

import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import HandcraftedFeatures, SpeakerNormalizer, compare, evaluate, make_emotional_speech

corpus = make_emotional_speech(360, n_speakers=10, emotions=None, random_state=0)
X = pd.DataFrame({"path": corpus.data, "speaker": corpus.speaker})
known = corpus.speaker <= "s03"
split = [(np.flatnonzero(known), np.flatnonzero(~known))]

# %%
# The same classifier, with and without
# -------------------------------------

reports = {}
with tempfile.TemporaryDirectory() as memory:  # both ask for the same features
    features = HandcraftedFeatures(
        feature_set="default-v1", descriptors=["f0_semitone", "energy", "loudness"], memory=memory, n_jobs=2
    )
    for name, extractor in {"as they are": features, "normalised": SpeakerNormalizer(features)}.items():
        reports[name] = evaluate(make_pipeline(extractor, StandardScaler(), SVC(C=10)), X, corpus.target, cv=split)
difference = compare(reports["normalised"], reports["as they are"])

# %%
# Speaker by speaker
# ------------------

before, after = (report.to_frame().loc["UAR by speaker", "value"] for report in reports.values())
order = before.sort_values().index
places = range(len(order))
fig, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
ax.hlines(places, before[order], after[order], color="0.7")
ax.plot(before[order], places, "o", color="#0072B2", label="as they are")
ax.plot(after[order], places, "s", color="#D55E00", label="normalised")
ax.axvline(1 / len(corpus.target_names), color="0.5", linestyle=":", label="chance")
ax.set_yticks(places, order)
ax.set(xlim=(0, 1), xlabel="UAR of each unseen speaker, nine emotions", ylabel="synthetic speaker")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
plt.show()

# %%
# In short: pitch and loudness mean more, once they are measured against the speaker's own. It takes several clips of
# each, of different emotions: who is always angry is taken for neutral.

p = difference.to_frame()["p_value"].iloc[0]
print(
    f"Normalising helps {np.sum(after > before)} of {len(after)} speakers; UAR goes from "
    f"{reports['as they are'].uar:.2f} to {reports['normalised'].uar:.2f} (p = {p:.2f}, speakers as units)."
)
