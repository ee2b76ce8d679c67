"""Pages of the API reference: one for each family of public names, made from the packages' own ``__all__``."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

# Packages in the order in which a recording passes them; a name is listed where it is first found.
PACKAGES = (
    "datasets",
    "audio",
    "features",
    "pretrained",
    "augmentation",
    "preprocessing",
    "neural",
    "segmentation",
    "selective",
    "discriminant",
    "systems",
    "model_selection",
    "metrics",
    "plotting",
    "utils",
)


def public_names() -> dict[str, list[str]]:
    """Public names of each package."""
    found: dict[str, list[str]] = {}
    seen: set[int] = set()
    for package in PACKAGES:
        module = import_module(f"sklearn_ser.{package}")
        names = [name for name in sorted(module.__all__) if id(getattr(module, name)) not in seen]
        seen |= {id(getattr(module, name)) for name in names}
        found[package] = names
    return found


def write(folder: Path) -> None:
    """Write `index.rst` and a page for each package."""
    folder.mkdir(exist_ok=True)
    lines = ["API reference", "=============", "", ".. toctree::", "   :maxdepth: 2", ""]
    for package, names in public_names().items():
        module = import_module(f"sklearn_ser.{package}")
        title = f"sklearn_ser.{package}"
        summary = (inspect.getdoc(module) or "").split("\n\n")[0]
        page = [title, "=" * len(title), "", f".. currentmodule:: {title}", "", summary, "", ".. autosummary::"]
        page += ["   :toctree: generated", "   :nosignatures:", "", *(f"   {name}" for name in names), ""]
        _replace(folder / f"{package}.rst", "\n".join(page))
        lines.append(f"   {package}")
    _replace(folder / "index.rst", "\n".join([*lines, ""]))


def _replace(path: Path, text: str) -> None:
    """Leave a page that has not changed as it is, so that it is not built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
