"""
How well will it do on a voice it has never heard, and how sure is that?
=========================================================================

A single number from a cross-validation says neither. `evaluate` tests on unseen speakers, pools all predictions, and
says how far the score may be off for other speakers, where the model errs, and how much better it would have looked if
the same speakers had been on both sides. `compare` says whether another model is better, or only seems so.

Run it with ``python examples/plot_evaluate.py``; the picture and the report go to ``evaluate_output/``.
"""

# %%
# Real recordings where they are, synthetic speech elsewhere
# ----------------------------------------------------------
# EMO-DB is taken from the folder that the environment variable ``SKLEARN_SER_DATA`` names. It knows what human
# listeners recognized, too.

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import HandcraftedFeatures, compare, evaluate, fetch_emodb, make_emotional_speech

output = Path("evaluate_output")
output.mkdir(exist_ok=True)
try:
    corpus = fetch_emodb(download_if_missing=False)
except FileNotFoundError:
    corpus = make_emotional_speech(160, n_speakers=8, random_state=0)
    print("EMO-DB is not on this machine, so this runs on synthetic speech. To use the real one: fetch_emodb().\n")

# %%
# An evaluation that keeps speakers apart
# ---------------------------------------
# Each speaker is recognized by a model that was trained on the others: that is the default. With ``leakage=True`` the
# same is done once more on a random split. All folds want the same clips; with ``memory``, each is analysed once.

features = HandcraftedFeatures(memory=str(output / "features"))
svm = make_pipeline(features, StandardScaler(), SVC(C=10))
report = evaluate(svm, corpus, leakage=True, n_jobs=2, verbose=1)
print(report)

# %%
# The report as a picture, and for the notebook or the web
# --------------------------------------------------------
# Where the blue lines of two scores overlap, nothing is said about their difference: speakers are the same on both.
# That is what the paired test below is for.

report.plot().figure_.savefig(output / "report.png", dpi=120)
(output / "report.html").write_text(report._repr_html_(), encoding="utf-8")

# %%
# Is another model better?
# ------------------------

linear = make_pipeline(features, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
print()
print(compare(evaluate(linear, corpus, n_jobs=2, verbose=1), report))

# %%
# In short: the interval is wide because speakers are few, and what a random split measures is for speakers who are
# known.

gap = report.to_frame().loc[("leakage gap", "all"), "value"]
low, high = report.uar_interval
print(
    f"\nFor an unseen speaker expect a UAR of {low:.2f} to {high:.2f}; a random split would have suggested "
    f"{report.uar + gap:.2f}. Picture and report are in {output}/."
)
