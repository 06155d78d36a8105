"""Whole sessions in a real browser: mouse, touch, keys, without JavaScript, on two tabs, after closing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from survey.models import Participant, Preference, Rating, Study, Trial
from tests.browser.steps import begin, rate, ready
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_whole_session_with_the_mouse(page, study):
    begin(page)
    for number, label in enumerate(("Excellent", "Good", "Fair", "Poor", "Bad", "Good"), start=1):
        ready(page, number)
        assert Rating.objects.count() == number - 1
        rate(page, label)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    ratings = Rating.objects.order_by("trial__position")
    assert [rating.value for rating in ratings] == [5, 4, 3, 2, 1, 4]
    assert {rating.input for rating in ratings} == {"mouse"}
    assert all(0 < rating.rt_ms < 60_000 for rating in ratings)
    assert Participant.objects.get().state == "finished"


def test_a_whole_session_with_the_keys_alone(page, study):
    page.goto("/s/study/")
    page.keyboard.press("Tab")
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number in range(1, 7):
        ready(page, number)
        page.keyboard.press("4")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert set(Rating.objects.values_list("value", "input")) == {(4, "key")}


def test_single_keys_can_be_switched_off_and_stay_off(page, study):
    """WCAG 2.1.4: a single-key shortcut must be possible to turn off."""
    begin(page)
    ready(page, 1)
    page.get_by_label("Answer with the keys 1 to 5").uncheck()
    page.keyboard.press("4")
    expect(page.get_by_role("radio", name="Good")).not_to_be_checked()
    page.reload()
    ready(page, 1)
    page.keyboard.press("4")
    expect(page.get_by_role("radio", name="Good")).not_to_be_checked()
    # The native way always works: Tab to the group, arrows to choose.
    page.get_by_role("radio", name="Excellent").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Good")).to_be_checked()


def test_a_whole_session_by_touch_on_a_phone(browser, live_server, study):
    """Single keys are off where the switch for them is not to be seen (WCAG 2.1.4)."""
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": 360, "height": 740},
        device_scale_factor=3,
        has_touch=True,
        is_mobile=True,
    )
    page = context.new_page()
    page.goto("/s/study/")
    page.get_by_role("checkbox").tap()
    page.get_by_role("button", name="Begin").tap()
    for number in range(1, 7):
        ready(page, number)
        page.get_by_text("Fair").tap()
        page.keyboard.press("1")
        page.get_by_role("button", name="Next").tap()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()
    assert set(Rating.objects.values_list("value", "input")) == {(3, "touch")}
    assert set(Trial.objects.values_list("viewport_w", "dpr")) == {(360, 3.0)}


def test_a_whole_session_without_javascript(browser, live_server):
    """Plain forms do all of it: an answer left out, undo, an image that does not show, the last words, a second thought."""
    study = make_study('about = ["age"]\n')
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    heading = page.locator("h1")
    expect(page.locator(".stage .note")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_have_text("Please choose an answer.")
    expect(page.get_by_role("radio", name="Excellent")).to_be_focused()
    rate(page, "Bad")
    expect(heading).to_have_text("Image 2 of 6")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("radio", name="Bad")).to_be_checked()
    for number in range(1, 7):
        expect(heading).to_have_text(f"Image {number} of 6")
        if number == 3:
            page.get_by_role("button", name="The image does not show").click()
        else:
            rate(page, "Poor")
    page.get_by_role("button", name="Change my last answer").click()
    expect(heading).to_have_text("Image 6 of 6")
    rate(page, "Good")
    page.get_by_role("radio", name="30–44").check()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()
    assert list(Rating.objects.order_by("trial__position").values_list("value", flat=True)) == [2] * 4 + [4]
    assert study.participants.get().about == {"age": "30-44"}


def test_the_last_answer_of_all_can_be_changed(page, study):
    begin(page)
    for number in range(1, 7):
        ready(page, number)
        rate(page, "Bad")
    page.get_by_role("button", name="Change my last answer").click()
    ready(page, 6)
    rate(page, "Good")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert list(Rating.objects.order_by("trial__position").values_list("value", "first_value"))[-1] == (4, 1)
    assert Participant.objects.get().state == "finished"


def test_leaving_out_the_answer_says_so_and_sends_nothing(page, study):
    begin(page)
    ready(page, 1)
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".scale .alert")).to_have_text("Please choose an answer.")
    expect(page.get_by_role("radio", name="Excellent")).to_be_focused()
    assert not Rating.objects.exists()
    page.get_by_role("radio", name="Excellent").check()
    expect(page.get_by_text("Please choose an answer.").locator("visible=true")).to_have_count(0)


def test_consent_is_not_ticked_beforehand_and_is_needed(page, study):
    page.goto("/s/study/")
    expect(page.get_by_role("checkbox")).not_to_be_checked()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Please tick this box")).to_be_in_viewport()
    expect(page.get_by_role("checkbox")).to_be_focused()
    assert not Participant.objects.exists()


@pytest.mark.parametrize("checks", [True, False], ids=["the browser says it", "the server says it"])
def test_what_was_left_out_is_said_where_the_person_looks(browser, live_server, checks):
    """On a phone, without JavaScript. A browser that checks no form itself gets the same from the server."""
    make_study('about = ["age"]\n[screening]\ndisplay = false\nvision = true\nplates = 3\n')
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    page = context.new_page()
    if not checks:
        page.route("**/s/study/**", _without_checks)
    page.goto("/s/study/")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Please tick this box")).to_be_in_viewport()
    expect(page.get_by_role("checkbox")).to_be_focused()
    page.get_by_role("checkbox").check()
    expect(page.get_by_text("Please tick this box")).to_be_visible(visible=not checks)
    with page.expect_navigation(url="**/s/study/screening/"):
        page.get_by_role("button", name="Begin").click()
    if not checks:
        page.reload()  # What a redirect leads to is not routed.
    page.get_by_role("radio", name="Yes").first.check()
    page.get_by_role("group", name="Which digit").nth(0).get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    open_one = page.get_by_role("group", name="Which digit").nth(1)
    expect(open_one.get_by_text("Please choose one answer.")).to_be_in_viewport()
    expect(open_one.get_by_role("radio").first).to_be_focused()
    page.wait_for_load_state("networkidle")
    context.close()
    assert not Rating.objects.exists()


def _without_checks(route: Route) -> None:
    response = route.fetch(max_redirects=0)
    if not response.headers.get("content-type", "").startswith("text/html"):
        route.fulfill(response=response)
        return
    route.fulfill(
        response=response, body=response.text().replace(' method="post"', ' method="post" novalidate')
    )


def test_closing_the_browser_and_coming_back_goes_on(browser, live_server, study):
    first = browser.new_context(base_url=live_server.url)
    page = first.new_page()
    begin(page)
    for number in (1, 2):
        ready(page, number)
        rate(page)
    ready(page, 3)
    state = first.storage_state()
    first.close()
    second = browser.new_context(base_url=live_server.url, storage_state=state)
    page = second.new_page()
    page.goto("/s/study/")
    ready(page, 3)
    assert Participant.objects.count() == 1
    second.close()


def test_a_double_click_on_next_rates_one_image(page, study):
    """formr #270, LimeSurvey #5213, AVrate: two clicks lost data, or skipped an image."""
    begin(page)
    ready(page, 1)
    page.get_by_role("radio", name="Good").check()
    page.get_by_role("button", name="Next").dblclick()
    ready(page, 2)
    assert Rating.objects.count() == 1


