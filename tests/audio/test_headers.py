"""Files whose headers are a little off are read with a warning; those that hold hours are refused unread."""

import io
import struct

import numpy as np
import pytest
import soundfile

from sklearn_ser import AudioError, check_corpus
from sklearn_ser.audio import load_waveform


def pcm_wav(*, more=0, byte_rate=32000):
    """Half a second of sound; the header declares `more` bytes than there are."""
    pcm = (np.sin(np.arange(8000) / 12) * 9000).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, 16000, byte_rate, 2, 16)
    size = struct.pack("<I", len(pcm) + more)
    return b"RIFF" + struct.pack("<I", 36 + len(pcm) + more) + b"WAVEfmt \x10\0\0\0" + form + b"data" + size + pcm


@pytest.mark.parametrize("more, shown", [(2, "0.1"), (44, "1.4"), (45, "1.4"), (900, "28.1")])
def test_a_wav_that_declares_some_milliseconds_too_much_is_read(more, shown):
    with pytest.warns(UserWarning, match=rf"bytes\): its header declares {shown} ms more sound than there is"):
        assert load_waveform(pcm_wav(more=more)).size == 8000
    assert check_corpus([pcm_wav(more=more)], verbose=0)["problem"].tolist() == ["length"]
    with pytest.raises(AudioError, match="breaks off after 0.500 s"):
        load_waveform(pcm_wav(more=1200))


@pytest.mark.parametrize("byte_rate", [16000, 31999, 256000, 1])
def test_a_wav_of_wrong_bytes_a_second_is_read(byte_rate):
    with pytest.warns(UserWarning, match=f"says {byte_rate} bytes a second, where 16000 Hz make 32000. It is read"):
        np.testing.assert_array_equal(load_waveform(pcm_wav(byte_rate=byte_rate)), load_waveform(pcm_wav()))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "ULAW", "ALAW"])
def test_sphere_files_are_read(subtype):
    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(8000) / 5) / 3, 8000, format="NIST", subtype=subtype)
    expected = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0]
    np.testing.assert_array_equal(load_waveform(file.getvalue(), 8000), expected)
    with pytest.raises(AudioError, match="breaks off"):
        load_waveform(file.getvalue()[:-2000], 8000)


def test_compression_of_a_sphere_file_is_named():
    head = "NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i 8000\nsample_rate -i 8000\nsample_n_bytes -i 1\n"
    head = f"{head}sample_coding -s26 ulaw,embedded-shorten-v2.00\nend_head\n".encode().ljust(1024)
    with pytest.raises(AudioError, match=r"its sound is compressed \(shorten-v2.00\), which is not read: unpack it"):
        load_waveform(head + b"ajkg\x02" + bytes(4000))


# ----------------------------------------------------------------------------------------------------- hours of silence


@pytest.mark.parametrize("form, subtype", [("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("WAV", "GSM610"), ("MP3", None)])
def test_long_clips_are_refused_before_they_are_decoded(form, subtype):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(20 * 8000), 8000, format=form, subtype=subtype)
    with pytest.raises(AudioError, match=r"the clip is .*max_duration=5 s is the most that is accepted"):
        load_waveform(file.getvalue(), max_duration=5)
    assert load_waveform(file.getvalue(), 8000, max_duration=21).size >= 20 * 8000
    assert load_waveform(file.getvalue(), 8000, duration=4, max_duration=5).size == 4 * 8000


def test_long_waveforms_and_long_parts_are_refused():
    for clip in (np.ones(64000), (np.ones((2, 32000)), 8000)):
        with pytest.raises(AudioError, match="4.000 s long, and max_duration=3.5 s"):
            load_waveform(clip, max_duration=3.5)
        assert load_waveform(clip, max_duration=4).size == 64000
