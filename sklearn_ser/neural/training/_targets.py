"""Targets: y as a network learns it, and everything that depends on what y is.

The kind of y is decided once, by `read_classes` for classifiers and `Values.read` for regressors. Each kind then knows
how y is checked and encoded, what the last layer is, which loss stands for the default, how a validation set is split,
and how outputs become predictions.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedGroupKFold, train_test_split
from sklearn.utils import check_array, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_consistent_length

from ...utils._messages import short
from ...utils._sklearn_compat import _check_y

_SUM = 1e-3  # how far the probabilities of a clip may be from a sum of one: they are printed with three digits
_SPLITS = 20  # random splits of which the most even one is taken


class Targets:
    """Base of the kinds of targets.

    Attributes
    ----------
    activation : str
        Activation of the last layer.
    dense_loss : str
        Loss that stands for the default loss where targets are (n_clips, n_outputs).
    reads_numbers : bool
        True if a loss or a metric can be given the numbers of the classes.
    """

    activation = "softmax"
    dense_loss = "categorical_crossentropy"
    reads_numbers = False
    n_outputs: int
    units: tuple | None = None  # scale and offset of the outputs

    def encode(self, y, name: str = "y") -> np.ndarray:
        """Check y, and return it as `hold_out` and `for_loss` take it."""
        raise NotImplementedError

    def decode(self, encoded) -> np.ndarray:
        """Return y as the user knows it."""
        return encoded

    def for_loss(self, encoded, *, numbers: bool = False, smoothing: float = 0.0) -> np.ndarray:
        """Return what a loss compares outputs with: the numbers of the classes, or (n_clips, n_outputs)."""
        return encoded * np.float32(1 - smoothing) + np.float32(smoothing / self.n_outputs)

    def finish(self, outputs) -> np.ndarray:
        """Make predictions of the outputs of a network: by default, probabilities."""
        probabilities = outputs.astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def hold_out(self, encoded, groups, *, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Split rows into a training and a validation set: of some random splits, that whose means differ least.

        Parameters
        ----------
        encoded : ndarray of shape (n_clips, n_outputs)
        groups : array-like of shape (n_clips,) or None
            No group stands on both sides.
        fraction : float
            Fraction of the clips, or of the groups, to hold out.
        seed : int

        Raises
        ------
        ValueError
            If there are too few clips or groups.
        """
        y = encoded.reshape(len(encoded), -1)
        n = len(y) if groups is None else _check_groups(groups, y)
        if n < 2:
            raise ValueError(f"A validation set needs at least two clips, one to train on. Got {n}.")
        fraction = min(max(fraction, 1 / n), (n - 1) / n)
        splitter = ShuffleSplit if groups is None else GroupShuffleSplit
        splits = splitter(_SPLITS, test_size=fraction, random_state=seed).split(y, groups=groups)
        spread = np.maximum(y.std(axis=0), 1e-12)

        def unevenness(split):
            return np.abs((y[split[0]].mean(axis=0) - y[split[1]].mean(axis=0)) / spread).sum()

        return min(splits, key=unevenness)


class Labels(Targets):
    """Class labels; encoded, the place of each in `classes`."""

    reads_numbers = True

    def __init__(self, classes):
        self.classes = np.asarray(classes)
        # A softmax of one class cannot be trained; with one class, the second output is never asked for.
        self.n_outputs = max(2, len(self.classes))

    def encode(self, y, name="y"):
        y = check_labels(y)
        place = {label: number for number, label in enumerate(self.classes.tolist())}
        labels = y.tolist()
        unknown = sorted({label for label in labels if label not in place}, key=str)
        if unknown:
            raise ValueError(
                f"{name} holds the classes {short(unknown)}, which are not among {short(self.classes.tolist())}, those "
                "that the network tells apart. To begin anew, set warm_start=False, and fit on clips of all classes."
            )
        return np.array([place[label] for label in labels], dtype=np.int32)

    def decode(self, encoded):
        return self.classes[encoded]

    def for_loss(self, encoded, *, numbers=False, smoothing=0.0):
        return encoded if numbers else super().for_loss(self.one_hot(encoded), smoothing=smoothing)

    def one_hot(self, encoded) -> np.ndarray:
        return np.eye(self.n_outputs, dtype=np.float32)[encoded]

    def finish(self, outputs):
        return super().finish(outputs[:, : len(self.classes)])

    def class_weight(self, given, encoded) -> np.ndarray:
        """Weight of each clip by its class; a class that no clip has needs none."""
        present, y = np.unique(encoded), self.decode(encoded)
        if isinstance(given, str):
            per_class = compute_class_weight(given, classes=self.classes[present], y=y)
        else:
            per_class = compute_class_weight(given, classes=self.classes, y=y)[present]
        return per_class[np.searchsorted(present, encoded)].astype(np.float32)

    def hold_out(self, encoded, groups, *, fraction, seed):
        """Split rows into a training and a validation set, stratified; no group on both sides.

        Raises
        ------
        ValueError
            If not every class, or no group, would stand on the side that is trained on.
        """
        y = encoded
        if groups is None:
            _, counts = np.unique(y, return_counts=True)
            n_held_out = int(np.ceil(fraction * len(y)))
            if counts.min() < 2 or n_held_out < len(counts) or len(y) - n_held_out < len(counts):
                raise ValueError(
                    f"early_stopping holds out validation_fraction={fraction} of the clips with every "
                    f"class on both sides. {len(y)} clips, of which {counts.min()} in the rarest of {len(counts)} "
                    "classes, are too few for that: give more clips, raise validation_fraction, or set "
                    "early_stopping=False."
                )
            return train_test_split(np.arange(len(y)), test_size=fraction, stratify=y, random_state=seed)
        n_groups = _check_groups(groups, y)
        most = np.unique(y, return_counts=True)[1].max()  # more folds than that cannot be stratified
        n_splits = max(2, min(n_groups, most, round(1 / fraction)))
        folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            # Few speakers cannot have all classes in equal fractions, and need not.
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            train, held_out = next(folds.split(y, y, column_or_1d(groups)))
        missing = np.setdiff1d(y, y[train])
        if missing.size:
            raise ValueError(
                "early_stopping cannot keep the groups apart: without those held out, no clip of "
                f"{self.classes[missing]} is left to train on. Give more groups, or set early_stopping=False."
            )
        return train, held_out