def test_two_tabs_never_rate_one_image_twice(context, page, study):
    begin(page)
    ready(page, 1)
    other = context.new_page()
    other.goto("/s/study/")
    ready(other, 1)
    rate(page, "Excellent")
    ready(page, 2)
    rate(other, "Bad")
    ready(other, 2)
    assert list(Rating.objects.values_list("value", flat=True)) == [5]


def test_the_back_button_and_refresh_lose_nothing(page, study):
    begin(page)
    ready(page, 1)
    rate(page)
    ready(page, 2)
    page.go_back()
    page.goto("/s/study/")
    ready(page, 2)
    page.reload()
    ready(page, 2)
    assert Rating.objects.count() == 1


def test_undo_returns_to_the_image_before_with_its_answer(page, study):
    begin(page)
    ready(page, 1)
    rate(page, "Bad")
    ready(page, 2)
    page.get_by_role("button", name="Undo").click()
    ready(page, 1)
    expect(page.get_by_role("radio", name="Bad")).to_be_checked()
    rate(page, "Good")
    ready(page, 2)
    assert list(Rating.objects.values_list("value", "first_value")) == [(4, 1)]


def test_every_question_of_an_image_is_asked(page, live_server):
    make_study(
        '[[questions]]\nkey = "overall"\ntext = "Overall?"\n[[questions]]\nkey = "style"\ntext = "Style?"\n'
        'labels = ["none", "little", "some", "much", "all"]\n'
    )
    begin(page)
    ready(page, 1)
    page.keyboard.press("5")
    page.keyboard.press("2")
    page.get_by_role("button", name="Next").click()
    ready(page, 2)
    assert dict(Rating.objects.values_list("question__key", "value")) == {"overall": 5, "style": 2}


