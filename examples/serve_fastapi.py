"""A web service: upload a recording, get its emotion, how sure the pipeline is, and the probability of each emotion.

    pip install fastapi uvicorn
    SER_PIPELINE=ser.joblib uvicorn --app-dir examples --factory serve_fastapi:create_app
    curl --data-binary @clip.wav http://127.0.0.1:8000/emotions
    curl -F audio=@clip.wav http://127.0.0.1:8000/emotions

`ser.joblib` is any fitted classifier that takes audio, saved by `joblib.dump`: see docs/guide/serving.md. A
`SelectiveClassifier` may answer "unknown", and the service then says why.
"""

import os
import re
from typing import Annotated

import joblib
import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from sklearn_ser import AudioError
from sklearn_ser.audio import load_waveform

MOST_BYTES = 20 * 2**20  # of an upload: ten minutes of a WAV file at 16 kHz
MOST_SECONDS = 600  # of a recording: half a megabyte of FLAC can hold hours of silence


async def upload(request: Request) -> bytes:
    """Read the recording's bytes, from the body or from its first file; refuse it before it fills the memory."""
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A recording may have {MOST_BYTES} bytes at most.")
    return first_file(bytes(body), request.headers.get("content-type", ""))


def first_file(body: bytes, content_type: str) -> bytes:
    """Return the first file of a form (multipart/form-data, as `curl -F` sends it), else the body as it is."""
    if not content_type.lower().startswith("multipart/form-data"):
        return body
    boundary = re.search(r'boundary="?([^";]+)', content_type, re.IGNORECASE)
    for part in body.split(b"--" + boundary[1].encode())[1:] if boundary else ():
        head, separator, content = part.partition(b"\r\n\r\n")
        if separator and b"filename" in head.lower():
            return content.removesuffix(b"\r\n")
    raise HTTPException(422, "The form holds no file: send one by curl -F audio=@clip.wav, for instance.")


def answer(pipeline, audio: bytes) -> dict:
    """Say what the pipeline's own `predict` says, how sure it is, and why it says nothing if it does not."""
    X, found = [audio], {}
    classes = np.asarray(pipeline.classes_)
    if hasattr(pipeline, "predict_proba"):
        found = dict(zip(classes.astype(str).tolist(), pipeline.predict_proba(X)[0].tolist(), strict=True))
    label = str(pipeline.predict(X)[0]) if hasattr(pipeline, "predict") else max(found, key=found.get)
    is_selective = hasattr(pipeline, "reject_label_")
    confidence = float(pipeline.confidence(X)[0]) if is_selective else found.get(label)
    reason = None
    if is_selective and label == str(pipeline.reject_label_):
        is_novel = bool(pipeline.novelty) and pipeline.novelty_score(X)[0] > pipeline.novelty_threshold_
        reason = "unlike the recordings it was trained on" if is_novel else "not sure enough"
    return {
        "emotion": label,
        "confidence": None if confidence is None else round(confidence, 4),
        "reason": reason,
        "probabilities": {name: round(value, 4) for name, value in found.items()},
    }


def create_app(pipeline=None) -> FastAPI:
    """Make the service around a fitted pipeline; None loads the file that the variable SER_PIPELINE names."""
    if pipeline is None:
        pipeline = joblib.load(os.environ["SER_PIPELINE"])
    # The first prediction imports what it needs and builds the network: better now than during the first request.
    getattr(pipeline, "predict_proba", getattr(pipeline, "predict", None))([np.zeros(16000, dtype=np.float32)])
    app = FastAPI(title="Emotions in speech")

    @app.exception_handler(AudioError)
    def refuse(request: Request, error: AudioError) -> JSONResponse:
        """Refuse a recording that cannot be used, in the library's own words."""
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.get("/health")
    def health() -> dict:
        """Tell that the pipeline is loaded, and what it can answer."""
        return {"status": "ok", "emotions": np.asarray(pipeline.classes_).astype(str).tolist()}

    @app.post("/emotions")
    def emotions(audio: Annotated[bytes, Depends(upload)]) -> dict:
        """Answer in a thread: FastAPI runs a plain function, not `async`, in one, so that others need not wait."""
        load_waveform(audio, max_duration=MOST_SECONDS, row=0)  # a longer one is refused before it is decoded
        return answer(pipeline, audio)

    return app
