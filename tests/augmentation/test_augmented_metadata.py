"""Copies carry what belongs to their clips: groups, weights, and the split of early stopping."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from helpers import LABELS, PassOn, Recorder, inverted, quieter
from sklearn.ensemble import GradientBoostingClassifier, VotingClassifier
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from sklearn_ser import (
    AddNoise,
    AugmentedClassifier,
    CNNLSTMClassifier,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
)

SVM = make_pipeline(HandcraftedFeatures(), SVC())


# ---------------------------------------------------------------------------- metadata, and the split of early stopping


def test_rows_are_the_groups_of_early_stopping_where_the_user_gives_none(tones, routing):
    for recorder in (Recorder(early_stopping=True), Recorder(early_stopping=np.True_)):
        for estimator in (
            recorder,
            make_pipeline(PassOn(), recorder),
            make_pipeline(make_pipeline(PassOn(), recorder)),
        ):
            fitted = AugmentedClassifier(estimator, [inverted, quieter]).fit(tones, LABELS).estimator_
            while isinstance(fitted, Pipeline):
                fitted = fitted[-1]
            assert list(fitted.groups_) == [0, 1, 2, 3, 4, 5] * 3


def test_the_user_s_groups_go_before(tones, routing):
    final, step = Recorder(early_stopping=True), PassOn()
    if routing:
        final.set_fit_request(groups=True, sample_weight=True)
        step.set_fit_request(groups=False)
    classifier = AugmentedClassifier(make_pipeline(step, final), [inverted])
    weight = np.arange(6.0)
    fitted = classifier.fit(tones, LABELS, sample_weight=weight, groups=list("uuvvww")).estimator_
    assert list(fitted[-1].groups_) == list("uuvvww") * 2 and list(fitted[-1].sample_weight_) == list(weight) * 2
    assert fitted[0].groups_ is None


def test_parameters_of_steps_are_repeated_as_a_pipeline_names_them(tones):
    classifier = AugmentedClassifier(make_pipeline(PassOn(), Recorder(early_stopping=True)), [inverted])
    params = {"passon__groups": list("xxyyzz"), "recorder__groups": pd.Series(list("uuvvww"))}
    fitted = classifier.fit(tones, LABELS, **params).estimator_
    assert list(fitted[0].groups_) == list("xxyyzz") * 2
    assert list(fitted[-1].groups_) == list("uuvvww") * 2


def test_requests_under_other_names_are_met(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        step, final = PassOn().set_fit_request(groups=True), Recorder(early_stopping=True)
        classifier = AugmentedClassifier(make_pipeline(step, final.set_fit_request(groups="speaker")), [inverted])
        fitted = classifier.fit(tones, LABELS, speaker=list("uuvvww"), groups=list("xxyyzz")).estimator_
        assert list(fitted[0].groups_) == list("xxyyzz") * 2
        assert list(fitted[-1].groups_) == list("uuvvww") * 2
        # Groups that another step asks for are the user's, not the rows.
        fitted = classifier.fit(tones, LABELS, groups=list("xxyyzz")).estimator_
        assert list(fitted[0].groups_) == list("xxyyzz") * 2
        assert list(fitted[-1].groups_) == [0, 1, 2, 3, 4, 5] * 2
        assert (
            final.get_metadata_routing().fit.requests["groups"] == "speaker"
        )  # the user's own estimator is left alone


def test_groups_reach_split_and_classifier_in_a_cross_validation(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        final = Recorder(early_stopping=True).set_fit_request(groups=True)
        classifier = AugmentedClassifier(make_pipeline(final), [inverted])
        folds = cross_validate(
            classifier, tones, LABELS, params={"groups": [0, 1, 2, 0, 1, 2]}, cv=GroupKFold(3), return_estimator=True
        )
    seen = [list(fitted.estimator_[-1].groups_) for fitted in folds["estimator"]]
    assert sorted(seen) == [[0, 1, 0, 1] * 2, [0, 2, 0, 2] * 2, [1, 2, 1, 2] * 2]


def test_metadata_that_nobody_requested_is_refused_with_routing(tones):
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = AugmentedClassifier(make_pipeline(Recorder()), [inverted])
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="groups"):
            classifier.fit(tones, LABELS, groups=LABELS)


def test_a_split_that_would_part_copies_is_refused(tones):
    for final in (MLPClassifier(early_stopping=True), GradientBoostingClassifier(n_iter_no_change=3)):
        classifier = AugmentedClassifier(make_pipeline(HandcraftedFeatures(), final), [inverted])
        with pytest.raises(
            ValueError, match=f"{type(final).__name__} stops early .*copies of a clip would stand on both"
        ):
            classifier.fit(tones, LABELS)
    AugmentedClassifier(make_pipeline(HandcraftedFeatures(), GradientBoostingClassifier()), [inverted]).fit(
        tones, LABELS
    )


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(8), 4)])
@pytest.mark.neural
def test_copies_stay_on_one_side_of_the_neural_classifier_s_split(groups, routing, monkeypatch):
    rng, splits = np.random.default_rng(0), []
    clips, y = [rng.normal(size=n) for n in rng.integers(800, 1200, 32)], np.tile(["calm", "fear"], 16)
    split = CNNLSTMClassifier._split

    def recorded(self, y, groups, seed):
        splits.append(split(self, y, groups, seed))
        return splits[-1]

    monkeypatch.setattr(CNNLSTMClassifier, "_split", recorded)
    network = CNNLSTMClassifier(filters=[2], epochs=1, early_stopping=True, random_state=0)
    if routing:
        network.set_fit_request(groups=True)
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=4, n_fft=256, hop_length=128), network)
    classifier = AugmentedClassifier(pipeline, [AddNoise(snr=10), AddNoise(snr=20)], random_state=0)
    classifier.fit(clips, y, groups=groups)
    (train, held_out), row = splits[0], np.tile(np.arange(32), 3)
    assert train.size + held_out.size == 96 and held_out.size > 0
    assert not np.intersect1d(row[train], row[held_out]).size
    if groups is not None:
        assert not np.intersect1d(groups[row[train]], groups[row[held_out]]).size


def test_groups_reach_early_stopping_through_another_of_its_kind(tones, routing):
    inner = make_pipeline(AugmentedClassifier(make_pipeline(Recorder(early_stopping=True)), [quieter]))
    fitted = AugmentedClassifier(inner, [inverted]).fit(tones, LABELS).estimator_[-1].estimator_[-1]
    assert list(fitted.groups_) == [0, 1, 2, 3, 4, 5] * 4


def test_early_stopping_where_groups_do_not_reach_is_refused(tones):
    hiding = VotingClassifier([("stopping", Recorder(early_stopping=True))])
    classifier = AugmentedClassifier(hiding, [AddNoise(snr=10)])
    with pytest.raises(ValueError, match="Recorder stops early inside .*copies of a clip would stand on both sides"):
        classifier.fit(tones, LABELS)


def test_an_augmenter_that_was_not_made_is_refused(tones):
    with pytest.raises(TypeError, match=r"such as AddNoise\(snr=20\). Got <class"):
        AugmentedClassifier(Recorder(), [AddNoise]).fit(tones, LABELS)
