"""Examples for those without labels: a recognizer of what is at hand, with its card, and a page with a microphone."""

import importlib
import io
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile

from sklearn_ser import load_recognizer, make_emotional_speech

EXAMPLES = Path(__file__).parents[1] / "examples"
CODES = {
    "emodb": dict(anger="W", happiness="F", neutral="N", sadness="T"),
    "emovo": dict(anger="rab", happiness="gio", neutral="neu", sadness="tri"),
}


@pytest.fixture
def example(monkeypatch):
    """Import an example by name."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def test_a_recognizer_of_what_is_at_hand_is_saved_with_a_card(example, tmp_path, monkeypatch, capsys):
    names = {"emodb": "{n:02d}a{text:02d}{code}a.wav", "emovo": "{code}-f{n}-b{text}.wav"}
    for seed, (corpus, codes) in enumerate(CODES.items()):
        speech = make_emotional_speech(24, n_speakers=2, random_state=seed)
        for row, (clip, emotion) in enumerate(zip(speech.data, speech.target, strict=True)):
            n = 1 + int(speech.speaker[row] == speech.speaker[0])
            n += 2 * (corpus == "emodb")
            path = tmp_path / corpus / names[corpus].format(n=n, text=row % 10, code=codes[emotion])
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, clip, 16000)
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path))
    target = tmp_path / "mine.joblib"
    arguments = [str(target), "--features", "handcrafted", "--clean", "--memory", str(tmp_path / "memory")]
    example("train_recognizer").main(arguments)
    recognizer = joblib.load(target)
    assert recognizer[0].worlds_.tolist() == ["EMO-DB", "EMOVO"]
    card = target.with_suffix(".md").read_text()
    assert "| EMO-DB |" in card and "CC0" in card and "| EMOVO |" in card and "anger, happiness" in card
    with pytest.raises(SystemExit):
        monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path / "nowhere"))
        example("train_recognizer").main(arguments)
    assert "no corpus is at hand" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # starlette with anyio and httpx that it was not made for
def test_a_page_records_and_adapts(example):
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    client = TestClient(example("microphone").create_page(load_recognizer("handcrafted", verbose=0)))
    assert "getUserMedia" in client.get("/").text
    for n, clip in enumerate(make_emotional_speech(10, random_state=0).data, 1):
        file = io.BytesIO()
        soundfile.write(file, clip, 16000, format="WAV")
        found = client.post("/recordings", content=file.getvalue()).json()
        assert found["n_recordings"] == n and found["emotion"] in found["probabilities"]
        if n == 9:
            refused = client.post("/adapt")
            assert refused.status_code == 409 and "There are 9" in refused.json()["detail"]
    assert client.post("/adapt").json() == {"n_clips": 10}
    assert client.post("/recordings", content=b"nothing").status_code == 422
    assert np.isclose(sum(found["probabilities"].values()), 1, atol=1e-3)
