"""Build the chapters as slides.

    python -m helpers.authoring.slides                                      every chapter, into _build/slides
    python -m helpers.authoring.slides notebooks/01_least_squares.ipynb     this one

Which cell is a slide, a fragment, a speaker note or left out stands in the notebook, as JupyterLab writes it. Stored
outputs are shown: nothing is executed. The pages stand beside all they need, open from the disk and ask no other
machine for anything. slides.js chooses the layout of each slide.
"""

import re
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbconvert.preprocessors import Preprocessor
from pygments.formatters import HtmlFormatter

from helpers.authoring.notebooks import CHAPTERS, LINK, OUTSIDE, ROOT, WIDGET_VIEW, slide_type

HERE = Path(__file__).resolve().parent
TARGET = ROOT / "_build" / "slides"
REVEAL_PARTS = """LICENSE dist/reset.css dist/reveal.css dist/reveal.js dist/theme/white.css
    dist/theme/fonts/source-sans-pro plugin/notes/notes.js""".split()
MATHJAX_PARTS = """LICENSE MathJax.js config/TeX-AMS-MML_HTMLorMML-full.js extensions/AssistiveMML.js
    extensions/HTML-CSS extensions/MathEvents.js extensions/TeX extensions/tex2jax.js extensions/toMathML.js
    fonts/HTML-CSS/STIX-Web jax/element jax/input/TeX jax/output/HTML-CSS""".split()
TEACHER = re.compile(r"\A\s*<details>\s*<summary>[^<]*</summary>(.*)</details>\s*\Z", re.DOTALL)
SENTENCE = re.compile(r".+?[.!?:](?=\s|$)", re.DOTALL)
FEWEST_WORDS = 8
# Markdown has no table without a head: one whose every cell is empty says nothing to anybody.
EMPTY_HEAD = re.compile(r"<thead>\s*<tr>(?:\s*<th[^>]*>\s*</th>)+\s*</tr>\s*</thead>")


class Prepare(Preprocessor):
    """What the page needs and the notebook has not: alternative texts, local links, notes without their fold."""

    def preprocess(self, notebook, resources):
        heading = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)
        notebook.metadata.title = heading[1].strip() if heading else "Slides"
        for position, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                unfolded = TEACHER.match(cell.source) if slide_type(cell) == "notes" else None
                source = unfolded[1].strip() if unfolded else cell.source
                cell.source = LINK.sub(link_between_slides, source.replace("](../images/", "](images/"))
            for output in cell.get("outputs", []):
                if "data" in output:
                    output.data.pop(WIDGET_VIEW, None)
                    if "text/html" in output.data:
                        output.data["text/html"] = output.data["text/html"].replace("<th></th>", "<td></td>")
                    output.metadata.alternative = alternative_text(notebook.cells[position + 1 :])
        return notebook, resources


def link_between_slides(link: re.Match) -> str:
    """A link to a chapter as one to its slides; one to another file as its words."""
    name, _, anchor = link[2].partition("#")
    if OUTSIDE.match(link[2]) or not name:
        return link[0]
    chapter = next((path.stem for path in CHAPTERS if path.name == name), None)
    return f"[{link[1]}]({chapter}.html{'#' * bool(anchor)}{anchor})" if chapter else link[1]


def alternative_text(following: Iterable[nbformat.NotebookNode]) -> str:
    """What the sentences after a figure say it shows: the first of them, and more while that is short."""
    texts = [cell.source for cell in following if cell.cell_type == "markdown" and slide_type(cell) != "notes"]
    paragraphs = texts[0].split("\n\n") if texts else []
    shown = next((part for part in paragraphs if not part.lstrip().startswith(("#", "|", "<"))), "")
    words = " ".join(re.sub(r"[*`$\\]", "", LINK.sub(r"\1", shown)).split())
    taken = ""
    for sentence in SENTENCE.findall(words) or [words]:
        taken = f"{taken} {sentence.strip()}".strip()
        if len(taken.split()) >= FEWEST_WORDS:
            break
    return taken or "Figure"


@cache
def exporter() -> SlidesExporter:
    made = SlidesExporter(template_file=str(HERE / "slides.html.j2"), exclude_anchor_links=True)
    made.register_preprocessor(Prepare, enabled=True)
    return made


def page(path: Path) -> str:
    """A notebook's slides as one HTML page."""
    return EMPTY_HEAD.sub("", exporter().from_notebook_node(nbformat.read(path, as_version=4))[0])


def copy_parts(package: str, folder: str, target: Path, parts: Iterable[str]) -> None:
    """Copy files and folders out of an installed package."""
    found = find_spec(package)
    if found is None:
        sys.exit(f"slides: the package {package} is missing. Run make setup and try again.")
    source = Path(found.origin).parent / folder
    for part in parts:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (source / part).is_dir() else shutil.copyfile
        copy(source / part, target / part)


def build(target: Path, paths: Iterable[Path] = CHAPTERS) -> list[Path]:
    """Write the slides of notebooks, and what they load, into `target`, which is emptied first. Returns the pages."""
    shutil.rmtree(target, ignore_errors=True)
    copy_parts("sphinx_revealjs", "_static/revealjs", target / "reveal", REVEAL_PARTS)
    copy_parts("jupyter_server_mathjax", "static", target / "mathjax", MATHJAX_PARTS)
    shutil.copytree(ROOT / "images", target / "images")
    shutil.copyfile(HERE / "slides.js", target / "slides.js")
    colours = HtmlFormatter(style="default", nobackground=True).get_style_defs(".highlight")
    style = (HERE / "slides.css").read_text(encoding="utf-8")
    (target / "slides.css").write_text(f"{style}\n/* Code, as Pygments colours it */\n{colours}\n", encoding="utf-8")
    titles = {}
    for path in paths:
        built = page(path)
        (target / f"{path.stem}.html").write_text(built, encoding="utf-8")
        titles[f"{path.stem}.html"] = re.search(r"<title>(.*?)</title>", built)[1]
    index = exporter().environment.from_string((HERE / "slides_index.html.j2").read_text(encoding="utf-8"))
    (target / "index.html").write_text(index.render(titles=titles), encoding="utf-8")
    return [target / name for name in titles]


if __name__ == "__main__":
    pages = build(TARGET, [Path(argument) for argument in sys.argv[1:]] or CHAPTERS)
    print(f"{len(pages)} chapters: open {TARGET.relative_to(ROOT)}/index.html")
