"""What published models call the emotions and dimensions that this library knows."""

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
