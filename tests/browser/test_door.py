"""The smallest window in a real browser: refused before consent, and again when a phone turns."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from survey.models import Participant, Rating
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

UPRIGHT: ViewportSize = {"width": 390, "height": 844}
LYING: ViewportSize = {"width": 844, "height": 390}
TOO_SMALL = "This window is too small for the study"


@pytest.fixture
def study(live_server):
    """One that needs a phone on its side."""
    return make_study('answer = "tap"\n[viewing]\nmin_width = 600\nmin_height = 300\n')


def look(page: Page) -> None:
    assert Axe().run(page).response["violations"] == []


def test_a_phone_is_asked_to_turn_before_consent_and_while_it_rates(page: Page, study):
    page.set_viewport_size(UPRIGHT)
    page.goto(f"/s/{study.slug}/")
    door = page.get_by_role("alertdialog", name=TOO_SMALL)
    expect(door).to_be_focused()
    expect(door).to_contain_text("at least 600 × 300 pixels. This one has 390 × 844.")
    look(page)
    # What is covered cannot be reached by keys either.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") in ("", "door")
    page.set_viewport_size(LYING)
    expect(door).to_be_hidden()
    page.get_by_label("I have read this and I agree to take part.").check()
    page.get_by_role("button", name="Begin").click()
    first = page.locator(".stage img")
    expect(page.locator("form.panel input[value='3']")).to_be_enabled()
    page.set_viewport_size(UPRIGHT)
    expect(door).to_be_visible()
    look(page)
    page.keyboard.press("3")
    page.wait_for_timeout(1_500)
    assert not Rating.objects.exists()
    page.set_viewport_size(LYING)
    expect(door).to_be_hidden()
    expect(first).to_be_visible()
    look(page)
    page.keyboard.press("3")
    expect(page.get_by_role("heading", name="Image 2 of 6")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("1")
    assert Rating.objects.count() == 1


def test_without_scripts_the_page_says_that_nobody_can_begin(browser: Browser, live_server, study):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/s/{study.slug}/")
    expect(page.get_by_text("Your browser runs no scripts here")).to_be_visible()
    page.get_by_label("I have read this and I agree to take part.").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name=TOO_SMALL)).to_be_visible()
    assert not Participant.objects.exists()
    page.get_by_role("button", name="Back to the first page").click()
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    context.close()
