"""What people have: bytes, file objects, arrays at a rate of their own, channels, parts of recordings, tables."""

import array
import io
import json
import mmap
import os
import pathlib
import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AddNoise,
    AttentionDisplay,
    AudioError,
    AugmentedClassifier,
    EvaluationReport,
    Functionals,
    HandcraftedFeatures,
    LowLevelDescriptors,
    MelSpectrogramTransformer,
    SegmentClassifier,
    SelectiveClassifier,
    SpeakerNormalizer,
    WaveformChunker,
    WaveformFeatures,
    WaveformLoader,
    evaluate,
    load_waveform,
)
from sklearn_ser.audio import AudioTransformer
from sklearn_ser.audio._load import clip_digest, clip_length, load_part
from sklearn_ser.augmentation import augment_clips

SR = 16000
RNG = np.random.default_rng(0)


def tone(seconds=0.5, rate=SR, f0=220):
    return (0.5 * np.sin(2 * np.pi * f0 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(waveform, rate=SR, **params):
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, rate, **{"format": "WAV", "subtype": "FLOAT", **params})
    return buffer.getvalue()


@pytest.fixture
def call(tmp_path):
    """A file of two channels: a tone on the first, noise on the second."""
    left, right = tone(), RNG.uniform(-0.5, 0.5, 8000).astype(np.float32)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack([left, right], 1), SR, subtype="FLOAT")
    return str(path), left, right


# -------------------------------------------------------------------------------------------------- bytes, file objects


class Upload:
    """As FastAPI hands it over: `read` is a coroutine, `file` is not."""

    def __init__(self, content):
        self.file = io.BytesIO(content)

    async def read(self):
        raise AssertionError


def test_bytes_and_file_objects_are_clips_like_paths(tmp_path):
    content = encoded(tone())
    path = tmp_path / "tone.wav"
    path.write_bytes(content)
    written = io.BytesIO()
    written.write(content)  # whose position is at the end
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        clips = [
            path,
            content,
            bytearray(content),
            memoryview(content),
            np.frombuffer(content, np.uint8),
            np.array(content, dtype=object),
            mapped,
            io.BytesIO(content),
            written,
            open(path, "rb"),
            Upload(content),
            {"bytes": content, "path": None},
            {"bytes": None, "path": str(path)},
        ]
        for waveform in WaveformLoader().fit_transform(clips):
            np.testing.assert_array_equal(waveform, tone())
        clips[9].close()
        assert written.tell() == len(content)
    frame = pd.DataFrame({"path": [content, io.BytesIO(content)], "speaker": ["a", "b"]})
    assert [w.size for w in WaveformLoader().fit_transform(frame)] == [8000, 8000]


@pytest.mark.parametrize(
    "clip, error, message",
    [
        (b"", AudioError, r"Row 0 \(0 bytes\): the file is empty"),
        (b"/home/me/clip.wav", AudioError, "Got b'/home/me/clip.wav': a path must be a str"),
        (io.StringIO("text"), TypeError, "Row 0: a file object must be open in binary mode"),
    ],
)
def test_bytes_that_are_no_audio_are_named(clip, error, message):
    with pytest.raises(error, match=message):
        WaveformLoader().fit_transform([clip])


def test_messages_do_not_quote_megabytes():
    for clip in (RNG.bytes(1_000_000), bytearray(RNG.bytes(1_000_000)), [str(RNG.bytes(100_000))], {"a": "x" * 10**6}):
        with pytest.raises((AudioError, TypeError)) as caught:
            WaveformLoader().fit([clip])
        assert len(str(caught.value)) < 400
    with pytest.raises(AudioError) as caught:
        WaveformLoader().fit(["folder/" * 10000 + "a.wav"])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "X",
    [
        b"RIFF",
        bytearray(b"RIFF"),
        memoryview(b"RIFF"),
        io.BytesIO(b"RIFF"),
        (tone(), 44100),
        {"array": tone(), "sampling_rate": 8000},
    ],
)
def test_a_single_clip_is_no_row(X):
    with pytest.raises(ValueError, match=r"one clip a row. Got a single .*: pass a list, \[clip\]"):
        WaveformLoader().fit(X)


