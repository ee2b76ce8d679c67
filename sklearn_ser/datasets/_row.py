"""One row of the table of corpora: how its file names are read, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

from ._pattern import Pattern

_NUMBERS = ("repetition", "session", "age")
SEXES = {
    "f": "female",
    "w": "female",
    "woman": "female",
    "female": "female",
    "m": "male",
    "man": "male",
    "male": "male",
}
_FIRST = ("speaker", "sex", "age", "text", "version", "intensity", "repetition")  # columns, in this order


@dataclass(frozen=True)
class Row:
    """A corpus whose file names, or a table beside its clips, tell all.

    Attributes
    ----------
    name : str
        As its publication calls it. Names are compared without case, spaces and hyphens.
    patterns : tuple of str
        Patterns of file names (`Pattern`); the first that matches counts.
    emotions : dict of str to str
        Emotions in this library's words, by the corpus' codes.
    language : str or dict of str to str
        One language, or the speakers (globs) of each.
    n_clips, n_speakers : int
        How many are published.
    licence, source, citation : str
    female, male : str
        Codes of the field `sex`, else speakers (globs, separated by spaces; "odd" and "even" for numbers).
    ages : dict of str to int
        Ages by speaker.
    words : dict of str to dict of str to str, or to callable
        Meanings of the codes of other fields.
    constants : dict of str to str
        Values that are the same for all clips, and are in no name.
    tables : dict of str to str
        Tables beside the clips (names, also globs), and the path that a line of each tells, as a format string.
    people : dict of str to str
        A table of speakers, and its column of their names.
    columns : dict of str to str
        Columns of these tables to keep, and what they are called here.
    folds : str
        EmoBox's test folds, speakers separated by spaces, folds by slashes; empty where they mix speakers.
    folder : str
        Its folder in the data home, and its name in EmoBox.
    record : str
        Number of its record on Zenodo, and the archive there, separated by a slash: `fetch_corpus` downloads it.
    fetch, loader : str
        Names of a function of its own that downloads it, and of one that reads what needs code.
    notes : str
        Oddities, and what is not certain.
    """

    name: str
    patterns: tuple[str, ...]
    emotions: dict[str, str]
    language: str | dict[str, str]
    n_clips: int
    n_speakers: int | None
    licence: str
    source: str
    citation: str
    female: str = ""
    male: str = ""
    ages: dict[str, int] = field(default_factory=dict)
    words: dict[str, dict[str, str] | Callable[[str], str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    folds: str = ""
    folder: str = ""
    record: str = ""
    fetch: str = ""
    loader: str = ""
    notes: str = ""

    @property
    def key(self) -> str:
        """Name of its folder in the data home."""
        return self.folder or simple(self.name)

    @cached_property
    def _patterns(self):
        return [Pattern(template, {"emotion": self.emotions}) for template in self.patterns]

    @cached_property
    def _codes(self):
        return {**{code.casefold(): emotion for code, emotion in self.emotions.items()}, **self.emotions}

    def read(self, name: str) -> tuple[dict, tuple] | None:
        """Return the facts that a name tells, and what copies of the clip have in common, or None.

        The name is a path below the corpus' folder, without its extension.
        """
        for pattern in self._patterns:
            found = pattern.match(name)
            if found is not None:
                facts = self.facts(found[0])
                return facts, (*facts.items(), *found[1])
        return None

    def facts(self, found: Mapping[str, str]) -> dict:
        """Return facts in this library's words from the codes of the corpus; `emotion`, last, is None where unknown."""
        facts: dict = {**self.constants, **found}
        emotion = facts.pop("emotion")
        if self.female or self.male:
            facts["sex"] = self._sex(facts.get("sex") or facts.get("speaker", ""))
        elif facts.get("sex"):
            facts["sex"] = SEXES.get(facts["sex"].casefold(), facts["sex"])
        for name, value in facts.items():
            if name in self.words and value is not None:
                words = self.words[name]
                facts[name] = words(value) if callable(words) else words.get(value, words.get(value.casefold(), value))
            elif name in _NUMBERS and str(value).isdigit():
                facts[name] = int(value)
            elif name in ("start", "end"):
                facts[name] = float(value)
        if self.ages:
            facts["age"] = self.ages.get(facts.get("speaker", ""))
        ordered = {name: facts[name] for name in (*_FIRST, *facts) if name in facts}
        return {**ordered, "emotion": self._codes.get(emotion) or self._codes.get(str(emotion).casefold())}

    def _sex(self, code):
        return "female" if _is_any(code, self.female) else "male" if _is_any(code, self.male) else None

    def language_of(self, speaker: str | None) -> str | None:
        """Return the language of a speaker."""
        if isinstance(self.language, str):
            return self.language
        return next(
            (name for name, globs in self.language.items() if any(_is(speaker, g) for g in globs.split())), None
        )

    @property
    def languages(self) -> str:
        """All languages, in words."""
        return self.language if isinstance(self.language, str) else ", ".join(self.language)

    def describe(self) -> str:
        """Return origin, licence and oddities as text."""
        counts = f"{self.n_clips} clips" + (f" of {self.n_speakers} speakers" if self.n_speakers else "")
        emotions = ", ".join(sorted(set(self.emotions.values())))
        notes = f"\n\n{self.notes}" if self.notes else ""
        return (
            f"{self.name}\n\n{counts}, in {self.languages}; emotions {emotions}.{notes}\n\n"
            f"Licence: {self.licence}. Source: {self.source}\n\n{self.citation}\n"
        )


def simple(name: str) -> str:
    """Return a name without case, spaces and hyphens."""
    return re.sub(r"[\W_]", "", name.casefold())


def _is_any(code, globs):
    return any(_is(str(code), glob) for glob in globs.split())


def _is(code, glob):
    if glob in ("odd", "even"):
        return code.isdigit() and int(code) % 2 == (glob == "odd")
    return fnmatchcase(code.casefold(), glob.casefold())
