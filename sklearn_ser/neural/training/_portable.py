"""Functions among the parameters of a fitted estimator: saved by their name, so that it can be loaded without them."""

from __future__ import annotations

import copy
import importlib
import pickle
from types import ModuleType

from ...utils._messages import short


class LostFunction:
    """Stands for a function that could not be found when its estimator was loaded.

    The trained network is there, predicts, and can be trained further; what needs the function says so.
    """

    def __init__(self, name: str):
        self.name = name

    def __repr__(self):
        return f"<{self.name}, not found>"

    def __call__(self, *args, **kwargs):
        raise ValueError(
            f"{short(self.name)} is a parameter of this estimator that could not be saved with it, because it cannot "
            "be imported by its name. The trained network predicts without it; to fit again, give it by set_params."
        )


class Portable:
    """A parameter in the state of a fitted estimator; copied as it is, pickled as a name if it is a function."""

    def __init__(self, value):
        self.value = value

    def __deepcopy__(self, memo):
        return Portable(copy.deepcopy(self.value, memo))

    def __reduce__(self):
        if isinstance(self.value, (list, tuple)):
            return _collect, (type(self.value), [Portable(item) for item in self.value])
        name, owner = getattr(self.value, "__qualname__", None), getattr(self.value, "__self__", None)
        bound = owner is not None and not isinstance(owner, ModuleType)  # a method, whose object is part of it
        if name is not None and not bound:
            return _find, (self.value.__module__, name)
        try:
            pickled = pickle.dumps(self.value)
        except Exception:  # whatever the pickling of foreign objects raises
            return _find, ("__main__", short(self.value))
        return (_load, (pickled, short(self.value))) if bound else (Portable, (self.value,))


def _collect(kind, items) -> Portable:
    return Portable(kind(item.value for item in items))


def _load(pickled: bytes, shown: str) -> Portable:
    """Load a method with its object, if the object's class can be imported."""
    try:
        return Portable(pickle.loads(pickled))
    except (ImportError, AttributeError):
        return Portable(LostFunction(shown))


def _find(module: str, name: str) -> Portable:
    """The function of this name, if it can be imported."""
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return Portable(LostFunction(f"{module}.{name}"))
    return Portable(found)
