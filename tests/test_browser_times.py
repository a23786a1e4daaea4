"""make times: its table, where it is written, and what it says when it can't be."""

import pytest
from notebook_tools import ci_script


@pytest.fixture(scope="module")
def times():
    return ci_script("times")


@pytest.fixture
def table(times) -> str:
    rows = [times.Row("00_start_here", 7.04, 5.26, 400.4, 120.6), times.Row("01_least_squares", 8, 9, 500, 130, 61.6)]
    return times.as_markdown(rows, times.Together("01_least_squares", (300.0, 320.0), 95.0), "a day, a machine")


def test_the_table_has_a_row_for_each_chapter_and_a_sentence_for_many_learners(table):
    lines = table.splitlines()
    assert lines[0] == "Measured with `make times` (a day, a machine), one chapter at a time:"
    assert "| 00_start_here | 7.0 | 5.3 | 400 | 121 |  |" in lines
    assert "| 01_least_squares | 8.0 | 9.0 | 500 | 130 | 62 |" in lines
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert lines[-1].startswith("2 kernels at once that have run 01_least_squares hold 310 MB each")
    assert "at most 320 MB" in lines[-1] and "95 MB" in lines[-1]


def test_it_goes_between_the_markers_and_a_second_time_replaces_the_first(times, table, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- times -->\nold\n<!-- /times -->\n\nafter\n")
    times.write_between_markers(page, table)
    first = page.read_text()
    assert first == f"before\n\n<!-- times -->\n{table}\n<!-- /times -->\n\nafter\n"
    times.write_between_markers(page, table)
    assert page.read_text() == first


@pytest.mark.parametrize(
    "text", ["", "<!-- times -->", "<!-- /times --> <!-- times -->", "<!-- times --><!-- /times -->" * 2]
)
def test_a_page_without_its_markers_is_refused_before_anything_is_measured(times, tmp_path, capsys, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    assert times.main(["--write", str(page)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert page.read_text() == text


def test_a_chapter_that_does_not_exist_is_named(times, capsys):
    with pytest.raises(SystemExit):
        times.main(["77"])
    assert "no chapter 77" in capsys.readouterr().err


def test_the_machine_is_described(times):
    said = times.machine()
    assert all(word in said for word in ("cores", "GiB", "Python 3.", "PyTorch 2.", "JupyterLab 4."))
