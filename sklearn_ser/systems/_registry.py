"""The list of the published systems, with the figures that their papers report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ..utils import _html
from ._bledea import bledea_stacked_lstm
from ._he import he_attention_blstm, he_autoencoder_blstm, he_blstm, he_svm
from ._mou2021 import mou2021_cnn, mou2021_cnn_lstm, mou2021_lstm, mou2021_nn
from ._saleem import saleem_cnn_lstm


class PublishedSystem(NamedTuple):
    """A system in one scenario of its paper.

    Read more in the guide: :doc:`published systems </guide/papers>`.

    Examples
    --------
    >>> from sklearn_ser.systems import list_systems
    >>> system = list_systems()[0]
    >>> system.paper, system.corpus, type(system.build(random_state=0)).__name__
    ('Mou et al. 2021', 'emodb', 'Pipeline')

    Parameters
    ----------
    name : str
        Name of the function, with its arguments and the scenario where there are several.
    build : callable
        Returns the unfitted system; takes `random_state`, `epochs` and `verbose`.
    paper : str
        Its authors.
    corpus : {"emodb", "ravdess", "tess"}
        The corpus that the paper measures it on.
    emotions : tuple of str, or None
        Those that the paper tells apart; None: all of the corpus.
    test_size : float
        Fraction of the clips that the paper tests on, drawn at random; 0.2 where it does not say.
    wa : float or None
        Published accuracy on them, if there is a figure.
    """

    name: str
    build: Callable
    paper: str
    corpus: str
    emotions: tuple[str, ...] | None
    test_size: float
    wa: float | None

    def __repr__(self):
        values = (f"{name}={value!r}" for name, value in self._asdict().items() if name != "build")
        return f"{type(self).__name__}({', '.join(values)})"


class _Systems(list):
    """A list that shows itself as a table."""

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return type(self)(found) if isinstance(index, slice) else found

    def __repr__(self):
        rows = [_COLUMNS, *map(_row, self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])

    def _repr_html_(self):
        return _html.page(_html.table("Published systems", _COLUMNS, map(_row, self), words=_COLUMNS[:-1]))


_COLUMNS = ("name", "paper", "task", "tested on", "published WA")


def _row(system: PublishedSystem) -> tuple[str, ...]:
    emotions = "all emotions" if system.emotions is None else f"{len(system.emotions)} emotions"
    wa = "-" if system.wa is None else f"{system.wa:.3f}"
    return system.name, system.paper, f"{system.corpus}, {emotions}", f"{system.test_size:.0%} of the clips", wa


def list_systems() -> list[PublishedSystem]:
    """All published systems, with the figures that their papers report.

    Returns
    -------
    systems : list of PublishedSystem
        It prints, and is shown in notebooks, as a table. ``systems[0].build(random_state=0)`` builds one.

    Examples
    --------
    >>> from sklearn_ser.systems import list_systems
    >>> list_systems()[:2]
    name                          paper            task                 tested on         published WA
    --------------------------------------------------------------------------------------------------
    mou2021_cnn_lstm              Mou et al. 2021  emodb, all emotions  20% of the clips  0.578
    mou2021_cnn_lstm, 4 emotions  Mou et al. 2021  emodb, 4 emotions    20% of the clips  0.830
    >>> {system.name: system.wa for system in list_systems()}["mou2021_cnn_lstm"]
    0.5783
    """
    mou = partial(PublishedSystem, paper="Mou et al. 2021", corpus="emodb", test_size=0.2)
    seven, four = partial(mou, emotions=None), partial(mou, emotions=("anger", "happiness", "neutral", "sadness"))
    bledea = partial(PublishedSystem, paper="Bledea", corpus="tess", emotions=None, test_size=0.25)
    no_calm = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    saleem = partial(PublishedSystem, paper="Saleem", corpus="ravdess", emotions=no_calm, test_size=0.2, wa=0.73)
    he = partial(PublishedSystem, paper="He, Ren and He", corpus="emodb", emotions=None, test_size=0.2)
    systems = [
        seven("mou2021_cnn_lstm", mou2021_cnn_lstm, wa=0.5783),
        four("mou2021_cnn_lstm, 4 emotions", mou2021_cnn_lstm, wa=0.83),
        seven("mou2021_nn", mou2021_nn, wa=0.533),
        four("mou2021_nn, 4 emotions", mou2021_nn, wa=0.779),
        seven("mou2021_cnn", mou2021_cnn, wa=0.458),
        seven("mou2021_lstm", mou2021_lstm, wa=0.505),
        bledea('bledea_stacked_lstm("mel")', partial(bledea_stacked_lstm, "mel"), wa=0.95),
        bledea('bledea_stacked_lstm("all")', partial(bledea_stacked_lstm, "all"), wa=0.96),
        bledea('bledea_stacked_lstm("no_zcr")', partial(bledea_stacked_lstm, "no_zcr"), wa=0.96),
        bledea(
            'bledea_stacked_lstm("no_zcr", noise=True)', partial(bledea_stacked_lstm, "no_zcr", noise=True), wa=0.15
        ),
        saleem("saleem_cnn_lstm", saleem_cnn_lstm),
        saleem("saleem_cnn_lstm(as_published=True)", partial(saleem_cnn_lstm, as_published=True)),
        he("he_svm", he_svm, wa=None),
        he("he_svm(standardize=True)", partial(he_svm, standardize=True), wa=None),
        he("he_blstm", he_blstm, wa=None),
        he("he_autoencoder_blstm", he_autoencoder_blstm, wa=None),
        he("he_attention_blstm", he_attention_blstm, wa=0.7797),
    ]
    return _Systems(systems)
