"""The researcher's desk in a real browser: a study is watched, changed, copied and ended without a shell."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect

from survey.models import Study
from survey.session import starting
from tests.browser import steps
from tests.survey.exports.studies import rated_study
from tests.survey.factories import rate_all

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a long password"
PAGES = [
    "live",
    "setup",
    *(
        f"setup/{task}"
        for task in (
            "file",
            "texts",
            "languages",
            "questions",
            "assignment",
            "recruitment",
            "privacy",
            "images",
            "open",
        )
    ),
    "invitations",
    "copy",
    "end",
    "log",
    "preregistration",
    "participants",
    "sharing",
    "results",
]


@pytest.fixture
def study(live_server) -> Study:
    """A rated study of Ada's, who is a researcher."""
    study = rated_study(people=4)
    study.owner = User.objects.create_user("ada", password=PASSWORD)
    study.owner.groups.add(Group.objects.get(name="Researchers"))
    study.save()
    return study


@pytest.fixture
def desk(page: Page, study: Study, live_server) -> Page:
    """Ada's browser, signed in."""
    steps.sign_in(page, User.objects.get(), live_server.url)
    return page


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def check(page: Page) -> None:
    """Nothing to scroll sideways for on the narrowest phone, and nothing for axe to say."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    page.set_viewport_size({"width": 1280, "height": 800})


def test_every_page_is_accessible_and_fits_a_phone(desk: Page, study: Study):
    addresses = [f"/studies/study/{name}/" for name in PAGES]
    for address in (*addresses, "/studies/", "/planning/?noise=study"):
        desk.goto(address)
        check(desk)
    study.state = Study.State.CLOSED
    study.save()
    for address in ("/studies/study/end/", "/account/", "/account/password/", "/studies/?archived=1"):
        desk.goto(address)
        check(desk)


def test_the_live_page_follows_by_itself(desk: Page, study: Study):
    desk.goto("/studies/study/live/")
    expect(desk.get_by_text("4 of 4 who began")).to_be_visible()
    desk.get_by_text("The numbers").click()
    rate_all(starting.start(study))
    expect(desk.get_by_text("4 of 5 who began")).to_be_visible()
    expect(desk.get_by_role("cell", name="5", exact=True).first).to_be_visible()
    desk.get_by_role("button", name="Pause").click()
    expect(desk.get_by_text("nobody new can start")).to_be_visible()
    assert desk.url.endswith("/live/")


def test_a_hidden_tab_asks_for_nothing(desk: Page, study: Study):
    desk.goto("/studies/study/live/")
    desk.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked: list[str] = []
    desk.on(
        "request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None
    )
    desk.wait_for_timeout(4_000)
    assert asked == []  # the browser's own late call for the icon is none of the page's


def test_without_script_the_live_page_is_whole(browser, live_server, study: Study):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "ada")
    page.goto("/studies/study/live/")
    expect(page.get_by_text("Reload this page to bring it up to date.")).to_be_visible()
    expect(page.get_by_role("table", name=re.compile("Conditions"))).to_be_visible()
    context.close()


def test_from_a_change_of_words_to_the_end(desk: Page, study: Study):
    desk.goto("/studies/study/setup/")
    desk.get_by_role("link", name="Decide how much each person rates").click()
    desk.get_by_label("Minutes it takes").fill("46")
    desk.get_by_label("Votes for each image").fill("40")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_role("alert").get_by_role("link", name="less than or equal to 45").click()
    expect(desk.get_by_label("Minutes it takes")).to_be_focused()
    expect(desk.get_by_label("Votes for each image")).to_have_value("40")
    desk.get_by_label("Minutes it takes").fill("7")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: how much each person rates.")).to_be_visible()
    desk.get_by_role("link", name="Edit as a file").click()
    desk.get_by_label("study.toml").fill('title = "T"\nmethd = "acr"\n')
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("alert")).to_contain_text("Line 2: methd: no such key (did you mean 'method'?)")
    desk.goto("/studies/study/setup/")
    desk.get_by_role("link", name="Copy").click()
    desk.get_by_label("Name in the address").fill("again")
    desk.get_by_role("button", name="Make the copy").click()
    expect(desk.get_by_text("A draft: only you can see it")).to_be_visible()
    desk.get_by_role("link", name="Archive or delete").click()
    desk.get_by_label("Type again to confirm").last.fill("agian")
    desk.get_by_role("button", name="Delete this study").click()
    expect(desk.get_by_text("Nothing was deleted")).to_be_visible()
    desk.get_by_label("Type again to confirm").last.fill("again")
    desk.get_by_role("button", name="Delete this study").click()
    expect(desk.get_by_text("again was deleted.")).to_be_visible()
    assert list(Study.objects.values_list("slug", flat=True)) == ["study"]


def test_a_new_site_says_how_to_begin(page: Page, live_server):
    page.goto("/sign-in/")
    expect(page.get_by_text("python manage.py createsuperuser")).to_be_visible()
    check(page)
    User.objects.create_superuser("ada", password=PASSWORD)
    page.reload()
    expect(page.get_by_text("createsuperuser")).to_have_count(0)
    sign_in(page, "ada")
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    check(page)


def test_a_click_on_a_thumbnail_gives_the_image_its_role(desk: Page, study: Study):
    study.participants.all().delete()
    desk.goto("/studies/study/setup/images/")
    item = study.stimuli.filter(role="main").order_by("pk")[0].item
    role = desk.get_by_label(f"Role of {item}", exact=True)
    tile = desk.locator(".roles li").filter(has=role)
    answer = desk.get_by_label(f"Right answer for {item}", exact=True)
    expect(answer).to_be_hidden()
    tile.locator("img").click()
    expect(role).to_have_value("practice")
    expect(desk.locator("#count")).to_contain_text("1 practice")
    desk.get_by_label("Gold: answer known").check()
    tile.locator("img").click()
    expect(role).to_have_value("gold")
    answer.select_option("2 Poor")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved: images and roles.")).to_be_visible()
    assert study.stimuli.get(item=item).expected == 2
