"""The parameters of training that all networks share: constraints, documentation and defaults."""

from __future__ import annotations

import inspect
import re
import textwrap
from numbers import Integral, Real

from ...utils._docstrings import put
from ...utils._sklearn_compat import HasMethods, Interval, StrOptions

# Stands in the docstring of every trained network in the place of "<training>", as far as it has these parameters;
# defaults are its own. Texts that differ between classifiers and regressors stand below.
_TRAINING_PARAMETERS = """optimizer : str, dict or keras.optimizers.Optimizer, default={optimizer!r}
    Name of a Keras optimizer, its serialised form (``{{"class_name": "SGD", "config": {{"momentum": 0.9}}}}``), or
    an instance, of which a copy is used.
learning_rate : float or None, default={learning_rate}
    Learning rate; None leaves the optimizer's own.
learning_rate_schedule : str, callable, keras LearningRateSchedule or None, default={learning_rate_schedule!r}
    How the learning rate changes: "cosine" (Loshchilov and Hutter, 2017) and "linear" lower it to zero over the
    `epochs` of a `fit`; a function takes the number of the epoch and the learning rate, and returns the new one; a
    schedule object of Keras counts steps, and replaces `learning_rate`. None keeps it constant.
epochs : int, default={epochs}
    Passes over the clips; at most, with `early_stopping`.
batch_size : int, default={batch_size}
    Clips in a step of training.
loss : str, callable or keras.losses.Loss, default={loss!r}
    <loss>
metrics : str, callable, keras.metrics.Metric, or list of these, default={metrics!r}
    Metrics that `history_` holds beside the loss; objects are copied. <metrics>
label_smoothing : float, default={label_smoothing}
    Probability that is taken from a training clip's class and shared out among all classes (Szegedy et al.,
    2016).
class_weight : dict, "balanced" or None, default=None
    Weight of each class in the loss; "balanced" gives all classes the same total.
early_stopping : bool, default=False
    Hold out a stratified part of the clips, stop when the loss on it no longer falls, and keep the best epoch. With
    ``fit(..., groups=...)``, no group (speaker) stands on both sides.
validation_fraction : float, default=0.1
    Fraction of the clips held out by `early_stopping`.
n_iter_no_change : int, default=10
    Epochs without improvement that `early_stopping` waits.
tol : float, default=1e-4
    Least fall of the loss that counts as improvement.
warm_start : bool, default=False
    Whether `fit` continues to train the existing network.
model_checkpoint : str, PathLike or None, default=None
    A `.keras` file that is to hold the best epoch so far (by the loss on held-out clips with `early_stopping`, else
    by the training loss) while training goes on. If training is cut off, the same `fit` resumes from it, and ends
    as if it had never been interrupted. `keras.saving.load_model` reads the file.
callbacks : keras.callbacks.Callback, callable, list of these, or None, default=None
    Keras callbacks, of which each `fit` uses copies, or functions (or classes) without arguments that make them. A
    resumed training begins with new ones.
time_mask : float, default={time_mask}
    SpecAugment (Park et al., 2019): two stretches of frames, each of a random length up to this fraction of the
    clip, are set to zero. This and what follows is drawn anew for each clip and epoch of training.
feature_mask : float, default={feature_mask}
    The same for neighbouring features, such as mel bands. Zero is a feature's mean where frames are standardised.
feature_shift : float, default={feature_shift}
    Features, such as mel bands, are moved up or down by up to so many places, as a longer or shorter vocal tract
    does (vocal tract length perturbation, Jaitly and Hinton, 2013).
speed : float, default={speed}
    Clips are made up to ``exp(speed)`` times faster or slower by interpolation between frames (Ko et al., 2015);
    0.2 is 22 %.
crop : float, default={crop}
    Least fraction of a clip that is kept of it; which part is random. 1.0 keeps whole clips.
mixup : float, default={mixup}
    Clips are mixed in pairs, with their targets, in proportions from a Beta distribution with both parameters of
    this value (Zhang et al., 2018); 0.0 mixes none.
random_state : int, RandomState instance or None, default=None
    Seeds the initial weights, the order of the clips, dropout, augmentation and the split; the same int gives the
    same probabilities on the same machine. No global generator is touched.
verbose : int, default=0
    Above 0, show a progress bar over the epochs."""
_LOSS = {
    "classes": """The loss that is minimized. A loss whose name begins with "sparse" gets the numbers of the classes,
    any other one-hot targets, (n_clips, n_classes); both get probabilities. Soft labels, mixup and label smoothing
    turn the default into "categorical_crossentropy".""",
    "values": """The loss that is minimized: a Keras loss, or "ccc", one minus the concordance correlation coefficient
    of a batch (Lin, 1989), with population variances, averaged over the dimensions. It needs batches of some dozen
    clips. Other losses are computed in the units of y, so that a dimension of larger range counts for more; "ccc"
    weighs all alike.""",
}
_METRICS = {
    "classes": """Those of Keras get the targets that they are made for, your own those that the loss gets.""",
    "values": """They get the values of the clips.""",
}
_CLASSES = """classes_ : ndarray of shape (n_classes,)
    Class labels.
"""
_TRAINING_ATTRIBUTES = """model_ : keras.Model
    The trained network.
history_ : dict of list
    Loss and metrics of each epoch; with `early_stopping` or ``validation_data`` also `val_loss` and so on.
held_out_ : {"clips", "groups", "validation_data"} or None
    Data that the last `fit` held out: clips drawn at random, all clips of some groups, what it was given, or nothing.
n_features_in_ : int
    Values of a frame."""
