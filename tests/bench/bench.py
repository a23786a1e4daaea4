"""Speed and memory of the course and of its peers, as ratios measured side by side in one run.

    make bench        or: python tests/bench/bench.py [part ...] [--small]
    parts: training, batches, imports, peers, referee, solvers, map, glm, networks, notebooks, lab, tests

Absolute times of a shared machine mean little, so what is compared takes turns, and each figure is the median over the
rounds of ratios within a round. The report is printed and written to _build/bench/. When every part ran, at full size
and with nothing left out, it becomes README.md here, with results.json and growth.svg; the lines between the two bench
markers of the course's README.md and of notebooks/for_teachers.md follow.

--small measures the same on small sizes, for trying the bench itself.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import datetime
import hashlib
import itertools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import bench_report
import nbformat
import psutil
import torch
import torch.nn.functional as F
from bench_measure import (
    EPOCHS_OF_PEERS,
    LEARNING_RATE,
    SCALE,
    check_same_answer,
    compare,
    rounded,
    seconds,
    take_turns,
    watching,
)
from nbclient import NotebookClient
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader, TensorDataset

from helpers.authoring.surroundings import settle
from helpers.data import split, tensors, thermometers
from helpers.loss import mse
from helpers.model import line
from helpers.r import lm
from helpers.training import train

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "_build" / "bench"
PEERS = ROOT / "_build" / "peers"
OF_THE_SHELL = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM")}


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int  # how often each is measured, in turns
    short_rounds: int  # the same where a few hundred epochs end before the machine's mood changes
    rows: tuple[int, ...]
    rows_of_map: int
    counts: tuple[int, ...]  # networks at once
    notebooks: int | None  # how many chapters, or None for all


FULL = Size(9, 31, (10_000, 100_000, 1_000_000), 10_000_000, (1, 10, 100, 1000), None)
SMALL = Size(3, 5, (1_000, 10_000, 100_000), 200_000, (1, 10), 2)
COLUMNS = (2, 10, 50)


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

    def overhead(self, name: str, found: dict[str, list[float]], bound: float | None = None) -> None:
        """Note how the second of two compares with the first, and whether that is within its bound, if it has one."""
        first, second = found
        row = {"name": name, **compare(found, first)[second], "rounds": len(found[first]), "bound": bound}
        self.results.setdefault("overhead", []).append(row)
        if bound and row["ratio"] > bound:
            say(f"  ABOVE its bound of {bound:g}: {name}, {row['ratio']:.3f}")


# ---- the parts: the course against itself ---------------------------------------------------------------------------


def written_out(model: Callable, optimizer: Optimizer, epochs: int, batches: Iterable, validation: tuple) -> None:
    """The loop that train() is compared with: forward, loss, zero_grad, backward, step."""
    for _ in range(epochs):
        if validation:
            with torch.no_grad():
                mse(model(validation[0]), validation[1])
        for x, y in batches:
            loss = mse(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def turns_of_loops(rounds: int, build: Callable, epochs: int, rows: tuple | DataLoader, validation: tuple = ()) -> dict:
    """Seconds of both loops, in turns. build() gives a new model and its optimizer; rows: a pair, or a DataLoader."""
    given = {"batches": rows} if isinstance(rows, DataLoader) else dict(zip(("inputs", "targets"), rows, strict=True))
    batches = rows if isinstance(rows, DataLoader) else [rows]

    loops = {
        "bare": partial(written_out, epochs=epochs, batches=batches, validation=validation),
        "train": partial(train, epochs=epochs, validation=validation or None, **given),
    }

    def timed(loop: Callable) -> float:
        return seconds(partial(loop, *build()))

    return take_turns({name: partial(timed, loop) for name, loop in loops.items()}, rounds)


def bench_training(bench: Bench) -> None:
    """train() against the same epochs written out, on all rows at once."""
    torch.set_num_threads(1)
    u, c = tensors()
    u = u * SCALE
    training, validation = split(11, seed=0)

    def build() -> tuple[Callable, Optimizer]:
        w, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
        return lambda u: line(u, w, b), torch.optim.SGD([w, b], lr=LEARNING_RATE)

    split_up = (u[training], c[training]), (u[validation], c[validation])
    for name, rows in {"": [(u, c)], " with validation": split_up}.items():
        found = turns_of_loops(bench.size.short_rounds, build, 500, *rows)
        bench.overhead(f"`train()`{name} / the loop written out", found, 1.05)


def bench_batches(bench: Bench) -> None:
    """The same with a DataLoader: an epoch of a 1-13-1 network at each batch size."""
    torch.set_num_threads(1)
    inputs = torch.linspace(-2, 2, 2048).unsqueeze(1)

    def build() -> tuple[nn.Module, Optimizer]:
        model = nn.Sequential(nn.Linear(1, 13), nn.Tanh(), nn.Linear(13, 1))
        return model, torch.optim.SGD(model.parameters(), lr=0.05)

    bench.results["batches"] = []
    for size in (8, 32, 128, 512):
        loader = DataLoader(TensorDataset(inputs, inputs**2), batch_size=size, shuffle=True)
        found = turns_of_loops(bench.size.short_rounds, build, 1, loader)
        bench.results["batches"].append({"rows": len(inputs), "size": size, **compare(found, "bare")["train"]})
        if size == 32:
            bench.overhead("`train()` with a DataLoader, 32 rows a step / the loop written out", found, 1.05)


def bench_imports(bench: Bench) -> None:
    """`import helpers`, and the first optimizer, for which PyTorch loads its compiler; in fresh interpreters."""

    def interpreter(code: str) -> float:
        return seconds(partial(subprocess.run, [sys.executable, "-c", code], cwd=ROOT, check=True))

    optimizer = "import torch; torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)"
    codes = ("import torch", "import torch, helpers", optimizer)
    found = take_turns({code: partial(interpreter, code) for code in codes}, bench.size.rounds)
    base = {"import torch": found["import torch"]}
    bench.overhead("`import torch, helpers` / `import torch`", base | {codes[1]: found[codes[1]]}, 1.10)
    name = "`import torch` and a first optimizer, which loads PyTorch's compiler, / `import torch`"
    bench.overhead(name, base | {optimizer: found[optimizer]})


def bench_referee(bench: Bench) -> None:
    """lm() for the eleven readings against R's own lm(), summary() and confint(): the first call, then further ones."""
    data, times = thermometers(), 100
    lines = f"d <- data.frame(u = c({', '.join(map(str, data['u']))}), c = c({', '.join(map(str, data['c']))}))"
    fit = "{f <- lm(c ~ u, d); s <- summary(f); confint(f)}"
    calls = f"{lines}; t <- Sys.time(); for (i in 1:{times}) {fit}; cat(as.numeric(Sys.time() - t, units = 'secs'))"
    first = "import time; from helpers.data import thermometers; from helpers.r import lm; data = thermometers()"
    first += "; began = time.perf_counter(); lm('c ~ u', data); print(time.perf_counter() - began)"

    def printed(*command: str) -> float:
        return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    def whole(*command: str) -> float:
        return seconds(partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL))

    def further() -> float:
        return seconds(lambda: [lm("c ~ u", data) for _ in range(times)])

    r = [*rscript(), "-e"]
    runs = {"R": partial(whole, *r, f"{lines}; {fit}"), "lm()": partial(printed, sys.executable, "-c", first)}
    bench.overhead("the first `lm()`, which starts R / an Rscript", take_turns(runs, bench.size.rounds))
    runs = {"R": partial(printed, *r, calls), "lm()": further}
    bench.overhead("a further `lm()` / the same within R", take_turns(runs, bench.size.rounds))


