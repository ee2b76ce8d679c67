"""The parameters of training that all neural classifiers share: constraints, documentation and defaults."""

from __future__ import annotations

import inspect
from numbers import Integral, Real

from ..utils._sklearn_compat import HasMethods, Interval, StrOptions

# What the docstring of every neural classifier says of training, in the place of "<training>"; defaults are its own.
_TRAINING_PARAMETERS = """optimizer : str, dict or keras.optimizers.Optimizer, default={optimizer!r}
        Name of a Keras optimizer, its serialised form (``{{"class_name": "SGD", "config": {{"momentum": 0.9}}}}``), or
        an instance, of which a copy is used.
    learning_rate : float or None, default={learning_rate}
        Learning rate; None leaves the optimizer's own.
    epochs : int, default={epochs}
        Passes over the clips; at most, with `early_stopping`.
    batch_size : int, default={batch_size}
        Clips in a step of training.
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
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the order of the clips, dropout and the split; the same int gives the same
        probabilities on the same machine. No global generator is touched.
    verbose : int, default=0
        Above 0, show a progress bar over the epochs."""
_TRAINING_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        Class labels.
    model_ : keras.Model
        The trained network.
    history_ : dict of list
        Loss and accuracy of each epoch; with `early_stopping` also `val_loss` and `val_accuracy`.
    n_features_in_ : int
        Values of a frame."""


class TrainingParameters:
    """Mixin that holds them. A subclass takes them as ``**training`` and hands them on.

    Its signature, and so `get_params` and `help`, name them one by one, behind its own; a parameter that it names
    itself has its own default. In its docstring, ``<training>`` and ``<trained>`` stand for what is written above.
    """

    _parameter_constraints: dict = {
        "optimizer": [str, dict, HasMethods(["get_config"])],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "model_checkpoint": [str, HasMethods(["__fspath__"]), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        _name_parameters(cls)
        if cls.__doc__ and "<training>" in cls.__doc__:
            defaults = {name: p.default for name, p in inspect.signature(cls.__init__).parameters.items()}
            cls.__doc__ = cls.__doc__.replace("<training>", _TRAINING_PARAMETERS.format_map(defaults)).replace(
                "<trained>", _TRAINING_ATTRIBUTES
            )

    def __init__(
        self,
        *,
        optimizer="adam",
        learning_rate=1e-3,
        epochs=40,
        batch_size=32,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        model_checkpoint=None,
        random_state=None,
        verbose=0,
    ):
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.model_checkpoint = model_checkpoint
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
