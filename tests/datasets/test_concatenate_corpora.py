"""Several corpora as one: whose clips, called what, kept which."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from sklearn_ser import LeaveOneCorpusOut, concatenate_corpora, fetch_emodb, fetch_ravdess, load_casia, load_corpus
from sklearn_ser.datasets import _emodb, _licensed, _ravdess, _tess

pytestmark = pytest.mark.filterwarnings("ignore:.* is incomplete:UserWarning")


def write(folder, *names):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")


@pytest.fixture
def emodb(tmp_path):
    write(tmp_path / "emodb", "03a01Wa.wav", "03a02Nc.wav", "08b10Ta.wav", "16b09La.wav")
    return fetch_emodb(tmp_path)  # anger, neutral, sadness, boredom


@pytest.fixture
def ravdess(tmp_path):
    names = ["03-01-01-01-01-01-03.wav", "03-01-02-01-02-01-03.wav", "03-01-05-02-01-02-04.wav"]
    write(tmp_path / "ravdess", *names)
    return fetch_ravdess(tmp_path)  # neutral, calm, anger


@pytest.fixture
def casia(tmp_path):
    write(tmp_path / "CASIA", "03/angry/201.wav", "03/neutral/202.wav")
    return load_casia(tmp_path / "CASIA")


def test_the_result_is_like_any_corpus_with_a_column_that_says_which(emodb, ravdess):
    corpus = concatenate_corpora([emodb, ravdess])
    assert set(emodb) < set(corpus) and set(corpus) - set(emodb) == {"corpus"}
    assert list(corpus.data.columns[:3]) == ["path", "corpus", "speaker"]
    assert set(corpus.data.columns) == {*emodb.data.columns, *ravdess.data.columns, "corpus"}
    assert corpus.data["corpus"].tolist() == corpus.corpus.tolist() == ["EMO-DB"] * 2 + ["RAVDESS"] * 2
    assert corpus.target.dtype.kind == corpus.speaker.dtype.kind == corpus.corpus.dtype.kind == "U"
    assert corpus.name == "EMO-DB + RAVDESS"
    for part in ("EMO-DB", "Burkhardt", "Livingstone", "anger"):
        assert part in corpus.DESCR


def test_common_emotions_are_kept_by_default_and_clips_keep_their_order(emodb, ravdess):
    corpus = concatenate_corpora([emodb, ravdess])
    assert corpus.target.tolist() == ["anger", "neutral", "neutral", "anger"]
    assert corpus.target_names == ["anger", "neutral"]
    assert [Path(path).name[:5] for path in corpus.data["path"]] == ["03a01", "03a02", "03-01", "03-01"]


@pytest.mark.parametrize(
    ("emotions", "names"),
    [
        ("all", ["anger", "boredom", "calm", "neutral", "sadness"]),
        (["calm", "anger"], ["anger", "calm"]),
        ({"calm": "neutral"}, ["anger", "neutral"]),
        ({"anger": None}, ["neutral"]),
        ({"anger": "high", "neutral": "low", "calm": "low", "sadness": "low", "boredom": None}, ["high", "low"]),
    ],
)
def test_emotions_can_be_chosen_and_called_otherwise(emodb, ravdess, emotions, names):
    assert concatenate_corpora([emodb, ravdess], emotions=emotions).target_names == names


def test_a_mapping_renames_before_it_looks_for_what_is_common(emodb, ravdess):
    target = concatenate_corpora([emodb, ravdess], emotions={"calm": "neutral"}).target
    assert target.tolist() == ["anger", "neutral", "neutral", "neutral", "anger"]


def test_speakers_and_texts_of_different_corpora_are_never_the_same(emodb, ravdess, casia):
    corpus = concatenate_corpora([emodb, ravdess, casia], emotions="all")
    speakers = corpus.data.groupby("corpus")["speaker"].unique()
    assert set(speakers["EMO-DB"]) == {"EMO-DB/03", "EMO-DB/08", "EMO-DB/16"}
    assert set(speakers["CASIA"]) == {"CASIA/03"} and set(speakers["RAVDESS"]) == {"RAVDESS/03", "RAVDESS/04"}
    assert corpus.speaker.tolist() == corpus.data["speaker"].tolist()
    assert set(corpus.data["text"]) >= {"EMO-DB/a01", "RAVDESS/kids", "CASIA/201"}


def test_what_a_corpus_does_not_tell_is_missing(emodb, ravdess, casia):
    data = concatenate_corpora([emodb, ravdess, casia], emotions="all").data.set_index("corpus")
    assert data.loc["EMO-DB", "age"].tolist() == [31, 31, 34, 31]
    assert data.loc[["RAVDESS", "CASIA"], "age"].isna().all()
    assert data.loc["CASIA", "sex"].isna().all() and data.loc["RAVDESS", "sex"].tolist() == ["male", "male", "female"]
    assert emodb.data["speaker"].tolist() == ["03", "03", "08", "16"]  # as it was


def test_names_can_be_given_and_must_differ(tmp_path, emodb):
    write(tmp_path / "ravdess", "03-01-01-01-01-01-03.wav", "03-02-01-01-01-01-03.wav")
    parts = [fetch_ravdess(tmp_path, channel=channel) for channel in ("speech", "song")]
    with pytest.raises(ValueError, match=r"needs a name of its own. Got \['RAVDESS', 'RAVDESS'\]: pass a dict"):
        concatenate_corpora(parts)
    corpus = concatenate_corpora(dict(zip(["speech", "song"], parts, strict=True)))
    assert corpus.speaker.tolist() == ["speech/03", "song/03"]
    own = Bunch(data=pd.DataFrame({"path": ["a.wav"]}), target=np.array(["neutral"]))
    with pytest.raises(ValueError, match=r"Got \['EMO-DB', None\]"):
        concatenate_corpora([emodb, own])


def test_leaving_a_corpus_out_follows(emodb, ravdess, casia):
    X, y = concatenate_corpora([emodb, ravdess, casia], return_X_y=True)
    tests = [set(X["corpus"].iloc[test]) for _, test in LeaveOneCorpusOut().split(X, y)]
    assert tests == [{"CASIA"}, {"EMO-DB"}, {"RAVDESS"}]


@pytest.mark.parametrize(
    ("emotions", "message"),
    [
        ("shared", "'common', 'all', a list or a mapping. Got 'shared'"),
        (["fear"], r"EMO-DB \+ RAVDESS has no clips of fear. It has anger, boredom"),
        (["joy"], "Unknown: 'joy'"),
        ({"joy": "happiness"}, r"emotions maps \['joy'\], which no corpus has. Emotions are anger, "),
        ({"anger": None, "neutral": None}, "No emotion is left .*EMO-DB has boredom, sadness; RAVDESS has calm"),
    ],
)
def test_emotions_that_nobody_has_are_refused(emodb, ravdess, emotions, message):
    with pytest.raises(ValueError, match=message):
        concatenate_corpora([emodb, ravdess], emotions=emotions)


def test_languages_are_kept_and_filled_in_where_a_loader_does_not_say_them(emodb, tmp_path):
    write(tmp_path / "emovo", "rab-f1-b1.wav", "neu-m1-b1.wav")
    write(tmp_path / "mesd", "Anger_F_A_tarde.wav")
    corpora = [emodb, load_corpus("EMOVO", tmp_path / "emovo"), load_corpus("MESD", tmp_path / "mesd")]
    corpus = concatenate_corpora(corpora, emotions=["anger"])
    assert corpus.data["language"].tolist() == ["German", "Italian", "Spanish"]
    assert corpus.data["corpus"].tolist() == ["EMO-DB", "EMOVO", "MESD"]
    assert corpus.data["sex"].tolist() == ["male", "female", "female"]
    assert corpus.speaker.tolist() == ["EMO-DB/03", "EMOVO/f1", "MESD/unknown"]
    assert "language" not in concatenate_corpora([emodb]).data


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_emotion_is_named_by_its_row(emodb, missing):
    target = emodb.target.astype(object)
    target[2] = missing
    with pytest.raises(ValueError, match="Every clip needs an emotion. That of row 2 of EMO-DB is missing"):
        concatenate_corpora([Bunch(**{**emodb, "target": target})], emotions="all")


def test_a_speaker_that_is_missing_counts_as_unknown(emodb):
    data = emodb.data.assign(speaker=["03", None, "08", "16"])
    assert concatenate_corpora([Bunch(**{**emodb, "data": data})]).speaker[1] == "EMO-DB/unknown"


def test_what_is_no_corpus_is_refused(emodb):
    with pytest.raises(TypeError, match="Got a single corpus"):
        concatenate_corpora(emodb)
    with pytest.raises(ValueError, match="at least one corpus"):
        concatenate_corpora([])
    with pytest.raises(TypeError, match="That of 'made' is not; it is a list"):
        concatenate_corpora({"emodb": emodb, "made": Bunch(data=[np.zeros(9)], target=np.array(["anger"]))})


def test_the_documented_label_map_is_that_of_the_loaders():
    text = Path(__file__).parents[2].joinpath("docs", "conventions.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    start = next(i for i, row in enumerate(rows) if row[1:2] == ["EMO-DB"])
    assert rows[start] == ["emotion", "EMO-DB", "RAVDESS", "TESS", "CASIA", "IEMOCAP"]
    maps = [
        _emodb._EMOTIONS,
        _ravdess._EMOTIONS,
        _tess._EMOTIONS,
        _licensed._CASIA_EMOTIONS,
        _licensed._IEMOCAP_EMOTIONS,
    ]
    documented = [{} for _ in maps]
    for row in rows[start + 2 : start + 11]:
        for codes, cell in zip(documented, row[1:], strict=True):
            codes.update({code: row[0] for code in cell.replace("`", "").split(", ") if code})
    assert documented == maps