def test_names_that_are_no_utf_8(tmp_path):
    name = os.path.join(os.fsencode(tmp_path), b"L\xf6we.wav")
    with open(name, "wb") as file:
        file.write(encoded(tone()))
    (path,) = [os.path.join(tmp_path, entry) for entry in os.listdir(tmp_path)]
    np.testing.assert_array_equal(WaveformLoader().fit_transform([path, pathlib.Path(path)])[1], tone())
    os.truncate(name, 100)
    with pytest.raises(AudioError, match="L.udcf6we.wav"):
        WaveformLoader().fit([path])


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", "/dev/zero", "/dev/null"):
        with pytest.raises(AudioError, match="Row 0 .*: not a file, but a pipe, socket or device"):
            HandcraftedFeatures().fit_transform([path])


def test_absurd_rates_are_refused():
    for rate in (1, 999, 2_000_000):
        with pytest.raises(AudioError, match=f"rate must lie between 1000 and 768000 Hz. Got {rate} Hz"):
            load_waveform(encoded(tone(), rate))
        with pytest.raises(AudioError, match="a rate must be a whole number from 1000 to 768000 Hz"):
            load_waveform((tone(), rate))


# --------------------------------------------------------------------------------------- arrays, at a rate of their own


class Tensor:
    """As PyTorch's: it has to be detached to become an array."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, f"torch.{values.dtype}"

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")

    def __getitem__(self, index):
        return self.values[index]

    def detach(self):
        return self.values


class Decoder:
    """As Hugging Face's: it has keys, and is no dict."""

    def __init__(self, **values):
        self._values = values

    def __getitem__(self, key):
        return self._values[key]


class Samples:
    def __init__(self, data, sample_rate):
        self.data, self.sample_rate = data, sample_rate


class TorchCodec:
    def get_all_samples(self):
        return Samples(np.stack([tone(rate=44100)] * 2), 44100)


