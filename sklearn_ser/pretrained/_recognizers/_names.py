"""Names that published models give to the emotions and dimensions of this library."""

from __future__ import annotations

_EMOTIONS = {
    "anger": ("ang", "angry"),
    "boredom": ("bor", "bored"),
    "calm": ("cal", "calmness"),
    "disgust": ("dis", "disgusted"),
    "fear": ("fea", "fearful", "scared"),
    "happiness": ("hap", "happy", "joy", "joyful"),
    "neutral": ("neu", "neutrality"),
    "sadness": ("sad",),
    "surprise": ("sur", "surprised", "ps", "pleasant surprise"),
}
KNOWN = {name: emotion for emotion, names in _EMOTIONS.items() for name in (emotion, *names)}
DIMENSIONS = {"activation": "arousal"}
