"""Settings of the documentation site; `make docs` builds it."""

import os
import sys
from pathlib import Path

# Before numpy and torch are imported: Sphinx forks, and a forked process must not
# inherit OpenMP threads that wait for ever.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "tests")]

import api_reference  # noqa: E402
import generated_text  # noqa: E402
import inventories  # noqa: E402
import torchvision_operators  # noqa: E402, F401 (for examples with timm)

from emclassify import __version__  # noqa: E402

project = "emclassify"
author = "the emclassify developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "matplotlib.sphinxext.plot_directive",
    "mathml",
]
exclude_patterns = ["_build", "results"]
default_role = "py:obj"

autosummary_generate = False  # api_reference.py writes the pages
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Prompts and what is printed are not copied.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
intersphinx_mapping = inventories.reachable(HERE / "_build" / "inventories")
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_anchors = False

html_theme = "pydata_sphinx_theme"
html_title = "emclassify"
html_static_path = ["_static"]
html_css_files = ["emclassify.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_sidebars = {"index": [], "whats_new": [], "developer": []}
html_theme_options = {
    "show_prev_next": False,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "doc_module": ("emclassify",),
    "reference_url": {"emclassify": None},
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
}

plot_include_source = False
plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = [("png", 160)]
plot_rcparams = {"font.size": 10, "figure.constrained_layout.use": True}


def setup(app):
    """Write the pages that are made from data, before Sphinx looks for pages."""
    app.connect("config-inited", _generate)


def _generate(app, config):
    folder = HERE / "api" / "generated"
    api_reference.write(folder)
    generated_text.write(folder)
