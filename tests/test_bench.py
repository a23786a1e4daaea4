"""The bench: what it compares is the same answer, what it writes is what it measured, and its peers stay outside."""

import copy
import functools
import json
import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
CI = ROOT / ".ci"
sys.path.append(str(CI))

import bench  # noqa: E402
import bench_report  # noqa: E402
import bench_solver  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def compared(ratio: float, seconds: float) -> dict:
    return {"ratio": ratio, "low": ratio * 0.9, "high": ratio * 1.1, "seconds": seconds}


def solved(rows: int, columns: int) -> dict:
    methods = {
        name: {**compared(share, share * rows * columns * 1e-7), "megabytes": megabytes}
        for name, share, megabytes in [
            ("lm", 1.0, rows * columns * 3e-5), ("lm.fit", 0.5, rows * columns * 1e-5),
            ("qr", 0.2, rows * columns * 1.6e-5), ("tsqr", 0.0123, 10.04),
        ]
    }  # fmt: skip
    return {"rows": rows, "columns": columns, "rounds": 3, "methods": methods}


RESULTS = {
    "date": "2026-01-02",
    "minutes": 9.5,
    "machine": {
        "processor": "A Processor", "cores": 2, "gigabytes": 16, "system": "Linux x86_64", "python": "3.12.1",
        "torch": "2.13.0", "r": "4.2.2", "blas": "libblas.so.3",
    },
    "peers": {
        "epochs": 1000, "rounds": 7, "answer": [4.8021, -14.1031], "versions": ["keras==3.0"],
        "rows": [
            {"name": "bare loop", **compared(1.0, 0.2), "configured": "written\n    out"},
            {"name": "Keras", **compared(11.26, 2.25), "configured": "`fit`"},
        ],
    },
    "overhead": [{"name": "`train()`", **compared(1.02, 0.1), "rounds": 9, "bound": 1.05}],
    "solvers": [solved(rows, columns) for columns in (2, 50) for rows in (10_000, 1_000_000)],
    "map": {
        "rows": 10_000_000, "columns": 10, "file": 880.0, **compared(3.2, 2.9), "bound": 64, "megabytes": 4.52,
        "rounds": 3,
    },
    "networks": [{"count": 1, **compared(1.75, 0.1), "rounds": 7}, {"count": 1000, **compared(16.9, 1), "rounds": 7}],
    "notebooks": [
        {"name": "01_least_squares", "seconds": 5.02, "megabytes": 438.4},
        {"name": "solutions/01_least_squares", "seconds": 3.8, "megabytes": 379.0},
        {"name": "02_gradient_descent", "seconds": 8.5, "megabytes": 464.0},
    ],
    "skipped": [],
}  # fmt: skip


# ---- the report -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, text",
    [(None, "-"), (0.0000391, "0.000039"), (0.3, "0.30"), (2.96, "3.0"), (18.4, "18"), (99.7, "100"), (1534, "1,500")],
)
def test_a_number_has_two_digits_and_no_exponent(value, text):
    assert bench_report.number(value) == text


@pytest.mark.parametrize(
    "value, text", [(None, "-"), (0.0123, "0.012"), (0.2, "0.20"), (1.02, "1.02"), (9.997, "10"), (1234.5, "1,234")]
)
def test_a_ratio_keeps_two_decimals_or_two_digits(value, text):
    assert bench_report.ratio(value) == text


def test_the_report_holds_what_was_measured():
    text = bench_report.report(RESULTS, plot="a/plot.svg")
    for row in [
        "| Keras | 11 | 10 to 12 | 2.2 | `fit` |",
        "| bare loop | 1.00 | 0.90 to 1.10 | 0.20 | written out |",
        "| `train()` | 1.02 | 0.92 to 1.12 | 1.05 |",
        "| 1,000,000 | 50 | 5.0 | 0.50 | 0.20 | 0.012 | 1,500 | 500 | 800 | 10 |",
        "| 1,000 | 17 | 15 to 19 | 0.017 |",
        "| 01_least_squares | 5.0 | 3.8 | 438 | 379 |",
        "| 02_gradient_descent | 8.5 | - | 464 | - |",
    ]:
        assert row in text.splitlines()
    for words in [
        "on 2026-01-02", "A Processor, 2 cores, 16 GB", "Python 3.12.1, PyTorch 2.13.0, R 4.2.2 with libblas.so.3",
        "4.802 and -14.103", "keras==3.0", "(a/plot.svg)", "a file of 880 MB", "peaks at 4.5 MB", "17 s in all",
        "With 50 columns and 100 times the rows, time grows 100 (`lm()`), 100 (`lm.fit`), 100 (QR), 100 (TSQR) times",
    ]:  # fmt: skip
        assert words in text
    assert "Not measured" not in text
    assert bench_report.report(copy.deepcopy(RESULTS), plot="a/plot.svg") == text


