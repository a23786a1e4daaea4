"""The browser of all tests in this folder."""

from collections.abc import Iterator

import pytest
from browser_tools import launch
from playwright.sync_api import Browser, sync_playwright


# Not for the session: an open Playwright keeps an event loop, beside which other modules' tests could have none.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()
