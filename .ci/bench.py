"""Speed and memory of the course and of its peers, as ratios measured side by side in one run.

    make bench        or: python .ci/bench.py [part ...] [--small]
    parts: training, imports, peers, solvers, map, networks, notebooks

Absolute times of a shared machine mean little, so what is compared takes turns, and each figure is the median over the
rounds of ratios within a round. What has been measured is written to _build/bench/: report.md, growth.svg and
results.json. When every part ran, at full size and with nothing left out, the report also becomes the section of
README.md between its two bench markers, and the other two become .ci/bench.svg and .ci/bench.json.

--small measures the same on small sizes, for trying the bench itself.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import bench_report

ROOT = Path(__file__).resolve().parent.parent
CI = ROOT / ".ci"
BUILD = ROOT / "_build" / "bench"
PEERS = ROOT / "_build" / "peers"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM")}

EPOCHS_OF_PEERS = 1000
LEARNING_RATE = 1e-2
SCALE = 0.1  # u is divided by ten, as in chapter 02, so that one learning rate serves both parameters


class DifferentAnswer(AssertionError):
    """Two ways to the same answer did not reach the same answer."""


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is measured.

    rounds: how often each is measured, in turns; short_rounds: the same for the short runs of the part "training",
        whose few hundred epochs end before the machine's mood changes.
    rows, rows_of_map: rows of the regressions. counts: networks at once. notebooks: how many chapters, or None for all.
    """

    rounds: int
    short_rounds: int
    epochs: int
    rows: tuple[int, ...]
    rows_of_map: int
    counts: tuple[int, ...]
    notebooks: int | None


FULL = Size(9, 31, 500, (10_000, 100_000, 1_000_000), 10_000_000, (1, 10, 100, 1000), None)
SMALL = Size(3, 5, 500, (1_000, 10_000, 100_000), 200_000, (1, 10), 2)
COLUMNS = (2, 10, 50)


# ---- measuring ------------------------------------------------------------------------------------------------------


def take_turns(runs: dict[str, Callable[[], float]], rounds: int, warm: bool = False) -> dict[str, list[float]]:
    """The seconds that each run returns, round by round. Another one begins each round.

    They run once beforehand, to warm up, unless they are warm.
    """
    names = list(runs)
    found: dict[str, list[float]] = {name: [] for name in names}
    for name in [] if warm else names:
        runs[name]()
    for start in range(rounds):
        for step in range(len(names)):
            name = names[(start + step) % len(names)]
            found[name].append(runs[name]())
    return found


def compare(found: dict[str, list[float]], unit: str) -> dict[str, dict]:
    """For each name the ratio to the unit's time, round by round: median, smallest, largest; and the median seconds."""
    rows = {}
    for name, seconds in found.items():
        ratios = [took / base for took, base in zip(seconds, found[unit], strict=True)]
        rows[name] = {
            "ratio": rounded(statistics.median(ratios)),
            "low": rounded(min(ratios)),
            "high": rounded(max(ratios)),
            "seconds": rounded(statistics.median(seconds)),
        }
    return rows


def rounded(value: float | None) -> float | None:
    """Four significant digits: more than a measurement of time holds."""
    return None if value is None else float(f"{value:.4g}")


def check_same_answer(answers: dict[str, Sequence[float]], expected: Sequence[float], tolerance: float) -> None:
    """Raise DifferentAnswer, naming the first, unless every answer is the expected one.

    tolerance: the largest difference allowed in any number, relative to the largest of the expected numbers.
    """
    if not answers:
        raise DifferentAnswer("there is no answer to compare")
    allowed = tolerance * max(abs(value) for value in expected)
    for name, answer in answers.items():
        pairs = list(zip(answer, expected, strict=False))
        if len(answer) != len(expected) or not all(abs(value - wanted) <= allowed for value, wanted in pairs):
            raise DifferentAnswer(f"{name} ends at {list(answer)}, expected {list(expected)} to {tolerance:g} of it")


def say(text: str) -> None:
    print(f"bench: {text}", flush=True)


class Bench:
    """One run: its size, what it has measured, what it left out and what went wrong."""

    def __init__(self, size: Size) -> None:
        self.size, self.results = size, {}
        self.skipped: list[str] = []
        self.failed: list[str] = []

    def skip(self, text: str) -> None:
        say(f"SKIPPED {text}")
        self.skipped.append(text)

    def overhead(self, name: str, found: dict[str, list[float]], bound: float) -> None:
        """Note how the second of two compares with the first, and whether that is within its bound."""
        first, second = found
        row = {"name": name, **compare(found, first)[second], "rounds": len(found[first]), "bound": bound}
        self.results.setdefault("overhead", []).append(row)
        verdict = "within" if row["ratio"] <= bound else "ABOVE"
        say(f"  {name}: {row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f}), {verdict} the bound of {bound:g}")


