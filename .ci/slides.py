"""Build the chapters as slides, and look whether everything on them can be read.

    python .ci/slides.py                                            every chapter, into _build/slides
    python .ci/slides.py --check notebooks/01_least_squares.ipynb   name the slides that are too full, and by how much
    python .ci/slides.py --check --pictures FOLDER notebooks/...    and store each slide as FOLDER/NN_name-slide.png

Which cell is a slide, a fragment, a speaker note or left out stands in the notebook, as JupyterLab writes it
(`slideshow.slide_type`). Stored outputs are shown: nothing is executed. A chapter without that metadata has no page.

The pages stand beside all they need: reveal.js from the package sphinx_revealjs, MathJax from jupyter_server_mathjax,
the pictures of images/. They open from the disk and ask no other machine for anything. slides.js chooses the layout of
each slide; --check measures the result in a browser, 1280 by 720, with every fragment shown.
"""

import argparse
import html
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from nbconvert.preprocessors import Preprocessor
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / ".ci"
NOTEBOOKS = ROOT / "notebooks"
TARGET = ROOT / "_build" / "slides"

WIDTH, HEIGHT = 1280, 720
SECONDS_TO_LOAD = 60
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
REVEAL_PARTS = ("LICENSE", "dist/reset.css", "dist/reveal.css", "dist/reveal.js", "dist/theme/white.css",
                "dist/theme/fonts/source-sans-pro", "plugin/notes/notes.js")
MATHJAX_PARTS = ("LICENSE", "MathJax.js", "config/TeX-AMS-MML_HTMLorMML-full.js", "extensions/AssistiveMML.js",
                 "extensions/HTML-CSS", "extensions/MathEvents.js", "extensions/TeX", "extensions/tex2jax.js",
                 "extensions/toMathML.js", "fonts/HTML-CSS/STIX-Web", "jax/element", "jax/input/TeX",
                 "jax/output/HTML-CSS")
OUTSIDE = re.compile(r"(?:https?|wss?|ftp):|//|mailto:")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
TEACHER = re.compile(r"\A\s*<details>\s*<summary>[^<]*</summary>(.*)</details>\s*\Z", re.DOTALL)
SENTENCE = re.compile(r".+?[.!?:](?=\s|$)", re.DOTALL)
FEWEST_WORDS = 8
# Markdown has no table without a head: one whose every cell is empty says nothing to anybody.
EMPTY_HEAD = re.compile(r"<thead>\s*<tr>(?:\s*<th[^>]*>\s*</th>)+\s*</tr>\s*</thead>")


def slide_type(cell: nbformat.NotebookNode) -> str:
    """What JupyterLab's cell inspector says: slide, subslide, fragment, notes, skip, or - for no step of its own."""
    return cell.metadata.get("slideshow", {}).get("slide_type") or "-"


def is_talk(notebook: nbformat.NotebookNode) -> bool:
    return any(slide_type(cell) != "-" for cell in notebook.cells)


@cache
def course_notebooks() -> tuple[Path, ...]:
    return tuple(sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")))


@cache
def talks() -> frozenset[str]:
    """The chapters that have slides, by name."""
    return frozenset(path.stem for path in course_notebooks() if is_talk(nbformat.read(path, as_version=4)))


# Preparing a notebook


class Prepare(Preprocessor):
    """What the page needs and the notebook has not: alternative texts, local links, notes without their fold."""

    def preprocess(self, notebook, resources):
        cells = notebook.cells
        notebook.metadata.title = title(notebook)
        for position, cell in enumerate(cells):
            if cell.cell_type == "markdown":
                unfolded = TEACHER.match(cell.source)
                source = unfolded[1].strip() if unfolded and slide_type(cell) == "notes" else cell.source
                cell.source = local_links(source.replace("](../images/", "](images/"))
                continue
            for output in cell.get("outputs", []):
                if "data" in output:
                    output.data.pop(WIDGET_VIEW, None)
                    if "text/html" in output.data:
                        output.data["text/html"] = output.data["text/html"].replace("<th></th>", "<td></td>")
                    output.metadata.alternative = alternative_text(cells[position + 1 :])
        return notebook, resources


def title(notebook: nbformat.NotebookNode) -> str:
    heading = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE) if notebook.cells else None
    return heading[1].strip() if heading else "Slides"


