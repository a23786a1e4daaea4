"""The course in a real browser: every chapter runs, its widgets react, its exercises answer, nothing asks the outside.

`make browser` runs it in two workers with one JupyterLab each.
JupyterLab is loaded once, and the chapters are opened in it one after the other, as a learner does. The tests of a
chapter share it as it stands after Run All, and so stay in one worker.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from browser_tools import FIGURE, SCREEN, SLIDER, Lab, Page, running_lab, too_wide
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_tools import CHAPTERS, Notebook, code_cells, output_text
from playwright.sync_api import Browser, Locator, expect

from helpers.authoring.notebooks import slide_type

pytestmark = pytest.mark.browser

INTERACTIVE = [path for path in CHAPTERS if path.stem[:2] in ("01", "02", "04", "05", "06", "08", "11")]
OUTPUTS = ".jp-Notebook .jp-OutputArea-output, .jp-Notebook .jp-MarkdownOutput"
RENDERING_TROUBLE = re.compile("Error displaying widget|Error rendering|Loading widget|Javascript Error")
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
# On an idle machine a figure answers within 100 ms; beside other tests it is slower.
MILLISECONDS_TO_REACT = 400
TELEPHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """One JupyterLab for each worker."""
    with running_lab() as running:
        yield running


@pytest.fixture(scope="module")
def loaded(browser: Browser, lab: Lab) -> Iterator[Page]:
    """A tab with JupyterLab in it, in which nothing is open."""
    with Page(browser) as page:
        page.tab.goto(lab.address)
        page.tab.locator("#jp-main-statusbar").wait_for()
        yield page


@contextmanager
def opened(loaded: Page, lab: Lab, path: str) -> Iterator[Page]:
    """The tab with a notebook open in it, and after the block with nothing open and without kernels."""
    try:
        loaded.open_another(path)
        yield loaded
    finally:
        loaded.close_all()
        lab.close_kernels()


@pytest.fixture
def written(loaded: Page, lab: Lab) -> Iterator[Callable[..., Page]]:
    """A function that opens a notebook of these cells."""
    with ExitStack() as open_now:

        def open_cells(*cells: nbformat.NotebookNode) -> Page:
            # The last kernel of this path may be about to end.
            loaded.wait_for_events(lambda: b"written.ipynb" not in lab.ask("api/sessions"))
            lab.write("written.ipynb", new_notebook(cells=list(cells), metadata=KERNEL))
            return open_now.enter_context(opened(loaded, lab, "written.ipynb"))

        yield open_cells


# ---- every chapter --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A chapter in JupyterLab, after Run All, and the file as it was saved then."""

    path: Path
    page: Page
    saved: nbformat.NotebookNode


def chapters(paths: Iterable[Path]) -> list:
    """Parameters for the fixture `chapter`; all tests of a chapter go to one worker."""
    return [pytest.param(path, marks=pytest.mark.xdist_group(path.stem), id=path.stem) for path in paths]


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest, loaded: Page, lab: Lab) -> Iterator[Run]:
    path = f"notebooks/{request.param.name}"
    with opened(loaded, lab, path) as page:
        page.run_all()
        page.save()
        yield Run(request.param, page, lab.read(path))


