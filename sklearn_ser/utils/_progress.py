"""A progress bar that shows itself where somebody waits, and says how much is left."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

DELAY = 2.0  # seconds after which an automatic bar shows itself
_REFRESH = 0.5  # seconds


def is_watched() -> bool:
    """Return whether somebody may be looking: stderr is a terminal, or this is a notebook."""
    if getattr(sys.stderr, "isatty", lambda: False)():
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


class Progress:
    """A bar of text that a thread of its own draws, so that it moves on while one long step takes its time.

    Text is what terminals, notebooks and notebooks that were exported show alike. `n`, `total` and `unit` may change at
    any time.

    Parameters
    ----------
    desc : str
        Description of the work.
    total : float
        How many units there are.
    unit : str
    verbose : int or None
        None shows the bar in a terminal or notebook, after two seconds, and takes it away at the end; 0 never does;
        above 0, it is always shown and stays.
    """

    def __init__(self, desc: str, total: float, unit: str, verbose: int | None = None):
        self.desc, self.n, self.total, self.unit, self.note = desc, 0.0, total, unit, ""
        self._automatic = verbose is None
        self._shown = is_watched() if self._automatic else bool(verbose)
        self._lock, self._done = threading.Lock(), threading.Event()
        self._bar: Any = None
        self._thread: threading.Thread | None = None

    def __enter__(self):
        self._start = time.time()
        if self._shown:
            self._thread = threading.Thread(target=self._draw_until_done, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *exception):
        self._done.set()
        if self._thread is None:
            return
        self._thread.join()
        if self._bar is None and not self._automatic:
            self._draw()
        if self._bar is not None:
            self._draw()
            self._bar.close()

    def update(self, n: float = 1) -> None:
        """Say that `n` more units are done."""
        with self._lock:
            self.n += n

    def iterate(self, iterable: Iterable) -> Iterator:
        """Go through something that has a unit an item."""
        with self:
            for item in iterable:
                yield item
                self.update()

    def _draw_until_done(self) -> None:
        wait = DELAY if self._automatic else 0.1
        while not self._done.wait(wait):
            self._draw()
            wait = _REFRESH

    def _draw(self) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=self.total, desc=self.desc, file=sys.stderr, leave=not self._automatic)
            self._bar.start_t = self._start
        self._bar.unit, self._bar.total = self.unit, max(self.total, self.n)
        self._bar.n = round(self.n)
        self._bar.set_postfix_str(self.note, refresh=False)
        self._bar.refresh()


def with_progress(iterable: Iterable, *, desc: str, total: float, unit: str, verbose: int | None) -> Iterable:
    """The same items, with a bar while they are gone through."""
    if verbose == 0:
        return iterable
    return Progress(desc, total, unit, verbose).iterate(iterable)
