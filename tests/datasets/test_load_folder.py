"""Anybody's corpus: labels in names, in folders, in tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import load_folder


def write(folder, *names, content=b"RIFF"):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# --- Folders ---


def test_folders_are_labels(tmp_path):
    write(tmp_path, "Angry/a.wav", "happy/deep/b.mp3", "x/Ärger/c d.flac", "sad/.hidden.wav", "sad/notes.txt")
    write(tmp_path, "happy/e.MP4")
    corpus = load_folder(tmp_path, "{emotion}/*")
    assert dict(zip((Path(p).name for p in corpus.data["path"]), corpus.target, strict=True)) == {
        "a.wav": "anger",
        "b.mp3": "deep",
        "c d.flac": "Ärger",
        "e.MP4": "happiness",
    }
    assert corpus.unmatched == [] and corpus.speaker is None
    assert corpus.data.columns.tolist() == ["path", "corpus"]


def test_folders_of_speakers_and_emotions(tmp_path):
    write(tmp_path, "Ann Lee/sad/1.wav", "Bö/happy/1.wav", "Bö/happy/2.wav")
    corpus = load_folder(tmp_path, "{speaker}/{emotion}/{text}", name="mine", language="Welsh")
    assert corpus.speaker.tolist() == ["Ann Lee", "Bö", "Bö"]
    assert corpus.target.tolist() == ["sadness", "happiness", "happiness"]
    assert corpus.data.columns.tolist() == ["path", "corpus", "language", "speaker", "text"]
    assert corpus.name == "mine" and set(corpus.data["language"]) == {"Welsh"}
    assert "happiness 2, sadness 1" in corpus.DESCR


# --- Patterns ---


def test_names_are_read_by_a_pattern(tmp_path):
    write(tmp_path, "03_a01_W_1.wav", "x/08_b02_T_22.wav", "08_b03_w_.wav")
    corpus = load_folder(tmp_path, "{speaker}_{text}_{emotion}_*", emotions={"W": "anger", "T": "sadness"})
    assert corpus.data[["speaker", "text"]].to_numpy().tolist() == [["03", "a01"], ["08", "b02"], ["08", "b03"]]
    assert corpus.target.tolist() == ["anger", "sadness", "anger"]
    X, y = load_folder(tmp_path, "{speaker}_{text}_{emotion}_*", emotions={"W": "a", "T": "b"}, return_X_y=True)
    assert y.tolist() == ["a", "b", "a"] and len(X) == 3


def test_widths_expressions_and_sexes(tmp_path):
    write(tmp_path, "F03a01Wa.wav", "M10b02Tb.wav")
    corpus = load_folder(tmp_path, r"{sex:1}{speaker:2}{text:[ab]\d\d}{emotion}*", emotions={"W": "anger", "T": "sad"})
    assert corpus.data[["sex", "speaker", "text"]].to_numpy().tolist() == [
        ["female", "03", "a01"],
        ["male", "10", "b02"],
    ]


def test_accents_written_in_two_ways_are_the_same(tmp_path):
    write(tmp_path, "wu\u0308tend_1.wav", "w\u00fctend_2.wav")
    assert load_folder(tmp_path, "{emotion}_*", emotions={"w\u00fctend": "anger"}).target.tolist() == ["anger"] * 2


def test_case_tells_labels_apart_where_it_is_all_that_does(tmp_path):
    write(tmp_path, "a_1.wav", "A_2.wav")
    assert load_folder(tmp_path, "{emotion}_*", emotions={"a": "anger", "A": "fear"}).target.tolist() == [
        "anger",
        "fear",
    ]


def test_a_field_that_is_there_twice_must_agree(tmp_path):
    write(tmp_path, "ann/ann_sad.wav", "bob/ann_sad.wav")
    with pytest.warns(UserWarning, match="1 of 2 are left out"):
        assert load_folder(tmp_path, "{speaker}/{speaker}_{emotion}").speaker.tolist() == ["ann"]


def test_what_does_not_match_is_listed(tmp_path):
    write(tmp_path, "03_anger.wav", "04_rage.wav", "noise.wav")
    with pytest.warns(
        UserWarning, match="2 of 3 are left out of .*`unmatched`.*04_rage.wav: .*one of anger, sad"
    ) as caught:
        corpus = load_folder(tmp_path, "{speaker}_{emotion}", emotions={"anger": "anger", "sad": "sadness"})
    assert caught[0].filename == __file__
    assert [Path(path).name for path in corpus.unmatched] == ["04_rage.wav", "noise.wav"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{speaker}-{emotion}", "'-' is not found behind '{speaker}'"),
        ("{speaker:3}_{emotion}", "'_' is not found behind '{speaker:3}'"),
        ("{speaker:[a-z]+}_{emotion}", r"{speaker:\[a-z\]\+} is not found at its beginning"),
        ("{speaker}/{emotion}_*", "it lies in 0 folders, where the pattern has 1"),
        (r"{speaker:\d\d}_{emotion:[a-z]+}", "'_x' is left behind its end"),
    ],
)
def test_where_nothing_matches_the_error_names_the_first_and_why(tmp_path, pattern, reason):
    write(tmp_path, "03_sad_x.wav", "04_sad_x.wav")
    with pytest.raises(
        ValueError, match=f"No clip of .* matches. The first, .*03_sad_x.wav, does not, because {reason}"
    ):
        load_folder(tmp_path, pattern)


def test_a_name_that_can_be_read_in_two_ways_is_refused(tmp_path):
    write(tmp_path, "03_well_then_sad.wav")
    with pytest.raises(ValueError, match="can be read in two ways: .*'then_sad'.* Say more of the fields"):
        load_folder(tmp_path, "{speaker}_{text}_{emotion}")
    assert load_folder(tmp_path, "{speaker:2}_{text}_{emotion:[a-z]+}").data["text"].tolist() == ["well_then"]


@pytest.mark.parametrize("pattern", ["{speaker}_*", "{emotion}_{path}", "{emotion", "{emotion}_{a b}", "{emotion:(}"])
def test_patterns_that_are_none_are_refused(tmp_path, pattern):
    write(tmp_path, "a_b.wav")
    with pytest.raises(ValueError, match="pattern (must have|has) .*(field|fields)"):
        load_folder(tmp_path, pattern)


def test_an_empty_folder_and_wrong_emotions_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="hold no audio file"):
        load_folder(tmp_path)
    with pytest.raises(TypeError, match=r"emotions must map labels to emotions.* Got \['anger'\]"):
        load_folder(tmp_path, emotions=["anger"])


# --- Tables ---


def table(folder, text, name="labels.csv"):
    write(folder, name, content=text.encode())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_beside_the_clips_names_them(tmp_path, separator):
    text = "file,label,speaker,age\na b.wav,sad,01,30\nx/Ä.wav,happy,02,40\n"
    table(tmp_path, text.replace(",", separator))
    write(tmp_path, "a b.wav", "x/Ä.flac")
    corpus = load_folder(tmp_path, labels="labels.csv")
    assert corpus.target.tolist() == ["sadness", "happiness"] and corpus.speaker.tolist() == ["01", "02"]
    assert corpus.data["age"].tolist() == [30, 40]
    assert [Path(path).name for path in corpus.data["path"]] == ["a b.wav", "Ä.flac"]


def test_columns_are_renamed_and_a_dataframe_will_do(tmp_path):
    write(tmp_path, "a.wav", "b.wav")
    frame = pd.DataFrame({"take": ["a", "b"], "feeling": ["W", "T"], "actor": ["x", "y"]})
    columns = {"take": "path", "feeling": "emotion", "actor": "speaker"}
    corpus = load_folder(tmp_path, labels=frame, columns=columns, emotions={"W": "anger", "T": "sadness"})
    assert corpus.target.tolist() == ["anger", "sadness"] and corpus.speaker.tolist() == ["x", "y"]
    assert list(frame.columns) == ["take", "feeling", "actor"]


def test_lines_without_files_and_files_without_lines_are_listed(tmp_path):
    table(tmp_path, "path,emotion\na.wav,sad\nb.wav,sad\nc.wav,odd\n")
    write(tmp_path, "a.wav", "c.wav", "d.wav")
    with pytest.warns(UserWarning, match=r"3 of 4 are left out.*row 1 \(b.wav\): no file has this name"):
        corpus = load_folder(tmp_path, labels="labels.csv", emotions={"sad": "sadness"})
    assert corpus.unmatched == ["row 1 (b.wav)", "row 2 (c.wav)", str(tmp_path / "d.wav")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,emotion\na.wav,sad\n", "row 0 .a.wav. names 2 files: .*Write their folders"),
        ("path,emotion\nx/a.wav,sad\ny/a.wav,\n", r"no emotion in row 1 \(y/a.wav\)"),
        ("path,emotion,speaker\nx/a.wav,sad,\n", r"no speaker in row 0 \(x/a.wav\)"),
        ("path,emotion\nx/a.wav,sad\nx/a.wav,sad\n", "in row 0 and row 1 .x/a.wav.. Ratings .* aggregate_ratings"),
        ("path,emotion\nz.wav,sad\n", r"The first, row 0 \(z.wav\), does not, because no file has this name"),
        ("take,emotion\nx/a.wav,sad\n", "no column 'path'. Its columns are take, emotion: .*columns={'take': 'path'}"),
        ("path,feeling\nx/a.wav,sad\n", "no column 'emotion'"),
    ],
)
def test_tables_that_are_ambiguous_or_incomplete_are_refused(tmp_path, text, message):
    table(tmp_path, text)
    write(tmp_path, "x/a.wav", "y/a.wav")
    with pytest.raises(ValueError, match=message):
        load_folder(tmp_path, labels="labels.csv")


def test_parts_of_a_file_may_have_a_line_each(tmp_path):
    table(tmp_path, "path,emotion,start,end\na.wav,sad,0,1.5\na.wav,happy,1.5,3\n")
    write(tmp_path, "a.wav")
    data = load_folder(tmp_path, labels="labels.csv").data
    np.testing.assert_array_equal(data[["start", "end"]], [[0, 1.5], [1.5, 3]])


def test_missing_tables_and_columns_are_refused(tmp_path):
    write(tmp_path, "a.wav")
    with pytest.raises(FileNotFoundError, match="labels must be a table in .*Got labels='none.csv'"):
        load_folder(tmp_path, labels="none.csv")
    with pytest.raises(TypeError, match="labels must be the path of a table, or a DataFrame. Got 3"):
        load_folder(tmp_path, labels=3)
    with pytest.raises(ValueError, match="columns names 'wav', which the table lacks. It has path, emotion"):
        load_folder(tmp_path, labels=pd.DataFrame({"path": ["a"], "emotion": ["sad"]}), columns={"wav": "path"})


# --- What users have ---


def labels_of(corpus):
    return dict(zip((Path(path).name for path in corpus.data["path"]), corpus.target, strict=True))


def test_by_default_the_folder_that_is_an_emotion_is_the_label(tmp_path):
    write(tmp_path, "train/angry/ann/a.wav", "test/Happy/bob/b.wav", "train/rage/bob/c.wav")
    assert labels_of(load_folder(tmp_path)) == {"a.wav": "anger", "b.wav": "happiness", "c.wav": "rage"}
    with pytest.warns(
        UserWarning, match=r"1 of 3 .*c.wav: none of its folders is an emotion \(one of 'angry', 'HAPPY'"
    ):
        corpus = load_folder(tmp_path, emotions={"angry": "A", "HAPPY": "H"})
    assert labels_of(corpus) == {"a.wav": "A", "b.wav": "H"}


def test_by_default_a_clip_without_a_folder_is_left_out_and_one_in_two_emotions_refused(tmp_path):
    write(tmp_path, "Wut/a.wav", "b.wav")
    with pytest.warns(UserWarning, match="b.wav: it lies in no folder"):
        assert labels_of(load_folder(tmp_path)) == {"a.wav": "Wut"}
    write(tmp_path, "sad/happy/c.wav")
    with pytest.raises(
        ValueError, match="c.wav can be read in two ways: its folders 'sad' and 'happy' are both emotions"
    ):
        load_folder(tmp_path)


@pytest.mark.parametrize("written", ["u\u0308ber", "\u00fcber"])
def test_accents_of_labels_are_the_same_in_names_tables_and_mappings(tmp_path, written):
    write(tmp_path, "a_\u00fcber.wav", "b_u\u0308ber.wav")
    assert set(load_folder(tmp_path, "*_{emotion}", emotions={written: "x"}).target) == {"x"}
    table(tmp_path, f"file,label\na_u\u0308ber,\u00fcber\nb_\u00fcber,{written}\n")
    assert set(load_folder(tmp_path, labels="labels.csv", emotions={written: "x"}).target) == {"x"}
    assert set(load_folder(tmp_path, labels="labels.csv").target) == {"\u00fcber"}


def test_copies_of_a_clip_in_several_formats_count_once(tmp_path):
    write(tmp_path, "angry/a.mp4", "angry/a.wav", "angry/a.mp3")
    with pytest.warns(UserWarning, match="2 of 3 .*a.mp3: it is another format of a.wav"):
        assert list(labels_of(load_folder(tmp_path))) == ["a.wav"]
    table(tmp_path, "file,label\na.mp3,sad\n")
    with pytest.warns(UserWarning, match="2 of 3 "):
        assert list(labels_of(load_folder(tmp_path, labels="labels.csv"))) == ["a.mp3"]


def test_an_extension_and_braces_of_expressions_may_stand_in_a_pattern(tmp_path):
    write(tmp_path, "ab_angry.wav", "abc_angry.wav")
    with pytest.warns(UserWarning, match="1 of 2 are left out"):
        assert load_folder(tmp_path, "{speaker:[a-z]{1,2}}_{emotion}.wav").speaker.tolist() == ["ab"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_are_read_as_spreadsheets_write_them(tmp_path, encoding):
    write(tmp_path, "ä.wav", content=b"")
    write(tmp_path, "labels.csv", content="File;Label;Speaker_ID;Gender;NOTE\nä.wav;Ärger;NA;w;x\n".encode(encoding))
    corpus = load_folder(tmp_path, labels="labels.csv")
    assert corpus.target.tolist() == ["Ärger"] and corpus.speaker.tolist() == ["NA"]
    assert corpus.data["sex"].tolist() == ["female"] and corpus.data["NOTE"].tolist() == ["x"]


def test_labels_may_be_numbers_and_words_stand_where_numbers_should(tmp_path):
    write(tmp_path, "x_1.wav", "y_2.wav")
    emotions = {1: "anger", 2: "sadness"}
    frame = pd.DataFrame({"file": ["x_1.wav", "y_2.wav"], "label": [1, 2], "age": ["twenties", "30"]})
    corpus = load_folder(tmp_path, labels=frame, emotions=emotions)
    assert corpus.target.tolist() == ["anger", "sadness"] and corpus.data["age"].tolist() == ["twenties", "30"]
    assert load_folder(tmp_path, "*_{emotion}", emotions=emotions).target.tolist() == ["anger", "sadness"]
    with pytest.raises(ValueError, match="column 'arousal' must hold numbers. Got 'high' in row 1"):
        load_folder(tmp_path, labels=frame.assign(arousal=["0.5", "high"]))
    with pytest.raises(TypeError, match="pattern must be a string .* Got 3"):
        load_folder(tmp_path, 3)
