"""What the parameters of training mean to Keras: optimizer, loss, targets, metrics and callbacks."""

from __future__ import annotations

import copy
import math

import numpy as np

from ...utils._messages import short


def compile_model(classifier, fitted) -> None:
    """Compile a network as the parameters say, with its layers frozen or not as they are now.

    A network that is compiled so already is left alone. The optimizer's state is kept while it is the same optimizer of
    the same weights.
    """
    from .._keras import all_layers

    model, optimizer, loss = fitted.model, make_optimizer(classifier), training_loss(classifier)
    like, compiled_with = optimizer, classifier._compiled_with(optimizer)
    of_optimizer = _description(optimizer), [id(variable) for variable in model.trainable_variables]
    wanted = (of_optimizer, [layer.trainable for layer in all_layers(model)], loss, classifier.metrics, compiled_with)
    if model.compiled and fitted.compiled_as is not None and fitted.compiled_as[0] == of_optimizer:
        if classifier.learning_rate is not None or isinstance(classifier.learning_rate_schedule, str):
            _set_learning_rate(model.optimizer, optimizer)
        optimizer = model.optimizer
    classifier._adapt_optimizer(optimizer, like)
    if not model.compiled or fitted.compiled_as != wanted:
        model.compile(optimizer, loss, metrics=make_metrics(classifier))
        fitted.compiled_as = wanted


def _description(optimizer) -> tuple:
    """What makes two optimizers the same, but for a learning rate that is a number."""
    config = optimizer.get_config()
    if not isinstance(config.get("learning_rate"), dict):  # a schedule
        config.pop("learning_rate", None)
    config.pop("name", None)
    return type(optimizer), config


def _set_learning_rate(optimizer, like) -> None:
    if not isinstance(like.get_config().get("learning_rate"), dict):
        optimizer.learning_rate = float(np.asarray(like.learning_rate))


def make_optimizer(classifier):
    """The optimizer that the parameters name, a new one."""
    from .._keras import keras

    given, schedule = classifier.optimizer, classifier.learning_rate_schedule
    try:
        if isinstance(given, (str, dict)):
            optimizer = keras.optimizers.get(copy.deepcopy(given))  # Keras writes into the dict
        else:  # a copy, because an optimizer belongs to the one network that it trains
            optimizer = type(given).from_config(given.get_config())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            "optimizer must be the name of a Keras optimizer, such as 'adam', 'sgd' or 'rmsprop', its serialised "
            f"form, or an instance. Got {short(given)}."
        ) from error
    rate = classifier.learning_rate
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        rate = schedule
    if rate is not None:
        config = optimizer.get_config()
        if isinstance(rate, float | int) and isinstance(config["learning_rate"], dict):
            config["learning_rate"] = rate  # which can replace a schedule only in the making
            optimizer = type(optimizer).from_config(config)
        else:
            optimizer.learning_rate = rate
    return optimizer


def training_loss(classifier):
    """The loss as a function or an object of Keras; one that reads one-hot targets where these are soft."""
    from .._keras import keras

    try:
        loss = keras.losses.get(classifier.loss)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "loss must be the name of a Keras loss, such as 'sparse_categorical_crossentropy' or "
            "'categorical_focal_crossentropy', a function of targets and probabilities, or a keras.losses.Loss. "
            f"Got {short(classifier.loss)}."
        ) from error
    if not (reads_classes(loss) and (classifier.label_smoothing or classifier.mixup)):
        return loss
    if loss is keras.losses.sparse_categorical_crossentropy:
        return keras.losses.categorical_crossentropy
    raise ValueError(
        "label_smoothing and mixup need a loss that reads one-hot targets, such as 'categorical_crossentropy'. "
        f"Got loss={short(classifier.loss)} with label_smoothing={classifier.label_smoothing} and "
        f"mixup={classifier.mixup}."
    )


def reads_classes(loss) -> bool:
    """Whether a loss gets the numbers of the classes, and not one-hot targets."""
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", "")).lower().startswith("sparse")


def targets(classifier, y, n_outputs: int, label_smoothing: float) -> np.ndarray:
    """What the loss compares probabilities with: the numbers of the classes, or (n_clips, n_outputs)."""
    if reads_classes(training_loss(classifier)):
        return y
    one_hot = np.eye(n_outputs, dtype=np.float32)[y]
    return one_hot * np.float32(1 - label_smoothing) + np.float32(label_smoothing / n_outputs)


def make_metrics(classifier) -> list:
    """The metrics, of objects a copy, because they count what they see."""
    from .._keras import keras

    given = classifier.metrics
    metrics = []
    for metric in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(metric, str):
            try:
                keras.metrics.get(metric)
            except (ValueError, TypeError) as error:
                raise ValueError(
                    f"metrics must hold names of Keras metrics, such as 'accuracy', functions of targets and "
                    f"probabilities, or keras.metrics.Metric objects. Got {short(metric)}."
                ) from error
        metrics.append(copy.deepcopy(metric) if isinstance(metric, keras.metrics.Metric) else metric)
    return metrics


def make_callbacks(classifier, *, first_epoch: int, epochs: int) -> list:
    """The user's callbacks, new ones or copies; before them, what changes the learning rate."""
    from .._keras import keras

    made, given, schedule = [], classifier.callbacks, classifier.learning_rate_schedule
    if isinstance(schedule, str):
        base = float(np.asarray(make_optimizer(classifier).learning_rate))
        fall = {"cosine": lambda done: (1 + math.cos(math.pi * done)) / 2, "linear": lambda done: 1 - done}[schedule]
        made.append(keras.callbacks.LearningRateScheduler(lambda epoch, _: base * fall((epoch - first_epoch) / epochs)))
    elif schedule is not None and not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        made.append(keras.callbacks.LearningRateScheduler(schedule))
    for callback in given if isinstance(given, (list, tuple)) else [] if given is None else [given]:
        if isinstance(callback, keras.callbacks.Callback):
            callback = copy.deepcopy(callback)
        elif callable(callback):
            callback = callback()
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                "callbacks must hold keras.callbacks.Callback objects, or functions without arguments that make them. "
                f"Got {short(callback)}."
            )
        made.append(callback)
    return made
