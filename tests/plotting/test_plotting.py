"""Displays: that they draw what is asked for, where it is asked for, and without words on top of each other."""

import subprocess
import sys

import numpy as np
import pytest
from drawing import assert_words_are_apart_and_inside, luminance
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sklearn_ser
from sklearn_ser import (
    AttentionBLSTMClassifier,
    AttentionDisplay,
    ConfusionDisplay,
    FrameWise,
    HistoryDisplay,
    LowLevelDescriptors,
    MelSpectrogramDisplay,
    MelSpectrogramTransformer,
    ReportDisplay,
    WaveformChunker,
    load_waveform,
)
from sklearn_ser.metrics import EvaluationReport
from sklearn_ser.plotting._audio import _frame_edges, _params

pytestmark = pytest.mark.usefixtures("plt")  # figures are closed after each test

Y = np.tile(["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"], 20)
SPEAKER = np.repeat([f"s{s:02d}" for s in range(10)], 14)


def predictions(seed=0, accuracy=0.6):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(Y)) < accuracy, Y, rng.choice(Y, size=len(Y)))


def make_report(**params):
    sex = np.where(SPEAKER < "s05", "female", "male")
    return EvaluationReport(Y, predictions(), speaker=SPEAKER, sex=sex, recognised=np.full(len(Y), 0.9), **params)


# ------------------------------------------------------------------------------------------------------------ confusion


def test_confusion_shows_shares_of_rows_and_counts():
    display = ConfusionDisplay.from_predictions(["a", "a", "a", "b"], ["a", "a", "b", "b"])
    np.testing.assert_allclose(display.im_.get_array(), [[2 / 3, 1 / 3], [0, 1]])
    assert [text.get_text() for text in display.text_.ravel()] == ["67%\n(2)", "33%\n(1)", "0", "100%\n(1)"]
    assert display.im_.get_clim() == (0, 1)
    assert display.figure_ is display.ax_.figure


def test_confusion_takes_labels_order_and_axes(plt):
    _, axes = plt.subplots(2)
    display = ConfusionDisplay.from_predictions(["a", "b"], ["a", "a"], labels=["b", "a"], ax=axes[1])
    assert display.ax_ is axes[1]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["b", "a"]
    np.testing.assert_array_equal(display.im_.get_array(), [[0, 1], [0, 1]])


def test_labels_that_no_clip_has_are_further_columns():
    display = ConfusionDisplay.from_predictions(["b", "c"], ["a", "c"])
    assert display.labels == ["b", "c", "a"]
    np.testing.assert_array_equal(display.confusion, [[0, 0, 1], [0, 1, 0]])


def test_confusion_from_estimator_predicts():
    X = np.arange(6.0).reshape(6, 1)
    y = [0, 0, 0, 1, 1, 1]
    display = ConfusionDisplay.from_estimator(LogisticRegression().fit(X, y), X, y)
    np.testing.assert_array_equal(display.confusion, [[3, 0], [0, 3]])


def test_confusion_that_does_not_fit_its_labels_is_refused():
    with pytest.raises(ValueError, match=r"a column for each label.*shape \(2, 2\) and 3 labels"):
        ConfusionDisplay(np.eye(2), ["a", "b", "c"]).plot()


def test_the_title_has_uar_and_clips_unless_there_is_one(plt):
    display = ConfusionDisplay.from_predictions(["a", "a", "b"], ["a", "b", "b"])
    assert display.ax_.get_title() == "UAR 0.750, 3 clips"
    display = ConfusionDisplay.from_predictions(["a"], ["c"])
    assert display.ax_.get_title() == "UAR 0.000, 1 clip"
    _, ax = plt.subplots()
    ax.set_title("mine")
    assert ConfusionDisplay.from_predictions(["a"], ["b"], ax=ax).ax_.get_title() == "mine"


