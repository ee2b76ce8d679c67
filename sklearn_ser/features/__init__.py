"""From audio input to frames (n_clips, n_frames, n_features) or features (n_clips, n_features)."""

from ._autoencoder import SparseAutoencoderFeatures
from ._framewise import FlattenFrames, FrameWise
from ._functionals import Functionals
from ._handcrafted import HandcraftedFeatures
from ._lld import LowLevelDescriptors
from ._mel import MelSpectrogramTransformer
from ._waveform import WaveformFeatures

__all__ = [
    "FlattenFrames",
    "FrameWise",
    "Functionals",
    "HandcraftedFeatures",
    "LowLevelDescriptors",
    "MelSpectrogramTransformer",
    "SparseAutoencoderFeatures",
    "WaveformFeatures",
]
