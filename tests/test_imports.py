"""Imports run one way, as CONTRIBUTING.md's table says; packages have few files, and files few lines."""

import ast
import os
import re
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
import threadpoolctl

import sklearn_ser

ROOT = Path(sklearn_ser.__file__).parent
CONTRIBUTING = ROOT.parent / "CONTRIBUTING.md"


def modules():
    """Path of each module, by its name."""
    names = {path: ".".join((ROOT.name, *path.relative_to(ROOT).with_suffix("").parts)) for path in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imports():
    """Modules of this package that each of its modules imports, also inside of functions."""
    paths, graph = modules(), {}
    for name, path in paths.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        graph[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                module = f"{parent}.{node.module}" if node.module else parent
                found = (f"{module}.{alias.name}" for alias in node.names)
                graph[name] |= {each if each in paths else module for each in found} - {name}
    return graph


def package_of(module):
    return ".".join(module.split(".")[1:2])


def packages():
    """Packages (and modules at the top) that each package imports."""
    graph = defaultdict(set)
    for name, found in imports().items():
        graph[package_of(name)] |= {package_of(each) for each in found} - {"", package_of(name)}
    return {name: found for name, found in graph.items() if name}


def circle(graph):
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return None


@pytest.mark.processes
def test_graph_is_read_from_the_sources():
    graph = imports()
    assert "sklearn_ser.audio._input" in graph["sklearn_ser.audio._base"]
    assert "audio" in packages()["features"]


def test_no_file_imports_in_a_circle():
    assert circle(imports()) is None


def test_packages_stand_on_at_most_five_floors():
    graph = packages()
    assert circle(graph) is None

    def floor(package):
        return 1 + max(map(floor, graph[package]), default=0)

    floors = {package: floor(package) for package in graph}
    assert max(floors.values()) <= 5, floors


def test_contributing_tells_what_each_package_may_import():
    text = CONTRIBUTING.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ?([^|]*)\|$", text, re.MULTILINE)
    allowed = {package: set(re.findall(r"`(\w+)`", others)) for package, others in rows}
    graph = packages()
    assert list(allowed) and set(allowed) == set(graph)
    assert {package: found - allowed[package] for package, found in graph.items() if found - allowed[package]} == {}


@pytest.mark.parametrize(
    ("package", "most_files", "most_imports"), [("neural", 13, 32), ("audio", 13, 26), ("pretrained", 7, 12)]
)
def test_crowded_packages_have_few_files_and_few_imports_among_them(package, most_files, most_imports):
    """A subpackage counts as one file, and imports from one file or subpackage to another count once."""

    def file_of(module):
        return module.split(".")[2] if module.count(".") > 1 else "__init__"

    own = {name: found for name, found in imports().items() if package_of(name) == package}
    among = {(file_of(name), file_of(each)) for name, found in own.items() for each in found & own.keys()}
    among = {(one, other) for one, other in among if one != other}
    assert len({file_of(name) for name in own}) <= most_files
    assert 0 < len(among) <= most_imports, sorted(among)


def test_no_file_has_more_than_400_lines():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_nobody_imports_itself_by_its_full_name():
    """What the tests above would not see."""
    absolute = re.compile(rf"^\s*(?:from|import) {ROOT.name}\b", re.MULTILINE)
    assert [name for name, path in modules().items() if absolute.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="this process has the machine for itself")
def test_processes_that_share_the_tests_have_one_thread_each():
    """NumPy reads the environment when it is imported; threads that waited for one another took ten times as long."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"]
    assert {pool["num_threads"] for pool in pools} <= {int(os.environ["OPENBLAS_NUM_THREADS"])}