# ---- the parts: the course against itself ---------------------------------------------------------------------------


def bench_training(bench: Bench) -> None:
    """train() against the same epochs written out: forward, loss, zero_grad, backward, step."""
    import torch

    from helpers.data import split, tensors
    from helpers.loss import mse
    from helpers.model import line
    from helpers.training import train

    torch.set_num_threads(1)
    u, c = tensors()
    u, epochs = u * SCALE, bench.size.epochs
    training, validation = split(11, seed=0)
    u_train, c_train, u_val, c_val = u[training], c[training], u[validation], c[validation]

    def timed(fit: Callable) -> float:
        w, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
        optimizer = torch.optim.SGD([w, b], lr=LEARNING_RATE)
        began = time.perf_counter()
        fit(lambda u: line(u, w, b), optimizer)
        return time.perf_counter() - began

    def bare(model: Callable, optimizer: torch.optim.Optimizer) -> None:
        for _ in range(epochs):
            loss = mse(model(u), c)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def bare_validated(model: Callable, optimizer: torch.optim.Optimizer) -> None:
        for _ in range(epochs):
            with torch.no_grad():
                mse(model(u_val), c_val)
            loss = mse(model(u_train), c_train)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def helper(model: Callable, optimizer: torch.optim.Optimizer) -> None:
        train(model, optimizer, u, c, epochs)

    def helper_validated(model: Callable, optimizer: torch.optim.Optimizer) -> None:
        train(model, optimizer, u_train, c_train, epochs, validation=(u_val, c_val))

    for name, pair in {"": (bare, helper), " with validation": (bare_validated, helper_validated)}.items():
        runs = {fit.__name__: lambda fit=fit: timed(fit) for fit in pair}
        bench.overhead(f"`train()`{name} / the loop written out", take_turns(runs, bench.size.short_rounds), 1.05)


def bench_imports(bench: Bench) -> None:
    """`import helpers` after torch is loaded costs next to nothing; measured in fresh interpreters."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - began

    runs = {code: lambda code=code: seconds(code) for code in ("import torch", "import torch, helpers")}
    bench.overhead("`import torch, helpers` / `import torch`", take_turns(runs, bench.size.rounds), 1.10)


def bench_networks(bench: Bench) -> None:
    """An epoch of many 1-13-1 networks at once by vmap, against an epoch of one, as chapter 08 trains them."""
    import torch
    from torch import nn
    from torch.func import functional_call, stack_module_state, vmap

    from helpers.data import tensors

    torch.set_num_threads(1)
    u, c = tensors(torch.float64)
    inputs, targets = ((values - values.mean()).unsqueeze(1) / values.std() for values in (u, c))
    epochs = 200
    ends = {}

    def build(seed: int) -> nn.Sequential:
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(1, 13), nn.Tanh(), nn.Linear(13, 1)).double()

    def run(forward: Callable, parameters: list) -> float:
        optimizer = torch.optim.SGD(parameters, lr=0.05)
        began = time.perf_counter()
        for _ in range(epochs):
            loss = ((forward() - targets) ** 2).mean(dim=(-2, -1))
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
        return time.perf_counter() - began

    def alone() -> float:
        model = build(0)
        took = run(lambda: model(inputs), list(model.parameters()))
        ends["alone"] = model(inputs).flatten().tolist()
        return took

    def together(count: int) -> float:
        networks = [build(seed) for seed in range(count)]
        parameters, _ = stack_module_state(networks)
        run_all = vmap(functional_call, in_dims=(None, 0, None))
        took = run(lambda: run_all(networks[0], parameters, inputs), list(parameters.values()))
        ends[str(count)] = run_all(networks[0], parameters, inputs)[0].flatten().tolist()
        return took

    bench.results["networks"] = []
    for count in bench.size.counts:
        found = take_turns({"alone": alone, "together": lambda n=count: together(n)}, bench.size.rounds)
        # The first of them is the one trained alone: float64, and a few hundred steps of rounding.
        check_same_answer({f"{count} networks by vmap": ends[str(count)]}, ends["alone"], 1e-9)
        row = {"count": count, **compare(found, "alone")["together"], "rounds": bench.size.rounds}
        bench.results["networks"].append(row)
        say(f"  {count} at once: {row['ratio']:.3g} times an epoch of one")


RUN_ONE = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[2])
import refresh, nbformat
from pathlib import Path
began = time.perf_counter()
notebook = nbformat.read(sys.argv[1], as_version=4)
refresh.execute(notebook, Path(sys.argv[1]).parent)
seconds = time.perf_counter() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def bench_notebooks(bench: Bench) -> None:
    """Each notebook from a clean kernel, once: seconds, and the largest memory of its kernel."""
    chapters = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))[: bench.size.notebooks]
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes on macOS, kilobytes elsewhere
    bench.results["notebooks"] = []
    for chapter in chapters:
        for path in (chapter, chapter.parent / "solutions" / chapter.name):
            if not path.exists():
                continue
            command = [sys.executable, "-c", RUN_ONE, str(path), str(CI)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{path.name} does not run: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
            seconds, peak = json.loads(done.stdout.splitlines()[-1])
            name = path.relative_to(ROOT / "notebooks").with_suffix("").as_posix()
            row = {"name": name, "seconds": rounded(seconds), "megabytes": rounded(peak * unit / 1e6)}
            bench.results["notebooks"].append(row)
            flags = " ABOVE 12 s" * (seconds > 12) + " ABOVE 600 MB" * (row["megabytes"] > 600)
            say(f"  {name}: {seconds:.1f} s, {row['megabytes']:.0f} MB{flags}")


# ---- the peers ------------------------------------------------------------------------------------------------------


def peers() -> list[str]:
    """The pins of pyproject.toml's dependency group."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["peers"]


