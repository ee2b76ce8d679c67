"""The documentation: its Python snippets run, a page's one after the other; its names and links are right."""

import builtins
import inspect
import pathlib
import re
import sys
import types
from pathlib import Path

import joblib
import make_api
import make_figures
import make_tree
import numpy as np
import pandas as pd
import pytest
import soundfile
from make_figures import making_recordings, snippets
from sklearn.base import BaseEstimator
from sklearn.utils import all_estimators
from threadpoolctl import threadpool_limits

import sklearn_ser

DOCS = Path(__file__).parents[1] / "docs"
FIGURE = re.compile(r"\(\.\./api/figures/(\w+)\.png\)")
PAGES = [page for page in sorted(DOCS.glob("**/*.md")) if not {"_build", "api", "gallery"} & set(page.parts)]
RUN = [page for page in PAGES if page.parent.name in ("guide", "howto") or page.stem in ("index", "start")]


def name_of(page):
    return f"{page.parent.name}/{page.stem}"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """The folder that the page "Start" makes: `recordings/`, a table `labels.csv`, and a longer `interview.wav`."""
    from tiny_whisper import write_whisper

    folder = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(making_recordings(), {})
    write_whisper(folder / "data" / "whisper-base", n_layers=6, n_positions=1500)  # random weights
    return folder


@pytest.fixture
def other_toolkits(monkeypatch):
    """What the pages call of PyTorch, transformers and ONNX Runtime, which need not be installed."""

    def frames(waveform):
        return np.lib.stride_tricks.sliding_window_view(np.ravel(waveform), 400)[::160, ::50][None]

    class Tensor(np.ndarray):
        def mean(self, dim):
            return np.asarray(self).mean(axis=dim)

    def hidden(waveform):
        return types.SimpleNamespace(last_hidden_state=frames(waveform).view(Tensor))

    pretrained = types.SimpleNamespace(from_pretrained=lambda name: types.SimpleNamespace(eval=lambda: hidden))
    session = types.SimpleNamespace(run=lambda outputs, inputs: [frames(inputs["input"])])
    modules = {
        "torch": dict(from_numpy=np.asarray, inference_mode=lambda: lambda function: function),
        "transformers": dict(AutoModel=pretrained),
        "onnxruntime": dict(InferenceSession=lambda path: session),
    }
    for name, content in modules.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


def test_pages_are_found():
    assert len(RUN) > 20
    assert {"start", "choose", "papers", "benchmarks", "glossary"} <= {page.stem for page in PAGES}


@pytest.mark.neural  # some pages train networks, and all take their time
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_snippets_of_a_page_run(page, recordings, monkeypatch, plt, request):
    monkeypatch.chdir(recordings)
    monkeypatch.setenv("SKLEARN_SER_DATA", str(recordings / "data"))
    if page.stem == "other_encoder":
        request.getfixturevalue("other_toolkits")
    namespace = {"__name__": "page"}
    # The recogniser's matrices are small: more threads than one wait for each other where other tests run beside.
    with threadpool_limits(1, "blas"):
        for snippet in snippets(page):
            exec(compile(snippet, str(page), "exec"), namespace)
    shown = set(FIGURE.findall(page.read_text(encoding="utf-8")))
    drawn = {f"{page.stem}_{count}" for count, _ in enumerate(plt.get_fignums(), 1)}
    assert shown <= drawn, "docs/make_figures.py makes no such figure of this page"


