"""concatenate_corpora: several corpora as one."""

from collections.abc import Mapping

import pandas as pd

from ..utils._messages import short
from ._base import EMOTIONS, check_emotions, make_bunch
from ._corpora import CORPORA


def concatenate_corpora(corpora, *, emotions="common", return_X_y=False):
    """Join corpora into one of the same form, with a column `corpus`, and speakers that are nobody else's.

    Parameters
    ----------
    corpora : list of Bunch, or dict of Bunch by name
        As the functions `fetch_*` and `load_*` return them. In a list, each goes by its own `name` ("EMO-DB"); a dict
        names them otherwise, or names those that have no name.
    emotions : {"common", "all"}, list of str, or mapping from str to str or None, default="common"
        Which clips to keep: those of the emotions that all corpora have; all; or those of the emotions listed, in
        whichever corpus they are. A mapping calls emotions by other names first (None drops them), such as ``{"calm":
        "neutral"}`` or ``{"anger": "negative", "happiness": "positive", ...}``; what it does not mention keeps its
        name, and what all corpora then have is kept.
    return_X_y : bool, default=False
        If True, return `(data, target)` instead of a Bunch.

    Returns
    -------
    corpus : :class:`~sklearn.utils.Bunch`
        data : DataFrame of shape (n_clips, n_columns)
            Column `corpus`, and all columns that any of the corpora has, with missing values where one does not.
            Speakers and texts are called after their corpus, "EMO-DB/03", since each corpus has names of its own; a
            corpus that tells no speakers counts as one, "MESD/unknown".
        target : ndarray of str, shape (n_clips,)
            The emotions.
        speaker : ndarray of str, shape (n_clips,)
            The column `speaker` again, to be passed as `groups`.
        corpus : ndarray of str, shape (n_clips,)
            The column `corpus` again.
        target_names : list of str
            The emotions present, sorted.
        name : str
            The corpora's names.
        DESCR : str
            Counts, and the descriptions of all corpora.
    (data, target) : tuple if `return_X_y` is True

    Raises
    ------
    TypeError
        If a corpus is no Bunch with a DataFrame of clips.
    ValueError
        If a corpus has no name or two have the same, or if no emotion is left.

    See Also
    --------
    sklearn_ser.model_selection.LeaveOneCorpusOut : Test on each of them in turn.

    Notes
    -----
    All loaders call an emotion by the same name. Which of its own each corpus means by it is listed in
    the conventions in this library's documentation.

    Examples
    --------
    >>> from sklearn_ser.datasets import concatenate_corpora, fetch_emodb, fetch_ravdess
    >>> corpus = concatenate_corpora([fetch_emodb(), fetch_ravdess()])  # doctest: +SKIP
    >>> corpus.target_names  # doctest: +SKIP
    ['anger', 'disgust', 'fear', 'happiness', 'neutral', 'sadness']
    """
    corpora = _by_name(corpora)
    renamed = emotions if isinstance(emotions, Mapping) else {}
    _check_mapping(renamed, corpora)
    clips = {name: _clips(name, corpus, renamed) for name, corpus in corpora.items()}
    kept = _choose("common" if renamed else emotions, {n: {clip["emotion"] for clip in clips[n]} for n in clips})
    title = " + ".join(corpora)
    joined = [clip for several in clips.values() for clip in several]
    columns = dict.fromkeys(column for clip in joined for column in clip)
    joined = [{**dict.fromkeys(columns), **clip} for clip in joined]
    if "language" in columns:
        joined = [clip if clip["language"] else {**clip, "language": _language(clip)} for clip in joined]
    bunch = make_bunch(joined, emotions=kept, title=title, descr="", return_X_y=return_X_y)
    if not return_X_y:
        bunch.corpus = bunch.data["corpus"].to_numpy(dtype=str)
        counts = pd.crosstab(bunch.corpus, bunch.target, rownames=["corpus"], colnames=["emotion"])
        descriptions = [corpus.get("DESCR", name) for name, corpus in corpora.items()]
        bunch.DESCR = "\n\n".join([title, counts.to_string(), *descriptions])
    return bunch


def _by_name(corpora):
    """Return the corpora in a dict by their names."""
    if isinstance(corpora, Mapping) and "data" in corpora:
        raise TypeError("corpora must be a list or a dict of corpora. Got a single corpus.")
    if not isinstance(corpora, Mapping):
        corpora = list(corpora)
        names = [getattr(corpus, "name", None) for corpus in corpora]
        if None in names or len(set(names)) < len(names):
            raise ValueError(
                f"Every corpus needs a name of its own. Got {short(names)}: pass a dict, such as "
                "{'speech': corpus, 'song': another}."
            )
        corpora = dict(zip(names, corpora, strict=True))
    if not corpora:
        raise ValueError("corpora must hold at least one corpus. Got none.")
    for name, corpus in corpora.items():
        if "path" not in getattr(getattr(corpus, "data", None), "columns", ()):
            raise TypeError(
                "A corpus must be a Bunch whose data is a DataFrame with a column 'path', as fetch_emodb returns it. "
                f"That of {short(name)} is not; it is a {type(getattr(corpus, 'data', corpus)).__name__}."
            )
    return dict(corpora)


def _check_mapping(renamed, corpora):
    known = {*EMOTIONS, *(str(emotion) for corpus in corpora.values() for emotion in corpus.target)}
    unknown = [emotion for emotion in renamed if emotion not in known]
    if unknown:
        raise ValueError(f"emotions maps {unknown}, which no corpus has. Emotions are {', '.join(sorted(known))}.")


def _clips(name, corpus, renamed):
    """Return a dict for each clip, its emotion as it is called now, its speaker and text as nobody else's."""
    clips, several = [], corpus.data.get("corpus", pd.Series(dtype=str)).nunique() > 1
    for row, (clip, emotion) in enumerate(zip(corpus.data.to_dict("records"), corpus.target, strict=True)):
        if pd.isna(emotion):
            raise ValueError(f"Every clip needs an emotion. That of row {row} of {name} is missing: got {emotion!r}.")
        emotion = renamed.get(str(emotion), str(emotion))
        if emotion is not None:
            own = {key: f"{name}/{clip[key]}" for key in ("speaker", "text") if not pd.isna(clip.get(key))}
            own = {"corpus": clip["corpus"] if several else name, "speaker": f"{name}/unknown", **own}
            clips.append({"path": None, "corpus": None, **clip, **own, "emotion": emotion})
    return clips


def _language(clip):
    """Return the language of a clip of a corpus that has no such column, if the table of corpora knows it."""
    row = next((row for row in CORPORA.values() if row.name == clip["corpus"]), None)
    return row and row.language_of(clip["speaker"].rpartition("/")[2])


def _choose(emotions, of_each):
    """Return the emotions to keep."""
    found = set().union(*of_each.values())
    if isinstance(emotions, str) and emotions in ("common", "all"):
        kept = found if emotions == "all" else set.intersection(*of_each.values())
        if not kept:
            have = "; ".join(f"{name} has {', '.join(sorted(own)) or 'none'}" for name, own in of_each.items())
            raise ValueError(f"No emotion is left that all corpora have: {have}.")
        return tuple(sorted(kept))
    if isinstance(emotions, str):
        raise ValueError(f"emotions must be 'common', 'all', a list or a mapping. Got {short(emotions)}.")
    return check_emotions(emotions, sorted(found), " + ".join(of_each))
