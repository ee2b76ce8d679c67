"""evaluate: speaker-independent cross-validation."""

from __future__ import annotations

import warnings
from contextlib import closing

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy.stats import rankdata
from sklearn import get_config
from sklearn.base import clone, is_regressor
from sklearn.model_selection import LeaveOneGroupOut, check_cv
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.multiclass import type_of_target

from ..audio._shared import SharedResults, sharing
from ..augmentation import AugmentedClassifier, AugmentedRegressor
from ..model_selection import StratifiedSpeakerKFold
from ..utils._columns import complete
from ..utils._random import draw_seed
from ..utils._sklearn_compat import _safe_indexing
from ._evaluated import CLEAN, altered, entry, licensed, name_of, title_of, unpack
from ._multilabel import MultilabelReport
from ._progress import FoldsProgress
from ._report import EvaluationReport
from ._value_report import ValueReport, names_of

MANY_SPEAKERS = 12  # of more, leaving out one at a time takes longer than it tells
_FOLDS_OF_MANY = 10


def evaluate(
    estimator,
    corpus,
    y=None,
    *,
    speaker=None,
    sex=None,
    cv=None,
    groups=None,
    params=None,
    conditions=None,
    leakage=False,
    n_boot=2000,
    confidence_level=0.95,
    random_state=0,
    n_jobs=None,
    verbose=None,
):
    """Report how well an estimator recognizes emotions, or predicts values, of speakers whom it was not trained on.

    A copy of the estimator is fitted in each fold, the predictions of all folds are pooled, and then scored. Each clip
    is decoded and analyzed once in a call, however many folds ask for it.

    Parameters
    ----------
    estimator : classifier or regressor
        From audio input to emotions, or to values such as arousal; usually a Pipeline. It is cloned, not fitted.
    corpus : Bunch or audio input of n_clips
        Result of `fetch_*` or `load_*`, with `data`, `target` and `speaker`; or the clips themselves, with `y` (and
        `speaker`, unless it is a column of the DataFrame).
    y : array-like of shape (n_clips,), for a regressor also (n_clips, n_dimensions), or None, default=None
        Emotions, or an indicator matrix of several emotions a clip, or values; None takes the corpus' `target`, or its
        `values`. The columns of a DataFrame name the dimensions or labels.
    speaker : array-like of shape (n_clips,) or None, default=None
        Speakers; None takes the corpus' `speaker`, or else the DataFrame's column.
    sex : array-like of shape (n_clips,) or None, default=None
        Sex of the speakers; None takes the DataFrame's column, if there is one. In the same way the column
        `recognised`, the fraction of listeners who recognized a clip, is taken.
    cv : int, cross-validation splitter, iterable of (train, test) or None, default=None
        None leaves out one speaker at a time, or, of more than 12 speakers, a tenth of them in each of ten folds. An
        int is a number of folds with different speakers and, as far as can be, the same proportions of emotions, women
        and men (`StratifiedSpeakerKFold`).
    groups : array-like of shape (n_clips,) or None, default=None
        Groups that `cv` keeps apart; None keeps apart the speakers. IEMOCAP's sessions of two speakers each are groups,
        too.
    params : dict of array-like of shape (n_clips,) or None, default=None
        More arguments of `fit`, as in `cross_validate`: each fold gets its rows, for example
        ``params={"cnnlstmclassifier__groups": corpus.speaker}`` for early stopping on other speakers. With metadata
        routing, an estimator that requests `groups` gets them without being told.
    conditions : "real-world", dict of str to augmenter, or None, default=None
        Alterations of the clips that are tested, besides testing them as they are: the models are fitted once, to clips
        as they are. "real-world" takes noise, babble, a telephone, a room and others from
        :func:`~sklearn_ser.augmentation.real_world_conditions`. A dict holds them by name, such as
        ``{"telephone": Telephone(), "street": AddBackground("street", 10)}``. Each takes as long as predicting does.
        The estimator must take audio input, not features that were extracted before.
    leakage : bool, default=False
        If True, evaluate again on a random stratified split of the same sizes, with the same speakers on both
        sides, to see how much too good that would look. Fits as many models again, to clips that are analyzed already.
    n_boot : int, default=2000
        Resamples of speakers that intervals are made of.
    confidence_level : float, default=0.95
        How often intervals shall cover the true value.
    random_state : int, RandomState instance or None, default=0
        Seeds the random split, the conditions and the resampling; the estimator has a `random_state` of its own.
    n_jobs : int or None, default=None
        Folds that are fitted at a time, by joblib.
    verbose : int or None, default=None
        None shows a progress bar in a terminal or notebook, if it takes longer than two seconds, with an estimate of
        the time that is left; 0 never does; above 0, it is shown anywhere, and stays.

    Returns
    -------
    report : EvaluationReport, or ValueReport of a regressor, or MultilabelReport of several labels a clip
        Print it.

    Raises
    ------
    ValueError
        If emotions or speakers are missing, there are less than two groups, `cv` tests a clip more than once or
        trains on it, `conditions` are none, or `leakage` is asked of a split that has the same speakers on both sides
        itself.

    Warns
    -----
    UserWarning
        If `cv` trains on speakers that it tests on.

    See Also
    --------
    compare : Test whether two reports differ.
    EvaluationReport.from_estimator : Report on a fitted model and a corpus that it was not trained on.

    Notes
    -----
    Results of audio transformers (`AudioTransformer`) are kept until the call ends, in memory while that takes
    less than 256 MB, then in a temporary folder; with `n_jobs`, all processes share the folder. A transformer with a
    `memory` of its own uses that. An `AugmentedClassifier` without a `random_state` draws one seed for the call, so
    that all folds make the same copies of a clip. Results are the same to the bit as without sharing. Files are taken
    not to change during the call.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_ser.metrics import evaluate
    >>> rng = np.random.default_rng(0)
    >>> y, speaker = np.tile(["anger", "fear"], 30), np.repeat(list("abcdef"), 10)
    >>> X = rng.normal(size=(60, 2)) + 2 * (y == "fear")[:, np.newaxis]
    >>> report = evaluate(LogisticRegression(), X, y, speaker=speaker)
    >>> round(report.uar, 2)
    0.93
    """
    regression = is_regressor(estimator)
    given = entry(corpus, "values" if regression else "target") if y is None else y
    several = not regression and _is_indicator(given)
    clips = unpack(corpus, y, speaker, sex, regression=regression, several=several)
    X, y, speaker = clips.X, clips.y, clips.speaker
    strata = _strata(y) if regression or several else y
    groups = speaker if groups is None else complete(groups, "groups")
    params = {} if params is None else dict(params)
    check_consistent_length(X, groups, *params.values())
    splits = _splits(cv, X, strata, groups)
    tested = np.sort(np.concatenate([test for _, test in splits]))
    n_leaking = sum(bool(np.intersect1d(speaker[train], speaker[test]).size) for train, test in splits)
    if n_leaking and leakage:
        raise ValueError(
            "leakage=True compares a random split with one that keeps speakers apart, but cv has the same speakers "
            f"on both sides in {n_leaking} of {len(splits)} folds. Leave cv=None, or use a splitter of groups."
        )
    if n_leaking:
        warnings.warn(
            f"In {n_leaking} of {len(splits)} folds speakers are tested that were trained on: the scores are too good "
            "for unseen speakers. cv=None keeps them apart.",
            UserWarning,
            stacklevel=2,
        )
    if "groups" not in params and _requests_groups(estimator):
        params["groups"] = groups
    kinds = [(splits, {CLEAN: X, **altered(conditions, X, random_state)})]
    if leakage:
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
        kinds.append((_random_splits(splits, strata, rng), {CLEAN: X}))
    predicted, *random = _predict(estimator, X, y, kinds, params, n_jobs, verbose)
    known = clips.known(tested)
    report: type = EvaluationReport
    if regression or several:
        known.pop("recognised")
        known |= dict(dimensions=names_of(given)) if regression else dict(labels=getattr(given, "columns", None))
        report = ValueReport if regression else MultilabelReport
    return report(
        y[tested],
        predicted.pop(CLEAN),
        **known,
        y_pred_random=random[0][CLEAN] if leakage else None,
        y_pred_conditions=predicted or None,
        n_boot=n_boot,
        confidence_level=confidence_level,
        random_state=random_state,
        title=title_of(estimator),
        name=name_of(estimator),
        protocol=licensed(_protocol(splits, speaker, n_leaking, len(tested)), estimator),
    )


