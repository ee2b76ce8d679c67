"""Copies and segments of a clip never stand on both sides of a split below the meta-estimator that made them."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, RidgeClassifierCV, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    RandomizedSearchCV,
    ShuffleSplit,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, NuSVC

from sklearn_ser import AugmentedClassifier, BoundedScaler, CalibratedDiscriminant, SegmentClassifier, WaveformLoader

RNG = np.random.default_rng(0)
SPLITS = []  # clips that a Witness was fitted to, and clips that it was asked about


def louder(waveform, sr):
    return waveform + 0.01


class Numbered(TransformerMixin, BaseEstimator):
    """The number of each clip, which is its rounded level, and noise."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        number = np.array([np.round(np.mean(waveform)) for waveform in X])
        return np.column_stack([number, np.sin(7 * number), np.cos(3 * number)])


class Witness(ClassifierMixin, BaseEstimator):
    """Notes which clips it is asked about, beside those that it knows."""

    def __init__(self, value=0):
        self.value = value

    def fit(self, X, y, sample_weight=None):
        self.classes_, self.known_ = np.unique(y), set(np.asarray(X)[:, 0])
        self.coef_ = np.ones((1, np.shape(X)[1]))
        return self

    def predict_proba(self, X):
        SPLITS.append((self.known_, set(np.asarray(X)[:, 0])))
        first = np.random.default_rng(0).uniform(0.1, 0.9, len(X))
        return np.column_stack([first, *[(1 - first) / (len(self.classes_) - 1)] * (len(self.classes_) - 1)])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Told(CalibratedDiscriminant):
    """Checks that its groups are the clips."""

    def fit(self, X, y, groups=None):
        assert groups is not None and len(np.unique(groups)) == len(np.unique(X[:, 0]))
        SPLITS.append((set(), set(X[:, 0])))
        assert all(len(np.unique(X[groups == group, 0])) == 1 for group in np.unique(groups))
        return super().fit(X, y, groups)


CLIPS = [np.full(1600, float(k)) for k in range(24)]
LABELS = np.tile(["calm", "fear"], 12)


def metas(*steps):
    pipeline = make_pipeline(WaveformLoader(normalize=None), Numbered(), *steps)
    yield AugmentedClassifier(pipeline, [louder, louder], random_state=0)
    yield SegmentClassifier(pipeline, 0.05)
    yield SegmentClassifier(AugmentedClassifier(pipeline, [louder], random_state=0), 0.05)


GRID = {"value": [0, 1]}
WITNESSED = {
    "search": GridSearchCV(Witness(), GRID, cv=3),
    "random search": RandomizedSearchCV(Witness(), GRID, n_iter=2, cv=KFold(4, shuffle=True, random_state=0)),
    "search of a list of splits": GridSearchCV(
        Witness(), GRID, cv=[(np.arange(12), np.arange(12, 24)), (np.arange(12, 24), np.arange(12))]
    ),
    "calibration": CalibratedClassifierCV(Witness()),
    "calibration by one": CalibratedClassifierCV(Witness(), ensemble=False, cv=LeaveOneOut()),
    "stacking": StackingClassifier([("a", Witness()), ("b", Witness())], LogisticRegression()),
    "threshold": TunedThresholdClassifierCV(Witness(), cv=ShuffleSplit(3, random_state=0), scoring="accuracy"),
    "threshold by a fraction": TunedThresholdClassifierCV(Witness(), cv=0.25, scoring="accuracy"),
    "below a vote": VotingClassifier([("a", CalibratedClassifierCV(Witness()))], voting="soft"),
    "search in a vote": VotingClassifier([("a", GridSearchCV(Witness(), GRID))], voting="soft"),
    "one against all": OneVsRestClassifier(CalibratedClassifierCV(Witness(), cv=3)),
    "calibration in a search": GridSearchCV(CalibratedClassifierCV(Witness(), cv=2), {"method": ["sigmoid"]}, cv=3),
    "calibration in bagging": BaggingClassifier(CalibratedClassifierCV(Witness(), cv=2), 2, random_state=0),
}


@pytest.mark.parametrize("name", WITNESSED)
@pytest.mark.processes
def test_who_tunes_or_calibrates_splits_clips(name):
    for meta in metas(WITNESSED[name]):
        SPLITS.clear()
        meta.fit(CLIPS, LABELS)
        assert len(SPLITS) >= 1
        for known, asked in SPLITS:
            assert not known & asked or known == asked  # training scores, if any, are of the same clips


