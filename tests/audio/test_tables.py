"""Columns that say which part of a recording a row is, under all their usual names; tables of other libraries."""

import datetime
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import AudioError, WaveformLoader, check_corpus

SR = 16000
LEFT, RIGHT = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 4 * SR)).round(3)


@pytest.fixture
def interview(tmp_path):
    path = tmp_path / "interview.wav"
    soundfile.write(path, LEFT, SR, subtype="FLOAT")
    return str(path)


@pytest.fixture
def call(tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, np.column_stack([LEFT, RIGHT]), SR, subtype="FLOAT")
    return str(path)


def heard(X, **params):
    return list(WaveformLoader(**params).fit_transform(X))


def assert_halves(X):
    first, second = heard(X)
    np.testing.assert_array_equal(first, LEFT[: 2 * SR].astype("f4"))
    np.testing.assert_array_equal(second, LEFT[2 * SR :].astype("f4"))


@pytest.mark.parametrize(
    "names", ["start end", "begin end", "start stop", "start_time end_time", "Start End", "t_start t_end", "xmin xmax"]
    + ["onset offset", "beg end", "Start (s) End (s)", "segment_start segment_end", "startTime endTime", "BEGIN STOP"]
)  # fmt: skip
def test_start_and_end_by_their_usual_names(interview, names):
    middle = len(names.split()) // 2
    start, end = " ".join(names.split()[:middle]), " ".join(names.split()[middle:])
    assert_halves(pd.DataFrame({"path": [interview] * 2, start: [0.0, 2.0], end: [2.0, 4.0]}))


@pytest.mark.parametrize("names", ["start duration", "offset duration", "onset duration", "begin dur"])
def test_start_and_duration_by_their_usual_names(interview, names):
    start, duration = names.split()
    assert_halves(pd.DataFrame({"path": [interview] * 2, start: [0.0, 2.0], duration: [2.0, 2.0]}))


@pytest.mark.parametrize(
    "starts, ends",
    [
        (["0", "2"], ["2", "4.0"]),
        ([datetime.timedelta(0), datetime.timedelta(seconds=2)], [datetime.timedelta(seconds=2)] * 1 + [None]),
        (["0 days 00:00:00", "0 days 00:00:02"], ["0 days 00:00:02", "0 days 00:00:04"]),
    ],
)
def test_times_as_text_and_as_differences(interview, starts, ends):
    assert_halves(pd.DataFrame({"path": [interview] * 2, "start": starts, "end": ends}))


def test_milliseconds_say_so_in_their_names(interview):
    assert_halves(pd.DataFrame({"path": [interview] * 2, "start_ms": [0, 2000], "end_ms": [2000, 4000]}))


def test_rows_as_dicts_are_a_table(interview):
    table = pd.DataFrame({"path": [interview] * 2, "start": [0.0, 2.0], "end": [2.0, 4.0], "emotion": ["calm", "fear"]})
    assert_halves(table.to_dict("records"))
    content = Path(interview).read_bytes()
    assert_halves([{"bytes": content, "path": "a", **row} for row in table[["start", "end"]].to_dict("records")])


def test_an_offset_without_duration_and_dates_are_no_parts(interview):
    for column in ({"offset": [1.0]}, {"start_time": ["2020-01-01 12:00"]}, {"begin": ["Monday"]}):
        assert heard(pd.DataFrame({"path": [interview], **column}))[0].size == 4 * SR


def test_one_path_in_rows_that_differ_warns(interview):
    X = pd.DataFrame({"path": [interview] * 2, "from_sample": [0, 32000]})
    with pytest.warns(UserWarning, match=r"stands in 2 rows that differ in \['from_sample'\].*'start' and 'end'"):
        WaveformLoader().fit(X)
    WaveformLoader().fit(X.iloc[[0, 0]])  # drawn twice


@pytest.mark.parametrize("more", [{"channel": 0}, {"end": [2.0, 4.0]}, {"sr": 16000}])
def test_parts_whose_beginning_is_not_known_warn_whatever_else_is(call, more):
    X = pd.DataFrame({"path": [call] * 2, "first_sample": [0, 32000], **more})
    with pytest.warns(UserWarning, match=r"stands in 2 rows that differ in \['first_sample'.*'start' and 'end'"):
        WaveformLoader().fit(X)
    WaveformLoader().fit(pd.DataFrame({"path": [call] * 2, "channel": [0, 1], "side": ["agent", "customer"]}))


@pytest.mark.parametrize(
    "values", [("0", "1"), ("L", "R"), ("left", "RIGHT"), ("A", "B"), (0, 1), (0.0, "1"), ("0.0", "1.0")]
)
def test_channels_in_words(call, values):
    first, second = heard(pd.DataFrame({"path": [call] * 2, "channel": list(values)}))
    np.testing.assert_array_equal(first, LEFT.astype("f4"))
    np.testing.assert_array_equal(second, RIGHT.astype("f4"))


def test_channels_of_unknown_names_are_refused_and_ignored_in_mono(call, interview):
    with pytest.raises(AudioError, match=r"call.wav'\): its 2 channel.*Row 0: channel must be .* Got 'agent'"):
        heard(pd.DataFrame({"path": [call], "channel": ["agent"]}))
    with pytest.warns(UserWarning, match="The column 'channel' says 'iPhone'. It is ignored"):
        assert heard(pd.DataFrame({"path": [interview], "channel": ["iPhone"]}))[0].size == 4 * SR
    with pytest.raises(ValueError, match="Row 0: channel must be a whole number"):
        heard(pd.DataFrame({"path": [interview], "channel": ["right"]}))


