"""Encoders of the wav2vec 2.0 family of random weights, small enough for tests.

Weights come from a seeded NumPy generator, tensor by tensor in the order of their names, so that another program (see
`tests/pretrained/make_references.py`) draws the same ones and none need to be stored.
"""

import json
import zlib
from pathlib import Path

import numpy as np

BASE = {
    "hidden_size": 24,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "conv_dim": [16, 16, 16, 16, 16, 16, 16],
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_bias": False,
    "feat_extract_norm": "group",
    "do_stable_layer_norm": False,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": 8,
}
LARGE = {
    **BASE,
    "num_hidden_layers": 4,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 15,
}
DATA2VEC = {"conv_pos_kernel_size": 19, "num_conv_pos_embeddings": 3}
CONFIGS = {
    "wav2vec2-base": {"model_type": "wav2vec2", **BASE},
    "wav2vec2-large": {"model_type": "wav2vec2", **LARGE},
    "hubert-base": {"model_type": "hubert", **BASE},
    "hubert-large": {"model_type": "hubert", **LARGE, "feat_proj_layer_norm": False},
    "wavlm-base": {"model_type": "wavlm", **BASE},
    "wavlm-large": {"model_type": "wavlm", **LARGE, "num_buckets": 64, "max_bucket_distance": 100},
    "data2vec-audio": {"model_type": "data2vec-audio", **BASE, **DATA2VEC, "num_hidden_layers": 3},
    "unispeech-sat-base": {"model_type": "unispeech-sat", **BASE},
    "unispeech-sat-large": {"model_type": "unispeech-sat", **LARGE},
}