def local_links(source: str) -> str:
    """A markdown source whose links between chapters lead from slides to slides; other files' links become words."""

    def change(link: re.Match) -> str:
        name, _, anchor = link[2].partition("#")
        if OUTSIDE.match(link[2]) or not name:
            return link[0]
        chapter = Path(name)
        if chapter.suffix == ".ipynb" and chapter.parent == Path() and chapter.stem in talks():
            return f"[{link[1]}]({chapter.stem}.html{'#' + anchor if anchor else ''})"
        return link[1]

    return LINK.sub(change, source)


def alternative_text(following: Iterable[nbformat.NotebookNode]) -> str:
    """What the sentences after a figure say it shows: the first of them, and more while that is short."""
    for cell in following:
        if cell.cell_type == "markdown" and slide_type(cell) != "notes":
            words = plain(cell.source)
            taken = ""
            for sentence in SENTENCE.findall(words) or [words]:
                taken = f"{taken} {sentence.strip()}".strip()
                if len(taken.split()) >= FEWEST_WORDS:
                    break
            return taken or "Figure"
    return "Figure"


def plain(markdown: str) -> str:
    """The words of the first paragraph that is no heading, without its marks."""
    paragraphs = [part for part in markdown.split("\n\n") if not part.lstrip().startswith(("#", "|", "<"))]
    text = LINK.sub(r"\1", paragraphs[0] if paragraphs else "")
    return " ".join(re.sub(r"[*`$\\]", "", text).split())


# Building


@cache
def exporter() -> SlidesExporter:
    made = SlidesExporter(template_file=str(HERE / "slides.html.j2"), exclude_anchor_links=True)
    made.register_preprocessor(Prepare, enabled=True)
    return made


def page(path: Path) -> str:
    """A notebook's slides as one HTML page."""
    built = exporter().from_notebook_node(nbformat.read(path, as_version=4))[0]
    return EMPTY_HEAD.sub("", built)


def package_folder(package: str) -> Path:
    found = find_spec(package)
    if found is None:
        raise SystemExit(f"slides: the package {package} is missing. Run make setup and try again.")
    return Path(found.origin).parent


def copy_parts(source: Path, target: Path, parts: Iterable[str]) -> None:
    for part in parts:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / part, target / part)


def copy_surroundings(target: Path) -> None:
    """Put beside the pages what they load: reveal.js, MathJax, our style and script, the drawings."""
    copy_parts(package_folder("sphinx_revealjs") / "_static" / "revealjs", target / "reveal", REVEAL_PARTS)
    copy_parts(package_folder("jupyter_server_mathjax") / "static", target / "mathjax", MATHJAX_PARTS)
    shutil.copytree(ROOT / "images", target / "images", dirs_exist_ok=True)
    shutil.copyfile(HERE / "slides.js", target / "slides.js")
    colours = HtmlFormatter(style="default", nobackground=True).get_style_defs(".highlight")
    style = (HERE / "slides.css").read_text(encoding="utf-8")
    (target / "slides.css").write_text(f"{style}\n/* Code, as Pygments colours it */\n{colours}\n", encoding="utf-8")


