"""
Which recognises unseen speakers better, the recommended recogniser or a network?
==================================================================================

Both go from recordings to emotions, and both are ordinary scikit-learn estimators. `evaluate` tests them on speakers
whom they were not trained on, `compare` says whether the difference is more than chance. The better one is saved,
loaded in a fresh process and asked about a file.

Run it with ``python examples/plot_quickstart.py``; pictures and pipeline go to ``quickstart_output/``.
"""

# %%
# Real recordings where they are, synthetic speech elsewhere
# ----------------------------------------------------------
# EMO-DB is taken from the folder that the environment variable ``SKLEARN_SER_DATA`` names.

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    CNNLSTMClassifier,
    FrameWise,
    HistoryDisplay,
    MelSpectrogramTransformer,
    compare,
    evaluate,
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
print(f"{name}: {len(corpus.target)} clips, {len(set(corpus.speaker))} speakers, {len(corpus.target_names)} emotions")

# %%
# Two pipelines
# -------------
# Everything that is learned, the scaling included, is learned inside the pipeline. ``memory`` has each clip analysed
# once for all folds.

memory = tempfile.TemporaryDirectory()
models = {
    "recommended": make_recognizer("auto", robust=False, memory=memory.name),  # robust=True: for noise and telephones
    "CNN-LSTM": make_pipeline(
        MelSpectrogramTransformer(n_frames=200),  # 3.2 s; what is longer is cropped
        FrameWise(StandardScaler()),
        CNNLSTMClassifier(epochs=15, random_state=0),
    ),
}

# %%
# Which is better for unseen speakers?
# ------------------------------------
# Five folds, no speaker on both sides of any. The predictions of all folds are pooled before they are scored.

reports = {}
for label, model in models.items():
    print(f"\n{label}: five folds, speakers apart", flush=True)
    reports[label] = evaluate(model, corpus, cv=5, verbose=1)
winner = max(reports, key=lambda label: reports[label].uar)
print(f"\n{reports[winner]}\n")
print(compare(reports["recommended"], reports["CNN-LSTM"]))

# %%
# Where does the better one err?
# ------------------------------

reports[winner].plot().figure_.savefig(output / "report.png", dpi=120)

# %%
# Train on everything
# -------------------
# Early stopping decides on speakers whom the network is not trained on: `groups` reaches the classifier as a fit
# parameter.

network = models["CNN-LSTM"].set_params(
    cnnlstmclassifier__early_stopping=True,
    cnnlstmclassifier__validation_fraction=0.2,
    cnnlstmclassifier__n_iter_no_change=8,
    cnnlstmclassifier__verbose=1,
)
network.fit(corpus.data, corpus.target, cnnlstmclassifier__groups=corpus.speaker)
HistoryDisplay.from_estimator(network).figure_.savefig(output / "training.png", dpi=120)

# %%
# Ship it
# -------
# The whole pipeline is one file; whoever loads it needs nothing but the library and a recording.

shipped = network if winner == "CNN-LSTM" else models["recommended"].fit(corpus.data, corpus.target)
joblib.dump(shipped, output / "ser.joblib")
memory.cleanup()
if name == "EMO-DB":
    recording = corpus.data["path"].iloc[0]
else:
    recording = output / "recording.wav"
    soundfile.write(recording, corpus.data[0], corpus.sr)
code = "import sys, joblib; print(joblib.load(sys.argv[1]).predict([sys.argv[2]])[0])"
command = [sys.executable, "-c", code, str(output / "ser.joblib"), str(recording)]
answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
print(f"\nA fresh process hears {answer} in {Path(recording).name} (acted: {corpus.target[0]})")

# %%
# In short: which of the two to take depends on the speech, and the report says how sure that is.

print(
    f"Taken: {winner}, with a UAR of {reports[winner].uar:.2f} for unseen speakers; the table above says whether the "
    f"difference is more than chance. Pictures and ser.joblib are in {output}/; {time.perf_counter() - started:.0f} s "
    "in all."
)
