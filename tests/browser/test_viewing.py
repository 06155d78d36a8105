"""A card is matched and a distance told in a real browser: by mouse, by keys, by touch on a phone, and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from survey.models import Participant
from tests.browser.steps import begin
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def study(live_server):
    return make_study("[viewing]\ncard = true\ndistance = true\n")


@pytest.fixture
def phone(browser: Browser, live_server) -> Iterator[Page]:
    """A phone that is held upright."""
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    yield context.new_page()
    context.close()


def look(page: Page) -> None:
    assert page.viewport_size
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert Axe().run(page).response["violations"] == []


def size(page: Page) -> tuple[float, float]:
    box = page.locator(".card").bounding_box()
    assert box
    return box["width"], box["height"]


def told() -> Any:
    return Participant.objects.get().viewing


def test_by_keys_alone(page: Page, study):
    begin(page)
    slider = page.get_by_role("slider", name="Size of the outline")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Larger").press("Enter")
    long, short = size(page)
    assert long / short == pytest.approx(85.6 / 53.98, rel=0.01)
    look(page)
    page.get_by_role("spinbutton", name="Centimetres").fill("57")
    expect(page.get_by_label("About so many centimetres:")).to_be_checked()
    page.get_by_role("button", name="Continue").press("Enter")
    page.wait_for_url("**/rate/")
    said = told()
    assert said["pixels_per_mm"] == pytest.approx(long / 85.6, abs=0.01)
    assert (said["dpr"], said["distance_by"], said["distance_cm"]) == (1, "said", 57)


def test_by_the_corner_with_a_mouse(page: Page, study):
    begin(page)
    before, _ = size(page)
    box = page.locator(".card").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 55, box["y"] + box["height"] - 5, steps=4)
    page.mouse.up()
    assert size(page)[0] == pytest.approx(before + 60, abs=1.5)


def test_a_phone_shows_the_card_upright_and_whole(phone: Page, study):
    begin(phone)
    slider = phone.get_by_role("slider", name="Size of the outline")
    slider.fill("518")
    wide, high = size(phone)
    assert high == pytest.approx(518, abs=1)
    assert wide < 390
    look(phone)
    phone.get_by_label("About an arm’s length: I can just touch the screen").check()
    phone.get_by_role("button", name="Continue").tap()
    phone.wait_for_url("**/rate/")
    assert told()["pixels_per_mm"] == pytest.approx(518 / 85.6, abs=0.01)


def test_an_outline_that_nobody_moved_is_no_match(page: Page, study):
    begin(page)
    page.get_by_label("I cannot say").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Match the card, or say that you have none.")).to_be_visible()
    expect(page.get_by_label("I cannot say")).to_be_checked()
    look(page)
    page.get_by_role("button", name="Smaller").click()
    page.get_by_label("I have no such card at hand").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/rate/")
    assert told() == {"pixels_per_mm": None, "dpr": None, "distance_by": "unknown", "distance_cm": None}


def test_without_scripts_people_say_that_they_have_none(browser: Browser, live_server, study):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    expect(page.get_by_text("Your browser runs no scripts here")).to_be_visible()
    expect(page.get_by_role("slider")).to_be_hidden()
    page.get_by_label("I have no such card at hand").check()
    page.get_by_role("spinbutton", name="Centimetres").fill("50")
    page.get_by_label("About so many centimetres:").check()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/rate/")
    assert told()["distance_cm"] == 50
    context.close()
