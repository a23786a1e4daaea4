"""The bench: what it compares is the same answer, and what it writes is what it measured."""

import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import bench
import bench_report
import bench_solver
import nbformat
import pytest
import torch
from bench_measure import (
    EPOCHS_OF_PEERS,
    LEARNING_RATE,
    SCALE,
    DifferentAnswer,
    check_same_answer,
    compare,
    seconds,
    take_turns,
)
from drawings import assert_stored

from helpers.data import tensors, thermometers
from helpers.r import lm
from helpers.training import train

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULTS = json.loads((HERE / "results.json").read_text(encoding="utf-8"))


# ---- the report -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, number, ratio",
    [
        (None, "-", "-"),
        (0.0000391, "0.000039", "0.000039"),
        (0.0123, "0.012", "0.012"),
        (0.3, "0.30", "0.30"),
        (2.964, "3.0", "2.96"),
        (9.997, "10", "10"),
        (99.7, "100", "100"),
        (1534.5, "1,500", "1,534"),
    ],
)
def test_a_number_has_two_digits_and_a_ratio_two_decimals(value, number, ratio):
    assert (bench_report.number(value), bench_report.ratio(value)) == (number, ratio)


def test_the_pages_show_the_stored_results():
    assert (HERE / "README.md").read_text(encoding="utf-8") == bench_report.report(RESULTS)
    for name, text in bench_report.quoted(RESULTS).items():
        page = (ROOT / name).read_text(encoding="utf-8")
        assert bench_report.with_section(page, text) == page, f"{name} is out of date"


def test_the_report_with_gaps():
    results = {key: RESULTS[key] for key in ("date", "minutes", "machine", "solvers")}
    text = bench_report.report({**results, "skipped": ["the peers: no network"]})
    assert "Keras" not in text and "1,000,000 | 50" in text and "Not measured: the peers: no network." in text


def test_a_section_is_written_between_its_markers_and_nowhere_else():
    page = "before\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nafter\n"
    once = bench_report.with_section(page, "\nnew\n\n")
    assert once == "before\n\n<!-- bench -->\nnew\n<!-- /bench -->\n\nafter\n"
    for broken in ("", "<!-- bench -->", "<!-- /bench --><!-- bench -->", once * 2):
        with pytest.raises(ValueError, match="needs one"):
            bench_report.with_section(broken, "new")


def test_the_plot_is_the_stored_one():
    assert_stored(bench_report.growth(RESULTS), HERE / "growth.svg")
    assert bench_report.growth({}) is None


# ---- the same answer ------------------------------------------------------------------------------------------------


def test_the_same_answer_passes_and_any_other_is_named():
    check_same_answer({"a": [1.0, -2.0], "b": [1.000001, -2.0]}, [1.0, -2.0], 1e-6)
    for other in ([1.0, -2.1], [1.0], [1.0, -2.0, 0.0], [math.nan, -2.0], [1.0, 2.0], [-2.0, 1.0]):
        with pytest.raises(DifferentAnswer, match="other ends at"):
            check_same_answer({"a": [1.0, -2.0], "other": other}, [1.0, -2.0], 1e-6)
    with pytest.raises(DifferentAnswer, match="no answer"):
        check_same_answer({}, [1.0], 1e-6)


@pytest.fixture(scope="module")
def trained():
    """Slope and intercept after the epochs of the peers, and after one more or less, of the course's loop."""
    u, c = tensors()
    w, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    ends = {}
    for number, epochs in {-1: EPOCHS_OF_PEERS - 1, 0: 1, 1: 1}.items():
        train(lambda u: w * u + b, torch.optim.SGD([w, b], lr=LEARNING_RATE), u * SCALE, c, epochs)
        ends[number] = w.item(), b.item()
    return ends


@pytest.fixture
def fit():
    return lm("c ~ u", thermometers())


