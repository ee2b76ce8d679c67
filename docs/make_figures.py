"""Figures of the guide: what the snippets of its pages draw, on the recordings that the page "Start" makes.

    python docs/make_figures.py FOLDER

They are made while the documentation is built, unless they are there and younger than the pages.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = ("features", "robustness", "evaluation", "rejection", "long_recordings")
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> list[str]:
    return SNIPPET.findall(page.read_text(encoding="utf-8"))


def making_recordings() -> str:
    """The snippet of the page "Start" that makes the recordings, in the folder in which it runs."""
    (made,) = [snippet for snippet in snippets(DOCS / "start.md") if "make_emotional_speech(" in snippet]
    return made


def draw(page: str, folder: Path) -> None:
    """Run a page's snippets, and save what they have drawn as `page_1.png`, `page_2.png` ..."""
    import matplotlib.pyplot as plt

    names: dict = {"__name__": "page"}
    for snippet in snippets(DOCS / "guide" / f"{page}.md"):
        exec(compile(snippet, page, "exec"), names)
    for count, number in enumerate(plt.get_fignums(), 1):
        plt.figure(number).savefig(folder / f"{page}_{count}.png", dpi=110, bbox_inches="tight")
    plt.close("all")


def main(folder: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as recordings:
        os.chdir(recordings)
        exec(making_recordings(), {})
        for page in PAGES:
            draw(page, folder)
        os.chdir(folder)


def write(folder: Path) -> None:
    """Make the figures in a process of their own, if there are none or pages have changed."""
    changed = max((DOCS / "guide" / f"{page}.md").stat().st_mtime for page in PAGES)
    there = [folder / f"{page}_1.png" for page in PAGES]
    if all(figure.exists() and figure.stat().st_mtime > changed for figure in there):
        return
    paths = os.pathsep.join([str(DOCS.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "ignore", __file__, str(folder)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
