"""make_recognizer: the recommended recognizer."""

from __future__ import annotations

import warnings

from sklearn.pipeline import Pipeline, make_pipeline

from ..augmentation import AugmentedClassifier, AugmentedRegressor, real_world_augmenters
from ..calibrated_ridge import CalibratedRidge
from ..discriminant import CalibratedDiscriminant
from ..features import HandcraftedFeatures
from ..preprocessing import BoundedScaler, WorldNormalizer
from ..utils._messages import short

_MODEL = "openai/whisper-base"
_LAYERS = (3, 4)
_SHRINKAGE = {"whisper": (0.6, 0.6), "handcrafted": (0.2, 0.2)}  # of clean clips, and of these and their copies


def make_recognizer(
    features="whisper",
    *,
    task="emotions",
    robust=True,
    random_state=None,
    memory=None,
    n_jobs=None,
    verbose=None,
):
    """Speech emotion recognizer to begin with: audio input in, emotions and calibrated probabilities out.

    Parameters
    ----------
    features : {"whisper", "handcrafted", "auto"}, default="whisper"
        "whisper": `WhisperFeatures`, means and deviations of two layers of a pretrained speech encoder, which
        recognizes most; its weights are downloaded the first time, unless they are at hand. "handcrafted":
        `HandcraftedFeatures`, which need nothing and take a tenth of the time. "auto": "whisper" where the weights are
        at hand, else "handcrafted", with a warning that says how to get them.
    task : {"emotions", "values"}, default="emotions"
        "values": y is (n_clips,) or (n_clips, n_values), such as arousal and valence, and the last step is
        `CalibratedRidge`. Pass speakers to `fit` as `groups` (without copies, as `calibratedridge__groups`).
    robust : bool, default=True
        If True, train on altered copies of each clip, too (`real_world_augmenters`), so that noise, telephones, rooms
        and other microphones disturb less. Training then takes a few times as long; prediction does not.
    random_state : int, RandomState instance or None, default=None
        Seeds the copies.
    memory : str, PathLike, joblib.Memory or None, default=None
        Folder that keeps the features of each clip, so that a second fit, and each fold, takes seconds.
    n_jobs : int or None, default=None
        Clips worked on at a time, by joblib.
    verbose : int or None, default=None
        None shows a progress bar over the clips in a terminal or notebook, where `fit` takes longer than two seconds; 0
        never does.

    Returns
    -------
    recognizer : AugmentedClassifier, AugmentedRegressor or Pipeline
        Unfitted. The pipeline is `WorldNormalizer` around the features, `BoundedScaler`, `CalibratedDiscriminant`
        or `CalibratedRidge`.
        Where X has a column `corpus`, each training corpus is scaled by its own clips.

    Raises
    ------
    ValueError
        If `features` or `task` is none of these.

    Warns
    -----
    UserWarning
        With "auto", if the weights are not at hand.

    See Also
    --------
    adapt : Adapts the fitted recognizer to another corpus, room or language by clips without labels.
    SelectiveClassifier : Says "unknown" of clips that are unlike the training clips (``novelty=True``), or not sure.
    evaluate : Tells how well unseen speakers are recognized, under real-world conditions, too.

    Examples
    --------
    >>> from sklearn_ser import make_emotional_speech, make_recognizer
    >>> corpus = make_emotional_speech(20, random_state=0)
    >>> recognizer = make_recognizer("handcrafted", robust=False).fit(corpus.data, corpus.target)
    >>> recognizer.predict_proba(corpus.data[:2]).shape
    (2, 4)
    """
    if features not in (*_SHRINKAGE, "auto"):
        raise ValueError(f"features must be one of {[*_SHRINKAGE, 'auto']}. Got {short(features)}.")
    if task not in ("emotions", "values"):
        raise ValueError(f"task must be 'emotions' or 'values'. Got {short(task)}.")
    if features == "auto":
        features = _at_hand()
    if features == "whisper":
        from ..pretrained import WhisperFeatures  # not before it is wanted: handcrafted pipelines go without Keras

        given = dict(memory=memory, n_jobs=n_jobs, verbose=verbose)
        extractor = WhisperFeatures(_MODEL, _LAYERS, pooling="mean_std", trim=True, **given)
    else:
        extractor = HandcraftedFeatures(memory=memory, n_jobs=n_jobs, verbose=verbose)
    shrinkage = _SHRINKAGE[features][bool(robust)]
    last = CalibratedRidge() if task == "values" else CalibratedDiscriminant(shrinkage)
    pipeline: Pipeline = make_pipeline(WorldNormalizer(extractor), BoundedScaler(), last)
    if not robust:
        return pipeline
    augmented = AugmentedRegressor if task == "values" else AugmentedClassifier
    return augmented(pipeline, real_world_augmenters(), random_state=random_state)


def _at_hand() -> str:
    from ..pretrained._hub import local_model

    if local_model(_MODEL) is not None:
        return "whisper"
    warnings.warn(
        f"Handcrafted features are used, because the weights of {_MODEL} are not at hand. To get them (290 MB), "
        f"once: make_recognizer() downloads them in fit; or `hf download {_MODEL} config.json model.safetensors`.",
        stacklevel=3,
    )
    return "handcrafted"