@pytest.mark.parametrize("answers", [("A is better", "B is better", "No difference"), ("1", "2", "0")])
def test_pairs_are_compared_by_mouse_and_by_keys(page, live_server, answers):
    make_study('method = "pair"\n')
    begin(page)
    for number, given in enumerate(answers, start=1):
        ready(page, number, 3)
        expect(page.locator(".stage img")).to_have_count(2)
        if given.isdigit():
            page.keyboard.press(given)
            page.keyboard.press("Enter")
        else:
            rate(page, given)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    values = Preference.objects.order_by("trial__position").values_list("value", flat=True)
    assert list(values) == ["first", "second", "tie"]


@pytest.fixture
def tapped(live_server) -> Study:
    """A study whose images take one tap each."""
    return make_study('answer = "tap"\n')


def arrived(page: Page, number: int) -> None:
    """Wait for an image, and until a tap counts for it."""
    expect(page.get_by_role("heading", name=f"Image {number} of 6", exact=True)).to_be_visible()
    expect(page.locator(".stage:not(.loading) img").first).to_be_visible()
    page.wait_for_timeout(400)


def test_one_tap_rates_an_image_and_the_last_waits_for_finish(browser, live_server, tapped):
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    begin(page)
    for number in range(1, 7):
        arrived(page, number)
        expect(page.get_by_role("button", name="Next")).to_be_hidden()
        undo = page.get_by_role("button", name="Undo").bounding_box()
        assert undo is not None
        assert undo["y"] + undo["height"] <= 844
        page.get_by_text("Fair").tap()
        expect(page.get_by_role("status")).to_contain_text("Saved: 3 Fair.")
    expect(page.get_by_role("heading", name="That was the last image.")).to_be_visible()
    assert Rating.objects.count() == 6
    page.get_by_role("button", name="Undo").tap()
    arrived(page, 6)
    page.get_by_text("Good").tap()
    page.get_by_role("button", name="Finish").tap()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()
    assert sorted(Rating.objects.values_list("value", flat=True)) == [3, 3, 3, 3, 3, 4]


def test_two_quick_taps_are_one_rating(page, tapped):
    begin(page)
    arrived(page, 1)
    page.get_by_text("Fair").dblclick()
    arrived(page, 2)
    assert Rating.objects.count() == 1


def test_keys_answer_with_one_press_and_backspace_takes_it_back(page, tapped):
    begin(page)
    arrived(page, 1)
    page.keyboard.press("5")
    arrived(page, 2)
    page.keyboard.press("Backspace")
    arrived(page, 1)
    expect(page.get_by_role("radio", name="Excellent")).to_be_checked()
    page.get_by_role("radio", name="Excellent").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(900)
    arrived(page, 1)
    page.keyboard.press("Enter")
    arrived(page, 2)
    assert list(Rating.objects.values_list("value", flat=True)) == [4]


def test_one_tap_without_javascript_has_next(browser, live_server, tapped):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    page.get_by_role("radio", name="Good").check()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Image 2 of 6")).to_be_visible()
    context.close()