def test_the_expected_line_tells_a_thousand_epochs_from_one_more_or_less(trained, fit):
    expected = bench.expected_line(fit.slope, fit.intercept, EPOCHS_OF_PEERS)
    check_same_answer({"train()": trained[0]}, expected, 1e-5)
    for other in (-1, 1):
        with pytest.raises(DifferentAnswer):
            check_same_answer({"other": trained[other]}, expected, 1e-5)
    assert bench.expected_line(fit.slope, fit.intercept, 10**6) == pytest.approx((10 * fit.slope, fit.intercept))


@pytest.fixture
def peers_run(monkeypatch, tmp_path, trained):
    """The part "peers" with an answer made up for its process; returns a function that runs it."""
    monkeypatch.setattr(bench, "BUILD", tmp_path)

    def run(python_of_peers=lambda: "python of the peers", missing=(), **ends: tuple[float, float]) -> bench.Bench:
        loops = {
            name: {"configured": "", "seconds": [1.0, 2.0, 3.0], "answers": [end] * 4}
            for name, end in {"bare loop": trained[0], **ends}.items()
        }
        reply = "library chatter\n" + json.dumps({"loops": loops, "missing": list(missing)})
        monkeypatch.setattr(bench, "python_of_peers", python_of_peers)
        done = SimpleNamespace(returncode=0, stdout=reply.encode())
        monkeypatch.setattr(bench.subprocess, "run", lambda command, **options: done)
        made = bench.Bench(bench.SMALL)
        bench.bench_peers(made)
        return made

    return run


def test_a_peer_with_another_answer_stops_the_comparison(peers_run, trained):
    w, b = trained[0]
    made = peers_run(Keras=(w, b + 1e-5))
    assert [row["name"] for row in made.results["peers"]["rows"]] == ["bare loop", "Keras"]
    for other in ("Keras", "bare loop"):
        with pytest.raises(DifferentAnswer, match=rf"{other} \(run 1\)"):
            peers_run(**{other: (w, b + 1e-3)})


def test_peers_that_cannot_be_installed_are_skipped_by_name_and_the_rest_is_given(peers_run):
    def offline():
        raise RuntimeError("not installed: no network")

    made = peers_run(offline, missing=["keras", "skorch"])
    assert made.skipped == ["the peers: not installed: no network"]
    assert made.results["peers"]["rows"][0]["ratio"] == 1
    assert peers_run(missing=["keras"]).skipped == ["not installed: keras"]


# ---- measuring ------------------------------------------------------------------------------------------------------


def test_runs_take_turns_after_a_warm_up_and_each_begins_a_round():
    calls = []
    runs = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in "abc"}
    found = take_turns(runs, 3)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab"
    assert found == {"a": [4.0, 9.0, 11.0], "b": [5.0, 7.0, 12.0], "c": [6.0, 8.0, 10.0]}
    calls.clear()
    take_turns(runs, 1, warm=True)
    assert "".join(calls) == "abc"


def test_the_seconds_are_those_of_the_call():
    assert 0.05 <= seconds(lambda: time.sleep(0.05)) < 5


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds():
    rows = compare({"base": [1.0, 10.0, 2.0], "other": [2.0, 10.0, 6.0]}, "base")
    assert rows["other"] == {"ratio": 2.0, "low": 1.0, "high": 3.0, "seconds": 6.0}
    assert rows["base"]["ratio"] == 1


def test_the_peers_environment_needs_nothing_more_to_measure():
    code = "import sys, bench_measure; print(set(sys.modules) & {'torch', 'psutil', 'numpy'})"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    """A file of 25,000 rows, and its answer."""
    file = tmp_path_factory.mktemp("bench") / "regression.bin"
    expected = bench.write_regression(file, 25_000, 3, block=10_000)
    assert file.stat().st_size == 8 * 25_000 * 4 and expected == pytest.approx([1, 2, 3], abs=0.03)
    return file, expected


@pytest.mark.needs_r
@pytest.mark.parametrize("method", ["lm", "lm.fit"])
def test_r_finds_the_answer_of_the_file(method, regression):
    file, expected = regression
    with bench.workers({method: [*bench.rscript(), HERE / "bench_lm.R", method, file]}) as ready:
        bench.load(ready, 25_000, 3)
        answer = ready[method].ask("solve", 2)
    check_same_answer({method: answer["coefficients"]}, expected, 1e-12)
    assert 0 < answer["seconds"] < 10


