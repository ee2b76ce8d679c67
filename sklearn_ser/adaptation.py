"""adapt: a fitted recognizer that knows a new world from some of its clips, without labels."""

from __future__ import annotations

import warnings
from copy import copy

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .audio import load_waveform
from .audio._input import as_clips
from .audio._row_expansion import in_form_of
from .preprocessing import BoundedScaler, WorldNormalizer
from .preprocessing._world_statistics import STRENGTH, WorldStatistics, scale_of
from .utils._columns import find_column
from .utils._messages import short
from .utils._sklearn_compat import _num_samples, _safe_indexing

__all__ = ["adapt"]

_FEW = 5  # clips, below which adapting changes little
_SILENT = 1e-4  # root mean square around the mean: -80 dB of full scale
_OTHER_INPUT = {"final_estimator_", "le_", "label_encoder_"}  # attributes that are fitted to something else than X


def adapt(recognizer, clips, *, speaker="speaker"):
    """Adapt a fitted recognizer to a new world by some of its clips, without labels.

    A world is what a set of recordings shares: corpus, room, microphone, language. Ten clips of it gain most, and a
    hundred nearly all. They should hold several speakers and emotions, as the clips to be recognized will.

    Parameters
    ----------
    recognizer : estimator
        Fitted: a Pipeline in which some step scales features or frames (`WorldNormalizer`, `BoundedScaler`,
        `StandardScaler`, `SpeakerNormalizer`, or one of them in `FrameWise`), such as `make_recognizer` makes; or an
        `AugmentedClassifier`, `SegmentClassifier`, `SelectiveClassifier`, vote, search or calibrated classifier of
        such pipelines. It stays as it is.
    clips : audio input of n_clips, or features or frames
        Clips of the new world, in any form that the recognizer takes. No clip has to be labeled.
    speaker : str or None, default="speaker"
        Column of `clips` that tells who speaks, if there is one: clips of a single speaker are warned of.

    Returns
    -------
    adapted : estimator
        A fitted copy with the attribute `n_adaptation_clips_`, the number of clips that it has been adapted to. It is
        saved and loaded as any other, and can be adapted by further clips, which are added to the first.

    Raises
    ------
    ValueError
        If no step scales, or all clips are silent.
    NotFittedError
        If the recognizer is not fitted.

    Warns
    -----
    UserWarning
        If there are fewer than five clips, all are of one speaker, or some are silent; silent ones are left out.

    See Also
    --------
    WorldNormalizer : Scales each training corpus by its own clips; with it, adapting gains most.
    make_recognizer : Makes such a pipeline.

    Notes
    -----
    The first scaler on the way of the clips is given a new mean and deviation: those of the `n` new clips, averaged
    with the training clips', which count for five; a `WorldNormalizer` has a `prior_strength` for this. No clip
    changes nothing, and a thousand decide alone. Where the recognizer finds that most of the clips are of one class, a
    `WorldNormalizer` does not take what they share for the sound of the world. Copies and segments of the clips are
    made as in training.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_ser import BoundedScaler, CalibratedDiscriminant, adapt
    >>> X = np.array([[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]])
    >>> pipeline = make_pipeline(BoundedScaler(), CalibratedDiscriminant(cv=0)).fit(X, ["calm"] * 3 + ["fear"] * 3)
    >>> adapted = adapt(pipeline, np.tile(X, (20, 1)) + 20)
    >>> pipeline.predict(X + 20).tolist()
    ['fear', 'fear', 'fear', 'fear', 'fear', 'fear']
    >>> adapted.predict(X + 20).tolist(), adapted.n_adaptation_clips_
    (['calm', 'calm', 'calm', 'fear', 'fear', 'fear'], 120)
    """
    check_is_fitted(recognizer)
    clips = _without_silence(recognizer, clips)
    n_clips = _num_samples(clips)
    if n_clips < _FEW:
        warnings.warn(
            f"{n_clips} clip(s) tell little of a new world: ten or more are better, of several speakers and emotions.",
            stacklevel=2,
        )
    speakers = None if speaker is None else find_column(clips, speaker)
    if speakers is not None and n_clips > 1 and len(set(speakers.tolist())) == 1:
        warnings.warn(
            f"All {n_clips} clips are of one speaker, {short(speakers[0])}: the recognizer is adapted to this voice, "
            "too. Where others are to be recognized, adapt it by clips of several speakers.",
            stacklevel=2,
        )
    adapted = _adapted(recognizer, clips, n_clips)
    if adapted is None:
        raise ValueError(
            f"No step of {type(recognizer).__name__} scales features or frames, so there is nothing to adapt. Put "
            "WorldNormalizer around the transformer that reads audio, or BoundedScaler or StandardScaler behind it."
        )
    adapted.n_adaptation_clips_ = getattr(recognizer, "n_adaptation_clips_", 0) + n_clips
    return adapted


