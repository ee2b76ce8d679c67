"""The table of corpora: its rows, the names that EmoBox lists, and real recordings."""

import csv
import os
import pickle
from collections import Counter
from pathlib import Path

import make_corpora
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from sklearn_ser.datasets import emobox_folds, list_corpora, load_corpus
from sklearn_ser.datasets._corpora import CORPORA, read_row
from sklearn_ser.datasets._load import find_row
from sklearn_ser.datasets._recordings import bare

INCOMPLETE = pytest.mark.filterwarnings("ignore:.* is incomplete:UserWarning")
DATA = Path(os.environ.get("SKLEARN_SER_DATA", "/nowhere"))
# What EmoBox writes for an emotion, beyond the codes that the names of the files have, too.
EMOBOX = {"boredem": "boredom", "sad": "sadness", "happy": "happiness", "angry": "anger", "fearful": "fear"}
EMOBOX |= {"surprised": "surprise", "calm": "calm"}
# Rows that are not loaded as EmoBox has them, and why.
EXCEPTIONS = {"asvpesd": {"Bonus/actor_200/03-01-17-01-02-200-05-02-01-12.wav": "17 is no emotion of the corpus"}}
UNLISTED = {"banglaser", "demos", "emovdb", "esd", "mead", "nemo"}  # corpora that are not among EmoBox's lists here
NAMED = sorted({row.key for row in CORPORA.values() if row.patterns} - UNLISTED)


def write(folder, *names, content=b"RIFF"):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def data(name):
    """A folder of the data home; under CI it must be there."""
    if not (DATA / name).is_dir() and not os.environ.get("CI"):
        pytest.skip(f"{name} is not there: set SKLEARN_SER_DATA to the folder that holds {name}/")
    return DATA / name


