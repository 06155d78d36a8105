"""The break between two blocks in a real browser: within the page, on a phone, without a line, without JavaScript."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from survey.models import Participant
from tests.browser.steps import begin, ready
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BLOCKS = 'answer = "tap"\n[session]\nblocks = 2\n'


def rate(page: Page) -> None:
    """Answer the image that is shown, not too soon after it came."""
    page.wait_for_timeout(400)
    page.get_by_role("radio", name="Good").click()


def rests(page: Page, done: int) -> None:
    """Wait for the break after so many images."""
    expect(page.get_by_role("heading", name="Time for a break")).to_be_focused()
    expect(page.get_by_text(f"You have rated {done} of 6 images.")).to_be_visible()
    expect(page.locator(".stage")).to_be_hidden()
    expect(page.locator("form.panel")).to_be_hidden()


def test_a_break_comes_between_blocks_and_ends_by_its_button(page, live_server):
    make_study(BLOCKS)
    begin(page)
    for number in (1, 2):
        ready(page, number, 6)
        rate(page)
    rests(page, 2)
    assert Axe().run(page).violations_count == 0
    # A key is no answer to an image that is not shown.
    page.keyboard.press("4")
    page.get_by_role("button", name="Continue").click()
    ready(page, 3, 6)
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    rate(page)
    ready(page, 4, 6)


def test_a_break_comes_also_where_the_line_is_gone(page, live_server):
    make_study(BLOCKS)
    begin(page)
    ready(page, 1, 6)
    page.wait_for_timeout(1000)
    page.context.set_offline(True)
    for number in (1, 2):
        ready(page, number, 6)
        rate(page)
    rests(page, 2)
    page.context.set_offline(False)
    page.get_by_role("button", name="Continue").click()
    ready(page, 3, 6)


def test_coming_back_in_a_break_shows_it_again_and_an_image_seen_does_not(page, live_server):
    make_study(BLOCKS)
    begin(page)
    for number in (1, 2):
        ready(page, number, 6)
        rate(page)
    rests(page, 2)
    page.goto("/s/study/rate/")
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    ready(page, 3, 6)
    page.goto("/s/study/rate/")
    ready(page, 3, 6)


def test_breaks_come_without_javascript_too(browser, live_server):
    make_study("[session]\nblocks = 3\n")
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    for _ in range(3):
        rate(page)
        page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("You have rated 3 of 6 images.")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    for _ in range(3):
        rate(page)
        page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Participant.objects.get().state == "finished"
    context.close()
