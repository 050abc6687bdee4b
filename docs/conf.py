"""Settings of the documentation site; `make docs` builds it."""

import os
import sys
from functools import partial
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
from jinja2 import FileSystemBytecodeCache  # noqa: E402
from numpydoc import docscrape_sphinx  # noqa: E402
from sphinx_gallery.sorting import ExplicitOrder  # noqa: E402

from emclassify import __version__  # noqa: E402

# numpydoc compiles its template anew for each of a thousand objects.
docscrape_sphinx.SandboxedEnvironment = partial(
    docscrape_sphinx.SandboxedEnvironment, bytecode_cache=FileSystemBytecodeCache()
)

project = "emclassify"
author = "the emclassify developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
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
exclude_patterns = ["_build", "results", "api/backreferences"]
default_role = "py:obj"

autosummary_generate = False  # numpydoc brings it along
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
templates_path = ["_templates"]
# Sites of other versions lie beside this one, in folders of these names.
OTHER_VERSIONS = []
html_context = {"versions": [version, *OTHER_VERSIONS]}
html_css_files = ["emclassify.css"]
html_js_files = ["tables.js"]
html_math_renderer = "mathml"
html_copy_source = False
html_sidebars = {"index": [], "whats_new": [], "developer": []}
html_theme_options = {
    "show_prev_next": False,
    "navbar_align": "left",
    "navbar_end": ["version-switcher", "theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "subsection_order": [
        f"../examples/{part}" for part in ("start", "compare", "trust", "domains")
    ],
    # The longest first: a section ends when its last example does.
    "within_subsection_order": ExplicitOrder(
        [
            "plot_micrograph_to_particles.py",
            "plot_cnn_vs_svm.py",
            "plot_pretrained.py",
            "plot_not_sure.py",
            "plot_transfer_matrix.py",
            "plot_label_issues.py",
            "plot_group_leak.py",
            "plot_regularisation.py",
            "*",
        ]
    ),
    "doc_module": ("emclassify",),
    "backreferences_dir": "api/backreferences",
    "reset_modules": ("matplotlib", "gallery.before_example"),
    "parallel": True,
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
    # After the gallery, which says which examples use what.
    app.connect("builder-inited", _add_examples, priority=900)


def _generate(app, config):
    folder = HERE / "api" / "generated"
    api_reference.write(folder)
    generated_text.write(folder)


def _add_examples(app):
    folder = HERE / "api"
    api_reference.add_examples(folder / "generated", folder / "backreferences")
