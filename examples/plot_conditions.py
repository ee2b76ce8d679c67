"""
Does it still work on a telephone?
==================================

A recognizer that was trained on studio recordings is tested on the same clips as they are on a telephone, in a noisy
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
from sklearn_ser import (
    AddNoise,
    Codec,
    Compose,
    RobustnessDisplay,
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
# ``robust=True`` wraps the recognizer in an `AugmentedClassifier` with `real_world_augmenters()`. Copies are made
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

display = RobustnessDisplay.from_reports({f"trained {name}": report for name, report in reports.items()})
display.figure_.savefig(output / "conditions.png", dpi=120)

# %%
# In short: what is recognized in the studio need not be recognized on a telephone, unless the classifier has trained
# for it.

plain, better = (report.to_frame().loc["UAR by condition", "value"] for report in reports.values())
print(
    f"\nOn a telephone, the UAR falls from {plain['as they are']:.2f} to {plain['telephone']:.2f}; trained on altered "
    f"copies, it is {better['telephone']:.2f}. The picture is in {output}/."
)