def test_an_emotion_without_clips_is_an_empty_row_and_counts_for_nothing():
    display = ConfusionDisplay.from_predictions(["a", "a", "c"], ["a", "b", "c"], labels=["a", "b", "c"])
    assert [text.get_visible() for text in display.text_[1]] == [False] * 3
    assert all(text.get_visible() for text in display.text_[[0, 2]].ravel())
    assert display.ax_.get_title() == "UAR 0.750, 3 clips"


def test_some_emotions_are_shown_with_all_that_their_clips_were_taken_for():
    display = ConfusionDisplay.from_predictions(["a", "a", "b", "c"], ["c", "a", "b", "d"], labels=["b", "a"])
    assert display.labels == ["b", "a", "c"]
    np.testing.assert_array_equal(display.confusion, [[1, 0, 0], [0, 1, 1]])
    assert display.ax_.get_title() == "UAR 0.750, 3 clips"


@pytest.mark.parametrize("cmap", ["Blues", "viridis", "gray", "RdBu_r", "inferno_r"])
def test_words_in_the_confusion_can_be_read(cmap):
    display = ConfusionDisplay.from_predictions(Y, predictions(), cmap=cmap)
    assert_words_are_apart_and_inside(display.figure_)
    assert "0" in [text.get_text() for text in display.text_.ravel()]
    for text, fraction in zip(display.text_.ravel(), display.im_.get_array().ravel(), strict=True):
        background = luminance(display.im_.cmap(fraction)[:3])  # contrast after WCAG
        ink = 1.0 if text.get_color() == "white" else 0.0
        light, dark = max(ink, background), min(ink, background)
        assert (light + 0.05) / (dark + 0.05) > 4.5


@pytest.mark.parametrize("emotions", [("anger", "fear"), ("anger", "disappointment and regret")])
def test_words_of_two_emotions_can_be_read(emotions):
    assert_words_are_apart_and_inside(
        ConfusionDisplay.from_predictions(np.array(emotions * 5), np.repeat(emotions, 5)).figure_
    )


# --------------------------------------------------------------------------------------------------------------- report


def test_report_shows_scores_intervals_listeners_and_chance():
    report = make_report(y_pred_random=Y, title="a model")
    display = report.plot()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    emotions = list(report.emotions)
    assert labels == [
        "UAR",
        "UAR, known speakers",
        "WA",
        *emotions,
        "UAR, female",
        "UAR, male",
        "each speaker",
    ]
    lines = {line.get_label(): line for line in display.ax_.lines}
    assert lines["score"].get_xdata()[0] == report.uar
    assert tuple(lines["95 % interval over speakers"].get_xdata()) == report.uar_interval
    assert lines["listeners"].get_xdata()[0] == pytest.approx(0.9)
    assert lines["chance"].get_xdata()[0] == pytest.approx(1 / 7)
    np.testing.assert_array_equal(display.confusion_.confusion, report.confusion)
    assert display.figure_.get_suptitle() == "a model"
    low, high = report.uar_interval
    written = [text.get_text() for text in display.ax_.texts]
    assert written[0] == f"{report.uar:.3f}  [{low:.3f}, {high:.3f}]"
    recall = report.to_frame().loc[("recall", "anger")]
    assert f"{recall['value']:.2f}  [{recall['low']:.2f}, {recall['high']:.2f}]" in written


def test_each_corpus_and_condition_has_a_row_with_its_interval():
    corpus = np.where(SPEAKER < "s05", "emodb", "ravdess")
    report = make_report(corpus=corpus, y_pred_conditions={"telephone": predictions(1, 0.2)}, name="ours")
    display = report.plot()
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    for label, row in {
        "UAR, emodb": ("UAR by corpus", "emodb"),
        "UAR, ravdess": ("UAR by corpus", "ravdess"),
        "telephone": ("UAR by condition", "telephone"),
        "as they are": ("UAR by condition", "as they are"),
    }.items():
        value, low, high = report.to_frame().loc[row, ["value", "low", "high"]]
        assert display.ax_.texts[labels.index(label)].get_text() == f"{value:.3f}  [{low:.3f}, {high:.3f}]"
    assert display.figure_.get_suptitle() == "ours"
    assert_words_are_apart_and_inside(display.figure_)


