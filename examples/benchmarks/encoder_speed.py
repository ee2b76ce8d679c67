"""How long an encoder takes, beside `transformers` on PyTorch: a clip of 3 s, wav2vec2-base up to layer 6.

    python examples/benchmarks/encoder_speed.py keras FOLDER [THREADS]     in an environment with this library
    python examples/benchmarks/encoder_speed.py torch FOLDER [THREADS]     in one with torch and transformers

FOLDER holds `config.json` and `model.safetensors` of wav2vec2-base. To compare, run both by turns on an idle machine;
on a busy one, the processors' time (of all threads, waiting included) says more than the clock.
"""

import os
import sys
import time

THREADS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = str(THREADS)

import numpy as np  # noqa: E402, behind the number of threads


def clip(seconds):
    return np.random.default_rng(0).normal(scale=0.1, size=round(16000 * seconds)).astype(np.float32)


def median_seconds(function, repeats=9):
    function()
    function()
    taken, processor = [], []
    for _ in range(repeats):
        start, worked = time.perf_counter(), time.process_time()
        function()
        taken.append(time.perf_counter() - start)
        processor.append(time.process_time() - worked)
    return float(np.median(taken)), min(taken), float(np.median(processor))


def with_keras(folder, corpus):
    from sklearn_ser import EncoderFeatures

    transformer = EncoderFeatures(folder, 6, n_jobs=THREADS).fit(corpus)
    encode, prepare = transformer.encoder_.compiled((6,)), transformer.encoder_.architecture.prepare
    return lambda: encode(prepare(corpus[0])), lambda: transformer.transform(corpus)


def with_torch(folder, corpus):
    import torch
    from transformers import Wav2Vec2Model

    torch.set_num_threads(THREADS)
    model = Wav2Vec2Model.from_pretrained(folder, num_hidden_layers=6).eval()

    @torch.inference_mode()
    def encode(waveform):
        waveform = (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)
        return model(torch.from_numpy(waveform)[None]).last_hidden_state.mean(dim=1).numpy()

    return lambda: encode(corpus[0]), lambda: [encode(waveform) for waveform in corpus]


if __name__ == "__main__":
    corpus = [clip(seconds) for seconds in (3, 1.5, 2, 2.5, 4, 3.2)]
    one, many = {"keras": with_keras, "torch": with_torch}[sys.argv[1]](sys.argv[2], corpus)
    for what, function, repeats in (("a clip of 3 s", one, 9), ("six clips", many, 3)):
        median, least, processor = median_seconds(function, repeats)
        print(
            f"{sys.argv[1]}, {what}: {median:.3f} s (median), {least:.3f} s (least), {processor:.3f} s of processors",
            flush=True,
        )
