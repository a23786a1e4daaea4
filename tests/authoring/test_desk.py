"""The learner's desk: without outputs and notes; what the learner did is never overwritten; what is solved is kept."""

import json
import os
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_tools import CHAPTERS, ROOT, SOLUTIONS, images, links

from helpers import check, progress
from helpers.authoring import desk
from helpers.authoring.notebooks import as_text, slide_type

CHAPTER = "notebooks/03_small.ipynb"
NOTES = {"slideshow": {"slide_type": "notes"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The desk of the course."""
    folder = tmp_path_factory.mktemp("whole") / "desk"
    assert desk.lay_out(folder) == []
    return folder


def test_it_holds_every_chapter_without_outputs_notes_and_metadata_and_every_solution(whole):
    for path in CHAPTERS:
        notebook = nbformat.read(whole / "notebooks" / path.name, as_version=4)
        nbformat.validate(notebook)
        was = [cell for cell in nbformat.read(path, as_version=4).cells if slide_type(cell) != "notes"]
        assert [(cell.id, cell.source) for cell in notebook.cells] == [(cell.id, cell.source) for cell in was]
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert {(len(cell.outputs), cell.execution_count) for cell in code} == {(0, None)}
        assert not any(cell.metadata for cell in notebook.cells if not cell.source.startswith("#"))
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert "For the teacher" not in as_text(notebook)
    assert {path.name for path in (whole / "notebooks" / "solutions").iterdir()} == {path.name for path in SOLUTIONS}


def test_links_and_pictures_lead_to_files_of_the_desk(whole):
    seen = 0
    for path in whole.rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for _, target in links(cell.source) + images(cell.source):
                    target = target.partition("#")[0]
                    if target and not desk.OUTSIDE.match(target):
                        assert (path.parent / target).resolve().is_relative_to(whole), (path.name, target)
                        assert (path.parent / target).is_file(), (path.name, target)
                        seen += 1
    assert seen > 200
    readme = (whole / "README.md").read_text(encoding="utf-8")
    assert all((whole / to.partition("#")[0]).is_file() for _, to in links(readme) if not desk.OUTSIDE.match(to))


def test_the_handout_is_a_desk_without_solutions(tmp_path):
    with zipfile.ZipFile(desk.handout(tmp_path)) as archive:
        names = set(archive.namelist())
        last = nbformat.reads(archive.read("desk/notebooks/00_start_here.ipynb").decode(), as_version=4).cells
    assert {f"desk/notebooks/{path.name}" for path in CHAPTERS} | {"desk/.desk.json", "desk/README.md"} <= names
    assert not any("solutions/" in name for name in names)
    assert any(cell.source.startswith("The solution is there") for cell in last)


# A small course, and what its learner does


class Course:
    """A course of one chapter, and its desk."""

    def __init__(self, folder):
        self.root, self.desk = folder / "course", folder / "desk"
        for name in ("notebooks/solutions", "images"):
            (self.root / name).mkdir(parents=True)
        (self.root / "README.md").write_text("[plan](notebooks/plan.md) [one](notebooks/03_small.ipynb)\n")
        self.write("a = 1", "b = 2")

    def write(self, *sources, name=CHAPTER):
        cells = [new_code_cell(source, id=f"cell{count}") for count, source in enumerate(sources)]
        (self.root / name).write_text(as_text(new_notebook(cells=cells)), encoding="utf-8")

    def lay_out(self):
        return desk.lay_out(self.desk, self.root)

    def edit(self, change, name=CHAPTER):
        """Change the learner's notebook as JupyterLab would."""
        notebook = nbformat.read(self.desk / name, as_version=4)
        change(notebook.cells)
        nbformat.write(notebook, self.desk / name)

    def sources(self, name=CHAPTER):
        return [cell.source for cell in nbformat.read(self.desk / name, as_version=4).cells]

    def outputs(self, name=CHAPTER):
        return [len(cell.outputs) for cell in nbformat.read(self.desk / name, as_version=4).cells]


@pytest.fixture
def course(tmp_path):
    made = Course(tmp_path)
    assert made.lay_out() == []
    return made


def run_all(cells):
    for cell in cells:
        cell.outputs, cell.execution_count = [new_output("stream", name="stdout", text="1\n")], 1


def solve(cells):
    cells[1].source = "b = 'mine'"


NEW = "notebooks/03_small.new.ipynb"


def test_what_is_untouched_follows_the_course_and_keeps_outputs_that_still_hold(course):
    course.edit(run_all)
    before = (course.desk / CHAPTER).read_bytes()
    assert course.lay_out() == [] and (course.desk / CHAPTER).read_bytes() == before, "nothing new: nothing is written"
    course.write("a = 1", "b = 3")
    assert course.lay_out() == []
    assert (course.sources(), course.outputs()) == (["a = 1", "b = 3"], [1, 0])
    assert len(list((course.desk / "notebooks").glob("*.ipynb"))) == 1


def test_what_is_touched_stays_and_the_new_version_lies_beside_it_once(course):
    course.edit(solve)
    mine = (course.desk / CHAPTER).read_bytes()
    assert course.lay_out() == []
    course.write("a = 1", "b = 3")
    (line,) = course.lay_out()
    assert CHAPTER in line and "03_small.new.ipynb" in line and "\n" not in line
    assert ((course.desk / CHAPTER).read_bytes(), course.sources(NEW)) == (mine, ["a = 1", "b = 3"])
    assert course.lay_out() == []
    course.edit(solve, NEW)
    course.write("a = 1", "b = 4")
    course.lay_out()
    assert course.sources(NEW) == ["a = 1", "b = 'mine'"]
    assert course.sources("notebooks/03_small.new2.ipynb") == ["a = 1", "b = 4"]


@pytest.mark.parametrize("record", [None, b"", b"{", b"[1]", b'{"notebooks/03_small.ipynb": 3}', b"\xff"])
def test_a_lost_or_broken_record_loses_no_work(course, record):
    course.edit(solve)
    (course.desk / desk.MARK).unlink()
    if record is not None:
        (course.desk / desk.MARK).write_bytes(record)
    course.write("a = 1", "b = 3")
    assert len(course.lay_out()) == 1
    assert (course.sources(), course.sources(NEW)) == (["a = 1", "b = 'mine'"], ["a = 1", "b = 3"])


@pytest.mark.parametrize("half", [b"", b'{"cells": [', b"\xff\xfe", b'{"nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_left_alone(course, half):
    (course.desk / CHAPTER).write_bytes(half)
    course.write("a = 1", "b = 3")
    assert len(course.lay_out()) == 1
    assert ((course.desk / CHAPTER).read_bytes(), course.sources(NEW)) == (half, ["a = 1", "b = 3"])


def test_what_was_deleted_comes_back_and_what_left_the_course_goes_unless_it_holds_work(course):
    (course.desk / CHAPTER).unlink()
    assert course.lay_out() == [] and course.sources() == ["a = 1", "b = 2"]
    for change in (run_all, solve, None):
        course.write("c = 1", "d = 1", name="notebooks/04_gone.ipynb")
        course.lay_out()
        if change:
            course.edit(change, "notebooks/04_gone.ipynb")
        (course.root / "notebooks/04_gone.ipynb").unlink()
        assert len(course.lay_out()) == (change is not None)
        assert (course.desk / "notebooks/04_gone.ipynb").exists() == (change is not None)
        (course.desk / "notebooks/04_gone.ipynb").unlink(missing_ok=True)


def test_a_fresh_copy_lies_beside_the_old(course):
    course.edit(solve)
    for chapter, name in [("03", NEW), ("3", NEW)]:
        assert desk.fresh(chapter, course.desk, course.root) == course.desk / name
        assert (course.sources(), course.sources(name)) == (["a = 1", "b = 'mine'"], ["a = 1", "b = 2"])
    for nothing in ("", "99", "0.", "small"):
        with pytest.raises(LookupError, match="CHAPTER=03"):
            desk.fresh(nothing, course.desk, course.root)
    with pytest.raises(SystemExit, match="CHAPTER=03"):
        desk.main("fresh", "03", "05", "07")


def test_two_at_once(course):
    course.edit(solve)
    course.write("a = 1", "b = 3")
    code = "from pathlib import Path; from helpers.authoring import desk; desk.lay_out(Path({!r}), Path({!r}))"
    command = [sys.executable, "-c", code.format(str(course.desk), str(course.root))]
    both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert {path.name for path in (course.desk / "notebooks").iterdir()} == {"03_small.ipynb", "03_small.new.ipynb"}
    assert course.sources() == ["a = 1", "b = 'mine'"] and json.loads((course.desk / desk.MARK).read_text())


@pytest.mark.parametrize("there", [True, False])
def test_a_desk_that_cannot_be_written_is_opened_as_it_is_or_refused_in_a_line(course, monkeypatch, capsys, there):
    def refuse(path, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(desk, "write_whole", refuse)
    monkeypatch.setattr(desk, "DESK", course.desk)
    if there:
        (course.desk / "notebooks" / "00_start_here.ipynb").touch()
        opened = []
        monkeypatch.setattr("helpers.authoring.lab.main", lambda *arguments: opened.append(arguments))
        desk.main("lab", "--no-browser")
        assert opened == [(["--no-browser"], course.desk)]
        assert re.fullmatch(r"desk: it can't be written .*\n", capsys.readouterr().out)
    else:
        with pytest.raises(SystemExit, match="^desk: .*make teach.*$"):
            desk.main("lab")


def test_what_becomes_of_notes_links_and_side_paths(course):
    cells = [
        new_markdown_cell("**5 minutes.** Ask.", metadata=NOTES),
        new_markdown_cell("[a](03_small.ipynb#A) [b](../README.md) [c](plan.md) [d](https://example.org)"),
        new_markdown_cell("### Side path: why it is so\n\nA proof.", metadata={"slideshow": {"slide_type": "slide"}}),
        new_markdown_cell("### By the side path"),
    ]
    (course.root / CHAPTER).write_text(as_text(new_notebook(cells=cells)))
    course.lay_out()
    words, path, other = nbformat.read(course.desk / CHAPTER, as_version=4).cells
    assert words.source == "[a](03_small.ipynb#A) [b](../README.md) c [d](https://example.org)"
    assert (path.metadata, other.metadata) == ({"jp-MarkdownHeadingCollapsed": True}, {})
    assert (course.desk / "README.md").read_text() == "plan [one](notebooks/03_small.ipynb)\n"


# What is solved


@pytest.fixture
def at_the_desk(course, monkeypatch):
    monkeypatch.chdir(course.desk / "notebooks")
    return course.desk


def double_rightly():
    check.double(lambda x: 2 * x)


def test_a_solved_exercise_is_kept_and_counted(at_the_desk, capsys):
    check.double(lambda x: x * x)
    assert progress.progress()["solved"].sum() == 0 and not (at_the_desk / progress.KEPT).exists()
    double_rightly()
    double_rightly()
    table = progress.progress()
    assert table["solved"].to_dict() == {name: int(name == "00") for name in table.index}
    assert table["of"].sum() == len(check.__all__) and list(table.index) == [path.name[:2] for path in CHAPTERS]
    assert json.loads((at_the_desk / progress.KEPT).read_text()) == {"solved": ["double"]}
    check.double(lambda x: x * x)
    assert progress.progress()["solved"].sum() == 1, "what was solved once stays so"


def test_outside_a_desk_nothing_is_kept(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    double_rightly()
    assert capsys.readouterr().out.startswith("✓") and not list(course.root.parent.rglob(progress.KEPT))
    assert progress.progress()["solved"].sum() == 0


BROKEN = [b"", b"[]", b'{"solved": 3}', b'{"solved": [["a"]]}', b"\xff", "a folder", "read-only", "no working folder"]


@pytest.mark.parametrize("broken", BROKEN)
def test_whatever_is_wrong_there_disturbs_no_check(at_the_desk, monkeypatch, capfd, broken):
    if isinstance(broken, bytes):
        (at_the_desk / progress.KEPT).write_bytes(broken)
    elif broken == "a folder":
        (at_the_desk / progress.KEPT).mkdir()
    else:

        def refuse(*arguments, **options):
            raise PermissionError(13, "Permission denied")

        owner, name = (os, "getcwd") if broken == "no working folder" else (progress.tempfile, "mkstemp")
        monkeypatch.setattr(owner, name, refuse)
    double_rightly()
    assert re.fullmatch(r"✓ .*\n", capfd.readouterr().out)
    assert progress.progress()["solved"].sum() == isinstance(broken, bytes)
    assert not list(at_the_desk.glob(".*.part"))
