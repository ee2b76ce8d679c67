"""Real-world conditions outside the studio: augmenters to train with, and conditions to test under."""

from __future__ import annotations

from ..audio._input import as_clips
from ._base import WaveformAugmenter
from ._channel import Clipping, Equalizer, Level, Telephone
from ._codec import Codec
from ._compose import Compose
from ._noise import AddBackground, AddNoise
from ._room import Room

_VOICES = 60  # clips that babble is made of, at most: they travel to the workers if they are in memory


def real_world_augmenters() -> list[WaveformAugmenter]:
    """Augmenters to train with, so that a recognizer bears noise, voices, rooms, telephones and other microphones.

    For ``AugmentedClassifier(pipeline, real_world_augmenters(), random_state=0)``. On average they make one and a half
    copies of a clip: what is in them, and how much, is drawn anew for each.

    Returns
    -------
    augmenters : list of augmenters
        Two: a room with noise and voices; and another microphone or a telephone, with noise and voices, too. A new list
        each time, to add to: a folder of noise from where the recognizer will work is worth more than any of these,
        ``[*real_world_augmenters(), AddBackground("noises", (0, 20))]``.

    Notes
    -----
    Chosen on EMO-DB, speakers apart, by what they do for kinds of noise, rooms and lines that they do not contain
    (docs/recordings.md): several light alterations in one copy did better than one heavy one in each of several copies,
    and took less time. Voices are made of the clip itself, so no recordings are needed.

    Examples
    --------
    >>> from sklearn_ser import real_world_augmenters
    >>> [len(augmenter.augmenters) for augmenter in real_world_augmenters()]
    [3, 5]
    """

    def others():
        return [
            AddNoise(snr=(0, 25), color=("white", "pink", "brown"), p=0.6),
            AddBackground(snr=(0, 25), n_sources=(1, 8), p=0.6),
        ]

    microphone = Equalizer((-6, 6), low_pass=(2000, 8000), p=0.7)
    return [
        Compose([Room((0.2, 0.8), p=0.7), *others()], p=0.75),
        Compose([microphone, *others(), Telephone(p=0.5), Level((-40, 0), p=0.5)], p=0.75),
    ]


def real_world_conditions(clips=None) -> dict[str, WaveformAugmenter]:
    """Conditions under which a recognizer should still work, by name, as `evaluate` tests them: "real-world".

    Each is one fixed setting, where `real_world_augmenters` draw from ranges.

    Parameters
    ----------
    clips : audio input or None, default=None
        Voices for babble, such as all clips of the corpus; None leaves babble out.

    Returns
    -------
    conditions : dict of str to augmenter
        A new one each time, to add to and take from.

    Examples
    --------
    >>> from sklearn_ser.augmentation import real_world_conditions
    >>> list(real_world_conditions())[:3]
    ['white noise, 20 dB', 'white noise, 10 dB', 'pink noise, 10 dB']
    """
    conditions: dict[str, WaveformAugmenter] = {
        "white noise, 20 dB": AddNoise(snr=20),
        "white noise, 10 dB": AddNoise(snr=10),
        "pink noise, 10 dB": AddNoise(snr=10, color="pink"),
        "babble, 10 dB": None,
        "telephone": Telephone(),
        "room, 0.5 s": Room(0.5, drr=0),
        "low-pass, 4 kHz": Equalizer(0, low_pass=4000),
        "tilt, 4 dB/octave": Equalizer(4),
        "clipped, 5 %": Clipping(0.05),
        "16 bit, 40 dB too soft": Level(-40),
        "MP3, 16 kbit/s": Codec("mp3", bitrate=16),
    }
    if clips is None:
        del conditions["babble, 10 dB"]
    else:
        voices = list(as_clips(clips))
        conditions["babble, 10 dB"] = AddBackground(voices[:: -(-len(voices) // _VOICES)], 10, n_sources=5)
    return conditions
