"""
How well does the recommended recognizer hear unseen speakers, in noise and on the telephone, too?
===================================================================================================

`make_recognizer` is the estimator to begin with. It is evaluated on speakers whom it was not trained on, with altered
copies of the clips in training (the default) and without: on clean clips, and on what a telephone, a room and another
microphone make of them. It is then trained on everything, saved, loaded in a fresh process and asked about a file.

Installing the package takes some minutes and 2.8 GB of disk, nearly all of it for TensorFlow, which this script does
not need: without it, 0.6 GB are enough (docs/install.md). The script takes about a minute on synthetic speech, and some
minutes on EMO-DB. Run it with ``python examples/plot_quickstart.py``; pictures and pipeline go to
``quickstart_output/``.
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

from sklearn_ser import RobustnessDisplay, evaluate, fetch_emodb, make_emotional_speech, make_recognizer
from sklearn_ser.augmentation import real_world_conditions
from sklearn_ser.metrics import uar_score

started = time.perf_counter()
output = Path("quickstart_output")
output.mkdir(exist_ok=True)
try:
    corpus, name = fetch_emodb(download_if_missing=False), "EMO-DB"
except FileNotFoundError:
    corpus, name = make_emotional_speech(120, n_speakers=6, random_state=0), "synthetic speech"
    print("EMO-DB is not on this machine, so this runs on synthetic speech. To use the real one: fetch_emodb().\n")
print(f"{name}: {len(corpus.target)} clips, {len(set(corpus.speaker))} speakers, {len(corpus.target_names)} emotions")

# %%
# The recommended recognizer
# --------------------------
# "auto" reads a pretrained encoder where its weights are at hand, and handcrafted features elsewhere. By default it is
# trained on altered copies of the clips, too. Everything that is learned is learned inside the pipeline. ``memory`` has
# each clip analyzed once for all folds and both models.

memory = tempfile.TemporaryDirectory()
models = {
    "recommended": make_recognizer("auto", random_state=0, memory=memory.name),
    "without copies": make_recognizer("auto", robust=False, memory=memory.name),
}

# %%
# How well are unseen speakers recognized?
# ----------------------------------------
# Three folds, no speaker on both sides of any. The predictions of all folds are pooled before they are scored. Each
# model is tested on the clips as they are, and on the same clips under three conditions.

conditions = {
    key: condition
    for key, condition in real_world_conditions().items()
    if key.startswith(("telephone", "room", "tilt"))
}
reports = {}
for label, model in models.items():
    print(f"\n{label}: three folds, speakers apart", flush=True)
    reports[label] = evaluate(model, corpus, cv=3, conditions=conditions, verbose=1)
print(f"\n{reports['recommended']}")

# %%
# Where does it err, and what is left under which condition?
# ----------------------------------------------------------

reports["recommended"].plot().figure_.savefig(output / "report.png", dpi=120)
RobustnessDisplay.from_reports(reports).figure_.savefig(output / "conditions.png", dpi=120)

# %%
# Train on everything, and ship it
# --------------------------------
# The whole pipeline is one file; whoever loads it needs nothing but the library and a recording.

shipped = models["recommended"].fit(corpus.data, corpus.target)
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
# In short: copies in training may cost a little where recordings are clean, and save much where they are not.

for label, report in reports.items():
    worst = min(uar_score(report.y_true, predicted) for predicted in report.y_pred_conditions.values())
    print(f"{label}: a UAR of {report.uar:.2f} of the clips as they are, and {worst:.2f} under the worst condition")
print(f"Pictures and ser.joblib are in {output}/; {time.perf_counter() - started:.0f} s in all.")
