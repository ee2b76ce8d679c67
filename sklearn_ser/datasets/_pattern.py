"""Patterns of file names: "{speaker}_{text}_{emotion}_*" to the facts that a name tells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from ..utils._messages import short

_TOKEN = re.compile(
    r"\{(?P<field>[^{}:]*)(?::(?P<form>(?:[^{}]|\{[\d,]+\})*))?\}|(?P<any>\*)|(?P<literal>[^{}*]+)|(?P<brace>[{}])"
)


def normalized(text: str) -> str:
    """Return a name with umlauts and accents in one form, because macOS writes them in two characters."""
    return unicodedata.normalize("NFC", text)


class Pattern:
    """A pattern of names, with fields in braces, such as "{speaker:2}{text:3}{emotion}*".

    Parameters
    ----------
    template : str
        `{field}` is any text, `{field:2}` text of two characters, `{field:regex}` what the regular expression matches,
        and `*` any text, also none. None of them crosses a slash. A pattern with slashes is
        compared with as many folders above the file.
    choices : mapping from str to iterable of str
        The values that fields may have.
    """

    def __init__(self, template: str, choices: Mapping[str, Iterable[str]] | None = None):
        self.template = template
        self.choices = {name: sorted(map(normalized, values)) for name, values in (choices or {}).items()}
        self.depth = template.count("/") + 1
        self.tokens = [match for match in _TOKEN.finditer(normalized(template))]
        for match in self.tokens:
            field = match["field"]
            if match["brace"] or (field is not None and not field.isidentifier()):
                raise ValueError(f"pattern must have fields such as {{emotion}} in braces. Got {short(template)}.")
        self.fields = list(dict.fromkeys(match["field"] for match in self.tokens if match["field"]))
        try:
            self._lazy, self._greedy = (re.compile(self._expression(self.tokens, lazy), self._flags) for lazy in (1, 0))
        except re.error as error:
            raise ValueError(f"pattern has a field whose form is no regular expression ({error}): {template}") from None

    @property
    def _flags(self):
        """Ignore case, unless case is all that tells two values apart."""
        folded = [{value.casefold() for value in values} for values in self.choices.values()]
        alike = all(len(a) == len(set(b)) for a, b in zip(folded, self.choices.values(), strict=True))
        return re.IGNORECASE if alike else 0

    def _expression(self, tokens, lazy):
        seen, parts = set(), []
        for match in tokens:
            field, form = match["field"], match["form"]
            if match["any"]:
                parts.append("([^/]*?)" if lazy else "([^/]*)")
            elif not field:
                parts.append(re.escape(match["literal"]))
            elif field in seen:
                parts.append(f"(?P={field})")
            else:
                seen.add(field)
                parts.append(f"(?P<{field}>{self._form(field, form, lazy)})")
        return "".join(parts)

    def _form(self, field, form, lazy):
        if form:
            return f"[^/]{{{form}}}" if form.isdigit() else form
        if field in self.choices:
            values = sorted(self.choices[field], key=len, reverse=not lazy)
            return "|".join(map(re.escape, values))
        return "[^/]+?" if lazy else "[^/]+"

    def match(self, name: str) -> tuple[dict[str, str], tuple[str, ...]] | None:
        """Return what the fields of a name say, and what its wildcards stand for, or None.

        The name is that of a file below the corpus' folder, with slashes and without its extension.
        """
        found = self._lazy.fullmatch(self._end(name))
        if found is None:
            return None
        named = set(found.re.groupindex.values())
        others = (text for n, text in enumerate(found.groups(), 1) if n not in named)
        return found.groupdict(), tuple((text or "").casefold() for text in others)

    def other_reading(self, name: str) -> dict[str, str] | None:
        """Return another way to read a name that matches, if there is one."""
        first, last = (form.fullmatch(self._end(name)) for form in (self._lazy, self._greedy))
        return last.groupdict() if last and last.groupdict() != first.groupdict() else None

    def _end(self, name):
        return "/".join(normalized(name).split("/")[-self.depth :])

    def explain(self, name: str) -> str:
        """Say why a name does not match."""
        name = self._end(name)
        if name.count("/") + 1 < self.depth:
            return f"it lies in {name.count('/')} folders, where the pattern has {self.depth - 1}"
        for n_tokens in range(len(self.tokens), -1, -1):
            part = re.compile(self._expression(self.tokens[:n_tokens], 1), self._flags).match(name)
            if part:
                break
        if n_tokens == len(self.tokens):
            return f"{short(name[part.end() :])} is left behind its end"
        token = self.tokens[n_tokens]
        values = f" (one of {', '.join(self.choices[token['field']])})" if token["field"] in self.choices else ""
        before = "".join(match[0] for match in self.tokens[:n_tokens])
        wanted = f"{token[0]}{values}" if token["field"] else repr(token[0])
        return f"{wanted} is not found {'behind ' + repr(before) if before else 'at its beginning'}"
