"""Kinds of encoders, by the `model_type` in their `config.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ._base import SR, Architecture, Config, Part
from ._reading import Reading, encode_clips, load_in_parts
from ._wav2vec2 import Data2VecAudio, Hubert, UniSpeechSat, Wav2Vec2, WavLM
from ._whisper import Whisper

__all__ = [
    "KINDS",
    "SR",
    "Architecture",
    "Config",
    "Part",
    "Reading",
    "describe",
    "encode_clips",
    "from_state",
    "load_in_parts",
]

KINDS: dict[str, type[Architecture]] = {
    "whisper": Whisper,
    "wav2vec2": Wav2Vec2,
    "hubert": Hubert,
    "wavlm": WavLM,
    "data2vec-audio": Data2VecAudio,
    "unispeech-sat": UniSpeechSat,
}


def describe(
    path: Path, content: Mapping, preprocessor_path: Path, preprocessor: Mapping, kinds: Sequence[str] = ()
) -> Architecture:
    """The architecture of a model by its two JSON files.

    Parameters
    ----------
    path, preprocessor_path : Path
        Paths of the files, for messages.
    content, preprocessor : mapping
        Contents of the files; the latter may be empty.
    kinds : sequence of str, default=()
        The only values of `model_type` that are accepted; of one, it need not be mentioned. By default, all.

    Raises
    ------
    ValueError
        If it is none of them, or a value is wrong; the message names the file and the key.
    """
    known = kinds or tuple(KINDS)
    config = Config(path, content)
    kind = content.get("model_type", known[0] if len(known) == 1 else None)
    if kind not in known:
        rule = repr(known[0]) if len(known) == 1 else "one of " + ", ".join(map(repr, known))
        readable = kind in KINDS if isinstance(kind, str) else False
        advice = "EncoderFeatures reads it." if readable else "WaveformFeatures wraps any encoder."
        raise config.other("model_type", rule, advice)
    config.noun = KINDS[kind].__name__
    return KINDS[kind].read(config, Config(preprocessor_path, preprocessor, config.noun))


def from_state(kind: str, state: Mapping) -> Architecture:
    """The architecture that `Architecture.state` described."""
    found = next(cls for cls in KINDS.values() if cls.kind == kind)

    def tuples(value):
        return tuple(map(tuples, value)) if isinstance(value, (list, tuple)) else value

    return found(**{name: tuples(value) for name, value in state.items()})
