"""`%%R` cells: what they say, hand out and survive, in a kernel as a learner's notebook has it."""

from __future__ import annotations

import base64
import itertools
import locale
import os
import re
import struct
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from nbclient import NotebookClient

from helpers.r import cells

ROOT = Path(__file__).parents[2]
START = ["import pandas as pd\ndf = pd.DataFrame({'u': [1.0, 2, 3, 4], 'c': [1.0, 3, 2, 5]})", "%load_ext helpers.r"]


def run_notebook(sources: list[str], folder: Path, **environment: str) -> list[list]:
    """Execute code cells in a fresh kernel, past errors; returns the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=True, resources=where)
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
    return [cell.outputs for cell in notebook.cells]


def streams(outputs: list) -> list[tuple[str, str]]:
    """What was written, and where, in turn."""
    written: list[tuple[str, str]] = []
    for output in outputs:
        if output.output_type == "stream":
            before = written.pop()[1] if written and written[-1][0] == output.name else ""
            written.append((output.name, before + output.text))
    return written


PRINT_AND_DRAW = [
    "%%R -i df\nprint(summary(lm(c ~ u, df)))",
    "%%R -w 600 -h 400 -r 100\nplot(c ~ u, df)",
    "from helpers.r import lm\nlm('c ~ u', df).df_residual",
]
ERRORS = {
    "stop('x')": "Error: x",
    "f <- function(a) stop('too ', a)\nf('much')": 'Error in f("much") : too much',
    "log('a')": 'Error in log("a") : non-numeric argument to mathematical function',
    "nosuch + 1": "Error: object 'nosuch' not found",
    "1 +* 2": "Error: <text>:1:4: unexpected '*'\n1: 1 +*\n       ^",
    "q()": "Error: q() would end Python as well: restart the kernel instead",
    "base::quit('no')": "Error: q() would end Python as well: restart the kernel instead",
    "invisible(lapply(1, function(i) stop('in ', i)))": "Error in FUN(X[[i]], ...) : in 1",
    "-i too_long": "Error: R cannot be given too_long: the value holds 9007199254740993, which R cannot hold exactly: "
    "its numbers are floats of 64 bits. Subtract a constant first, or round",
    "-i nosuch": "Error: R cannot be given nosuch: name 'nosuch' is not defined.",
    "-o nosuch": "Error: R has nothing to hand out: 'nosuch' not found",
    "endless <- function(n) endless(n + 1)\nendless(1)": "Error: C stack usage ... is too close to the limit",
    "print.odd <- function(x, ...) stop('odd')\nstructure(1, class = 'odd')": "Error in print.odd(x) : odd",
}
HANDED_OUT = {
    "c(1L, NA, 3L)": "[1.0, nan, 3.0]",
    "NA_integer_": "[nan]",
    "c(-2147483647L, NA)": "[-2147483647.0, nan]",
    "1:3": "[1, 2, 3]",
    "c(TRUE, NA, FALSE)": "[True, None, False]",
    "c(TRUE, FALSE)": "[True, False]",
    "c(1.5, NA)": "[1.5, nan]",
    "factor(c('b', NA, 'a'))": "['b', nan, 'a']",
}
TABLE = [
    "%%R -o d\nd <- data.frame(i = c(1L, NA), l = c(NA, TRUE), s = c(NA, 'ü'))",
    "print(d.isna().values.tolist(), d['i'].mean())",
]
NOTHING = ["%%R\nx <- 1", "x = None", "%%R -i x -o y\ncat(is.null(x))\ny <- NULL", "print(y)"]
NAMED_ALIKE = [
    "%%R\nc <- list <- print <- paste0 <- is.null <- getOption <- function(...) stop('mine')\n`{` <- `if` <- 3",
    "%%R\n1 + 1",
    "%%R\nnosuch",
    "%%R\nrm(list = ls())\nprint.odd <- function(x, ...) cat('odd')\nstructure(1, class = 'odd')",
]
CLOSED = ["%%R\nplot(1)\ninvisible(dev.off())", "%%R\ngraphics.off()\nstop('x')", "%%R\nplot(2)"]
INTERRUPTED = sys.platform != "win32"  # where a kernel is interrupted in another way
LOOPS = ["while (TRUE) {}", "Sys.sleep(60)", "repeat cat('')", "while (TRUE) try(Sys.sleep(60), silent = TRUE)"]
# Stops the next cell when that has begun, which it says with a file.
STOP = """
import os, pathlib, signal, threading, time
def stop():
    while not pathlib.Path("begun").exists():
        time.sleep(0.01)
    time.sleep(0.1)
    os.remove("begun")
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=stop).start()
"""
WARNINGS = [
    "cat('one\\n'); warning('two'); cat('three\\n'); message('four'); cat('five\\n')",
    "f <- function() { warning('inside'); 7 }\nf()",
    "suppressWarnings(f())",
    "tryCatch(f(), warning = function(w) 'caught')",
    "x <- as.integer('x')",
    "options(warn = 2)\nf()",
]
CELLS = {
    "print and draw": PRINT_AND_DRAW,
    "errors": [
        "too_long = 2**53 + 1",
        *(f"%%R {code}\ninvisible(1)" if code.startswith("-") else f"%%R\n{code}" for code in ERRORS),
        "%%R\ncat('alive')",
    ],
    "values": [cell for code in HANDED_OUT for cell in (f"%%R -o x\nx <- {code}", "print(x.tolist())")] + TABLE,
    "nothing": NOTHING,
    "named alike": NAMED_ALIKE,
    "closed": CLOSED,
    "stops": [cell for code in LOOPS for cell in (STOP, f"%%R\ncat(file = 'begun')\n{code}", "%%R\ncat('alive')")]
    * INTERRUPTED,
    "warnings": [f"%%R\n{code}" for code in WARNINGS],
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> dict[str, list[list]]:
    """The outputs of all of these cells, run one after the other in one kernel."""
    folder = tmp_path_factory.mktemp("cells")
    outputs = iter(run_notebook([*START, *itertools.chain(*CELLS.values())], folder)[2:])
    return {name: list(itertools.islice(outputs, len(sources))) for name, sources in CELLS.items()}


@pytest.mark.needs_r
def test_cells_print_and_draw_without_noise(shown):
    summary, plot, answer = shown["print and draw"]
    ((name, text),) = streams(summary)
    assert name == "stdout" and "lm(formula = c ~ u, data = df)" in text and "Residual standard error" in text
    assert len(plot) == 1
    png = base64.b64decode(plot[0].data["image/png"])
    assert struct.unpack(">II", png[16:24]) == (600, 400)
    assert answer[0].data["text/plain"] == "2"


def test_without_r_its_cells_say_what_is_missing(tmp_path):
    codes = ["%%R -i df\nprint(summary(lm(c ~ u, df)))", "%%R\nplot(c ~ u, df)", "value = %R 1 + 1\nvalue is None"]
    start, load, summary, plot, answer = run_notebook([*START, *codes], tmp_path, COURSE_WITHOUT_R="1")
    assert start == [] and load == []
    for outputs in (summary, plot, answer):
        ((name, text),) = streams(outputs)
        text = " ".join(text.split())
        assert name == "stdout" and text.startswith("This cell is written in R and was not run.") and "Unset it" in text
    assert answer[-1].data["text/plain"] == "True"


@pytest.mark.needs_r
def test_an_error_is_shown_once_in_rs_words(shown):
    for (code, words), outputs in zip(ERRORS.items(), shown["errors"][1:-1], strict=True):
        assert [output.output_type for output in outputs] == ["error"], (code, outputs)
        # How deep R goes is a matter of its version: newer ones stop endless recursion before the C stack is full.
        said = outputs[0].evalue.replace("evaluation nested too deeply: infinite recursion", "C stack usage ")
        said = re.sub("(?<=usage) .*", " ... is too close to the limit", said)
        assert said == words and outputs[0].traceback == [outputs[0].evalue]
    assert streams(shown["errors"][-1]) == [("stdout", "alive")]


@pytest.mark.needs_r
def test_warnings_and_messages_come_where_they_occur(shown):
    first, second, third, fourth, fifth, sixth = shown["warnings"]
    assert streams(first) == [
        ("stdout", "one\n"),
        ("stderr", "Warning: two\n"),
        ("stdout", "three\n"),
        ("stderr", "four\n"),
        ("stdout", "five\n"),
    ]
    assert streams(second) == [("stderr", "Warning in f() : inside\n"), ("stdout", "[1] 7\n")]
    assert streams(third) == [("stdout", "[1] 7\n")] and streams(fourth) == [("stdout", '[1] "caught"\n')]
    assert streams(fifth) == [("stderr", "Warning: NAs introduced by coercion\n")]
    assert sixth[0].evalue == "Error in f() : (converted from warning) inside"


@pytest.mark.needs_r
def test_missing_values_come_back_as_missing(shown):
    *found, _, table = [streams(outputs) for outputs in shown["values"]]
    assert [text.strip() for ((_, text),) in found[1::2]] == list(HANDED_OUT.values())
    assert table == [("stdout", "[[False, True, True], [True, False, False]] 1.0\n")]


@pytest.mark.needs_r
def test_pythons_none_is_rs_null(shown):
    assert [streams(outputs) for outputs in shown["nothing"][2:]] == [[("stdout", "TRUE")], [("stdout", "None\n")]]


@pytest.mark.needs_r
def test_a_cell_may_name_its_own_things_as_r_names_functions(shown):
    named, sum_, missing, odd = shown["named alike"]
    assert named == [] and streams(sum_) == [("stdout", "[1] 2\n")] and streams(odd) == [("stdout", "odd")]
    assert missing[0].evalue == "Error: object 'nosuch' not found"


@pytest.mark.needs_r
def test_a_cell_may_close_its_picture_itself(shown):
    closed, failed, drawn = shown["closed"]
    assert [list(output.data) for output in closed + drawn] == 2 * [["image/png", "text/plain"]]
    assert [output.get("evalue") for output in failed] == ["Error: x"]


SMALLEST, TOO_LONG = -(2**31), 2**53 + 1
HANDED_IN = {  # what R makes of it, as it would write it
    "an array": (np.array([SMALLEST, 1], "int32"), "c(-2147483648, 1)"),
    "a matrix": (np.array([[SMALLEST, 1], [2, 3]], "int32"), "c(-2147483648, 2, 1, 3)"),
    "an array of 64 bits": (np.array([2**31, SMALLEST - 1]), "c(2147483648, -2147483649)"),
    "unsigned, large": (np.array([2**32 - 1], "uint32"), "4294967295"),
    "unsigned, small": (np.array([1, 2], "uint64"), "1:2"),
    "integers that fit": (np.array([-(2**31) + 1, 2**31 - 1]), "c(-2147483647L, 2147483647L)"),
    "a number": (SMALLEST, "-2147483648"),
    "NumPy's number": (np.int32(SMALLEST), "-2147483648"),
    "NumPy's truth": (np.bool_(True), "TRUE"),
    "an array of no dimension": (np.array(2**40), "1099511627776"),
    "a list": ([SMALLEST, 2**40], "c(-2147483648, 1099511627776)"),
    "an index": (pd.Index([SMALLEST, 1], dtype="int32"), "c(-2147483648, 1)"),
    "a record": (np.array([(SMALLEST, 1.5)], [("a", "i4"), ("b", "f8")]), "-2147483648"),
    "a Series": (pd.Series([SMALLEST, 1], dtype="int32"), "c(-2147483648, 1)"),
    "a nullable Series": (pd.Series([SMALLEST, None], dtype="Int32"), "c(-2147483648, NA)"),
    "a nullable Series of 64 bits": (pd.Series([2**40, None], dtype="Int64"), "c(1099511627776, NA)"),
    "a nullable Series without sign": (pd.Series([2**32 - 1, None], dtype="UInt32"), "c(4294967295, NA)"),
    "nullable integers that fit": (pd.Series([1, None], dtype="Int64"), "c(1L, NA)"),
    "nullable floats": (pd.Series([1.5, None], dtype="Float32"), "c(1.5, NA)"),
    "nullable truth": (pd.Series([True, None], dtype="boolean"), "c(TRUE, NA)"),
    "objects": (pd.Series([SMALLEST, None], dtype=object), "c(-2147483648, NA)"),
    "objects of truth": (pd.Series([True, None], dtype=object), "c(TRUE, NA)"),
    "text": (pd.Series(["ü", None]), 'c("ü", NA)'),
    "a tensor": (torch.tensor([1.5, 2.0]), "c(1.5, 2)"),
    "a tensor of integers": (torch.tensor([SMALLEST, 1]), "c(-2147483648, 1)"),
    "a tensor of one number": (torch.tensor(1.5), "1.5"),
}
NOT_IN_R = {
    "an integer": (TOO_LONG, "the value holds 9007199254740993"),
    "an array": (np.array([1, TOO_LONG]), "the value holds 9007199254740993"),
    "unsigned": (np.array([2**64 - 1], "uint64"), "holds 18446744073709551615"),
    "a nullable Series": (pd.Series([None, TOO_LONG], dtype="Int64"), "holds 9007199254740993"),
    "a column": (pd.DataFrame({"a": [1], "b": [TOO_LONG]}), "column 'b' holds 9007199254740993"),
    "a masked array": (np.ma.array([1, 2], mask=[False, True]), "the value is masked in places"),
    "a text": ("a\0b", "null character"),
    "a column of text": (pd.DataFrame({"g": ["a\0x", "a\0y"]}), "column 'g': the text 'a.x00.' holds a null character"),
    "categories": (pd.Series(pd.Categorical(["a\0x", "a\0y"])), "null character"),
    "half a character": (pd.Series(["\udc80", "a"], dtype=object), "half a character"),
    "a column's name": (pd.DataFrame({"a\0b": [1]}), "the column name"),
    "two columns of one name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are named 'a'"),
}


def given_to_r(value: object):
    """What `-i` makes of a value, in R."""
    cells.start_r()[0]("")
    with cells.make_converter().context() as conversion:
        return conversion.py2rpy(value)


@pytest.mark.needs_r
@pytest.mark.parametrize("kind", HANDED_IN)
def test_what_a_cell_is_handed_is_what_python_has(kind):
    value, written = HANDED_IN[kind]
    given = [given_to_r(value)]
    if isinstance(value, pd.Series):
        given.append(given_to_r(pd.DataFrame({"x": value})))
    from rpy2.rinterface import evalr

    numbers = "c(if (is.list(x)) x[[1]] else x)"
    write = evalr(f"function(x) deparse(unname({numbers}), control = c('keepInteger', 'digits17'))")
    assert {write(value)[0] for value in given} == {written}


@pytest.mark.needs_r
def test_text_is_text_after_a_library_has_set_the_shells_locale():
    run, _ = cells.start_r()
    locale.setlocale(locale.LC_ALL, "C")  # as Sphinx does where the shell says so
    assert run("deparse('ü')")[1][0] == '"ü"'


@pytest.mark.needs_r
@pytest.mark.parametrize("kind", NOT_IN_R)
def test_what_r_cannot_hold_is_not_handed_to_a_cell(kind):
    value, words = NOT_IN_R[kind]
    with pytest.raises(ValueError, match=words):
        given_to_r(value)


@pytest.mark.needs_r
@pytest.mark.skipif(not INTERRUPTED, reason="a kernel is interrupted in another way there")
def test_the_stop_button_stops_a_cell(shown):
    for code, stopped, alive in zip(LOOPS, shown["stops"][1::3], shown["stops"][2::3], strict=True):
        assert [output.output_type for output in stopped if output.output_type != "stream"] == ["error"], code
        assert stopped[-1].traceback == ["R was stopped"] and streams(alive) == [("stdout", "alive")], code
