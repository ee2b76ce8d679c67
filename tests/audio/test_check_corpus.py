"""check_corpus finds all that is wrong with a corpus, and nothing with one that is in order."""

import io
import struct

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser import check_corpus

SR = 16000
RNG = np.random.default_rng(0)


def voice(seconds=1.0, rate=SR):
    times = np.arange(round(seconds * rate)) / rate
    return 0.4 * np.sin(2 * np.pi * 150 * times) * np.sin(2 * np.pi * 3 * times) + 0.01 * RNG.normal(size=times.size)


@pytest.fixture
def corpus(tmp_path):
    """Paths by what is wrong with them."""
    clean = np.round(voice() * 2**15).astype(np.int16)
    stereo = np.stack([voice(rate=44100)] * 2, 1)
    files = {
        "a whole one.wav": (clean, SR),
        "stereo.flac": (stereo, 44100),
        "silent.wav": (np.zeros(SR), SR),
        "very quiet.wav": (voice() / 2000, SR),
        "clipped.wav": (np.clip(4 * voice(), -1, 1), SR),
        "clipped, then turned down.wav": (np.clip(4 * voice(), -0.4, 0.4) / 2, SR),
        "the same.flac": (clean, SR),
        "opposite.wav": (stereo * [1, -1], 44100),
    }
    paths = {}
    for name, (waveform, rate) in files.items():
        paths[name] = str(tmp_path / name)
        soundfile.write(paths[name], waveform, rate)
    whole = (tmp_path / "a whole one.wav").read_bytes()
    unset = whole[:40] + struct.pack("<I", 0) + (voice() * 2**15).astype("<i2").tobytes()
    for name, content in {"torn.wav": whole[:9000], "text.wav": b"text", "unset.wav": unset}.items():
        (tmp_path / name).write_bytes(content)
        paths[name] = str(tmp_path / name)
    return {**paths, "missing.wav": str(tmp_path / "missing.wav")}


EXPECTED = {
    "silent.wav": ("silent", "nothing but zeros"),
    "very quiet.wav": ("silent", "reaches -7. dB of full scale"),
    "clipped.wav": ("clipped", "% of its samples are cut off at 1"),
    "clipped, then turned down.wav": ("clipped", "% of its samples are cut off at 0.2"),
    "the same.flac": ("duplicate", "the same sound as row 0"),
    "opposite.wav": ("channels", "cancel one another"),
    "torn.wav": ("length", "declares 1.000 s of sound, and breaks off after 0.280 s"),
    "text.wav": ("unreadable", "^not readable as audio"),
    "unset.wav": ("length", "does not say how long it is; 1.000 s decode"),
    "missing.wav": ("unreadable", "^no such file"),
}


@pytest.mark.parametrize("form", [list, lambda paths: pd.DataFrame({"path": paths, "speaker": "a"})])
def test_every_problem_is_found(corpus, form):
    problems = check_corpus(form(list(corpus.values())), verbose=0)
    assert list(problems.columns) == ["row", "path", "problem", "detail", "seconds"]
    names, paths = list(corpus), list(corpus.values())
    assert [names[row] for row in problems["row"]] == list(EXPECTED)
    for problem, (kind, detail) in zip(problems.itertuples(), EXPECTED.values(), strict=True):
        assert problem.problem == kind and problem.path == paths[problem.row]
        assert pd.Series([problem.detail]).str.contains(detail)[0], problem.detail
        assert len(problem.detail) < 300 and (problem.seconds > 0.9) == (problem.seconds == problem.seconds)


def test_clips_in_any_form_are_checked(corpus, capsys):
    with open(corpus["a whole one.wav"], "rb") as file:
        content = file.read()
    clips = [content, io.BytesIO(content), (voice(), 8000), None, np.zeros((2, 9)), corpus["a whole one.wav"]]
    problems = check_corpus(clips)
    assert list(problems["row"]) == [1, 3, 4, 5]
    assert list(problems["problem"]) == ["duplicate", "unreadable", "unreadable", "duplicate"]
    assert "check_corpus" in capsys.readouterr().err


def test_labels_of_parts_and_durations_are_compared(corpus):
    path = corpus["a whole one.wav"]
    problems = check_corpus(pd.DataFrame({"path": [path] * 2, "duration": [1.0, 3.0]}), verbose=0)
    assert list(problems["problem"]) == ["length", "duplicate"]
    assert problems["detail"][0] == "duration says 3 s, of which 1.000 s decode"
    parts = check_corpus(pd.DataFrame({"path": [path] * 2, "start": [0.0, 0.5], "end": [0.5, 60.0]}), verbose=0)
    assert list(parts["row"]) == [1] and parts["problem"][0] == "length"


def test_a_corpus_in_order_has_no_problem(emodb):
    problems = check_corpus(emodb.data, n_jobs=2, verbose=0)
    assert problems.empty, problems
