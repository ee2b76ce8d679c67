"""A clip is never shorter than its recording without notice: lengths are what decodes, in fit as in transform."""

import io
import os
import struct
import subprocess
import sys
import textwrap
import tracemalloc
from collections import OrderedDict

import fuzz
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ser import (
    AudioError,
    HandcraftedFeatures,
    MelSpectrogramTransformer,
    SegmentClassifier,
    WaveformLoader,
    load_waveform,
)
from sklearn_ser.audio._decoding import _decoder, _recording
from sklearn_ser.audio._decoding._containers import examine
from sklearn_ser.audio._decoding._decoder import open_recording
from sklearn_ser.audio._decoding._mpeg import _frame
from sklearn_ser.audio._decoding._structure import Bytes
from sklearn_ser.audio._load import clip_length, load_part

SR = 16000
RNG = np.random.default_rng(0)


def sound(seconds=2.0, rate=SR):
    return (0.1 * RNG.normal(size=round(seconds * rate))).astype(np.float32)


def encoded(waveform, rate=SR, **params):
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, rate, **{"format": "WAV", **params})
    return buffer.getvalue()


def stream(mp3):
    """An MP3 without the frame that says how long it is, as a pipe, a radio or a speech synthesiser sends it."""
    return mp3[_frame(mp3[:4]).length :]


MODEL = make_pipeline(HandcraftedFeatures(families=["spectrum"]), StandardScaler(), LogisticRegression())


def entries():
    """Everything that asks for a clip or its length."""
    model = SegmentClassifier(MODEL, 0.5).fit([sound(), sound()], ["calm", "fear"])
    return {
        "load_waveform": load_waveform,
        "clip_length": lambda clip: clip_length(clip, sr=SR),
        "load_part": lambda clip: load_part(clip, SR, 0, 100),
        "an earlier part": lambda clip: load_waveform(clip, duration=0.1),
        "fit": lambda clip: MelSpectrogramTransformer().fit([clip]),
        "transform": lambda clip: HandcraftedFeatures().fit([sound()]).transform([clip]),
        "predict": lambda clip: model.predict([clip]),
        "predict_timeline": model.predict_timeline,
    }


# ---------------------------------------------------------------------------------------------------------- MP3 streams


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("params", [dict(bitrate_mode="VARIABLE", compression_level=0.5), dict(compression_level=0.1)])
def test_an_mp3_that_does_not_say_how_long_it_is_is_heard_to_its_end(rate, n_channels, params):
    loud, quiet = sound(3, rate), 0.001 * sound(6, rate)
    waveform = np.concatenate([loud, quiet, loud])
    mp3 = encoded(np.stack([waveform] * n_channels, 1), rate, format="MP3", **params)
    for content in (
        mp3,
        stream(mp3),
        stream(mp3) + b"TAG" + bytes(125),
        b"ID3\3\0\0\0\0\0\x64" + bytes(100) + stream(mp3),
    ):
        heard = load_waveform(content, rate)
        assert 12 * rate - 600 <= heard.size <= 12 * rate + 3 * 1152
        assert clip_length(content, sr=rate) == heard.size
        assert np.sqrt(np.mean(heard[-2 * rate :] ** 2)) > 0.05  # the loud end is there
    joined = stream(mp3) + stream(mp3)
    assert load_waveform(joined, rate).size > 24 * rate - 600