FORMS = {
    "(waveform, rate)": lambda x: (x, 44100),
    "(rate, waveform)": lambda x: (44100, x),
    "lists": lambda x: [x.tolist(), 44100],
    "float rate": lambda x: (x, 44100.0),
    "numpy rate": lambda x: (x, np.int64(44100)),
    "dict": lambda x: {"array": x, "sampling_rate": 44100, "path": None},
    "raw": lambda x: {"raw": x, "sampling_rate": 44100},
    "decoder": lambda x: Decoder(array=x, sampling_rate=44100),
    "torchcodec": lambda x: TorchCodec(),
    "tensor": lambda x: (Tensor(x), 44100),
    "torchaudio": lambda x: (x[np.newaxis], 44100),
    "soundfile, always_2d": lambda x: (x[:, np.newaxis], 44100),
    "stereo": lambda x: (np.stack([x, x], 1), 44100),
    "gradio": lambda x: (44100, np.round(x * 2**15).astype(np.int16)),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_array_brings_its_rate(form):
    clip = FORMS[form](tone(rate=44100))
    expected = load_waveform(encoded(tone(rate=44100), 44100))
    (waveform,) = WaveformLoader().fit_transform([clip])
    np.testing.assert_allclose(waveform, expected, atol=5e-5)
    assert clip_length(clip, sr=SR) == expected.size == 8000
    np.testing.assert_allclose(load_part(clip, SR, 1000, 3000), expected[1000:3000], atol=5e-5)
    part = load_waveform(clip, offset=0.1, duration=0.2)
    np.testing.assert_allclose(part[100:-100], expected[1700:4700], atol=2e-3)


def test_a_rate_is_part_of_what_a_memory_knows_a_clip_by(tmp_path):
    loader = WaveformLoader(memory=tmp_path)
    sizes = [loader.fit_transform([clip])[0].size for clip in (tone(), (tone(), 8000), (tone(), 32000), tone())]
    assert sizes == [8000, 16000, 4000, 8000]
    assert clip_digest(tone()) != clip_digest((tone(), SR)) != clip_digest((tone(), 8000))


def test_tensors_are_arrays():
    tf = pytest.importorskip("tensorflow")
    np.testing.assert_array_equal(load_waveform(tf.constant(tone())), tone())
    np.testing.assert_array_equal(load_waveform(tf.constant(encoded(tone()))), tone())  # as tf.io.read_file returns it
    np.testing.assert_array_equal(WaveformLoader().fit_transform(tf.constant(tone()[np.newaxis]))[0], tone())
    np.testing.assert_array_equal(load_waveform(Tensor(tone())), tone())


@pytest.mark.parametrize(
    "clip, message",
    [
        ((tone(), 44100.5), "a rate must be a whole number"),
        ((np.zeros((40, 50)), SR), r"expected a 1-D waveform, got an array of shape \(40, 50\)"),
        (tone()[:, np.newaxis], r"got an array of shape \(8000, 1\)"),
        ({"samples": tone()}, r"must hold 'array' and 'sampling_rate', .* Got the keys \['samples'\]"),
        (np.ma.masked_greater(tone(), 0.4), "contains masked values"),
    ],
)
def test_arrays_that_say_too_little_are_refused(clip, message):
    with pytest.raises(AudioError, match=f"Row 0: .*{message}"):
        WaveformLoader().fit_transform([clip])


@pytest.mark.parametrize("shape", [(16000, 1), (16000, 2), (2000, 1), (2000, 2), (500, 1), (100_000, 8)])
def test_time_is_the_second_axis(shape):
    """As sounddevice.rec and soundfile.read(always_2d=True) return a recording."""
    recording = np.zeros(shape)
    for transformer in (WaveformLoader(), HandcraftedFeatures(), MelSpectrogramTransformer()):
        with pytest.raises(ValueError, match=r"\(n_clips, n_times\).*time on axis 0: pass \[X.mean\(axis=1\)\]"):
            transformer.fit(recording)


# ------------------------------------------------------------------------------------------------------------- integers


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
def test_signed_integers_have_their_full_scale(dtype):
    scale = 2.0 ** (np.iinfo(dtype).bits - 1)
    pcm = np.round(tone() * (scale - 1)).astype(dtype)
    np.testing.assert_allclose(load_waveform(pcm), tone(), atol=2 / scale + 1e-7)


@pytest.mark.parametrize("form", [lambda x: json.loads(json.dumps(x.tolist())), lambda x: x.astype("int64"), pd.Series])
def test_integers_of_64_bits_are_the_16_that_json_made_of_them(form):
    pcm = np.round(tone() * 2**14).astype(np.int16)
    np.testing.assert_array_equal(load_waveform(form(pcm)), load_waveform(pcm))
    np.testing.assert_array_equal(
        WaveformLoader().fit_transform(pcm[np.newaxis].astype("int64")), load_waveform(pcm)[np.newaxis]
    )
    np.testing.assert_array_equal(load_waveform(array.array("h", pcm.tolist())), load_waveform(pcm))


@pytest.mark.parametrize(
    "pcm",
    [
        (tone() * 2**14 + 2**15).astype("uint16"),
        (tone() * 2**30).astype("int64"),
        (tone() * 100 + 128).astype("int64"),
        (tone() * 2**30 + 2**31).astype("uint32"),
        tone() > 0,
    ],
)
def test_integers_whose_full_scale_is_not_known_are_refused(pcm):
    with pytest.raises(AudioError, match="Row 0: integers of type .* have no full scale that is known. Pass int16"):
        WaveformLoader().fit_transform([pcm])
    with pytest.raises(AudioError, match="X: integers of type .* have no full scale that is known"):
        WaveformLoader().fit_transform(pcm[np.newaxis])


# ------------------------------------------------------------------------------------------------------- extreme values


@pytest.mark.parametrize("amplitude", [1e-46, 1e-44, 1e-40, 1e-36, 1e-30, 1e-20])
def test_features_of_the_quietest_clips_are_finite(amplitude):
    impulse = np.zeros(4000)
    impulse[2000] = 1
    for clip in (RNG.normal(size=4000) * amplitude, impulse * amplitude):
        for normalize in ("rms", "peak", None):
            assert np.isfinite(load_waveform(clip, normalize=normalize)).all()
            assert np.isfinite(HandcraftedFeatures(normalize=normalize).fit_transform([clip])).all()


@pytest.mark.parametrize("amplitude", [32767, 2.0**31, 1e11])
def test_unscaled_samples_have_finite_features(amplitude):
    clip = RNG.uniform(-1, 1, 4000) * amplitude
    for transformer in (HandcraftedFeatures(), MelSpectrogramTransformer(), LowLevelDescriptors()):
        for normalize in ("rms", None):
            assert np.isfinite(transformer.set_params(normalize=normalize).fit_transform([clip])).all()


@pytest.mark.parametrize("amplitude", [1e13, 1e19, 1e38, 1e300])
def test_samples_that_no_recording_has_are_refused(amplitude):
    clips = [tone(), RNG.uniform(-1, 1, 4000) * amplitude]
    for transformer in (HandcraftedFeatures(), MelSpectrogramTransformer(normalize=None)):
        with pytest.raises(AudioError, match="Row 1: the waveform (reaches|contains NaN or infinite)"):
            transformer.fit_transform(clips)


def test_parameters_that_cannot_work_are_refused():
    for params in (dict(amin=1e-300), dict(amin=1e-46), dict(power=50)):
        with pytest.raises(ValueError, match=f"'{next(iter(params))}' parameter"):
            MelSpectrogramTransformer(**params).fit([tone()])
    overflowing = MelSpectrogramTransformer(power=10, normalize=None, to_db=False)
    with pytest.raises(AudioError, match="Row 1: the features are not finite. Its samples reach 1e"):
        overflowing.fit_transform([tone(), tone() * 2e10])


# ------------------------------------------------------------------------------------------------------------- channels


def test_a_channel_is_chosen_by_parameter_or_column(call):
    path, left, right = call
    np.testing.assert_allclose(load_waveform(path), (left + right) / 2, atol=1e-6)
    for channel, expected in enumerate((left, right)):
        np.testing.assert_array_equal(load_waveform(path, channel=channel), expected)
        np.testing.assert_array_equal(WaveformLoader(channel=channel).fit_transform([path])[0], expected)
        np.testing.assert_array_equal(load_part(path, SR, 100, 300, channel=channel), expected[100:300])
    X = pd.DataFrame({"path": [path] * 3, "channel": [1, 0, None]})
    for waveform, expected in zip(WaveformLoader().fit_transform(X), (right, left, (left + right) / 2), strict=True):
        np.testing.assert_allclose(waveform, expected, atol=1e-6)
    stereo = (np.stack([left, right], 1), SR)
    np.testing.assert_array_equal(load_waveform(stereo, channel=1), right)
    np.testing.assert_array_equal(WaveformLoader(channel=1).fit_transform([left])[0], left)  # it is one already


@pytest.mark.parametrize("entry", [lambda c, t: t.fit(c), lambda c, t: t.fit([tone()]).transform(c)])
def test_a_channel_that_is_not_there_is_an_error(call, entry):
    with pytest.raises(AudioError, match=r"Row 0 .*call.wav'\): channel must be .* 2 channel.*Got channel=2"):
        entry([call[0]], HandcraftedFeatures(channel=2))
    with pytest.raises(ValueError, match="'channel' parameter"):
        HandcraftedFeatures(channel="left").fit([call[0]])


def test_every_audio_transformer_chooses_channels(call):
    path, left, right = call

    def level(waveform, sr):
        return np.array([np.abs(waveform).sum()])

    for transformer in (
        WaveformChunker(),
        MelSpectrogramTransformer(),
        LowLevelDescriptors(),
        HandcraftedFeatures(),
        WaveformFeatures(level),
    ):
        assert isinstance(transformer, AudioTransformer)
        of_channel = transformer.set_params(channel=1).fit_transform([path])
        np.testing.assert_array_equal(of_channel, transformer.fit_transform([right]))


def test_channels_that_cancel_are_a_warning(tmp_path, call):
    path = str(tmp_path / "opposite.wav")
    soundfile.write(path, np.stack([tone(), -tone()], 1), SR, subtype="FLOAT")
    for load in (load_waveform, lambda clip: load_part(clip, SR, 10, 100), lambda clip: SpeakerLoader(clip)):
        with pytest.warns(UserWarning, match=r"opposite.wav'\): its channels cancel one another .* channel=0"):
            load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.abs(load_waveform(path, channel=0)).max() > 0.4
        load_waveform(call[0])
        load_waveform((np.stack([tone(), np.zeros(8000)] * 4, 1), SR))  # seven of eight microphones were off
        load_waveform((np.zeros((8000, 2)), SR))


def SpeakerLoader(clip):
    return WaveformLoader().fit_transform([clip])


def test_a_timeline_hears_the_same_channel(call):
    path, left, right = call
    pipeline = make_pipeline(
        HandcraftedFeatures(feature_set="default-v1", channel=1, families=["spectrum"]), LogisticRegression()
    )
    model = SegmentClassifier(pipeline, 0.1).fit([left, right], ["tone", "noise"])
    assert set(model.predict_timeline(path)["predicted"]) == {"noise"}
    assert model.predict([path]) == "noise"
    two = make_pipeline(WaveformLoader(), HandcraftedFeatures(channel=1), LogisticRegression())
    with pytest.raises(ValueError, match="must read the same channel.*Got channel=1, mean"):
        SegmentClassifier(two).fit([left, right], ["tone", "noise"])


# ---------------------------------------------------------------------------------------------------- parts, and tables


@pytest.fixture
def recording(tmp_path):
    path, noise = str(tmp_path / "long.flac"), RNG.uniform(-0.5, 0.5, 3 * SR)
    soundfile.write(path, noise, SR)
    return path, load_waveform(path)


START = [0.0, 1.0, 0.5]
END = [1.0, 2.5, 3.0]


def tables(path):
    pairs = pd.DataFrame({"path": path, "start": START, "end": END})
    spans = pd.DataFrame({"file": path, "start": pd.to_timedelta(START, "s"), "end": pd.to_timedelta(END, "s")})
    missing = spans.assign(end=[*spans["end"][:2], pd.NaT])
    indexed = missing.assign(emotion="calm").set_index(["file", "start", "end"])
    return {
        "seconds": pairs,
        "Timedelta": spans,
        "NaT is the end": missing,
        "timedelta": pairs.assign(start=pd.Series([timedelta(seconds=s) for s in START], dtype=object)),
        "timedelta64": pairs.assign(start=np.array(START) * 10**9).astype({"start": "timedelta64[ns]"}),
        "missing start": pairs.assign(start=[None, 1, 0.5]),
        "duration": pairs.drop(columns="end").assign(duration=np.subtract(END, START)),
        "audformat's table": indexed,
        "audformat's index": indexed.index,
    }


@pytest.mark.parametrize("form", list(tables("")))
def test_start_and_end_are_parts_of_a_recording(form, recording):
    path, whole = recording
    X = tables(path)[form]
    for waveform, start, end in zip(WaveformLoader().fit_transform(X), START, END, strict=True):
        np.testing.assert_array_equal(waveform, whole[round(start * SR) : round(end * SR)])
    mel = MelSpectrogramTransformer().fit(X)
    assert mel.n_frames_ == MelSpectrogramTransformer().fit([whole[:40000]]).n_frames_
    resampled = WaveformLoader(8000).fit_transform(X)
    assert [waveform.size for waveform in resampled] == [8000, 12000, 20000]


def test_parts_of_parts_are_parts(recording):
    path, whole = recording
    X = pd.DataFrame({"path": [path] * 4, "start": [0, 1, 1.5, 2], "end": [1, 2, 2.5, 3], "speaker": list("abab")})

    def ends(waveform, sr):
        return np.array([waveform[0], waveform[-1], waveform.size])

    seen = []

    class Seeing(LogisticRegression):
        def fit(self, X, y):
            seen.append(X)
            return super().fit(X, y)

    model = SegmentClassifier(make_pipeline(WaveformFeatures(ends), Seeing()), 0.5, hop_duration=0.5)
    model.fit(X, ["calm", "fear"] * 2)
    first = np.array([0, 0.5, 1, 1.5, 1.5, 2, 2, 2.5]) * SR
    expected = [[whole[int(i)], whole[int(i) + 7999], 8000] for i in first]
    np.testing.assert_array_equal(seen[0], expected)
    assert len(model.predict_timeline(X.iloc[:1])) == 2
    noisy = augment_clips(X, AddNoise(amplitude=0.0), random_state=0)
    for waveform, clean in zip(WaveformLoader().fit_transform(noisy), WaveformLoader().fit_transform(X), strict=True):
        np.testing.assert_allclose(waveform, clean)


def test_a_memory_knows_parts_and_channels(recording, call, tmp_path):
    path, whole = recording
    X = pd.DataFrame({"path": [path, path, call[0], call[0]], "start": [0, 1, 0, 0], "end": [1, 2, 0.5, 0.5]})
    X["channel"] = [None, None, 0, 1]
    loader = WaveformLoader(8000, memory=tmp_path / "memory").fit(X)
    first, again, plain = loader.transform(X), loader.transform(X), WaveformLoader(8000).fit_transform(X)
    for waveforms in zip(first, again, plain, strict=True):
        np.testing.assert_array_equal(waveforms[0], waveforms[2])
        np.testing.assert_array_equal(waveforms[1], waveforms[2])
    one = WaveformLoader(memory=tmp_path / "memory", channel=1).fit_transform(X[["path", "start", "end"]].iloc[2:3])
    np.testing.assert_array_equal(one[0], call[2])


@pytest.mark.parametrize(
    "columns, message",
    [
        (dict(start=[-1], end=[1]), "start must not be negative"),
        (dict(start=[1], end=[1]), "end lie after it. Got start=1.0 and end=1.0"),
        (dict(start=[4], end=[5]), r"from 4 to 5 s: the recording ends at 3.000 s"),
        (dict(start=[1], end=[1000]), r"from 1 to 1000 s: the recording ends at 3.000 s"),
        (dict(start=["0:01"]), "Row 0: start must be seconds, or a Timedelta. Got '0:01'"),
        (dict(start=[True]), "Row 0: start must be seconds"),
        (dict(channel=["left"]), "Row 0: channel must be a whole number"),
        (dict(channel=[0.5]), "Row 0: channel must be a whole number"),
    ],
)
def test_parts_that_cannot_be_are_named(recording, columns, message):
    X = pd.DataFrame({"path": [recording[0]], **columns})
    with pytest.raises(ValueError, match=message):
        WaveformLoader().fit(X)
    with pytest.raises(ValueError, match=message):
        HandcraftedFeatures().fit([tone()]).transform(X)


def test_an_annotation_may_be_rounded(recording):
    X = pd.DataFrame({"path": [recording[0]], "start": [1.0], "end": [3.05]})
    assert WaveformLoader().fit_transform(X)[0].size == 2 * SR


def test_a_column_sr_is_the_rate_of_waveforms(tmp_path):
    path = str(tmp_path / "tone.wav")
    soundfile.write(path, tone(), SR)
    X = pd.DataFrame({"path": [tone(rate=8000), tone(rate=44100), path, tone()], "sr": [8000, 44100, 8000, None]})
    assert [waveform.size for waveform in WaveformLoader().fit_transform(X)] == [8000] * 4
    renamed = X.rename(columns={"path": "waveform"})
    assert [waveform.size for waveform in WaveformLoader().fit_transform(renamed)] == [8000] * 4


@pytest.fixture
def corpus(tmp_path):
    y, paths = np.array(["calm", "fear"] * 6), []
    for i in range(12):
        paths.append(str(tmp_path / f"{i}.wav"))
        noise = 0.1 * RNG.normal(size=4000)
        soundfile.write(paths[-1], noise + 0.2 * np.sin(np.arange(4000) * (0.05 + 0.1 * (i % 2))), SR)
    return paths, list("AABBCCDDAABB"), y


PIPELINE = make_pipeline(
    HandcraftedFeatures(feature_set="default-v1", families=["spectrum"]), StandardScaler(), LogisticRegression()
)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.processes
def test_data_frames_of_either_library_go_everywhere(corpus, library):
    frames = pytest.importorskip(library)
    paths, speakers, y = corpus
    X = frames.DataFrame({"path": paths, "speaker": speakers, "start": [0.0] * 12, "end": [0.25] * 12})
    models = {
        "pipeline": PIPELINE,
        "SpeakerNormalizer": make_pipeline(SpeakerNormalizer(PIPELINE[0]), LogisticRegression()),
        "SegmentClassifier": SegmentClassifier(PIPELINE, 0.1),
        "AugmentedClassifier": AugmentedClassifier(PIPELINE, [AddNoise(snr=20)], random_state=0),
        "both": SegmentClassifier(AugmentedClassifier(PIPELINE, [AddNoise(snr=20)], random_state=0), 0.1),
        "SelectiveClassifier": SelectiveClassifier(PIPELINE, coverage=1.0),
    }
    for name, model in models.items():
        assert model.fit(X, y).score(X, y) > 0.8, name
    assert cross_val_score(models["SegmentClassifier"], X, y, cv=2).mean() > 0.8
    assert evaluate(PIPELINE, X, y, n_boot=10).uar > 0.8
    assert models["SegmentClassifier"].predict_timeline(X[:1])["end"].iloc[-1] == 0.25


def test_polars_columns_of_waveforms_and_durations(recording):
    polars = pytest.importorskip("polars")
    spans = {"start": [timedelta(seconds=1), None], "end": [None, timedelta(seconds=2)]}
    X = polars.DataFrame({"path": [recording[0]] * 2, **spans})
    assert [waveform.size for waveform in WaveformLoader().fit_transform(X)] == [2 * SR, 2 * SR]
    X = polars.DataFrame({"waveform": [tone().tolist(), tone(rate=8000).tolist()], "sr": [16000, 8000]})
    assert [waveform.size for waveform in WaveformLoader().fit_transform(X)] == [8000, 8000]
    assert WaveformLoader().fit_transform(polars.Series([recording[0]]))[0].size == 3 * SR
    assert WaveformLoader().fit_transform(polars.DataFrame(np.zeros((3, 100)))).shape == (3, 100)
    with pytest.raises(ValueError, match=r"needs a column 'path'. Got the columns \['name'\]"):
        WaveformLoader().fit(polars.DataFrame({"name": ["a"]}))


def test_columns_of_other_kinds_ride_along(recording):
    """RAVDESS calls speech and song vocal channels; `duration` is that of the whole recording."""
    X = pd.DataFrame({"path": [recording[0]] * 2, "channel": ["speech", "song"], "duration": [1.0, 2.0]})
    assert [waveform.size for waveform in WaveformLoader().fit_transform(X)] == [3 * SR] * 2
    assert list(augment_clips(X, AddNoise(snr=9)).columns) == ["path", "channel", "duration"]
    with pytest.raises(ValueError, match="Row 1: channel must be a whole number, or missing. Got 'song'"):
        WaveformLoader().fit(X.assign(channel=[0, "song"]))


def test_bagging_of_paths(corpus):
    paths, _, y = corpus
    X = np.array(paths, dtype=object)[:, np.newaxis]
    assert WaveformLoader().fit_transform(X)[0].size == 4000
    bagging = BaggingClassifier(PIPELINE, n_estimators=3, random_state=0).fit(X, y)
    assert bagging.score(X, y) > 0.8


# --------------------------------------------------------------------------------------------------------------- misuse


def test_a_step_that_wants_audio_says_so():
    clips, y = [RNG.normal(size=2000) for _ in range(6)], ["calm", "fear"] * 3
    final = LogisticRegression()
    for model in (SegmentClassifier(final), AugmentedClassifier(final, [AddNoise(snr=9)])):
        with pytest.raises(ValueError, match=f"{type(model).__name__} .* audio .* LogisticRegression"):
            make_pipeline(HandcraftedFeatures(), model).fit(clips, y)
        with pytest.raises(ValueError, match=f"{type(model).__name__} .* audio .* LogisticRegression"):
            model.fit(clips, y)
    with pytest.raises(ValueError, match="If these are frames"):
        make_pipeline(MelSpectrogramTransformer(), HandcraftedFeatures()).fit_transform(clips)
    with pytest.raises(ValueError, match="MelSpectrogramTransformer"):
        make_pipeline(HandcraftedFeatures(), MelSpectrogramTransformer(), Functionals()).fit(clips * 2)


def test_continuous_labels_are_refused():
    X, speaker = RNG.normal(size=(20, 3)), list("abcd") * 5
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        evaluate(LogisticRegression(), X, RNG.normal(size=20), speaker=speaker)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        EvaluationReport(RNG.normal(size=20), ["calm"] * 20, speaker=speaker)


def test_a_display_of_attention_takes_bytes(call):
    with pytest.raises(TypeError, match="estimator must be a Pipeline"):
        AttentionDisplay.from_estimator(PIPELINE, pathlib.Path(call[0]).read_bytes())
