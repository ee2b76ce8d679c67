"""The loss "ccc": one minus the concordance correlation coefficient."""

from __future__ import annotations

from .._keras import keras


@keras.saving.register_keras_serializable(package="sklearn_ser")
class ConcordanceLoss(keras.losses.Loss):
    """One minus the concordance correlation coefficient [1]_ of a batch, averaged over the dimensions.

    Variances are those of the population. The coefficient of a batch in which either side is constant, such as a batch
    of one clip, is zero.

    References
    ----------
    .. [1] Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45(1), 1989,
       doi 10.2307/2532051.
    """

    def __init__(self, name="ccc", **how):
        super().__init__(name=name, **how)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Compute the loss of a batch, (n_clips, n_dimensions) each; clips may have weights."""
        ops = keras.ops
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        weight = ops.ones_like(y_true[:, :1])
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        weight = weight / ops.maximum(ops.sum(weight), 1e-12)

        def mean(x):
            return ops.sum(weight * x, axis=0)

        true, predicted = y_true - mean(y_true), y_pred - mean(y_pred)
        apart = ops.square(mean(y_true) - mean(y_pred))
        spread = mean(ops.square(true)) + mean(ops.square(predicted)) + apart
        return 1 - ops.mean(2 * mean(true * predicted) / ops.maximum(spread, 1e-12))
