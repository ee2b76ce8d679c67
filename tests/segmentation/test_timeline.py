"""Timelines are smoothed, averaged over steps and merged into intervals, which other programs can read."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import TimelineDisplay
from sklearn_ser.segmentation import Intervals, Timeline

TWELVE = ["anger", "boredom", "calm", "contempt", "disgust", "fear"]
TWELVE += ["happiness", "neutral", "pride", "sadness", "shame", "surprise"]


def make_timeline(predicted, *, hop=1.0, duration=1.0, sure=0.8):
    """Segments whose predicted class has some probability, and the others the same share of the rest."""
    predicted = np.array(list(predicted))
    classes = np.unique(predicted).tolist()
    rest = (1 - sure) / max(len(classes) - 1, 1)
    columns = {name: np.where(predicted == name, sure, rest) for name in classes}
    start = hop * np.arange(len(predicted))
    return Timeline({"start": start, "end": start + duration, **columns, "predicted": predicted})


def random_timeline(n_segments=400, n_classes=4, hop=0.5, duration=1.3, seed=0, classes=None):
    rng = np.random.default_rng(seed)
    classes = [f"c{k}" for k in range(n_classes)] if classes is None else classes
    probabilities = rng.dirichlet(np.full(len(classes), 0.4), size=n_segments)
    start = hop * np.arange(n_segments)
    columns = dict(zip(classes, probabilities.T, strict=True))
    predicted = np.array(classes)[probabilities.argmax(axis=1)]
    return Timeline({"start": start, "end": start + duration, **columns, "predicted": predicted})


def runs(intervals):
    return [tuple(row) for row in intervals[["start", "end", "label"]].itertuples(index=False)]


# ------------------------------------------------------------------------------------------------------------- timeline


def test_a_timeline_is_a_dataframe_and_stays_one_of_its_own():
    timeline = make_timeline("aab")
    assert isinstance(timeline, pd.DataFrame) and timeline.classes == ["a", "b"]
    part = timeline[timeline["a"] > 0.5]
    assert type(part) is Timeline and type(pickle.loads(pickle.dumps(timeline))) is Timeline
    assert runs(part.to_intervals()) == [(0, 2, "a")]


def test_neighbours_of_one_class_are_one_interval_up_to_half_way():
    timeline = make_timeline("aabba", hop=1.0, duration=2.0)
    intervals = timeline.to_intervals()
    assert type(intervals) is Intervals
    assert runs(intervals) == [(0, 2.5, "a"), (2.5, 4.5, "b"), (4.5, 6, "a")]
    np.testing.assert_allclose(intervals["probability"], 0.8)


def test_intervals_cover_the_recording_without_gaps():
    timeline = random_timeline()
    intervals = timeline.to_intervals()
    np.testing.assert_array_equal(intervals["start"].iloc[1:], intervals["end"].iloc[:-1])
    assert intervals["start"].iloc[0] == 0 and intervals["end"].iloc[-1] == timeline["end"].iloc[-1]
    assert (intervals["label"].iloc[1:].to_numpy() != intervals["label"].iloc[:-1].to_numpy()).all()


def test_where_rows_are_left_out_an_interval_ends():
    timeline = make_timeline("aaaaaa")
    timeline = timeline[timeline["start"] != 2]
    assert runs(timeline.to_intervals()) == [(0, 2, "a"), (3, 6, "a")]
    assert runs(timeline.to_intervals(min_duration=2.5)) == [(0, 2, "a"), (3, 6, "a")]  # nothing to merge it with


def test_probability_is_the_mean_over_the_time_of_the_interval():
    timeline = Timeline({"start": [0.0, 1.0], "end": [1.0, 4.0], "a": [0.6, 0.9], "b": [0.4, 0.1], "predicted": "a"})
    # Middles are 0.5 and 2.5, so that the first counts for 1.5 s and the second for 2.5 s.
    assert timeline.to_intervals()["probability"].item() == pytest.approx((1.5 * 0.6 + 2.5 * 0.9) / 4)


def test_short_intervals_go_to_the_neighbour_that_is_more_probable_there():
    timeline = make_timeline("aaabccc")
    timeline.loc[3, ["a", "b", "c"]] = [0.1, 0.5, 0.4]
    assert runs(timeline.to_intervals(min_duration=2)) == [(0, 3, "a"), (3, 7, "c")]
    timeline.loc[3, ["a", "b", "c"]] = [0.4, 0.5, 0.1]
    assert runs(timeline.to_intervals(min_duration=2)) == [(0, 4, "a"), (4, 7, "c")]


def test_what_is_short_between_two_of_a_class_joins_them():
    assert runs(make_timeline("aabaa").to_intervals(min_duration=1.5)) == [(0, 5, "a")]
    assert runs(make_timeline("aabaabbbb").to_intervals(min_duration=1.5)) == [(0, 5, "a"), (5, 9, "b")]


@pytest.mark.parametrize("min_duration", [0.5, 2, 7, 60, 1e4])
@pytest.mark.parametrize("smooth", [None, 4])
def test_no_interval_is_shorter_than_asked(min_duration, smooth):
    timeline = random_timeline()
    intervals = timeline.to_intervals(min_duration=min_duration, smooth=smooth)
    lengths = intervals["end"] - intervals["start"]
    assert (lengths >= min_duration - 1e-6).all() or len(intervals) == 1
    assert lengths.sum() == pytest.approx(timeline["end"].iloc[-1])
    np.testing.assert_array_equal(intervals["start"].iloc[1:], intervals["end"].iloc[:-1])
    labels = intervals["label"].to_numpy()
    assert (labels[1:] != labels[:-1]).all()
    for _, row in intervals.iterrows():  # against the definition
        left, right = timeline._segment_extents()
        inside = (left >= row["start"] - 1e-9) & (right <= row["end"] + 1e-9)
        expected = np.average(timeline[row["label"]][inside], weights=(right - left)[inside])
        assert row["probability"] == pytest.approx(expected)


def test_labels_that_are_no_class_have_no_probability():
    timeline = make_timeline("aab").assign(predicted=["a", "unknown", "b"])
    intervals = timeline.to_intervals()
    assert intervals["label"].tolist() == ["a", "unknown", "b"] and np.isnan(intervals["probability"][1])


def test_smoothing_is_a_mean_over_the_segments_around():
    timeline = random_timeline(50)
    smoothed = timeline.smoothed(2.0)  # two rows before and two after, at a hop of 0.5 s
    values = timeline["c1"].to_numpy()
    expected = [values[max(k - 2, 0) : k + 3].mean() for k in range(50)]
    np.testing.assert_allclose(smoothed["c1"], expected)
    np.testing.assert_array_equal(smoothed["start"], timeline["start"])
    np.testing.assert_array_equal(smoothed["predicted"], smoothed[timeline.classes].idxmax(axis=1))
    pd.testing.assert_frame_equal(timeline.smoothed(0.1), timeline)
    assert runs(make_timeline("aaabaaa").to_intervals(smooth=3)) == [(0, 7, "a")]


def test_resampling_keeps_the_time_that_each_class_has():
    timeline = random_timeline()
    left, right = timeline._segment_extents()
    for step in (0.3, 5.0, 7.3, 1000):
        shown = timeline.resampled(step)
        lengths = (shown["end"] - shown["start"]).to_numpy()
        np.testing.assert_allclose(lengths[:-1], step)
        for name in timeline.classes:
            assert lengths @ shown[name] == pytest.approx((right - left) @ timeline[name])
        np.testing.assert_allclose(shown[timeline.classes].sum(axis=1), 1)
    assert len(timeline.resampled(1000)) == 1


def test_resampling_leaves_out_what_was_not_there():
    timeline = make_timeline("aaaaaaaa")
    shown = timeline[(timeline["start"] < 2) | (timeline["start"] >= 6)].resampled(2)
    assert shown["start"].tolist() == [0, 6] and shown["a"].tolist() == pytest.approx([0.8, 0.8])


@pytest.mark.parametrize("labels", [[3, 1, 3], [True, False, True]], ids=str)
def test_classes_need_not_be_words(labels):
    columns = {label: np.array(labels) == label for label in dict.fromkeys(labels)}
    timeline = Timeline({"start": [0, 1, 2], "end": [1, 2, 3], **columns, "predicted": labels})
    intervals = timeline.to_intervals(smooth=0.5)
    assert intervals["label"].tolist() == labels and intervals["probability"].tolist() == [1, 1, 1]
    assert intervals.to_audacity().splitlines()[0].endswith(f"\t{labels[0]}")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t[["start", "end"]].to_intervals(), "must have rows, and the columns 'start', 'end', a prob"),
        (lambda t: t.iloc[:0].to_intervals(), "must have rows.*Got 0 rows"),
        (lambda t: t.iloc[::-1].to_intervals(), "in order of time"),
        (lambda t: t.assign(end=t["start"]).resampled(1), "end after they start"),
        (lambda t: t.to_intervals(min_duration=-1), "min_duration == -1, must be >= 0"),
        (lambda t: t.to_intervals(smooth=0), "duration == 0, must be > 0"),
        (lambda t: t.resampled(-2), "step == -2, must be > 0"),
    ],
)
def test_what_cannot_be_merged_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        change(make_timeline("aab"))


@pytest.mark.processes
def test_a_day_is_merged_in_seconds():
    timeline = random_timeline(24 * 3600, hop=1.0)
    assert len(timeline.to_intervals(min_duration=30)) < 24 * 3600 / 30


# ---------------------------------------------------------------------------------------------------------------- files


def test_audacity_labels_are_read_back(tmp_path):
    intervals = random_timeline().to_intervals()
    assert intervals.to_audacity(tmp_path / "labels.txt") is None
    text = (tmp_path / "labels.txt").read_bytes().decode("utf-8")
    assert text == intervals.to_audacity() and "\r" not in text
    read = pd.read_csv(io.StringIO(text), sep="\t", header=None, names=["start", "end", "label"])
    np.testing.assert_allclose(read[["start", "end"]], intervals[["start", "end"]], atol=5e-7)
    assert read["label"].tolist() == intervals["label"].tolist()


def test_rttm_is_read_back(tmp_path):
    intervals = random_timeline().to_intervals(min_duration=2)
    intervals.to_rttm(str(tmp_path / "an interview.rttm"))
    rows = [line.split(" ") for line in (tmp_path / "an interview.rttm").read_text(encoding="utf-8").splitlines()]
    assert {len(row) for row in rows} == {10}  # the ten fields of the specification
    assert {(row[0], row[1], row[2]) for row in rows} == {("SPEAKER", "an_interview", "1")}
    assert {row[k] for row in rows for k in (5, 6, 9)} == {"<NA>"}
    start, duration, sure = (np.array([float(row[k]) for row in rows]) for k in (3, 4, 8))
    np.testing.assert_allclose(start, intervals["start"], atol=5e-4)
    np.testing.assert_allclose(start + duration, intervals["end"], atol=1e-3)
    np.testing.assert_allclose(sure, intervals["probability"], atol=5e-4)
    assert [row[7] for row in rows] == intervals["label"].tolist()
    assert intervals.to_rttm(recording="x").splitlines()[0].startswith("SPEAKER x 1 0.000 ")


def test_csv_is_read_back(tmp_path):
    intervals = random_timeline().to_intervals()
    intervals.to_csv(tmp_path / "intervals.csv", index=False)
    pd.testing.assert_frame_equal(Intervals(pd.read_csv(tmp_path / "intervals.csv")), intervals)


def test_labels_with_spaces_and_tabs_stay_one_field():
    intervals = Intervals({"start": [0.0], "end": [1.0], "label": ["mild\tdis  gust"]})
    assert intervals.to_audacity() == "0.000000\t1.000000\tmild dis gust\n"
    assert intervals.to_rttm(recording="a b") == "SPEAKER a_b 1 0.000 1.000 <NA> <NA> mild_dis_gust <NA> <NA>\n"


def test_intervals_that_are_filtered_still_write_themselves():
    intervals = make_timeline("aabb").to_intervals()
    assert intervals[intervals["label"] == "b"].to_audacity() == "2.000000\t4.000000\tb\n"
    assert intervals.iloc[:0].to_audacity() == "" == intervals.iloc[:0].to_rttm(recording="x")


@pytest.mark.parametrize(
    "data, message",
    [
        ({"start": [0.0], "end": [1.0]}, "must have the columns 'start', 'end' and 'label'. Got .'start', 'end'."),
        ({"start": [2.0], "end": [1.0], "label": ["a"]}, "must not end before. Row 0 goes from 2.0 to 1.0"),
        ({"start": [np.nan], "end": [1.0], "label": ["a"]}, "Row 0 goes from nan to 1.0"),
        ({"start": [0.0], "end": [1.0], "label": [" "]}, "RTTM has no empty fields, so that label must be a name"),
    ],
)
def test_what_cannot_be_written_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        Intervals(data).to_rttm(recording="x")


def test_rttm_without_the_name_of_a_recording_is_refused():
    with pytest.raises(ValueError, match="names the recording in every line. Got neither path nor recording"):
        make_timeline("aab").to_intervals().to_rttm()


# -------------------------------------------------------------------------------------------------------------- picture


def test_an_hour_is_drawn_in_steps_that_can_be_seen(plt):
    timeline = random_timeline(7200)
    display = TimelineDisplay.from_predictions(timeline)
    assert display.step_ == 30 and "means of 30 s" in display.ax_.get_title(loc="left")
    stairs = display.ax_.patches[0].get_data()
    assert len(stairs.values) == 121 and stairs.edges[1] == 30
    np.testing.assert_allclose(stairs.values, timeline.resampled(30)["c0"])
    lengths = display.intervals_["end"] - display.intervals_["start"]
    assert lengths.min() >= 60 and "predictions of at least 60 s" in display.ax_.get_title(loc="left")
    narrow = TimelineDisplay.from_predictions(timeline, ax=plt.figure(figsize=(3, 3)).add_subplot())
    assert narrow.step_ > display.step_


def test_a_minute_is_drawn_as_it_is(plt):
    display = TimelineDisplay.from_predictions(random_timeline(120))
    assert display.step_ is None and display.ax_.get_title(loc="left") == ""
    pd.testing.assert_frame_equal(display.intervals_, random_timeline(120).to_intervals())


def test_smoothing_and_durations_are_drawn_and_said(plt):
    timeline = random_timeline(100)
    display = TimelineDisplay.from_predictions(timeline, smooth=3, min_duration=2)
    expected = timeline.smoothed(3)
    np.testing.assert_allclose(display.ax_.patches[0].get_data().values, expected["c0"])
    assert runs(display.intervals_) == runs(expected.to_intervals(min_duration=2))
    said = display.ax_.get_title(loc="left")
    assert said == "probabilities smoothed over 3 s, predictions of at least 2 s"


def test_twelve_classes_differ_in_colour_or_hatch(plt):
    display = TimelineDisplay.from_predictions(random_timeline(60, classes=TWELVE))
    styles = [(patch.get_facecolor(), patch.get_hatch()) for patch in display.ax_.patches]
    assert len(set(styles)) == 12 == len(display.ax_.get_legend().get_texts())
    assert sum(hatch is not None for _, hatch in styles) == 3  # nine have colours of their own
    drawn = {
        (tuple(colour), strip.get_hatch()) for strip in display.ax_.collections for colour in strip.get_facecolor()
    }
    assert drawn <= set(styles)


def test_what_was_left_out_and_what_is_no_class_stays_blank(plt):
    timeline = make_timeline("aabbbb").assign(predicted=list("aab") + ["unknown"] * 3)
    display = TimelineDisplay.from_predictions(timeline[timeline["start"] != 1])
    values = display.ax_.patches[0].get_data().values
    assert np.isnan(values).tolist() == [False, True, False, False, False, False]
    (strip,) = display.ax_.collections
    assert len(strip.get_paths()) == 2


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_words_of_many_long_classes_are_apart(plt, style):
    from drawing import assert_words_are_apart_and_inside

    with plt.style.context(style):
        classes = [*TWELVE[:-1], "disappointment and regret"]
        figure = TimelineDisplay.from_predictions(random_timeline(7200, classes=classes)).figure_
        assert_words_are_apart_and_inside(figure)