def python_of_peers() -> str:
    """The Python of _build/peers, made anew when it is missing or its pins have changed. Raises setup.SetupError."""
    import setup

    python, stamp = setup.python_in(str(PEERS)), PEERS / "ready"
    lock = CI / "peers.txt"
    depends_on = (sys.version, str(PEERS), peers(), lock.read_text(encoding="utf-8"))
    key = hashlib.sha256(repr(depends_on).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == key:
        return python
    say(f"making {PEERS.relative_to(ROOT)}, an environment for the peers (a few minutes, once)")
    if PEERS.exists():
        shutil.rmtree(PEERS)
    output, env = setup.Output(), setup.clean_environment()
    install = [python, "-m", "pip", "install", "--retries", "2", "--constraint", str(lock)]
    # PyTorch goes first and alone, so that no other package's wish decides which build comes.
    torch = [pin for pin in peers() if pin.startswith("torch==")]
    for command in ([sys.executable, "-m", "venv", str(PEERS)], install + torch, install + peers()):
        code, lines = setup.run(command, output, env=env)
        if code != 0:
            raise setup.explain("installing the peers", code, lines)
    stamp.write_text(key)
    return python


def expected_line(slope: float, intercept: float, epochs: int) -> tuple[float, float]:
    """Where gradient descent from (1, 0) stands after so many epochs on its way to lm's line, in exact arithmetic.

    The distance to the minimum is multiplied by I - rate * H each epoch, H being the Hessian of the loss. One epoch
    more or less would move the answer by forty times the tolerance of the comparison.
    """
    import torch

    from helpers.data import tensors

    u, _ = tensors(torch.float64)
    X = torch.stack([u * SCALE, torch.ones_like(u)], dim=1)
    shrink = torch.eye(2, dtype=torch.float64) - LEARNING_RATE * 2 * X.T @ X / len(X)
    goal = torch.tensor([slope / SCALE, intercept], dtype=torch.float64)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    w, b = (goal + torch.linalg.matrix_power(shrink, epochs) @ (start - goal)).tolist()
    return w, b


def bench_peers(bench: Bench) -> None:
    """train() and five libraries' training loops against the bare loop, on the same line from the same start."""
    import setup

    from helpers.data import thermometers
    from helpers.r import lm

    try:
        python = python_of_peers()
    except setup.SetupError as trouble:
        bench.skip(f"the peers: {trouble}")
        python = sys.executable
    rounds = bench.size.rounds
    say(f"  {EPOCHS_OF_PEERS} epochs each, {rounds + 1} rounds")
    command = [python, str(CI / "bench_peers.py"), str(rounds)]
    with (BUILD / "peers.log").open("w") as log:
        done = subprocess.run(command, cwd=BUILD, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, stderr=log)
    if done.returncode != 0:
        last = ((BUILD / "peers.log").read_text().strip().splitlines() or ["?"])[-1]
        raise RuntimeError(f"the peers' run failed: {last}")
    reply = json.loads(done.stdout.decode().splitlines()[-1])
    if reply["missing"] and python != sys.executable:
        bench.skip(f"not installed: {', '.join(reply['missing'])}")
    loops = reply["loops"]
    fit = lm("c ~ u", thermometers())
    expected = expected_line(fit.slope, fit.intercept, EPOCHS_OF_PEERS)
    ends = {f"{name} (run {k})": end for name, loop in loops.items() for k, end in enumerate(loop["answers"], start=1)}
    check_same_answer(ends, expected, 1e-5)  # float32, and a thousand steps of rounding
    check_same_answer(ends, loops["bare loop"]["answers"][0], 1e-5)
    rows = compare({name: loop["seconds"] for name, loop in loops.items()}, "bare loop")
    bench.results["peers"] = {
        "epochs": EPOCHS_OF_PEERS,
        "rounds": rounds,
        "answer": [round(value, 4) for value in loops["bare loop"]["answers"][0]],
        "versions": [pin for pin in peers() if not pin.startswith("torch==")],
        "rows": [{"name": name, **row, "configured": loops[name]["configured"]} for name, row in rows.items()],
    }
    for name, row in rows.items():
        say(f"  {name}: {row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})")


# ---- least squares --------------------------------------------------------------------------------------------------


class Worker:
    """A process that holds its own copy of the data and solves when asked."""

    def __init__(self, command: Sequence[str | Path], env: dict[str, str]) -> None:
        self.name = " ".join(Path(part).name for part in command[1:3])
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **ONE_THREAD, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer (exit code {self.process.wait()})")
        return json.loads(line)

    def ask(self, *words: object) -> dict:
        self.tell(*words)
        return self.read()

    def tell(self, *words: object) -> None:
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def workers(commands: dict[str, list], env: dict[str, str] | None = None) -> Iterator[dict[str, Worker]]:
    """The processes; all of them are ended afterwards."""
    started: dict[str, Worker] = {}
    try:
        for name, command in commands.items():
            started[name] = Worker(command, env or {})
        yield started
    finally:
        for worker in started.values():
            worker.close()


def load(ready: dict[str, Worker], rows: int, columns: int) -> None:
    """Let every process read the file, all at the same time."""
    for worker in ready.values():
        worker.tell("load", rows, columns)
    for worker in ready.values():
        worker.read()


def rscript() -> str | None:
    """The Rscript of the R that rpy2 would use, or None without R."""
    if os.environ.get("COURSE_WITHOUT_R", "") not in ("", "0"):
        return None
    home = os.environ.get("R_HOME")
    return shutil.which("Rscript", path=os.path.join(home, "bin") if home else None)


def write_regression(file: Path, rows: int, columns: int, by_rows: bool = False, block: int = 1_000_000) -> list[float]:
    """Write X (a column of ones, then normal numbers) and y = X b + noise as float64; returns the answer.

    Columns one after the other, or, by_rows, each row of X followed by its y. The answer is that of the normal
    equations, added up while writing; with such columns their condition number is near 1, so it is right to 1e-12.
    """
    import torch

    generator = torch.Generator().manual_seed(rows + columns)
    settings = {"dtype": torch.float64, "generator": generator}
    beta = torch.arange(1, columns + 1, dtype=torch.float64)
    gram, moments = torch.zeros(columns, columns, dtype=torch.float64), torch.zeros(columns, dtype=torch.float64)
    tables = []
    with file.open("wb") as out:
        for start in range(0, rows, block):
            X = torch.randn(min(block, rows - start), columns, **settings)
            X[:, 0] = 1
            y = X @ beta + torch.randn(len(X), **settings)
            gram, moments = gram + X.T @ X, moments + X.T @ y
            table = torch.column_stack([X, y])
            if by_rows:
                table.numpy().tofile(out)
            else:
                tables.append(table)
        if not by_rows:
            for column in range(columns + 1):
                torch.cat([table[:, column] for table in tables]).numpy().tofile(out)
    return torch.cholesky_solve(moments.unsqueeze(1), torch.linalg.cholesky(gram)).squeeze(1).tolist()


def free_memory() -> int | None:
    """Bytes that can be had without swapping, or None where the system does not tell."""
    with contextlib.suppress(OSError):
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        return int(found[1]) * 1024 if found else None
    return None


def room_for(bench: Bench, what: str, on_disk: int, in_memory: int) -> bool:
    """Whether there is room for it, with some to spare; if not, it is noted as skipped."""
    memory = free_memory()
    if shutil.disk_usage(BUILD).free < on_disk * 1.2 + 1e9:
        bench.skip(f"{what}: its file of {on_disk / 1e6:.0f} MB would leave less than 1 GB of the disk")
        return False
    if memory is not None and memory < in_memory:
        bench.skip(f"{what}: needs about {in_memory / 1e9:.1f} GB of memory, and {memory / 1e9:.1f} GB are free")
        return False
    return True


def bench_solvers(bench: Bench) -> None:
    """R's lm() and lm.fit, and torch's QR and TSQR, on the same rows: time in turns, memory in a process for each."""
    r = rscript()
    if r is None:
        bench.skip("lm() and lm.fit: there is no R")
    file = BUILD / "regression.bin"
    commands = {name: [r, CI / "bench_lm.R", name, file] for name in ("lm", "lm.fit") if r}
    commands |= {name: [sys.executable, CI / "bench_solver.py", name, file] for name in ("qr", "tsqr")}
    bench.results["solvers"] = []
    try:
        with workers(commands) as timed:
            for columns in COLUMNS:
                for rows in bench.size.rows:
                    what, size = f"{rows:,} rows by {columns} columns", 8 * rows * (columns + 1)
                    if room_for(bench, what, size, 16 * size):
                        expected = write_regression(file, rows, columns)
                        rounds = min(bench.size.rounds, 3) if size > 2e8 else bench.size.rounds
                        row = {"rows": rows, "columns": columns, "rounds": rounds}
                        row["methods"] = solve_in_turns(commands, timed, expected, rows, rounds)
                        bench.results["solvers"].append(row)
                        words = [f"{name} {found['seconds']:.2g} s" for name, found in row["methods"].items()]
                        say(f"  {what}: {', '.join(words)}")
    finally:
        file.unlink(missing_ok=True)


def solve_in_turns(
    commands: dict[str, list], timed: dict[str, Worker], expected: Sequence[float], rows: int, rounds: int
) -> dict[str, dict]:
    """Time and peak memory of each, and proof that they agree. The ratio is to lm(), or to qr where there is no R."""
    memory = {}
    # With these two settings memory that is freed goes back to the system at once, so that none is counted twice or
    # not at all. They cost time; memory is therefore measured apart, at the first solution of a fresh process.
    prompt = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    with workers(commands, prompt) as fresh:
        load(fresh, rows, len(expected))
        for name, worker in fresh.items():
            answer = worker.ask("solve", 1)
            check_same_answer({name: answer["coefficients"]}, expected, 1e-9)
            memory[name] = None if answer["bytes"] is None else max(answer["bytes"], 0) / 1e6
    load(timed, rows, len(expected))
    # A short solution is repeated, so that each turn lasts at least a twentieth of a second.
    times = {}
    for name, worker in timed.items():
        took = worker.ask("solve", 1)["seconds"]
        if took < 0.5:  # the first may have paid for a warm-up that later ones are spared
            took = worker.ask("solve", 1)["seconds"]
        times[name] = max(1, min(1000, round(0.05 / took)))
    runs = {name: lambda name=name: timed[name].ask("solve", times[name])["seconds"] for name in timed}
    found = compare(take_turns(runs, rounds, warm=True), "lm" if "lm" in runs else "qr")
    return {name: {**row, "megabytes": rounded(memory[name])} for name, row in found.items()}


def bench_map(bench: Bench) -> None:
    """TSQR on a file that is read through a memory map: time against reading it, and memory that belongs to no file."""
    rows, columns = bench.size.rows_of_map, 10
    size = 8 * rows * (columns + 1)
    if not room_for(bench, f"the memory map of {rows:,} rows", size, int(1e9)):
        return
    file = BUILD / "map.bin"
    say(f"  writing a file of {size / 1e6:.0f} MB")
    try:
        expected = write_regression(file, rows, columns, by_rows=True)
        with workers({"map": [sys.executable, CI / "bench_solver.py", "map", file]}) as ready:
            load(ready, rows, columns)
            answers = []

            def ask(what: str) -> float:
                answers.append(ready["map"].ask(what))
                return answers[-1]["seconds"]

            found = take_turns({what: lambda what=what: ask(what) for what in ("read", "solve")}, 3)
    finally:
        file.unlink(missing_ok=True)
    coefficients = {f"TSQR (run {k})": a["coefficients"] for k, a in enumerate(answers) if a["coefficients"]}
    check_same_answer(coefficients, expected, 1e-9)
    peak = None if answers[-1]["bytes"] is None else answers[-1]["bytes"] / 1e6
    row = {"rows": rows, "columns": columns, "file": size / 1e6, **compare(found, "read")["solve"], "bound": 64}
    bench.results["map"] = {**row, "megabytes": rounded(peak), "rounds": 3}
    memory = "" if peak is None else f", {peak:.1f} MB{' ABOVE 64 MB' * (peak > 64)}"
    say(f"  TSQR {row['seconds']:.3g} s, {row['ratio']:.2f} times reading the file{memory}")


# ---- the command ----------------------------------------------------------------------------------------------------

PARTS = {
    "training": bench_training,
    "imports": bench_imports,
    "peers": bench_peers,
    "solvers": bench_solvers,
    "map": bench_map,
    "networks": bench_networks,
    "notebooks": bench_notebooks,
}


def machine() -> dict:
    """What it was measured on, without the machine's name."""
    import torch

    with contextlib.suppress(OSError, AttributeError):
        processor = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())[1].strip()
        memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
        return described(processor, memory, torch.__version__)
    with contextlib.suppress(OSError, ValueError, subprocess.CalledProcessError):
        ask = ["sysctl", "-n", "machdep.cpu.brand_string", "hw.memsize"]
        processor, memory = subprocess.check_output(ask, text=True).splitlines()
        return described(processor.strip(), int(memory), torch.__version__)
    return described(platform.processor() or platform.machine(), None, torch.__version__)


