"""Mel spectrograms and frames: closed forms, invariances, and librosa."""

import warnings

import librosa
import numpy as np
import pytest
import sklearn
import soundfile
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sklearn_ser import FlattenFrames, FrameWise, MelSpectrogramTransformer

RNG = np.random.default_rng(0)
NOISE = RNG.normal(scale=0.1, size=20000).astype(np.float32)


def librosa_mel(waveform, to_db=True, ref=1.0, amin=1e-10, top_db=80.0, **params):
    mel = librosa.feature.melspectrogram(y=waveform, sr=16000, **params)
    return (librosa.power_to_db(mel, ref=ref, amin=amin, top_db=top_db) if to_db else mel).T


# ------------------------------------------------------------------------------------------------------ mel spectrogram


@pytest.mark.parametrize(
    "params",
    [
        dict(),
        dict(n_fft=512, hop_length=160, n_mels=40),
        dict(n_fft=1024, win_length=400, hop_length=200, window="hamming"),
        dict(n_fft=1024, fmin=50.0, fmax=7000.0),
        dict(htk=True, norm=None),
        dict(power=1.0),
        dict(center=False),
        dict(pad_mode="reflect"),
        dict(n_fft=401, hop_length=100, n_mels=20),
    ],
)
@pytest.mark.parametrize("to_db", [True, False])
def test_values_are_librosas(params, to_db):
    params = {"n_fft": 2048, "hop_length": 512, "n_mels": 64, **params}
    ours = MelSpectrogramTransformer(to_db=to_db, normalize=None, **params).fit_transform([NOISE])[0]
    theirs = librosa_mel(NOISE, to_db, **params)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5 * np.abs(theirs).max())


@pytest.mark.parametrize(
    "decibels", [dict(top_db=None), dict(top_db=30.0), dict(ref=0.01), dict(ref="max"), dict(amin=1e-3)]
)
def test_decibels_are_librosas(decibels):
    ours = MelSpectrogramTransformer(normalize=None, **decibels).fit_transform([NOISE])[0]
    if decibels.get("ref") == "max":
        decibels = dict(ref=np.max)
    theirs = librosa_mel(NOISE, n_fft=1024, hop_length=256, n_mels=64, **decibels)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_values_are_librosas_on_real_recordings(emodb):
    paths = list(emodb.data["path"][::40])
    frames = MelSpectrogramTransformer().fit_transform(paths)
    for clip, path in zip(frames, paths, strict=True):
        waveform = soundfile.read(path, dtype="float32")[0]
        theirs = librosa_mel(waveform / np.sqrt(np.mean(waveform**2)), n_fft=1024, hop_length=256, n_mels=64)
        np.testing.assert_allclose(clip[: len(theirs)], theirs, atol=5e-3)
        assert np.isnan(clip[len(theirs) :]).all()


@pytest.mark.parametrize("ref", [1.0, "max"])
def test_silence_is_the_floor(ref):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silent, loud = MelSpectrogramTransformer(ref=ref).fit_transform([np.zeros(8000), NOISE[:8000]])
    assert np.isfinite(silent).all() and np.ptp(silent) == 0
    assert silent.max() <= loud.min()


def test_tone_is_loudest_in_its_band():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    frames = MelSpectrogramTransformer(n_mels=40).fit_transform([tone])[0]
    centres = librosa.mel_frequencies(42, fmin=0, fmax=8000)[1:-1]
    assert abs(centres[frames[20].argmax()] - 1000) < 100


def test_gain_does_not_matter_after_normalisation():
    reference = MelSpectrogramTransformer().fit_transform([NOISE])
    for gain in (0.1, 10.0):
        np.testing.assert_allclose(MelSpectrogramTransformer().fit_transform([gain * NOISE]), reference, atol=1e-3)


def test_later_samples_move_to_later_frames():
    params = dict(normalize=None, top_db=None, center=False)
    now, later = (MelSpectrogramTransformer(**params).fit_transform([NOISE[i:]])[0] for i in (512, 0))
    np.testing.assert_allclose(later[2 : 2 + len(now)], now, atol=1e-3)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_times", [1, 255, 256, 257, 1023, 1024, 1025, 1279, 1280])
def test_learned_number_of_frames_is_that_of_the_longest_clip(center, n_times):
    transformer = MelSpectrogramTransformer(center=center)
    frames = transformer.fit_transform([NOISE[:n_times]])
    assert frames.shape[1] == transformer.n_frames_
    assert np.isfinite(frames).all()
    if center:
        assert frames.shape[1] == 1 + n_times // 256
    else:
        assert frames.shape[1] == 1 + max(0, n_times - 1024) // 256


