"""What docs/guide/serving.md promises: the web service of the examples, and pipelines saved without pickle."""

import contextlib
import importlib.util
import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tiny_whisper import write_whisper

import sklearn_ser
from sklearn_ser import (
    AddNoise,
    AttentionBLSTMClassifier,
    AugmentedClassifier,
    CNNLSTMClassifier,
    DenseClassifier,
    FrameWise,
    HandcraftedFeatures,
    LowLevelDescriptors,
    MelSpectrogramTransformer,
    SegmentClassifier,
    SelectiveClassifier,
    VersionMismatchWarning,
    WhisperClassifier,
    WhisperFeatures,
)


def import_or_skip(name):
    """A package of the extra `test`: with CI set, it must be there."""
    return importlib.import_module(name) if os.environ.get("CI") else pytest.importorskip(name)


def encoded(waveform, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, 16000, **{"format": "WAV", **options})
    return buffer.getvalue()


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [0.1 * rng.normal(size=8000 + 100 * i).astype(np.float32) for i in range(9)]


LABELS = ["anger", "fear", "sadness"] * 3

# ------------------------------------------------------------------------------------------------------- a web service


@pytest.fixture(scope="module")
def pipeline(clips):
    return make_pipeline(HandcraftedFeatures(), StandardScaler(), LogisticRegression()).fit(clips, LABELS)


@contextlib.contextmanager
def served(pipeline):
    import_or_skip("fastapi")
    import_or_skip("httpx")
    path = Path(__file__).parents[1] / "examples" / "serve_fastapi.py"
    spec = importlib.util.spec_from_file_location("serve_fastapi", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.MOST_BYTES, module.MOST_SECONDS = 100_000, 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how old versions use new ones
        from fastapi.testclient import TestClient

        client = TestClient(module.create_app(pipeline))
    with client:
        yield client


@pytest.fixture(scope="module")
def service(pipeline):
    with served(pipeline) as client:
        yield client


@pytest.mark.parametrize("options", [{}, {"format": "FLAC"}, {"format": "OGG", "subtype": "VORBIS"}], ids=str)
def test_upload_is_answered_with_probabilities(service, pipeline, clips, options):
    audio = encoded(clips[0], **options)
    answer = service.post("/emotions", content=audio)
    assert answer.status_code == 200
    decoded, _ = soundfile.read(io.BytesIO(audio), dtype="float32")
    expected = pipeline.predict_proba([decoded])[0]
    assert answer.json()["emotion"] == pipeline.predict([decoded])[0]
    assert list(answer.json()["probabilities"]) == ["anger", "fear", "sadness"]
    np.testing.assert_allclose(list(answer.json()["probabilities"].values()), expected, atol=6e-5)
    assert all(len(repr(value)) <= 6 for value in answer.json()["probabilities"].values())  # four digits
    assert answer.json()["confidence"] == max(answer.json()["probabilities"].values())
    assert answer.json()["reason"] is None


def test_forms_are_read_as_bodies_are(service, clips):
    audio = encoded(clips[0])
    plain = service.post("/emotions", content=audio).json()
    for name in ("audio", "file"):
        sent = service.post("/emotions", files={name: ("clip.wav", audio, "audio/wav")}, data={"note": "of today"})
        assert sent.status_code == 200 and sent.json() == plain
    empty = service.post("/emotions", content=b"--x--", headers={"content-type": "multipart/form-data; boundary=x"})
    assert empty.status_code == 422 and "holds no file" in empty.json()["detail"]


def test_the_service_tells_that_it_is_there(service):
    assert service.get("/health").json() == {"status": "ok", "emotions": ["anger", "fear", "sadness"]}


def test_a_small_upload_of_long_silence_is_refused(service):
    audio = encoded(np.zeros(16000 * 4), format="FLAC")
    assert len(audio) < 20_000
    answer = service.post("/emotions", content=audio)
    assert answer.status_code == 422 and "max_duration=3 s" in answer.json()["detail"]


def test_the_service_says_unknown_where_predict_does_and_why(clips):
    rng = np.random.default_rng(1)
    clips = clips + [0.1 * rng.normal(size=8000).astype(np.float32) for _ in range(21)]
    y, speaker = rng.permutation(["anger", "fear", "sadness"] * 10), np.arange(30) % 3
    inner = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), StandardScaler(), LogisticRegression())
    selective = SelectiveClassifier(inner, coverage=0.5, novelty=True).fit(clips, y, groups=speaker)
    hum = np.sin(2 * np.pi * 50 * np.arange(16000) / 16000)
    with served(selective) as service:
        for waveform in (hum, *clips[:8]):
            audio = encoded(waveform)
            got, X = service.post("/emotions", content=audio).json(), [audio]
            label = selective.predict(X)[0]
            assert got["emotion"] == label
            assert got["confidence"] == pytest.approx(selective.confidence(X)[0], abs=6e-5)
            assert (got["reason"] is not None) == (label == "unknown")
        assert service.post("/emotions", content=encoded(hum)).json()["reason"].startswith("unlike the recordings")