def test_selection_of_features_splits_clips():
    for step in (RFECV(Witness(), cv=3), SequentialFeatureSelector(Witness(), n_features_to_select=2, cv=3)):
        for meta in list(metas(step, LogisticRegression()))[:2]:
            SPLITS.clear()
            meta.fit(CLIPS, LABELS)
            # Features that were left out may hold the numbers of the clips: those cannot be told apart.
            assert SPLITS
            assert all(not known & asked for known, asked in SPLITS if all(v == round(v) for v in known | asked))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_folds_of_scikit_learn_s_own_searches_are_those_of_the_clips():
    """A linear model chooses among the same folds, whatever copies there are."""
    for last in (LogisticRegressionCV(Cs=2, cv=3, scoring="accuracy"), RidgeClassifierCV()):
        meta = next(metas(last)).fit(CLIPS, LABELS)
        folds = meta.estimator_[-1].cv.split(np.zeros((72, 1)), np.tile(LABELS, 3))
        clip = np.tile(np.arange(24), 3)
        n_folds = 0
        for train, test in folds:
            n_folds += 1
            assert not set(clip[train]) & set(clip[test]) and len(train) + len(test) == 72
        assert n_folds == (3 if isinstance(last, LogisticRegressionCV) else 5)


TOLD = {
    "last": Told(),
    "vote": VotingClassifier([("a", Told()), ("b", LogisticRegression())], voting="soft"),
    "vote in a vote": VotingClassifier([("a", VotingClassifier([("b", Told())], voting="soft"))], voting="soft"),
    "search": GridSearchCV(Told(), {"shrinkage": [0.3, 0.9]}, cv=3),
    "search of a pipeline": GridSearchCV(make_pipeline(Told()), {"told__shrinkage": [0.3]}, cv=3),
    "calibration": CalibratedClassifierCV(Told(), cv=3),
}


@pytest.mark.parametrize("name", TOLD)
def test_calibration_that_takes_groups_is_told_the_clips(name):
    for meta in metas(TOLD[name]):
        SPLITS.clear()
        meta.fit(CLIPS, LABELS)
        assert SPLITS


