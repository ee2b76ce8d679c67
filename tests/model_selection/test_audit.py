"""The audit of splits finds what a split lets through (speakers, sentences, copies of recordings), and nothing else."""

import pickle
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
import soundfile
import soxr
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AudioError,
    HandcraftedFeatures,
    SpeakerTextKFold,
    audit_split,
    load_waveform,
    make_emotional_speech,
)
from sklearn_ser.model_selection._duplicates import correlate, find_copies

SR = 16000


# --------------------------------------------------------------------------------------------------------------- copies


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(12, random_state=0).data


COPIES = {
    "same": lambda w: w.copy(),
    "softer": lambda w: w / 30,
    "upside down": lambda w: -w,
    "begins 10 ms later": lambda w: w[160:],
    "begins a fraction of a sample at 4 kHz later": lambda w: w[77:],
    "ends 10 ms earlier": lambda w: w[:-160],
    "silence around it": lambda w: np.pad(w, (3200, 1600)),
    "8 kHz": lambda w: soxr.resample(soxr.resample(w, SR, 8000), 8000, SR),
    "noise at 20 dB": lambda w: (
        w + np.random.default_rng(0).normal(size=w.size).astype(np.float32) * np.sqrt(np.mean(w**2)) / 10
    ),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_are_found_and_other_clips_are_not(speech, copy):
    _, recording, _ = find_copies([*speech, *map(copy, speech)])
    np.testing.assert_array_equal(recording[:12], recording[12:])
    assert len(set(recording)) == 12


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("flac", dict(format="FLAC", subtype="PCM_16")),
        ("24 bit", dict(format="WAV", subtype="PCM_24")),
        ("8 bit", dict(format="WAV", subtype="PCM_U8")),
        ("mp3", dict(format="MP3")),
        ("ogg", dict(format="OGG", subtype="VORBIS")),
        ("opus", dict(format="OGG", subtype="OPUS")),
    ],
)
@pytest.mark.processes
def test_copies_in_other_formats_are_found_whatever_their_names(speech, tmp_path, name, settings):
    paths = [str(tmp_path / f"{row}.wav") for row in range(24)]
    for row, waveform in enumerate(speech):
        soundfile.write(paths[row], waveform, SR)
        soundfile.write(paths[12 + row], waveform / 2, SR, **settings)
    _, recording, _ = find_copies(pd.DataFrame({"path": paths}))
    np.testing.assert_array_equal(recording[:12], recording[12:])
    assert len(set(recording)) == 12


@pytest.mark.processes
def test_no_clip_of_emodb_is_a_copy_though_takes_repeat(emodb):
    takes = emodb.data.assign(emotion=emodb.target).groupby(["speaker", "text", "emotion"]).size()
    assert (takes > 1).sum() > 50
    assert len(set(find_copies(emodb.data)[1])) == 535


@pytest.mark.processes
def test_planted_copies_of_real_clips_are_found(emodb, tmp_path):
    paths = list(emodb.data["path"][::25])
    copies = []
    for row, path in enumerate(paths):
        waveform = load_waveform(path)
        copies.append(str(tmp_path / f"{row}.mp3"))
        soundfile.write(copies[-1], waveform[160:] / 3, SR, format="MP3")
    _, recording, pairs = find_copies([*emodb.data["path"], *copies])
    np.testing.assert_array_equal(recording[535:], recording[:535:25])
    assert len(set(recording)) == 535
    similarity, shift, gain = np.transpose(list(pairs.values()))
    assert similarity.min() > 0.95
    np.testing.assert_allclose(shift, -0.01, atol=2e-4)
    np.testing.assert_allclose(gain, -20 * np.log10(3), atol=0.5)


