"""
Does another toolkit's encoder fit into a Pipeline?
===================================================

`WaveformFeatures` turns any function of a waveform into a transformer. The function below stands for a model in
PyTorch, ONNX or TFLite; what such a function looks like is in the text.

Run it with ``python examples/plot_any_encoder.py``; the picture goes to ``any_encoder_output/``.
"""

# %%
# An encoder is a function from a waveform to a vector, or to frames
# ------------------------------------------------------------------
# With ONNX Runtime, it is ten lines:
#
# .. code-block:: python
#
#     import onnxruntime
#
#     session = onnxruntime.InferenceSession("wav2vec2.onnx")
#
#     def encode(waveform, sr):
#         (frames,) = session.run(None, {"input": waveform[None]})
#         return frames[0].mean(axis=0)
#
#     features = WaveformFeatures(encode, version="wav2vec2 of May", memory="features")
#
# and so it is with PyTorch and Hugging Face's transformers:
#
# .. code-block:: python
#
#     import torch
#     from transformers import AutoModel
#
#     model = AutoModel.from_pretrained("microsoft/wavlm-base").eval()
#
#     @torch.inference_mode()
#     def encode(waveform, sr):
#         return model(torch.from_numpy(waveform)[None]).last_hidden_state[0].mean(dim=0)
#
# A `version` tells the memory of features which weights made them, because it cannot look into a session or a file.
# Here, an encoder of three lines has to do: spectra through fixed random filters.

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_ser import ConfusionDisplay, StratifiedSpeakerKFold, WaveformFeatures, make_emotional_speech

output = Path("any_encoder_output")
output.mkdir(exist_ok=True)
filters = np.random.default_rng(0).normal(size=(201, 64)) / 20


def encode(waveform, sr):
    """Mean and standard deviation over frames of 25 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, 200), 400)[::160]
    spectra = np.log1p(1000 * np.abs(np.fft.rfft(frames * np.hanning(400)))) @ filters
    return np.concatenate([spectra.mean(axis=0), spectra.std(axis=0)])


# %%
# Paths, rates, workers, errors that name the clip, and the Pipeline are the library's
# -------------------------------------------------------------------------------------

corpus = make_emotional_speech(160, n_speakers=8, random_state=0)
pipeline = make_pipeline(WaveformFeatures(encode), StandardScaler(), SVC(C=10))
splits = list(StratifiedSpeakerKFold(4).split(corpus.data, corpus.target, corpus.speaker))
predicted = cross_val_predict(pipeline, corpus.data, corpus.target, cv=splits)
uar, chance = balanced_accuracy_score(corpus.target, predicted), 1 / len(corpus.target_names)
print(f"unseen speakers: UAR {uar:.2f}, chance {chance:.2f}")

# %%
# What it confuses, of speakers that it has never heard
# -----------------------------------------------------

fig, ax = plt.subplots(figsize=(5, 4.4), layout="constrained")
ConfusionDisplay.from_predictions(corpus.target, predicted, ax=ax)
ax.set_title(f"UAR {uar:.2f}, chance {chance:.2f}")
fig.savefig(output / "confusion_matrix.png", dpi=120)

# %%
# A function of a few lines is all that stands between another encoder and this library's searches, splits and reports.
