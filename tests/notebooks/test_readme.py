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


@pytest.mark.parametrize("path", CHAPTERS[1:], ids=lambda path: path.stem)
def test_the_contents_page_links_every_chapter(path):
    contents = Notebook.read(CHAPTERS[0]).opening
    assert f"[{Notebook.read(path).title}]({path.name})" in contents


def test_the_commands_of_the_readme_are_targets_of_make():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4})make ([a-z]+)", README, re.MULTILINE))
    assert named >= {"lab", "test", "help", "refresh", "bench"}
    assert named <= targets


def test_local_links_and_pictures_of_the_readme_exist():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) > len(CHAPTERS)
    assert [link for link in links if not (ROOT / link).exists()] == []
