"""Audio input: clips in any accepted form become waveforms; the base of every transformer that reads them."""

from ..utils._clip_errors import AudioError
from ._base import AudioTransformer
from ._check import check_corpus
from ._load import load_waveform
from ._waveforms import WaveformChunker, WaveformLoader

__all__ = ["AudioError", "AudioTransformer", "WaveformChunker", "WaveformLoader", "check_corpus", "load_waveform"]