@pytest.mark.parametrize("method", ["qr", "tsqr", "map"])
def test_torch_finds_the_answer_of_the_file(method, regression, monkeypatch, capsys):
    file, expected = regression
    monkeypatch.setattr(sys, "stdin", io.StringIO("load 25000 3\nread\nsolve 2\n"))
    bench_solver.main(method, str(file))
    _, read, answer = map(json.loads, capsys.readouterr().out.splitlines())
    assert read["coefficients"] is None and 0 < answer["seconds"] < 10
    check_same_answer({method: answer["coefficients"]}, expected, 1e-12)


def test_every_way_trains_each_network_as_if_it_were_alone(monkeypatch):
    made = bench.Bench(bench.dataclasses.replace(bench.SMALL, rounds=1, counts=(3,)))
    bench.bench_networks(made)
    assert [row["dtype"] for row in made.results["networks"]] == ["float64", "float32"]
    shown = bench_report.networks(made.results["networks"]).splitlines()
    assert (
        shown[-1].startswith("| 3 | float32 |")
        and bench_report.ratio(made.results["networks"][1]["ways"]["last"]["ratio"]) in shown[-1]
    )
    monkeypatch.setitem(bench.WAYS, "last", lambda *given: bench.number_last(*given) + 1e-3)
    with pytest.raises(DifferentAnswer, match="last ends at"):
        bench.bench_networks(made)


@pytest.mark.needs_r
def test_newtons_method_and_glm_find_the_answer_of_their_file_and_the_report_names_both(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    made = bench.Bench(bench.dataclasses.replace(bench.SMALL, rounds=1, rows=(0, 4000)))
    bench.bench_glm(made)
    found = made.results["glm"]["methods"]
    assert list(found) == ["glm", "irls"] and found["glm"]["ratio"] == 1 and found["irls"]["seconds"] > 0
    text = bench_report.report({**{key: RESULTS[key] for key in ("date", "minutes", "machine")}, **made.results})
    assert "20 coefficients on 4,000 rows" in text and f"{bench_report.ratio(found['irls']['ratio'])} of that" in text
    assert not list(tmp_path.iterdir())


def test_the_answer_of_a_logistic_file_is_where_the_gradient_vanishes(tmp_path):
    beta = torch.tensor(bench.write_classification(tmp_path / "file", 4000, 20), dtype=torch.float64)
    table = torch.from_file(str(tmp_path / "file"), size=4000 * 21, dtype=torch.float64).view(4000, 21)
    X, y = table[:, :20], table[:, 20]
    assert (X.T @ (torch.sigmoid(X @ beta) - y)).abs().max() < 1e-9 and 0.2 < y.mean() < 0.8


def test_a_worker_that_dies_is_an_error_that_names_it():
    with bench.workers({"a": [sys.executable, "-c", "raise SystemExit(3)"]}) as ready:
        with pytest.raises(RuntimeError, match=r"exit code 3"):
            ready["a"].read()


def test_a_notebooks_seconds_and_their_shares_and_the_memory_of_all_that_it_starts(tmp_path):
    child = "x = bytearray(10**8); import time; time.sleep(0.5)"
    (tmp_path / "slow.py").write_text("import io, time\ntime.sleep(0.3)\n")
    code = [
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\nprint('done')",
        "import slow\nfrom matplotlib.figure import Figure",
        "figure = Figure()\nfor _ in range(5):\n    figure.subplots(4, 4)\n    figure.savefig(slow.io.BytesIO())",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in code])
    nbformat.write(notebook, tmp_path / "starts.ipynb")
    found = bench.run_notebook(tmp_path / "starts.ipynb")
    assert 140 < found["megabytes"] < 400
    assert 0.5 < found["first"] - found["kernel"] < found["seconds"] - found["kernel"] - 0.3
    assert found["imports"] > 0.3 and found["drawing"] > 0.1 and found["r"] == 0
    assert found["first"] + found["imports"] + found["drawing"] < found["seconds"]