def test_snippets_are_python_or_said_to_be_something_else():
    """A snippet that is not run says so: its language is not python."""
    for page in RUN:
        languages = re.findall(r"^```(\S*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
        assert {language for language in languages} <= {"python", "bash", "sh", "text", "{toctree}", "{raw}"}, page


def public_modules():
    return {name for name in sklearn_ser.__all__ if inspect.ismodule(getattr(sklearn_ser, name))}


def test_every_public_name_has_a_page_and_a_family():
    of_package = make_api.public_names()
    listed = {name for names in of_package.values() for name in names}
    packages = public_modules()
    assert packages == {package for package in make_api.PACKAGES if "." not in package}
    assert set(sklearn_ser.__all__) - packages <= listed
    for package, names in of_package.items():
        assert "Others" not in make_api.families(package, names), f"docs/make_api.py: no family in {package}"


def test_a_family_that_lists_a_name_which_is_gone_is_an_error():
    with pytest.raises(ValueError, match="has not: .*WhisperFeatures"):
        make_api.families("pretrained", ["WhisperClassifier"])


def known_names():
    """Public names of the library and of what pages may speak of besides, with their methods and parameters."""
    names = set(public_modules())
    for package, members in make_api.public_names().items():
        module = sys.modules[f"sklearn_ser.{package}"]
        names |= {package.split(".")[-1], *members}
        for member in members:
            found = getattr(module, member)
            names |= {attribute for attribute in dir(found) if not attribute.startswith("_")}
            if not (inspect.isclass(found) and issubclass(found, Exception)):
                names |= set(inspect.signature(found).parameters)
    names |= {name for name, _ in all_estimators()}
    return names


CALL = re.compile(r"`(?:[a-z_]+\.)*([A-Z]\w+|[a-z]+_\w+)\(")  # `SomeClass(` or `some_function(`
CLASS = re.compile(r"`([A-Z][a-z]+[A-Z]\w+)(?:\.(\w+))?`")  # `SomeClass` or `SomeClass.attribute`
OF_OTHERS = {"FittedModel", "WhisperModel", "get_context"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_speak_of_what_exists(page):
    """Names in backticks that look like classes, or like functions that are called, are there."""
    known = known_names() | OF_OTHERS
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    missing = {name for name in CALL.findall(text) if name not in known and not is_of_others(name)}
    for name, attribute in CLASS.findall(text):
        if name not in known and not is_of_others(name):
            missing.add(name)
        elif attribute and hasattr(sklearn_ser, name) and not hasattr(getattr(sklearn_ser, name), attribute):
            missing.add(f"{name}.{attribute}")
    assert not missing


def is_of_others(name):
    """Whether Python, scikit-learn, joblib, NumPy, pandas or soundfile have anything of this name."""
    sklearn = [module for path, module in sys.modules.items() if re.fullmatch(r"sklearn(\.[a-z]\w*)?", path)]
    places = (builtins, pathlib, *sklearn, joblib, joblib.Memory, np, pd, pd.DataFrame, soundfile)
    return any(hasattr(place, name) for place in places)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_documentation_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
        if target.startswith(("http", "mailto")) or "api/figures/" in target:
            continue
        path = page.parent / target
        if "gallery" in path.parts:  # made of the examples
            path = DOCS.parent / "examples" / path.with_suffix(".py").name
        if "api" in path.parts:
            assert path.stem in {"index", *make_api.PACKAGES}, f"{page.name} links to {target}"
        else:
            assert path.exists(), f"{page.name} links to {target}"


def test_links_of_the_built_site_are_checked(tmp_path):
    """The build warns of links that lead nowhere; this is what it goes by."""
    crossref = pytest.importorskip("crossref", reason="the extra docs has Sphinx")
    page = tmp_path / "guide" / "page.html"
    page.parent.mkdir()
    page.write_text('<h1 id="top">Page</h1><a href="../index.html#there"></a>')
    (tmp_path / "index.html").write_text('<p id="there"></p>')
    (tmp_path / "picture.png").write_bytes(b"")
    pages = {path: crossref.Page(path.read_text()) for path in (page, tmp_path / "index.html")}
    assert pages[page].links == ["../index.html#there"]

    def wrong(link):
        return crossref.broken(link, page, pages, tmp_path)

    for link in ("../index.html#there", "#top", "../picture.png", "https://example.org/#x", "../index.html"):
        assert wrong(link) is None, link
    assert "no such page" in wrong("other.html")
    assert "no such anchor" in wrong("../index.html#elsewhere")
    assert "no such anchor" in wrong("#elsewhere")
    assert "no such page" in wrong("../../outside.html")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("make_recognizer", "make_recognizer"),
        ('make_recognizer("handcrafted", robust=False)', "make_recognizer"),
        ("sklearn_ser.systems.he_svm", "systems.he_svm"),
        ("EvaluationReport.from_estimator(fitted, corpus)", "EvaluationReport.from_estimator"),
        ("StandardScaler() and SVC()", None),
    ],
)
def test_names_in_backticks_are_recognised(text, name):
    crossref = pytest.importorskip("crossref", reason="the extra docs has Sphinx")
    match = crossref.NAME.fullmatch(text)
    assert (match and match[1]) == name


