"""What every part of the bench measures with: turns, ratios, peaks, and the proof that answers are the same.

Standard library only, for the peers' environment has no more.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence

EPOCHS_OF_PEERS = 1000
LEARNING_RATE = 1e-2
SCALE = 0.1  # u is divided by ten, as in chapter 02, so that one learning rate serves both parameters


class DifferentAnswer(AssertionError):
    """Two ways to the same answer did not reach the same answer."""


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


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
    for name, times in found.items():
        ratios = [took / base for took, base in zip(times, found[unit], strict=True)]
        row = {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
        row["seconds"] = statistics.median(times)
        rows[name] = {key: rounded(value) for key, value in row.items()}
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


@contextlib.contextmanager
def watching(look: Callable[[], int], every: float) -> Iterator[list[int]]:
    """A list that holds the largest number that look() returned, once in so many seconds, until the block ends."""
    largest, over = [look()], threading.Event()

    def watch() -> None:
        while not over.wait(every):
            largest[0] = max(largest[0], look())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield largest
    finally:
        over.set()
        watcher.join()
