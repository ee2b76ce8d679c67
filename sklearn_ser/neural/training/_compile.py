"""The parameters of training in Keras' terms: optimizer, loss, targets, metrics and callbacks."""

from __future__ import annotations

import copy
import math

import numpy as np

from ...utils._messages import short


def compile_model(estimator, fitted) -> None:
    """Compile a network as the parameters say, with its layers frozen or not as they are now.

    A network that is compiled so already is left alone. The optimizer's state is kept while it is the same optimizer of
    the same weights.
    """
    from .._keras import all_layers

    model, optimizer, loss = fitted.model, make_optimizer(estimator), training_loss(estimator)
    like, compiled_with = optimizer, estimator._compiled_with(optimizer)
    of_optimizer = _description(optimizer), [id(variable) for variable in model.trainable_variables]
    wanted = (of_optimizer, [layer.trainable for layer in all_layers(model)], loss, estimator.metrics, compiled_with)
    if model.compiled and fitted.compiled_as is not None and fitted.compiled_as[0] == of_optimizer:
        if estimator.learning_rate is not None or isinstance(estimator.learning_rate_schedule, str):
            _set_learning_rate(model.optimizer, optimizer)
        optimizer = model.optimizer
    estimator._adapt_optimizer(optimizer, like)
    if not model.compiled or fitted.compiled_as != wanted:
        model.compile(optimizer, loss, metrics=make_metrics(estimator, loss))
        fitted.compiled_as = wanted


def _description(optimizer) -> tuple:
    """Describe an optimizer, but for a learning rate that is a number: equal ones are the same."""
    config = optimizer.get_config()
    if not isinstance(config.get("learning_rate"), dict):  # a schedule
        config.pop("learning_rate", None)
    config.pop("name", None)
    return type(optimizer), config


def _set_learning_rate(optimizer, like) -> None:
    if not isinstance(like.get_config().get("learning_rate"), dict):
        optimizer.learning_rate = float(np.asarray(like.learning_rate))


def make_optimizer(estimator):
    """The optimizer that the parameters name, a new one."""
    from .._keras import keras

    given, schedule = estimator.optimizer, estimator.learning_rate_schedule
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
    rate = estimator.learning_rate
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


def training_loss(estimator):
    """Return the loss as a function or an object of Keras; one that reads matrices where the targets are matrices."""
    from .._keras import keras

    targets = estimator._targets
    if isinstance(estimator.loss, str) and estimator.loss == "ccc":
        if targets.activation != "linear":
            raise ValueError("loss='ccc' compares values, and this network has classes. Use a regressor.")
        from ._ccc import ConcordanceLoss

        return ConcordanceLoss()
    try:
        loss = keras.losses.get(estimator.loss)
    except (ValueError, TypeError) as error:
        raise ValueError(
            "loss must be the name of a Keras loss, such as 'sparse_categorical_crossentropy' or "
            "'categorical_focal_crossentropy' ('mean_squared_error' or 'ccc' for a regressor), a function of targets "
            f"and outputs, or a keras.losses.Loss. Got {short(estimator.loss)}."
        ) from error
    name = name_of(loss)
    if targets.activation == "sigmoid" and name.startswith("categorical"):
        raise ValueError(
            f"loss={short(estimator.loss)} takes the classes of a clip for exclusive, and y is an indicator matrix. "
            "Use 'binary_crossentropy'."
        )
    if not reads_numbers(loss) or (targets.reads_numbers and not (_smoothing(estimator) or estimator.mixup)):
        return loss
    if loss is keras.losses.sparse_categorical_crossentropy and targets.dense_loss:
        return keras.losses.get(targets.dense_loss)
    if targets.activation == "linear":
        raise ValueError(
            "A regressor needs a loss of values, such as 'mean_squared_error' or 'ccc'. Got "
            f"loss={short(estimator.loss)}."
        )
    raise ValueError(
        "label_smoothing and mixup need a loss that reads one-hot targets, as soft labels and several classes "
        f"at a time do, such as {targets.dense_loss!r}. Got loss={short(estimator.loss)} with "
        f"label_smoothing={_smoothing(estimator)} and mixup={estimator.mixup}."
    )


def _smoothing(estimator) -> float:
    return getattr(estimator, "label_smoothing", 0.0)  # which regressors do not have


