"""Scales of other lengths than five: sliders by keyboard, by touch and without JavaScript; points in a row."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from survey.models import Rating
from tests.browser.steps import begin, ready
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLIDER = '[[questions]]\nkey = "overall"\ntext = "How good is it?"\nscale = "0:100"\n'
EVERY_KIND = (
    SLIDER
    + """show_value = true
[[questions]]
key = "eleven"
text = "How natural is it?"
scale = "1:11"
labels = ["not at all natural, as if made by a machine", "as natural as a photograph"]
[[questions]]
key = "seven"
text = "איך נראית התמונה?"
scale = "1:7"
labels = ["גרועה", "חלשה"]
[[questions]]
key = "words"
text = "How clear is it?"
scale = "1:7"
labels = ["one", "two", "three", "four", "five", "six", "seven"]
"""
)
TARGETS = """() => [...document.querySelectorAll('.point')].map(point => {
  const box = point.getBoundingClientRect();
  return Math.min(box.width, box.height);
})"""


def values() -> list[float]:
    return list(Rating.objects.order_by("trial__position").values_list("value", flat=True))


def following(page: Page) -> None:
    page.get_by_role("button", name="Next").click()


def test_a_slider_has_no_start_value_and_is_moved_by_keys(page, live_server):
    make_study(SLIDER)
    begin(page)
    ready(page, 1)
    slider = page.get_by_role("slider", name="How good is it?")
    expect(slider).to_have_attribute("aria-valuetext", "No answer yet")
    expect(page.get_by_role("spinbutton")).to_be_hidden()
    expect(page.locator("output")).to_have_count(0)
    following(page)
    expect(page.locator("fieldset .alert")).to_have_text("Please choose an answer.")
    expect(slider).to_be_focused()
    assert not Rating.objects.exists()
    page.keyboard.press("End")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(slider).not_to_have_attribute("aria-valuetext", "No answer yet")
    expect(page.locator("fieldset .alert")).to_be_hidden()
    page.keyboard.press("Enter")
    ready(page, 2)
    expect(slider).to_have_attribute("aria-valuetext", "No answer yet")
    slider.focus()
    for key, value in {
        "ArrowUp": "51",
        "PageDown": "41",
        "PageUp": "51",
        "Home": "0",
        "ArrowRight": "1",
    }.items():
        page.keyboard.press(key)
        expect(slider).to_have_value(value)
    page.keyboard.press("Enter")
    ready(page, 3)
    slider.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    ready(page, 4)
    assert values() == [97, 1, 50]
    assert set(Rating.objects.values_list("input", flat=True)) == {"key"}
    page.get_by_role("button", name="Undo").click()
    ready(page, 3)
    expect(slider).to_have_value("50")
    expect(slider).not_to_have_attribute("aria-valuetext", "No answer yet")


def test_a_slider_is_moved_by_touch(browser, live_server):
    make_study(SLIDER + "show_value = true\n")
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    begin(page)
    for number, share in ((1, 0.25), (2, 0.5)):
        ready(page, number)
        expect(page.locator("output")).to_have_text("–")
        slider = page.get_by_role("slider")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        # In the middle too, where the thumb stands unseen.
        slider.tap(position={"x": share * box["width"], "y": box["height"] / 2})
        expect(page.locator("output")).to_have_text(slider.input_value())
        page.get_by_role("button", name="Next").tap()
    ready(page, 3)
    assert values() == [pytest.approx(25, abs=4), pytest.approx(50, abs=2)]
    assert set(Rating.objects.values_list("input", flat=True)) == {"touch"}
    context.close()


def test_without_javascript_a_number_is_typed(browser, live_server):
    make_study(SLIDER)
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    expect(page.get_by_role("slider")).to_be_hidden()
    field = page.get_by_label("A number from 0 to 100")
    for typed in ("", "101"):
        field.fill(typed)
        following(page)
        expect(page.get_by_role("alert")).to_have_text("Please choose an answer.")
    field.fill("62.5")
    following(page)
    expect(page.get_by_role("heading", name="Image 2 of 6")).to_be_visible()
    assert values() == [62.5]
    context.close()


def test_every_kind_of_scale_is_accessible_and_fits_a_phone(page, live_server):
    make_study(EVERY_KIND)
    begin(page)
    ready(page, 1)
    for width, height in ((1280, 800), (740, 360), (320, 640)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
        assert min(page.evaluate(TARGETS)) >= 24, width
        found = Axe().run(page, options=AXE_OPTIONS)
        assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("1")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    page.get_by_role("slider").press("Home")
    page.get_by_text("11", exact=True).click()
    page.locator("#seven-2").check()
    page.get_by_role("radio", name="five").check()
    following(page)
    ready(page, 2)
    assert dict(Rating.objects.values_list("question__key", "value")) == {
        "overall": 0, "eleven": 11, "seven": 2, "words": 5,
    }  # fmt: skip


def test_from_right_to_left_the_low_end_stands_on_the_right(page, live_server):
    hebrew = SLIDER.replace("How good is it?", "איך נראית התמונה?")
    make_study(hebrew + hebrew.replace("overall", "seven").replace("0:100", "1:7"))
    begin(page)
    ready(page, 1)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    left = "e => e.getBoundingClientRect().x"
    for low, high in (
        ("#seven-1", "#seven-7"),
        ("#seven-low", "#seven-high"),
        ("#overall-low", "#overall-high"),
    ):
        assert page.locator(low).evaluate(left) > page.locator(high).evaluate(left)
    slider = page.get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
    expect(slider).to_have_value("0")


def test_a_key_answers_where_its_digit_says_which(page, live_server):
    make_study('[[questions]]\nkey = "nine"\ntext = "?"\nscale = "1:9"\n')
    begin(page)
    ready(page, 1)
    expect(page.get_by_label("Answer with the keys 1 to 9")).to_be_visible()
    page.keyboard.press("9")
    page.keyboard.press("Enter")
    ready(page, 2)
    assert values() == [9]
