"""WCAG 2.2 AA on every participant's page: axe, reflow at 320 px, zoom, names, order of focus."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from survey.study.about import ABOUT_TEXTS
from tests.browser.steps import begin, rate, ready
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Which rules, and no list of all that they found right: without it axe takes 0.3 s for a page instead of 0.5 s.
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
FULL = (
    f"about = {json.dumps(list(ABOUT_TEXTS))}"
    + """
languages = ["en", "de"]
purge_on = 2099-01-01
[consent]
minutes = 5
contact = "jane@example.org"
[session]
images = 2
[screening]
display = true
vision = true
plates = 1
"""
)
OWN = """
[[own_questions]]
key = "job"
when = "before"
text = {en = "What do you do for a living?", de = "Was machen Sie beruflich?"}
[[own_questions]]
key = "noticed"
about = "image"
answer = "several"
required = true
text = {en = "What did you notice?", de = "Was ist Ihnen aufgefallen?"}
choices = {en = ["Colours", "Strokes"], de = ["Farben", "Striche"]}
[[own_questions]]
key = "why"
about = "image"
text = {en = "Why?", de = "Warum?"}
[[own_questions]]
key = "art"
answer = "one"
text = {en = "Which art do you like most?", de = "Welche Kunst mögen Sie am liebsten?"}
choices = {en = ["Painting", "Music"], de = ["Malerei", "Musik"]}
"""


def no_violations(page: Page) -> None:
    found = Axe().run(page, options=AXE_OPTIONS)
    assert found.violations_count == 0, found.generate_report()


def fits(page: Page) -> None:
    """Nothing to scroll sideways for."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def every_page(page: Page, check: Callable[[Page], None]) -> None:
    """Walk through a whole session and look at each of its pages."""
    page.goto("/")
    check(page)
    page.goto("/s/study/")
    check(page)
    page.get_by_role("button", name="Begin").click()
    check(page)
    begin(page)
    expect(page.get_by_role("heading", name="Before the images")).to_be_visible()
    check(page)
    for group in page.get_by_role("group").all():
        group.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("textbox")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Continue").click()
    for number in (1, 2):
        ready(page, number, 2)
        page.get_by_role("button", name="Next").click()
        check(page)
        page.get_by_role("checkbox", name="Strokes").check()
        rate(page)
    expect(page.get_by_role("heading", name="A few words about you")).to_be_visible()
    check(page)
    page.goto("/s/study/leave/")
    check(page)
    page.goto("/s/study/")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    check(page)
    for address in ("/s/study/delete/", "/sign-in/"):
        page.goto(address)
        check(page)


PLATFORM = """
[recruitment]
platform = "mturk"
complete = "DONE1"
screened_out = "OUT1"
withdrew = "BYE1"
return_to = "https://worker.mturk.com/projects"
"""
POST_ELSEWHERE = """address => {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = address;
  document.body.append(form);
  form.submit();
}"""


def byways(page: Page, check: Callable[[Page], None], server: str) -> None:
    """See every page that a straight session does not lead to."""
    study = make_study(FULL + "required = true\n" + PLATFORM)

    def seen(heading: str) -> None:
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        check(page)

    page.goto("/s/study/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")
    seen("A study")
    page.goto("about:blank")
    page.evaluate(POST_ELSEWHERE, f"{server}/s/study/")
    seen("This form came from another site")
    begin(page, "/s/study/?workerId=w1")
    for group in page.get_by_role("group").all():
        group.get_by_role("radio").last.check()
    page.get_by_role("button", name="Continue").click()
    seen("Thank you for your time")
    page.get_by_role("button", name="Another person").click()
    begin(page, "/s/study/?workerId=w2")
    expect(page.get_by_role("heading", name="Before the images")).to_be_visible()
    # A browser that checks no form itself is told by the server.
    page.evaluate("document.forms[0].noValidate = true")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Please answer every question.")).to_be_visible()
    seen("Before the images")
    for group in page.get_by_role("group").all():
        group.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Stop or withdraw").click()
    page.get_by_role("button", name="Stop, and keep").click()
    seen("Thank you")
    page.goto("/s/study/delete/")
    page.get_by_role("textbox").fill("ABCD")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There are no answers for this code.")).to_be_visible()
    seen("Delete my answers")
    page.goto("/s/study/leave/")
    page.get_by_role("button", name="Withdraw").click()
    seen("Delete all your answers?")
    page.get_by_role("button", name="Yes, delete all").click()
    seen("Your answers are deleted")
    page.goto("/s/study/rate/")
    page.evaluate(POST_ELSEWHERE, "/s/study/rate/")
    seen("There is nothing to answer here")
    for state, heading in (("paused", "A short pause"), ("closed", "This study is closed")):
        study.state = state
        study.save()
        page.goto("/s/study/")
        seen(heading)
    make_study("invited_only = true\n", slug="guests")
    begin(page, "/s/guests/")
    seen("You need an invitation")
    page.goto("/s/nowhere/")
    seen("There is nothing here")
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("nothing")
    page.get_by_role("button", name="Sign in").click()
    seen("Sign in")