@pytest.mark.parametrize("chapter", chapters(CHAPTERS), indirect=True)
def test_run_all_runs_every_cell_without_an_error(chapter: Run):
    code = code_cells(chapter.saved)
    failed = [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert [f"{output.ename}: {output.evalue}" for output in failed] == []
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    page = chapter.page
    assert page.tab.locator(".jp-Dialog").count() == 0
    troubles = page.tab.locator(".jp-Notebook").get_by_text(RENDERING_TROUBLE)
    assert troubles.all_text_contents() == []
    assert (page.kernel_errors, page.errors, page.outside) == ([], [], [])


@pytest.mark.parametrize("chapter", chapters(CHAPTERS), indirect=True)
def test_nothing_is_wider_than_a_projector_shows(chapter: Run):
    page = chapter.page.tab
    assert page.locator(".jp-WindowedPanel-outer").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    assert too_wide(page.locator(OUTPUTS), scrolling=True) == []


@pytest.mark.parametrize("chapter", chapters(CHAPTERS), indirect=True)
def test_a_telephone_shows_all_of_it(chapter: Run):
    """With JupyterLab's side bar closed the notebook fits; what can't, a table or a formula, scrolls in its own box."""
    page = chapter.page
    notebook = page.tab.locator(".jp-WindowedPanel-outer")
    page.tab.keyboard.press("Escape")
    is_open = page.tab.locator("#jp-left-stack").is_visible()  # slides that were shown before have closed it
    if is_open:
        page.tab.keyboard.press("Control+b")
    page.tab.set_viewport_size(TELEPHONE)
    try:
        narrow = f"e => e.clientWidth > 250 && e.clientWidth < {TELEPHONE['width']}"
        page.tab.wait_for_function(narrow, arg=notebook.element_handle())
        assert notebook.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
        assert too_wide(page.tab.locator(OUTPUTS)) == []
    finally:
        page.tab.set_viewport_size(SCREEN)
        if is_open:
            page.tab.keyboard.press("Control+b")


# ---- interactive figures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", chapters(INTERACTIVE), indirect=True)
def test_a_slider_is_reached_by_tab_and_changes_its_figure(chapter: Run):
    page = chapter.page
    slider, figure = page.tab.locator(SLIDER).first, page.tab.locator(FIGURE).first
    assert (slider.count(), figure.count()) == (1, 1)
    cells = page.tab.locator(".jp-Notebook .jp-Notebook-cell")
    page.select_cell(cells.evaluate_all("(all, slider) => all.findIndex(e => e.querySelector(slider))", SLIDER))
    for _ in range(20):
        page.tab.keyboard.press("Tab")
        if slider.evaluate("e => e === document.activeElement"):
            break
    expect(slider).to_be_focused()
    picture, readout = figure.locator("img"), page.tab.locator(".widget-slider .widget-readout").first
    before, words, value = picture.get_attribute("src"), picture.get_attribute("alt"), readout.text_content()
    page.tab.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before)
    expect(picture).not_to_have_attribute("alt", words)
    expect(picture).to_have_attribute("alt", re.compile(r"\S"))
    expect(readout).not_to_have_text(value)
    assert answers_in_time(slider, picture)
    assert page.kernel_errors == []


def answers_in_time(slider: Locator, picture: Locator) -> bool:
    """Whether one of forty moves, to and fro, brings another picture in time."""
    for key in ("ArrowLeft", "ArrowRight") * 20:
        before = picture.get_attribute("src")
        slider.press(key)
        try:
            expect(picture).not_to_have_attribute("src", before, timeout=MILLISECONDS_TO_REACT)
            return True
        except AssertionError:
            expect(picture).not_to_have_attribute("src", before)
    return False


RAISES = """
import ipywidgets

slider = ipywidgets.IntSlider(max=9)


def react(change):
    raise ValueError("out of reach")


slider.observe(react, "value")
slider
"""


def test_an_error_in_a_widgets_callback_is_noticed(written: Callable[..., Page]):
    """JupyterLab shows such an error in its log only: the figure stays as it was, and the page looks healthy."""
    page = written(new_code_cell(RAISES))
    page.run_all()
    assert page.kernel_errors == []
    page.tab.locator(SLIDER).press("ArrowRight")
    page.wait_for_events(lambda: page.kernel_errors)
    assert page.kernel_errors == ["ValueError: out of reach"]
    assert "ValueError:" not in page.tab.locator(".jp-Notebook").text_content()


def test_an_output_that_is_too_wide_and_an_error_in_a_cell_are_noticed(lab: Lab, written: Callable[..., Page]):
    wide = "from IPython.display import HTML\nHTML('<div style=\"width: 2000px\">far too wide</div>')"
    above = [new_markdown_cell("\n\n".join("a line" for _ in range(60)))]
    page = written(*above, new_code_cell(wide), new_code_cell("1 / 0"), new_code_cell("2"))
    page.run_all()
    page.save()
    assert too_wide(page.tab.locator(OUTPUTS), scrolling=True) == ["far too wide"]
    assert "ZeroDivisionError" in page.cell(2).locator(".jp-OutputArea-output").text_content()
    assert page.kernel_errors == ["ZeroDivisionError: division by zero"]
    assert lab.read("written.ipynb").cells[3].execution_count is None


