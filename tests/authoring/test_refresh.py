"""make refresh: what it stores, what it leaves alone, and what it says. Three executions in all."""

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_tools import save, stream

from helpers.authoring import refresh
from helpers.authoring.notebooks import WIDGET_VIEW, code_cells


def result(text: str, count: int = 1, **more) -> nbformat.NotebookNode:
    return new_output("execute_result", data={"text/plain": text, **more}, execution_count=count)


# Executed


def full_of_traces() -> list:
    """Cells as an editor leaves them: odd counts, timestamps, old outputs."""
    timing = {"execution": {"iopub.status.busy": "2026-01-01T00:00:00Z"}, "ExecuteTime": {}, "collapsed": False}
    slide = {"slideshow": {"slide_type": "slide"}, "tags": ["example"], "trusted": True}
    two_streams = (
        "import sys\nfor i in range(3):\n    print(i, flush=True)\n    print('note', file=sys.stderr, flush=True)"
    )
    figure = "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1)).add_subplot()\nplt.show()"
    return [
        new_markdown_cell("# Title", id="title", metadata=slide),
        new_code_cell(two_streams, id="two-streams", metadata=timing, outputs=[stream("0\n1\n")], execution_count=41),
        new_code_cell("0.5 + 0.25", id="sum", outputs=[result("0.8", 42)], execution_count=42),
        new_code_cell(figure, id="figure", metadata={"tags": []}),
        new_code_cell("import time\ntime.perf_counter()", id="clock", metadata={"tags": [refresh.VARIES]}),
        new_code_cell("import os, sys\n[sys.executable, os.getcwd(), os.environ.get('MPLBACKEND')]", id="place"),
        new_code_cell("import ipywidgets\nipywidgets.IntSlider()", id="slider"),
    ]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two refreshes of the same notebook, the second with a broken one before it: the file and the words of each."""
    folder = tmp_path_factory.mktemp("notebooks")
    other = {"name": "other", "display_name": "Other"}
    path = save(folder / "traces.ipynb", full_of_traces(), widgets={"state": 1}, kernelspec=other)
    fails = [new_markdown_cell("#"), new_code_cell("a = 1"), new_code_cell("raise ValueError('one\\ntwo')")]
    broken = save(folder / "broken.ipynb", fails)
    before = broken.read_bytes()
    foreign = tmp_path_factory.mktemp("jupyter")
    (foreign / "kernels" / "python3").mkdir(parents=True)
    (foreign / "kernels" / "python3" / "kernel.json").write_text(
        '{"argv": ["false"], "display_name": "", "language": ""}'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(foreign))  # another kernel of the same name
        patch.setenv("MPLBACKEND", "agg")
        first = refresh.refresh(path)
        first_bytes = path.read_bytes()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = refresh.main([str(broken), str(folder / "missing.ipynb"), str(path)])
    return {
        "path": path,
        "first": first,
        "first_bytes": first_bytes,
        "second_bytes": path.read_bytes(),
        "code": code,
        "printed": printed.getvalue(),
        "broken": (before, broken.read_bytes()),
        "left over": [file.name for file in folder.iterdir() if file not in (path, broken)],
    }


@pytest.fixture
def cells(runs):
    return {cell["id"]: cell for cell in json.loads(runs["first_bytes"])["cells"]}


def test_a_second_run_changes_no_byte(runs):
    assert runs["first"][0] is True
    assert runs["second_bytes"] == runs["first_bytes"]
    assert runs["first_bytes"].endswith(b"}\n") and not runs["first_bytes"].endswith(b"\n\n")
    assert runs["left over"] == []


def test_an_error_is_told_with_its_cell_and_last_line_and_leaves_its_file_alone_while_the_others_run(runs):
    assert runs["code"] == 1
    assert runs["broken"][0] == runs["broken"][1]
    assert "broken.ipynb, In [2]: ValueError: two" in runs["printed"]
    assert "missing.ipynb, no such file" in runs["printed"]


def test_streams_are_coalesced(cells):
    texts = {output["name"]: "".join(output["text"]) for output in cells["two-streams"]["outputs"]}
    assert texts == {"stdout": "0\n1\n2\n", "stderr": "note\n" * 3}
    assert len(cells["two-streams"]["outputs"]) == 2


def test_ids_and_tags_stay_and_metadata_goes(runs, cells):
    assert list(cells) == [cell.id for cell in full_of_traces()]
    assert cells["title"]["metadata"] == {"slideshow": {"slide_type": "slide"}, "tags": ["example"]}
    assert cells["clock"]["metadata"] == {"tags": [refresh.VARIES]}
    assert [cells[name]["metadata"] for name in ("two-streams", "sum", "figure")] == [{}, {}, {}]
    metadata = json.loads(runs["first_bytes"])["metadata"]
    assert metadata["kernelspec"] == refresh.KERNELSPEC
    assert set(metadata) == {"kernelspec", "language_info"} and "version" not in metadata["language_info"]


def test_the_kernel_is_this_interpreter_in_the_notebooks_folder_with_inline_figures(runs, cells):
    place = "".join(cells["place"]["outputs"][0]["data"]["text/plain"])
    expected = [sys.executable, str(runs["path"].parent.resolve()), "module://matplotlib_inline.backend_inline"]
    assert ast.literal_eval(place) == expected


def test_pictures_carry_no_notes_and_widgets_no_views(cells):
    (output,) = cells["figure"]["outputs"]
    png = base64.b64decode("".join(output["data"]["image/png"]))
    assert png.startswith(b"\x89PNG") and png.endswith(b"IEND\xaeB`\x82") and b"tEXt" not in png
    assert set(cells["slider"]["outputs"][0]["data"]) == {"text/plain"}


def test_an_interactive_figure_keeps_its_picture_with_its_words_and_no_view():
    data = {WIDGET_VIEW: {"model_id": "1"}, "image/svg+xml": "<svg/>", "text/plain": "A line."}
    output = new_output("display_data", data=data, metadata={"image/svg+xml": {"alt": "A line."}, "other": 1})
    refresh.tidy(new_notebook(cells=[new_code_cell("f()", outputs=[output])]))
    assert set(output.data) == {"image/svg+xml", "text/plain"}
    assert output.metadata == {"image/svg+xml": {"alt": "A line."}}


def test_what_moved_is_printed(runs):
    _, words = runs["first"]
    cell, figure = words.index("/cells/2/outputs/0"), words.index("/cells/3/outputs")
    assert "0.8" in words[cell:figure] and "0.75" in words[cell:figure]
    assert "image/png" in words[figure:] and len(words) < 5000, "a picture is told, not spelled out"


# Not executed: a stand-in computes the outputs


@pytest.fixture
def computed(monkeypatch):
    """Replaces the kernel: every code cell gets the outputs listed for it."""

    def become(outputs):
        def execute(notebook, folder):
            for count, (cell, new) in enumerate(zip(code_cells(notebook), outputs, strict=True), start=1):
                cell.outputs, cell.execution_count = new, count

        monkeypatch.setattr(refresh, "execute", execute)

    return become


def code(source: str, outputs: list, count: int = 1, **more) -> nbformat.NotebookNode:
    return new_code_cell(source, outputs=outputs, execution_count=count, **more)


def test_what_moves_is_shown_and_stored(computed, tmp_path, capsys):
    path = save(tmp_path / "a.ipynb", [code("loss", [stream("loss 2.93\n")])])
    computed([[stream("loss 2.93\n")]])
    assert refresh.main([str(path)]) == refresh.main([str(path)]) == 0
    assert "nothing moved" in capsys.readouterr().out
    computed([[stream("loss 2.94\n")]])
    assert refresh.main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert "-  loss 2.93" in printed and "+  loss 2.94" in printed and "loss 2.94" in path.read_text()


@pytest.mark.parametrize(
    ("tags", "new", "kept"),
    [
        ([refresh.VARIES], "took 2.5e-05 s", True),
        ([refresh.VARIES], "took 13 s", True),
        ([refresh.VARIES], "took 1.5 ms", False),
        ([refresh.VARIES], "failed after 1.5 s", False),
        ([], "took 1.6 s", False),
    ],
)
def test_a_varying_output_stays_while_only_its_digits_move(computed, tmp_path, tags, new, kept):
    path = save(tmp_path / "a.ipynb", [code("f()", [stream("took 1.5 s\n")], metadata={"tags": tags})])
    computed([[stream(new + "\n")]])
    refresh.refresh(path)
    assert (new in path.read_text()) is not kept
    save(path, [code("f()", [], metadata={"tags": tags})])
    refresh.refresh(path)
    assert new in path.read_text(), "where none is stored, the new one is"


@pytest.mark.filterwarnings("ignore:Cell is missing an id", "ignore:Non-unique cell id")
def test_missing_and_double_ids_are_replaced_and_others_stay(tmp_path):
    cells = [new_markdown_cell(text, id=identity) for text, identity in zip("abcd", "1123", strict=True)]
    del cells[3]["id"]
    identities = [cell.id for cell in refresh.read(save(tmp_path / "a.ipynb", cells)).cells]
    assert (identities[0], identities[2]) == ("1", "2") and len(set(identities)) == 4


@pytest.mark.parametrize("text", ["{", "[]", '{"nbformat": 4, "cells": [{"cell_type": "poem", "source": ""}]}'])
def test_a_file_that_is_no_notebook_is_one_line(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(refresh.NotebookProblem, match="not a valid notebook: .") as caught:
        refresh.refresh(path)
    assert "\n" not in str(caught.value)
    assert path.read_text() == text


def test_a_failed_write_leaves_the_old_file(computed, tmp_path, monkeypatch):
    path = save(tmp_path / "a.ipynb", [code("1", [])])
    before = path.read_bytes()
    computed([[stream("1\n")]])

    def full_disk(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    assert refresh.main([str(path)]) == 1
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
