"""Inputs of an evaluation: clips with their emotions and speakers, and conditions to alter them by."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..augmentation import augment_clips
from ..augmentation._real_world import real_world_conditions
from ..utils._columns import complete, find_column, refuse_missing
from ..utils._messages import short
from ..utils._random import draw_seed

# How an estimator runs, not what it does: a report that is passed on names nobody's folders.
_AS_IT_RUNS = r"(?:memory=(?:'[^']*'|Memory\(location=[^()]*\))|(?:n_jobs|verbose)=(?:-?\d+|True|False|None))"
_ADDRESS = r"<(?:[a-z-]+ )*([\w.<>]+?)(?: object)? at 0x[0-9a-fA-F]+>"  # of a function or an object, in memory
CLEAN = "as they are"  # the condition of clips that nothing is done to


class EvaluatedClips(NamedTuple):
    """Clips, and what is known of them; None for what is not."""

    X: object
    y: np.ndarray
    speaker: np.ndarray
    sex: np.ndarray | None
    recognised: np.ndarray | None
    corpus: np.ndarray | None
    language: np.ndarray | None

    def known(self, rows) -> dict:
        """Return what a report needs about these rows, besides emotions and predictions."""
        names = ("speaker", "sex", "recognised", "corpus", "language")
        columns = {name: getattr(self, name) for name in names}
        return {name: None if values is None else values[rows] for name, values in columns.items()}


def unpack(corpus, y, speaker, sex, *, regression: bool = False, several: bool = False) -> EvaluatedClips:
    """Clips, emotions and speakers; sexes, listeners' fractions and corpora where they are known.

    Raises
    ------
    ValueError
        If emotions or speakers are missing, or lengths differ.
    """
    X = corpus
    if y is None:
        target = "values" if regression else "target"
        if entry(corpus, "data") is None or entry(corpus, target) is None:
            raise ValueError(
                f"corpus must be a Bunch with data and {target}, as fetch_emodb returns it; or pass the clips and y. "
                f"Got {type(corpus).__name__} without y."
            )
        X, y = corpus.data, entry(corpus, target)
        speaker = getattr(corpus, "speaker", None) if speaker is None else speaker
    speaker = find_column(X, "speaker") if speaker is None else speaker
    if speaker is None:
        raise ValueError(
            "speaker must say who speaks in each clip, or speakers cannot be kept apart. Got speaker=None, and no "
            "column 'speaker' of a DataFrame; groups only tell cv what to keep apart."
        )
    sex = find_column(X, "sex") if sex is None else sex
    refuse_missing(y, "y")
    if regression or several:
        y = np.asarray(y, dtype=float if regression else int)
    y, speaker = y if regression or several else column_or_1d(y), complete(speaker, "speaker")
    known = (sex, *(find_column(X, name) for name in ("recognised", "corpus", "language")))
    clips = EvaluatedClips(X, y, speaker, *(None if values is None else column_or_1d(values) for values in known))
    check_consistent_length(*clips)
    if not regression and not several:
        check_classification_targets(clips.y)
    return clips


def entry(corpus, name: str):
    """Return a Bunch's entry, also where its name is that of a method of dictionaries; None if there is no entry."""
    return corpus.get(name) if isinstance(corpus, Mapping) else getattr(corpus, name, None)


def altered(conditions, X, random_state) -> dict:
    """The same clips under each condition, by its name. A clip suffers the same whatever other conditions there are.

    Raises
    ------
    TypeError, ValueError
        If conditions are neither "real-world" nor a dict of augmenters.
    """
    if conditions is None:
        return {}
    if isinstance(conditions, str) and conditions == "real-world":
        conditions = real_world_conditions(X)
    if not isinstance(conditions, Mapping):
        raise ValueError(
            "conditions must be 'real-world', or a dict of names to augmenters such as "
            f"{{'telephone': Telephone()}}. Got {short(conditions)}."
        )
    names = [str(name) for name in conditions]
    if CLEAN in names or len(set(names)) < len(names):
        raise ValueError(
            f"Every condition needs a name of its own, other than {short(CLEAN)}. Got {short(list(conditions))}."
        )
    seed = draw_seed(random_state)
    states = {name: np.random.RandomState([seed, zlib.crc32(str(name).encode())]) for name in conditions}
    return {str(name): augment_clips(X, augmenter, random_state=states[name]) for name, augmenter in conditions.items()}


def title_of(estimator) -> str:
    """Its steps with their parameters, each on one line, but for those that no prediction depends on."""
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    title = " > ".join(re.sub(r"\s+", " ", repr(step)) for step in steps)
    title = re.sub(rf"(?<=\()(?:{_AS_IT_RUNS}(?:, )?)+|, {_AS_IT_RUNS}", "", title)
    return re.sub(_ADDRESS, r"\1", title)


def name_of(estimator) -> str:
    """Its class, or those of its steps and of what is inside of them, without parameters."""
    if isinstance(estimator, Pipeline):
        return " > ".join(name_of(step) for _, step in estimator.steps if step not in (None, "passthrough"))
    inner, name = getattr(estimator, "estimator", None), type(estimator).__name__
    return name if inner is None else f"{name}({name_of(inner)})"


def tested(estimator, clips: EvaluatedClips, conditions, random_state, protocol: str) -> dict:
    """Arguments of a report on a fitted estimator: its predictions under all conditions, and what it is."""
    worlds = {CLEAN: clips.X, **altered(conditions, clips.X, random_state)}
    predicted = {name: np.asarray(estimator.predict(X)) for name, X in worlds.items()}
    return dict(
        y_true=clips.y,
        y_pred=predicted.pop(CLEAN),
        y_pred_conditions=predicted,
        random_state=random_state,
        title=title_of(estimator),
        name=name_of(estimator),
        protocol=licensed(protocol, estimator),
    )


def licensed(protocol: str, estimator) -> str:
    """The protocol, and the licences of the pretrained weights in the estimator, where their cards state one."""
    parts = [estimator, *(estimator.get_params() if hasattr(estimator, "get_params") else {}).values()]
    found = sorted({name for part in parts if isinstance(name := getattr(part, "license", None), str)})
    return f"{protocol}; licence of the weights: {', '.join(found)}" if found else protocol