def test_later_clips_are_cropped_and_padded_to_the_fitted_number_of_frames():
    transformer = MelSpectrogramTransformer().fit([NOISE[:8000]])
    with pytest.warns(
        UserWarning, match=r"Row 1 is cropped to the first 32 of 79 frames.*Set n_frames.*Segment"
    ) as told:
        short, long = transformer.transform([NOISE[:4000], NOISE])
    assert len(told) == 1
    transformer.transform([NOISE[:8300]])  # not by a tenth
    assert len(long) == transformer.n_frames_ == 32
    assert np.isfinite(long).all()
    assert np.isnan(short[16:]).all() and np.isfinite(short[:16]).all()
    assert MelSpectrogramTransformer(n_frames=7).fit_transform([NOISE]).shape == (1, 7, 64)


@pytest.mark.parametrize(
    "params, message",
    [
        (
            dict(hop_length=800, win_length=400),
            "hop_length must not exceed win_length.*Got hop_length=800 and win_length=400",
        ),
        (dict(win_length=4096), "win_length must not exceed n_fft. Got win_length=4096 and n_fft=1024"),
        (dict(fmax=9000), "fmax must not exceed half the sampling rate. Got fmax=9000 Hz and sr=16000 Hz"),
        (dict(fmin=4000, fmax=3000), "fmin must lie below fmax. Got fmin=4000 Hz and fmax=3000 Hz"),
        (dict(n_mels=0), "'n_mels' parameter"),
        (dict(ref="loudest"), "'ref' parameter"),
        (dict(top_db=-1), "'top_db' parameter"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        MelSpectrogramTransformer(**params).fit([NOISE])


# --------------------------------------------------------------------------------------------------------------- frames


@pytest.fixture
def frames():
    X = RNG.normal(size=(5, 7, 3)).astype(np.float32) * [1, 5, 0.1] + [0, 3, -2]
    for row, length in enumerate([7, 3, 5, 1, 7]):
        X[row, length:] = np.nan
    return X.astype(np.float32)


def test_frame_wise_sees_real_frames_only(frames):
    real = ~np.isnan(frames[:, :, 0])
    scaled = FrameWise(StandardScaler()).fit_transform(frames)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(scaled).all(axis=2), ~real)
    np.testing.assert_allclose(scaled[real].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled[real].std(axis=0), 1, atol=1e-5)


def test_frame_wise_takes_any_transformer(frames):
    real = ~np.isnan(frames[:, :, 0])
    projected = FrameWise(PCA(2)).fit_transform(frames)
    assert projected.shape == (5, 7, 2)
    np.testing.assert_allclose(projected[real], PCA(2).fit_transform(frames[real]), atol=1e-5)
    y = np.array([0, 1, 0, 1, 1])
    assert FrameWise(SelectKBest(k=1)).fit_transform(frames, y).shape == (5, 7, 1)
    assert FrameWise(OneHotEncoder(handle_unknown="ignore")).fit_transform(frames.round()).ndim == 3  # sparse inside


def test_frame_wise_passes_features_as_they_are(frames):
    X = np.nan_to_num(frames[:, 0])
    np.testing.assert_array_equal(FrameWise(MinMaxScaler()).fit_transform(X), MinMaxScaler().fit_transform(X))


def test_frame_wise_names_are_the_transformers(frames):
    names = FrameWise(PCA(2)).fit(frames).get_feature_names_out()
    assert list(names) == ["pca0", "pca1"]
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=4), FrameWise(), FlattenFrames()).fit([NOISE[:500]])
    assert list(pipeline.get_feature_names_out()[:5]) == [f"mel_{i}_frame_0" for i in range(4)] + ["mel_0_frame_1"]


def test_frame_wise_routes_weights_to_every_frame(frames):
    weight = np.array([1.0, 0.0, 2.0, 0.0, 1.0])
    with sklearn.config_context(enable_metadata_routing=True):
        weighted = FrameWise(StandardScaler().set_fit_request(sample_weight=True)).fit(frames, sample_weight=weight)
    repeated = FrameWise(StandardScaler()).fit(frames[[0, 2, 2, 4]])
    np.testing.assert_allclose(weighted.transformer_.mean_, repeated.transformer_.mean_, rtol=1e-5)


def test_frame_wise_takes_no_weights_that_nobody_asked_for(frames):
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        FrameWise().fit(frames, sample_weight=np.ones(5))
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = LogisticRegression().set_fit_request(sample_weight=True)
        make_pipeline(FrameWise(), FlattenFrames(), classifier).fit(frames, [0, 1, 0, 1, 0], sample_weight=np.ones(5))


def test_frame_wise_refuses_a_transformer_that_loses_frames(frames):
    with pytest.raises(ValueError, match=r"one row of each frame. FunctionTransformer made an array of shape \(1, 3\)"):
        FrameWise(FunctionTransformer(lambda X: X[:1])).fit_transform(frames)


def test_frame_wise_scaling_does_not_depend_on_padding(frames):
    padded = np.concatenate([frames, np.full((5, 4, 3), np.nan, np.float32)], axis=1)
    np.testing.assert_array_equal(FrameWise().fit_transform(padded)[:, :7], FrameWise().fit_transform(frames))


