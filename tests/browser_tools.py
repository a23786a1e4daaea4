"""JupyterLab and a headless browser for the tests: a server of its own, and pages that ask no other machine.

Nothing of the user's settings plays a part, nothing in the tree is changed: the server works in a temporary folder on a
copy of the notebooks. A page's requests to anything but this machine are refused and kept in `Page.outside`.
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import nbformat
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Playwright, WebSocket, expect
from playwright.sync_api import Page as Tab
from system_browser import find_browser

from helpers.authoring.notebooks import ROOT, code_cells

SECONDS_TO_START = 90
MILLISECONDS_TO_LOAD = 90_000
MILLISECONDS_TO_RUN = 180_000
expect.set_options(timeout=MILLISECONDS_TO_LOAD)
SCREEN = {"width": 1280, "height": 720}
# Port 0: the system picks a free one, and no other process can take it in between.
START = [sys.executable, "-m", "helpers.authoring.lab", "--no-browser", "--ServerApp.port=0"]
# What a browser asks of its maker's hosts by itself, apart from any page: none of it.
QUIET = """--disable-background-networking --disable-component-update --disable-default-apps
    --disable-domain-reliability --disable-gpu --disable-quic --disable-sync --no-first-run --no-pings""".split()
# No name and no address but this machine's leads anywhere. (Playwright's routes would do it, too, but they switch the
# browser's cache off, and every page of JupyterLab would be loaded and compiled anew.)
HERE = ("localhost", "127.0.0.1")
ONLY_THIS_MACHINE = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HERE[0]}, EXCLUDE {HERE[1]}"


def launch(playwright: Playwright) -> Browser:
    """The machine's own browser, without a window or a way out; a test is skipped where there is none."""
    path = find_browser()
    if path is None:
        pytest.skip("no browser found: make browser installs one")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*QUIET, ONLY_THIS_MACHINE, *as_root])


def end_with_the_parent() -> None:
    """Ask Linux to end this process when the one that started it dies, even by kill -9: no server stays behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


# ---- the server -----------------------------------------------------------------------------------------------------


class Lab:
    """A running JupyterLab: started as `make lab` starts it, on a copy of the notebooks."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.root = folder / "course"
        self.said = folder / "said.txt"
        self.process: subprocess.Popen | None = None
        self.url = self.token = self.first_address = ""

    def copy_course(self) -> None:
        """Put a copy of the chapters there, with their outputs but as if no cell had been run."""
        for name in ("notebooks", "images"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns(".*"))
        for path in (self.root / "notebooks").glob("*.ipynb"):
            notebook = nbformat.read(path, as_version=4)
            for cell in code_cells(notebook):
                cell.execution_count = None
            nbformat.write(notebook, path)

    def environment(self) -> dict[str, str]:
        """The caller's environment without its Jupyter settings."""
        foreign = ("JUPYTER", "IPYTHON", "PYTEST_", "MAKE", "MFLAGS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            kept[f"JUPYTER_{name}"] = str(self.folder / name.lower())
        kept["HOME"] = str(self.folder / "home")
        kept["IPYTHONDIR"] = str(self.folder / "ipython")
        kept["PYTHONPATH"] = str(ROOT)
        return kept

    def start(self, command: Sequence[str] = START, folder: Path | None = None) -> None:
        """Start it in a folder, by default in that of the copy, and wait until it has said its address."""
        (self.folder / "home").mkdir(exist_ok=True)
        with self.said.open("w") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=folder or self.root,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                preexec_fn=end_with_the_parent if sys.platform == "linux" else None,
            )
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"(http://127\.0\.0\.1:\d+)/\S*\?token=(\w+)", self.said.read_text(encoding="utf-8"))
            if found:
                self.first_address, (self.url, self.token) = found.group(), found.groups()
                return
            time.sleep(0.05)
        raise RuntimeError("JupyterLab did not start:\n" + self.said.read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End the server, which ends its kernels; whatever of it still runs is killed, each by its id."""
        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=20)
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(family, timeout=10)

    def ask(self, path: str, method: str = "GET") -> bytes:
        """The answer of the server's own interface, such as api/sessions."""
        request = HttpRequest(f"{self.url}/{path}", method=method, headers={"Authorization": f"token {self.token}"})
        with urlopen(request, timeout=60) as answer:
            return answer.read()

    def close_kernels(self) -> None:
        """Ask the kernels to end, and don't wait for that: each takes a second or two."""

        def close(session: dict) -> None:
            with contextlib.suppress(OSError):  # where the server ends first
                self.ask(f"api/sessions/{session['id']}", "DELETE")

        for session in json.loads(self.ask("api/sessions")):
            threading.Thread(target=close, args=[session], daemon=True).start()

    @property
    def address(self) -> str:
        """JupyterLab with nothing open."""
        return f"{self.url}/lab?token={self.token}&reset"

    def write(self, path: str, notebook: nbformat.NotebookNode) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)

    def read(self, path: str) -> nbformat.NotebookNode:
        return nbformat.read(self.root / path, as_version=4)


@contextlib.contextmanager
def running_lab() -> Iterator[Lab]:
    """JupyterLab for the length of a `with` block; it ends with the block, whatever happens in it."""
    with tempfile.TemporaryDirectory(prefix="course-lab-", ignore_cleanup_errors=True) as folder:
        lab = Lab(Path(folder))
        lab.copy_course()
        try:
            lab.start()
            yield lab
        finally:
            lab.stop()


# ---- the page -------------------------------------------------------------------------------------------------------


