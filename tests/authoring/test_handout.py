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


def chapters_in(folder):
    """Each chapter's cells, as they are handed out."""
    for path in sorted((folder / "notebooks").iterdir()):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        yield path, notebook.cells


def test_it_holds_every_chapter_and_no_solutions(folder):
    assert sorted(path.name for path in folder.rglob("*.ipynb")) == [path.name for path in CHAPTERS]
    assert {path.name for path in folder.iterdir()} == {"README.md", "images", "notebooks", handout.MARK}


def test_outputs_and_notes_are_gone_and_nothing_else_but_links_that_would_lead_nowhere(folder):
    without_links = re.compile(r"\]\([^)\s]+\)|[\[\]]")
    for path, cells in chapters_in(folder):
        was = nbformat.read(ROOT / "notebooks" / path.name, as_version=4).cells
        was = [cell for cell in was if slide_type(cell) != "notes"]
        assert [cell.id for cell in cells] == [cell.id for cell in was]
        for old, new in zip(was, cells, strict=True):
            assert "For the teacher" not in new.source
            if old.cell_type == "code":
                assert (new.source, new.outputs, new.execution_count) == (old.source, [], None)
            else:
                assert without_links.sub("", new.source) == without_links.sub("", old.source)


def test_links_and_pictures_resolve(folder):
    for path, cells in chapters_in(folder):
        for cell in (cell for cell in cells if cell.cell_type == "markdown"):
            targets = [target.partition("#")[0] for _, target in links(cell.source) + images(cell.source)]
            for target in (target for target in targets if target and not target.startswith("https:")):
                inside = (path.parent / target).resolve()
                assert inside.is_file() and inside.is_relative_to(folder), (path.name, target)


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
