"""A pretrained encoder: its values, its weights on disk, in pickles and in memory, and recordings of any length."""

import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tiny_whisper import SIZES, write_config, write_whisper

from sklearn_ser import FrameWise, Functionals, WhisperFeatures, load_waveform
from sklearn_ser.datasets._base import get_data_home
from sklearn_ser.pretrained import _encoder
from sklearn_ser.pretrained._architectures import KINDS, _reading
from sklearn_ser.pretrained._architectures._log_mel import log_mel, windows

WIDTH, LAYERS = SIZES["width"], SIZES["n_layers"]
WINDOW = SIZES["n_positions"] * 320  # samples that the small encoder takes at once: 2 s


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_whisper(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def noise():
    """Clips of many lengths: a sample, less than a window, about a frame, and more than the encoder takes at once."""
    rng = np.random.default_rng(0)
    lengths = (1, 200, 399, 400, 639, 640, 959, 960, 5000, WINDOW, WINDOW + 1, 3 * WINDOW + 999)
    return [rng.uniform(-0.5, 0.5, n).astype(np.float32) for n in lengths]


# -------------------------------------------------------------------------------------------------------- what is
# computed


def in_numpy(waveform, folder, layer):
    """The encoder, written a second time, with explicit sums."""
    from safetensors.numpy import load_file
    from scipy.special import erf

    tensors = {
        name.removeprefix("model.encoder."): t.astype(np.float64)
        for name, t in load_file(folder / "model.safetensors").items()
    }

    def gelu(x):
        return x * 0.5 * (1 + erf(x / np.sqrt(2)))

    def conv(x, name, step):
        x = np.pad(x, ((1, 1), (0, 0)))
        kernel = tensors[f"{name}.weight"]
        return (
            np.array([np.einsum("ti,oit->o", x[i : i + 3], kernel) for i in range(0, len(x) - 2, step)])
            + tensors[f"{name}.bias"]
        )

    def norm(x, name):
        x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def dense(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors.get(f"{name}.bias", 0)

    x = gelu(conv(gelu(conv(log_mel(waveform, 80), "conv1", 1)), "conv2", 2))
    x = x + tensors["embed_positions.weight"][: len(x)]
    size = WIDTH // SIZES["n_heads"]
    for index in range(layer):
        block = f"layers.{index}"
        normed = norm(x, f"{block}.self_attn_layer_norm")
        query, key, value = (dense(normed, f"{block}.self_attn.{part}_proj") for part in "qkv")
        heads = []
        for head in range(SIZES["n_heads"]):
            own = slice(head * size, (head + 1) * size)
            scores = np.exp(query[:, own] @ key[:, own].T / np.sqrt(size))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, own])
        x = x + dense(np.hstack(heads), f"{block}.self_attn.out_proj")
        x = x + dense(gelu(dense(norm(x, f"{block}.final_layer_norm"), f"{block}.fc1")), f"{block}.fc2")
    return x


@pytest.mark.parametrize("layer", range(LAYERS + 1))
def test_layers_equal_a_plain_implementation(layer, folder, tones):
    frames = WhisperFeatures(folder, layer, pooling=None).fit_transform(tones)
    for clip, waveform in zip(frames, tones, strict=True):
        n = waveform.size // 320
        np.testing.assert_allclose(clip[:n], in_numpy(waveform, folder, layer)[:n], atol=1e-4)
        assert np.isnan(clip[n:]).all()


def test_log_mel_frames_are_whispers(tones):
    import librosa

    for waveform in tones:
        spectra = librosa.stft(waveform, n_fft=400, hop_length=160, pad_mode="reflect")[:, :-1]
        energies = librosa.filters.mel(sr=16000, n_fft=400, n_mels=80) @ np.abs(spectra) ** 2
        levels = np.log10(np.maximum(energies, 1e-10))
        expected = (np.maximum(levels, levels.max() - 8) + 4) / 4
        np.testing.assert_allclose(log_mel(waveform, 80), expected.T, atol=1e-4)


def reference(name):
    folder = get_data_home() / name
    if not (folder / "reference_03a01Fa.npz").exists():
        if os.environ.get("CI"):
            raise FileNotFoundError(folder)
        pytest.skip(f"set SKLEARN_SER_DATA to the folder that holds {name}/")
    return np.load(folder / "reference_03a01Fa.npz")["layers"]