def build(target: Path, paths: Iterable[Path] | None = None) -> list[Path]:
    """Write the slides of each notebook that has slideshow metadata into `target`, emptied first. Returns the pages."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    copy_surroundings(target)
    pages = []
    for path in course_notebooks() if paths is None else paths:
        if is_talk(nbformat.read(path, as_version=4)):
            pages.append(target / f"{path.stem}.html")
            pages[-1].write_text(page(path), encoding="utf-8")
    (target / "index.html").write_text(index(pages), encoding="utf-8")
    return pages


def index(pages: Iterable[Path]) -> str:
    items = []
    for built in pages:
        name = re.search(r"<title>(.*?)</title>", built.read_text(encoding="utf-8"))[1]
        items.append(f'<li><a href="{built.name}">{name}</a></li>')
    return INDEX.format(items="\n".join(items))


INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The course as slides</title>
<style>
body {{ max-width: 40em; margin: 2em auto; padding: 0 1em; font: 18px/1.5 sans-serif; color: #222; }}
a {{ color: #0b57a4; }}
ul {{ padding-left: 0; list-style: none; }}
kbd {{ padding: 0 0.3em; border: 1px solid #767676; border-radius: 3px; }}
</style>
</head>
<body>
<main>
<h1>The course as slides</h1>
<ul>
{items}
</ul>
<p>Keys: <kbd>Space</kbd> goes on, <kbd>Shift</kbd> <kbd>Space</kbd> back, <kbd>S</kbd> opens the speaker's view with
the notes, <kbd>F</kbd> fills the screen, <kbd>Esc</kbd> shows all slides, <kbd>B</kbd> makes the screen black.</p>
</main>
</body>
</html>
"""


# Looking at the pages in a browser


@dataclass(frozen=True)
class Problem:
    """Something on a slide that can't be read: `slide` as the browser's address shows it, 3 or 3/1."""

    page: str
    slide: str
    text: str

    def __str__(self) -> str:
        return f"{self.page} slide {self.slide}: {self.text}"


MEASURE = """() => {
  const show = document.querySelector(".reveal .slides").getBoundingClientRect();
  const page = Reveal.getCurrentSlide();
  const found = [];
  if (Math.abs(show.width - 1280) > 1 || Math.abs(show.height - 720) > 1) {
    return [`is drawn ${Math.round(show.width)} by ${Math.round(show.height)} pixels`];
  }
  const name = (part) => (part.innerText || part.alt || part.tagName).trim().replace(/\\s+/g, " ").slice(0, 60);
  const say = (text, part) => found.push(`${text}: ${name(part)}`);
  const shown = (part) => !part.closest("aside, style, script, .MJX_Assistive_MathML");
  const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  const boxes = [];
  while (texts.nextNode()) {
    const part = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !shown(part)) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    for (const box of range.getClientRects()) boxes.push([box, part]);
    if (getComputedStyle(part).visibility !== "visible") say("is never shown", part);
  }
  for (const part of page.querySelectorAll("img, table, pre, svg")) {
    if (shown(part)) boxes.push([part.getBoundingClientRect(), part]);
  }
  let below = 0, beside = 0, low = null, wide = null;
  for (const [box, part] of boxes) {
    if (box.width === 0) continue;
    const down = Math.max(box.bottom - show.bottom, show.top - box.top);
    const out = Math.max(box.right - show.right, show.left - box.left);
    if (down > below) { below = down; low = part; }
    if (out > beside) { beside = out; wide = part; }
    for (let frame = part; frame && frame !== page.parentElement; frame = frame.parentElement) {
      if (getComputedStyle(frame).overflow === "visible" || getComputedStyle(frame).display === "contents") continue;
      const edge = frame.getBoundingClientRect();
      if (box.bottom > edge.bottom + 2 || box.right > edge.right + 2) { say("is cut off by its frame", part); break; }
    }
  }
  if (below > 1) say(`${Math.round(below)} px too tall`, low);
  if (beside > 1) say(`${Math.round(beside)} px too wide`, wide);
  for (const figure of page.querySelectorAll("img.figure")) {
    const scale = Math.min(figure.clientWidth / figure.naturalWidth, figure.clientHeight / figure.naturalHeight);
    const height = Math.round(figure.naturalHeight * scale);
    if (height < 240) say(`a figure only ${height} px high`, figure);
  }
  const blocks = [...page.querySelectorAll(".words, .code, .outputs > *")].filter((part) => !part.closest("aside"));
  const extents = blocks.map((block) => {
    const within = boxes.filter(([box, part]) => block.contains(part) && box.width).map(([box]) => box);
    const all = [block.getBoundingClientRect(), ...within];
    return {
      left: Math.min(...all.map((box) => box.left)), right: Math.max(...all.map((box) => box.right)),
      top: Math.min(...all.map((box) => box.top)), bottom: Math.max(...all.map((box) => box.bottom)),
    };
  });
  for (const [place, a] of extents.entries()) {
    for (const [further, b] of extents.slice(place + 1).entries()) {
      const other = blocks[place + 1 + further];
      if (blocks[place].contains(other)) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 3 && down > 8) say("lies on another cell", other);
    }
  }
  return [...new Set(found)];
}"""
SHOW = """([across, down]) => {
  Reveal.slide(across, down);
  Reveal.getCurrentSlide().querySelectorAll(".fragment").forEach((part) => part.classList.add("visible"));
}"""
PLACES = """() => Reveal.getSlides().map((page) => {
  const place = Reveal.getIndices(page);
  return [place.h, place.v || 0];
})"""
# On each slide, shown with all of its fragments; without a picture none of them has to be painted.
MEASURE_EACH = f"""() => ({PLACES})().map((place) => {{
  ({SHOW})(place);
  return [place, ({MEASURE})()];
}})"""