def matrices(x: Tensor, W0: Tensor, b0: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    """One network, or the stack of chapter 08: a matrix product for each. Shape (rows, 1) or (networks, rows, 1)."""
    return torch.tanh(x @ W0.mT + b0) @ W1.mT + b1


def number_last(X: Tensor, P: Tensor, W1: Tensor, b1: Tensor) -> Tensor:
    """The number of the network is the last dimension: long sums, no small products. Shape (rows, networks).

    X: (rows, 2), with a column of ones; P: (2, units * networks), weights and biases, so that one product brings both
    gradients; W1: (units, networks).
    """
    hidden = (X @ P).tanh_().unflatten(1, W1.shape)
    return (hidden * W1).sum(dim=1) + b1


WAYS = {"vmap": torch.vmap(matrices, in_dims=(None, 0, 0, 0, 0)), "matrices": matrices, "last": number_last}


def train_networks(way: str, stack: list[Tensor], inputs: Tensor, targets: Tensor) -> tuple[float, list[float]]:
    """Seconds of 100 epochs, and the outputs of the first network afterwards."""
    rows = (-2, -1)
    if way == "last":
        W0, b0, W1, b1 = (part.flatten(1).T for part in stack)  # (units, networks), and b1 (1, networks)
        stack, rows = [torch.stack([W0.flatten(), b0.flatten()]), W1, b1.squeeze(0)], 0
        inputs = F.pad(inputs, (0, 1), value=1.0)
    parameters = [part.clone(memory_format=torch.contiguous_format).requires_grad_() for part in stack]
    optimizer, network = torch.optim.SGD(parameters, lr=0.05), WAYS.get(way, matrices)
    began = time.perf_counter()
    for _ in range(100):
        loss = ((network(inputs, *parameters) - targets) ** 2).mean(dim=rows)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    took, outputs = time.perf_counter() - began, network(inputs, *parameters)
    return took, (outputs[:, 0] if way == "last" else outputs.reshape(-1, len(inputs))[0]).tolist()


def bench_networks(bench: Bench) -> None:
    """An epoch of many 1-13-1 networks at once, in three ways, against an epoch of one."""
    torch.set_num_threads(1)
    bench.results["networks"] = []
    for count, dtype in itertools.product(bench.size.counts, (torch.float64, torch.float32)):
        inputs, targets = ((v - v.mean()).unsqueeze(1) / v.std() for v in tensors(dtype))
        generator = torch.Generator().manual_seed(0)
        shapes = (count, 13, 1), (count, 1, 13), (count, 1, 13), (count, 1, 1)
        stack = [torch.randn(shape, generator=generator, dtype=dtype) / 3 for shape in shapes]
        starts, ends = {"alone": [part[0] for part in stack], **dict.fromkeys(WAYS, stack)}, {}

        def timed(way: str) -> float:
            took, ends[way] = train_networks(way, starts[way], inputs, targets)  # noqa: B023  called within the turn
            return took

        rows = compare(take_turns({way: partial(timed, way) for way in starts}, bench.size.rounds), "alone")
        # The first of them is the one trained alone, but for the rounding of a hundred steps.
        check_same_answer(ends, ends["alone"], 1e-9 if dtype == torch.float64 else 1e-3)
        with profile(activities=[ProfilerActivity.CPU]) as watched:
            train_networks("last", stack, inputs, targets)
        spent = {event.key: event.self_cpu_time_total for event in watched.key_averages()}
        tanh = sum(spent[name] for name in spent if name.startswith("aten::tanh")) / sum(spent.values())
        row = {"count": count, "dtype": str(dtype).removeprefix("torch."), "tanh": rounded(tanh), "ways": rows}
        bench.results["networks"].append(row)


# ---- what a learner's machine, or a server for a class, needs -------------------------------------------------------


def held(process: psutil.Process) -> int:
    """Bytes that a process holds, together with those it started; what several of them share then counts once."""
    children = process.children(recursive=True)
    if not children:
        return process.memory_info().rss
    total = 0
    for member in (process, *children):
        with contextlib.suppress(psutil.Error):
            memory = member.memory_full_info()
            total += getattr(memory, "pss", memory.uss)
    return total


def run_notebook(path: Path) -> dict[str, float]:
    """A notebook in a clean kernel: seconds in all, their shares, and megabytes.

    kernel, first: until the kernel has started, and until the first cell has run. imports, r, drawing: what
    bench_shares counts. The memory is the most that the kernel and what it starts hold.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": path.parent}})
    client.config.KernelManager.transport_encryption = "auto"  # the kernel warns without it
    before = f"import sys; sys.path.insert(0, {str(HERE)!r}); import bench_shares; del sys.path[0]"
    after = "import json; print(json.dumps(__import__('bench_shares').seconds))"
    cells = [nbformat.v4.new_code_cell(before), *notebook.cells, nbformat.v4.new_code_cell(after)]
    notebook.cells, marks = cells, []
    began = time.perf_counter()
    with client.setup_kernel():
        kernel = psutil.Process(client.km.provisioner.pid)
        with watching(lambda: held(kernel), every=0.1) as peak:
            for number, cell in enumerate(cells):
                client.execute_cell(cell, number)
                if cell.cell_type == "code":
                    marks.append(time.perf_counter() - began)
    shares = json.loads(cells[-1].outputs[-1].text.splitlines()[-1])
    kernel, first, *_, last = marks
    found = {"seconds": last, "kernel": kernel, "first": first, **shares, "megabytes": peak[0] / 1e6}
    return {name: rounded(value) for name, value in found.items()}


def bench_notebooks(bench: Bench) -> None:
    """Each notebook from a clean kernel, once: its seconds and their shares, and its largest memory."""
    folder = ROOT / "notebooks"
    bench.results["notebooks"] = []
    for chapter in sorted(folder.glob("[0-9][0-9]_*.ipynb"))[: bench.size.notebooks]:
        for path in filter(Path.exists, (chapter, folder / "solutions" / chapter.name)):
            row = {"name": path.relative_to(folder).with_suffix("").as_posix(), **run_notebook(path)}
            bench.results["notebooks"].append(row)
            if row["seconds"] > 12 or row["megabytes"] > 600:
                say(f"  ABOVE 12 s or 600 MB: {row['name']}, {row['seconds']:.1f} s, {row['megabytes']:.0f} MB")


def bench_lab(bench: Bench) -> None:
    """What `make lab` does in an environment that is ready, until its page is served; the server's own memory."""
    began = time.perf_counter()
    subprocess.run(["make", "setup"], cwd=ROOT, env=OF_THE_SHELL, check=True, stdout=subprocess.DEVNULL)
    ready = time.perf_counter()
    command = [sys.executable, "-m", "helpers.authoring.lab", "--no-browser", "--ServerApp.port=0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    described = ROOT / "_build" / "settings" / "data" / "runtime" / f"jpserver-{server.pid}.json"
    try:
        while not (described.exists() and described.stat().st_size):
            if server.poll() is not None or time.perf_counter() > ready + 60:
                raise RuntimeError("JupyterLab's server has not started")
            time.sleep(0.05)
        at = json.loads(described.read_text())
        served = None
        for method, path in (("GET", "lab"), ("POST", "api/kernels"), ("GET", "api/kernels")):
            ask = Request(at["url"] + path, method=method, headers={"Authorization": f"token {at['token']}"})
            urlopen(ask, timeout=60).close()
            served = served or time.perf_counter()
        memory = psutil.Process(server.pid).memory_info().rss / 1e6
    finally:
        server.terminate()
        server.wait(timeout=60)
    row = {"setup": ready - began, "server": served - ready, "megabytes": memory}
    bench.results["lab"] = {name: rounded(value) for name, value in row.items()}


def bench_tests(bench: Bench) -> None:
    """`make test`, once: its seconds, and the share of each folder in the work of its two workers."""
    report = BUILD / "tests.xml"
    report.unlink(missing_ok=True)
    command = ["make", "test", f"TEST_ARGS=--junitxml={report.relative_to(ROOT)}"]
    with (BUILD / "tests.log").open("w") as log:
        took = seconds(partial(subprocess.run, command, cwd=ROOT, env=OF_THE_SHELL, stdout=log, stderr=log))
    work, failures = collections.Counter(), 0
    for case in ElementTree.parse(report).iter("testcase"):
        folder, *below = case.get("classname").split(".")
        work["the notebooks" if folder == "notebooks" else below[0]] += float(case.get("time"))
        failures += any(child.tag in ("failure", "error") for child in case)
    shares = {name: rounded(spent / work.total()) for name, spent in work.most_common()}
    bench.results["tests"] = {"seconds": rounded(took), "failures": failures, "shares": shares}


# ---- the peers ------------------------------------------------------------------------------------------------------


def peers() -> list[str]:
    """The pins of pyproject.toml's dependency group."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["peers"]


def python_of_peers() -> Path:
    """The Python of _build/peers, made anew when it is missing or its pins have changed. Raises RuntimeError."""
    python, stamp, lock = PEERS / "bin" / "python", PEERS / "ready", HERE / "peers.txt"
    depends_on = (sys.version, str(PEERS), peers(), lock.read_text(encoding="utf-8"))
    key = hashlib.sha256(repr(depends_on).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == key:
        return python
    say(f"making {PEERS.relative_to(ROOT)}, an environment for the peers (a few minutes, once)")
    install = [python, "-m", "pip", "install", "--quiet", "--retries", "2", "--constraint", lock]
    # PyTorch goes first and alone, so that no other package's wish decides which build comes.
    torch = [pin for pin in peers() if pin.startswith("torch==")]
    for command in ([sys.executable, "-m", "venv", "--clear", PEERS], install + torch, install + peers()):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"not installed: {((done.stderr or done.stdout).strip().splitlines() or ['?'])[-1]}")
    stamp.write_text(key)
    return python


def expected_line(slope: float, intercept: float, epochs: int) -> tuple[float, float]:
    """Where gradient descent from (1, 0) stands after so many epochs on its way to lm's line, in exact arithmetic.

    The distance to the minimum is multiplied by I - rate * H each epoch, H being the Hessian of the loss. One epoch
    more or less would move the answer by forty times the tolerance of the comparison.
    """
    u, _ = tensors(torch.float64)
    X = torch.stack([u * SCALE, torch.ones_like(u)], dim=1)
    shrink = torch.eye(2, dtype=torch.float64) - LEARNING_RATE * 2 * X.T @ X / len(X)
    goal = torch.tensor([slope / SCALE, intercept], dtype=torch.float64)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    w, b = (goal + torch.linalg.matrix_power(shrink, epochs) @ (start - goal)).tolist()
    return w, b


def bench_peers(bench: Bench) -> None:
    """train() and five libraries' training loops against the bare loop, on the same line from the same start."""
    try:
        python = python_of_peers()
    except RuntimeError as trouble:
        bench.skip(f"the peers: {trouble}")
        python = sys.executable
    rounds = bench.size.rounds
    say(f"  {EPOCHS_OF_PEERS} epochs each, {rounds + 1} rounds")
    command = [python, HERE / "bench_peers.py", str(rounds)]
    env = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "torch"}
    with (BUILD / "peers.log").open("w") as log:
        done = subprocess.run(command, cwd=BUILD, env=env, stdout=subprocess.PIPE, stderr=log)
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


# ---- least squares --------------------------------------------------------------------------------------------------


class Worker:
    """A process that holds its own copy of the data and solves when asked."""

    def __init__(self, command: Sequence[str | Path], env: dict[str, str]) -> None:
        self.name = " ".join(Path(part).name for part in command[1:3])
        env = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), **env}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(list(map(str, command)), env=env, text=True, **pipes)

    def tell(self, *words: object) -> None:
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer (exit code {self.process.wait()})")
        return json.loads(line)

    def ask(self, *words: object) -> dict:
        self.tell(*words)
        return self.read()