class SoftLabels(Targets):
    """Probabilities of the classes, whose columns may have names; encoded as float32 (n_clips, n_classes)."""

    sorted_columns = True  # as scikit-learn has the classes; a prediction has no columns that must be those of y

    def __init__(self, names):
        names = np.asarray(names)
        if len(np.unique(names)) < len(names):
            raise ValueError(f"The columns of y must have different names. Got {short(names.tolist())}.")
        self.order = np.argsort(names) if self.sorted_columns else np.arange(len(names))
        self.classes, self.n_outputs = names[self.order], len(names)

    def encode(self, y, name="y"):
        array = _matrix(y)
        if array.ndim != 2:
            return self._encode_labels(y, name)
        if array.shape[1] != self.n_outputs:
            raise ValueError(
                f"{name} must have a column for each of the {self.n_outputs} classes {short(self.classes.tolist())}. "
                f"Got {array.shape[1]} columns."
            )
        order = self.order
        if set(getattr(y, "columns", ())) == set(self.classes.tolist()):
            order = [list(y.columns).index(label) for label in self.classes.tolist()]
        return self._encode_matrix(array[:, order], name)

    def _encode_matrix(self, array, name: str) -> np.ndarray:
        return check_soft_labels(array, name)

    def _encode_labels(self, y, name: str) -> np.ndarray:
        """Encode labels, for instance of clips to validate on, as certain."""
        return np.eye(self.n_outputs, dtype=np.float32)[Labels(self.classes).encode(y, name)]

    def class_weight(self, given, encoded):
        totals = encoded.sum(axis=0, dtype=np.float64)
        if isinstance(given, str):
            per_class = totals.sum() / (len(totals) * np.maximum(totals, 1e-12))
        else:
            per_class = np.array([given.get(label, 1.0) for label in self.classes.tolist()])
        return (encoded @ per_class).astype(np.float32)


class Indicators(SoftLabels):
    """Several classes a clip; encoded as float32 (n_clips, n_classes) of 0 and 1."""

    activation = "sigmoid"
    dense_loss = "binary_crossentropy"
    sorted_columns = False

    def _encode_matrix(self, array, name):
        _refuse_missing(array, name)
        array = array.astype(np.float32)
        if not np.isin(array, (0, 1)).all():
            raise ValueError(
                f"{name} must hold 0 and 1, one column for each class. Got {short(np.unique(array).tolist())}."
            )
        return array

    def _encode_labels(self, y, name):
        raise ValueError(
            f"{name} must be an indicator matrix, (n_clips, {self.n_outputs}), as in the first fit. Got an array of "
            f"shape {_matrix(y).shape}."
        )

    def decode(self, encoded):
        return encoded.astype(np.int64)

    def for_loss(self, encoded, *, numbers=False, smoothing=0.0):
        return encoded * np.float32(1 - smoothing) + np.float32(smoothing / 2)

    def finish(self, outputs):
        return outputs.astype(np.float64)

    def class_weight(self, given, encoded):
        raise ValueError(
            f"class_weight={short(given)} weighs clips by their class, but y is an indicator matrix, in which a clip "
            "has several. Set class_weight=None, and pass sample_weight."
        )


