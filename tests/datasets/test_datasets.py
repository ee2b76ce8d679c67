"""The corpora as they lie on disk: published, copied in other layouts, incomplete, or licensed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sklearn_ser.datasets import _emodb, fetch_emodb, fetch_ravdess, fetch_tess, load_casia, load_iemocap
from sklearn_ser.datasets._base import check_emotions, get_data_home

INCOMPLETE = "ignore:.* is incomplete:UserWarning"
EMODB_NAMES = ["03a01Wa.wav", "03a02Nc.wav", "08b10Ta.wav", "16b09Fb.wav"]


@pytest.fixture(autouse=True)
def no_data_home(monkeypatch, tmp_path):
    """Nothing here may read or write the user's own corpora; `emodb` was loaded before this takes effect."""
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path / "home"))


def write(folder, *names, content=b"RIFF"):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# --- EMO-DB as published ---


def test_emodb_has_the_published_counts(emodb):
    assert emodb.data.shape == (535, 8)
    columns = ["path", "speaker", "sex", "age", "text", "version", "recognised", "natural"]
    assert list(emodb.data.columns) == columns
    names, counts = np.unique(emodb.target, return_counts=True)
    expected = {"anger": 127, "boredom": 81, "disgust": 46, "fear": 69, "happiness": 71, "neutral": 79, "sadness": 62}
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == expected
    assert emodb.target_names == list(expected)
    assert sorted(set(emodb.speaker)) == ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
    assert not np.any((emodb.speaker == "08") & (emodb.target == "disgust"))
    assert "CC0" in emodb.DESCR and "Burkhardt" in emodb.DESCR


def test_emodb_clips_are_those_of_the_checksum_list(emodb):
    sums = _emodb._published_sums()
    assert len(sums) == 535
    assert sorted(sums) == sorted(os.path.basename(path) for path in emodb.data["path"])
    for path in emodb.data["path"][:3]:
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sums[os.path.basename(path)]


def test_emodb_says_how_many_listeners_recognised_each_clip(emodb):
    data = emodb.data
    assert data[["recognised", "natural"]].notna().all(axis=None)
    assert data["recognised"].min() == 0.8  # what was recognised less was not published
    first = data.iloc[[os.path.basename(path) for path in data["path"]].index("03a01Wa.wav")]
    assert (first["recognised"], first["natural"]) == (0.95, 0.90)
    assert round(data["recognised"].mean(), 3) == 0.935  # as DESCR says
    assert round(data["recognised"].groupby(emodb.target).mean().mean(), 3) == 0.930