def test_one_speaker_has_scores_without_intervals():
    display = ReportDisplay.from_predictions(["anger", "fear"] * 3, ["anger"] * 6, speaker=["a"] * 6)
    assert display.ax_.texts[0].get_text() == "0.500"
    assert_words_are_apart_and_inside(display.figure_)


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.processes
def test_twelve_emotions_with_long_names_are_drawn_apart(plt, style):
    emotions = np.array([f"{name}, second" for name in np.unique(Y)[:5]] + [*np.unique(Y)])
    rng = np.random.default_rng(0)
    y, speaker = np.tile(emotions, 10), np.repeat(SPEAKER[::14], 12)
    with plt.style.context(style):
        display = ReportDisplay.from_predictions(y, rng.permutation(y), speaker=speaker, title="model " * 40)
        assert_words_are_apart_and_inside(display.figure_)


@pytest.mark.parametrize("title", ["", "HandcraftedFeatures() > StandardScaler() > SVC(C=10) > " * 9])
def test_words_in_the_report_can_be_read(title):
    assert_words_are_apart_and_inside(make_report(y_pred_random=Y, title=title).plot().figure_)


@pytest.mark.parametrize(
    "y_pred, named",
    [(np.roll(Y, 3), []), (Y, []), (np.where(SPEAKER == "s03", "fear", Y), ["s03"]), (predictions(), None)],
)
def test_the_worst_and_the_best_speaker_are_named_where_there_are_such(y_pred, named):
    display = ReportDisplay.from_predictions(Y, y_pred, speaker=SPEAKER)
    assert_words_are_apart_and_inside(display.figure_)
    scores = display.report.to_frame().loc["UAR by speaker"]["value"]
    expected = [scores.idxmin(), scores.idxmax()] if scores.min() < scores.max() else []
    assert [text.get_text() for text in display.ax_.texts if text.get_text() in set(SPEAKER)] == expected
    assert named is None or expected[:1] == named


def test_report_draws_its_scores_into_given_axes(plt):
    _, axes = plt.subplots(2)
    display = make_report().plot(ax=axes[1])
    assert display.ax_ is axes[1] and display.confusion_ is None and not axes[0].lines


def test_report_without_sexes_or_listeners_is_drawn():
    display = ReportDisplay.from_predictions(Y, predictions(), speaker=SPEAKER)
    assert "UAR, female" not in [label.get_text() for label in display.ax_.get_yticklabels()]
    assert "listeners" not in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_report_from_estimator_evaluates():
    X = np.eye(7)[np.unique(Y, return_inverse=True)[1]]
    display = ReportDisplay.from_estimator(LogisticRegression(), X, y=Y, speaker=SPEAKER, cv=2)
    assert display.report.uar == 1 and "2 folds" in str(display.report)


# -------------------------------------------------------------------------------------------------------------- history


