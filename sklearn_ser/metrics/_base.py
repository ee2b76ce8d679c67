"""The base of all reports: their settings, and how they are shown."""

from __future__ import annotations

from sklearn.utils import check_random_state, check_scalar

from . import _paper, _render


class Report:
    """Scores of pooled predictions with confidence intervals over speakers.

    A subclass says in `_rendered` what is shown below its name.
    """

    def _set(self, *, n_boot, confidence_level, random_state, title, name, protocol) -> None:
        """Check and keep what all reports are given."""
        check_scalar(n_boot, "n_boot", int, min_val=2)
        check_scalar(confidence_level, "confidence_level", float, min_val=0, max_val=1, include_boundaries="neither")
        self.n_boot, self.confidence_level = n_boot, confidence_level
        self.title, self.name, self.protocol = title, title if name is None else name, protocol
        self.versions = _paper.software()
        self._seed = check_random_state(random_state).randint(2**31 - 1)

    def _rendered(self) -> tuple[str, list, list[str]]:
        """Return the headline, the sections and the notes."""
        raise NotImplementedError

    def __str__(self):
        return _render.as_text(self.name, *self._rendered())

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        return _render.as_html(self.name, self.title, *self._rendered())
