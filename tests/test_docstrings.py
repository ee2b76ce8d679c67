"""Docstrings of everything public are complete numpydoc."""

import importlib
import inspect
import pkgutil

import pytest

import sklearn_ser

validate = pytest.importorskip("numpydoc.validate", reason="the extra dev has numpydoc").validate

# Every check of numpydoc is made but these:
UNCHECKED = {
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


@pytest.mark.parametrize("name", public_objects())
def test_docstring_is_complete(name):
    assert [error for error in validate(name)["errors"] if error[0] not in UNCHECKED] == []
