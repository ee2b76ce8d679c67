"""Text that several docstrings share."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap


def put(text: str, place: str, doc: str) -> str:
    """Put text in a docstring where a line of it is ``<place>``, indented as that line is.

    How far that is depends on Python: from 3.13 on, docstrings lose the indentation that their lines share.

    Examples
    --------
    >>> print(put("x : int\\n    Common to all.\\n", "shared", "Parameters\\n----------\\n<shared>\\n"))
    Parameters
    ----------
    x : int
        Common to all.
    <BLANKLINE>
    """
    lines = inspect.cleandoc(text)
    return re.sub(rf"^( *)<{place}>$", lambda line: textwrap.indent(lines, line[1]), doc, flags=re.MULTILINE)


_READING = """
offset : float, default=0.0
    Where to begin to read each clip, seconds.
duration : float or None, default=None
    How much of it to read, seconds; None reads to the end.
normalize : {{"rms", "peak"}} or None, default={normalize}
    Scale each clip to a root mean square of 1 or a largest magnitude of 1 first{why}.
channel : "mean" or int, default="mean"
    The mean of a recording's channels, or one of them, counted from 0; a column `channel` of X goes before.
memory : str, PathLike, joblib.Memory or None, default=None
    {memory}
n_jobs : int or None, default=None
    Clips {done} at a time, by joblib; {workers}.
verbose : int, default=0
    Above 0, show a progress bar.
"""
_MEMORY = (
    "Folder that keeps what is made of each clip, so that however many fits and folds ask for a clip, it is {done} "
    "once; None keeps nothing. A clip is known by its content, so that a changed file is {done} again."
)


def reading_parameters(
    done: str,
    *,
    why: str = "",
    memory: str = _MEMORY,
    workers: str = "threads unless `joblib.parallel_config` says otherwise",
):
    """Complete the docstring of an audio transformer: ``<reading>`` stands for the parameters by which clips are read.

    Parameters
    ----------
    done : str
        Word for what is done to clips: "analyzed", "decoded".
    why, memory, workers : str
        Why clips are normalized, what the memory keeps, and which workers `n_jobs` counts, where that is special.
    """

    def complete(cls):
        if cls.__doc__:  # not under python -OO
            default = inspect.signature(cls).parameters["normalize"].default
            normalize = f'"{default}"' if default else "None"
            text = _READING.format(
                normalize=normalize, why=why, memory=memory.format(done=done), done=done, workers=workers
            )
            wrap = functools.partial(textwrap.fill, width=112, subsequent_indent="    ", break_long_words=False)
            cls.__doc__ = put("\n" + "\n".join(map(wrap, text.strip().splitlines())), "reading", cls.__doc__)
        return cls

    return complete