def described(processor: str, memory: int | None, torch_version: str) -> dict:
    r = rscript()
    code = 'cat(R.version$major, ".", R.version$minor, " ", basename(extSoftVersion()[["BLAS"]]), sep = "")'
    said = subprocess.run([r, "-e", code], capture_output=True, text=True).stdout.split() if r else []
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "gigabytes": None if memory is None else round(memory / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch_version.split("+")[0],
        "r": said[0] if said else None,
        "blas": said[1] if len(said) > 1 else None,
    }


def store(bench: Bench, complete: bool) -> None:
    """Write the report, the plot and the numbers; into the README as well when the run is complete."""
    report = bench_report.report(bench.results, plot="growth.svg")
    (BUILD / "report.md").write_text(report, encoding="utf-8")
    numbers = json.dumps(bench.results, indent=1, ensure_ascii=False) + "\n"
    (BUILD / "results.json").write_text(numbers, encoding="utf-8")
    picture = bench_report.growth(bench.results)
    if picture:
        (BUILD / "growth.svg").write_text(picture, encoding="utf-8")
    print("\n" + report)
    if complete:
        readme = ROOT / "README.md"
        section = bench_report.report(bench.results, plot=".ci/bench.svg")
        readme.write_text(bench_report.with_section(readme.read_text(encoding="utf-8"), section), encoding="utf-8")
        (CI / "bench.json").write_text(numbers, encoding="utf-8")
        (CI / "bench.svg").write_text(picture, encoding="utf-8")
        say("written to README.md, .ci/bench.svg and .ci/bench.json")
    say(f"written to {BUILD.relative_to(ROOT)}: report.md, results.json" + ", growth.svg" * bool(picture))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--small", action="store_true", help="small sizes, for trying the bench itself")
    options = parser.parse_args(arguments)
    BUILD.mkdir(parents=True, exist_ok=True)
    bench = Bench(SMALL if options.small else FULL)
    began = time.perf_counter()
    bench.results["date"] = datetime.date.today().isoformat()
    bench.results["machine"] = machine()
    chosen = [part for part in PARTS if part in options.parts] or list(PARTS)
    for part in chosen:
        say(f"{part} (after {(time.perf_counter() - began) / 60:.1f} minutes): {PARTS[part].__doc__.splitlines()[0]}")
        try:
            PARTS[part](bench)
        except (DifferentAnswer, RuntimeError, OSError, subprocess.SubprocessError) as trouble:
            say(f"  FAILED {part}: {trouble}")
            bench.failed.append(part)
    bench.results["minutes"] = round((time.perf_counter() - began) / 60, 1)
    bench.results["skipped"] = bench.skipped
    complete = chosen == list(PARTS) and not (options.small or bench.skipped or bench.failed)
    store(bench, complete)
    if not complete:
        say("README.md is left as it is: it shows complete runs only")
    for text in bench.skipped:
        say(f"skipped {text}")
    if bench.failed:
        say(f"FAILED: {', '.join(bench.failed)}")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")  # not in main(): tests call it, and what they start inherits it
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
