"""Corpora with values and raters: IEMOCAP, MSP-Podcast, MSP-IMPROV."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import aggregate_ratings, load_corpus, load_iemocap, load_msp_improv, load_msp_podcast, rater_agreement


def write(folder, *names, content=b"RIFF"):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


EVALUATION = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
C-E3:\tNeutral; Frustration;\t(tired)
C-F1:\tNeutral state;\t()
A-E3:\tval 3; act 2; dom  2;\t()
A-E4:\tval 2; act 3; dom  3;\t(mildly aggravated but staying polite, attitude)
A-F1:\tval 3; act 2; dom  1;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M001\tfru\t[2.5000, 2.5000, 2.5000]
C-E2:\tFrustration;\t()
A-E3:\tval 1; act 5; dom  5;\t()
"""


@pytest.fixture
def iemocap(tmp_path):
    wav = tmp_path / "Session1" / "sentences" / "wav" / "Ses01F_impro01"
    write(wav, "Ses01F_impro01_F000.wav", "Ses01F_impro01_M001.wav")
    write(tmp_path, "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", content=EVALUATION.encode())
    return tmp_path


def test_iemocap_has_values_and_what_each_rater_said(iemocap):
    corpus = load_iemocap(iemocap)
    assert corpus.values.columns.tolist() == ["arousal", "valence", "dominance"]
    assert corpus.values.index.tolist() == ["Ses01F_impro01_F000"] and corpus.values.to_numpy().tolist() == [[2.5] * 3]
    ratings = corpus.ratings
    assert set(ratings["clip"]) == {"Ses01F_impro01_F000"}
    emotions = ratings[ratings["dimension"] == "emotion"]
    assert emotions[["rater", "value"]].to_numpy().tolist() == [["E2", "neutral"], ["E3", "neutral"], ["F1", "neutral"]]
    assert ratings[ratings["dimension"] == "emotion 2"]["value"].tolist() == ["frustration"]
    numbers = ratings[ratings["dimension"].isin(["arousal", "valence", "dominance"])]
    evaluators = numbers[numbers["rater"].str.startswith("E")]
    assert aggregate_ratings(evaluators).loc["Ses01F_impro01_F000", corpus.values.columns].tolist() == [2.5, 2.5, 2.5]
    assert aggregate_ratings(emotions, "majority")["label"].tolist() == ["neutral"]


def test_iemocap_is_a_corpus_as_all_others(iemocap):
    corpus = load_corpus("IEMOCAP", iemocap)
    assert corpus.data.columns.tolist()[:4] == ["path", "corpus", "language", "speaker"]
    assert corpus.target.tolist() == ["neutral"] and corpus.data["language"].tolist() == ["English"]
    assert len(corpus.values) == 1 and len(corpus.ratings) == 13
    again = pickle.loads(pickle.dumps(corpus))
    pd.testing.assert_frame_equal(again.values, corpus.values)
    X, y = load_corpus("iemocap", iemocap, return_X_y=True)
    assert len(X) == len(y) == 1


CONSENSUS = """FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set
MSP-PODCAST_0001_0008.wav,N,4.6,3.8,4.0,127,Male,Train
MSP-PODCAST_0001_0019.wav,A,6.2,2.0,5.8,Unknown,Female,Test1
MSP-PODCAST_0002_0033.wav,X,4.2,4.0,4.4,32,Female,Development
MSP-PODCAST_0003_0001.wav,H,5.0,6.0,5.0,32,Female,Train
"""
COLUMNS = """FileName,WorkerID,EmoClass_Major,EmoClass_Second,EmoAct,EmoVal,EmoDom
MSP-PODCAST_0001_0008.wav,WORKER00000863,Neutral,"Neutral,Concerned",5,3,4
MSP-PODCAST_0001_0008.wav,WORKER00000867,Sad,Sad,4,2,
MSP-PODCAST_0009_0009.wav,WORKER00000867,Angry,Angry,4,2,4
"""
DETAIL = """FileName,EmoDetail
MSP-PODCAST_0001_0008.wav,"WORKER00000863; Neutral; Neutral,Concerned; A:5.0; V:3.0; D:4.0;"
MSP-PODCAST_0001_0008.wav,"WORKER00000867; Sad; Sad; A:4.0; V:2.0; D:;"
"""


@pytest.fixture
def podcast(tmp_path):
    write(tmp_path, "Labels/labels_consensus.csv", content=CONSENSUS.encode())
    write(tmp_path, *(f"Audios/{line.split(',')[0]}" for line in CONSENSUS.splitlines()[1:]))
    return tmp_path


