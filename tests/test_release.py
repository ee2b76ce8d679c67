"""What is released: one version everywhere, and the short list of packages that handcrafted features need."""

import re
from pathlib import Path

import pytest

import sklearn_ser

ROOT = Path(__file__).parents[1]
NEURAL = {"keras", "scikeras", "tensorflow"}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def names(requirements):
    return {re.split(r"[<>=!\[ ]", requirement.strip("\"' "))[0].lower() for requirement in requirements}


@pytest.fixture(scope="module")
def project():
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11
    return tomllib.loads(read("pyproject.toml"))


def test_the_version_stands_in_the_package_alone_and_the_citation_agrees(project):
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "sklearn_ser.__version__"
    assert f"\nversion: {sklearn_ser.__version__}\n" in read("CITATION.cff")


def test_the_lean_list_is_all_dependencies_but_those_of_networks(project):
    (line,) = re.findall("^pip install joblib .*$", read("docs/install.md"), flags=re.MULTILINE)
    dependencies = names(project["project"]["dependencies"])
    assert names(line.split()[2:]) | NEURAL | {"numpy", "scipy"} == dependencies  # the two come with the others
    assert NEURAL < dependencies
    assert line in read("Dockerfile")


def test_every_dependency_has_an_oldest_version(project):
    extras = project["project"]["optional-dependencies"]
    pinned = names(line for line in read("constraints-oldest.txt").splitlines() if not line.startswith("#"))
    assert names(project["project"]["dependencies"]) <= pinned
    assert names(extras["formats"]) <= pinned


def test_the_newest_python_is_named_by_the_classifiers_and_tried_by_the_workflow(project):
    classifiers = project["project"]["classifiers"]
    supported = [name.rsplit(" ", 1)[1] for name in classifiers if re.search(r":: 3\.\d+$", name)]
    workflow = read(".github/workflows/tests.yml")
    assert all(f'"{version}"' in workflow for version in supported)
    assert project["project"]["requires-python"] == f">={supported[0]}"
    assert f"Python {supported[0]} to {supported[-1]}" in read("docs/install.md")
