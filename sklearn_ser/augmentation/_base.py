"""Base of augmenters: parameters that may be ranges, one random generator, and a seed for each clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

from ..audio._load import load_waveform
from ..utils._messages import short
from ..utils._random import seeded
from ..utils._sklearn_compat import Interval, StrOptions
from ..utils._versions import VersionedMixin


def _generator(random_state) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        return np.random.Generator(random_state._bit_generator)
    return np.random.default_rng(random_state)


class WaveformAugmenter(VersionedMixin, BaseEstimator):
    """Base of the augmenters. A subclass has `_alter(waveform, sr, rng)`, and `_length(n_times, rng)` if that changes.

    A parameter whose first constraint is an interval may be a number or a range (low, high) that each call draws from;
    one whose first constraint is a set of options may be one of them or a sequence of which each call draws one.
    """

    _parameter_constraints: dict = {"p": [Interval(Real, 0, 1, closed="both")]}

    def __call__(self, waveform, sr, random_state=None):
        """The altered waveform; with probability 1 - p, the waveform as it is.

        Parameters
        ----------
        waveform : array-like of shape (n_times,)
            Left as it is.
        sr : int
            Its sampling rate, Hz.
        random_state : int, Generator, RandomState or None, default=None
            Where chance comes from; None takes fresh entropy. No global generator is touched.

        Returns
        -------
        waveform : ndarray of shape (n_times,), float32

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the waveform is empty, not finite, or not one-dimensional.
        """
        self._check_params()
        return self._apply(load_waveform(waveform, sr), sr, random_state)

    def n_times(self, n_times, random_state=None):
        """Length of the result.

        Parameters
        ----------
        n_times : int
            Samples of the waveform.
        random_state : int, Generator, RandomState or None, default=None
            The call's.

        Returns
        -------
        n_times : int or None
            None where only the waveform can tell: `Compose` with a third-party callable.
        """
        self._check_params()
        return self._planned_length(n_times, random_state)

    # The methods below are for callers that have checked the parameters before, which takes as long as altering a clip.

    def _apply(self, waveform: np.ndarray, sr: int, random_state) -> np.ndarray:
        rng = self._start(random_state)
        return waveform if rng is None else self._alter(waveform, sr, rng).astype(np.float32, copy=False)

    def _planned_length(self, n_times: int, random_state) -> int | None:
        rng = self._start(random_state)
        return n_times if rng is None else self._length(n_times, rng)

    def _start(self, random_state) -> np.random.Generator | None:
        """The generator that the call goes on with, or None if it leaves the waveform alone."""
        rng = _generator(random_state)
        return rng if rng.random() < self.p else None

    def _check_params(self) -> None:
        self._validate_params()
        for name, value in self.get_params(deep=False).items():
            rule = self._parameter_constraints[name][0]
            if not isinstance(value, (tuple, list)) or not isinstance(rule, (Interval, StrOptions)):
                continue
            if isinstance(rule, Interval):
                right = len(value) == 2 and all(map(rule.is_satisfied_by, value)) and value[0] <= value[1]
                several = "a range (low, high) of such"
            else:
                right = len(value) > 0 and all(map(rule.is_satisfied_by, value))
                several = "a sequence of such, of which each call draws one"
            if not right:
                raise ValueError(f"{name} must be {rule}, or {several}. Got {name}={short(value)}.")

    def _drawn(self, name: str, rng):
        """The parameter's value for this call."""
        value = getattr(self, name)
        if not isinstance(value, (tuple, list)):
            return value
        if isinstance(value[0], str):
            return value[rng.integers(len(value))]
        whole = all(isinstance(end, Integral) for end in value) and _takes_whole_numbers(self, name)
        return int(rng.integers(*value, endpoint=True)) if whole else rng.uniform(*value)

    def _length(self, n_times: int, rng) -> int:
        return n_times

    def _key(self, random_state) -> str | None:
        """Describe a call in words; None for the user's own classes, whose code may change."""
        if not type(self).__module__.startswith(f"{__package__}."):
            return None
        params = {name: getattr(self, name) for name in _parameter_names(type(self))}  # type: ignore[arg-type]
        return f"{type(self).__name__} {params} {random_state}"


@cache
def _parameter_names(augmenter: type[WaveformAugmenter]) -> list[str]:
    """As `get_params` has them, which takes as long as altering a clip."""
    return augmenter._get_param_names()


def _takes_whole_numbers(augmenter: WaveformAugmenter, name: str) -> bool:
    return augmenter._parameter_constraints[name][0].type is Integral


@dataclass(frozen=True, eq=False)
class Seeded:
    """An augmenter with a seed of its own: it makes the same of a waveform, whenever and wherever it is called."""

    augmenter: Callable  # made out by `as_augmenter`
    seed: tuple[int, ...]
    name: str = ""  # what errors call it

    def __call__(self, waveform: np.ndarray, sr: int) -> np.ndarray:
        if isinstance(self.augmenter, WaveformAugmenter):
            return self.augmenter._apply(waveform, sr, self.seed)
        if _takes_random_state(self.augmenter):
            return self.augmenter(waveform, sr, random_state=np.random.default_rng(self.seed))
        words = np.random.SeedSequence(self.seed).generate_state(2)
        with seeded(*map(int, words)):
            return self.augmenter(waveform.copy(), sr)  # a copy, because it may be the user's own array

    def __str__(self):
        return self.name

    def is_applied(self) -> bool:
        """Return whether the augmenter alters anything; one that is not this library's is assumed to."""
        return not isinstance(self.augmenter, WaveformAugmenter) or self.augmenter._start(self.seed) is not None

    def key(self) -> str | None:
        """Describe the augmenter in words; None for one that is not this library's, whose code may change."""
        return self.augmenter._key(self.seed) if isinstance(self.augmenter, WaveformAugmenter) else None

    def n_times(self, n_times: int) -> int | None:
        return (
            self.augmenter._planned_length(n_times, self.seed)
            if isinstance(self.augmenter, WaveformAugmenter)
            else None
        )


def as_augmenter(augmenter) -> tuple[Callable, str]:
    """The augmenter, if it is one and its parameters are right, and what errors call it.

    Raises
    ------
    TypeError, ValueError
        If it cannot be called with a waveform, or a parameter is out of its range.
    """
    if not callable(augmenter) or isinstance(augmenter, type):
        raise TypeError(
            "An augmenter must be a callable (waveform, sr) -> waveform, such as AddNoise(snr=20). "
            f"Got {short(augmenter)}."
        )
    if isinstance(augmenter, WaveformAugmenter):
        augmenter._check_params()
    return augmenter, getattr(augmenter, "__name__", None) or short(augmenter)


def _takes_random_state(function: Callable) -> bool:
    try:
        return "random_state" in signature(function).parameters
    except (TypeError, ValueError):  # written in C
        return False
