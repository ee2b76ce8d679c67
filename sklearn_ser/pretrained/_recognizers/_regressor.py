"""PretrainedRegressor: a published model of arousal, dominance and valence."""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin

from ...utils._messages import short
from ._base import Recognizer
from ._names import DIMENSIONS, KNOWN


class PretrainedRegressor(RegressorMixin, Recognizer):
    """A published model of arousal, dominance and valence: no labels and no training are needed.

    It reads audEERING's model [1]_ and others with the same head (two dense layers behind the mean over the frames),
    and `...ForSequenceClassification` models that were trained as regressors.

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn_ser import PretrainedRegressor
    >>> regressor = PretrainedRegressor(dimensions=["arousal", "valence"])
    >>> regressor.fit(["a.wav", "b.wav"]).predict(["a.wav"])  # doctest: +SKIP
    array([[0.71, 0.35]])

    Parameters
    ----------
    model : str or PathLike, default="audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
        A folder or a name on the Hugging Face hub, as for `EncoderFeatures`. The default one gives arousal, dominance
        and valence from about 0 to 1, and is for research only (CC BY-NC-SA 4.0).
    dimensions : str, sequence of str or None, default=None
        Which of the model's values are wanted, in this order; "activation" is another name of "arousal". None takes
        the columns of y that have names, where `fit` gets such a y, or else all of the model's, in its order.
    <shared>

    Attributes
    ----------
    dimensions_ : list of str
        Names of the predicted values, column by column.
    labels_ : list of str
        The model's own labels, in its order.
    license_ : str or None
        The weights' licence, as the model's card states it.
    features_ : transformer
        From clips to what the head reads.

    See Also
    --------
    PretrainedClassifier : Models of emotions.

    Notes
    -----
    `fit` trains nothing. Predictions are on the model's own scale; compare them with values on another one by the
    correlation, or scale these.

    <notes>

    References
    ----------
    .. [1] Wagner, Triantafyllopoulos, Wierstorf, Schmitt, Burkhardt, Eyben and Schuller, "Dawn of the transformer era
       in speech emotion recognition: closing the valence gap", IEEE Trans. Pattern Analysis and Machine Intelligence
       45(9), 2023.
    """

    _parameter_constraints: dict = {
        **Recognizer._parameter_constraints,
        "dimensions": [str, "array-like", None],
    }

    def __init__(
        self,
        model="audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
        *,
        dimensions=None,
        offset=0.0,
        duration=None,
        data_home=None,
        revision=None,
        channel="mean",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.model = model
        self.dimensions = dimensions
        self.offset = offset
        self.duration = duration
        self.data_home = data_home
        self.revision = revision
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Read the model, and learn which dimensions are wanted.

        Parameters
        ----------
        X : audio input of n_clips
            Only checked.
        y : array-like of shape (n_clips,) or (n_clips, n_dimensions), or None, default=None
            Values; only the names of its columns are read.

        Returns
        -------
        self

        Raises
        ------
        AudioError
            If a clip is missing, unreadable, empty, or not finite; the message names its row.
        FileNotFoundError, ConnectionError
            If the model is nowhere and cannot be downloaded.
        ValueError
            If the model has no head, a damaged one, or one for emotions; or not the dimensions that are asked for.
        """
        head = self._read_model(X)
        self.labels_ = list(head.labels)
        own = [DIMENSIONS.get(label.lower(), label.lower()) for label in head.labels]
        if len(own) > 1 and all(name in KNOWN for name in own):
            raise ValueError(
                f"The model {short(self.model)} tells the emotions {short(self.labels_)} apart: use "
                "PretrainedClassifier."
            )
        wanted = self._wanted(y, own)
        self.dimensions_ = [DIMENSIONS.get(name.lower(), name.lower()) for name in wanted]
        missing = [name for name in self.dimensions_ if name not in own]
        if missing or not wanted:
            raise ValueError(
                f"The model {short(self.model)} gives {', '.join(own)}. dimensions must name some of them. Got "
                f"{short(wanted)}."
            )
        n_columns = None if y is None else (1 if np.ndim(y) == 1 else np.shape(y)[1])
        if n_columns not in (None, len(wanted)):
            raise ValueError(
                f"y has {n_columns} column{'s' * (n_columns != 1)}, and the model gives {', '.join(self.dimensions_)}: "
                "say by dimensions= which of them y holds, in the order of its columns."
            )
        self._columns = [own.index(name) for name in self.dimensions_]
        self._flat = isinstance(self.dimensions, str) or (y is not None and np.ndim(y) == 1)
        return self

    def _wanted(self, y, own: list[str]) -> list[str]:
        if self.dimensions is not None:
            return [self.dimensions] if isinstance(self.dimensions, str) else list(self.dimensions)
        names = list(getattr(y, "columns", [])) or [getattr(y, "name", None)]
        if all(isinstance(name, str) for name in names) and (
            {DIMENSIONS.get(name.lower(), name.lower()) for name in names} <= set(own)
        ):
            return names
        return own

    def predict(self, X):
        """Values of each clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        values : ndarray of shape (n_clips, n_dimensions), or (n_clips,) of one that was asked for by name, float64
            On the model's own scale.
        """
        values = self._logits(X)[:, self._columns]
        return values[:, 0] if self._flat else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
