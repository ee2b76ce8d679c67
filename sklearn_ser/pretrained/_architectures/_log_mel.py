"""Whisper's input: log-mel frames every 10 ms, and the windows of a long recording."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..._signal import spectrum

SR, HOP, WINDOW = 16000, 160, 400  # Hz, samples, samples
PER_FRAME = 2 * HOP  # samples of an encoder's frame


def log_mel(waveform: np.ndarray, n_mels: int) -> np.ndarray:
    """Whisper's log-mel frames of a waveform at 16 kHz, (n_times // 160, n_mels) float32; two at least.

    Power in Slaney's mel bands up to 8 kHz, by a periodic Hann window, reflected at the ends; log10, not below 1e-10
    nor eight decades below the loudest; x / 4 + 1. The last, incomplete frame is left out.
    """
    if waveform.size < WINDOW:
        waveform = np.pad(waveform, (0, WINDOW - waveform.size))
    joined = spectrum.join([waveform], frame_length=WINDOW, hop_length=HOP, center=True, pad_mode="reflect")
    mel = dict(sr=SR, n_mels=n_mels, fmin=0.0, fmax=SR / 2)
    energies = spectrum.mel_spectrogram(joined, win_length=WINDOW, window="hann", mel=mel)[:-1]
    levels = np.log10(np.maximum(energies, np.float32(1e-10)))
    return np.maximum(levels, levels.max() - np.float32(8)) / np.float32(4) + np.float32(1)


def n_frames(n_times: int) -> int:
    """Frames of the encoder, 50 a second; the last, incomplete one does not count."""
    return max(1, n_times // PER_FRAME)


def windows(n_times: int, n_positions: int) -> Iterator[slice]:
    """Samples that are encoded together: all of a clip, or about equal parts of one too long for the encoder.

    The parts are whole frames, but for what is left at the end of the last.
    """
    frames, parts = n_times // PER_FRAME, math.ceil(n_times / (n_positions * PER_FRAME))
    edges = [math.ceil(i * frames / parts) * PER_FRAME for i in range(parts)]
    return (slice(start, stop) for start, stop in zip(edges, [*edges[1:], n_times], strict=True))
