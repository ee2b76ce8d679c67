"""What recordings suffer outside the studio: what to train for, and what to test on."""

from __future__ import annotations

from collections.abc import Callable

from ..audio._input import as_clips
from ._channel import Clipping, Equalizer, Level, Telephone
from ._codec import Codec
from ._noise import AddBackground, AddNoise
from ._room import Room

_VOICES = 60  # clips that babble is made of, at most: they travel to the workers if they are in memory


def real_world_augmenters() -> list[Callable]:
    """Augmenters to train with, so that a recogniser bears noise, telephones, rooms and other microphones.

    To be completed by measurement.

    Returns
    -------
    augmenters : list of augmenters
    """
    noise = AddNoise(snr=(0, 25), color=("white", "pink", "brown"))
    return [noise, Telephone(), Room()]


def real_world_conditions(clips=None) -> dict[str, Callable]:
    """Conditions under which a recogniser should still work, by name, as `evaluate` tests them: "real-world".

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
    conditions = {
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
