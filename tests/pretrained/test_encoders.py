"""Encoders of the wav2vec 2.0 family: what `transformers` makes of the same weights, and what a clip becomes."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import CONFIGS, waveforms, write_encoder

from sklearn_ser import EncoderFeatures, WhisperFeatures

ROWS = [0, 48, 500, 998]  # that are stored, as far as a clip has them


@pytest.fixture(scope="module")
def references():
    return np.load(Path(__file__).with_name("references.npz"))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of the tiny models, written on first use."""
    root, written = tmp_path_factory.mktemp("models"), {}

    def folder(name):
        if name not in written:
            written[name] = write_encoder(root / name, CONFIGS[name])
        return written[name]

    return folder


@pytest.mark.parametrize("name", CONFIGS)
def test_all_hidden_states_are_those_of_transformers(name, models, references):
    layers = list(range(CONFIGS[name]["num_hidden_layers"] + 1))
    frames = EncoderFeatures(models(name), layers, pooling=None).fit_transform(waveforms())
    for index, (clip, n_times) in enumerate(zip(frames, (400, 719, 16000, 320000), strict=True)):
        n_frames = (n_times - 400) // 320 + 1
        assert np.isfinite(clip[:n_frames]).all() and np.isnan(clip[n_frames:]).all()
        expected = references[f"{name}/{index}"]
        found = np.stack(np.split(clip[[row for row in ROWS if row < n_frames]], len(layers), axis=1))
        assert np.abs(expected).max() > 0.5
        np.testing.assert_allclose(found, expected, atol=1e-4)


def alone_and_together(folder, clips):
    """Frames of each clip alone, as TensorFlow or JAX compiles it, and in one padded batch."""
    from sklearn_ser.pretrained._encoder import load_encoder

    encoder = load_encoder(folder, 2)
    prepare, width = encoder.architecture.prepare, encoder.architecture.width
    inputs = [prepare(clip) for clip in clips]
    run = encoder.compiled((0, 1, 2))
    alone = [run(each) for each in inputs]
    batch = np.full((len(clips), max(map(len, inputs)), 1), np.nan, dtype=np.float32)
    for row, each in zip(batch, inputs, strict=True):
        row[: len(each)] = each
    together = np.asarray(encoder.network((0, 1, 2)).predict_on_batch(batch))
    counts = [encoder.architecture.n_frames(clip.size) for clip in clips]
    assert together.shape[2] == 3 * width
    return [(one[:n], row[:n]) for one, row, n in zip(alone, together, counts, strict=True)]


@pytest.mark.parametrize("name", ["wav2vec2-base", "wavlm-base", "data2vec-audio"])
def test_a_clips_frames_do_not_depend_on_the_clips_beside_it(name, models):
    for alone, together in alone_and_together(models(name), waveforms()[:3]):
        np.testing.assert_allclose(together, alone, atol=1e-4)
    transformer = EncoderFeatures(models(name), 2).fit(waveforms())
    features = transformer.transform(waveforms())
    for row, clip in enumerate(waveforms()):
        np.testing.assert_array_equal(transformer.transform([clip]), features[row : row + 1])