class Values(Targets):
    """Values of one or several dimensions; encoded as float32 (n_clips, n_dimensions)."""

    activation = "linear"
    dense_loss = ""

    def __init__(self, encoded, ndim: int):
        self.ndim, self.n_outputs = ndim, encoded.shape[1]
        spread = encoded.std(axis=0, dtype=np.float64)
        offset = encoded.mean(axis=0, dtype=np.float64)
        self.units = np.where(spread > 1e-6 * np.maximum(np.abs(offset), 1e-6), spread, 1.0), offset

    @classmethod
    def read(cls, y) -> Values:
        """Learn from y how many values a clip has, and in which range they lie."""
        return cls(check_values(y), min(np.ndim(_matrix(y)), 2))

    def encode(self, y, name="y"):
        encoded = check_values(y, name)
        if encoded.shape[1] != self.n_outputs:
            raise ValueError(
                f"{name} must have {self.n_outputs} values a clip, as in the first fit. Got {encoded.shape[1]}."
            )
        return encoded

    def decode(self, encoded):
        return encoded[:, 0] if self.ndim == 1 else encoded

    def for_loss(self, encoded, *, numbers=False, smoothing=0.0):
        return encoded

    def finish(self, outputs):
        return self.decode(outputs.astype(np.float64))


# -------------------------------------------------------------------------------------------------------- at the door


def read_classes(y, *, classes=None, multi_label: bool = False) -> Targets:
    """Decide what the y of a classifier is.

    Parameters
    ----------
    y : array-like
        Labels (n_clips,); floats (n_clips, n_classes) whose rows sum to one, soft labels; or 0 and 1 (n_clips,
        n_classes), an indicator matrix. The columns of a DataFrame name the classes.
    classes : array-like of shape (n_classes,) or None
        All classes that will ever come, if y need not hold them all.
    multi_label : bool
        True if an indicator matrix is accepted.
    """
    array = _matrix(y)
    if array.ndim != 2 or array.shape[1] < 2:
        return Labels(np.unique(check_labels(y)) if classes is None else unique_labels(classes))
    names = list(y.columns) if hasattr(y, "columns") else np.arange(array.shape[1])
    if classes is not None:
        names = classes
    if array.dtype.kind not in "biufO":
        _check_y(y)  # which says what is wrong
    _refuse_missing(array, "y")
    try:
        values = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"y must hold one label a clip, (n_clips,), or numbers, (n_clips, n_classes). Got an array of shape "
            f"{array.shape} that holds {short(array.ravel()[0])}."
        ) from None
    whole = np.isin(values, (0, 1)).all()
    sums_to_one = (np.abs(values.sum(axis=1) - 1) <= _SUM).all()
    if whole and multi_label and not (array.dtype.kind == "f" and sums_to_one):
        return Indicators(names)
    if whole and (array.dtype.kind != "f" or not sums_to_one):
        raise ValueError(
            "y is an indicator matrix, with any number of classes a clip. Only NetworkClassifier learns these. If "
            "each row has a single 1, pass labels, y.argmax(axis=1), or soft labels, y.astype(float)."
        )
    check_soft_labels(values, "y")
    return SoftLabels(names)


def check_labels(y) -> np.ndarray:
    """Check class labels, (n_clips,)."""
    _refuse_missing(_matrix(y), "y")
    y = _check_y(y)
    check_classification_targets(y)
    return y


def check_soft_labels(array, name: str) -> np.ndarray:
    """Check probabilities of classes, and return them as float32 rows that sum to one."""
    values = np.asarray(array, dtype=np.float64)
    _refuse_missing(values, name)
    sums = values.sum(axis=1)
    wrong = (np.abs(sums - 1) > _SUM) | (values < 0).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name} of two dimensions holds the probabilities of the classes: no negative value, and a sum of one in "
            f"each row. Row {row} is {short(values[row].tolist())}, with the sum {sums[row]:.3g}. Divide votes by "
            "their number."
        )
    return (values / sums[:, None]).astype(np.float32)


def check_values(y, name: str = "y") -> np.ndarray:
    """Check values, (n_clips,) or (n_clips, n_dimensions), and return them as float32 of two dimensions."""
    _refuse_missing(_matrix(y), name)
    values = check_array(y, ensure_2d=False, dtype="numeric", input_name=name)
    if values.ndim > 2:
        raise ValueError(f"{name} must be (n_clips,) or (n_clips, n_dimensions). Got an array of shape {values.shape}.")
    return values.reshape(len(values), -1).astype(np.float32)


def _matrix(y) -> np.ndarray:
    if issparse(y):
        y = y.toarray()
    return y.to_numpy() if hasattr(y, "to_numpy") else np.asarray(y)


def _refuse_missing(array: np.ndarray, name: str) -> None:
    """Raise an error that names the first row without a label or value."""
    if array.dtype.kind not in "fOmM" or array.ndim > 2:
        return
    missing = pd.isna(array)
    rows = missing if missing.ndim == 1 else missing.any(axis=1)
    if rows.any():
        row = int(np.argmax(rows))
        raise ValueError(
            f"{name} lacks a value in row {row}: got {short(array[row])}. Label that clip, or leave it out. Input "
            f"{name} contains NaN, None or pandas.NA."
        )


def _check_groups(groups, y) -> int:
    """Check the groups of the clips, and return how many there are."""
    groups = column_or_1d(groups)
    check_consistent_length(y, groups)
    _refuse_missing(groups, "groups")
    n = len(np.unique(groups))
    if n < 2:
        raise ValueError(
            f"early_stopping with groups needs at least two of them, one to train on and one to validate on. Got {n}."
        )
    return n