def test_the_user_s_groups_reach_splitters_inside(routing):
    speaker = np.repeat(np.arange(6), 4)
    for cv in (GroupKFold(3), 3):
        search = GridSearchCV(Witness(), GRID, cv=cv)
        if routing:
            if cv == 3:
                continue  # nobody requests groups
        SPLITS.clear()
        next(metas(search)).fit(CLIPS, LABELS, groups=speaker)
        assert len(SPLITS) == 6
        for known, asked in SPLITS:
            assert not {k // 4 for k in known} & {k // 4 for k in asked}


def test_groups_of_the_user_reach_calibration_in_a_vote():
    class Speakers(CalibratedDiscriminant):
        def fit(self, X, y, groups=None):
            assert set(groups) == set("ab")
            return super().fit(X, y, groups)

    meta = next(metas(VotingClassifier([("a", Speakers())], voting="soft")))
    assert set(meta.fit(CLIPS, LABELS, groups=np.tile(["a", "a", "b", "b"], 6)).predict(CLIPS)) == {"calm", "fear"}


def test_calibration_is_no_surer_inside_a_vote_than_alone():
    clips = [scale * RNG.normal(size=400) for scale in RNG.uniform(1, 2, 40)]
    y, temperatures = RNG.permutation(np.tile(["calm", "fear"], 20)), []

    def shape(waveform, sr):
        return waveform * 1.0001

    for last in (CalibratedDiscriminant(), VotingClassifier([("d", CalibratedDiscriminant())], voting="soft")):
        pipeline = make_pipeline(WaveformLoader(normalize=None), Stacked(), BoundedScaler(), last)
        fitted = AugmentedClassifier(pipeline, [shape, shape]).fit(clips, y).estimator_[-1]
        temperatures.append(getattr(fitted, "estimators_", [fitted])[0].temperature_)
    assert temperatures[0] == temperatures[1] > 1


class Stacked(Numbered):
    def transform(self, X):
        return np.stack(X)


REFUSED = {
    "HistGradientBoostingClassifier stops early": HistGradientBoostingClassifier(),
    "MLPClassifier stops early inside VotingClassifier": VotingClassifier([("a", MLPClassifier(early_stopping=True))]),
    "SGDClassifier stops early inside SelectFromModel": [
        SelectFromModel(SGDClassifier(early_stopping=True)),
        LogisticRegression(),
    ],
    r"SVC\(probability=True\) calibrates": SVC(probability=True),
    r"NuSVC\(probability=True\) calibrates": BaggingClassifier(NuSVC(probability=True)),
    "GridSearchCV tries early_stopping": GridSearchCV(MLPClassifier(), {"early_stopping": [False, True]}),
    "GridSearchCV tries CalibratedDiscriminant": GridSearchCV(
        make_pipeline(LogisticRegression()), {"logisticregression": [LogisticRegression(), CalibratedDiscriminant()]}
    ),
    "CalibratedDiscriminant holds clips out inside AdaBoostClassifier": AdaBoostClassifier(CalibratedDiscriminant()),
    "CalibratedDiscriminant holds clips out inside StackingClassifier": StackingClassifier(
        [("a", CalibratedDiscriminant())], LogisticRegression(), cv=3
    ),
}


@pytest.mark.parametrize("match", REFUSED)
def test_what_cannot_be_told_is_refused(match):
    steps = REFUSED[match] if isinstance(REFUSED[match], list) else [REFUSED[match]]
    for meta in metas(*steps):
        with pytest.raises(ValueError, match=f"{match}.*(copies|segments) of a clip would stand on both sides"):
            meta.fit(CLIPS, LABELS)


def test_weights_beside_what_must_be_told_want_routing():
    meta = next(metas(VotingClassifier([("a", CalibratedDiscriminant())], voting="soft")))
    with pytest.raises(ValueError, match="sample_weight cannot be given .*enable_metadata_routing=True"):
        meta.fit(CLIPS, LABELS, sample_weight=np.ones(24))
    calibrated = next(metas(CalibratedClassifierCV(Witness())))
    assert calibrated.fit(CLIPS, LABELS, sample_weight=np.ones(24)).predict(CLIPS).shape == (24,)


class OverSampler(BaseEstimator):
    """As those of imbalanced-learn."""

    def fit(self, X, y):
        return self

    def fit_resample(self, X, y):
        return np.concatenate([X, X[:2]]), np.concatenate([y, y[:2]])


def test_a_sampler_before_a_split_is_named():
    from sklearn_ser.utils._siblings import keep_together

    pipeline = make_pipeline(OverSampler(), CalibratedDiscriminant())
    with pytest.raises(ValueError, match="OverSampler changes the rows before CalibratedDiscriminant splits them"):
        keep_together(pipeline, np.tile(np.arange(3), 2), None, "copies", pipeline[-1])
    pipeline = make_pipeline(OverSampler(), LogisticRegression())
    assert keep_together(pipeline, np.tile(np.arange(3), 2), None, "copies", pipeline[-1]) == ([], False)


def test_imbalanced_learn_s_pipeline_trains_inside():
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    from imblearn.pipeline import make_pipeline as make_imbalanced

    for last in (LogisticRegression(), CalibratedDiscriminant()):
        sampler = over_sampling.RandomOverSampler(random_state=0)
        pipeline = make_imbalanced(WaveformLoader(normalize=None), Numbered(), sampler, last)
        meta = AugmentedClassifier(pipeline, [louder])
        if isinstance(last, LogisticRegression):
            assert len(meta.fit(CLIPS[:20], LABELS[:20]).predict(CLIPS)) == 24
        else:
            with pytest.raises(ValueError, match="RandomOverSampler changes the rows before CalibratedDiscriminant"):
                meta.fit(CLIPS[:20], LABELS[:20])


class Blind(ClassifierMixin, BaseEstimator):
    """A meta-estimator of somebody's that hands nothing on."""

    def __init__(self, inner=None):
        self.inner = inner

    def fit(self, X, y):
        self.inner_ = self.inner.fit(X[::-1], y[::-1])
        return self

    def predict(self, X):
        return self.inner_.predict(X)


def test_what_hides_in_somebody_s_own_estimator_is_refused():
    for inner in (CalibratedDiscriminant(), CalibratedClassifierCV(Witness())):
        for last in (Blind(inner), VotingClassifier([("a", CalibratedDiscriminant()), ("b", Blind(inner))])):
            with pytest.raises(ValueError, match="holds clips out inside Blind, where groups cannot reach it"):
                next(metas(last)).fit(CLIPS, LABELS)


def test_routing_is_as_it_was_after_fit():
    from sklearn import get_config

    for on in (False, True):
        with config_context(enable_metadata_routing=on):
            next(metas(VotingClassifier([("a", CalibratedDiscriminant())], voting="soft"))).fit(CLIPS, LABELS)
            assert get_config()["enable_metadata_routing"] is on
