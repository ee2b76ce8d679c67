"""Base of all trained networks: estimators around scikeras and Keras that do not know what y is."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..utils._frames import validate_frames
from ..utils._messages import short
from ..utils._random import draw_seed
from ..utils._sklearn_compat import CallbackSupportMixin, _check_sample_weight, with_callbacks
from ..utils._versions import VersionedMixin
from . import networks
from .training._examples import Examples
from .training._loop import open_checkpoint, train, train_one_epoch
from .training._parameters import TrainingParameters
from .training._portable import Portable
from .training._targets import Targets

_PREDICT_BATCH = 64  # clips a call; bounds the memory that the networks' inner layers take
_MAY_BE_FUNCTIONS = ("network", "loss", "metrics", "callbacks", "learning_rate_schedule")


class NeuralEstimator(TrainingParameters, CallbackSupportMixin, VersionedMixin, BaseEstimator):
    """Base of the estimators of frames; `NeuralClassifier` and `NeuralRegressor` say what y is.

    A subclass names its network, a function as `NetworkClassifier` takes it, in `_network`. Parameters of the network
    are parameters of the estimator of the same name.
    """

    _network: Callable  # a staticmethod
    _targets: Targets

    def _read_targets(self, y, **how) -> Targets:
        """Decide what y is."""
        raise NotImplementedError

    def _build(self, input_shape: tuple[None, int]):
        """Build the network for frames of this shape, an uncompiled Keras model."""
        names = list(inspect.signature(self._network).parameters)[3:]
        params = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return networks.build(self._network, input_shape, **self._outputs(), params=params)

    def _outputs(self) -> dict:
        """Describe the last layer, as `networks.build` takes it."""
        targets = self._targets
        return dict(n_outputs=targets.n_outputs, activation=targets.activation, units=targets.units)

    def _adapt_optimizer(self, optimizer, like) -> None:
        """Change the optimizer as the parameters say now; `like` is a new one, with the rate that it begins with."""

    def _compiled_with(self, optimizer):
        """Return what a network is compiled with besides its own parameters; once it changes, it is compiled again."""
        return None

    # -------------------------------------------------------------------------------------------------------- training

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None, validation_data=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_features) or (n_clips, n_features)
            Frames, those past a clip's end all NaN; or features, taken as clips of one frame.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            For a classifier, class labels; or probabilities of the classes, floats whose rows sum to one (soft labels).
            For a regressor, values of one or several dimensions.
        sample_weight : array-like of shape (n_clips,) or None, default=None
            Weight of each clip in the loss; clips of weight 0 are left out.
        groups : array-like of shape (n_clips,) or None, default=None
            Speakers, for instance: with `early_stopping`, none stands on both sides of the split. In a Pipeline it
            comes here by metadata routing (``set_fit_request(groups=True)``).
        validation_data : tuple (X, y) or (X, y, sample_weight), or None, default=None
            Clips whose loss and metrics are told after each epoch, frames as the network gets them. `early_stopping`
            and `model_checkpoint` go by them, and hold out none of their own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X breaks the rules on padding or y lacks a value (the message names the row), if `early_stopping` cannot
            split the clips, or if `warm_start` meets a new class or other features than before. A class that is missing
            is no error.
        """
        self._validate_params()
        resume = self.warm_start and hasattr(self, "_fitted")
        X, y = self._validate(X, y, reset=not resume)
        clips = Examples.all(X, y, self._weights(sample_weight, X, y))
        validation = None if validation_data is None else self._validation(validation_data)
        arrays = [clips.X, y, clips.weight, groups, *([] if validation is None else validation.parts)]
        seed, checkpoint = self._draw_seed(), open_checkpoint(self, *arrays, resume=resume)
        if checkpoint and checkpoint[1]:
            seed = checkpoint[1]["seed"]
        self.held_out_ = None if validation is None else "validation_data"
        if self._holds_out() and validation is None:
            kept, held_out = self._split(clips.y, groups, seed)
            clips, validation = clips.take(kept), clips.take(held_out)
            self.held_out_ = "clips" if groups is None else "groups"
        context = self._init_callback_context(max_subtasks=self.epochs)
        task = dict(estimator=self, X=X, y=self._targets.decode(y))
        if context is not None:
            context.call_on_fit_task_begin(**task)
        self._train(clips, validation, seed=seed, resume=resume, checkpoint=checkpoint, context=context)
        self._learn_from(validation)
        if context is not None:
            context.call_on_fit_task_end(**task, reconstruction_attributes={})
        return self

    def _partial_fit(self, X, y, sample_weight, **how):
        resume = hasattr(self, "_fitted")
        X, y = self._validate(X, y, reset=not resume, **how)
        clips = Examples.all(X, y, self._weights(sample_weight, X, y))
        self._train(clips, None, training=train_one_epoch, seed=self._draw_seed(), resume=resume)
        return self

    def _holds_out(self) -> bool:
        """Return whether a fit without validation data holds out clips."""
        return self.early_stopping

    def _learn_from(self, validation: Examples | None) -> None:
        """Learn from the held-out clips after training."""

    def _validation(self, data) -> Examples:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ValueError(
                f"validation_data must be a tuple (X, y) or (X, y, sample_weight). Got {short(data)}: in a Pipeline, "
                "X are the frames that reach the network, pipeline[:-1].transform(clips)."
            )
        X, y = self._validate(data[0], data[1], reset=False, name="y of validation_data")
        return Examples.all(X, y, self._weights(data[2] if len(data) == 3 else None, X, y))

    def _validate(self, X, y, *, reset: bool, name: str = "y", **how) -> tuple[np.ndarray, np.ndarray]:
        """Frames, and y as the targets encode it."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = self._frames(X, reset=reset)
        targets = self._read_targets(y, **how) if reset else self._targets
        y = targets.encode(y, name)
        check_consistent_length(X, y)
        if reset:
            self._set_targets(targets)
        return X, y

    def _set_targets(self, targets: Targets) -> None:
        self._targets = targets

    def _frames(self, X, *, reset: bool) -> np.ndarray:
        """X as float32 (n_clips, n_frames, n_features), without frames that are padding in every clip."""
        X, lengths = validate_frames(self, X, reset=reset)
        X = X.astype(np.float32, copy=False)
        return self._sequence(X) if lengths is None else X[:, : lengths.max()]

    def _sequence(self, X) -> np.ndarray:
        """Features as frames: one for each clip."""
        return X[:, np.newaxis]

    def _draw_seed(self) -> int:
        return draw_seed(self.random_state)

    def _weights(self, sample_weight, X, y) -> np.ndarray | None:
        """Weights of the clips, of which y is encoded; None where all count the same."""
        if sample_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float32, copy=True, ensure_non_negative=True)
        if not weight.any():
            raise ValueError("All clips have a sample_weight of zero: there is nothing to learn from.")
        return weight

    def _split(self, y, groups, seed: int) -> tuple[np.ndarray, np.ndarray]:
        return self._targets.hold_out(y, groups, fraction=self.validation_fraction, seed=seed)

    def _train(self, clips, validation, *, training=train, **how) -> None:
        training(self, clips, validation, **how)

    def _rebuild(self):
        """Return what makes the network anew; None where its description is enough."""
        return None

    # ------------------------------------------------------------------------------------------------------ prediction

    @property
    def model_(self):
        """keras.Model : the trained network, from frames to outputs."""
        if "_fitted" not in vars(self):
            raise AttributeError(f"This {type(self).__name__} has no model_ before it is fitted.")
        return self._fitted.model

    def _predict_outputs(self, X) -> np.ndarray:
        """Outputs of the network, float64: probabilities of the classes, or values."""
        check_is_fitted(self)
        X = self._frames(X, reset=False)
        return self._targets.finish(np.concatenate(self._batches(self.model_, X)))

    @staticmethod
    def _batches(model, X) -> list[np.ndarray]:
        # predict_on_batch runs a compiled function; Keras' predict sets up a data pipeline first, at each call.
        return [model.predict_on_batch(X[i : i + _PREDICT_BATCH]) for i in range(0, len(X), _PREDICT_BATCH)]

    def __getstate__(self):
        state = super().__getstate__()
        if "_fitted" in state:  # then it can be loaded without the functions that it was made with
            state = {k: Portable(v) if k in _MAY_BE_FUNCTIONS and v is not None else v for k, v in state.items()}
        return state

    def __setstate__(self, state):
        super().__setstate__({k: v.value if isinstance(v, Portable) else v for k, v in state.items()})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
