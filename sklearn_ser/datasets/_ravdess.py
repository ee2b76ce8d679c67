"""The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), its audio-only files."""

import re
from functools import partial

from ..utils._messages import short
from ._archive import download_archive
from ._base import Corpus, check_emotions, get_data_home, make_bunch, obtain

URL = "https://zenodo.org/records/1188976/files/{name}?download=1"
# Number of clips, archive, its bytes and MD5, as Zenodo lists them.
_PARTS = {
    "speech": (1440, "Audio_Speech_Actors_01-24.zip", 208_468_073, "bc696df654c87fed845eb13823edef8a"),
    "song": (1012, "Audio_Song_Actors_01-24.zip", 225_505_317, "5411230427d67a21e18aa4d466e6d1b9"),
}
_TITLE = "RAVDESS"
_SOURCE = "https://zenodo.org/records/1188976 (licence CC BY-NC-SA 4.0)"
_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_CHANNELS = {"01": "speech", "02": "song"}
_NAME = re.compile(r"03-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")
_DESCR = """Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), audio-only files

24 actors (twelve women, twelve men) say or sing two English sentences, twice each, at two intensities (neutral at one).
Speech, 1440 clips: neutral 96; calm, happiness, sadness, anger, fear, disgust and surprise 192 each. Song, 1012 clips
of 23 actors: neutral 92; calm, happiness, sadness, anger and fear 184 each. WAV, 48 kHz; speech lasts 2.9 to 5.3 s.

Columns of data: path; speaker, the actor's number; sex; text, "kids" or "dogs" after the sentence's first word;
intensity, "normal" or "strong"; repetition, 1 or 2; channel, "speech" or "song".

Oddities: five speech files are stereo, two are byte-identical, some are very quiet. Actor 18 did not sing.

Licence: CC BY-NC-SA 4.0. Source: https://zenodo.org/records/1188976

S. R. Livingstone and F. A. Russo (2018), "The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS)",
PLoS ONE 13(5), e0196391.
"""


def fetch_ravdess(data_home=None, *, channel="speech", emotions=None, download_if_missing=True, return_X_y=False):
    """Load the audio of RAVDESS, English emotional speech and song of 24 actors, downloading it if necessary.

    =================   ==============================================================================
    Clips               1440 of speech, 1012 of song (48 kHz)
    Speakers            24
    Emotions            anger, calm, disgust, fear, happiness, neutral, sadness, surprise
    Language            English
    Licence             CC BY-NC-SA 4.0
    =================   ==============================================================================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that holds `ravdess`; there, in any folders below, clips are known by their file names. By default the
        environment variable SKLEARN_SER_DATA, or else `~/sklearn_ser_data`.
    channel : {"speech", "song", "all"}, default="speech"
        Which vocal channel to load. Song has no disgust and no surprise.
    emotions : list of str, default=None
        Keep only clips of these emotions; by default all.
    download_if_missing : bool, default=True
        Whether to download a channel (about 210 MB) if no clip of it is found, or the rest after an interruption.
    return_X_y : bool, default=False
        Whether to return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 7)
            Columns `path`, `speaker` (the actor's two-digit number), `sex` ("female" or "male"), `text` ("kids" or
            "dogs", the sentence's first word), `intensity` ("normal" or "strong"), `repetition` (1 or 2) and
            `channel`, sorted by file name. The actors' ages are not published by file.
        target : ndarray of str, shape (n_clips,)
            The emotions.
        speaker : ndarray of str, shape (n_clips,)
            The column `speaker` again, to be passed as `groups`.
        target_names : list of str
            The emotions present, sorted.
        name : str
            "RAVDESS".
        DESCR : str
            Origin, licence, counts and oddities.
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    FileNotFoundError
        If no clip is found and `download_if_missing` is False.
    FetchError
        If the download fails, or cannot be kept; the message names the address, the file, and what to do. Where a
        server fails, it is a ConnectionError, too; where what came is not as published, a ValueError. What has arrived
        is kept and the next call resumes from there; what cannot be used is kept as `*.mismatch`, and asked for anew.
    ValueError
        If `channel` or `emotions` names anything else.

    Warns
    -----
    UserWarning
        If fewer clips are found than were published.

    References
    ----------
    .. [1] S. R. Livingstone and F. A. Russo (2018), "The Ryerson Audio-Visual Database of Emotional Speech and Song
       (RAVDESS)", PLoS ONE 13(5), e0196391.

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_ravdess
    >>> corpus = fetch_ravdess(emotions=["anger", "sadness"])  # doctest: +SKIP
    >>> corpus.data.shape  # doctest: +SKIP
    (384, 7)
    """
    if channel not in (*_PARTS, "all"):
        raise ValueError(f"channel must be 'speech', 'song' or 'all'. Got channel={short(channel)}.")
    channels = list(_PARTS) if channel == "all" else [channel]
    there = [emotion for emotion in _EMOTIONS.values() if channel != "song" or emotion not in ("disgust", "surprise")]
    emotions = check_emotions(emotions, there, f"{_TITLE} ({channel})")
    clips = []
    for name in channels:
        n_clips, archive, size, md5 = _PARTS[name]
        corpus = Corpus(
            title=f"{_TITLE} ({name})",
            folder=get_data_home(data_home) / "ravdess",
            part=f"ravdess-{name}",
            n_clips=n_clips,
            parse=partial(_parse, channel=name),
            download=partial(download_archive, url=URL.format(name=archive), name=archive, size=size, md5=md5),
            source=_SOURCE,
        )
        clips += obtain(corpus, download_if_missing)
    return make_bunch(clips, emotions=emotions, title=_TITLE, descr=_DESCR, return_X_y=return_X_y)


def _parse(stem, channel):
    match = _NAME.fullmatch(stem)
    if match is None or _CHANNELS[match[1]] != channel:
        return None
    _, emotion, intensity, statement, repetition, actor = match.groups()
    return {
        "speaker": actor,
        "sex": "male" if int(actor) % 2 else "female",
        "text": "kids" if statement == "01" else "dogs",
        "intensity": "normal" if intensity == "01" else "strong",
        "repetition": int(repetition),
        "channel": channel,
        "emotion": _EMOTIONS[emotion],
    }
