"""Settings of the documentation: ``sphinx-build -W -b html docs docs/_build`` builds it, without a network.

``-D plot_gallery=0`` leaves the examples unrun, and is done in a minute. Snippets of a few pages are run for the
figures that they draw.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import make_api  # noqa: E402
import make_figures  # noqa: E402
import make_tree  # noqa: E402

import sklearn_ser  # noqa: E402

project = "sklearn_ser"
author = "the sklearn_ser developers"
copyright = author
version = release = sklearn_ser.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "crossref",
]
exclude_patterns = ["_build", "sg_execution_times.rst"]
templates_path = ["_templates"]
default_role = "code"
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# Inherited methods of scikit-learn's own (get_params, set_params ...) are described there.
autodoc_default_options = {"members": True, "inherited-members": False, "exclude-members": "get_metadata_routing"}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_ser"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc"]},
}
html_show_sourcelink = False
# Pages that stand alone have nothing to show in the left side bar.
html_sidebars = {page.stem: [] for page in Path(__file__).parent.glob("*.md")}
toc_object_entries_show_parents = "hide"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "ignore_pattern": r"benchmarks|serve_|train_|microphone",
    "download_all_examples": False,
    "show_memory": False,
    "matplotlib_animations": False,
    "within_subsection_order": "FileNameSortKey",
}

make_api.write(Path(__file__).parent / "api")
make_figures.write(Path(__file__).parent / "api" / "figures")
make_tree.write(Path(__file__).parent / "api" / "choose.svg")


def _skip_requests(app, what, name, obj, skip, options):
    """Leave out what scikit-learn writes for metadata routing, whose links lead into its own pages."""
    return True if name.startswith("set_") and name.endswith("_request") else None


def setup(app):
    app.connect("autodoc-skip-member", _skip_requests)
