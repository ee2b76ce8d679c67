"""
What do a telephone, a room and noise leave of speech?
======================================================

Augmenters do to a clip what the world does to recordings. `AugmentedClassifier` trains on such copies, `evaluate` tests
on them. Here they can be heard and seen.

Run it with ``python examples/plot_augmenters.py``.
"""

# %%
# One clip, and what becomes of it
# --------------------------------
# Each augmenter is a function of a waveform and its sampling rate; parameters that are ranges are drawn anew each time.

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import soundfile

from sklearn_ser import (
    AddNoise,
    Clipping,
    Compose,
    MelSpectrogramDisplay,
    MelSpectrogramTransformer,
    PitchShift,
    Room,
    Telephone,
    make_emotional_speech,
)

corpus = make_emotional_speech(1, emotions=["anger"], random_state=3)
clip, sr = corpus.data[0], corpus.sr
copies = {
    "as it is": clip,
    "telephone": Telephone()(clip, sr),
    "room, 0.8 s": Room(0.8, drr=0)(clip, sr, random_state=0),
    "pink noise, 5 dB": AddNoise(snr=5, color="pink")(clip, sr, random_state=0),
    "clipped, then noise": Compose([Clipping(0.2), AddNoise(snr=15)])(clip, sr, random_state=0),
    "4 semitones up": PitchShift(4)(clip, sr),
}


class Player:
    """Sounds, for a notebook or a page."""

    def _repr_html_(self):
        rows = []
        for name, waveform in copies.items():
            file = io.BytesIO()
            soundfile.write(file, waveform, sr, format="WAV")
            data = base64.b64encode(file.getvalue()).decode()
            rows.append(f"<tr><td>{name}</td><td><audio controls src='data:audio/wav;base64,{data}'></audio></td></tr>")
        return f"<table>{''.join(rows)}</table>"


Player()

# %%
# Heard by a recognizer
# ---------------------
# Mel spectrograms, in dB.

fig, axes = plt.subplots(2, 3, figsize=(11, 5), sharex=True, sharey=True, layout="constrained")
mel = MelSpectrogramTransformer()
for ax, (name, waveform) in zip(axes.flat, copies.items(), strict=True):
    MelSpectrogramDisplay.from_estimator(mel, waveform, ax=ax)
    ax.set_title(name)
plt.show()

# %%
# In short: a telephone cuts what is above 3.4 kHz, a room smears every sound over what follows, noise fills the pauses.
# None of it changes the emotion, and all of it changes the features.

frames = {name: mel.fit_transform([waveform])[0] for name, waveform in copies.items()}
change = {name: np.abs(copy - frames["as it is"]).mean() for name, copy in frames.items() if name != "as it is"}
print("Mean change of the spectrogram: " + ", ".join(f"{name} {value:.0f} dB" for name, value in change.items()) + ".")
