"""`make site`, built without a network: each page is whole, reads well at any width, asks nothing of the outside."""

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import nbformat
import pytest
from browser_tools import Page, barriers, too_wide
from bs4 import BeautifulSoup
from notebook_tools import CHAPTERS, ROOT

from helpers.authoring.notebooks import SOLUTIONS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("site")]
NAMES = [str(path.relative_to(ROOT).with_suffix(".html")) for path in (*CHAPTERS, *SOLUTIONS)]
NAMES += ["index.html", "notebooks/for_teachers.html", "notebooks/symbols.html", "tests/bench/README.html"]
LAPTOP, TELEPHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
# A network of its own, which leads nowhere; not every machine lets its users have one.
CUT_OFF_FROM_THE_NETWORK = ["unshare", "--map-root-user", "--net"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    command = ["make", "-o", "setup", "site", f"COURSE_PYTHON={sys.executable}", f"SITE={folder}"]
    if (
        sys.platform == "linux"
        and subprocess.run([*CUT_OFF_FROM_THE_NETWORK, "true"], capture_output=True).returncode == 0
    ):
        command = [*CUT_OFF_FROM_THE_NETWORK, *command]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


# ---- what is on the pages -------------------------------------------------------------------------------------------


@functools.cache
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@functools.cache
def places(path: Path) -> set[str]:
    """What the part of an address behind its # may be."""
    return {element["id"] for element in parsed(path).find_all(id=True)}


def broken_links(page: Path) -> list[str]:
    """What a page loads or links to that is not there, and what it loads from elsewhere."""
    broken = []
    for element in parsed(page).find_all(lambda e: e.get("src") or e.get("href")):
        target, fragment = urldefrag(element.get("src") or element["href"])
        if urlsplit(target).scheme in ("http", "https"):
            broken += [target] if element.name != "a" else []
            continue
        if target.startswith("data:"):
            continue
        file = (page.parent / unquote(urlsplit(target).path)).resolve() if target else page
        if not file.is_file() or (fragment and file.suffix == ".html" and fragment not in places(file)):
            broken.append(f"{target}#{fragment}")
    return broken


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site, name):
    assert broken_links(site / name) == []


@pytest.mark.parametrize("path", [*CHAPTERS, *SOLUTIONS], ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_chapter_has_its_outputs_and_its_pictures_have_words_and_its_notes_are_left_out(site, path):
    page = parsed(site / path.relative_to(ROOT).with_suffix(".html"))
    outputs = [o for c in nbformat.read(path, as_version=4).cells for o in c.get("outputs", [])]
    printed = [o.text.strip() for o in outputs if o.output_type == "stream"]
    shown = "\n".join(block.get_text() for block in page.select(".cell_output pre"))
    assert [text for text in printed if text not in shown] == []
    drawn = [o for o in outputs if "image/png" in o.get("data", {})]
    pictures = page.select(".cell_output img")
    assert len(pictures) == len(drawn)
    assert [str(picture) for picture in pictures if len(picture.get("alt", "").split()) < 4] == []
    assert "For the teacher" not in page.get_text()


def test_chapters_are_in_the_list_of_contents_and_solutions_a_click_further(site):
    listed = [link["href"] for link in parsed(site / "index.html").select(".bd-sidebar-primary nav a.reference")]
    assert {*listed} >= {name for name in NAMES if name.count("/") == 1} and not [n for n in listed if "solutions" in n]
    for path in CHAPTERS:
        links = [link["href"] for link in parsed(site / "notebooks" / f"{path.stem}.html").select("article a")]
        assert f"solutions/{path.stem}.html" in links


# ---- in a browser ---------------------------------------------------------------------------------------------------

# The theme lets the tab key reach boxes that scroll, a third of a second after a change of size.
REACHABLE = "[...document.querySelectorAll('pre')].every(e => e.scrollWidth <= e.clientWidth || e.tabIndex === 0)"
TYPESET = """() => !window.MathJax || (MathJax.Hub && MathJax.Hub.queue.pending === 0 && !MathJax.Hub.queue.running
    && [...document.querySelectorAll(".math")].every(e => e.querySelector(".MathJax") || e.closest(".MathJax")))"""
BOXES = "article *:not(.MathJax, .MathJax *, .math, .math *, svg, svg *)"
# axe-core looks at each of some thousand boxes of formulas and of coloured code, and at the same lists and buttons
# around every page: on one page that is enough. From the others they are taken out, which halves the time.
WHOLE = "notebooks/01_least_squares.html"
REPEATED = ".MathJax, .MathJax_Preview, .highlight, .bd-header, .bd-sidebar, .bd-sidebar-secondary, .bd-footer"


@pytest.fixture(scope="module")
def reader(browser) -> Iterator[Page]:
    with Page(browser, viewport=LAPTOP) as page:
        yield page


@pytest.mark.parametrize("name", [name for name in NAMES if "solutions" not in name])
def test_a_page_can_be_read_on_a_laptop_and_on_a_telephone(reader, address, name):
    page = reader.tab
    page.emulate_media(color_scheme="light")
    page.goto(address + name)
    page.wait_for_function(TYPESET)
    assert page.locator(".MathJax_Error, .merror, .noError").count() == 0
    for size in (TELEPHONE, LAPTOP):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert too_wide(page.locator(BOXES)) == []
    page.wait_for_function(REACHABLE)
    if name != WHOLE:
        page.locator(REPEATED).evaluate_all("all => all.forEach(e => e.remove())")
    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert barriers(page, "color-contrast") == []
    assert [asked for asked in reader.outside if asked != "about:blank"] == []


def test_the_search_finds_a_word_of_a_chapter(browser, address):
    with Page(browser) as page:
        page.tab.goto(address + "search.html?q=autograd")
        page.tab.locator("#search-results a", has_text="03 Autograd").first.wait_for()
        assert page.outside == []


def test_broken_links_are_noticed(tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<link href="https://cdn.example/a.css"><a href="#no">a</a><img src="b.png"><a href="bad.html">c</a>'
    )
    assert broken_links(bad) == ["https://cdn.example/a.css", "#no", "b.png#"]
