"""Displays of importances, of embeddings and of robustness: what they measure, and that it can be read."""

import sys

import numpy as np
import pandas as pd
import pytest
from drawing import assert_words_are_apart_and_inside, luminance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AddNoise,
    AugmentedClassifier,
    EmbeddingDisplay,
    EvaluationReport,
    FamilyImportanceDisplay,
    Functionals,
    HandcraftedFeatures,
    LowLevelDescriptors,
    MelSpectrogramTransformer,
    RobustnessDisplay,
    evaluate,
    make_emotional_speech,
    make_recognizer,
)
from sklearn_ser.plotting._families import resolve_families
from sklearn_ser.plotting._palette import MOST_SHAPES, colours_of, shapes_of

pytestmark = pytest.mark.usefixtures("plt")  # figures are closed after each test

EMOTIONS = ["anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
THIRTEEN = sorted([*EMOTIONS, "amusement", "contempt", "interest", "pride"])


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(48, n_speakers=4, random_state=0)


def table(n_speakers=8, n_each=12, seed=0):
    """Two columns that tell the emotion, each as well as both; one that tells the speaker; one that tells nothing."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat([f"s{s:02d}" for s in range(n_speakers)], n_each)
    y = np.tile(["anger", "fear", "joy"], n_speakers * n_each // 3)
    code = np.unique(y, return_inverse=True)[1].astype(float)
    X = np.column_stack([code, code, np.unique(speaker, return_inverse=True)[1], np.zeros(len(y))])
    return X + 0.05 * rng.normal(size=X.shape), y, speaker


FAMILIES = {"emotion": [0, 1], "voice": [2], "noise": [3]}


# ----------------------------------------------------------------------------------------------------------- importance


def test_a_family_is_permuted_as_a_whole():
    """Two columns that tell the same: without both, chance is left; without one, the other still tells."""
    X, y, speaker = table()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    display = FamilyImportanceDisplay.from_estimator(model, X, y, speaker=speaker, families=FAMILIES, n_repeats=30)
    assert display.uar == 1
    assert display.importances.index[0] == "emotion"
    # Of the clips of a permutation, a third keeps its emotion.
    assert display.importances.loc["emotion", "value"] == pytest.approx(2 / 3, abs=0.05)
    assert display.importances.loc[["voice", "noise"], "value"].abs().max() < 0.05
    single = FamilyImportanceDisplay.from_estimator(
        model, X, y, speaker=speaker, families={"one of two": [0]}, n_repeats=30
    )
    assert single.importances.loc["one of two", "value"] < 0.5


def test_intervals_of_importances_hold_the_value_and_come_from_speakers():
    X, y, speaker = table()
    X = X + np.random.default_rng(1).normal(size=X.shape)
    found = FamilyImportanceDisplay.from_estimator(
        LogisticRegression(), X, y, speaker=speaker, families=FAMILIES
    ).importances
    assert ((found["low"] < found["value"]) & (found["value"] < found["high"])).all()
    wide = FamilyImportanceDisplay.from_estimator(
        LogisticRegression(), X, y, speaker=speaker, families=FAMILIES, confidence_level=0.99
    ).importances
    assert ((wide["high"] - wide["low"]) > (found["high"] - found["low"])).all()


def test_importances_are_the_same_each_time_and_however_many_work():
    X, y, speaker = table()
    given = dict(speaker=speaker, families=FAMILIES, cv=4, random_state=3)
    first, second = (
        FamilyImportanceDisplay.from_estimator(LogisticRegression(), X, y, n_jobs=n_jobs, **given).importances
        for n_jobs in (None, 2)
    )
    pd.testing.assert_frame_equal(first, second)


def test_a_fitted_estimator_is_taken_as_it_is():
    X, y, speaker = table()
    known = speaker < "s04"
    model = LogisticRegression().fit(X[known], y[known])
    coefficients = model.coef_.copy()
    display = FamilyImportanceDisplay.from_estimator(
        model, X[~known], y[~known], speaker=speaker[~known], families=FAMILIES, cv="prefit"
    )
    np.testing.assert_array_equal(model.coef_, coefficients)
    assert display.importances.index[0] == "emotion"


@pytest.mark.processes
def test_features_are_extracted_once_for_all_folds(corpus, monkeypatch):
    calls = []
    transform = HandcraftedFeatures.transform
    monkeypatch.setattr(HandcraftedFeatures, "transform", lambda self, X: calls.append(len(X)) or transform(self, X))
    features = HandcraftedFeatures(feature_set="bledea170")
    model = make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000))
    display = FamilyImportanceDisplay.from_estimator(model, corpus, n_repeats=2)
    assert calls == [48]
    assert display.importances["n_features"].to_dict() == {"spectrum": 169, "prosody": 1}
    assert display.uar == pytest.approx(evaluate(model, corpus).uar)  # nothing is learned from tested speakers


def test_what_was_trained_with_copies_is_measured_on_clips_as_they_are(corpus):
    features = HandcraftedFeatures(feature_set="bledea170")
    pipeline = make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000))
    model = AugmentedClassifier(pipeline, [AddNoise(snr=20)], random_state=0)
    display = FamilyImportanceDisplay.from_estimator(model, corpus, cv=2, n_repeats=2)
    assert display.uar == pytest.approx(evaluate(model, corpus, cv=2).uar)
    assert set(display.importances.index) == {"spectrum", "prosody"}


def test_functionals_of_descriptors_have_families_and_descriptors(corpus):
    model = make_pipeline(
        LowLevelDescriptors(descriptors=["f0", "mfcc", "zcr"]), Functionals(), StandardScaler(), LogisticRegression()
    )
    display = FamilyImportanceDisplay.from_estimator(model, corpus, cv=2, n_repeats=1)
    assert set(display.importances.index) == {"prosody", "spectrum"}
    finer = FamilyImportanceDisplay.from_estimator(model, corpus, cv=2, n_repeats=1, families="descriptor")
    assert set(finer.importances.index) == {"f0", "mfcc", "zcr"}


@pytest.mark.parametrize("feature_set", ["default-v1", "default-v2", "default-v3", "bledea170"])
def test_names_tell_families_as_the_feature_set_does(feature_set):
    features = HandcraftedFeatures(feature_set=feature_set)
    names = features.get_feature_names_out()
    found = {family: set(names[columns]) for family, columns in resolve_families("family", names).items()}
    assert found == {family: set(members) for family, members in features.feature_families().items()}


def test_families_may_be_names_or_an_array():
    names = ["a_1", "a_2", "b_1"]
    by_name = resolve_families({"first": ["a_1", "b_1"], "empty": [], "number": 1}, names)
    assert {family: columns.tolist() for family, columns in by_name.items()} == {"first": [0, 2], "number": [1]}
    by_array = resolve_families(np.array(["x", "y", "x"]), names)
    assert {family: columns.tolist() for family, columns in by_array.items()} == {"x": [0, 2], "y": [1]}


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ("famly", "families must be 'family', 'descriptor', a dict of columns .* Got 'famly'"),
        ("family", "column 'a_1' belongs to no descriptor .* Pass families"),
        ({"x": ["c"]}, r"families\['x'\] must hold names or numbers of columns. There is no column 'c'"),
        ({"x": [3]}, r"There is no column 3 among"),
        ({"x": []}, "at least one family"),
        (["x"], "one entry for each of the 2 columns. Got 1"),
    ],
)
def test_families_that_do_not_fit_are_refused(families, message):
    with pytest.raises(ValueError, match=message):
        resolve_families(families, ["a_1", "a_2"])


def test_frames_have_no_columns_to_permute(corpus):
    model = make_pipeline(MelSpectrogramTransformer(), LogisticRegression())
    with pytest.raises(TypeError, match="there are no columns to permute"):
        FamilyImportanceDisplay.from_estimator(model, corpus)


def test_importances_of_nothing_are_refused():
    with pytest.raises(ValueError, match="dict of at least one family"):
        FamilyImportanceDisplay.from_predictions(["a", "b"], ["a", "b"], {}, speaker=["x", "y"])


def test_importances_of_predictions_are_drops_of_recall():
    y = np.array(["a", "b"] * 4)
    lost = np.where(y == "a", "b", "b")
    speaker = np.repeat(list("wxyz"), 2)
    display = FamilyImportanceDisplay.from_predictions(y, y, {"f": [lost, y]}, speaker=speaker)
    assert display.importances.loc["f", "value"] == 0.25  # the mean of 0.5 and 0
    assert display.ax_.get_yticklabels()[0].get_text() == "f"


def test_words_of_importances_can_be_read(plt):
    frame = pd.DataFrame(
        {"value": np.linspace(0.3, -0.01, 30), "low": np.linspace(0.2, -0.05, 30), "high": np.linspace(0.4, 0.03, 30)},
        index=[f"family {k}" for k in range(30)],
    ).assign(n_features=7)
    display = FamilyImportanceDisplay(frame, uar=0.8).plot(max_families=12)
    assert len(display.ax_.get_yticklabels()) == 12
    assert_words_are_apart_and_inside(display.figure_)
    _, ax = plt.subplots()
    assert FamilyImportanceDisplay(frame, uar=0.8).plot(ax=ax).ax_ is ax


# ------------------------------------------------------------------------------------------------------------ embedding


def clouds(classes, n_speakers, n_each=2, seed=0):
    rng = np.random.default_rng(seed)
    y = np.tile(np.repeat(classes, n_each), n_speakers)
    speaker = np.repeat([f"speaker {s:02d}" for s in range(n_speakers)], len(classes) * n_each)
    codes = np.unique(y, return_inverse=True)[1]
    return rng.normal(size=(len(y), 10)) + 9 * rng.normal(size=(len(classes), 10))[codes], y, speaker


def test_neighbours_tell_what_the_features_tell():
    X, y, speaker = clouds(["anger", "fear", "joy"], 4)
    found = EmbeddingDisplay.from_features(X, y, mark=speaker).neighbours_
    assert found.loc["emotion", "same"] == 1
    assert found.loc["emotion", "chance"] == pytest.approx(7 / 23)  # of 23 other clips, 7 have the same emotion
    assert found.loc["speaker", "chance"] == pytest.approx(5 / 23)
    assert found.loc["speaker", "same"] < 0.6


@pytest.mark.processes
def test_thirteen_emotions_and_24_speakers_can_be_told_apart():
    X, y, speaker = clouds(THIRTEEN, 24)
    display = EmbeddingDisplay.from_features(X, y, mark=speaker)
    lines = display.ax_.get_lines()
    looks = {(line.get_marker(), line.get_markerfacecolor() == "none") for line in lines}
    assert len({line.get_color() for line in lines}) == 13
    assert len(looks) == 24
    assert_words_are_apart_and_inside(display.figure_)


def test_legend_lies_beside_the_points():
    X, y, speaker = clouds(EMOTIONS, 6)
    display = EmbeddingDisplay.from_features(X, y, mark=speaker)
    display.figure_.canvas.draw()
    assert not display.ax_.get_legend().get_window_extent().overlaps(display.ax_.patch.get_window_extent())


def test_more_speakers_than_shapes_are_all_circles():
    X, y, speaker = clouds(["anger", "fear"], MOST_SHAPES + 1)
    display = EmbeddingDisplay.from_features(X, y, mark=speaker)
    assert {line.get_marker() for line in display.ax_.get_lines()} == {"o"}
    assert "25" in " ".join(text.get_text() for text in display.ax_.get_legend().get_texts())


def test_an_emotion_keeps_its_colour_and_others_get_one_of_their_own():
    assert colours_of(["joy", "fear"])["fear"] == colours_of(EMOTIONS)["fear"]
    assert len(set(colours_of(THIRTEEN).values())) == 13
    assert len(set(shapes_of(range(MOST_SHAPES)).values())) == MOST_SHAPES


@pytest.mark.processes
def test_a_pipeline_is_asked_for_what_its_classifier_hears(corpus):
    recognizer = make_recognizer("handcrafted", robust=False).fit(corpus.data, corpus.target)
    display = EmbeddingDisplay.from_estimator(recognizer, corpus.data, corpus.target, mark=corpus.speaker)
    expected = EmbeddingDisplay.from_features(recognizer[:-1].transform(corpus.data), corpus.target)
    np.testing.assert_allclose(display.embedding, expected.embedding)
    alone = EmbeddingDisplay.from_estimator(recognizer[0], corpus.data, corpus.target)
    assert alone.mark is None and alone.embedding.shape == (48, 2)


def test_columns_of_a_table_mark_clips():
    X, y, speaker = clouds(["anger", "fear"], 3)
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(10)])
    search = GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2)
    search.fit(X, y)
    X = frame.assign(corpus=np.where(speaker < "speaker 01", "EMO-DB", "TESS"))

    class Extractor:
        def transform(self, X):
            return X[frame.columns].to_numpy()

    display = EmbeddingDisplay.from_estimator(Extractor(), X, y, mark="corpus")
    assert display.mark_name == "corpus" and set(display.mark) == {"EMO-DB", "TESS"}
    assert EmbeddingDisplay.from_estimator(search, frame.to_numpy(), y).embedding.shape == (12, 2)


def test_any_transformer_makes_the_map():
    X, y, _ = clouds(["anger", "fear", "joy"], 4)
    tsne = TSNE(perplexity=5, random_state=0)
    display = EmbeddingDisplay.from_features(X, y, method=tsne)
    assert display.ax_.get_xlabel() == "TSNE 1"
    assert not hasattr(tsne, "embedding_")  # it was cloned
    supervised = EmbeddingDisplay.from_features(X, y, method=LinearDiscriminantAnalysis())
    assert supervised.embedding.shape == (24, 2)


def test_features_are_standardised_unless_told_otherwise():
    X, y, _ = clouds(["anger", "fear"], 4)
    loud = X * [1000, *np.ones(9)]
    standard, raw = (EmbeddingDisplay.from_features(loud, y, standardize=given) for given in (True, False))
    assert np.ptp(raw.embedding) > 100 * np.ptp(standard.embedding)
    assert "100% of variance" in raw.ax_.get_xlabel()


def test_umap_that_is_not_installed_is_named_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    X, y, _ = clouds(["anger", "fear"], 2)
    with pytest.raises(ImportError, match=r"method='umap' needs umap-learn: `pip install umap-learn`"):
        EmbeddingDisplay.from_features(X, y, method="umap")


def test_umap_is_used_where_it_is_installed():
    pytest.importorskip("umap")
    X, y, _ = clouds(["anger", "fear"], 8)
    first, second = (EmbeddingDisplay.from_features(X, y, method="umap", random_state=1) for _ in range(2))
    np.testing.assert_array_equal(first.embedding, second.embedding)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(method="mds"), ValueError, r"one of \['pca', 'umap'\], or a transformer .* Got 'mds'"),
        (dict(method=LinearDiscriminantAnalysis()), ValueError, r"two or more columns. Got the shape \(8, 1\)"),
        (dict(mark=["a"]), ValueError, "inconsistent numbers of samples"),
    ],
)
def test_maps_that_cannot_be_drawn_are_refused(change, error, message):
    X, y, _ = clouds(["anger", "fear"], 2)
    with pytest.raises(error, match=message):
        EmbeddingDisplay.from_features(X, y, **change)


def test_a_classifier_alone_makes_no_features():
    X, y, _ = clouds(["anger", "fear"], 2)
    model = LogisticRegression().fit(X, y)
    with pytest.raises(TypeError, match="must be a fitted transformer, or a Pipeline .* Got LogisticRegression"):
        EmbeddingDisplay.from_estimator(model, X, y)
    with pytest.raises(TypeError, match="must have a transformer before its classifier"):
        EmbeddingDisplay.from_estimator(make_pipeline(model), X, y)


# ----------------------------------------------------------------------------------------------------------- robustness


def report(accuracies, **params):
    """Of ten speakers and seven emotions, recognised so well under each condition."""
    y = np.tile(["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"], 20)
    speaker, rng = np.repeat([f"s{s:02d}" for s in range(10)], 14), np.random.default_rng(0)
    clean, *others = (np.where(rng.random(140) < share, y, "fear") for share in accuracies.values())
    conditions = dict(zip(list(accuracies)[1:], others, strict=True))
    return EvaluationReport(y, clean, speaker=speaker, y_pred_conditions=conditions, **params)


def test_robustness_draws_what_the_report_says():
    made = report({"clean": 0.9, "telephone": 0.3, "noise": 0.6})
    display = RobustnessDisplay.from_reports(made)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["as they are", "telephone", "noise"] == display.scores_.index.tolist()
    frame = made.to_frame().loc["UAR by condition"]
    np.testing.assert_array_equal(display.scores_.iloc[:, 0], frame["value"])
    written = {text.get_text() for text in display.ax_.texts}
    assert written == {f"{value:.3f}" for value in frame["value"]}
    segments = display.ax_.collections[0].get_segments()
    np.testing.assert_allclose([segment[:, 0] for segment in segments], frame[["low", "high"]])
    assert any(line.get_xdata()[0] == made.uar and line.get_linestyle() == "--" for line in display.ax_.get_lines())


def test_conditions_can_be_sorted():
    made = report({"clean": 0.9, "telephone": 0.3, "noise": 0.6})
    assert RobustnessDisplay.from_reports(made, sort=True).scores_.index.tolist() == [
        "as they are",
        "noise",
        "telephone",
    ]


def test_models_are_told_apart_and_may_lack_a_condition():
    reports = {"plain": report({"clean": 0.9, "noise": 0.6}), "robust": report({"clean": 0.8, "telephone": 0.7})}
    display = RobustnessDisplay.from_reports(reports)
    assert display.scores_.index.tolist() == ["as they are", "noise", "telephone"]
    assert np.isnan(display.scores_.loc["telephone", "plain"])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["plain", "robust", "chance"]
    assert_words_are_apart_and_inside(display.figure_)


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("n_models", [1, 2, 3])
def test_scores_beside_the_axes_stand_out_from_the_background(plt, style, n_models):
    from matplotlib.colors import to_rgb

    with plt.style.context(style):
        made = report({"clean": 0.9, "noise": 0.6})
        display = RobustnessDisplay.from_reports(dict.fromkeys(["a", "b", "c"][:n_models], made))
        background = luminance(to_rgb(display.figure_.get_facecolor()))
        assert len(display.ax_.texts) == 2 * n_models
        for text in display.ax_.texts:
            light, dark = sorted([luminance(to_rgb(text.get_color())), background], reverse=True)
            assert (light + 0.05) / (dark + 0.05) > 4.5  # after WCAG


def test_models_without_names_are_numbered():
    made = report({"clean": 0.9, "noise": 0.6})
    display = RobustnessDisplay.from_reports([made, made])
    assert display.scores_.columns.tolist() == ["model (1)", "model (2)"]
    titled = [report({"clean": 0.9, "noise": 0.6}, title=title) for title in ("one", "two")]
    assert RobustnessDisplay.from_reports(titled).scores_.columns.tolist() == ["one", "two"]


def test_robustness_of_an_estimator_is_evaluated(corpus, plt):
    recognizer = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), StandardScaler(), LogisticRegression())
    _, ax = plt.subplots()
    display = RobustnessDisplay.from_estimator(recognizer, corpus, conditions={"noise": AddNoise(snr=0)}, cv=2, ax=ax)
    assert display.ax_ is ax
    expected = evaluate(recognizer, corpus, conditions={"noise": AddNoise(snr=0)}, cv=2).to_frame()
    np.testing.assert_array_equal(display.scores_.iloc[:, 0], expected.loc["UAR by condition", "value"])


def test_many_conditions_of_two_models_can_be_read():
    names = [f"condition of a long name, {k} dB" for k in range(11)]
    accuracies = {"clean": 0.9, **dict(zip(names, np.linspace(0.9, 0.2, 11), strict=True))}
    display = RobustnessDisplay.from_reports({"SVM on openSMILE": report(accuracies), "default": report(accuracies)})
    assert_words_are_apart_and_inside(display.figure_)


@pytest.mark.parametrize(
    ("reports", "error", "message"),
    [
        ([], ValueError, "at least one EvaluationReport"),
        (["x"], TypeError, "must be an EvaluationReport, a sequence or a dict"),
        ({"x": report({"clean": 0.9})}, ValueError, r"evaluate\(..., conditions='real-world'\)"),
    ],
)
def test_reports_that_say_nothing_of_conditions_are_refused(reports, error, message):
    with pytest.raises(error, match=message):
        RobustnessDisplay.from_reports(reports)
