"""Measures, chapter by chapter in a real JupyterLab, how long a learner waits and how much memory that takes.

    make times                              every chapter, one after the other, as a Markdown table
    python .ci/times.py 01 08               these chapters only
    python .ci/times.py --write README.md   and put the table between the file's two times markers

Start is from the start of the server until the page says that the kernel is idle, with an empty browser cache. Run All
is from the menu's click until the last cell has its number. The memory of a kernel is that of its process, with R in
it, and of the processes that it starts; of a server, that of its process alone. At the end several kernels that have
run the same chapter are kept side by side: what is private to each is what one more learner costs. A slider's answer is
from the key to the new picture, the median of several.
"""

import argparse
import contextlib
import datetime
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import setup
from browser import have_browser
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))

from browser_tools import FIGURE, SLIDER, Lab, Page, launch, running_lab  # noqa: E402 (it stands in tests)

CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
MARKERS = ("<!-- times -->", "<!-- /times -->")
SECONDS_BETWEEN_LOOKS = 0.2
TOGETHER = 4
PRESSES = 15


@dataclass(frozen=True)
class Row:
    """What one chapter took: seconds, memory in millions of bytes, and the milliseconds of its figure's answer."""

    chapter: str
    start: float
    run_all: float
    kernel: float
    server: float
    answer: float | None = None


@dataclass(frozen=True)
class Together:
    """Several kernels at once: what is private to each, and to their server, in millions of bytes."""

    chapter: str
    kernels: tuple[float, ...]
    server: float


def kernels(lab: Lab) -> list[psutil.Process]:
    children = psutil.Process(lab.process.pid).children()
    return [child for child in children if any("ipykernel" in word for word in child.cmdline())]


def held(process: psutil.Process) -> int:
    """Bytes of memory of a process and of those that it started; what they share counts once, where that is known."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += getattr(member.memory_full_info(), "pss", 0)
    return total or process.memory_info().rss


def highest(process: psutil.Process) -> int:
    """The most memory a process itself has had, where the system keeps count."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    return 0


def private(process: psutil.Process) -> float:
    return process.memory_full_info().uss / 1e6


@contextlib.contextmanager
def watching(process: psutil.Process) -> Iterator[list[int]]:
    """Looks at the memory of a process until the block ends; the list then holds its peak, too."""
    seen, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                seen.append(held(process))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        seen.append(highest(process))


def run_all(page: Page, chapter: str) -> float:
    began = time.perf_counter()
    page.run_all()
    seconds = time.perf_counter() - began
    if page.kernel_errors:
        raise RuntimeError(f"chapter {chapter} does not run: {page.kernel_errors[0]}")
    return seconds


def measure(browser: Browser, path: Path) -> Row:
    """One chapter in a JupyterLab of its own."""
    began = time.perf_counter()
    with running_lab() as lab, Page(browser) as page:
        page.open(lab, f"notebooks/{path.name}")
        start = time.perf_counter() - began
        (kernel,) = kernels(lab)
        with watching(kernel) as seen:
            seconds = run_all(page, path.stem)
        server = psutil.Process(lab.process.pid)
        memory = max(highest(server), server.memory_info().rss) / 1e6
        return Row(path.stem, start, seconds, max(seen) / 1e6, memory, answer(page))


def answer(page: Page) -> float | None:
    """The median of the milliseconds in which the chapter's interactive figure follows its slider, if it has one."""
    slider, figure = page.tab.locator(SLIDER).first, page.tab.locator(FIGURE).first
    if not figure.count():
        return None
    slider.scroll_into_view_if_needed()
    return statistics.median(page.reactions(slider, figure, presses=PRESSES))


def measure_together(browser: Browser, path: Path, count: int) -> Together:
    """The same chapter, run in several kernels of one server, which then stand side by side."""
    with running_lab() as lab, contextlib.ExitStack() as open_pages:
        for number in range(count):
            name = f"notebooks/copy{number}.ipynb"
            lab.write(name, lab.read(f"notebooks/{path.name}"))
            page = open_pages.enter_context(Page(browser))
            page.open(lab, name)
            run_all(page, path.stem)
        found = tuple(private(kernel) for kernel in kernels(lab))
        return Together(path.stem, found, private(psutil.Process(lab.process.pid)))


def machine() -> str:
    r = setup.find_r()
    parts = [
        f"{datetime.date.today():%Y-%m-%d}",
        f"{os.cpu_count()} cores",
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"PyTorch {version('torch')}",
        f"R {setup.version_text(r)}" if r else "without R",
        f"JupyterLab {version('jupyterlab')}",
    ]
    return ", ".join(parts)


def as_markdown(rows: list[Row], together: Together | None, where: str) -> str:
    lines = [f"Measured with `make times` ({where}), one chapter at a time:", ""]
    heads = ["chapter", "start, s", "Run All, s", "kernel's peak, MB", "server, MB", "slider to picture, ms"]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        answered = "" if row.answer is None else f"{row.answer:.0f}"
        numbers = [f"{row.start:.1f}", f"{row.run_all:.1f}", f"{row.kernel:.0f}", f"{row.server:.0f}", answered]
        lines.append(f"| {' | '.join([row.chapter, *numbers])} |")
    if together:
        each = statistics.mean(together.kernels)
        lines += [
            "",
            f"{len(together.kernels)} kernels at once that have run {together.chapter} hold {each:.0f} MB each that "
            f"they share with nobody (at most {max(together.kernels):.0f} MB); "
            f"their server holds {together.server:.0f} MB.",
        ]
    return "\n".join(lines)


def around_markers(path: Path) -> tuple[str, str]:
    """What stands before and after the table. Raises ValueError where the file hasn't both markers once, in order."""
    page = path.read_text(encoding="utf-8")
    before, opened, rest = page.partition(MARKERS[0])
    _, closed, after = rest.partition(MARKERS[1])
    if not (opened and closed) or any(page.count(marker) != 1 for marker in MARKERS):
        raise ValueError(f"{path} needs the lines {MARKERS[0]} and {MARKERS[1]}, each once and in this order")
    return before, after


def write_between_markers(path: Path, text: str) -> None:
    before, after = around_markers(path)
    path.write_text(f"{before}{MARKERS[0]}\n{text}\n{MARKERS[1]}{after}", encoding="utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", metavar="NN", help="chapters to measure; all, if none is named")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the markers of this file")
    parser.add_argument("--together", type=int, default=TOGETHER, metavar="N", help="kernels at once; 0 for none")
    options = parser.parse_args(arguments)
    paths = [path for path in CHAPTERS if not options.numbers or path.stem[:2] in options.numbers]
    unknown = set(options.numbers) - {path.stem[:2] for path in CHAPTERS}
    if unknown:
        parser.error(f"no chapter {', '.join(sorted(unknown))}")
    try:
        if options.write:
            around_markers(options.write)  # before the minutes of measuring
        have_browser(setup.Output(sys.stderr))
        with sync_playwright() as playwright:
            browser = launch(playwright)
            rows = []
            for path in paths:
                rows.append(measure(browser, path))
                print(rows[-1], file=sys.stderr, flush=True)
            largest = max(rows, key=lambda row: row.kernel)
            path = next(path for path in paths if path.stem == largest.chapter)
            together = measure_together(browser, path, options.together) if options.together else None
        text = as_markdown(rows, together, machine())
        print(text)
        if options.write:
            write_between_markers(options.write, text)
    except (setup.SetupError, RuntimeError, ValueError, OSError) as trouble:
        print(f"times: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