def test_frame_wise_is_searched_through(frames):
    y = [0, 1, 0, 1, 0]
    pipeline = make_pipeline(FrameWise(PCA()), FlattenFrames(), LogisticRegression())
    search = GridSearchCV(pipeline, {"framewise__transformer__n_components": [1, 2]}, cv=2).fit(frames, y)
    assert search.best_params_["framewise__transformer__n_components"] in (1, 2)
    assert clone(search.best_estimator_).get_params()["framewise__transformer__n_components"] in (1, 2)


def test_flatten_fills_padding(frames):
    flat = FlattenFrames(fill_value=-9.0).fit_transform(frames)
    assert flat.shape == (5, 21)
    np.testing.assert_array_equal(flat, np.where(np.isnan(frames), -9, frames).reshape(5, 21))


def test_flatten_crops_and_pads_to_the_fitted_number_of_frames(frames):
    flatten = FlattenFrames().fit(frames)
    np.testing.assert_array_equal(flatten.transform(frames[:, :3])[:, 9:], 0)
    long = np.concatenate([frames, frames], axis=1)[[0, 4]]
    np.testing.assert_array_equal(flatten.transform(long), flatten.transform(frames[[0, 4]]))


def test_plain_estimators_refuse_frames_and_flatten_bridges(tones):
    y = [0, 1, 0, 1, 0, 1]
    with pytest.raises(ValueError, match="dim"):
        make_pipeline(MelSpectrogramTransformer(), SVC()).fit(tones, y)
    make_pipeline(MelSpectrogramTransformer(), FrameWise(), FlattenFrames(), SVC()).fit(tones, y).predict(tones)


@pytest.mark.parametrize("estimator", [FrameWise(), FlattenFrames()], ids=["FrameWise", "FlattenFrames"])
def test_broken_padding_is_named_by_row_and_frame(estimator, frames):
    def broken(row, time, value, feature=slice(None)):
        X = frames.copy()
        X[row, time, feature] = value
        return X

    for X, message in [
        (broken(2, 1, np.nan, 0), "Row 2, frame 1 contains NaN, but NaN marks padding"),
        (broken(2, 1, np.nan, 2), "Row 2, frame 1 contains NaN"),
        (broken(0, 3, np.nan), "Row 0, frame 3 contains NaN"),
        (broken(1, 5, 1.0, 1), "Row 1, frame 5 contains NaN"),
        (broken(4, 6, np.inf, 1), r"Row 4, frame 6 contains infinite \(inf\)"),
        (broken(3, 0, np.nan), "Row 3 has no frames"),
        (frames[0, 0], "1D array"),
        (frames[None], r"X must be frames \(n_clips, n_frames, n_features\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            clone(estimator).fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but .* is expecting 3 features"):
        clone(estimator).fit(frames).transform(frames[:, :, :2])


def test_flatten_refuses_features_after_frames(frames):
    with pytest.raises(ValueError, match=r"was fitted on frames. Got features of shape \(5, 3\)"):
        FlattenFrames().fit(frames).transform(np.zeros((5, 3)))


def test_set_output_passes_through_a_whole_pipeline(tones):
    pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=4), FrameWise(), FlattenFrames())
    table = pipeline.set_output(transform="pandas").fit_transform(tones)
    assert table.shape == (6, 4 * 38) and table.columns[-1] == "x3_frame_37"
    with sklearn.config_context(transform_output="pandas"):
        pipeline = make_pipeline(MelSpectrogramTransformer(n_mels=4), FrameWise(StandardScaler()), FlattenFrames())
        np.testing.assert_allclose(pipeline.fit_transform(tones), table)


@pytest.mark.parametrize("framing", [dict(n_fft=512, hop_length=128), dict(n_fft=401, hop_length=99)], ids=str)
@pytest.mark.parametrize(
    "pad_mode, center", [("constant", True), ("reflect", True), ("edge", True), ("constant", False)]
)
def test_clips_worked_on_together_come_out_as_if_alone(framing, pad_mode, center):
    """Clips are laid end to end for speed; nothing of one may reach into another."""
    lengths = [1, 5000, 99, 401, 402, 0, 512, 1234]
    clips = [NOISE[:n] * (-1) ** i for i, n in enumerate(lengths) if n] + [np.zeros(700), NOISE[-300:]]
    mel = MelSpectrogramTransformer(n_mels=8, pad_mode=pad_mode, center=center, ref="max", **framing)
    together = mel.fit_transform(clips)
    for row, clip in enumerate(clips):
        alone = mel.transform([clip])[0]
        np.testing.assert_allclose(together[row], alone, atol=1e-4)
        assert (
            len(alone[~np.isnan(alone[:, 0])])
            == 1
            + max(0, clip.size + (2 * (framing["n_fft"] // 2) if center else 0) - framing["n_fft"])
            // framing["hop_length"]
        )