def name_of(function) -> str:
    """Name of a loss or a metric of Keras, as snake case."""
    name = str(getattr(function, "name", None) or getattr(function, "__name__", ""))
    return name.lower()


def reads_numbers(loss) -> bool:
    """Return whether a loss gets the numbers of the classes, and not one-hot targets."""
    return name_of(loss).startswith("sparse")


def loss_targets(estimator, encoded, *, training: bool) -> np.ndarray:
    """Return what the loss compares outputs with; labels are smoothed in training only."""
    smoothing = _smoothing(estimator) if training else 0.0
    return estimator._targets.for_loss(encoded, numbers=reads_numbers(training_loss(estimator)), smoothing=smoothing)


def make_metrics(estimator, loss) -> list:
    """Return the metrics; objects are copied, because they count what they see.

    A metric of Keras gets the targets that it is made for, whichever the loss gets: the numbers of the classes where
    its name begins with "sparse", else one-hot targets. A user's own function or class gets those of the loss.
    """
    from .._keras import keras

    given, targets = estimator.metrics, estimator._targets
    metrics = []
    for metric in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(metric, str):
            if metric in ("accuracy", "acc") and targets.activation == "sigmoid":
                metrics.append(keras.metrics.BinaryAccuracy(name=metric))
                continue
            if metric in ("accuracy", "acc", "crossentropy", "ce"):  # which Keras reads by what the targets are
                metrics.append(metric)
                continue
            try:
                found = keras.metrics.get(metric)
            except (ValueError, TypeError) as error:
                raise ValueError(
                    f"metrics must hold names of Keras metrics, such as 'accuracy', functions of targets and "
                    f"probabilities, or keras.metrics.Metric objects. Got {short(metric)}."
                ) from error
            name, metric = metric, found() if isinstance(found, type) else found
            if not isinstance(metric, keras.metrics.Metric):
                metric = keras.metrics.MeanMetricWrapper(metric, name=name)
        elif isinstance(metric, keras.metrics.Metric):
            metric = copy.deepcopy(metric)
        elif isinstance(metric, type) and issubclass(metric, keras.metrics.Metric):
            metric = metric()
        elif _of_keras(metric):
            metric = keras.metrics.MeanMetricWrapper(metric, name=metric.__name__)
        if isinstance(metric, keras.metrics.Metric) and targets.activation == "softmax":
            metric = _give_targets(metric, reads_numbers(loss), targets.n_outputs)
        metrics.append(metric)
    return metrics


def _of_keras(thing) -> bool:
    return str(getattr(thing, "__module__", "")).startswith("keras.")


def _give_targets(metric, numbers: bool, n_outputs: int):
    """Let a metric of Keras read the targets that it is made for; `numbers` says what the loss gets."""
    from .._keras import keras

    ops, reading = keras.ops, getattr(metric, "_fn", metric)
    if type(metric) is keras.metrics.Accuracy:  # compares labels, and outputs are probabilities
        metric = keras.metrics.SparseCategoricalAccuracy(name=metric.name)
        reading = metric
    kinds = [each for each in type(metric).__mro__ if _of_keras(each)]
    if not _of_keras(reading) and (reading is not metric or kinds[0] in (keras.metrics.Metric, keras.metrics.Mean)):
        return metric
    known = {name_of(reading), *(each.__name__.lower() for each in kinds)}
    wants_numbers = getattr(metric, "sparse_y_true", any(name.startswith("sparse") for name in known))
    if wants_numbers == numbers:
        return metric
    update = metric.update_state

    def update_state(y_true, *rest, **how):
        if numbers:
            y_true = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), n_outputs)
        else:
            y_true = ops.argmax(y_true, axis=-1)
        return update(y_true, *rest, **how)

    metric.update_state = update_state
    return metric


def number(value) -> float | list:
    """Read a loss or a metric as a float; a metric that has a value for each class, as a list."""
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array.tolist()


def make_callbacks(estimator, *, first_epoch: int, epochs: int) -> list:
    """The user's callbacks, new ones or copies; before them, what changes the learning rate."""
    from .._keras import keras

    made, given, schedule = [], estimator.callbacks, estimator.learning_rate_schedule
    if isinstance(schedule, str):
        base = float(np.asarray(make_optimizer(estimator).learning_rate))
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