@contextlib.contextmanager
def workers(commands: dict[str, list], env: dict[str, str] | None = None) -> Iterator[dict[str, Worker]]:
    """The processes, each of which ends when its input does."""
    with contextlib.ExitStack() as running:
        started = {}
        for name, command in commands.items():
            started[name] = Worker(command, env or {})
            running.enter_context(started[name].process)
        yield started


def load(ready: dict[str, Worker], rows: int, columns: int) -> None:
    """Let every process read the file, all at the same time."""
    for worker in ready.values():
        worker.tell("load", rows, columns)
    for worker in ready.values():
        worker.read()


def rscript() -> list[str]:
    """The Rscript of the R that rpy2 would use, without the user's start-up files. Raises RuntimeError without R."""
    home = os.environ.get("R_HOME")
    path = shutil.which("Rscript", path=os.path.join(home, "bin") if home else None)
    if path is None or os.environ.get("COURSE_WITHOUT_R", "") not in ("", "0"):
        raise RuntimeError("the bench compares with R's lm(), and there is no R")
    return [path, "--vanilla"]


def write_regression(file: Path, rows: int, columns: int, block: int = 1_000_000) -> list[float]:
    """Write rows of X (a one, then normal numbers), each followed by its y = X b + noise, as float64.

    Returns the answer, that of the normal equations, added up while writing; with such columns their condition number
    is near 1, so it is right to 1e-12.
    """
    generator = torch.Generator().manual_seed(rows + columns)
    settings = {"dtype": torch.float64, "generator": generator}
    beta = torch.arange(1, columns + 1, dtype=torch.float64)
    gram, moments = torch.zeros(columns, columns, dtype=torch.float64), torch.zeros(columns, dtype=torch.float64)
    with file.open("wb") as out:
        for start in range(0, rows, block):
            X = torch.randn(min(block, rows - start), columns, **settings)
            X[:, 0] = 1
            y = X @ beta + torch.randn(len(X), **settings)
            gram, moments = gram + X.T @ X, moments + X.T @ y
            torch.column_stack([X, y]).numpy().tofile(out)
    return torch.cholesky_solve(moments.unsqueeze(1), torch.linalg.cholesky(gram)).squeeze(1).tolist()


