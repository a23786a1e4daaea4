"""Runs every test that opens a browser, and installs a browser first where none is found. `make browser` calls it.

    python .ci/browser.py              install what is missing, then all tests marked `browser`, two at a time
    python .ci/browser.py -k slider    only some; whatever pytest takes can be given
"""

import os
import re
import shutil
import subprocess
import sys

import setup

ROOT = setup.ROOT
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MAC_NAMES = ["Google Chrome", "Chromium"]
MAC_FOLDERS = ["/Applications", os.path.expanduser("~/Applications")]
BY_HAND = "Install Chromium or Google Chrome and run the command again"
TWO_AT_A_TIME = ["-n", "2", "--dist", "loadscope"]


def find_browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    found = [shutil.which(name) for name in NAMES]
    if sys.platform == "darwin":
        found += [f"{folder}/{name}.app/Contents/MacOS/{name}" for folder in MAC_FOLDERS for name in MAC_NAMES]
    return next((path for path in found if path and os.path.exists(path)), None)


def debian_package(release: str = "/etc/os-release") -> str:
    """What the browser's package is called: Ubuntu has another name for it than Debian."""
    try:
        with open(release, encoding="utf-8") as file:
            is_ubuntu = "ID=ubuntu" in file.read().split()
    except OSError:
        is_ubuntu = False
    return "chromium-browser" if is_ubuntu else "chromium"


def install(output: setup.Output) -> None:
    """Install a browser through the system's package manager. Raises SetupError, in one line, where that fails."""
    if shutil.which("apt-get"):
        package = debian_package()
        prefix = setup.sudo()
        if prefix is None:
            raise setup.SetupError(f"no browser found, and installing one needs root: apt-get install {package}")
        if prefix and subprocess.call([*prefix, "-v"]) != 0:
            raise setup.SetupError(f"no browser found, and sudo refused. Ask for: apt-get install {package}")
        setup.apt_install([package], "no browser found", output)
    elif shutil.which("brew"):
        command = ["brew", "install", "--cask", "google-chrome"]
        output.say("no browser found; running: " + " ".join(command))
        code, lines = setup.run(command, output)
        if code != 0:
            raise setup.explain(" ".join(command), code, lines)
    else:
        raise setup.SetupError(f"no browser found, and neither apt-get nor Homebrew to install one. {BY_HAND}")
    if find_browser() is None:
        raise setup.SetupError(f"a browser was installed but is not on PATH. {BY_HAND}")


def have_browser(output: setup.Output) -> str:
    """The path of a browser, installed first if there was none; two runs at once install it once."""
    if find_browser() is None:
        with setup.only_one(output):
            if find_browser() is None:
                install(output)
    path = find_browser()
    version = setup.answer([path, "--version"])
    if version is None:
        raise setup.SetupError(f"{path} does not start. {BY_HAND}")
    output.say(f"browser ready ({version.strip()})")
    return path


def together(test: str) -> str:
    """What tests stay on one worker: those that share a chapter's page in JupyterLab, and those of any other file.

    The slides, of which each chapter has its own page, are dealt out in two halves.
    """
    file, _, name = test.partition("::")
    chapter = re.search(r"\[((\d\d)_\w+)\]$", name)
    if os.path.basename(file) == "test_browser.py":
        return chapter.group(1) if chapter else name
    return f"{file} {int(chapter.group(2)) % 2}" if chapter else file


def files_with_browser_tests(folder: str = "tests") -> list[str]:
    """The files that hold such tests. To collect the others would take longer than some of the tests."""
    found = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith("test_") and name.endswith(".py"):
            with open(path, encoding="utf-8") as file:
                found += [path] if "mark.browser" in file.read() else []
    return found


class Plugin:
    """Deals the tests out to the workers, and counts what pytest reports, each test once."""

    def __init__(self):
        self.tests: dict[str, str] = {}

    def pytest_xdist_make_scheduler(self, config, log):
        from xdist.scheduler import LoadScopeScheduling

        scheduler = LoadScopeScheduling(config, log)
        scheduler._split_scope = together
        return scheduler

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.tests[report.nodeid] = "failed"
        elif report.when == "call" or report.skipped:
            self.tests.setdefault(report.nodeid, report.outcome)

    def __str__(self) -> str:
        kinds = [(kind, list(self.tests.values()).count(kind)) for kind in ("passed", "failed", "skipped")]
        return f"{len(self.tests)} tests in a browser: " + ", ".join(f"{n} {kind}" for kind, n in kinds if n)


def main(arguments: list[str]) -> int:
    try:
        have_browser(setup.Output())
    except setup.SetupError as trouble:
        print(f"browser: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("browser: stopped. Run the command again to go on", file=sys.stderr)
        return 130
    import pytest

    plugin = Plugin()
    os.chdir(ROOT)
    code = pytest.main([*TWO_AT_A_TIME, "-m", "browser", *files_with_browser_tests(), *arguments], plugins=[plugin])
    print(plugin)
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