def test_all_that_takes_a_share_of_a_chapters_seconds_is_found():
    code = "import bench_shares, helpers.r.cells, helpers.r.session, matplotlib.pyplot; print(bench_shares.WHERE)"
    path = os.pathsep.join([str(HERE), str(ROOT)])
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True)
    assert done.stdout.split() == [b"{}"], done.stderr


def test_the_work_of_make_test_is_shared_out_among_its_folders(monkeypatch, tmp_path):
    cases = [("notebooks.03_autograd.ipynb", 3, ""), ("tests.core.test_loss", 0.5, "<failure/>")]
    cases += [("notebooks.solutions.03_autograd.ipynb", 3, ""), ("tests.core.test_model", 1.5, "")]
    lines = [f'<testcase classname="{name}" time="{time}">{inner}</testcase>' for name, time, inner in cases]

    def run(command: list[str], **options: object) -> None:
        assert command[:2] == ["make", "test"]
        (tmp_path / command[2].partition("--junitxml=")[2]).write_text(f"<testsuite>{''.join(lines)}</testsuite>")

    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr(bench.subprocess, "run", run)
    bench.bench_tests(made := bench.Bench(bench.SMALL))
    assert made.results["tests"]["shares"] == {"the notebooks": 0.75, "core": 0.25}
    assert (
        "(1 failed). The work of its two workers, in the notebooks and in the folders of tests: the notebooks 75%"
        in bench_report.tests(made.results["tests"])
    )


# ---- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A project of its own, whose bench has parts that measure nothing; returns its folder."""
    for name in bench_report.quoted(RESULTS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("<!-- bench -->\n<!-- /bench -->\n")
    for name, folder in {"ROOT": "", "HERE": "tests/bench", "BUILD": "_build/bench"}.items():
        monkeypatch.setattr(bench, name, tmp_path / folder)
    monkeypatch.setattr(bench, "machine", lambda: RESULTS["machine"])
    monkeypatch.setattr(bench, "settle", lambda folder: folder.mkdir(parents=True, exist_ok=True))
    monkeypatch.setattr(bench_report, "growth", lambda results: "a picture")

    def part(name: str):
        def measure(made: bench.Bench) -> None:
            """measures"""
            made.results[name] = RESULTS[name]

        return measure

    measured = RESULTS.keys() - {"date", "machine", "minutes", "skipped"}
    monkeypatch.setattr(bench, "PARTS", {name: part(name) for name in measured})
    return tmp_path


def fails(made: bench.Bench) -> None:
    """fails"""
    raise DifferentAnswer("tsqr ends elsewhere")


def skips(made: bench.Bench) -> None:
    """skips"""
    made.skip("the map: no room")


@pytest.mark.parametrize(
    "arguments, broken, code, words",
    [
        ([], {}, 0, "written to tests/bench"),
        (["peers"], {}, 0, "they show complete runs only"),
        (["--small"], {}, 0, "they show complete runs only"),
        ([], {"map": fails}, 1, "FAILED map: tsqr ends elsewhere"),
        ([], {"map": skips}, 0, "bench: skipped the map: no room"),
    ],
)
def test_a_complete_run_alone_changes_the_pages(project, monkeypatch, capsys, arguments, broken, code, words):
    for name, part in broken.items():
        monkeypatch.setitem(bench.PARTS, name, part)
    assert bench.main(arguments) == code
    said = capsys.readouterr().out
    assert words in said and "| Keras |" in said and (project / "_build/bench/README.md").exists()
    sections = [len((project / name).read_text().splitlines()) > 2 for name in bench_report.quoted(RESULTS)]
    files = [(project / "tests/bench" / name).exists() for name in ("README.md", "results.json", "growth.svg")]
    assert {*sections, *files} == {words == "written to tests/bench"}, "all of them, or none"


def test_without_r_it_says_so_in_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr(bench, "settle", lambda folder: None)
    monkeypatch.setenv("COURSE_WITHOUT_R", "1")
    assert bench.main([]) == 1
    assert capsys.readouterr().out == "bench: the bench compares with R's lm(), and there is no R\n"
