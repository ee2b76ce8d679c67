"""Whisper encoders of random weights, small enough for tests."""

import json
from pathlib import Path

import numpy as np

SIZES = dict(n_mels=80, width=12, n_heads=3, hidden_units=20, n_positions=100, n_layers=2)


def write_whisper(folder, *, dtype=np.float16, prefix="model.encoder.", shards=0, seed=0, scale=0.3, **sizes):
    """Write a model in the Hugging Face layout into a new folder, and return the folder."""
    from safetensors.numpy import save_file

    from sklearn_ser.pretrained._architectures import KINDS

    config = KINDS["whisper"](**{**SIZES, **sizes})
    folder = Path(folder)
    folder.mkdir(parents=True)
    write_config(folder, config)
    rng = np.random.default_rng(seed)
    tensors = {}
    for part in config.parts(config.n_layers):
        for name, shape in part.tensors.items():
            tensors[f"{prefix}{name}"] = rng.normal(scale=scale, size=shape).astype(dtype)
    tensors[f"{prefix}layer_norm.weight"] = np.ones(config.width, dtype)
    if not shards:
        save_file(tensors, folder / "model.safetensors")
        return folder
    places = {name: f"model-{index % shards + 1:05d}-of-{shards:05d}.safetensors" for index, name in enumerate(tensors)}
    for file in set(places.values()):
        save_file({name: tensor for name, tensor in tensors.items() if places[name] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def write_config(folder, config, **changes):
    from sklearn_ser.pretrained._architectures._whisper import _KEYS

    content = {"model_type": "whisper", **{key: getattr(config, name) for name, key in _KEYS.items()}, **changes}
    (folder / "config.json").write_text(json.dumps({key: v for key, v in content.items() if v is not None}))