def _is_indicator(y) -> bool:
    """Return whether y is an indicator matrix, which says of each label whether a clip has it."""
    return len(np.shape(y)) == 2 and np.shape(y)[1] > 1 and type_of_target(np.asarray(y)) == "multilabel-indicator"


def _strata(values: np.ndarray) -> np.ndarray:
    """A fifth that each clip is in, by the mean of its dimensions' ranks, so that folds are alike in values."""
    columns = values.reshape(len(values), -1).T
    return (5 * rankdata(np.mean([rankdata(column) for column in columns], axis=0), "ordinal") - 1) // len(values)


def _splits(cv, X, y, groups) -> list:
    """The folds, as (train, test) indices."""
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise ValueError(f"Keeping groups (speakers) apart takes at least two of them. Got {n_groups}.")
    if cv is None:
        cv = LeaveOneGroupOut() if n_groups <= MANY_SPEAKERS else _FOLDS_OF_MANY
    if isinstance(cv, (int, np.integer)):
        if not 2 <= cv <= n_groups:
            raise ValueError(
                f"cv must be at least 2 and at most the number of groups (speakers), {n_groups}. Got cv={cv}."
            )
        cv = StratifiedSpeakerKFold(int(cv))
    rows = np.arange(len(y))
    with warnings.catch_warnings():  # what `evaluate` says of such a splitter says more
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        splits = [(rows[train], rows[test]) for train, test in check_cv(cv).split(X, y, groups)]
    splits = [(train, test) for train, test in splits if len(test)]  # a splitter can leave a fold empty
    times_tested = np.bincount(np.concatenate([test for _, test in splits]), minlength=len(y))
    if times_tested.max() > 1:
        raise ValueError(
            "cv must test each clip at most once, because predictions are pooled. "
            f"Got {len(splits)} folds that test clip {times_tested.argmax()} twice or more."
        )
    if any(np.intersect1d(train, test).size for train, test in splits):
        raise ValueError("cv must not test a clip that it trains on. Got a fold with the same clip on both sides.")
    return splits


