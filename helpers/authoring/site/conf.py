"""How Sphinx makes the site: the chapters with their stored outputs, to read before installing anything.

`make site` calls it. Nothing is executed, teacher's notes are left out, and no page asks another machine for anything.
"""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from helpers.authoring.notebooks import slide_type
from helpers.authoring.slides import alternative_text

project = html_title = "From lm() to neural networks"
extensions = ["myst_nb"]
root_doc = "README"
include_patterns = ["README.md", "notebooks/*", "notebooks/solutions/*", "tests/bench/README.md"]
exclude_patterns = [".*", "_build", "desk"]

# The chapters link to their solutions; the list of contents doesn't.
suppress_warnings = ["toc.not_included"]

nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "helpers.authoring.site.conf.anchor"
# MathJax comes from the package jupyter_server_mathjax, which has version 2.
myst_update_mathjax = False
mathjax_path = "MathJax.js?config=TeX-AMS-MML_HTMLorMML-full"
mathjax2_config = {
    "messageStyle": "none",
    "HTML-CSS": {"availableFonts": [], "preferredFont": None, "webFont": "STIX-Web", "imageFont": None, "scale": 90},
    "tex2jax": {"ignoreClass": "tex2jax_ignore|mathjax_ignore", "processClass": "math"},
}

html_theme = "sphinx_book_theme"
html_theme_options = {
    "footer_content_items": [],
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_prev_next": False,
    "use_download_button": False,
}
html_context = {"default_mode": "auto"}
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html", "glossary.html"]}
templates_path = ["."]
html_static_path = ["site.css", str(Path(find_spec("jupyter_server_mathjax").origin).parent / "static")]
html_css_files = ["site.css"]
html_copy_source = False

# A link into a folder such as .github, which is not published.
HIDDEN = re.compile(r"\[([^\]]*)\]\(\.\w[^)]*\)")


def anchor(heading: str) -> str:
    """Where a link to a heading leads, as JupyterLab has it."""
    return heading.strip().replace(" ", "-")


def toctree(caption: str, *pages: str) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", *pages, "```", ""])


def for_readers(notebook: nbformat.NotebookNode) -> None:
    """Leave the teacher's notes out; give each figure its alternative text, and no table a heading without words."""
    for position, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = output.data["text/html"].replace("<th></th>", "<td></td>")
        cell.metadata["mystnb"] = {"image": {"alt": alternative_text(notebook.cells[position + 1 :])}}
    notebook.cells = [cell for cell in notebook.cells if slide_type(cell) != "notes"]


def prepare(app: Sphinx, page: str, content: list[str]) -> None:
    """The text of a page as readers see it."""
    if page == root_doc:
        content[0] = HIDDEN.sub(r"\1", content[0]) + toctree("Chapters", "notebooks/[0-9]*")
        content[0] += toctree("Besides", "notebooks/symbols", "notebooks/for_teachers", "tests/bench/README")
    elif Path(app.env.doc2path(page)).suffix == ".ipynb":
        notebook = nbformat.reads(content[0], as_version=4)
        for_readers(notebook)
        content[0] = nbformat.writes(notebook)


def drop_empty_heads(app: Sphinx, doctree: nodes.document) -> None:
    """Markdown has no table without a head: one whose every cell is empty says nothing to anybody."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


def write_index(app: Sphinx, problem: Exception | None) -> None:
    """A folder's address shows the first page."""
    if problem is None:
        shutil.copyfile(app.outdir / f"{root_doc}.html", app.outdir / "index.html")


def setup(app: Sphinx) -> None:
    app.connect("source-read", prepare)
    app.connect("doctree-read", drop_empty_heads)
    app.connect("build-finished", write_index)
