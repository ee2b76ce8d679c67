"""Links from the HTML diagrams of estimators to their pages of the documentation."""

from __future__ import annotations

import os

_SETTING = "SKLEARN_SER_DOCS"


class DocLinkMixin:
    """For all estimators of this library: scikit-learn's diagrams link to where the documentation is, if that is known.

    The environment variable SKLEARN_SER_DOCS names it: the address of the site, or of a copy that was built, such as
    ``file:///home/me/sklearn_ser/docs/_build``.
    """

    _doc_link_module = "sklearn_ser"

    @property
    def _doc_link_template(self) -> str:
        root = os.environ.get(_SETTING, "").rstrip("/").replace("{", "{{").replace("}", "}}")
        return f"{root}/api/generated/{{estimator_module}}.{{estimator_name}}.html"

    def _get_doc_link(self) -> str:
        return super()._get_doc_link() if os.environ.get(_SETTING) else ""  # type: ignore[misc]