def has_memory(bench: Bench, what: str, needed: int) -> bool:
    """Whether so many bytes can be had without swapping; if not, it is noted as skipped."""
    free = psutil.virtual_memory().available
    if free < needed:
        bench.skip(f"{what}: needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free")
    return free >= needed


def bench_solvers(bench: Bench) -> None:
    """R's lm() and lm.fit, and torch's QR and TSQR, on the same rows: time in turns, memory in a process for each."""
    file = BUILD / "regression.bin"
    commands = {name: [*rscript(), HERE / "bench_lm.R", name, file] for name in ("lm", "lm.fit")}
    commands |= {name: [sys.executable, HERE / "bench_solver.py", name, file] for name in ("qr", "tsqr")}
    bench.results["solvers"] = []
    sizes = [(rows, columns) for columns in COLUMNS for rows in bench.size.rows]
    try:
        with workers(commands) as timed:
            for rows, columns in sizes:
                what, size = f"{rows:,} rows by {columns} columns", 8 * rows * (columns + 1)
                if has_memory(bench, what, 16 * size):
                    expected = write_regression(file, rows, columns)
                    rounds = min(bench.size.rounds, 3) if size > 2e8 else bench.size.rounds
                    methods = solve_in_turns(commands, timed, expected, rows, rounds)
                    row = {"rows": rows, "columns": columns, "rounds": rounds, "methods": methods}
                    bench.results["solvers"].append(row)
    finally:
        file.unlink(missing_ok=True)