def test_every_row_of_a_table_has_the_cells_of_its_head():
    for table in re.findall(r"(?:^\|.*\n)+", bench_report.report(RESULTS, plot="x"), re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_report_without_r_without_memory_and_with_gaps():
    results = {key: copy.deepcopy(RESULTS[key]) for key in ("date", "minutes", "machine", "solvers")}
    results["machine"].update(r=None, blas=None, gigabytes=None)
    for row in results["solvers"]:
        del row["methods"]["lm"], row["methods"]["lm.fit"]
        for found in row["methods"].values():
            found["megabytes"] = None
    text = bench_report.report({**results, "skipped": ["the peers: no network"]}, plot="x")
    assert "| rows | columns | QR, seconds | TSQR / QR | QR, MB | TSQR, MB |" in text
    assert "| 10,000 | 2 | 0.00040 | 0.012 | - | - |" in text
    assert "no R" in text
    assert "Not measured: the peers: no network." in text
    assert "Keras" not in text
    assert bench_report.growth(results)


def test_the_section_is_written_between_the_markers_and_nowhere_else():
    readme = "before\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nafter\n"
    once = bench_report.with_section(readme, "\nnew\n\n")
    assert once == "before\n\n<!-- bench -->\nnew\n<!-- /bench -->\n\nafter\n"
    assert bench_report.with_section(once, "new") == once
    assert bench_report.section_of(once) == "new"


@pytest.mark.parametrize("readme", ["", "<!-- bench -->", "<!-- /bench --><!-- bench -->", "<!-- bench -->" * 2])
def test_a_readme_without_its_markers_is_refused(readme):
    with pytest.raises(ValueError, match="README.md needs one"):
        bench_report.with_section(readme, "new")


def test_the_readme_shows_the_stored_results():
    shown = bench_report.section_of((ROOT / "README.md").read_text(encoding="utf-8"))
    stored = CI / "bench.json"
    results = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else None
    assert shown == (bench_report.report(results, plot=".ci/bench.svg").strip() if results else "")
    assert (CI / "bench.svg").exists() == stored.exists()


def test_the_plot_is_drawn_the_same_each_time_with_a_line_for_each_method(monkeypatch):
    import matplotlib.pyplot as plt

    figures = []
    monkeypatch.setattr(plt, "close", figures.append)
    first, second = bench_report.growth(RESULTS), bench_report.growth(RESULTS)
    monkeypatch.undo()
    assert first == second
    assert not re.search(r"<dc:date>|\b20\d\d-\d\d", first)
    assert "from 10,000 to 1,000,000, for 50 columns" in first
    for axes, key in zip(figures[0].axes, ("seconds", "megabytes"), strict=True):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert len({(line.get_marker(), line.get_linestyle()) for line in axes.lines}) == 4
        for line, found in zip(axes.lines, RESULTS["solvers"][-1]["methods"].values(), strict=True):
            assert line.get_xdata().tolist() == [10_000, 1_000_000]
            assert line.get_ydata()[-1] == found[key]
    for figure in figures:
        plt.close(figure)
    assert bench_report.growth({}) is None


# ---- the same answer ------------------------------------------------------------------------------------------------


def test_the_same_answer_passes_and_any_other_is_named():
    bench.check_same_answer({"a": [1.0, -2.0], "b": [1.000001, -2.0]}, [1.0, -2.0], 1e-6)
    for other in ([1.0, -2.1], [1.0], [1.0, -2.0, 0.0], [math.nan, -2.0], [1.0, 2.0], [-2.0, 1.0]):
        with pytest.raises(bench.DifferentAnswer, match="other ends at"):
            bench.check_same_answer({"a": [1.0, -2.0], "other": other}, [1.0, -2.0], 1e-6)
    with pytest.raises(bench.DifferentAnswer, match="no answer"):
        bench.check_same_answer({}, [1.0], 1e-6)


@functools.cache
def trained(epochs: int) -> tuple[float, float]:
    """Slope and intercept after so many epochs of the course's loop, set up as for the peers."""
    from helpers.data import tensors
    from helpers.training import train

    u, c = tensors()
    w, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    train(lambda u: w * u + b, torch.optim.SGD([w, b], lr=bench.LEARNING_RATE), u * bench.SCALE, c, epochs)
    return w.item(), b.item()


def lm_line() -> SimpleNamespace:
    import numpy as np

    from helpers.data import thermometers

    df = thermometers()
    slope, intercept = np.polyfit(df["u"], df["c"], 1)
    return SimpleNamespace(slope=slope, intercept=intercept)


def test_the_expected_line_tells_a_thousand_epochs_from_one_more_or_less():
    fit, count = lm_line(), bench.EPOCHS_OF_PEERS
    expected = bench.expected_line(fit.slope, fit.intercept, count)
    bench.check_same_answer({"train()": trained(count)}, expected, 1e-5)
    for other in (count - 1, count + 1):
        with pytest.raises(bench.DifferentAnswer):
            bench.check_same_answer({"other": trained(other)}, expected, 1e-5)
    assert bench.expected_line(fit.slope, fit.intercept, 10**6) == pytest.approx((10 * fit.slope, fit.intercept))


@pytest.fixture
def peers_run(monkeypatch, tmp_path):
    """The part "peers" with an answer made up for its process; returns a function that runs it."""
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr("helpers.r.lm", lambda formula, data: lm_line())

    def run(python_of_peers=lambda: "python of the peers", missing=(), **ends: tuple[float, float]) -> bench.Bench:
        loops = {
            name: {"configured": "", "seconds": [1.0, 2.0, 3.0], "answers": [end] * 4}
            for name, end in {"bare loop": trained(bench.EPOCHS_OF_PEERS), **ends}.items()
        }
        reply = "library chatter\n" + json.dumps({"loops": loops, "missing": list(missing)})
        monkeypatch.setattr(bench, "python_of_peers", python_of_peers)
        monkeypatch.setattr(
            bench.subprocess, "run", lambda command, **options: SimpleNamespace(returncode=0, stdout=reply.encode())
        )
        made = bench.Bench(bench.SMALL)
        bench.bench_peers(made)
        return made

    return run


def test_a_peer_with_another_answer_stops_the_comparison(peers_run):
    w, b = trained(bench.EPOCHS_OF_PEERS)
    made = peers_run(Keras=(w, b + 1e-5))
    assert [row["name"] for row in made.results["peers"]["rows"]] == ["bare loop", "Keras"]
    with pytest.raises(bench.DifferentAnswer, match=r"Keras \(run 1\)"):
        peers_run(Keras=(w, b + 1e-3))


def test_peers_that_cannot_be_installed_are_skipped_by_name_and_the_rest_is_given(peers_run):
    import setup

    def offline():
        raise setup.SetupError("no network: installing the peers failed")

    made = peers_run(offline, missing=["keras", "skorch"])
    assert made.skipped == ["the peers: no network: installing the peers failed"]
    assert made.results["peers"]["rows"][0]["ratio"] == 1
    assert peers_run(missing=["keras"]).skipped == ["not installed: keras"]


# ---- measuring ------------------------------------------------------------------------------------------------------


def test_runs_take_turns_after_a_warm_up_and_each_begins_a_round():
    calls = []
    runs = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in "abc"}
    found = bench.take_turns(runs, 3)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab"
    assert found == {"a": [4.0, 9.0, 11.0], "b": [5.0, 7.0, 12.0], "c": [6.0, 8.0, 10.0]}
    calls.clear()
    bench.take_turns(runs, 1, warm=True)
    assert "".join(calls) == "abc"


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds():
    rows = bench.compare({"base": [1.0, 10.0, 2.0], "other": [2.0, 10.0, 6.0]}, "base")
    assert rows["other"] == {"ratio": 2.0, "low": 1.0, "high": 3.0, "seconds": 6.0}
    assert rows["base"]["ratio"] == 1


