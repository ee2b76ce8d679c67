"""The gallery: each example asks one question, names only what there is, and runs."""

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import sklearn_ser

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
QUICK = {
    "plot_augmenters",
    "plot_timeline",
}  # a few seconds; the others run with `-m slow`, and in the gallery


def named(example):
    return example.stem


def test_there_are_enough_examples():
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_an_example_asks_one_question_and_answers_it(example):
    tree = ast.parse(example.read_text(encoding="utf-8"))
    title, line, *_ = ast.get_docstring(tree).splitlines()
    assert title.endswith("?") and title.count("?") == 1, title
    assert set(line) == {"="} and len(line) >= len(title)
    source = example.read_text(encoding="utf-8")
    assert "plt.show()" in source or "savefig" in source
    *_, end = source.split("# %%")
    assert re.search(r"\bprint\(|^# .*\.$", end, re.MULTILINE)  # a sentence on what was found


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_headings_of_an_example_are_underlined(example):
    """Sphinx-gallery would take them for text."""
    for heading, line in re.findall(r"^# %%\n# (.+)\n# ([-=]{4,})$", example.read_text(encoding="utf-8"), re.MULTILINE):
        assert len(line) >= len(heading), heading


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_an_example_names_only_what_is_public(example):
    for node in ast.walk(ast.parse(example.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "sklearn_ser":
            assert "._" not in node.module
            public = import_module(node.module).__all__
            for name in (alias.name for alias in node.names):
                assert name in public or find_spec(f"{node.module}.{name}"), name
    for name in re.findall(r"(?<!`)`([A-Z]\w+)(?:\(.*?\))?`(?!`)", example.read_text(encoding="utf-8")):
        assert name in sklearn_ser.__all__, name


def runs(example, folder, **environment):
    pytest.importorskip("matplotlib")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "SKLEARN_SER_DATA"},
        "MPLBACKEND": "agg",
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **environment,
    }
    warned = ["-W", "error::UserWarning:__main__", "-W", "ignore:FigureCanvasAgg is non-interactive"]
    run = subprocess.run(
        [sys.executable, *warned, str(example)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.mark.processes
@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.stem in QUICK], ids=named)
def test_a_quick_example_runs(example, tmp_path):
    assert runs(example, tmp_path).strip().endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.stem not in QUICK], ids=named)
def test_an_example_runs_on_synthetic_speech(example, tmp_path):
    output = runs(example, tmp_path, SKLEARN_SER_DATA=str(tmp_path / "nothing"))
    assert output.strip()
    assert not list(tmp_path.glob("*/features")), "a memory was left behind"