def test_axe_finds_nothing_and_nothing_is_cut_off_on_the_byways(page, live_server):
    def both(page: Page) -> None:
        no_violations(page)
        page.set_viewport_size({"width": 320, "height": 256})
        fits(page)
        page.set_viewport_size({"width": 1280, "height": 800})

    byways(page, both, live_server.url)


def test_every_phase_is_as_accessible_as_the_main_one(page, live_server):
    study = make_study(
        "[session]\nrepeats = 1\nstabilising = 1\n[images]\ntrap = 4\npractice = ['cat-*']\n"
        "gold = [{item = 'dog-weak', answer = 1}]\n"
    )
    begin(page)
    phases = set()
    for trial in study.participants.get().trials.order_by("position"):
        name = f"{'Practice image' if trial.phase == 'practice' else 'Image'} "
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        expect(page.locator(f'form:has(input[name="trial"][value="{trial.token}"])')).to_be_visible()
        expect(page.locator(".stage:not(.loading) img")).to_be_visible()
        if trial.phase not in phases:
            no_violations(page)
        phases.add(trial.phase)
        rate(page)
    assert phases == {"practice", "stabilising", "main", "repeat", "gold", "trap"}


def test_axe_finds_nothing_on_any_page_and_each_fits_a_phone_from_either_side(page, live_server):
    """320 px are 400 percent zoom at 1280."""
    make_study(FULL + OWN)

    def look(page: Page) -> None:
        no_violations(page)
        page.set_viewport_size({"width": 320, "height": 256})
        fits(page)
        page.evaluate("document.documentElement.dir = 'rtl'")
        fits(page)
        page.evaluate("document.documentElement.dir = ''")
        page.set_viewport_size({"width": 1280, "height": 800})

    every_page(page, look)


@pytest.mark.parametrize("method", ["pair", "dcr"])
def test_axe_finds_nothing_where_two_images_are_shown(page, live_server, method):
    roles = '[images]\nreferences = ["*-strong"]\n' if method == "dcr" else ""
    make_study(f'method = "{method}"\n{roles}')
    begin(page)
    ready(page, 1, 3)
    no_violations(page)
    page.set_viewport_size({"width": 320, "height": 640})
    fits(page)


def test_a_screen_reader_hears_the_question_with_its_answers(page, study):
    begin(page)
    ready(page, 1)
    group = page.get_by_role("group", name="How do you rate the overall quality of this image?")
    names = [radio.evaluate("e => e.labels[0].innerText") for radio in group.get_by_role("radio").all()]
    assert [name.split()[-1] for name in names] == ["Excellent", "Good", "Fair", "Poor", "Bad"]
    expect(page.get_by_role("img", name="Image 1 of 6")).to_be_visible()


def test_the_next_image_is_announced_by_focus_on_its_heading(page, study):
    begin(page)
    ready(page, 1)
    rate(page)
    ready(page, 2)
    expect(page.get_by_role("heading", name="Image 2 of 6")).to_be_focused()


def test_one_stop_of_the_tab_key_for_each_question_and_none_in_between(page, live_server):
    """LimeSurvey #2512, formbricks #8581: 40 stops to cross one page of scales."""
    make_study('[[questions]]\nkey = "a"\ntext = "A?"\n[[questions]]\nkey = "b"\ntext = "B?"\n')
    begin(page)
    ready(page, 1)
    stops = []
    for _ in range(5):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")
        )
    assert [stop for stop in stops if stop.startswith("q-")] == ["q-a", "q-b"]
    assert stops.index("q-b") == stops.index("q-a") + 1
    assert "Next" in stops


def test_targets_are_44_px_high(page, study):
    """WCAG 2.5.8 asks for 24; thumbs ask for more."""
    begin(page)
    ready(page, 1)
    heights = page.eval_on_selector_all(
        ".choice, .button:not([hidden])", "all => all.map(e => e.offsetHeight)"
    )
    assert len(heights) == 6
    assert min(heights) >= 44


def test_nothing_moves_for_those_who_asked_for_less_motion(browser, live_server, study):
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    page = context.new_page()
    begin(page)
    ready(page, 1)
    moving = page.eval_on_selector_all(
        "*", "all => all.filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    )
    assert moving == 0
    context.close()