@pytest.mark.parametrize("n_frames", [1023, 1024, 1025])
def test_long_clips_have_fingerprints_like_those_a_frame_shorter(n_frames):
    """The spectrum's length doubles at 1024 frames of 10 ms."""
    rng = np.random.default_rng(0)
    waveform = (
        rng.normal(size=n_frames * 160) * np.repeat(rng.uniform(0, 1, n_frames // 10 + 1), 1600)[: n_frames * 160]
    )
    assert len(set(find_copies([waveform, waveform[480:], rng.permutation(waveform)])[1])) == 2


def test_rows_of_features_are_no_copies_unless_they_are_equal():
    features = np.random.default_rng(0).normal([[200] * 50 + [0] * 3450], size=(20, 3500))
    recording = find_copies(np.vstack((features, features[:3])))[1]
    assert len(set(recording)) == 20 and recording[20:].tolist() == recording[:3].tolist()


def test_silence_is_a_copy_of_equal_silence_only(speech):
    silent = [np.zeros(5000), np.zeros(5000), np.zeros(9000), np.full(5000, 0.5)]
    assert len(set(find_copies([*silent, *speech])[1])) == 3 + 12
    assert correlate(np.zeros(100), np.ones(50)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("n_times", [1, 2, 63, 64, 256, 257, 3900, 4100])
def test_any_length_can_be_compared(n_times):
    noise = np.random.default_rng(0).normal(size=(2, n_times))
    recording = find_copies([noise[0], noise[0] / 2, noise[0], noise[1], np.zeros(1)])[1]
    assert recording[0] == recording[2] and len(set(recording)) == (3 if n_times > 4000 else 4)


def test_correlation_tells_shift_and_gain():
    noise = np.random.default_rng(0).normal(size=4000)
    for first, second, shift in ((noise, noise[40:], -0.01), (noise[40:], noise, 0.01), (noise[:3000], noise, 0.0)):
        similarity, later, louder = correlate(first, 2 * second)
        assert 0.8 < similarity <= 1 and later == pytest.approx(shift, abs=1e-9)
    assert correlate(noise, noise / 10) == pytest.approx((1, 0, -20), abs=1e-6)
    assert correlate(noise, np.random.default_rng(1).normal(size=4000))[0] < 0.1


def test_hundreds_of_equal_clips_do_not_hide_another_copy(speech):
    clips = [speech[0]] * 200 + [speech[1], speech[1] / 2, speech[0][160:]]
    _, recording, pairs = find_copies(clips)
    assert recording[200] == recording[201] != recording[202] == recording[0]
    assert len(pairs) == 2


# ---------------------------------------------------------------------------------------------------------------- audit


@pytest.mark.processes
def test_leaving_speakers_of_emodb_out_leaks_nothing_but_sentences(emodb):
    audit = audit_split(LeaveOneGroupOut(), emodb.data, emodb.target, groups=emodb.speaker)
    assert audit.leaks == ("texts",)
    assert not any(audit.speakers) and audit.recordings.empty
    assert audit.missing_in_test == [[], ["disgust"], *[[]] * 8] and not any(audit.missing_in_train)
    frame = audit.to_frame()
    assert frame["test"].tolist() == [49, 58, 43, 38, 55, 35, 61, 69, 56, 71] and (frame["texts"] == 10).all()
    both = audit_split(SpeakerTextKFold(), emodb.data, emodb.target, recordings=False)
    assert both.leaks == () and both.recordings is None


@pytest.fixture
def corpus(speech, tmp_path):
    """Six files of three speakers, two sentences and two emotions; 3 is 0 as FLAC, 5 is 1 trimmed and softer."""
    paths = [str(tmp_path / f"clip {row}.wav") for row in range(6)]
    waveforms = [speech[0], speech[1], speech[2], speech[0], speech[3], speech[1][160:] / 2]
    for row, (path, waveform) in enumerate(zip(paths, waveforms, strict=True)):
        soundfile.write(path, waveform, SR, format="FLAC" if row == 3 else "WAV", subtype="PCM_16")
    X = pd.DataFrame({"path": paths, "speaker": list("aabbca"), "text": list("stuvwx")})
    return X, np.array(["anger", "calm", "anger", "anger", "calm", "calm"])


def test_every_planted_leak_is_reported_where_it_is(corpus):
    X, y = corpus
    audit = audit_split([([0, 1, 2], [3, 4, 5]), ([3, 4, 5], [0, 1, 2])], X.assign(text=list("stuvws")), y)
    assert audit.leaks == ("speakers", "texts", "recordings")
    assert audit.speakers == [["a", "b"], ["a", "b"]] and audit.texts == [["s"], ["s"]]
    found = audit.recordings
    assert found[["fold", "test_row", "train_row"]].to_numpy().tolist() == [[0, 3, 0], [0, 5, 1], [1, 0, 3], [1, 1, 5]]
    assert found["similarity"].tolist() == pytest.approx([1, 1, 1, 1], abs=0.01)
    assert found["shift"].tolist() == pytest.approx([0, -0.01, 0, 0.01], abs=2e-4)
    assert found["gain"].tolist() == pytest.approx([0, -6.02, 0, 6.02], abs=0.1)
    assert found["test_path"].tolist() == [X["path"][row] for row in (3, 5, 0, 1)]
    assert audit.to_frame()["recordings"].tolist() == [2, 2]


def test_missing_classes_are_reported_for_each_side(corpus):
    X, y = corpus
    audit = audit_split([([0, 2, 3], [1, 4]), ([0, 1], [2, 5])], X, y)
    assert audit.missing_in_train == [["calm"], []] and audit.missing_in_test == [["anger"], []]
    assert "training lacks calm (fold 0); test lacks anger (fold 0); pool" in repr(audit)
    alone = repr(audit_split(LeaveOneOut(), X, [*"aabbbb"], recordings=False))
    assert "test lacks b (folds 0, 1), a (4 of 6 folds); pool" in alone and "training" not in alone.split("test")[-1]


def test_a_row_on_both_sides_is_its_own_copy(corpus):
    X, y = corpus
    audit = audit_split([([0, 1, 4], [4, 2])], X, y)
    assert audit.recordings[["test_row", "train_row"]].to_numpy().tolist() == [[4, 4]]


def test_copies_of_copies_are_copies(speech):
    """The first and the last have too little in common to be compared, but both are copies of the second."""
    long = np.concatenate(speech[:2])
    clips = [long[: long.size * 3 // 4], long, long[long.size // 4 :], speech[4]]
    original, recording, pairs = (
        np.arange(4),
        np.array([0, 0, 0, 1]),
        {(0, 1): (0.9, 0.0, 0.0), (1, 2): (0.9, 0.0, 0.0)},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn_ser.model_selection._audit.find_copies", lambda *_, **__: (original, recording, pairs))
        audit = audit_split([([0, 3], [1, 2])], clips)
    assert audit.recordings["test_row"].tolist() == [1, 2]
    assert audit.recordings["similarity"].isna().tolist() == [False, True]


def test_what_is_not_known_is_not_reported(corpus):
    X, y = corpus
    audit = audit_split(KFold(2), X["path"], recordings=False)
    assert (audit.speakers, audit.texts, audit.recordings, audit.missing_in_test) == (None,) * 4
    assert audit.to_frame().columns.tolist() == ["train", "test"] and audit.leaks == ()
    assert repr(audit).count("not known") == 3 and "not compared" in repr(audit)
    assert audit_split(KFold(2), X, y, speaker=None, recordings=False).speakers is None


def test_speakers_can_be_given_as_values_or_by_another_name(corpus):
    X, y = corpus
    expected = audit_split(KFold(2), X, y, recordings=False).speakers
    assert expected == [["a", "b"]] * 2
    assert (
        audit_split(KFold(2), X.rename(columns={"speaker": "who"}), y, speaker="who", recordings=False).speakers
        == expected
    )
    assert audit_split(KFold(2), X["path"], y, speaker=X["speaker"], recordings=False).speakers == expected
    some = X["speaker"].where(X["speaker"] != "a")  # who speaks is not known of some
    assert audit_split(KFold(2), X, y, speaker=some, recordings=False).speakers == [["b"]] * 2


def test_features_can_be_audited_without_recordings(corpus):
    X, y = corpus
    features = np.random.default_rng(0).normal(size=(6, 3))
    assert audit_split(2, features, y, speaker=X["speaker"], recordings=False).cv.startswith("StratifiedKFold")


def test_the_report_is_text_and_a_table(corpus):
    X, y = corpus
    audit = audit_split(StratifiedKFold(2), X.assign(speaker="<b>"), y)
    lines = str(audit).splitlines()
    assert lines[0].startswith("StratifiedKFold(n_splits=2") and lines[0].endswith(": 6 clips in 2 folds")
    assert lines[1] == "  speakers    <b> in training and in test (2 of 2 folds)"
    html = audit._repr_html_()
    assert "&lt;b&gt; in training and in test" in html and "<b> in" not in html
    assert max(map(len, lines)) < 180


def tables_of(html):
    """Rows of text of each table."""
    tables = re.findall(r"<table>(.*?)</table>", html)
    rows = [re.findall(r"<tr>(.*?)</tr>", table) for table in tables]
    return [[re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in table] for table in rows]


def test_html_has_a_verdict_of_each_kind_folds_and_remedies(corpus):
    X, y = corpus
    audit = audit_split(StratifiedKFold(2), X, y)
    html = audit._repr_html_()
    (_, *found), *copies, (columns, *folds) = tables_of(html)
    leaks = {"sentences" if name == "texts" else name for name in audit.leaks}
    assert leaks and len(copies) == ("recordings" in leaks)
    for (name, verdict, text), line in zip(found, audit._lines().values(), strict=True):
        assert text == escape(line)
        assert name == "emotions" or verdict == ("leaks" if name in leaks else "kept apart")
    assert columns[:4] == ["fold", "training clips", "test clips", "speakers"]
    shared = list(map(len, audit.speakers))
    expected = zip(audit.folds["train"], audit.folds["test"], shared, strict=True)
    assert [row[1:4] for row in folds] == [list(map(str, row)) for row in expected]
    for name, remedy in {"speakers": "StratifiedSpeakerKFold", "texts": "SpeakerTextKFold"}.items():
        assert (remedy in html.split("What to do")[-1]) == (name in audit.leaks)


def test_html_shows_copies_with_their_rows_and_says_when_nothing_leaks(speech):
    clips = [*speech[:3], speech[0][160:] / 2]
    audit = audit_split([([0, 1], [2, 3])], clips, ["a", "b", "a", "a"], speaker=list("wxyz"))
    html = audit._repr_html_()
    assert "Recordings on both sides of a fold." in html
    row = html.split("<caption>Recordings on both sides</caption>")[1].split("<tbody>")[1].split("</tbody>")[0]
    assert row.startswith("<tr><td>3</td><td class=words>0</td>") and "-6.0" in row
    clean = audit_split([([0, 1], [2])], clips, ["a", "b", "a", "a"], speaker=list("wxyz"))._repr_html_()
    assert "Nothing found on both sides of a fold." in clean and "Leave the copies out" not in clean
    assert "test lacks" in clean and "Pool the predictions" in clean


def test_html_of_many_folds_and_copies_shows_some(speech):
    clips = [speech[k % 2] for k in range(64)]
    audit = audit_split([([0], [k]) for k in range(1, 41)], clips)
    html = audit._repr_html_()
    assert "... 10 more" in html and html.count("<tr><td>") < 60


def test_copies_of_the_same_name_are_told_apart_by_their_folders(corpus, tmp_path):
    """RAVDESS goes about in an archive that holds all its folders twice."""
    X, y = corpus
    again = tmp_path / "again"
    again.mkdir()
    X["path"] = [*X["path"][:5], shutil.copy(X["path"][2], again)]
    found = str(audit_split([([0, 1, 2], [3, 4, 5, 2])], X, y))
    assert f"clip 3.wav = clip 0.wav, {X['path'][5]} = {X['path'][2]}, clip 2.wav" in found


def test_the_report_names_a_few_and_counts_the_rest(speech):
    clips = [*speech, *speech]
    audit = audit_split([(range(12), range(12, 24))], clips, speaker=[f"s{row % 12:02}" for row in range(24)])
    assert "s00, s01, s02, s03, s04 and 7 more in training and in test (1 of 1 fold)" in str(audit)
    assert "12 test clips also in training, under this or another name (1 of 1 fold): 12 = 0, 13 = 1," in str(audit)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            dict(speaker="spkr"),
            ValueError,
            "speaker must name a column of X, .*Got speaker='spkr'; X is a DataFrame with",
        ),
        (dict(text=["s"]), ValueError, "inconsistent numbers of samples"),
        (dict(y=np.linspace(0, 1, 6)), ValueError, "Unknown label type: continuous"),
        (dict(y=["anger"]), ValueError, "inconsistent numbers of samples"),
        (dict(y=[*"aabb", None, "c"]), ValueError, "y must hold an emotion of each clip. That of row 4 is missing"),
        (dict(cv=[]), ValueError, "cv must yield at least one fold. Got none"),
        (dict(cv=[([0, 1], [2]), ([0], [6])]), ValueError, "row numbers below 6, .*Fold 1 is not such a pair: index 6"),
        (
            dict(cv=[([True] * 4, [False] * 4)]),
            ValueError,
            "masks of 6 clips. Fold 0 is not such a pair: boolean index",
        ),
        (
            dict(cv=[([0.0, 1.0], [2.0])]),
            ValueError,
            "Fold 0 is not such a pair: arrays used as indices must be of int",
        ),
        (dict(sr=0), ValueError, "'sr' parameter of Fingerprints must be an int in the range"),
    ],
)
def test_nonsense_is_refused(corpus, change, error, message):
    X, y = corpus
    with pytest.raises(error, match=message):
        audit_split(**{"cv": KFold(2), "X": X, "y": y, **change})


def test_a_bad_clip_is_named(corpus):
    X, y = corpus
    Path(X["path"][4]).write_bytes(b"no audio")
    with pytest.raises(AudioError, match=r"Row 4 \('.*clip 4.wav'\): not readable as audio"):
        audit_split(KFold(2), X, y)


def test_workers_and_global_output_settings_change_nothing(corpus):
    X, y = corpus
    expected = audit_split(KFold(2), X, y).recordings
    assert len(expected) == 4
    with sklearn.config_context(transform_output="pandas"):
        pd.testing.assert_frame_equal(audit_split(KFold(2), X, y, n_jobs=2).recordings, expected)


@pytest.mark.processes
def test_an_audit_is_pickled_and_read_in_a_fresh_process(corpus, tmp_path):
    X, y = corpus
    audit = audit_split(KFold(2), X, y)
    (tmp_path / "audit.pickle").write_bytes(pickle.dumps(audit))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "audit.pickle")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(audit)


@pytest.mark.processes
def test_a_leak_shows_in_the_score(corpus, tmp_path):
    """What the audit is for: labels drawn at random are recognised where copies are on both sides."""
    from sklearn.neighbors import KNeighborsClassifier

    speech = make_emotional_speech(40, random_state=1).data
    paths = []
    for row, waveform in enumerate(speech):
        paths += [str(tmp_path / f"{row}a.wav"), str(tmp_path / f"{row}b.wav")]
        soundfile.write(paths[-2], waveform, SR)
        shutil.copy(paths[-2], paths[-1])
    y = np.repeat(np.random.default_rng(0).permutation(np.repeat(["anger", "calm"], 20)), 2)
    model = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), StandardScaler(), KNeighborsClassifier(1))
    X = pd.DataFrame({"path": paths})
    leaky = StratifiedKFold(5, shuffle=True, random_state=0)
    fraction = audit_split(leaky, X, y).recordings["test_row"].nunique() / len(X)
    assert fraction > 0.6
    clean = GroupKFold(5)
    groups = np.repeat(np.arange(40), 2)
    assert audit_split(clean, X, y, groups=groups).leaks == ()
    scores = [
        cross_val_score(model, X, y, cv=cv, groups=groups if cv is clean else None).mean() for cv in (leaky, clean)
    ]
    assert scores[0] > 0.75 > 0.7 > scores[1]
