"""Import of Keras: scikeras' wrapper, with its batches, weights and callbacks.

Nothing imports this module before a network is built, loaded or trained.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import sys
import threading
from contextlib import contextmanager

from ..utils._processes import after_fork

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if multiprocessing.parent_process() is not None and "OMP_NUM_THREADS" in os.environ:
    # A worker of joblib: TensorFlow would take all cores in each of them, joblib says how many are this one's.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", os.environ["OMP_NUM_THREADS"])
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


_NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWEF]0000 00:00:\d+\.\d+ +\d+ [\w./]+\.(cc|h):\d+\]"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] (tensorflow|external)/\S+\]"
    rb"|To enable the following instructions: .* rebuild TensorFlow"
)


@contextmanager
def _quiet_loading():
    """Drop the lines that TensorFlow's libraries write to stderr while they load; show them if loading fails.

    They write before their logging is set up: in TensorFlow 2.18 and 2.21, neither TF_CPP_MIN_LOG_LEVEL nor absl's
    minimum level keeps them from it. Stderr belongs to the whole process: a thread passes on all other lines at once.
    """
    try:
        shown = os.dup(2)
    except OSError:  # a program without a stderr
        yield
        return
    read, write = os.pipe()
    dropped: list[bytes] = []
    filtering = threading.Thread(target=_pass_on, args=(read, shown, dropped), daemon=True)
    filtering.start()
    os.dup2(write, 2)
    os.close(write)
    try:
        yield
    except BaseException:
        os.write(shown, b"".join(dropped))
        raise
    finally:
        os.dup2(shown, 2)
        filtering.join(timeout=2)  # a child process may hold the pipe for longer: its lines are passed on, too


def _pass_on(read: int, shown: int, dropped: list[bytes]) -> None:
    """Copy a pipe to a file, line by line, but for the lines of TensorFlow's loading; closes both at the end."""
    with open(read, "rb", buffering=0) as source, open(shown, "wb", buffering=0) as sink:
        rest = b""
        while part := source.read(65536):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                if _NOISE.match(line):
                    dropped.append(line + b"\n")
                else:
                    sink.write(line + b"\n")
        sink.write(rest)


try:
    with _quiet_loading():
        import keras
except ModuleNotFoundError as error:
    raise ImportError(
        f"Networks need Keras, scikeras and TensorFlow, and there is {str(error).lower()}: "
        "pip install keras scikeras tensorflow."
    ) from error


_home: int | None = None  # the process in which networks have run: its threads, which compute, do not outlive a fork


def check_process() -> None:
    """To be called before anything is computed.

    Raises
    ------
    RuntimeError
        In a process that was forked from one in which networks had run: there it would wait for ever.
    """
    global _home
    if _home is None:
        _home = os.getpid()
    elif _home != os.getpid():
        raise RuntimeError(
            f"A network cannot be used in process {os.getpid()}, which was forked from process {_home} after networks "
            "had run there: their threads do not live on in it. Load the pipeline after the fork, or start workers by "
            "'spawn' or 'forkserver', or with joblib's default backend."
        )


@after_fork
def _note_fork() -> None:
    """Note a fork after the program itself has used TensorFlow."""
    global _home
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "_context", None)
    if _home is None and getattr(context, "_context_handle", None) is not None:
        _home = os.getppid()


def _import_scikeras():
    """Import scikeras without the changes that it makes to Keras' classes for the whole process."""
    if "scikeras" not in sys.modules:
        owners = [keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer]
        kept = [(owner, name, vars(owner).get(name)) for owner in owners for name in ("__reduce__", "__deepcopy__")]
        import scikeras.wrappers

        for owner, name, method in kept:
            if method is not None:
                setattr(owner, name, method)
            elif name in vars(owner):
                delattr(owner, name)
    import scikeras.wrappers

    return scikeras.wrappers.KerasClassifier


with _quiet_loading():
    KerasClassifier = _import_scikeras()
# Every training compiles functions of its own, which TensorFlow takes for an oversight after the fifth.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())


def all_layers(model) -> list:
    """The model itself and all layers inside it, outer ones before inner ones."""
    return list(model._flatten_layers(include_self=True, recursive=True))


class Wrapper(KerasClassifier):  # type: ignore[misc, valid-type]
    """scikeras' classifier for input that is validated already: NaN marks padding, labels are 0 .. n_classes - 1."""

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
        return X, y

    @property
    def target_encoder(self):
        from sklearn.preprocessing import FunctionTransformer

        return FunctionTransformer().set_output(transform="default")  # whatever is set for all transformers

    feature_encoder = target_encoder

    def _fit_keras_model(self, X, y, sample_weight, *, batches, callbacks, **params):
        self._fit_callbacks = [batches, *callbacks]
        super()._fit_keras_model(batches.dataset(), None, sample_weight=None, **params)
