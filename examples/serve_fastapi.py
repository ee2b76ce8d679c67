"""A web service: upload a recording, get the probability of each emotion.

    pip install fastapi uvicorn
    SER_PIPELINE=ser.joblib uvicorn --app-dir examples --factory serve_fastapi:create_app
    curl --data-binary @clip.wav http://127.0.0.1:8000/emotions

`ser.joblib` is any fitted pipeline with `predict_proba` that takes audio, saved by `joblib.dump`: see
docs/guide/serving.md.
"""

import os
from typing import Annotated

import joblib
import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from sklearn_ser import AudioError

MOST_BYTES = 20 * 2**20  # of an upload: ten minutes of a WAV file at 16 kHz


async def upload(request: Request) -> bytes:
    """The bytes of the recording; what is too long is refused before it fills the memory."""
    audio = bytearray()
    async for block in request.stream():
        audio += block
        if len(audio) > MOST_BYTES:
            raise HTTPException(413, f"A recording may have {MOST_BYTES} bytes at most.")
    return bytes(audio)


def create_app(pipeline=None) -> FastAPI:
    """The service around a fitted pipeline; None loads the one that the environment variable SER_PIPELINE names."""
    if pipeline is None:
        pipeline = joblib.load(os.environ["SER_PIPELINE"])
    # The first prediction imports what it needs and builds the network: better now than during the first request.
    pipeline.predict_proba([np.zeros(16000, dtype=np.float32)])
    classes = np.asarray(pipeline.classes_).astype(str).tolist()
    app = FastAPI(title="Emotions in speech")

    @app.exception_handler(AudioError)
    def refuse(request: Request, error: AudioError) -> JSONResponse:
        """A recording that cannot be used: the library's own words."""
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.post("/emotions")
    def emotions(audio: Annotated[bytes, Depends(upload)]) -> dict:
        """A plain function, not `async`: FastAPI runs it in a thread, and others are answered meanwhile."""
        probabilities = pipeline.predict_proba([audio])[0]
        return {
            "emotion": classes[probabilities.argmax()],
            "probabilities": dict(zip(classes, probabilities.tolist(), strict=True)),
        }

    return app
