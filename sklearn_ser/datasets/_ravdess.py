"""The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), its audio-only files."""

from functools import partial

from ..utils._messages import short
from ._archive import download_archive
from ._base import Corpus, check_emotions, make_bunch, obtain
from ._corpora import CORPORA
from ._docs import documented

URL = "https://zenodo.org/records/1188976/files/{name}?download=1"
# Number of clips, archive, its bytes and MD5, as Zenodo lists them.
_PARTS = {
    "speech": (1440, "Audio_Speech_Actors_01-24.zip", 208_468_073, "bc696df654c87fed845eb13823edef8a"),
    "song": (1012, "Audio_Song_Actors_01-24.zip", 225_505_317, "5411230427d67a21e18aa4d466e6d1b9"),
}
_ROW = CORPORA["ravdess"]
_EMOTIONS = _ROW.emotions


@documented(_ROW)
def fetch_ravdess(data_home=None, *, channel="speech", emotions=None, download_if_missing=True, return_X_y=False):
    """Load the audio of RAVDESS, English emotional speech and song of 24 actors, downloading it if necessary.

    <facts>

    Parameters
    ----------
    <data_home>
    channel : {"speech", "song", "all"}, default="speech"
        Which vocal channel to load. Song has no disgust and no surprise.
    <emotions>
    <download>
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 7)
            Columns `path`, `speaker` (the actor's two-digit number), `sex` ("female" or "male"), `text` ("kids" or
            "dogs", the sentence's first word), `intensity` ("normal" or "strong"), `repetition` (1 or 2) and
            `channel`, sorted by file name. The actors' ages are not published by file.
        <bunch>
    <fetched>

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
    emotions = check_emotions(emotions, there, f"{_ROW.name} ({channel})")
    clips = []
    for name in channels:
        n_clips, archive, size, md5 = _PARTS[name]
        download = partial(download_archive, url=URL.format(name=archive), name=archive, size=size, md5=md5)
        fields = {"title": f"{_ROW.name} ({name})", "part": f"ravdess-{name}", "n_clips": n_clips}
        corpus = Corpus.of(_ROW, data_home, download, read=partial(_read, channel=name), **fields)
        clips += obtain(corpus, download_if_missing)
    return make_bunch(clips, emotions=emotions, title=_ROW.name, descr=_ROW.describe(), return_X_y=return_X_y)


def _read(name, channel):
    found = _ROW.read(name)
    return found if found and found[0]["channel"] == channel else None
