"""From Prolific's or MTurk's link to its code and back, as a participant walks it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from survey.models import Recruit, Trial
from tests.browser.steps import begin, rate, ready
from tests.survey.factories import make_study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PROLIFIC = """
[session]
images = 2
batches = 2
[screening]
vision = true
required = true
[recruitment]
platform = "prolific"
complete = "DONE1"
screened_out = "OUT1"
withdrew = "BYE1"
return_to = "https://app.prolific.com/submissions/complete?cc={code}"
"""
LINK = "/s/study/?PROLIFIC_PID=person1&STUDY_ID=study1&SESSION_ID=session1"


def enter(page: Page, link: str, sees_well: str = "Yes") -> None:
    begin(page, link)
    page.get_by_role("radio", name=sees_well).check()
    page.get_by_role("button", name="Continue").click()


def code(page: Page) -> str:
    """Return the platform's code as shown, whose link back must carry it."""
    shown = page.locator(".code").first.inner_text()
    address = page.get_by_role("link", name="Back to the platform").get_attribute("href")
    assert address == f"https://app.prolific.com/submissions/complete?cc={shown}"
    return shown


def test_prolific_from_its_link_to_its_code_another_batch_and_a_second_thought(browser, page, live_server):
    make_study(PROLIFIC)
    enter(page, LINK)
    ready(page, 1, 2)
    rate(page)
    ready(page, 2, 2)
    # On another device the number alone opens nothing; the person's own link does.
    page.get_by_role("link", name="Stop or withdraw").click()
    own = page.get_by_role("link", name="/return/").get_attribute("href")
    page.get_by_role("link", name="Continue with the images").click()
    ready(page, 2, 2)
    other = browser.new_context(base_url=live_server.url)
    elsewhere = other.new_page()
    elsewhere.goto(LINK)
    elsewhere.get_by_role("checkbox").check()
    elsewhere.get_by_role("button", name="Begin").click()
    expect(elsewhere.get_by_role("heading", name="You have already started")).to_be_visible()
    elsewhere.goto(own)
    elsewhere.get_by_role("button", name="Continue").click()
    ready(elsewhere, 2, 2)
    other.close()
    rate(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert code(page) == "DONE1"
    page.get_by_role("button", name="Rate another batch").click()
    for number in (3, 4):
        ready(page, number, 4)
        rate(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("button", name="Rate another batch")).not_to_be_visible()
    assert Trial.objects.filter(outcome="rated").values("stimulus").distinct().count() == 4
    recruit = Recruit.objects.get()
    assert (recruit.person, recruit.session, recruit.assignment) == ("person1", "session1", "study1")
    page.get_by_role("link", name="Delete my answers").click()
    page.get_by_role("textbox").fill(str(recruit.participant.withdrawal).lower())
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Your answers are deleted")).to_be_visible()
    assert not Trial.objects.exists()
    assert not Recruit.objects.exists()


def test_who_is_screened_out_and_who_withdraws_get_codes_of_their_own(page, context, live_server):
    make_study(PROLIFIC)
    enter(page, LINK, sees_well="No")
    expect(page.get_by_role("heading", name="Thank you for your time")).to_be_visible()
    assert code(page) == "OUT1"
    context.clear_cookies()
    enter(page, LINK.replace("person1", "person2"))
    ready(page, 1, 2)
    page.get_by_role("link", name="Stop or withdraw").click()
    page.get_by_role("button", name="Withdraw, and delete").click()
    page.get_by_role("button", name="Yes, delete all").click()
    expect(page.get_by_role("heading", name="Your answers are deleted")).to_be_visible()
    assert code(page) == "BYE1"
