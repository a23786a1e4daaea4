"""Speed and memory, as ratios measured side by side in one run.

    make bench        or: python .ci/bench.py [part ...]      parts: training, networks, imports, notebooks

Absolute times of a shared machine mean little, so every figure is the median of ratios between runs that took turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAIRS = 9
EPOCHS = 5000


def ratios(first: Callable[[], float], second: Callable[[], float], pairs: int = PAIRS) -> list[float]:
    """How much longer the second takes than the first, pair by pair; each returns its own seconds."""
    first(), second()  # warm up
    found = []
    for pair in range(pairs):
        if pair % 2:
            after, before = second(), first()
        else:
            before, after = first(), second()
        found.append(after / before)
    return found


def report(name: str, values: list[float], bound: float) -> None:
    middle = statistics.median(values)
    verdict = "within" if middle <= bound else "ABOVE"
    spread = f"{min(values):.3f} to {max(values):.3f}"
    print(f"{name:58} {middle:.3f}  ({spread}, {len(values)} pairs)  {verdict} the bound of {bound:g}", flush=True)


def bench_training() -> None:
    """train() against the same epochs written out: forward, loss, zero_grad, backward, step."""
    import torch

    from helpers.data import split, tensors
    from helpers.loss import mse
    from helpers.model import line
    from helpers.training import train

    u, c = tensors()
    u = u * 0.1
    training, validation = split(11, seed=0)

    def start():
        w, b = torch.tensor(1.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
        return (lambda u: line(u, w, b)), torch.optim.SGD([w, b], lr=1e-2)

    def bare() -> float:
        model, optimizer = start()
        began = time.perf_counter()
        for _ in range(EPOCHS):
            loss = mse(model(u), c)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return time.perf_counter() - began

    def helper() -> float:
        model, optimizer = start()
        began = time.perf_counter()
        train(model, optimizer, u, c, EPOCHS)
        return time.perf_counter() - began

    def bare_validated() -> float:
        model, optimizer = start()
        u_train, c_train, u_val, c_val = u[training], c[training], u[validation], c[validation]
        began = time.perf_counter()
        for _ in range(EPOCHS):
            with torch.no_grad():
                mse(model(u_val), c_val)
            loss = mse(model(u_train), c_train)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return time.perf_counter() - began

    def helper_validated() -> float:
        model, optimizer = start()
        pair = (u[validation], c[validation])
        began = time.perf_counter()
        train(model, optimizer, u[training], c[training], EPOCHS, validation=pair)
        return time.perf_counter() - began

    report(f"train() / bare loop, {EPOCHS} epochs", ratios(bare, helper), 1.05)
    report(f"train() / bare loop with validation, {EPOCHS} epochs", ratios(bare_validated, helper_validated), 1.05)


def bench_imports() -> None:
    """`import helpers` after torch is loaded costs next to nothing; measured in fresh interpreters."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - began

    torch_alone, with_helpers = (lambda: seconds("import torch")), (lambda: seconds("import torch, helpers"))
    report("import torch and helpers / import torch", ratios(torch_alone, with_helpers), 1.10)


def bench_networks() -> None:
    """An epoch of many 1-13-1 networks at once by vmap, against an epoch of one, as chapter 08 trains them."""
    import torch
    from torch import nn
    from torch.func import functional_call, stack_module_state, vmap

    from helpers.data import tensors

    torch.set_num_threads(1)
    u, c = tensors(torch.float64)
    inputs, targets = ((values - values.mean()).unsqueeze(1) / values.std() for values in (u, c))
    epochs = 200

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

    def one() -> float:
        model = build(0)
        return run(lambda: model(inputs), list(model.parameters()))

    def together(count: int) -> float:
        networks = [build(seed) for seed in range(count)]
        parameters, _ = stack_module_state(networks)
        run_all = vmap(functional_call, in_dims=(None, 0, None))
        return run(lambda: run_all(networks[0], parameters, inputs), list(parameters.values()))

    for count, bound in ((10, 8), (200, 8), (1000, 20)):
        report(f"{count} networks by vmap / one network, per epoch", ratios(one, lambda n=count: together(n), 7), bound)


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


def bench_notebooks() -> None:
    """Each notebook from a clean kernel: seconds, share of all, and the largest memory of its kernel."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb")) + sorted((ROOT / "notebooks/solutions").glob("*.ipynb"))
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes on macOS, kilobytes elsewhere
    rows = []
    for path in paths:
        command = [sys.executable, "-c", RUN_ONE, str(path), str(ROOT / ".ci")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        seconds, peak = json.loads(done.stdout.splitlines()[-1])
        rows.append((path, seconds, peak * unit / 1e6))
    total = sum(seconds for _, seconds, _ in rows)
    for path, seconds, megabytes in rows:
        name = path.relative_to(ROOT / "notebooks").with_suffix("")
        flags = " ABOVE 12 s" * (seconds > 12) + " ABOVE 600 MB" * (megabytes > 600)
        print(f"{str(name):40} {seconds:6.1f} s  {seconds / total:4.0%}  {megabytes:5.0f} MB{flags}", flush=True)
    print(f"{'all':40} {total:6.1f} s")


PARTS = {
    "training": bench_training,
    "networks": bench_networks,
    "imports": bench_imports,
    "notebooks": bench_notebooks,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part", help=", ".join(PARTS))
    for part in parser.parse_args().parts or PARTS:
        PARTS[part]()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
