"""The README and the contents page: every chapter, with its title and its minutes, and commands that exist."""

import re

import pytest
from notebook_tools import CHAPTERS, ROOT, Notebook

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d\d) \| \[(.+?)\]\(notebooks/(.+?)\.ipynb\) \| (\d+) \|", re.MULTILINE)


def test_the_readme_lists_every_chapter_in_order():
    assert [name for _, _, name, _ in ROW.findall(README)] == [path.stem for path in CHAPTERS]


@pytest.mark.parametrize("number, title, name, minutes", ROW.findall(README), ids=lambda value: value[:6])
def test_a_row_says_what_its_chapter_says(number, title, name, minutes):
    notebook = Notebook.read(ROOT / "notebooks" / f"{name}.ipynb")
    assert notebook.title == f"{number} {title}"
    assert re.search(rf"\*\*Time\*\* \| {minutes} minutes", notebook.opening)


def test_a_plan_for_teachers_gives_a_chapter_the_minutes_that_it_takes():
    page = (ROOT / "notebooks" / "for_teachers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:\d+ \| )?(\d+) \| \[\d\d [^]]+\]\((.+?)\) \|", page, re.MULTILINE)
    assert len(rows) > 20
    assert [row for row in rows if Notebook.read(ROOT / "notebooks" / row[1]).minutes("road") != int(row[0])] == []


@pytest.mark.parametrize("path", CHAPTERS[1:], ids=lambda path: path.stem)
def test_the_contents_page_links_every_chapter(path):
    contents = Notebook.read(CHAPTERS[0]).opening
    assert f"[{Notebook.read(path).title}]({path.name})" in contents


@pytest.mark.parametrize("page", ["README.md", ".github/CONTRIBUTING.md", "notebooks/for_teachers.md"])
def test_commands_modules_links_and_paths_of_a_page_exist(page):
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE))
    assert commands and commands <= targets
    modules = {name.replace(".", "/") for name in re.findall(r"-m (helpers[\w.]+)", text)}
    assert {name for name in modules if not (ROOT / f"{name}.py").exists()} == set()
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert links and [link for link in links if not (path.parent / link).exists()] == []
    named = re.findall(r"`((?:helpers|tests|notebooks|\.ci)/[\w./*]*)`", text)
    assert [name for name in named if "NN" not in name and not list(ROOT.glob(name.rstrip("/")))] == []


CALLS = re.compile(r"^\| (`.+`) \| .+ \| \[\d\d\]\((.+)\) \|$", re.MULTILINE)
SHEET = CALLS.findall((ROOT / "notebooks" / "symbols.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("calls, chapter", SHEET, ids=[calls for calls, _ in SHEET])
def test_a_call_on_the_sheet_of_symbols_stands_in_the_chapter_that_it_names(calls, chapter):
    text = "\n".join(cell.source for cell in Notebook.read(ROOT / "notebooks" / chapter).cells)
    assert [name for name in re.findall(r"[\w.]+(?=\()", calls) if name not in text] == []