@pytest.mark.parametrize("by_rows", [False, True])
def test_the_solvers_read_the_file_and_find_its_answer(by_rows, tmp_path, monkeypatch):
    monkeypatch.setattr(bench_solver, "status", lambda field: None)  # no thread that watches memory
    monkeypatch.setattr(bench_solver, "BLOCK", 70)
    file = tmp_path / "regression.bin"
    expected = bench.write_regression(file, 500, 3, by_rows=by_rows, block=200)
    assert file.stat().st_size == 8 * 500 * 4
    assert expected == pytest.approx([1, 2, 3], abs=0.3)
    made = [bench_solver.Mapped] if by_rows else [
        lambda *given, name=name: bench_solver.InMemory(bench_solver.SOLVERS[name], *given) for name in ("qr", "tsqr")
    ]  # fmt: skip
    for make in made:
        data = make(str(file), 500, 3)
        bench.check_same_answer({"solver": data.solve().tolist()}, expected, 1e-12)
        assert data.peak() is None


@pytest.mark.needs_r
@pytest.mark.parametrize("method", ["lm", "lm.fit"])
def test_r_reads_the_same_file_and_finds_the_same_answer(method, tmp_path):
    file = tmp_path / "regression.bin"
    expected = bench.write_regression(file, 500, 3)
    with bench.workers({method: [bench.rscript(), CI / "bench_lm.R", method, file]}) as ready:
        bench.load(ready, 500, 3)
        answer = ready[method].ask("solve", 2)
    bench.check_same_answer({method: answer["coefficients"]}, expected, 1e-12)
    assert 0 < answer["seconds"] < 10


