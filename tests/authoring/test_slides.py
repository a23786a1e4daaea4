"""`make slides`: what is on the pages, that they ask no other machine for anything, that nothing is cut off."""

import functools
import re
from pathlib import Path

import nbformat
import pytest
from browser_tools import SCREEN, Page, barriers
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from notebook_tools import CHAPTERS, save

from helpers.authoring import slides
from helpers.authoring.notebooks import WIDGET_VIEW, slide_type

FEWEST_SLIDES = 8
FEWEST_NOTES, MOST_NOTES = 3, 12
PHONE = {"width": 390, "height": 844}
SECONDS_TO_LOAD = 60
MEASURE = (Path(__file__).parent / "measure_slides.js").read_text(encoding="utf-8")
# Their pages are built in `make test`; building all of them takes longer and is left to `make browser`.
BUILT_ALWAYS = (CHAPTERS[0], CHAPTERS[len(CHAPTERS) // 2], CHAPTERS[-1])


def in_two_halves(paths) -> list:
    """Parameters for tests of make browser, where each of two workers takes half of the pages."""
    return [
        pytest.param(path, marks=[pytest.mark.browser, pytest.mark.xdist_group(f"slides {place % 2}")], id=path.stem)
        for place, path in enumerate(sorted(paths))
    ]


def cells_of(path: Path) -> list:
    return nbformat.read(path, as_version=4).cells


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A function that returns a chapter's page, with what it loads beside it. Each page is built once."""
    folder = tmp_path_factory.mktemp("built") / "slides"
    slides.build(folder, [])

    @functools.cache
    def page(path: Path) -> Path:
        target = folder / f"{path.stem}.html"
        target.write_text(slides.page(path), encoding="utf-8")
        return target

    return page


# What is on a page


def read(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def test_every_page_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(slides, "page", lambda path: f"<title>{path.stem}</title>")
    pages = slides.build(tmp_path)
    assert [page.name for page in pages] == [f"{path.stem}.html" for path in CHAPTERS]
    links = read((tmp_path / "index.html").read_text(encoding="utf-8")).select("a")
    assert [link["href"] for link in links] == [page.name for page in pages]


@pytest.mark.parametrize("path", [*BUILT_ALWAYS, *in_two_halves(set(CHAPTERS) - set(BUILT_ALWAYS))])
def test_a_page_holds_its_chapter_and_loads_only_what_lies_beside_it(built, path):
    text = built(path).read_text(encoding="utf-8")
    page = read(text)
    kinds = [slide_type(cell) for cell in cells_of(path)]
    shown = [cell for cell in cells_of(path) if slide_type(cell) not in ("notes", "skip")]
    assert len(page.select(".notes")) == kinds.count("notes")
    assert len(page.select(".code")) == sum(cell.cell_type == "code" for cell in shown)
    assert len(page.select(".fragment")) == kinds.count("fragment")
    assert len(page.select(".page")) == kinds.count("slide") + kinds.count("subslide")
    assert "<details" not in text and "For the teacher" not in text
    assert page.select(".fragment aside") == [], "a note stands after the first cell of its slide, not in a fragment"
    alternatives = [picture["alt"] for picture in page.select("img")]
    assert all(len(words.split()) >= 3 and not words.startswith("No description") for words in alternatives)
    loaded = [part.get("src") or part.get("href") for part in page.select("[src], link")]
    links = [link["href"] for link in page.select("a") if not re.match(r"https?:|#", link["href"])]
    beside = {f"{chapter.stem}.html" for chapter in CHAPTERS}
    for name in [target.split("#")[0].split("?")[0] for target in loaded + links if not target.startswith("data:")]:
        assert name in beside or (built(path).parent / name).is_file(), name


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_talk_is_divided_by_its_sections(path):
    """The first cell and every heading of level 2 that is shown begin a slide; there are notes all along."""
    cells = cells_of(path)
    kinds = [slide_type(cell) for cell in cells]
    assert set(kinds) <= {"slide", "subslide", "fragment", "-", "notes", "skip"}
    assert kinds[0] == "slide"
    stored = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
    assert "-" not in stored, "live slides leave such a cell out"
    for cell, kind in zip(cells, kinds, strict=True):
        if cell.cell_type == "markdown" and kind not in ("skip", "notes"):
            headings = re.findall(r"^##? .*$", cell.source, re.MULTILINE)
            assert not headings or (kind == "slide" and cell.source.startswith(headings[0])), headings
            assert len(headings) <= 1, f"two sections on one slide: {headings}"
    assert kinds.count("slide") >= FEWEST_SLIDES
    assert FEWEST_NOTES <= kinds.count("notes") <= MOST_NOTES


# A small talk, and what is made of it


def figure(**more) -> list:
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    return [new_output("display_data", data={"image/png": png, "text/plain": "<Figure>", **more})]


def talk(folder: Path, *cells) -> Path:
    """A notebook of (slide type, cell) pairs, as a file."""
    for kind, cell in cells:
        cell.metadata["slideshow"] = {"slide_type": kind}
    return save(folder / "01_small.ipynb", [cell for _, cell in cells])


NOTE = "<details><summary>For the teacher</summary>\n\n**5 minutes.** Ask *who* knows.\n\n</details>"
words = new_markdown_cell
code = functools.partial(new_code_cell, execution_count=1)


def test_what_becomes_of_cells_links_and_figures(tmp_path):
    widget = {WIDGET_VIEW: {"model_id": "1"}}
    path = talk(
        tmp_path,
        ("slide", words("# 01 Small\n\n[next](01_least_squares.ipynb#Recap), [answer](solutions/01_small.ipynb)")),
        ("notes", words(NOTE)),
        ("fragment", code("draw()", outputs=figure(**widget))),
        ("skip", words("An aside that nobody sees.")),
    )
    page = slides.page(path)
    assert "<title>01 Small</title>" in page
    assert [link["href"] for link in read(page).select("a")] == ["01_least_squares.html#Recap"]
    assert ">answer<" not in page and "answer" in page
    assert "<p>An aside" not in page and "model_id" not in page
    assert read(page).img["src"].startswith("data:image/png;base64,")
    assert re.search(r'<aside class="notes">\s*<div class="words"><p><strong>5 minutes\.</strong> Ask', page)
    assert "details" not in page


def test_a_figure_is_described_by_the_sentence_after_it(tmp_path):
    path = talk(
        tmp_path,
        ("slide", words("# 01 Small")),
        ("-", code("draw()", outputs=figure())),
        ("notes", words(NOTE)),
        ("-", words("## A heading\n\nAs [said](x.md): `u` goes up. The bars show **how far** it misses. It goes on.")),
    )
    assert read(slides.page(path)).img["alt"] == "As said: u goes up. The bars show how far it misses."


# In a browser


@pytest.fixture
def tab(browser):
    """A page of the browser that cannot go out; `missed` holds what it asked for in vain."""
    with Page(browser, offline=True) as page:
        page.tab.missed = []
        page.context.on("requestfailed", lambda request: "about:" in request.url or page.tab.missed.append(request.url))
        yield page.tab


def open_page(tab, page: Path) -> None:
    """Load a built page and wait until its slides have their layout."""
    tab.goto(page.resolve().as_uri())
    tab.wait_for_selector("html.ready", state="attached", timeout=1000 * SECONDS_TO_LOAD)


def problems_on(tab, page: Path) -> list[list[str]]:
    """Everything on the slides of a built page that can't be read: the slide, as its address shows it, and what."""
    tab.set_viewport_size(SCREEN)
    open_page(tab, page)
    return tab.evaluate(MEASURE)


SIDE_BY_SIDE = """
html, body, .reveal, .reveal .slides, .reveal .slides section {
  position: static !important; transform: none !important; height: auto !important; overflow: visible !important;
}
.reveal .slides section { display: block !important; visibility: visible !important; opacity: 1 !important; }
.reveal .slides section.page { display: flex !important; position: relative !important; height: 720px !important; }
.reveal .slides .fragment { visibility: visible !important; }
"""
# What would be judged again and again is left out, which makes axe four times as fast: formulas, which have the colour
# of their text and come with MathML, the copies of the notes, and code whose colours have all been seen.
PREPARE = """() => {
  document.querySelectorAll(".slides section").forEach((section) => {
    section.removeAttribute("hidden");
    section.removeAttribute("aria-hidden");
  });
  document.querySelectorAll("aside.notes, .MathJax, .MathJax_Preview, script").forEach((part) => part.remove());
  const seen = new Set();
  for (const code of document.querySelectorAll(".highlight pre")) {
    const names = [...code.querySelectorAll("span")].map((span) => span.className);
    if (names.every((name) => seen.has(name))) code.remove();
    names.forEach((name) => seen.add(name));
  }
}"""


def barriers_on_all_slides(tab) -> list[str]:
    """What axe-core finds wrong with the slides of the open page, laid out one below the other."""
    tab.add_style_tag(content=SIDE_BY_SIDE)
    tab.evaluate(PREPARE)
    return barriers(tab)


def on_a_phone(tab) -> int:
    """How wide the open page is on a narrow screen."""
    tab.set_viewport_size(PHONE)
    return tab.evaluate("document.scrollingElement.scrollWidth")


@pytest.mark.browser
@pytest.mark.parametrize("path", in_two_halves(CHAPTERS))
def test_slides_can_be_read(built, tab, path):
    """Nothing cut off or overlapping on any slide, no barrier that axe-core knows, nothing asked of the outside."""
    assert problems_on(tab, built(path)) == []
    assert tab.evaluate("document.querySelectorAll('.MathJax_Error, .merror, .noError').length") == 0
    assert on_a_phone(tab) <= PHONE["width"]
    assert barriers_on_all_slides(tab) == []
    assert tab.missed == []


@pytest.mark.browser
@pytest.mark.xdist_group("slides 0")
def test_the_index_can_be_read(tmp_path, tab):
    slides.build(tmp_path, CHAPTERS[:2])
    tab.goto((tmp_path / "index.html").as_uri())
    assert on_a_phone(tab) <= PHONE["width"]
    assert barriers_on_all_slides(tab) == []
    assert tab.missed == []


@pytest.mark.browser
@pytest.mark.xdist_group("slides 0")
def test_the_speaker_sees_the_notes(tmp_path, tab):
    path = talk(tmp_path, ("slide", words("# 01 Small")), ("notes", words(NOTE)), ("slide", words("## More")))
    (page,) = slides.build(tmp_path / "slides", [path])
    open_page(tab, page)
    tab.evaluate("Reveal.slide(1)")  # the notes stay until the next ones
    with tab.context.expect_page() as opened:
        tab.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.locator("strong").wait_for()
    assert notes.inner_text().strip() == "5 minutes. Ask who knows."
    assert tab.missed == []


FAULTS = [
    ("too tall", code("\n".join(f"value_{i} = {i}" for i in range(60)))),
    ("too tall", words("word " * 700)),
    ("too tall", code("x = [" + ", ".join(["123456"] * 800) + "]")),
    ("too wide", words("| " + " | ".join(["a wide column"] * 30) + " |\n|" + "---|" * 30)),
    ("cut off", words('<p style="width: 99px; overflow: hidden; white-space: nowrap">wider than its frame</p>')),
    ("cut off", words('<div style="height: 90px; overflow: auto"><p>A<br>B<br>C<br>D</p></div>')),
    ("never shown", words('<p style="visibility: hidden">Nobody sees this</p>')),
    ("lies on another", words('<div style="height: 20px"><p>One<br>two<br>three</p></div>'), words("Three")),
    ("color-contrast", words('<p style="color: #999">Pale</p>')),
    ("button-name", words("<button></button>")),
    ("https://cdn.example/a.png", words('<img alt="A line of dots" src="https://cdn.example/a.png">')),
    ("https://cdn.example/b.css", words("<style>@import 'https://cdn.example/b.css';</style>A line")),
    ("images/not_there.svg", words("![A line of dots](../images/not_there.svg)")),
]


@pytest.mark.browser
@pytest.mark.xdist_group("slides 0")
def test_each_fault_is_seen_and_a_good_slide_has_none(tmp_path, tab):
    cells = [("slide", words("# 01 Small\n\nA slide on which everything can be read, $x^2$."))]
    for _, *content in FAULTS:
        cells += [("-" if position else "slide", cell) for position, cell in enumerate(content)]
    (page,) = slides.build(tmp_path / "slides", [talk(tmp_path, *cells)])
    found = problems_on(tab, page)
    assert not [text for slide, text in found if slide == "1"]
    found_by_axe = barriers_on_all_slides(tab)
    for number, (fault, *_) in enumerate(FAULTS, start=2):
        seen = [text for slide, text in found if slide == str(number)]
        assert any(fault in text for text in [*seen, *found_by_axe, *tab.missed]), (number, fault, seen)
    assert len(tab.missed) == 3
