"""
Does it still work on a telephone?
==================================

A recogniser that was trained on studio recordings is tested on the same clips as they are on a telephone, in a noisy
room and as a voice message: with and without training on altered copies.

Run it with ``python examples/plot_conditions.py``; the picture goes to ``conditions_output/``.
"""

# %%
# Real recordings where they are, synthetic speech elsewhere
# ----------------------------------------------------------
# EMO-DB is taken from the folder that the environment variable ``SKLEARN_SER_DATA`` names.

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from sklearn_ser import (
    AddNoise,
    Codec,
    Compose,
    Room,
    Telephone,
    evaluate,
    fetch_emodb,
    make_emotional_speech,
    make_recognizer,
)

output = Path("conditions_output")
output.mkdir(exist_ok=True)
try:
    corpus = fetch_emodb(download_if_missing=False)
except FileNotFoundError:
    corpus = make_emotional_speech(160, n_speakers=8, random_state=0)
    print("EMO-DB is not on this machine, so this runs on synthetic speech. To use the real one: fetch_emodb().\n")

# %%
# What recordings may suffer
# --------------------------
# Each condition is an augmenter with fixed values. ``conditions="real-world"`` has eleven; a folder of your own noise
# is one more: ``AddBackground("noises", 10)``.

conditions = {
    "telephone": Telephone(),
    "noisy room": Compose([Room(0.5, drr=3), AddNoise(snr=15, color="pink")]),
    "voice message": Codec("mp3", bitrate=16),
}

# %%
# Trained on clips as they are, and on altered copies, too
# --------------------------------------------------------
# In each fold, models are fitted once to the clips of the other speakers, and tested under all conditions.
# ``robust=True`` wraps the recogniser in an `AugmentedClassifier` with `real_world_augmenters()`. Copies are made
# inside `fit`: no test clip is among them. All folds make the same copies, and ``memory`` has each analysed once.

reports = {}
for name, robust in {"on clips as they are": False, "on altered copies, too": True}.items():
    recognizer = make_recognizer(
        "handcrafted", robust=robust, random_state=0, memory=str(output / "features"), n_jobs=2
    )
    reports[name] = evaluate(recognizer, corpus, cv=5, conditions=conditions, verbose=1)
print(reports["on altered copies, too"])

# %%
# The two, side by side
# ---------------------

fig, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
for offset, (name, report) in zip((-0.12, 0.12), reports.items(), strict=True):
    scores = report.to_frame().loc["UAR by condition"]
    positions = [place + offset for place in range(len(scores))]
    spread = [scores["value"] - scores["low"], scores["high"] - scores["value"]]
    ax.errorbar(scores["value"], positions, xerr=spread, fmt="o", label=f"trained {name}")
ax.axvline(scores["chance"].iloc[0], color="grey", linestyle=":", label="chance")
ax.set_yticks(range(len(scores)), scores.index)
ax.set(xlim=(0, 1), xlabel="UAR of unseen speakers, with 95 % intervals")
ax.invert_yaxis()
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
fig.savefig(output / "conditions.png", dpi=120)

# %%
# In short: what is recognised in the studio need not be recognised on a telephone, unless the classifier has trained
# for it.

plain, better = (report.to_frame().loc["UAR by condition", "value"] for report in reports.values())
print(
    f"\nOn a telephone, the UAR falls from {plain['as they are']:.2f} to {plain['telephone']:.2f}; trained on altered "
    f"copies, it is {better['telephone']:.2f}. The picture is in {output}/."
)