@pytest.mark.parametrize("name", ["whisper-base", "whisper-tiny.en"])
def test_all_layers_of_the_real_models_equal_another_implementation(name, emodb):
    expected = reference(name)
    path = next(path for path in emodb.data["path"] if path.endswith("03a01Fa.wav"))
    for layer, values in enumerate(expected):
        alone = WhisperFeatures(f"openai/{name}", layer, pooling=None).fit_transform([path])[0]
        np.testing.assert_allclose(alone, values, atol=1e-3)
    among = WhisperFeatures(f"openai/{name}", layer, pooling=None).fit_transform([*emodb.data["path"][:3], path])[-1]
    np.testing.assert_array_equal(among[: len(alone)], alone)


def test_padding_does_not_change_a_layer(folder, tones):
    network = _encoder.load_encoder(folder, LAYERS).network((LAYERS,))
    batch = np.full((len(tones), 90, 80), np.nan, dtype=np.float32)
    for row, waveform in enumerate(tones):
        frames = log_mel(waveform, 80)
        batch[row, : len(frames)] = frames
    together = network.predict_on_batch(batch)
    for row, waveform in enumerate(tones):
        alone = network.predict_on_batch(log_mel(waveform, 80)[np.newaxis])[0]
        np.testing.assert_allclose(together[row, : len(alone)], alone, atol=1e-4)


def test_pools_are_statistics_of_the_frames(folder, noise):
    frames = WhisperFeatures(folder, 1, pooling=None).fit_transform(noise)
    transformer = WhisperFeatures(folder, 1, pooling="mean_std").fit(noise)
    pooled = transformer.transform(noise)
    np.testing.assert_allclose(pooled[:, :WIDTH], np.nanmean(frames, axis=1), atol=1e-5)
    np.testing.assert_allclose(pooled[:, WIDTH:], np.nanstd(frames, axis=1), atol=1e-5)
    np.testing.assert_array_equal(WhisperFeatures(folder, 1).fit_transform(noise), pooled[:, :WIDTH])
    assert transformer.get_feature_names_out()[[0, -1]].tolist() == ["whisper_l1_0_mean", f"whisper_l1_{WIDTH - 1}_std"]


