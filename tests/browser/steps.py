"""What a participant does, in words."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def begin(page: Page, address: str = "/s/study/") -> None:
    """Agree and begin."""
    page.goto(address)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()


def ready(page: Page, number: int, of: int = 6) -> None:
    """Wait for one image (or pair) to be there, decoded."""
    heading = re.compile(f"^(Image|Pair) {number} of {of}$")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator("form[data-shown]")).to_be_visible()
    expect(page.locator(".stage:not(.loading) img").first).to_be_visible()
    expect(page.locator(".actions .button").first).not_to_have_attribute("aria-disabled", "true")


def rate(page: Page, label: str = "Good") -> None:
    """Choose an answer and go on."""
    page.get_by_role("radio", name=label).check()
    page.get_by_role("button", name="Next").click()
