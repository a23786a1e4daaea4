"""`make lab`, with an empty HOME, in a real browser: the desk at chapter 00, and what the learner did stays there."""

import shlex
import shutil
import sys

import nbformat
import pytest
from browser_tools import Lab, Page
from notebook_tools import CHAPTERS, ROOT
from playwright.sync_api import Browser, expect
from test_browser import type_answer

from helpers.authoring.notebooks import as_text

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]

FIRST = "notebooks/00_start_here.ipynb"
COMMAND = ["make", "-o", "setup", "lab", f"COURSE_PYTHON=exec {shlex.quote(sys.executable).replace('$', '$$')}"]
OUTPUTS = ".jp-Notebook .jp-OutputArea-output"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """The whole course in a folder of its own, where `make lab` has not been called yet."""
    running = Lab(tmp_path)
    running.copy_course()
    shutil.copytree(ROOT / "helpers", running.root / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "Makefile"):
        shutil.copy(ROOT / name, running.root)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield running
    running.stop()


def start(lab: Lab) -> None:
    lab.start([*COMMAND, "LAB_ARGS=--no-browser --ServerApp.port=0"])
    assert f"/lab/tree/{FIRST}?token=" in lab.said.read_text(encoding="utf-8")


def open_first(page: Page, lab: Lab) -> None:
    page.tab.goto(f"{lab.url}/lab/tree/{FIRST}?token={lab.token}")
    page.tab.locator(".jp-NotebookPanel").wait_for()
    page.wait_until_idle()


def index_of(lab: Lab, start: str) -> int:
    cells = lab.read(f"desk/{FIRST}").cells
    return next(index for index, cell in enumerate(cells) if cell.source.startswith(start))


def rows_of_progress(page: Page, index: int) -> list[str]:
    """Runs the cell of the table, and reads its rows."""
    page.select_cell(index)
    page.tab.keyboard.press("Shift+Enter")
    rows = page.cell(index).locator("table tbody tr")
    expect(rows).to_have_count(len(CHAPTERS))
    return rows.all_inner_texts()


def restart_kernel(page: Page) -> None:
    page.choose("Kernel", "kernelmenu:restart")
    page.tab.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    page.tab.locator(".jp-Dialog").wait_for(state="detached")
    page.wait_until_idle()


def test_a_learner_alone(browser: Browser, lab: Lab):
    start(lab)
    stub, table = index_of(lab, "def double"), index_of(lab, "from helpers.progress")
    with Page(browser) as page:
        open_first(page, lab)
        assert page.tab.locator(OUTPUTS).count() == 0
        assert page.tab.locator(".jp-Notebook").get_by_text("For the teacher").count() == 0
        page.run_all()
        assert type_answer(page, stub, "def double(x):\n    return 2 * x").startswith("✓")
        page.save()
        restart_kernel(page)
        assert [row.split()[1] for row in rows_of_progress(page, table)] == ["1", *["0"] * (len(CHAPTERS) - 1)]
        assert page.kernel_errors == [] and page.outside == []
        lab.stop()
        # The course changes a sentence, and is opened anew.
        notebook = nbformat.read(lab.root / FIRST, as_version=4)
        notebook.cells[0].source += "\n\nA new sentence."
        (lab.root / FIRST).write_text(as_text(notebook), encoding="utf-8")
        start(lab)
        assert f"{FIRST} is yours and stays as it is" in lab.said.read_text(encoding="utf-8")
        open_first(page, lab)
        page.cell(stub).scroll_into_view_if_needed()
        expect(page.cell(stub)).to_contain_text("return 2 * x")
        assert lab.read(f"desk/{FIRST}").cells[stub].source.endswith("return 2 * x")
        assert "A new sentence." in lab.read("desk/notebooks/00_start_here.new.ipynb").cells[0].source