def test_what_is_cut_off_is_noticed_and_what_scrolls_if_asked(browser: Browser):
    with Page(browser) as page:
        boxes = [f'<div style="overflow: {way}"><p style="width: 3000px">{way}</p></div>' for way in ("hidden", "auto")]
        page.tab.set_content("<div>narrow</div>" + "".join(boxes))
        assert too_wide(page.tab.locator("div")) == ["hidden"]
        assert too_wide(page.tab.locator("div"), scrolling=True) == ["hidden", "auto"]


def test_a_request_to_the_outside_is_noticed_and_comes_to_nothing(loaded: Page, written: Callable[..., Page]):
    addresses = ["https://example.org/picture.png", "http://192.0.2.1/picture.png"]
    failures = {}
    loaded.tab.on("requestfailed", lambda request: failures.update({request.url: request.failure}))
    page = written(new_markdown_cell("\n".join(f"![far away]({address})" for address in addresses)))
    page.wait_for_events(lambda: len(failures) == len(addresses))
    assert sorted(set(page.outside)) == sorted(addresses)
    assert failures == dict.fromkeys(addresses, "net::ERR_NAME_NOT_RESOLVED")


# ---- exercises ------------------------------------------------------------------------------------------------------


def solution(chapter: Path, function: str) -> tuple[str, str]:
    """The solutions notebook's answer, and what its check says to it."""
    cells = Notebook.read(chapter.parent / "solutions" / chapter.name).code
    answered = next(i for i, cell in enumerate(cells) if cell.source.startswith(f"def {function}("))
    checked = next(cell for cell in cells[answered:] if f"check.{function}(" in cell.source)
    return cells[answered].source, output_text(checked)


def wait_for_another_count(prompt: Locator, before: str) -> None:
    """Until the cell with this prompt has run again."""
    changed = "([e, before]) => /\\d/.test(e.textContent) && e.textContent !== before"
    prompt.page.wait_for_function(changed, arg=[prompt.element_handle(), before])


def type_answer(page: Page, index: int, source: str) -> str:
    """Write an answer over the stub in cell `index`, run it and the check below; returns what the check says."""
    page.select_cell(index)
    page.tab.keyboard.press("Enter")
    page.tab.keyboard.press("Control+a")
    page.tab.keyboard.insert_text(source)
    said = page.cell(index + 1).locator(".jp-OutputArea-output")
    prompt = page.cell(index + 1).locator(".jp-InputPrompt")
    before = prompt.text_content()
    page.tab.keyboard.press("Shift+Enter")
    page.tab.keyboard.press("Shift+Enter")
    wait_for_another_count(prompt, before)
    return said.first.text_content()


# A chapter, the function that it asks for, a wrong one, and words of the hint that this one gets.
EXERCISES = {
    "01_least_squares": ("design_matrix", "lambda u: torch.stack([u, u * u], dim=1)", "intercept has no column"),
    "02_gradient_descent": ("gradient_through_origin", "lambda u, c, w: torch.mean((u * w - c) * u)", "factor 2"),
}
WITH_EXERCISES = [path for path in CHAPTERS if path.stem in EXERCISES]


@pytest.mark.parametrize("chapter", chapters(WITH_EXERCISES), indirect=True)
def test_an_exercise_answers_with_its_hint_and_with_its_tick(chapter: Run):
    function, wrong, words = EXERCISES[chapter.path.stem]
    cells = chapter.saved.cells
    stub = next(i for i, cell in enumerate(cells) if cell.source.startswith(f"def {function}("))
    assert cells[stub + 1].source == f"check.{function}({function})"
    said = type_answer(chapter.page, stub, f"{function} = {wrong}")
    assert said.startswith("✗ Not yet. ") and words in said
    solved, said = solution(chapter.path, function)
    assert type_answer(chapter.page, stub, solved) == said
    assert chapter.page.kernel_errors == []


# ---- the first start ------------------------------------------------------------------------------------------------