def draw(name, shape):
    """The weights of a tensor; norms are around 1, and everything else around 0."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = rng.normal(scale=0.2, size=shape)
    if "norm" in name and name.endswith("weight") or name.endswith(("weight_g", "gru_rel_pos_const")):
        values = 1 + values
    elif "conv_layers" in name and name.endswith("conv.weight"):
        values = 3 * values
    return values.astype(np.float32)


def waveforms():
    """Clips of noise and tones: one frame, about a second, and 20 s."""
    rng = np.random.default_rng(7)
    clips = []
    for n in (400, 719, 16000, 20 * 16000):
        time = np.arange(n) / 16000
        clips.append((0.1 * rng.normal(size=n) + 0.3 * np.sin(2 * np.pi * (200 + 50 * time) * time)).astype(np.float32))
    return clips


def tensors_of(architecture, prefix, layer=None):
    """All tensors up to a layer, by their names in the file."""
    shapes = {}
    for part in architecture.parts(architecture.last if layer is None else layer):
        shapes.update(part.tensors)
    return {prefix + name: draw(name, shape) for name, shape in shapes.items()}


def write_encoder(folder, config, *, prefix=None, more=(), dtype=np.float32, preprocessor=None, suffix=".safetensors"):
    """Write a model in the Hugging Face layout into a new folder, and return the folder."""
    from sklearn_ser.pretrained._architectures import KINDS, Config

    folder = Path(folder)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    if preprocessor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    kind = KINDS[config["model_type"]]
    architecture = kind.read(Config(folder / "config.json", config), Config(folder, preprocessor or {}))
    prefix = kind.prefixes[0] if prefix is None else prefix
    tensors = tensors_of(architecture, prefix)
    tensors.update({name: draw(name, shape) for name, shape in dict(more).items()})
    tensors = {name: tensor.astype(dtype) for name, tensor in tensors.items()}
    if suffix == ".safetensors":
        from safetensors.numpy import save_file

        save_file(tensors, folder / "model.safetensors")
    else:
        write_torch_zip(folder / "pytorch_model.bin", tensors)
    return folder


def write_torch_zip(path, tensors, *, before=b""):
    """Write tensors as `torch.save` does; `before` are opcodes that stand before the dictionary."""
    import zipfile

    def text(value):
        return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()

    def integers(values):
        return b"(" + b"".join(b"J" + int(value).to_bytes(4, "little") for value in values) + b"t"

    kinds = {"float32": b"FloatStorage", "float16": b"HalfStorage", "float64": b"DoubleStorage"}
    content = b"\x80\x02" + before + b"}("
    with zipfile.ZipFile(path, "w") as archive:
        for key, (name, tensor) in enumerate(tensors.items()):
            strides = [stride // tensor.itemsize for stride in tensor.strides]
            storage = text("storage") + b"ctorch\n" + kinds[str(tensor.dtype)] + b"\n" + text(str(key)) + text("cpu")
            content += text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(("
            content += storage + b"J" + tensor.size.to_bytes(4, "little") + b"tQK\x00" + integers(tensor.shape)
            content += integers(strides) + b"\x89ccollections\nOrderedDict\n)RtR"
            archive.writestr(f"pytorch_model/data/{key}", tensor.tobytes())
        archive.writestr("pytorch_model/data.pkl", content + b"u.")
        archive.writestr("pytorch_model/version", b"3\n")


_WHISPER = {
    "model_type": "whisper",
    "num_mel_bins": 80,
    "d_model": 12,
    "encoder_attention_heads": 3,
    "encoder_ffn_dim": 20,
    "max_source_positions": 100,
    "encoder_layers": 2,
    "classifier_proj_size": 8,
    "architectures": ["WhisperForAudioClassification"],
}


def _head(name, base, n_labels, weighted=False, **changes):
    labels = {str(index): f"label {index}" for index in range(n_labels)}
    ids = {label: int(index) for index, label in labels.items()}
    return {
        **base,
        "architectures": [name],
        "id2label": labels,
        "label2id": ids,
        "use_weighted_layer_sum": weighted,
        **changes,
    }


def _shapes(config):
    """Of the tensors of a head."""
    width = config.get("hidden_size", config.get("d_model"))
    n_layers = config.get("num_hidden_layers", config.get("encoder_layers"))
    n_labels, projected = len(config["id2label"]), config["classifier_proj_size"]
    if config["architectures"] == ["Wav2Vec2ForSpeechClassification"]:
        return {
            "classifier.dense.weight": (width, width),
            "classifier.dense.bias": (width,),
            "classifier.out_proj.weight": (n_labels, width),
            "classifier.out_proj.bias": (n_labels,),
        }
    shapes = {
        "projector.weight": (projected, width),
        "projector.bias": (projected,),
        "classifier.weight": (n_labels, projected),
        "classifier.bias": (n_labels,),
    }
    return {**({"layer_weights": (n_layers + 1,)} if config["use_weighted_layer_sum"] else {}), **shapes}


_MODELS = {
    "wav2vec2": _head("Wav2Vec2ForSequenceClassification", CONFIGS["wav2vec2-large"], 4),
    "wav2vec2 weighted": _head("Wav2Vec2ForSequenceClassification", CONFIGS["wav2vec2-base"], 4, weighted=True),
    "hubert": _head("HubertForSequenceClassification", CONFIGS["hubert-base"], 4),
    "hubert weighted": _head("HubertForSequenceClassification", CONFIGS["hubert-large"], 5, weighted=True),
    "wavlm": _head("WavLMForSequenceClassification", CONFIGS["wavlm-large"], 7),
    "data2vec-audio": _head("Data2VecAudioForSequenceClassification", CONFIGS["data2vec-audio"], 3),
    "unispeech-sat": _head("UniSpeechSatForSequenceClassification", CONFIGS["unispeech-sat-base"], 3),
    "whisper": _head("WhisperForAudioClassification", _WHISPER, 4),
    "whisper weighted": _head("WhisperForAudioClassification", _WHISPER, 4, weighted=True),
    "dimensions": {
        **_head("Wav2Vec2ForSpeechClassification", CONFIGS["wav2vec2-large"], 3),
        "id2label": {"0": "arousal", "1": "dominance", "2": "valence"},
    },
}
HEADS = {name: (config, _shapes(config)) for name, config in _MODELS.items()}
