"""A key of what a function does: its code, what it closes over, and all of the user's code that it calls."""

from __future__ import annotations

import builtins
import dis
import importlib
import sys
import sysconfig
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pickle import PicklingError
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType

from joblib.hashing import NumpyHasher

_OF_THE_CLASS_ITSELF = {"__dict__", "__doc__", "__firstlineno__", "__module__", "__static_attributes__", "__weakref__"}


def code_key(function) -> str | None:
    """A string that changes with whatever the user changes of a callable; None if that cannot be seen.

    Seen are the code of functions and classes, defaults, what is closed over, the state of instances and partial
    functions, and everything of that kind that they refer to by a global name or import. Installed packages
    count by their version, as Python does. Not seen are files that are read when the function is called. Something that
    cannot be pickled, such as a session of ONNX Runtime, hides what it holds.
    """
    try:
        return _CodeHasher().hash((sys.version_info[:2], function))
    except Exception:  # whatever the pickling of foreign objects raises
        return None


class _CodeHasher(NumpyHasher):
    """Hashes objects by their pickle, in which functions, classes and modules are replaced by what they do."""

    def __init__(self):
        super().__init__(hash_name="sha1")
        self._seen: dict[int, tuple] = {}  # of each object its number, and the object, so that its id is not given away

    def save(self, obj):
        if isinstance(
            obj, (FunctionType, type, ModuleType, BuiltinFunctionType, CodeType, staticmethod, classmethod, property)
        ):
            if id(obj) in self._seen:
                obj = ("seen", self._seen[id(obj)][0])
            else:
                self._seen[id(obj)] = len(self._seen), obj
                obj = self._describe(obj)
        super().save(obj)

    def save_global(self, obj, name=None, *_):
        """Describe an object that pickles itself as no more than a name."""
        inner = getattr(obj, "__wrapped__", None)  # functools.lru_cache, for one
        library = _library(getattr(obj, "__module__", None) or type(obj).__module__)
        if inner is None and not library:
            raise PicklingError(f"nothing is known of {name}")
        super().save(("global", type(obj).__qualname__, inner) if inner is not None else ("global", name, library))

    def _describe(self, obj) -> tuple:
        if isinstance(obj, ModuleType):
            return _library(obj.__name__) or ("module", Path(obj.__file__).read_bytes())
        if isinstance(obj, CodeType):
            constants = [sorted(map(repr, c)) if isinstance(c, frozenset) else c for c in obj.co_consts]
            return "code", obj.co_code, obj.co_names, constants, getattr(obj, "co_exceptiontable", b"")
        if isinstance(obj, (staticmethod, classmethod)):
            return type(obj).__name__, obj.__func__
        if isinstance(obj, property):
            return "property", obj.fget, obj.fset
        if isinstance(obj, BuiltinFunctionType):
            owner = None if isinstance(obj.__self__, ModuleType) else obj.__self__
            module = obj.__module__ or type(owner).__module__
            return "builtin", obj.__qualname__, owner, _library(module) or module
        library = _library(obj.__module__)
        if isinstance(obj, type):
            return ("class", obj.__qualname__, library) if library else ("class", obj.__qualname__, _members(obj))
        cells = [_content(cell) for cell in obj.__closure__ or ()]
        state = (obj.__defaults__, obj.__kwdefaults__, cells, vars(obj))
        if library and not _is_users(obj.__code__):
            return "function", obj.__qualname__, library, state
        return "function", obj.__code__, _referred_to(obj), state


def is_own_method(cls: type, name: str) -> bool:
    """Return whether a class has the method from the user's code, not from an installed package."""
    module = getattr(getattr(cls, name, None), "__module__", None)
    return module is not None and not _library(module)


def _members(cls: type) -> list:
    bases = [(base.__qualname__, _library(base.__module__)) for base in cls.__bases__ if _library(base.__module__)]
    users = [base for base in cls.__bases__ if not _library(base.__module__)]
    own = {name: value for name, value in vars(cls).items() if name not in _OF_THE_CLASS_ITSELF and name[:5] != "_abc_"}
    slots = own.get("__slots__", ())
    for name in [slots] if isinstance(slots, str) else slots:
        own.pop(name, None)  # descriptors of C
    return [bases, users, sorted(own.items())]


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return "empty"


def _referred_to(function: FunctionType) -> list:
    """Return the globals that a function refers to (attributes of the user's modules, too), and what it imports."""
    names, imported = _names(function.__code__)
    found = {name: function.__globals__[name] for name in names if name in function.__globals__}
    package = function.__globals__.get("__package__") or ""
    for level, name in sorted(imported):
        module = importlib.import_module("." * level + name, package or None)  # as the function itself would
        found[f"import {level} {name}"] = module
    for place, module in list(found.items()):
        if isinstance(module, ModuleType) and not _library(module.__name__):
            found.update({f"{place}.{name}": vars(module)[name] for name in names if name in vars(module)})
    return sorted(found.items(), key=lambda item: item[0])


def _names(code: CodeType) -> tuple[set[str], set[tuple[int, str]]]:
    """Global and attribute names in code, that of inner functions included; and modules imported there."""
    names, imported, level = set(code.co_names), set(), 0
    constants: list = []
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            level = next((value for value in reversed(constants) if isinstance(value, int)), 0)
            imported.add((level, instruction.argval))
        if instruction.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            constants.append(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner_names, inner_imported = _names(constant)
            names, imported = names | inner_names, imported | inner_imported
    return names, imported


@cache
def _library_folders() -> tuple[Path, ...]:
    # An environment may see another one's packages, too: that of the system, for one.
    seen = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return tuple({Path(path).resolve() for path in [*sysconfig.get_paths().values(), *seen]})


def _is_users(code: CodeType) -> bool:
    """Return whether code is the user's: neither the standard library's nor an installed package's."""
    path = Path(code.co_filename)
    return path.suffix != ".py" or not _is_installed(path)


def _is_installed(path: Path) -> bool:
    own = Path(__file__).resolve().parents[1]  # whose results are known by the version of the cache
    return any(path.resolve().is_relative_to(folder) for folder in (own, *_library_folders()))


@cache
def _library(module: str | None) -> tuple[str, ...]:
    """An installed package's module and version; empty for the user's own."""
    if module in (None, "__main__"):
        return ()
    top = module.partition(".")[0]
    loaded = sys.modules.get(top)
    file = getattr(loaded, "__file__", None)
    if loaded is None or (file is None and top not in sys.builtin_module_names and not hasattr(builtins, top)):
        if top not in sys.stdlib_module_names:
            return ()
    elif file is not None and not _is_installed(Path(file)):
        return ()
    try:
        return module, version(top)
    except PackageNotFoundError:
        return module, str(getattr(loaded, "__version__", ""))
