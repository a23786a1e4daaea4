"""`make handout`: the chapters without outputs, notes and solutions, and nothing that leads out of the folder."""

import json
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from notebook_tools import ROOT, ci_script, images, links

SOLUTIONS = ROOT / "notebooks" / "solutions"


@pytest.fixture(scope="module")
def handout():
    """The script `.ci/handout.py` as a module."""
    return ci_script("handout")


@pytest.fixture(scope="module")
def folder(handout, tmp_path_factory):
    target = tmp_path_factory.mktemp("built") / "handout"
    handout.build(target)
    return target


def cells_in(folder):
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            yield path, cell


def test_it_holds_every_chapter_and_no_solutions(folder):
    chapters = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert sorted(path.name for path in folder.rglob("*.ipynb")) == chapters
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
        assert cell.metadata.get("slideshow", {}).get("slide_type") != "notes", path.name
    assert "For the teacher" not in "".join(cell.source for _, cell in cells_in(folder))


def test_nothing_else_is_changed(folder):
    """Cell for cell the chapter's source, but for links that would lead nowhere."""
    without_links = re.compile(r"\]\([^)\s]+\)|[\[\]]")
    for path in sorted((folder / "notebooks").iterdir()):
        was = nbformat.read(ROOT / "notebooks" / path.name, as_version=4).cells
        was = [cell for cell in was if cell.metadata.get("slideshow", {}).get("slide_type") != "notes"]
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


def test_no_code_of_a_solution_is_in_any_file(folder):
    """Line by line, apart from the script's own search: what only a solutions notebook returns stands nowhere."""
    chapters = "\n".join(
        cell.source
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.metadata.get("slideshow", {}).get("slide_type") != "notes"
    )
    everything = "\n".join(cell.source for _, cell in cells_in(folder)) + (folder / "README.md").read_text()
    secret = set()
    for path in SOLUTIONS.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                lines = {line.strip() for line in cell.source.split("\n")}
                secret |= {line for line in lines if "return" in line and len(line) > 30}
    only_there = {line for line in secret if line not in chapters}
    assert len(only_there) > 30
    assert [line for line in only_there if line in everything] == []


def test_every_exercise_has_an_answer_to_look_for(handout):
    known = {path.stem: handout.answers(path) for path in SOLUTIONS.glob("*.ipynb")}
    assert all(known.values()), [name for name, found in known.items() if not found]
    assert sum(map(len, known.values())) >= 45
    assert all(handout.is_answered(node) for found in known.values() for node in found.values())


# What must be caught: a small course, and a solution in it

ANSWER = "def area(width, height):\n    return round(width * height, 2) + 0 * width"
STUB = 'def area(width, height):\n    """Two numbers in."""\n    ...'


@pytest.fixture
def course(tmp_path):
    """Writes a course of one chapter with these cells and its solutions, and returns its folder."""

    def write(*cells, name="01_small"):
        root = tmp_path / "course"
        (root / "notebooks" / "solutions").mkdir(parents=True)
        (root / "images").mkdir()
        (root / "images" / "line.svg").write_text("<svg/>")
        solution = [new_code_cell(ANSWER), new_code_cell("check.area(area)")]
        for path, content in ((f"{name}.ipynb", cells), (f"solutions/{name}.ipynb", solution)):
            file = {"cells": content, "metadata": {"rise": {}}, "nbformat": 4, "nbformat_minor": 5}
            (root / "notebooks" / path).write_text(json.dumps(file), encoding="utf-8")
        return root

    return write


def test_a_small_course(handout, course, tmp_path):
    note = new_markdown_cell(f"```python\n{ANSWER}\n```", metadata={"slideshow": {"slide_type": "notes"}})
    text = "[solved](solutions/01_small.ipynb) [plan](../README.md) [here](01_small.ipynb#A) [web](https://example.org)"
    output = new_output("stream", name="stdout", text="1\n")
    code = new_code_cell(STUB, outputs=[output], execution_count=3, metadata={"tags": ["a"], "trusted": True})
    root = course(note, new_markdown_cell(text), code, new_markdown_cell("![A line](../images/line.svg)"))
    (path,) = handout.build(tmp_path / "out", root)
    words, stub, picture = nbformat.read(path, as_version=4).cells
    assert words.source == "solved plan [here](01_small.ipynb#A) [web](https://example.org)"
    assert (stub.source, stub.outputs, stub.execution_count, stub.metadata) == (STUB, [], None, {"tags": ["a"]})
    assert picture.source == "![A line](../images/line.svg)"


@pytest.mark.parametrize(
    "cell",
    [
        new_code_cell(ANSWER),
        new_code_cell(ANSWER.replace("area", "another_name")),
        new_code_cell(ANSWER.replace(" * ", "*").replace("    ", "  ")),
        new_code_cell("def area(width, height):\n    return width * height"),
        new_code_cell("%%time\n" + ANSWER),
        new_code_cell("# return round(width * height, 2) + 0 * width"),
        new_markdown_cell(f"```python\n{ANSWER}\n```"),
        new_markdown_cell("Try `return round(width*height, 2) + 0*width`."),
    ],
)
def test_a_solution_put_in_is_caught(handout, course, tmp_path, capsys, cell):
    root = course(new_markdown_cell("# 01 Small"), new_code_cell(STUB), cell)
    with pytest.raises(handout.SolutionFound, match="area"):
        handout.build(tmp_path / "out", root)
    assert not (tmp_path / "out").exists()


def test_a_solutions_notebook_or_a_file_with_an_answer_is_caught(handout, course, tmp_path):
    root = course(new_markdown_cell("# 01 Small"), new_code_cell(STUB))
    (root / "images" / "area.py").write_text(ANSWER)
    with pytest.raises(handout.SolutionFound, match=r"images/area\.py"):
        handout.build(tmp_path / "out", root)
    (root / "images" / "area.py").unlink()
    handout.build(tmp_path / "out", root)
    shutil.copytree(root / "notebooks" / "solutions", tmp_path / "out" / "notebooks" / "solutions")
    assert handout.solutions_in(tmp_path / "out", root / "notebooks" / "solutions")


def test_a_class_with_a_part_given_is_a_stub(handout):
    part = "    def __init__(self):\n        self.a = 1\n\n"
    (given,) = handout.definitions(f"class A:\n{part}    def forward(self):\n        ...")
    (whole,) = handout.definitions("class A:\n    def forward(self):\n        return 1")
    assert not handout.is_answered(given) and handout.is_answered(whole)


def test_only_a_former_handout_is_replaced(handout, course, tmp_path):
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
