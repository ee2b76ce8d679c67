# A web service around a fitted pipeline: see docs/guide/serving.md, "Docker".
#   docker build --tag emotions .                        handcrafted features
#   docker build --tag emotions --build-arg NEURAL=1 .   networks and pretrained encoders, too
#   docker run --publish 8000:8000 --volume "$PWD/ser.joblib:/ser.joblib:ro" emotions
FROM python:3.12-slim

ARG NEURAL=0
ENV PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/tmp/numba SER_PIPELINE=/ser.joblib

WORKDIR /service
COPY pyproject.toml README.md LICENSE MANIFEST.in ./
COPY sklearn_ser sklearn_ser
RUN pip install --no-deps . \
    && pip install joblib lazy-loader "librosa<1" pandas requests safetensors scikit-learn soundfile soxr threadpoolctl tqdm \
    && pip install fastapi uvicorn python-multipart \
    && if [ "$NEURAL" = 1 ]; then pip install keras scikeras tensorflow-cpu; fi \
    && rm -rf sklearn_ser
COPY examples/serve_fastapi.py .

RUN useradd --system service
USER service
EXPOSE 8000
HEALTHCHECK --interval=30s --start-period=60s CMD \
    python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=5)"
CMD ["uvicorn", "--factory", "serve_fastapi:create_app", "--host", "0.0.0.0", "--port", "8000"]
