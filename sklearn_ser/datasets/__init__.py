"""Corpora of emotional speech, and synthetic speech where there is no corpus."""

from ._concatenate import concatenate_corpora
from ._emodb import fetch_emodb
from ._errors import FetchError
from ._fetch import fetch_corpus
from ._folder import load_folder
from ._folds import emobox_folds
from ._github import fetch_cremad, fetch_nemo
from ._licensed import load_casia, load_iemocap
from ._load import list_corpora, load_corpus
from ._msp import load_msp_improv, load_msp_podcast
from ._ravdess import fetch_ravdess
from ._synthetic import make_emotional_speech
from ._tess import fetch_tess

__all__ = [
    "FetchError",
    "concatenate_corpora",
    "emobox_folds",
    "fetch_corpus",
    "fetch_cremad",
    "fetch_emodb",
    "fetch_nemo",
    "fetch_ravdess",
    "fetch_tess",
    "list_corpora",
    "load_casia",
    "load_corpus",
    "load_folder",
    "load_iemocap",
    "load_msp_improv",
    "load_msp_podcast",
    "make_emotional_speech",
]