def _without_silence(recognizer, clips):
    """Leave out silent clips, with a warning."""
    if not (_reads_audio(recognizer) and _num_samples(clips)):
        return clips
    heard = np.array(
        [load_waveform(clip, row=row).std() > _SILENT for row, clip in enumerate(as_clips(clips, "adapt"))]
    )
    silent = np.flatnonzero(~heard)
    if len(silent) == len(heard):
        raise ValueError(f"All {len(heard)} clips are silent, so they tell nothing of a new world.")
    if not len(silent):
        return clips
    warnings.warn(
        f"{len(silent)} silent clip(s) are left out, the first in row {silent[0]}: silence tells nothing of a world.",
        stacklevel=3,
    )
    return _safe_indexing(clips, np.flatnonzero(heard))


def _reads_audio(estimator) -> bool:
    while isinstance(estimator, Pipeline) and estimator.steps:
        estimator = next((step for _, step in estimator.steps if step not in (None, "passthrough")), None)
    if estimator is None:
        return False
    inner = next((vars(estimator)[name] for name in ("best_estimator_", "estimator_") if name in vars(estimator)), None)
    return bool(get_tags(estimator).input_tags.string) or (inner is not None and _reads_audio(inner))


def _adapted(estimator, X, n_clips: int):
    """Copy of a fitted estimator whose first scaler, or that of each member, is adapted; None where nothing scales."""
    if isinstance(estimator, Pipeline):
        return _adapted_pipeline(estimator, X, n_clips)
    if isinstance(estimator, WorldNormalizer):
        return estimator.adapted(X, n_clips)
    if isinstance(estimator, (StandardScaler, BoundedScaler)):
        return _adapted_scaler(estimator, X, n_clips)
    changed = _adapted_members(estimator, _training_rows(estimator, X), n_clips)
    if changed:
        other = copy(estimator)
        for name, value in changed.items():
            setattr(other, name, value)
        return other
    return estimator.adapted(X, n_clips) if hasattr(estimator, "adapted") else None


def _adapted_pipeline(pipeline: Pipeline, X, n_clips: int) -> Pipeline | None:
    for index, (name, step) in enumerate(pipeline.steps):
        if step is None or step == "passthrough":
            continue
        if isinstance(step, WorldNormalizer):
            found = step.adapted(X, n_clips, pipeline[index + 1 :] if index < len(pipeline.steps) - 1 else None)
        else:
            found = _adapted(step, X, n_clips)
        if found is not None:
            other = copy(pipeline)
            other.steps = [*pipeline.steps[:index], (name, found), *pipeline.steps[index + 1 :]]
            return other
        if index < len(pipeline.steps) - 1:
            X = step.transform(X)
    return None


def _adapted_members(estimator, X, n_clips: int) -> dict:
    """Fitted estimators among the attributes of one, adapted, by the name of the attribute."""
    if isinstance(estimator, FeatureUnion):
        names = ["transformer_list"]
    elif isinstance(estimator, FrozenEstimator) or not isinstance(estimator, BaseEstimator):
        names = ["estimator"]
    elif hasattr(estimator, "predict") or type(estimator).__module__.startswith(__package__):
        names = [name for name in vars(estimator) if name.endswith("_") and name not in _OTHER_INPUT]
    else:
        names = []
    known: dict[int, object] = {}  # one that stands in two places remains one

    def visit(value):
        if isinstance(value, (list, tuple)):
            members = [visit(each) for each in value]
            different = any(new is not old for new, old in zip(members, value, strict=True))
            return type(value)(members) if different else value
        if isinstance(value, dict):
            return (
                type(value)(**{key: visit(each) for key, each in value.items()}) if _holds_estimators(value) else value
            )
        if isinstance(value, type) or not (hasattr(value, "fit") or hasattr(value, "predict_proba")):
            return value
        if id(value) not in known:
            found = _adapted(value, X, n_clips)
            known[id(value)] = value if found is None else found
        return known[id(value)]

    values = {name: vars(estimator)[name] for name in names if name in vars(estimator)}
    return {name: new for name, old in values.items() if (new := visit(old)) is not old}


def _holds_estimators(mapping: dict) -> bool:
    return bool(mapping) and all(isinstance(key, str) and hasattr(each, "fit") for key, each in mapping.items())


def _adapted_scaler(scaler, X, n_clips: int):
    """Copy of a scaler with the mean and deviation of a new world."""
    other = copy(scaler)
    if scaler.scale_ is None and not scaler.with_mean:
        return other
    trained = vars(scaler).get("_trained_on", (scaler.mean_, scaler.scale_))
    other._trained_on = trained
    values = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
    other._new_world = WorldStatistics.of(values, n_clips).merged(vars(scaler).get("_new_world"))
    scale = 1.0 if trained[1] is None else trained[1]
    mean, variance = other._new_world.shrunk(trained[0], np.square(scale), STRENGTH)
    other.mean_ = mean
    if trained[1] is not None:
        other.scale_ = scale_of(variance, mean)
        if hasattr(other, "var_"):
            other.var_ = other.scale_**2
    other.n_adaptation_clips_ = other._new_world.n_clips
    return other


def _training_rows(estimator, X):
    """Clips as a meta-estimator gives them to its estimator in training: with their copies, or in segments."""
    expand = getattr(estimator, "_augment", None) or getattr(estimator, "_segments", None)
    if expand is None:
        return X
    rows, parts = expand(as_clips(X))
    return in_form_of(X, parts, rows)