def test_a_classifier_without_probabilities_is_served_too(clips):
    svm = make_pipeline(HandcraftedFeatures(feature_set="bledea170"), StandardScaler(), SVC()).fit(clips, LABELS)
    with served(svm) as service:
        got = service.post("/emotions", content=encoded(clips[0])).json()
    assert got == {"emotion": svm.predict(clips[:1])[0], "confidence": None, "reason": None, "probabilities": {}}


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (b"", "empty"),
        (b"this is no sound" * 5000, "Row 0"),
        (encoded(np.zeros(0)), "empty"),
        (encoded(np.ones(8000))[:-8000], "Row 0"),
    ],
    ids=["no bytes", "no sound", "no samples", "cut off"],
)
def test_recording_that_cannot_be_used_is_the_clients_fault_in_the_librarys_words(service, audio, message):
    answer = service.post("/emotions", content=audio)
    assert answer.status_code == 422
    assert message in answer.json()["detail"] and len(answer.json()["detail"]) < 500


def test_upload_that_is_too_long_is_refused(service):
    answer = service.post("/emotions", content=bytes(100_001))
    assert answer.status_code == 413 and "100000 bytes at most" in answer.json()["detail"]


def test_uploads_of_16_clients_are_answered_as_one_by_one(service, clips):
    uploads = [encoded(clips[i % 9]) for i in range(48)]
    one_by_one = [service.post("/emotions", content=audio).json() for audio in uploads[:9]]
    with ThreadPoolExecutor(16) as threads:
        at_once = list(threads.map(lambda audio: service.post("/emotions", content=audio).json(), uploads))
    assert at_once == [one_by_one[i % 9] for i in range(48)]


# --------------------------------------------------------------------------------------------------------------- skops

NEURAL = dict(epochs=1, random_state=0)
PIPELINES = {
    "handcrafted": (make_pipeline(HandcraftedFeatures(), StandardScaler(), SVC()), {"HandcraftedFeatures"}),
    "neural": (
        make_pipeline(
            MelSpectrogramTransformer(n_mels=8),
            FrameWise(StandardScaler()),
            CNNLSTMClassifier(filters=[4], lstm_units=4, **NEURAL),
        ),
        {"MelSpectrogramTransformer", "FrameWise", "CNNLSTMClassifier", "FittedModel", "Labels", "Portable"},
    ),
    "attention": (
        make_pipeline(LowLevelDescriptors(descriptors=["mfcc"]), AttentionBLSTMClassifier([4], **NEURAL)),
        {"LowLevelDescriptors", "AttentionBLSTMClassifier", "FittedModel", "Labels", "Portable"},
    ),
    "augmented": (
        AugmentedClassifier(make_pipeline(HandcraftedFeatures(), DenseClassifier([4], **NEURAL)), [AddNoise(snr=20)]),
        {
            "AugmentedClassifier",
            "AddNoise",
            "HandcraftedFeatures",
            "DenseClassifier",
            "FittedModel",
            "Labels",
            "Portable",
        },
    ),
    "segments": (
        SegmentClassifier(make_pipeline(HandcraftedFeatures(), SVC()), 0.3),
        {"SegmentClassifier", "HandcraftedFeatures"},
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_skops_saves_a_pipeline_and_names_what_must_be_trusted(name, clips):
    skops = import_or_skip("skops.io")
    pipeline, classes = PIPELINES[name]
    data = skops.dumps(pipeline.fit(clips, LABELS))
    unknown = skops.get_untrusted_types(data=data)
    assert all(type_.startswith("sklearn_ser.") for type_ in unknown)
    assert {type_.split(".")[-1] for type_ in unknown} == classes
    loaded = skops.loads(data, trusted=unknown)
    np.testing.assert_array_equal(loaded.predict(clips), pipeline.predict(clips))
    if hasattr(pipeline, "predict_proba"):
        np.testing.assert_array_equal(loaded.predict_proba(clips), pipeline.predict_proba(clips))


@pytest.mark.parametrize("fine_tuned", [False, True], ids=["features", "fine-tuned"])
def test_skops_saves_a_pretrained_encoder(fine_tuned, clips, tmp_path):
    skops = import_or_skip("skops.io")
    folder = write_whisper(tmp_path / "whisper")
    if fine_tuned:
        front_end = WhisperFeatures(str(folder), layer=None, pooling=None)
        pipeline = make_pipeline(front_end, WhisperClassifier(str(folder), 1, **NEURAL))
    else:
        pipeline = make_pipeline(WhisperFeatures(str(folder), 1), StandardScaler(), LogisticRegression())
    data = skops.dumps(pipeline.fit(clips, LABELS))
    for file in folder.iterdir():  # the weights are in the saved file
        file.unlink()
    unknown = skops.get_untrusted_types(data=data)
    assert all(type_.startswith("sklearn_ser.") for type_ in unknown), unknown
    loaded = skops.loads(data, trusted=unknown)
    np.testing.assert_allclose(loaded.predict_proba(clips), pipeline.predict_proba(clips), atol=1e-6)


def test_skops_knows_versions_and_forgets_memory(clips, tmp_path, monkeypatch):
    skops = import_or_skip("skops.io")
    data = skops.dumps(HandcraftedFeatures(memory=str(tmp_path)).fit(clips))
    trusted = skops.get_untrusted_types(data=data)
    assert skops.loads(data, trusted=trusted).memory is None
    monkeypatch.setattr(sklearn_ser, "__version__", "9.9")
    with pytest.warns(VersionMismatchWarning):
        skops.loads(data, trusted=trusted)
