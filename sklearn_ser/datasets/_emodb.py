"""The Berlin Database of Emotional Speech (EMO-DB)."""

from functools import partial
from pathlib import Path

from ..utils._messages import short
from ._archive import download_archive
from ._base import Corpus, check_emotions, make_bunch, obtain
from ._corpora import CORPORA
from ._docs import documented
from ._download import file_hash, published_files, set_aside
from ._recordings import find_clips, find_files

URL = "https://emodb.bilderbar.info/download/download.zip"
_ROW = CORPORA["emodb"]
_EMOTIONS = _ROW.emotions
_N_CLIPS = _ROW.n_clips


@documented(_ROW)
def fetch_emodb(data_home=None, *, emotions=None, download_if_missing=True, return_X_y=False):
    """Load the 535 clips of EMO-DB, German emotional speech of ten actors, downloading them if necessary.

    <facts>

    Parameters
    ----------
    <data_home>
    <emotions>
    <download>
    <return_X_y>

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, 8)
            Columns `path`, `speaker`, `sex` ("female" or "male"), `age` (years), `text` (the sentence's code),
            `version`, `recognised` and `natural` (fractions of 20 listeners who named the acted emotion, and who found
            the clip natural; NaN where the corpus' `erkennung.txt` is missing), sorted by file name.
        <bunch>
    <fetched>

    Examples
    --------
    >>> from sklearn_ser.datasets import fetch_emodb
    >>> corpus = fetch_emodb()  # doctest: +SKIP
    >>> corpus.data.shape, corpus.target_names[:3]  # doctest: +SKIP
    ((535, 8), ['anger', 'boredom', 'disgust'])
    """
    emotions = check_emotions(emotions, _EMOTIONS.values(), _ROW.name)
    download = partial(download_archive, url=URL, name="emodb-download.zip", verify=_verify, downgrade=True)
    corpus = Corpus.of(_ROW, data_home, download, n_clips=_N_CLIPS, source=f"{URL} (licence {_ROW.licence})")
    clips = add_listeners(obtain(corpus, download_if_missing), corpus.folder)
    return make_bunch(clips, emotions=emotions, title=_ROW.name, descr=_ROW.describe(), return_X_y=return_X_y)


def add_listeners(clips, folder):
    """Return clips with the fractions of listeners who recognized their emotion, and who found them natural."""
    lists = _lists(folder)
    fractions = _read_listeners(lists[0]) if lists else {}
    unknown = [float("nan")] * 2
    return [
        {
            **clip,
            **dict(
                zip(("recognised", "natural"), fractions.get(Path(clip["path"]).name.lower(), unknown), strict=True)
            ),
        }
        for clip in clips
    ]


def _lists(folder):
    return sorted(find_files(folder, lambda name: name == "erkennung.txt"))


def _read_listeners(path):
    """Return both fractions by file name.

    Lines of the list read "1 <tab> 03a01Ab.wav <tab> 65,00 <tab> 35,00", padded with non-breaking spaces, in latin-1.
    """
    fractions = {}
    for line in path.read_text(encoding="latin-1").splitlines()[1:]:
        if len(line.split()) != 4:
            continue
        _, name, *percents = line.split()
        try:
            both = [float(percent.replace(",", ".")) / 100 for percent in percents]
        except ValueError:
            both = [-1.0]
        if not all(0 <= fraction <= 1 for fraction in both):
            raise ValueError(
                f"{path} is damaged: the line of {short(name)} holds no two percentages, but {short(percents)}."
            )
        fractions[name.lower()] = both
    return fractions


def _published_sums():
    """SHA-256 of every published clip by file name."""
    return {name: sha256 for name, _, sha256 in published_files("emodb")}


def _verify(folder):
    """Set aside what is not as published; the archive itself has no published checksum."""
    sums = {name.lower(): value for name, value in _published_sums().items()}
    wrong = []
    for clip in find_clips(folder, _ROW.read)[0]:
        path = Path(clip["path"])
        expected, got = sums.get(path.name.lower()), file_hash(path, "sha256")
        if got != expected:
            wrong.append(f"{path.name} (expected {expected}, got {got})")
            set_aside(path)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(
            f"{len(wrong)} clips differ from the published SHA-256 sums and were renamed to *.mismatch: "
            f"{', '.join(wrong[:3])}{more}."
        )
    for path in _lists(folder):
        try:
            _read_listeners(path)
        except ValueError:
            set_aside(path)
            raise
