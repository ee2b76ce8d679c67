"""load_recognizer: a recognizer that is fitted already, from arrays that this package holds."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from ..discriminant import CalibratedDiscriminant
from ..features import HandcraftedFeatures
from ..preprocessing import BoundedScaler, WorldNormalizer
from ..preprocessing._world_statistics import WorldStatistics
from ..utils._messages import short
from ._recommended import _MODEL, _at_hand

_LAYERS = (2, 3, 4)
SHRINKAGE = {"whisper": 0.6, "handcrafted": 0.4}
STRENGTH = 10.0  # clips that EMO-DB counts for beside those of a new world; chosen, as the rest, on EMOVO and nEMO
_FEATURES = ("whisper", "handcrafted", "auto")


def load_recognizer(features="whisper", *, memory=None, n_jobs=None, verbose=None) -> Pipeline:
    """Fitted recognizer of anger, happiness, neutral and sadness, which needs no recordings to train on.

    It was trained on EMO-DB: ten German actors who act emotions in a studio, each clip as recorded and in altered
    copies. It is a start where there are no labels, and no measuring instrument: on speakers of other corpora and
    languages it is right in about three of five clips with Whisper, where guessing is right in one of four. `adapt`
    tells it how new recordings sound, by ten or more of them without labels, which mostly makes it right more often.

    Read more in the how-to: :doc:`no labels of my own </howto/no_labels>`.

    Parameters
    ----------
    features : {"whisper", "handcrafted", "auto"}, default="whisper"
        "whisper": means of three layers of Whisper's encoder, as by `WhisperFeatures`; its weights are downloaded once
        (290 MB), unless they are at hand. "handcrafted": `HandcraftedFeatures`, which need nothing. "auto":
        "whisper" where the weights are at hand, else "handcrafted", with a warning.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps the features of each clip.
    n_jobs : int or None, default=None
        Clips worked on at a time, by joblib.
    verbose : int or None, default=None
        None shows a progress bar over the clips where it takes longer than two seconds; 0 never does.

    Returns
    -------
    recognizer : Pipeline
        Fitted: `WorldNormalizer` around the features, `BoundedScaler`, `CalibratedDiscriminant`. It is saved by
        joblib, adapted by `adapt`, and put in `SegmentClassifier` or `FrozenEstimator` as any fitted pipeline.

    Raises
    ------
    ValueError
        If `features` is none of these, or the folder of "openai/whisper-base" holds another model.
    FileNotFoundError, ConnectionError
        With "whisper", if the weights are nowhere and cannot be downloaded.

    See Also
    --------
    adapt : Adapts it to new recordings without labels.
    make_recognizer : The recognizer to train where there are labels; on one's own, it is much better.

    Notes
    -----
    UAR on corpora that it was not trained on, as it is, and adapted by 10 and 30 clips without labels (drawn five
    times, not scored; chance is 0.25): "whisper" on EMOVO, Italian, 0.628, 0.619, 0.651; on nEMO, Polish (1,215 of
    its clips), 0.582, 0.618, 0.627. "handcrafted": 0.512,
    0.506, 0.517 and 0.341, 0.438, 0.457. Layers and shrinkage were chosen on these two.
    `examples/train_shipped.py --figures` measures.

    All four emotions are taken for equally frequent. The arrays are made by `examples/train_shipped.py`, of EMO-DB
    alone (CC0); the weights of Whisper are not among them (MIT).

    Examples
    --------
    >>> from sklearn_ser import adapt, load_recognizer, make_emotional_speech
    >>> clips = make_emotional_speech(12, random_state=0).data
    >>> recognizer = load_recognizer("handcrafted")
    >>> recognizer.classes_.tolist()
    ['anger', 'happiness', 'neutral', 'sadness']
    >>> adapt(recognizer, clips).predict_proba(clips).shape
    (12, 4)
    """
    if features not in _FEATURES:
        raise ValueError(f"features must be one of {list(_FEATURES)}. Got {short(features)}.")
    if features == "auto":
        features = _at_hand()
    with (files(__package__) / f"{features}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return from_arrays(extractor_of(features, memory, n_jobs, verbose), arrays)


def extractor_of(features: str, memory=None, n_jobs=None, verbose=None):
    """Make the unfitted extractor of a shipped recognizer."""
    given = dict(memory=memory, n_jobs=n_jobs, verbose=verbose)
    if features == "handcrafted":
        return HandcraftedFeatures(feature_set="default-v3", **given)
    from ..pretrained import WhisperFeatures  # not before it is wanted

    return WhisperFeatures(_MODEL, _LAYERS, trim=True, **given)


def from_arrays(extractor, arrays) -> Pipeline:
    """Put a fitted pipeline together from the arrays that `to_arrays` made of one."""
    verbose = extractor.verbose
    extractor.set_params(verbose=0).fit([np.zeros(8000, dtype=np.float32)])  # it learns nothing of clips
    extractor.set_params(verbose=verbose)
    n_features = len(extractor.get_feature_names_out())
    if n_features != len(arrays["mean"]):
        raise ValueError(
            f"The recognizer reads {len(arrays['mean'])} features, and {type(extractor).__name__} makes {n_features}: "
            f"the folder of {_MODEL} holds another model."
        )
    moments = (arrays[name].astype(np.float64) for name in ("mean", "variance"))
    normalizer = WorldNormalizer._of_statistics(extractor, WorldStatistics(int(arrays["n_clips"]), *moments), STRENGTH)
    scaler, discriminant = BoundedScaler(), CalibratedDiscriminant(float(arrays["shrinkage"]))
    scaler.mean_, scaler.scale_ = (arrays[name].astype(np.float64) for name in ("bounded_mean", "bounded_scale"))
    discriminant.classes_ = arrays["classes"]
    for name in ("coef", "intercept", "priors"):
        setattr(discriminant, f"{name}_", arrays[name].astype(np.float64))
    discriminant.temperature_ = float(arrays["temperature"])
    scaler.n_features_in_ = discriminant.n_features_in_ = len(scaler.mean_)
    return make_pipeline(normalizer, scaler, discriminant)


def to_arrays(pipeline: Pipeline, n_clips: int) -> dict[str, np.ndarray]:
    """Describe a fitted pipeline of one training world by plain arrays."""
    normalizer, scaler, discriminant = (step for _, step in pipeline.steps)
    small = dict(
        mean=normalizer.mean_,
        variance=normalizer._variance,
        bounded_mean=scaler.mean_,
        bounded_scale=scaler.scale_,
        coef=discriminant.coef_,
        intercept=discriminant.intercept_,
        priors=discriminant.priors_,
    )
    return {
        **{name: np.asarray(values, dtype=np.float32) for name, values in small.items()},
        "classes": np.asarray(discriminant.classes_, dtype=str),
        "temperature": np.asarray(discriminant.temperature_, dtype=np.float64),
        "shrinkage": np.asarray(discriminant.shrinkage, dtype=np.float64),
        "n_clips": np.asarray(n_clips, dtype=np.int64),
    }
