"""A study goes to Prolific, and back, by the desk's pages in a real browser."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect

from survey.models import Study
from survey.study.lifecycle import set_state
from tests.browser.pictures import keep
from tests.browser.test_desk import PASSWORD, sign_in
from tests.prolific_server import TOKEN, Prolific
from tests.survey.factories import make_study
from tests.survey.study.prolific.test_acts import recruit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CONSENT = '[consent]\norganiser = "A laboratory"\ncontact = "mara@example.org"\n'


@pytest.fixture
def study(live_server) -> Study:
    """An open study of Ada's, who is a researcher."""
    study = make_study(CONSENT)
    study.owner = User.objects.create_user("ada", password=PASSWORD)
    study.owner.groups.add(Group.objects.get(name="Researchers"))
    study.save()
    set_state(study, Study.State.OPEN, study.owner)
    return study


def look(page: Page, name: str = "") -> None:
    """Check what everybody needs, at both sizes; keep a picture of a name where SCREENSHOTS names a folder."""
    for device, size in {"phone": (390, 844), "desktop": (1280, 800)}.items():
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        if name and "SCREENSHOTS" in os.environ:
            keep(page, f"desk-{name}", device)
    assert Axe().run(page).response["violations"] == [], name


def test_a_study_is_drafted_published_watched_and_paid(page: Page, study: Study, prolific: Prolific):
    sign_in(page, "ada")
    page.goto(f"/studies/{study.slug}/setup/recruitment/")
    page.get_by_role("link", name="Prolific: make the study there").click()
    look(page)
    page.get_by_role("button", name="Recruit by Prolific").click()
    look(page)
    page.get_by_label("API token").fill("not a token")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Paste the whole token")).to_be_visible()
    look(page)
    page.get_by_label("API token").fill(TOKEN)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Connected as Mara")).to_be_visible()
    page.get_by_role("link", name="Write the draft").click()
    look(page)
    page.get_by_label("Places").fill("20")
    page.get_by_label("Reward of each person").fill("0.30")
    page.get_by_role("button", name="Show the cost").click()
    expect(page.get_by_text("8.00 GBP", exact=True)).to_be_visible()
    look(page)
    page.get_by_role("button", name="Make the draft").click()
    look(page)
    page.get_by_role("link", name="Publish").click()
    look(page)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("People can take part by Prolific now.")).to_be_visible()
    look(page, "prolific")
    (remote,) = prolific.studies
    for number, state in enumerate(("finished", "finished", "screened-out")):
        recruit(study, f"{number:024x}", state)
        prolific.add(remote, f"p-{number:024x}", f"{number:024x}", "AWAITING REVIEW", "CODE1234")
    page.get_by_role("link", name="Submissions").click()
    look(page, "prolific-submissions")
    page.get_by_role("button", name="Approve those that are ticked").click()
    expect(page.get_by_text("Approved: 2")).to_be_visible()
    page.get_by_role("link", name="Back to Prolific").click()
    page.get_by_role("link", name="Stop").click()
    look(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped on Prolific.")).to_be_visible()
    assert prolific.studies[remote]["status"] == "AWAITING REVIEW"
    assert [one["status"] for one in prolific.submissions[remote]] == [
        "APPROVED",
        "APPROVED",
        "AWAITING REVIEW",
    ]