@pytest.mark.filterwarnings(INCOMPLETE)
def test_listeners_of_a_clip_that_the_list_lacks_are_unknown(tmp_path):
    write(tmp_path / "emodb", *EMODB_NAMES)
    assert fetch_emodb(tmp_path).data[["recognised", "natural"]].isna().all(axis=None)
    text = "Nr.\tSatz\terkannt\tnatuerlich\n7\xa0 \t03a01wa.wav\t95,24\xa0\t90,00 \n8\t\n"
    write(tmp_path / "emodb", "info/erkennung.txt", content=text.encode("latin-1"))
    data = fetch_emodb(tmp_path).data
    np.testing.assert_allclose(data["recognised"], [0.9524, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(data["natural"], [0.9, np.nan, np.nan, np.nan])


# --- Finding clips ---


@pytest.mark.filterwarnings(INCOMPLETE)
def test_clips_are_known_by_name_in_any_layout_and_case_and_sorted_by_it(tmp_path):
    write(tmp_path / "emodb", "b/deeper/03a01Wa.WAV", "16b09Fb.wav", "a/08b10Ta.wav")
    corpus = fetch_emodb(tmp_path)
    assert [os.path.basename(path) for path in corpus.data["path"]] == ["03a01Wa.WAV", "08b10Ta.wav", "16b09Fb.wav"]
    assert corpus.target.tolist() == ["anger", "sadness", "happiness"]
    assert corpus.data.iloc[0, 1:6].tolist() == ["03", "male", 31, "a01", "a"]
    assert all(os.path.isabs(path) for path in corpus.data["path"])
    assert corpus.target.dtype.kind == corpus.speaker.dtype.kind == "U"


@pytest.mark.filterwarnings(INCOMPLETE)
def test_hidden_and_foreign_files_are_ignored_and_copies_taken_once(tmp_path):
    write(tmp_path / "emodb", "wav/03a01Wa.wav", "wav/._03a01Wa.wav", "__MACOSX/03a02Nc.wav", ".old/03a02Nc.wav")
    write(tmp_path / "emodb", "copy/03a01Wa.wav", "wav/noise.wav", "wav/99a01Wa.wav", "wav/03a05Wa.mp3")
    corpus = fetch_emodb(tmp_path)
    assert corpus.data["path"].tolist() == [str(tmp_path / "emodb" / "copy" / "03a01Wa.wav")]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
@pytest.mark.filterwarnings(INCOMPLETE)
def test_linked_folders_are_followed_once(tmp_path):
    write(tmp_path / "elsewhere", "03a01Wa.wav")
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "emodb")
    assert len(fetch_emodb(tmp_path).data) == 1


def test_an_incomplete_corpus_loads_with_a_warning_that_counts(tmp_path):
    write(tmp_path / "emodb", *EMODB_NAMES)
    with pytest.warns(UserWarning, match="EMO-DB in .*emodb is incomplete: found 4 of 535 clips") as caught:
        fetch_emodb(tmp_path, emotions=["anger"])
    assert caught[0].filename == __file__


def test_emotions_keep_the_order_of_the_corpus_and_do_not_count_as_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(_emodb, "_N_CLIPS", 4)
    write(tmp_path / "emodb", *EMODB_NAMES)
    corpus = fetch_emodb(tmp_path, emotions=["sadness", "anger"])
    assert corpus.target.tolist() == ["anger", "sadness"]
    assert corpus.target_names == ["anger", "sadness"]


@pytest.mark.filterwarnings(INCOMPLETE)
def test_return_X_y_gives_the_table_and_the_target(tmp_path):
    write(tmp_path / "emodb", *EMODB_NAMES)
    X, y = fetch_emodb(tmp_path, return_X_y=True)
    assert X.shape == (4, 8) and y.tolist() == ["anger", "neutral", "sadness", "happiness"]


@pytest.mark.parametrize(
    ("emotions", "error", "message"),
    [
        (["joy", "anger"], ValueError, "one or more of anger, boredom, calm, .*surprise. Unknown: 'joy'"),
        (["surprise"], ValueError, "EMO-DB has no clips of surprise. It has anger, boredom, disgust, "),
        ("anger", TypeError, "must be a list"),
    ],
)
def test_unknown_emotions_are_refused(tmp_path, emotions, error, message):
    with pytest.raises(error, match=message):
        fetch_emodb(tmp_path, emotions=emotions)


@pytest.mark.filterwarnings(INCOMPLETE)
def test_no_clip_of_the_wanted_emotion_is_an_error(tmp_path):
    write(tmp_path / "emodb", "03a01Wa.wav")
    with pytest.raises(ValueError, match="None of the 1 clips found of EMO-DB is of fear"):
        fetch_emodb(tmp_path, emotions=["fear"])


def test_repeated_emotions_count_once():
    assert check_emotions(["anger", "fear", "anger"]) == ("anger", "fear")


def test_the_data_home_is_the_argument_then_the_environment_then_the_user_s(monkeypatch, tmp_path):
    assert get_data_home(tmp_path / "x") == tmp_path / "x"
    assert get_data_home() == tmp_path / "home"
    for unset in (lambda: monkeypatch.setenv("SKLEARN_SER_DATA", ""), lambda: monkeypatch.delenv("SKLEARN_SER_DATA")):
        unset()
        assert get_data_home() == Path.home() / "sklearn_ser_data"


@pytest.mark.parametrize(
    ("fetch", "folder", "source"),
    [(fetch_emodb, "emodb", "bilderbar"), (fetch_ravdess, "ravdess", "zenodo.org"), (fetch_tess, "tess", "doi.org")],
)
def test_nothing_found_says_where_was_searched_and_where_to_get_it(tmp_path, fetch, folder, source):
    message = f"no clip found in .*{folder} or below it.*SKLEARN_SER_DATA.*{source}.*licence"
    with pytest.raises(FileNotFoundError, match=message):
        fetch(tmp_path / "nothing", download_if_missing=False)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.processes
def test_importing_the_datasets_imports_nothing_for_downloading_or_resampling():
    code = "import sys, sklearn_ser.datasets; print({'pooch', 'requests', 'tqdm', 'soxr'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- RAVDESS ---


@pytest.mark.filterwarnings(INCOMPLETE)
def test_ravdess_ignores_video_and_unknown_codes(tmp_path):
    names = [
        "03-01-01-01-01-01-24.wav",
        "01-01-01-01-01-01-24.wav",
        "03-01-09-01-01-01-24.wav",
        "03-01-01-01-01-01-25.wav",
    ]
    write(tmp_path / "ravdess", *names)
    corpus = fetch_ravdess(tmp_path)
    assert corpus.target.tolist() == ["neutral"] and corpus.data["sex"].tolist() == ["female"]


# --- TESS ---


@pytest.mark.filterwarnings(INCOMPLETE)
def test_tess_copies_with_other_folders_or_twice_nested_load_once(tmp_path):
    outer = tmp_path / "tess" / "TESS Toronto emotional speech set data"
    for folder in (outer, outer / "TESS Toronto emotional speech set data"):
        write(
            folder, "OAF_Fear/OAF_back_fear.wav", "YAF_pleasant_surprised/YAF_back_ps.wav", "OAF_Sad/oaf_back_SAD.wav"
        )
    corpus = fetch_tess(tmp_path)
    assert corpus.target.tolist() == ["fear", "sadness", "surprise"]
    assert corpus.speaker.tolist() == ["OAF", "OAF", "YAF"]


# --- Licensed corpora ---


@pytest.fixture
def casia(tmp_path):
    for speaker in ("wang", "li"):
        for emotion in ("angry", "fear", "happy", "neutral", "sad", "surprise"):
            write(tmp_path / "CASIA" / speaker, f"{emotion}/201.wav", f"{emotion}/202.wav", f"{emotion}/._201.wav")
    write(tmp_path / "CASIA", "wang/other/201.wav")
    return tmp_path / "CASIA"


def test_casia_reads_speakers_and_emotions_from_folders(casia):
    corpus = load_casia(casia)
    assert corpus.data.shape == (24, 4)
    assert list(corpus.data.columns) == ["path", "speaker", "sex", "text"]
    assert corpus.data["sex"].isna().all()
    assert corpus.target_names == ["anger", "fear", "happiness", "neutral", "sadness", "surprise"]
    assert corpus.speaker.tolist() == ["li"] * 12 + ["wang"] * 12
    assert len(load_casia(str(casia.parent), emotions=["anger"], return_X_y=True)[1]) == 4


def test_casia_elsewhere_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be an existing folder. Got path='.*nowhere'"):
        load_casia(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="CASIA: no clip found in .*Expected <speaker>/<emotion>"):
        load_casia(tmp_path)
    with pytest.raises(ValueError, match="CASIA has no clips of boredom"):
        load_casia(tmp_path, emotions=["boredom"])


@pytest.fixture
def iemocap(tmp_path):
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    labels = {"F000": "neu", "F001": "exc", "M000": "hap", "M001": "fru", "M002": "sur", "F002": "xxx", "M003": "ang"}
    for turn, label in labels.items():
        lines.append(f"[6.2901 - 8.2357]\tSes01F_impro01_{turn}\t{label}\t[2.5000, 3.0000, 3.5000]")
        lines.append("C-E2:\tNeutral;\t()")
        write(tmp_path / "Session1" / "sentences" / "wav" / "Ses01F_impro01", f"Ses01F_impro01_{turn}.wav")
    script = "[0.1 - 0.2]\tSes05M_script01_1b_F003\tsad\t[1.0, 2.0, 3.0]\r\n"
    write(tmp_path / "Session5" / "sentences" / "wav", "Ses05M_script01_1b/Ses05M_script01_1b_F003.wav")
    evaluations = "dialog/EmoEvaluation"
    write(tmp_path, f"Session1/{evaluations}/Ses01F_impro01.txt", content="\n".join(lines).encode())
    write(tmp_path, f"Session1/{evaluations}/._Ses01F_impro01.txt", content=b"\x00\xb0[")
    write(tmp_path, f"Session5/{evaluations}/Ses05M_script01_1b.txt", content=script.encode())
    write(tmp_path, f"Session5/{evaluations}/Categorical/Ses05M_script01_1b_e1_cat.txt", content=script.encode())
    return tmp_path


def test_iemocap_loads_the_four_classes_with_excitement_as_happiness(iemocap):
    corpus = load_iemocap(iemocap)
    assert corpus.target.tolist() == ["neutral", "happiness", "happiness", "anger", "sadness"]
    assert corpus.speaker.tolist() == ["Ses01F", "Ses01F", "Ses01M", "Ses01M", "Ses05F"]
    facts = [1, "Ses01F_impro01", "improvised", 2.5, 3.0, 3.5]
    assert corpus.data.iloc[0, 1:].tolist() == ["Ses01F", "female", *facts]
    assert corpus.data.iloc[-1, 3:6].tolist() == [5, "Ses05M_script01_1b", "scripted"]
    assert load_iemocap(iemocap, emotions=None).target_names == ["anger", "happiness", "neutral", "sadness", "surprise"]


def test_iemocap_names_turns_without_audio(iemocap):
    wav = iemocap / "Session1" / "sentences" / "wav" / "Ses01F_impro01"
    (wav / "Ses01F_impro01_M003.wav").unlink()
    (wav / "Ses01F_impro01_M002.wav").unlink()  # surprise, not asked for
    with pytest.warns(UserWarning, match="1 labeled turns have no WAV file .*: Ses01F_impro01_M003.$"):
        assert "anger" not in load_iemocap(iemocap).target


def test_iemocap_without_labels_or_audio_is_an_error(iemocap, tmp_path):
    with pytest.raises(FileNotFoundError, match="no labeled turn found .*the one that holds Session1 to Session5"):
        load_iemocap(iemocap / "Session1")
    for file in iemocap.rglob("*.wav"):
        file.unlink()
    with pytest.raises(FileNotFoundError, match="none of the 6 labeled turns has a WAV file"):
        load_iemocap(iemocap)
