"""
How aroused, and how pleasant, does a clip sound?
=================================================

Arousal and valence are values. `make_recognizer(task="values")` predicts both, `evaluate` judges them on unseen
speakers, and `SegmentRegressor` follows them along a recording.

Run it with ``python examples/plot_values.py``.
"""

# %%
# Clips with known values
# -----------------------
# Synthetic speech of six speakers, with true arousal and valence in [-1, 1].

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ser import SegmentRegressor, TimelineDisplay, evaluate, make_emotional_speech, make_recognizer

corpus = make_emotional_speech(96, n_speakers=6, values=True, random_state=0)
recognizer = make_recognizer("handcrafted", task="values", robust=False)

# %%
# Unseen speakers
# ---------------
# The concordance correlation (CCC) is 1 for perfect predictions, and 0 for one value that is predicted for every clip.
# The dashed lines are those of perfect predictions.

report = evaluate(recognizer, corpus.data, corpus["values"], speaker=corpus.speaker)
print(report)
report.plot()
plt.show()

# %%
# Along a recording
# -----------------
# Clips of a speaker who was not trained on, one behind the other. Dashed lines are the true values.

unseen = corpus.speaker == "s06"
known = np.flatnonzero(~unseen)
regressor = SegmentRegressor(recognizer, segment_duration=1.0)
regressor.fit([corpus.data[i] for i in known], corpus["values"].iloc[known])

spoken = np.flatnonzero(unseen)[np.argsort(corpus["values"]["arousal"][unseen].to_numpy())]
recording = np.concatenate([corpus.data[i] for i in spoken])
ends = np.cumsum([len(corpus.data[i]) for i in spoken]) / corpus.sr
annotation = corpus["values"].iloc[spoken].assign(start=[0, *ends[:-1]], end=ends)
timeline = regressor.predict_timeline(recording)
TimelineDisplay.from_predictions(timeline, recording=recording, sr=corpus.sr, annotation=annotation)
plt.show()

# %%
# In short: values of unseen speakers are predicted well above chance, which is 0.

print(f"CCC of unseen speakers: arousal {report.ccc['arousal']:.2f}, valence {report.ccc['valence']:.2f}.")
