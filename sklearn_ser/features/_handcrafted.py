"""HandcraftedFeatures: prosody, voice quality and spectrum, one row a clip."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..audio import AudioTransformer
from ..utils._docstrings import reading_parameters
from ..utils._processes import one_blas_thread
from ..utils._sklearn_compat import StrOptions
from ._descriptors import check_choice
from ._feature_sets import FEATURE_SETS, FeatureSet


def _features(waveforms, *, feature_set: FeatureSet, sr: int) -> list[np.ndarray]:
    with one_blas_thread():
        return list(feature_set.features(waveforms, sr))


@reading_parameters(
    "analyzed",
    why=", so that features do not tell how loud a recording is",
    workers="unless `joblib.parallel_config` says otherwise, by processes, which take about two seconds to start the "
    "first time, and by threads where there are fewer than 200 clips",
)
class HandcraftedFeatures(AudioTransformer):
    """Prosody, voice quality, spectrum and modulation of each clip, in a named set of features.

    The set is a version: its columns never change once it is released. They are named `descriptor_functional`, and
    `get_feature_names_out` lists them.

    Read more in the guide: :doc:`features </guide/features>`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser import HandcraftedFeatures
    >>> time = np.arange(8000) / 16000
    >>> clips = [np.sin(2 * np.pi * 110 * time), np.sin(2 * np.pi * 220 * time)]
    >>> HandcraftedFeatures(feature_set="bledea170").fit_transform(clips).shape
    (2, 170)
    >>> melody = HandcraftedFeatures(descriptors=["f0_semitone"]).set_output(transform="pandas").fit_transform(clips)
    >>> melody["f0_semitone_mean"].round().tolist()  # above 27.5 Hz
    [24.0, 36.0]

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate, Hz. Arrays are taken to be at this rate; files are resampled to it. At least 16000 for
        the sets "default-...", which measure frequencies up to 8000 Hz.
    feature_set : {"default-v3", "default-v2", "default-v1", "bledea170"}, default="default-v3"
        "default-v3": how melody, loudness, rhythm, spectrum and voice move over the clip, every 10 ms in windows of
        25 ms. It was chosen on corpora of three languages, unseen speakers; see Notes. "default-v2": statistics of mel
        bands, cepstrum, spectral shape, loudness, F0 and HNR of the speech, measured above the noise of its recording,
        rhythm and melody. "default-v1": statistics of mel bands, MFCC, the shape of the spectrum, loudness, F0, voice
        quality (HNR, CPP, jitter, shimmer), formants, over all frames and over voiced ones; rhythm; modulation of the
        spectrum from 0.5 to 25 Hz; and how MFCC and F0 vary together. Silence at the edges of a clip is left out.
        "bledea170": the 170 features of [1]_: means over the frames of 128 mel bands, 40 MFCC, zero-crossing rate and
        root mean square, as librosa defines them.
    families : sequence of str or None, default=None
        Only the columns of these families: of "default-v3", "prosody", "spectrum", "voice" and "covariation"; of
        "default-v2", "prosody", "spectrum", "treble" (above 3.8 kHz, which a telephone leaves out) and "voice"; of
        "default-v1", "prosody", "voice", "spectrum", "modulation" and
        "covariation"; of "bledea170", "spectrum" and "prosody". None takes all. Nothing else is computed.
    descriptors : sequence of str or None, default=None
        Only the columns of these descriptors, such as "f0_semitone" or "mfcc"; None takes all.
    <reading>

    Attributes
    ----------
    n_features_in_ : int
        Samples of each clip, where X is an array of shape (n_clips, n_times); else there is no such attribute.

    See Also
    --------
    LowLevelDescriptors : Descriptors frame by frame.
    Functionals : Any statistics of any frames.

    Notes
    -----
    Statistics "voiced" are of voiced frames alone; F0, formants, jitter and shimmer have no others. In a clip
    with fewer than three voiced frames they are of all frames, so that F0 is 0 there.

    "default-v3" consists of groups of descriptors that share their functionals. The groups were chosen on EMO-DB
    (German), EMOVO (Italian) and nEMO (Polish) together, leaving one speaker out. Changes over 20 to 320 ms and
    slopes over the clip are most of it; levels, which tell the speaker and the microphone, are few. No column is
    constant on any of the three corpora.

    "default-v2" and most columns of "default-v3" are of the speech above the noise of its recording: the noise of each
    mel band, estimated from its quietest frames, is subtracted, and nothing is measured deeper than 30 dB below loud
    speech, because what is fainter tells more about the recording than about the speaker. Frames before the first and
    behind the last speech are left out, and a band that carries nothing, as above a telephone's 3.4 kHz, follows its
    neighbor. Classifiers do best with bounded inputs, as that of `make_recognizer` has.

    Reference [1]_ does not normalize the level of its clips; ``normalize=None`` does as it does.

    References
    ----------
    .. [1] Bledea, cited in full in `sklearn_ser.systems`.
    """

    _prefer = "processes"
    _reads_lazily = True

    _makes_finite = True

    _parameter_constraints: dict = {
        **AudioTransformer._parameter_constraints,
        "feature_set": [StrOptions(set(FEATURE_SETS))],
        "families": ["array-like", None],
        "descriptors": ["array-like", None],
    }

    def __init__(
        self,
        sr=16000,
        feature_set="default-v3",
        *,
        families=None,
        descriptors=None,
        offset=0.0,
        duration=None,
        normalize="rms",
        channel="mean",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.sr = sr
        self.feature_set = feature_set
        self.families = families
        self.descriptors = descriptors
        self.offset = offset
        self.duration = duration
        self.normalize = normalize
        self.channel = channel
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    def transform(self, X):
        """Compute the features of every clip.

        Parameters
        ----------
        X : audio input of n_clips

        Returns
        -------
        features : ndarray of shape (n_clips, n_features), float32
            Finite; the columns are named by `get_feature_names_out`.
        """
        return self._rows(X, len(self.get_feature_names_out()))

    def get_feature_names_out(self, input_features=None):
        """Names of the columns, `descriptor_functional`: `f0_semitone_mean`, `mfcc_3_std`, `mfcc_3_voiced_std` ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of shape (n_features,), object
        """
        self._check_params()
        return np.asarray([name for _, name in self._selected().columns(self.sr)], dtype=object)

    def feature_families(self):
        """Names of the columns by family.

        Returns
        -------
        families : dict of str to list of str
            Such as "prosody"; `families` takes any of the keys, and a DataFrame of features any of the lists.
        """
        self._check_params()
        families: dict = {}
        for family, name in self._selected().columns(self.sr):
            families.setdefault(family, []).append(name)
        return families

    def _check_params(self):
        super()._check_params()
        whole = FEATURE_SETS[self.feature_set]
        if self.families is not None:
            check_choice("families", self.families, whole.families)
        if self.descriptors is not None:
            check_choice("descriptors", self.descriptors, whole.descriptors)
        if not self._selected().descriptors:
            raise ValueError(
                f"No descriptor is left: none of descriptors={list(self.descriptors)} belongs to "
                f"families={list(self.families)}."
            )
        highest = whole.settings(16000).mel["fmax"]
        if self.feature_set.startswith("default") and self.sr < 2 * highest:
            raise ValueError(
                f"{self.feature_set} measures frequencies up to {highest:.0f} Hz, so that sr must be at least "
                f"{2 * highest:.0f} Hz; files at lower rates are resampled to it. Got sr={self.sr}."
            )

    def _selected(self) -> FeatureSet:
        return FEATURE_SETS[self.feature_set].select(self.families, self.descriptors)

    def _digests(self):
        name = vars(self).get("feature_set")
        known = isinstance(name, str) and name in FEATURE_SETS
        return {f"feature set {name!r}": FEATURE_SETS[name].fingerprint()} if known else {}

    def _function(self):
        return partial(_features, feature_set=self._selected(), sr=self.sr)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags
