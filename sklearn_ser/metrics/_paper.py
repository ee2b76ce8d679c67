"""Text with all that a paper has to state about an evaluation, with gaps for what a report cannot know."""

from __future__ import annotations

import platform
import sys
import textwrap
from importlib import metadata

import numpy as np

from ..utils._versions import current_version

_ALWAYS = {"scikit-learn": "scikit-learn", "numpy": "NumPy", "scipy": "SciPy", "librosa": "librosa"}
_IF_IMPORTED = {"keras": "Keras", "tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def software() -> dict[str, str]:
    """Names and versions of what predictions rest on: networks' libraries, if they are in use."""
    found = {"sklearn_ser": current_version()}
    imported = {key: name for key, name in _IF_IMPORTED.items() if key in sys.modules}
    for distribution, name in {**_ALWAYS, **imported}.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:  # such as tensorflow-cpu, which is imported by another name
            found[name] = getattr(sys.modules.get(distribution), "__version__", "of unknown version")
    return {**found, "Python": platform.python_version()}


def summary(report, *, corpus, selection, seeds, width) -> str:
    paragraphs = [
        _data(report, corpus),
        _protocol(report, selection, seeds),
        _results(report),
        _subgroups(report),
        _conditions(report),
        software_of(report),
    ]
    wrap = str if width is None else lambda paragraph: textwrap.fill(paragraph, width, break_on_hyphens=False)
    return "\n\n".join(wrap(paragraph) for paragraph in paragraphs if paragraph)


def _data(report, corpus) -> str:
    names = _names_of_corpora(report)
    corpus = corpus or (", ".join(names) + " [versions]" if names else "[corpus and version]")
    clips = report.to_frame().loc["recall", "n_clips"]
    counted = ", ".join(f"{emotion} {n}" for emotion, n in clips.items())
    sexes = [sex for sex in report._speaker_sex if sex is not None]
    by_sex = ", ".join(f"{sexes.count(sex)} {sex}" for sex in sorted(set(sexes)))
    unknown = len(report.speakers) - len(sexes)
    by_sex += f", {unknown} of unknown sex" if sexes and unknown else ""
    return (
        f"Data. {corpus}: {_count(len(report.y_true), 'clip')} of {_count(len(report.emotions), 'emotion')} "
        f"({counted}) by {_count(len(report.speakers), 'speaker')}{f' ({by_sex})' if by_sex else ''}."
    )


def _names_of_corpora(report) -> list[str]:
    measures = report.to_frame().index.get_level_values("measure")
    if "UAR by corpus" in measures:
        return [str(name) for name in report.to_frame().loc["UAR by corpus"].index]
    return []


def _protocol(report, selection, seeds) -> str:
    selection = selection or "[Which hyperparameters were chosen, and on which clips; or that none were.]"
    seeds = seeds or "[How many trainings with different seeds these figures are of.]"
    return (
        f"Protocol. Model: {report.title or '[the model]'}. "
        f"Split: {report.protocol or '[which clips were trained on, and whether speakers are on both sides]'}. "
        f"{_sentence(selection)} {_sentence(seeds)} The predictions of all clips were pooled before they were scored. "
        f"UAR is the mean of the emotions' recalls, WA the fraction of clips recognized."
        + (
            f" Intervals are {100 * report.confidence_level:.4g} % confidence intervals over speakers: bootstrap "
            f"standard errors ({report.n_boot} resamples of speakers), Student's t on the logit scale."
            if len(report.speakers) > 1
            else " There are no confidence intervals, because there is one speaker."
        )
    )


def _results(report) -> str:
    frame = report.to_frame()
    uar, wa = frame.loc["UAR", "all"], frame.loc["WA", "all"]
    recalls = frame.loc["recall", "value"]
    text = (
        f"Results. UAR {figure(uar)} (chance {uar['chance']:.3f}), WA {figure(wa)} (most frequent emotion "
        f"{wa['chance']:.3f}). "
    )
    if len(recalls) > 1:
        text += (
            f"Recall is lowest of {recalls.idxmin()} ({recalls.min():.2f}) and highest of {recalls.idxmax()} "
            f"({recalls.max():.2f})."
        )
    if np.isfinite(uar["listeners"]):
        text += f" Human listeners reached a UAR of {uar['listeners']:.3f} on the same clips."
    if report.y_pred_random is not None:
        random, gap = frame.loc["UAR, random split", "all"], frame.loc["leakage gap", "all"]
        text += (
            f" With speakers on both sides (random split of the same sizes), the UAR is {figure(random)}, a "
            f"difference of {figure(gap, signed=True)}; this says nothing of unseen speakers."
        )
    return text.strip()


def _subgroups(report) -> str:
    frame = report.to_frame()
    measures = set(frame.index.get_level_values("measure"))
    parts = []
    if "UAR by sex" in measures:
        each = [f"{figure(row)} for {sex} speakers" for sex, row in frame.loc["UAR by sex"].iterrows()]
        parts.append(f"The UAR is {' and '.join(each)}")
        if "gap by sex" in measures:
            of, gap = next(frame.loc["gap by sex"].iterrows())
            parts[-1] += f"; the difference ({of}) is {figure(gap, signed=True)}"
    scores = frame.loc["UAR by speaker", "value"]
    if len(scores) > 1:
        parts.append(f"By speaker, the UAR goes from {scores.min():.3f} to {scores.max():.3f}")
    if "UAR by corpus" in measures:
        each = [f"{figure(row)} on {name}" for name, row in frame.loc["UAR by corpus"].iterrows()]
        parts.append(f"By corpus, it is {', '.join(each)}")
    if "UAR by language" in measures:
        each = [f"{figure(row)} in {name}" for name, row in frame.loc["UAR by language"].iterrows()]
        parts.append(f"By language, it is {', '.join(each)}")
    return f"Subgroups. {'. '.join(parts)}." if parts else ""


def _conditions(report) -> str:
    if not report.y_pred_conditions:
        return "Conditions. Tested on the clips as they are; [noise, telephone, room: not measured]."
    frame = report.to_frame()
    each = [
        f"{name} {figure(frame.loc['UAR by condition', name])}, loss {figure(frame.loc['loss by condition', name])}"
        for name in report.y_pred_conditions
    ]
    return f"Conditions. UAR of the same models on the same clips, altered: {'; '.join(each)}."


def software_of(report) -> str:
    """The software that a report was made with, as a paragraph."""
    return f"Software. {', '.join(f'{name} {version}' for name, version in report.versions.items())}."


def figure(row, *, signed=False) -> str:
    """A score with its interval."""
    value = f"{row['value']:+.3f}" if signed else f"{row['value']:.3f}"
    if np.isnan(row["low"]):
        return value
    return f"{value} [{row['low']:.3f}, {row['high']:.3f}]"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "]", "!", "?")) else f"{text}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