@pytest.mark.parametrize("layer", [1, None])
def test_windows_of_frames_are_pooled_to_their_means(layer, folder, noise):
    frames = WhisperFeatures(folder, layer, pooling=None).fit_transform(noise)
    transformer = WhisperFeatures(folder, layer, pooling=4).fit(noise)
    pooled = transformer.transform(noise)
    assert pooled.shape[1] == transformer.n_frames_ == -(-frames.shape[1] // 4)
    for clip, steps in zip(frames, pooled, strict=True):
        clip = clip[~np.isnan(clip[:, 0])]
        means = [clip[start : start + 4].mean(axis=0) for start in range(0, len(clip), 4)]  # the last of 1 to 4
        np.testing.assert_allclose(steps[: len(means)], means, atol=1e-5)
        assert np.isnan(steps[len(means) :]).all()
    names = WhisperFeatures(folder, layer, pooling=None).fit(noise).get_feature_names_out()
    assert list(transformer.get_feature_names_out()) == list(names)
    assert isinstance(transformer.set_output(transform="pandas").transform(noise), np.ndarray)


def test_no_bit_depends_on_the_clips_beside_or_on_workers(folder, noise):
    transformer = WhisperFeatures(folder, 2).fit(noise)
    alone = np.concatenate([transformer.transform([waveform]) for waveform in noise])
    for n_jobs in (1, 2, 3):
        for order in (range(12), range(11, -1, -1), [3, 4], [7, 0, 7]):
            together = transformer.set_params(n_jobs=n_jobs).transform([noise[row] for row in order])
            np.testing.assert_array_equal(together, alone[list(order)])


def test_log_mel_frames_come_without_a_layer(folder, noise):
    transformer = WhisperFeatures(folder, None, pooling=None).fit(noise[:-2])
    with pytest.warns(UserWarning, match="is cropped"):
        frames = transformer.transform(noise)
    for clip, waveform in zip(frames[:-2], noise, strict=False):
        expected = log_mel(waveform, 80)
        np.testing.assert_array_equal(clip[: len(expected)], expected)
        assert np.isnan(clip[len(expected) :]).all()
    assert transformer.encoder_ is None and transformer.get_feature_names_out()[-1] == "mel_79"
    assert len(pickle.dumps(transformer)) < 2000


def test_several_layers_stand_side_by_side(folder, noise):
    both = WhisperFeatures(folder, [2, 0], pooling="mean_std").fit(noise)
    apart = [WhisperFeatures(folder, layer, pooling="mean_std").fit(noise) for layer in (2, 0)]
    means, deviations = zip(*(np.split(each.transform(noise), 2, axis=1) for each in apart), strict=True)
    np.testing.assert_allclose(both.transform(noise), np.hstack([*means, *deviations]), atol=1e-5)
    names = [np.split(transformer.get_feature_names_out(), 2) for transformer in apart]
    assert both.get_feature_names_out().tolist() == [*names[0][0], *names[1][0], *names[0][1], *names[1][1]]
    frames = WhisperFeatures(folder, (0, 1), pooling=None).fit_transform(noise)
    assert frames.shape[2] == 2 * WIDTH


def test_silence_is_valid(folder):
    assert np.isfinite(
        WhisperFeatures(folder, 2, pooling="mean_std").fit_transform([np.zeros(1), np.zeros(9999)])
    ).all()


# -------------------------------------------------------------------------------------------------- recordings of any
# length


@pytest.mark.parametrize("n_positions", [1, 7, 100])
def test_windows_cover_a_recording_in_whole_frames_and_fit_the_encoder(n_positions):
    for n_times in (
        1,
        319,
        320,
        321,
        *range(31000, 35000, 77),
        n_positions * 3200 - 1,
        n_positions * 3200,
        n_positions * 3200 + 1,
    ):
        parts = list(windows(n_times, n_positions))
        assert parts[0].start == 0 and parts[-1].stop == n_times
        assert all(a.stop == b.start and b.start % 320 == 0 for a, b in zip(parts, parts[1:], strict=False))
        assert all(0 < part.stop - part.start <= n_positions * 320 for part in parts)


def test_a_long_recording_is_its_parts(folder, noise):
    transformer, long = WhisperFeatures(folder, 2, pooling=None).fit(noise), noise[-1]
    parts = [transformer.transform([long[part]])[0] for part in windows(long.size, SIZES["n_positions"])]
    expected = np.concatenate([part[~np.isnan(part[:, 0])] for part in parts])
    np.testing.assert_array_equal(transformer.transform([long])[0], expected)
    assert len(expected) == transformer.n_frames_ == long.size // 320


@pytest.mark.parametrize("rate", [16000, 22050])
def test_a_long_file_is_read_in_parts(rate, folder, tmp_path, monkeypatch):
    """And becomes what it becomes as a whole, but for the rounding of what is resampled in parts."""
    path = str(tmp_path / "long.wav")
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 70 * rate + 7), rate)
    read = []

    def counted(*args, **params):
        read.append(1)
        return load_waveform(*args, **params)

    for params in ({}, {"offset": 1.5, "duration": 65.0}):
        transformer = WhisperFeatures(folder, 1, **params).fit([path])
        whole = transformer.transform([load_waveform(path)])
        with monkeypatch.context() as patched:
            patched.setattr(_reading, "_LONG_BYTES", 0)
            patched.setattr(_reading, "load_waveform", counted)
            np.testing.assert_allclose(transformer.transform([path]), whole, atol=1e-4)
        assert len(read) == -(-round(params.get("duration", 70.001) * 16000) // WINDOW)
        read.clear()


def test_frames_crop_and_pad_to_n_frames(folder, tones):
    frames = WhisperFeatures(folder, 1, pooling=None).fit_transform(tones)
    shorter = WhisperFeatures(folder, 1, pooling=None, n_frames=7).fit_transform(tones)
    np.testing.assert_array_equal(shorter, frames[:, :7])


# ------------------------------------------------------------------------------------------------------------- in a
# Pipeline


def test_layer_is_a_parameter_of_a_search(folder, tones):
    pipeline = make_pipeline(WhisperFeatures(folder), StandardScaler(), SVC())
    search = GridSearchCV(pipeline, {"whisperfeatures__layer": [0, 1, 2]}, cv=2).fit(tones, [0, 1] * 3)
    assert search.best_params_["whisperfeatures__layer"] in (0, 1, 2)


def test_features_become_a_dataframe_and_frames_stay_an_array(folder, tones):
    features = WhisperFeatures(folder, 1).set_output(transform="pandas").fit_transform(tones)
    assert list(features.columns) == [f"whisper_l1_{unit}_mean" for unit in range(WIDTH)]
    pipeline = make_pipeline(WhisperFeatures(folder, 1, pooling=None), FrameWise(), Functionals(["mean"]))
    pipeline.set_output(transform="pandas").fit_transform(tones)
    assert pipeline.get_feature_names_out()[0] == "whisper_l1_0_mean"


def test_a_memory_knows_clips_weights_and_layer_but_not_the_folder(folder, tones, tmp_path):
    memory = tmp_path / "memory"

    def entries():
        return len(list(memory.rglob("output.pkl")))

    expected = WhisperFeatures(folder, 1).fit_transform(tones)
    first = WhisperFeatures(folder, 1, memory=memory)
    np.testing.assert_array_equal(first.fit_transform(tones), expected)
    assert entries() == 6
    elsewhere = write_whisper(tmp_path / "copy")
    np.testing.assert_array_equal(WhisperFeatures(elsewhere, 1, memory=memory).fit_transform(tones), expected)
    assert entries() == 6
    for changed in (dict(layer=2), dict(pooling="mean_std"), dict(model=write_whisper(tmp_path / "other", seed=1))):
        before = entries()
        other = WhisperFeatures(**{"model": folder, "layer": 1, **changed})
        np.testing.assert_array_equal(
            clone(other).set_params(memory=memory).fit_transform(tones), other.fit_transform(tones)
        )
        assert entries() == before + 6


# ----------------------------------------------------------------------------------------------------------------
# weights


def test_float32_shards_and_other_prefixes_are_the_same_model(folder, tones, tmp_path):
    expected = WhisperFeatures(folder, 2).fit_transform(tones)
    for name, params in {
        "shards": dict(shards=3),
        "bare": dict(prefix=""),
        "encoder": dict(prefix="encoder."),
    }.items():
        same = WhisperFeatures(write_whisper(tmp_path / name, **params), 2)
        np.testing.assert_array_equal(same.fit_transform(tones), expected)
    single = WhisperFeatures(write_whisper(tmp_path / "float32", dtype=np.float32), 2)
    np.testing.assert_allclose(single.fit_transform(tones), expected, atol=0.05)


def test_no_weights_of_later_layers_are_read(folder, tones, tmp_path):
    sharded = write_whisper(tmp_path / "sharded", shards=40)
    places = json.loads((sharded / "model.safetensors.index.json").read_text())["weight_map"]
    later = {file for name, file in places.items() if "layers.1." in name}
    for file in later - {file for name, file in places.items() if "layers.1." not in name}:
        (sharded / file).write_bytes(b"damaged")
    assert len(later) > 2
    np.testing.assert_array_equal(
        WhisperFeatures(sharded, 1).fit_transform(tones), WhisperFeatures(folder, 1).fit_transform(tones)
    )
    with pytest.raises(ValueError, match=r"model-000.*safetensors is damaged, truncated or no safetensors file"):
        WhisperFeatures(sharded, 2).fit(tones)


@pytest.mark.parametrize("layer", [3, 40])
def test_a_wrong_layer_names_the_range(layer, folder, tones):
    with pytest.raises(ValueError, match=rf"layer must be between 0 .* and 2, .* Got layer={layer}"):
        WhisperFeatures(folder, layer).fit(tones)


@pytest.mark.parametrize("layer", [[], [1, 1], [-1], [0.5], "3"])
def test_layers_are_different_counts(layer, folder, tones):
    with pytest.raises(ValueError, match="layer"):
        WhisperFeatures(folder, layer).fit(tones)


def with_config(**changes):
    def change(folder):
        write_config(folder, KINDS["whisper"](**SIZES), **changes)

    return change


def rewrite(change):
    """Change the tensors of a folder."""

    def changed(folder):
        from safetensors.numpy import load_file, save_file

        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors")

    return changed


QUERY = "model.encoder.layers.1.self_attn.q_proj.weight"
CORRUPTIONS = {
    r"config\.json is missing": lambda folder: (folder / "config.json").unlink(),
    r"config\.json is damaged or no JSON": lambda folder: (folder / "config.json").write_text("{"),
    r"config\.json must hold a JSON object. Got a list": lambda folder: (folder / "config.json").write_text("[]"),
    r"config\.json describes another architecture: model_type must be 'whisper'. Got 'wav2vec2'": with_config(
        model_type="wav2vec2"
    ),
    r"activation_function must be 'gelu'. Got 'relu'": with_config(activation_function="relu"),
    r"config\.json: d_model must be a positive integer. It is missing": with_config(d_model=None),
    r"config\.json: num_mel_bins must be a positive integer. Got 80.5": with_config(num_mel_bins=80.5),
    r"encoder_attention_heads must divide d_model. Got 5 and 12": with_config(encoder_attention_heads=5),
    r"model\.safetensors: the tensor '.*conv1.weight' must have the shape \(24, 80, 3\), .* Got \(12, 80": with_config(
        d_model=24
    ),
    r"model\.safetensors is missing": lambda folder: (folder / "model.safetensors").unlink(),
    r"model\.safetensors is damaged, truncated": lambda folder: os.truncate(folder / "model.safetensors", 4000),
    r"model\.safetensors is damaged, truncated .*": lambda folder: (folder / "model.safetensors").write_bytes(b""),
    rf"model\.safetensors lacks the tensor '{QUERY}'": rewrite(lambda tensors: tensors.pop(QUERY)),
    rf"the tensor '{QUERY}' must have the shape \(12, 12\), .* Got \(12, 6\)": rewrite(
        lambda tensors: tensors.update({QUERY: np.zeros((12, 6), np.float16)})
    ),
    rf"the tensor '{QUERY}' must be float16 or float32. Got F64": rewrite(
        lambda tensors: tensors.update({QUERY: np.zeros((12, 12))})
    ),
    rf"the tensor '{QUERY}' contains NaN or infinite values": rewrite(
        lambda tensors: tensors.update({QUERY: np.full((12, 12), np.nan, np.float16)})
    ),
}


@pytest.mark.parametrize("message", CORRUPTIONS)
def test_wrong_files_are_errors_that_name_file_and_tensor(message, tmp_path, tones):
    folder = write_whisper(tmp_path / "model")
    CORRUPTIONS[message](folder)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        WhisperFeatures(folder, 2).fit(tones)


def test_an_index_cannot_lead_out_of_its_folder(tmp_path, tones):
    folder = write_whisper(tmp_path / "model", shards=2)
    index = folder / "model.safetensors.index.json"
    index.write_text(index.read_text().replace("model-00001", "../model-00001"))
    with pytest.raises(ValueError, match=r"weight_map must name a file of this folder"):
        WhisperFeatures(folder, 2).fit(tones)


# -------------------------------------------------------------------------------------------------- sharing and
# shipping


def test_weights_are_read_once_for_all_clones(tmp_path, tones, monkeypatch):
    folder = write_whisper(tmp_path / "model", seed=7)
    reads, conversions = [], []
    read, convert = _encoder.read_tensors, _encoder.Encoder._converted_all
    monkeypatch.setattr(_encoder, "read_tensors", lambda *args: reads.append(1) or read(*args))
    counting = lambda *args, **params: conversions.append(1) or convert(*args, **params)  # noqa: E731
    monkeypatch.setattr(_encoder.Encoder, "_converted_all", counting)
    results = []

    def work():
        results.append(clone(WhisperFeatures(folder, 1)).fit_transform(tones))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pickle.loads(pickle.dumps(WhisperFeatures(folder, 1).fit(tones))).transform(tones)
    assert (len(reads), len(conversions), len(results)) == (1, 1, 6)
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_changed_weights_are_read_anew(tmp_path, tones):
    folder = write_whisper(tmp_path / "model", seed=8)
    first = WhisperFeatures(folder, 1).fit_transform(tones)
    other = write_whisper(tmp_path / "other", seed=9)
    os.replace(other / "model.safetensors", folder / "model.safetensors")
    assert np.abs(WhisperFeatures(folder, 1).fit_transform(tones) - first).max() > 0.1


def test_a_pickle_holds_the_layers_used_as_they_were_read(tmp_path, tones):
    folder = write_whisper(tmp_path / "model", width=120, hidden_units=200, n_layers=3)
    stored = [len(pickle.dumps(WhisperFeatures(folder, layer).fit(tones))) for layer in range(4)]
    weights = [_encoder.load_encoder(folder, layer).nbytes for layer in range(4)]
    assert all(weight < size < weight + 8000 for size, weight in zip(stored, weights, strict=True))
    assert len(pickle.dumps(clone(WhisperFeatures(folder).fit(tones)))) < 1000
    tensors = _encoder.load_encoder(folder, 1)._tensors
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float16)}


