"""A study's own questions in a real browser: by touch and keys, through an undo, without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from survey.models import OwnAnswer, Participant
from tests.browser.steps import begin, ready
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OWN = """
answer = "tap"
[[own_questions]]
key = "job"
when = "before"
text = "What is your job?"
required = true
[[own_questions]]
key = "why"
about = "image"
text = "What made you choose that?"
[[own_questions]]
key = "noticed"
about = "image"
answer = "several"
required = true
text = "What did you notice?"
choices = ["Colours", "Strokes", "Faces"]
[[own_questions]]
key = "arts"
answer = "one"
text = "Which art do you like most?"
choices = ["Painting", "Music"]
"""


def test_words_and_choices_beside_the_image_are_kept_with_the_rating(page, live_server):
    make_study(OWN, contents=("a",))
    begin(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("fieldset.own .alert:visible")).to_have_text("Please answer this question.")
    page.get_by_role("textbox").fill("Baker")
    page.get_by_role("button", name="Continue").click()
    ready(page, 1, 2)
    page.get_by_role("textbox").click()
    # Digits in a text are no answers.
    page.keyboard.type("15 dots")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    page.get_by_role("radio", name="Good").check()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("fieldset.own .alert:visible")).to_have_text("Please answer this question.")
    expect(page.get_by_role("checkbox", name="Colours")).to_be_focused()
    page.get_by_role("checkbox", name="Colours").check()
    page.get_by_role("checkbox", name="Faces").check()
    page.get_by_role("button", name="Next").click()
    ready(page, 2, 2)
    expect(page.get_by_role("textbox")).to_have_value("")
    expect(page.get_by_role("checkbox", name="Faces")).not_to_be_checked()
    page.get_by_role("button", name="Undo").click()
    ready(page, 1, 2)
    expect(page.get_by_role("textbox")).to_have_value("15 dots")
    expect(page.get_by_role("checkbox", name="Faces")).to_be_checked()
    kept = {row.key: row.answer for row in OwnAnswer.objects.all()}
    assert kept == {"why": "15 dots", "noticed": ["Colours", "Faces"]}


def test_they_are_asked_without_javascript_too(browser, live_server):
    make_study(OWN, contents=("a",))
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    page.get_by_role("textbox").fill("Baker")
    page.get_by_role("button", name="Continue").click()
    for _ in range(2):
        page.get_by_role("radio", name="Good").check()
        page.get_by_role("button", name="Next").click()
        expect(page.locator("fieldset.own .alert:visible")).to_have_text("Please answer this question.")
        page.get_by_role("checkbox", name="Strokes").check()
        page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="Music").check()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()
    person = Participant.objects.get()
    assert (person.before, person.about) == ({"job": "Baker"}, {"arts": "Music"})
    assert [row.answer for row in OwnAnswer.objects.all()] == [["Strokes"], ["Strokes"]]
