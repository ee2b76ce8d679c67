"""Every Python snippet of the guide and the how-tos runs: a page's snippets one after the other, as a reader would."""

import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import sklearn_ser
from sklearn_ser import make_emotional_speech

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted([DOCS / "start.md", *DOCS.glob("guide/*.md"), *DOCS.glob("howto/*.md")])
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder such as the pages speak of: `recordings/`, a table `labels.csv`, and a longer `interview.wav`."""
    folder = tmp_path_factory.mktemp("reader")
    corpus = make_emotional_speech(72, n_speakers=6, emotions=["anger", "neutral", "sadness"], random_state=0)
    (folder / "recordings").mkdir()
    files = [f"{speaker}_{index:03d}.wav" for index, speaker in enumerate(corpus.speaker)]
    for file, waveform in zip(files, corpus.data, strict=True):
        soundfile.write(folder / "recordings" / file, waveform, corpus.sr)
    labels = pd.DataFrame({"file": files, "emotion": corpus.target, "speaker": corpus.speaker})
    labels.to_csv(folder / "labels.csv", index=False)
    soundfile.write(folder / "interview.wav", np.concatenate(list(corpus.data)[:6]), corpus.sr)
    return folder


def test_pages_are_found():
    assert len(PAGES) > 10


def test_every_public_name_has_a_page(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    import make_api

    listed = {name for names in make_api.public_names().values() for name in names}
    packages = {name for name in sklearn_ser.__all__ if inspect.ismodule(getattr(sklearn_ser, name))}
    assert packages == set(make_api.PACKAGES)
    assert set(sklearn_ser.__all__) - packages <= listed


@pytest.mark.neural  # some pages train networks, and all take their time
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_snippets_of_a_page_run(page, recordings, monkeypatch):
    snippets = SNIPPET.findall(page.read_text(encoding="utf-8"))
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    monkeypatch.chdir(recordings)
    namespace = {"__name__": "page"}
    for snippet in snippets:
        exec(compile(snippet, str(page), "exec"), namespace)
    pyplot.close("all")


@pytest.mark.parametrize("page", sorted(DOCS.glob("**/*.md")), ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_links_inside_the_documentation_lead_somewhere(page):
    if "_build" in page.parts:
        pytest.skip("a copy")
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
        if target.startswith(("http", "mailto")) or "gallery/" in target or "api/" in target:
            continue
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
