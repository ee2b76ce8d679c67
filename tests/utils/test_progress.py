"""Progress shows itself where somebody waits, and nowhere else."""

import io
import pickle
import sys
import time
import types

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_ser import AddNoise, HandcraftedFeatures, evaluate, make_recognizer
from sklearn_ser.metrics._progress import FoldsProgress
from sklearn_ser.utils import _progress
from sklearn_ser.utils._progress import Progress, with_progress


class Terminal:
    """What was written to stderr, as if it were a terminal."""

    def __init__(self, capsys):
        self._capsys, self._seen = capsys, ""

    def getvalue(self):
        self._seen += self._capsys.readouterr().err
        return self._seen


@pytest.fixture
def terminal(monkeypatch, capsys):
    monkeypatch.setattr(_progress, "is_watched", lambda: True)
    monkeypatch.setattr(_progress, "DELAY", 0.05)
    monkeypatch.setattr(_progress, "_REFRESH", 0.05)
    return Terminal(capsys)


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    return list(rng.normal(size=(12, 2000)) / 10), ["a", "b"] * 6, list("ssssttttuuuu")


def test_a_bar_moves_within_a_long_step_and_is_taken_away(terminal):
    with Progress("work", 2, "step"):
        time.sleep(0.4)
    assert "work:   0%" in terminal.getvalue() and terminal.getvalue().endswith("\r")


def test_a_bar_says_what_is_left(terminal):
    with Progress("work", 4, "step") as progress:
        progress.update(2)
        time.sleep(0.4)
    assert "50%" in terminal.getvalue() and "2/4 [00:00<00:00" in terminal.getvalue()


@pytest.mark.parametrize("verbose", [0, None])
def test_short_work_and_work_without_a_bar_write_nothing(terminal, monkeypatch, verbose):
    monkeypatch.setattr(_progress, "DELAY", 10)
    assert list(with_progress(range(3), desc="work", total=3, unit="step", verbose=verbose)) == [0, 1, 2]
    assert not terminal.getvalue()


def test_a_terminal_and_a_notebook_are_watched_and_a_file_is_not(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "DELAY", 0.01)
    with Progress("work", 2, "step"):
        time.sleep(0.1)
    assert not stream.getvalue() and not _progress.is_watched()
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert _progress.is_watched()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert not _progress.is_watched()
    stream.isatty = lambda: True
    assert _progress.is_watched()


def test_a_bar_that_was_asked_for_is_shown_anywhere_and_stays(capsys):
    assert sum(with_progress(range(3), desc="work", total=3, unit="step", verbose=1)) == 3
    assert "3/3" in capsys.readouterr().err


def test_a_bar_ends_with_an_error(terminal):
    with pytest.raises(ValueError, match="wrong"), Progress("work", 2, "step"):
        time.sleep(0.2)
        raise ValueError("wrong")
    assert terminal.getvalue().endswith("\r")


def test_evaluate_counts_the_clips_of_all_folds_and_conditions(clips, monkeypatch):
    X, y, speaker = clips
    pipeline = make_pipeline(HandcraftedFeatures(feature_set="bledea170", verbose=1), LogisticRegression())
    totals = []

    def draw(progress):
        totals.append((progress.unit, progress.n, progress.total))

    monkeypatch.setattr(Progress, "_draw", draw)
    evaluate(pipeline, X, y, speaker=speaker, conditions={"noise": AddNoise(snr=5)}, verbose=1)
    assert totals[-1] == ("clip", 24, 24)


def test_evaluate_counts_each_clip_once_whoever_keeps_it(clips, monkeypatch, tmp_path):
    X, y, speaker = clips
    at_folds, fold_done = [], FoldsProgress.fold_done

    def counted(progress):
        at_folds.append((progress.unit, progress.n, progress.total))
        fold_done(progress)

    monkeypatch.setattr(FoldsProgress, "fold_done", counted)
    for memory in (None, tmp_path, tmp_path):  # shared, kept, and found from the start
        features = HandcraftedFeatures(feature_set="bledea170", memory=memory)
        pipeline = make_pipeline(features, LogisticRegression())
        evaluate(pipeline, X, y, speaker=speaker, conditions={"noise": AddNoise(snr=5)}, random_state=0, verbose=1)
        assert 0 < at_folds[0][1] < 24 and at_folds[-1] == ("clip", 24, 24)
        at_folds.clear()


def test_evaluate_counts_folds_where_nothing_reads_audio(capsys):
    X, y = np.arange(12.0)[:, np.newaxis], ["a", "b"] * 6
    evaluate(LogisticRegression(), X, y, speaker=list("ssssttttuuuu"), verbose=1)
    assert "3/3" in capsys.readouterr().err


def test_a_recognizer_shows_its_clips_in_fit_and_a_saved_one_none(clips, terminal):
    X, y, _ = clips
    recognizer = make_recognizer("handcrafted", robust=False)
    silent = make_recognizer("handcrafted", robust=False, verbose=0)
    assert recognizer[0].transformer.verbose is None and silent[0].transformer.verbose == 0
    recognizer.fit(X * 10, y * 10)
    assert "HandcraftedFeatures" in terminal.getvalue()
    assert pickle.loads(pickle.dumps(recognizer))[0].transformer_.verbose == 0