def test_a_worker_that_dies_is_an_error_that_names_it():
    with bench.workers({"a": [sys.executable, "-c", "raise SystemExit(3)"]}) as ready:
        with pytest.raises(RuntimeError, match=r"exit code 3"):
            ready["a"].read()


# ---- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(monkeypatch, tmp_path):
    """A project of its own, whose bench has parts that measure nothing; returns its folder."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "README.md").write_text("<!-- bench -->\n<!-- /bench -->\n")
    for name, value in {"ROOT": tmp_path, "CI": tmp_path / ".ci", "BUILD": tmp_path / "_build" / "bench"}.items():
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr(bench, "machine", lambda: RESULTS["machine"])

    def solvers(made: bench.Bench) -> None:
        """solvers"""
        made.results["solvers"] = RESULTS["solvers"]

    def peers(made: bench.Bench) -> None:
        """peers"""
        made.results["peers"] = RESULTS["peers"]

    monkeypatch.setattr(bench, "PARTS", {"solvers": solvers, "peers": peers})
    return tmp_path


def written(project: Path) -> bool:
    """Whether the README has a section; the other two files have to be there exactly then."""
    shown = bool(bench_report.section_of((project / "README.md").read_text(encoding="utf-8")))
    assert [(project / ".ci" / name).exists() for name in ("bench.json", "bench.svg")] == [shown, shown]
    assert (project / "_build" / "bench" / "report.md").exists()
    return shown


def test_a_complete_run_writes_the_readme(project, capsys):
    assert bench.main([]) == 0
    assert written(project)
    section = bench_report.section_of((project / "README.md").read_text(encoding="utf-8"))
    results = json.loads((project / ".ci" / "bench.json").read_text(encoding="utf-8"))
    assert section == bench_report.report(results, plot=".ci/bench.svg").strip()
    assert "| Keras |" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["peers"], ["--small"]])
def test_a_part_alone_or_a_small_run_leaves_the_readme(project, arguments, capsys):
    assert bench.main(arguments) == 0
    assert not written(project)
    assert "README.md is left as it is" in capsys.readouterr().out


def test_a_run_with_something_left_out_leaves_the_readme_and_says_what(project, monkeypatch, capsys):
    monkeypatch.setitem(bench.PARTS, "peers", lambda made: made.skip("the peers: no network"))
    bench.PARTS["peers"].__doc__ = "peers"
    assert bench.main([]) == 0
    assert not written(project)
    assert "skipped the peers: no network" in capsys.readouterr().out.splitlines()[-1]


def test_a_part_that_fails_does_not_stop_the_others_and_fails_the_run(project, monkeypatch, capsys):
    def solvers(made: bench.Bench) -> None:
        """solvers"""
        raise bench.DifferentAnswer("tsqr ends elsewhere")

    monkeypatch.setitem(bench.PARTS, "solvers", solvers)
    assert bench.main([]) == 1
    assert not written(project)
    out = capsys.readouterr().out
    assert "FAILED solvers: tsqr ends elsewhere" in out
    assert "| Keras |" in out


# ---- the peers stay outside -----------------------------------------------------------------------------------------

PEERS = dict(pin.split("==") for pin in bench.peers())


def pins(text: str) -> dict[str, str]:
    lines = [line.split(";")[0].strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_peer_is_pinned_and_locked():
    assert set(PEERS) == {"keras", "lightning", "pytorch-ignite", "skorch", "torch"}
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in PEERS.values())
    locked = pins((CI / "peers.txt").read_text(encoding="utf-8"))
    assert PEERS.items() <= locked.items()


def test_the_peers_run_on_the_courses_torch():
    assert f"torch=={PEERS['torch']}" in PROJECT["project"]["optional-dependencies"]["course"]


def test_no_peer_is_in_the_courses_own_environment():
    others = set(PEERS) - {"torch"}
    extras = [pin for extra in PROJECT["project"]["optional-dependencies"].values() for pin in extra]
    for text in ("\n".join(extras), (ROOT / "constraints.txt").read_text(encoding="utf-8")):
        assert not others & set(pins(text))
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert not [peer for peer in others if peer in conda]


def test_the_bench_itself_needs_no_peer():
    code = "import sys; sys.path.append('.ci'); import bench, bench_report; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
