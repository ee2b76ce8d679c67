"""Saved estimators record the version of this library, and warn if another one loads them."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from ._by_value import portable, restored
from ._doc_link import DocLinkMixin

_VERSION = "_sklearn_ser_version"  # in the state, as scikit-learn's own estimators have `_sklearn_version`


class VersionMismatchWarning(InconsistentVersionWarning):
    """An estimator was saved by another version of this library than the one that loads it.

    A subclass of scikit-learn's `InconsistentVersionWarning`, so filters for that one apply.

    Read more in the guide: :doc:`serving </guide/serving>`.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_ser import VersionMismatchWarning
    >>> warnings.simplefilter("error", VersionMismatchWarning)  # doctest: +SKIP
    >>> print(VersionMismatchWarning(estimator_name="FrameWise", current_version="0.2", original_version="0.1"))
    FrameWise was saved by sklearn_ser 0.1 and is loaded by 0.2. It may fail, or predict otherwise than it did. Fit it
    again, or install the version that saved it.

    Parameters
    ----------
    estimator_name : str
        Class of the estimator.
    current_version, original_version : str
        Version that loads it, and the one that saved it.
    changed : str or None, default=None
        A known difference beside the version, such as another feature set.
    """

    def __init__(self, *, estimator_name, current_version, original_version, changed=None):
        self.estimator_name = estimator_name
        self.current_version = current_version
        self.original_version = original_version
        self.changed = changed

    def __str__(self):
        return (
            f"{self.estimator_name} was saved by sklearn_ser {self.original_version} and is loaded by "
            f"{self.current_version}. "
            + (f"{self.changed} " if self.changed else "It may fail, or predict otherwise than it did. ")
            + "Fit it again, or install the version that saved it."
        )


def _same(one, other) -> bool:
    """Return whether two digests are of the same thing."""
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)) or one.shape != other.shape:
        return False
    return np.allclose(one, other, rtol=1e-3, atol=1e-4)


def current_version() -> str:
    """Return the version of this library."""
    from .. import __version__

    return __version__


class VersionedMixin(DocLinkMixin):
    """For all estimators of this library: their state holds its version, and a state of another version warns.

    A subclass names what else must be as it was in `_digests`, and in `_callables` the parameters that may be functions
    or lists of functions, which are saved with their code where no other process could import them.
    """

    _callables: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):  # scikit-learn's mixins take keywords, which type checkers cannot know
        super().__init_subclass__(**kwargs)

    def _digests(self) -> dict[str, np.ndarray]:
        """Names of what predictions depend on besides parameters and attributes, and numbers that tell it apart.

        The numbers are compared with a tolerance, because another processor or version of NumPy rounds otherwise.
        """
        return {}

    def __getstate__(self):
        state = {**super().__getstate__(), _VERSION: current_version()}
        state.update({name: portable(state[name]) for name in self._callables if name in state})
        digests = self._digests()
        return {**state, "_sklearn_ser_digests": digests} if digests else state

    def __setstate__(self, state):
        state = dict(state)
        written, digests = state.pop(_VERSION, "before 0.1.0"), state.pop("_sklearn_ser_digests", {})
        state.update({name: restored(state[name]) for name in self._callables if name in state})
        super().__setstate__(state)
        now = self._digests()
        different = [name for name, digest in digests.items() if not _same(digest, now.get(name))]
        if written == current_version() and not different:
            return
        changed = (
            f"The {' and '.join(different)} has changed since: what was learned may not fit." if different else None
        )
        names = dict(estimator_name=type(self).__name__, current_version=current_version(), original_version=written)
        warnings.warn(VersionMismatchWarning(**names, changed=changed), stacklevel=2)
