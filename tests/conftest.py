"""R in the tests: when it may be missing, and when it may not. And nothing of the user's settings reaches a test.

COURSE_NEEDS_R=1 stops the whole run, with the reason, if R does not answer: nothing is skipped by accident.
COURSE_WITHOUT_R=1 (anything but empty or 0) makes the helpers believe that there is no R. Tests marked `needs_r` are
skipped then, and where neither R nor rpy2 is installed. A wrong R_HOME, or an rpy2 that does not fit, is a failure and
no reason to skip.
"""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path

import nbval.kernel
import pytest

from helpers.authoring.surroundings import settle
from helpers.r import RUnavailable, probe, session

settle(Path(__file__).resolve().parent.parent / "_build" / "settings_of_tests")

if os.name == "posix":
    # A port that is free when jupyter_client looks may be another process's when the kernel binds it. A socket with a
    # name can't be; its path may not be longer than about a hundred letters.
    sockets = tempfile.TemporaryDirectory(prefix="kernels-")
    named = {"transport": "ipc", "ip": f"{sockets.name}/kernel"}
    nbval.kernel.KernelManager = functools.partial(nbval.kernel.KernelManager, **named)


def reason_to_skip() -> str | None:
    """Why tests of R cannot run here, or None if they can and must."""
    try:
        session.find_r()
    except RUnavailable as problem:
        return str(problem) if session.switched_off() or not os.environ.get("R_HOME") else None
    return None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_r: asks R, and is skipped where R is not installed")


def pytest_sessionstart(session: pytest.Session) -> None:
    if os.environ.get("COURSE_NEEDS_R") == "1":
        try:
            probe()
        except RUnavailable as problem:
            pytest.exit(f"COURSE_NEEDS_R is 1, and R does not answer. {problem}", returncode=1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_r") and (reason := reason_to_skip()):
        pytest.skip(reason)


# Not for the session: an open Playwright keeps an event loop, beside which other modules' tests could have none.
@pytest.fixture(scope="module")
def browser():
    """A headless browser, for the tests that open one; they are skipped where there is none."""
    from browser_tools import launch
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()