def test_a_saved_pipeline_needs_neither_folder_nor_network(tmp_path, tones):
    folder, paths = write_whisper(tmp_path / "model"), []
    for row, waveform in enumerate(tones):
        paths.append(str(tmp_path / f"{row}.wav"))
        soundfile.write(paths[-1], waveform, 16000, subtype="FLOAT")
    pipeline = make_pipeline(WhisperFeatures(folder, 2), StandardScaler(), SVC()).fit(paths, list("aabbcc"))
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    for file in folder.iterdir():
        file.unlink()
    code = (
        "import joblib, sys; pipeline = joblib.load('pipeline.joblib'); assert 'keras' not in sys.modules; "
        f"paths = {paths!r}; print(*pipeline.predict(paths)); "
        "print(*pipeline.set_params(whisperfeatures__n_jobs=2).predict(paths)); "
        "assert 'safetensors' not in sys.modules"
    )
    environ = {**os.environ, "HF_ENDPOINT": "http://localhost:1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == [*pipeline.predict(paths)] * 2, done.stderr


def test_processes_read_the_weights_themselves_and_find_the_same(folder, noise):
    transformer = WhisperFeatures(folder, 1, n_jobs=2).fit(noise)
    assert len(pickle.dumps(transformer._function())) < 1000
    expected = transformer.transform(noise)
    with joblib.parallel_config(backend="loky"):
        np.testing.assert_allclose(transformer.transform(noise), expected, atol=1e-5)
    for sent in (transformer._function(), pickle.loads(pickle.dumps(transformer))._function()):
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(sent))(noise[:2]), expected[:2])


