"""Process-wide state: BLAS threads, limited for a while and restored; and what a fork makes unusable."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


def after_fork(function: Callable[[], None]) -> None:
    """Have a function called in every child that this process forks from now on."""
    if hasattr(os, "register_at_fork"):  # Windows has no fork
        os.register_at_fork(after_in_child=function)


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def _leave_control() -> None:
    """Let other threads set limits, too: recent versions of threadpoolctl ignore all but the one that did so first."""
    for library in _blas().lib_controllers:
        getattr(library, "clear_controlling_thread", lambda: None)()


class _OneThread:
    """Limits BLAS to one thread while at least one caller wants that.

    The limit holds for the whole process, so callers in several threads share it: the first one sets it, and the last
    one restores what the first one found.
    """

    def __init__(self):
        self._lock, self._callers, self._limiter, self._found = threading.Lock(), 0, None, 1

    @contextmanager
    def __call__(self) -> Iterator[int]:
        """BLAS uses one thread within this context: for small matrices, waking others takes longer than the work.

        The context's value is the number of threads that BLAS may use outside.
        """
        with self._lock:
            if self._callers == 0:
                self._found = max((library.num_threads for library in _blas().lib_controllers), default=1)
                self._limiter = _blas().limit(limits=1)
                _leave_control()
            self._callers += 1
        try:
            yield self._found
        finally:
            with self._lock:
                self._callers = max(0, self._callers - 1)  # a fork within the context has set it to 0
                if self._callers == 0:
                    self._restore()

    def _restore(self) -> None:
        if self._limiter is not None:
            self._limiter.restore_original_limits()
            self._limiter = None
            _leave_control()

    def reset(self) -> None:
        """In a forked child, where no other thread lives on to give the limit back."""
        self._lock, self._callers = threading.Lock(), 0
        self._restore()


one_blas_thread = _OneThread()
after_fork(one_blas_thread.reset)
