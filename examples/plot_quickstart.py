"""
Two classifiers, speakers they have never heard, and a saved pipeline
=====================================================================

Which recognises emotions better in unseen speakers: the recommended recogniser, or a CNN-LSTM on log-mel spectrograms,
trained from nothing? Both are ordinary scikit-learn estimators from file names to labels. The better one is saved,
loaded in a fresh process and asked about a file.

Run it with ``python examples/plot_quickstart.py``; the pictures go to ``quickstart_output/``.
"""

# %%
# Real recordings where they are, synthetic speech elsewhere
# ----------------------------------------------------------
# EMO-DB is taken from the folder that the environment variable ``SKLEARN_SER_DATA`` names.

import subprocess
import sys
import time
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import soundfile
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    CNNLSTMClassifier,
    FrameWise,
    MelSpectrogramTransformer,
    fetch_emodb,
    make_emotional_speech,
    make_recognizer,
)

started = time.perf_counter()
output = Path("quickstart_output")
output.mkdir(exist_ok=True)

try:
    corpus, name = fetch_emodb(download_if_missing=False), "EMO-DB"
except FileNotFoundError:
    corpus, name = make_emotional_speech(240, n_speakers=8, random_state=0), "synthetic speech"
    print("EMO-DB is not on this machine, so this runs on synthetic speech. To use the real one: fetch_emodb().\n")
X, y, speaker = corpus.data, corpus.target, corpus.speaker
print(f"{name}: {len(y)} clips, {len(set(speaker))} speakers, {len(corpus.target_names)} emotions")

# %%
# Two pipelines
# -------------
# Everything that is learned, the scaling included, is learned inside the pipeline, from training speakers only.

recommended = make_recognizer("auto", robust=False, memory=output / "features")  # robust=True: for noise and telephones
deep = make_pipeline(
    MelSpectrogramTransformer(verbose=1),
    FrameWise(StandardScaler()),
    CNNLSTMClassifier(epochs=25, random_state=0, verbose=1),
)

# %%
# Which is better for unseen speakers?
# -------------------------------------
# Five folds; no speaker is on both sides of any. The predictions of all folds are pooled before they are scored,
# because a fold of two speakers may lack an emotion. UAR, the mean recall of the classes, is what chance would bring to
# 1 / n_classes.

pipelines, predictions, scores = {"recommended": recommended, "CNN-LSTM": deep}, {}, {}
for label, pipeline in pipelines.items():
    print(f"\n{label}: five folds, speakers apart", flush=True)
    predictions[label] = cross_val_predict(pipeline, X, y, groups=speaker, cv=GroupKFold(5))
    scores[label] = balanced_accuracy_score(y, predictions[label])
print(f"\n{'':12s}  UAR   WA   (chance {1 / len(corpus.target_names):.2f})")
for label in pipelines:
    print(f"{label:12s}  {scores[label]:.2f}  {accuracy_score(y, predictions[label]):.2f}")
winner = max(scores, key=scores.get)

# %%
# Where does the better one err?
# ------------------------------

figure, ax = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y, predictions[winner], normalize="true", values_format=".0%", cmap="Blues", im_kw=dict(vmin=0, vmax=1), ax=ax
)
ax.tick_params(axis="x", rotation=45)
ax.set(
    title=f"{winner} on {name}, unseen speakers: UAR {scores[winner]:.2f}",
    xlabel="predicted emotion",
    ylabel="acted emotion",
)
figure.savefig(output / "confusion_matrix.png", dpi=120)

# %%
# Train on everything, and validate on speakers held out
# ------------------------------------------------------
# Early stopping decides on speakers that the network is not trained on: `groups` reaches the classifier as a fit
# parameter.

print("\nCNN-LSTM on all speakers but those that say when to stop", flush=True)
deep.set_params(cnnlstmclassifier__early_stopping=True, cnnlstmclassifier__validation_fraction=0.2)
deep.set_params(cnnlstmclassifier__epochs=40, cnnlstmclassifier__n_iter_no_change=8)
deep.fit(X, y, cnnlstmclassifier__groups=speaker)
history = deep[-1].history_
best = int(np.argmin(history["val_loss"]))

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax, measure in zip(axes, ("loss", "accuracy"), strict=True):
    epochs = np.arange(1, len(history[measure]) + 1)
    ax.plot(epochs, history[measure], color="#0072B2", label="training speakers")
    ax.plot(epochs, history[f"val_{measure}"], color="#D55E00", linestyle="--", label="held-out speakers")
    ax.axvline(best + 1, color="0.6", linewidth=1, label="epoch kept")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="epoch", ylabel=measure, ylim=(0, None if measure == "loss" else 1))
axes[0].legend(frameon=False)
figure.suptitle(f"CNN-LSTM on {name}")
figure.savefig(output / "training_curves.png", dpi=120)

# %%
# Ship it
# -------
# The whole pipeline is one file; whoever loads it needs nothing but the library and a recording.

shipped = deep if winner == "CNN-LSTM" else recommended.fit(X, y)
joblib.dump(shipped, output / "ser.joblib")
if name == "EMO-DB":
    recording = X["path"].iloc[0]
else:
    recording = output / "recording.wav"
    soundfile.write(recording, X[0], corpus.sr)
code = """
import sys, joblib
pipeline = joblib.load(sys.argv[1])
pipeline[0].verbose = 0
print(pipeline.predict([sys.argv[2]])[0])
"""
answer = subprocess.run(
    [sys.executable, "-c", code, str(output / "ser.joblib"), str(recording)],
    check=True,
    stdout=subprocess.PIPE,
    text=True,
)
print(f"\nA fresh process hears {answer.stdout.strip()} in {Path(recording).name} (acted: {y[0]})")
print(
    f"{winner} is better here. Pictures and ser.joblib are in {output}/; {time.perf_counter() - started:.0f} s in all."
)
