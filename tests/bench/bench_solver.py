"""Fits in torch, for bench.py: a process that does what each line asks, and answers each in JSON.

    python tests/bench/bench_solver.py qr|tsqr|map|irls FILE     map: tsqr, with X never in memory as a whole

The lines: "load ROWS COLUMNS", "solve TIMES", and "read", which only adds the numbers up. The answer to solve: seconds
for one solution, the peak of memory above what the process held before, in bytes (null where the system does not
tell), and the coefficients. One thread. With a map, memory that belongs to a file doesn't count.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator

import psutil
import torch
from bench_measure import watching
from torch import Tensor

from helpers.beyond.memory import Peak, peak_memory
from helpers.beyond.tsqr import tsqr

BLOCK = 10_000


def qr(X: Tensor, y: Tensor) -> Tensor:
    """The coefficients by one QR decomposition of the whole of X."""
    Q, R = torch.linalg.qr(X)
    return torch.linalg.solve_triangular(R, (Q.T @ y).unsqueeze(1), upper=True).squeeze(1)


def blocks(X: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return ((X[start : start + BLOCK], y[start : start + BLOCK]) for start in range(0, len(y), BLOCK))


def by_blocks(X: Tensor, y: Tensor) -> Tensor:
    """The coefficients by TSQR, block after block."""
    return tsqr(blocks(X, y)).coefficients()


def irls(X: Tensor, y: Tensor) -> Tensor:
    """The coefficients of a logistic model by Newton's method, as in chapter 15, with the rule by which glm() stops."""
    beta, old = torch.zeros(X.shape[1], dtype=X.dtype), torch.inf
    for _ in range(25):
        z = X @ beta
        deviance = 2 * torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum").item()
        if abs(deviance - old) / (abs(deviance) + 0.1) < 1e-8:
            return beta
        p, old = torch.sigmoid(z), deviance
        hessian = X.T @ ((p * (1 - p)).unsqueeze(1) * X)
        beta = beta - torch.linalg.solve(hessian, X.T @ (p - y))
    raise RuntimeError("25 steps of Newton's method did not settle the deviance")


def add_up(X: Tensor, y: Tensor) -> Tensor:
    return torch.stack([part.sum() for part, _ in blocks(X, y)])


SOLVERS = {"qr": qr, "tsqr": by_blocks, "map": by_blocks, "irls": irls}


def load(method: str, file: str, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """X and y: tensors of this process, or views of the mapped file."""
    table = torch.from_file(file, shared=True, size=rows * (columns + 1), dtype=torch.float64).view(rows, columns + 1)
    X, y = table[:, :columns], table[:, columns]
    if method != "map":
        X, y = X.clone(), y.clone()
    few = columns * (100 if method == "irls" else 2)  # so few rows of yes and no would be separable
    SOLVERS[method](X[:few].clone(), y[:few].clone())  # loads the libraries
    return X, y


def outside_files() -> int:
    memory = psutil.Process().memory_info()
    return memory.rss - memory.shared


@contextlib.contextmanager
def peak_outside_files() -> Iterator[Peak]:
    """Like peak_memory, but without the pages of files, and looked at every millisecond."""
    peak = Peak()
    if not hasattr(psutil.Process().memory_info(), "shared"):
        yield peak
        return
    before = outside_files()
    with watching(outside_files, every=0.001) as largest:
        yield peak
    peak.growth = largest[0] - before


def main(method: str, file: str) -> None:
    torch.set_num_threads(1)
    data = None
    for line in sys.stdin:
        what, *numbers = line.split()
        if what == "load":
            data = None  # what was held goes before the next comes
            data = load(method, file, *map(int, numbers))
            print("{}", flush=True)
            continue
        run = SOLVERS[method] if what == "solve" else add_up
        times = int(numbers[0]) if numbers else 1
        with peak_outside_files() if method == "map" else peak_memory() as peak:
            began = time.perf_counter()
            for _ in range(times):
                found = run(*data)
            seconds = (time.perf_counter() - began) / times
        coefficients = found.tolist() if what == "solve" else None
        print(json.dumps({"seconds": seconds, "bytes": peak.growth, "coefficients": coefficients}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
