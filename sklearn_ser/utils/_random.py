"""Seeds, and the global generators of Python and NumPy, whose state is restored after use."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn.utils import check_random_state

from ._processes import after_fork

_GENERATORS = threading.RLock()  # they belong to the whole process: whoever seeds them is alone with them


@after_fork
def _free_generators() -> None:
    """In a forked child, the thread that held them may not exist."""
    global _GENERATORS
    _GENERATORS = threading.RLock()


def draw_seed(random_state) -> int:
    """A seed from a `random_state` as scikit-learn takes it."""
    return int(check_random_state(random_state).randint(2**31 - 1))


@contextmanager
def seeded(seed: int, numpy_seed: int | None = None) -> Iterator[None]:
    """Seed the global generators of Python and NumPy, by default alike, and leave them as found."""
    with _GENERATORS:
        python_state, numpy_state = random.getstate(), np.random.get_state()
        random.seed(seed)
        np.random.seed(seed if numpy_seed is None else numpy_seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
