"""PretrainedClassifier: a published model that recognizes emotions."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_consistent_length

from ...utils._messages import short
from ...utils._sklearn_compat import StrOptions
from ._base import Recognizer
from ._names import DIMENSIONS, KNOWN


class PretrainedClassifier(ClassifierMixin, Recognizer):
    """A published model that recognizes emotions: no labels and no training are needed.

    It reads checkpoints of the Hugging Face library `transformers` for the classification of speech: the
    `...ForSequenceClassification` models of wav2vec 2.0, HuBERT, WavLM, data2vec and UniSpeech-SAT, and
    `WhisperForAudioClassification`.

    Read more in the guide: :doc:`pretrained encoders </guide/encoders>`.

    Examples
    --------
    >>> from sklearn_ser import PretrainedClassifier
    >>> recognizer = PretrainedClassifier("superb/hubert-large-superb-er")
    >>> recognizer.fit(["a.wav", "b.wav"]).predict(["a.wav"])  # doctest: +SKIP
    array(['anger'], dtype=object)

    Parameters
    ----------
    model : str or PathLike, default="superb/wav2vec2-base-superb-er"
        A folder or a name on the Hugging Face hub, as for `EncoderFeatures`.
    emotions : dict, "auto" or None, default="auto"
        Class of each of the model's labels, ``{"ang": "anger"}``; labels of the same class add up, and None leaves a
        label out. "auto" takes the usual short forms ("ang", "hap", "neu", "sad", "fearful" ...) for the emotions that
        the corpora of this library have, and so do labels that a dict does not name. None keeps the model's labels.
    <shared>

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    labels_ : list of str
        The model's own labels, in its order.
    license_ : str or None
        The weights' licence, as the model's card states it.
    features_ : transformer
        From clips to what the head reads.

    See Also
    --------
    PretrainedRegressor : Models of arousal, dominance and valence.
    EncoderFeatures : The encoder alone, behind which a classifier of your own is trained.

    Notes
    -----
    `fit` trains nothing. Without y, the classes are all that the model knows. With y, they are those of y, so that the
    model chooses among the emotions of a corpus only; one that it does not know has probability 0. Where y holds the
    integers 0, 1, ..., as many as the model has classes, as `VotingClassifier` hands them over, they are the places of
    the sorted classes.

    <notes>
    """

    _parameter_constraints: dict = {
        **Recognizer._parameter_constraints,
        "emotions": [dict, StrOptions({"auto"}), None],
    }

    def __init__(
        self,
        model="superb/wav2vec2-base-superb-er",
        *,
        emotions="auto",
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
        self.emotions = emotions
        self.offset = offset
        self.duration = duration
        self.data_home = data_home
        self.revision = revision
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y=None):
        """Read the model, and learn which classes are wanted.

        Parameters
        ----------
        X : audio input of n_clips
            Only checked.
        y : array-like of shape (n_clips,) or None, default=None
            Class labels.

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
            If the model has no head, or a damaged one; or if it knows none of the classes in y.
        """
        head = self._read_model(X)
        self.labels_ = list(head.labels)
        self._classes_of_labels = [self._class_of(label) for label in head.labels]
        own = sorted({name for name in self._classes_of_labels if name is not None}, key=str)
        if {DIMENSIONS.get(name, name) for name in own} <= {"arousal", "dominance", "valence"}:
            raise ValueError(
                f"The model {short(self.model)} gives values of {', '.join(map(str, own))}, not classes: use "
                "PretrainedRegressor."
            )
        if y is None:
            self.classes_ = np.asarray(own, dtype=object if any(not isinstance(name, str) for name in own) else None)
            return self
        check_consistent_length(X, y)
        self.classes_ = np.unique(np.asarray(y))
        if np.issubdtype(self.classes_.dtype, np.integer) and not set(own) & set(self.classes_.tolist()):
            if self.classes_.tolist() == list(range(len(own))):
                self._classes_of_labels = [
                    own.index(name) if name is not None else None for name in self._classes_of_labels
                ]
        if not {name for name in self._classes_of_labels if name is not None} & set(self.classes_.tolist()):
            raise ValueError(
                f"The model {short(self.model)} knows none of the classes in y. It has the labels "
                f"{short(self.labels_)}, and y has {short(self.classes_.tolist())}: say which is which by emotions="
                "{label: class}."
            )
        return self

    def _class_of(self, label: str):
        """The class of one of the model's labels; None if it is left out."""
        if isinstance(self.emotions, dict) and label in self.emotions:
            return self.emotions[label]
        return label if self.emotions is None else KNOWN.get(label.lower().replace("_", " ").strip(), label)

    def decision_function(self, X):
        """The model's logits, of its own labels.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        logits : ndarray of shape (n_clips, n_labels), float64
            Columns in the order of `labels_`.
        """
        return self._logits(X)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes), float64
            Columns in the order of `classes_`; rows sum to one.
        """
        logits = self._logits(X)
        columns = {name: column for column, name in enumerate(self.classes_.tolist())}
        wanted = [column for column, name in enumerate(self._classes_of_labels) if name is not None and name in columns]
        logits = logits[:, wanted]  # a softmax over the labels that are wanted, or small ones would round to zero
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = np.zeros((len(logits), len(self.classes_)))
        for values, column in zip(exponentials.T, wanted, strict=True):
            probabilities[:, columns[self._classes_of_labels[column]]] += values
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Most probable class.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