def test_a_missing_path_is_named(interview):
    for missing in (np.nan, None, pd.NA):
        with pytest.raises(AudioError, match="Row 1: the column 'path' holds no clip"):
            WaveformLoader().fit(pd.DataFrame({"path": [interview, missing]}))
    with pytest.raises(AudioError, match="Row 0: the column 'path' holds no clip"):
        WaveformLoader().fit(pd.DataFrame({"path": [np.nan, np.nan]}))


def test_sound_beside_a_path_of_another_machine_is_mentioned(interview):
    X = pd.DataFrame({"path": ["nowhere.wav"], "audio": [{"bytes": Path(interview).read_bytes(), "path": None}]})
    with pytest.raises(FileNotFoundError, match=r"'nowhere.wav'\): no such file .*column 'audio' of the table"):
        WaveformLoader().fit(X)
    assert heard(X.drop(columns="path"))[0].size == 4 * SR


def test_tables_of_polars_that_are_not_collected_yet(interview):
    polars = pytest.importorskip("polars")
    assert_halves(polars.LazyFrame({"path": [interview] * 2, "start": [0.0, 2.0], "end": [2.0, 4.0]}))


def test_tables_of_pyarrow(interview):
    pyarrow = pytest.importorskip("pyarrow")
    assert_halves(pyarrow.table({"path": [interview] * 2, "start": [0.0, 2.0], "end": [2.0, 4.0]}))


class Audio:
    def __init__(self, decode=True):
        self.decode = decode


class Dataset:
    """As Hugging Face's: columns by name, rows by number, no table."""

    def __init__(self, columns, features):
        self.columns_, self.features, self.column_names = columns, features, list(columns)

    def __len__(self):
        return len(next(iter(self.columns_.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.columns_[key]
        assert not getattr(self.features.get("speech"), "decode", False), "decoded by torchcodec"
        return {name: values[key] for name, values in self.columns_.items()}

    def cast_column(self, name, feature):
        return Dataset(self.columns_, {**self.features, name: feature})


def test_a_dataset_of_hugging_face(interview):
    rows = [{"bytes": Path(interview).read_bytes(), "path": "a.wav"}, {"bytes": None, "path": interview}]
    columns = {"speech": rows, "start": [0.0, 2.0], "end": [2.0, 4.0], "emotion": ["calm", "fear"]}
    assert_halves(Dataset(columns, {"speech": Audio()}))
    assert_halves(Dataset({"path": [interview] * 2, "start": [0, 2], "end": [2, 4]}, {}))
    with pytest.raises(ValueError, match="needs a column of audio, or 'path'. Got the columns .*'emotion'"):
        WaveformLoader().fit(Dataset({"emotion": ["calm"]}, {}))


def test_paths_from_home_as_urls_and_in_archives(interview, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
        archive.write(interview, "a/b.wav")
    inside = zipfile.Path(tmp_path / "corpus.zip", "a/b.wav")
    for clip in ("~/interview.wav", (tmp_path / "interview.wav").as_uri(), inside):
        np.testing.assert_array_equal(heard([clip])[0], LEFT.astype("f4"))
    with pytest.raises(FileNotFoundError, match="'~/nowhere.wav'"):
        WaveformLoader().fit(["~/nowhere.wav"])


@pytest.mark.parametrize("address", ["https://host/a.wav", "s3://bucket/a.wav", "HTTP://host/a.wav"])
def test_addresses_are_refused(address):
    with pytest.raises(AudioError, match=r"Row 0 \('\w+://.*an address .* is no file of this machine. Download it"):
        WaveformLoader().fit([address])


def test_check_corpus_goes_on_after_rows_that_cannot_be(interview, tmp_path):
    X = pd.DataFrame(
        {
            "path": [interview, interview, str(tmp_path / "missing.wav"), np.nan],
            "start": [0, 0.5, 0, 0],
            "end": [0.5, 0.2, 1, 1],
        }
    )
    problems = check_corpus(X, verbose=0)
    assert problems["row"].tolist() == [1, 2, 3] and problems["path"][0] == interview
    assert problems["detail"][0].startswith("start must not be negative, and end lie after it")
    dicts = check_corpus([{"path": "nowhere.wav", "bytes": None}], verbose=0)
    assert dicts["path"].tolist() == ["nowhere.wav"]


@pytest.mark.parametrize("declared", ["3.0", np.float32(3), 3, pd.Timedelta("3s"), datetime.timedelta(seconds=3)])
def test_declared_durations_of_any_type_are_compared(interview, declared):
    X = pd.DataFrame({"path": [interview], "duration": pd.Series([declared], dtype=object)})
    assert check_corpus(X, verbose=0)["detail"].tolist() == ["duration says 3 s, of which 4.000 s decode"]


def test_errors_name_the_path_of_a_dict():
    for sound in ({"bytes": b"no audio at all, but some bytes"}, {"array": [np.nan], "sampling_rate": SR}):
        with pytest.raises(AudioError, match=r"Row 0 \('here.wav'\)"):
            WaveformLoader().fit_transform([{**sound, "path": "here.wav"}])
