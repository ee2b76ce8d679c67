"""Write docs/descriptors.md from the tables in the code: python docs/make_descriptors.py"""

from pathlib import Path

from sklearn_ser.features._descriptors import DESCRIPTORS, Settings, column_names
from sklearn_ser.features._functionals import FUNCTIONALS, Functionals

PAGE = Path(__file__).with_name("descriptors.md")
SETTINGS = Settings(sr=16000, n_fft=512, win_length=320, hop_length=160, window="hann", mel={"n_mels": 40}, n_mfcc=13)


def _table(*rows: tuple[str, ...]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *body, ""]


def _columns(name: str) -> str:
    names = [f"`{column}`" for column in column_names(name, SETTINGS)]
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
        "What `LowLevelDescriptors` measures in each frame, with its columns by default; `HandcraftedFeatures` offers the",
        "first four.",
        "",
        *_table(
            ("descriptor", "columns", "unit", "family", "what it is"),
            *((f"`{name}`", _columns(name), d.unit, d.family, d.text) for name, d in DESCRIPTORS.items()),
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
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
