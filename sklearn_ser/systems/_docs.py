"""The parameters that all published systems share, for their docstrings."""

from __future__ import annotations

import inspect

from ..utils._docstrings import put

_COMMON = """random_state : int, RandomState instance or None, default=None
    Seeds whatever is random: the same int gives the same predictions on the same machine.
epochs : int, default={epochs}
    Passes over the clips{at_most}.
verbose : int, default=0
    Above 0, show progress bars."""


def _system(function):
    """Complete the docstring with the parameters that all systems have."""
    if not function.__doc__:  # python -OO
        return function
    epochs = inspect.signature(function).parameters["epochs"].default
    for place, at_most in (("common", ""), ("common, at most", " at most")):
        function.__doc__ = put(_COMMON.format(epochs=epochs, at_most=at_most), place, function.__doc__)
    return function