def test_an_mp3_with_a_wrong_number_of_frames_is_heard_to_its_end():
    mp3 = bytearray(encoded(sound(), format="MP3"))
    whole, place = load_waveform(bytes(mp3)), mp3.index(b"Xing") + 8
    n_frames = int.from_bytes(mp3[place : place + 4], "big")
    for content in (mp3[:place] + struct.pack(">I", n_frames // 3) + mp3[place + 4 :], b"\0" * 200 + mp3):
        heard = load_waveform(bytes(content))
        np.testing.assert_array_equal(heard, whole)
    mp3[place : place + 4] = struct.pack(">I", n_frames * 1000)
    with pytest.raises(
        AudioError, match="Clip .*: the file is damaged: it declares .* of sound, and breaks off after 2"
    ):
        load_waveform(bytes(mp3))


def test_tags_behind_an_mp3_are_no_sound(capfd):
    mp3 = encoded(sound(), format="MP3")
    for tag in (b"TAG" + bytes(125), b"APETAGEX" + bytes(200), b"LYRICSBEGIN" + bytes(300)):
        np.testing.assert_array_equal(load_waveform(mp3 + tag), load_waveform(mp3))
    assert capfd.readouterr().err == ""  # where the decoder would complain about lengths


def test_an_mp3_is_decoded_in_blocks_as_at_once(monkeypatch):
    mp3 = encoded(sound(), format="MP3")
    whole = load_waveform(mp3)
    monkeypatch.setattr(_recording, "BLOCK", 1000)
    np.testing.assert_array_equal(load_waveform(mp3), whole)


# ----------------------------------------------------------------------------------------------- torn and damaged files

TORN = {
    "WAV": (dict(format="WAV"), "declares 2.000 s of sound, and breaks off after 0.99"),
    "WAV of floats": (dict(format="WAV", subtype="FLOAT"), "declares 2.000 s of sound, and breaks off after 0.99"),
    "ADPCM": (dict(format="WAV", subtype="IMA_ADPCM"), "declares .* s of sound, and breaks off after"),
    "GSM": (dict(format="WAV", subtype="GSM610"), "declares .* s of sound, and breaks off after"),
    "RIFX": (dict(format="WAV", endian="BIG"), "declares 2.000 s of sound, and breaks off after 0.99"),
    "AIFF": (dict(format="AIFF"), "declares 2.000 s of sound, and breaks off after 0.99"),
    "FLAC": (dict(format="FLAC"), "declares 2.000 s of sound, and breaks off after"),
    "Vorbis": (dict(format="OGG"), "breaks off in the middle of an Ogg page"),
    "Opus": (dict(format="OGG", subtype="OPUS"), "breaks off in the middle of an Ogg page"),
    "MP3": (dict(format="MP3"), r"declares 2\..* s of sound, and breaks off after"),
    "AU": (dict(format="AU"), "its header declares 64000 bytes, and it holds"),
    "W64": (dict(format="W64"), "its header declares .* bytes, and it holds"),
    "RF64": (dict(format="RF64"), "its header declares"),
    "SPHERE": (dict(format="NIST"), "declares 2.000 s of sound, and breaks off after 0.9"),
}


@pytest.mark.parametrize("name", TORN)
def test_half_a_file_has_one_answer_everywhere(name, tmp_path):
    params, message = TORN[name]
    whole = encoded(sound(), **params)
    path = tmp_path / "half"
    path.write_bytes(whole[: len(whole) // 2])
    for what, entry in entries().items():
        with pytest.raises(AudioError, match=rf"(Row 0|Clip) \('.*half'\).*: .*{message}"):
            entry(str(path))
        with pytest.raises(AudioError, match=message):
            entry(path.read_bytes())
        assert what


@pytest.mark.parametrize("format", ["WAV", "AIFF", "FLAC", "OGG", "MP3"])
def test_a_whole_file_is_not_refused_whatever_follows_its_sound(format):
    content = encoded(sound(0.3), format=format)
    whole = load_waveform(content)
    for tail in (bytes(3), bytes(1000)) if format != "FLAC" else ():
        np.testing.assert_array_equal(load_waveform(content + tail), whole)
    if format in ("WAV", "AIFF"):
        chunk = b"LIST" + struct.pack("<I" if format == "WAV" else ">I", 4) + b"INFO"
        np.testing.assert_array_equal(load_waveform(content + chunk), whole)


def test_headers_that_contradict_themselves_are_refused():
    wav = bytearray(encoded(sound()))
    changes = {24: (8000, "<I"), 22: (2, "<H"), 34: (8, "<H"), 28: (48000, "<I"), 32: (4, "<H")}
    for place, (value, form) in changes.items():
        changed = wav[:place] + struct.pack(form, value) + wav[place + struct.calcsize(form) :]
        with pytest.raises(AudioError, match="its header contradicts itself: .* do not make frames of"):
            load_waveform(bytes(changed))
    gsm = encoded(sound(), 8000, subtype="GSM610")
    with pytest.raises(AudioError, match="contradicts itself: 9000 Hz in blocks of 320 samples and 65 bytes"):
        load_waveform(gsm[:24] + struct.pack("<I", 9000) + gsm[28:])
    shorter = wav[:40] + struct.pack("<I", 1000) + wav[44:]
    with pytest.raises(AudioError, match="declares 0.031 s of sound, but more follows that is no chunk"):
        load_waveform(bytes(shorter))
    aiff = bytearray(encoded(sound(), format="AIFF"))
    place = aiff.index(b"COMM") + 10
    with pytest.raises(AudioError, match="its header declares 0.062 s, and its sound 2.000 s"):
        load_waveform(bytes(aiff[:place] + struct.pack(">I", 1000) + aiff[place + 4 :]))
    flac = bytearray(encoded(sound(), format="FLAC"))
    with pytest.raises(AudioError, match="its header declares .* s, and its last frame ends at 2.000 s"):
        load_waveform(bytes(flac[:22] + struct.pack(">I", 1000) + flac[26:]))
    with pytest.raises(AudioError, match="its header says .* Hz, and its frames 16000 Hz"):
        load_waveform(bytes(flac[:18] + b"\x07" + flac[19:]))


def test_an_ogg_page_that_is_gone_is_noticed():
    ogg = encoded(sound(20), format="OGG")
    starts = [place for place in range(len(ogg)) if ogg.startswith(b"OggS", place)]
    assert len(starts) > 4
    for content, message in (
        (ogg[: starts[3]] + ogg[starts[4] :], "Ogg pages are missing before byte"),
        (ogg[: starts[3] + 60] + b"?" + ogg[starts[3] + 61 :], "checksum of the Ogg page at byte"),
        (ogg[: starts[-1]], "no Ogg page is marked as its last one"),
        (ogg + b"junk" * 100, "there is no Ogg page at byte"),
    ):
        with pytest.raises(AudioError, match=message):
            load_waveform(content)


def test_nothing_is_allocated_on_a_header_s_word():
    for content in (
        b"fLaC" + encoded(sound(0.1), format="FLAC")[4:21] + b"\xff" * 5 + bytes(100),
        huge_wav(),
        huge_aiff(),
    ):
        tracemalloc.start()
        with pytest.raises(AudioError):
            load_waveform(content)
        assert tracemalloc.get_traced_memory()[1] < 10e6
        tracemalloc.stop()


def huge_wav():
    wav = bytearray(encoded(np.zeros((100, 1024)), format="WAV"))
    place = wav.index(b"data") + 4
    wav[place : place + 4] = struct.pack("<I", 0x70000000)
    return bytes(wav)


def huge_aiff():
    aiff = bytearray(encoded(np.zeros(100), format="AIFF"))
    place = aiff.index(b"COMM") + 10
    aiff[place : place + 4] = b"\x10\0\0\0"
    return bytes(aiff)


# ------------------------------------------------------------------------------------ lengths that were never filled in


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF, 0x7FFFF000, 0x80000000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_wav_of_unknown_length_is_decoded_to_its_end(length, n_channels):
    waveform = np.stack([sound()] * n_channels, 1)
    wav = bytearray(encoded(waveform))
    data = wav.index(b"data")
    wav[4:8] = wav[data + 4 : data + 8] = struct.pack("<I", length)
    for content in (wav, wav + b"\0"):  # half a sample
        heard = load_waveform(bytes(content))
        np.testing.assert_array_equal(heard, load_waveform(encoded(waveform)))
        assert clip_length(bytes(content), sr=SR) == heard.size
        np.testing.assert_array_equal(load_part(bytes(content), SR, 100, 200), heard[100:200])


def test_a_wav_without_sound_is_empty_even_if_chunks_follow():
    wav = encoded(np.zeros(0))
    for content in (wav, wav + b"LIST\4\0\0\0INFO"):
        with pytest.raises(AudioError, match=r"the clip is empty \(0 samples\)"):
            load_waveform(content)


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF])
def test_aiff_of_unknown_length_is_decoded_to_its_end(length):
    waveform = sound()
    aiff = bytearray(encoded(waveform, format="AIFF"))
    for place in (aiff.index(b"COMM") + 10, aiff.index(b"SSND") + 4):
        aiff[place : place + 4] = struct.pack(">I", length)
    np.testing.assert_array_equal(load_waveform(bytes(aiff)), load_waveform(encoded(waveform, format="AIFF")))


def test_flac_of_unknown_length_is_decoded_to_its_end(tmp_path):
    waveform = sound(3)
    flac = bytearray(encoded(waveform, format="FLAC"))
    whole = load_waveform(bytes(flac))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    (tmp_path / "stream.flac").write_bytes(flac)
    for clip in (bytes(flac), tmp_path / "stream.flac"):
        np.testing.assert_array_equal(load_waveform(clip), whole)
        assert clip_length(clip, sr=SR) == whole.size
        np.testing.assert_array_equal(load_part(clip, SR, 20000, 30000), whole[20000:30000])
        np.testing.assert_array_equal(load_waveform(clip, offset=1.0, duration=0.5), whole[SR : SR + SR // 2])
    with pytest.raises(AudioError, match="offset=4.0 s .* at 3.000 s"):
        load_waveform(bytes(flac), offset=4.0)


@pytest.mark.parametrize("format", ["WAV", "AIFF", "FLAC", "OGG", "MP3"])
def test_headers_are_enough_where_they_are_right(format, monkeypatch):
    content = encoded(sound(), format=format)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    assert abs(clip_length(content, sr=SR) - 2 * SR) < 1200


def test_what_the_headers_of_a_corpus_say_is_believed(emodb):
    for path in emodb.data["path"][::50]:
        with open(path, "rb") as file:
            assert examine(Bytes(file, os.path.getsize(path))).pieces is None
        with open_recording(path, "Clip") as decoder:
            assert decoder.n_frames == soundfile.info(path).frames


# --------------------------------------------------------------------------------------- parts of what cannot be sought


@pytest.mark.parametrize(
    "params", [dict(subtype="GSM610"), dict(format="MP3"), dict(format="OGG"), dict(subtype="IMA_ADPCM")]
)
@pytest.mark.parametrize("rate", [8000, 16000])
def test_parts_in_any_order_are_those_of_the_whole(params, rate, tmp_path):
    path = str(tmp_path / "long")
    (tmp_path / "long").write_bytes(encoded(sound(6, rate), rate, **params))
    whole = load_waveform(path)
    starts = [0, 8000, 4000, 60000, 50000, 16000, whole.size - 9000]
    for clip in (path, (tmp_path / "long").read_bytes()):
        for start in starts:
            part = load_part(clip, SR, start, start + 9000)
            np.testing.assert_allclose(part, whole[start : start + 9000], atol=2e-5)
    assert not any(running.ended for running in _recording._running.values())


@pytest.mark.parametrize("params", [dict(subtype="GSM610"), dict(format="MP3"), dict(format="OGG")])
@pytest.mark.processes
def test_segments_of_a_recording_are_decoded_once(params, tmp_path, monkeypatch):
    path = str(tmp_path / "call")
    (tmp_path / "call").write_bytes(encoded(sound(60, 8000), 8000, **params))
    decoded, walked, read = [], [], soundfile.SoundFile.read
    monkeypatch.setattr(_decoder, "examine", lambda data: walked.append(1) or examine(data))

    def count(self, frames, **params):
        block = read(self, frames, **params)
        decoded.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", count)
    monkeypatch.setattr(_recording, "_running", OrderedDict())
    model = SegmentClassifier(MODEL, 1.0).fit([sound(), sound()], ["calm", "fear"])
    X = pd.DataFrame({"path": [path] * 59, "start": np.arange(59.0), "end": np.arange(59.0) + 1})
    for ask in (
        lambda: model.predict([path]),
        lambda: model.predict_timeline(path),
        lambda: WaveformLoader().fit_transform(X),
    ):
        decoded.clear(), walked.clear(), _recording._lengths.clear(), _recording._running.clear()
        ask()
        assert sum(decoded) < 2.5 * 60 * 8000  # once for its length, once for its segments
        assert len(walked) < 5
    _recording._running.clear()


@pytest.mark.processes
def test_a_fork_does_not_share_a_place_in_the_file(tmp_path):
    path = str(tmp_path / "call.wav")
    soundfile.write(path, sound(20, 8000), 8000, subtype="GSM610")
    code = f"""
        import os, numpy as np
        from sklearn_ser.audio import load_waveform
        from sklearn_ser.audio._load import load_part
        whole = load_waveform({path!r})
        load_part({path!r}, 16000, 0, 9000)
        child = os.fork()
        for start in range(9000, 200000, 9000):
            assert np.allclose(load_part({path!r}, 16000, start, start + 9000), whole[start : start + 9000], atol=2e-5)
        if child:
            assert os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


# -------------------------------------------------------------------------------------- what FFmpeg reads, through PyAV


def made_by_ffmpeg(path, codec, rate, container=None):
    av = pytest.importorskip("av")
    try:
        with av.open(str(path), "w", format=container) as output:
            stream = output.add_stream(codec, rate=rate)
            stream.layout, stream.bit_rate = "mono", 12200 if "amr" in codec else 64000
            tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(2 * rate) / rate)
            frame = av.AudioFrame.from_ndarray(tone[np.newaxis].astype(np.float32), format="flt", layout="mono")
            frame.rate = rate
            size = stream.codec_context.frame_size or None
            resampler = av.AudioResampler(stream.codec_context.format, "mono", rate, frame_size=size)
            for part in (*resampler.resample(frame), *resampler.resample(None), None):
                output.mux(stream.encode(part))
    except (av.error.FFmpegError, ValueError) as error:
        pytest.skip(f"this FFmpeg does not write {codec}: {error}")


FOREIGN = {
    "phone.m4a": ("aac", 16000, None, "M4A"),
    "browser.webm": ("libopus", 48000, None, "WebM/Matroska"),
    "blob.wav": ("libopus", 48000, "webm", "WebM/Matroska"),
    "video.mp4": ("aac", 44100, None, "MP4/M4A"),
    "old.wma": ("wmav2", 16000, None, "WMA/ASF"),
    "note.amr": ("libopencore_amrnb", 8000, None, "AMR"),
    "note.3gp": ("libopencore_amrnb", 8000, None, "3GP"),
    "radio.aac": ("aac", 16000, "adts", r"AAC \(ADTS\)"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_telephones_and_browsers_record_is_read(name, tmp_path):
    codec, rate, container, _ = FOREIGN[name]
    made_by_ffmpeg(tmp_path / name, codec, rate, container)
    for clip in (str(tmp_path / name), (tmp_path / name).read_bytes()):
        waveform = load_waveform(clip)
        assert waveform.dtype == np.float32 and 2 * SR - 300 <= waveform.size <= 2 * SR + 2500
        spectrum = np.abs(np.fft.rfft(waveform[4000:20000]))
        assert spectrum.argmax() == 220 and 0.1 < np.abs(waveform[4000:20000]).max() < 0.3
        assert clip_length(clip, sr=SR) == waveform.size == WaveformLoader().fit_transform([clip])[0].size
        np.testing.assert_allclose(load_part(clip, SR, 9000, 12000), waveform[9000:12000], atol=2e-5)
    content = (tmp_path / name).read_bytes()
    with pytest.raises(AudioError, match="damaged|empty"):
        load_waveform(content[: len(content) // 2 + 5])


@pytest.mark.parametrize("name", FOREIGN)
def test_without_pyav_container_and_remedy_are_named(name, tmp_path, monkeypatch):
    codec, rate, container, called = FOREIGN[name]
    made_by_ffmpeg(tmp_path / name, codec, rate, container)
    monkeypatch.setitem(sys.modules, "av", None)
    message = (
        rf"Row 0 .*{name}'\): {called} is not among the formats of libsndfile. Install PyAV.*sklearn-ser\[formats\]"
    )
    with pytest.raises(AudioError, match=message):
        HandcraftedFeatures().fit_transform([str(tmp_path / name)])


# ----------------------------------------------------------------------------------------------------------------- fuzz


@pytest.mark.processes
def test_damaged_files_end_in_an_audio_error_or_are_whole():
    """Some hundred files, in a process of its own; `python tests/fuzz.py` examines thousands."""
    records = fuzz.fuzz(260, seed=1)
    assert len(records) == 260
    assert [record for record in records if record["wrong"]] == []
