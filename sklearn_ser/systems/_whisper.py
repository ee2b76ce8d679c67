"""The most accurate recognizer of this library: shrinkage discriminants on layers of a pretrained encoder."""

from __future__ import annotations

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ..preprocessing import SpeakerNormalizer
from ..pretrained import WhisperFeatures


def _part(X, index: int, n_parts: int):
    """One of equal parts of the columns."""
    width = X.shape[1] // n_parts
    columns = slice(index * width, (index + 1) * width)
    return X.iloc[:, columns] if hasattr(X, "iloc") else X[:, columns]


def whisper_discriminants(
    model="openai/whisper-base",
    layers=(2, 3, 4),
    *,
    speaker_normalized=False,
    data_home=None,
    memory=None,
    n_jobs=None,
    verbose=0,
):
    """Linear discriminants on the means of Whisper layers, one for each layer; the mean of their probabilities decides.

    With 512 values and some hundred clips, a discriminant with a covariance estimated as such would memorize; shrunk by
    the formula of Ledoit and Wolf [1]_, it has no parameter to tune. It needs fewer speakers than an SVM does: trained
    on a single one, it recognizes others much better.

    Parameters
    ----------
    model : str or PathLike, default="openai/whisper-base"
        As for `WhisperFeatures`.
    layers : sequence of int, default=(2, 3, 4)
        Layers that vote. Neighbors of the middle of the encoder are best; of "openai/whisper-base", all windows of
        three layers between 1 and 5 are within 0.02.
    speaker_normalized : bool, default=False
        True if each clip is normalized by the other clips of its speaker in the same call (`SpeakerNormalizer`,
        ``singleton_fraction=0``), which is better where there are always several clips of a speaker. X is a DataFrame
        with the columns `path` and `speaker` then.
    data_home, memory, n_jobs, verbose
        As for `WhisperFeatures`.

    Returns
    -------
    pipeline : Pipeline
        Its public parts can be fitted, searched and taken apart; ``votingclassifier__layer_2="drop"`` leaves a layer
        out.

    References
    ----------
    .. [1] O. Ledoit and M. Wolf (2004), "Honey, I shrunk the sample covariance matrix", Journal of Portfolio
       Management 30(4), 110-119.

    Examples
    --------
    >>> from sklearn_ser.systems import whisper_discriminants
    >>> whisper_discriminants()
    Pipeline(steps=[('whisperfeatures', ...), ('votingclassifier', ...)])
    """
    layers = list(layers)
    features = WhisperFeatures(model, layers, data_home=data_home, memory=memory, n_jobs=n_jobs, verbose=verbose)
    members = [
        (
            f"layer_{layer}",
            make_pipeline(
                FunctionTransformer(_part, kw_args={"index": index, "n_parts": len(layers)}),
                StandardScaler(),
                LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
            ),
        )
        for index, layer in enumerate(layers)
    ]
    first = SpeakerNormalizer(features, singleton_fraction=0) if speaker_normalized else features
    return make_pipeline(first, VotingClassifier(members, voting="soft"))