_PICKLED = """A pickled {} holds architecture and weights, not the optimizer's state: training that resumes from it
(`warm_start`, `partial_fit`) begins with a fresh optimizer."""


class TrainingParameters:
    """Mixin that holds them. A subclass takes them as ``**training`` and hands them on.

    Its signature, and so `get_params` and `help`, names them one by one, behind its own; a parameter that it names
    itself has its own default. In its docstring, ``<training>``, ``<trained>`` and ``<pickled>`` stand for the texts
    above, ``<network>`` for its `_network_parameters`, and ``<groups>`` for a sentence that says which parameters
    belong together.
    """

    _parameter_constraints: dict = {
        "optimizer": [str, dict, HasMethods(["get_config"])],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_schedule": [StrOptions({"cosine", "linear"}), callable, None],
        "loss": [str, callable],
        "metrics": [str, callable, list, tuple],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "model_checkpoint": [str, HasMethods(["__fspath__"]), None],
        "callbacks": [callable, HasMethods(["set_model"]), list, tuple, None],
        "time_mask": [Interval(Real, 0, 1, closed="left")],
        "feature_mask": [Interval(Real, 0, 1, closed="left")],
        "feature_shift": [Interval(Real, 0, None, closed="left")],
        "speed": [Interval(Real, 0, None, closed="left")],
        "crop": [Interval(Real, 0, 1, closed="right")],
        "mixup": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        parameters = _all_parameters(cls)
        if "__init__" not in vars(cls):  # of its own, because another class with this one has another signature

            def __init__(self, *args, **params):
                super(cls, self).__init__(*args, **params)

            cls.__init__ = __init__
        cls.__init__.__signature__ = inspect.Signature(list(parameters.values()))
        if cls.__doc__ and "<training>" in cls.__doc__:
            of_classes = "class_weight" in parameters
            said = {
                "groups": _name_groups(list(parameters)[1:]),
                "network": getattr(cls, "_network_parameters", ""),
                "training": _describe({name: parameter.default for name, parameter in parameters.items()}, of_classes),
                "trained": (_CLASSES if of_classes else "") + _TRAINING_ATTRIBUTES,
                "pickled": _PICKLED.format("classifier" if of_classes else "regressor"),
            }
            for place, text in said.items():
                cls.__doc__ = put(text, place, cls.__doc__)

    def __init__(
        self,
        *,
        optimizer="adam",
        learning_rate=1e-3,
        learning_rate_schedule=None,
        epochs=40,
        batch_size=32,
        loss,
        metrics,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        model_checkpoint=None,
        callbacks=None,
        time_mask=0.0,
        feature_mask=0.0,
        feature_shift=0.0,
        speed=0.0,
        crop=1.0,
        mixup=0.0,
        random_state=None,
        verbose=0,
    ):
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.loss = loss
        self.metrics = metrics
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.model_checkpoint = model_checkpoint
        self.callbacks = callbacks
        self.time_mask = time_mask
        self.feature_mask = feature_mask
        self.feature_shift = feature_shift
        self.speed = speed
        self.crop = crop
        self.mixup = mixup
        self.random_state = random_state
        self.verbose = verbose


def _all_parameters(cls) -> dict[str, inspect.Parameter]:
    """Parameters of a class: its own, then those that bases take as ``**training``, in the order of the text."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if "__init__" in vars(base):
            found |= {n: p for n, p in inspect.signature(vars(base)["__init__"]).parameters.items() if n not in found}
            if found.pop("training", None) is None:
                break
    shared = [name for name in _order() if name in found]
    return {name: found[name] for name in [*(name for name in found if name not in shared), *shared]}


def _order() -> list[str]:
    return re.findall(r"^(\w+) : ", _TRAINING_PARAMETERS, re.MULTILINE)


def _describe(defaults: dict, of_classes: bool) -> str:
    """Write the entries of the parameters that a class has."""
    entries = re.split(r"^(?=\w+ : )", _TRAINING_PARAMETERS, flags=re.MULTILINE)
    kind = "classes" if of_classes else "values"
    text = "".join(entry for entry in entries if entry.split(" : ")[0] in defaults).rstrip("\n")
    text = text.replace("<loss>", _LOSS[kind]).replace("<metrics>", _METRICS[kind])
    return text.format_map(defaults)


def _name_groups(names) -> str:
    """Say where the groups of the parameters begin and end."""
    shared = [name for name in _order() if name in names]
    augmentation, others = shared.index("time_mask"), shared.index("random_state")
    groups = {
        "the network": [name for name in names if name not in shared],
        "training": shared[:augmentation],
        "augmentation of frames": shared[augmentation:others],
    }
    ends = ", ".join(f"{group} (`{of[0]}` to `{of[-1]}`)" for group, of in groups.items() if of)
    last = " and ".join(f"`{name}`" for name in shared[others:])
    return textwrap.fill(f"Its parameters, in groups: {ends}, then {last}.", 116)
