"""Audio input: clips in any accepted form become waveforms; the base of every transformer that reads them."""

from ._base import AudioTransformer
from ._check import check_corpus
from ._chunker import WaveformChunker
from ._decoding import AudioError
from ._load import load_waveform
from ._loader import WaveformLoader

__all__ = ["AudioError", "AudioTransformer", "WaveformChunker", "WaveformLoader", "check_corpus", "load_waveform"]
