"""The parameters of training that all neural classifiers share: constraints, documentation and defaults."""

from __future__ import annotations

import inspect
import textwrap
from numbers import Integral, Real

from ...utils._docstrings import put
from ...utils._sklearn_compat import HasMethods, Interval, StrOptions

# What the docstring of every neural classifier says of training, in the place of "<training>"; defaults are its own.
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
    What is minimised. A loss whose name begins with "sparse" gets the numbers of the classes, any other one-hot
    targets, (n_clips, n_classes); both get probabilities.
metrics : str, callable, keras.metrics.Metric, or list of these, default={metrics!r}
    What `history_` holds beside the loss. They get the targets that the loss gets. Of metric objects, copies are
    used.
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
_TRAINING_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
    Class labels.
model_ : keras.Model
    The trained network.
history_ : dict of list
    Loss and metrics of each epoch; with `early_stopping` or ``validation_data`` also `val_loss` and so on.
held_out_ : {"clips", "groups", "validation_data"} or None
    What the last `fit` held out: clips drawn at random, all clips of some groups, what it was given, or nothing.
n_features_in_ : int
    Values of a frame."""


class TrainingParameters:
    """Mixin that holds them. A subclass takes them as ``**training`` and hands them on.

    Its signature, and so `get_params` and `help`, name them one by one, behind its own; a parameter that it names
    itself has its own default. In its docstring, ``<training>`` and ``<trained>`` stand for what is written above, and
    ``<groups>`` for a sentence that says which of its parameters are of what.
    """

    _parameter_constraints: dict = {
        "optimizer": [str, dict, HasMethods(["get_config"])],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_schedule": [StrOptions({"cosine", "linear"}), callable, None],
        "loss": [str, callable],
        "metrics": [str, callable, list, tuple],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
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
        _name_parameters(cls)
        if cls.__doc__ and "<training>" in cls.__doc__:
            defaults = {name: p.default for name, p in inspect.signature(cls.__init__).parameters.items()}
            said = {
                "groups": _name_groups(list(defaults)[1:]),
                "training": _TRAINING_PARAMETERS.format_map(defaults),
                "trained": _TRAINING_ATTRIBUTES,
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
        loss="sparse_categorical_crossentropy",
        metrics="accuracy",
        label_smoothing=0.0,
        class_weight=None,
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
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
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


def _name_parameters(cls) -> None:
    """Write the parameters of training into the signature of an `__init__` that takes them as ``**training``."""
    own = list(inspect.signature(cls.__init__).parameters.values())
    if "__init__" not in vars(cls) or own[-1].name != "training":
        return
    shared = inspect.signature(TrainingParameters.__init__).parameters.values()
    names = {parameter.name for parameter in own}
    added = [parameter for parameter in shared if parameter.name not in names]
    cls.__init__.__signature__ = inspect.Signature([*own[:-1], *added])


def _name_groups(names) -> str:
    """Say where the groups of a classifier's parameters begin and end."""
    shared = list(inspect.signature(TrainingParameters.__init__).parameters)[1:]
    augmentation, others = shared.index("time_mask"), shared.index("random_state")
    groups = {
        "the network": [name for name in names if name not in shared],
        "training": shared[:augmentation],
        "augmentation of frames": shared[augmentation:others],
    }
    ends = ", ".join(f"{group} (`{of[0]}` to `{of[-1]}`)" for group, of in groups.items() if of)
    last = " and ".join(f"`{name}`" for name in shared[others:])
    return textwrap.fill(f"Its parameters, in groups: {ends}, then {last}.", 116)
