"""Write docs/descriptors.md from the tables in the code: python docs/make_descriptors.py"""

from pathlib import Path

from sklearn_ser.features._clip_features import CLIP_FEATURES
from sklearn_ser.features._descriptors import DESCRIPTORS, Settings, column_names
from sklearn_ser.features._feature_sets import FEATURE_SETS
from sklearn_ser.features._functionals import FUNCTIONALS, Functionals

PAGE = Path(__file__).with_name("descriptors.md")
SETTINGS = Settings(sr=16000, n_fft=512, win_length=320, hop_length=160, window="hann", mel={"n_mels": 40}, n_mfcc=13)


def _table(*rows: tuple[str, ...]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *body, ""]


def _shortened(names) -> str:
    names = [f"`{name}`" for name in names]
    return ", ".join(names) if len(names) < 4 else f"{names[0]} ... {names[-1]}"


def page() -> str:
    default = Functionals().functionals
    lines = [
        "# Descriptors and functionals",
        "",
        "Written by `docs/make_descriptors.py` from the tables in the code.",
        "",
        "## Descriptors",
        "",
        "What `LowLevelDescriptors` measures in each frame, with its columns by default.",
        "",
        *_table(
            ("descriptor", "columns", "unit", "family", "what it is"),
            *(
                (f"`{name}`", _shortened(column_names(name, SETTINGS)), d.unit, d.family, d.text)
                for name, d in DESCRIPTORS.items()
            ),
        ),
        "## Functionals",
        "",
        "Statistics over the frames of a clip, for `Functionals` and `HandcraftedFeatures`. Features are named",
        "`column_functional`: `f0_mean`, `mfcc_3_std`.",
        "",
        *_table(
            ("functional", "unit", "by default in `Functionals`", "what it is"),
            *((f"`{name}`", f.unit, "yes" if name in default else "no", f.text) for name, f in FUNCTIONALS.items()),
        ),
        "## Measures of clips",
        "",
        "What `HandcraftedFeatures` measures of a clip as a whole.",
        "",
        *_table(
            ("clip-level feature", "columns", "unit", "family", "what it is"),
            *(
                (f"`{name}`", f"{len(m.columns)}: {_shortened(m.columns)}", m.unit, m.family, m.text)
                for name, m in CLIP_FEATURES.items()
            ),
        ),
        "## Feature sets",
        "",
        "What `HandcraftedFeatures(feature_set=...)` knows. Functionals over voiced frames of what all frames have are "
        "named",
        "`column_voiced_functional`; F0, formants, jitter, shimmer and differences of harmonics have no others.",
        "",
    ]
    for name, feature_set in FEATURE_SETS.items():
        settings = feature_set.settings(16000)
        columns = feature_set.columns(16000)
        families = {family: sum(family == other for other, _ in columns) for family, _ in columns}
        fractions = ", ".join(f"{count} {family}" for family, count in families.items())
        lines += [
            f"### {name}",
            "",
            f"{feature_set.text}. {len(columns)} features: {fractions}. At 16 kHz: windows of {settings.win_length} "
            f"samples every {settings.hop_length}, FFT of {settings.n_fft}, {settings.n_mels} mel bands from "
            f"{settings.mel['fmin']:g} to {settings.mel['fmax']:g} Hz.",
            "",
            *_table(
                ("descriptors", "functionals", "over"),
                *(
                    (
                        ", ".join(f"`{d}`" for d in group.descriptors),
                        ", ".join(f"`{f}`" for f in group.functionals),
                        "voiced frames" if group.voiced else "all frames",
                    )
                    for group in feature_set.groups
                ),
                *((f"`{feature}`", "", "the clip") for feature in feature_set.clip_features),
            ),
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
