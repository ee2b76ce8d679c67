"""Values of the current version of the cache: who changes what is computed, raises the version and renews them."""

import numpy as np
import pytest

from sklearn_ser import (
    HandcraftedFeatures,
    LowLevelDescriptors,
    MelSpectrogramTransformer,
    WaveformChunker,
    WaveformLoader,
)
from sklearn_ser.audio._cache import VERSION

TIME = np.arange(24000) / 22050
SIGNAL = (0.4 * np.sin(2 * np.pi * (150 * TIME + 20 * TIME**2)) + 0.1 * np.sin(2 * np.pi * 1700 * TIME)) * np.hanning(
    24000
)
STORED = {
    "WaveformLoader()": (1, [2225.725, 0.8104822, 0.2858829]),
    "WaveformChunker(chunk_duration=0.1, overlap=0.5)": (1, [20689.3, -3.173108, 10.16394]),
    "MelSpectrogramTransformer()": (1, [18976.05, 10.7648, 3.19999]),
    "LowLevelDescriptors()": (1, [124118.4, 7.432315, -37.53004]),
    "HandcraftedFeatures(feature_set='default-v2')": (1, [855.5412, 13.87395, 4.613752]),
    "HandcraftedFeatures(feature_set='bledea170')": (1, [170.6527, -37.87741, 2.135682]),
}


def named(transformer):
    """The transformer with its feature set, which print shows only where it is not the default."""
    if isinstance(transformer, HandcraftedFeatures):
        return f"HandcraftedFeatures(feature_set={transformer.feature_set!r})"
    return str(transformer)


def described(transformer):
    """Sums of the values, weighted by three waves, so that they tell which value is where."""
    values = np.nan_to_num(np.asarray(transformer.fit_transform([(SIGNAL, 22050)])[0], dtype=float).ravel())
    place = np.arange(values.size)
    return [float(np.sum(np.arcsinh(np.abs(values)) * np.cos(place * step))) for step in (0, 0.37, 1.9)]


@pytest.mark.parametrize(
    "transformer",
    [
        WaveformLoader(),
        WaveformChunker(0.1, overlap=0.5),
        MelSpectrogramTransformer(),
        LowLevelDescriptors(),
        HandcraftedFeatures(feature_set="default-v2"),
        HandcraftedFeatures(feature_set="bledea170"),
    ],
    ids=named,
)
def test_values_are_those_of_this_version_of_the_cache(transformer):
    """Else a memory would hand out the old ones: raise `VERSION` in audio/_cache.py, and store the new ones here."""
    version, stored = STORED[named(transformer)]
    assert version == VERSION, "the version was raised: store the new values"
    np.testing.assert_allclose(described(transformer), stored, rtol=1e-4, atol=1e-3)
