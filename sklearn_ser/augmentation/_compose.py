"""Compose: augmenters applied one after the other."""

from __future__ import annotations

import numpy as np

from ._base import Seeded, WaveformAugmenter, as_augmenter


class Compose(WaveformAugmenter):
    """A waveform that went through several augmenters, one after the other: a telephone in a noisy room.

    Read more in the guide: :doc:`robustness </guide/robustness>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import AddNoise, Compose, Room, Telephone
    >>> call = Compose([Room(rt60=0.4), AddNoise(snr=15, color="pink"), Telephone()])
    >>> call(np.sin(np.arange(8000)), 16000, random_state=0).shape
    (8000,)

    Parameters
    ----------
    augmenters : sequence of callables
        In the order in which they are applied, each with its own probability `p`: those of this library, or any
        callables ``(waveform, sr) -> waveform``.
    p : float, default=1.0
        Probability that anything is changed at all.
    """

    _callables = ("augmenters",)

    _parameter_constraints: dict = {**WaveformAugmenter._parameter_constraints, "augmenters": [tuple, list]}

    def __init__(self, augmenters, *, p=1.0):
        self.augmenters = augmenters
        self.p = p

    def _check_params(self):
        super()._check_params()
        for augmenter in self.augmenters:
            as_augmenter(augmenter)

    def _start(self, random_state):
        rng = super()._start(random_state)
        # If none of them is applied, there is nothing to copy: seen on a copy of the generator, which goes on itself.
        planned = [] if rng is None else self._seeded(_copy_of(rng))
        return rng if any(alter.is_applied() for alter in planned) else None

    def _alter(self, waveform, sr, rng):
        for alter in self._seeded(rng):
            waveform = np.asarray(alter(waveform, sr))
        return waveform

    def _length(self, n_times, rng):
        for alter in self._seeded(rng):
            n_times = None if n_times is None else alter.n_times(n_times)
        return n_times

    def _seeded(self, rng) -> list[Seeded]:
        """Each with chance of its own, so that lengths are known without what was drawn for the samples."""
        seeds = rng.integers(2**63, size=len(self.augmenters)).tolist()
        return [Seeded(augmenter, (seed,)) for augmenter, seed in zip(self.augmenters, seeds, strict=True)]

    def _key(self, random_state):
        if type(self).__module__ != __name__:
            return None
        keys = [alter.key() if alter.is_applied() else "-" for alter in self._seeded(self._start(random_state))]
        return None if None in keys else f"Compose {self.p} {random_state} {keys}"


def _copy_of(rng: np.random.Generator) -> np.random.Generator:
    """A generator in the same state, in a tenth of the time that `deepcopy` takes."""
    copy = type(rng.bit_generator)(0)
    copy.state = rng.bit_generator.state
    return np.random.Generator(copy)
