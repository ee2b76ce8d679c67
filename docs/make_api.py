"""Pages of the API reference: one for each package, its public names in families, made from its own ``__all__``."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

# Packages in the order in which a recording passes them, what each is for, and their families: a title, a sentence, and
# the names. Names that no family has come last, under "Others"; a test says that there are none.
PACKAGES: dict[str, tuple[str, dict[str, tuple[str, list[str]]]]] = {
    "datasets": (
        "Corpora",
        {
            "Fetched": (
                "Download a public corpus once, check it, and return its clips, labels and speakers.",
                [
                    "fetch_corpus",
                    "fetch_cremad",
                    "fetch_emodb",
                    "fetch_nemo",
                    "fetch_ravdess",
                    "fetch_tess",
                    "FetchError",
                ],
            ),
            "Read from a copy": (
                "More than thirty corpora by name, from where they lie.",
                [
                    "load_corpus",
                    "list_corpora",
                    "load_folder",
                    "load_casia",
                    "load_iemocap",
                    "load_msp_improv",
                    "load_msp_podcast",
                ],
            ),
            "Made and joined": (
                "Synthetic speech where there is no corpus, several corpora as one, and published splits.",
                ["make_emotional_speech", "concatenate_corpora", "emobox_folds"],
            ),
        },
    ),
    "audio": (
        "Audio input",
        {
            "Reading": (
                "From clips in any form to waveforms.",
                ["WaveformLoader", "WaveformChunker", "load_waveform"],
            ),
            "Checking": (
                "What is wrong with a recording, or with a corpus.",
                ["check_corpus", "AudioError"],
            ),
            "Extending": (
                "The base of every transformer that reads audio.",
                ["AudioTransformer"],
            ),
        },
    ),
    "features": (
        "Features",
        {
            "One row for each clip": (
                "Features, (n_clips, n_features), for any classifier of scikit-learn.",
                ["HandcraftedFeatures", "Functionals", "WaveformFeatures"],
            ),
            "Frames": (
                "Sequences, (n_clips, n_frames, n_features), for networks.",
                ["MelSpectrogramTransformer", "LowLevelDescriptors", "SparseAutoencoderFeatures"],
            ),
            "Between frames and features": (
                "Any transformer of scikit-learn on each frame, and frames side by side.",
                ["FrameWise", "FlattenFrames"],
            ),
        },
    ),
    "pretrained": (
        "Pretrained encoders",
        {
            "Published recognizers": (
                "Models that others have trained on emotions: no labels and no training are needed.",
                ["PretrainedClassifier", "PretrainedRegressor"],
            ),
            "Any encoder": (
                "wav2vec 2.0, HuBERT, WavLM, data2vec and Whisper: their layers as features, or fine-tuned.",
                ["EncoderFeatures", "EncoderClassifier", "EncoderRegressor"],
            ),
            "Whisper": (
                "An encoder that has heard 680,000 hours of speech: its layers as features, or fine-tuned.",
                ["WhisperFeatures", "WhisperClassifier"],
            ),
        },
    ),
    "augmentation": (
        "Augmentation",
        {
            "Augmenters": (
                "What happens to recordings outside a studio: functions from a waveform to a waveform.",
                [
                    "AddNoise",
                    "AddBackground",
                    "Room",
                    "Telephone",
                    "Codec",
                    "Equalizer",
                    "Clipping",
                    "Level",
                    "PitchShift",
                    "TimeStretch",
                    "Compose",
                ],
            ),
            "Training and testing with them": (
                "Estimators that also learn from altered copies, and altered clips to test any pipeline on.",
                [
                    "AugmentedClassifier",
                    "AugmentedRegressor",
                    "real_world_augmenters",
                    "augment_clips",
                    "real_world_conditions",
                ],
            ),
        },
    ),
    "preprocessing": (
        "Scaling",
        {
            "Scalers": (
                "Within bounds, by world, by speaker, or by the clips of one emotion.",
                ["BoundedScaler", "WorldNormalizer", "SpeakerNormalizer", "ReferenceScaler"],
            ),
        },
    ),
    "neural": (
        "Neural classifiers",
        {
            "Classifiers": (
                "Keras networks of frames or features that behave as classifiers of scikit-learn.",
                [
                    "CNNLSTMClassifier",
                    "CNNClassifier",
                    "LSTMClassifier",
                    "StackedLSTMClassifier",
                    "AttentionBLSTMClassifier",
                    "DenseClassifier",
                ],
            ),
            "Regressors": (
                "Some of these networks, trained on values such as arousal and valence.",
                ["CNNLSTMRegressor", "AttentionBLSTMRegressor"],
            ),
            "Your own network": (
                "Any function that makes a network, as a classifier or a regressor; and any of them as an ONNX file.",
                ["NetworkClassifier", "NetworkRegressor", "export_onnx"],
            ),
        },
    ),
    "neural.networks": (
        "Networks",
        {
            "Whole networks": (
                "Functions that `NetworkClassifier` and `NetworkRegressor` take, written as your own would be.",
                [
                    "dense",
                    "cnn",
                    "cnn_lstm",
                    "attention_cnn",
                    "statistics_network",
                    "stacked_lstm",
                    "attention_blstm",
                    "whisper_attention",
                ],
            ),
            "Parts of pretrained encoders": (
                "What an encoder is made of, and what is put behind it.",
                ["wav2vec2", "whisper", "encoder_layers", "combine_layers", "encoder_attention"],
            ),
            "Keras models": (
                "The model of such a function, and an encoder that has no outputs of its own.",
                ["build", "whisper_encoder"],
            ),
            "Parts that know of padding": (
                "What a network of your own pools frames with.",
                [
                    "mask_padding",
                    "masked_mean",
                    "masked_quantiles",
                    "masked_std",
                    "attention_weights",
                    "attention_pooling",
                    "statistics_pooling",
                ],
            ),
        },
    ),
    "segmentation": (
        "Long recordings",
        {
            "Segments": (
                "Trained on segments of clips; a timeline of a recording of any length, or of a stream.",
                ["SegmentClassifier", "SegmentRegressor"],
            ),
            "What it returns": (
                "Probabilities or values along a recording, and the intervals that they merge into.",
                ["Timeline", "ValueTimeline", "Intervals"],
            ),
        },
    ),
    "selective": (
        "Rejection",
        {
            "Around any classifier": (
                'It answers "unknown" where it is not sure, or where a clip is unlike all that it knows.',
                ["SelectiveClassifier"],
            ),
        },
    ),
    "adaptation": (
        "Adaptation",
        {
            "New worlds": (
                "A fitted recognizer that knows another corpus, room or language from some clips without labels.",
                ["adapt"],
            ),
        },
    ),
    "soft_labels": (
        "Raters who disagree",
        {
            "Around any classifier": (
                "It is trained on the fraction of raters who chose each class.",
                ["SoftLabelClassifier"],
            ),
        },
    ),
    "discriminant": (
        "The recommended classifier",
        {
            "Classifier": (
                "A shrunk linear discriminant with probabilities that can be believed.",
                ["CalibratedDiscriminant"],
            ),
        },
    ),
    "calibrated_ridge": (
        "The recommended regressor",
        {
            "Regressor": (
                "A ridge whose strength and scale are chosen on held-out groups.",
                ["CalibratedRidge"],
            ),
        },
    ),
    "systems": (
        "Recommended and published systems",
        {
            "Recommended": (
                "Where to begin.",
                ["make_recognizer", "load_recognizer", "whisper_discriminants"],
            ),
            "Published": (
                "Four systems of the literature and their baselines, and the list of them.",
                [
                    "list_systems",
                    "PublishedSystem",
                    "mou2021_cnn_lstm",
                    "mou2021_cnn",
                    "mou2021_lstm",
                    "mou2021_nn",
                    "bledea_stacked_lstm",
                    "saleem_cnn_lstm",
                    "he_attention_blstm",
                    "he_autoencoder_blstm",
                    "he_blstm",
                    "he_svm",
                ],
            ),
        },
    ),
    "raters": (
        "Raters",
        {
            "Ratings": (
                "Ratings by several people, joined to labels, values or distributions, and how far they agree.",
                ["aggregate_ratings", "rater_agreement"],
            ),
        },
    ),
    "model_selection": (
        "Splits",
        {
            "Splitters": (
                "Speakers, sentences or corpora on one side only.",
                ["StratifiedSpeakerKFold", "SpeakerTextKFold", "LeaveOneCorpusOut"],
            ),
            "Audit": (
                "Which speakers, sentences and copies any split lets through.",
                ["audit_split", "SplitAudit"],
            ),
        },
    ),
    "metrics": (
        "Evaluation",
        {
            "Evaluation": (
                "Unseen speakers, with intervals over speakers, in noise, too.",
                ["evaluate", "EvaluationReport", "ValueReport", "MultilabelReport"],
            ),
            "Comparison": (
                "Whether two models differ.",
                ["compare", "Comparison", "ValueComparison"],
            ),
            "Scores": (
                "As scikit-learn has them.",
                [
                    "uar_score",
                    "wa_score",
                    "ccc_score",
                    "ccc_scorer",
                    "soft_cross_entropy",
                    "jensen_shannon",
                    "rater_accuracy",
                    "risk_coverage_curve",
                ],
            ),
        },
    ),
    "plotting": (
        "Displays",
        {
            "Results": (
                "What was recognised, how surely, and under which conditions.",
                ["ReportDisplay", "ConfusionDisplay", "RobustnessDisplay", "RiskCoverageDisplay"],
            ),
            "Recordings": (
                "What a transformer hears, and what a classifier says along a recording.",
                ["MelSpectrogramDisplay", "TimelineDisplay"],
            ),
            "Features": (
                "Which families of features count, and where clips lie by them.",
                ["FamilyImportanceDisplay", "EmbeddingDisplay"],
            ),
            "Networks": (
                "How a network was trained, and what it looks at.",
                ["HistoryDisplay", "AttentionDisplay", "KernelDisplay"],
            ),
        },
    ),
    "utils": (
        "Versions",
        {
            "Warnings": (
                "What a saved estimator says that another version wrote.",
                ["VersionMismatchWarning"],
            ),
        },
    ),
}


def public_names() -> dict[str, list[str]]:
    """Public names of each package; a name is listed where it is first found."""
    found: dict[str, list[str]] = {}
    seen: set[int] = set()
    for package in PACKAGES:
        module = import_module(f"sklearn_ser.{package}")
        names = [name for name in sorted(module.__all__) if id(getattr(module, name)) not in seen]
        seen |= {id(getattr(module, name)) for name in names}
        found[package] = names
    return found


def families(package: str, names: list[str]) -> dict[str, tuple[str, list[str]]]:
    """Families of a package, with the names that none of them has."""
    found = {title: (sentence, list(members)) for title, (sentence, members) in PACKAGES[package][1].items()}
    listed = {name for _, members in found.values() for name in members}
    if listed - set(names):
        raise ValueError(f"docs/make_api.py lists names that sklearn_ser.{package} has not: {listed - set(names)}")
    others = [name for name in names if name not in listed]
    if others:
        found["Others" if found else ""] = ("", others)
    return found


def write(folder: Path) -> None:
    """Write `index.rst` and a page for each package."""
    folder.mkdir(exist_ok=True)
    index = [
        "API reference",
        "=============",
        "",
        "All public names, in the order in which a recording passes them.",
        "",
    ]
    index += [".. toctree::", "   :hidden:", "", *(f"   {package}" for package in PACKAGES), ""]
    for package, names in public_names().items():
        module = import_module(f"sklearn_ser.{package}")
        summary = (inspect.getdoc(module) or "").split("\n\n")[0]
        page = [_heading(PACKAGES[package][0], "="), f".. module:: sklearn_ser.{package}", ""]
        page += [f"**sklearn_ser.{package}.** {summary}", ""]
        index += [_heading(PACKAGES[package][0], "-"), f":doc:`sklearn_ser.{package} <{package}>`: {summary}", ""]
        index += [f".. currentmodule:: sklearn_ser.{package}", ""]
        for family, (sentence, members) in families(package, names).items():
            of_family = [_heading(family, "-") if family else "", sentence, "", ".. autosummary::", "   :nosignatures:"]
            page += [*of_family, "   :toctree: generated", "", *(f"   {name}" for name in members), ""]
            index += [f"**{family}.** {sentence}" if family else "", "", ".. autosummary::", "   :nosignatures:", ""]
            index += [*(f"   {name}" for name in members), ""]
        replace(folder / f"{package}.rst", "\n".join(page))
    replace(folder / "index.rst", "\n".join([*index, ""]))


def _heading(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}\n"


def replace(path: Path, text: str) -> None:
    """Leave a page that has not changed as it is, so that it is not built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