def solve_in_turns(
    commands: dict[str, list],
    timed: dict[str, Worker],
    expected: Sequence[float],
    rows: int,
    rounds: int,
    tolerance: float = 1e-9,
) -> dict[str, dict]:
    """Time and peak memory of each, and proof that they agree. The ratio is to the first of them."""
    memory = {}
    # With these two settings memory that is freed goes back to the system at once, so that none is counted twice or
    # not at all. They cost time; memory is therefore measured apart, at the first solution of a fresh process.
    prompt = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    with workers(commands, prompt) as fresh:
        load(fresh, rows, len(expected))
        for name, worker in fresh.items():
            answer = worker.ask("solve", 1)
            check_same_answer({name: answer["coefficients"]}, expected, tolerance)
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
    found = compare(take_turns(runs, rounds, warm=True), next(iter(commands)))
    return {name: {**row, "megabytes": rounded(memory[name])} for name, row in found.items()}


def write_classification(file: Path, rows: int, columns: int) -> list[float]:
    """Write rows of X (a one, then normal numbers), each followed by a yes or no of a logistic model, as float64.

    Returns the coefficients that are most plausible, by Newton's method carried on until nothing moves.
    """
    generator = torch.Generator().manual_seed(rows + columns)
    settings = {"dtype": torch.float64, "generator": generator}
    X = torch.randn(rows, columns, **settings)
    X[:, 0] = 1
    y = (torch.rand(rows, **settings) < torch.sigmoid(X @ torch.linspace(-0.5, 0.5, columns, dtype=X.dtype))).double()
    torch.column_stack([X, y]).numpy().tofile(file)
    beta = torch.zeros(columns, dtype=X.dtype)
    for _ in range(12):
        p = torch.sigmoid(X @ beta)
        beta = beta - torch.linalg.solve(X.T @ ((p * (1 - p)).unsqueeze(1) * X), X.T @ (p - y))
    return beta.tolist()