def _random_splits(splits, y, rng) -> list:
    """Folds of the same sizes over the same clips, with equal proportions of emotions in each, whoever speaks."""
    tested = np.concatenate([test for _, test in splits])
    by_emotion = tested[np.lexsort((rng.random(len(tested)), y[tested]))]
    # Each fold's places are spread evenly over the clips in order of their emotion.
    places = [(np.arange(len(test)) + rng.random()) / len(test) for _, test in splits]
    fold = np.repeat(np.arange(len(splits)), list(map(len, places)))[np.argsort(np.concatenate(places))]
    random = []
    for number, (train, _) in enumerate(splits):
        test = by_emotion[fold == number]
        rest = np.setdiff1d(np.arange(len(y)), test)
        rest = rest[np.lexsort((rng.random(len(rest)), y[rest]))]
        random.append((np.sort(rest[np.arange(len(train)) * len(rest) // len(train)]), test))
    return random


def _requests_groups(estimator) -> bool:
    return get_config()["enable_metadata_routing"] and bool(
        get_routing_for_object(estimator).consumes("fit", ["groups"])
    )


def _predict(estimator, X, y, kinds, params, n_jobs, verbose) -> list[dict]:
    """Predictions of all clips that are tested, in the order of the clips, by condition; for each kind of split."""
    folds = [(train, test, worlds) for splits, worlds in kinds for train, test in splits]
    estimator = _with_seeds(estimator)
    in_this_process = effective_n_jobs(n_jobs) == 1
    with (
        FoldsProgress(
            len(folds), len(y), [len(train) for train, _, _ in folds], _n_altered(kinds), verbose
        ) as progress,
        closing(SharedResults(progress=progress if in_this_process else None)) as shared,
    ):
        run, results = Parallel(n_jobs=n_jobs, return_as="generator"), []
        for predicted in run(
            delayed(_fit_predict)(
                clone(estimator),
                *(X, y, train, {name: _safe_indexing(clips, test) for name, clips in worlds.items()}, params, shared),
            )
            for train, test, worlds in folds
        ):
            results.append(predicted)
            progress.fold_done()
    results, pooled = iter(results), []
    for splits, worlds in kinds:
        order = np.argsort(np.concatenate([test for _, test in splits]))
        found = [next(results) for _ in splits]
        pooled.append({name: np.concatenate([fold[name] for fold in found])[order] for name in worlds})
    return pooled


def _n_altered(kinds) -> int:
    """Altered clips that are predicted."""
    return sum((len(worlds) - 1) * len(test) for splits, worlds in kinds for _, test in splits)


def _with_seeds(estimator):
    """A clone in which augmented classifiers have a seed, so that all folds make the same copies of a clip."""
    copy = clone(estimator)
    given = {id(value) for value in [estimator, *estimator.get_params().values()]}
    for part in [copy, *copy.get_params().values()]:
        # An object that cloning leaves as it is, a frozen estimator for one, belongs to the user.
        if (
            isinstance(part, (AugmentedClassifier, AugmentedRegressor))
            and part.random_state is None
            and id(part) not in given
        ):
            part.set_params(random_state=draw_seed(None))
    return copy


def _fit_predict(estimator, X, y, train, tested: dict, params, shared) -> dict:
    """Fit to the clips of `train` and return predictions for other clips, by condition."""
    given = {name: _safe_indexing(values, train) for name, values in params.items()}
    with sharing(shared):
        estimator.fit(_safe_indexing(X, train), y[train], **given)
        predicted = {CLEAN: np.asarray(estimator.predict(tested[CLEAN]))}
    for name in tested.keys() - {CLEAN}:  # no other fold tests these clips under this condition
        with closing(SharedResults(progress=shared.progress)) as own, sharing(own):
            predicted[name] = np.asarray(estimator.predict(tested[name]))
    return predicted


def _protocol(splits, speaker, n_leaking, n_tested) -> str:
    """Describe the protocol in words."""
    n_folds, most = len(splits), max(len(np.unique(speaker[test])) for _, test in splits)
    if n_leaking:
        text = f"{n_folds} folds, {n_leaking} of which have speakers on both sides, so that the scores are too good"
    elif most == 1:
        text = f"{n_folds} folds: each speaker is recognized by a model that was trained on others"
    else:
        text = f"{n_folds} folds of up to {most} speakers, who are recognized by a model that was trained on others"
    if n_tested < len(speaker):
        text += f"; {len(speaker) - n_tested} of {len(speaker)} clips were never tested"
    return text