def test_the_decision_tree_names_pipelines_that_exist():
    named = {pipeline for _, leaves in make_tree.TREE for pipeline, _ in leaves} | {make_tree.OTHERWISE[0]}
    for pipeline in named:
        name = re.match(r"(?:sklearn_ser\.)?(\w+)", pipeline)[1]
        assert hasattr(sklearn_ser, name) or hasattr(sklearn_ser.systems, name), pipeline
    assert all(
        pipeline.replace('"', "") in make_tree.draw().replace("&quot;", "").replace('"', "") for pipeline in named
    )


ESTIMATORS = [
    member
    for name in sklearn_ser.__all__
    if inspect.isclass(member := getattr(sklearn_ser, name)) and issubclass(member, BaseEstimator)
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.__name__)
def test_diagrams_link_to_the_documentation_if_told_where_it_is(estimator, monkeypatch):
    """They link to the page that autosummary makes, and without the setting nowhere."""
    instance = estimator.__new__(estimator)
    monkeypatch.delenv("SKLEARN_SER_DOCS", raising=False)
    assert instance._get_doc_link() == ""
    monkeypatch.setenv("SKLEARN_SER_DOCS", "https://docs.example/{ser}/")
    pages = {f"sklearn_ser.{package}.{name}" for package, names in make_api.public_names().items() for name in names}
    root, page = instance._get_doc_link().split("/api/generated/")
    assert root == "https://docs.example/{ser}"
    assert page.removesuffix(".html") in pages


def test_diagram_of_a_pipeline_holds_the_links(monkeypatch):
    monkeypatch.setenv("SKLEARN_SER_DOCS", "https://docs.example")
    html = sklearn_ser.make_recognizer("handcrafted", robust=False)._repr_html_()
    assert "https://docs.example/api/generated/sklearn_ser.features.HandcraftedFeatures.html" in html


def test_estimators_of_users_link_to_nothing(monkeypatch):
    class Mine(sklearn_ser.BoundedScaler):
        pass

    monkeypatch.setenv("SKLEARN_SER_DOCS", "https://docs.example")
    assert Mine()._get_doc_link() == ""


README = DOCS.parent / "README.md"


def test_readme_fits_a_screen_and_links_to_what_exists():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 66
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
        assert (README.parent / target).exists(), target


def test_figures_of_the_readme_are_those_of_the_documentation():
    """Each row's, in a row of the same page that speaks of the same pipeline."""
    measured = (DOCS / "choose.md").read_text(encoding="utf-8") + (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if re.search(r"\| \**0\.\d{3}", line)]
    assert len(rows) == 6
    for row in rows:
        named = re.search(r"make_recognizer\([^)]*\)|ComParE_2016|default-v1", row).group()
        figures = re.findall(r"0\.\d{3}", row)
        assert any(named in line and all(f" {figure} " in line for figure in figures) for line in measured.splitlines())


def test_code_of_the_readme_runs(monkeypatch, plt, tmp_path):
    (code,) = snippets(README)
    assert len(code.splitlines()) <= 10
    corpus = sklearn_ser.make_emotional_speech(24, n_speakers=3, random_state=0)
    soundfile.write(tmp_path / "new.wav", corpus.data[0], corpus.sr)
    handcrafted = make_handcrafted()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sklearn_ser, "fetch_emodb", lambda: corpus)
    monkeypatch.setattr(sklearn_ser, "make_recognizer", lambda: handcrafted)
    exec(compile(code, str(README), "exec"), {})
    assert (tmp_path / "ser.joblib").exists() and (tmp_path / "report.png").exists()


def make_handcrafted():
    """In place of the encoder, which would be downloaded."""
    from sklearn.pipeline import make_pipeline

    features = sklearn_ser.HandcraftedFeatures(feature_set="bledea170")
    return make_pipeline(features, sklearn_ser.BoundedScaler(), sklearn_ser.CalibratedDiscriminant())


def test_pages_that_show_figures_are_those_that_are_drawn():
    assert {page.stem for page in PAGES if FIGURE.search(page.read_text(encoding="utf-8"))} == set(make_figures.PAGES)


@pytest.mark.neural
def test_start_shows_the_report_that_is_printed(recordings, monkeypatch, capsys):
    """Line by line, but for the figures, which another version of a library may change in the last digit."""

    def without_figures(line):
        return re.sub(r"[\d.]+|-$|\w+ \(\d+%\)$", "", line).split()

    page = (DOCS / "start.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(recordings)
    exec(snippets(DOCS / "start.md")[0], {})
    printed = [without_figures(line) for line in capsys.readouterr().out.splitlines()]
    assert [without_figures(line) for line in shown.splitlines()] == printed[: len(shown.splitlines())]
