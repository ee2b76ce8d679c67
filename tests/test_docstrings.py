"""Docstrings of everything public are complete numpydoc."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import textwrap
from pathlib import Path

import pytest

import sklearn_ser
from sklearn_ser.neural._base import NeuralEstimator

validate = pytest.importorskip("numpydoc.validate", reason="the extra dev has numpydoc").validate

DOCS = Path(__file__).parents[1] / "docs"

# Every check of numpydoc is made but these:
UNCHECKED = {
    "GL07": "classes begin with their examples, which readers of `help` look for; pages have the usual order",
    "ES01": "a summary that says all needs no extended one",
    "SA01": "classes have See Also where there is an alternative; methods have none",
    "EX01": "classes and functions have examples; methods are shown in their class's",
    "PR03": "a subclass may give inherited parameters other defaults, and then has them first",
    "PR04": "parameters that go to another function are named together, and described there",
    "PR07": "X, y and the like are told by their type and shape",
    "RT02": "what is returned has a name, as in scikit-learn",
    "RT03": "so has `self`, which needs no description",
    "RT04": "descriptions begin with the name of what is described",
    "SS05": "it takes nouns in the plural for verbs",
}


def public_objects():
    """Full names of public classes, their public methods and properties, and functions."""
    found = {}
    for module in (sklearn_ser, *(importlib.import_module(name) for name in public_modules())):
        for name in getattr(module, "__all__", []):
            member = getattr(module, name)
            if not inspect.isclass(member) and not inspect.isfunction(member):
                continue
            found[id(member)] = full = f"{module.__name__}.{name}"
            for attribute, value in vars(member).items() if inspect.isclass(member) else ():
                if not attribute.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                    found[id(member), attribute] = f"{full}.{attribute}"
    return sorted(found.values())


def public_modules():
    packages = pkgutil.walk_packages(sklearn_ser.__path__, f"{sklearn_ser.__name__}.")
    return [package.name for package in packages if "._" not in package.name]


def sentences_of(path):
    """Each docstring's first line and each description's first line in a file, with its line number."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text.splitlines()[0]
            yield from (
                (getattr(node, "lineno", 1), line.strip())
                for name, line in zip(text.splitlines(), text.splitlines()[1:], strict=False)
                if re.match(r" *[\w, *]+ : ", name) and not name.lstrip().startswith(">>>")
            )


def test_docstrings_and_descriptions_begin_with_a_verb_or_a_name():
    package = Path(sklearn_ser.__file__).parent
    riddles = [
        f"{path.relative_to(package)}:{line}: {text}"
        for path in sorted(package.rglob("*.py"))
        for line, text in sentences_of(path)
        if re.match(r"(Of|What|Whatever|Whether|Who|Whoever|Whose|Whom)\b", text)
    ]
    assert riddles == []


@pytest.mark.parametrize("name", public_objects())
def test_docstring_is_complete(name):
    assert [error for error in validate(name)["errors"] if error[0] not in UNCHECKED] == []


def public_classes():
    found = {}
    for module in (sklearn_ser, *(importlib.import_module(name) for name in public_modules())):
        members = ((name, getattr(module, name)) for name in getattr(module, "__all__", []))
        found.update({member: name for name, member in members if inspect.isclass(member)})
    return sorted(found, key=lambda member: member.__name__)


@pytest.mark.parametrize("member", public_classes(), ids=lambda member: member.__name__)
def test_help_begins_with_an_example_and_leads_to_the_guide(member):
    doc = inspect.getdoc(member)
    titles = re.findall(r"^([A-Z][A-Za-z ]+)\n---+$", doc, re.MULTILINE)
    assert titles[0] == "Examples"
    example = doctest.DocTestParser().get_examples(doc)
    assert any(doctest.SKIP not in line.options for line in example)
    (page,) = re.findall(r"^Read more in the guide: :doc:`[^`<]+ </([\w/]+)>`\.$", doc, re.MULTILINE)
    assert (DOCS / f"{page}.md").exists()


def neural_classifiers():
    return [member for member in public_classes() if re.search(r"^    mixup : ", member.__doc__, re.MULTILINE)]


@pytest.mark.parametrize("member", neural_classifiers(), ids=lambda member: member.__name__)
def test_groups_of_parameters_are_named_in_their_order(member):
    """First and last of each, as the docstring has them."""
    doc = inspect.getdoc(member)
    said = re.search(r"Its parameters, in groups: (.*?)\.\n\n", doc, re.DOTALL).group(1)
    listed = re.findall(
        r"^((?:\w+, )*\w+) : ", doc[doc.index("Parameters\n---") : doc.index("Attributes\n---")], re.MULTILINE
    )
    listed = [name for names in listed for name in names.split(", ")]
    assert set(listed) == set(inspect.signature(member).parameters)
    ends = [listed.index(name) for name in re.findall(r"`(\w+)`", said)]
    assert ends == sorted(ends) and ends[0] == 0 and ends[-1] == len(listed) - 1
    first = listed.index("optimizer"), listed.index("time_mask"), listed.index("random_state")
    assert set(first) <= set(ends) and {place - 1 for place in first} <= set(ends)


@pytest.mark.parametrize("indent", ["    ", ""], ids=["as written", "as Python 3.13 leaves it"])
def test_shared_text_is_indented_as_the_docstring_is(indent):
    def own_parameters(self, size=1, *, learning_rate=0.01, **training):
        pass

    written = textwrap.indent("Classify.\n\n<groups>\n\nParameters\n----------\nsize : int\n<training>\n", indent)
    doc = inspect.getdoc(type("Mine", (NeuralEstimator,), {"__doc__": written.strip(), "__init__": own_parameters}))
    lines = doc.splitlines()
    assert "size : int" in lines and "optimizer : str, dict or keras.optimizers.Optimizer, default='adam'" in lines
    assert "learning_rate : float or None, default=0.01" in lines
    assert "    Learning rate; None leaves the optimizer's own." in lines
    assert "the network (`size` to `size`), training (`optimizer` to `callbacks`)" in doc