ASKS = ".jp-Dialog, .Toastify__toast, [class*='jp-toast']"


def test_the_first_start_asks_nothing_and_shows_the_contents(browser: Browser):
    """With an empty HOME and no configuration at all: JupyterLab has never been started here before.

    The side bar gets a share of the window: names that fit here fit in a wider one.
    """
    with running_lab() as lab, Page(browser, viewport={"width": 1280, "height": 768}) as page:
        page.tab.goto(lab.first_address)
        page.wait_until_idle()
        page.wait_for_events(lambda: page.tab.locator(ASKS).count(), 15_000)
        assert page.tab.locator(ASKS).all_text_contents() == []
        contents = page.tab.locator("#table-of-contents")
        expect(contents.get_by_text("Exercises")).to_be_visible()
        page.tab.locator('.jp-SideBar [data-id="filebrowser"]').click()
        names = page.tab.locator(".jp-DirListing-itemText")
        names.get_by_text(CHAPTERS[-1].name).wait_for()
        assert names.evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)") == []
        assert page.outside == []


# ---- slides, live ---------------------------------------------------------------------------------------------------

DECK = '.jp-NotebookPanel-toolbar [data-command="deck:toggle"]'
ON_SCREEN = ".jp-Notebook .jp-Notebook-cell.jp-deck-mod-visible"
VISIBLE = """[...document.querySelectorAll(".jp-Notebook .jp-Notebook-cell")]
    .flatMap((e, i) => e.matches(".jp-deck-mod-visible") && e.checkVisibility() ? [i] : [])"""


@contextmanager
def presented(page: Page, index: int) -> Iterator[Page]:
    """The chapter as slides, from the one with the cell at `index` on, and after the block as a notebook again."""
    page.cell(index).evaluate("e => e.scrollIntoView()")
    page.cell(index).locator(".jp-InputPrompt").click()
    page.tab.locator(DECK).click()
    try:
        page.tab.locator(ON_SCREEN).first.wait_for()
        yield page
    finally:
        page.tab.locator(".jp-Deck-Remote .jp-deck-mod-stop").click()
        page.tab.locator(".jp-Deck-Remote").wait_for(state="detached")


@pytest.mark.parametrize("chapter", chapters(INTERACTIVE), indirect=True)
def test_a_slider_in_the_slides_changes_its_figure(chapter: Run):
    cells = chapter.page.tab.locator(".jp-Notebook .jp-Notebook-cell")
    index = cells.evaluate_all("(all, slider) => all.findIndex(e => e.querySelector(slider))", SLIDER)
    with presented(chapter.page, index) as page:
        slide = page.cell(index)
        expect(slide).to_be_visible()
        slider, picture = slide.locator(SLIDER).first, slide.locator(FIGURE).first.locator("img")
        before = picture.get_attribute("src")
        slider.focus()
        page.tab.keyboard.press("ArrowRight")
        expect(picture).not_to_have_attribute("src", before)
        expect(slide).to_be_visible()
        assert page.kernel_errors == []
        assert page.outside == []


@pytest.mark.parametrize("chapter", chapters(CHAPTERS[:1]), indirect=True)
def test_slides_show_every_cell_run_it_and_leave_out_the_notes(chapter: Run):
    cells = chapter.saved.cells
    public = {i for i, cell in enumerate(cells) if slide_type(cell) not in ("notes", "skip")}
    code = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
    prompt = chapter.page.cell(code).locator(".jp-InputPrompt")
    before = prompt.text_content()
    with presented(chapter.page, 0) as page:
        now = set(page.tab.evaluate(VISIBLE))
        shown = set(now)
        while now:
            if code in now and prompt.text_content() == before:
                page.tab.keyboard.press("Shift+Enter")
                wait_for_another_count(prompt, before)
            else:
                page.tab.keyboard.press("Space")
            page.wait_for_events(lambda: set(page.tab.evaluate(VISIBLE)) - shown, 3_000 if public - shown else 500)
            now = set(page.tab.evaluate(VISIBLE)) - shown
            shown.update(now)
        assert shown == public
        assert page.kernel_errors == []
        assert page.outside == []