TOO_WIDE = """(all, scrolling) => {
    const scrolls = e => e && !e.matches("article, .jp-Notebook-cell")
        && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
    return all.filter(e => e.checkVisibility() && e.clientWidth && e.scrollWidth > e.clientWidth + 1)
        .filter(e => scrolling || !scrolls(e)).map(e => e.textContent.trim().slice(0, 60));
}"""
# No cell waits any more, and the last has run, or one has failed. (On a slow machine there are moments in between in
# which none waits.)
FINISHED = """failed => {
    const prompts = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputPrompt")].map(e => e.textContent);
    const ended = !prompts.some(text => text.includes("*")) && (failed || /\\d/.test(prompts.at(-1)));
    return ended || document.querySelector(".jp-Dialog") !== null;
}"""
SLIDER = '.jp-OutputArea-output [role="slider"]'
FIGURE = ".explore-picture"
KERNEL_ERROR = re.compile(rb'"msg_type":\s*"error"')
KERNEL_ERROR_WORDS = re.compile(rb'"e(?:name|value)":\s*"((?:[^"\\\\]|\\\\.)*)"')


class Page:
    """A tab of the browser, with what went wrong in it and what it asked of other machines.

    outside: the addresses on other machines that were asked for, and refused. errors: what the page's own scripts
    raised or logged. kernel_errors: every exception that a kernel reported to the page, also one in the callback of a
    widget, which JupyterLab shows in its log only.
    """

    def __init__(self, browser: Browser, **options):
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.kernel_errors: list[str] = []
        self.context = browser.new_context(**{"viewport": SCREEN, "reduced_motion": "reduce", **options})
        self.context.on("request", lambda request: self.note_address(request.url))
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(MILLISECONDS_TO_LOAD)
        unsaved = self.tab.locator(".jp-Dialog").get_by_role("button", name="Discard")
        self.tab.add_locator_handler(unsaved, Locator.click)
        self.tab.on("pageerror", lambda error: self.errors.append(f"{error.name}: {error.message}"))
        self.tab.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.tab.on("websocket", self.follow_socket)

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *problem) -> None:
        self.context.close()

    def note_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob", "about", "file") and parts.hostname not in HERE:
            self.outside.append(address)

    def follow_socket(self, socket: WebSocket) -> None:
        self.note_address(socket.url)
        socket.on("framereceived", self.note_kernel_error)

    def note_kernel_error(self, frame: bytes | str) -> None:
        frame = frame.encode() if isinstance(frame, str) else frame
        if KERNEL_ERROR.search(frame):
            words = [word.decode("utf-8", "replace") for word in KERNEL_ERROR_WORDS.findall(frame)]
            self.kernel_errors.append(": ".join(words))

    def open_another(self, path: str) -> None:
        """Open a notebook in the JupyterLab that is loaded, by File > Open from Path; others are closed first."""
        if self.tab.locator(".jp-NotebookPanel").count():
            self.close_all()
        self.choose("File", "filebrowser:open-path")
        self.tab.locator(".jp-Dialog input").fill(path)
        self.tab.keyboard.press("Enter")
        self.tab.locator(".jp-NotebookPanel").wait_for()
        self.wait_until_idle()

    def close_all(self) -> None:
        """File > Close All Tabs, without saving; and what went wrong on them is forgotten."""
        self.tab.keyboard.press("Escape")  # a menu may be open where a test has failed
        self.choose("File", "application:close-all")
        expect(self.tab.locator(".jp-NotebookPanel, .jp-Dialog")).to_have_count(0)
        for kept in (self.outside, self.errors, self.kernel_errors):
            kept.clear()

    def choose(self, menu: str, command: str) -> None:
        self.tab.locator("#jp-MainMenu").get_by_role("menuitem", name=menu, exact=True).click()
        self.tab.locator(f'.lm-Menu [data-command="{command}"]').click()

    def wait_until_idle(self) -> None:
        self.tab.locator("#jp-main-statusbar").get_by_text("Idle").wait_for()

    def run_all(self, milliseconds: float = MILLISECONDS_TO_RUN) -> None:
        """Run > Run All Cells, until the last cell has run or one has failed."""
        self.choose("Run", "runmenu:run-all")
        self.wait_for_events(lambda: self.tab.evaluate(FINISHED, bool(self.kernel_errors)), milliseconds)

    def save(self) -> None:
        self.tab.keyboard.press("Control+s")
        self.tab.locator(".jp-NotebookPanel").wait_for()
        self.tab.wait_for_function("() => !document.querySelector('.lm-DockPanel-tabBar .jp-mod-dirty')")

    def wait_for_events(self, enough: Callable[[], bool], milliseconds: float = 30_000) -> None:
        """Let the browser's events come in until they are enough, or so much time has passed."""
        end = time.monotonic() + milliseconds / 1000
        while not enough() and time.monotonic() < end:
            self.tab.wait_for_timeout(50)

    def cell(self, index: int) -> Locator:
        return self.tab.locator(".jp-Notebook .jp-Notebook-cell").nth(index)

    def select_cell(self, index: int) -> None:
        """Select a code cell by a click on its number, so that keys go to it as a whole."""
        self.cell(index).locator(".jp-InputPrompt").click()


def too_wide(boxes: Locator, scrolling: bool = False) -> list[str]:
    """How the texts begin that are wider than their boxes and cut off, or, if asked, have to be scrolled."""
    return boxes.evaluate_all(TOO_WIDE, scrolling)


def barriers(tab: Tab, *rules: str) -> list[str]:
    """What axe-core finds wrong with the page: by all of its rules, or by those that are named."""
    options = {"resultTypes": ["violations"], "preload": False, "selectors": False}
    found = Axe().run(tab, options=options | ({"runOnly": list(rules)} if rules else {})).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
