"""What Sphinx leaves out: links from names in backticks to the API, calls that wrap in tables, a check of all links."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docutils import nodes
from sphinx.util import logging

PACKAGE = "sklearn_ser"
ARGUMENTS = r"\((?:[^()]|\([^()]*\))*\)"  # with calls among them
NAME = re.compile(rf"(?:sklearn_ser\.)?(\w+(?:\.\w+)*)(?:{ARGUMENTS})?")  # `Name`, `package.name(arguments)`
log = logging.getLogger(__name__)


def setup(app):
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", let_calls_wrap)
    app.connect("build-finished", check_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def documented(env) -> dict[str, tuple[str, str]]:
    """Page and anchor of each public name, by all the ways in which it can be written without being ambiguous."""
    found: dict[str, tuple[str, str]] = {}
    for full, entry in env.domains["py"].objects.items():
        parts = full.split(".")
        if parts[0] != PACKAGE or entry.objtype == "module":
            continue
        least = 1 if entry.objtype in ("class", "function", "exception") else 2  # `fit` alone is anybody's
        for start in range(1, len(parts) - least + 1):
            found[".".join(parts[start:])] = entry.docname, entry.node_id
    return found


def link_names(app, doctree, docname):
    """Let each name of the public API that stands in backticks lead to its page."""
    names = getattr(app.env, "_public_names", None)
    if names is None:
        names = app.env._public_names = documented(app.env)
    for literal in list(doctree.findall(nodes.literal)):
        match = NAME.fullmatch(literal.astext())
        if not match or match[1] not in names:
            continue
        page, anchor = names[match[1]]
        if page == docname or _inside(literal, (nodes.reference, nodes.title)):
            continue
        link = nodes.reference("", "", internal=True, classes=["api-link"])
        link["refuri"] = f"{app.builder.get_relative_uri(docname, page)}#{anchor}"
        literal.replace_self(link)
        link += literal


def let_calls_wrap(app, doctree, docname):
    """Let code in tables be broken behind brackets and slashes, and not within names."""
    for literal in list(doctree.findall(nodes.literal)):
        if not _inside(literal, (nodes.entry,)):
            continue
        parts = re.split(r"(?<=[(/])(?!\))", literal.astext())
        literal.children.clear()
        for index, part in enumerate(parts):
            literal += [nodes.raw("", "<wbr>", format="html"), nodes.Text(part)] if index else nodes.Text(part)


def _inside(node, kinds) -> bool:
    while node is not None:
        if isinstance(node, kinds):
            return True
        node = node.parent
    return False


class Page(HTMLParser):
    """Anchors of a page, and what it links to."""

    def __init__(self, text: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        if tag in ("a", "link", "img", "script"):
            self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]


def check_links(app, exception):
    """Warn of each link that leads to no page, file or anchor of the site."""
    if exception or app.builder.name != "html":
        return
    root = Path(app.outdir).resolve()
    pages = {}
    for docname in sorted({*app.env.found_docs, "genindex", "search"}):
        path = root / f"{docname}.html"
        if path.exists():
            pages[path] = Page(path.read_text(encoding="utf-8"))
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            wrong = broken(link, path, pages, root)
            if wrong:
                log.warning("%s links to %s: %s", path.relative_to(root), link, wrong, type="links")


def broken(link: str, path: Path, pages: dict[Path, Page], root: Path) -> str | None:
    """What is wrong with a link of a page, if it leads into the site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(root) or not target.exists():
        return "there is no such page"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "the page has no such anchor"
    return None