def bench_glm(bench: Bench) -> None:
    """R's glm(), binomial, and chapter 15's Newton's method in torch, on the same rows."""
    file, rows, columns = BUILD / "classification.bin", bench.size.rows[1], 20
    commands = {"glm": [*rscript(), HERE / "bench_lm.R", "glm", file]}
    commands |= {"irls": [sys.executable, HERE / "bench_solver.py", "irls", file]}
    try:
        expected = write_classification(file, rows, columns)
        with workers(commands) as timed:  # both stop by the deviance, which leaves about seven digits
            methods = solve_in_turns(commands, timed, expected, rows, bench.size.rounds, tolerance=1e-6)
        row = {"rows": rows, "columns": columns, "rounds": bench.size.rounds, "methods": methods}
        bench.results["glm"] = row
    finally:
        file.unlink(missing_ok=True)


def bench_map(bench: Bench) -> None:
    """TSQR on a file that is read through a memory map: time against reading it, and memory that belongs to no file."""
    rows, columns = bench.size.rows_of_map, 10
    size = 8 * rows * (columns + 1)
    if not has_memory(bench, f"the memory map of {rows:,} rows", int(1e9)):
        return
    file, answers = BUILD / "map.bin", []
    say(f"  writing a file of {size / 1e6:.0f} MB")
    try:
        expected = write_regression(file, rows, columns)
        with workers({"map": [sys.executable, HERE / "bench_solver.py", "map", file]}) as ready:
            load(ready, rows, columns)

            def ask(what: str) -> float:
                answers.append(ready["map"].ask(what))
                return answers[-1]["seconds"]

            found = take_turns({what: lambda what=what: ask(what) for what in ("read", "solve")}, 3)
    finally:
        file.unlink(missing_ok=True)
    solved = [answer for answer in answers if answer["coefficients"]]
    check_same_answer({f"TSQR ({k})": found["coefficients"] for k, found in enumerate(solved)}, expected, 1e-9)
    peak = None if solved[-1]["bytes"] is None else solved[-1]["bytes"] / 1e6
    row = {"rows": rows, "columns": columns, "file": size / 1e6, **compare(found, "read")["solve"], "bound": 64}
    bench.results["map"] = {**row, "megabytes": rounded(peak), "rounds": 3}


