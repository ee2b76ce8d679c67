"""
What does an auto-encoder find in spectrograms, without labels?
===============================================================

`SparseAutoencoderFeatures` learns small patches of spectrogram, some frames long, from which clips can be put together.
What it finds can be looked at, and how strongly each is present in a clip makes features.

Run it with ``python examples/plot_learned_kernels.py``.
"""

# %%
# Log-mel spectra of synthetic speech, each band standardised
# -----------------------------------------------------------

import matplotlib.pyplot as plt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    FrameWise,
    Functionals,
    KernelDisplay,
    MelSpectrogramTransformer,
    SparseAutoencoderFeatures,
    evaluate,
    make_emotional_speech,
)

corpus = make_emotional_speech(120, n_speakers=6, random_state=0)
mel = MelSpectrogramTransformer(n_mels=32, hop_length=160)
learned = SparseAutoencoderFeatures(kernel_lengths=(5, 15), n_kernels=16, max_iter=60, random_state=0)
extractor = make_pipeline(mel, FrameWise(StandardScaler()), learned)
features = extractor.fit_transform(corpus.data)

# %%
# What was found
# --------------
# Time runs to the right, frequency upwards. Red is where a kernel wants more than the mean of a band, blue where less.

KernelDisplay.from_estimator(extractor, max_kernels=8)
plt.show()

# %%
# What it is worth
# ----------------
# Statistics of the kernels' activations, against the same statistics of the spectra that they were learned from. Inside
# of each fold, kernels are learned from training speakers only.

classifier = make_pipeline(Functionals(["mean", "std", "max"]), StandardScaler(), LogisticRegression(max_iter=2000))
spectra = make_pipeline(mel, FrameWise(StandardScaler()), *(step for _, step in classifier.steps))
kernels = make_pipeline(*(step for _, step in extractor.steps), *(step for _, step in classifier.steps))
uar = {name: evaluate(model, corpus, cv=3).uar for name, model in {"spectra": spectra, "kernels": kernels}.items()}

# %%
# In short: without any label, it finds beginnings and ends of sounds, and bands that last.

chance = 1 / len(corpus.target_names)
print(f"UAR of unseen speakers: spectra {uar['spectra']:.2f}, kernels {uar['kernels']:.2f}, chance {chance:.2f}.")
