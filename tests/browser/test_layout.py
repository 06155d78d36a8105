"""Where things stand on the rating page, measured: the image in view and uncovered, the scale in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import Page

from survey.models import Study
from survey.study.pictures import Picture
from survey.study.publish import publish
from survey.study.study_file import parse
from tests.browser.steps import begin, rate, ready
from tests.survey.factories import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"desktop": (1280, 800), "phone": (360, 740), "phone on its side": (740, 360), "tablet": (820, 1180)}
SHAPES = {"wide": (480, 240), "square": (400, 400), "high": (240, 480)}
FOUR = "".join(
    f'[[questions]]\nkey = "q{i}"\ntext = "Question {i}, and what exactly it is that it asks?"\n'
    for i in range(4)
)
UNCOVERED = """image => {
  const box = image.getBoundingClientRect();
  const inside = [0.02, 0.5, 0.98];
  return inside.every(x => inside.every(y =>
    document.elementFromPoint(box.x + x * box.width, box.y + y * box.height) === image));
}"""

DISTORTION = """image => {
  const box = image.getBoundingClientRect();
  return Math.abs(box.width / box.height / (image.naturalWidth / image.naturalHeight) - 1);
}"""


@pytest.fixture
def study(live_server) -> Callable[..., Study]:
    """Publish one picture of each shape, or large ones of one shape."""

    def make(toml: str = "", scale: int = 1, **roles: str) -> Study:
        pictures = [
            Picture(f"{shape}-{i}", partial(picture, i, (w * scale, h * scale)), content=shape)
            for shape, (w, h) in SHAPES.items()
            for i in (1, 2)
        ]
        return publish("study", parse(f'title = "A study"\n{toml}', "study.toml"), pictures)

    return make


def resize(page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(100)


def in_view(page: Page) -> bool:
    """Whether the whole image is on screen."""
    return bool(
        page.locator(".stage img").first.evaluate(
            "i => { const b = i.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; }"
        )
    )


def test_the_image_stays_in_view_while_four_questions_scroll_past(page, study):
    """It stood in the middle of a page of four questions, most of it below the screen."""
    study(FOUR)
    begin(page)
    ready(page, 1)
    for size in SIZES:
        resize(page, size)
        for end in ("0", "document.body.scrollHeight"):
            page.evaluate(f"scrollTo({{top: {end}, behavior: 'instant'}})")
            assert in_view(page), f"{size}, scrolled to {end}"
            assert page.locator(".stage img").evaluate(UNCOVERED), size


def test_the_scale_stays_in_its_place_whatever_the_images_shape(page, study):
    """On a phone it jumped with each image: a thumb that waits for "Good" lands on "Fair"."""
    study()
    places: dict[str, set[float]] = {size: set() for size in SIZES}
    begin(page)
    for number in range(1, 7):
        resize(page, "desktop")
        ready(page, number)
        for size, seen in places.items():
            resize(page, size)
            seen.add(page.get_by_role("radio").first.evaluate("e => e.getBoundingClientRect().y"))
        rate(page)
    assert {size: len(seen) for size, seen in places.items()} == dict.fromkeys(SIZES, 1)


@pytest.mark.parametrize("method", ["acr", "pair", "dcr"])
def test_nothing_covers_an_image_larger_than_the_screen_and_its_size_is_told(page, study, method):
    """squintly: a hint lay on the image. webMUSHRA, jsPsych: shrunk to the column, and nobody knew."""
    study(f'method = "{method}"\n' + ('[images]\nreferences = ["*-1"]\n' if method == "dcr" else ""), scale=6)
    begin(page)
    for number in (1, 2, 3):
        resize(page, "desktop")
        ready(page, number, 6 if method == "acr" else 3)
        for size in SIZES:
            resize(page, size)
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            assert page.locator(".note").is_visible(), size
            for image in page.locator(".stage img").all():
                assert image.evaluate(UNCOVERED), size
                assert image.evaluate(DISTORTION) < 0.02, size
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Next").click()


def test_a_pair_and_its_answers_fit_a_phone_without_scrolling(page, study):
    study('method = "pair"\n')
    begin(page)
    ready(page, 1, 3)
    resize(page, "phone")
    button = page.get_by_role("button", name="Next").bounding_box()
    assert button is not None
    assert button["y"] + button["height"] <= 740


def test_a_folding_phone_of_280_px_does_not_pan_sideways(page, study):
    """squintly: at 304 px the page moved sideways, and taps went astray."""
    study(FOUR)
    begin(page)
    ready(page, 1)
    page.set_viewport_size({"width": 280, "height": 653})
    assert page.evaluate("document.documentElement.scrollWidth") <= 280


def test_texts_that_run_from_right_to_left_stand_on_the_right(page, study):
    study(
        '[[questions]]\nkey = "overall"\ntext = "איך נראית התמונה?"\n'
        'labels = ["גרועה", "חלשה", "סבירה", "טובה", "מצוינת"]\n'
    )
    begin(page)
    ready(page, 1)
    assert page.locator("legend").evaluate("e => getComputedStyle(e).direction") == "rtl"
    radio, label = page.get_by_role("radio", name="מצוינת"), page.get_by_text("מצוינת")
    boxes = radio.bounding_box(), label.bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] > boxes[1]["x"]