def test_weights_known_from_a_folder_that_is_gone_are_read_where_they_are_now(tmp_path, noise):
    gone = write_whisper(tmp_path / "gone")
    first = WhisperFeatures(gone, 1).fit(noise)
    gone.rename(tmp_path / "here")
    assert len(pickle.dumps(first._function())) > 10_000  # with the weights
    second = WhisperFeatures(tmp_path / "here", 1).fit(noise)
    assert second.encoder_ is first.encoder_
    assert len(pickle.dumps(second._function())) < 1000


def test_nothing_is_imported_before_it_is_needed(folder):
    code = (
        "import sys, numpy as np, sklearn_ser; from sklearn_ser import HandcraftedFeatures, WhisperFeatures; "
        "HandcraftedFeatures().fit_transform([np.zeros(8000)]); "
        "print({'keras', 'tensorflow', 'safetensors', 'scikeras'} & set(sys.modules)); "
        f"WhisperFeatures({str(folder)!r}, 1).fit([np.zeros(8000)]); "
        "print({'keras', 'tensorflow', 'scikeras'} & set(sys.modules))"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()"] * 2
    assert Path(folder).exists()


def test_silence_around_the_speech_can_be_left_out_of_the_mean(folder):
    time = np.arange(24000) / 16000
    clip = np.sign(np.sin(2 * np.pi * 150 * time)) * np.maximum(np.sin(2 * np.pi * 3 * time), 0)
    padded = np.concatenate([np.zeros(16000), clip, np.zeros(16000)])
    plain, trimmed = WhisperFeatures(folder, 1, trim=True).fit_transform([clip, padded])
    whole = WhisperFeatures(folder, 1).fit_transform([padded])[0]
    assert np.abs(trimmed - plain).mean() < 0.3 * np.abs(whole - plain).mean()
