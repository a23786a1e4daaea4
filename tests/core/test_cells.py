"""`%%R` cells: what they say, hand out and survive, in a kernel as a learner's notebook has it."""

from __future__ import annotations

import base64
import os
import struct
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
START = ["import pandas as pd\ndf = pd.DataFrame({'u': [1.0, 2, 3, 4], 'c': [1.0, 3, 2, 5]})", "%load_ext helpers.r"]


def run_notebook(cells: list[str], **environment: str) -> list[list]:
    """Execute code cells in a fresh kernel, past errors; returns the outputs of each."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=True)
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


@pytest.mark.needs_r
def test_cells_print_and_draw_without_noise():
    summary, plot, answer = run_notebook(
        [
            *START,
            "%%R -i df\nprint(summary(lm(c ~ u, df)))",
            "%%R -w 600 -h 400 -r 100\nplot(c ~ u, df)",
            "from helpers.r import lm\nlm('c ~ u', df).df_residual",
        ]
    )[2:]
    ((name, text),) = streams(summary)
    assert name == "stdout" and "lm(formula = c ~ u, data = df)" in text and "Residual standard error" in text
    assert len(plot) == 1
    png = base64.b64decode(plot[0].data["image/png"])
    assert struct.unpack(">II", png[16:24]) == (600, 400)
    assert answer[0].data["text/plain"] == "2"


def test_without_r_its_cells_say_what_is_missing():
    cells = ["%%R -i df\nprint(summary(lm(c ~ u, df)))", "%%R\nplot(c ~ u, df)", "value = %R 1 + 1\nvalue is None"]
    start, load, summary, plot, answer = run_notebook([*START, *cells], COURSE_WITHOUT_R="1")
    assert start == [] and load == []
    for outputs in (summary, plot, answer):
        ((name, text),) = streams(outputs)
        text = " ".join(text.split())
        assert name == "stdout" and text.startswith("This cell is written in R and was not run.") and "Unset it" in text
    assert answer[-1].data["text/plain"] == "True"


ERRORS = {
    "stop('x')": "Error: x",
    "f <- function(a) stop('too ', a)\nf('much')": 'Error in f("much") : too much',
    "log('a')": 'Error in log("a") : non-numeric argument to mathematical function',
    "nosuch + 1": "Error: object 'nosuch' not found",
    "1 +* 2": "Error: <text>:1:4: unexpected '*'\n1: 1 +*\n       ^",
    "q()": "Error: q() would end Python as well: restart the kernel instead",
    "base::quit('no')": "Error: q() would end Python as well: restart the kernel instead",
    "invisible(lapply(1, function(i) stop('in ', i)))": "Error in FUN(X[[i]], ...) : in 1",
    "print.odd <- function(x, ...) stop('odd')\nstructure(1, class = 'odd')": "Error in print.odd(x) : odd",
}


@pytest.mark.needs_r
def test_an_error_is_shown_once_in_rs_words():
    outputs = run_notebook([*START, *(f"%%R\n{code}" for code in ERRORS), "%%R\ncat('alive')"])[2:]
    for (code, words), shown in zip(ERRORS.items(), outputs, strict=False):
        assert [output.output_type for output in shown] == ["error"], (code, shown)
        assert shown[0].traceback == [words] and shown[0].evalue == words
    assert streams(outputs[-1]) == [("stdout", "alive")]


@pytest.mark.needs_r
def test_warnings_and_messages_come_where_they_occur():
    codes = [
        "cat('one\\n'); warning('two'); cat('three\\n'); message('four'); cat('five\\n')",
        "f <- function() { warning('inside'); 7 }\nf()",
        "suppressWarnings(f())",
        "tryCatch(f(), warning = function(w) 'caught')",
        "x <- as.integer('x')",
        "options(warn = 2)\nf()",
    ]
    first, second, third, fourth, fifth, sixth = run_notebook([*START, *(f"%%R\n{code}" for code in codes)])[2:]
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


@pytest.mark.needs_r
def test_missing_values_come_back_as_missing():
    pairs = [(f"%%R -o x\nx <- {code}", "print(x.tolist())") for code in HANDED_OUT]
    table = "%%R -o d\nd <- data.frame(i = c(1L, NA), l = c(NA, TRUE), s = c(NA, 'ü'))"
    look = "print(d.isna().values.tolist(), d['i'].mean())"
    shown = run_notebook([*START, *(cell for pair in pairs for cell in pair), table, look])[2:]
    found = [streams(outputs)[0][1].strip() for outputs in shown[1:-2:2]]
    assert found == list(HANDED_OUT.values())
    assert streams(shown[-1]) == [("stdout", "[[False, True, True], [True, False, False]] 1.0\n")]


LOOPS = ["while (TRUE) {}", "Sys.sleep(60)", "repeat cat('')", "while (TRUE) try(Sys.sleep(60), silent = TRUE)"]


@pytest.mark.needs_r
@pytest.mark.skipif(sys.platform == "win32", reason="a kernel is interrupted in another way there")
def test_the_stop_button_stops_a_cell():
    stop = "import os, signal, threading\nthreading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()"
    cells = [cell for code in LOOPS for cell in (stop, f"%%R\n{code}", "%%R\ncat('alive')")]
    outputs = run_notebook([*START, *cells])[2:]
    for code, stopped, alive in zip(LOOPS, outputs[1::3], outputs[2::3], strict=True):
        assert [output.output_type for output in stopped if output.output_type != "stream"] == ["error"], code
        assert stopped[-1].traceback == ["R was stopped"] and streams(alive) == [("stdout", "alive")], code
