"""
When does the mood of a recording change?
=========================================

A recognizer of clips becomes one of recordings by `SegmentClassifier`: it is trained on segments, and draws what it
hears along a recording of any length.

Run it with ``python examples/plot_timeline.py``.
"""

# %%
# A recording whose truth is known
# --------------------------------
# Clips of a speaker who is not trained on, one behind the other: calm at first, then angry, then sad.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_ser import SegmentClassifier, TimelineDisplay, make_emotional_speech, make_recognizer

emotions = ["anger", "neutral", "sadness"]
corpus = make_emotional_speech(120, n_speakers=8, emotions=emotions, random_state=0)
unseen = corpus.speaker == "s08"
order = ["neutral", "anger", "sadness"]
parts = [corpus.data[i] for emotion in order for i in np.flatnonzero(unseen & (corpus.target == emotion))]
recording = np.concatenate(parts)
lengths = np.array([len(part) for part in parts]) / corpus.sr
turns = np.cumsum(lengths)[len(parts) // 3 - 1 :: len(parts) // 3][:2]

# %%
# Trained on segments of one second
# ---------------------------------

known = np.flatnonzero(~unseen)
recognizer = SegmentClassifier(make_recognizer("handcrafted", robust=False), segment_duration=1.0)
recognizer.fit([corpus.data[i] for i in known], corpus.target[known])

# %%
# What it hears, and when
# -----------------------
# Dashed lines mark where the emotion truly changes.

timeline = recognizer.predict_timeline(recording)
display = TimelineDisplay.from_predictions(timeline, recording=recording, sr=corpus.sr)
for turn in turns:
    display.ax_.axvline(turn, color="black", linestyle="--", linewidth=1)
plt.show()

# %%
# In short: it follows the changes within a segment or so; segments across a change hold both.

middle = (timeline["start"] + timeline["end"]) / 2
truth = np.array(order)[np.searchsorted(turns, middle)]
print(f"{np.mean(timeline['predicted'] == truth):.0%} of {len(timeline)} segments are recognised (chance 33%).")
