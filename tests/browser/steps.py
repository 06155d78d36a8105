"""What a participant does, in words."""

from __future__ import annotations

import re

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, TimeoutError, expect

from tests.conftest import PAGE_TIMEOUT

#: What is there before somebody can rate, looked for at each frame: `expect` looks again after up to a second.
RATABLE = """heading => {
  const seen = (selector, fits = () => true) =>
    [...document.querySelectorAll(selector)].some(element => element.checkVisibility() && fits(element));
  const button = document.querySelector('.actions .button');
  return seen('h1', title => new RegExp(heading).test(title.textContent.trim())) && seen('form[data-shown]')
    && seen('.stage:not(.loading) img') && button && button.getAttribute('aria-disabled') !== 'true';
}"""


def begin(page: Page, address: str = "/s/study/") -> None:
    """Agree and begin."""
    page.goto(address)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()


def ready(page: Page, number: int, of: int = 6) -> None:
    """Wait for one image (or pair) to be there, decoded."""
    heading = f"^(Image|Pair) {number} of {of}$"
    try:
        page.wait_for_function(RATABLE, arg=heading, timeout=PAGE_TIMEOUT)
    except TimeoutError:
        # These say which of them is not there.
        expect(page.get_by_role("heading", name=re.compile(heading))).to_be_visible()
        expect(page.locator("form[data-shown]")).to_be_visible()
        expect(page.locator(".stage:not(.loading) img").first).to_be_visible()
        expect(page.locator(".actions .button").first).not_to_have_attribute("aria-disabled", "true")


def rate(page: Page, label: str = "Good") -> None:
    """Choose an answer and go on."""
    page.get_by_role("radio", name=label).check()
    page.get_by_role("button", name="Next").click()


def sign_in(page: Page, user: User, server: str) -> None:
    """Let a page's browser be somebody's who has signed in. By the form: tests/browser/test_accounts.py."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server}])
