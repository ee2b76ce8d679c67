"""
Does a search run on a cluster as it does here?
===============================================

How much should an SVM bend to single clips, if it is to recognize emotions in unseen speakers? A grid search asks for
every clip anew with each setting and each fold. Here each is analysed once, and the work is shared out by Dask: among
two workers on this machine, or as many as there are elsewhere.

Run it with ``python examples/plot_cluster.py`` (it needs the extra ``distributed``); the picture goes to
``cluster_output/``.
"""

# %%
# Clips and their speakers
# ------------------------
# EMO-DB is taken from the folder that the environment variable ``SKLEARN_SER_DATA`` names; synthetic speech stands in
# for it.

import time
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import HandcraftedFeatures, fetch_emodb, make_emotional_speech

output = Path("cluster_output")
try:
    corpus, name = fetch_emodb(download_if_missing=False), "EMO-DB"
except FileNotFoundError:
    corpus, name = make_emotional_speech(240, n_speakers=8, random_state=0), "synthetic speech"
print(f"{name}: {len(corpus.target)} clips, {len(set(corpus.speaker))} speakers")

# %%
# An ordinary grid search
# -----------------------
# The one thing that is not ordinary is ``memory``: what is made of a clip is kept in that folder, under the clip's
# content and the transformer's parameters. No speaker is in two folds.

search = GridSearchCV(
    make_pipeline(HandcraftedFeatures(memory=output / "memory"), StandardScaler(), SVC()),
    {"svc__C": [0.1, 1, 10, 100], "svc__gamma": [0.0003, 0.001, 0.01]},
    cv=GroupKFold(4),
    scoring="balanced_accuracy",
)

# %%
# On a cluster
# ------------
# Two workers in this process stand for the cluster. For a real one, ``Client("tcp://scheduler:8786")`` replaces the
# first line below, and nothing else changes; all its machines must see the audio files and the folder of the memory
# under the same path.

with (
    LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
    Client(cluster) as client,
    joblib.parallel_config(backend="dask"),
):
    started = time.perf_counter()
    search.fit(corpus.data, corpus.target, groups=corpus.speaker)
    n_fits = len(search.cv_results_["params"]) * search.n_splits_ + 1
    print(f"{n_fits} fits on {len(client.ncores())} workers: {time.perf_counter() - started:.1f} s")

# %%
# How much to bend
# ----------------

chance = 1 / len(corpus.target_names)
results = search.cv_results_
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for gamma in sorted(set(results["param_svc__gamma"])):
    chosen = results["param_svc__gamma"] == gamma
    ax.semilogx(
        results["param_svc__C"][chosen].astype(float), results["mean_test_score"][chosen], "o-", label=f"{gamma:g}"
    )
ax.axhline(chance, color="gray", linestyle=":", label="chance")
ax.set(xlabel="C", ylabel="UAR for unseen speakers", title=name, ylim=(0, 1))
ax.legend(title="gamma")
output.mkdir(exist_ok=True)
fig.savefig(output / "search.png", dpi=150)
best = search.best_params_
print(
    f"Best for unseen speakers: C={best['svc__C']:g}, gamma={best['svc__gamma']:g}, with a UAR of "
    f"{search.best_score_:.2f} (chance: {chance:.2f})."
)
