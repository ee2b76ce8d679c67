"""ValueReport: scores of predicted values, such as arousal and valence, with confidence intervals over speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d

from ..utils._columns import complete
from ..utils._sklearn_compat import check_matplotlib_support
from . import _value_text
from ._base import Report
from ._concordance import as_values
from ._evaluated import entry, tested, unpack
from ._value_scores import ValueScores


class ValueReport(Report):
    """Report on predicted values: scores by dimension, speaker and sex, with confidence intervals.

    Made by `evaluate` of a regressor, or from predictions that come from elsewhere. All clips are pooled before
    anything is scored. ``print(report)`` explains it, a notebook shows it, `to_frame` returns all figures, `plot` draws
    predicted against true values.

    Read more in the guide: :doc:`evaluation </guide/evaluation>`.

    Examples
    --------
    >>> from sklearn_ser import ValueReport
    >>> y, y_pred = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0]
    >>> report = ValueReport(y, y_pred, speaker=["a", "a", "b", "b"], dimensions=["arousal"])
    >>> report.ccc.round(3).to_dict()
    {'arousal': 0.8}

    Parameters
    ----------
    y_true : array-like of shape (n_clips,) or (n_clips, n_dimensions)
        Values of the clips.
    y_pred : array-like of the shape of `y_true`
        Predictions, each of a model that was not trained on the clip's speaker.
    speaker : array-like of shape (n_clips,)
        Speaker of each clip; the intervals are over speakers.
    sex : array-like of shape (n_clips,) or None, default=None
        Sex of the speaker; None or NaN where it is not known.
    dimensions : sequence of str or None, default=None
        Names of the dimensions. None takes those of a DataFrame or Series `y_true`, or else "value", "value 2" ...
    y_pred_random : array-like of the shape of `y_true` or None, default=None
        Predictions of models that were trained on clips of the same speakers. They give the leakage gap.
    corpus, language : array-like of shape (n_clips,) or None, default=None
        Corpus and language of the clip. If there are several, each is scored by itself, too.
    y_pred_conditions : dict of str to array-like of the shape of `y_true`, or None, default=None
        Predictions for the same clips under other conditions, such as noise, by the condition's name.
    n_boot : int, default=2000
        Resamples that intervals are made of.
    confidence_level : float, default=0.95
        How often intervals shall cover the true value.
    random_state : int, RandomState instance or None, default=0
        Seeds the resampling.
    title : str, default=""
        Model, with its parameters.
    name : str or None, default=None
        Model, in a few words; None takes `title`.
    protocol : str, default=""
        Which clips were trained on.

    Attributes
    ----------
    ccc : Series of shape (n_dimensions,)
        Concordance correlation of the pooled clips, by dimension.
    dimensions : list of str
    versions : dict of str
        Versions of the software that the report was made with, by its name.

    See Also
    --------
    EvaluationReport : The same for classes.
    ccc_score : The definition.

    Notes
    -----
    Speakers are drawn with replacement, each with all of their clips. Intervals of CCC and correlations are Student's t
    on the scale of Fisher's z; all others are Student's t. Spearman's correlation is resampled with the ranks of all
    clips. The mean error is predicted less true: above 0, clips are heard as higher than they are.
    """

    def __init__(
        self,
        y_true,
        y_pred,
        *,
        speaker,
        sex=None,
        dimensions=None,
        y_pred_random=None,
        corpus=None,
        language=None,
        y_pred_conditions=None,
        n_boot=2000,
        confidence_level=0.95,
        random_state=0,
        title="",
        name=None,
        protocol="",
    ):
        self._set(
            n_boot=n_boot,
            confidence_level=confidence_level,
            random_state=random_state,
            title=title,
            name=name,
            protocol=protocol,
        )
        self.dimensions = names_of(y_true) if dimensions is None else [str(name) for name in dimensions]
        self.y_true, self.y_pred = as_values(y_true, "y_true"), as_values(y_pred, "y_pred")
        if len(self.dimensions) != self.y_true.shape[1]:
            raise ValueError(
                f"dimensions must name each of the {self.y_true.shape[1]} columns of y_true. Got {self.dimensions}."
            )
        self.y_pred_random = None if y_pred_random is None else as_values(y_pred_random, "y_pred_random")
        conditions = (y_pred_conditions or {}).items()
        self.y_pred_conditions = {str(key): as_values(predicted, str(key)) for key, predicted in conditions}
        for key, predicted in {
            "y_pred": self.y_pred,
            "y_pred_random": self.y_pred_random,
            **self.y_pred_conditions,
        }.items():
            if predicted is not None and predicted.shape != self.y_true.shape:
                raise ValueError(
                    f"{key} must have the shape of y_true, {self.y_true.shape}. Got the shape {predicted.shape}."
                )
        self.speaker = complete(speaker, "speaker")
        known = dict(sex=sex, corpus=corpus, language=language)
        known = {key: None if values is None else column_or_1d(values) for key, values in known.items()}
        vars(self).update(known)
        check_consistent_length(self.y_true, self.speaker, *known.values())
        self.speakers, self._speaker = np.unique(self.speaker, return_inverse=True)
        self._frame = ValueScores(self).table()

    @classmethod
    def from_estimator(
        cls, estimator, corpus, y=None, *, speaker=None, sex=None, conditions=None, random_state=0, **params
    ):
        """Report on a fitted regressor and clips of speakers whom it was not trained on.

        Parameters
        ----------
        estimator : regressor
            Fitted.
        corpus : Bunch or audio input of n_clips
            With `data` and `values`; or the clips themselves, with `y`.
        y : array-like of shape (n_clips,) or (n_clips, n_dimensions), or None, default=None
            Values.
        speaker, sex : array-like of shape (n_clips,) or None, default=None
            As for `evaluate`.
        conditions : "real-world", dict of str to augmenter, or None, default=None
            Conditions to test the clips under, besides as they are; as for `evaluate`.
        random_state : int, RandomState instance or None, default=0
            Seeds the conditions and the resampling.
        **params
            `n_boot` and `confidence_level`, as above.

        Returns
        -------
        report : ValueReport
        """
        dimensions = names_of(entry(corpus, "values") if y is None else y)
        clips = unpack(corpus, y, speaker, sex, regression=True)
        known = {name: values for name, values in clips.known(slice(None)).items() if name != "recognised"}
        protocol = "predicted by a model that was fitted before"
        found = tested(estimator, clips, conditions, random_state, protocol)
        return cls(**found, **known, dimensions=dimensions, **params)

    @property
    def ccc(self) -> pd.Series:
        """Concordance correlation by dimension, -1 to 1."""
        return self._frame.loc["CCC"]["value"].droplevel("of")

    def to_frame(self):
        """All figures as a table.

        Returns
        -------
        frame : DataFrame
            The index has three levels, `measure`, `of` and `dimension`: "CCC", "Pearson", "Spearman", "RMSE", "MAE" and
            "mean error" (predicted less true) of "all"; "CCC", "RMSE" and "mean error" "by sex", "by speaker", "by
            corpus" and "by language"; "mean error gap by sex"; "CCC by condition" and "loss by condition"; "CCC, random
            split" and "leakage gap". The columns are `value`, the confidence interval `low` and `high`, `n_clips` and
            `n_speakers`.
        """
        return self._frame.copy()

    def summary_text(self, *, corpus=None, selection=None, seeds=None, width=100):
        """Describe this evaluation as a paper has to: data, protocol, results, subgroups, conditions, software.

        Parameters
        ----------
        corpus, selection, seeds : str or None, default=None
            Facts that a report cannot know, as for `EvaluationReport.summary_text`.
        width : int or None, default=100
            Characters of a line; None leaves each paragraph on one line.

        Returns
        -------
        text : str
        """
        return _value_text.summary(self, corpus=corpus, selection=selection, seeds=seeds, width=width)

    def plot(self, *, axes=None):
        """Draw predicted against true values, with the line of identity, for each dimension. Needs matplotlib.

        Parameters
        ----------
        axes : sequence of n_dimensions matplotlib.axes.Axes or None, default=None
            None makes a figure.

        Returns
        -------
        displays : list of sklearn.metrics.PredictionErrorDisplay
            One a dimension, with `ax_` and `figure_`.
        """
        check_matplotlib_support("ValueReport.plot")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import AutoLocator
        from sklearn.metrics import PredictionErrorDisplay

        n = len(self.dimensions)
        if axes is None:
            _, axes = plt.subplots(1, n, figsize=(4 * n, 4), layout="constrained", squeeze=False)
        displays = []
        for k, (dimension, ax) in enumerate(zip(self.dimensions, np.ravel(axes), strict=True)):
            display = PredictionErrorDisplay.from_predictions(
                self.y_true[:, k], self.y_pred[:, k], kind="actual_vs_predicted", subsample=None, ax=ax
            )
            ax.xaxis.set_major_locator(AutoLocator())  # scikit-learn's ticks are five equal parts, no round numbers
            ax.yaxis.set_major_locator(AutoLocator())
            ax.set(title=f"{dimension}: CCC {self.ccc[dimension]:.2f}", xlabel="predicted", ylabel="true")
            displays.append(display)
        return displays

    def _rendered(self):
        return _value_text.headline(self), _value_text.sections(self), _value_text.notes(self)


def names_of(y) -> list[str]:
    """Names of the dimensions: of columns, where they have names."""
    if hasattr(y, "columns"):
        return [str(column) for column in y.columns]
    name, shape = getattr(y, "name", None), np.shape(y)
    if len(shape) < 2 or shape[1] == 1:
        return [str(name) if name else "value"]
    return [f"value {k + 1}" for k in range(shape[1])]