class Trained(ClassifierMixin, BaseEstimator):
    """As a neural classifier is after `fit`."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.history_ = {"loss": [3.0, 2.0, 1.0], "accuracy": [0.2, 0.5, 0.7], "val_loss": [3.1, 2.5, 2.6]}
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize(
    "wrap",
    [lambda e: e, make_pipeline, lambda e: GridSearchCV(make_pipeline(e), {}, cv=2)],
    ids=["alone", "pipeline", "search"],
)
def test_history_is_found_wherever_it_is(wrap):
    estimator = wrap(Trained()).fit(np.zeros((4, 1)), [0, 1, 0, 1])
    display = HistoryDisplay.from_estimator(estimator)
    assert [ax.get_ylabel() for ax in display.axes_] == ["loss", "accuracy"] and display.axes_[0] is display.ax_
    assert display.axes_[1].get_xlabel() == "epoch" and display.axes_[1].get_ylim() == (0, 1)
    np.testing.assert_array_equal(display.axes_[1].lines[0].get_ydata(), [0.2, 0.5, 0.7])
    trained, held_out, kept = display.ax_.lines
    np.testing.assert_array_equal(trained.get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(held_out.get_ydata(), [3.1, 2.5, 2.6])
    assert kept.get_xdata()[0] == 2
    assert trained.get_linestyle() != held_out.get_linestyle()  # told apart without colours
    assert_words_are_apart_and_inside(display.figure_)


def test_history_of_accuracy_goes_from_0_to_1(plt):
    _, ax = plt.subplots()
    display = HistoryDisplay.from_estimator(Trained().fit([[0]], [0]), measure="accuracy", ax=ax)
    assert display.ax_ is ax and ax.get_ylim() == (0, 1) and ax.get_ylabel() == "accuracy"


@pytest.mark.parametrize(
    "held_out, word",
    [
        ("clips", "held-out clips, drawn at random"),
        ("groups", "held-out groups (speakers)"),
        ("validation_data", "validation data"),
        (None, "held out"),
    ],
)
def test_history_says_what_was_held_out(held_out, word):
    trained = Trained().fit([[0]], [0])
    trained.held_out_, trained.early_stopping = held_out, held_out != "validation_data"
    display = HistoryDisplay.from_estimator(trained)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    kept = "epoch kept" if trained.early_stopping else "lowest loss held out"
    assert texts == ["trained on", word, kept]
    assert_words_are_apart_and_inside(display.figure_)


def test_history_draws_one_measure_where_it_is_told_to(plt):
    _, ax = plt.subplots()
    history = {"loss": [2.0, 1.0], "auc": [0.5, 0.6]}
    assert HistoryDisplay(history).plot(ax=ax).axes_ == [ax] and ax.get_ylabel() == "loss"
    assert [panel.get_ylabel() for panel in HistoryDisplay(history).plot(measure="auc").axes_] == ["auc"]
    assert [panel.get_ylabel() for panel in HistoryDisplay(history).plot().axes_] == ["loss"]
    assert [panel.get_ylabel() for panel in HistoryDisplay({"auc": [0.5]}).plot().axes_] == ["auc"]


def test_what_has_no_history_is_refused():
    with pytest.raises(ValueError, match="must be a fitted neural classifier.*LogisticRegression"):
        HistoryDisplay.from_estimator(make_pipeline(LogisticRegression()))
    with pytest.raises(ValueError, match=r"measure must be one of \['loss'\].*Got measure='f1'"):
        HistoryDisplay({"loss": [1.0]}).plot(measure="f1")


# ---------------------------------------------------------------------------------------------------------- spectrogram


def test_a_sine_is_bright_at_its_frequency():
    clip = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    display = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(), clip)
    loudest = display.im_.get_array().mean(axis=1).argmax()
    ticks = {
        label.get_text(): place
        for label, place in zip(display.ax_.get_yticklabels(), display.ax_.get_yticks(), strict=True)
    }
    assert abs(loudest - ticks["1000"]) <= 0.6
    left, right, *_ = display.im_.get_extent()
    assert left == 0 and right == pytest.approx(63 * 256 / 16000)
    assert_words_are_apart_and_inside(display.figure_)


def test_spectrogram_is_that_of_the_pipelines_transformer(tones):
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=20, n_frames=12, offset=0.05), FrameWise())
    pipeline.fit(tones[1:])
    display = MelSpectrogramDisplay.from_estimator(pipeline, [tones[5]])
    np.testing.assert_array_equal(display.spectrogram, pipeline[0].transform([tones[5]])[0])
    assert display.im_.get_array().shape == (20, 12) and display.im_.get_extent()[0] == 0.05
    short = MelSpectrogramDisplay.from_estimator(pipeline, tones[1])  # its padding is not drawn
    assert np.isfinite(short.im_.get_array()).all() and short.im_.get_array().shape[1] < 12


@pytest.mark.parametrize(
    "params, label",
    [
        ({}, "dB (0 dB: power of 1)"),
        ({"ref": 0.5, "power": 1.0}, "dB (0 dB: magnitude of 0.5)"),
        ({"ref": "max"}, "dB (0 dB: the loudest of the clip)"),
        ({"to_db": False}, "power"),
        ({"to_db": False, "power": 1.5}, "magnitude ** 1.5"),
    ],
)
def test_colour_bar_says_what_the_values_are(tones, params, label):
    display = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(**params), tones[3])
    assert display.figure_.axes[-1].get_ylabel() == label
    assert_words_are_apart_and_inside(display.figure_)


def test_the_upper_edge_of_the_highest_band_is_labelled(tones):
    display = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(n_mels=30, fmax=5000), tones[3])
    assert display.ax_.get_yticks()[-1] == 29.5 and display.ax_.get_yticklabels()[-1].get_text() == "5000"
    plain = MelSpectrogramDisplay(display.spectrogram, display.frequencies, hop_duration=0.016).plot()
    assert plain.ax_.get_yticks()[-1] == 29
    assert plain.ax_.get_yticklabels()[-1].get_text() == f"{display.frequencies[-1]:.0f}"


def test_linear_power_has_logarithmic_colours(tones):
    from matplotlib.colors import LogNorm

    display = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(to_db=False), tones[3])
    largest = display.spectrogram.max()
    assert isinstance(display.im_.norm, LogNorm) and display.im_.get_clim() == pytest.approx((1e-8 * largest, largest))
    decibels = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(), tones[3])
    assert not isinstance(decibels.im_.norm, LogNorm)
    silent = MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(to_db=False), np.zeros(8000))
    silent.figure_.canvas.draw()
    assert not isinstance(silent.im_.norm, LogNorm)


def test_spectrogram_of_other_things_is_refused(tones):
    with pytest.raises(TypeError, match="must be a MelSpectrogramTransformer.*Got LowLevelDescriptors"):
        MelSpectrogramDisplay.from_estimator(LowLevelDescriptors(), tones[0])
    with pytest.raises(ValueError, match="clip must be a single clip.*Got 6 clips"):
        MelSpectrogramDisplay.from_estimator(MelSpectrogramTransformer(), tones)


# ------------------------------------------------------------------------------------------------------------ attention


@pytest.fixture(scope="module")
def attentive():
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=n).astype(np.float32) for n in (8000, 12000, 16000, 9000)]
    classifier = AttentionBLSTMClassifier([2], pool_size=4, epochs=1, random_state=0)
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=8), FrameWise(), classifier)
    return pipeline.fit(clips, ["anger", "fear"] * 2), clips


@pytest.mark.neural
def test_attention_is_drawn_in_its_mean_where_the_frames_lie(attentive):
    pipeline, clips = attentive
    display = AttentionDisplay.from_estimator(pipeline, clips[1])
    values, edges, _ = display.attention_ax_.patches[0].get_data()
    frames = pipeline[:-1].transform(clips[1:2])
    weights = pipeline[-1].attention_weights(frames)[0]
    n_frames = np.sum(~np.isnan(frames[0, :, 0]))
    np.testing.assert_allclose(values, weights[:n_frames] * n_frames, rtol=1e-5)
    assert np.mean(values) == pytest.approx(1)
    np.testing.assert_allclose(edges[:3], [0, 0.008, 0.024])  # frames of 16 ms, each around its time
    assert edges[-1] == pytest.approx(0.75, abs=0.02)
    assert f"recognized: {pipeline.predict(clips[1:2])[0]}" in display.ax_.get_title()
    assert_words_are_apart_and_inside(display.figure_)


@pytest.mark.neural
def test_waveform_of_the_part_that_is_read_is_drawn(attentive, tmp_path):
    import soundfile

    pipeline, clips = attentive
    path = tmp_path / "clip.wav"
    soundfile.write(path, 0.1 * clips[2], 16000)
    pipeline[0].set_params(offset=0.25)
    try:
        display = AttentionDisplay.from_estimator(pipeline, path)
    finally:
        pipeline[0].set_params(offset=0.0)
    np.testing.assert_array_equal(display.waveform, load_waveform(path, offset=0.25))
    assert display.ax_.get_xlim() == pytest.approx((0.25, 1.0), abs=1e-3)
    assert display.edges[0] == 0.25


def shaded(display):
    """Beginnings and ends, seconds."""
    to_seconds = display.ax_.transData.inverted()
    boxes = [shade.get_window_extent().transformed(to_seconds) for shade in display.ax_.patches]
    return [(box.x0, box.x1) for box in boxes]


@pytest.mark.neural
def test_what_is_cropped_is_shaded(attentive):
    pipeline, clips = attentive
    fitted = AttentionDisplay.from_estimator(pipeline, clips[2])  # as long as frames go
    assert not fitted.ax_.patches and fitted.seen == pytest.approx((0, 1.0))
    with pytest.warns(UserWarning, match="crop"):
        display = AttentionDisplay.from_estimator(pipeline, np.tile(clips[2], 2))
    assert display.seen[1] == display.edges[-1] == pytest.approx(1.0, abs=0.1)
    assert shaded(display) == [pytest.approx((display.edges[-1], 2))]
    assert display.ax_.get_legend().get_texts()[0].get_text() == "not seen by the classifier"
    assert_words_are_apart_and_inside(display.figure_)


def test_all_that_is_outside_of_the_frames_is_shaded():
    display = AttentionDisplay(np.ones(32000), [0.1, 0.9], [0.5, 1.0, 1.5]).plot()
    assert shaded(display) == [pytest.approx((0, 0.5)), pytest.approx((1.5, 2))]
    assert len(display.ax_.get_legend().get_texts()) == 1
    seen = AttentionDisplay(np.ones(32000), [0.1, 0.9], [0.5, 1.0, 1.5], seen=(0, 2)).plot()
    assert not seen.ax_.patches and seen.ax_.get_legend() is None


def test_envelope_keeps_the_extremes():
    waveform = np.random.default_rng(0).normal(size=100_000)
    low, high, times = AttentionDisplay(waveform, [1.0], [0.0, 6.25])._envelope()
    assert (low.min(), high.max()) == (waveform.min(), waveform.max())
    assert len(times) == 1500 and 0 < times[0] < times[-1] < 6.25
    low, high, _ = AttentionDisplay(waveform[:7], [1.0], [0.0, 1.0])._envelope()
    np.testing.assert_array_equal(low, waveform[:7])


def test_frames_are_placed_by_hops_chunks_and_pooling():
    mel = MelSpectrogramTransformer(hop_length=160)
    pooled = [{}, {"pool_size": 10}]
    np.testing.assert_allclose(_frame_edges(_params(mel), pooled, 3, 1.0), [0, 0.095, 0.195, 0.295])
    mel.set_params(center=False)
    np.testing.assert_allclose(_frame_edges(_params(mel), pooled, 3, 1.0), [0, 0.1, 0.2, 0.3])
    chunks = _params(WaveformChunker(chunk_duration=0.5, overlap=0.5))
    np.testing.assert_allclose(_frame_edges(chunks, [], 4, 10.0), [0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(_frame_edges({}, [], 4, 2.0), [0, 0.5, 1, 1.5, 2])


def test_attention_of_what_has_none_is_refused(tones):
    with pytest.raises(TypeError, match="a Pipeline from audio to a classifier with attention_weights"):
        AttentionDisplay.from_estimator(make_pipeline(MelSpectrogramTransformer(), LogisticRegression()), tones[0])


# ------------------------------------------------------------------------------------------------------------------ all

DISPLAYS = [getattr(sklearn_ser, name) for name in sklearn_ser.__all__ if name.endswith("Display")]


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda d: d.__name__)
def test_every_display_plots_into_given_axes(display):
    import inspect

    assert "ax" in inspect.signature(display.plot).parameters
    assert any(name.startswith("from_") for name in dir(display))


@pytest.mark.processes
def test_importing_the_library_and_its_reports_does_not_import_matplotlib():
    code = "import sys, sklearn_ser, sklearn_ser.metrics, sklearn_ser.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_matplotlib_a_report_says_what_to_install(monkeypatch):
    report = make_report()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="ReportDisplay.plot requires matplotlib"):
        report.plot()
