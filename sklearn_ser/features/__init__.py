"""From audio input to frames (n_clips, n_frames, n_features) or features (n_clips, n_features)."""

from ._frames import FlattenFrames, FrameWise
from ._handcrafted import HandcraftedFeatures
from ._mel import MelSpectrogramTransformer

__all__ = ["FlattenFrames", "FrameWise", "HandcraftedFeatures", "MelSpectrogramTransformer"]
