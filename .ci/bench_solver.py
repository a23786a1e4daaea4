"""Least squares in torch, for .ci/bench.py: a process that does what each line asks, and answers each in JSON.

    python .ci/bench_solver.py qr|tsqr FILE     columns of X, one after the other, then y, as float64
    python .ci/bench_solver.py map FILE         the same numbers row by row, never in memory as a whole

The lines: "load ROWS COLUMNS", "solve TIMES", and "read" with a map, which only adds the numbers up. The answer to
solve: seconds for one solution, the peak of memory above what the process held after load, in bytes (null where the
system does not tell), and the coefficients. One thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers.beyond.tsqr import tsqr  # noqa: E402

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


def status(field: str) -> int | None:
    """A number of bytes from Linux's account of this process, such as VmRSS, VmHWM (its peak) and RssAnon."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return None


def forget_peak() -> None:
    """Let the peak start again from what is held now, with what was freed given back to the system."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


class InMemory:
    """X and y as tensors of this process; the peak is that of all its memory."""

    def __init__(self, solver: Callable[[Tensor, Tensor], Tensor], file: str, rows: int, columns: int) -> None:
        table = torch.from_file(file, size=rows * (columns + 1), dtype=torch.float64).view(columns + 1, rows)
        self.solver, self.X, self.y = solver, table[:columns].T.contiguous(), table[columns].clone()
        del table
        solver(self.X[: 2 * columns].clone(), self.y[: 2 * columns].clone())  # loads the libraries
        forget_peak()
        self.before = status("VmRSS")

    def solve(self) -> Tensor:
        return self.solver(self.X, self.y)

    def peak(self) -> int | None:
        return None if self.before is None else status("VmHWM") - self.before


class Mapped:
    """X and y in a file; the peak is that of the memory that belongs to no file, looked at every millisecond."""

    def __init__(self, file: str, rows: int, columns: int) -> None:
        size = rows * (columns + 1)
        table = torch.from_file(file, shared=True, size=size, dtype=torch.float64).view(rows, columns + 1)
        self.X, self.y = table[:, :columns], table[:, columns]
        by_blocks(self.X[: 2 * columns].clone(), self.y[: 2 * columns].clone())  # loads the libraries
        forget_peak()
        self.before = self.largest = status("RssAnon")
        if self.before is not None:
            threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        while True:
            self.largest = max(self.largest, status("RssAnon"))
            time.sleep(0.001)

    def read(self) -> Tensor:
        return torch.stack([X.sum() for X, _ in blocks(self.X, self.y)])

    def solve(self) -> Tensor:
        return by_blocks(self.X, self.y)

    def peak(self) -> int | None:
        return None if self.before is None else self.largest - self.before


def main(method: str, file: str) -> None:
    torch.set_num_threads(1)
    data = None
    for line in sys.stdin:
        what, *numbers = line.split()
        if what == "load":
            data = None  # what was held goes before the next comes
            sizes = [int(number) for number in numbers]
            data = Mapped(file, *sizes) if method == "map" else InMemory(SOLVERS[method], file, *sizes)
            print("{}", flush=True)
            continue
        run, times = getattr(data, what), int(numbers[0]) if numbers else 1
        began = time.perf_counter()
        for _ in range(times):
            found = run()
        seconds = (time.perf_counter() - began) / times
        coefficients = found.tolist() if what == "solve" else None
        print(json.dumps({"seconds": seconds, "bytes": data.peak(), "coefficients": coefficients}), flush=True)


SOLVERS = {"qr": qr, "tsqr": by_blocks}

if __name__ == "__main__":
    main(*sys.argv[1:])