def emobox(name):
    with open(data("emobox") / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- The rows ---


def test_the_table_has_the_corpora_and_states_licence_source_and_citation_of_each():
    corpora = list_corpora()
    assert len(corpora) >= 34 and corpora.index.is_unique
    assert (corpora[["licence", "source", "citation", "emotions", "language"]] != "").all(axis=None)
    assert corpora["source"].str.startswith("http").all()
    assert corpora["citation"].str.contains(r"\((?:19|20)\d\d\), \"").all()
    assert (corpora["n_clips"] > 0).all()


def test_the_page_of_corpora_is_that_of_the_table():
    """Else run docs/make_corpora.py."""
    assert make_corpora.PAGE.read_text(encoding="utf-8") == make_corpora.page()


def test_a_new_corpus_is_one_row_and_its_page_and_list_follow(tmp_path, monkeypatch):
    fields = {"name": "Häkke-5", "patterns": [r"{speaker:[fm]\d}_{emotion}*"], "emotions": {"w": "anger"}}
    fields |= {"language": "Frisian", "n_clips": 1, "n_speakers": 1}
    row = read_row({**fields, "licence": "CC0-1.0", "source": "https://x.org", "citation": "X."})
    monkeypatch.setitem(CORPORA, row.key, row)
    write(tmp_path, "f1_w_1.wav")
    corpus = load_corpus("häkke 5", tmp_path)
    assert corpus.target.tolist() == ["anger"] and corpus.data["language"].tolist() == ["Frisian"]
    assert list_corpora().loc["Häkke-5", "n_clips"] == 1
    assert "| [Häkke-5](#häkke-5) | Frisian | 1 | 1 | anger | file names |" in make_corpora.page()


@pytest.mark.parametrize("name", ["CREMA-D", "crema d", "cremad", "Oreau", "oréau", "JL Corpus", "jlcorpus", "turevdb"])
def test_names_are_known_however_they_are_written(name):
    assert find_row(name).name in ("CREMA-D", "Oréau", "JL", "TurEV-DB")


def test_an_unknown_name_is_refused_with_what_comes_near():
    with pytest.raises(ValueError, match="Got name='CREMA-E'. Did you mean 'CREMA-D'"):
        load_corpus("CREMA-E", "x")
    with pytest.raises(TypeError, match="name must be the name of a corpus. Got name=3"):
        load_corpus(3)


@pytest.mark.parametrize("row", [row for row in CORPORA.values() if row.folds], ids=lambda row: row.key)
def test_folds_name_each_speaker_once(row):
    speakers = row.folds.replace("/", " ").split()
    assert len(speakers) == len(set(speakers)) == row.n_speakers


# --- The names of 26 corpora, as EmoBox lists them ---


@pytest.mark.parametrize("name", NAMED)
def test_every_name_that_emobox_lists_has_its_emotion_and_speaker(name):
    name = name.replace("-", "")
    row, folds, taken = find_row(name), {}, Counter()
    for line in emobox(name):
        found = row.read(bare(line["path"]))
        if line["path"] in EXCEPTIONS.get(name, {}):
            assert found is None
            continue
        facts, identity = found
        label = line["emotion"]
        expected = row.emotions.get(label) or row.emotions.get(label.upper()) or row.emotions.get(label.lower())
        assert facts["emotion"] == (expected or EMOBOX.get(label.lower(), label.lower())), line
        taken[identity] += 1
        folds.setdefault(facts.get("speaker"), set()).add(line["test_fold"])
        other = next(pattern for pattern in row._patterns if pattern.match(bare(line["path"])))
        assert other.other_reading(bare(line["path"])) is None, line
    assert set(taken.values()) == {1}  # no two clips are taken for copies
    if row.n_speakers:
        assert len(folds) == row.n_speakers or name == "enterface"
    if row.folds:
        own = [set(fold.split()) for fold in row.folds.split("/")]
        for speaker, fold in folds.items():
            assert len(fold) == 1 and speaker in own[int(*fold) - 1], speaker


@pytest.mark.parametrize("name", ["emns", "emozionalmente", "iemocap", "meld", "pavoque"])
def test_labels_that_stand_in_tables_are_all_known(name):
    """Their names tell no emotion, which comes from a table beside the clips; see below, and test_values.py."""
    row = find_row(name)
    found = {line["emotion"]: row.facts({"emotion": line["emotion"]})["emotion"] for line in emobox(name)}
    assert all(found.values()) and len(found) >= 5
    same = {label for label, emotion in found.items() if label.lower()[:3] == emotion[:3]}
    assert set(found) - same <= {"joy", "exc"}  # happiness, both


# --- EmoBox's folds ---


def test_folds_of_ravdess_are_emobox_s():
    X = pd.DataFrame({"path": ["x"] * 48, "speaker": [f"{actor:02d}" for actor in range(1, 25)] * 2})
    folds = emobox_folds("ravdess")
    tests = [sorted(set(X["speaker"].iloc[test])) for _, test in folds.split(X)]
    assert tests[0] == ["01", "11", "20", "21"] and tests[5] == ["06", "13", "17", "22"] and len(tests) == 6
    assert folds.get_n_splits(X) == 6
    assert all(not set(X["speaker"].iloc[train]) & set(X["speaker"].iloc[test]) for train, test in folds.split(X))
    joined = [f"RAVDESS/{speaker}" for speaker in X["speaker"]]
    assert [test.tolist() for _, test in folds.split(X[["path"]], groups=joined)] == [
        test.tolist() for _, test in pickle.loads(pickle.dumps(folds)).split(X)
    ]


def test_folds_serve_scikit_learn_and_a_loaded_corpus():
    corpus = load_corpus("EMOVO", data("emovo"))
    folds = emobox_folds(corpus)
    scores = cross_val_score(DummyClassifier(), np.zeros((588, 1)), corpus.target, groups=corpus.speaker, cv=folds)
    assert len(scores) == 6
    assert [set(corpus.speaker[test]) for _, test in folds.split(corpus.data)][0] == {"f2"}


def test_folds_that_mix_speakers_are_refused_and_unknown_speakers_named():
    for name in ("EMO-DB", "CREMA-D", "TESS", "nEMO"):
        with pytest.raises(ValueError, match=f"no folds of {name} that keep its speakers apart"):
            emobox_folds(name)
    folds = emobox_folds("SAVEE")
    with pytest.raises(ValueError, match="'XX', the speaker of row 1, is in none of EmoBox's folds of SAVEE"):
        next(folds.split([0, 1], groups=["DC", "XX"]))
    with pytest.raises(ValueError, match="Fold 1 of SAVEE has no clip: its speakers are JE"):
        next(folds.split([0, 1], groups=["DC", "JK"]))
    with pytest.raises(ValueError, match="Every clip needs a speaker. That of row 1"):
        next(folds.split([0, 1], groups=["DC", None]))


# --- Real recordings ---


@INCOMPLETE  # nEMO is there in part
@pytest.mark.parametrize(
    ("name", "folder", "n_clips", "women", "men", "counts"),
    [
        ("EMO-DB", "emodb", 535, "08 09 13 14 16", "03 10 11 12 15", {"anger": 127, "boredom": 81, "disgust": 46}),
        ("EMOVO", "emovo", 588, "f1 f2 f3", "m1 m2 m3", dict.fromkeys(["anger", "surprise", "neutral"], 84)),
        ("nEMO", "nemo", 1776, "EB0 IC0 KD0 MK0", "KS0 MP0 SM0 TP0 WR0", {}),
    ],
)
def test_real_corpora_are_loaded_whole(name, folder, n_clips, women, men, counts):
    corpus = load_corpus(name, data(folder))
    assert len(corpus.data) == n_clips and corpus.unmatched == []
    assert set(corpus.data["corpus"]) == {name}
    assert set(corpus.data["language"]) == {list_corpora().loc[name, "language"]}
    sexes = corpus.data.groupby("sex")["speaker"].unique()
    assert set(sexes["female"]) == set(women.split()) and set(sexes["male"]) == set(men.split())
    assert corpus.speaker.tolist() == corpus.data["speaker"].tolist()
    found = Counter(corpus.target)
    assert {emotion: found[emotion] for emotion in counts} == counts
    assert all(os.path.isfile(path) for path in corpus.data["path"])


def test_emodb_says_how_many_recognized_each_clip_however_it_is_loaded(emodb):
    corpus = load_corpus("EMO-DB", data("emodb"))
    columns = [column for column in corpus.data if column not in ("corpus", "language")]
    pd.testing.assert_frame_equal(corpus.data[columns], emodb.data)
    assert corpus.DESCR == emodb.DESCR


@INCOMPLETE
def test_clips_of_nemo_have_the_emotions_speakers_and_ages_of_its_table():
    corpus = load_corpus("nemo", data("nemo"))
    with open(data("nemo") / "data.tsv", encoding="utf-8") as file:
        table = {line["file_id"][:-4]: line for line in csv.DictReader(file, delimiter="\t")}
    for path, emotion, (speaker, sex, age) in zip(
        corpus.data["path"], corpus.target, corpus.data[["speaker", "sex", "age"]].to_numpy(), strict=True
    ):
        line = table[Path(path).stem]
        assert CORPORA["nemo"].emotions[line["emotion"]] == emotion
        assert [speaker, sex, str(age)] == [line["speaker_id"].strip(), line["gender"], line["age"]]


# --- Folders as they come ---


@INCOMPLETE
def test_clips_are_taken_once_and_wav_before_mp3(tmp_path):
    write(tmp_path, "AudioMP3/1001_DFA_ANG_XX.mp3", "AudioWAV/1001_DFA_ANG_XX.wav", "copy/AudioWAV/1001_DFA_ANG_XX.wav")
    write(tmp_path, "1002_IEO_SAD_HI.mp4", "readme.wav", ".hidden/1003_IEO_SAD_HI.wav")
    corpus = load_corpus("crema-d", tmp_path)
    assert [Path(path).name for path in corpus.data["path"]] == ["1001_DFA_ANG_XX.wav", "1002_IEO_SAD_HI.mp4"]
    assert corpus.target.tolist() == ["anger", "sadness"]
    assert corpus.data["sex"].tolist() == ["male", "female"]
    assert [Path(path).name for path in corpus.unmatched] == ["readme.wav"]


@INCOMPLETE
@pytest.mark.parametrize("names", [["DC_a01", "JE_sa02"], ["DC/a01", "JE/sa02"], ["ALL/DC_a01", "AudioData/JE/sa02"]])
def test_folders_are_read_as_published_and_as_copied(tmp_path, names):
    write(tmp_path, *(f"{name}.flac" for name in names))
    corpus = load_corpus("SAVEE", tmp_path)
    assert corpus.target.tolist() == ["anger", "sadness"] and sorted(corpus.speaker) == ["DC", "JE"]
    assert corpus.data.columns.tolist() == ["path", "corpus", "language", "speaker", "sex", "text"]


@INCOMPLETE
def test_languages_of_esd_follow_its_speakers(tmp_path):
    write(tmp_path, "0003/Angry/0003_000351.wav", "0011/Sad/test/0011_001001.wav", "0010/Happy/0010_000701.wav")
    corpus = load_corpus("ESD", tmp_path)
    assert corpus.data["language"].tolist() == ["Mandarin", "Mandarin", "English"]
    assert corpus.target.tolist() == ["anger", "happiness", "sadness"]
    assert corpus.data["sex"].tolist() == ["female", "male", "male"]


@INCOMPLETE
def test_corpora_without_speakers_in_their_names_have_none(tmp_path):
    write(tmp_path, "Anger_F_A_tarde.wav", "Fear_C_B_de_nada.wav")
    corpus = load_corpus("MESD", tmp_path)
    assert corpus.speaker is None and "speaker" not in corpus.data
    assert corpus.data["sex"].isna().tolist() == [False, True]
    assert corpus.data["text"].tolist() == ["tarde", "de_nada"]


@INCOMPLETE
def test_emotions_beyond_the_vocabulary_have_words_of_their_own(tmp_path):
    write(tmp_path, "male1_anxious_1a_1.wav", "female2_happy_15b_2.wav")
    assert load_corpus("JL", tmp_path).target.tolist() == ["happiness", "anxiety"]
    assert load_corpus("JL", tmp_path, emotions=["anxiety"]).target.tolist() == ["anxiety"]
    with pytest.raises(ValueError, match="JL has no clips of boredom. It has anger, anxiety"):
        load_corpus("JL", tmp_path, emotions=["boredom"])


# --- Labels in a table beside the clips ---


@INCOMPLETE
def test_meld_is_read_from_its_three_tables(tmp_path):
    head = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
    write(tmp_path, "train/train_sent_emo.csv", content=(head + '1,"Well, no",Joey,joy,positive,0,3\n').encode())
    write(tmp_path, "dev_sent_emo.csv", content=(head + "1,Oh,Monica,anger,negative,0,3\n").encode())
    write(tmp_path, "test_sent_emo.csv", content=(head + "1,Hm,Ross,fear,negative,9,9\n").encode())
    write(tmp_path, "train/train_splits/dia0_utt3.mp4", "dev_splits_complete/dia0_utt3.mp4", "x/dia0_utt4.mp4")
    corpus = load_corpus("MELD", tmp_path)
    assert corpus.target.tolist() == ["happiness", "anger"]
    assert corpus.data["text"].tolist() == ["Well, no", "Oh"]
    assert corpus.data["path"].str.contains("splits").all() and len(corpus.unmatched) == 1


@INCOMPLETE
def test_emozionalmente_knows_its_speakers(tmp_path):
    samples = b"file_name,actor,sentence,emotion_expressed\n1.wav,ann,Ciao,joy\n2.wav,bob,Ciao,neutrality\n"
    write(tmp_path, "metadata/samples.csv", content=samples)
    write(tmp_path, "metadata/users.csv", content=b"username,age,gender\nann,30,female\nbob,40,male\n")
    write(tmp_path, "audio/1.wav", "audio/2.wav")
    corpus = load_corpus("Emozionalmente", tmp_path)
    assert corpus.target.tolist() == ["happiness", "neutral"]
    assert corpus.data[["speaker", "sex", "age"]].to_numpy().tolist() == [["ann", "female", 30], ["bob", "male", 40]]


@INCOMPLETE
def test_pavoque_gives_parts_of_long_files(tmp_path):
    items = "- prompt: spike0001\n  style: angry\n  text: 'Ich: Spike.'\n  start: 0.5\n  end: 1.25\n"
    write(tmp_path, "pavoque-angry.yaml", content=items.encode())
    write(tmp_path, "pavoque-angry.flac")
    corpus = load_corpus("PAVOQUE", tmp_path)
    assert corpus.target.tolist() == ["anger"]
    assert corpus.data[["text", "start", "end"]].to_numpy().tolist() == [["Ich: Spike.", 0.5, 1.25]]


@INCOMPLETE
def test_emns_is_read_through_its_table(tmp_path):
    text = (
        b"id|user_id|utterance|emotion|gender|age|level|audio_recording\n1|3|Hi|Sarcastic|female|20s|5|wavs/r_1.wav\n"
    )
    write(tmp_path, "metadata.csv", content=text)
    write(tmp_path, "cleaned_webm/r_1.webm")
    assert load_corpus("EMNS", tmp_path).target.tolist() == ["sarcasm"]


def test_a_missing_table_or_clip_says_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"metadata.csv is not found in .*tells what the clips are"):
        load_corpus("EMNS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"SAVEE: no clip found in .*Expected \{speaker.*Source: http"):
        load_corpus("SAVEE", tmp_path)
    with pytest.raises(FileNotFoundError, match="path must be an existing folder"):
        load_corpus("SAVEE", tmp_path / "nowhere")


def test_fewer_clips_than_published_are_loaded_with_a_warning(tmp_path):
    write(tmp_path, "DC_a01.wav")
    with pytest.warns(UserWarning, match="SAVEE in .* is incomplete: found 1 of 480 clips") as caught:
        assert np.array_equal(load_corpus("SAVEE", tmp_path).target, ["anger"])
    assert caught[0].filename == __file__
