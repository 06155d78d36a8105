"""A real Chromium, driven by Playwright's sync API, against Django's live server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.programs import require_browser
from tests.survey.factories import make_study

# Playwright's sync API runs an event loop in this thread; Django would refuse the ORM beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    path = require_browser()
    with sync_playwright() as playwright:
        # No sandbox: as root there is none to be had. No background networking: the tests need no network.
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        # Generous: on a busy machine the first page waits for every import of the server.
        expect.set_options(timeout=20_000)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, live_server) -> Iterator[BrowserContext]:
    """A fresh profile at a desktop's size."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which any script error, or word on the console, fails the test."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.extend([message.text] if message.type == "error" else []))
    yield page
    # A lost connection, on purpose, is reported by the browser itself.
    assert not [trouble for trouble in troubles if "ERR_" not in trouble and "Failed to load" not in trouble]


@pytest.fixture
def study(live_server):
    """Six images, one question."""
    return make_study()
