"""
Do clips lie by emotion, or by speaker?
=======================================

A map of clips shows what features call alike. If clips of one speaker lie together, whatever the emotion, a classifier
has to learn speakers away; normalising each speaker does it beforehand.

Run it with ``python examples/plot_embedding.py``.
"""

# %%
# Clips of six synthetic speakers
# -------------------------------
# With ``corpus = fetch_emodb()``, everything below stays the same.

import matplotlib.pyplot as plt
import pandas as pd

from sklearn_ser import EmbeddingDisplay, HandcraftedFeatures, SpeakerNormalizer, make_emotional_speech

corpus = make_emotional_speech(240, n_speakers=6, emotions=["anger", "fear", "neutral", "sadness"], random_state=0)
X = pd.DataFrame({"path": corpus.data, "speaker": corpus.speaker})

# %%
# As they are
# -----------
# Colours are emotions, shapes are speakers. Two dimensions can mislead, so that the lines above the map count
# neighbors in all 274: how many clips have a nearest clip of the same emotion, and of the same speaker.

features = HandcraftedFeatures(n_jobs=2)
raw = EmbeddingDisplay.from_estimator(features.fit(X), X, corpus.target)
plt.show()

# %%
# Each speaker by his or her own scale
# ------------------------------------
# No label is looked at: each clip is scaled by the other clips of its speaker.

normalizer = SpeakerNormalizer(features).fit(X)
normalised = EmbeddingDisplay.from_estimator(normalizer, X, corpus.target)
plt.show()

# %%
# ``method="umap"`` draws neighbourhoods rather than distances, where `umap-learn` is installed; any other transformer
# will do, too: ``method=TSNE()``.
#
# In short: once each speaker has a scale of his or her own, speakers mix. These synthetic emotions were apart before.

before, after = raw.neighbours_["same"], normalised.neighbours_["same"]
print(
    f"The nearest clip is of the same speaker for {before['speaker']:.0%} of the clips, and for "
    f"{after['speaker']:.0%} once speakers are normalised; of the same emotion for {before['emotion']:.0%} and "
    f"{after['emotion']:.0%}."
)
