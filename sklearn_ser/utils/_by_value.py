"""Callables among an estimator's parameters: saved with their code where no other process could import them."""

from __future__ import annotations

import copy
import sys
import warnings

from joblib import wrap_non_picklable_objects

from ._messages import short


class LostCallable:
    """Stands for a callable whose code could not be saved; `set_params` gives the loaded estimator another one."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self):
        return f"<{self.name}, not saved>"

    def __call__(self, *args, **kwargs):
        raise ValueError(
            f"{self.name} could not be saved with its estimator, because it holds something that cannot be pickled. "
            "Give it to the loaded estimator by set_params, or write it as a class that opens what it needs when it is "
            "called first."
        )


class ByValue:
    """Wrap a callable in an estimator's state; copies share it, pickles hold its code."""

    def __init__(self, value):
        self.value = value

    def __deepcopy__(self, memo):
        return ByValue(copy.deepcopy(self.value, memo))

    def __reduce__(self):
        try:
            load, arguments = wrap_non_picklable_objects(self.value, keep_wrapper=False).__reduce__()
            return _load, (load, *arguments)
        except Exception as error:  # whatever the pickling of foreign objects raises
            name = short(getattr(self.value, "__name__", type(self.value).__name__))
            warnings.warn(
                f"{name} is saved by its name alone, because it holds something that cannot be pickled "
                f"({short(error)}). Where it is loaded, give it by set_params; or write it as a class in a module that "
                "opens what it needs when it is called first.",
                UserWarning,
                stacklevel=2,
            )
            return ByValue, (LostCallable(name),)


def portable(value):
    """Return what stands for a callable, or for a list of callables, in the state of an estimator."""
    if isinstance(value, (list, tuple)):
        items = [portable(item) for item in value]
        return type(value)(items) if any(isinstance(item, ByValue) for item in items) else value
    return ByValue(value) if callable(value) and not _is_importable(value) else value


def restored(value):
    """Return what `portable` was given."""
    if isinstance(value, (list, tuple)) and any(isinstance(item, ByValue) for item in value):
        return type(value)(map(restored, value))
    return value.value if isinstance(value, ByValue) else value


def _load(load, pickled: bytes) -> ByValue:
    return ByValue(load(pickled))


def _is_importable(value) -> bool:
    """Return whether plain pickle would save it for other processes, as far as can be seen at no cost."""
    name = getattr(value, "__qualname__", None)
    if name is None:  # an instance, or functools.partial, whose function counts
        inner = getattr(value, "func", None)
        return _is_importable(type(value)) and (inner is None or _is_importable(inner))
    owner = getattr(value, "__self__", None)
    if owner is not None and not isinstance(owner, type(sys)):  # a method
        return _is_importable(owner if isinstance(owner, type) else type(owner))
    found = sys.modules.get(value.__module__ or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value and value.__module__ != "__main__"