def name_of(across: int, down: int) -> str:
    return f"{across + 1}/{down + 1}" if down else f"{across + 1}"


@contextmanager
def browser() -> Iterator:
    """The machine's own browser, without a window and without errands of its own."""
    from browser import find_browser
    from playwright.sync_api import sync_playwright

    path = find_browser()
    if path is None:
        raise SystemExit("slides: no browser found: make browser installs one")
    options = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=options, chromium_sandbox=not is_root())
        try:
            yield opened
        finally:
            opened.close()


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def open_page(tab, path: Path) -> None:
    """Load a built page and wait until its slides have their layout."""
    tab.goto(path.resolve().as_uri())
    tab.wait_for_selector("html.ready", state="attached", timeout=1000 * SECONDS_TO_LOAD)


def measure(tab, path: Path, pictures: Path | None = None) -> list[Problem]:
    """Everything on the slides of a built page that can't be read; each slide's picture, if a folder is given."""
    tab.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    open_page(tab, path)
    problems = []
    for place, texts in tab.evaluate(MEASURE_EACH):
        slide = name_of(*place)
        problems += [Problem(path.stem, slide, text) for text in texts]
        if pictures:
            tab.evaluate(SHOW, place)
            tab.screenshot(path=pictures / f"{path.stem}-{slide.replace('/', '_'):0>2}.png")
    return problems


def check(paths: list[Path], pictures: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="slides-") as folder, browser() as opened:
        pages = build(Path(folder) / "slides", paths)
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
        without = [path.stem for path in paths if path.stem not in {built.stem for built in pages}]
        for name in without:
            print(f"{name}: no slideshow metadata, no slides")
        found = 0
        tab = opened.new_page()
        for built in pages:
            problems = measure(tab, built, pictures)
            sizes = tab.evaluate("[...document.querySelectorAll('section.page')].map((page) => page.className)")
            small = sum("text-3" in size for size in sizes)
            print(f"{built.stem}: {len(sizes)} slides, {small} of them in the smallest type, {len(problems)} problems")
            print(*(f"  {problem}" for problem in problems), sep="\n", end="\n" if problems else "")
            found += len(problems)
    return 1 if found else 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the chapters as slides, or check that they can be read.")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks; by default every chapter")
    parser.add_argument("--check", action="store_true", help="measure the slides in a browser, write no page")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="with --check: store a picture of each slide")
    options = parser.parse_args(arguments)
    paths = options.paths or list(course_notebooks())
    if options.check or options.pictures:
        return check(paths, options.pictures)
    pages = build(TARGET, paths)
    for path in paths:
        if path.stem not in {built.stem for built in pages}:
            print(f"{path.stem} has no slideshow metadata: left out")
    print(f"{len(pages)} chapters: open {html.escape(str(TARGET.relative_to(ROOT)))}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
