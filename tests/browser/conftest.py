"""A real Chromium, driven by Playwright's sync API, against Django's live server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.survey.factories import make_study


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
    # pytest shows what is printed where a test fails.
    page.on("requestfailed", lambda request: print("failed:", request.url, request.failure))
    page.on(
        "response", lambda response: print(response.status, response.url) if response.status >= 400 else None
    )
    yield page
    # A lost connection, on purpose, is reported by the browser itself.
    assert not [trouble for trouble in troubles if "ERR_" not in trouble and "Failed to load" not in trouble]


@pytest.fixture
def study(live_server):
    """Six images, one question."""
    return make_study()
