"""How much memory a large encoder takes, as a multiple of the weights of the layers that are used.

    python examples/benchmarks/encoder_memory.py [--layer 24] [--dtype float32|float16] [--model FOLDER]

Without a model, one of the size of wav2vec2-large (317 million random weights) is written to a temporary folder, by
another process. Memory is the growth of this process' resident pages: what it took before the model was read does not
count, and of pages of a file, those that are resident do.
"""

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LARGE = {"model_type": "wav2vec2", "hidden_size": 1024, "num_attention_heads": 16, "intermediate_size": 4096}
LARGE |= {"num_hidden_layers": 24, "feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}


def write(folder, config, dtype):
    from safetensors.numpy import save_file

    from sklearn_ser.pretrained._architectures import KINDS, Config

    architecture = KINDS["wav2vec2"].read(Config(folder, config), Config(folder, {}))
    rng = np.random.default_rng(0)
    tensors = {
        f"wav2vec2.{name}": (rng.standard_normal(shape, np.float32) * np.float32(0.02) + ("norm" in name)).astype(dtype)
        for part in architecture.parts(architecture.n_layers)
        for name, shape in part.tensors.items()
    }
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors")


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def measure(folder, layer):
    from sklearn_ser import EncoderFeatures

    clip = [np.ones(16000, np.float32)]
    with tempfile.TemporaryDirectory() as small:  # everything is imported, and BLAS has its buffers, before it counts
        write(Path(small), LARGE | {"num_hidden_layers": 1, "hidden_size": 64, "intermediate_size": 64}, "float32")
        EncoderFeatures(small, 1).fit_transform(clip)
    before = resident()
    features = EncoderFeatures(folder, layer).fit(clip)
    features.transform(clip)
    after, peak = resident(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    weights = features.encoder_.nbytes / 1e6
    saved = len(pickle.dumps(features)) / 1e6
    print(
        f"up to layer {layer}: weights {weights:.0f} MB; memory grew by {after - before:.0f} MB "
        f"({(after - before) / weights:.2f} times), at its peak by {peak - before:.0f} MB "
        f"({(peak - before) / weights:.2f} times); a pickle has {saved:.0f} MB ({saved / weights:.2f} times)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layer", type=int, default=24)
    parser.add_argument("--dtype", choices=("float32", "float16"), default="float32")
    parser.add_argument("--model")
    parser.add_argument("--write", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(Path(options.write), LARGE, options.dtype)
    elif options.model:
        measure(options.model, options.layer)
    else:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--write", folder, "--dtype", options.dtype]
            subprocess.run(command, check=True)
            measure(folder, options.layer)
