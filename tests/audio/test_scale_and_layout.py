"""Waveforms of another scale, blocks of either layout, and FLAC whose bytes pass for headers."""

import io
import threading
import warnings

import numpy as np
import pytest
import soundfile

from sklearn_ser import AudioError, HandcraftedFeatures, MelSpectrogramTransformer, WaveformFeatures, WaveformLoader
from sklearn_ser.audio import load_waveform
from sklearn_ser.audio._decoding._decoder import open_recording
from sklearn_ser.audio._stream import Cut, segments_of_stream

TONE = np.sin(np.arange(8000) / 12) / 2


def loudest(waveform, sr):
    return [np.abs(waveform).max()]


AS_THEY_ARE = WaveformFeatures(loudest)


def test_floats_that_hold_16_bits_warn():
    for clip in (TONE * 32768, (TONE.astype("f4") * 32768, 8000), {"array": TONE * 2**31, "sampling_rate": 8000}):
        with pytest.warns(UserWarning, match=r"Row 1: a waveform of floats must lie in \[-1, 1\], and .* reaches"):
            AS_THEY_ARE.fit_transform([TONE, clip])


def test_int32_that_holds_16_bits_warns():
    clip = (TONE * 32767).astype(np.int32)
    with pytest.warns(UserWarning, match=r"Row 0: int32 samples are scaled by 2\*\*31.*as int16"):
        AS_THEY_ARE.fit_transform([clip])


def test_what_is_normalized_or_scaled_does_not_warn():
    clips = [TONE * 32768, (TONE * 32767).astype(np.int32)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MelSpectrogramTransformer(normalize="rms", n_mels=8).fit_transform(clips)
        WaveformLoader().fit_transform(clips)
        HandcraftedFeatures(normalize=None).fit_transform(clips)  # as the user asks
        AS_THEY_ARE.fit_transform(
            [(TONE * 2**31).astype(np.int32), (TONE * 32767).astype(np.int16), np.zeros(800, np.int32)]
        )
        AS_THEY_ARE.fit_transform([TONE * 20, TONE])


def streamed(blocks, channel="mean"):
    cut = Cut(8000, 4000, 0.5, 100, 10**6)
    return np.concatenate([w for ready in segments_of_stream(blocks, 8000, cut, channel) for _, w in ready])


@pytest.mark.parametrize("channel", ["mean", 0, 1])
def test_blocks_are_read_in_either_layout(channel):
    stereo = np.column_stack([TONE, 3 * np.cos(TONE)]).astype("f4")
    expected = stereo.mean(axis=1) if channel == "mean" else stereo[:, channel]
    for turned in (stereo, stereo.T):
        blocks = np.array_split(turned, 10, axis=int(turned.shape[0] == 2))
        np.testing.assert_allclose(streamed(blocks, channel), expected, rtol=1e-6)


def test_blocks_of_unclear_layout_and_missing_channels_are_refused():
    with pytest.raises(AudioError, match=r"Block 0: a block of shape \(100, 200\) does not show which axis is time"):
        streamed([np.zeros((100, 200))])
    with pytest.raises(AudioError, match="Block 0: channel must be 'mean' or one of the recording's 2 channel"):
        streamed([np.zeros((100, 2))], channel=2)


def test_integers_of_64_bits_are_those_of_16_in_all_blocks():
    blocks = [[300, 400, 500] * 1000, [-300, 200] * 500]
    np.testing.assert_array_equal(streamed(blocks), np.concatenate(blocks).astype("f4")[:4000] / 32768)


def test_bytes_that_pass_for_a_header_do_not_make_a_flac_damaged():
    noise = np.random.default_rng(0)
    for _ in range(400):
        file = io.BytesIO()
        soundfile.write(file, noise.normal(0, 3000, 4000).astype(np.int16), 16000, format="FLAC")
        open_recording(file.getvalue(), "clip").close()
    with pytest.raises(AudioError, match="damaged"):
        load_waveform(file.getvalue()[:-3000])


class Decoder:
    """As torchcodec's: it holds what cannot be pickled."""

    def __init__(self, waveform):
        self.data, self.sample_rate, self.lock = waveform[None], 16000, threading.Lock()

    def get_all_samples(self):
        return self


@pytest.mark.processes
def test_decoders_go_to_other_processes():
    clips = [Decoder(np.roll(TONE, i).astype("f4")) for i in range(200)]
    few = HandcraftedFeatures(feature_set="bledea170", families=["prosody"])
    expected = few.fit_transform(clips)
    np.testing.assert_array_equal(few.set_params(n_jobs=2).fit_transform(clips), expected)
