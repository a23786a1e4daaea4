"""How much memory a piece of work takes at its peak, as the operating system counts it. Scaffolding of chapter 17."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


@dataclass
class Peak:
    """What `peak_memory` found: bytes beyond those at the start of the block, or None where it cannot be measured."""

    growth: int | None = None


@contextlib.contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure by how much this process's memory grows at most within the block.

    Linux keeps the largest amount of memory that a process has held, and can be told to begin anew. It counts all that
    is in memory: PyTorch's tensors, LAPACK's work space, and pages of files that are mapped. Memory that was freed
    before the block but not yet handed back would hide some of the growth, so it is handed back first.
    Yields a Peak, whose growth is set at the end of the block: bytes on Linux, None elsewhere.
    """
    peak = Peak()
    hand_back()
    try:
        RESET.write_text("5")  # the largest amount is now the present one
        before = status("VmRSS")
    except OSError:
        before = None
    yield peak
    if before is not None:
        peak.growth = status("VmHWM") - before


def hand_back() -> None:
    """Hand memory that is free within this process back to the system, where the C library can do so (glibc)."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def status(name: str) -> int:
    """A number of bytes from Linux's account of this process."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {name} in {STATUS}")