@pytest.mark.processes
def test_the_same_with_jax(models, tmp_path):
    pytest.importorskip("jax")
    expected = EncoderFeatures(models("wav2vec2-base"), [0, 1, 2], pooling=None).fit_transform(waveforms()[:3])
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1]); from tiny_encoder import waveforms; "
        "from pretrained.test_encoders import alone_and_together; "
        "pairs = alone_and_together(__import__('pathlib').Path(sys.argv[2]), waveforms()[:3]); "
        "assert all(np.abs(alone - together).max() < 1e-4 for alone, together in pairs); "
        "np.savez(sys.argv[3], *[alone for alone, _ in pairs])"
    )
    tests, out = str(Path(__file__).parents[1]), str(tmp_path / "jax.npz")
    environ = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [sys.executable, "-c", code, tests, str(models("wav2vec2-base")), out]
    done = subprocess.run(run, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(out)
    for clip, name in zip(expected, found.files, strict=True):
        np.testing.assert_allclose(found[name], clip[: len(found[name])], atol=1e-4)


# ---------------------------------------------------------------------------------------------- files of other models


WRONG = {
    r"config\.json describes another architecture: model_type must be one of 'whisper', .* Got 'bert'": (
        {"model_type": "bert"},
    ),
    r"model_type must be one of .* Got \['wav2vec2'\]": ({"model_type": ["wav2vec2"]},),
    r"hidden_act must be 'gelu'. Got 'relu'": ({"hidden_act": "relu"},),
    r"adapter_attn_dim must be absent. Got 16": ({"adapter_attn_dim": 16},),
    r"hidden_size must be a positive integer. Got -24": ({"hidden_size": -24},),
    r"hidden_size must be at most 100000000. Got 1000000000000": ({"hidden_size": 10**12},),
    r"num_hidden_layers must be at most 1000. Got 100000000": ({"num_hidden_layers": 10**8},),
    r"num_attention_heads must divide hidden_size. Got 5 and 24": ({"num_attention_heads": 5},),
    r"num_conv_pos_embedding_groups must divide hidden_size. Got 7 and 24": ({"num_conv_pos_embedding_groups": 7},),
    r"conv_dim must be a list of 1 to 100 positive integers. Got 'x'": ({"conv_dim": "x"},),
    r"conv_stride must be a list of 1 to 100 positive integers": ({"conv_stride": [5, 2, 2, 2, 2, 2, 0]},),
    r"conv_dim, conv_kernel and conv_stride must be equally long": ({"conv_kernel": [10, 3]},),
    r"conv_kernel and conv_stride must make frames of less than a second": ({"conv_stride": [10**6] * 7},),
    r"feat_extract_norm must be 'group' or 'layer'. Got 'batch'": ({"feat_extract_norm": "batch"},),
    r"conv_bias must be true or false. Got 'no'": ({"conv_bias": "no"},),
    r"layer_norm_eps must be a number between 0 and 1. Got 7": ({"layer_norm_eps": 7},),
    r"preprocessor_config\.json: sampling_rate must be 16000.* Got 8000": ({}, {"sampling_rate": 8000}),
    r"preprocessor_config\.json: do_normalize must be true or false. Got 1": ({}, {"do_normalize": 1}),
    r"num_buckets must be at least 4": ({"model_type": "wavlm", "num_buckets": 2},),
    r"the tensor 'wav2vec2\.feature_extractor\.conv_layers\.0\.conv\.weight' must have the shape \(17,": (
        {"conv_dim": [17, *[16] * 6]},
    ),
    r"lacks the tensor 'hubert\..*conv_layers\.0.*': it is no Hubert encoder of 1 layers": ({"model_type": "hubert"},),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_files_are_errors_that_name_file_and_key(message, models, tmp_path):
    config, *preprocessor = WRONG[message]
    folder = tmp_path / "model"
    shutil.copytree(models("wav2vec2-base"), folder)
    (folder / "config.json").write_text(json.dumps({**CONFIGS["wav2vec2-base"], **config}))
    for content in preprocessor:
        (folder / "preprocessor_config.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message) as raised:
        EncoderFeatures(folder, 1).fit([np.zeros(999)])
    assert str(folder) in str(raised.value)


def test_whisper_features_send_others_where_they_belong(models):
    with pytest.raises(ValueError, match="model_type must be 'whisper'. Got 'wav2vec2'. EncoderFeatures reads it"):
        WhisperFeatures(models("wav2vec2-base"), 1).fit([np.zeros(999)])


def test_stored_as_weight_norm_is_now_named_and_in_half_precision(models, tmp_path):
    from safetensors.numpy import load_file, save_file

    clips = waveforms()[:3]
    expected = EncoderFeatures(models("wav2vec2-base"), 2).fit_transform(clips)
    folder = tmp_path / "renamed"
    shutil.copytree(models("wav2vec2-base"), folder)
    tensors = load_file(folder / "model.safetensors")
    names = {"conv.weight_g": "conv.parametrizations.weight.original0"}
    names["conv.weight_v"] = "conv.parametrizations.weight.original1"
    for old, new in names.items():
        tensors["wav2vec2.encoder.pos_conv_embed." + new] = tensors.pop("wav2vec2.encoder.pos_conv_embed." + old)
    save_file(tensors, folder / "model.safetensors")
    np.testing.assert_array_equal(EncoderFeatures(folder, 2).fit_transform(clips), expected)
    half = write_encoder(tmp_path / "half", CONFIGS["wav2vec2-base"], prefix="", dtype=np.float16)
    transformer = EncoderFeatures(half, 2).fit(clips)
    np.testing.assert_allclose(transformer.transform(clips), expected, atol=0.05)
    stored = pickle.loads(pickle.dumps(transformer)).encoder_.tensors
    assert {tensor.dtype for tensor in stored.values()} == {np.dtype(np.float16)}
    for name, tensor in load_file(half / "model.safetensors").items():
        if name in stored:
            np.testing.assert_array_equal(stored[name], tensor)


@pytest.mark.parametrize("name", CONFIGS)
def test_weights_come_back_from_the_network_as_they_were_read(name, models):
    from sklearn_ser.pretrained._encoder import load_encoder

    encoder = load_encoder(models(name), CONFIGS[name]["num_hidden_layers"])
    before = encoder.tensors
    encoder.network((0,))
    after = encoder.tensors
    assert list(before) == list(after) and len(encoder._held) < 5
    for tensor, expected in before.items():
        np.testing.assert_array_equal(after[tensor], expected)