@pytest.mark.parametrize("detailed", [COLUMNS, DETAIL])
def test_msp_podcast_has_emotions_values_and_ratings(podcast, detailed):
    write(podcast, "Labels/labels_detailed.csv", content=detailed.encode())
    corpus = load_msp_podcast(podcast)
    assert corpus.target.tolist() == ["neutral", "anger", "happiness"]
    assert corpus.speaker.tolist() == ["127", "Unknown", "32"]
    assert corpus.data["partition"].tolist() == ["Train", "Test1", "Train"]
    assert corpus.data["sex"].tolist() == ["male", "female", "female"]
    assert corpus.values.loc["MSP-PODCAST_0001_0019"].tolist() == [6.2, 2.0, 5.8]
    assert corpus.ratings.to_numpy().tolist() == [
        ["MSP-PODCAST_0001_0008", "WORKER00000863", "emotion", "neutral"],
        ["MSP-PODCAST_0001_0008", "WORKER00000863", "arousal", 5.0],
        ["MSP-PODCAST_0001_0008", "WORKER00000863", "valence", 3.0],
        ["MSP-PODCAST_0001_0008", "WORKER00000863", "dominance", 4.0],
        ["MSP-PODCAST_0001_0008", "WORKER00000867", "emotion", "sadness"],
        ["MSP-PODCAST_0001_0008", "WORKER00000867", "arousal", 4.0],
        ["MSP-PODCAST_0001_0008", "WORKER00000867", "valence", 2.0],
    ]
    arousal = corpus.ratings[corpus.ratings["dimension"] == "arousal"]
    assert aggregate_ratings(arousal)["arousal"].tolist() == [4.5]


def test_msp_podcast_keeps_clips_without_agreement_where_values_are_wanted(podcast):
    corpus = load_msp_podcast(podcast, emotions="all")
    assert corpus.target.tolist() == ["neutral", "anger", "no agreement", "happiness"]
    assert len(corpus.values) == 4 and corpus.ratings.empty
    assert load_msp_podcast(podcast, emotions=["anger"]).values["arousal"].tolist() == [6.2]
    assert load_corpus("MSP-Podcast", podcast).data.shape == (3, 9)


def test_msp_podcast_names_what_is_missing(podcast, tmp_path):
    (podcast / "Audios" / "MSP-PODCAST_0003_0001.wav").unlink()
    with pytest.warns(
        UserWarning, match="MSP-Podcast in .*: 1 labeled turns have no WAV .*: MSP-PODCAST_0003"
    ) as caught:
        assert len(load_msp_podcast(podcast).data) == 2
    assert caught[0].filename == __file__
    (podcast / "Labels" / "labels_consensus.csv").unlink()
    with pytest.raises(FileNotFoundError, match="MSP-Podcast: no labels found in .*Expected labels_consensus.csv"):
        load_msp_podcast(podcast)


EVALUTION = """UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:3.000000 ; V:3.200000 ; D:2.600000 ; N:4.600000;
S01-p1; Neutral; Neutral; A:3.000000 ; V:4.000000 ; D:3.000000 ; N:5.000000;
S02-p3; Happy; Neutral, Happy; A:2.000000 ; V:3.000000 ; D:NaN ; N:4.000000;

UTD-IMPROV-S20B-M06-R-MF02.avi; S; A:1.500000 ; V:1.000000 ; D:2.000000 ; N:4.000000;
S01-p1; Sad; Sad; A:1.000000 ; V:1.000000 ; D:2.000000 ; N:5.000000;

UTD-IMPROV-S20B-M06-T-MF09.avi; X; A:1.500000 ; V:1.000000 ; D:2.000000 ; N:4.000000;
"""


def test_msp_improv_has_emotions_values_and_ratings(tmp_path):
    write(tmp_path, "Evalution.txt", content=EVALUTION.encode())
    for name in ("S01A-F01-P-FM01", "S20B-M06-R-MF02", "S20B-M06-T-MF09"):
        write(tmp_path, f"Audio/session1/{name[:4]}/MSP-IMPROV-{name}.wav")
    corpus = load_msp_improv(tmp_path)
    assert corpus.target.tolist() == ["neutral", "sadness"]
    columns = ["speaker", "sex", "session", "text", "scenario", "arousal", "valence", "dominance"]
    assert corpus.data.columns.tolist() == ["path", *columns]
    assert corpus.data[columns].iloc[1].tolist() == ["M06", "male", 6, "S20B", "read", 1.5, 1.0, 2.0]
    assert corpus.values.loc["MSP-IMPROV-S01A-F01-P-FM01"].tolist() == [3.0, 3.2, 2.6]
    emotions = corpus.ratings[corpus.ratings["dimension"] == "emotion"]
    assert emotions["value"].tolist() == ["neutral", "happiness", "sadness"]
    numbers = corpus.ratings[corpus.ratings["dimension"] != "emotion"]
    np.testing.assert_array_equal(aggregate_ratings(numbers).iloc[0], [2.5, 3.5, 3.0])
    assert set(rater_agreement(numbers[numbers["dimension"] == "arousal"]).raters.index.get_level_values(-1)) == {
        "S01-p1",
        "S02-p3",
    }
    assert load_msp_improv(tmp_path, emotions="all").target.tolist() == ["neutral", "sadness", "no agreement"]
    with pytest.raises(ValueError, match="MSP-IMPROV has no clips of fear. It has anger"):
        load_msp_improv(tmp_path, emotions=["fear"])
    (tmp_path / "Evalution.txt").unlink()
    with pytest.raises(FileNotFoundError, match="MSP-IMPROV: no labels found in .*Expected Evalution.txt"):
        load_msp_improv(tmp_path)
