"""The published systems are unfitted pipelines of public estimators that fit, predict and are saved."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

import sklearn_ser
from sklearn_ser import AugmentedClassifier
from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.systems import (
    bledea_stacked_lstm,
    he_attention_blstm,
    he_autoencoder_blstm,
    he_blstm,
    he_svm,
    list_systems,
    mou2021_cnn_lstm,
    mou2021_nn,
    saleem_cnn_lstm,
)

SYSTEMS = {system.name: system for system in list_systems()}


@pytest.fixture(scope="module")
def clips():
    """20 clips of 0.7 to 1 s; neutral and sad ones differ in pitch."""
    rng = np.random.default_rng(0)
    y = np.repeat(["neutral", "sadness"], 10)
    clips = []
    for label in y:
        time = np.arange(rng.integers(11000, 16000)) / 16000
        pitch = 120 if label == "neutral" else 300
        buzz = sum(np.sin(2 * np.pi * pitch * k * time + k) / k for k in range(1, 12))
        clips.append((buzz + 0.05 * rng.normal(size=time.size)).astype(np.float32))
    return clips, y


def pipeline_of(system):
    return system.estimator if isinstance(system, AugmentedClassifier) else system


def test_names_are_unique_and_figures_are_shares():
    assert len(SYSTEMS) == len(list_systems()) == 17
    for system in list_systems():
        assert system.wa is None or 0 < system.wa < 1
        assert 0 < system.test_size < 1
        assert system.emotions is None or set(system.emotions) <= set(EMOTIONS)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_an_unfitted_pipeline_of_public_estimators(name):
    system = SYSTEMS[name].build(random_state=3, verbose=1)
    pipeline = pipeline_of(system)
    assert isinstance(pipeline, Pipeline)
    for _, step in pipeline.steps:
        public = getattr(sklearn_ser, type(step).__name__, None) is type(step)
        assert public or type(step).__module__.startswith("sklearn."), step
        assert not [attribute for attribute in vars(step) if attribute.endswith("_")]
    assert repr(clone(system)) == repr(system)
    if "svm" not in name:
        assert pipeline[-1].random_state == 3
        assert pipeline_of(SYSTEMS[name].build(epochs=7))[-1].epochs == 7
    assert pipeline[0].verbose == 1 and pipeline_of(SYSTEMS[name].build())[0].verbose == 0


@pytest.mark.parametrize("name", [name for name in SYSTEMS if "4 emotions" not in name and '"mel"' not in name])
def test_a_system_fits_predicts_and_is_saved(name, clips, tmp_path):
    X, y = clips
    system = SYSTEMS[name].build(random_state=0, epochs=1)
    small = {"classifier__lstm_units": 8, "classifier__batch_size": 8} if "mou2021_cnn_lstm" in name else {}
    if "saleem" in name:  # clips of a second have nothing 0.5 s later that is worth a training
        small = {
            "estimator__mel__offset": 0.0,
            "estimator__mel__duration": 1.0,
            "estimator__classifier__lstm_units": (8, 4),
        }
    if "autoencoder" in name or "attention" in name:
        small = {"kernels__n_kernels": 5, "kernels__max_iter": 5}
    system.set_params(**small).fit(X, y)
    joblib.dump(system, tmp_path / "system.joblib")
    predicted = system.predict(X)
    assert set(predicted) <= {"neutral", "sadness"}
    np.testing.assert_array_equal(joblib.load(tmp_path / "system.joblib").predict(X), predicted)
    if "svm" not in name:
        np.testing.assert_allclose(system.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_a_system_learns_and_repeats_itself(clips):
    X, y = clips
    systems = [mou2021_nn(random_state=1, epochs=15).fit(X, y) for _ in range(2)]
    assert systems[0].score(X, y) > 0.9
    np.testing.assert_array_equal(systems[0].predict_proba(X), systems[1].predict_proba(X))
    assert he_svm().fit(X, y).score(X, y) > 0.9


def test_the_system_as_published_reads_the_mel_axis(clips):
    X, y = clips
    for as_published, values_of_a_step, n_steps in ((True, 302, 200), (False, 200, 302)):
        system = saleem_cnn_lstm(as_published=as_published, random_state=0, epochs=1)
        system.set_params(augmenters=[], estimator__mel__offset=0.0, estimator__classifier__lstm_units=(4, 4)).fit(X, y)
        frames = system.estimator_[:-1].transform(X)
        assert frames.shape == (20, n_steps, values_of_a_step)
        assert np.isnan(frames).any() != as_published  # padding is a value to it, and the loudest


def test_saleem_as_published_reads_frequencies():
    system = saleem_cnn_lstm(as_published=True)
    assert [name for name, _ in system.estimator.steps] == ["mel", "flatten", "scaler", "mel_axis_first", "classifier"]


def test_the_system_as_published_knows_no_tables(clips):
    with config_context(transform_output="pandas"):
        system = saleem_cnn_lstm(as_published=True, random_state=0, epochs=1)
        system.set_params(augmenters=[], estimator__mel__offset=0.0, estimator__classifier__lstm_units=4).fit(*clips)
        assert system.predict(clips[0]).shape == (20,)


def test_the_four_scenarios_of_pooled_features(clips):
    X, y = clips
    for features, n_values in (("mel", 128), ("all", 170), ("no_zcr", 169)):
        pipeline = bledea_stacked_lstm(features)
        assert pipeline[:-1].fit_transform(X, y).shape == (20, n_values)
    assert isinstance(bledea_stacked_lstm("no_zcr", noise=True), AugmentedClassifier)
    with pytest.raises(ValueError, match=r"features must be one of \['mel', 'all', 'no_zcr'\]. Got 'mfcc'"):
        bledea_stacked_lstm("mfcc")


def test_hyperparameters_can_be_searched(clips):
    X, y = clips
    search = GridSearchCV(mou2021_nn(random_state=0, epochs=2), {"classifier__hidden_units": [(4,), (8, 4)]}, cv=2)
    assert len(search.fit(X, y).cv_results_["mean_test_score"]) == 2


def test_speakers_can_be_kept_apart_while_watching(clips, monkeypatch):
    from sklearn_ser.neural._classifier import NeuralClassifier

    seen, split = [], NeuralClassifier._split
    monkeypatch.setattr(
        NeuralClassifier, "_split", lambda self, y, groups, seed: seen.append(groups) or split(self, y, groups, seed)
    )
    X, y = clips
    speaker = np.tile(np.arange(5), 4)
    mou2021_nn(random_state=0, epochs=1).fit(X, y, classifier__groups=speaker)
    np.testing.assert_array_equal(seen[0], speaker)


@pytest.mark.parametrize(
    "system, published",
    [
        (he_blstm, dict(lstm_units=(128,), dense_units=(512,), pool_size=10, attention=False)),
        (he_autoencoder_blstm, dict(lstm_units=(128,), dense_units=(), pool_size=1, attention=False)),
        (he_attention_blstm, dict(lstm_units=(30, 30), dense_units=(), pool_size=1, attention=True)),
    ],
)
def test_networks_of_he_do_not_follow_the_defaults(system, published):
    """Which `AttentionBLSTMClassifier` may change; a published system stays."""
    params = system().named_steps["classifier"].get_params()
    published = published | dict(dropout=0.5, input_noise=0.1, learning_rate_schedule=None, initial_scale=None)
    assert {name: params[name] for name in published} == published


def test_docstrings_state_the_common_parameters():
    for function in (mou2021_cnn_lstm, saleem_cnn_lstm, he_attention_blstm):
        assert "<common" not in function.__doc__ and "epochs : int, default=" in function.__doc__


def test_the_list_prints_as_a_table_and_stays_a_list():
    systems = list_systems()
    lines = repr(systems).splitlines()
    assert isinstance(systems, list) and len(lines) == 2 + len(systems) and max(map(len, lines)) < 120
    assert lines[0].split("  ")[0] == "name" and "published WA" in lines[0]
    for system, line in zip(systems, lines[2:], strict=True):
        assert line.startswith(system.name) and system.paper in line and system.corpus in line
        assert line.endswith("-" if system.wa is None else f"{system.wa:.3f}")
        assert " at 0x" not in repr(system) and f"name={system.name!r}" in repr(system)
    assert len(repr(systems[:3]).splitlines()) == 5 and systems[3].name == "mou2021_nn, 4 emotions"
    assert systems + [] == list(systems) and str(systems) == repr(systems)
    assert len(repr(systems[:0]).splitlines()) == 2


def test_the_list_is_a_table_in_a_notebook():
    html = list_systems()._repr_html_()
    assert html.count("<tr>") == 1 + len(SYSTEMS) and "bledea_stacked_lstm(&quot;mel&quot;)" in html
    assert "ravdess, 7 emotions" in html and "0x" not in html
