"""`make handout`: the chapters without outputs, notes and solutions, and nothing that leads out of the folder."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_tools import CHAPTERS, ROOT, images, links

from helpers.authoring import handout
from helpers.authoring.notebooks import as_text, slide_type


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("built") / "handout"
    handout.build(target)
    return target


def cells_in(folder):
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            yield path, cell


def test_it_holds_every_chapter_and_no_solutions(folder):
    assert sorted(path.name for path in folder.rglob("*.ipynb")) == [path.name for path in CHAPTERS]
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        "README.md",
        "images",
        "notebooks",
    ]
    for path in (folder / "notebooks").iterdir():
        nbformat.validate(nbformat.read(path, as_version=4))


def test_outputs_counts_and_notes_are_gone(folder):
    for path, cell in cells_in(folder):
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, path.name
        assert slide_type(cell) != "notes", path.name
    assert "For the teacher" not in "".join(cell.source for _, cell in cells_in(folder))


def test_nothing_else_is_changed(folder):
    """Cell for cell the chapter's source, but for links that would lead nowhere."""
    without_links = re.compile(r"\]\([^)\s]+\)|[\[\]]")
    for path in sorted((folder / "notebooks").iterdir()):
        was = nbformat.read(ROOT / "notebooks" / path.name, as_version=4).cells
        was = [cell for cell in was if slide_type(cell) != "notes"]
        now = nbformat.read(path, as_version=4).cells
        assert [cell.id for cell in now] == [cell.id for cell in was]
        for old, new in zip(was, now, strict=True):
            if old.cell_type == "code":
                assert new.source == old.source
            else:
                assert without_links.sub("", new.source) == without_links.sub("", old.source)


def test_links_and_pictures_resolve(folder):
    for path, cell in cells_in(folder):
        if cell.cell_type == "markdown":
            targets = [target.partition("#")[0] for _, target in links(cell.source) + images(cell.source)]
            for target in targets:
                inside = (path.parent / target).resolve()
                assert re.match(r"https?:", target) or not target or inside.is_file(), (path.name, target)
                assert not target or re.match(r"https?:", target) or inside.is_relative_to(folder), target


# A small course


@pytest.fixture
def course(tmp_path):
    """Writes a course of one chapter with these cells, and returns its folder."""

    def write(*cells):
        root = tmp_path / "course"
        (root / "notebooks").mkdir(parents=True)
        (root / "images").mkdir()
        (root / "images" / "line.svg").write_text("<svg/>")
        (root / "notebooks" / "01_small.ipynb").write_text(as_text(new_notebook(cells=list(cells))), encoding="utf-8")
        return root

    return write


def test_what_becomes_of_cells_outputs_and_links(course, tmp_path):
    note = new_markdown_cell("**5 minutes.** Ask.", metadata={"slideshow": {"slide_type": "notes"}})
    text = "[solved](solutions/01_small.ipynb) [plan](../README.md) [here](01_small.ipynb#A) [web](https://example.org)"
    output = new_output("stream", name="stdout", text="1\n")
    code = new_code_cell("f()", outputs=[output], execution_count=3, metadata={"tags": ["a"]})
    root = course(note, new_markdown_cell(text), code, new_markdown_cell("![A line](../images/line.svg)"))
    (path,) = handout.build(tmp_path / "out", root)
    words, stub, picture = nbformat.read(path, as_version=4).cells
    assert words.source == "solved plan [here](01_small.ipynb#A) [web](https://example.org)"
    assert (stub.source, stub.outputs, stub.execution_count, stub.metadata) == ("f()", [], None, {"tags": ["a"]})
    assert picture.source == "![A line](../images/line.svg)"


def test_only_a_former_handout_is_replaced(course, tmp_path):
    root = course(new_markdown_cell("# 01 Small"))
    target = tmp_path / "out"
    handout.build(target, root)
    (target / "notebooks" / "old.ipynb").write_text("{}")
    handout.build(target, root)
    assert not (target / "notebooks" / "old.ipynb").exists()
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "diary.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="something else"):
        handout.build(theirs, root)
    assert (theirs / "diary.txt").read_text() == "mine"