# ---- the command ----------------------------------------------------------------------------------------------------

IN_ORDER = [bench_training, bench_batches, bench_imports, bench_peers, bench_referee, bench_solvers, bench_map]
IN_ORDER += [bench_glm, bench_networks, bench_notebooks, bench_lab, bench_tests]
PARTS = {part.__name__.removeprefix("bench_"): part for part in IN_ORDER}


def machine() -> dict:
    """What it was measured on, without the machine's name."""
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, TypeError):
        processor = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())[1].strip()
    code = 'cat(R.version$major, ".", R.version$minor, " ", basename(extSoftVersion()[["BLAS"]]), sep = "")'
    command = [*rscript(), "-e", code]
    version, blas = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    system = f"{platform.system()} {platform.machine()}"
    found = {"processor": processor, "cores": os.cpu_count(), "gigabytes": round(psutil.virtual_memory().total / 1e9)}
    found |= {"system": system, "python": platform.python_version(), "torch": torch.__version__.split("+")[0]}
    return {**found, "r": version, "blas": blas}


def store(results: dict, folder: Path) -> None:
    """Write the page, the plot and the numbers into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(bench_report.report(results), encoding="utf-8")
    numbers = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (folder / "results.json").write_text(numbers, encoding="utf-8")
    if picture := bench_report.growth(results):
        (folder / "growth.svg").write_text(picture, encoding="utf-8")
    say(f"written to {folder.relative_to(ROOT)}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--small", action="store_true", help="small sizes, for trying the bench itself")
    options = parser.parse_args(arguments)
    settle(BUILD / "settings")
    bench = Bench(SMALL if options.small else FULL)
    began = time.perf_counter()
    try:
        bench.results |= {"date": datetime.date.today().isoformat(), "machine": machine()}
    except RuntimeError as trouble:
        say(str(trouble))
        return 1
    chosen = [part for part in PARTS if part in options.parts] or list(PARTS)
    for part in chosen:
        say(f"{part} (after {(time.perf_counter() - began) / 60:.1f} minutes): {PARTS[part].__doc__.splitlines()[0]}")
        try:
            PARTS[part](bench)
        except Exception as trouble:
            say(f"  FAILED {part}: {trouble}")
            bench.failed.append(part)
    bench.results["minutes"] = round((time.perf_counter() - began) / 60, 1)
    bench.results["skipped"] = bench.skipped
    print("\n" + bench_report.report(bench.results))
    store(bench.results, BUILD)
    if chosen == list(PARTS) and not (options.small or bench.skipped or bench.failed):
        store(bench.results, HERE)
        for name, text in bench_report.quoted(bench.results).items():
            page = ROOT / name
            page.write_text(bench_report.with_section(page.read_text(encoding="utf-8"), text), encoding="utf-8")
    else:
        say("the course's pages are left as they are: they show complete runs only")
    for text in [f"skipped {text}" for text in bench.skipped] + [f"FAILED: {part}" for part in bench.failed]:
        say(text)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
